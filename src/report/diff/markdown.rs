//! Markdown as GitHub and GitLab show it: for comments and step summaries.

use std::io::{self, Write};

use super::{arrow, changes, diff_summary, label, version};
use crate::model::diff_report::{DiffReport, PackageState};
use crate::model::report::Severity;
use crate::report::markdown::escape::{code, prose};
use crate::report::markdown::{issue, name_and_version, told};
use crate::report::merged::{Merged, merged};
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
        writeln!(output, "**{}**\n", prose(&diff_summary(report)))?;
        write_packages(report, output)?;
        let found = merged(&report.found);
        if !found.is_empty() {
            writeln!(output, "### New findings\n")?;
            for one in &found {
                write_finding(report, one, output)?;
            }
            writeln!(output)?;
        }
        write_gone(report, output)?;
        for gap in &report.gaps {
            writeln!(output, "- not covered: {}", prose(gap))?;
        }
        for note in &report.notes {
            writeln!(output, "- {}", prose(note))?;
        }
        if !report.gaps.is_empty() || !report.notes.is_empty() {
            writeln!(output)?;
        }
        writeln!(output, "{} → {}", code(&report.old), code(&report.new))
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
        let versions = arrow(old.map(version), new.map(version));
        let (before, after) = (old.map(verdict), new.map(verdict));
        let verdicts = match (before, after) {
            (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
            (before, after) => after.or(before).unwrap_or_default(),
        };
        let label = label(report, &places);
        let label = if label.is_empty() { label } else { format!(" ({})", code(&label)) };
        let (kind, name) = (change.kind.as_str(), code(&change.name));
        writeln!(output, "| {kind} | {name} | {} | {verdicts}{label} |", prose(&versions))?;
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

fn write_finding(report: &DiffReport, one: &Merged<'_>, output: &mut dyn Write) -> io::Result<()> {
    let finding = one.finding;
    write!(output, "- **{}** {}: ", finding.level, code(&finding.rule))?;
    if let Some(package) = &finding.package {
        write!(output, "{}: ", name_and_version(package, finding.version.as_deref()))?;
    }
    write!(output, "{}", told(&finding.message))?;
    let label = label(report, &one.places);
    if !label.is_empty() {
        write!(output, " ({})", code(&label))?;
    }
    if let Some(location) = &finding.location {
        write!(output, " — {}", code(&location.to_string()))?;
    }
    let links: String = finding.links.iter().filter_map(|link| issue(link)).collect();
    writeln!(output, "{links}")?;
    for hint in &finding.hints {
        writeln!(output, "  - {}", told(hint))?;
    }
    Ok(())
}

fn write_gone(report: &DiffReport, output: &mut dyn Write) -> io::Result<()> {
    let gone = merged(&report.gone);
    if gone.is_empty() {
        return Ok(());
    }
    writeln!(output, "<details><summary>No longer found: {}</summary>\n", gone.len())?;
    for Merged { finding, places } in gone {
        let subject = match &finding.package {
            Some(package) => name_and_version(package, finding.version.as_deref()),
            None => told(&finding.message),
        };
        let label = label(report, &places);
        let label = if label.is_empty() { label } else { format!(" ({})", code(&label)) };
        writeln!(output, "- {}: {subject}{label}", code(&finding.rule))?;
    }
    writeln!(output, "\n</details>\n")
}
