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
        Operator::LessThan => Ranges::strictly_lower_than(version.with_min(Some(0))),
        // "The exclusive ordered comparison >V must not allow a post-release of the given version
        // unless V itself is a post release", nor a local version of it.
        Operator::GreaterThan if version.is_post() || version.is_dev() => {
            Ranges::strictly_higher_than(with_any_local(version))
        }
        Operator::GreaterThan => Ranges::strictly_higher_than(version.with_max(Some(0))),
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

/// A set as users write it: `>=1.0, <2.0`.
pub struct Shown<'a>(pub &'a Ranges<Version>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (low, high)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            let low_text = match low {
                Bound::Included(version) => Some((">=", plain(version))),
                Bound::Excluded(version) => Some((">", plain(version))),
                Bound::Unbounded => None,
            };
            let high_text = match high {
                Bound::Included(version) => Some(("<=", plain(version))),
                Bound::Excluded(version) => Some(("<", plain(version))),
                Bound::Unbounded => None,
            };
            match (low_text, high_text) {
                (None, None) => f.write_str("any version")?,
                (Some((_, low)), Some(("<=", high))) if low == high => write!(f, "=={low}")?,
                (Some((sign, low)), None) => write!(f, "{sign}{low}")?,
                (None, Some((sign, high))) => write!(f, "{sign}{high}")?,
                (Some((low_sign, low)), Some((high_sign, high))) => {
                    write!(f, "{low_sign}{low}, {high_sign}{high}")?;
                }
            }
        }
        if self.0.is_empty() { f.write_str("no version") } else { Ok(()) }
    }
}

/// A bound without what only orders it.
fn plain(version: &Version) -> Version {
    if version.local() == [LAST_LOCAL] {
        return version.clone().without_local();
    }
    if version.dev() == Some(0) && !version.is_pre() && !version.is_post() {
        return version.clone().with_dev(None);
    }
    version.clone()
}
