//! What was found and does not count, since the user said so: each with its reason, or counted where
//! it was not for a reason of its own.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use crate::model::finding::{Ignored, IgnoredBy};
use crate::model::report::ScanReport;
use crate::report::text::printable;
use crate::report::{Detail, Style};

/// Whether there was something to tell.
pub(super) fn write(report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<bool> {
    let mut told: Vec<String> = Vec::new();
    let mut counted = [0, 0];
    for ignored in &report.ignored {
        match ignored.by {
            IgnoredBy::Rule if style.detail < Detail::Verbose => counted[0] += 1,
            IgnoredBy::Baseline if style.detail < Detail::Verbose => counted[1] += 1,
            _ => {
                // The same at several places is told once.
                let line = line(ignored, style);
                if !told.contains(&line) {
                    told.push(line);
                }
            }
        }
    }
    for (count, what) in counted.into_iter().zip(["of rules that are off", "in the baseline"]) {
        if count > 0 {
            let findings = if count == 1 { "finding" } else { "findings" };
            told.push(format!("{count} {findings} {what}: -v shows them"));
        }
    }
    for line in &told {
        writeln!(output, "{line}")?;
    }
    Ok(!told.is_empty())
}

fn line(ignored: &Ignored, style: Style) -> String {
    let plain = |ansi: Ansi| if style.color { ansi } else { Ansi::new() };
    let (faint, bold) = (plain(AnsiColor::BrightBlack.on_default()), plain(Ansi::new().bold()));
    let finding = &ignored.finding;
    let mut line = format!("{faint}ignored[{}]{faint:#}", printable(&finding.rule));
    if let Some(package) = &finding.package {
        let version = finding.version.as_deref().map(|version| format!(" {version}"));
        let name = printable(&format!("{package}{}", version.unwrap_or_default()));
        line.push_str(&format!(" {bold}{name}:{bold:#}"));
    }
    line.push(' ');
    line.push_str(&printable(&ignored.reason));
    if let Some(expires) = ignored.expires {
        line.push_str(&format!(", until {expires}"));
    }
    if let Some(location) = &ignored.location {
        line.push_str(&printable(&format!(" ({location})")));
    }
    if style.detail == Detail::Verbose {
        line.push_str(&format!("\n  {}", printable(&finding.message)));
    }
    line
}
