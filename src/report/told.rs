//! What the rules found, as the formats for programs tell it: once where it only differs in the place,
//! with a fingerprint by which the next run's finding is known again.

use std::collections::{BTreeMap, HashMap};

use super::merged::{Merged, merged};
use super::origin::{Anchor, Origin};
use super::text::{one_line, printable};
use crate::judge::{self, FailOn};
use crate::model::digest::Sha256;
use crate::model::finding::{Finding, Ignored};
use crate::model::report::{PackageReport, Place, ScanReport, Severity};

/// A finding, for all places that it holds for.
pub(super) struct Told<'r> {
    pub(super) finding: &'r Finding,
    /// Where it is shown.
    pub(super) anchor: Anchor,
    /// The same for the same finding of another run, and no other finding of this run has it.
    ///
    /// It is made of the rule, the package, the modules and the file. So it stays when lines move, when
    /// the release changes, and when words change. A finding that is about no package is known by its
    /// words. Equal ones are counted: `HASH:1`, `HASH:2`.
    pub(super) fingerprint: String,
    /// The package that it is about, at the first of the places.
    pub(super) package: Option<&'r PackageReport>,
    /// The places, in a few words, where it does not hold for all that were looked at.
    labels: String,
}

impl Told<'_> {
    /// The package and its release, fit to be shown.
    pub(super) fn subject(&self) -> Option<String> {
        let name = printable(self.finding.package.as_deref()?);
        let version =
            self.finding.version.as_deref().map(|version| format!(" {}", printable(version)));
        Some(name + &version.unwrap_or_default())
    }

    /// What was found, in a line fit to be shown.
    pub(super) fn sentence(&self) -> String {
        let subject = self.subject().map(|subject| subject + ": ").unwrap_or_default();
        let message = one_line(&self.finding.message);
        format!("{subject}{message}{}", self.labels)
    }

    /// What brings the package in, where that is not the line of its own, fit to be shown.
    pub(super) fn required_by(&self) -> Option<String> {
        let package = self.package.filter(|package| package.via.len() > 1)?;
        Some(format!("required by {}", chain(package)))
    }

    /// What leads there, what to do and where more is told, each a line fit to be shown.
    pub(super) fn details(&self) -> Vec<String> {
        let required_by = self.required_by().into_iter();
        let hints = required_by.chain(self.finding.hints.iter().map(|hint| one_line(hint)));
        hints
            .chain(self.finding.links.iter().map(|link| format!("see {}", one_line(link))))
            .collect()
    }
}

/// All that was found, heaviest first.
pub(super) fn told<'r>(report: &'r ScanReport, origin: &Origin) -> Vec<Told<'r>> {
    let mut packages: HashMap<(&str, Option<&str>, Place), &PackageReport> = HashMap::new();
    for package in &report.packages {
        let key = (package.name.as_str(), package.version.as_deref(), package.place());
        packages.entry(key).or_insert(package);
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let tell = |one: Merged<'r>| {
        let finding = one.finding;
        let anchor = origin.anchor(report, finding);
        let version = finding.version.as_deref();
        let key = finding.package.as_deref().zip(one.places.first().copied());
        let package = key.and_then(|(name, at)| packages.get(&(name, version, at)).copied());
        let hash = fingerprint(finding, &anchor.path);
        let count = seen.entry(hash.clone()).or_default();
        *count += 1;
        let labels = one.labels(report).map(|labels| format!(" ({labels})")).unwrap_or_default();
        Told { finding, anchor, fingerprint: format!("{hash}:{count}"), package, labels }
    };
    merged(&report.findings).into_iter().map(tell).collect()
}

fn fingerprint(finding: &Finding, path: &str) -> String {
    let mut text = Vec::new();
    let mut add = |part: &str| {
        // With its length, so that no two lists of parts run into the same bytes.
        text.extend((part.len() as u64).to_le_bytes());
        text.extend(part.as_bytes());
    };
    add(&finding.rule);
    add(path);
    match &finding.package {
        Some(package) => add(package),
        None => add(&finding.message),
    }
    for module in &finding.modules {
        add(module);
    }
    let mut digest = Sha256::of(&text).to_string();
    digest.truncate(16);
    digest
}

/// The findings of each package at each place.
pub(super) struct ByPackage<'r> {
    counting: BTreeMap<Key<'r>, Vec<&'r Finding>>,
    ignored: BTreeMap<Key<'r>, Vec<&'r Ignored>>,
}

/// A package by name, release and place.
type Key<'r> = (&'r str, Option<&'r str>, String);

impl<'r> ByPackage<'r> {
    pub(super) fn new(report: &'r ScanReport) -> Self {
        let (mut counting, mut ignored) = (BTreeMap::new(), BTreeMap::new());
        for finding in &report.findings {
            if let Some(key) = Self::key_of(finding) {
                counting.entry(key).or_insert_with(Vec::new).push(finding);
            }
        }
        for one in &report.ignored {
            if let Some(key) = Self::key_of(&one.finding) {
                ignored.entry(key).or_insert_with(Vec::new).push(one);
            }
        }
        Self { counting, ignored }
    }

    fn key_of(finding: &'r Finding) -> Option<Key<'r>> {
        let (package, place) = (finding.package.as_deref()?, finding.place?);
        Some((package, finding.version.as_deref(), place.to_string()))
    }

    fn key(package: &'r PackageReport) -> Key<'r> {
        (package.name.as_str(), package.version.as_deref(), package.place().to_string())
    }

    /// Heaviest first.
    pub(super) fn of(&self, package: &'r PackageReport) -> &[&'r Finding] {
        self.counting.get(&Self::key(package)).map_or(&[], Vec::as_slice)
    }

    /// What was found of it and does not count.
    pub(super) fn ignored(&self, package: &'r PackageReport) -> &[&'r Ignored] {
        self.ignored.get(&Self::key(package)).map_or(&[], Vec::as_slice)
    }

    /// What a package comes to, as it counts for the run as a whole ([`judge::outcome`]): what its
    /// findings do, and its verdict where no rule spoke of that. What the user ignores was spoken of.
    pub(super) fn severity(&self, package: &'r PackageReport, fail_on: &FailOn) -> Severity {
        let (found, verdict) = (self.of(package), package.verdict.severity());
        let ignored = self.ignored(package).iter().map(|ignored| &ignored.finding);
        let is_spoken_of = found
            .iter()
            .copied()
            .chain(ignored)
            .any(|finding| judge::usual_severity(&finding.rule) == verdict);
        let unspoken = (!is_spoken_of).then_some(verdict);
        let found = found.iter().map(|finding| judge::outcome_of(finding, fail_on));
        found.chain(unspoken).min().unwrap_or(Severity::Fine)
    }
}

/// The packages from one that the user's files name to this one, fit to be shown.
pub(super) fn chain(package: &PackageReport) -> String {
    let steps = package.via.iter().map(|step| {
        let version = step.version.as_deref().map(|version| format!(" {}", printable(version)));
        printable(&step.name) + &version.unwrap_or_default()
    });
    steps.collect::<Vec<_>>().join(" -> ")
}
