//! The releases of one package as a resolver sees them: which there are, which could be installed,
//! and which of them is taken.
//!
//! The rules are those that pip and uv share: a release counts where some file of it can be
//! installed or built, withdrawn ones only where they are pinned, pre-releases as the policy has it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use pep440_rs::Version;
use pubgrub::Ranges;

use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind};
use crate::model::project_files::ProjectFiles;
use crate::model::requirement::Prereleases;
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::resolve::pin;

/// The releases of a package, oldest first, each looked at when it is asked for.
#[derive(Debug)]
pub struct Candidates {
    files: ProjectFiles,
    releases: BTreeMap<Version, OnceLock<Release>>,
    /// What the user requires of the files' digests; nothing where there is none.
    hashes: Vec<Sha256>,
    target: Target,
    tags: Arc<TagOrder>,
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
    /// The releases of these files, as far as the hashes allow them.
    #[must_use]
    pub fn new(
        files: ProjectFiles,
        hashes: &[Sha256],
        target: Target,
        tags: Arc<TagOrder>,
    ) -> Self {
        let releases = files.versions().map(|version| (version.clone(), OnceLock::new())).collect();
        Self { files, releases, hashes: hashes.to_vec(), target, tags }
    }

    fn look_at(&self, version: &Version) -> Release {
        let python = self.target.python_full_version();
        let mut release = Release::default();
        for file in pin::with_hashes(self.files.of_release(version), &self.hashes) {
            let suits_python =
                file.requires_python.as_ref().is_none_or(|range| range.contains(&python));
            // A label is of a proposal that no installer follows yet (PEP 825).
            let usable = suits_python
                && match &file.kind {
                    DistributionKind::Wheel(wheel) => {
                        wheel.label.is_none() && self.tags.rank(wheel).is_some()
                    }
                    DistributionKind::Source(_) => true,
                };
            if usable {
                // Withdrawn as long as nothing else was seen.
                release.yanked = file.yanked && (release.yanked || !release.usable);
                release.usable = true;
            }
            release.files.push(file);
        }
        release.files.sort_by_key(|file| file.yanked);
        release
    }

    /// One release with one file, whatever its tags say.
    #[must_use]
    pub fn of_file(file: DistributionFile, target: Target, tags: Arc<TagOrder>) -> Self {
        let version = file.kind.version().clone();
        let release = Release { files: vec![file], usable: true, yanked: false };
        Self {
            files: ProjectFiles::default(),
            releases: BTreeMap::from([(version, release.into())]),
            hashes: Vec::new(),
            target,
            tags,
        }
    }

    /// Whether there is no release that has files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // Hashes are mostly those of a recent release.
        self.releases.keys().rev().all(|version| self.release(version).is_none())
    }

    /// All versions, oldest first.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        // Only hashes leave a release without files.
        let has_files =
            |version: &&Version| self.hashes.is_empty() || self.release(version).is_some();
        self.releases.keys().filter(has_files)
    }

    /// A release by its version.
    #[must_use]
    pub fn release(&self, version: &Version) -> Option<&Release> {
        let release = self.releases.get(version)?;
        let release = release.get_or_init(|| self.look_at(version));
        (!release.files.is_empty()).then_some(release)
    }

    /// The newest release in `range` that the policy lets through. Of releases that no installer
    /// could take, one is taken only where nothing else is there.
    #[must_use]
    pub fn choose(&self, range: &Ranges<Version>, policy: Policy<'_>) -> Option<&Version> {
        let fitting = || {
            let versions = self.releases.keys().rev().filter(|version| range.contains(*version));
            versions.filter_map(|version| Some((version, self.release(version)?)))
        };
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
