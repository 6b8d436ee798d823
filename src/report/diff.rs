//! What differs between two scans, for people: the packages, then what is found now and was not
//! before.

mod markdown;
mod table;

use std::collections::BTreeSet;

use super::merged::{grouped, merged};
use crate::model::diff_report::{ChangeKind, DiffReport, PackageChange, PackageState};
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
    let (found, gone) = (merged(&report.found).len(), merged(&report.gone).len());
    let what = if found == 1 { "finding" } else { "findings" };
    format!("{packages}; {found} new {what}, {gone} gone")
}

fn changes(report: &DiffReport) -> Vec<(&PackageChange, Vec<Place>)> {
    grouped(&report.packages, key, |change| Some(change.place))
}

/// What is the same where only the place differs.
fn key<'r>(
    change: &&'r PackageChange,
) -> (ChangeKind, &'r String, &'r Option<PackageState>, &'r Option<PackageState>) {
    (change.kind, &change.name, &change.old, &change.new)
}

/// What tells some places from the others of the report; empty where it is about all of them.
fn label(report: &DiffReport, places: &[Place]) -> String {
    if places.is_empty() || report.places.iter().all(|place| places.contains(place)) {
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
