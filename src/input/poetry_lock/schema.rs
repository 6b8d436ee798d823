//! What a poetry.lock looks like: the parts that are read.

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
#[serde(rename_all = "kebab-case")]
pub(super) struct MetadataVersion {
    /// Poetry 1.0 wrote none.
    pub(super) lock_version: Option<Spanned<String>>,
}

#[derive(Deserialize)]
pub(super) struct Lock {
    #[serde(default, rename = "package")]
    pub(super) packages: Vec<Spanned<Package>>,
    #[serde(default)]
    pub(super) extras: BTreeMap<ExtraName, Vec<String>>,
    pub(super) metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Metadata {
    pub(super) python_versions: Option<Spanned<String>>,
    pub(super) content_hash: Option<String>,
    /// The files of each package, before version 2.0.
    pub(super) files: Option<BTreeMap<PackageName, Vec<File>>>,
    /// The digests of each package, before poetry 1.0.
    pub(super) hashes: Option<BTreeMap<PackageName, Vec<String>>>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: PackageName,
    pub(super) version: Version,
    /// What it is installed for, since version 2.1.
    pub(super) groups: Option<Vec<String>>,
    /// `main` or `dev`, before poetry 1.5.
    pub(super) category: Option<String>,
    /// Whether only an extra of the project asks for it.
    #[serde(default)]
    pub(super) optional: bool,
    /// When it is installed, in locks of poetry 1.0.
    pub(super) marker: Option<String>,
    pub(super) markers: Option<LockedMarkers>,
    pub(super) files: Option<Vec<File>>,
    #[serde(default)]
    pub(super) dependencies: toml::Table,
    pub(super) source: Option<PackageSource>,
}

/// One marker, or one for each group that has one.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum LockedMarkers {
    All(String),
    OfGroup(BTreeMap<String, String>),
}

#[derive(Deserialize)]
pub(super) struct File {
    pub(super) hash: String,
}

#[derive(Deserialize)]
pub(super) struct PackageSource {
    pub(super) r#type: String,
    pub(super) url: String,
    pub(super) reference: Option<String>,
}
