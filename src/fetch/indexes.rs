//! All places where packages come from, asked as the user's settings have it, and what their files
//! say of themselves.
//!
//! One index and its pages are in [`crate::fetch::simple`].

use std::sync::Arc;

use pep508_rs::PackageName;
use url::Url;

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::core_metadata;
use crate::fetch::simple::SimpleIndex;
use crate::model::distribution::DistributionFile;
use crate::model::metadata::CoreMetadata;
use crate::resolve::{Index, IndexError, MetadataError};

/// Every index of a scan.
#[derive(Debug)]
pub struct Indexes {
    client: Arc<Client>,
    cache: Cache,
    root: Url,
}

impl Indexes {
    /// The one index at `root`.
    #[must_use]
    pub fn new(client: Arc<Client>, cache: Cache, root: Url) -> Self {
        Self { client, cache, root }
    }
}

impl Index for Indexes {
    async fn files(
        &self,
        name: &PackageName,
        _from: Option<&str>,
    ) -> Result<Vec<DistributionFile>, IndexError> {
        SimpleIndex::new(&self.client, &self.cache, self.root.clone()).files(name).await
    }

    async fn metadata(&self, file: &DistributionFile) -> Result<CoreMetadata, MetadataError> {
        core_metadata::read(&self.client, &self.cache, file).await
    }
}
