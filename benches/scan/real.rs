//! A scan of a real lock, from whatever index its files lie on, and other programs beside it in the same
//! run: how far away the index is changes from one run to the next.
//!
//! ```text
//! cargo bench --bench scan -- --lock project/uv.lock --beside "abi3t-doctor tree --no-cache names.txt"
//! ```

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{Ran, Surroundings, Usage, run};
use crate::{Failure, median_of, print_row};

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
        // All that is received, and of the parts of wheels, and of these what was read; in bytes.
        let numbers: Vec<u64> = told
            .split(" bytes)")
            .filter_map(|text| text.rsplit('(').next()?.parse().ok())
            .collect();
        let [all, of_wheels, read, ..] = numbers[..] else { return Err(told.into()) };
        let requests = told.split(" in ").nth(1).and_then(|text| text.split(' ').next());
        let requests = requests.and_then(|text| text.parse().ok()).unwrap_or_default();
        print_row("cold", median_of(&cold), Some((requests, all)), None)?;
        for (name, more) in [("warm", None), ("offline", Some("--offline"))] {
            // Only a lock that names its files leaves nothing to ask for.
            let scan = |_| Ok(self.scan(cache.path(), more.as_slice())?.usage);
            let usages = (0..self.runs).map(scan).collect::<Result<Vec<_>, Failure>>()?;
            print_row(name, median_of(&usages), Some((0, 0)), None)?;
        }
        for (command, usages) in self.beside.iter().zip(&beside) {
            let name = command.split_whitespace().next().unwrap_or_default();
            let name = Path::new(name).file_name().unwrap_or_default();
            print_row(&name.to_string_lossy(), median_of(usages), None, None)?;
        }
        crate::print_line(&format!(
            "\nparts of wheels: {of_wheels} bytes, read of them: {read}, {:.4} times as many",
            share(of_wheels, read)
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

#[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn share(of_wheels: u64, read: u64) -> f64 {
    of_wheels as f64 / read.max(1) as f64
}
