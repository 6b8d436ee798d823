//! What was found and does not count, since the user said so: each with its reason, or counted where
//! it was not for a reason of its own.

use std::collections::HashSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use crate::model::finding::{Ignored, IgnoredBy};
use crate::model::report::ScanReport;
use crate::report::text::{lines, printable};
use crate::report::{Detail, Style};

/// Whether there was something to tell.
pub(super) fn write(report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<bool> {
    let mut told: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    let mut counted = [0, 0];
    for ignored in &report.ignored {
        match ignored.by {
            IgnoredBy::Rule if style.detail < Detail::Verbose => counted[0] += 1,
            IgnoredBy::Baseline if style.detail < Detail::Verbose => counted[1] += 1,
            _ => {
                // The same at several places is told once.
                let line = line(ignored, style);
                if known.insert(line.clone()) {
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
    let package = finding.package.as_ref().map_or_else(String::new, |package| {
        let version = finding.version.as_ref().map(|version| format!(" {version}"));
        let name = printable(&format!("{package}{}", version.unwrap_or_default()));
        format!(" {bold}{name}:{bold:#}")
    });
    let until = ignored.expires.map(|expires| format!(", until {expires}")).unwrap_or_default();
    let stands = ignored.location.as_ref().map(|location| format!(" ({location})"));
    let stands = printable(&stands.unwrap_or_default());
    let message = if style.detail == Detail::Verbose {
        format!("\n  {}", lines(&finding.message, "  "))
    } else {
        String::new()
    };
    let (rule, reason) = (printable(&finding.rule), lines(&ignored.reason, "  "));
    format!("{faint}ignored[{rule}]{faint:#}{package} {reason}{until}{stands}{message}")
}
