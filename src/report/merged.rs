//! Findings that only differ in the place, told once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::model::finding::{Finding, Level};
use crate::model::location::Location;
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
    type Key<'r> = (
        (&'r str, Level),
        Option<&'r str>,
        Option<&'r str>,
        &'r str,
        &'r [String],
        Option<(&'r str, usize, usize)>,
    );
    let mut merged: Vec<Merged<'_>> = Vec::new();
    let mut known: HashMap<Key<'_>, usize> = HashMap::new();
    for finding in &report.findings {
        let at = |location: &'_ Location| (location.line, location.column);
        let location = finding.location.as_ref().map(|location| {
            let (line, column) = at(location);
            (location.path.as_str(), line, column)
        });
        let key = (
            (finding.rule, finding.level),
            finding.package.as_deref(),
            finding.version.as_deref(),
            finding.message.as_str(),
            finding.hints.as_slice(),
            location,
        );
        match known.entry(key) {
            Entry::Occupied(entry) => {
                if let Some(other) = merged.get_mut(*entry.get()) {
                    other.places.extend(finding.place);
                }
            }
            Entry::Vacant(entry) => {
                entry.insert(merged.len());
                merged.push(Merged { finding, places: finding.place.into_iter().collect() });
            }
        }
    }
    merged
}
