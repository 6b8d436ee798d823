//! What a file of a release says of itself, by the cheapest way that its kind and its server leave:
//! the metadata beside a wheel (PEP 658), the member of the wheel, or the static parts of a source
//! distribution.
//!
//! A file with a digest does not change, so that what it says is kept between runs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fetch::cache::{Bucket, Cache, file_key};
use crate::fetch::client::{Client, FetchError, Request};
use crate::fetch::metadata;
use crate::fetch::opened::Opened;
use crate::fetch::sdist::{self, Said, Texts, Wanted};
use crate::fetch::streamed;
use crate::fetch::wheel::RemoteWheel;
use crate::model::digest::Sha256;
use crate::model::distribution::{
    DistributionFile, DistributionKind, MetadataFile, SourceFilename,
};
use crate::model::limits::Limit;
use crate::model::metadata::CoreMetadata;
use crate::model::wheel_filename::WheelFilename;
use crate::resolve::MetadataError;

/// What is kept of a file.
#[derive(Serialize, Deserialize)]
enum Kept {
    /// The headers of its metadata.
    Metadata(String),
    /// What of it only a build could tell.
    Build(String),
}

impl From<Said> for Kept {
    fn from(said: Said) -> Self {
        match said {
            Said::Metadata(text) => Self::Metadata(text),
            Said::Build(reason) => Self::Build(reason),
        }
    }
}

/// What `file` says of itself, from the cache or by fetching it.
///
/// # Errors
/// Where it cannot be fetched or understood, or only a build could tell.
///
/// Wheels that were opened for it are left in `opened`.
pub async fn read(
    client: &Arc<Client>,
    cache: &Cache,
    opened: &Opened,
    file: &DistributionFile,
) -> Result<CoreMetadata, MetadataError> {
    let key = file_key(file);
    let known: Option<Kept> = key.as_ref().and_then(|key| cache.get(Bucket::Metadata, key));
    let kept = match known {
        Some(kept) => kept,
        None => {
            let kept = match &file.kind {
                DistributionKind::Wheel(wheel) => of_wheel(client, opened, file, wheel).await?,
                DistributionKind::Source(source) => of_sdist(client, file, source).await?,
            };
            if let Some(key) = key {
                // A cache that cannot be written makes the next run slower, and no less right.
                let _ = cache.put(Bucket::Metadata, &key, &kept);
            }
            kept
        }
    };
    match kept {
        Kept::Metadata(text) => {
            CoreMetadata::parse(text.as_bytes()).map_err(MetadataError::Invalid)
        }
        Kept::Build(reason) => Err(MetadataError::NeedsBuild(format!(
            "only building {} would tell what it requires: {reason}",
            file.kind.filename()
        ))),
    }
}

fn unavailable(problem: &FetchError) -> MetadataError {
    MetadataError::Unavailable(problem.to_string())
}

/// `METADATA` beside the wheel where the index offers it, else out of the wheel.
async fn of_wheel(
    client: &Arc<Client>,
    opened: &Opened,
    file: &DistributionFile,
    wheel: &WheelFilename,
) -> Result<Kept, MetadataError> {
    let beside = match file.metadata {
        MetadataFile::Present(digest) if file.url.scheme() != "file" => {
            beside(client, file, digest).await.map_err(|problem| unavailable(&problem))?
        }
        _ => None,
    };
    let text = match beside {
        Some(text) => text,
        None => {
            let failed = |problem: FetchError| unavailable(&problem);
            let remote = RemoteWheel::open(Arc::clone(client), file.clone()).await;
            let mut remote = remote.map_err(failed)?;
            let [metadata, _] =
                metadata::members(remote.names(), wheel).map_err(MetadataError::Invalid)?;
            remote.check_metadata_size(metadata).map_err(failed)?;
            remote.fetch(&[metadata]).await.map_err(failed)?;
            let text = remote.read(metadata).map_err(failed)?;
            // One for any platform is not looked into.
            if !wheel.is_any_platform() {
                opened.keep(remote);
            }
            text
        }
    };
    metadata::check_identity(&text, wheel).map_err(MetadataError::Invalid)?;
    Ok(Kept::Metadata(sdist::headers(&text)))
}

/// The metadata at the wheel's URL with `.metadata` behind it; `None` where the server does not
/// have it, whatever the page says.
async fn beside(
    client: &Client,
    file: &DistributionFile,
    digest: Option<Sha256>,
) -> Result<Option<Vec<u8>>, FetchError> {
    let mut url = file.url.clone();
    url.set_path(&format!("{}.metadata", file.url.path()));
    // Stores of objects answer 403 for what they do not have.
    let request = Request::new(client.limits().metadata_size)
        .limited_by("metadata-size")
        .accepting(&[403, 404, 410]);
    let response = client.get(&url, &request).await?;
    if !response.status.is_success() {
        return Ok(None);
    }
    let found = Sha256::of(&response.body);
    if let Some(stated) = digest.filter(|stated| *stated != found) {
        return Err(FetchError::invalid(&url, format!("expected sha256 {stated}, found {found}")));
    }
    Ok(Some(response.body))
}

async fn of_sdist(
    client: &Arc<Client>,
    file: &DistributionFile,
    source: &SourceFilename,
) -> Result<Kept, MetadataError> {
    let filename = file.kind.filename();
    let texts = if filename.ends_with(".zip") {
        of_zip(client, file).await.map(Some)
    } else if filename.ends_with(".tar.gz") || filename.ends_with(".tgz") {
        of_tar_gz(client, file).await
    } else {
        let ending = filename.rsplit('.').next().unwrap_or_default();
        return Ok(Kept::Build(format!("archives of the kind .{ending} are not read")));
    };
    let Some(texts) = texts.map_err(|problem| unavailable(&problem))? else {
        let (most, limit) = (client.limits().sdist_size, Limit("sdist-size"));
        // Not kept: with another limit another answer may come.
        return Err(MetadataError::NeedsBuild(format!(
            "only building {filename} would tell what it requires: its first {most} bytes hold no \
             metadata that is static ({limit})"
        )));
    };
    texts.said(&source.name, &source.version).map(Kept::from).map_err(MetadataError::Invalid)
}

/// Out of a zip, of which only parts are fetched.
async fn of_zip(client: &Arc<Client>, file: &DistributionFile) -> Result<Texts, FetchError> {
    let mut remote = RemoteWheel::open(Arc::clone(client), file.clone()).await?;
    let wanted: Vec<(usize, Wanted)> = remote
        .names()
        .iter()
        .enumerate()
        .filter_map(|(member, path)| Some((member, Wanted::of(path)?)))
        .collect();
    let mut texts = Texts::default();
    for (member, wanted) in wanted {
        remote.check_metadata_size(member)?;
        remote.fetch(&[member]).await?;
        texts.keep(wanted, remote.read(member)?);
    }
    Ok(texts)
}

/// Out of a tar, which is fetched from its start until enough was found.
/// `None` where it is not found in as much as is read.
async fn of_tar_gz(
    client: &Arc<Client>,
    file: &DistributionFile,
) -> Result<Option<Texts>, FetchError> {
    let limits = *client.limits();
    let work = move |reader: &mut dyn std::io::Read| Texts::within(&limits, reader);
    streamed::read(client, file, limits.sdist_size, work).await
}
