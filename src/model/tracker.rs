//! What the py-free-threading tracker says of a project: facts kept by hand, as evidence beside the
//! binary.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::target::Target;

/// One row of the tracker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct TrackerEntry {
    /// The project as the tracker shows it.
    pub project: String,
    /// The distributions it stands for, by their normalized names, sorted; none where it is no
    /// distribution on the index.
    pub packages: Vec<String>,
    /// Whether nobody has looked if `packages`, taken from the name shown, are the ones meant.
    #[serde(skip_serializing_if = "is_false", default)]
    pub name_unchecked: bool,
    /// Whether it builds, installs or tests other packages: the row is about what it makes of them,
    /// and not about modules of its own.
    #[serde(skip_serializing_if = "is_false", default)]
    pub tool: bool,
    /// The first version with support, as the tracker has it; `None` where it names none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_version: Option<String>,
    /// The interpreter from which on the support is whole, where it is not for every one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fully_from: Option<Target>,
    /// The issue or page upstream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub issue: Option<String>,
    /// Whether the tracker says that upstream's CI tests it.
    #[serde(default)]
    pub tested: bool,
    /// Whether the tracker says that a release on the index has it.
    #[serde(default)]
    pub released: bool,
    /// Where its releases are, where that is not the index.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub released_elsewhere: Option<String>,
    /// The systems that there are nightly wheels for: `linux`, `macos`, `windows`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub nightly: Vec<String>,
    /// Where the nightly wheels are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nightly_page: Option<String>,
    /// The distributions it waits for, by their normalized names.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub blocked_by: Vec<String>,
    /// Distributions that do the same, by their normalized names.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub alternatives: Vec<String>,
    /// What restricts the row, in our own words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Where the facts are from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackerOrigin {
    /// The repository on GitHub, `OWNER/NAME`, where the page is from one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repository: Option<String>,
    /// The page: its path in the repository, or its address without credentials, or a file.
    pub page: String,
    /// The commit, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
}

impl std::fmt::Display for TrackerOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(repository) = &self.repository {
            write!(f, "{repository}, ")?;
        }
        f.write_str(&self.page)?;
        match &self.commit {
            // As git itself shortens it.
            Some(commit) => write!(f, ", commit {}", commit.get(..12).unwrap_or(commit)),
            None => Ok(()),
        }
    }
}

/// What `ftcheck tracker` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrackerReport {
    /// The version of this form.
    pub schema: u32,
    /// The day of the data.
    pub date: Date,
    /// Where it is from.
    pub origin: TrackerOrigin,
    /// The rows that were asked for.
    pub entries: Vec<TrackerEntry>,
    /// The names that the tracker does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<UnknownName>,
}

/// A name that the tracker does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownName {
    /// As it was asked for.
    pub name: String,
    /// Names it has that are much like it, most alike first.
    pub near: Vec<String>,
}
