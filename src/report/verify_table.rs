//! How the engine's answers compare with an interpreter's, for people at a terminal.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as TextStyle};

use super::text::printable;
use super::{Detail, Reporter, Style};
use crate::model::verify_report::{Comparison, Verified, VerifyReport};

pub(super) struct VerifyTable;

impl Reporter<VerifyReport> for VerifyTable {
    fn name(&self) -> &'static str {
        "table"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn write(&self, report: &VerifyReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        let in_full = style.detail == Detail::Verbose;
        let mut shown: Vec<&Verified> = report
            .rows
            .iter()
            .filter(|row| in_full || row.comparison != Comparison::Agrees)
            .collect();
        shown.sort_by_key(|row| row.comparison);
        for row in &shown {
            let (color, bold) = colors(row.comparison, style);
            let word = row.comparison.as_str();
            write!(output, "{color}{word:<13}{color:#}  {bold}{}{bold:#}", printable(&row.name))?;
            if let (Some(name), Some(version)) = (&row.distribution, &row.version) {
                write!(output, "  {}", printable(&format!("{name} {version}")))?;
            }
            writeln!(output, "  {}", printable(&explanation(row)))?;
        }
        if !shown.is_empty() {
            writeln!(output)?;
        }
        writeln!(output, "{}", verify_summary(report))?;
        for gap in &report.gaps {
            writeln!(output, "not covered: {}", printable(gap))?;
        }
        for note in &report.notes {
            writeln!(output, "note: {}", printable(note))?;
        }
        Ok(())
    }
}

fn colors(comparison: Comparison, style: Style) -> (TextStyle, TextStyle) {
    if !style.color {
        return (TextStyle::new(), TextStyle::new());
    }
    let color = match comparison {
        Comparison::Differs => AnsiColor::Red,
        Comparison::NotObserved | Comparison::NotPredicted => AnsiColor::Yellow,
        Comparison::Agrees => AnsiColor::Green,
    };
    (color.on_default(), TextStyle::new().bold())
}

/// What both say, or why one does not.
fn explanation(row: &Verified) -> String {
    let said = |enables: bool| if enables { "enables the GIL" } else { "keeps the GIL off" };
    let unknown = |reason: &Option<String>| reason.clone().unwrap_or_else(|| "not told".to_owned());
    let by = |observed: bool| match &row.by {
        Some(by) if observed && *by != row.name => format!(" (by {by})"),
        _ => String::new(),
    };
    match (row.predicted, row.observed) {
        (_, None) => unknown(&row.observed_reason),
        (None, Some(observed)) => format!(
            "{}{}; the engine could not tell: {}",
            said(observed),
            by(observed),
            unknown(&row.predicted_reason)
        ),
        (Some(predicted), Some(observed)) if predicted == observed => {
            format!("{}{}", said(observed), by(observed))
        }
        (Some(predicted), Some(observed)) => format!(
            "the interpreter {}{}, the engine says that it {}",
            said(observed),
            by(observed),
            said(predicted)
        ),
    }
}

/// The one-line summary.
#[must_use]
pub fn verify_summary(report: &VerifyReport) -> String {
    let ran = &report.interpreter;
    let count = |comparison: Comparison| {
        report.summary.get(comparison.as_str()).copied().unwrap_or_default()
    };
    let total = report.rows.len();
    let word = match (report.imports, total) {
        (true, 1) => "import",
        (true, _) => "imports",
        (false, 1) => "module",
        (false, _) => "modules",
    };
    let mut line = format!(
        "{} of {total} {word} as the engine says, asked of CPython {} ({})",
        count(Comparison::Agrees),
        ran.version,
        ran.target
    );
    for (comparison, words) in [
        (Comparison::Differs, "differ"),
        (Comparison::NotObserved, "not observed"),
        (Comparison::NotPredicted, "not told by the engine"),
    ] {
        if count(comparison) > 0 {
            // Writing to a string cannot fail.
            let _ = write!(line, ", {} {words}", count(comparison));
        }
    }
    line
}
