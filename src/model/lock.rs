//! What a lockfile holds, whatever its format: packages that are chosen already, and what depends
//! on what.
//!
//! Which of them are installed for a target is told in [`crate::resolve::lock`].

use std::collections::BTreeMap;

use pep440_rs::Version;
use pep508_rs::{ExtraName, MarkerTree, PackageName};

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
    /// What the file's markers call the package itself, where it is one of several projects that
    /// exclude each other.
    pub project_marker: Option<ExtraName>,
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
