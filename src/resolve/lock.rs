//! A lockfile's graph, walked for one target: which of the locked packages are installed.
//!
//! The formats' own files turn text into a [`LockGraph`]; what it means for a target is told here,
//! the same for all of them.

mod ranges;

use std::collections::{BTreeSet, HashSet, VecDeque};

use pep508_rs::{ExtraName, MarkerEnvironment};

use self::ranges::{List, Wants};
use crate::model::lock::{Edge, LockGraph, Root, Walk};
use crate::model::requirement::Section;

/// The outcome of a walk, by index.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Packages that are installed, in the order of the file.
    pub installed: Vec<usize>,
    /// Packages that would be installed elsewhere: markers leave them out here.
    pub elsewhere: Vec<usize>,
    /// Packages that nothing leads to which is installed by default.
    pub unasked: Vec<usize>,
    /// What requires what among those that are installed, sorted.
    pub edges: BTreeSet<(usize, usize)>,
    /// What the roots ask for, sorted.
    pub asked: BTreeSet<usize>,
}

/// Finds what is installed in `environment` of the parts of the project that are `included`.
#[must_use]
pub fn select(
    graph: &LockGraph,
    environment: &MarkerEnvironment,
    included: impl Fn(&Section) -> bool,
) -> Selection {
    let roots: Vec<&Root> = graph.roots.iter().filter(|root| included(&root.section)).collect();
    let mut activated: Vec<ExtraName> = graph
        .activated
        .iter()
        .filter(|(section, _)| included(section))
        .map(|(_, name)| name.clone())
        .collect();
    if graph.walk == Walk::Roots {
        return select_roots(graph, &roots, environment, &activated);
    }
    let mut wants = Wants::new(graph);
    loop {
        let walked = walk(graph, &roots, environment, &activated, &mut wants);
        if wants.settle(graph, &walked.asked, &walked.edges) {
            continue;
        }
        let Walked { reached, extras, edges, asked } = walked;
        // An extra that is reached may itself be named by the markers of conflicting packages:
        // walk again with it, until nothing is added.
        let new: Vec<_> = extras.into_iter().filter(|extra| !activated.contains(extra)).collect();
        if new.is_empty() {
            let anywhere = reachable(graph, &roots);
            let mut selection = Selection { edges, asked, ..Selection::default() };
            for index in 0..graph.packages.len() {
                let list = if reached.contains(&index) {
                    &mut selection.installed
                } else if anywhere.contains(&index) {
                    &mut selection.elsewhere
                } else {
                    &mut selection.unasked
                };
                list.push(index);
            }
            return selection;
        }
        activated.extend(new);
    }
}

/// Each root says of its package by itself whether it is installed.
fn select_roots(
    graph: &LockGraph,
    roots: &[&Root],
    environment: &MarkerEnvironment,
    activated: &[ExtraName],
) -> Selection {
    let edges = || roots.iter().map(|root| &root.edge);
    let named: BTreeSet<usize> = edges().map(|edge| edge.target).collect();
    let applying = |edge: &&Edge| edge.marker.evaluate(environment, activated);
    let asked: BTreeSet<usize> = edges().filter(applying).map(|edge| edge.target).collect();
    let mut selection = Selection::default();
    for (index, package) in graph.packages.iter().enumerate() {
        if !asked.contains(&index) {
            let elsewhere = named.contains(&index);
            let list = if elsewhere { &mut selection.elsewhere } else { &mut selection.unasked };
            list.push(index);
            continue;
        }
        selection.installed.push(index);
        let edges = package.dependencies.iter().chain(package.extras.values().flatten());
        let here = edges.filter(|edge| {
            asked.contains(&edge.target) && edge.marker.evaluate(environment, activated)
        });
        selection.edges.extend(here.map(|edge| (index, edge.target)));
    }
    selection.asked = asked;
    selection
}

/// The nodes that a walk reaches which heeds no marker.
fn reachable(graph: &LockGraph, roots: &[&Root]) -> HashSet<usize> {
    let mut reached = HashSet::new();
    let mut seen = HashSet::new();
    let mut queue: VecDeque<&Edge> = roots.iter().map(|root| &root.edge).collect();
    while let Some(edge) = queue.pop_front() {
        let Some(package) = graph.packages.get(edge.target) else { continue };
        if reached.insert(edge.target) {
            queue.extend(&package.dependencies);
        }
        for extra in &edge.extras {
            if seen.insert((edge.target, extra)) {
                queue.extend(package.extras.get(extra).into_iter().flatten());
            }
        }
    }
    reached
}

/// One walk.
#[derive(Default)]
struct Walked {
    /// The nodes reached.
    reached: HashSet<usize>,
    /// The names that markers have for the extras and projects reached.
    extras: Vec<ExtraName>,
    edges: BTreeSet<(usize, usize)>,
    asked: BTreeSet<usize>,
}

fn walk<'g>(
    graph: &'g LockGraph,
    roots: &[&'g Root],
    environment: &MarkerEnvironment,
    activated: &[ExtraName],
    wants: &mut Wants<'g>,
) -> Walked {
    let mut walked = Walked::default();
    let mut reached_extras = HashSet::new();
    let mut queue: VecDeque<(List<'g>, &'g Edge)> =
        roots.iter().map(|root| (List::Root(&root.section), &root.edge)).collect();
    while let Some((list, edge)) = queue.pop_front() {
        let Some(package) = graph.packages.get(edge.target) else { continue };
        // An edge that asks for an extra may apply only where that extra is chosen: the asking is
        // the choice.
        let mut chosen = activated.to_vec();
        chosen.extend(
            edge.extras.iter().filter_map(|extra| package.extra_markers.get(extra)).cloned(),
        );
        if !edge.marker.evaluate(environment, &chosen) {
            continue;
        }
        if !wants.add(graph, list, edge) {
            continue;
        }
        match list.owner() {
            Some(from) => walked.edges.insert((from, edge.target)),
            None => walked.asked.insert(edge.target),
        };
        if walked.reached.insert(edge.target) {
            let list = List::Dependencies(edge.target);
            queue.extend(package.dependencies.iter().map(|edge_of| (list, edge_of)));
            walked.extras.extend(package.project_marker.clone());
        }
        for extra in &edge.extras {
            if reached_extras.insert((edge.target, extra)) {
                let edges = package.extras.get(extra).into_iter().flatten();
                let list = List::Extra(edge.target, extra);
                queue.extend(edges.map(|edge_of| (list, edge_of)));
                walked.extras.extend(package.extra_markers.get(extra).cloned());
            }
        }
    }
    walked
}
