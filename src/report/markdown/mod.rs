//! The report as Markdown: for step summaries and comments, where space is limited and nothing
//! foreign may act. How foreign text is made harmless is in `escape`, what does not fit is left out in
//! `budget`.

mod budget;
pub(super) mod escape;

use std::collections::HashSet;
use std::io::{self, Write};

use self::budget::Budget;
use self::escape::{code, prose};
use super::foreign::{shortened, web_address};
use super::merged::{Merged, labels, merged};
use super::outcome::{MEANING, outcome, words};
use super::text::summary;
use super::{Detail, Reporter, Style};
use crate::judge::FailOn;
use crate::model::finding::Level;
use crate::model::location::Location;
use crate::model::report::{PackageReport, Place, ScanReport, Severity, Summary, Verdict};

/// Bytes that GitHub takes as the summary of one step of a workflow, 1 MiB.
pub const SUMMARY_LIMIT: usize = 1024 * 1024;
/// Characters that GitHub takes as a comment. Bytes are never fewer than characters, so as a
/// [`Options::limit`] it is kept.
pub const COMMENT_LIMIT: usize = 65_536;

/// Characters of one message, reason or hint: what is longer belongs into another format.
const LONGEST_TEXT: usize = 1_000;
/// Columns of totals; with more places there is one line for each place instead.
const PLACES_SIDE_BY_SIDE: usize = 6;

/// How a report is written as Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes that the text may have. What does not fit is left out, and that is said.
    pub limit: Option<usize>,
    /// Whether to tell what to do about findings and to list every package, both folded.
    pub details: bool,
    /// What the run fails on.
    pub fail_on: FailOn,
}

impl Default for Options {
    fn default() -> Self {
        Self { limit: None, details: true, fail_on: FailOn::default() }
    }
}

pub(super) struct Markdown;

impl Reporter<ScanReport> for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["md"]
    }

    fn write(&self, report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        let details = style.detail > Detail::Quiet;
        let fail_on = style.fail_on.clone();
        let options = Options { limit: Some(SUMMARY_LIMIT), details, fail_on };
        output.write_all(render(report, &options).as_bytes())
    }
}

/// The report as Markdown, within the limit: what matters most comes first, and what is cut is
/// counted.
#[must_use]
pub fn render(report: &ScanReport, options: &Options) -> String {
    let mut text = Budget::new(options.limit);
    let merged = merged(&report.findings);
    text.part(&heading(report, &options.fail_on), "the outcome");
    text.part(&totals(report), "the totals");
    unknown(report, &mut text);
    findings(report, &merged, &mut text);
    notes(report, &mut text);
    if options.details {
        advice(&merged, &mut text);
        ignored(report, &mut text);
        packages(report, &mut text);
        skipped(report, &mut text);
    }
    text.part(&format!("\n<sub>{MEANING}</sub>\n"), "what the words mean");
    text.finish()
}

fn heading(report: &ScanReport, fail_on: &FailOn) -> String {
    let outcome = outcome(report, fail_on);
    let sign = match outcome.severity {
        Severity::Finding => "❌",
        Severity::NotKnown => "⚠️",
        Severity::Fine => "✅",
    };
    format!("## {sign} ftcheck: {}\n", outcome.sentence)
}

fn totals(report: &ScanReport) -> String {
    let places: Vec<Place> = report.places().collect();
    let counts: Vec<Summary> = places
        .iter()
        .map(|place| {
            Summary::of(report.packages.iter().filter(|package| package.place() == *place))
        })
        .collect();
    if places.len() > PLACES_SIDE_BY_SIDE {
        let lines: Vec<String> =
            summary(report).lines().map(|line| format!("- {}\n", prose(line))).collect();
        return format!("\n{}", lines.concat());
    }
    let names: Vec<String> = places.iter().map(|place| code(&place.to_string())).collect();
    let mut text = format!("\n{}| --- |", row_of("", &names));
    text.push_str(&" ---: |".repeat(places.len()));
    text.push('\n');
    for verdict in Verdict::ALL {
        let numbers: Vec<usize> = counts
            .iter()
            .map(|counts| counts.verdicts.get(verdict.as_str()).copied().unwrap_or(0))
            .collect();
        if numbers.iter().any(|number| *number > 0) {
            text.push_str(&row_of(words(verdict), &numbers));
        }
    }
    let checked: Vec<String> =
        counts.iter().map(|counts| format!("{} of {}", counts.checked, counts.packages)).collect();
    text.push_str(&row_of("**checked**", &checked));
    text
}

fn row_of(label: &str, cells: &[impl ToString]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| format!(" {} |", cell.to_string())).collect();
    let label = if label.is_empty() { "| |".to_owned() } else { format!("| {label} |") };
    format!("{label}{}\n", cells.concat())
}

/// What is not known stands by itself, and before all that was found.
fn unknown(report: &ScanReport, text: &mut Budget) {
    let mut lines: Vec<String> =
        report.gaps.iter().map(|gap| format!("- Not covered: {}\n", told(gap))).collect();
    let unknown = merged_packages(report);
    let unknown = unknown.iter().filter(|row| row.package.verdict.severity() == Severity::NotKnown);
    for row in unknown {
        let reason = reason(row.package).unwrap_or_else(|| "the reason is not known".to_owned());
        let places = row.labels.as_ref().map(|labels| format!(" ({})", code(labels)));
        lines.push(format!(
            "- {}: {}{}: {}\n",
            release(row.package),
            words(row.package.verdict),
            places.unwrap_or_default(),
            told(&reason)
        ));
    }
    text.list("\n### Not known\n\n", &lines, "", "of what is not known");
}

fn findings(report: &ScanReport, merged: &[Merged<'_>], text: &mut Budget) {
    let lines: Vec<String> = merged
        .iter()
        .map(|one| {
            let finding = one.finding;
            let level = match finding.level {
                Level::Error => "**error**",
                level @ (Level::Warning | Level::Note) => level.as_str(),
            };
            let package = finding.package.as_deref().map(|name| {
                let version = finding.version.as_deref();
                name_and_version(name, version)
            });
            let labels = one.labels(report).map(|labels| format!(" ({})", code(&labels)));
            let links: String = finding.links.iter().filter_map(|link| issue(link)).collect();
            format!(
                "| {level} {} | {} | {}{}{links} | {} |\n",
                code(&finding.rule),
                package.unwrap_or_default(),
                told(&finding.message),
                labels.unwrap_or_default(),
                finding.location.as_ref().map(place_in_file).unwrap_or_default(),
            )
        })
        .collect();
    let head = "\n### Findings\n\n| rule | package | what was found | where |\n| --- | --- | --- | --- |\n";
    text.list(head, &lines, "", "of the findings");
}

fn notes(report: &ScanReport, text: &mut Budget) {
    let lines: Vec<String> =
        report.notes.iter().map(|note| format!("- {}\n", told(note))).collect();
    text.list("\n### Notes\n\n", &lines, "", "of the notes");
}

/// What to do about each finding.
fn advice(merged: &[Merged<'_>], text: &mut Budget) {
    let lines: Vec<String> = merged
        .iter()
        .filter(|one| !one.finding.hints.is_empty())
        .map(|one| {
            let finding = one.finding;
            let package = finding.package.as_deref();
            let package = package
                .map(|name| format!(" {}", name_and_version(name, finding.version.as_deref())));
            let hints: Vec<String> =
                finding.hints.iter().map(|hint| format!("  - {}\n", told(hint))).collect();
            let package = package.unwrap_or_default();
            format!("- {}{package}\n{}", code(&finding.rule), hints.concat())
        })
        .collect();
    let head = "\n<details>\n<summary>How the findings come about</summary>\n\n";
    text.list(head, &lines, "\n</details>\n", "of how the findings come about");
}

/// What was found and does not count, with who said so.
fn ignored(report: &ScanReport, text: &mut Budget) {
    let mut lines: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    for one in &report.ignored {
        let package = one.finding.package.as_deref().map(|name| {
            let version = one.finding.version.as_deref();
            format!(" {}", name_and_version(name, version))
        });
        let until = one.expires.map(|day| format!(", until {day}")).unwrap_or_default();
        let rule = code(&one.finding.rule);
        let line =
            format!("- {rule}{}: {}{until}\n", package.unwrap_or_default(), told(&one.reason));
        if known.insert(line.clone()) {
            lines.push(line);
        }
    }
    let head = "\n<details>\n<summary>What was found and does not count</summary>\n\n";
    text.list(head, &lines, "\n</details>\n", "of what does not count");
}

fn packages(report: &ScanReport, text: &mut Budget) {
    let rows = merged_packages(report);
    let several = report.places().count() > 1;
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let places = row.labels.as_ref().map_or_else(|| "all".to_owned(), |text| code(text));
            let places = if several { format!(" {places} |") } else { String::new() };
            format!(
                "| {} | {} |{places} {} |\n",
                words(row.package.verdict),
                release(row.package),
                reason(row.package).map(|reason| told(&reason)).unwrap_or_default(),
            )
        })
        .collect();
    let (name, line) = if several { (" for |", " --- |") } else { ("", "") };
    let counted = if rows.len() == 1 { "The package" } else { "All packages" };
    let head = format!(
        "\n<details>\n<summary>{counted} ({})</summary>\n\n| verdict | package |{name} why |\n| --- | --- |{line} --- |\n",
        rows.len()
    );
    text.list(&head, &lines, "\n</details>\n", "of the packages");
}

fn skipped(report: &ScanReport, text: &mut Budget) {
    let lines: Vec<String> = report
        .skipped
        .iter()
        .map(|one| {
            let name = name_and_version(&one.name, one.version.as_deref());
            format!("- {name}: {}\n", told(&one.reason))
        })
        .collect();
    let head = "\n<details>\n<summary>Requirements that do not apply</summary>\n\n";
    text.list(head, &lines, "\n</details>\n", "of the requirements that do not apply");
}

/// A package with what is the same at several places.
struct Row<'r> {
    package: &'r PackageReport,
    labels: Option<String>,
}

/// Packages worst first; those that come to the same at several places once.
fn merged_packages(report: &ScanReport) -> Vec<Row<'_>> {
    let mut rows: Vec<(&PackageReport, Vec<Place>)> = Vec::new();
    let mut packages: Vec<&PackageReport> = report.packages.iter().collect();
    let key = |package: &PackageReport| {
        (package.verdict, package.name.clone(), package.version.clone(), reason(package))
    };
    packages.sort_by_cached_key(|package| key(package));
    for package in packages {
        match rows.last_mut() {
            Some((other, places)) if key(other) == key(package) => places.push(package.place()),
            _ => rows.push((package, vec![package.place()])),
        }
    }
    rows.into_iter()
        .map(|(package, places)| Row { package, labels: labels(&places, report) })
        .collect()
}

/// Why a package is judged as it is.
fn reason(package: &PackageReport) -> Option<String> {
    if package.reason.is_some() {
        return package.reason.clone();
    }
    let modules = super::table::explanation(package, Detail::Normal);
    (!modules.is_empty()).then_some(modules)
}

fn release(package: &PackageReport) -> String {
    name_and_version(&package.name, package.version.as_deref())
}

pub(super) fn name_and_version(name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{} {}", code(name), code(version)),
        None => code(name),
    }
}

fn place_in_file(location: &Location) -> String {
    code(&format!("{}:{}", location.path, location.line))
}

/// A sentence of the report, cut where it is beyond measure. Several lines become one.
pub(super) fn told(text: &str) -> String {
    prose(&shortened(text, LONGEST_TEXT))
}

/// A link to an issue. GitHub writes below an issue that it was mentioned in a comment; links by way
/// of `redirect.github.com`, a host that GitHub keeps for tools like this, leave it alone.
pub(super) fn issue(link: &str) -> Option<String> {
    let mut url = web_address(link)?;
    if url.host_str() == Some("github.com") {
        url.set_host(Some("redirect.github.com")).ok()?;
    }
    let mut address = String::new();
    for letter in url.as_str().chars() {
        match letter {
            '|' => address.push_str("%7C"),
            '\\' => address.push_str("%5C"),
            '`' => address.push_str("%60"),
            '<' => address.push_str("%3C"),
            '>' => address.push_str("%3E"),
            '&' => address.push_str("%26"),
            '(' => address.push_str("%28"),
            ')' => address.push_str("%29"),
            _ => address.push(letter),
        }
    }
    Some(format!(" ([issue](<{address}>))"))
}
