//! Where reports go, and how a run ends.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use ftcheck::model::report::Severity;
use ftcheck::report::Detail;

use crate::args::OutcomeArguments;
use crate::options::ReportOptions;
use crate::{FOUND, Failure, NOT_KNOWN};

pub(crate) fn exit_code(severity: Severity) -> ExitCode {
    match severity {
        Severity::Finding => ExitCode::from(FOUND),
        Severity::NotKnown => ExitCode::from(NOT_KNOWN),
        Severity::Fine => ExitCode::SUCCESS,
    }
}

/// How a run ends of which the user may have said that it never fails.
pub(crate) fn ends_with(severity: Severity, arguments: &OutcomeArguments) -> ExitCode {
    if arguments.exit_zero { ExitCode::SUCCESS } else { exit_code(severity) }
}

/// Tells early what would only fail after the whole run, and spares the files that are looked at.
pub(crate) fn check_output<'a>(
    file: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let shown = file.display();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if file.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Failure::new(format!("{shown}: cannot be written: no such folder")));
    }
    let Ok(output) = std::fs::canonicalize(file) else { return Ok(()) };
    for input in inputs {
        if std::fs::canonicalize(input).is_ok_and(|input| output == input) {
            return Err(Failure::new(format!(
                "{shown}: expected another file than the scanned one"
            )));
        }
    }
    Ok(())
}

/// Writes the report to where it is wanted. What goes to a file is told in short beside it.
pub(crate) fn write_report<R>(
    report: &R,
    options: &ReportOptions<R>,
    summary: impl FnOnce(&R) -> String,
) -> Result<(), Failure> {
    let mut text = Vec::new();
    options
        .reporter
        .write(report, options.style, &mut text)
        .map_err(|problem| not_written(&problem))?;
    let Some(file) = &options.output else { return print(&text) };
    write_file(file, &text)?;
    if options.style.detail > Detail::Quiet {
        say(&format!("{}; written to {}", summary(report), file.display()));
    }
    Ok(())
}

pub(crate) fn write_file(file: &Path, text: &[u8]) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|problem| {
        Failure::new(format!("{}: cannot be written: {problem}", file.display()))
    })
}

pub(crate) fn print(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        // Whoever reads has read enough.
        Err(problem) if problem.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.map_err(|problem| not_written(&problem)),
    }
}

fn not_written(problem: &io::Error) -> Failure {
    Failure::new(format!("the report cannot be written: {problem}"))
}

pub(crate) fn say(line: &str) {
    // A note that cannot be shown changes nothing about the outcome.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
