//! Words that several reports share, and what makes foreign text fit to be shown.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use crate::model::inspect_report::InspectReport;
use crate::model::location::Location;
use crate::model::report::{Place, ScanReport, Summary, Verdict};
use crate::report::Style;

/// The summary: one line for each target and platform.
#[must_use]
pub fn summary(report: &ScanReport) -> String {
    let lines: Vec<String> = report.places().map(|place| line(report, place)).collect();
    lines.join("\n")
}

fn line(report: &ScanReport, place: Place) -> String {
    let packages = report.packages.iter().filter(|package| package.place() == place);
    let counts = Summary::of(packages);
    let packages = if counts.packages == 1 { "package" } else { "packages" };
    let line = format!("{} of {} {packages} checked for {place}", counts.checked, counts.packages);
    with_verdicts(line, &counts.verdicts)
}

/// The one-line summary of an inspection.
#[must_use]
pub fn inspect_summary(report: &InspectReport) -> String {
    let counts = &report.summary;
    let targets: BTreeSet<_> = report.files.iter().map(|file| file.target).collect();
    if targets.is_empty() {
        return "nothing was checked".to_owned();
    }
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    let modules = if counts.modules == 1 { "module" } else { "modules" };
    let line = format!(
        "{} of {} checked for {}, {} extension {modules}",
        counts.checked,
        counts.files,
        targets.join(", "),
        counts.modules
    );
    with_verdicts(line, &counts.verdicts)
}

fn with_verdicts(mut line: String, verdicts: &BTreeMap<&'static str, usize>) -> String {
    let parts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter_map(|verdict| {
            let count = verdicts.get(verdict.as_str()).copied().unwrap_or(0);
            (count > 0).then(|| format!("{count} {}", phrase(verdict, count)))
        })
        .collect();
    if !parts.is_empty() {
        line.push_str(": ");
        line.push_str(&parts.join(", "));
    }
    line
}

fn phrase(verdict: Verdict, count: usize) -> &'static str {
    let one = count == 1;
    match verdict {
        Verdict::EnablesGil if one => "enables the GIL",
        Verdict::EnablesGil => "enable the GIL",
        Verdict::NoWheel if one => "has no wheel",
        Verdict::NoWheel => "have no wheel",
        Verdict::Unchecked => "unchecked",
        Verdict::Undetermined => "undetermined",
        Verdict::KeepsGilOff if one => "keeps the GIL off",
        Verdict::KeepsGilOff => "keep the GIL off",
        Verdict::NoExtensionModules => "without extension modules",
        Verdict::PurePython => "pure Python",
    }
}

/// Text from outside, without characters that a terminal or viewer would act on.
pub fn printable(text: &str) -> String {
    let replaced = |letter: char| if acts(letter) { '\u{fffd}' } else { letter };
    text.chars().map(replaced).collect()
}

/// Text from outside that may have several lines, such as a conflict: those after the first begin
/// with `indent`.
pub(super) fn lines(text: &str, indent: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join(&format!("\n{indent}"))
}

/// Text from outside that may have several lines, in one.
pub(super) fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(printable).collect::<Vec<_>>().join(" ")
}

/// Whether a character is acted on rather than shown: controls, what changes the direction in which
/// text is read (CVE-2021-42574), what is not seen at all, and what no XML document may hold (XML 1.0,
/// `Char`).
pub(super) fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{061c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{fffe}'..='\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// `text` as a link to `address` where the terminal opens links (OSC 8), by itself elsewhere and
/// where that is no address of a page.
pub(super) fn link(address: &str, text: &str, style: Style) -> String {
    match Url::parse(address) {
        Ok(url) if style.links && matches!(url.scheme(), "http" | "https" | "file") => {
            // Parsed, so that it holds no control characters.
            format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\")
        }
        _ => text.to_owned(),
    }
}

/// A place in a file, as a link to the file where it is one on this machine.
pub(super) fn link_to_file(location: &Location, style: Style) -> String {
    let text = printable(&location.to_string());
    if !style.links {
        return text;
    }
    let path = std::path::absolute(&location.path).ok().filter(|path| path.is_file());
    let url = path.and_then(|path| Url::from_file_path(path).ok());
    url.map_or_else(|| text.clone(), |url| link(url.as_str(), &text, style))
}

/// A number of bytes for people: `5.1 MB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}
