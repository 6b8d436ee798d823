//! What differs between two scans, for people: the packages, then what is found now and was not
//! before.

mod markdown;
mod table;

use std::collections::BTreeSet;

use crate::model::diff_report::{ChangeKind, DiffReport, PackageChange, PackageState};
use crate::model::finding::Finding;
use crate::model::report::Place;

pub(super) use markdown::DiffMarkdown;
pub(super) use table::DiffTable;

/// The summary, in a line. What is the same at several places counts once.
#[must_use]
pub fn diff_summary(report: &DiffReport) -> String {
    let changes = changes(report);
    let parts: Vec<String> = ChangeKind::ALL
        .into_iter()
        .map(|kind| (kind, changes.iter().filter(|(change, _)| change.kind == kind).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{count} {}", kind.as_str()))
        .collect();
    let packages =
        if parts.is_empty() { "no package differs".to_owned() } else { parts.join(", ") };
    let (found, gone) = (findings(&report.found).len(), findings(&report.gone).len());
    let what = if found == 1 { "finding" } else { "findings" };
    format!("{packages}; {found} new {what}, {gone} gone")
}

/// Things that are the same at several places, each once with those places.
fn grouped<T>(
    all: &[T],
    place: impl Fn(&T) -> Option<Place>,
    is_same: impl Fn(&T, &T) -> bool,
) -> Vec<(&T, Vec<Place>)> {
    let mut groups: Vec<(&T, Vec<Place>)> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|(other, _)| is_same(other, one)) {
            Some((_, places)) => places.extend(place(one)),
            None => groups.push((one, place(one).into_iter().collect())),
        }
    }
    groups
}

fn changes(report: &DiffReport) -> Vec<(&PackageChange, Vec<Place>)> {
    let is_same = |one: &PackageChange, other: &PackageChange| {
        (one.kind, &one.name, &one.old, &one.new)
            == (other.kind, &other.name, &other.old, &other.new)
    };
    grouped(&report.packages, |change| Some(change.place), is_same)
}

fn findings(all: &[Finding]) -> Vec<(&Finding, Vec<Place>)> {
    let is_same = |one: &Finding, other: &Finding| {
        (&one.rule, &one.package, &one.version, &one.message, &one.hints)
            == (&other.rule, &other.package, &other.version, &other.message, &other.hints)
    };
    grouped(all, |finding| finding.place, is_same)
}

/// What tells some places from the others of the report; empty where it is about all of them.
fn label(report: &DiffReport, places: &[Place]) -> String {
    if places.is_empty() || places.len() >= report.places.len() {
        return String::new();
    }
    let targets: BTreeSet<_> = report.places.iter().map(|place| place.target).collect();
    let platforms: BTreeSet<_> =
        report.places.iter().map(|place| place.platform.to_string()).collect();
    let one = |place: &Place| match (targets.len() > 1, platforms.len() > 1) {
        (true, true) => place.to_string(),
        (true, false) => place.target.to_string(),
        (false, _) => place.platform.to_string(),
    };
    places.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Two values of which only one may be there, or both are the same.
fn arrow(old: Option<&str>, new: Option<&str>) -> String {
    match (old, new) {
        (Some(old), Some(new)) if old != new => format!("{old} -> {new}"),
        (old, new) => new.or(old).unwrap_or_default().to_owned(),
    }
}

fn version(state: &PackageState) -> &str {
    state.version.as_deref().unwrap_or("?")
}
