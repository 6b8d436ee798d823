//! What the rules found, told below the table: one paragraph for each finding, those that only
//! differ in the place told once.

mod ignored;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use crate::model::finding::{Finding, Level};
use crate::model::report::ScanReport;
use crate::report::merged::merged;
use crate::report::text::{lines, link, link_to_file, printable};
use crate::report::{Detail, Style};

/// Findings as far as a person asked for them, and how many are not shown.
pub(super) fn write(report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
    let told = merged(report.findings.iter().filter(|finding| is_shown(finding, style)));
    for one in &told {
        write_one(one.finding, &one.labels(report).unwrap_or_default(), style, output)?;
    }
    let ignored = ignored::write(report, style, output)?;
    if !told.is_empty() || ignored {
        writeln!(output)?;
    }
    Ok(())
}

/// Notes on packages are many, and shown where all is asked for; what is about the scan as a whole is
/// always told.
fn is_shown(finding: &Finding, style: Style) -> bool {
    finding.level <= Level::Warning || finding.package.is_none() || style.detail == Detail::Verbose
}

/// How many notes there are, where they are not shown.
pub(super) fn hidden_notes(report: &ScanReport, style: Style) -> usize {
    report.findings.iter().filter(|finding| !is_shown(finding, style)).count()
}

/// One finding; `labels` says at which places, where that has to be said.
pub(in crate::report) fn write_one(
    finding: &Finding,
    labels: &str,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let plain = |ansi: Ansi| if style.color { ansi } else { Ansi::new() };
    let color = plain(match finding.level {
        Level::Error => AnsiColor::Red.on_default().bold(),
        Level::Warning => AnsiColor::Yellow.on_default().bold(),
        Level::Note => AnsiColor::Cyan.on_default().bold(),
    });
    let (bold, faint) = (plain(Ansi::new().bold()), plain(Ansi::new().dimmed()));
    write!(output, "{color}{}[{}]{color:#}", finding.level.as_str(), finding.rule)?;
    if let Some(package) = &finding.package {
        let version = finding.version.as_deref().map(|version| format!(" {}", printable(version)));
        let version = version.unwrap_or_default();
        write!(output, " {bold}{}{version}{bold:#}:", printable(package))?;
    }
    write!(output, " {}", lines(&finding.message, "  "))?;
    writeln!(output, "{}", if labels.is_empty() { String::new() } else { format!(" ({labels})") })?;
    if let Some(location) = &finding.location {
        writeln!(output, "  {faint}-->{faint:#} {}", link_to_file(location, style))?;
    }
    for hint in &finding.hints {
        writeln!(output, "  {}", lines(hint, "  "))?;
    }
    for address in &finding.links {
        writeln!(output, "  see {}", link(address, &printable(address), style))?;
    }
    Ok(())
}
