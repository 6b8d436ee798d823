//! What is known from before: read, put to use, and written anew.

use std::path::{Path, PathBuf};

use ftcheck::diff::baseline::{Baseline, Entry};
use ftcheck::input::Source;
use ftcheck::judge::{self, FailOn};
use ftcheck::model::finding::Finding;
use ftcheck::model::report::{ScanReport, Severity};

use crate::Failure;
use crate::args::BaselineArguments;
use crate::destinations::{check_file, whole, write_file};
use crate::output::say;
use crate::project::input_failure;

/// Entries named before the rest is counted.
const NAMED: usize = 5;

/// What is known, and where what is found now goes.
#[derive(Default)]
pub(crate) struct Baselines {
    known: Option<(Baseline, String)>,
    write: Option<PathBuf>,
}

impl Baselines {
    pub(crate) fn new<'p>(
        arguments: &BaselineArguments,
        inputs: impl IntoIterator<Item = &'p Path>,
        reports: impl IntoIterator<Item = &'p Path>,
    ) -> Result<Self, Failure> {
        let mut known = None;
        if let Some(file) = &arguments.baseline {
            if !file.exists() {
                let shown = file.display();
                return Err(Failure::with_hint(
                    format!("{shown}: expected a baseline, found no such file"),
                    Some(format!("`--write-baseline {shown}` makes one")),
                ));
            }
            let source = Source::open(file).map_err(input_failure)?;
            known = Some((Baseline::read(&source).map_err(input_failure)?, source.shown));
        }
        if let Some(file) = &arguments.write_baseline {
            check_file(file, inputs)?;
            if reports.into_iter().any(|report| whole(report) == whole(file)) {
                let problem =
                    format!("{}: expected another file than that of the report", file.display());
                return Err(Failure::new(problem));
            }
        }
        Ok(Self { known, write: arguments.write_baseline.clone() })
    }

    /// Takes out what is known, writes what is found, and tells how the run ends.
    pub(crate) fn conclude(
        &self,
        report: &mut ScanReport,
        fail_on: &FailOn,
    ) -> Result<Severity, Failure> {
        let found = Baseline::of(report);
        let is_unknown = |finding: &&Finding| judge::severity_of(finding) == Severity::NotKnown;
        let unknown = report.findings.iter().filter(is_unknown).count();
        if let Some((known, shown)) = &self.known {
            let gone = known.apply(report, shown);
            report.notes.extend(shrinks(&gone, shown));
        }
        let Some(file) = &self.write else { return Ok(judge::outcome(report, fail_on)) };
        let text = found.to_text().map_err(|problem| Failure::new(problem.to_string()))?;
        write_file(file, text.as_bytes())?;
        let (count, shown) = (found.len(), file.display());
        let entries = if count == 1 { "entry" } else { "entries" };
        let unknown = match unknown {
            0 => String::new(),
            count => format!(", {count} of what could not be checked"),
        };
        let compared = self.known.is_some().then(|| judge::outcome(report, fail_on));
        let use_it = format!("`--baseline {shown}` fails on what is new");
        say(&format!("{shown}: {count} {entries} written{unknown}; {use_it}"));
        // What is new beside the former one still counts in this run.
        if let Some(compared) = compared {
            return Ok(compared);
        }
        // From now on it is all known.
        let mut rest = report.clone();
        found.apply(&mut rest, &shown.to_string());
        Ok(judge::outcome(&rest, fail_on))
    }
}

/// What is in the baseline and no longer found.
fn shrinks(gone: &[Entry], shown: &str) -> Option<String> {
    let named: Vec<String> = gone.iter().take(NAMED).map(describe).collect();
    let rest = gone.len().saturating_sub(NAMED);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!gone.is_empty()).then(|| {
        format!(
            "the baseline {shown} can be shrunk with --write-baseline, since it is no longer found: {}{rest}",
            named.join(", ")
        )
    })
}

fn describe(entry: &Entry) -> String {
    let subject = entry.package.as_ref().or(entry.path.as_ref()).or(entry.message.as_ref());
    let modules: Vec<&str> = entry.modules.iter().take(2).map(String::as_str).collect();
    let modules =
        if modules.is_empty() { String::new() } else { format!(": {}", modules.join(" ")) };
    match subject {
        Some(subject) => format!("{subject} ({}{modules})", entry.rule),
        None => entry.rule.clone(),
    }
}
