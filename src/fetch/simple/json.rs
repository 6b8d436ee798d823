//! PEP 691 project pages, with the additions of PEP 700.

use std::collections::HashMap;

use pep508_rs::PackageName;
use serde::Deserialize;
use url::Url;

use super::requires_python;
use crate::model::distribution::{DistributionFile, DistributionKind, MetadataFile};

#[derive(Deserialize)]
struct Page {
    meta: Meta,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: HashMap<String, String>,
    requires_python: Option<String>,
    size: Option<u64>,
    yanked: Option<Yanked>,
    /// PEP 714's name, then the one that PEP 658 had given it.
    core_metadata: Option<Metadata>,
    dist_info_metadata: Option<Metadata>,
}

/// Whether a wheel's metadata is served, or with which digests.
#[derive(Deserialize)]
#[serde(untagged)]
enum Metadata {
    Is(bool),
    With(HashMap<String, String>),
}

impl Metadata {
    fn file(&self) -> MetadataFile {
        match self {
            Self::Is(false) => MetadataFile::Absent,
            Self::Is(true) => MetadataFile::Present(None),
            Self::With(hashes) => {
                MetadataFile::Present(hashes.get("sha256").and_then(|digest| digest.parse().ok()))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Yanked {
    Is(bool),
    /// The reason, which may be empty.
    Because(serde::de::IgnoredAny),
}

/// The files that a page lists, as far as an installer would take them.
pub(super) fn files(
    body: &str,
    page: &Url,
    name: &PackageName,
) -> Result<Vec<DistributionFile>, String> {
    let parsed: Page = serde_json::from_str(body)
        .map_err(|problem| format!("expected a project page as JSON (PEP 691): {problem}"))?;
    let api_version = parsed.meta.api_version;
    if api_version.split('.').next() != Some("1") {
        return Err(format!("expected version 1 of the simple API, found `{api_version}`"));
    }
    Ok(parsed
        .files
        .into_iter()
        .filter_map(|file| {
            Some(DistributionFile {
                kind: DistributionKind::parse(&file.filename, name)?,
                url: page.join(&file.url).ok()?,
                sha256: file.hashes.get("sha256").and_then(|digest| digest.parse().ok()),
                size: file.size,
                requires_python: requires_python(file.requires_python.as_deref()),
                yanked: !matches!(file.yanked, None | Some(Yanked::Is(false))),
                metadata: file
                    .core_metadata
                    .or(file.dist_info_metadata)
                    .map(|metadata| metadata.file())
                    .unwrap_or_default(),
            })
        })
        .collect())
}
