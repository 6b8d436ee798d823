//! Of several locked releases of one name, the one that is installed, where a lock leaves that to
//! ranges ([`Walk::Ranges`]).
//!
//! A release gives way only where that follows: what asks for another is installed in any case. Where
//! it does not follow, all of them are taken.

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::{ExtraName, MarkerTree, PackageName};

use crate::model::lock::{Edge, LockGraph, Walk};
use crate::model::requirement::Section;

/// Walks in all; a lock that needs more of them was made to.
const MOST_ROUNDS: usize = 64;

/// A list of edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List<'g> {
    /// What a part of the project asks for.
    Root(&'g Section),
    /// What a package depends on.
    Dependencies(usize),
    /// What an extra of a package depends on.
    Extra(usize, &'g ExtraName),
}

impl List<'_> {
    /// The package it is of.
    pub(super) fn owner(self) -> Option<usize> {
        match self {
            Self::Root(_) => None,
            Self::Dependencies(package) | Self::Extra(package, _) => Some(package),
        }
    }
}

/// A requirement: edges that have this in common are the releases it allows.
type Want<'g> = (List<'g>, &'g [ExtraName], MarkerTree);

/// What was asked for on a walk of names that are locked more than once.
#[derive(Debug, Default)]
pub(super) struct Wants<'g> {
    /// Packages whose name is locked more than once.
    several: BTreeSet<usize>,
    /// Those that have given way to another release.
    passed_over: BTreeSet<usize>,
    wanted: BTreeMap<&'g PackageName, BTreeMap<Want<'g>, BTreeSet<usize>>>,
    rounds: usize,
}

impl<'g> Wants<'g> {
    pub(super) fn new(graph: &'g LockGraph) -> Self {
        let mut wants = Self::default();
        if graph.walk == Walk::Ranges {
            let mut by_name: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
            for (index, package) in graph.packages.iter().enumerate() {
                by_name.entry(&package.name).or_default().push(index);
            }
            wants.several = by_name.into_values().filter(|all| all.len() > 1).flatten().collect();
        }
        wants
    }

    /// Takes note of an edge that applies; whether it is to be followed.
    pub(super) fn add(&mut self, graph: &'g LockGraph, list: List<'g>, edge: &'g Edge) -> bool {
        if self.passed_over.contains(&edge.target) {
            return false;
        }
        if self.several.contains(&edge.target)
            && let Some(package) = graph.packages.get(edge.target)
        {
            let want = (list, edge.extras.as_slice(), edge.marker.clone());
            let of_name = self.wanted.entry(&package.name).or_default();
            of_name.entry(want).or_default().insert(edge.target);
        }
        true
    }

    /// Has releases give way; whether some have, so that the walk is to be made again.
    pub(super) fn settle(
        &mut self,
        graph: &LockGraph,
        asked: &BTreeSet<usize>,
        edges: &BTreeSet<(usize, usize)>,
    ) -> bool {
        let wanted = std::mem::take(&mut self.wanted);
        let open: BTreeMap<&PackageName, BTreeSet<usize>> = wanted
            .iter()
            .map(|(name, wants)| (*name, wants.values().flatten().copied().collect()))
            .filter(|(_, reached): &(_, BTreeSet<usize>)| reached.len() > 1)
            .collect();
        self.rounds += 1;
        if open.is_empty() || self.rounds > MOST_ROUNDS {
            return false;
        }
        let undecided: BTreeSet<usize> = open.values().flatten().copied().collect();
        let certain = certain(asked, edges, &undecided);
        let before = self.passed_over.len();
        for (name, reached) in &open {
            let wants = wanted.get(name).into_iter().flatten();
            let mut allowed = reached.clone();
            let mut doubtful = Vec::new();
            for ((list, ..), targets) in wants {
                if list.owner().is_none_or(|owner| certain.contains(&owner)) {
                    allowed.retain(|target| targets.contains(target));
                } else {
                    doubtful.push(targets);
                }
            }
            let Some(newest) = newest(graph, &allowed) else { continue };
            // Whether or not these are installed in the end, they allow it.
            if doubtful.iter().all(|targets| targets.contains(&newest)) {
                self.passed_over.extend(reached.iter().filter(|target| **target != newest));
            }
        }
        self.passed_over.len() > before
    }
}

/// Packages that are installed whichever of the undecided ones are.
fn certain(
    asked: &BTreeSet<usize>,
    edges: &BTreeSet<(usize, usize)>,
    undecided: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let mut certain = BTreeSet::new();
    let mut queue: Vec<usize> = asked.iter().copied().collect();
    while let Some(package) = queue.pop() {
        if undecided.contains(&package) || !certain.insert(package) {
            continue;
        }
        queue.extend(edges.range((package, 0)..=(package, usize::MAX)).map(|(_, to)| *to));
    }
    certain
}

/// The one that is newer than the others, pre-releases last; `None` where two are of one version.
fn newest(graph: &LockGraph, packages: &BTreeSet<usize>) -> Option<usize> {
    let key = |index: &usize| {
        let version = graph.packages.get(*index)?.version.as_ref()?;
        Some((!version.any_prerelease(), version))
    };
    let newest = packages.iter().copied().max_by_key(|index| key(index))?;
    let is_tied = |other: &usize| *other != newest && key(other) == key(&newest);
    (!packages.iter().any(is_tied)).then_some(newest)
}
