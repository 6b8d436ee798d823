//! What a `pylock.toml` looks like (PEP 751): the parts that are read.

use std::collections::BTreeMap;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Versioned {
    pub(super) lock_version: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Lock {
    #[serde(default)]
    pub(super) environments: Vec<Spanned<String>>,
    pub(super) requires_python: Option<VersionSpecifiers>,
    #[serde(default)]
    pub(super) extras: Vec<ExtraName>,
    #[serde(default)]
    pub(super) dependency_groups: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) default_groups: Vec<Spanned<String>>,
    pub(super) packages: Vec<Spanned<Package>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Package {
    pub(super) name: PackageName,
    pub(super) version: Option<Version>,
    pub(super) marker: Option<Spanned<String>>,
    pub(super) requires_python: Option<VersionSpecifiers>,
    #[serde(default)]
    pub(super) dependencies: Vec<Dependency>,
    pub(super) vcs: Option<Vcs>,
    pub(super) directory: Option<Directory>,
    pub(super) archive: Option<File>,
    pub(super) sdist: Option<File>,
    #[serde(default)]
    pub(super) wheels: Vec<Spanned<File>>,
}

/// What of an entry tells it from the others of its name.
#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: PackageName,
    pub(super) version: Option<Version>,
}

#[derive(Deserialize)]
pub(super) struct Vcs {
    pub(super) r#type: String,
}

#[derive(Deserialize)]
pub(super) struct Directory {
    pub(super) path: String,
    pub(super) subdirectory: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct File {
    pub(super) name: Option<String>,
    pub(super) url: Option<String>,
    pub(super) path: Option<String>,
    pub(super) size: Option<u64>,
    #[serde(default)]
    pub(super) hashes: BTreeMap<String, String>,
    pub(super) subdirectory: Option<String>,
}
