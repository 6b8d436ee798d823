//! Two reports, compared.

use std::collections::HashSet;

use super::baseline::Baseline;
use super::packages::changes;
use super::places::{pairs, renamed};
use crate::judge::{self, FailOn};
use crate::model::diff_report::{ChangeKind, DiffReport, DiffSummary};
use crate::model::finding::{Finding, IgnoredBy};
use crate::model::report::{Place, ScanReport, Severity};

/// The form of the report.
const VERSION: u32 = 1;

/// What is compared. A side that is missing has no packages and no findings: the manifest is not
/// there.
#[derive(Debug, Clone)]
pub struct Sides<'r> {
    /// What it was.
    pub old: Option<&'r ScanReport>,
    /// What it is.
    pub new: Option<&'r ScanReport>,
    /// What the old one is called.
    pub old_name: String,
    /// What the new one is called.
    pub new_name: String,
}

/// What differs, and what that comes to.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What differs.
    pub report: DiffReport,
    /// The new report, where there is one, in which only what is new counts.
    rest: Option<ScanReport>,
}

impl Comparison {
    /// What is new comes to this. What was there before does not count, nor does what is gone.
    #[must_use]
    pub fn outcome(&self, fail_on: &FailOn) -> Severity {
        let of_new = self.rest.as_ref().map(|rest| judge::outcome(rest, fail_on));
        let of_gaps = (!self.report.gaps.is_empty()).then_some(Severity::NotKnown);
        of_new.into_iter().chain(of_gaps).min().unwrap_or(Severity::Fine)
    }
}

/// Compares two reports.
#[must_use]
pub fn compare(sides: Sides<'_>) -> Comparison {
    let mut report = DiffReport {
        version: VERSION,
        old: sides.old_name,
        new: sides.new_name,
        places: Vec::new(),
        summary: DiffSummary::default(),
        notes: Vec::new(),
        gaps: Vec::new(),
        packages: Vec::new(),
        found: Vec::new(),
        gone: Vec::new(),
    };
    let Some(any) = sides.new.or(sides.old) else { return Comparison { report, rest: None } };
    let missing = nothing_like(any);
    let (old, new) = (sides.old.unwrap_or(&missing), sides.new.unwrap_or(&missing));
    let pairs = pairs(old, new);
    report.places = pairs.iter().map(|(place, _)| *place).collect();
    for place in new.places().filter(|place| !report.places.contains(place)) {
        report.gaps.push(format!("the old report is not for {place}: nothing is compared there"));
    }
    for place in old.places().filter(|place| pairs.iter().all(|(_, other)| other != place)) {
        report.notes.push(format!("only the old report is for {place}"));
    }
    for (place, other) in pairs.iter().filter(|(place, other)| place != other) {
        report.notes.push(format!("{place} is compared with {other}"));
    }
    let to_new: Vec<(Place, Place)> = pairs.iter().map(|(place, other)| (*other, *place)).collect();
    let same: Vec<(Place, Place)> = report.places.iter().map(|place| (*place, *place)).collect();
    let old = ScanReport {
        targets: new.targets.clone(),
        platforms: new.platforms.clone(),
        ..renamed(old, &to_new)
    };
    let new = renamed(new, &same);
    let (packages, unchanged) = changes(&old, &new, &report.places);
    let rest = only_new(&old, &new);
    report.found.clone_from(&rest.findings);
    report.gone = only_new(&new, &old).findings;
    report.packages = packages;
    let count = |kind| report.packages.iter().filter(|change| change.kind == kind).count();
    report.summary = DiffSummary {
        worsened: count(ChangeKind::Worsened),
        added: count(ChangeKind::Added),
        changed: count(ChangeKind::Changed),
        fixed: count(ChangeKind::Fixed),
        removed: count(ChangeKind::Removed),
        unchanged,
        found: report.found.len(),
        gone: report.gone.len(),
    };
    Comparison { report, rest: sides.new.map(|_| rest) }
}

/// A report of the same places, in which nothing is.
fn nothing_like(report: &ScanReport) -> ScanReport {
    let places: Vec<Place> = report.places().collect();
    ScanReport::new(Place { target: report.target, platform: report.platform }, &places)
}

/// The second report, in which what the first one finds too does not count.
fn only_new(first: &ScanReport, second: &ScanReport) -> ScanReport {
    let mut rest = second.clone();
    // What the first one ignores and the second one does not is new: it counts from now on.
    Baseline::of(first).apply(&mut rest, "the old report");
    // A baseline knows no versions. What was not looked at of another release is not what was not
    // looked at before, though; of modules that stayed undetermined at least the names are the same.
    let of_old: HashSet<_> = first.findings.iter().map(release).collect();
    let is_unknown = |one: &Finding| judge::rule(&one.rule).is_some_and(|rule| rule.about_unknown);
    let (of_other, known): (Vec<_>, Vec<_>) =
        std::mem::take(&mut rest.ignored).into_iter().partition(|ignored| {
            let one = &ignored.finding;
            ignored.by == IgnoredBy::Baseline
                && one.version.is_some()
                && one.modules.is_empty()
                && is_unknown(one)
                && !of_old.contains(&release(one))
        });
    rest.ignored = known;
    rest.findings.extend(of_other.into_iter().map(|ignored| ignored.finding));
    rest.findings.sort_by_key(|finding: &Finding| finding.level);
    rest
}

/// What a finding is about, but for where it was found.
fn release(one: &Finding) -> (&str, Option<&str>, Option<&str>) {
    (&one.rule, one.package.as_deref(), one.version.as_deref())
}
