//! The files of a project by release, made when they are asked for: an index may list ten thousand of
//! them, of which a run looks at a few.
//!
//! Where they lie until then is told in [`crate::fetch::simple`].

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use pep440_rs::Version;

use crate::model::distribution::DistributionFile;

/// A page that lists files, by release.
pub trait Listing: Debug + Send + Sync {
    /// The files of the release of that number, in the order of the page.
    fn files(&self, release: usize) -> Vec<DistributionFile>;
}

/// What is known of the files of a project, from whatever places.
#[derive(Debug, Clone, Default)]
pub struct ProjectFiles {
    releases: BTreeMap<Version, Vec<Part>>,
}

/// Files of a release, from one place.
#[derive(Debug, Clone)]
enum Part {
    File(Box<DistributionFile>),
    Listed(Arc<dyn Listing>, usize),
}

impl ProjectFiles {
    /// The files of a page, whose releases are these, in the order of their numbers.
    #[must_use]
    pub fn listed(page: &Arc<dyn Listing>, releases: impl IntoIterator<Item = Version>) -> Self {
        let part = |release| vec![Part::Listed(Arc::clone(page), release)];
        let releases = releases.into_iter().enumerate();
        Self { releases: releases.map(|(number, version)| (version, part(number))).collect() }
    }

    /// Adds those of another place behind those that are here.
    pub fn append(&mut self, other: Self) {
        for (version, mut parts) in other.releases {
            self.releases.entry(version).or_default().append(&mut parts);
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty()
    }

    /// All releases, oldest first.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.releases.keys()
    }

    /// The files of a release, in the order in which they were added.
    #[must_use]
    pub fn of_release(&self, version: &Version) -> Vec<DistributionFile> {
        let mut files = Vec::new();
        for part in self.releases.get(version).into_iter().flatten() {
            match part {
                Part::File(file) => files.push(DistributionFile::clone(file)),
                Part::Listed(page, release) => files.extend(page.files(*release)),
            }
        }
        files
    }
}

impl Extend<DistributionFile> for ProjectFiles {
    fn extend<T: IntoIterator<Item = DistributionFile>>(&mut self, files: T) {
        for file in files {
            let version = file.kind.version().clone();
            self.releases.entry(version).or_default().push(Part::File(Box::new(file)));
        }
    }
}

impl FromIterator<DistributionFile> for ProjectFiles {
    fn from_iter<T: IntoIterator<Item = DistributionFile>>(files: T) -> Self {
        let mut all = Self::default();
        all.extend(files);
        all
    }
}
