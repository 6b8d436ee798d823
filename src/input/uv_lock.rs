//! uv's lockfile, version 1.
//!
//! It names every wheel with its URL, size and digest. What is installed follows from the
//! project's own entry: its dependencies, and the groups that uv installs by default, which
//! pyproject.toml beside the lock may change (`tool.uv.default-groups`).

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::{ExtraName, MarkerTree, PackageName};
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::{Content, Format, InputError, Manifest, Source};
use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind};
use crate::model::location::last_segment;
use crate::model::lock::{Edge, LockGraph, LockedPackage, LockedSource};

pub(super) struct UvLock;

impl Format for UvLock {
    fn name(&self) -> &'static str {
        "uv.lock"
    }

    fn recognises(&self, filename: &str) -> bool {
        filename == "uv.lock" || filename.ends_with(".py.lock")
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        // The version first: a newer form may not even be readable as this one.
        let Versioned { version } = parse(source)?;
        if version != 1 {
            return Err(InputError::of_file(
                &source.shown,
                format!("expected version 1 of the format, found {version}"),
            ));
        }
        let lock: Lock = parse(source)?;
        let groups = default_groups(&source.path)?;
        let builder = Builder { source, lock: &lock, by_name: by_name(&lock) };
        let graph = builder.graph(groups.as_ref())?;
        if graph.roots.is_empty() {
            return Err(InputError::of_file(
                &source.shown,
                "expected a project with dependencies, found none",
            ));
        }
        Ok(Manifest { content: Content::Lock(graph), notes: Vec::new() })
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    manifest: LockManifest,
    #[serde(default, rename = "package", alias = "distribution")]
    packages: Vec<Spanned<Package>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct LockManifest {
    #[serde(default)]
    members: Vec<PackageName>,
    /// Of a script, or of a workspace without a project at its root.
    #[serde(default)]
    requirements: Vec<ManifestRequirement>,
    #[serde(default)]
    dependency_groups: BTreeMap<String, Vec<ManifestRequirement>>,
}

#[derive(Deserialize)]
struct ManifestRequirement {
    name: PackageName,
    #[serde(default)]
    extras: Vec<ExtraName>,
    marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: PackageName,
    version: Option<Version>,
    source: PackageSource,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    optional_dependencies: BTreeMap<ExtraName, Vec<Dependency>>,
    #[serde(default, alias = "dependency-groups")]
    dev_dependencies: BTreeMap<String, Vec<Dependency>>,
    /// Of a project: what its pyproject.toml said when it was locked.
    default_groups: Option<DefaultGroups>,
    /// Where a name is locked in several versions: when this one is meant.
    #[serde(default)]
    resolution_markers: Vec<String>,
    #[serde(default)]
    wheels: Vec<File>,
    sdist: Option<File>,
}

/// One of these says what kind of source it is; others, such as `subdirectory`, add to it.
#[derive(Deserialize, PartialEq, Eq, Clone, Debug)]
struct PackageSource {
    registry: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
    subdirectory: Option<String>,
}

impl PackageSource {
    /// The folder of a project on this machine.
    fn folder(&self) -> Option<&str> {
        self.directory.as_deref().or(self.editable.as_deref()).or(self.r#virtual.as_deref())
    }
}

#[derive(Deserialize)]
struct Dependency {
    name: PackageName,
    version: Option<Version>,
    source: Option<PackageSource>,
    #[serde(default)]
    extra: Vec<ExtraName>,
    marker: Option<String>,
}

#[derive(Deserialize)]
struct File {
    url: Option<String>,
    path: Option<String>,
    filename: Option<String>,
    hash: Option<String>,
    size: Option<u64>,
}

/// The part of pyproject.toml that says which groups are installed without being asked for.
#[derive(Deserialize, Default)]
struct PyProject {
    #[serde(default)]
    tool: Tool,
}

#[derive(Deserialize, Default)]
struct Tool {
    #[serde(default)]
    uv: ToolUv,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct ToolUv {
    default_groups: Option<DefaultGroups>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum DefaultGroups {
    /// `"all"`.
    Word(String),
    List(Vec<String>),
}

/// What uv installs where nothing is said.
impl Default for DefaultGroups {
    fn default() -> Self {
        Self::List(vec!["dev".to_owned()])
    }
}

impl DefaultGroups {
    fn contains(&self, group: &str) -> bool {
        match self {
            Self::Word(word) => word == "all",
            Self::List(groups) => groups.iter().any(|name| normalized(name) == normalized(group)),
        }
    }
}

/// Groups are compared as names of projects are (PEP 735).
fn normalized(group: &str) -> String {
    PackageName::from_str(group).map_or_else(|_| group.to_owned(), |name| name.to_string())
}

/// The groups that pyproject.toml beside the lock names, where there is one.
fn default_groups(lock: &Path) -> Result<Option<DefaultGroups>, InputError> {
    let path = lock.with_file_name("pyproject.toml");
    if !path.is_file() {
        return Ok(None);
    }
    let source = Source::open(&path)?;
    let project: PyProject = parse(&source)?;
    Ok(Some(project.tool.uv.default_groups.unwrap_or_default()))
}

fn parse<T: serde::de::DeserializeOwned>(source: &Source) -> Result<T, InputError> {
    toml::from_str(&source.text).map_err(|problem| toml_error(source, &problem))
}

fn toml_error(source: &Source, problem: &toml::de::Error) -> InputError {
    let offset = problem.span().map_or(0, |span| span.start);
    let message = problem.message().lines().next().unwrap_or("malformed TOML").to_owned();
    InputError::at(source.location(offset), message)
}

fn by_name(lock: &Lock) -> BTreeMap<&PackageName, Vec<usize>> {
    let mut by_name: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, package) in lock.packages.iter().enumerate() {
        by_name.entry(&package.get_ref().name).or_default().push(index);
    }
    by_name
}

struct Builder<'a> {
    source: &'a Source,
    lock: &'a Lock,
    by_name: BTreeMap<&'a PackageName, Vec<usize>>,
}

impl Builder<'_> {
    fn graph(&self, groups: Option<&DefaultGroups>) -> Result<LockGraph, InputError> {
        let packages = self
            .lock
            .packages
            .iter()
            .map(|package| self.package(package))
            .collect::<Result<Vec<_>, _>>()?;
        let mut graph = LockGraph { packages, ..LockGraph::default() };
        for index in self.projects() {
            let package = self.lock.packages[index].get_ref();
            graph.roots.push(Edge {
                target: index,
                extras: Vec::new(),
                marker: MarkerTree::default(),
            });
            let own = package.default_groups.clone().unwrap_or_default();
            let groups = groups.unwrap_or(&own);
            for (group, dependencies) in &package.dev_dependencies {
                if groups.contains(group) {
                    graph.roots.extend(self.edges(package, dependencies)?);
                    graph.activated.extend(conflict_name("group", &package.name, group));
                }
            }
        }
        let groups = groups.cloned().unwrap_or_default();
        let groups_of_manifest =
            self.lock.manifest.dependency_groups.iter().filter(|(group, _)| groups.contains(group));
        let requirements = self
            .lock
            .manifest
            .requirements
            .iter()
            .chain(groups_of_manifest.flat_map(|(_, requirements)| requirements));
        for requirement in requirements {
            graph.roots.extend(self.root_edges(requirement)?);
        }
        // A project without dependencies is a root that leads nowhere.
        let leads_somewhere = graph.roots.iter().any(|edge| {
            let package = &graph.packages[edge.target];
            package.source != LockedSource::Project || !package.dependencies.is_empty()
        });
        if !leads_somewhere {
            graph.roots.clear();
        }
        Ok(graph)
    }

    /// The project beside the lock; without one, every member of the workspace, as `uv sync` has it.
    fn projects(&self) -> Vec<usize> {
        let root = self.lock.packages.iter().position(|package| {
            package.get_ref().source.folder() == Some(".")
        });
        match root {
            Some(root) => vec![root],
            None => self
                .lock
                .manifest
                .members
                .iter()
                .filter_map(|member| self.by_name.get(member))
                .flatten()
                .copied()
                .collect(),
        }
    }

    fn package(&self, spanned: &Spanned<Package>) -> Result<LockedPackage, InputError> {
        let package = spanned.get_ref();
        let extras = package
            .optional_dependencies
            .iter()
            .map(|(extra, dependencies)| Ok((extra.clone(), self.edges(package, dependencies)?)))
            .collect::<Result<BTreeMap<_, _>, InputError>>()?;
        let extra_markers = package
            .optional_dependencies
            .keys()
            .filter_map(|extra| {
                Some((extra.clone(), conflict_name("extra", &package.name, extra.as_ref())?))
            })
            .collect();
        Ok(LockedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            source: self.locked_source(package),
            files: package
                .wheels
                .iter()
                .chain(&package.sdist)
                .filter_map(|file| distribution_file(file, package))
                .collect(),
            dependencies: self.edges(package, &package.dependencies)?,
            extras,
            location: self.source.location(spanned.span().start),
            extra_markers,
            project_marker: project_conflict_name(&package.name),
        })
    }

    fn locked_source(&self, package: &Package) -> LockedSource {
        let is_member = self.lock.manifest.members.contains(&package.name);
        match &package.source {
            PackageSource { git: Some(_), .. } => {
                LockedSource::Built("a git repository".to_owned())
            }
            source => match source.folder() {
                Some(".") => LockedSource::Project,
                Some(_) if is_member => LockedSource::Project,
                Some(folder) => LockedSource::Built(format!("the directory `{folder}`")),
                None => LockedSource::Files,
            },
        }
    }

    fn edges(
        &self,
        package: &Package,
        dependencies: &[Dependency],
    ) -> Result<Vec<Edge>, InputError> {
        dependencies
            .iter()
            .map(|dependency| {
                let target = self.target(dependency).ok_or_else(|| {
                    InputError::of_file(
                        &self.source.shown,
                        format!(
                            "`{}` depends on `{}`, which is not locked",
                            package.name, dependency.name
                        ),
                    )
                    .hint("is the file complete? `uv lock` writes it anew")
                })?;
                let marker = self.marker(dependency.marker.as_deref(), &dependency.name)?;
                Ok(Edge { target, extras: dependency.extra.clone(), marker })
            })
            .collect()
    }

    /// The one package of that name, version and source; the latter two only stand where the name
    /// alone is not enough.
    fn target(&self, dependency: &Dependency) -> Option<usize> {
        let mut matching = self.by_name.get(&dependency.name)?.iter().copied().filter(|index| {
            let package = self.lock.packages[*index].get_ref();
            let same_version = dependency
                .version
                .as_ref()
                .is_none_or(|version| package.version.as_ref() == Some(version));
            let same_source =
                dependency.source.as_ref().is_none_or(|source| package.source == *source);
            same_version && same_source
        });
        let target = matching.next()?;
        matching.next().is_none().then_some(target)
    }

    /// A requirement of a script names no version: every locked one applies, each on its own markers.
    fn root_edges(&self, requirement: &ManifestRequirement) -> Result<Vec<Edge>, InputError> {
        let marker = self.marker(requirement.marker.as_deref(), &requirement.name)?;
        let targets = self.by_name.get(&requirement.name).ok_or_else(|| {
            InputError::of_file(
                &self.source.shown,
                format!("`{}` is required, and not locked", requirement.name),
            )
        })?;
        targets
            .iter()
            .map(|target| {
                let mut marker = marker.clone();
                marker.and(self.resolution_marker(self.lock.packages[*target].get_ref())?);
                Ok(Edge { target: *target, extras: requirement.extras.clone(), marker })
            })
            .collect()
    }

    /// When this version of the package is meant: in any of the environments it was resolved for.
    fn resolution_marker(&self, package: &Package) -> Result<MarkerTree, InputError> {
        let mut any = if package.resolution_markers.is_empty() {
            MarkerTree::TRUE
        } else {
            MarkerTree::FALSE
        };
        for text in &package.resolution_markers {
            any.or(self.marker(Some(text), &package.name)?);
        }
        Ok(any)
    }

    fn marker(&self, text: Option<&str>, name: &PackageName) -> Result<MarkerTree, InputError> {
        text.map_or(Ok(MarkerTree::default()), |text| {
            MarkerTree::from_str(text).map_err(|problem| {
                InputError::of_file(
                    &self.source.shown,
                    format!("the marker `{text}` of `{name}` is malformed: {}", problem.message),
                )
            })
        })
    }
}

/// What markers of a lock call a group or extra of a package where some of them conflict, such as
/// `extra-7-project-cpu` (uv's `ConflictItem`, as it stands in the files).
fn conflict_name(kind: &str, package: &PackageName, item: &str) -> Option<ExtraName> {
    let package = package.to_string();
    ExtraName::from_str(&format!("{kind}-{}-{package}-{item}", package.len())).ok()
}

/// The same for a project as a whole, such as `project-4-left`.
fn project_conflict_name(package: &PackageName) -> Option<ExtraName> {
    let package = package.to_string();
    ExtraName::from_str(&format!("project-{}-{package}", package.len())).ok()
}

fn distribution_file(file: &File, package: &Package) -> Option<DistributionFile> {
    let url = match (&file.url, &file.path, &package.source.url) {
        (Some(url), _, _) => Url::parse(url).ok()?,
        // The only file of a URL dependency lies at that URL.
        (None, None, Some(url)) => Url::parse(url).ok()?,
        (None, path, _) => {
            // A folder of files: nothing is read from it, and the URL tells where it lies.
            let path = path.as_deref().or(file.filename.as_deref())?;
            Url::parse("file:///").ok()?.join(path).ok()?
        }
    };
    let named = file.filename.clone().unwrap_or_else(|| last_segment(&url));
    Some(DistributionFile {
        kind: DistributionKind::parse(&named, &package.name)?,
        url,
        sha256: file
            .hash
            .as_deref()
            .and_then(|hash| hash.strip_prefix("sha256:"))
            .and_then(|digest| Sha256::from_str(digest).ok()),
        size: file.size,
        requires_python: None,
        yanked: false,
    })
}
