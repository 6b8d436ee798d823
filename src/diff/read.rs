//! A report that was written as JSON, read back.

use serde::Deserialize;

use crate::input::{InputError, Source};
use crate::model::location::Location;
use crate::model::report::ScanReport;

/// The newest form of a report that is read.
const VERSION: u32 = 1;

/// What tells which form a file has.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Head {
    version: Option<u32>,
    packages: Option<serde::de::IgnoredAny>,
}

/// Reads what `ftcheck scan --format json` wrote.
///
/// # Errors
/// Where it is no such report, or one of a newer form.
pub fn read_report(source: &Source) -> Result<ScanReport, InputError> {
    let head: Head =
        serde_json::from_str(&source.text).map_err(|problem| json(source, &problem))?;
    match head.version {
        Some(version) if version > VERSION => return Err(newer(source, "report", version)),
        Some(_) if head.packages.is_some() => {}
        _ => {
            let problem = "expected the report of a scan, found other JSON";
            return Err(InputError::of_file(&source.shown, problem)
                .hint("`ftcheck scan --format json --output FILE` writes one"));
        }
    }
    let mut report: ScanReport =
        serde_json::from_str(&source.text).map_err(|problem| json(source, &problem))?;
    report.finish();
    Ok(report)
}

/// What a parser of JSON says, where it says it.
pub(super) fn json(source: &Source, problem: &serde_json::Error) -> InputError {
    let mut text = problem.to_string();
    if let Some(at) = text.rfind(" at line ") {
        text.truncate(at);
    }
    // Columns count bytes; the line is enough to find the place.
    let (line, column) = (problem.line().max(1), problem.column().max(1));
    InputError::at(Location { path: source.shown.clone(), line, column }, text)
}

/// A file that a newer ftcheck wrote.
pub(super) fn newer(source: &Source, what: &str, version: u32) -> InputError {
    let problem = format!("expected a {what} of version {VERSION}, found version {version}");
    InputError::of_file(&source.shown, problem).hint("a newer ftcheck wrote it")
}
