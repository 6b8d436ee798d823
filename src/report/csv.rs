//! A table for spreadsheets: one row for each package at each place, then one for each finding that is
//! about no package, at last those of them that do not count.

use std::io::{self, Write};

use super::text::one_line;
use super::told::{ByPackage, chain};
use super::{Reporter, Style};
use crate::judge;
use crate::model::finding::{Finding, Ignored};
use crate::model::location::Location;
use crate::model::report::{PackageReport, ScanReport, Severity, Verdict};

const HEADER: [&str; 12] = [
    "package", "version", "target", "platform", "verdict", "level", "rules", "reason", "chain",
    "file", "line", "ignored",
];

pub(super) struct Csv;

impl Reporter<ScanReport> for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["csv"]
    }

    fn write(&self, report: &ScanReport, _style: Style, output: &mut dyn Write) -> io::Result<()> {
        let found = ByPackage::new(report);
        let mut table = csv::Writer::from_writer(output);
        table.write_record(HEADER)?;
        for package in &report.packages {
            let cells = of_package(package, found.of(package), found.ignored(package));
            table.write_record(cells.map(|text| cell(&text)))?;
        }
        for finding in report.findings.iter().filter(|finding| finding.package.is_none()) {
            table.write_record(of_finding(finding).map(|text| cell(&text)))?;
        }
        for ignored in report.ignored.iter().filter(|ignored| ignored.finding.package.is_none()) {
            table.write_record(of_ignored(&ignored.finding).map(|text| cell(&text)))?;
        }
        table.flush()
    }
}

fn of_package(package: &PackageReport, found: &[&Finding], ignored: &[&Ignored]) -> [String; 12] {
    let mut rules: Vec<&str> = found.iter().map(|finding| &*finding.rule).collect();
    rules.dedup();
    let mut reasons: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    // A message may hold the package's own reason.
    let own = package.reason.as_deref();
    reasons.extend(own.filter(|own| !reasons.iter().any(|reason| reason.contains(own))));
    let mut ignored: Vec<&str> = ignored.iter().map(|ignored| &*ignored.finding.rule).collect();
    ignored.dedup();
    let first = found.first();
    let location = first.and_then(|finding| finding.location.as_ref());
    let (file, line) = place(location.or(package.required_by.as_ref()));
    [
        package.name.clone(),
        package.version.clone().unwrap_or_default(),
        package.target.to_string(),
        package.platform.to_string(),
        package.verdict.as_str().to_owned(),
        first.map(|finding| finding.level.as_str().to_owned()).unwrap_or_default(),
        rules.join(" "),
        reasons.join("; "),
        chain(package),
        file,
        line,
        ignored.join(" "),
    ]
}

fn of_finding(finding: &Finding) -> [String; 12] {
    let unknown = judge::usual_severity(&finding.rule) == Severity::NotKnown;
    let verdict = if unknown { Verdict::Unchecked.as_str() } else { "" };
    let (file, line) = place(finding.location.as_ref());
    [
        String::new(),
        String::new(),
        finding.place.map(|place| place.target.to_string()).unwrap_or_default(),
        finding.place.map(|place| place.platform.to_string()).unwrap_or_default(),
        verdict.to_owned(),
        finding.level.as_str().to_owned(),
        finding.rule.to_string(),
        finding.message.clone(),
        String::new(),
        file,
        line,
        String::new(),
    ]
}

/// What was found and does not count: its rule stands where those of a package's ignored findings do.
fn of_ignored(finding: &Finding) -> [String; 12] {
    let [.., target, platform, _, _, rule, message, chain, file, line, _] = of_finding(finding);
    let none = String::new;
    [none(), none(), target, platform, none(), none(), none(), message, chain, file, line, rule]
}

fn place(location: Option<&Location>) -> (String, String) {
    let Some(location) = location else { return (String::new(), String::new()) };
    (location.path.clone(), location.line.to_string())
}

/// A cell that no spreadsheet takes for a formula: an apostrophe before what begins like one (OWASP,
/// CSV injection). Quotes do not help, since they are gone before the cell is read.
fn cell(text: &str) -> String {
    let shown = one_line(text);
    let begins_formula = |letter| {
        matches!(letter, '=' | '+' | '-' | '@' | '\t' | '\r')
        // What some spreadsheets take for the same.
        || matches!(letter, '＝' | '＋' | '－' | '＠' | '\'' | '|' | '%' | '\u{fffd}')
    };
    if text.starts_with(begins_formula) || shown.starts_with(begins_formula) {
        format!("'{shown}")
    } else {
        shown
    }
}
