//! The outcome of looking at files that lie on this machine.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::evidence::ModuleReport;
use crate::model::platform::Platform;
use crate::model::report::{Severity, Verdict};
use crate::model::target::Target;

/// A wheel, a lone module, or the modules of one distribution in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// The wheel or the module; for modules in a folder, the folder that their members are counted
    /// from.
    pub path: String,
    /// The wheel's file name, where it is one.
    pub wheel: Option<String>,
    /// The distribution, or in a folder that does not tell, the name that is imported.
    pub name: Option<String>,
    /// Its release, where known.
    pub version: Option<String>,
    /// The interpreter it was looked at for.
    pub target: Target,
    /// The platform it was looked at for; `None` for whatever each file is built for.
    pub platform: Option<Platform>,
    /// What it does to the GIL.
    pub verdict: Verdict,
    /// Why the verdict is what it is, where the modules do not say.
    pub reason: Option<String>,
    /// What the reader has to know to read the rest rightly.
    pub notes: Vec<String>,
    /// Its extension modules, sorted by name.
    pub modules: Vec<ModuleReport>,
}

/// Something that is not for the interpreter, and was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PassedOver {
    /// Where it lies.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// How many files came to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectSummary {
    /// Files in the report; the modules of a distribution in a folder count as one.
    pub files: usize,
    /// Those with an answer: neither unchecked nor undetermined.
    pub checked: usize,
    /// Extension modules in all of them.
    pub modules: usize,
    /// By verdict; every verdict is listed.
    pub verdicts: BTreeMap<&'static str, usize>,
}

/// The outcome of an inspection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectReport {
    /// The version of this form; 1.
    pub version: u32,
    /// Totals.
    pub summary: InspectSummary,
    /// What the reader has to know to read the rest rightly.
    pub notes: Vec<String>,
    /// What could not be covered: with any of these the end is not a success.
    pub gaps: Vec<String>,
    /// What was looked at, sorted by path, name and target.
    pub files: Vec<FileReport>,
    /// What is for other interpreters or platforms.
    pub skipped: Vec<PassedOver>,
}

impl InspectReport {
    /// Sorts, counts and assembles.
    #[must_use]
    pub fn new(
        notes: Vec<String>,
        gaps: Vec<String>,
        mut files: Vec<FileReport>,
        mut skipped: Vec<PassedOver>,
    ) -> Self {
        files.sort_by(|a, b| {
            (&a.path, &a.name, &a.version, a.target).cmp(&(&b.path, &b.name, &b.version, b.target))
        });
        files.dedup();
        skipped.sort();
        skipped.dedup();
        let mut verdicts: BTreeMap<_, _> =
            Verdict::ALL.iter().map(|verdict| (verdict.as_str(), 0)).collect();
        for file in &files {
            *verdicts.entry(file.verdict.as_str()).or_default() += 1;
        }
        let is_checked = |file: &&FileReport| file.verdict.severity() != Severity::NotKnown;
        let summary = InspectSummary {
            files: files.len(),
            checked: files.iter().filter(is_checked).count(),
            modules: files.iter().map(|file| file.modules.len()).sum(),
            verdicts,
        };
        Self { version: 1, summary, notes, gaps, files, skipped }
    }

    /// The worst that any file came to. Where something was passed over and no module looked at,
    /// nothing is known; nor is it all with gaps.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let worst = self.files.iter().map(|file| file.verdict.severity()).min();
        let worst = worst.unwrap_or(Severity::NotKnown);
        let nothing_checked = !self.skipped.is_empty() && self.summary.modules == 0;
        if nothing_checked || !self.gaps.is_empty() {
            return worst.min(Severity::NotKnown);
        }
        worst
    }
}
