//! What to do about a package that stands in the way, with the command for it.

use serde::Serialize;

use crate::model::location::Location;
use crate::model::report::{Place, Verdict};

/// What to do about one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The normalized name.
    pub package: String,
    /// The release that would be installed now.
    pub version: Option<String>,
    /// For which interpreter and where.
    #[serde(flatten)]
    pub place: Place,
    /// What that release does.
    pub verdict: Verdict,
    /// The first newer release that keeps the GIL off.
    pub first: Option<Candidate>,
    /// The newest that the user's own requirements allow, and that keeps the GIL off.
    pub allowed: Option<Candidate>,
    /// The releases that were looked at, oldest first, with what was seen.
    pub looked_at: Vec<Candidate>,
    /// How far the search went, where it did not go all the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<String>,
    /// What to do, in words, best first.
    pub steps: Vec<Step>,
    /// The first version with support by the tracker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracker_first: Option<String>,
    /// Where the user's files name it, or what leads to it.
    pub location: Option<Location>,
}

/// One release on the way to an advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The release.
    pub version: String,
    /// What it does.
    pub verdict: Verdict,
    /// The wheel it was judged by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<String>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What, in words.
    pub what: String,
    /// The command that does it, for the user's kind of manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}
