//! What the tracker says, for people at a terminal: a table of many rows, or all facts of a few.

use std::io::{self, Write};

use super::table::write_trimmed;
use super::text::printable;
use super::{Detail, Reporter, Style};
use crate::model::tracker::{TrackerEntry, TrackerReport};

/// Between the names of facts and the facts.
const LABEL_WIDTH: usize = 27;

pub(super) struct TrackerTable;

impl Reporter<TrackerReport> for TrackerTable {
    fn name(&self) -> &'static str {
        "table"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn write(
        &self,
        report: &TrackerReport,
        style: Style,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        if style.detail == Detail::Verbose {
            for entry in &report.entries {
                write_facts(entry, style, output)?;
                writeln!(output)?;
            }
        } else if !report.entries.is_empty() {
            write_trimmed(&draw(&report.entries, style), output)?;
            writeln!(output)?;
        }
        for unknown in &report.unknown {
            write!(output, "{}: not in the tracker", printable(&unknown.name))?;
            if !unknown.near.is_empty() {
                write!(output, "; there is {}", printable(&unknown.near.join(", ")))?;
            }
            writeln!(output)?;
        }
        writeln!(output, "as of {}: {}", report.date, printable(&report.origin.to_string()))
    }
}

fn draw(entries: &[TrackerEntry], style: Style) -> String {
    let mut table = super::table::plain_table(style);
    table.set_header(["project", "distributions", "first version", "tested", "released", ""]);
    for entry in entries {
        table.add_row([
            printable(&entry.project),
            first_package(entry),
            entry.first_version.clone().unwrap_or_default(),
            if entry.tested { "yes" } else { "" }.to_owned(),
            if entry.released { "yes" } else { "" }.to_owned(),
            short(entry),
        ]);
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.to_string()
}

/// What must not be overlooked in a table.
fn short(entry: &TrackerEntry) -> String {
    let mut parts = Vec::new();
    parts.extend(entry.fully_from.map(|target| format!("in full from {target}")));
    if entry.tool {
        parts.push("a tool".to_owned());
    }
    if entry.name_unchecked {
        parts.push("name not checked".to_owned());
    }
    parts.join(", ")
}

/// One of the distributions, and how many more there are.
fn first_package(entry: &TrackerEntry) -> String {
    match entry.packages.as_slice() {
        [] => String::new(),
        [only] => printable(only),
        [first, others @ ..] => format!("{} and {} more", printable(first), others.len()),
    }
}

fn packages(entry: &TrackerEntry) -> String {
    printable(&entry.packages.join(", "))
}

fn write_facts(entry: &TrackerEntry, style: Style, output: &mut dyn Write) -> io::Result<()> {
    let bold = if style.color { anstyle::Style::new().bold() } else { anstyle::Style::new() };
    writeln!(output, "{bold}{}{bold:#}", printable(&entry.project))?;
    let tested = if entry.tested { "yes" } else { "not told" };
    let released = match (&entry.released_elsewhere, entry.released) {
        (Some(place), _) => format!("not on PyPI, but on {place}"),
        // The page marks some that are released in their own way.
        (None, true) if entry.packages.is_empty() => "yes".to_owned(),
        (None, true) => "on PyPI".to_owned(),
        (None, false) => "not told".to_owned(),
    };
    let distributions = match (entry.packages.is_empty(), entry.name_unchecked) {
        (true, _) => "none on PyPI".to_owned(),
        (_, true) => format!("{} (name not checked)", packages(entry)),
        _ => packages(entry),
    };
    let nightly = match (entry.nightly.is_empty(), &entry.nightly_page) {
        (true, None) => None,
        (true, Some(page)) => Some(page.clone()),
        (false, None) => Some(entry.nightly.join(", ")),
        (false, Some(page)) => Some(format!("{}: {page}", entry.nightly.join(", "))),
    };
    let listed = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
    let tool = "a tool: the version is that from which it can be used for others";
    let mut facts = vec![
        ("distributions", Some(distributions)),
        ("kind", entry.tool.then(|| tool.to_owned())),
        (
            "first version with support",
            Some(entry.first_version.clone().unwrap_or_else(|| "none told".to_owned())),
        ),
        ("in full from", entry.fully_from.map(|target| target.to_string())),
        ("issue", entry.issue.clone()),
        ("tested upstream in CI", Some(tested.to_owned())),
        ("released with support", Some(released)),
        ("nightly wheels", nightly),
        ("waits for", listed(&entry.blocked_by)),
        ("the same is done by", listed(&entry.alternatives)),
    ];
    facts.extend(entry.notes.iter().map(|note| ("note", Some(note.clone()))));
    for (label, fact) in facts {
        if let Some(fact) = fact {
            writeln!(output, "  {label:<LABEL_WIDTH$}  {}", printable(&fact))?;
        }
    }
    Ok(())
}
