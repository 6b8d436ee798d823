//! poetry's lockfile, versions 1 and 2.
//!
//! Since 2.1 each package says by itself which groups it is installed for, and when. Before, that
//! follows from a walk ([`older`]). Files are given by name and digest. pyproject.toml beside the
//! lock tells which groups are optional, and whether the lock still fits ([`freshness`]).

mod freshness;
mod older;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use pep508_rs::{ExtraName, MarkerTree};
use toml::Spanned;
use url::Url;

use self::schema::{Lock, LockedMarkers, Package, PackageSource, Versioned};
use super::locked::{self, Digests};
use super::project::Project;
use super::{Content, Format, Gap, InputError, Manifest, Source};
use crate::model::index::{IndexSettings, IndexSource};
use crate::model::location::{Location, last_segment};
use crate::model::lock::{Edge, LockGraph, LockedPackage, LockedSource, Root, Walk};
use crate::model::requirement::{GroupName, Section, Sections};

const HINT: &str = "is the file complete? `poetry lock` writes it anew";

/// What poetry calls the project's own dependencies.
const MAIN: &str = "main";

pub(super) struct PoetryLock;

impl Format for PoetryLock {
    fn name(&self) -> &'static str {
        "poetry.lock"
    }

    fn recognises(&self, filename: &str) -> bool {
        filename == "poetry.lock"
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        // The version first: a newer form may not even be readable as this one.
        let Versioned { metadata } = locked::toml(source, HINT)?;
        // As poetry has it.
        let stated = metadata.lock_version.as_ref().map_or("1.0", |stated| stated.get_ref());
        let version = numbers(stated).unwrap_or_default();
        if !(1..=2).contains(&version.0) {
            let start = metadata.lock_version.as_ref().map_or(0, |stated| stated.span().start);
            let problem = format!("expected version 1 or 2 of the format, found `{stated}`");
            return Err(InputError::at(source.location(start), problem).hint(HINT));
        }
        let mut notes = Vec::new();
        if version > (2, 1) {
            notes.push(format!(
                "version {stated} of the lock's format is newer than 2.1, which was read: what was \
                 added since is not heeded"
            ));
        }
        let lock: Lock = locked::toml(source, HINT)?;
        let project = Project::beside(&source.path)?;
        let mut reader = Reader {
            source,
            graph: LockGraph { walk: Walk::Roots, ..LockGraph::default() },
            sections: Sections::default(),
            indexes: IndexSettings::default(),
            gaps: Vec::new(),
        };
        for extra in lock.extras.keys() {
            reader.sections.extras.insert(extra.clone());
            reader.graph.activated.push((Section::Extra(extra.clone()), extra.clone()));
        }
        let is_older = version < (2, 1);
        if is_older {
            older::read(&mut reader, &lock, project.as_ref(), &mut notes)?;
        } else {
            for package in &lock.packages {
                reader.add(package)?;
            }
            reader.add_edges(&lock);
        }
        let Reader { mut graph, mut sections, indexes, mut gaps, .. } = reader;
        if graph.roots.is_empty() {
            let problem = "expected locked packages, found none";
            return Err(InputError::of_file(&source.shown, problem));
        }
        if !is_older {
            let optional = project.as_ref().map(optional_groups).transpose()?.unwrap_or_default();
            sections.default_groups = sections.groups.difference(&optional).cloned().collect();
        }
        gaps.extend(requires_python(&lock, source)?);
        if let Some(project) = &project {
            graph.named = project.places()?;
            if let Some(hash) = &lock.metadata.content_hash
                && !freshness::is_fresh(project, source, hash, is_older)
            {
                gaps.push(Gap::Always(
                    "pyproject.toml has changed since the lock was made: `poetry lock` writes it anew"
                        .to_owned(),
                ));
            }
        }
        Ok(Manifest {
            content: Content::Lock(graph),
            sections,
            indexes,
            gaps,
            notes,
            ..Manifest::default()
        })
    }
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The Pythons that the project is for: constraints as poetry writes them are ranges, alternatives
/// parted by `||`.
fn requires_python(lock: &Lock, source: &Source) -> Result<Option<Gap>, InputError> {
    let Some(stated) = &lock.metadata.python_versions else { return Ok(None) };
    let text = stated.get_ref();
    let specifiers = locked::poetry_python(text).ok_or_else(|| {
        let location = source.location(stated.span().start);
        InputError::at(location, format!("expected versions of Python, found `{text}`")).hint(HINT)
    })?;
    Ok(match <[_; 1]>::try_from(specifiers) {
        Ok([one]) => Some(Gap::RequiresPython(one)),
        Err(several) => {
            let mut any = MarkerTree::FALSE;
            for specifiers in several {
                let mut all = MarkerTree::TRUE;
                for specifier in specifiers.iter() {
                    all.and(locked::python_marker(specifier));
                }
                any.or(all);
            }
            Some(Gap::Environments(vec![any]))
        }
    })
}

/// The groups that are installed only where asked for.
fn optional_groups(project: &Project) -> Result<BTreeSet<GroupName>, InputError> {
    let mut optional = BTreeSet::new();
    if let Some(groups) = project.document.root().nested(&["tool", "poetry", "group"])? {
        for group in groups.items() {
            if group.table()?.flag("optional")?.unwrap_or_default() {
                optional.insert(GroupName::new(group.key()));
            }
        }
    }
    Ok(optional)
}

struct Reader<'a> {
    source: &'a Source,
    graph: LockGraph,
    sections: Sections,
    indexes: IndexSettings,
    gaps: Vec<Gap>,
}

impl Reader<'_> {
    fn add(&mut self, spanned: &Spanned<Package>) -> Result<(), InputError> {
        let location = self.source.location(spanned.span().start);
        let package = spanned.get_ref();
        let target = self.graph.packages.len();
        let Some(groups) = &package.groups else {
            let problem = format!("expected `groups` of `{}`, found none", package.name);
            return Err(InputError::at(location, problem).hint(HINT));
        };
        for group in groups {
            let section = if group == MAIN {
                Section::Base
            } else {
                self.sections.groups.insert(GroupName::new(group));
                Section::Group(GroupName::new(group))
            };
            let text = match &package.markers {
                None => None,
                Some(LockedMarkers::All(text)) => Some(text),
                Some(LockedMarkers::OfGroup(of_group)) => of_group.get(group),
            };
            let marker = text.map(|text| locked::marker(text, &package.name, &location));
            let marker = marker.transpose()?.unwrap_or(MarkerTree::TRUE);
            let edge = Edge { target, extras: Vec::new(), marker };
            self.graph.roots.push(Root { section, edge });
        }
        let digests = package.files.iter().flatten().map(|file| file.hash.as_str());
        let digests = Digests::parse(digests, &location)?;
        let package = self.package(package, digests, location)?;
        self.graph.packages.push(package);
        Ok(())
    }

    fn package(
        &mut self,
        package: &Package,
        digests: Digests,
        location: Location,
    ) -> Result<LockedPackage, InputError> {
        let mut files = Vec::new();
        let built = |what: &str| LockedSource::Built(what.to_owned());
        let kind = package.source.as_ref().map(|source| source.r#type.as_str());
        let source = match (kind, &package.source) {
            (Some("git"), _) => built("a git repository"),
            (Some("directory"), Some(source)) => locked::folder(&source.url),
            (Some("url" | "file"), Some(source)) => {
                let url = match kind {
                    Some("url") => Url::parse(&source.url).ok(),
                    _ => locked::file_url(&self.source.path, &source.url),
                };
                let sha256 = match digests.sha256.as_slice() {
                    [digest] if !digests.others => Some(*digest),
                    _ => None,
                };
                files.extend(url.and_then(|url| {
                    let filename = last_segment(&url);
                    locked::file(&package.name, &filename, url, sha256, None, None)
                }));
                if files.is_empty() {
                    built("an archive at a URL or path")
                } else {
                    LockedSource::Files
                }
            }
            (None | Some("legacy"), _) => {
                self.gaps.extend(digests.gap(&package.name));
                let index = package.source.as_ref().map(|source| self.index(source, &location));
                LockedSource::Index { index: index.transpose()?.flatten(), hashes: digests.sha256 }
            }
            (Some(other), _) => {
                let problem = format!(
                    "expected a source of the type legacy, git, directory, file or url, found `{other}`"
                );
                return Err(InputError::at(location, problem).hint(HINT));
            }
        };
        Ok(LockedPackage {
            name: package.name.clone(),
            version: Some(package.version.clone()),
            source,
            files,
            dependencies: Vec::new(),
            extras: BTreeMap::new(),
            location,
            extra_markers: BTreeMap::new(),
            project_marker: None,
        })
    }

    /// The name of an index, which the file gives with its address.
    fn index(
        &mut self,
        source: &PackageSource,
        location: &Location,
    ) -> Result<Option<String>, InputError> {
        let url = Url::parse(&source.url).map_err(|problem| {
            let problem =
                format!("expected the URL of an index, found `{}`: {problem}", source.url);
            InputError::at(location.clone(), problem)
        })?;
        let name = source.reference.clone().unwrap_or_else(|| source.url.clone());
        let is_known =
            self.indexes.indexes.iter().any(|index| index.name.as_deref() == Some(&name));
        if !is_known {
            // Packages of the public index name none, so each of these is asked by name only.
            let named = Some(name.clone());
            let index = IndexSource { name: named, explicit: true, ..IndexSource::new(url) };
            self.indexes.indexes.push(index);
        }
        Ok(Some(name))
    }

    /// What depends on what: all that is locked under the name. What is not locked cannot apply.
    fn add_edges(&mut self, lock: &Lock) {
        let by_name = locked::by_name(&self.graph);
        for (package, node) in lock.packages.iter().zip(&mut self.graph.packages) {
            for name in package.get_ref().dependencies.keys() {
                let Ok(name) = pep508_rs::PackageName::from_str(name) else { continue };
                let targets = by_name.get(&name).into_iter().flatten().take(locked::MOST_VERSIONS);
                node.dependencies.extend(targets.map(|target| Edge {
                    target: *target,
                    extras: Vec::<ExtraName>::new(),
                    marker: MarkerTree::TRUE,
                }));
            }
        }
    }
}
