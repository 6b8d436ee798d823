//! Where reports go, and how a run ends.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use ftcheck::model::report::Severity;
use ftcheck::report::{Detail, Reporter, Style};

use crate::args::OutcomeArguments;
use crate::destinations::{self, Destinations};
use crate::options::ReportOptions;
use crate::origin::Whereabouts;
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

/// Writes the report to where it is wanted. What goes to files alone is told in short beside them.
pub(crate) fn write_report<R>(
    report: &R,
    options: &ReportOptions<R>,
    first_read: Option<&Path>,
    summary: impl FnOnce(&R) -> String,
) -> Result<(), Failure> {
    let place = Whereabouts::of_process(first_read);
    let style = Style { origin: place.origin(), fail_on: &options.fail_on, ..options.style };
    let in_file = Style { color: options.color_in_files, width: None, links: false, ..style };
    let text = |reporter: &dyn Reporter<R>, style| {
        let mut text = Vec::new();
        reporter.write(report, style, &mut text).map_err(|problem| not_written(&problem))?;
        Ok(text)
    };
    // All are made before any is written.
    let Destinations { standard, files } = &options.destinations;
    let standard = standard.map(|reporter| text(reporter, style)).transpose()?;
    let texts: Vec<(&Path, Vec<u8>)> = files
        .iter()
        .map(|(reporter, file)| Ok((file.as_path(), text(*reporter, in_file)?)))
        .collect::<Result<_, Failure>>()?;
    if let Some(text) = &standard {
        print(text)?;
    }
    for (file, text) in &texts {
        destinations::write_file(file, text)?;
    }
    if !files.is_empty() && options.style.detail > Detail::Quiet {
        let names: Vec<String> = files.iter().map(|(_, file)| file.display().to_string()).collect();
        let written = format!("written to {}", names.join(", "));
        match standard {
            Some(_) => say(&written),
            None => say(&format!("{}; {written}", summary(report))),
        }
    }
    Ok(())
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
