//! From manifests to the list of packages to look at, for one target on one platform: locks are
//! walked, requirements are resolved, and what requires what is kept.
//!
//! Nothing is looked into here: that is the work of [`super::look`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::BitOr;
use std::sync::Arc;

use pep508_rs::{MarkerTree, PackageName};

use super::{Scene, Settings, conda};
use crate::input::{Content, Gap, Manifest, Requirements};
use crate::model::digest::Sha256;
use crate::model::distribution::DistributionFile;
use crate::model::location::Location;
use crate::model::lock::{Installed, LockGraph, LockedSource, Walk};
use crate::model::report::{PackageReport, Skipped};
use crate::model::requirement::{Requirement, Sections};
use crate::model::tag::TagOrder;
use crate::resolve::graph::{Graph, Node};
use crate::resolve::solve::{self, Request, Resolution, ResolvedRelease, SolveError};
use crate::resolve::{Index, lock};

/// What is to be looked at, and why it is there.
#[derive(Debug, Default)]
pub struct Plan {
    /// What requires what; the tasks by their place are those of [`Self::tasks`].
    pub graph: Graph,
    /// One for each node of the graph.
    pub tasks: Vec<Task>,
    /// Conda packages, of which all is known that the files tell.
    pub conda: Vec<PackageReport>,
    /// Requirements that do not apply here.
    pub skipped: Vec<Skipped>,
    /// What the reader has to know to read the rest rightly.
    pub notes: Vec<String>,
    /// What cannot be covered.
    pub gaps: Vec<String>,
    /// Those of the gaps that an installer would stop at: it could not install this.
    pub problems: Vec<String>,
    /// Whether more is installed than what is looked at, of which nothing is known.
    pub is_partial: bool,
}

/// One package to look at.
#[derive(Debug)]
pub struct Task {
    /// The normalized name.
    pub name: PackageName,
    /// Where the user's files name it, or the lockfile.
    pub location: Location,
    /// What is known of it beforehand.
    pub subject: Subject,
}

/// What is known of a package beforehand.
#[derive(Debug)]
pub enum Subject {
    /// These are the files of the release.
    Files {
        /// The release.
        version: Option<String>,
        /// Its files.
        files: Vec<DistributionFile>,
    },
    /// The release is decided on, and its files are asked of an index.
    Release {
        /// The release.
        version: pep440_rs::Version,
        /// The index it comes from, by name.
        index: Option<String>,
        /// The digests that its file has to have one of; none where any file will do.
        hashes: Vec<Sha256>,
    },
    /// The user named this file: nobody else vouches that it is there.
    File(Box<DistributionFile>),
    /// It is installed, and its files were looked at.
    Installed {
        /// The release.
        version: Option<String>,
        /// What was found.
        installed: Box<Installed>,
    },
    /// There is nothing that could be looked at; the text says why.
    Unchecked {
        /// The release, where one is known.
        version: Option<String>,
        /// Why.
        reason: String,
    },
}

impl Subject {
    /// The release, where one is known.
    pub(super) fn version(&self) -> Option<String> {
        match self {
            Self::Files { version, .. }
            | Self::Installed { version, .. }
            | Self::Unchecked { version, .. } => version.clone(),
            Self::Release { version, .. } => Some(version.to_string()),
            Self::File(file) => Some(file.kind.version().to_string()),
        }
    }
}

/// Decides what would be installed.
///
/// # Errors
/// Where requirements exclude each other.
pub async fn plan<I: Index + 'static>(
    manifests: &[Manifest],
    settings: &Settings,
    scene: &Scene,
    index: &Arc<I>,
) -> Result<Plan, SolveError> {
    let mut plan = Plan::default();
    let mut request = Requirements::default();
    for manifest in manifests {
        plan.notes.extend(manifest.notes.iter().cloned());
        let open = manifest.gaps.iter().filter_map(|gap| open_gap(gap, scene));
        plan.gaps.extend(open);
        plan.skipped.extend(manifest.projects.iter().map(|project| Skipped {
            name: project.name.to_string(),
            version: None,
            reason: "the project's own code".to_owned(),
            required_by: Some(project.location.clone()),
        }));
        let left_out = settings.choice.left_out(&manifest.sections);
        if !left_out.is_empty() {
            let left_out = left_out.join(", ");
            plan.notes.push(format!(
                "not looked at, since it is installed only where asked for: {left_out}"
            ));
        }
        conda::add(&mut plan, manifest, settings, scene);
        match &manifest.content {
            Content::Lock(graph) => plan.add_lock(graph, &manifest.sections, settings, scene),
            Content::Requirements(all) => {
                let chosen =
                    |one: &&Requirement| settings.choice.includes(&one.section, &manifest.sections);
                request.required.extend(all.required.iter().filter(chosen).cloned());
                request.constraints.extend(all.constraints.iter().cloned());
                request.overrides.extend(all.overrides.iter().cloned());
            }
        }
    }
    request.required = plan.applying(request.required, &request.overrides, scene);
    if !request.required.is_empty() {
        let prereleases = settings
            .prereleases
            .or_else(|| manifests.iter().find_map(|manifest| manifest.prereleases));
        let request = Request {
            required: request.required,
            constraints: request.constraints,
            overrides: request.overrides,
            prereleases: prereleases.unwrap_or_default(),
            target: scene.place.target,
            environment: scene.environment.clone(),
            tags: Arc::new(TagOrder::new(scene.place.target, scene.place.platform)),
            jobs: settings.jobs,
            no_dependencies: settings.no_dependencies,
        };
        if settings.no_dependencies {
            plan.is_partial = true;
            plan.notes.push(
                "only the requirements themselves were looked at, not what they depend on"
                    .to_owned(),
            );
        }
        let required = request.required.clone();
        let resolution = solve::resolve(Arc::clone(index), request).await?;
        plan.add_resolution(resolution, &required);
    }
    if plan.tasks.is_empty() && plan.conda.is_empty() {
        let place = scene.place;
        plan.gaps.push(format!("nothing to look at: no requirement applies to {place}"));
    }
    Ok(plan)
}

impl Plan {
    /// The requirements whose markers apply; the others are told as skipped.
    fn applying(
        &mut self,
        required: Vec<Requirement>,
        overrides: &[Requirement],
        scene: &Scene,
    ) -> Vec<Requirement> {
        let applies = |one: &Requirement| one.marker.evaluate(&scene.environment, &[]);
        let overriding = |one: &Requirement| {
            overrides
                .iter()
                .filter(|other| other.name == one.name)
                .map(applies)
                .reduce(BitOr::bitor)
        };
        // As in uv, an override stands in place of the marker too.
        let (applying, others): (Vec<_>, Vec<_>) =
            required.into_iter().partition(|one| overriding(one).unwrap_or_else(|| applies(one)));
        self.skipped.extend(others.into_iter().map(|one| {
            let marker = if overriding(&one).is_some() {
                "that of an override".to_owned()
            } else {
                one.marker.try_to_string().unwrap_or_default()
            };
            Skipped {
                name: one.name.to_string(),
                version: None,
                reason: format!("its marker does not apply: {marker}"),
                required_by: Some(one.location),
            }
        }));
        applying
    }

    fn add_resolution(&mut self, resolution: Resolution, required: &[Requirement]) {
        let Resolution { graph, packages, problems } = resolution;
        self.gaps.extend(problems.iter().cloned());
        self.problems.extend(problems);
        // What the user named first of all that leads to a package is where its finding belongs.
        let chains = graph.chains();
        let first = |index: usize| {
            let direct = chains.get(index)?.first()?;
            graph.nodes.get(*direct)?.direct.clone()
        };
        let anywhere = required.first().map(|one| one.location.clone());
        let offset = self.graph.nodes.len();
        for (index, package) in packages.into_iter().enumerate() {
            if let Some(reason) = package.unknown_requirements {
                self.gaps.push(format!("what {} requires is not known: {reason}", package.name));
            }
            let subject = match package.release {
                ResolvedRelease::Chosen(version, files) => {
                    Subject::Files { version: Some(version.to_string()), files }
                }
                ResolvedRelease::File(_, file) => Subject::File(file),
                ResolvedRelease::NotLookedAt { pinned, reason } => {
                    Subject::Unchecked { version: pinned.map(|one| one.to_string()), reason }
                }
            };
            let location = first(index).or_else(|| anywhere.clone());
            let location = location.unwrap_or_else(|| Location::of_offset("", "", 0));
            self.tasks.push(Task { name: package.name, location, subject });
        }
        self.graph.nodes.extend(graph.nodes.into_iter().map(|node| Node {
            requires: node.requires.iter().map(|index| index + offset).collect(),
            ..node
        }));
    }

    fn add_lock(
        &mut self,
        graph: &LockGraph,
        sections: &Sections,
        settings: &Settings,
        scene: &Scene,
    ) {
        let selection = lock::select(graph, &scene.environment, |section| {
            settings.choice.includes(section, sections)
        });
        let direct = direct(graph, &selection);
        let elsewhere: BTreeSet<usize> = selection.elsewhere.iter().copied().collect();
        let unasked: BTreeSet<usize> = selection.unasked.iter().copied().collect();
        // Where each package of the lock stands among the tasks.
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        for (index, package) in graph.packages.iter().enumerate() {
            let version = package.version.as_ref().map(ToString::to_string);
            let skip = |reason: &str| Skipped {
                name: package.name.to_string(),
                version: version.clone(),
                reason: reason.to_owned(),
                required_by: Some(package.location.clone()),
            };
            if elsewhere.contains(&index) {
                let reason = "its marker does not apply to this target and platform";
                self.skipped.push(skip(reason));
                continue;
            }
            if unasked.contains(&index) {
                let reason = "of an extra, a group or a member that is not installed by default";
                self.skipped.push(skip(reason));
                continue;
            }
            let source = match &package.source {
                // Built for another interpreter or platform, it says nothing of this one.
                LockedSource::Installed(installed) if installed.place != scene.place => {
                    &installed.elsewhere
                }
                source => source,
            };
            let subject = match source {
                LockedSource::Project => {
                    self.skipped.push(skip("the project's own code"));
                    continue;
                }
                LockedSource::Built(what) => Subject::Unchecked {
                    version: version.clone(),
                    reason: format!("{what} would be built from source"),
                },
                LockedSource::Installed(installed) => {
                    Subject::Installed { version: version.clone(), installed: installed.clone() }
                }
                LockedSource::Files if package.files.is_empty() => Subject::Unchecked {
                    version: version.clone(),
                    reason: "the lockfile names no file of it".to_owned(),
                },
                LockedSource::Files => {
                    Subject::Files { version: version.clone(), files: package.files.clone() }
                }
                LockedSource::Index { index, hashes } => match &package.version {
                    Some(version) => Subject::Release {
                        version: version.clone(),
                        index: index.clone(),
                        hashes: hashes.clone(),
                    },
                    None => Subject::Unchecked {
                        version: None,
                        reason: "the lockfile names no release of it".to_owned(),
                    },
                },
            };
            places.insert(index, self.graph.nodes.len());
            let named = graph.named.get(&package.name).unwrap_or(&package.location);
            self.graph.nodes.push(Node {
                name: package.name.to_string(),
                version,
                direct: direct.contains(&index).then(|| named.clone()),
                requires: Vec::new(),
            });
            let location = package.location.clone();
            self.tasks.push(Task { name: package.name.clone(), location, subject });
        }
        for (from, to) in &selection.edges {
            if let (Some(from), Some(to)) = (places.get(from), places.get(to))
                && let Some(node) = self.graph.nodes.get_mut(*from)
                && from != to
            {
                node.requires.push(*to);
            }
        }
    }
}

/// The packages of a lock that the user's own files name.
fn direct(graph: &LockGraph, selection: &lock::Selection) -> BTreeSet<usize> {
    let is_project = |index: &usize| {
        graph.packages.get(*index).is_some_and(|package| package.source == LockedSource::Project)
    };
    if graph.walk != Walk::Roots {
        let of_projects =
            selection.edges.iter().filter(|(from, _)| is_project(from)).map(|(_, to)| *to);
        let asked = selection.asked.iter().copied();
        return asked.chain(of_projects).filter(|index| !is_project(index)).collect();
    }
    let installed = selection.installed.iter().copied();
    if graph.named.is_empty() {
        let required: BTreeSet<usize> = selection
            .edges
            .iter()
            .filter(|(from, to)| from != to && !is_project(from))
            .map(|(_, to)| *to)
            .collect();
        return installed.filter(|index| !required.contains(index)).collect();
    }
    installed
        .filter(|index| {
            graph.packages.get(*index).is_some_and(|one| graph.named.contains_key(&one.name))
        })
        .collect()
}

/// What is left of a gap for this target and platform.
fn open_gap(gap: &Gap, scene: &Scene) -> Option<String> {
    match gap {
        Gap::Always(text) => Some(text.clone()),
        Gap::RequiresPython(range) => {
            let python = scene.place.target.python_full_version();
            (!range.contains(&python)).then(|| {
                format!("the file is for Python `{range}`, which excludes {python}: packages for it may be missing")
            })
        }
        Gap::Narrower { asked, known, told } => {
            let applies = |marker: &MarkerTree| marker.evaluate(&scene.environment, &[]);
            (applies(asked) && !known.iter().any(applies)).then(|| told.clone())
        }
        Gap::Environments(markers) => {
            let covered = markers.iter().any(|marker| marker.evaluate(&scene.environment, &[]));
            (!covered).then(|| {
                format!(
                    "the file is for other environments than {}: packages for it may be missing",
                    scene.place.platform
                )
            })
        }
    }
}
