//! What a lockfile holds, whatever its format: packages that are chosen already, and what depends
//! on what.
//!
//! Which of them are installed for a target is told in [`crate::resolve::lock`].

use std::collections::BTreeMap;

use pep440_rs::Version;
use pep508_rs::{ExtraName, MarkerTree, PackageName};

use crate::model::digest::Sha256;
use crate::model::distribution::DistributionFile;
use crate::model::evidence::ModuleReport;
use crate::model::location::Location;
use crate::model::report::{Place, Verdict};
use crate::model::requirement::Section;

/// What a lockfile holds: packages, and from where the walk starts.
#[derive(Debug, Default)]
pub struct LockGraph {
    /// Where the walk starts: the project's own dependencies, its extras and groups.
    pub roots: Vec<Root>,
    /// The nodes.
    pub packages: Vec<LockedPackage>,
    /// Extras that markers of the file use to say which part of the project is chosen: what counts
    /// as chosen with each part.
    pub activated: Vec<(Section, ExtraName)>,
    /// What decides which packages are installed.
    pub walk: Walk,
    /// Where the user's own files beside the lockfile name packages. Where they name none, what
    /// nothing else depends on counts as named.
    pub named: BTreeMap<PackageName, Location>,
}

/// What decides which packages of a lockfile are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Walk {
    /// Whatever the roots lead to.
    #[default]
    Edges,
    /// Whatever the roots lead to, where edges stand for ranges: edges of one list with the same
    /// name, extras and marker are the releases that one requirement allows, and of each name the
    /// newest is installed that all requirements allow which apply (poetry's and pdm's own walk
    /// through a lock that does not say of each package when it is installed).
    Ranges,
    /// The roots alone: the file says of each package by itself whether it is installed, and what
    /// depends on what only tells why.
    Roots,
}

/// Where a walk starts.
#[derive(Debug, Clone)]
pub struct Root {
    /// The part of the project that asks for it.
    pub section: Section,
    /// What is asked for.
    pub edge: Edge,
}

/// One node of the graph.
#[derive(Debug)]
pub struct LockedPackage {
    /// The normalized name.
    pub name: PackageName,
    /// The release; absent for a project whose version is only known by building it, and where the
    /// file leaves the release of a package on an index open.
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
    /// An index, a folder of files, or a URL: the lockfile lists the files.
    Files,
    /// An index, of which the lockfile lists no addresses: the files of the release are asked for,
    /// and only those with one of the digests count.
    Index {
        /// The index it was locked from, by name, where the file tells.
        index: Option<String>,
        /// The digests of its files; none where the lockfile states none.
        hashes: Vec<Sha256>,
    },
    /// An environment, in which it was built for the target.
    Installed(Box<Installed>),
    /// The project itself, or a member of its workspace: its own code, not a dependency.
    Project,
    /// Something that is built first; the text says what.
    Built(String),
}

/// What the files of an installed distribution do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The interpreter and platform that they were judged for, and for no other.
    pub place: Place,
    /// Where a build for another place would come from.
    pub elsewhere: LockedSource,
    /// What they do to the GIL.
    pub verdict: Verdict,
    /// Why, where the modules do not say.
    pub reason: Option<String>,
    /// Its extension modules, sorted by name.
    pub modules: Vec<ModuleReport>,
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
