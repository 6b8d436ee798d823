//! What became of each package.

use std::collections::BTreeMap;

use crate::model::diff_report::{ChangeKind, PackageChange, PackageState};
use crate::model::report::{PackageReport, Place, ScanReport, Severity};

/// The packages that differ, worst first, and how many do not.
pub(super) fn changes(
    old: &ScanReport,
    new: &ScanReport,
    places: &[Place],
) -> (Vec<PackageChange>, usize) {
    let mut all: BTreeMap<(&str, usize), [Vec<&PackageReport>; 2]> = BTreeMap::new();
    for (side, report) in [old, new].into_iter().enumerate() {
        for package in &report.packages {
            let Some(at) = places.iter().position(|place| *place == package.place()) else {
                continue;
            };
            let both = all.entry((package.name.as_str(), at)).or_default();
            if let Some(packages) = both.get_mut(side) {
                packages.push(package);
            }
        }
    }
    let mut changes = Vec::new();
    let mut unchanged = 0;
    for [mut before, mut after] in all.into_values() {
        after.retain(|package| match before.iter().position(|other| is_same(other, package)) {
            Some(at) => {
                before.remove(at);
                unchanged += 1;
                false
            }
            None => true,
        });
        // A lock may hold several releases of a package: they are taken in the order of the report.
        for at in 0..before.len().max(after.len()) {
            changes.extend(change(before.get(at).copied(), after.get(at).copied()));
        }
    }
    // Stable: by name, then in the order of the places.
    changes.sort_by_key(|change| change.kind);
    (changes, unchanged)
}

fn is_same(one: &PackageReport, other: &PackageReport) -> bool {
    one.version == other.version && one.verdict == other.verdict
}

fn change(old: Option<&PackageReport>, new: Option<&PackageReport>) -> Option<PackageChange> {
    let any = new.or(old)?;
    Some(PackageChange {
        kind: kind(old, new),
        name: any.name.clone(),
        place: any.place(),
        old: old.map(PackageState::from),
        new: new.map(PackageState::from),
        location: any
            .via
            .first()
            .and_then(|step| step.location.clone())
            .or_else(|| any.required_by.clone()),
    })
}

fn kind(old: Option<&PackageReport>, new: Option<&PackageReport>) -> ChangeKind {
    let (Some(old), Some(new)) = (old, new) else {
        return if old.is_some() { ChangeKind::Removed } else { ChangeKind::Added };
    };
    let (before, after) = (old.verdict.severity(), new.verdict.severity());
    if after < before {
        ChangeKind::Worsened
    } else if after > before && after == Severity::Fine {
        ChangeKind::Fixed
    } else {
        ChangeKind::Changed
    }
}
