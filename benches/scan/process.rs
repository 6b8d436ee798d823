//! Runs the program and tells what that took.
//!
//! Each run is made by a process of its own, this program called in another way: the system tells the
//! peak of memory of all children of a process together, and counts what that process took before it
//! became them.

use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// What makes this program run another and tell of it.
pub(crate) const MEASURE: &str = "--measure-one";

/// What a run took; `None` where the system does not tell.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    /// In the program and in the system for it.
    pub(crate) cpu: Option<Duration>,
    /// The most memory, in bytes.
    pub(crate) peak: Option<u64>,
}

/// What a run took, and what it said on the standard error.
pub(crate) struct Ran {
    pub(crate) usage: Usage,
    pub(crate) told: String,
}

/// What a program finds around it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Surroundings<'a> {
    /// A home and a cache in the folder that it runs in, and nothing of the user's.
    Own,
    /// All that is the user's, but for this cache.
    Users(Option<&'a Path>),
}

/// Runs a program in `folder`; how it may end is told by `codes`.
pub(crate) fn run(
    program: &Path,
    folder: &Path,
    arguments: &[&str],
    codes: RangeInclusive<i32>,
    surroundings: Surroundings<'_>,
) -> Result<Ran, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(MEASURE).arg(program).args(arguments).current_dir(folder);
    match surroundings {
        Surroundings::Own => {
            command.env_clear();
            for name in ["PATH", "SystemRoot", "TEMP", "TMP"] {
                command.envs(std::env::var_os(name).map(|value| (name, value)));
            }
            command.env("HOME", folder).env("FTCHECK_CACHE_DIR", folder.join("cache"));
            command.env("UV_NO_CONFIG", "1").env("NO_PROXY", "127.0.0.1");
            command.env("PIP_CONFIG_FILE", if cfg!(windows) { "nul" } else { "/dev/null" });
        }
        Surroundings::Users(cache) => {
            command.envs(cache.map(|cache| ("FTCHECK_CACHE_DIR", cache)));
        }
    }
    let output = command.output()?;
    let numbers = String::from_utf8(output.stdout)?;
    let numbers = numbers.split_whitespace().map(str::parse).collect::<Result<Vec<i64>, _>>()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let [code, wall, cpu, peak] = numbers[..] else { return Err(told.into()) };
    if !i32::try_from(code).is_ok_and(|code| codes.contains(&code)) {
        return Err(format!("{arguments:?} ended with {code}: {told}").into());
    }
    let usage = Usage {
        wall: Duration::from_micros(u64::try_from(wall)?),
        cpu: u64::try_from(cpu).ok().map(Duration::from_micros),
        peak: u64::try_from(peak).ok(),
    };
    Ok(Ran { usage, told })
}

/// Runs a program, whose report is thrown away, and prints how it ended and what it took: its code, the
/// microseconds on the clock and of the processor, and the bytes; -1 for what is not known.
#[expect(clippy::print_stdout, reason = "this is what it is run for")]
pub(crate) fn measure(mut arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let mut command = Command::new(arguments.next().ok_or("expected a program")?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let begun = Instant::now();
    let code = command.status()?.code().unwrap_or(-1);
    let wall = begun.elapsed().as_micros();
    let (cpu, peak) = of_children();
    println!("{code} {wall} {cpu} {peak}");
    Ok(())
}

#[cfg(unix)]
fn of_children() -> (i64, i64) {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike as _;
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return (-1, -1) };
    // Everywhere in kilobytes, but on macOS.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    (cpu, usage.max_rss() * unit)
}

#[cfg(not(unix))]
fn of_children() -> (i64, i64) {
    (-1, -1)
}
