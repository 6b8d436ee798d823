//! Version specifiers as sets of versions, which a solver can join and cut.
//!
//! The rules are those of PEP 440, as the tool of the Python packaging authority reads them. Whether
//! a pre-release may be chosen is no matter of the set but of the choice: see
//! [`crate::resolve::candidates`].

use std::fmt;
use std::ops::Bound;

use pep440_rs::{LocalSegment, Operator, Version, VersionSpecifier, VersionSpecifiers};
use pubgrub::Ranges;

/// The versions that fit all of `specifiers`.
#[must_use]
pub fn of_specifiers(specifiers: &VersionSpecifiers) -> Ranges<Version> {
    specifiers.iter().fold(Ranges::full(), |all, one| all.intersection(&of_specifier(one)))
}

/// The versions that fit one specifier.
#[must_use]
pub fn of_specifier(specifier: &VersionSpecifier) -> Ranges<Version> {
    let version = specifier.version().clone();
    match specifier.operator() {
        Operator::ExactEqual => Ranges::singleton(version),
        Operator::Equal => equal(version),
        Operator::NotEqual => equal(version).complement(),
        Operator::LessThanEqual => Ranges::lower_than(with_any_local(version)),
        Operator::GreaterThanEqual => Ranges::higher_than(version),
        // "The exclusive ordered comparison <V must not allow a pre-release of the specified
        // version unless the specified version is itself a pre-release."
        Operator::LessThan if version.any_prerelease() => Ranges::strictly_lower_than(version),
        Operator::LessThan => Ranges::strictly_lower_than(version.with_dev(Some(0))),
        Operator::GreaterThan => above(version),
        Operator::TildeEqual => {
            // `~=2.2.1` is `>=2.2.1, ==2.2.*`; a specifier with one number is none.
            let kept = version.release().len().saturating_sub(1).max(1);
            let prefix = Version::new(version.release().iter().take(kept).copied())
                .with_epoch(version.epoch());
            Ranges::higher_than(version).intersection(&starts_with(&prefix))
        }
        Operator::EqualStar => starts_with(&version),
        Operator::NotEqualStar => starts_with(&version).complement(),
    }
}

/// "The exclusive ordered comparison >V must not allow a post-release of the given version unless V
/// itself is a post release", nor a local version of it.
fn above(version: Version) -> Ranges<Version> {
    if version.is_post() || version.is_dev() {
        return Ranges::strictly_higher_than(with_any_local(version));
    }
    Ranges::strictly_higher_than(version.with_max(Some(0)))
}

/// A specifier without a local version takes every local version of what it names.
fn equal(version: Version) -> Ranges<Version> {
    if version.is_local() {
        return Ranges::singleton(version);
    }
    Ranges::from_range_bounds(version.clone()..=with_any_local(version))
}

/// Behind every local version of `version`, and before whatever follows.
fn with_any_local(version: Version) -> Version {
    if version.is_local() { version } else { version.with_local(vec![LAST_LOCAL]) }
}

/// Numbers sort behind words in local versions, and no file carries one this large.
const LAST_LOCAL: LocalSegment = LocalSegment::Number(u64::MAX);

/// `==2.2.*`: everything from the first development release of 2.2 to that of 2.3.
fn starts_with(version: &Version) -> Ranges<Version> {
    let low = version.clone().with_dev(Some(0));
    let mut release = version.release().to_vec();
    let next = release.last().and_then(|last| last.checked_add(1));
    let (Some(last), Some(next)) = (release.last_mut(), next) else {
        return Ranges::higher_than(low);
    };
    *last = next;
    let high = Version::new(release).with_epoch(version.epoch()).with_dev(Some(0));
    Ranges::from_range_bounds(low..high)
}

/// Whether a set holds one release and nothing but its local versions.
#[must_use]
pub fn is_exact(range: &Ranges<Version>) -> bool {
    match range.bounding_range() {
        Some((Bound::Included(low), Bound::Included(high))) => plain(high) == *low,
        _ => false,
    }
}

/// `range` without the beginnings at a `2.0.dev0` that nobody wrote, as they come of taking a range
/// below 2.0 away: the same as far as `releases` go.
#[must_use]
pub fn tidied(range: &Ranges<Version>, releases: &[Version]) -> Ranges<Version> {
    let pieces = range.iter().map(|(low, high)| {
        let piece = (low.clone(), high.clone());
        let Bound::Included(version) = low else { return piece };
        let Some(prefix) = prefix_from(version) else { return piece };
        let is_prefix = Ranges::from_range_bounds(piece.clone()).subset_of(&starts_with(&prefix));
        let before = version.clone()..prefix.clone();
        if is_prefix || releases.iter().any(|release| before.contains(release)) {
            return piece;
        }
        (Bound::Included(prefix), high.clone())
    });
    pieces.collect()
}

/// A set as users write it: `>=1.0, <2.0, !=1.5`.
pub struct Shown<'a>(pub &'a Ranges<Version>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for (low, high) in self.0.iter() {
            if let Some(last) = pieces.last_mut()
                && let Some(gap) = left_out(last.high, low)
            {
                last.gaps.push(gap);
                last.high = high;
            } else {
                pieces.push(Piece { low, high, gaps: Vec::new() });
            }
        }
        if pieces.is_empty() {
            return f.write_str("no version");
        }
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            let parts = piece.specifiers();
            if parts.is_empty() {
                f.write_str("any version")?;
            }
            f.write_str(&parts.join(", "))?;
        }
        Ok(())
    }
}

/// Part of a set that specifiers can name together.
struct Piece<'a> {
    low: &'a Bound<Version>,
    high: &'a Bound<Version>,
    /// What is left out in between, as specifiers.
    gaps: Vec<String>,
}

impl Piece<'_> {
    fn specifiers(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if let (Bound::Included(low), Bound::Included(high)) = (self.low, self.high)
            && *low == plain(high)
        {
            parts.push(format!("=={low}"));
        } else {
            let prefix = self.prefix();
            match self.low {
                Bound::Included(_) if prefix.is_some() => {}
                Bound::Included(version) => parts.push(format!(">={version}")),
                Bound::Excluded(version) => {
                    let shown = plain(version);
                    // `>1.0` leaves out 1.0.post1, this may not: so it is where 1.0 alone was left out.
                    if ranges_above(&shown) == Bound::Excluded(version.clone()) {
                        parts.push(format!(">{shown}"));
                    } else {
                        parts.push(format!(">={shown}"));
                        parts.push(format!("!={shown}"));
                    }
                }
                Bound::Unbounded => {}
            }
            let whole = prefix.as_ref().is_some_and(|prefix| {
                starts_with(prefix)
                    .bounding_range()
                    .is_some_and(|(_, high)| high == self.high.as_ref())
            });
            parts.extend(prefix.map(|prefix| format!("=={prefix}.*")));
            match self.high {
                Bound::Excluded(_) if whole => {}
                Bound::Included(version) => parts.push(format!("<={}", plain(version))),
                Bound::Excluded(version) if version.any_prerelease() => {
                    parts.push(format!("<{}", without_dev_zero(version)));
                }
                // `<2.0` leaves out 2.0a1, this does not.
                Bound::Excluded(version) => {
                    parts.push(format!("<={version}"));
                    parts.push(format!("!={version}"));
                }
                Bound::Unbounded => {}
            }
        }
        parts.extend(self.gaps.iter().cloned());
        parts
    }

    /// The `1.1` of `==1.1.*`, where all of this lies in it and it begins there.
    fn prefix(&self) -> Option<Version> {
        let Bound::Included(low) = self.low else { return None };
        let prefix = prefix_from(low)?;
        let all = Ranges::from_range_bounds((self.low.clone(), self.high.clone()));
        all.subset_of(&starts_with(&prefix)).then_some(prefix)
    }
}

/// The lower bound of `>version`.
fn ranges_above(version: &Version) -> Bound<Version> {
    if version.is_local() {
        return Bound::Excluded(version.clone());
    }
    match above(version.clone()).bounding_range() {
        Some((low, _)) => low.cloned(),
        None => Bound::Unbounded,
    }
}

/// The specifier that leaves out exactly what lies between two bounds, if there is one.
fn left_out(high: &Bound<Version>, low: &Bound<Version>) -> Option<String> {
    match (high, low) {
        (Bound::Excluded(first), Bound::Excluded(last)) => {
            (*first == plain(last)).then(|| format!("!={first}"))
        }
        (Bound::Excluded(first), Bound::Included(behind)) => {
            let prefix = prefix_from(first)?;
            let gap = Ranges::from_range_bounds(first.clone()..behind.clone());
            (starts_with(&prefix) == gap).then(|| format!("!={prefix}.*"))
        }
        _ => None,
    }
}

/// The prefix whose versions begin with this one.
fn prefix_from(version: &Version) -> Option<Version> {
    let first = version.dev() == Some(0) && !version.is_pre() && !version.is_post();
    (first && !version.is_local()).then(|| version.clone().with_dev(None))
}

/// A bound without what only orders it.
fn plain(version: &Version) -> Version {
    if version.local() == [LAST_LOCAL] {
        return version.clone().without_local();
    }
    version.clone()
}

/// `<1.0` and `<1.0.dev0` are the same, and users write the former.
fn without_dev_zero(version: &Version) -> Version {
    if version.dev() == Some(0) && !version.is_pre() {
        return version.clone().with_dev(None);
    }
    version.clone()
}
