//! pixi's lockfile, versions 6 and 7.
//!
//! For each environment and each platform it lists what is installed: conda packages, and one file
//! for each package from PyPI. Environments are installed apart from each other, so that asking for
//! one leaves out `default`.
//!
//! The form is that of the `rattler_lock` crate, by which pixi reads and writes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};
use url::Url;

use super::yaml::{Document, Item, Table};
use super::{Content, Format, InputError, Manifest, Source, locked};
use crate::model::conda::{
    CondaAbi, CondaDependency, CondaEnvironment, CondaPackage, archive_name, marker_of_subdir,
};
use crate::model::digest::Sha256;
use crate::model::location::last_segment;
use crate::model::lock::{Edge, LockGraph, LockedPackage, LockedSource, Root, Walk};
use crate::model::pep508;
use crate::model::requirement::{GroupName, Section, Sections};

const HINT: &str = "is the file complete, and free of merge conflicts? `pixi lock` writes it anew";

/// The environment that pixi installs where none is named.
const DEFAULT: &str = "default";

pub(super) struct PixiLock;

impl Format for PixiLock {
    fn name(&self) -> &'static str {
        "pixi.lock"
    }

    fn recognises(&self, filename: &str) -> bool {
        filename == "pixi.lock"
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let document = Document::parse(source).map_err(|problem| problem.or_hint(HINT))?;
        read(source, document.root()).map_err(|problem| problem.or_hint(HINT))
    }
}

fn read(source: &Source, root: Item<'_>) -> Result<Manifest, InputError> {
    let root = root.table()?;
    let version = root.required("version")?;
    match version.text()? {
        "6" | "7" => {}
        found => {
            let error =
                version.error(format!("expected version 6 or 7 of the format, found {found}"));
            let is_older = found.parse::<u32>().is_ok_and(|version| version < 6);
            return Err(error.hint(if is_older {
                "pixi 0.40 or newer writes it anew: `pixi lock`"
            } else {
                "the file was written by a newer pixi than this ftcheck knows"
            }));
        }
    }
    let mut reader = Reader {
        source,
        platforms: platforms(root)?,
        entries: entries(root)?,
        graph: LockGraph { walk: Walk::Roots, ..LockGraph::default() },
        nodes: HashMap::new(),
        requires: Vec::new(),
        conda: Vec::new(),
        selected: 0,
    };
    let mut sections = Sections { separate: true, ..Sections::default() };
    for (name, _, environment) in root.required("environments")?.table()?.entries() {
        let group = GroupName::new(name);
        if name == DEFAULT {
            sections.default_groups.insert(group.clone());
        }
        sections.groups.insert(group.clone());
        reader.add_environment(name, &Section::Group(group), environment)?;
    }
    let Reader { mut graph, requires, conda, .. } = reader;
    if graph.roots.is_empty() && conda.iter().all(|environment| environment.packages.is_empty()) {
        return Err(InputError::of_file(&source.shown, "expected locked packages, found none"));
    }
    add_edges(&mut graph, &requires);
    Ok(Manifest { content: Content::Lock(graph), sections, conda, ..Manifest::default() })
}

/// Conda's names of the platforms that the file names in its own way (since version 7).
fn platforms(root: Table<'_>) -> Result<BTreeMap<&str, &str>, InputError> {
    let mut platforms = BTreeMap::new();
    let Some(list) = root.get("platforms") else { return Ok(platforms) };
    for platform in list.list()? {
        let platform = platform.table()?;
        let name = platform.required("name")?.text()?;
        platforms.insert(name, platform.text("subdir")?.unwrap_or(name));
    }
    Ok(platforms)
}

/// What stands under `packages`, by how the environments refer to it.
fn entries(root: Table<'_>) -> Result<HashMap<(Kind, &str), Vec<Table<'_>>>, InputError> {
    let mut entries: HashMap<_, Vec<Table<'_>>> = HashMap::new();
    for package in root.required("packages")?.list()? {
        let package = package.table()?;
        let key = selector(package)?;
        let same = entries.entry(key).or_default();
        same.push(package);
        if same.len() > locked::MOST_VERSIONS {
            let most = locked::MOST_VERSIONS;
            return Err(package.error(format!("expected at most {most} packages of one place")));
        }
    }
    Ok(entries)
}

/// What kind of package an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Conda,
    /// A conda package that is built from source, since version 7 under a key of its own.
    CondaSource,
    Pypi,
}

fn selector(table: Table<'_>) -> Result<(Kind, &str), InputError> {
    let kinds = [("conda", Kind::Conda), ("conda_source", Kind::CondaSource), ("pypi", Kind::Pypi)];
    for (key, kind) in kinds {
        if let Some(place) = table.text(key)? {
            return Ok((kind, place));
        }
    }
    Err(table.error("expected a package with `conda`, `conda_source` or `pypi`"))
}

struct Reader<'s, 'd> {
    source: &'s Source,
    platforms: BTreeMap<&'d str, &'d str>,
    entries: HashMap<(Kind, &'d str), Vec<Table<'d>>>,
    graph: LockGraph,
    /// Where the file of a package from PyPI stands in the graph, by its place.
    nodes: HashMap<&'d str, usize>,
    /// What each node of the graph requires.
    requires: Vec<Vec<&'d str>>,
    conda: Vec<CondaEnvironment>,
    /// Packages of all environments so far.
    selected: usize,
}

impl<'d> Reader<'_, 'd> {
    fn add_environment(
        &mut self,
        name: &str,
        section: &Section,
        environment: Item<'d>,
    ) -> Result<(), InputError> {
        let packages = environment.table()?.required("packages")?;
        for (platform, location, selectors) in packages.table()?.entries() {
            let subdir = self.platforms.get(platform).copied().unwrap_or(platform);
            let marker = match marker_of_subdir(subdir) {
                Some(text) => locked::marker(&text, platform, &location)?,
                // No Python that is looked at runs there.
                None => MarkerTree::FALSE,
            };
            let mut conda = Vec::new();
            for selected in selectors.list()? {
                let selected = selected.table()?;
                self.selected += 1;
                if self.selected > locked::MOST_PACKAGES {
                    let most = locked::MOST_PACKAGES;
                    return Err(selected.error(format!("expected at most {most} packages")));
                }
                match selector(selected)? {
                    key @ (Kind::Pypi, place) => {
                        let target = match self.nodes.get(place) {
                            Some(target) => *target,
                            None => self.add_distribution(self.entry(selected, key)?, place)?,
                        };
                        let edge = Edge { target, extras: Vec::new(), marker: marker.clone() };
                        self.graph.roots.push(Root { section: section.clone(), edge });
                    }
                    key => {
                        let entry = self.entry(selected, key)?;
                        conda.push(conda_package(entry, key, section)?);
                    }
                }
            }
            self.conda.push(CondaEnvironment {
                name: Some(name.to_owned()),
                section: section.clone(),
                subdir: Some(subdir.to_owned()),
                location,
                packages: conda,
            });
        }
        Ok(())
    }

    /// The package that an environment selects. Several that are built from one source differ in what
    /// the selection repeats of them (version 6).
    fn entry(&self, selected: Table<'d>, key: (Kind, &str)) -> Result<Table<'d>, InputError> {
        let candidates = self.entries.get(&key).map(Vec::as_slice).unwrap_or_default();
        for entry in candidates {
            let mut agrees = true;
            for field in ["name", "version", "build", "subdir"] {
                if let Some(wanted) = selected.text(field)? {
                    agrees &= entry.text(field)?.is_none_or(|found| found == wanted);
                }
            }
            if agrees {
                return Ok(*entry);
            }
        }
        let problem = format!("expected `{}` among the packages, found no such entry", key.1);
        Err(selected.error(problem))
    }

    fn add_distribution(&mut self, entry: Table<'d>, place: &'d str) -> Result<usize, InputError> {
        let location = entry.location();
        let name = entry.required("name")?;
        let name = PackageName::from_str(name.text()?)
            .map_err(|_| name.error("expected the name of a Python package"))?;
        let version = match entry.get("version") {
            Some(version) => Some(
                Version::from_str(version.text()?)
                    .map_err(|_| version.error(format!("expected a version of `{name}`")))?,
            ),
            None => None,
        };
        let sha256 = match entry.get("sha256") {
            Some(digest) => Some(
                Sha256::from_str(digest.text()?)
                    .map_err(|problem| digest.error(problem.to_string()))?,
            ),
            None => None,
        };
        let requires_python = match entry.get("requires_python") {
            Some(range) => VersionSpecifiers::from_str(range.text()?).ok(),
            None => None,
        };
        let url = file_url(self.source, place);
        let file = url.and_then(|url| {
            locked::file(&name, &last_segment(&url), url, sha256, None, requires_python)
        });
        let (source, files) = match file {
            Some(file) => (LockedSource::Files, vec![file]),
            None if is_folder(place) => (locked::folder(place), Vec::new()),
            None if place.starts_with("git+") => {
                (LockedSource::Built("a git repository".to_owned()), Vec::new())
            }
            None => (LockedSource::Built("an archive at a URL or path".to_owned()), Vec::new()),
        };
        let requires = match entry.get("requires_dist") {
            Some(list) => list.list()?.map(Item::text).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let target = self.graph.packages.len();
        self.graph.packages.push(LockedPackage {
            name,
            version,
            source,
            files,
            dependencies: Vec::new(),
            extras: BTreeMap::new(),
            location,
            extra_markers: BTreeMap::new(),
            project_marker: None,
        });
        self.requires.push(requires);
        self.nodes.insert(place, target);
        Ok(target)
    }
}

/// A file by its address, or by its path from the lockfile. `None` for repositories and folders.
fn file_url(source: &Source, place: &str) -> Option<Url> {
    // pixi marks a URL so that the user asked for by itself.
    let address = place.strip_prefix("direct+").unwrap_or(place);
    if address.contains("://") {
        let url = Url::parse(address).ok();
        return url.filter(|url| matches!(url.scheme(), "http" | "https" | "file"));
    }
    if is_folder(place) { None } else { locked::file_url(&source.path, place) }
}

/// Whether a path is none of an archive.
fn is_folder(place: &str) -> bool {
    !place.contains("://") && !super::requirement::is_archive(place)
}

fn conda_package(
    entry: Table<'_>,
    (kind, place): (Kind, &str),
    section: &Section,
) -> Result<CondaPackage, InputError> {
    let location = entry.location();
    let mut parts = place.rsplit(['/', '\\']);
    let archive = parts.next().and_then(archive_name).filter(|_| kind == Kind::Conda);
    let folder = parts.next();
    // `name[hash] @ place`
    let source_name = place.split(['[', ' ']).next().filter(|_| kind == Kind::CondaSource);
    let name = entry.text("name")?.or(source_name).or(archive.map(|(name, ..)| name));
    let name = name.ok_or_else(|| {
        InputError::at(location.clone(), format!("expected the name of the package `{place}`"))
    })?;
    let version = entry.text("version")?.or(archive.map(|(_, version, _)| version));
    let build = entry.text("build")?.or(archive.map(|(.., build)| build));
    let subdir = entry.text("subdir")?.or(archive.and(folder));
    let depends: Vec<&str> = match entry.get("depends") {
        Some(list) => list.list()?.map(Item::text).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let abi = if archive.is_some() {
        // What has no dependencies leaves them out.
        CondaAbi::of(name, build, depends.into_iter().map(CondaDependency::parse))
    } else {
        CondaAbi::Unknown("it would be built from source".to_owned())
    };
    Ok(CondaPackage {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        build: build.map(str::to_owned),
        subdir: subdir.map(str::to_owned),
        section: section.clone(),
        abi,
        location,
    })
}

/// What requires what. It only tells why something is there, so that what cannot be read is passed
/// over.
fn add_edges(graph: &mut LockGraph, requires: &[Vec<&str>]) {
    let by_name = locked::by_name(graph);
    // Most requirements stand in many packages in the same words.
    let mut parsed: HashMap<&str, Option<(PackageName, MarkerTree)>> = HashMap::new();
    for (node, requires) in graph.packages.iter_mut().zip(requires) {
        let mut seen = BTreeSet::new();
        for text in requires {
            let read = parsed.entry(text).or_insert_with(|| {
                pep508::requirement(text).ok().map(|read| (read.name, read.marker))
            });
            let Some((name, marker)) = read else { continue };
            for target in by_name.get(name).into_iter().flatten().take(locked::MOST_VERSIONS) {
                if seen.insert((*target, *text)) {
                    let edge = Edge { target: *target, extras: Vec::new(), marker: marker.clone() };
                    node.dependencies.push(edge);
                }
            }
        }
    }
}
