//! What the formats of lockfiles have in common: digests, addresses, TOML with places, and edges
//! to what is locked.

pub(crate) mod ranges;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{MarkerExpression, MarkerTree, MarkerValueVersion, PackageName};
use url::Url;

use super::document::toml_error;
use super::{Gap, InputError, Source};
use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use crate::model::location::Location;
use crate::model::lock::{LockGraph, LockedSource};
use crate::model::pep508;

/// Reads TOML.
///
/// # Errors
/// Where it is none, or not of the form of `T`; with the place.
pub(super) fn toml<T: serde::de::DeserializeOwned>(
    source: &Source,
    hint: &str,
) -> Result<T, InputError> {
    toml::from_str(&source.text).map_err(|problem| toml_error(source, &problem).or_hint(hint))
}

/// Reads the TOML file of that name beside a lockfile, where there is one.
///
/// # Errors
/// Where it is there and cannot be read.
pub(super) fn toml_beside<T: serde::de::DeserializeOwned>(
    lock: &Path,
    name: &str,
) -> Result<Option<(Source, T)>, InputError> {
    let path = lock.with_file_name(name);
    if !path.is_file() {
        return Ok(None);
    }
    let source = Source::open(&path)?;
    let value = toml::from_str(&source.text).map_err(|problem| toml_error(&source, &problem))?;
    Ok(Some((source, value)))
}

/// Reads a marker that stands at `location`.
///
/// # Errors
/// Where it is malformed.
pub(super) fn marker(
    text: &str,
    owner: impl std::fmt::Display,
    location: &Location,
) -> Result<MarkerTree, InputError> {
    pep508::marker(text).map_err(|problem| {
        let problem = problem.problem;
        InputError::at(
            location.clone(),
            format!("the marker `{text}` of `{owner}` is malformed: {problem}"),
        )
    })
}

/// The digests that a lockfile states for the files of one package, as `sha256:…`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Digests {
    pub(super) sha256: Vec<Sha256>,
    /// Whether there are some of other algorithms.
    pub(super) others: bool,
}

impl Digests {
    /// Reads them.
    ///
    /// # Errors
    /// With the text that is no digest.
    pub(super) fn parse<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        location: &Location,
    ) -> Result<Self, InputError> {
        let mut digests = Self::default();
        for text in texts {
            match text.split_once(':') {
                Some(("sha256", digest)) => {
                    let digest = Sha256::from_str(digest)
                        .map_err(|problem| InputError::at(location.clone(), problem.to_string()))?;
                    if !digests.sha256.contains(&digest) {
                        digests.sha256.push(digest);
                    }
                }
                Some(_) => digests.others = true,
                None => {
                    return Err(InputError::at(
                        location.clone(),
                        format!("expected a digest such as `sha256:…`, found `{text}`"),
                    ));
                }
            }
        }
        Ok(digests)
    }

    /// What cannot be told where they choose among the files of an index: installers take a file
    /// that has one of them, whatever the algorithm.
    pub(super) fn gap(&self, name: &PackageName) -> Option<Gap> {
        self.others.then(|| {
            Gap::Always(format!(
                "the lock states digests of `{name}` other than sha256, which no index offers to \
                 compare: which of its files is meant is not known"
            ))
        })
    }
}

/// A file that a lockfile gives by address; `None` where its name is not that of a file of `name`.
pub(super) fn file(
    name: &PackageName,
    filename: &str,
    url: Url,
    sha256: Option<Sha256>,
    size: Option<u64>,
    requires_python: Option<VersionSpecifiers>,
) -> Option<DistributionFile> {
    Some(DistributionFile {
        kind: DistributionKind::parse(filename, name)?,
        url,
        sha256,
        size,
        requires_python,
        yanked: false,
        metadata: MetadataFile::Absent,
    })
}

/// The address of a file whose path is relative to the lockfile.
pub(super) fn file_url(lock: &Path, path: &str) -> Option<Url> {
    let folder = lock.parent().map(Path::to_owned).unwrap_or_default();
    let path: PathBuf = std::path::absolute(folder.join(path)).ok()?;
    Url::from_file_path(path).ok()
}

/// Whether a path beside a lockfile is the folder of the lockfile itself.
pub(super) fn is_here(path: &str) -> bool {
    matches!(path.trim_end_matches(['/', '\\']), "" | ".") && !path.starts_with('/')
}

/// The source of a package that is a folder.
pub(super) fn folder(path: &str) -> LockedSource {
    if is_here(path) {
        LockedSource::Project
    } else {
        LockedSource::Built(format!("the directory `{path}`"))
    }
}

/// The packages of a lock by name.
pub(super) fn by_name(graph: &LockGraph) -> BTreeMap<PackageName, Vec<usize>> {
    let mut by_name: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, package) in graph.packages.iter().enumerate() {
        by_name.entry(package.name.clone()).or_default().push(index);
    }
    by_name
}

/// Packages in all the environments of a file together: several times what the largest ones hold.
pub(super) const MOST_PACKAGES: usize = 200_000;

/// Versions of one name that edges are made to; a lock with more of them was made to be large.
pub(super) const MOST_VERSIONS: usize = 100;

/// A comparison of the Python version as a marker.
pub(super) fn python_marker(specifier: &VersionSpecifier) -> MarkerTree {
    MarkerTree::expression(MarkerExpression::Version {
        key: MarkerValueVersion::PythonFullVersion,
        specifier: specifier.clone(),
    })
}

/// The versions of Python that a constraint of poetry's allows: any of the ranges. `None` where it
/// is none.
///
/// poetry's documentation, "Dependency specification": `^3.9` allows what keeps the first number
/// that is not 0, `~3.9` what keeps the second, `3.9` that release alone.
pub(super) fn poetry_python(text: &str) -> Option<Vec<VersionSpecifiers>> {
    text.split("||").map(|range| poetry_range(range.trim())).collect()
}

fn poetry_range(text: &str) -> Option<VersionSpecifiers> {
    let mut specifiers = Vec::new();
    // Commas and spaces part comparisons, and a space may stand behind an operator.
    let mut pending = String::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        pending.push_str(word);
        if !pending.ends_with(|letter: char| letter.is_alphanumeric() || letter == '*') {
            continue;
        }
        let comparison = std::mem::take(&mut pending);
        if comparison == "*" {
            continue;
        }
        let bump = |version: &str, at: usize| {
            let mut release: Vec<u64> = Version::from_str(version).ok()?.release().to_vec();
            release.truncate(at + 1);
            let last = release.last_mut()?;
            *last = last.checked_add(1)?;
            Some(Version::new(release))
        };
        let range = if let Some(version) = comparison.strip_prefix('^') {
            let parsed = Version::from_str(version).ok()?;
            let release = parsed.release();
            let at = release.iter().position(|part| *part != 0).unwrap_or(release.len() - 1);
            format!(">={version},<{}", bump(version, at)?)
        } else if let Some(version) =
            comparison.strip_prefix('~').filter(|rest| !rest.starts_with('='))
        {
            format!(">={version},<{}", bump(version, 1)?)
        } else if comparison.starts_with(|letter: char| letter.is_ascii_digit()) {
            format!("=={comparison}")
        } else if let Some(version) =
            comparison.strip_prefix('=').filter(|rest| !rest.starts_with('='))
        {
            format!("=={version}")
        } else {
            comparison
        };
        specifiers.extend(VersionSpecifiers::from_str(&range).ok()?.iter().cloned());
    }
    pending.is_empty().then(|| specifiers.into_iter().collect())
}
