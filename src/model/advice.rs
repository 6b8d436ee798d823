//! What to do about a package that stands in the way, with the command for it, and whether all of
//! it can be done at once.

use serde::Serialize;

use crate::model::location::Location;
use crate::model::platform::Platform;
use crate::model::report::{Place, Severity, Verdict};
use crate::model::target::Target;

/// The tool that a project's files are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// A project of uv.
    Uv,
    /// A script with its dependencies inside (PEP 723), by uv.
    UvScript,
    /// A requirements file that `uv pip compile` wrote.
    UvPip,
    /// A project of poetry.
    Poetry,
    /// A project of pdm.
    Pdm,
    /// A requirements file, by pip.
    Pip,
    /// A requirements file that `pip-compile` wrote.
    PipTools,
    /// A project of Pipenv.
    Pipenv,
    /// A pylock.toml, of which it is not known what wrote it.
    Pylock,
    /// A workspace of pixi.
    Pixi,
    /// An environment file or lock of conda.
    Conda,
    /// What is installed in an environment.
    Environment,
}

/// Which tool a file is for, and how it is asked to write it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// The tool.
    pub tool: Tool,
    /// The file as it is shown.
    pub file: String,
    /// The command that wrote the file, in words of the shell, where the file says so.
    pub written_by: Vec<String>,
}

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
    /// Whether no release before `first` keeps it off for certain: false where releases before it
    /// were not looked at, or could not be told. Where there is no `first`, whether it is certain
    /// that no newer release does.
    pub certain: bool,
    /// The nearest release that the user's own requirements and those of the other packages allow
    /// and that keeps the GIL off.
    pub allowed: Option<Candidate>,
    /// Whether it needs no other release: its modules do what those of another package do, which is
    /// advised on too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follows: bool,
    /// What keeps `first` from being installed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<Obstacle>,
    /// The releases that were looked at, oldest first, with what was seen: those that were opened,
    /// and those whose tags tell.
    pub looked_at: Vec<Candidate>,
    /// How far the search went.
    pub search: Search,
    /// The same in words, where it did not go all the way.
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

/// How far a search through newer releases went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Search {
    /// Newer releases, without those that were withdrawn or are for other Pythons alone.
    pub newer: usize,
    /// Those of them without a wheel that the interpreter accepts, by their tags.
    pub without_wheel: usize,
    /// Those whose wheels were opened.
    pub opened: usize,
    /// Those with a wheel that was not opened.
    pub not_opened: usize,
    /// Those of which it could not be told, opened or not.
    pub not_told: usize,
    /// Why the search could not be made, or was broken off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
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
    /// Why the verdict is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A requirement that a release does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// What is asked for, such as `numpy<2`.
    pub requirement: String,
    /// Who asks.
    pub from: Asker,
    /// Where it stands, or where the user's files name what leads to it.
    pub location: Option<Location>,
}

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asker {
    /// The user's own requirement.
    Project,
    /// The user's own constraint.
    Constraint,
    /// The user's own override.
    Override,
    /// Another package: name and release.
    Package(String),
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

impl Step {
    /// Something that no command does.
    #[must_use]
    pub fn told(what: impl Into<String>) -> Self {
        Self { what: what.into(), command: None }
    }
}

/// Whether all that is advised for one place can be installed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Together {
    /// For which interpreter and where.
    #[serde(flatten)]
    pub place: Place,
    /// Whether it can.
    pub holds: Holds,
    /// What would be installed otherwise than now, sorted by name.
    pub changes: Vec<Change>,
    /// Why not, or why that is not known; or what had to give way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// Whether there is one resolution for all that is advised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// There is.
    Yes,
    /// There is none.
    No,
    /// It could not be told.
    NotKnown,
}

/// One package that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The normalized name.
    pub name: String,
    /// The release now; none where it is not installed now.
    pub from: Option<String>,
    /// The release then; none where it is no longer installed.
    pub to: Option<String>,
    /// What the release then does; none where it was not looked at.
    pub verdict: Option<Verdict>,
}

/// All advice for a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdviceReport {
    /// The version of this form; 1.
    pub version: u32,
    /// Every interpreter it was made for.
    pub targets: Vec<Target>,
    /// Every platform it was made for.
    pub platforms: Vec<Platform>,
    /// The packages that are in the way, by name, then in the order of the places.
    pub packages: Vec<Advice>,
    /// Whether it holds together, for each place where anything is advised.
    pub together: Vec<Together>,
    /// Packages of which nothing could be told, with the reason.
    pub unchecked: Vec<String>,
    /// What could not be covered.
    pub gaps: Vec<String>,
    /// What the reader has to know to read the rest rightly.
    pub notes: Vec<String>,
}

impl AdviceReport {
    /// What the advice means for the run as a whole: what could not be told comes first, since then
    /// the advice is not all there is; then whether there is something to do.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let failed = self.packages.iter().any(|advice| advice.search.failure.is_some());
        if failed || !self.unchecked.is_empty() {
            Severity::NotKnown
        } else if !self.packages.is_empty() {
            Severity::Finding
        } else if self.gaps.is_empty() {
            Severity::Fine
        } else {
            Severity::NotKnown
        }
    }

    /// What tells one place of this report from its others; nothing where there is one.
    #[must_use]
    pub fn label(&self, place: Place) -> Option<String> {
        match (self.targets.len() > 1, self.platforms.len() > 1) {
            (true, true) => Some(format!("{} {}", place.target, place.platform)),
            (true, false) => Some(place.target.to_string()),
            (false, true) => Some(place.platform.to_string()),
            (false, false) => None,
        }
    }
}
