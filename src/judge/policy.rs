//! What the user decides about findings: what the run fails on, and what does not count.
//!
//! How these are read is told in [`crate::settings`]. What rules weigh is [`super::Levels`].

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use glob::Pattern;
use jiff::civil::Date;

use super::{CHECKS, Levels, ignore_expired, ignore_unused, rule};
use crate::model::finding::{Finding, Ignored, IgnoredBy, Level};
use crate::model::location::Location;
use crate::model::report::ScanReport;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What findings weigh.
    pub levels: Levels,
    /// What does not count.
    pub ignores: Vec<Ignore>,
    /// What the run fails on.
    pub fail_on: FailOn,
}

/// What a run fails on. What is not known has an end of its own, whatever stands here, unless the
/// rule that tells of it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailOn {
    /// Findings of this level, and of those that weigh more; `None` where only rules are named.
    pub level: Option<Level>,
    /// Findings of these rules, whatever they weigh.
    pub rules: BTreeSet<&'static str>,
}

impl Default for FailOn {
    fn default() -> Self {
        Self::DEFAULT.clone()
    }
}

impl FailOn {
    /// What a run fails on where the user says nothing.
    pub const DEFAULT: &'static Self =
        &Self { level: Some(Level::Warning), rules: BTreeSet::new() };

    /// Reads levels and ids of rules; of several levels the lightest counts.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, &'t str> {
        let mut fail_on = Self { level: None, rules: BTreeSet::new() };
        for text in texts {
            match (Level::from_str(text), rule(text)) {
                (Ok(level), _) => fail_on.level = fail_on.level.max(Some(level)),
                (_, Some(rule)) => {
                    fail_on.rules.insert(rule.id);
                }
                (Err(_), None) => return Err(text),
            }
        }
        Ok(fail_on)
    }

    /// Every word that [`Self::of`] takes.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let levels = Level::ALL.into_iter().map(Level::as_str);
        levels.chain(CHECKS.iter().map(|check| check.rule().id))
    }

    /// Whether a finding of something that is known fails the run.
    #[must_use]
    pub fn includes(&self, finding: &Finding) -> bool {
        self.names(finding) || self.level.is_some_and(|level| finding.level <= level)
    }

    /// Whether the finding's rule is named.
    #[must_use]
    pub fn names(&self, finding: &Finding) -> bool {
        self.rules.contains(finding.rule.as_ref())
    }
}

/// A name in which `*` stands for any letters, and `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(Pattern);

/// The text is no name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected a name, in which `*` may stand for any letters, found `{0}`")]
pub struct NamePatternError(String);

impl NamePattern {
    /// A pattern for names of packages, which are compared by their normalized form (PEP 503).
    ///
    /// # Errors
    /// Where it holds what no name has.
    pub fn of_package(text: &str) -> Result<Self, NamePatternError> {
        let mut normalized = String::with_capacity(text.len());
        for letter in text.trim().chars() {
            let letter = if "-_.".contains(letter) { '-' } else { letter.to_ascii_lowercase() };
            if letter != '-' || !normalized.ends_with('-') {
                normalized.push(letter);
            }
        }
        Self::new(&normalized, |letter| letter.is_ascii_alphanumeric() || letter == '-')
            .ok_or_else(|| NamePatternError(text.to_owned()))
    }

    /// A pattern for dotted names of modules.
    ///
    /// # Errors
    /// Where it holds what no name has.
    pub fn of_module(text: &str) -> Result<Self, NamePatternError> {
        Self::new(text.trim(), |letter| letter.is_alphanumeric() || "_.".contains(letter))
            .ok_or_else(|| NamePatternError(text.to_owned()))
    }

    fn new(text: &str, is_allowed: impl Fn(char) -> bool) -> Option<Self> {
        let is_fine = !text.is_empty()
            && !text.contains("**")
            && text.chars().all(|letter| is_allowed(letter) || "*?".contains(letter));
        is_fine.then(|| Pattern::new(text).ok().map(Self)).flatten()
    }

    /// Whether it stands for this name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Findings that do not count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Of these packages; of all where there is none, and then also what is about the scan as a
    /// whole.
    pub package: Option<NamePattern>,
    /// Of this rule.
    pub rule: Option<&'static str>,
    /// About these modules. A finding about further ones counts as before.
    pub module: Option<NamePattern>,
    /// Why.
    pub reason: String,
    /// The last day on which they do not count, in UTC so that it ends everywhere at once.
    pub expires: Option<Date>,
    /// Where it stands.
    pub location: Location,
}

impl Ignore {
    /// Whether it is about the rule and the package of a finding, whatever the modules.
    fn is_about(&self, finding: &Finding) -> bool {
        let package = finding.package.as_deref();
        self.rule.is_none_or(|id| id == finding.rule)
            && self
                .package
                .as_ref()
                .is_none_or(|wanted| package.is_some_and(|it| wanted.matches(it)))
    }

    fn has_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

/// As it is told: what it ignores.
impl fmt::Display for Ignore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.rule.map(|rule| format!("rule `{rule}`")));
        parts.extend(self.package.as_ref().map(|package| format!("package `{package}`")));
        parts.extend(self.module.as_ref().map(|module| format!("module `{module}`")));
        f.write_str(&parts.join(", "))
    }
}

/// Takes out what is ignored, and tells what of the ignores is expired. What matches nothing is told
/// where `tells_unused`: not where only a part was looked at.
pub fn apply_ignores(report: &mut ScanReport, policy: &Policy, today: Date, tells_unused: bool) {
    let mut is_used = vec![false; policy.ignores.len()];
    let mut counting = Vec::new();
    for finding in std::mem::take(&mut report.findings) {
        let about: Vec<&Ignore> = policy
            .ignores
            .iter()
            .zip(&mut is_used)
            .filter(|(ignore, _)| ignore.is_about(&finding) && concerns_modules(ignore, &finding))
            .map(|(ignore, is_used)| {
                *is_used = true;
                ignore
            })
            .filter(|ignore| !ignore.has_expired(today))
            .collect();
        match ignored_by(&about, &finding) {
            Some(by) => report.ignored.push(told(finding, &by)),
            None => counting.push(finding),
        }
    }
    report.findings = counting;
    for (ignore, is_used) in policy.ignores.iter().zip(is_used) {
        if ignore.has_expired(today) {
            let found = ignore_expired::found(ignore, is_used);
            report.findings.extend(of_settings(found, &policy.levels));
        } else if !is_used && tells_unused {
            let found = ignore_unused::found(ignore);
            report.findings.extend(of_settings(found, &policy.levels));
        }
    }
    report.findings.sort_by_key(|finding| finding.level);
}

fn concerns_modules(ignore: &Ignore, finding: &Finding) -> bool {
    ignore.module.as_ref().is_none_or(|wanted| finding.modules.iter().any(|it| wanted.matches(it)))
}

/// The ignores that together take out a finding: one that names no modules, or as many as it takes
/// for all of its modules.
fn ignored_by<'i>(about: &[&'i Ignore], finding: &Finding) -> Option<Vec<&'i Ignore>> {
    if let Some(whole) = about.iter().find(|ignore| ignore.module.is_none()) {
        return Some(vec![whole]);
    }
    let mut by: Vec<&Ignore> = Vec::new();
    for module in &finding.modules {
        let matches =
            |ignore: &&&Ignore| ignore.module.as_ref().is_some_and(|wanted| wanted.matches(module));
        let ignore = about.iter().find(matches)?;
        if !by.iter().any(|known| std::ptr::eq(*known, *ignore)) {
            by.push(ignore);
        }
    }
    (!by.is_empty()).then_some(by)
}

fn told(finding: Finding, by: &[&Ignore]) -> Ignored {
    let mut reasons: Vec<&str> = by.iter().map(|ignore| ignore.reason.as_str()).collect();
    reasons.dedup();
    Ignored {
        finding,
        by: IgnoredBy::Ignore,
        reason: reasons.join("; "),
        expires: by.iter().filter_map(|ignore| ignore.expires).min(),
        location: by.first().map(|ignore| ignore.location.clone()),
    }
}

/// A finding about the settings themselves; none where its rule is off.
fn of_settings(found: Finding, levels: &Levels) -> Option<Finding> {
    let level = levels.of(rule(&found.rule)?)?;
    Some(Finding { level, ..found })
}
