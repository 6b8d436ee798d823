//! The releases of one package as a resolver sees them: which there are, which could be installed,
//! and which of them is taken.
//!
//! The rules are those that pip and uv share: a release counts where some file of it can be
//! installed or built, withdrawn ones only where they are pinned, pre-releases as the policy has it.

use std::collections::BTreeMap;

use pep440_rs::Version;
use pubgrub::Ranges;

use crate::model::distribution::{DistributionFile, DistributionKind};
use crate::model::requirement::Prereleases;
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::resolve::pin;

/// The releases of a package, oldest first.
#[derive(Debug, Default)]
pub struct Candidates {
    releases: BTreeMap<Version, Release>,
}

/// One release and its files.
#[derive(Debug, Clone, Default)]
pub struct Release {
    /// Its files, those first that were not withdrawn, in the order of the index.
    pub files: Vec<DistributionFile>,
    /// Whether an installer could install or build one of them.
    pub usable: bool,
    /// Whether all that could be installed is withdrawn (PEP 592).
    pub yanked: bool,
}

/// What decides between releases that fit.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Whether pre-releases count.
    pub prereleases: Prereleases,
    /// Whether one of the user's own requirements names a pre-release of this package.
    pub names_prerelease: bool,
    /// Releases that the user pinned: withdrawn ones among them count.
    pub pinned: &'a [Version],
    /// Whether releases count that no installer could take, so that they can be reported.
    pub unusable_too: bool,
}

impl Candidates {
    /// Sorts `files` into releases.
    #[must_use]
    pub fn new(files: Vec<DistributionFile>, target: Target, tags: &TagOrder) -> Self {
        let python = target.python_full_version();
        let mut releases: BTreeMap<Version, Release> = BTreeMap::new();
        for file in files {
            let suits_python =
                file.requires_python.as_ref().is_none_or(|range| range.contains(&python));
            // A label is of a proposal that no installer follows yet (PEP 825).
            let usable = suits_python
                && match &file.kind {
                    DistributionKind::Wheel(wheel) => {
                        wheel.label.is_none() && tags.rank(wheel).is_some()
                    }
                    DistributionKind::Source(_) => true,
                };
            let release = releases.entry(file.kind.version().clone()).or_default();
            if usable {
                // Withdrawn as long as nothing else was seen.
                release.yanked = file.yanked && (release.yanked || !release.usable);
                release.usable = true;
            }
            release.files.push(file);
        }
        for release in releases.values_mut() {
            release.files.sort_by_key(|file| file.yanked);
        }
        Self { releases }
    }

    /// One release with one file, whatever its tags say.
    #[must_use]
    pub fn of_file(file: DistributionFile) -> Self {
        let version = file.kind.version().clone();
        let release = Release { files: vec![file], usable: true, yanked: false };
        Self { releases: BTreeMap::from([(version, release)]) }
    }

    /// All versions, oldest first.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.releases.keys()
    }

    /// A release by its version.
    #[must_use]
    pub fn release(&self, version: &Version) -> Option<&Release> {
        self.releases.get(version)
    }

    /// The newest release in `range` that the policy lets through. Of releases that no installer
    /// could take, one is taken only where nothing else is there.
    #[must_use]
    pub fn choose(&self, range: &Ranges<Version>, policy: Policy<'_>) -> Option<&Version> {
        let fitting = || self.releases.iter().rev().filter(|(version, _)| range.contains(*version));
        let usable = fitting().filter(|(version, release)| {
            release.usable && (!release.yanked || policy.pinned.contains(version))
        });
        newest(usable.map(|(version, _)| version), policy).or_else(|| {
            let all = fitting().filter(|_| policy.unusable_too).map(|(version, _)| version);
            newest(all, policy)
        })
    }
}

impl Release {
    /// The files that an installer for the target would consider: those whose `requires-python` it
    /// fits, and withdrawn ones only where nothing else is left.
    pub fn installable(&self, target: Target) -> impl Iterator<Item = &DistributionFile> {
        let python = target.python_full_version();
        let suits = move |file: &&DistributionFile| {
            file.requires_python.as_ref().is_none_or(|range| range.contains(&python))
                && (self.yanked || !file.yanked)
        };
        self.files.iter().filter(suits)
    }

    /// The file whose metadata stands for the release: the wheel that would be installed, else any
    /// wheel, since a release's wheels require the same, else the source distribution.
    #[must_use]
    pub fn metadata_file(&self, target: Target, tags: &TagOrder) -> Option<&DistributionFile> {
        let is_wheel = |file: &&DistributionFile| matches!(file.kind, DistributionKind::Wheel(_));
        pin::best_wheel(self.installable(target), tags)
            .map(|(file, _)| file)
            .or_else(|| self.installable(target).find(is_wheel))
            .or_else(|| self.installable(target).next())
            .or_else(|| self.files.iter().find(is_wheel))
            .or_else(|| self.files.first())
    }
}

/// The first of `versions`, newest first, that the policy on pre-releases lets through.
fn newest<'v>(
    versions: impl Iterator<Item = &'v Version>,
    policy: Policy<'_>,
) -> Option<&'v Version> {
    let (always, if_necessary) = match policy.prereleases {
        Prereleases::Allow => (true, true),
        Prereleases::Disallow => (false, false),
        Prereleases::IfNecessary => (false, true),
        Prereleases::Explicit => (policy.names_prerelease, policy.names_prerelease),
        Prereleases::IfNecessaryOrExplicit => (policy.names_prerelease, true),
    };
    let mut prerelease = None;
    for version in versions {
        if always || !version.any_prerelease() {
            return Some(version);
        }
        if if_necessary {
            prerelease = prerelease.or(Some(version));
        }
    }
    prerelease
}
