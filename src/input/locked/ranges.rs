//! Edges of a lock that states ranges, to the releases that are locked: what poetry and pdm do where
//! the lock does not say of each package when it is installed ([`Walk::Ranges`]).
//!
//! [`Walk::Ranges`]: crate::model::lock::Walk::Ranges

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::super::requirement::Ask;
use super::super::{Gap, InputError};
use super::{MOST_VERSIONS, by_name};
use crate::model::location::Location;
use crate::model::lock::{Edge, LockGraph, LockedPackage, LockedSource, Root, Walk};
use crate::model::requirement::{Requirement, Section, Wanted};

/// What is required of one name.
#[derive(Debug, Clone)]
pub(crate) struct Required {
    pub(crate) name: PackageName,
    pub(crate) extras: Vec<ExtraName>,
    pub(crate) marker: MarkerTree,
}

/// A list of edges while it is made: two requirements that apply where the same marker does are one,
/// which allows what both do.
#[derive(Debug, Default)]
pub(crate) struct EdgeList(BTreeMap<(PackageName, Vec<ExtraName>, MarkerTree), BTreeSet<usize>>);

impl EdgeList {
    fn add(&mut self, required: Required, targets: BTreeSet<usize>) {
        let Required { name, extras, marker } = required;
        let known = self.0.entry((name, extras, marker)).or_insert_with(|| targets.clone());
        let both: BTreeSet<usize> = known.intersection(&targets).copied().collect();
        if both.is_empty() {
            known.extend(targets);
        } else {
            *known = both;
        }
    }

    /// The edges.
    pub(crate) fn edges(self) -> impl Iterator<Item = Edge> {
        self.0.into_iter().flat_map(|((_, extras, marker), targets)| {
            let edge =
                move |target| Edge { target, extras: extras.clone(), marker: marker.clone() };
            targets.into_iter().map(edge)
        })
    }
}

/// The releases of a lock, by name.
pub(crate) struct Releases<'g> {
    graph: &'g mut LockGraph,
    by_name: BTreeMap<PackageName, Vec<usize>>,
    /// Names that are not locked and need not be.
    pub(crate) left_out: BTreeSet<PackageName>,
    /// Names that are locked more than once, and required by a range that is not followed.
    pub(crate) undecided: BTreeSet<PackageName>,
    /// Names of [`Self::left_out`] that something requires.
    pub(crate) not_locked: BTreeSet<PackageName>,
}

impl<'g> Releases<'g> {
    /// Those of a graph whose packages are known.
    ///
    /// # Errors
    /// Where a name is locked too often.
    pub(crate) fn new(graph: &'g mut LockGraph) -> Result<Self, InputError> {
        graph.walk = Walk::Ranges;
        let by_name = by_name(graph);
        let first_of_many = by_name.values().find(|all| all.len() > MOST_VERSIONS);
        if let Some(package) = first_of_many.and_then(|all| graph.packages.get(*all.first()?)) {
            let problem = format!(
                "expected at most {MOST_VERSIONS} releases of `{}`, found more",
                package.name
            );
            return Err(InputError::at(package.location.clone(), problem));
        }
        let [left_out, undecided, not_locked] = [const { BTreeSet::new() }; 3];
        Ok(Self { graph, by_name, left_out, undecided, not_locked })
    }

    /// Adds the edges of what is required, to what is locked of it and allowed.
    ///
    /// Where nothing locked is allowed, all that is locked under the name counts: the tool may read
    /// the range otherwise, or the requirement never apply. What is not locked at all becomes a
    /// package without files, so that a scan is not complete where the walk comes to it.
    pub(crate) fn require(
        &mut self,
        list: &mut EdgeList,
        required: Required,
        location: &Location,
        allows: impl Fn(&LockedPackage) -> bool,
    ) {
        let name = &required.name;
        if !self.by_name.contains_key(name) {
            if self.left_out.contains(name) {
                self.not_locked.insert(name.clone());
                return;
            }
            self.by_name.insert(name.clone(), vec![self.graph.packages.len()]);
            self.graph.packages.push(missing(name, location));
        }
        let locked = self.by_name.get(name).into_iter().flatten().copied();
        let all: BTreeSet<usize> = locked.collect();
        let is_allowed = |index: &usize| self.graph.packages.get(*index).is_some_and(&allows);
        let allowed: BTreeSet<usize> = all.iter().copied().filter(is_allowed).collect();
        list.add(required, if allowed.is_empty() { all } else { allowed });
    }

    /// Adds a package without files, for what is locked without the extras that are asked of it.
    pub(crate) fn lack(
        &mut self,
        list: &mut EdgeList,
        mut required: Required,
        location: &Location,
    ) {
        let target = self.graph.packages.len();
        self.graph.packages.push(missing(&required.name, location));
        // It is no other release of what is locked under the name.
        required.extras.extend(ExtraName::from_str("not-locked"));
        list.add(required, BTreeSet::from([target]));
    }

    /// Adds what the project itself asks for.
    /// `adapt` changes a requirement to what the format has of it, and says whether the lock lacks it.
    pub(crate) fn require_asks(
        &mut self,
        asks: Vec<Ask>,
        adapt: impl Fn(Required) -> (Required, bool),
    ) {
        let mut lists: BTreeMap<Section, EdgeList> = BTreeMap::new();
        for ask in asks {
            match ask {
                Ask::Distribution(requirement) => {
                    let Requirement { name, extras, marker, index, section, location, .. } =
                        requirement;
                    let is_open = matches!(requirement.wanted, Wanted::Unchecked(_));
                    if is_open && self.by_name.get(&name).is_some_and(|all| all.len() > 1) {
                        self.undecided.insert(name.clone());
                    }
                    let list = lists.entry(section).or_default();
                    let (required, lacks) = adapt(Required { name, extras, marker });
                    if lacks {
                        self.lack(list, required.clone(), &location);
                    }
                    self.require(list, required, &location, |package| {
                        is_wanted(&requirement.wanted, package)
                            && is_from(index.as_deref(), package)
                    });
                }
                Ask::Project(ask) => {
                    let Some(name) = ask.name else { continue };
                    let list = lists.entry(ask.section).or_default();
                    let required = Required { name, extras: ask.extras, marker: ask.marker };
                    let (required, lacks) = adapt(required);
                    if lacks {
                        self.lack(list, required.clone(), &ask.location);
                    }
                    self.require(list, required, &ask.location, is_direct);
                }
            }
        }
        for (section, list) in lists {
            let edges = list.edges().map(|edge| Root { section: section.clone(), edge });
            self.graph.roots.extend(edges);
        }
    }

    /// Gives a package what it depends on, and what its extras depend on.
    pub(crate) fn set(
        &mut self,
        package: usize,
        dependencies: EdgeList,
        extras: BTreeMap<ExtraName, EdgeList>,
    ) {
        if let Some(package) = self.graph.packages.get_mut(package) {
            package.dependencies = dependencies.edges().collect();
            let extras = extras.into_iter();
            package.extras = extras.map(|(extra, list)| (extra, list.edges().collect())).collect();
        }
    }
}

impl Releases<'_> {
    /// What cannot be told.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        let told = |name: &PackageName| {
            Gap::Always(format!(
                "`{name}` is locked more than once, and required by what is no single range of \
                 versions: which of them is installed is not known"
            ))
        };
        self.undecided.iter().map(told).collect()
    }
}

/// Something that is not locked.
pub(crate) fn missing(name: &PackageName, location: &Location) -> LockedPackage {
    LockedPackage {
        name: name.clone(),
        version: None,
        source: LockedSource::Files,
        files: Vec::new(),
        dependencies: Vec::new(),
        extras: BTreeMap::new(),
        location: location.clone(),
        extra_markers: BTreeMap::new(),
        project_marker: None,
    }
}

fn is_wanted(wanted: &Wanted, package: &LockedPackage) -> bool {
    match wanted {
        Wanted::Release(range) => {
            package.version.as_ref().is_some_and(|version| range.contains(version))
        }
        Wanted::Url(_) | Wanted::File(_) => is_direct(package),
        Wanted::Unchecked(_) => true,
    }
}

/// Whether it comes from somewhere else than an index.
fn is_direct(package: &LockedPackage) -> bool {
    !matches!(package.source, LockedSource::Index { .. })
}

fn is_from(wanted: Option<&str>, package: &LockedPackage) -> bool {
    match (&package.source, wanted) {
        (LockedSource::Index { index, .. }, Some(wanted)) => index.as_deref() == Some(wanted),
        _ => true,
    }
}
