//! One requirement, one release, one wheel, as pip would choose them.
//!
//! What the release itself depends on is not followed here.

use pep440_rs::{Operator, Version, VersionSpecifiers};

use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind};
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;
use crate::resolve::offer;

/// What an installer would do with a requirement.
#[derive(Debug, Clone)]
pub enum Choice<'a> {
    /// Install this wheel.
    Wheel(&'a DistributionFile, &'a WheelFilename),
    /// Build this release from source, since it has no wheel for the target.
    Build {
        /// The release.
        version: &'a Version,
        /// What it has instead.
        reason: String,
    },
    /// Refuse.
    Nothing {
        /// Why.
        reason: String,
    },
}

/// The best wheel among `files`, or `None` where the interpreter accepts none of them.
///
/// Tags first, in the interpreter's order; then the higher build tag, as in pip. Of two that are
/// equal even then, which only differ in tags that do not matter here, the one listed first.
#[must_use]
pub fn best_wheel<'a>(
    files: impl IntoIterator<Item = &'a DistributionFile>,
    tags: &TagOrder,
) -> Option<(&'a DistributionFile, &'a WheelFilename)> {
    let mut best: Option<(usize, &DistributionFile, &WheelFilename)> = None;
    for file in files {
        let DistributionKind::Wheel(wheel) = &file.kind else { continue };
        if wheel.label.is_some() {
            continue;
        }
        let Some(rank) = tags.rank(wheel) else { continue };
        let better = best.is_none_or(|(best_rank, _, best_wheel)| {
            rank.cmp(&best_rank).then(best_wheel.compare_build(wheel)).is_lt()
        });
        if better {
            best = Some((rank, file, wheel));
        }
    }
    best.map(|(_, file, wheel)| (file, wheel))
}

/// The release and wheel an installer would take for `specifiers`: the newest release that fits
/// and can be installed or built.
#[must_use]
pub fn choose<'a>(
    files: &'a [DistributionFile],
    specifiers: &VersionSpecifiers,
    target: Target,
    tags: &TagOrder,
) -> Choice<'a> {
    if files.is_empty() {
        return Choice::Nothing { reason: "the index lists no files for it".to_owned() };
    }
    let python = target.python_full_version();
    let pinned = is_exact(specifiers);
    let matching: Vec<&DistributionFile> =
        files.iter().filter(|file| fits(specifiers, file.kind.version())).collect();
    if matching.is_empty() {
        return Choice::Nothing { reason: format!("no release fits `{specifiers}`") };
    }
    let suits = |file: &&&DistributionFile| {
        file.requires_python.as_ref().is_none_or(|range| range.contains(&python))
    };
    let mut usable: Vec<&DistributionFile> = matching.iter().filter(suits).copied().collect();

    // As pip does, a file that can neither be installed nor built is not there at all: its release
    // counts neither as the newest nor against pre-releases.
    let is_candidate = |file: &&DistributionFile| match &file.kind {
        DistributionKind::Wheel(wheel) => wheel.label.is_none() && tags.rank(wheel).is_some(),
        DistributionKind::Source(_) => true,
    };
    // A withdrawn file is taken only where the release is pinned and nothing else of it is left
    // (PEP 592).
    let all_yanked = usable.iter().copied().filter(is_candidate).all(|file| file.yanked);
    if !(pinned && all_yanked) {
        usable.retain(|file| !file.yanked);
    }
    let candidates: Vec<&DistributionFile> = usable.iter().copied().filter(is_candidate).collect();
    if let Some(version) = newest(&candidates, specifiers) {
        let of_version =
            || candidates.iter().copied().filter(|file| file.kind.version() == version);
        return match best_wheel(of_version(), tags) {
            Some((file, wheel)) => Choice::Wheel(file, wheel),
            None => {
                let all = usable.iter().copied().filter(|file| file.kind.version() == version);
                Choice::Build {
                    version,
                    reason: offer::describe_missing(&offer::of_files(all, target, tags), target),
                }
            }
        };
    }
    match newest(&usable, specifiers) {
        Some(version) => {
            let files = usable.iter().copied().filter(|file| file.kind.version() == version);
            Choice::Build {
                version,
                reason: offer::describe_missing(&offer::of_files(files, target, tags), target),
            }
        }
        None => Choice::Nothing { reason: refused(&matching, &python, specifiers) },
    }
}

/// Whether a version fits, pre-releases not being looked at.
fn fits(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    specifiers.iter().all(|specifier| {
        // `<2.0b1` holds 2.0a1, since the range itself names a pre-release (PEP 440, exclusive
        // ordered comparison); pep440_rs leaves it out.
        if *specifier.operator() == Operator::LessThan && specifier.version().any_prerelease() {
            return version < specifier.version();
        }
        specifier.contains(version)
    })
}

/// The newest release among `files`: a pre-release only where nothing else is there, or the
/// requirement names one (PEP 440).
fn newest<'a>(
    files: &[&'a DistributionFile],
    specifiers: &VersionSpecifiers,
) -> Option<&'a Version> {
    let names_prerelease = specifiers.iter().any(|specifier| {
        let excludes = matches!(specifier.operator(), Operator::NotEqual | Operator::NotEqualStar);
        !excludes && specifier.version().any_prerelease()
    });
    let versions = || files.iter().map(|file| file.kind.version());
    let finals = versions().filter(|version| !version.any_prerelease()).max();
    if names_prerelease { versions().max() } else { finals.or_else(|| versions().max()) }
}

/// Whether the specifiers pin one release, for which alone yanked files are taken (PEP 592).
fn is_exact(specifiers: &VersionSpecifiers) -> bool {
    specifiers
        .iter()
        .any(|specifier| matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual))
}

/// The files that a requirement's hashes allow. As in pip, one without a stated digest is not ruled
/// out before it is fetched.
#[must_use]
pub fn with_hashes(files: Vec<DistributionFile>, hashes: &[Sha256]) -> Vec<DistributionFile> {
    let allowed = |file: &DistributionFile| {
        file.sha256.is_none_or(|digest| hashes.is_empty() || hashes.contains(&digest))
    };
    files.into_iter().filter(allowed).collect()
}

/// Why files that match a requirement are refused all the same.
fn refused(
    matching: &[&DistributionFile],
    python: &Version,
    specifiers: &VersionSpecifiers,
) -> String {
    let wrong_python = matching
        .iter()
        .all(|file| file.requires_python.as_ref().is_some_and(|range| !range.contains(python)));
    let what = if specifiers.is_empty() {
        "every release".to_owned()
    } else {
        format!("every release that fits `{specifiers}`")
    };
    if wrong_python {
        format!("{what} excludes Python {python} by its requires-python")
    } else {
        format!("{what} is withdrawn (yanked) or excludes Python {python}")
    }
}
