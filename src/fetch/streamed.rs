//! A compressed tar of an index or of this machine, expanded while it comes.

use std::io::Read;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use reqwest::header::{ACCEPT_ENCODING, HeaderValue};
use tokio::sync::mpsc;
use url::Url;

use crate::fetch::client::{Client, FetchError, Request};
use crate::fetch::disk;
use crate::fetch::tarball::SdistError;
use crate::model::digest::Digesting;
use crate::model::distribution::DistributionFile;

/// Parts that wait to be expanded.
const WAITING_PARTS: usize = 8;

/// What `work` makes of a file's bytes; `None` where that took more than `limit` of them. Where it
/// reads to the end, and a digest is stated, the file has that.
///
/// # Errors
/// Where it cannot be fetched, `work` fails, or the digest is another.
pub(super) async fn read<T, W>(
    client: &Arc<Client>,
    file: &DistributionFile,
    limit: u64,
    work: W,
) -> Result<Option<T>, FetchError>
where
    T: Send + 'static,
    W: Fn(&mut dyn Read) -> Result<T, SdistError> + Clone + Send + 'static,
{
    if let Some(path) = disk::path(&file.url)? {
        let file = file.clone();
        return blocking(&file.url.clone(), move || {
            disk::check(&file, &path)?;
            let mut opened = std::io::BufReader::new(disk::open(&file.url, &path)?);
            work(&mut opened).map(Some).map_err(|problem| damaged(&file.url, &problem))
        })
        .await;
    }
    client.repeated(|| stream(client, file, limit, work.clone())).await
}

async fn stream<T, W>(
    client: &Client,
    file: &DistributionFile,
    limit: u64,
    work: W,
) -> Result<Option<T>, FetchError>
where
    T: Send + 'static,
    W: Fn(&mut dyn Read) -> Result<T, SdistError> + Send + 'static,
{
    let request =
        Request::new(u64::MAX).header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let mut stream = client.stream(&file.url, &request).await?;
    let (sender, receiver) = mpsc::channel(WAITING_PARTS);
    let reading =
        tokio::task::spawn_blocking(move || work(&mut Parts { receiver, part: Bytes::new() }));
    let mut digest = Some(Digesting::default());
    let mut left = limit;
    while let Some(part) = stream.chunk().await? {
        let Some(rest) = left.checked_sub(part.len() as u64) else { return Ok(None) };
        left = rest;
        if let Some(digest) = &mut digest {
            digest.update(&part);
        }
        if sender.send(part).await.is_err() {
            // Enough was found; the rest need not come, and with it goes the proof of the digest.
            digest = None;
            break;
        }
    }
    drop(sender);
    let done = reading.await.map_err(|_| internal(&file.url))?;
    let done = done.map_err(|problem| damaged(&file.url, &problem))?;
    if let (Some(stated), Some(digest)) = (file.sha256, digest) {
        let found = digest.finish();
        if stated != found {
            let problem = format!("expected sha256 {stated}, found {found}");
            return Err(FetchError::invalid(&file.url, problem));
        }
    }
    Ok(Some(done))
}

/// The body of an answer as something to read from, within a thread that may wait.
struct Parts {
    receiver: mpsc::Receiver<Bytes>,
    part: Bytes,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.part.is_empty() {
            let Some(part) = self.receiver.blocking_recv() else { return Ok(0) };
            self.part = part;
        }
        let count = self.part.len().min(buffer.len());
        self.part.split_to(count).copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// Runs what takes time and no network.
pub(super) async fn blocking<T: Send + 'static>(
    url: &Url,
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| internal(url))?
}

fn internal(url: &Url) -> FetchError {
    FetchError::invalid(url, "an internal error of ftcheck")
}

fn damaged(url: &Url, problem: &SdistError) -> FetchError {
    FetchError::invalid(url, problem.to_string())
}
