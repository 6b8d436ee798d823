//! What the py-free-threading tracker says of a project: facts kept by hand, as evidence beside the
//! binary.

use serde::{Deserialize, Serialize};

/// One row of the tracker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackerEntry {
    /// The project as the tracker shows it.
    pub project: String,
    /// The distributions it stands for, by their normalized names; none where it is no distribution
    /// on the index.
    pub packages: Vec<String>,
    /// The first version with support, as the tracker has it; `None` where it names none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_version: Option<String>,
    /// The issue or page upstream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub issue: Option<String>,
    /// Whether upstream's CI tests it.
    #[serde(default)]
    pub tested: bool,
    /// Whether a release on the index has it.
    #[serde(default)]
    pub released: bool,
    /// What restricts the row, in our own words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}
