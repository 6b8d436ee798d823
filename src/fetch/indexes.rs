//! All places where packages come from, asked as the user's settings have it, and what their files
//! say of themselves.
//!
//! One index and its pages are in [`crate::fetch::simple`].

use std::sync::Arc;

use pep508_rs::PackageName;
use url::Url;

use crate::fetch::cache::Cache;
use crate::fetch::client::{Client, FetchError, Request};
use crate::fetch::metadata;
use crate::fetch::simple::SimpleIndex;
use crate::fetch::wheel::RemoteWheel;
use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use crate::model::metadata::CoreMetadata;
use crate::model::wheel_filename::WheelFilename;
use crate::resolve::{Index, IndexError, MetadataError};

/// The longest metadata that is read: the descriptions of projects are in it too.
const MAX_METADATA: u64 = 16 << 20;

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

    /// `METADATA` beside the wheel where the index offers it (PEP 658), else out of the wheel.
    async fn wheel_metadata(
        &self,
        file: &DistributionFile,
        wheel: &WheelFilename,
    ) -> Result<CoreMetadata, MetadataError> {
        let unavailable = |problem: FetchError| MetadataError::Unavailable(problem.to_string());
        let text = match file.metadata {
            MetadataFile::Present(digest) => {
                let mut url = file.url.clone();
                url.set_path(&format!("{}.metadata", file.url.path()));
                let response = self
                    .client
                    .get(&url, &Request::new(MAX_METADATA))
                    .await
                    .map_err(unavailable)?;
                if digest.is_some_and(|digest| digest != Sha256::of(&response.body)) {
                    return Err(MetadataError::Unavailable(format!(
                        "the metadata of {wheel} has another digest than the index states"
                    )));
                }
                response.body
            }
            MetadataFile::Absent => {
                let mut remote = RemoteWheel::open(Arc::clone(&self.client), file.clone())
                    .await
                    .map_err(unavailable)?;
                let [metadata, _] =
                    metadata::members(remote.names(), wheel).map_err(MetadataError::Invalid)?;
                remote.fetch(&[metadata]).await.map_err(unavailable)?;
                remote.read(metadata).map_err(unavailable)?
            }
        };
        CoreMetadata::parse(&text).map_err(MetadataError::Invalid)
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
        match &file.kind {
            DistributionKind::Wheel(wheel) => self.wheel_metadata(file, wheel).await,
            DistributionKind::Source(_) => Err(MetadataError::NeedsBuild(
                "it has no wheel, and what it requires is only known by building it".to_owned(),
            )),
        }
    }
}
