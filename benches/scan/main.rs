//! What a scan takes, from an empty cache and from a full one, against an index on this machine that
//! is as far away as it is told to be.
//!
//! ```text
//! cargo bench --bench scan
//! cargo bench --bench scan -- --latency 20 --megabytes 100 --packages 78
//! ```
//!
//! With `--lock` a real lock is scanned from where its files lie, see `real.rs`.
//!
//! Beside a scan that asks for something stands the floor: what a client takes that does nothing but
//! ask the same again, on as many connections.

mod process;
mod real;
mod server;
mod wheels;

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;
use tempfile::TempDir;

use self::process::{Surroundings, Usage, run};
use self::real::Real;
use self::server::{Distance, Server, Traffic, floor};
use self::wheels::{Record, Workshop, lock, recorded};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

const MEGABYTE: u64 = 1_000_000;
/// A package of the lock enables the GIL.
const FOUND: RangeInclusive<i32> = 1..=1;
const FINE: RangeInclusive<i32> = 0..=0;
const PLATFORM: &str = "x86_64-manylinux_2_28";
/// How many times as often what asks for nothing is run.
const QUIET: usize = 5;

#[derive(Debug, clap::Parser)]
struct Arguments {
    /// Milliseconds until an answer begins
    #[arg(long, default_value_t = 50)]
    latency: u64,
    /// Megabytes in a second that the line takes
    #[arg(long, default_value_t = 50)]
    megabytes: u64,
    /// Packages of the locks
    #[arg(long, value_delimiter = ',', default_values_t = [20, 78, 300])]
    packages: Vec<usize>,
    /// Runs of each kind, of which the median is told; more of those that ask for nothing
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// The program
    #[arg(long, default_value = env!("CARGO_BIN_EXE_ftcheck"))]
    program: PathBuf,
    /// A real lock, which is scanned in place of made ones
    #[arg(long)]
    lock: Option<PathBuf>,
    /// The platform of that scan
    #[arg(long, default_value = PLATFORM)]
    platform: String,
    /// A command that is run beside each scan of a real lock, from its folder
    #[arg(long)]
    beside: Vec<String>,
    /// What cargo says
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(process::MEASURE) {
        return process::measure(arguments);
    }
    let arguments = Arguments::parse();
    if !arguments.bench {
        // What else runs benchmarks only wants to see that they build.
        return Ok(());
    }
    let distance = Distance {
        latency: Duration::from_millis(arguments.latency),
        bytes_per_second: (arguments.megabytes * MEGABYTE).max(1),
    };
    let Arguments { program, runs, platform, beside, .. } = &arguments;
    let (program, runs) = (std::path::absolute(program)?, (*runs).max(1));
    head(&arguments)?;
    if let Some(lock) = &arguments.lock {
        let lock = std::path::absolute(lock)?;
        return Real { program: &program, lock, platform, beside, runs }.measure();
    }
    let bench = Bench { program, runs, distance };
    bench.start_up()?;
    for packages in &arguments.packages {
        bench.lock(*packages)?;
    }
    for (module, other) in [(1, 1), (10, 1), (100, 1), (1, 10), (1, 100), (1, 500)] {
        bench.sizes(module * MEGABYTE, other * MEGABYTE)?;
    }
    Ok(())
}

struct Bench {
    program: PathBuf,
    runs: usize,
    distance: Distance,
}

impl Bench {
    fn start_up(&self) -> Result<(), Failure> {
        let folder = TempDir::new()?;
        let run = |_| {
            let version = ["--version"];
            Ok(run(&self.program, folder.path(), &version, FINE, Surroundings::Own)?.usage)
        };
        row("ftcheck --version", self.repeated(QUIET, run)?, None)
    }

    fn lock(&self, packages: usize) -> Result<(), Failure> {
        let server = Server::start(self.distance)?;
        let host = server.address.to_string();
        let mut workshop = Workshop::new(recorded()?)?;
        let mut wheels = workshop.wheels(packages)?;
        for wheel in &mut wheels {
            server.add(&wheel.filename, std::mem::take(&mut wheel.bytes));
        }
        let folder = TempDir::new()?;
        let path = folder.path();
        fs::write(path.join("uv.lock"), lock(&wheels, &host)?)?;

        let cold = self.asking(path, &server, FOUND, |_| remove_cache(path))?;
        row(&format!("{packages} packages, cold"), cold.usage, Some(&cold))?;
        let warm = self.quiet(path, &server, &[])?;
        row(&format!("{packages} packages, warm"), warm, None)?;
        let offline = self.quiet(path, &server, &["--offline"])?;
        row(&format!("{packages} packages, offline"), offline, None)?;
        let changed = self.asking(path, &server, FOUND, |run| {
            let one = wheels.iter_mut().find(|wheel| !wheel.is_pure);
            let one = one.ok_or("no package of the lock has modules")?;
            *one = workshop.release(one, &format!("{}.0", run + 2))?;
            server.add(&one.filename, std::mem::take(&mut one.bytes));
            Ok(fs::write(path.join("uv.lock"), lock(&wheels, &host)?)?)
        })?;
        row(&format!("{packages} packages, one changed"), changed.usage, Some(&changed))
    }

    /// Of a lock of one package.
    fn sizes(&self, module: u64, other: u64) -> Result<(), Failure> {
        let server = Server::start(self.distance)?;
        let mut workshop = Workshop::new(vec![Record::of_one_module(module, other)])?;
        let mut wheels = workshop.wheels(1)?;
        let folder = TempDir::new()?;
        fs::write(folder.path().join("uv.lock"), lock(&wheels, &server.address.to_string())?)?;
        for wheel in &mut wheels {
            server.add(&wheel.filename, std::mem::take(&mut wheel.bytes));
        }
        let path = folder.path();
        let cold = self.asking(path, &server, FINE, |_| remove_cache(path))?;
        let (module, other) = (module / MEGABYTE, other / MEGABYTE);
        row(&format!("module {module} MB, rest {other}"), cold.usage, Some(&cold))
    }

    /// A scan that asks for something, after what has to be prepared for each run.
    fn asking(
        &self,
        folder: &Path,
        server: &Server,
        codes: RangeInclusive<i32>,
        mut prepare: impl FnMut(usize) -> Result<(), Failure>,
    ) -> Result<Asked, Failure> {
        let mut last = Traffic::default();
        let mut floors = Vec::new();
        let usage = self.repeated(1, |number| {
            prepare(number)?;
            server.take_traffic();
            let usage = self.scan(folder, &[], codes.clone())?;
            last = server.take_traffic();
            floors.push(floor(server.address, &last)?);
            server.take_traffic();
            Ok(usage)
        })?;
        let floor = median(floors.into_iter());
        Ok(Asked { usage, requests: last.served.len(), bytes: last.bytes(), floor })
    }

    /// With all in the cache; nothing may be asked.
    fn quiet(&self, folder: &Path, server: &Server, more: &[&str]) -> Result<Usage, Failure> {
        let usage = self.repeated(QUIET, |_| self.scan(folder, more, FOUND))?;
        match server.take_traffic().served.as_slice() {
            [] => Ok(usage),
            [first, ..] => Err(format!("expected no request, found one for {}", first.path).into()),
        }
    }

    /// The median of each figure of some runs.
    fn repeated(
        &self,
        times: usize,
        mut run: impl FnMut(usize) -> Result<Usage, Failure>,
    ) -> Result<Usage, Failure> {
        let usages = (0..self.runs * times).map(&mut run).collect::<Result<Vec<_>, _>>()?;
        Ok(median_of(&usages))
    }

    fn scan(
        &self,
        folder: &Path,
        more: &[&str],
        codes: RangeInclusive<i32>,
    ) -> Result<Usage, Failure> {
        let arguments = ["scan", "uv.lock", "--platform", PLATFORM, "--target", "3.14t"];
        let arguments = [&arguments, more].concat();
        Ok(run(&self.program, folder, &arguments, codes, Surroundings::Own)?.usage)
    }
}

fn remove_cache(folder: &Path) -> Result<(), Failure> {
    let cache = folder.join("cache");
    if cache.exists() {
        fs::remove_dir_all(cache)?;
    }
    Ok(())
}

/// The median of each figure by itself.
fn median_of(usages: &[Usage]) -> Usage {
    Usage {
        wall: median(usages.iter().map(|usage| usage.wall)),
        cpu: median(usages.iter().map(|usage| usage.cpu)),
        peak: median(usages.iter().map(|usage| usage.peak)),
    }
}

fn median<T: Ord + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort();
    let middle = values.len() / 2;
    values.into_iter().nth(middle).unwrap_or_default()
}

/// A scan that asked for something.
struct Asked {
    usage: Usage,
    requests: usize,
    bytes: u64,
    floor: Duration,
}

fn head(arguments: &Arguments) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism()?;
    let Arguments { latency, megabytes, runs, .. } = arguments;
    let mut output = std::io::stdout().lock();
    if let Some(lock) = &arguments.lock {
        writeln!(output, "{cores} cores; {} from where it lies", lock.display())?;
        writeln!(output, "medians of {runs} runs")?;
    } else {
        writeln!(output, "{cores} cores, {latency} ms to the index, {megabytes} MB/s from it")?;
        writeln!(output, "medians of {runs} runs, and of {} that ask for nothing", runs * QUIET)?;
    }
    let columns = ["requests", "MB", "wall ms", "CPU ms", "peak MB", "floor ms", "x floor"];
    write!(output, "\n{:<28}", "")?;
    for column in columns {
        write!(output, "{column:>10}")?;
    }
    Ok(writeln!(output)?)
}

fn row(name: &str, usage: Usage, asked: Option<&Asked>) -> Result<(), Failure> {
    let traffic = asked.map_or((0, 0), |asked| (asked.requests, asked.bytes));
    print_row(name, usage, Some(traffic), asked.map(|asked| asked.floor))
}

/// A row of the table: with the requests and the bytes, where they are known, and the time that a plain
/// client takes for them.
#[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn print_row(
    name: &str,
    usage: Usage,
    traffic: Option<(usize, u64)>,
    floor: Option<Duration>,
) -> Result<(), Failure> {
    let milliseconds = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / MEGABYTE as f64);
    let times = |floor: Duration| usage.wall.as_secs_f64() / floor.as_secs_f64();
    let cells = [
        traffic.map(|(requests, _)| requests.to_string()).unwrap_or_default(),
        traffic.map(|(_, bytes)| megabytes(bytes)).unwrap_or_default(),
        milliseconds(usage.wall),
        usage.cpu.map_or_else(|| "?".to_owned(), milliseconds),
        usage.peak.map_or_else(|| "?".to_owned(), megabytes),
        floor.map(milliseconds).unwrap_or_default(),
        floor.map(|floor| format!("{:.2}", times(floor))).unwrap_or_default(),
    ];
    let line = cells.iter().fold(format!("{name:<28}"), |line, cell| line + &format!("{cell:>10}"));
    print_line(&line)
}

fn print_line(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
