//! Annotations of GitHub Actions: workflow commands on the standard output, which the runner shows at
//! the lines of a pull request.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>

use std::io::{self, Write};

use super::text::{printable, summary};
use super::told::{Told, told};
use super::{Reporter, Style};
use crate::model::finding::Level;
use crate::model::report::ScanReport;

/// The runner keeps this many of each kind in a step, and drops the others without a word.
const MOST: usize = 10;

pub(super) struct GitHub;

impl Reporter<ScanReport> for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn write(&self, report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        let found = told(report, &style.origin);
        for level in [Level::Error, Level::Warning, Level::Note] {
            let of_level: Vec<&Told> =
                found.iter().filter(|told| told.finding.level == level).collect();
            // The last of those that are shown says how many are not.
            let shown = if of_level.len() > MOST { MOST - 1 } else { of_level.len() };
            for told in of_level.iter().take(shown) {
                write_one(told, output)?;
            }
            if let Some(first) = of_level.get(shown) {
                let more = of_level.len() - shown;
                let path = property(&first.anchor.path);
                let kind = command(level);
                let text = "GitHub shows ten of a kind: the other formats of ftcheck hold all";
                writeln!(output, "::{kind} file={path},title=ftcheck::{more} more: {text}")?;
            }
        }
        writeln!(output, "{}", summary(report))
    }
}

fn write_one(told: &Told, output: &mut dyn Write) -> io::Result<()> {
    let title = match told.subject() {
        Some(subject) => format!("{}: {subject}", told.finding.rule),
        None => told.finding.rule.to_string(),
    };
    let lines: Vec<String> = std::iter::once(told.sentence()).chain(told.details()).collect();
    writeln!(
        output,
        "::{} file={},line={},col={},title={}::{}",
        command(told.finding.level),
        property(&told.anchor.path),
        told.anchor.line,
        told.anchor.column,
        property(&title),
        data(&lines.join("\n")),
    )
}

fn command(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    }
}

/// The text of a command (`escapeData` of the runner's toolkit).
fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| printable(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// The value of a property (`escapeProperty` of the runner's toolkit).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
