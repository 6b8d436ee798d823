//! What the rules found: one thing to act on, or to know, each with where it stands.
//!
//! The rules themselves, with what they explain, live in [`crate::judge`].

use serde::{Deserialize, Serialize};

use crate::model::location::Location;
use crate::model::report::Place;

/// How much a finding weighs, heaviest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The program as it stands is affected.
    Error,
    /// It may be.
    Warning,
    /// Worth knowing.
    Note,
}

impl Level {
    /// The name it has in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One finding of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id, kebab-case.
    pub rule: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// The package, by its normalized name; `None` where it is about the scan as a whole, or about
    /// the user's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The interpreter and platform; `None` where it holds for all of them.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// The extension modules that it is about, by their dotted names, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// What was found: one sentence, lower case, without a full stop.
    pub message: String,
    /// What to do, each a line of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Addresses where more is told, such as the issue upstream.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Where to look: the line of the user's files that brings the package in, or of the user's own
    /// code.
    pub location: Option<Location>,
}
