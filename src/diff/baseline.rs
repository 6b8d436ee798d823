//! What was found before and is accepted: a file to be kept beside the project, so that a scan fails
//! only on what is new.
//!
//! An entry holds what tells a finding from others, and nothing that changes on its own: no versions
//! of packages, no lines, no words of the message. So an update of a package that changes nothing
//! about its modules leaves the baseline as it is. Findings that are about no package, such as a gap
//! of the scan or a line of the user's own code, are told apart by their file and message.
//!
//! The modules of entries that are otherwise equal count together: a finding about some of them is
//! known, one about a further module is new.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::read::{json, newer};
use crate::input::{InputError, Source};
use crate::model::finding::{Finding, Ignored, IgnoredBy};
use crate::model::platform::Platform;
use crate::model::report::ScanReport;
use crate::model::target::Target;

/// The form of the file.
const VERSION: u32 = 1;

/// Findings that are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The version of this form; 1.
    version: u32,
    /// What is known, sorted.
    findings: Vec<Entry>,
}

/// What stays the same of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The package, by its normalized name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
    /// The rule's id.
    pub rule: String,
    /// The interpreter.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<Target>,
    /// The platform without the version of its system, such as `x86_64-manylinux`: with it where
    /// the scan was made for several that only differ in that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub platform: Option<String>,
    /// The file, where it is about no package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// The message, where it is about no package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// The modules, sorted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub modules: BTreeSet<String>,
}

impl Entry {
    /// What a finding of `report` is known by.
    fn of(finding: &Finding, report: &ScanReport) -> Self {
        let alone = finding.package.is_none();
        Self {
            package: finding.package.clone(),
            rule: finding.rule.to_string(),
            target: finding.place.map(|place| place.target),
            platform: finding.place.map(|place| label(place.platform, report)),
            path: finding.location.as_ref().filter(|_| alone).map(|location| location.path.clone()),
            message: Some(finding.message.clone()).filter(|_| alone),
            modules: finding.modules.iter().cloned().collect(),
        }
    }

    fn key(&self) -> Key {
        (Self { modules: BTreeSet::new(), ..self.clone() }, self.modules.is_empty())
    }

    /// Whether a scan like `report` would have found it.
    fn is_within(&self, report: &ScanReport) -> bool {
        self.target.is_none_or(|target| report.targets.contains(&target))
            && self.platform.as_ref().is_none_or(|platform| {
                report.platforms.iter().any(|one| label(*one, report) == *platform)
            })
    }
}

/// What tells a platform from the others of a report, and is the same on the next machine.
fn label(platform: Platform, report: &ScanReport) -> String {
    let family = platform.family();
    let alike = report.platforms.iter().filter(|one| one.family() == family).count();
    if alike > 1 { platform.to_string() } else { family }
}

impl Baseline {
    /// What a report finds and counts.
    #[must_use]
    pub fn of(report: &ScanReport) -> Self {
        let entries = joined(report.findings.iter().map(|finding| Entry::of(finding, report)));
        let entry = |((entry, _), modules): (Key, _)| Entry { modules, ..entry };
        Self { version: VERSION, findings: entries.into_iter().map(entry).collect() }
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Reads what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// Where it is something else, or of a newer form.
    pub fn read(source: &Source) -> Result<Self, InputError> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object")]
        struct Head {
            version: u32,
        }
        let problem = |problem: serde_json::Error| json(source, &problem);
        let head: Head = serde_json::from_str(&source.text).map_err(problem)?;
        if head.version > VERSION {
            return Err(newer(source, "baseline", head.version));
        }
        serde_json::from_str(&source.text).map_err(problem)
    }

    /// The text of the file: one entry after the other, the same for equal findings.
    ///
    /// # Errors
    /// None is known of.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Takes out of a report what is known, and gives back what is known and no longer found, as far
    /// as the scan would have come to it.
    pub fn apply(&self, report: &mut ScanReport, shown: &str) -> Vec<Entry> {
        let known = joined(self.findings.iter().cloned());
        let found = joined(report.findings.iter().map(|finding| Entry::of(finding, report)));
        let mut counting = Vec::new();
        for finding in std::mem::take(&mut report.findings) {
            let entry = Entry::of(&finding, report);
            let is_known = |known: &BTreeSet<String>| entry.modules.is_subset(known);
            if known.get(&entry.key()).is_some_and(is_known) {
                report.ignored.push(Ignored {
                    finding,
                    by: IgnoredBy::Baseline,
                    reason: format!("known in {shown}"),
                    expires: None,
                    location: None,
                });
            } else {
                counting.push(finding);
            }
        }
        report.findings = counting;
        let gone = |(key, modules): (Key, BTreeSet<String>)| {
            let modules = match found.get(&key) {
                None => modules,
                Some(found) if found.is_superset(&modules) => return None,
                Some(found) => modules.difference(found).cloned().collect(),
            };
            Some(Entry { modules, ..key.0 })
        };
        known.into_iter().filter_map(gone).filter(|entry| entry.is_within(report)).collect()
    }
}

/// An entry without its modules, and whether it has none: a finding that names none is about
/// something else than one that does.
type Key = (Entry, bool);

/// The modules of entries that are otherwise equal.
fn joined(entries: impl Iterator<Item = Entry>) -> BTreeMap<Key, BTreeSet<String>> {
    let mut joined: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
    for entry in entries {
        joined.entry(entry.key()).or_default().extend(entry.modules);
    }
    joined
}
