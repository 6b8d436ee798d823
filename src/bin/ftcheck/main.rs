//! The command line: the only place that knows the standard streams and exit codes.

mod advise;
mod args;
mod baseline;
mod cache;
mod comment;
mod configuration;
mod destinations;
mod diff;
mod inspect;
mod interrupt;
mod options;
mod origin;
mod output;
mod progress;
mod project;
mod rules;
mod scan;
mod session;
mod shell;
mod terminal;
mod tracker;
mod verify;
mod why;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Command};

/// Something enables the GIL or has no wheel.
const FOUND: u8 = 1;
/// The run could not be made.
const FAILED: u8 = 2;
/// Nothing worse was found, but something could not be checked.
const NOT_KNOWN: u8 = 3;
/// The user ended the run: what shells say of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Why a run could not be made, with what may help.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None }
    }

    pub(crate) fn with_hint(problem: impl Into<String>, hint: Option<String>) -> Self {
        Self { problem: problem.into(), hint }
    }
}

fn main() -> ExitCode {
    terminal::heed_force_color();
    let arguments = Arguments::parse();
    if let Some(color) = arguments.command.color() {
        color.heed();
    }
    interrupt::watch();
    let outcome = match arguments.command {
        Command::Scan(arguments) => scan::run(arguments),
        Command::Check(arguments) => scan::check(arguments),
        Command::Why(arguments) => why::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Rules => rules::list(),
        Command::Explain(arguments) => rules::explain(&arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Tracker(arguments) => tracker::run(arguments),
        Command::Advise(arguments) => advise::run(arguments),
        Command::Comment(arguments) => comment::run(&arguments),
        Command::Cache(arguments) => cache::run(arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            let mut stderr = anstream::stderr().lock();
            let red = anstyle::AnsiColor::Red.on_default().bold();
            // There is nowhere left to tell of a failure to write.
            let _ = writeln!(stderr, "{red}error{red:#}: {}", failure.problem);
            if let Some(hint) = failure.hint {
                let _ = writeln!(stderr, "hint: {hint}");
            }
            ExitCode::from(FAILED)
        }
    }
}
