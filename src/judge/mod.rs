//! From what was found to verdicts, and from those to findings: one file for each rule, behind
//! [`Check`] and the list [`CHECKS`]. Pure: no network, no files.
//!
//! A verdict is what a package does; a finding is what a rule has to say of it. Every verdict that
//! is not in order has a finding, which a test checks, so that nothing that was found or could not
//! be told is lost on the way to the exit code.

mod abi3_not_installable;
mod classifier_disagrees;
mod gil_enabled_by_source;
mod gil_enabled_on_import;
mod gil_enabled_on_submodule;
mod ignore_expired;
mod ignore_unused;
mod missing;
mod no_free_threaded_wheel;
mod not_checked;
mod policy;
mod pure_python_fallback;
mod requires_python_excludes_target;
mod sdist_only;
mod subinterpreters_unsupported;
mod tracker_disagrees;
mod undetermined_module;
mod verdict;
mod wheel_missing_for_platform;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use crate::model::finding::{Finding, Ignored, IgnoredBy, Level};
use crate::model::location::Location;
use crate::model::report::{PackageReport, Place, ScanReport, Severity, Verdict};

pub use self::policy::{FailOn, Ignore, NamePattern, NamePatternError, Policy, apply_ignores};
pub use self::verdict::{reason, settle, verdict};

/// What a rule is about, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name, kebab-case; it never changes.
    pub id: &'static str,
    /// How much its findings weigh; `None` where the rule is off unless asked for.
    pub level: Option<Level>,
    /// Whether its findings tell of something that was not or could not be told.
    pub about_unknown: bool,
    /// What it finds, in a line.
    pub summary: &'static str,
    /// Why that matters, in a paragraph.
    pub explanation: &'static str,
    /// What to do about it, in a paragraph.
    pub action: &'static str,
}

/// One rule: what it is about, and how it is checked.
pub trait Check: Sync {
    /// What it is about.
    fn rule(&self) -> &'static Rule;

    /// What it finds in one package at one place.
    fn package(&self, _package: &PackageReport) -> Vec<Draft> {
        Vec::new()
    }

    /// What it finds in the scan as a whole.
    fn scan(&self, _report: &ScanReport) -> Vec<Draft> {
        Vec::new()
    }
}

/// Every rule, in the order in which they are listed.
pub const CHECKS: &[&dyn Check] = &[
    &gil_enabled_on_import::GilEnabledOnImport,
    &gil_enabled_on_submodule::GilEnabledOnSubmodule,
    &gil_enabled_by_source::GilEnabledBySource,
    &no_free_threaded_wheel::NoFreeThreadedWheel,
    &wheel_missing_for_platform::WheelMissingForPlatform,
    &abi3_not_installable::Abi3NotInstallable,
    &sdist_only::SdistOnly,
    &requires_python_excludes_target::RequiresPythonExcludesTarget,
    &undetermined_module::UndeterminedModule,
    &not_checked::NotChecked,
    &pure_python_fallback::PurePythonFallback,
    &classifier_disagrees::ClassifierDisagrees,
    &tracker_disagrees::TrackerDisagrees,
    &subinterpreters_unsupported::SubinterpretersUnsupported,
    &ignore_expired::IgnoreExpired,
    &ignore_unused::IgnoreUnused,
];

/// The rule of this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    CHECKS.iter().map(|check| check.rule()).find(|rule| rule.id == id)
}

/// A finding without what is the same for all findings of a rule in a package.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Draft {
    /// See [`Finding::message`].
    pub message: String,
    /// See [`Finding::modules`].
    pub modules: Vec<String>,
    /// See [`Finding::hints`].
    pub hints: Vec<String>,
    /// See [`Finding::links`].
    pub links: Vec<String>,
    /// What it weighs at most, where that is less than its rule's findings usually do.
    pub level: Option<Level>,
    /// See [`Finding::location`]; that of the package where there is none.
    pub location: Option<Location>,
}

impl Draft {
    /// A finding that says this.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// It is about these modules.
    #[must_use]
    pub fn about<'m>(mut self, modules: impl IntoIterator<Item = &'m str>) -> Self {
        self.modules = modules.into_iter().map(str::to_owned).collect();
        self.modules.sort();
        self
    }

    /// What to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// What the user made of the rules: those that are named weigh something else than usual, or
/// nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Levels(pub BTreeMap<&'static str, Option<Level>>);

impl Levels {
    /// What findings of a rule weigh; `None` where it is off.
    #[must_use]
    pub fn of(&self, rule: &Rule) -> Option<Level> {
        self.0.get(rule.id).copied().unwrap_or(rule.level)
    }
}

/// Puts what the rules find into a report: what counts, and what the user turned off.
pub fn tell(report: &mut ScanReport, levels: &Levels) {
    report.findings = findings(report, levels);
    for check in CHECKS {
        let rule = check.rule();
        let (Some(level), None) = (rule.level, levels.of(rule)) else { continue };
        let found = found_by(*check, level, report);
        report.ignored.extend(found.into_iter().map(|finding| Ignored {
            finding,
            by: IgnoredBy::Rule,
            reason: "the rule is off".to_owned(),
            expires: None,
            location: None,
        }));
    }
}

/// What the rules find in a report, heaviest first.
#[must_use]
pub fn findings(report: &ScanReport, levels: &Levels) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS {
        if let Some(level) = levels.of(check.rule()) {
            findings.extend(found_by(*check, level, report));
        }
    }
    // Stable: what weighs the same stays in the order of the rules, then of the packages.
    findings.sort_by_key(|finding| finding.level);
    findings
}

/// What one rule finds.
fn found_by(check: &dyn Check, level: Level, report: &ScanReport) -> Vec<Finding> {
    let finding = |draft: Draft| Finding {
        rule: Cow::Borrowed(check.rule().id),
        level: draft.level.map_or(level, |at_most| at_most.max(level)),
        package: None,
        version: None,
        place: None,
        modules: draft.modules,
        message: draft.message,
        hints: draft.hints,
        links: draft.links,
        location: draft.location,
    };
    let mut findings: Vec<Finding> = check.scan(report).into_iter().map(finding).collect();
    for package in &report.packages {
        findings.extend(check.package(package).into_iter().map(|draft| {
            let found = finding(draft);
            Finding {
                package: Some(package.name.clone()),
                version: package.version.clone(),
                place: Some(package.place()),
                location: found.location.or_else(|| named_at(package)),
                ..found
            }
        }));
    }
    findings
}

/// A finding about what the user set.
fn about_settings(rule: &Rule, message: String, hint: String, location: Location) -> Finding {
    Finding {
        rule: Cow::Borrowed(rule.id),
        level: rule.level.unwrap_or(Level::Note),
        package: None,
        version: None,
        place: None,
        modules: Vec::new(),
        message,
        hints: vec![hint],
        links: Vec::new(),
        location: Some(location),
    }
}

/// Where the user's files bring a package in: the line of what they name that leads to it, since
/// that line is theirs to change.
fn named_at(package: &PackageReport) -> Option<Location> {
    let direct = package.via.first().and_then(|step| step.location.clone());
    direct.or_else(|| package.required_by.clone())
}

/// What findings, and what they leave open, come to for the run as a whole.
#[must_use]
pub fn severity(report: &ScanReport) -> Severity {
    outcome(report, &FailOn::default())
}

/// The same, where the user said what the run fails on.
#[must_use]
pub fn outcome(report: &ScanReport, fail_on: &FailOn) -> Severity {
    let of_findings = report.findings.iter().map(|finding| outcome_of(finding, fail_on));
    // A run that looked at nothing at all tells nothing, whatever the user ignores.
    let mut unchecked = report.packages.iter().map(|package| package.verdict == Verdict::Unchecked);
    let nothing = unchecked.all(|unchecked| unchecked).then_some(Severity::NotKnown);
    of_findings.chain(nothing).chain(unspoken(report)).min().unwrap_or(Severity::Fine)
}

/// What packages come to that are not in order, and of which no rule spoke: a rule that is missing
/// must not turn into a success. What the user ignores was spoken of.
fn unspoken(report: &ScanReport) -> impl Iterator<Item = Severity> + '_ {
    let all = report.findings.iter().chain(report.ignored.iter().map(|ignored| &ignored.finding));
    let spoken_of: HashSet<(&str, Option<Place>, Severity)> = all
        .filter_map(|finding| {
            let weighs = usual_severity(&finding.rule);
            Some((finding.package.as_deref()?, finding.place, weighs))
        })
        .collect();
    report
        .packages
        .iter()
        .map(|package| (package, package.verdict.severity()))
        .filter(move |(package, severity)| {
            let name = package.name.as_str();
            !spoken_of.contains(&(name, Some(package.place()), *severity))
        })
        .map(|(_, severity)| severity)
}

/// What findings of a rule come to where the user says nothing.
pub(crate) fn usual_severity(id: &str) -> Severity {
    match rule(id) {
        // Of a newer ftcheck's report.
        None => Severity::NotKnown,
        Some(rule) if rule.about_unknown => Severity::NotKnown,
        Some(rule) if rule.level.is_some_and(|level| level <= Level::Warning) => Severity::Finding,
        Some(_) => Severity::Fine,
    }
}

/// What one finding comes to. What was not told stays so, however little it weighs.
#[must_use]
pub fn severity_of(finding: &Finding) -> Severity {
    outcome_of(finding, &FailOn::default())
}

/// The same, where the user said what the run fails on.
#[must_use]
pub fn outcome_of(finding: &Finding, fail_on: &FailOn) -> Severity {
    let usual = usual_severity(&finding.rule);
    let of_unknown = rule(&finding.rule).is_some_and(|rule| rule.about_unknown);
    if fail_on.names(finding) || (!of_unknown && fail_on.includes(finding)) {
        Severity::Finding
    } else if usual == Severity::NotKnown {
        Severity::NotKnown
    } else {
        Severity::Fine
    }
}
