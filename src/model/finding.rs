//! What the rules found: one thing to act on, or to know, each with where it stands.
//!
//! The rules themselves, with what they explain, live in [`crate::judge`].

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
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
    /// Every level, heaviest first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Note];

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

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text named no level.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected one of error, warning, note, found `{0}`")]
pub struct LevelError(String);

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|level| level.as_str() == text).ok_or_else(|| LevelError(text.to_owned()))
    }
}

/// One finding of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id, kebab-case.
    pub rule: Cow<'static, str>,
    /// How much it weighs.
    pub level: Level,
    /// The package, by its normalized name; `None` where it is about the scan as a whole, or about
    /// the user's own code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
    /// The release.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The interpreter and platform; `None` where it holds for all of them.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// The extension modules that it is about, by their dotted names, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub modules: Vec<String>,
    /// What was found: one sentence, lower case, without a full stop.
    pub message: String,
    /// What to do, each a line of its own.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub hints: Vec<String>,
    /// Addresses where more is told, such as the issue upstream.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub links: Vec<String>,
    /// Where to look: the line of the user's files that brings the package in, or of the user's own
    /// code.
    pub location: Option<Location>,
}

/// A finding that does not count, since the user said so. It is shown with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// What was found, weighing what it would.
    pub finding: Finding,
    /// What took it out.
    pub by: IgnoredBy,
    /// Why, in the user's words; otherwise in ours.
    pub reason: String,
    /// The last day on which it does not count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<Date>,
    /// Where the user said so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
}

/// What takes a finding out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IgnoredBy {
    /// An entry of `ignore` in the configuration, with a reason.
    Ignore,
    /// The rule is off in the configuration.
    Rule,
    /// It was there when the baseline was written.
    Baseline,
}
