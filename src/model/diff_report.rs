//! What a change does to the packages of a project, and to what the rules find in them.

use serde::{Deserialize, Serialize};

use crate::model::finding::Finding;
use crate::model::location::Location;
use crate::model::report::{PackageReport, Place, Verdict};

/// What differs between two reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffReport {
    /// The version of this form; 1.
    pub version: u32,
    /// What it was before: a file, perhaps with the revision that it was taken from.
    pub old: String,
    /// What it is now.
    pub new: String,
    /// The targets and platforms that both were made for.
    pub places: Vec<Place>,
    /// Totals over all of these.
    pub summary: DiffSummary,
    /// What the reader has to know to read the rest rightly.
    pub notes: Vec<String>,
    /// What could not be compared: with any of these the end is not a success.
    pub gaps: Vec<String>,
    /// The packages that differ, worst first, then by name.
    pub packages: Vec<PackageChange>,
    /// Findings that were not there before, heaviest first.
    pub found: Vec<Finding>,
    /// Findings that are no longer there, heaviest first.
    pub gone: Vec<Finding>,
}

/// How many packages, and findings, came to what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffSummary {
    /// Packages that do worse than before.
    pub worsened: usize,
    /// Packages that were not there before.
    pub added: usize,
    /// Packages that differ, and do neither worse nor well where they did not before.
    pub changed: usize,
    /// Packages that are in order now and were not before.
    pub fixed: usize,
    /// Packages that are no longer there.
    pub removed: usize,
    /// Packages that are as they were.
    pub unchanged: usize,
    /// Findings that were not there before.
    pub found: usize,
    /// Findings that are no longer there.
    pub gone: usize,
}

/// What became of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It does worse than before: by what it does, or since that is no longer known.
    Worsened,
    /// It was not there before.
    Added,
    /// Another release, or another verdict that is neither worse nor in order.
    Changed,
    /// It is in order now, and was not before.
    Fixed,
    /// It is no longer there.
    Removed,
}

impl ChangeKind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 5] =
        [Self::Worsened, Self::Added, Self::Changed, Self::Fixed, Self::Removed];

    /// The name it has in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worsened => "worsened",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Fixed => "fixed",
            Self::Removed => "removed",
        }
    }
}

/// One package that differs at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    /// What became of it.
    pub kind: ChangeKind,
    /// The normalized name.
    pub name: String,
    /// For which interpreter and where.
    #[serde(flatten)]
    pub place: Place,
    /// What it was; `None` where it was not there.
    pub old: Option<PackageState>,
    /// What it is; `None` where it is no longer there.
    pub new: Option<PackageState>,
    /// Where the user's files name it, or what leads to it; where they did if it is gone.
    pub location: Option<Location>,
}

/// What a package does, in one of the two reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageState {
    /// The release.
    pub version: Option<String>,
    /// What it does to the GIL.
    pub verdict: Verdict,
    /// Why the verdict is what it is, where the modules do not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

impl From<&PackageReport> for PackageState {
    fn from(package: &PackageReport) -> Self {
        Self {
            version: package.version.clone(),
            verdict: package.verdict,
            reason: package.reason.clone(),
        }
    }
}
