//! Where packages come from: the indexes and folders that the user's files, configuration and
//! command line name.
//!
//! Asking them is the work of [`crate::fetch`].

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

/// Where packages come from, as one file or the command line states it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexSettings {
    /// Indexes, in the order in which they are asked.
    pub indexes: Vec<IndexSource>,
    /// Folders and pages of files, beside the indexes.
    pub find_links: Vec<LinksSource>,
    /// No index at all, only [`Self::find_links`].
    pub no_index: bool,
    /// What is done where several indexes have a package; the tool's own way where nothing is said.
    pub strategy: Option<IndexStrategy>,
}

/// A package index with one page for each project (PEP 503, PEP 691).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSource {
    /// The name by which requirements ask for it.
    pub name: Option<String>,
    /// Its root, with credentials where the user wrote some: shown only through
    /// [`crate::model::location::redacted`].
    pub url: Url,
    /// Takes the place of the public index, and is asked last.
    pub is_default: bool,
    /// Asked only for requirements that name it.
    pub explicit: bool,
    /// Status codes beside 404 by which it says that it does not have a project (uv's
    /// `ignore-error-codes`): some stores of files refuse what they do not have.
    pub ignored_statuses: Vec<u16>,
}

impl IndexSource {
    /// The index at `url`, of which nothing else is said.
    #[must_use]
    pub fn new(url: Url) -> Self {
        let (name, ignored_statuses) = (None, Vec::new());
        Self { name, url, is_default: false, explicit: false, ignored_statuses }
    }
}

/// A list of files rather than an index of projects: pip's `--find-links`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinksSource {
    /// A folder, or one file.
    Path(PathBuf),
    /// A page whose links are the files.
    Page(Url),
}

/// What is done where several indexes have a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexStrategy {
    /// The first index that has the package is the only one that counts, as uv has it: no later one
    /// can slip in a package of the same name.
    FirstIndex,
    /// All files of all indexes compete, as pip has it.
    BestMatch,
}

/// What an index says of a project as a whole (PEP 792), with its reason where it gives one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProjectStatus {
    /// Nothing out of the ordinary.
    #[default]
    Active,
    /// No releases are to be expected any more.
    Archived(Option<String>),
    /// Something else should be taken.
    Deprecated(Option<String>),
    /// Held to be unsafe: nothing of it is offered.
    Quarantined(Option<String>),
}

impl ProjectStatus {
    /// The status of that name; one that is not known says nothing (PEP 792).
    #[must_use]
    pub fn new(name: &str, reason: Option<&str>) -> Self {
        let reason = reason.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        match name.trim() {
            "archived" => Self::Archived(reason),
            "deprecated" => Self::Deprecated(reason),
            "quarantined" => Self::Quarantined(reason),
            _ => Self::Active,
        }
    }
}

impl IndexSettings {
    /// No other index than that at `url`.
    #[must_use]
    pub fn only(url: Url) -> Self {
        let index = IndexSource { is_default: true, ..IndexSource::new(url) };
        Self { indexes: vec![index], ..Self::default() }
    }

    /// Adds what another file states, behind what is here.
    pub fn extend(&mut self, other: Self) {
        self.indexes.extend(other.indexes);
        self.find_links.extend(other.find_links);
        self.no_index |= other.no_index;
        self.strategy = self.strategy.or(other.strategy);
    }
}
