//! What the user's own files and the other packages ask of a package.

use std::collections::BTreeMap;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{PackageName, VerbatimUrl, VersionOrUrl};

use super::look::Looker;
use crate::input::Requirements;
use crate::model::advice::{Asker, Obstacle};
use crate::model::location::{Location, redacted};
use crate::model::metadata::CoreMetadata;
use crate::model::report::PackageReport;
use crate::model::requirement::{Requirement, Wanted};
use crate::pipeline::Scene;
use crate::resolve::{Index, ranges};

/// A requirement in a package's metadata.
type Required = pep508_rs::Requirement<VerbatimUrl>;

/// What is asked of one package.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds {
    pub(super) all: Vec<Bound>,
    /// What could not be found out of it.
    pub(super) unknown: Vec<String>,
}

/// One requirement.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) from: Asker,
    /// As it is shown.
    pub(super) text: String,
    /// What it lets through; none where it names a file.
    specifiers: Option<VersionSpecifiers>,
    pub(super) location: Option<Location>,
    /// The user's own requirement.
    pub(super) own: Option<Requirement>,
}

impl Bound {
    fn of_user(from: Asker, requirement: &Requirement) -> Self {
        let specifiers = match &requirement.wanted {
            Wanted::Release(specifiers) => Some(specifiers.clone()),
            Wanted::Url(_) | Wanted::File(_) | Wanted::Unchecked(_) => None,
        };
        Self {
            from,
            text: shown(requirement),
            specifiers,
            location: Some(requirement.location.clone()),
            own: Some(requirement.clone()),
        }
    }

    fn allows(&self, version: &Version) -> bool {
        self.specifiers
            .as_ref()
            .is_some_and(|specifiers| ranges::of_specifiers(specifiers).contains(version))
    }
}

impl Bounds {
    /// What the user's files ask of a package at a place.
    pub(super) fn of_user(user: &Requirements, name: &PackageName, scene: &Scene) -> Self {
        let of_name = |all: &[Requirement], from: &Asker| -> Vec<Bound> {
            all.iter()
                .filter(|one| one.name == *name)
                .filter(|one| one.marker.evaluate(&scene.environment, &[]))
                .map(|one| Bound::of_user(from.clone(), one))
                .collect()
        };
        let overrides = of_name(&user.overrides, &Asker::Override);
        let constraints = of_name(&user.constraints, &Asker::Constraint);
        let required =
            if overrides.is_empty() { of_name(&user.required, &Asker::Project) } else { overrides };
        Self { all: required.into_iter().chain(constraints).collect(), unknown: Vec::new() }
    }

    /// Whether an override stands in place of what everyone else asks.
    fn is_overridden(&self) -> bool {
        self.all.iter().any(|bound| bound.from == Asker::Override)
    }

    /// Whether all of it lets a release through.
    pub(super) fn allow(&self, version: &Version) -> bool {
        self.all.iter().all(|bound| bound.allows(version))
    }

    /// What does not let a release through.
    pub(super) fn in_the_way(&self, version: &Version) -> impl Iterator<Item = &Bound> {
        self.all.iter().filter(|bound| !bound.allows(version))
    }

    /// The user's own requirement that names the package, if any.
    pub(super) fn own(&self) -> Option<&Requirement> {
        self.all.iter().find(|bound| bound.from == Asker::Project)?.own.as_ref()
    }

    /// Whether one of the user's own requirements names a pre-release.
    pub(super) fn name_prerelease(&self) -> bool {
        let specifiers = self.all.iter().filter(|bound| bound.own.is_some());
        specifiers
            .filter_map(|bound| bound.specifiers.as_ref())
            .flat_map(|all| all.iter())
            .any(|one| one.version().any_prerelease())
    }
}

impl Bound {
    /// The same for a report.
    pub(super) fn obstacle(&self) -> Obstacle {
        Obstacle {
            requirement: self.text.clone(),
            from: self.from.clone(),
            location: self.location.clone(),
        }
    }
}

/// Adds what the packages that are installed beside it ask of `name`.
pub(super) async fn add_packages<I: Index>(
    bounds: &mut Bounds,
    name: &PackageName,
    here: &[&PackageReport],
    indexes: &BTreeMap<PackageName, String>,
    scene: &Scene,
    looker: &Looker<I>,
) {
    if bounds.is_overridden() {
        return;
    }
    for parent in here.iter().filter(|one| one.requires.iter().any(|one| one == name.as_ref())) {
        match metadata(parent, indexes, looker).await {
            Ok(metadata) => add_parent(bounds, name, parent, &metadata, scene),
            Err(problem) => {
                let asked = format!("what {} asks of {name} is not known: {problem}", parent.name);
                bounds.unknown.push(asked);
            }
        }
    }
}

fn add_parent(
    bounds: &mut Bounds,
    name: &PackageName,
    parent: &PackageReport,
    metadata: &CoreMetadata,
    scene: &Scene,
) {
    let of_name = || metadata.requires_dist.iter().filter(|one| one.name == *name);
    let always: Vec<_> =
        of_name().filter(|one| one.marker.evaluate(&scene.environment, &[])).collect();
    // Where it is an extra that asks for it, which extras were chosen is not kept in the report.
    let extras = || {
        of_name()
            .filter(|one| one.marker.evaluate(&scene.environment, &metadata.provides_extra))
            .collect()
    };
    let version = parent.version.as_deref().unwrap_or("?");
    if !always.is_empty() {
        let all: Vec<&Required> = extras();
        let only_then = all.iter().find(|one| {
            one.version_or_url.is_some()
                && !always.iter().any(|other| other.version_or_url == one.version_or_url)
        });
        if let Some(one) = only_then {
            bounds.unknown.push(format!(
                "an extra of {} {version} asks for {name}{}, and whether it is chosen is not known",
                parent.name,
                wanted(one).1
            ));
        }
    }
    let asked: Vec<_> = if always.is_empty() { extras() } else { always };
    for one in asked {
        let (specifiers, wanted) = wanted(one);
        let root = parent.via.first().and_then(|step| step.location.clone());
        bounds.all.push(Bound {
            from: Asker::Package(format!("{} {version}", parent.name)),
            text: format!("{name}{wanted}"),
            specifiers,
            location: root.or_else(|| parent.required_by.clone()),
            own: None,
        });
    }
}

/// The releases that a requirement of a package allows, and how it is written; no releases of an
/// address.
fn wanted(one: &Required) -> (Option<VersionSpecifiers>, String) {
    match &one.version_or_url {
        None => (Some(VersionSpecifiers::empty()), String::new()),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
            (Some(specifiers.clone()), specifiers.to_string().replace(' ', ""))
        }
        Some(VersionOrUrl::Url(url)) => (None, format!(" @ {}", redacted(&url.to_url()))),
    }
}

async fn metadata<I: Index>(
    package: &PackageReport,
    indexes: &BTreeMap<PackageName, String>,
    looker: &Looker<I>,
) -> Result<CoreMetadata, String> {
    let name: PackageName =
        package.name.parse().map_err(|_| "its name is none of a package".to_owned())?;
    let version: Version = package
        .version
        .as_deref()
        .and_then(|version| version.parse().ok())
        .ok_or_else(|| "its release is not known".to_owned())?;
    let from = indexes.get(&name).map(String::as_str);
    let candidates = looker.candidates(&name, from).await?;
    let file = candidates
        .release(&version)
        .and_then(|release| release.metadata_file(looker.place.target, &looker.tags))
        .ok_or_else(|| format!("the index has no file of {version}"))?;
    looker.index().metadata(file).await.map_err(|problem| problem.to_string())
}

/// A requirement of the user's as it is shown: without its marker.
fn shown(requirement: &Requirement) -> String {
    let name = &requirement.name;
    let wanted = match &requirement.wanted {
        Wanted::Release(specifiers) => specifiers.to_string().replace(' ', ""),
        Wanted::Url(url) => format!(" @ {}", redacted(url)),
        Wanted::File(path) => format!(" @ {}", path.display()),
        Wanted::Unchecked(_) => String::new(),
    };
    format!("{}{wanted}", with_extras(name, requirement))
}

/// The name with the extras that are asked for.
pub(super) fn with_extras(name: &PackageName, requirement: &Requirement) -> String {
    if requirement.extras.is_empty() {
        return name.to_string();
    }
    let extras: Vec<String> = requirement.extras.iter().map(ToString::to_string).collect();
    format!("{name}[{}]", extras.join(","))
}
