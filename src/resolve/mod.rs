//! From what is wanted to the one wheel that would be installed.
//!
//! ```text
//! pin     a requirement -> the release an installer would take, and its wheel
//! lock    a lockfile's graph -> the packages that are installed for a target
//! host    what this machine is
//! offer   what a release has, whichever of its files is taken
//! ```
//!
//! Owns [`Index`], the question put to a package index; [`crate::fetch`] answers it.

pub mod candidates;
pub mod graph;
pub mod host;
pub mod lock;
pub mod offer;
pub mod pin;
pub mod ranges;
pub mod solve;

use std::future::Future;

use pep508_rs::PackageName;

use crate::model::distribution::DistributionFile;
use crate::model::metadata::CoreMetadata;
use crate::model::project_files::ProjectFiles;

/// Somewhere that knows which files a project has, and what they say of themselves.
pub trait Index: Send + Sync {
    /// All files of a project by release, those of each in the order in which the index lists them; of
    /// the one index called `from` where it is named, else of all as the user's settings have it.
    ///
    /// # Errors
    /// Where the project is not known, or the index cannot be asked.
    fn files(
        &self,
        name: &PackageName,
        from: Option<&str>,
    ) -> impl Future<Output = Result<ProjectFiles, IndexError>> + Send;

    /// What a file says of itself, read without running anything.
    ///
    /// # Errors
    /// Where it cannot be fetched or understood, or only a build could tell.
    fn metadata(
        &self,
        file: &DistributionFile,
    ) -> impl Future<Output = Result<CoreMetadata, MetadataError>> + Send;
}

/// Why a file's metadata is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Only building it would tell; the text says what of it is not static.
    #[error("{0}")]
    NeedsBuild(String),
    /// It is not as the standards have it: installers pass the release over.
    #[error("{0}")]
    Invalid(String),
    /// It could not be fetched.
    #[error("{0}")]
    Unavailable(String),
}

/// Why an index did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    /// It knows no such project.
    #[error("the index has no such package ({url})")]
    NotFound {
        /// The page asked for, without credentials.
        url: String,
    },
    /// It holds the project to be unsafe and offers nothing of it (PEP 792).
    #[error("the index has put it into quarantine and offers no files of it{}", because(.reason.as_deref()))]
    Quarantined {
        /// Why, where the index says so.
        reason: Option<String>,
    },
    /// It could not be asked, or its answer not be understood.
    #[error("{0}")]
    Unavailable(String),
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}
