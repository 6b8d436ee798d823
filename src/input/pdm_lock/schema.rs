//! What a pdm.lock looks like: the parts that are read.

use std::collections::BTreeMap;

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
pub(super) struct Versioned {
    pub(super) metadata: MetadataVersion,
}

#[derive(Deserialize)]
pub(super) struct MetadataVersion {
    pub(super) lock_version: Spanned<String>,
}

#[derive(Deserialize)]
pub(super) struct Lock {
    #[serde(default, rename = "package")]
    pub(super) packages: Vec<Spanned<Package>>,
    pub(super) metadata: Metadata,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) strategy: Vec<String>,
    #[serde(default)]
    pub(super) targets: Vec<Spanned<Target>>,
    pub(super) content_hash: Option<String>,
    /// The files of each package, as `name version`, before version 4.3.
    pub(super) files: Option<BTreeMap<String, Vec<File>>>,
}

#[derive(Deserialize)]
pub(super) struct Target {
    pub(super) requires_python: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) implementation: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: PackageName,
    pub(super) version: Option<Version>,
    /// With these extras; the package without them is an entry of its own.
    #[serde(default)]
    pub(super) extras: Vec<ExtraName>,
    /// What it is installed for.
    #[serde(default)]
    pub(super) groups: Vec<String>,
    pub(super) marker: Option<String>,
    #[serde(default)]
    pub(super) dependencies: Vec<String>,
    pub(super) files: Option<Vec<File>>,
    pub(super) git: Option<String>,
    pub(super) hg: Option<String>,
    pub(super) svn: Option<String>,
    pub(super) bzr: Option<String>,
    pub(super) url: Option<String>,
    pub(super) path: Option<String>,
    pub(super) revision: Option<String>,
}

impl Package {
    /// What tells it from others, apart from its extras.
    pub(super) fn identity(&self) -> String {
        let Self { name, version, git, hg, svn, bzr, url, path, revision, .. } = self;
        format!("{name} {version:?} {git:?} {hg:?} {svn:?} {bzr:?} {url:?} {path:?} {revision:?}")
    }
}

#[derive(Deserialize, Clone)]
pub(super) struct File {
    pub(super) url: Option<String>,
    pub(super) hash: String,
}
