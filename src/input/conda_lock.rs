//! conda-lock's lockfile, version 1 (CEP 37).
//!
//! It lists by itself all that is installed on each platform: conda packages, and files of packages
//! from PyPI, each in one category. `main` is always installed, `dev` unless it is left out, and
//! other categories where they are asked for (`conda-lock install --extras`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

use pep440_rs::Version;
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
use crate::model::requirement::{GroupName, Section, Sections};

const HINT: &str = "is the file complete, and free of merge conflicts? `conda-lock` writes it anew";

pub(super) struct CondaLock;

impl Format for CondaLock {
    fn name(&self) -> &'static str {
        "conda-lock.yml"
    }

    fn recognises(&self, filename: &str) -> bool {
        let stem = [".yml", ".yaml"].into_iter().find_map(|end| filename.strip_suffix(end));
        stem.is_some_and(|stem| stem.ends_with("conda-lock"))
    }

    fn in_directory(&self, directory: &std::path::Path) -> Option<std::path::PathBuf> {
        ["conda-lock.yml", "conda-lock.yaml"]
            .into_iter()
            .map(|name| directory.join(name))
            .find(|path| path.is_file())
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let document = Document::parse(source).map_err(|problem| problem.or_hint(HINT))?;
        read(source, document.root()).map_err(|problem| problem.or_hint(HINT))
    }
}

fn read(source: &Source, root: Item<'_>) -> Result<Manifest, InputError> {
    let root = root.table()?;
    // CEP 37 has it that a file without a version is of the first one.
    if let Some(version) = root.get("version")
        && version.text()? != "1"
    {
        let found = version.text()?;
        return Err(version.error(format!("expected version 1 of the format, found {found}")));
    }
    let metadata = root.required("metadata")?.table()?;
    let mut reader = Reader {
        environments: Vec::new(),
        markers: HashMap::new(),
        graph: LockGraph { walk: Walk::Roots, ..LockGraph::default() },
        nodes: HashMap::new(),
        requires: Vec::new(),
    };
    for platform in metadata.required("platforms")?.list()? {
        reader.add_platform(platform)?;
    }
    let mut sections = Sections::default();
    for (count, package) in root.required("package")?.list()?.enumerate() {
        let package = package.table()?;
        if count >= locked::MOST_PACKAGES {
            let most = locked::MOST_PACKAGES;
            return Err(package.error(format!("expected at most {most} packages")));
        }
        let section = match package.text("category")?.unwrap_or("main") {
            "main" => Section::Base,
            category => {
                let group = GroupName::new(category);
                sections.groups.insert(group.clone());
                if category == "dev" {
                    sections.default_groups.insert(group.clone());
                }
                Section::Group(group)
            }
        };
        reader.add(package, section)?;
    }
    let Reader { environments, mut graph, requires, .. } = reader;
    let conda = environments.iter().any(|environment| !environment.packages.is_empty());
    if graph.roots.is_empty() && !conda {
        return Err(InputError::of_file(&source.shown, "expected locked packages, found none"));
    }
    add_edges(&mut graph, &requires);
    let content = Content::Lock(graph);
    Ok(Manifest { content, sections, conda: environments, ..Manifest::default() })
}

struct Reader<'d> {
    /// One for each platform.
    environments: Vec<CondaEnvironment>,
    /// Where that of each platform stands, and its marker.
    markers: HashMap<&'d str, (usize, MarkerTree)>,
    graph: LockGraph,
    /// Where the file of a package from PyPI stands in the graph, by name and address.
    nodes: HashMap<(&'d str, &'d str), usize>,
    /// What each node of the graph requires.
    requires: Vec<BTreeSet<&'d str>>,
}

impl<'d> Reader<'d> {
    fn add_platform(&mut self, platform: Item<'d>) -> Result<(), InputError> {
        let name = platform.text()?;
        let location = platform.location();
        let marker = match marker_of_subdir(name) {
            Some(text) => locked::marker(&text, name, &location)?,
            // No Python that is looked at runs there.
            None => MarkerTree::FALSE,
        };
        self.markers.insert(name, (self.environments.len(), marker));
        self.environments.push(CondaEnvironment {
            name: None,
            section: Section::Any,
            subdir: Some(name.to_owned()),
            location,
            packages: Vec::new(),
        });
        Ok(())
    }

    fn add(&mut self, package: Table<'d>, section: Section) -> Result<(), InputError> {
        let name = package.required("name")?;
        let version = package.required("version")?;
        let place = package.required("url")?.text()?;
        let platform = package.required("platform")?;
        let (environment, marker) = match self.markers.get(platform.text()?) {
            Some((environment, marker)) => (*environment, marker.clone()),
            None => {
                let found = platform.text()?;
                let problem = format!("expected one of `metadata.platforms`, found `{found}`");
                return Err(platform.error(problem));
            }
        };
        let dependencies = match package.get("dependencies") {
            Some(dependencies) => Some(dependencies.table()?),
            None => None,
        };
        let manager = package.required("manager")?;
        match manager.text()? {
            // What conda calls so is a property of the machine, not a package.
            "conda" if name.text()?.starts_with("__") => Ok(()),
            "conda" => {
                let package = conda_package(package, name.text()?, place, dependencies, section)?;
                if let Some(environment) = self.environments.get_mut(environment) {
                    environment.packages.push(package);
                }
                Ok(())
            }
            "pip" => {
                let name_text = name.text()?;
                let target = match self.nodes.get(&(name_text, place)) {
                    Some(target) => *target,
                    None => self.add_distribution(package, name, version, place)?,
                };
                if let Some(dependencies) = dependencies
                    && let Some(requires) = self.requires.get_mut(target)
                {
                    requires.extend(dependencies.entries().map(|(name, ..)| name));
                }
                let edge = Edge { target, extras: Vec::new(), marker };
                self.graph.roots.push(Root { section, edge });
                Ok(())
            }
            found => Err(manager.error(format!("expected `conda` or `pip`, found `{found}`"))),
        }
    }

    fn add_distribution(
        &mut self,
        package: Table<'d>,
        name_item: Item<'d>,
        version: Item<'d>,
        place: &'d str,
    ) -> Result<usize, InputError> {
        let key = (name_item.text()?, place);
        let name = PackageName::from_str(key.0)
            .map_err(|_| name_item.error("expected the name of a Python package"))?;
        let hash = match package.get("hash") {
            Some(hash) => hash.table()?.get("sha256"),
            None => None,
        };
        // Of what comes from a repository, the revision stands in place of the digest.
        let is_direct = package.get("source").is_some();
        let sha256 = match hash {
            Some(digest) if !is_direct => Some(
                Sha256::from_str(digest.text()?)
                    .map_err(|problem| digest.error(problem.to_string()))?,
            ),
            _ => None,
        };
        let url = Url::parse(place).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let file =
            url.and_then(|url| locked::file(&name, &last_segment(&url), url, sha256, None, None));
        let (source, files) = match file {
            Some(file) => (LockedSource::Files, vec![file]),
            None if place.starts_with("git+") => {
                (LockedSource::Built("a git repository".to_owned()), Vec::new())
            }
            None => (LockedSource::Built("an archive at a URL or path".to_owned()), Vec::new()),
        };
        let target = self.graph.packages.len();
        self.graph.packages.push(LockedPackage {
            name,
            version: Version::from_str(version.text()?).ok(),
            source,
            files,
            dependencies: Vec::new(),
            extras: BTreeMap::new(),
            location: package.location(),
            extra_markers: BTreeMap::new(),
            project_marker: None,
        });
        self.requires.push(BTreeSet::new());
        self.nodes.insert(key, target);
        Ok(target)
    }
}

fn conda_package(
    package: Table<'_>,
    name: &str,
    place: &str,
    dependencies: Option<Table<'_>>,
    section: Section,
) -> Result<CondaPackage, InputError> {
    let mut parts = place.split(['?', '#']).next().unwrap_or(place).rsplit('/');
    let archive = parts.next().and_then(archive_name);
    let subdir = parts.next().filter(|_| archive.is_some());
    let build = package.text("build")?.or(archive.map(|(.., build)| build));
    let abi = match dependencies {
        Some(dependencies) => {
            let mut all = Vec::new();
            for (name, _, rest) in dependencies.entries() {
                all.push(CondaDependency { name, rest: rest.as_text().unwrap_or_default() });
            }
            CondaAbi::of(name, build, all)
        }
        None => CondaAbi::Unknown("the lockfile does not say what it depends on".to_owned()),
    };
    Ok(CondaPackage {
        name: name.to_owned(),
        version: package.text("version")?.map(str::to_owned),
        build: build.map(str::to_owned),
        subdir: subdir.map(str::to_owned),
        section,
        abi,
        location: package.location(),
    })
}

/// What requires what among the packages from PyPI: it only tells why something is there.
fn add_edges(graph: &mut LockGraph, requires: &[BTreeSet<&str>]) {
    let by_name = locked::by_name(graph);
    for (node, requires) in graph.packages.iter_mut().zip(requires) {
        for name in requires {
            let Ok(name) = PackageName::from_str(name) else { continue };
            let targets = by_name.get(&name).into_iter().flatten().take(locked::MOST_VERSIONS);
            node.dependencies.extend(targets.map(|target| Edge {
                target: *target,
                extras: Vec::new(),
                marker: MarkerTree::TRUE,
            }));
        }
    }
}
