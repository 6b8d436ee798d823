//! What the rules found, told below the table: one paragraph for each finding, those that only
//! differ in the place told once.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use crate::model::finding::{Finding, Level};
use crate::model::report::{Place, ScanReport};
use crate::report::text::{link, link_to_file, printable};
use crate::report::{Detail, Style};

/// Findings as far as a person asked for them, and how many are not shown.
pub(super) fn write(report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
    let shown =
        |finding: &&Finding| finding.level <= Level::Warning || style.detail == Detail::Verbose;
    let mut told: Vec<(&Finding, Vec<Place>)> = Vec::new();
    for finding in report.findings.iter().filter(shown) {
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
    if !told.is_empty() {
        writeln!(output)?;
    }
    Ok(())
}

/// How many notes there are, where they are not shown.
pub(super) fn hidden_notes(report: &ScanReport, style: Style) -> usize {
    if style.detail == Detail::Verbose {
        return 0;
    }
    report.findings.iter().filter(|finding| finding.level > Level::Warning).count()
}

fn is_same(one: &Finding, other: &Finding) -> bool {
    one.rule == other.rule
        && one.package == other.package
        && one.version == other.version
        && one.message == other.message
        && one.hints == other.hints
        && one.location == other.location
}

fn write_one(
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
