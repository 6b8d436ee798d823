//! A scan of a real lock, from whatever index its files lie on, and other programs beside it in the same
//! run: how far away the index is changes from one run to the next.
//!
//! ```text
//! cargo bench --bench scan -- --lock project/uv.lock --beside "abi3t-doctor tree --no-cache names.txt"
//! ```

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{Ran, Surroundings, Usage, run};
use crate::{Failure, median_of, print_line, print_row};

/// What is measured.
pub(crate) struct Real<'a> {
    pub(crate) program: &'a Path,
    pub(crate) lock: PathBuf,
    pub(crate) platform: &'a str,
    /// Commands that are run beside, each from a cache of its own making.
    pub(crate) beside: &'a [String],
    pub(crate) runs: usize,
}

/// Any code: what a real lock comes to is its own business.
const ANY: std::ops::RangeInclusive<i32> = 0..=255;

impl Real<'_> {
    pub(crate) fn measure(&self) -> Result<(), Failure> {
        let folder = self.lock.parent().ok_or("the lock lies nowhere")?;
        let mut cold = Vec::new();
        let mut told = String::new();
        let mut beside: Vec<Vec<Usage>> = vec![Vec::new(); self.beside.len()];
        let mut cache = TempDir::new()?;
        for _ in 0..self.runs {
            cache = TempDir::new()?;
            let ran = self.scan(cache.path(), &["--verbose"])?;
            cold.push(ran.usage);
            told = ran.told;
            for (command, usages) in self.beside.iter().zip(&mut beside) {
                let words = shlex::split(command).ok_or("a command that is none")?;
                let (program, arguments) = words.split_first().ok_or("a command that is none")?;
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let ran =
                    run(Path::new(program), folder, &arguments, ANY, Surroundings::Users(None))?;
                usages.push(ran.usage);
            }
        }
        let asked = Asked::told_by(&told)?;
        print_row("cold", median_of(&cold), Some((asked.requests, asked.bytes)), None)?;
        for (name, more) in [("warm", None), ("offline", Some("--offline"))] {
            let options: Vec<&str> = more.into_iter().chain(["--verbose"]).collect();
            let mut usages = Vec::new();
            for _ in 0..self.runs {
                let ran = self.scan(cache.path(), &options)?;
                usages.push(ran.usage);
                told = ran.told;
            }
            let Asked { requests, bytes, .. } = Asked::told_by(&told)?;
            print_row(name, median_of(&usages), Some((requests, bytes)), None)?;
        }
        for (command, usages) in self.beside.iter().zip(&beside) {
            let name = command.split_whitespace().next().unwrap_or_default();
            let name = Path::new(name).file_name().unwrap_or_default();
            print_row(&name.to_string_lossy(), median_of(usages), None, None)?;
        }
        let Asked { of_wheels, read, .. } = asked;
        let times = share(of_wheels, read);
        print_line(&format!(
            "\nparts of wheels: {of_wheels} bytes, {times:.4} times the {read} that were read of them"
        ))
    }

    fn scan(&self, cache: &Path, more: &[&str]) -> Result<Ran, Failure> {
        let folder = self.lock.parent().ok_or("the lock lies nowhere")?;
        let lock = self.lock.to_string_lossy();
        let arguments = ["scan", &lock, "--platform", self.platform];
        let arguments = [&arguments, more].concat();
        run(self.program, folder, &arguments, ANY, Surroundings::Users(Some(cache)))
    }
}

/// What a scan asked for, as it tells itself.
struct Asked {
    requests: usize,
    /// All that was received, what of it are parts of wheels, and what of these was read.
    bytes: u64,
    of_wheels: u64,
    read: u64,
}

impl Asked {
    fn told_by(told: &str) -> Result<Self, Failure> {
        let numbers: Vec<u64> = told
            .split(" bytes)")
            .filter_map(|text| text.rsplit('(').next()?.parse().ok())
            .collect();
        let requests = told.split(" requests").next().and_then(|text| text.rsplit(' ').next());
        match (requests.and_then(|text| text.parse().ok()), numbers.as_slice()) {
            (Some(requests), [bytes, of_wheels, read, ..]) => {
                Ok(Self { requests, bytes: *bytes, of_wheels: *of_wheels, read: *read })
            }
            _ => Err(format!("expected what was received, found: {told}").into()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn share(of_wheels: u64, read: u64) -> f64 {
    of_wheels as f64 / read.max(1) as f64
}
