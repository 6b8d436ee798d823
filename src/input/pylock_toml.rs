//! The lockfile of PEP 751, which uv, pip, pdm and others write: `pylock.toml`, `pylock.NAME.toml`.
//!
//! Each entry says by its marker whether it is installed, and for which extras and groups of the
//! project; what depends on what is told for people only.

mod marker;
mod schema;

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use pep508_rs::{MarkerTree, PackageName};
use toml::Spanned;
use url::Url;

use self::schema::{Directory, File, Lock, Package, Versioned};
use super::{Content, Format, Gap, InputError, Manifest, Source, locked};
use crate::model::digest::Sha256;
use crate::model::distribution::DistributionFile;
use crate::model::location::last_segment;
use crate::model::lock::{Edge, LockGraph, LockedPackage, LockedSource, Root, Walk};
use crate::model::requirement::{GroupName, Section, Sections};

const HINT: &str = "is the file complete, and free of merge conflicts? the tool that locked it \
                    writes it anew (`uv export --format pylock.toml`, `pip lock`, `pdm lock`)";

pub(super) struct PylockToml;

impl Format for PylockToml {
    fn name(&self) -> &'static str {
        "pylock.toml"
    }

    fn recognises(&self, filename: &str) -> bool {
        // The NAME of `pylock.NAME.toml` has no dots (PEP 751).
        filename == "pylock.toml"
            || filename
                .strip_prefix("pylock.")
                .and_then(|rest| rest.strip_suffix(".toml"))
                .is_some_and(|name| !name.is_empty() && !name.contains('.'))
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        // The version first: a newer form may not even be readable as this one.
        let Versioned { lock_version } = locked::toml(source, HINT)?;
        let mut notes = Vec::new();
        match lock_version.get_ref().as_str() {
            "1.0" => {}
            newer if newer.starts_with("1.") => notes.push(format!(
                "version {newer} of the lock's format is newer than 1.0, which was read: what was \
                 added since is not heeded"
            )),
            other => {
                let location = source.location(lock_version.span().start);
                let problem = format!("expected version 1 of the format, found `{other}`");
                return Err(InputError::at(location, problem));
            }
        }
        let lock: Lock = locked::toml(source, HINT)?;
        let reader = Reader { source };
        let (mut graph, sections) = reader.sections(&lock)?;
        for package in &lock.packages {
            reader.add(&mut graph, package)?;
        }
        if graph.roots.is_empty() {
            let problem = "expected locked packages, found none";
            return Err(InputError::of_file(&source.shown, problem));
        }
        let mut gaps = reader.gaps(&lock)?;
        gaps.extend(add_edges(&mut graph, &lock));
        Ok(Manifest { content: Content::Lock(graph), sections, gaps, notes, ..Manifest::default() })
    }
}

struct Reader<'a> {
    source: &'a Source,
}

impl Reader<'_> {
    /// The parts of the project that the file names, and a graph that knows what markers call them.
    fn sections(&self, lock: &Lock) -> Result<(LockGraph, Sections), InputError> {
        let mut sections = Sections::default();
        let mut graph = LockGraph { walk: Walk::Roots, ..LockGraph::default() };
        for extra in &lock.extras {
            sections.extras.insert(extra.clone());
            let name = marker::extra_name(extra);
            graph.activated.extend(name.map(|name| (Section::Extra(extra.clone()), name)));
        }
        // Default groups need not be listed among the groups: they may exist for the file alone.
        for group in lock.dependency_groups.iter().chain(&lock.default_groups) {
            let name = GroupName::new(group.get_ref());
            if !sections.groups.insert(name.clone()) {
                continue;
            }
            let called = marker::group_name(group.get_ref()).ok_or_else(|| {
                let problem = format!("expected the name of a group, found `{}`", group.get_ref());
                self.error(group.span(), problem)
            })?;
            graph.activated.push((Section::Group(name), called));
        }
        let defaults = lock.default_groups.iter().map(|group| GroupName::new(group.get_ref()));
        sections.default_groups = defaults.collect();
        Ok((graph, sections))
    }

    fn gaps(&self, lock: &Lock) -> Result<Vec<Gap>, InputError> {
        let mut gaps: Vec<Gap> =
            lock.requires_python.clone().map(Gap::RequiresPython).into_iter().collect();
        if !lock.environments.is_empty() {
            let markers = lock.environments.iter().map(|text| {
                let location = self.source.location(text.span().start);
                locked::marker(text.get_ref(), "environments", &location)
            });
            gaps.push(Gap::Environments(markers.collect::<Result<_, _>>()?));
        }
        Ok(gaps)
    }

    fn add(&self, graph: &mut LockGraph, package: &Spanned<Package>) -> Result<(), InputError> {
        let location = self.source.location(package.span().start);
        let span = package.span();
        let package = package.get_ref();
        let mut files = Vec::new();
        let source = match package {
            Package { vcs: Some(vcs), .. } => LockedSource::Built(format!(
                "a {} repository",
                if vcs.r#type == "git" { "git" } else { "version control" }
            )),
            Package { directory: Some(Directory { path, subdirectory }), .. } => {
                match subdirectory {
                    None => locked::folder(path),
                    Some(below) => LockedSource::Built(format!("the directory `{path}/{below}`")),
                }
            }
            Package { archive: Some(archive), .. } => {
                match self.file(package, archive, &span)? {
                    Some(file) if archive.subdirectory.is_none() => {
                        files.push(file);
                        LockedSource::Files
                    }
                    _ => LockedSource::Built("an archive at a URL or path".to_owned()),
                }
            }
            Package { sdist: None, wheels, .. } if wheels.is_empty() => {
                let problem = format!("expected a source of `{}`, found none", package.name);
                return Err(self.error(span, problem));
            }
            _ => {
                for wheel in &package.wheels {
                    let file = self.file(package, wheel.get_ref(), &wheel.span())?;
                    files.push(file.ok_or_else(|| {
                        let problem = format!("expected a wheel of `{}`, found a file of another \
                                               name", package.name);
                        self.error(wheel.span(), problem)
                    })?);
                }
                if let Some(sdist) = &package.sdist {
                    files.extend(self.file(package, sdist, &span)?);
                }
                LockedSource::Files
            }
        };
        let marker = match &package.marker {
            Some(text) => self.marker(text, &package.name)?,
            None => MarkerTree::TRUE,
        };
        let edge = Edge { target: graph.packages.len(), extras: Vec::new(), marker };
        graph.roots.push(Root { section: Section::Any, edge });
        graph.packages.push(LockedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            source,
            files,
            dependencies: Vec::new(),
            extras: BTreeMap::new(),
            location,
            extra_markers: BTreeMap::new(),
            project_marker: None,
        });
        Ok(())
    }

    fn marker(
        &self,
        text: &Spanned<String>,
        name: &PackageName,
    ) -> Result<MarkerTree, InputError> {
        let span = text.span();
        let rewritten = marker::rewritten(text.get_ref()).map_err(|problem| {
            let text = text.get_ref();
            let problem = format!("the marker `{text}` of `{name}` is malformed: {problem}");
            self.error(span, problem)
        })?;
        locked::marker(&rewritten, name, &self.source.location(text.span().start))
    }

    /// One file of a package; `None` where its name is not that of a file of it.
    fn file(
        &self,
        package: &Package,
        file: &File,
        span: &Range<usize>,
    ) -> Result<Option<DistributionFile>, InputError> {
        let url = match (&file.url, &file.path) {
            (Some(url), _) => Url::parse(url).ok(),
            (None, Some(path)) => locked::file_url(&self.source.path, path),
            (None, None) => None,
        };
        let url = url.ok_or_else(|| {
            let problem = format!("expected a URL or path of a file of `{}`", package.name);
            self.error(span.clone(), problem)
        })?;
        let sha256 = file.hashes.get("sha256").map(|text| Sha256::from_str(text)).transpose();
        let sha256 = sha256.map_err(|problem| self.error(span.clone(), problem.to_string()))?;
        let filename = file.name.clone().unwrap_or_else(|| last_segment(&url));
        let requires_python = package.requires_python.clone();
        Ok(locked::file(&package.name, &filename, url, sha256, file.size, requires_python))
    }

    fn error(&self, span: Range<usize>, problem: String) -> InputError {
        InputError::at(self.source.location(span.start), problem).hint(HINT)
    }
}

/// What depends on what. Nothing is installed for it, so an entry that is missing is told.
fn add_edges(graph: &mut LockGraph, lock: &Lock) -> Vec<Gap> {
    let by_name = locked::by_name(graph);
    let mut gaps = Vec::new();
    for (package, node) in lock.packages.iter().zip(&mut graph.packages) {
        let package = package.get_ref();
        for dependency in &package.dependencies {
            let of_name = by_name.get(&dependency.name).into_iter().flatten();
            let same = of_name.filter(|index| {
                dependency.version.is_none()
                    || lock.packages.get(**index).is_some_and(|other| {
                        other.get_ref().version == dependency.version
                    })
            });
            let edges = same.take(locked::MOST_VERSIONS).map(|target| Edge {
                target: *target,
                extras: Vec::new(),
                marker: MarkerTree::TRUE,
            });
            let before = node.dependencies.len();
            node.dependencies.extend(edges);
            if node.dependencies.len() == before {
                gaps.push(Gap::Always(format!(
                    "`{}` depends on `{}`, which is not locked: is the lock complete?",
                    package.name, dependency.name
                )));
            }
        }
    }
    gaps
}
