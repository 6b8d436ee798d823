//! What people know and the page does not say in a form that a program reads: which distributions a
//! row stands for, and what its footnotes mean, in our own words.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::digest::Sha256;
use crate::model::target::Target;

const NAMES: &str = include_str!("../../data/tracker-names.toml");
const FOOTNOTES: &str = include_str!("../../data/tracker-footnotes.toml");

/// What is known of the rows beside what they say.
#[derive(Debug, Default)]
pub struct Names {
    same: BTreeSet<String>,
    none: BTreeSet<String>,
    others: BTreeMap<String, Vec<String>>,
    tools: BTreeSet<String>,
    footnotes: BTreeMap<Sha256, Footnote>,
}

/// What a footnote means.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Footnote {
    /// The digest of its text, with white space folded.
    digest: Sha256,
    /// What it says, in our own words.
    pub(super) note: String,
    /// As [`TrackerEntry::fully_from`](crate::model::tracker::TrackerEntry::fully_from).
    pub(super) fully_from: Option<Target>,
    /// The releases are not on the index, but there.
    pub(super) released_elsewhere: Option<String>,
    /// As the entry's field of this name.
    #[serde(default)]
    pub(super) blocked_by: Vec<String>,
    /// As the entry's field of this name.
    #[serde(default)]
    pub(super) alternatives: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct NamesFile {
    same: Vec<String>,
    none: Vec<String>,
    tools: Vec<String>,
    others: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FootnotesFile {
    footnote: Vec<Footnote>,
}

/// A file of names or footnotes that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the names or footnotes of the tracker cannot be read: {0}")]
pub struct NamesError(#[from] toml::de::Error);

/// The distributions of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// The name shown, normalized, is that of the distribution.
    Same,
    /// These; none where it is no distribution.
    Packages(&'a [String]),
    /// Nobody has looked.
    NotChecked,
}

impl Names {
    /// Reads both files.
    ///
    /// # Errors
    /// Where a text is not of its form.
    pub fn parse(names: &str, footnotes: &str) -> Result<Self, NamesError> {
        let names: NamesFile = toml::from_str(names)?;
        let footnotes: FootnotesFile = toml::from_str(footnotes)?;
        Ok(Self {
            same: names.same.into_iter().collect(),
            none: names.none.into_iter().collect(),
            others: names.others,
            tools: names.tools.into_iter().collect(),
            footnotes: footnotes.footnote.into_iter().map(|one| (one.digest, one)).collect(),
        })
    }

    /// What this program came with.
    ///
    /// # Errors
    /// None in a program that was tested.
    pub fn built_in() -> Result<Self, NamesError> {
        Self::parse(NAMES, FOOTNOTES)
    }

    /// The projects that were looked at, each with how often the files name it.
    #[must_use]
    pub fn projects(&self) -> BTreeMap<&str, usize> {
        let mut projects = BTreeMap::new();
        for project in self.same.iter().chain(&self.none).chain(self.others.keys()) {
            *projects.entry(project.as_str()).or_default() += 1;
        }
        projects
    }

    pub(super) fn of(&self, project: &str) -> Known<'_> {
        if let Some(packages) = self.others.get(project) {
            Known::Packages(packages)
        } else if self.none.contains(project) {
            Known::Packages(&[])
        } else if self.same.contains(project) {
            Known::Same
        } else {
            Known::NotChecked
        }
    }

    pub(super) fn is_tool(&self, project: &str) -> bool {
        self.tools.contains(project)
    }

    pub(super) fn footnote(&self, text: &str) -> Option<&Footnote> {
        self.footnotes.get(&Sha256::of(text.as_bytes()))
    }
}
