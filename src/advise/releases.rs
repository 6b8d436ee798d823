//! The releases of a package that are newer than the one that would be installed, and what their
//! tags tell of each.

use pep440_rs::Version;

use crate::model::distribution::DistributionFile;
use crate::model::requirement::Prereleases;
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;
use crate::resolve::candidates::Candidates;
use crate::resolve::pin;

/// One newer release.
#[derive(Debug, Clone)]
pub struct Newer {
    /// Which.
    pub version: Version,
    /// Whether an installer could install or build it.
    pub usable: bool,
    /// The wheel that an installer would take; none where it would build the release, or has nothing
    /// to build.
    pub wheel: Option<(DistributionFile, WheelFilename)>,
}

/// The releases newer than `current`, oldest first: none that is withdrawn, or for other Pythons
/// alone, and pre-releases only where they are chosen.
#[must_use]
pub fn newer(
    candidates: &Candidates,
    current: Option<&Version>,
    prereleases: bool,
    target: Target,
    tags: &TagOrder,
) -> Vec<Newer> {
    let is_newer = |version: &&Version| {
        current.is_none_or(|current| *version > current)
            && (prereleases || !version.any_prerelease())
    };
    candidates
        .versions()
        .filter(is_newer)
        .filter_map(|version| {
            let release = candidates.release(version).filter(|release| {
                !release.yanked && release.installable(target).next().is_some()
            })?;
            let wheel = pin::best_wheel(release.installable(target), tags);
            Some(Newer {
                version: version.clone(),
                usable: release.usable,
                wheel: wheel.map(|(file, wheel)| (file.clone(), wheel.clone())),
            })
        })
        .collect()
}

/// Whether pre-releases of a package are looked at: as an installer would choose them.
#[must_use]
pub fn prereleases_count(
    policy: Prereleases,
    named: bool,
    candidates: &Candidates,
    current: Option<&Version>,
) -> bool {
    let installed = current.is_some_and(Version::any_prerelease);
    let nothing_else = || candidates.versions().all(Version::any_prerelease);
    match policy {
        Prereleases::Allow => true,
        Prereleases::Disallow => false,
        Prereleases::IfNecessary => nothing_else(),
        Prereleases::Explicit => named,
        Prereleases::IfNecessaryOrExplicit => named || installed || nothing_else(),
    }
}

/// A wheel for any platform among the files of a release.
#[must_use]
pub fn pure_wheel<'a>(
    candidates: &'a Candidates,
    version: &Version,
    target: Target,
    tags: &TagOrder,
) -> Option<&'a DistributionFile> {
    let release = candidates.release(version)?;
    let pure = release.installable(target).filter(|file| {
        pin::best_wheel([*file], tags).is_some_and(|(_, wheel)| wheel.is_any_platform())
    });
    pin::best_wheel(pure, tags).map(|(file, _)| file)
}
