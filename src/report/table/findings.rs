//! What the rules found, told below the table: one paragraph for each finding, those that only
//! differ in the place told once.

mod ignored;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use crate::model::finding::{Finding, Level};
use crate::model::report::{Place, ScanReport};
use crate::report::text::{link, link_to_file, printable};
use crate::report::{Detail, Style};

/// Findings as far as a person asked for them, and how many are not shown.
pub(super) fn write(report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
    let mut told: Vec<(&Finding, Vec<Place>)> = Vec::new();
    for finding in report.findings.iter().filter(|finding| is_shown(finding, style)) {
        match told.iter_mut().find(|(other, _)| is_same(other, finding)) {
            Some((_, places)) => places.extend(finding.place),
            None => told.push((finding, finding.place.into_iter().collect())),
        }
    }
    let everywhere = report.places().count();
    for (finding, places) in &told {
        let labels = if places.len() < everywhere && everywhere > 1 {
            let labels: Vec<String> = places.iter().map(|place| report.label(*place)).collect();
            labels.join(", ")
        } else {
            String::new()
        };
        write_one(finding, &labels, style, output)?;
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

fn is_same(one: &Finding, other: &Finding) -> bool {
    one.rule == other.rule
        && one.package == other.package
        && one.version == other.version
        && one.message == other.message
        && one.hints == other.hints
        && one.location == other.location
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
    // A conflict is told on several lines.
    let message: Vec<String> = finding.message.lines().map(printable).collect();
    write!(output, " {}", message.join("\n  "))?;
    writeln!(output, "{}", if labels.is_empty() { String::new() } else { format!(" ({labels})") })?;
    if let Some(location) = &finding.location {
        writeln!(output, "  {faint}-->{faint:#} {}", link_to_file(location, style))?;
    }
    for hint in &finding.hints {
        writeln!(output, "  {}", printable(hint))?;
    }
    for address in &finding.links {
        writeln!(output, "  see {}", link(address, &printable(address), style))?;
    }
    Ok(())
}
