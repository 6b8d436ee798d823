//! One source distribution: fetched, looked into, and what it says kept.
//!
//! It joins [`crate::fetch`] and [`crate::source`] and knows neither requirements nor reports.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::fetch::cache::{Bucket, Cache, file_key};
use crate::fetch::client::{Client, FetchError};
use crate::fetch::source_files::{self, Outcome, Visitor};
use crate::model::distribution::DistributionFile;
use crate::model::release::{Prediction, SourceReport};
use crate::source::{SURVEY_VERSION, Survey};

/// Looks into source distributions.
#[derive(Debug)]
pub struct SourceCheck {
    client: Arc<Client>,
    cache: Cache,
    /// As many are expanded at a time as there are cores.
    expanding: Arc<Semaphore>,
}

impl SourceCheck {
    /// A check that keeps what it finds in `cache`.
    #[must_use]
    pub fn new(client: Arc<Client>, cache: Cache) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { client, cache, expanding: Arc::new(Semaphore::new(cores)) }
    }

    /// What a build of `file` would presumably do, from the cache or by fetching it. The same for
    /// every interpreter and platform.
    ///
    /// # Errors
    /// Where it cannot be fetched, or is damaged. What is too large or of a kind that is not read is
    /// a report that says so.
    pub async fn check(&self, file: &DistributionFile) -> Result<SourceReport, FetchError> {
        let key = file_key(file).map(|key| format!("survey {SURVEY_VERSION} {key}"));
        if let Some(found) = key.as_ref().and_then(|key| self.cache.get(Bucket::Sources, key)) {
            return Ok(found);
        }
        // Closed only by dropping it, which cannot happen while this holds it.
        let _permit = Arc::clone(&self.expanding).acquire_owned().await;
        let filename = file.kind.filename();
        let report = match source_files::read(&self.client, file, Survey::default).await? {
            Outcome::Read(survey) => survey.finish(filename),
            // Not kept: with other limits it may be read.
            Outcome::NotRead(reason) => return Ok(not_known(filename, reason)),
        };
        if let Some(key) = key {
            // A cache that cannot be written makes the next run slower, and this one no less right.
            let _ = self.cache.put(Bucket::Sources, &key, &report);
        }
        Ok(report)
    }
}

/// A source of which nothing could be told.
#[must_use]
pub fn not_known(filename: &str, reason: String) -> SourceReport {
    SourceReport {
        filename: filename.to_owned(),
        prediction: Prediction::NotKnown,
        signs: Vec::new(),
        reason: Some(reason),
    }
}

impl Visitor for Survey {
    fn wants(&self, path: &str) -> Option<u64> {
        Self::wants(path)
    }

    fn take(&mut self, path: &str, bytes: &[u8], is_whole: bool) {
        self.add(path, bytes, is_whole);
    }
}
