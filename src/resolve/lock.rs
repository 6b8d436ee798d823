//! A lockfile's graph, walked for one target: which of the locked packages are installed.
//!
//! The formats' own files turn text into a [`LockGraph`]; what it means for a target is told here,
//! the same for all of them.

use std::collections::{BTreeMap, HashSet, VecDeque};

use pep440_rs::Version;
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerTree, PackageName};

use crate::model::distribution::DistributionFile;
use crate::model::location::Location;

/// What a lockfile holds: packages, and from where the walk starts.
#[derive(Debug, Default)]
pub struct LockGraph {
    /// Where the walk starts: the project's own dependencies and default groups.
    pub roots: Vec<Edge>,
    /// The nodes.
    pub packages: Vec<LockedPackage>,
    /// Extras that markers of the file use to say which conflicting group is chosen.
    pub activated: Vec<ExtraName>,
}

/// One node of the graph.
#[derive(Debug)]
pub struct LockedPackage {
    /// The normalized name.
    pub name: PackageName,
    /// The release; absent for a project whose version is only known by building it.
    pub version: Option<Version>,
    /// Where it comes from.
    pub source: LockedSource,
    /// Its files, with digests and sizes.
    pub files: Vec<DistributionFile>,
    /// What it depends on.
    pub dependencies: Vec<Edge>,
    /// What its extras depend on.
    pub extras: BTreeMap<ExtraName, Vec<Edge>>,
    /// Where it stands in the file.
    pub location: Location,
    /// What the file's markers call an extra of it, where they refer to one.
    pub extra_markers: BTreeMap<ExtraName, ExtraName>,
}

/// Where a locked package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedSource {
    /// An index, a folder of files, or a URL: there are files to look at.
    Files,
    /// The project itself, or a member of its workspace: its own code, not a dependency.
    Project,
    /// Something that is built first; the text says what.
    Built(String),
}

/// A dependency on another node.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The index of the node.
    pub target: usize,
    /// The extras asked of it.
    pub extras: Vec<ExtraName>,
    /// When it applies.
    pub marker: MarkerTree,
}

/// The outcome of a walk, by index.
#[derive(Debug, PartialEq, Eq)]
pub struct Selection {
    /// Packages that are installed, in the order of the file.
    pub installed: Vec<usize>,
    /// Packages that are locked and not installed.
    pub left_out: Vec<usize>,
}

/// Finds what is installed in `environment`.
#[must_use]
pub fn select(graph: &LockGraph, environment: &MarkerEnvironment) -> Selection {
    let mut activated = graph.activated.clone();
    loop {
        let (reached, extras) = walk(graph, environment, &activated);
        // An extra that is reached may itself be named by the markers of conflicting packages:
        // walk again with it, until nothing is added.
        let new: Vec<_> = extras.into_iter().filter(|extra| !activated.contains(extra)).collect();
        if new.is_empty() {
            let (installed, left_out) =
                (0..graph.packages.len()).partition(|index| reached.contains(index));
            return Selection { installed, left_out };
        }
        activated.extend(new);
    }
}

/// One walk: the nodes reached, and the names that markers have for the extras reached.
fn walk(
    graph: &LockGraph,
    environment: &MarkerEnvironment,
    activated: &[ExtraName],
) -> (HashSet<usize>, Vec<ExtraName>) {
    let mut reached = HashSet::new();
    let mut reached_extras = HashSet::new();
    let mut names = Vec::new();
    let mut queue: VecDeque<&Edge> = graph.roots.iter().collect();
    while let Some(edge) = queue.pop_front() {
        if !edge.marker.evaluate(environment, activated) {
            continue;
        }
        let Some(package) = graph.packages.get(edge.target) else { continue };
        if reached.insert(edge.target) {
            queue.extend(&package.dependencies);
        }
        for extra in &edge.extras {
            if reached_extras.insert((edge.target, extra)) {
                queue.extend(package.extras.get(extra).into_iter().flatten());
                names.extend(package.extra_markers.get(extra).cloned());
            }
        }
    }
    (reached, names)
}
