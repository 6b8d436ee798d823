//! How the engine's answers compare with those of an interpreter that was run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::evidence::Init;
use crate::model::report::Severity;
use crate::model::target::Target;

/// What comparing one answer came to, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// The interpreter says otherwise.
    Differs,
    /// The interpreter did not tell.
    NotObserved,
    /// The engine did not tell.
    NotPredicted,
    /// Both say the same.
    Agrees,
}

impl Comparison {
    /// All of them, worst first.
    pub const ALL: [Self; 4] = [Self::Differs, Self::NotObserved, Self::NotPredicted, Self::Agrees];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::NotObserved => "not-observed",
            Self::NotPredicted => "not-predicted",
            Self::Agrees => "agrees",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::Differs => Severity::Finding,
            Self::NotObserved | Self::NotPredicted => Severity::NotKnown,
            Self::Agrees => Severity::Fine,
        }
    }
}

/// One module, or one import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The distribution, where known.
    pub distribution: Option<String>,
    /// Its release, where known.
    pub version: Option<String>,
    /// The wheel that it was installed from, as its metadata tells.
    pub wheel: Option<String>,
    /// The dotted name.
    pub name: String,
    /// The path of a module below the folder of installed packages; `None` for imports.
    pub member: Option<String>,
    /// How both answers compare.
    pub comparison: Comparison,
    /// Whether the engine says that the GIL is enabled.
    pub predicted: Option<bool>,
    /// Why it does not say.
    pub predicted_reason: Option<String>,
    /// Whether the interpreter enabled it.
    pub observed: Option<bool>,
    /// Why that is not known.
    pub observed_reason: Option<String>,
    /// The module that the interpreter's warning named.
    pub by: Option<String>,
    /// How the module initialised.
    pub init: Option<Init>,
}

/// The interpreter that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// The program.
    pub program: String,
    /// Its release in full.
    pub version: String,
    /// Which interpreter it is.
    pub target: Target,
}

/// The outcome of `ftcheck verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The version of this form; 1.
    pub version: u32,
    /// What was run.
    pub interpreter: Ran,
    /// Whether the rows are imports rather than modules.
    pub imports: bool,
    /// How many came to what; every comparison is listed.
    pub summary: BTreeMap<&'static str, usize>,
    /// What the reader has to know to read the rest rightly.
    pub notes: Vec<String>,
    /// What could not be covered: with any of these the end is not a success.
    pub gaps: Vec<String>,
    /// Modules, or with `--imports` the names that packages are imported by, sorted.
    pub rows: Vec<Verified>,
}

impl VerifyReport {
    /// Sorts, counts and assembles.
    #[must_use]
    pub fn new(
        interpreter: Ran,
        imports: bool,
        notes: Vec<String>,
        gaps: Vec<String>,
        mut rows: Vec<Verified>,
    ) -> Self {
        rows.sort_by(|a, b| {
            (&a.distribution, &a.name, &a.member).cmp(&(&b.distribution, &b.name, &b.member))
        });
        let mut summary: BTreeMap<_, _> =
            Comparison::ALL.iter().map(|comparison| (comparison.as_str(), 0)).collect();
        for row in &rows {
            *summary.entry(row.comparison.as_str()).or_default() += 1;
        }
        Self { version: 1, interpreter, imports, summary, notes, gaps, rows }
    }

    /// The worst that any comparison came to; with gaps never a success.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let worst = self.rows.iter().map(|row| row.comparison.severity()).min();
        let worst = worst.unwrap_or(Severity::Fine);
        if self.gaps.is_empty() { worst } else { worst.min(Severity::NotKnown) }
    }
}
