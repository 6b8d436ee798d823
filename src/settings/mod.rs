//! ftcheck's own configuration: `ftcheck.toml`, or `[tool.ftcheck]` in a `pyproject.toml`.
//!
//! ```toml
//! targets = ["3.14t", "3.15t"]
//! platforms = ["linux", "macos"]
//! groups = ["test"]
//! extras = ["plot"]
//! fail-on = ["error"]
//! rules = { sdist-only = "note" }
//! limits = { page-size = "512 MiB", package-time = "30 min" }
//! ignore = [{ package = "lxml", reason = "only used by the build", expires = 2027-06-30 }]
//! ```
//!
//! Where the file lies is told in [`find`]. What the command line says wins over it, which is for the
//! program to see to. Settings for indexes are those of uv and pip, in [`crate::config`].

mod find;
mod read;

use std::path::PathBuf;

use pep508_rs::ExtraName;

use crate::judge::{FailOn, Ignore, Levels};
use crate::model::limits::Limits;
use crate::model::platform::Platform;
use crate::model::requirement::GroupName;
use crate::model::target::Target;

pub use find::find;
pub use read::read;

/// What the configuration says; what it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectSettings {
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// `targets`: the interpreters to look with.
    pub targets: Vec<Target>,
    /// `platforms`: where they would run.
    pub platforms: Vec<Platform>,
    /// `groups`: dependency groups that are looked at beside the default ones.
    pub groups: Vec<GroupName>,
    /// `extras`: extras of the project that are looked at.
    pub extras: Vec<ExtraName>,
    /// `fail-on`: what the run fails on.
    pub fail_on: Option<FailOn>,
    /// `rules`: what findings weigh.
    pub levels: Levels,
    /// `limits`: how much is read, and how long is waited.
    pub limits: Limits,
    /// `ignore`: findings that do not count.
    pub ignores: Vec<Ignore>,
}
