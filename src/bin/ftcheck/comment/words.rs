//! What a comment says: a report, or what a change does to one.

use std::path::Path;

use ftcheck::diff::{Comparison, Sides, compare, read_report};
use ftcheck::input::Source;
use ftcheck::judge::{self, FailOn};
use ftcheck::model::diff_report::{ChangeKind, DiffReport, PackageChange, PackageState};
use ftcheck::model::report::{PackageReport, ScanReport, Severity};
use ftcheck::report::markdown::{self, Options};
use ftcheck::report::{DIFF_FORMATS, Detail, Origin, Style, sentence};

use crate::Failure;
use crate::args::CommentArguments;
use crate::project::input_failure;

/// What is said where there is nothing to say any more, and all of it is known.
const NOTHING: &str = "✅ **ftcheck**: nothing stands in the way any more.\n";
const NOTHING_OF_CHANGE: &str = "✅ **ftcheck**: this change puts nothing in the way any more.\n";

/// What the comment says.
#[derive(Debug)]
pub(super) struct Said {
    /// The text, without the marker.
    pub(super) text: String,
    /// Whether there is nothing to say, so that no comment is begun.
    pub(super) clean: bool,
}

impl Said {
    /// Reads the reports, and makes of them a text that is to have at most `limit` bytes.
    pub(super) fn of(arguments: &CommentArguments, limit: usize) -> Result<Self, Failure> {
        let new = read(&arguments.report)?;
        let base = arguments.base.as_deref().map(|path| Ok((path, read(path)?))).transpose()?;
        if let Some((path, base)) = base.filter(|_| !arguments.all) {
            let comparison = compare(Sides {
                old: Some(&base),
                new: Some(&new),
                old_name: path.display().to_string(),
                new_name: arguments.report.display().to_string(),
            });
            return of_change(&comparison);
        }
        Ok(of_report(&new, limit))
    }
}

fn read(path: &Path) -> Result<ScanReport, Failure> {
    let source = Source::open(path).map_err(input_failure)?;
    read_report(&source).map_err(input_failure)
}

fn of_report(report: &ScanReport, limit: usize) -> Said {
    if judge::outcome(report, &FailOn::default()) == Severity::Fine {
        return Said { text: in_order(report), clean: true };
    }
    let text = markdown::render(report, &Options { limit: Some(limit), ..Options::default() });
    Said { text, clean: false }
}

/// What is said of a report that comes to success: that may be so because of what the user accepts.
fn in_order(report: &ScanReport) -> String {
    let is_fine = |package: &PackageReport| package.verdict.severity() == Severity::Fine;
    if report.packages.iter().all(is_fine) && report.gaps.is_empty() && report.ignored.is_empty() {
        return NOTHING.to_owned();
    }
    format!("✅ **ftcheck**: {}.\n", sentence(report, &FailOn::default()))
}

fn of_change(comparison: &Comparison) -> Result<Said, Failure> {
    let report = &comparison.report;
    let outcome = comparison.outcome(&FailOn::default());
    if outcome == Severity::Fine && !is_to_be_told(report) {
        return Ok(Said { text: NOTHING_OF_CHANGE.to_owned(), clean: true });
    }
    let sign = match outcome {
        Severity::Finding => "❌",
        Severity::NotKnown => "⚠️",
        Severity::Fine => "✅",
    };
    let told = markdown_of(report)?;
    Ok(Said { text: format!("## {sign} ftcheck: what this change does\n\n{told}"), clean: false })
}

fn markdown_of(report: &DiffReport) -> Result<String, Failure> {
    let format = DIFF_FORMATS.iter().find(|format| format.name() == "markdown");
    let format = format.ok_or_else(|| Failure::new("no format is called `markdown`"))?;
    let style = Style {
        color: false,
        links: false,
        width: None,
        detail: Detail::Normal,
        subinterpreters: false,
        origin: Origin::default(),
        fail_on: FailOn::DEFAULT,
    };
    let mut bytes = Vec::new();
    format
        .write(report, style, &mut bytes)
        .map_err(|problem| Failure::new(format!("the comment cannot be made: {problem}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a change is worth a comment: a package that is in order before and after is not.
fn is_to_be_told(report: &DiffReport) -> bool {
    let is_fine = |state: Option<&PackageState>| {
        state.is_none_or(|state| state.verdict.severity() == Severity::Fine)
    };
    let counts = |change: &PackageChange| match change.kind {
        ChangeKind::Worsened | ChangeKind::Fixed => true,
        ChangeKind::Added => !is_fine(change.new.as_ref()),
        ChangeKind::Removed => !is_fine(change.old.as_ref()),
        // Another release, for which the same holds.
        ChangeKind::Changed => false,
    };
    !report.gaps.is_empty()
        || !report.found.is_empty()
        || !report.gone.is_empty()
        || report.packages.iter().any(counts)
}
