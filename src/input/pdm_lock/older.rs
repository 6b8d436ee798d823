//! Locks without `inherit_metadata`: a package does not say when it is installed.
//!
//! It follows from a walk, from what pyproject.toml beside the lock asks for over what each package
//! depends on, as pdm's resolver makes it with nothing but the packages of the lock.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep508_rs::{ExtraName, MarkerTree, PackageName, VersionOrUrl};

use super::super::InputError;
use super::super::locked::ranges::{EdgeList, Releases, Required, missing};
use super::super::project::Project;
use super::super::pyproject::{self, Tool};
use super::super::requirement::Ask;
use super::schema::Lock;
use super::{DEFAULT, Reader};
use crate::model::lock::{Edge, Root, Walk};
use crate::model::pep508;
use crate::model::requirement::{GroupName, Section, Sections};

/// Adds packages, and what leads to them.
pub(super) fn read(
    reader: &mut Reader<'_>,
    lock: &Lock,
    project: Option<&Project>,
    notes: &mut Vec<String>,
) -> Result<(), InputError> {
    let mut entry_nodes = Vec::new();
    for spanned in &lock.packages {
        entry_nodes.push(reader.node(lock, spanned)?);
    }
    let Some(project) = project else {
        notes.push(
            "there is no pyproject.toml beside the lock, which alone tells what is installed of it: \
             every package was taken, whatever its markers and groups"
                .to_owned(),
        );
        reader.graph.walk = Walk::Roots;
        let edges = entry_nodes.into_iter().map(|target| Edge {
            target,
            extras: Vec::new(),
            marker: MarkerTree::TRUE,
        });
        reader.graph.roots.extend(edges.map(|edge| Root { section: Section::Any, edge }));
        return reader.add_edges(lock, None);
    };
    let (asks, sections) = pyproject::asks_of_locked(project, Tool::Pdm)?;
    let asks = of_the_lock(asks, lock, &sections, reader);
    let several = asked_together(lock);
    let own = project.name.clone();
    let location_of = |index: usize| {
        let start = lock.packages.get(index).map_or(0, |spanned| spanned.span().start);
        reader.source.location(start)
    };
    let mut releases = Releases::new(&mut reader.graph)?;
    releases.left_out = excluded(project)?;
    releases.left_out.extend(own);
    let entries = Entries::of(lock);
    let adapt = |required: Required| {
        let lacks = entries.lack(&required.name, &required.extras);
        let extras = joint(required.extras, &several);
        (Required { extras, ..required }, lacks)
    };
    releases.require_asks(asks, adapt);
    let mut lists: BTreeMap<usize, (EdgeList, BTreeMap<ExtraName, EdgeList>)> = BTreeMap::new();
    for (index, (spanned, node)) in lock.packages.iter().zip(&entry_nodes).enumerate() {
        let package = spanned.get_ref();
        let location = location_of(index);
        let (base, extras) = lists.entry(*node).or_default();
        let list = match joint(package.extras.clone(), &several).first() {
            None => base,
            Some(extra) => extras.entry(extra.clone()).or_default(),
        };
        for text in &package.dependencies {
            let requirement = pep508::requirement(text).map_err(|problem| {
                let problem = format!("malformed dependency `{text}`: {}", problem.problem);
                InputError::at(location.clone(), problem)
            })?;
            let (required, lacks) = adapt(Required {
                name: requirement.name.clone(),
                extras: requirement.extras.clone(),
                marker: requirement.marker.clone(),
            });
            if lacks {
                releases.lack(list, required.clone(), &location);
            }
            releases.require(list, required, &location, |locked| {
                match (&requirement.version_or_url, &locked.version) {
                    (Some(VersionOrUrl::VersionSpecifier(range)), Some(version)) => {
                        range.contains(version)
                    }
                    _ => true,
                }
            });
        }
    }
    for (node, (base, extras)) in lists {
        releases.set(node, base, extras);
    }
    reader.gaps.extend(releases.gaps());
    Ok(())
}

/// Adds what the project asks for and the lock does not have, where the lock says of each package by
/// itself when it is installed: as packages without files, as [`Reader::add_edges`] does.
pub(super) fn add_missing(
    reader: &mut Reader<'_>,
    lock: &Lock,
    project: &Project,
) -> Result<(), InputError> {
    let (asks, sections) = pyproject::asks_of_locked(project, Tool::Pdm)?;
    let entries = Entries::of(lock);
    let (mut known, groups) = (excluded(project)?, reader.sections.groups.clone());
    known.extend(project.name.clone());
    known.extend(reader.graph.packages.iter().map(|package| package.name.clone()));
    for ask in of_the_lock(asks, lock, &sections, reader) {
        let Ask::Distribution(requirement) = ask else { continue };
        let lacks = entries.lack(&requirement.name, &requirement.extras);
        if lacks || !known.contains(&requirement.name) {
            let target = reader.graph.packages.len();
            reader.graph.packages.push(missing(&requirement.name, &requirement.location));
            let edge = Edge { target, extras: Vec::new(), marker: requirement.marker };
            reader.graph.roots.push(Root { section: requirement.section, edge });
        }
    }
    reader.sections.groups.extend(groups);
    Ok(())
}

/// What is asked for by the parts that were locked; to pdm, extras of the project are groups.
fn of_the_lock(
    asks: Vec<Ask>,
    lock: &Lock,
    sections: &Sections,
    reader: &mut Reader<'_>,
) -> Vec<Ask> {
    let mut locked: BTreeSet<GroupName> =
        lock.metadata.groups.iter().map(|group| GroupName::new(group)).collect();
    // Before version 4.2 a lock named no groups: all were locked.
    if locked.is_empty() {
        locked.extend(sections.groups.iter().cloned());
        locked.extend(sections.extras.iter().map(|extra| GroupName::new(extra.as_ref())));
        locked.insert(GroupName::new(DEFAULT));
    }
    let of_section = |section: &Section| match section {
        Section::Extra(extra) => Section::Group(GroupName::new(extra.as_ref())),
        section => section.clone(),
    };
    let is_locked = |section: &Section| match section {
        Section::Group(group) => locked.contains(group),
        _ => true,
    };
    let asks = asks.into_iter().map(|ask| {
        let section = of_section(ask.section());
        ask.of(&section)
    });
    let asks = asks.filter(|ask| is_locked(ask.section())).collect();
    locked.remove(&GroupName::new(DEFAULT));
    reader.sections.groups = locked;
    asks
}

/// Extras that the lock has an entry for together, and what they are called here: an extra of its
/// own, for asking for both may lead to less than asking for each.
fn asked_together(lock: &Lock) -> BTreeMap<BTreeSet<ExtraName>, ExtraName> {
    let several = lock.packages.iter().map(|spanned| &spanned.get_ref().extras);
    several
        .filter(|extras| extras.len() > 1)
        .filter_map(|extras| {
            let extras: BTreeSet<ExtraName> = extras.iter().cloned().collect();
            let names: Vec<&str> = extras.iter().map(AsRef::as_ref).collect();
            let name = ExtraName::from_str(&format!("all-of-{}", names.join("-and-"))).ok()?;
            Some((extras, name))
        })
        .collect()
}

fn joint(
    extras: Vec<ExtraName>,
    together: &BTreeMap<BTreeSet<ExtraName>, ExtraName>,
) -> Vec<ExtraName> {
    let set: BTreeSet<ExtraName> = extras.iter().cloned().collect();
    together.get(&set).map_or(extras, |name| vec![name.clone()])
}

/// The entries of a lock, by name and extras.
pub(super) struct Entries<'l>(BTreeMap<&'l PackageName, BTreeSet<BTreeSet<&'l ExtraName>>>);

impl<'l> Entries<'l> {
    pub(super) fn of(lock: &'l Lock) -> Self {
        let mut entries: BTreeMap<_, BTreeSet<BTreeSet<_>>> = BTreeMap::new();
        for spanned in &lock.packages {
            let package = spanned.get_ref();
            entries.entry(&package.name).or_default().insert(package.extras.iter().collect());
        }
        Self(entries)
    }

    /// Whether a package is locked, and not with these extras: pdm has an entry for each set of them
    /// that something asks for.
    pub(super) fn lack(&self, name: &PackageName, extras: &[ExtraName]) -> bool {
        let of_name = self.0.get(name);
        !extras.is_empty() && of_name.is_some_and(|all| !all.contains(&extras.iter().collect()))
    }
}

/// Packages that pdm leaves out of a resolution (`tool.pdm.resolution.excludes`).
///
/// # Errors
/// Where they are not named in a list.
pub(super) fn excluded(project: &Project) -> Result<BTreeSet<PackageName>, InputError> {
    let resolution = project.document.root().nested(&["tool", "pdm", "resolution"])?;
    let mut names = BTreeSet::new();
    for item in resolution.map(|table| table.list("excludes")).transpose()?.into_iter().flatten() {
        names.extend(PackageName::from_str(item.text()?));
    }
    Ok(names)
}
