//! `ftcheck inspect`.

use std::path::Path;
use std::process::ExitCode;

use ftcheck::local::{self, LocalError, Place};
use ftcheck::report;

use crate::Failure;
use crate::args::InspectArguments;
use crate::options::InspectOptions;
use crate::output::{exit_code, write_report};

pub(crate) fn run(arguments: InspectArguments) -> Result<ExitCode, Failure> {
    let options = InspectOptions::new(arguments)?;
    let paths = options.places.iter().map(|place| match place {
        Place::Path(path) | Place::Python(path) => path.as_path() as &Path,
    });
    options.report.destinations.check(paths)?;
    let report = local::inspect(&options.places, &options.settings)
        .map_err(|problems| local_failure(&problems))?;
    write_report(&report, &options.report, None, report::inspect_summary)?;
    Ok(exit_code(report.severity()))
}

/// All that cannot be read, one line each.
pub(crate) fn local_failure(problems: &[LocalError]) -> Failure {
    let hint = problems.iter().find_map(|problem| problem.hint.clone());
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::with_hint(lines.join("\nerror: "), hint)
}
