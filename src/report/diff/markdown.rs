//! Markdown as GitHub and GitLab show it: for comments and step summaries.

use std::io::{self, Write};

use super::{arrow, changes, diff_summary, findings, label, version};
use crate::model::diff_report::{DiffReport, PackageState};
use crate::model::finding::Finding;
use crate::model::report::{Place, Severity};
use crate::report::text::markdown;
use crate::report::{Reporter, Style};

pub(in crate::report) struct DiffMarkdown;

impl Reporter<DiffReport> for DiffMarkdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["md"]
    }

    fn write(&self, report: &DiffReport, _style: Style, output: &mut dyn Write) -> io::Result<()> {
        writeln!(output, "**{}**\n", markdown(&diff_summary(report)))?;
        write_packages(report, output)?;
        let found = findings(&report.found);
        if !found.is_empty() {
            writeln!(output, "### New findings\n")?;
            for (finding, places) in &found {
                write_finding(report, finding, places, output)?;
            }
            writeln!(output)?;
        }
        write_gone(report, output)?;
        for gap in &report.gaps {
            writeln!(output, "- not covered: {}", markdown(gap))?;
        }
        for note in &report.notes {
            writeln!(output, "- {}", markdown(note))?;
        }
        if !report.gaps.is_empty() || !report.notes.is_empty() {
            writeln!(output)?;
        }
        writeln!(output, "{} → {}", markdown(&report.old), markdown(&report.new))
    }
}

fn write_packages(report: &DiffReport, output: &mut dyn Write) -> io::Result<()> {
    let changes = changes(report);
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(output, "| | package | version | verdict |")?;
    writeln!(output, "| --- | --- | --- | --- |")?;
    for (change, places) in changes {
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        let versions = arrow(old.map(version), new.map(version)).replace(" -> ", " → ");
        let (before, after) = (old.map(verdict), new.map(verdict));
        let verdicts = match (before, after) {
            (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
            (before, after) => after.or(before).unwrap_or_default(),
        };
        let label = label(report, &places);
        let label = if label.is_empty() { label } else { format!(" ({})", markdown(&label)) };
        let (kind, name) = (change.kind.as_str(), markdown(&change.name));
        writeln!(output, "| {kind} | **{name}** | {} | {verdicts}{label} |", markdown(&versions))?;
    }
    writeln!(output)
}

/// The verdict, with what shows from afar what it comes to.
fn verdict(state: &PackageState) -> String {
    let sign = match state.verdict.severity() {
        Severity::Finding => "🔴",
        Severity::NotKnown => "🟡",
        Severity::Fine => "🟢",
    };
    format!("{sign} {}", state.verdict.as_str())
}

fn write_finding(
    report: &DiffReport,
    finding: &Finding,
    places: &[Place],
    output: &mut dyn Write,
) -> io::Result<()> {
    write!(output, "- **{}** {}: ", finding.level, markdown(&finding.rule))?;
    if let Some(package) = &finding.package {
        write!(output, "{}: ", markdown(&subject(package, finding.version.as_deref())))?;
    }
    write!(output, "{}", markdown(&finding.message))?;
    let label = label(report, places);
    if !label.is_empty() {
        write!(output, " ({})", markdown(&label))?;
    }
    if let Some(location) = &finding.location {
        write!(output, " — {}", markdown(&location.to_string()))?;
    }
    writeln!(output)?;
    for hint in &finding.hints {
        writeln!(output, "  - {}", markdown(hint))?;
    }
    for link in &finding.links {
        writeln!(output, "  - {}", linked(link))?;
    }
    Ok(())
}

fn write_gone(report: &DiffReport, output: &mut dyn Write) -> io::Result<()> {
    let gone = findings(&report.gone);
    if gone.is_empty() {
        return Ok(());
    }
    writeln!(output, "<details><summary>No longer found: {}</summary>\n", gone.len())?;
    for (finding, places) in gone {
        let subject = match &finding.package {
            Some(package) => subject(package, finding.version.as_deref()),
            None => finding.message.clone(),
        };
        let label = label(report, &places);
        let label = if label.is_empty() { label } else { format!(" ({})", markdown(&label)) };
        writeln!(output, "- {}: {}{label}", markdown(&finding.rule), markdown(&subject))?;
    }
    writeln!(output, "\n</details>\n")
}

/// An address that is shown as a link where nothing in it could end the link.
fn linked(address: &str) -> String {
    let is_web = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
    let ends =
        |letter: char| letter.is_whitespace() || letter.is_control() || "<>|\\".contains(letter);
    if is_web && !address.contains(ends) { format!("<{address}>") } else { markdown(address) }
}

fn subject(package: &str, version: Option<&str>) -> String {
    version.map_or_else(|| package.to_owned(), |version| format!("{package} {version}"))
}
