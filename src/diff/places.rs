//! Which target and platform of one report is which of another.
//!
//! Two machines differ in the version of their system: what was looked at for `manylinux_2_36` is to
//! be compared with `manylinux_2_39` where neither report has the other's own.

use crate::model::report::{PackageReport, Place, ScanReport};

/// For each place of the new report the one of the old that it is compared with.
pub(super) fn pairs(old: &ScanReport, new: &ScanReport) -> Vec<(Place, Place)> {
    let is_exact = |place: &Place| {
        old.places().any(|other| other == *place) && new.places().any(|other| other == *place)
    };
    let alike = |report: &ScanReport, place: Place| -> Vec<Place> {
        report
            .places()
            .filter(|other| !is_exact(other) && other.target == place.target)
            .filter(|other| other.platform.family() == place.platform.family())
            .collect()
    };
    new.places()
        .filter_map(|place| {
            if is_exact(&place) {
                return Some((place, place));
            }
            match (alike(old, place).as_slice(), alike(new, place).as_slice()) {
                ([other], [_]) => Some((place, *other)),
                _ => None,
            }
        })
        .collect()
}

/// The report as far as it is about some places, each under another's name.
pub(super) fn renamed(report: &ScanReport, names: &[(Place, Place)]) -> ScanReport {
    let of = |place: Place| names.iter().find(|(from, _)| *from == place).map(|(_, to)| *to);
    let package = |package: &PackageReport| {
        let Place { target, platform } = of(package.place())?;
        Some(PackageReport { target, platform, ..package.clone() })
    };
    let mut renamed = ScanReport {
        packages: report.packages.iter().filter_map(package).collect(),
        findings: Vec::new(),
        ignored: Vec::new(),
        ..report.clone()
    };
    for finding in &report.findings {
        let place = finding.place.map(of);
        if place != Some(None) {
            let mut finding = finding.clone();
            finding.place = place.flatten();
            renamed.findings.push(finding);
        }
    }
    for ignored in &report.ignored {
        let place = ignored.finding.place.map(of);
        if place != Some(None) {
            let mut ignored = ignored.clone();
            ignored.finding.place = place.flatten();
            renamed.ignored.push(ignored);
        }
    }
    renamed
}
