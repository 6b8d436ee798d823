//! The outcome of a scan in one sentence, for headings.

use std::collections::BTreeMap;

use crate::judge::{self, FailOn};
use crate::model::report::{ScanReport, Severity, Verdict};

/// What "keeps the GIL off" means, and what not; every page that shows the words says it.
pub(super) const MEANING: &str = "\"Keeps the GIL off\" is what every extension module of a \
    package declares, read from the modules themselves. It is a declaration, not a proof that the \
    code is thread-safe.";

/// How a scan ended.
pub(super) struct Outcome {
    /// The end that decides the exit code.
    pub(super) severity: Severity,
    /// The sentence, without a full stop.
    pub(super) sentence: String,
}

/// A verdict in words, as it stands beside a package.
pub(super) fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::EnablesGil => "enables the GIL",
        Verdict::NoWheel => "no wheel",
        Verdict::Unchecked => "not checked",
        Verdict::Undetermined => "undetermined",
        Verdict::KeepsGilOff => "keeps the GIL off",
        Verdict::NoExtensionModules => "no extension modules",
        Verdict::PurePython => "pure Python",
    }
}

/// What a report comes to, in a sentence without a full stop, where the run fails on this.
#[must_use]
pub fn sentence(report: &ScanReport, fail_on: &FailOn) -> String {
    outcome(report, fail_on).sentence
}

/// What a report comes to. What is not known is part of the sentence, whatever else was found.
pub(super) fn outcome(report: &ScanReport, fail_on: &FailOn) -> Outcome {
    let severity = judge::outcome(report, fail_on);
    // A release counts once, by the worst it does anywhere.
    let mut worst: BTreeMap<(&str, Option<&str>), Verdict> = BTreeMap::new();
    for package in &report.packages {
        let verdict =
            worst.entry((&package.name, package.version.as_deref())).or_insert(package.verdict);
        *verdict = package.verdict.min(*verdict);
    }
    let count = |wanted: Verdict| worst.values().filter(|verdict| **verdict == wanted).count();
    let mut facts: Vec<String> = Vec::new();
    let mut add = |number: usize, one: &str, several: &str| {
        let packages =
            if facts.is_empty() { if number == 1 { " package" } else { " packages" } } else { "" };
        if number > 0 {
            let rest = if number == 1 { one } else { several };
            facts.push(format!("{number}{packages} {rest}"));
        }
    };
    add(count(Verdict::EnablesGil), "enables the GIL", "enable the GIL");
    add(count(Verdict::NoWheel), "has no wheel", "have no wheel");
    add(count(Verdict::Unchecked), "was not checked", "were not checked");
    add(count(Verdict::Undetermined), "is undetermined", "are undetermined");
    match report.gaps.len() {
        0 => {}
        1 => facts.push("1 gap in what the scan covers".to_owned()),
        gaps => facts.push(format!("{gaps} gaps in what the scan covers")),
    }
    let sentence = match (facts.is_empty(), severity) {
        (_, _) if report.packages.is_empty() => match report.gaps.len() {
            0 => "no package was checked".to_owned(),
            _ => format!("no package was checked, {}", facts.join(", ")),
        },
        (true, Severity::Fine) => match worst.len() {
            1 => "the one package was checked, and was not found to enable the GIL".to_owned(),
            all => format!("all {all} packages were checked, none was found to enable the GIL"),
        },
        (true, Severity::NotKnown) => "something could not be told".to_owned(),
        (true, Severity::Finding) => match failing(report, fail_on) {
            1 => "1 finding".to_owned(),
            several => format!("{several} findings"),
        },
        // Rules that were turned down, or findings that were accepted.
        (false, Severity::Fine) => format!("{}; nothing that fails the scan", facts.join(", ")),
        (false, _) => facts.join(", "),
    };
    Outcome { severity, sentence }
}

fn failing(report: &ScanReport, fail_on: &FailOn) -> usize {
    let findings = report.findings.iter();
    findings.filter(|finding| judge::outcome_of(finding, fail_on) == Severity::Finding).count()
}
