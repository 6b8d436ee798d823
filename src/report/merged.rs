//! Findings that only differ in the place, told once.

use std::collections::BTreeMap;

use crate::model::finding::Finding;
use crate::model::report::{Place, ScanReport};

/// A finding, and the places where it holds; none where it is not of a place.
pub(super) struct Merged<'r> {
    pub(super) finding: &'r Finding,
    pub(super) places: Vec<Place>,
}

impl Merged<'_> {
    /// The places by their labels, where it does not hold for all of them.
    pub(super) fn labels(&self, report: &ScanReport) -> Option<String> {
        labels(&self.places, report)
    }
}

/// Places by their labels, where they are not all that there are, or none at all.
pub(super) fn labels(places: &[Place], report: &ScanReport) -> Option<String> {
    if places.is_empty() || places.len() >= report.places().count() {
        return None;
    }
    let labels: Vec<String> = places.iter().map(|place| report.label(*place)).collect();
    Some(labels.join(", "))
}

/// All findings of a report, in its order.
pub(super) fn merged(report: &ScanReport) -> Vec<Merged<'_>> {
    let mut merged: Vec<Merged<'_>> = Vec::new();
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for finding in &report.findings {
        let key = (
            (&finding.rule, finding.level, &finding.package, &finding.version),
            (&finding.message, &finding.hints, &finding.links, &finding.location),
        );
        let at = *known.entry(key).or_insert(merged.len());
        match merged.get_mut(at) {
            Some(other) => other.places.extend(finding.place),
            None => merged.push(Merged { finding, places: finding.place.into_iter().collect() }),
        }
    }
    merged
}
