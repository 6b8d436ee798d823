//! pdm's lockfile, version 4.
//!
//! With the strategy `inherit_metadata`, pdm's own since 2.12, each package says by itself which
//! groups it is installed for, and when. Without, that follows from a walk ([`older`]). An entry for a package with extras (`extras = […]`) stands
//! beside the one without. Files are given by name or URL, and digest.

mod freshness;
mod older;
mod schema;

use std::collections::BTreeMap;

use pep440_rs::VersionSpecifiers;
use pep508_rs::MarkerTree;
use toml::Spanned;
use url::Url;

use self::schema::{File, Lock, Package, Target, Versioned};
use super::locked::{self, Digests};
use super::project::Project;
use super::{Content, Format, Gap, InputError, Manifest, Source};
use crate::model::location::{Location, last_segment};
use crate::model::lock::{Edge, LockGraph, LockedPackage, LockedSource, Root, Walk};
use crate::model::pep508;
use crate::model::requirement::{GroupName, Section, Sections};

const HINT: &str = "is the file complete? `pdm lock` writes it anew";

/// Places from where a walk starts; a lock that leads to more of them was made to.
const MOST_ROOTS: usize = 2_000_000;

/// What pdm calls the project's own dependencies.
const DEFAULT: &str = "default";

pub(super) struct PdmLock;

impl Format for PdmLock {
    fn name(&self) -> &'static str {
        "pdm.lock"
    }

    fn recognises(&self, filename: &str) -> bool {
        filename == "pdm.lock" || (filename.starts_with("pdm.") && filename.ends_with(".lock"))
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        // The version first: a newer form may not even be readable as this one.
        let Versioned { metadata } = locked::toml(source, HINT)?;
        let version = metadata.lock_version.get_ref();
        let at = source.location(metadata.lock_version.span().start);
        if version.split('.').next() != Some("4") {
            let problem = format!("expected version 4 of the format, found `{version}`");
            return Err(InputError::at(at, problem).hint(HINT));
        }
        let lock: Lock = locked::toml(source, HINT)?;
        let inherits = lock.metadata.strategy.iter().any(|name| name == "inherit_metadata");
        let project = Project::beside(&source.path)?;
        let mut reader = Reader {
            source,
            graph: LockGraph { walk: Walk::Roots, ..LockGraph::default() },
            sections: Sections::default(),
            known: BTreeMap::new(),
            gaps: Vec::new(),
        };
        // Where nothing is asked for, pdm installs all groups of the lock, extras among them, which
        // to pdm are groups too.
        for group in &lock.metadata.groups {
            if group != DEFAULT {
                reader.sections.groups.insert(GroupName::new(group));
            }
        }
        let mut notes = Vec::new();
        if inherits {
            for package in &lock.packages {
                reader.add(&lock, package)?;
            }
            reader.add_edges(&lock, project.as_ref())?;
            if let Some(project) = &project {
                older::add_missing(&mut reader, &lock, project)?;
            }
        } else {
            older::read(&mut reader, &lock, project.as_ref(), &mut notes)?;
        }
        let Reader { mut graph, mut sections, mut gaps, .. } = reader;
        if graph.roots.is_empty() {
            let problem = "expected locked packages, found none";
            return Err(InputError::of_file(&source.shown, problem));
        }
        sections.default_groups.clone_from(&sections.groups);
        gaps.extend(targets(&lock.metadata.targets, source)?);
        if let Some(project) = &project {
            graph.named = project.places()?;
            gaps.extend(freshness::staleness(project, &lock)?);
        }
        Ok(Manifest { content: Content::Lock(graph), sections, gaps, notes, ..Manifest::default() })
    }
}

/// The environments that the lock was made for: any of them.
fn targets(targets: &[Spanned<Target>], source: &Source) -> Result<Option<Gap>, InputError> {
    if targets.is_empty() {
        return Ok(None);
    }
    let mut markers = Vec::new();
    for target in targets {
        let location = source.location(target.span().start);
        let target = target.get_ref();
        let mut all = MarkerTree::TRUE;
        let python = target.requires_python.as_deref().unwrap_or_default();
        let python: VersionSpecifiers = python.parse().map_err(|_| {
            let problem = format!("expected versions of Python, found `{python}`");
            InputError::at(location.clone(), problem).hint(HINT)
        })?;
        for specifier in python.iter() {
            all.and(locked::python_marker(specifier));
        }
        if let Some(platform) = &target.platform {
            let text = platform_marker(platform).ok_or_else(|| {
                let problem = format!("expected a platform of pdm's, found `{platform}`");
                InputError::at(location.clone(), problem)
            })?;
            all.and(locked::marker(&text, "targets", &location)?);
        }
        if let Some(implementation) = &target.implementation {
            let text = format!("implementation_name == '{implementation}'");
            all.and(locked::marker(&text, "targets", &location)?);
        }
        markers.push(all);
    }
    Ok(Some(Gap::Environments(markers)))
}

/// A platform as pdm names it (`dep_logic.tags.Platform.parse`): a system, or a system with its
/// version and the processor.
fn platform_marker(platform: &str) -> Option<String> {
    let (system, machine) = match platform {
        "linux" | "alpine" => ("linux", "x86_64"),
        "windows" => ("win32", "AMD64"),
        "macos" => ("darwin", "arm64"),
        "windows_amd64" => ("win32", "AMD64"),
        "windows_x86" => ("win32", "x86"),
        "windows_arm64" => ("win32", "ARM64"),
        "macos_arm64" => ("darwin", "arm64"),
        "macos_x86_64" => ("darwin", "x86_64"),
        other => {
            let system = match other.split('_').next()? {
                "manylinux" | "musllinux" => "linux",
                "macos" => "darwin",
                _ => return None,
            };
            let machine = ["x86_64", "aarch64", "arm64", "i686", "armv7l", "ppc64le", "s390x"]
                .into_iter()
                .chain(["ppc64", "riscv64", "armv6l", "loongarch64"])
                .find(|machine| other.ends_with(machine))?;
            (system, machine)
        }
    };
    Some(format!("sys_platform == '{system}' and platform_machine == '{machine}'"))
}

struct Reader<'a> {
    source: &'a Source,
    graph: LockGraph,
    sections: Sections,
    /// Packages by all that tells them apart but their extras, which need no package of their own.
    known: BTreeMap<String, usize>,
    gaps: Vec<Gap>,
}

impl Reader<'_> {
    /// The node of an entry; entries that differ in extras alone have one.
    fn node(&mut self, lock: &Lock, spanned: &Spanned<Package>) -> Result<usize, InputError> {
        let package = spanned.get_ref();
        let key = package.identity();
        if let Some(index) = self.known.get(&key) {
            return Ok(*index);
        }
        let index = self.graph.packages.len();
        let location = self.source.location(spanned.span().start);
        let package = self.package(package, files(lock, package, &location)?, location)?;
        self.graph.packages.push(package);
        self.known.insert(key, index);
        Ok(index)
    }

    fn add(&mut self, lock: &Lock, spanned: &Spanned<Package>) -> Result<(), InputError> {
        let location = self.source.location(spanned.span().start);
        let package = spanned.get_ref();
        let marker = match &package.marker {
            Some(text) => locked::marker(text, &package.name, &location)?,
            None => MarkerTree::TRUE,
        };
        let target = self.node(lock, spanned)?;
        let mut push = |section| {
            let edge = Edge { target, extras: Vec::new(), marker: marker.clone() };
            self.graph.roots.push(Root { section, edge });
        };
        // pdm takes an entry that names no group for one of all groups.
        if package.groups.is_empty() {
            push(Section::Any);
        }
        for group in &package.groups {
            if group == DEFAULT {
                push(Section::Base);
            } else {
                let group = GroupName::new(group);
                self.sections.groups.insert(group.clone());
                push(Section::Group(group));
            }
        }
        Ok(())
    }

    fn package(
        &mut self,
        package: &Package,
        locked_files: &[File],
        location: Location,
    ) -> Result<LockedPackage, InputError> {
        let stated = locked_files.iter().map(|file| file.hash.as_str());
        let digests = Digests::parse(stated, &location)?;
        let mut files = Vec::new();
        let built = |what: &str| LockedSource::Built(what.to_owned());
        let is_static = locked_files.iter().all(|file| file.url.is_some());
        let source = match package {
            Package { git: Some(_), .. } => built("a git repository"),
            Package { hg: Some(_), .. }
            | Package { svn: Some(_), .. }
            | Package { bzr: Some(_), .. } => built("a version control repository"),
            Package { url: Some(address), .. } | Package { path: Some(address), .. } => {
                // pdm's own spelling of the folder of the project.
                let here = address.strip_prefix("file:///${PROJECT_ROOT}/");
                let url = match here.or(Some(address.as_str()).filter(|text| !text.contains("://")))
                {
                    Some(path) => locked::file_url(&self.source.path, path),
                    None => Url::parse(address).ok(),
                };
                let sha256 = match digests.sha256.as_slice() {
                    [digest] if !digests.others => Some(*digest),
                    _ => None,
                };
                files.extend(url.and_then(|url| {
                    let filename = last_segment(&url);
                    locked::file(&package.name, &filename, url, sha256, None, None)
                }));
                if !files.is_empty() {
                    LockedSource::Files
                } else if package.url.is_some() {
                    built("an archive at a URL or path")
                } else {
                    locked::folder(address)
                }
            }
            _ if is_static && !locked_files.is_empty() => {
                for file in locked_files {
                    let Some(url) = file.url.as_deref().and_then(|url| Url::parse(url).ok()) else {
                        let problem = format!("expected the URL of a file of `{}`", package.name);
                        return Err(InputError::at(location, problem).hint(HINT));
                    };
                    let digest = Digests::parse([file.hash.as_str()], &location)?;
                    let (sha256, name) = (digest.sha256.first().copied(), last_segment(&url));
                    files.extend(locked::file(&package.name, &name, url, sha256, None, None));
                }
                LockedSource::Files
            }
            _ => {
                self.gaps.extend(digests.gap(&package.name));
                LockedSource::Index { index: None, hashes: digests.sha256 }
            }
        };
        if package.version.is_none() && matches!(source, LockedSource::Index { .. }) {
            let problem = format!("expected the release of `{}`, found none", package.name);
            return Err(InputError::at(location, problem).hint(HINT));
        }
        Ok(LockedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            source,
            files,
            dependencies: Vec::new(),
            extras: BTreeMap::new(),
            location,
            extra_markers: BTreeMap::new(),
            project_marker: None,
        })
    }

    /// What depends on what: all that is locked under the name. What is not locked at all is installed
    /// where the entry is that depends on it, as a package without files, so that a scan of a lock
    /// with a piece missing is not complete.
    fn add_edges(&mut self, lock: &Lock, project: Option<&Project>) -> Result<(), InputError> {
        let excluded = project.map(older::excluded).transpose()?.unwrap_or_default();
        let by_name = locked::by_name(&self.graph);
        let (entries, mut missing) = (older::Entries::of(lock), BTreeMap::new());
        // What lies behind is not locked.
        let locked = self.graph.packages.len();
        let mut roots: BTreeMap<usize, Vec<Root>> = BTreeMap::new();
        for root in &self.graph.roots {
            roots.entry(root.edge.target).or_default().push(root.clone());
        }
        for spanned in &lock.packages {
            let package = spanned.get_ref();
            let Some(index) = self.known.get(&package.identity()).copied() else { continue };
            for text in &package.dependencies {
                let Ok(requirement) = pep508::requirement(text) else { continue };
                let name = &requirement.name;
                if project.and_then(|project| project.name.as_ref()) == Some(name)
                    || excluded.contains(name)
                {
                    continue;
                }
                let mut targets: Vec<usize> = by_name
                    .get(name)
                    .into_iter()
                    .flatten()
                    .take(locked::MOST_VERSIONS)
                    .copied()
                    .collect();
                if targets.is_empty() || entries.lack(name, &requirement.extras) {
                    let location = self.source.location(spanned.span().start);
                    let key = (name.clone(), requirement.extras.clone());
                    let missing = missing.entry(key).or_insert_with(|| {
                        self.graph.packages.push(locked::ranges::missing(name, &location));
                        self.graph.packages.len() - 1
                    });
                    targets.push(*missing);
                }
                let is_missing = |target: &&usize| **target >= locked;
                for target in targets.iter().filter(is_missing) {
                    for root in roots.get(&index).into_iter().flatten() {
                        let mut root = root.clone();
                        root.edge.target = *target;
                        root.edge.marker.and(requirement.marker.clone());
                        self.graph.roots.push(root);
                    }
                    if self.graph.roots.len() > MOST_ROOTS {
                        let problem = "too many packages depend on what is not locked";
                        return Err(InputError::of_file(&self.source.shown, problem).hint(HINT));
                    }
                }
                let Some(node) = self.graph.packages.get_mut(index) else { continue };
                let others = targets.iter().filter(|target| **target != index);
                node.dependencies.extend(others.map(|target| Edge {
                    target: *target,
                    extras: requirement.extras.clone(),
                    marker: requirement.marker.clone(),
                }));
            }
        }
        Ok(())
    }
}

/// The files of a package, which stood at the end of the file before version 4.3.
fn files<'l>(
    lock: &'l Lock,
    package: &'l Package,
    location: &Location,
) -> Result<&'l [File], InputError> {
    if let Some(files) = &package.files {
        return Ok(files);
    }
    let Some(files) = &lock.metadata.files else { return Ok(&[]) };
    let version = package.version.as_ref().map(ToString::to_string).unwrap_or_default();
    let names = [package.name.to_string(), package.name.as_dist_info_name().into_owned()];
    let found = names.iter().find_map(|name| files.get(&format!("{name} {version}")));
    let is_on_index = package.url.is_none() && package.path.is_none() && package.git.is_none();
    match found {
        Some(files) => Ok(files),
        None if !is_on_index => Ok(&[]),
        None => {
            let problem = format!("expected files of `{}`, found none", package.name);
            Err(InputError::at(location.clone(), problem).hint(HINT))
        }
    }
}
