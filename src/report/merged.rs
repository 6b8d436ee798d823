//! What only differs in the place, told once.

use std::collections::BTreeMap;

use crate::model::finding::Finding;
use crate::model::report::{Place, ScanReport};

/// A finding, and the places where it holds; none where it is not of a place.
pub(super) struct Merged<'r> {
    pub(super) finding: &'r Finding,
    /// Each once, in the order in which they were found.
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
    if places.is_empty() || report.places().all(|place| places.contains(&place)) {
        return None;
    }
    let labels: Vec<String> = places.iter().map(|place| report.label(*place)).collect();
    Some(labels.join(", "))
}

/// Findings in their order, those that only differ in the place once.
pub(super) fn merged<'r>(findings: impl IntoIterator<Item = &'r Finding>) -> Vec<Merged<'r>> {
    let key = |finding: &&'r Finding| {
        (
            (&finding.rule, finding.level, &finding.package, &finding.version),
            (&finding.message, &finding.hints, &finding.links, &finding.location),
        )
    };
    grouped(findings, key, |finding| finding.place)
        .into_iter()
        .map(|(finding, places)| Merged { finding, places })
        .collect()
}

/// What has the same key, once: the first of it, with the places of all.
pub(super) fn grouped<T, K: Ord>(
    all: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
    place: impl Fn(&T) -> Option<Place>,
) -> Vec<(T, Vec<Place>)> {
    let mut groups: Vec<(T, Vec<Place>)> = Vec::new();
    let mut known: BTreeMap<K, usize> = BTreeMap::new();
    for one in all {
        let at = *known.entry(key(&one)).or_insert(groups.len());
        let place = place(&one);
        if groups.len() == at {
            groups.push((one, Vec::new()));
        }
        if let (Some((_, places)), Some(place)) = (groups.get_mut(at), place)
            && !places.contains(&place)
        {
            places.push(place);
        }
    }
    groups
}
