//! uv's lockfile, version 1.
//!
//! It names every wheel with its URL, size and digest. What is installed follows from the
//! project's own entry: its dependencies, and the groups that uv installs by default, which
//! pyproject.toml beside the lock may change (`tool.uv.default-groups`).

mod changed;
mod freshness;
mod schema;

use std::collections::BTreeMap;
use std::str::FromStr;

use pep508_rs::{ExtraName, MarkerTree, PackageName};
use toml::Spanned;
use url::Url;

use self::freshness::Origin;
use self::schema::{
    DefaultGroups, Dependency, File, Lock, Package, PackageSource, RequiredName, Versioned,
};
use super::document::toml_error;
use super::{Content, Format, Gap, InputError, Manifest, Source};
use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use crate::model::location::last_segment;
use crate::model::lock::{Edge, LockGraph, LockedPackage, LockedSource, Root};
use crate::model::pep508;
use crate::model::requirement::{GroupName, Section, Sections};

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
        let origin = Origin::of(&source.path)?;
        let groups = origin
            .project()
            .map(|project| DefaultGroups::of(project).map(Option::unwrap_or_default))
            .transpose()?;
        let builder = Builder { source, lock: &lock, by_name: by_name(&lock) };
        builder.check_members()?;
        let mut graph = builder.graph()?;
        for named in origin.named()? {
            graph.named.entry(named.name).or_insert(named.location);
        }
        if graph.roots.is_empty() {
            return Err(InputError::of_file(
                &source.shown,
                "expected a project with dependencies, found none",
            ));
        }
        Ok(Manifest {
            content: Content::Lock(graph),
            sections: builder.sections(groups.as_ref()),
            gaps: builder.gaps(&origin)?,
            ..Manifest::default()
        })
    }
}

fn parse<T: serde::de::DeserializeOwned>(source: &Source) -> Result<T, InputError> {
    toml::from_str(&source.text).map_err(|problem| lock_error(source, &problem))
}

fn lock_error(source: &Source, problem: &toml::de::Error) -> InputError {
    toml_error(source, problem).or_hint("is the file complete? `uv lock` writes it anew")
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
    fn graph(&self) -> Result<LockGraph, InputError> {
        let packages = self
            .lock
            .packages
            .iter()
            .map(|package| self.package(package))
            .collect::<Result<Vec<_>, _>>()?;
        let mut graph = LockGraph { packages, ..LockGraph::default() };
        for target in self.projects() {
            let package = self.lock.packages[target].get_ref();
            let itself = |extras| Edge { target, extras, marker: MarkerTree::default() };
            graph.roots.push(Root { section: Section::Base, edge: itself(Vec::new()) });
            for extra in package.optional_dependencies.keys() {
                let section = Section::Extra(extra.clone());
                graph.roots.push(Root { section, edge: itself(vec![extra.clone()]) });
            }
            for (group, dependencies) in &package.dev_dependencies {
                let section = Section::Group(GroupName::new(group));
                let edges = self.edges(package, dependencies)?;
                graph
                    .roots
                    .extend(edges.into_iter().map(|edge| Root { section: section.clone(), edge }));
                let name = conflict_name("group", &package.name, group);
                graph.activated.extend(name.map(|name| (section, name)));
            }
        }
        let manifest = &self.lock.manifest;
        let base = manifest.requirements.iter().map(|requirement| (Section::Base, requirement));
        let groups = manifest.dependency_groups.iter().flat_map(|(group, requirements)| {
            let section = Section::Group(GroupName::new(group));
            requirements.iter().map(move |requirement| (section.clone(), requirement))
        });
        for (section, requirement) in base.chain(groups) {
            let edges = self.root_edges(requirement)?;
            graph
                .roots
                .extend(edges.into_iter().map(|edge| Root { section: section.clone(), edge }));
        }
        // A project without dependencies is a root that leads nowhere.
        let leads_somewhere = graph.roots.iter().any(|root| {
            let package = &graph.packages[root.edge.target];
            package.source != LockedSource::Project
                || !package.dependencies.is_empty()
                || !package.extras.is_empty()
        });
        if !leads_somewhere {
            graph.roots.clear();
        }
        Ok(graph)
    }

    /// What shows that the lock does not fit: other Pythons, other environments, or a project that
    /// has changed since.
    fn gaps(&self, origin: &Origin) -> Result<Vec<Gap>, InputError> {
        let mut gaps = Vec::new();
        gaps.extend(self.lock.requires_python.clone().map(Gap::RequiresPython));
        if !self.lock.supported_markers.is_empty() {
            let markers = &self.lock.supported_markers;
            let markers = markers.iter().map(|text| self.marker_of(text, "the file"));
            gaps.push(Gap::Environments(markers.collect::<Result<_, _>>()?));
        }
        gaps.extend(freshness::gaps(self.lock, origin)?);
        Ok(gaps)
    }

    /// The extras and groups of the project, or of all members of a workspace without one.
    fn sections(&self, groups: Option<&DefaultGroups>) -> Sections {
        let mut sections = Sections::default();
        for index in self.projects() {
            let package = self.lock.packages[index].get_ref();
            let own = package.default_groups.clone().unwrap_or_default();
            let groups = groups.unwrap_or(&own);
            sections.extras.extend(package.optional_dependencies.keys().cloned());
            for name in package.dev_dependencies.keys() {
                sections.groups.insert(GroupName::new(name));
                if groups.contains(name) {
                    sections.default_groups.insert(GroupName::new(name));
                }
            }
        }
        let groups = groups.cloned().unwrap_or_default();
        for name in self.lock.manifest.dependency_groups.keys() {
            sections.groups.insert(GroupName::new(name));
            if groups.contains(name) {
                sections.default_groups.insert(GroupName::new(name));
            }
        }
        sections
    }

    /// The project beside the lock; without one, every member of the workspace, as `uv sync` has it.
    fn projects(&self) -> Vec<usize> {
        let root = self
            .lock
            .packages
            .iter()
            .position(|package| package.get_ref().source.folder() == Some("."));
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

    /// Every member of the workspace has an entry: one without was cut off.
    fn check_members(&self) -> Result<(), InputError> {
        let mut members = self.lock.manifest.members.iter();
        match members.find(|member| !self.by_name.contains_key(member)) {
            None => Ok(()),
            Some(member) => Err(InputError::of_file(
                &self.source.shown,
                format!("`{member}` is a member of the workspace, and not locked"),
            )
            .hint("is the file complete? `uv lock` writes it anew")),
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
            files: self.files(package)?,
            dependencies: self.edges(package, &package.dependencies)?,
            extras,
            location: self.source.location(spanned.span().start),
            extra_markers,
            project_marker: project_conflict_name(&package.name),
        })
    }

    fn files(&self, package: &Package) -> Result<Vec<DistributionFile>, InputError> {
        let mut files = Vec::new();
        for file in package.wheels.iter().chain(&package.sdist) {
            // The URL says which file it is, whatever the digest: one of another algorithm than
            // sha256 would only tell that it has been changed there, which uv would not install.
            let digest = file.hash.as_deref().and_then(|hash| hash.strip_prefix("sha256:"));
            let sha256 = digest.map(Sha256::from_str).transpose().map_err(|problem| {
                let problem = format!("the digest of a file of `{}`: {problem}", package.name);
                InputError::of_file(&self.source.shown, problem)
                    .hint("is the file complete? `uv lock` writes it anew")
            })?;
            files.extend(distribution_file(file, package, sha256));
        }
        Ok(files)
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
    fn root_edges(&self, requirement: &RequiredName) -> Result<Vec<Edge>, InputError> {
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
        text.map_or(Ok(MarkerTree::default()), |text| self.marker_of(text, name.as_ref()))
    }

    fn marker_of(&self, text: &str, owner: &str) -> Result<MarkerTree, InputError> {
        pep508::marker(text).map_err(|problem| {
            InputError::of_file(
                &self.source.shown,
                format!("the marker `{text}` of `{owner}` is malformed: {}", problem.problem),
            )
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

fn distribution_file(
    file: &File,
    package: &Package,
    sha256: Option<Sha256>,
) -> Option<DistributionFile> {
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
        sha256,
        size: file.size,
        requires_python: None,
        yanked: false,
        metadata: MetadataFile::Absent,
    })
}
