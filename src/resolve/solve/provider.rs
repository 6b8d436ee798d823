//! What the solver is told: which release to try next, and what it requires.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName, Requirement, VerbatimUrl, VersionOrUrl};
use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, DerivationTree,
    PackageResolutionStatistics, Ranges, SelectedDependencies,
};
use url::Url;

use super::Request;
use super::explain::{self, State};
use super::knowledge::{self, Knowledge};
use super::named::{self, Named};
use crate::model::distribution::DistributionFile;
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
pub(super) struct Applying {
    pub(super) name: PackageName,
    extras: Vec<ExtraName>,
    range: Ranges<Version>,
}

/// What is found out on the way that the solver has no use for.
#[derive(Default)]
pub(super) struct Aside {
    /// Packages that are not looked at, with the reason.
    pub(super) not_looked_at: BTreeMap<PackageName, String>,
    /// Requirements that no release fits.
    pub(super) problems: BTreeSet<String>,
    /// The packages that are meant, and what was asked of them.
    pub(super) unfit: BTreeMap<PackageName, String>,
    /// In which order packages were seen first.
    seen: HashMap<Package, usize>,
    /// How often a release of a package was chosen.
    tries: HashMap<PackageName, u32>,
}

pub(super) struct Provider<'a, I> {
    pub(super) request: &'a Request,
    pub(super) knowledge: &'a Knowledge<I>,
    pub(super) named: &'a Named,
    /// Packages that are decided on before others, in this order.
    early: &'a [PackageName],
    /// Whether releases count that no installer could take.
    unusable_too: bool,
    /// Packages whose files at URLs fit only releases that do not fit themselves.
    forbidden: BTreeSet<PackageName>,
    pub(super) aside: RefCell<Aside>,
}

impl<'a, I: Index + 'static> Provider<'a, I> {
    pub(super) fn new(
        request: &'a Request,
        knowledge: &'a Knowledge<I>,
        named: &'a Named,
        early: &'a [PackageName],
        unusable_too: bool,
        forbidden: BTreeSet<PackageName>,
    ) -> Self {
        let aside = Aside { not_looked_at: named.not_looked_at.clone(), ..Aside::default() };
        let aside = RefCell::new(aside);
        Self { request, knowledge, named, early, unusable_too, forbidden, aside }
    }

    /// Why there is no answer, in the words of the user's files.
    pub(super) fn explain(&self, tree: &Tree) -> String {
        explain::explain(tree, self.named, |name| {
            let releases = self.knowledge.releases(name);
            let Ok(known) = releases.as_ref() else { return Vec::new() };
            let all = known.versions().map(|version| {
                let release = known.release(version);
                let state = match release {
                    _ if !self.named.allows(name, version) => State::NotAllowed,
                    Some(release) if !release.usable => State::Unusable,
                    Some(release) if release.yanked => State::Yanked,
                    _ if version.any_prerelease() => State::Prerelease,
                    _ => State::Fine,
                };
                (version.clone(), state)
            });
            all.collect()
        })
    }

    /// What the user's own requirements ask for.
    pub(super) fn of_root(&self) -> Vec<Applying> {
        self.request
            .required
            .iter()
            .flat_map(|one| self.overridden(&one.name, one.extras.clone(), named::range_of(one)))
            .collect()
    }

    /// What a release requires with `extras`; `Err` where the release cannot be had.
    pub(super) fn of_release(
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
            if !self.applies(required, extras) {
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

    /// Whether a requirement of a release applies. As in uv, an override replaces the marker too, but
    /// for the extra it belongs to.
    pub(super) fn applies(
        &self,
        required: &Requirement<VerbatimUrl>,
        extras: &[ExtraName],
    ) -> bool {
        if self.named.overrides.contains_key(&required.name) {
            return required.marker.evaluate_optional_environment(None, extras);
        }
        required.marker.evaluate(&self.request.environment, extras)
    }

    /// A release requires what lies at a URL: there is one file of a name, wherever it is named.
    fn take_url(&self, name: &PackageName, url: &Url) -> Result<Result<(), String>, Stop> {
        if self.named.overrides.contains_key(name) || self.named.not_looked_at.contains_key(name) {
            return Ok(Ok(()));
        }
        if self.forbidden.contains(name) {
            return Ok(Err(format!("the file of {name} that it requires does not fit the rest")));
        }
        if let Some(known) = self.knowledge.file(name) {
            if named::same_file(&known.url, url) {
                return Ok(Ok(()));
            }
            return Ok(Err(format!("it requires another file of {name} than others do")));
        }
        let file = named::file_at(url, name);
        match file.and_then(|file| self.named.with_required_hash(name, file)) {
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

    /// As the solver takes it: one set of versions for each package. `Err` where the release excludes
    /// itself, which the solver does not take.
    fn constraints(
        &self,
        applying: Vec<Applying>,
        of: &Package,
        version: &Version,
    ) -> Result<DependencyConstraints<Package, Ranges<Version>>, String> {
        for one in &applying {
            let range = self.named.bounded(&one.name, one.range.clone());
            self.knowledge.look_ahead(one.name.clone(), range, one.extras.clone());
        }
        let mut constraints: Vec<(Package, Ranges<Version>)> = Vec::new();
        if let Package::Extra(name, _) = of {
            constraints.push((Package::Named(name.clone()), Ranges::singleton(version.clone())));
        }
        // Constraints bound what is chosen rather than what is asked for: so a conflict can tell the
        // one from the other.
        for Applying { name, extras, range } in applying {
            if !self.can_be_looked_for(&name, &range, of) {
                continue;
            }
            let extras = extras.into_iter().map(|extra| Package::Extra(name.clone(), extra));
            for package in std::iter::once(Package::Named(name.clone())).chain(extras) {
                if package == *of {
                    if range.contains(version) {
                        continue;
                    }
                    return Err(format!("it requires {}", explain::wanted(&package, &range)));
                }
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
        Ok(constraints.into_iter().collect())
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
        let bounded = self.named.bounded(name, range.clone());
        let any = releases.choose(&bounded, policy).is_some();
        if !any {
            let mut aside = self.aside.borrow_mut();
            let unfit = if bounded.is_empty() {
                "no release fits all that is asked of it".to_owned()
            } else {
                format!("no release fits `{}`", ranges::Shown(&bounded))
            };
            aside.unfit.insert(name.clone(), unfit);
            // What the user's own files ask for is told as the reason why there is no answer.
            if *of != Package::Root {
                let wanted = explain::wanted(&Package::Named(name.clone()), range);
                let within = if bounded == *range { "" } else { " that the constraints allow" };
                let problem = format!("{of} requires {wanted}, which no release{within} fits");
                aside.problems.insert(problem);
            }
        }
        any
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
            Some(name) if ranges::is_exact(&self.named.bounded(name, range.clone())) => 1,
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
        let range = self.named.bounded(name, range.clone());
        let chosen = releases.choose(&range, policy).cloned();
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
        Ok(match self.constraints(applying, package, version) {
            Ok(constraints) => Dependencies::Available(constraints),
            Err(problem) => Dependencies::Unavailable(problem),
        })
    }
}
