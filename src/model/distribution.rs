//! The files an index or a lockfile offers for a release.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::digest::Sha256;
use crate::model::wheel_filename::WheelFilename;

/// One file that could be downloaded.
#[derive(Debug, Clone)]
pub struct DistributionFile {
    /// What its name says it is.
    pub kind: DistributionKind,
    /// Where it is fetched from.
    pub url: Url,
    /// The digest that the index or lockfile states.
    pub sha256: Option<Sha256>,
    /// Its size in bytes, where stated.
    pub size: Option<u64>,
    /// The Python versions it may be installed for.
    pub requires_python: Option<VersionSpecifiers>,
    /// Withdrawn by its author (PEP 592): installed only where pinned.
    pub yanked: bool,
    /// Whether its metadata can be fetched by itself (PEP 658), and the digest stated for that.
    pub metadata: MetadataFile,
}

/// Whether the index offers a wheel's `METADATA` beside the wheel (PEP 658, PEP 714).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum MetadataFile {
    /// It does not say so.
    #[default]
    Absent,
    /// At the wheel's URL with `.metadata` behind it, with this digest where it is stated.
    Present(Option<Sha256>),
}

/// What kind of distribution a file name names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DistributionKind {
    /// A built distribution.
    Wheel(WheelFilename),
    /// A source distribution.
    Source(SourceFilename),
}

/// The file name of a source distribution (PEP 625, and the older forms still on indexes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFilename {
    text: String,
    /// The project.
    pub name: PackageName,
    /// The release.
    pub version: Version,
}

impl SourceFilename {
    /// Reads `text` as a source distribution of `name`.
    ///
    /// The name has to be known, since in older file names it may itself hold a `-` before a
    /// digit. `None` where the text names something else.
    #[must_use]
    pub fn parse(text: &str, name: &PackageName) -> Option<Self> {
        let stem = [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz"]
            .into_iter()
            .find_map(|suffix| text.strip_suffix(suffix))?;
        stem.match_indices('-').find_map(|(at, _)| {
            let candidate = PackageName::from_str(&stem[..at]).ok()?;
            if candidate != *name {
                return None;
            }
            let version = Version::from_str(&stem[at + 1..]).ok()?;
            Some(Self { text: text.to_owned(), name: candidate, version })
        })
    }
}

impl DistributionKind {
    /// Reads a file name found on the page of project `name`. `None` for anything that no
    /// installer would take: eggs, installers, signatures, wheels with names that break the rules.
    #[must_use]
    pub fn parse(filename: &str, name: &PackageName) -> Option<Self> {
        if filename.ends_with(".whl") {
            let wheel = WheelFilename::from_str(filename).ok()?;
            (wheel.name == *name).then_some(Self::Wheel(wheel))
        } else {
            SourceFilename::parse(filename, name).map(Self::Source)
        }
    }

    /// The release the file belongs to.
    #[must_use]
    pub fn version(&self) -> &Version {
        match self {
            Self::Wheel(wheel) => &wheel.version,
            Self::Source(source) => &source.version,
        }
    }

    /// The whole file name.
    #[must_use]
    pub fn filename(&self) -> &str {
        match self {
            Self::Wheel(wheel) => wheel.as_str(),
            Self::Source(source) => &source.text,
        }
    }
}
