//! What the solver is told: which release to try next, and what it requires.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName, VersionOrUrl};
use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, DerivationTree,
    PackageResolutionStatistics, Ranges, SelectedDependencies,
};

use super::explain;
use super::knowledge::{self, Knowledge};
use super::named::{self, Named};
use super::{Request, Resolution, Resolved, ResolvedRelease};
use crate::model::distribution::DistributionFile;
use crate::resolve::graph::{Graph, Node};
use crate::resolve::{Index, MetadataError, ranges};

/// What the solver decides on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Package {
    /// What the user asks for as a whole.
    Root,
    /// A package.
    Named(PackageName),
    /// An extra of a package: the same release, and what the extra adds.
    Extra(PackageName, ExtraName),
}

impl Package {
    pub(super) fn name(&self) -> Option<&PackageName> {
        match self {
            Self::Root => None,
            Self::Named(name) | Self::Extra(name, _) => Some(name),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the project"),
            Self::Named(name) => write!(f, "{name}"),
            Self::Extra(name, extra) => write!(f, "{name}[{extra}]"),
        }
    }
}

/// Why a search begins anew.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// A release requires this file of a package.
    #[error("{0} is required as a file")]
    NeedsFile(PackageName, Box<DistributionFile>),
    /// One release of a package after the other turned out not to go with what was decided on
    /// before: it should be decided on earlier.
    #[error("{0} is to be decided on earlier")]
    DecideEarlier(PackageName),
}

/// How many releases of a package are tried after what others decided.
///
/// Where a package pins a range of another one that is chosen first, the newest release of the one
/// goes with an old one of the other, or the other way round. uv, too, changes the order after five
/// conflicts, so that the package which was in the way gives way.
const MAX_TRIES: u32 = 5;

pub(super) type Tree = DerivationTree<Package, Ranges<Version>, String>;
pub(super) type Selected = SelectedDependencies<Package, Version>;

/// One requirement as it applies here, from whichever side.
struct Applying {
    name: PackageName,
    extras: Vec<ExtraName>,
    range: Ranges<Version>,
}

/// What is found out on the way that the solver has no use for.
#[derive(Default)]
struct Aside {
    /// Packages that are not looked at, with the reason.
    not_looked_at: BTreeMap<PackageName, String>,
    /// Requirements that no release fits.
    problems: BTreeSet<String>,
    /// The packages that are meant, and what was asked of them.
    unfit: BTreeMap<PackageName, String>,
    /// In which order packages were seen first.
    seen: HashMap<Package, usize>,
    /// How often a release of a package was chosen.
    tries: HashMap<PackageName, u32>,
}

pub(super) struct Provider<'a, I> {
    request: &'a Request,
    knowledge: &'a Knowledge<I>,
    named: &'a Named,
    /// Packages that are decided on before others, in this order.
    early: &'a [PackageName],
    /// Whether releases count that no installer could take.
    unusable_too: bool,
    aside: RefCell<Aside>,
}

impl<'a, I: Index + 'static> Provider<'a, I> {
    pub(super) fn new(
        request: &'a Request,
        knowledge: &'a Knowledge<I>,
        named: &'a Named,
        early: &'a [PackageName],
        unusable_too: bool,
    ) -> Self {
        let aside = Aside { not_looked_at: named.not_looked_at.clone(), ..Aside::default() };
        Self { request, knowledge, named, early, unusable_too, aside: RefCell::new(aside) }
    }

    /// Why there is no answer, in the words of the user's files.
    pub(super) fn explain(&self, tree: &Tree) -> String {
        explain::explain(tree, self.named, |name| {
            let releases = self.knowledge.releases(name);
            let versions =
                releases.as_ref().as_ref().map(|known| known.versions().cloned().collect());
            versions.unwrap_or_default()
        })
    }

    /// What the user's own requirements ask for.
    fn of_root(&self) -> Vec<Applying> {
        self.request
            .required
            .iter()
            .flat_map(|one| self.overridden(&one.name, one.extras.clone(), named::range_of(one)))
            .collect()
    }

    /// What a release requires with `extras`; `Err` where the release cannot be had.
    fn of_release(
        &self,
        name: &PackageName,
        version: &Version,
        extras: &[ExtraName],
    ) -> Result<Result<Vec<Applying>, String>, Stop> {
        if self.request.no_dependencies {
            return Ok(Ok(Vec::new()));
        }
        let metadata = self.knowledge.metadata(name, version);
        let metadata = match metadata.as_ref() {
            Ok(metadata) => metadata,
            Err(MetadataError::Invalid(problem)) if !self.unusable_too => {
                return Ok(Err(problem.clone()));
            }
            // Told with the answer: see `unknown_requirements`.
            Err(_) => return Ok(Ok(Vec::new())),
        };
        let python = self.request.target.python_full_version();
        if let Some(range) = &metadata.requires_python
            && !range.contains(&python)
            && !self.unusable_too
        {
            return Ok(Err(format!("it is for Python {range}")));
        }
        let mut applying = Vec::new();
        for required in &metadata.requires_dist {
            if !required.marker.evaluate(&self.request.environment, extras) {
                continue;
            }
            if let Some(VersionOrUrl::Url(url)) = &required.version_or_url
                && let Err(problem) = self.take_url(&required.name, &url.to_url())?
            {
                return Ok(Err(problem));
            }
            applying.extend(self.overridden(
                &required.name,
                required.extras.clone(),
                knowledge::range_of(required),
            ));
        }
        Ok(Ok(applying))
    }

    /// A release requires what lies at a URL: there is one file of a name, wherever it is named.
    fn take_url(&self, name: &PackageName, url: &url::Url) -> Result<Result<(), String>, Stop> {
        if self.named.overrides.contains_key(name) || self.named.not_looked_at.contains_key(name) {
            return Ok(Ok(()));
        }
        let without_digest = |url: &url::Url| {
            let mut url = url.clone();
            url.set_fragment(None);
            url
        };
        if let Some(known) = self.knowledge.file(name) {
            if without_digest(&known.url) == without_digest(url) {
                return Ok(Ok(()));
            }
            return Ok(Err(format!("it requires another file of {name} than others do")));
        }
        match named::file_at(url, name) {
            Ok(file) => Err(Stop::NeedsFile(name.clone(), Box::new(file))),
            Err(reason) => {
                self.aside.borrow_mut().not_looked_at.insert(name.clone(), reason);
                Ok(Ok(()))
            }
        }
    }

    /// A requirement, or what the user's overrides put in its place.
    fn overridden(
        &self,
        name: &PackageName,
        extras: Vec<ExtraName>,
        range: Ranges<Version>,
    ) -> Vec<Applying> {
        match self.named.overrides.get(name) {
            None => vec![Applying { name: name.clone(), extras, range }],
            Some(list) => list
                .iter()
                .map(|one| Applying {
                    name: name.clone(),
                    extras: one.extras.clone(),
                    range: named::range_of(one),
                })
                .collect(),
        }
    }

    /// As the solver takes it: one set of versions for each package.
    fn constraints(
        &self,
        applying: Vec<Applying>,
        of: &Package,
        version: &Version,
    ) -> DependencyConstraints<Package, Ranges<Version>> {
        for one in &applying {
            let range = self.named.bounded(&one.name, one.range.clone());
            self.knowledge.look_ahead(one.name.clone(), range, one.extras.clone());
        }
        let mut constraints: Vec<(Package, Ranges<Version>)> = Vec::new();
        if let Package::Extra(name, _) = of {
            constraints.push((Package::Named(name.clone()), Ranges::singleton(version.clone())));
        }
        for Applying { name, extras, range } in applying {
            let range = self.named.bounded(&name, range);
            if !self.can_be_looked_for(&name, &range, of) {
                continue;
            }
            let extras = extras.into_iter().map(|extra| Package::Extra(name.clone(), extra));
            for package in std::iter::once(Package::Named(name.clone())).chain(extras) {
                match constraints.iter_mut().find(|(known, _)| *known == package) {
                    Some((_, known)) => *known = known.intersection(&range),
                    None => constraints.push((package, range.clone())),
                }
            }
        }
        let mut aside = self.aside.borrow_mut();
        for (package, _) in &constraints {
            let next = aside.seen.len();
            aside.seen.entry(package.clone()).or_insert(next);
        }
        constraints.into_iter().collect()
    }

    /// Whether there is anything to choose from. What cannot be asked for is told with the answer
    /// and keeps nobody from an answer about the rest.
    fn can_be_looked_for(&self, name: &PackageName, range: &Ranges<Version>, of: &Package) -> bool {
        if self.aside.borrow().not_looked_at.contains_key(name) {
            return false;
        }
        let releases = self.knowledge.releases(name);
        let releases = match releases.as_ref() {
            Ok(releases) => releases,
            Err(problem) => {
                self.aside.borrow_mut().not_looked_at.insert(name.clone(), problem.clone());
                return false;
            }
        };
        if !self.unusable_too {
            return true;
        }
        let policy = self.named.policy(name, self.request.prereleases, true);
        let any = releases.choose(range, policy).is_some();
        if !any {
            let mut aside = self.aside.borrow_mut();
            let range = ranges::Shown(range);
            aside.unfit.insert(name.clone(), format!("no release fits `{range}`"));
            aside.problems.insert(format!("{of} requires {name} {range}, which no release is"));
        }
        any
    }

    /// The answer, with what was found out beside it.
    pub(super) fn resolution(&self, selected: &Selected) -> Resolution {
        let mut extras: BTreeMap<&PackageName, Vec<ExtraName>> = BTreeMap::new();
        let mut versions: BTreeMap<&PackageName, &Version> = BTreeMap::new();
        for (package, version) in selected.iter() {
            match package {
                Package::Root => {}
                Package::Named(name) => {
                    versions.insert(name, version);
                }
                Package::Extra(name, extra) => extras.entry(name).or_default().push(extra.clone()),
            }
        }
        let aside = self.aside.borrow();
        let mut resolution = Resolution::default();
        resolution.problems.extend(aside.problems.iter().cloned());
        let mut requires: Vec<BTreeSet<PackageName>> = Vec::new();
        for (name, version) in &versions {
            let extras = extras.remove(*name).unwrap_or_default();
            requires.push(match self.of_release(name, version, &extras) {
                Ok(Ok(applying)) => applying.into_iter().map(|one| one.name).collect(),
                _ => BTreeSet::new(),
            });
            resolution.packages.push(self.resolved(name, version));
        }
        // What is not looked at stands in the answer where something in it asks for it.
        let asked: BTreeSet<PackageName> = requires
            .iter()
            .flatten()
            .cloned()
            .chain(self.of_root().into_iter().map(|one| one.name))
            .filter(|name| !versions.contains_key(name))
            .collect();
        for name in asked {
            let reason = aside.not_looked_at.get(&name).or_else(|| aside.unfit.get(&name)).cloned();
            let reason = reason.unwrap_or_else(|| "no release fits what is required".to_owned());
            let pinned = self.named.pinned(&name).cloned();
            resolution.packages.push(Resolved {
                release: ResolvedRelease::NotLookedAt { pinned, reason },
                hashes: Vec::new(),
                is_unusable: false,
                unknown_requirements: None,
                name,
            });
            requires.push(BTreeSet::new());
        }
        resolution.graph = self.graph(&resolution.packages, &requires);
        resolution
    }

    fn resolved(&self, name: &PackageName, version: &Version) -> Resolved {
        let releases = self.knowledge.releases(name);
        let files =
            releases.as_ref().as_ref().ok().and_then(|releases| releases.release(version)).map(
                |release| {
                    let installable: Vec<_> =
                        release.installable(self.request.target).cloned().collect();
                    if installable.is_empty() { release.files.clone() } else { installable }
                },
            );
        let release = match self.knowledge.file(name) {
            Some(file) => ResolvedRelease::File(version.clone(), Box::new(file)),
            None => ResolvedRelease::Chosen(version.clone(), files.unwrap_or_default()),
        };
        let metadata =
            (!self.request.no_dependencies).then(|| self.knowledge.metadata(name, version));
        let unknown_requirements =
            metadata.and_then(|metadata| metadata.as_ref().as_ref().err().map(ToString::to_string));
        let hashes = self.named.hashes.get(name).cloned().unwrap_or_default();
        let of_version = releases.as_ref().as_ref().ok().and_then(|all| all.release(version));
        let is_unusable = of_version.is_some_and(|release| !release.usable);
        Resolved { name: name.clone(), release, hashes, is_unusable, unknown_requirements }
    }

    fn graph(&self, packages: &[Resolved], requires: &[BTreeSet<PackageName>]) -> Graph {
        let places: BTreeMap<&PackageName, usize> =
            packages.iter().enumerate().map(|(index, one)| (&one.name, index)).collect();
        let nodes = packages.iter().zip(requires).map(|(package, requires)| {
            let version = match &package.release {
                ResolvedRelease::Chosen(version, _) | ResolvedRelease::File(version, _) => {
                    Some(version.to_string())
                }
                ResolvedRelease::NotLookedAt { pinned, .. } => {
                    pinned.as_ref().map(ToString::to_string)
                }
            };
            let named = self.named.places.get(&package.name).and_then(|places| places.first());
            Node {
                name: package.name.to_string(),
                version,
                direct: named.map(|(location, _)| location.clone()),
                requires: requires
                    .iter()
                    .filter(|name| **name != package.name)
                    .filter_map(|name| places.get(name).copied())
                    .collect(),
            }
        });
        Graph { nodes: nodes.collect() }
    }
}

impl<I: Index + 'static> DependencyProvider for Provider<'_, I> {
    type P = Package;
    type V = Version;
    type VS = Ranges<Version>;
    type Priority = (u8, Reverse<usize>, u32, Reverse<usize>);
    type M = String;
    type Err = Stop;

    /// What is certain first, so that everything else follows it; then what others were in the way of;
    /// then in the order in which requirements name packages.
    fn prioritize(
        &self,
        package: &Package,
        range: &Ranges<Version>,
        statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let certainty = match package.name() {
            None => 3,
            Some(name) if self.knowledge.file(name).is_some() => 2,
            Some(_) if ranges::is_exact(range) => 1,
            Some(_) => 0,
        };
        let seen = self.aside.borrow().seen.get(package).copied().unwrap_or(usize::MAX);
        let early = package.name().and_then(|name| self.early.iter().position(|one| one == name));
        let early = Reverse(early.unwrap_or(usize::MAX));
        (certainty, early, statistics.conflict_count(), Reverse(seen))
    }

    fn choose_version(
        &self,
        package: &Package,
        range: &Ranges<Version>,
    ) -> Result<Option<Version>, Stop> {
        let Some(name) = package.name() else { return Ok(Some(Version::new([0]))) };
        let releases = self.knowledge.releases(name);
        let Ok(releases) = releases.as_ref() else { return Ok(None) };
        let policy = self.named.policy(name, self.request.prereleases, self.unusable_too);
        let chosen = releases.choose(range, policy).cloned();
        if chosen.is_some() && matches!(package, Package::Named(_)) && !self.early.contains(name) {
            let mut aside = self.aside.borrow_mut();
            let tries = aside.tries.entry(name.clone()).or_default();
            *tries += 1;
            if *tries > MAX_TRIES {
                return Err(Stop::DecideEarlier(name.clone()));
            }
        }
        Ok(chosen)
    }

    fn get_dependencies(
        &self,
        package: &Package,
        version: &Version,
    ) -> Result<Dependencies<Package, Ranges<Version>, String>, Stop> {
        let applying = match package {
            Package::Root => Ok(self.of_root()),
            Package::Named(name) => self.of_release(name, version, &[])?,
            Package::Extra(name, extra) => {
                self.of_release(name, version, std::slice::from_ref(extra))?
            }
        };
        let applying = match applying {
            Ok(applying) => applying,
            Err(problem) => return Ok(Dependencies::Unavailable(problem)),
        };
        Ok(Dependencies::Available(self.constraints(applying, package, version)))
    }
}
