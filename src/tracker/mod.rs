//! What the py-free-threading tracker says of a distribution: facts looked up, never judged.
//!
//! The data is compiled in; [`import`] makes it from the tracker's page. Nothing here reads files or
//! asks the network: who keeps newer data reads it with [`Tracker::parse`].

mod cells;
pub mod import;
mod markdown;
mod names;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::civil::Date;
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::tracker::{TrackerEntry, TrackerOrigin};

pub use names::{Names, NamesError};

/// The version of the data's form.
pub const SCHEMA: u32 = 1;

const BUILT_IN: &str = include_str!("../../data/tracker.json");

/// Names that are less alike than this are not told as near ones.
const LEAST_ALIKE: f64 = 0.8;
/// Near names that are told.
const NEAR_NAMES: usize = 3;

/// All rows, with where they are from.
#[derive(Debug, Clone)]
pub struct Tracker {
    date: Date,
    origin: TrackerOrigin,
    entries: Vec<TrackerEntry>,
    /// The row of each distribution.
    by_package: BTreeMap<String, usize>,
}

impl Default for Tracker {
    /// One that says nothing of anything.
    fn default() -> Self {
        Self {
            date: Date::ZERO,
            origin: TrackerOrigin::default(),
            entries: Vec::new(),
            by_package: BTreeMap::new(),
        }
    }
}

/// The data as it is written.
#[derive(Serialize, Deserialize)]
struct Data {
    schema: u32,
    date: Date,
    origin: TrackerOrigin,
    entries: Vec<TrackerEntry>,
}

/// Why data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrackerError {
    /// It is not of the form that it is written in.
    #[error("the tracker's data cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of another version.
    #[error("expected the tracker's data in form {SCHEMA}, found form {0}")]
    Schema(u32),
    /// A row cannot be right.
    #[error("the tracker's data on {project}: {problem}")]
    Row {
        /// The row.
        project: String,
        /// What was expected and what was found.
        problem: String,
    },
}

impl Tracker {
    /// The data that this program came with. It is read when first asked for.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static TRACKER: OnceLock<Tracker> = OnceLock::new();
        TRACKER.get_or_init(|| {
            // A test reads the same text: it is in order whenever the program is built.
            Self::parse(BUILT_IN).unwrap_or_default()
        })
    }

    /// Rows from a page.
    ///
    /// # Errors
    /// Where a row cannot be right: a name that is none, two rows for one distribution, a version or
    /// an address that is none.
    pub fn new(
        date: Date,
        origin: TrackerOrigin,
        mut entries: Vec<TrackerEntry>,
    ) -> Result<Self, TrackerError> {
        entries.sort_by_cached_key(|entry| (entry.project.to_lowercase(), entry.project.clone()));
        let mut by_package = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let wrong =
                |problem: String| TrackerError::Row { project: entry.project.clone(), problem };
            check(entry).map_err(wrong)?;
            for package in &entry.packages {
                if let Some(other) = by_package.insert(package.clone(), at) {
                    let other = entries.get(other).map_or("", |entry| entry.project.as_str());
                    return Err(wrong(format!(
                        "expected one row for each distribution, found {package} in that of \
                         {other} too"
                    )));
                }
            }
        }
        Ok(Self { date, origin, entries, by_package })
    }

    /// Reads data as [`Self::serialize`] writes it.
    ///
    /// # Errors
    /// Where it is not of that form, of another version of it, or holds a row that cannot be right.
    pub fn parse(text: &str) -> Result<Self, TrackerError> {
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
        }
        // The version is looked at first: data of another one need not have the rest.
        let Head { schema } = serde_json::from_str(text)?;
        if schema != SCHEMA {
            return Err(TrackerError::Schema(schema));
        }
        let data: Data = serde_json::from_str(text)?;
        Self::new(data.date, data.origin, data.entries)
    }

    /// The data as JSON, a line for each row.
    ///
    /// # Errors
    /// None that can come of a tracker; those of the writer.
    pub fn serialize(&self) -> Result<String, TrackerError> {
        use std::fmt::Write as _;
        let mut text = String::new();
        let date = serde_json::to_string(&self.date)?;
        let origin = serde_json::to_string(&self.origin)?;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{{\n\"schema\": {SCHEMA},\n\"date\": {date},\n\"origin\": {origin},\n\"entries\": ["
        );
        for (at, entry) in self.entries.iter().enumerate() {
            text.push_str(if at == 0 { "\n" } else { ",\n" });
            text.push_str(&serde_json::to_string(entry)?);
        }
        text.push_str("\n]\n}\n");
        Ok(text)
    }

    /// The day of the data.
    #[must_use]
    pub fn date(&self) -> Date {
        self.date
    }

    /// Where the data is from.
    #[must_use]
    pub fn origin(&self) -> &TrackerOrigin {
        &self.origin
    }

    /// All rows, sorted by project.
    #[must_use]
    pub fn entries(&self) -> &[TrackerEntry] {
        &self.entries
    }

    /// What the tracker says of a distribution.
    #[must_use]
    pub fn entry(&self, package: &PackageName) -> Option<&TrackerEntry> {
        self.entry_of(package.as_ref())
    }

    /// The same by the normalized name.
    #[must_use]
    pub fn entry_of(&self, package: &str) -> Option<&TrackerEntry> {
        self.entries.get(*self.by_package.get(package)?)
    }

    /// The row that a person means: by the name of a distribution in any spelling, or by that of the
    /// project as the tracker shows it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&TrackerEntry> {
        let by_package = name.parse().ok().and_then(|package| self.entry(&package));
        by_package.or_else(|| {
            let lowered = name.to_lowercase();
            self.entries.iter().find(|entry| entry.project.to_lowercase() == lowered)
        })
    }

    /// The names of distributions and projects that are much like one, most alike first.
    #[must_use]
    pub fn near(&self, name: &str) -> Vec<String> {
        let name = name.to_lowercase();
        let packages = self.by_package.keys().map(String::as_str);
        let others = self.entries.iter().filter(|entry| entry.packages.is_empty());
        let names = packages.chain(others.map(|entry| entry.project.as_str()));
        let mut near: Vec<(f64, &str)> = names
            .map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known))
            .filter(|(alike, _)| *alike >= LEAST_ALIKE)
            .collect();
        near.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
        near.into_iter().take(NEAR_NAMES).map(|(_, known)| known.to_owned()).collect()
    }
}

/// What has to hold for a row, whoever made it.
fn check(entry: &TrackerEntry) -> Result<(), String> {
    if entry.project.trim().is_empty() {
        return Err("expected the name of a project, found none".to_owned());
    }
    let names = [&entry.packages, &entry.blocked_by, &entry.alternatives];
    for name in names.into_iter().flatten() {
        let normalized = PackageName::new(name.clone()).ok();
        if normalized.is_none_or(|normalized| normalized.as_ref() != name.as_str()) {
            return Err(format!("expected the normalized name of a distribution, found `{name}`"));
        }
    }
    if !entry.packages.is_sorted_by(|one, next| one < next) {
        return Err(format!("expected sorted names, found {}", entry.packages.join(", ")));
    }
    if let Some(version) = &entry.first_version
        && let Err(problem) = version.parse::<Version>()
    {
        return Err(format!("expected a version, found `{version}`: {problem}"));
    }
    for address in entry.issue.iter().chain(&entry.nightly_page) {
        web_address(address)?;
    }
    Ok(())
}

/// Whether a text is an address that a browser opens, and gives away nothing.
fn web_address(text: &str) -> Result<(), String> {
    let url = Url::parse(text)
        .map_err(|problem| format!("expected an address, found `{text}`: {problem}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("expected an http or https address, found `{text}`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("expected an address without user name and password".to_owned());
    }
    Ok(())
}
