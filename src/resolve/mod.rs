//! From what is wanted to the one wheel that would be installed.
//!
//! ```text
//! pin     a requirement -> the release an installer would take, and its wheel
//! lock    a lockfile's graph -> the packages that are installed for a target
//! host    what this machine is
//! ```
//!
//! Owns [`Index`], the question put to a package index; [`crate::fetch`] answers it.

pub mod host;
pub mod lock;
pub mod pin;

use std::future::Future;

use pep508_rs::PackageName;

use crate::model::distribution::DistributionFile;

/// Somewhere that knows which files a project has.
pub trait Index: Sync {
    /// All files of a project, in the order in which the index lists them.
    ///
    /// # Errors
    /// Where the project is not known, or the index cannot be asked.
    fn files(
        &self,
        name: &PackageName,
    ) -> impl Future<Output = Result<Vec<DistributionFile>, IndexError>> + Send;
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
    /// It could not be asked, or its answer not be understood.
    #[error("{0}")]
    Unavailable(String),
}
