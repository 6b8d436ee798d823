//! How long the engine takes for a module, from bytes in memory to the answer.
//!
//! The fixture modules are measured by criterion, all modules of one target in turn. Real modules
//! are measured where `FTCHECK_BENCH_CORPUS` names a folder of Linux, macOS or Windows wheels,
//! packed or unpacked into folders named as the wheels are: each module by itself, since it is the
//! spread that matters.
//!
//! What the engine answers for them is written to the file that `FTCHECK_BENCH_ANSWERS` names, to see
//! that a change which is only to make it faster makes no other difference.
//!
//! ```text
//! FTCHECK_BENCH_CORPUS=wheels cargo bench --bench inspect
//! cargo bench --bench inspect -- fixtures/x86_64-linux
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use ftcheck::fetch::archive::Archive;
use ftcheck::inspect::filename::{ExtensionFile, extension_files};
use ftcheck::inspect::libraries::Libraries;
use ftcheck::inspect::{Inspection, Interpreter, inspect};
use ftcheck::model::limits::Limits;
use ftcheck::model::platform::Platform;
use ftcheck::model::tag::TagOrder;
use ftcheck::model::target::Target;
use ftcheck::model::wheel_filename::WheelFilename;
use ftcheck::module_check::MAX_ROUNDS;

type Failure = Box<dyn Error>;

const CORPUS: &str = "FTCHECK_BENCH_CORPUS";
const ANSWERS: &str = "FTCHECK_BENCH_ANSWERS";
/// What half of all modules have to be done in.
const BAR: Duration = Duration::from_millis(2);
/// How often each module of the corpus is measured; the shortest time counts.
const PASSES: usize = 3;
/// How many of the slowest modules are listed.
const SLOWEST: usize = 10;

fn main() -> Result<(), Failure> {
    let mut criterion = Criterion::default().configure_from_args();
    fixtures(&mut criterion)?;
    criterion.final_summary();
    // Only `cargo bench` says so; what else runs benchmarks only wants to see that they work.
    if std::env::args().any(|argument| argument == "--bench") {
        corpus()?;
    }
    Ok(())
}

/// All fixture modules of a target in turn, for each target.
fn fixtures(criterion: &mut Criterion) -> Result<(), Failure> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules/built");
    let mut group = criterion.benchmark_group("fixtures");
    for folder in sorted_entries(&built)? {
        let name = file_name(&folder);
        let platform: Platform = name.trim_end_matches("-gnu").parse()?;
        let interpreter = Interpreter { target: Target::PY314T, platform: Some(platform) };
        let mut paths: BTreeMap<String, PathBuf> = BTreeMap::new();
        for path in sorted_entries(&folder)? {
            paths.insert(file_name(&path), path);
        }
        let files = extension_files(paths.keys().map(String::as_str), interpreter.target, platform);
        let mut modules = Vec::new();
        for file in files {
            let bytes = std::fs::read(&paths[&file.member])?;
            modules.push((file, bytes));
        }
        // None of them needs another.
        let libraries = Libraries::default();
        group.throughput(Throughput::ElementsAndBytes {
            elements: modules.len() as u64,
            bytes: modules.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
        });
        group.bench_function(&name, |bencher| {
            bencher.iter(|| {
                for (file, bytes) in &modules {
                    black_box(inspect(file, black_box(bytes), &libraries, interpreter));
                }
            });
        });
    }
    group.finish();
    Ok(())
}

/// Measures the wheels in the folder that the environment names, and prints the spread.
fn corpus() -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    let Some(folder) = std::env::var_os(CORPUS) else {
        writeln!(output, "no corpus: {CORPUS} names no folder of wheels")?;
        return Ok(());
    };
    let mut measured = Vec::new();
    for path in sorted_entries(Path::new(&folder))? {
        let name = file_name(&path);
        let Some(interpreter) = name.parse().ok().and_then(|wheel| interpreter_of(&wheel)) else {
            writeln!(output, "passed over: {name} is no wheel for a free-threaded interpreter")?;
            continue;
        };
        let modules = Wheel::open(&path)?.measure(interpreter)?;
        measured.extend(
            modules
                .into_iter()
                .map(|module| Measured { name: format!("{name}/{}", module.name), ..module }),
        );
    }
    if let Some(path) = std::env::var_os(ANSWERS) {
        let mut answers = std::io::BufWriter::new(File::create(path)?);
        for module in &measured {
            writeln!(answers, "{} {}", module.name, module.answer)?;
        }
        answers.flush()?;
    }
    print(&mut output, measured)
}

/// The oldest interpreter that a wheel is built for.
fn interpreter_of(wheel: &WheelFilename) -> Option<Interpreter> {
    let platforms = wheel.tags().filter_map(|(_, _, platform)| Platform::from_tag(platform));
    platforms
        .flat_map(|platform| Target::ALL.map(|target| (target, platform)))
        .find(|(target, platform)| TagOrder::new(*target, *platform).rank(wheel).is_some())
        .map(|(target, platform)| Interpreter { target, platform: Some(platform) })
}

/// A wheel's members, and where their bytes are.
struct Wheel {
    names: Vec<String>,
    place: Place,
}

enum Place {
    Packed(Box<Archive<BufReader<File>>>),
    Unpacked(PathBuf),
}

impl Wheel {
    fn open(path: &Path) -> Result<Self, Failure> {
        if path.is_file() {
            let archive = Archive::open(BufReader::new(File::open(path)?), &Limits::default())?;
            let names = archive.names().to_vec();
            return Ok(Self { names, place: Place::Packed(Box::new(archive)) });
        }
        let mut names = Vec::new();
        for entry in walkdir::WalkDir::new(path) {
            let entry = entry?;
            if entry.file_type().is_file() {
                let member = entry.path().strip_prefix(path)?;
                names.push(member.to_string_lossy().replace('\\', "/"));
            }
        }
        Ok(Self { names, place: Place::Unpacked(path.to_owned()) })
    }

    fn read(&mut self, member: &str) -> Result<Vec<u8>, Failure> {
        match &mut self.place {
            Place::Unpacked(folder) => Ok(std::fs::read(folder.join(member))?),
            Place::Packed(archive) => {
                let at = self.names.iter().position(|name| name == member);
                Ok(archive.read(at.ok_or("it names a library that it has not")?)?)
            }
        }
    }

    /// The modules of the wheel, with the libraries that they turn out to hang on, in rounds as
    /// `module_check` makes them.
    fn measure(&mut self, interpreter: Interpreter) -> Result<Vec<Measured>, Failure> {
        let platform = interpreter.platform.ok_or("it is for no platform")?;
        let mut pending: Vec<(ExtensionFile, Measured)> =
            extension_files(self.names.iter().map(String::as_str), interpreter.target, platform)
                .into_iter()
                .map(|file| {
                    let measured = Measured { name: file.member.clone(), ..Measured::default() };
                    (file, measured)
                })
                .collect();
        let sizes = std::iter::repeat(0);
        let mut libraries = Libraries::named(self.names.iter().cloned().zip(sizes));
        let mut fetched: Vec<String> = Vec::new();
        let mut done = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let mut wanted = Vec::new();
            for (file, mut measured) in std::mem::take(&mut pending) {
                let bytes = self.read(&file.member)?;
                let mut times = Vec::new();
                let mut answer = Inspection::NotAModule;
                for _ in 0..PASSES {
                    let start = Instant::now();
                    answer = inspect(&file, black_box(&bytes), &libraries, interpreter);
                    times.push(start.elapsed());
                }
                measured.bytes = bytes.len() as u64;
                measured.time += times.into_iter().min().unwrap_or_default();
                if let Inspection::Needs(needs) = answer {
                    wanted.extend(needs);
                    pending.push((file, measured));
                } else {
                    measured.answer = format!("{answer:?}");
                    done.push(measured);
                }
            }
            wanted.retain(|name| !fetched.contains(name));
            for name in wanted {
                libraries.insert(name.clone(), self.read(&name)?);
                fetched.push(name);
            }
        }
        Ok(done)
    }
}

/// What one module took.
#[derive(Default)]
struct Measured {
    name: String,
    bytes: u64,
    /// Of all rounds together.
    time: Duration,
    answer: String,
}

#[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn print(output: &mut impl std::io::Write, mut measured: Vec<Measured>) -> Result<(), Failure> {
    measured.sort_by_key(|module| module.time);
    if measured.is_empty() {
        return Err("the corpus has no module".into());
    }
    let count = measured.len();
    let bytes: u64 = measured.iter().map(|module| module.bytes).sum();
    let time: Duration = measured.iter().map(|module| module.time).sum();
    let megabytes = bytes as f64 / 1e6;
    writeln!(
        output,
        "corpus: {count} modules, {megabytes:.0} MB in {:.2} s, {:.0} MB/s",
        time.as_secs_f64(),
        megabytes / time.as_secs_f64()
    )?;
    for (name, share) in [("median", 50), ("90 %", 90), ("99 %", 99)] {
        let at = (count * share / 100).min(count - 1);
        writeln!(output, "{name:>8} {:>10.3} ms", milliseconds(measured[at].time))?;
    }
    writeln!(output, "slowest:")?;
    for module in measured.iter().rev().take(SLOWEST) {
        writeln!(
            output,
            "{:>19.3} ms {:>8.2} MB {}",
            milliseconds(module.time),
            module.bytes as f64 / 1e6,
            module.name
        )?;
    }
    let median = measured[count / 2].time;
    let verdict = if median < BAR { "under" } else { "NOT UNDER" };
    writeln!(output, "the median is {verdict} {} ms", BAR.as_millis())?;
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
