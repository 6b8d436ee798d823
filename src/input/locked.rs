//! What the formats of lockfiles have in common: digests, addresses, TOML with places, and edges
//! to what is locked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerTree, PackageName};
use url::Url;

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
    toml::from_str(&source.text).map_err(|problem| {
        let offset = problem.span().map_or(0, |span| span.start);
        let message = problem.message().lines().next().unwrap_or("malformed TOML").to_owned();
        InputError::at(source.location(offset), message).hint(hint)
    })
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
    let value = toml::from_str(&source.text).map_err(|problem| {
        let offset = problem.span().map_or(0, |span| span.start);
        let message = problem.message().lines().next().unwrap_or("malformed TOML").to_owned();
        InputError::at(source.location(offset), message)
    })?;
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
                    let digest = Sha256::from_str(digest).map_err(|problem| {
                        InputError::at(location.clone(), problem.to_string())
                    })?;
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
