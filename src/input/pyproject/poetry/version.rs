//! Poetry's version constraints: PEP 440's, and its own `^1.2`, `~1.2`, `1.*` and `||`
//! (`poetry.core.constraints.version.parser`).

use std::str::FromStr as _;

use pep440_rs::{Operator, Version, VersionPattern, VersionSpecifier, VersionSpecifiers};
use pep508_rs::MarkerTree;

use crate::model::pep508;

/// A constraint: any of several ranges.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Constraint {
    alternatives: Vec<VersionSpecifiers>,
}

impl Constraint {
    /// Reads one.
    ///
    /// # Errors
    /// Where a part of it is none, which is given.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let alternatives = text
            .split('|')
            .filter(|part| !part.trim().is_empty())
            .map(all_of)
            .collect::<Result<Vec<_>, _>>()?;
        if alternatives.is_empty() && !text.trim().is_empty() {
            return Err(text.to_owned());
        }
        if alternatives.is_empty() {
            return Err("nothing".to_owned());
        }
        Ok(Self { alternatives })
    }

    /// Whether it allows a release.
    pub(crate) fn allows(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|range| range.contains(version))
    }

    /// As one range of PEP 440, where it can be said so: alternatives that touch each other, or leave
    /// out what a `!=` names.
    pub(super) fn specifiers(&self) -> Option<VersionSpecifiers> {
        if let [one] = self.alternatives.as_slice() {
            return Some(one.clone());
        }
        if self.alternatives.iter().any(VersionSpecifiers::is_empty) {
            return Some(VersionSpecifiers::empty());
        }
        let mut ranges: Vec<_> = self.alternatives.iter().map(range).collect::<Option<_>>()?;
        ranges.sort();
        let mut ranges = ranges.into_iter();
        let (low, mut high) = ranges.next()?;
        let mut holes = Vec::new();
        for (start, end) in ranges {
            if let (Some(hole_start), Some(hole_end)) = (&high, &start)
                && hole_start < hole_end
            {
                let star = series(hole_start, hole_end)?;
                holes.push(VersionSpecifier::not_equals_star_version(star));
            }
            high = match (high, end) {
                (Some(high), Some(end)) => Some(high.max(end)),
                _ => None,
            };
        }
        let low = low.map(VersionSpecifier::greater_than_equal_version);
        let high = high.map(VersionSpecifier::less_than_version);
        Some(low.into_iter().chain(high).chain(holes).collect())
    }

    /// The marker by which it applies to Python versions.
    pub(super) fn marker(&self) -> Option<MarkerTree> {
        let mut any = MarkerTree::FALSE;
        for alternative in &self.alternatives {
            let mut all = MarkerTree::TRUE;
            for specifier in alternative.iter() {
                // `python = "3.12"` means every 3.12.
                let is_series = *specifier.operator() == Operator::Equal
                    && specifier.version().release().len() < 3;
                let name = if is_series { "python_version" } else { "python_full_version" };
                let text = specifier.to_string();
                let at = text.find(|letter: char| letter.is_ascii_digit())?;
                let (operator, version) = text.split_at_checked(at)?;
                let text = format!("{name} {} '{}'", operator.trim(), version.trim());
                all.and(pep508::marker(&text).ok()?);
            }
            any.or(all);
        }
        Some(any)
    }
}

/// From the first version on, up to the second.
type Range = (Option<Version>, Option<Version>);

/// A range with one lower and one upper bound; `None` where it is of another kind.
fn range(specifiers: &VersionSpecifiers) -> Option<Range> {
    let (mut low, mut high) = (None, None);
    for specifier in specifiers.iter() {
        let version = specifier.version().clone();
        match specifier.operator() {
            Operator::GreaterThanEqual if low.is_none() => low = Some(version),
            Operator::LessThan if high.is_none() => high = Some(version),
            Operator::EqualStar if low.is_none() && high.is_none() => {
                high = Some(bumped(&version, version.release().len())?);
                low = Some(version);
            }
            _ => return None,
        }
    }
    Some((low, high))
}

/// The series, such as 2 of `2.*`, that begins with one version and ends before another.
fn series(start: &Version, end: &Version) -> Option<Version> {
    let parts = start.release();
    (1..=parts.len()).find_map(|precision| {
        let series = Version::new(parts.iter().take(precision)).with_epoch(start.epoch());
        (series == *start && bumped(&series, precision)? == *end).then_some(series)
    })
}

/// The next release at a precision: of 1.2.3 at 2, that is 1.3.
fn bumped(version: &Version, precision: usize) -> Option<Version> {
    let mut parts: Vec<u64> = version.release().to_vec();
    parts.resize(precision, 0);
    let last = parts.last_mut()?;
    *last = last.checked_add(1)?;
    Some(Version::new(parts).with_epoch(version.epoch()))
}

fn all_of(text: &str) -> Result<VersionSpecifiers, String> {
    let mut all = Vec::new();
    let mut pending = String::new();
    for word in text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
        pending.push_str(word);
        // An operator may stand apart from its version.
        if word.chars().all(|letter| "<>=!~^".contains(letter)) {
            continue;
        }
        all.extend(single(&std::mem::take(&mut pending))?);
    }
    if !pending.is_empty() {
        return Err(pending);
    }
    Ok(all.into_iter().collect())
}

fn single(text: &str) -> Result<Vec<VersionSpecifier>, String> {
    let wrong = || text.to_owned();
    let bare = text.trim_start_matches(['v', 'V']);
    if bare.split('.').all(|part| matches!(part, "*" | "x" | "X")) {
        return Ok(Vec::new());
    }
    let at = text.find(|letter: char| !"<>=!~^".contains(letter)).ok_or_else(wrong)?;
    let (operator, version) = text.split_at_checked(at).ok_or_else(wrong)?;
    let until = |version: &str, high: fn(&Version) -> Option<Version>| {
        let low = Version::from_str(version).map_err(|_| wrong())?;
        let high = high(&low).ok_or_else(wrong)?;
        Ok(vec![
            VersionSpecifier::greater_than_equal_version(low),
            VersionSpecifier::less_than_version(high),
        ])
    };
    let of_pattern = |operator: Operator| {
        let pattern = VersionPattern::from_str(version).map_err(|_| wrong())?;
        let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
        let one = if pattern.is_wildcard() && ordered {
            VersionSpecifier::from_version(operator, pattern.into_version())
        } else {
            VersionSpecifier::from_pattern(operator, pattern)
        };
        Ok(vec![one.map_err(|_| wrong())?])
    };
    match operator {
        "^" => until(version, next_breaking),
        "~" => until(version, |low| bumped(low, low.release().len().min(2))),
        "~=" if !version.contains('.') => until(version, |low| bumped(low, 1)),
        "~=" => of_pattern(Operator::TildeEqual),
        "" | "=" | "==" => of_pattern(Operator::Equal),
        "!=" | "<>" => of_pattern(Operator::NotEqual),
        "<" => of_pattern(Operator::LessThan),
        "<=" => of_pattern(Operator::LessThanEqual),
        ">" => of_pattern(Operator::GreaterThan),
        ">=" => of_pattern(Operator::GreaterThanEqual),
        _ => Err(wrong()),
    }
}

/// The next release that may break: the leftmost part that is not zero goes up.
fn next_breaking(version: &Version) -> Option<Version> {
    let parts = version.release();
    let part = parts.iter().take(3).position(|part| *part > 0);
    bumped(version, part.map_or_else(|| parts.len().min(3), |at| at + 1))
}
