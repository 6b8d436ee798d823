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
    pub(super) lock_version: Spanned<String>,
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
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: PackageName,
    pub(super) version: Version,
    /// What it is installed for.
    pub(super) groups: Vec<String>,
    pub(super) markers: Option<LockedMarkers>,
    #[serde(default)]
    pub(super) files: Vec<File>,
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
