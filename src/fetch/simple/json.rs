//! PEP 691 project pages, with the additions of PEP 700 and PEP 792.

use std::collections::HashMap;

use serde::Deserialize;
use url::Url;

use super::Link;
use crate::model::distribution::MetadataFile;
use crate::model::index::ProjectStatus;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Page {
    meta: Meta,
    files: Vec<File>,
    #[serde(default)]
    project_status: Status,
}

/// PEP 792. Its form is not checked: an index that writes something else says nothing.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Status {
    Stated {
        status: String,
        reason: Option<String>,
    },
    #[default]
    Missing,
    Other(serde::de::IgnoredAny),
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

/// What stands on a page.
pub(super) fn read(body: &str, page: &Url) -> Result<(Vec<Link>, ProjectStatus), String> {
    let parsed: Page = serde_json::from_str(body)
        .map_err(|problem| format!("expected a project page as JSON (PEP 691): {problem}"))?;
    let api_version = parsed.meta.api_version;
    if api_version.split('.').next() != Some("1") {
        return Err(format!("expected version 1 of the simple API, found `{api_version}`"));
    }
    let status = match &parsed.project_status {
        Status::Stated { status, reason } => ProjectStatus::new(status, reason.as_deref()),
        Status::Missing | Status::Other(_) => ProjectStatus::Active,
    };
    let links = parsed.files.into_iter().filter_map(|file| {
        Some(Link {
            filename: file.filename,
            url: page.join(&file.url).ok()?,
            sha256: file.hashes.get("sha256").and_then(|digest| digest.parse().ok()),
            size: file.size,
            requires_python: file.requires_python,
            yanked: !matches!(file.yanked, None | Some(Yanked::Is(false))),
            metadata: file
                .core_metadata
                .or(file.dist_info_metadata)
                .map(|metadata| metadata.file())
                .unwrap_or_default(),
        })
    });
    Ok((links.collect(), status))
}
