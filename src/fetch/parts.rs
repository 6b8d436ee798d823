//! Files that are asked for in parts: the requests for ranges, and whether what comes is what was asked
//! for (RFC 9110, 14). Those on this machine are read the same way.
//!
//! What the parts mean is told in [`super::wheel`].

use std::ops::Range;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, RANGE,
};
use url::Url;

use super::sparse::Sparse;
use crate::fetch::client::{Client, FetchError, Request, Response};
use crate::fetch::disk;
use crate::model::digest::Sha256;
use crate::model::distribution::DistributionFile;
use crate::model::limits::Limit;
use crate::model::location::redacted;

/// How much of the end is fetched first: this share of the wheel, within these bounds. Nearly all
/// directories are shorter, and a second request for the others costs less than more bytes for all.
const SHARE_OF_TAIL: u64 = 64;
const LEAST_TAIL: u64 = 16 << 10;
pub(super) const MOST_TAIL: u64 = 64 << 10;
/// A wheel up to this size is fetched whole: one request, and its digest can be checked.
pub(super) const SMALL: u64 = 64 << 10;
/// Requests at a time for one wheel: the modules of a large one lie far apart, and would take as many
/// times the way to the index and back.
const PARALLEL_RANGES: usize = 16;

/// What the first request brought.
pub(super) enum Start {
    /// The whole file.
    Whole(Response),
    /// Some of it: the file's size, where the part starts, and the part.
    Part { size: u64, start: u64, response: Response },
    /// A file on this machine, of this size, and whether it has the digest stated for it.
    Local { size: u64, verified: bool },
}

/// The end of the file, or all of it, by the cheapest request that the server understands.
pub(super) async fn start(client: &Client, file: &DistributionFile) -> Result<Start, FetchError> {
    if let Some(path) = disk::path(&file.url)? {
        let file = file.clone();
        let url = file.url.clone();
        let checking = tokio::task::spawn_blocking(move || disk::check(&file, &path));
        let (size, verified) = checking.await.map_err(|_| internal(&url))??;
        return Ok(Start::Local { size, verified });
    }
    let most = client.limits().wheel_size;
    if let Some(size) = file.size {
        check_size(client, file, size)?;
    }
    let whole = Request::new(most)
        .limited_by("wheel-size")
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    match file.size {
        Some(size) if size <= SMALL => {}
        Some(size) => {
            let range = size.saturating_sub(tail_of(Some(size)))..size;
            if let Some(start) = tail(client, file, &bytes_of(&range)).await? {
                return Ok(start);
            }
        }
        None => {
            let wanted = tail_of(None);
            if let Some(start) = tail(client, file, &format!("bytes=-{wanted}")).await? {
                return Ok(start);
            }
            // Some servers know ranges but not those counted from the end: ask for a byte, whose
            // answer tells the size.
            if let Some(Start::Part { size, .. }) = tail(client, file, "bytes=0-0").await? {
                let range = size.saturating_sub(tail_of(Some(size)))..size;
                if let Some(start) = tail(client, file, &bytes_of(&range)).await? {
                    return Ok(start);
                }
            }
        }
    }
    client.get(&file.url, &whole).await.map(Start::Whole)
}

/// How much of the end of a wheel is fetched first, of its size, where that is known; in bytes.
pub(super) fn tail_of(size: Option<u64>) -> u64 {
    size.map_or(MOST_TAIL, |size| (size / SHARE_OF_TAIL).clamp(LEAST_TAIL, MOST_TAIL))
}

/// A range, asked for until an answer fits. `None` where the server refuses it.
async fn tail(
    client: &Client,
    file: &DistributionFile,
    range: &str,
) -> Result<Option<Start>, FetchError> {
    client.repeated(|| tail_once(client, file, range)).await
}

async fn tail_once(
    client: &Client,
    file: &DistributionFile,
    range: &str,
) -> Result<Option<Start>, FetchError> {
    let request = range_request(range, client.limits().wheel_size)
        .limited_by("wheel-size")
        .accepting(&[400, 405, 416, 501]);
    let response = client.get_once(&file.url, &request).await?;
    Ok(match response.status.as_u16() {
        200 => Some(Start::Whole(response)),
        206 => {
            let (place, size) = content_range(file, &response)?;
            check_size(client, file, size)?;
            if place == (0..size) {
                // Smaller than what was asked for: nothing is left to fetch.
                return Ok(Some(Start::Whole(response)));
            }
            Some(Start::Part { size, start: place.start, response })
        }
        _ => None,
    })
}

/// Whether a file of this size is read at all.
fn check_size(client: &Client, file: &DistributionFile, size: u64) -> Result<(), FetchError> {
    let limit = client.limits().wheel_size;
    if size <= limit {
        return Ok(());
    }
    let limited_by = Some(Limit("wheel-size"));
    Err(FetchError::TooLarge { url: redacted(&file.url), limit, limited_by })
}

fn range_request(range: &str, limit: u64) -> Request {
    Request::new(limit)
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
        .header_text(RANGE, range)
}

fn bytes_of(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1))
}

/// Which part of what size an answer holds: `bytes 10-19/100` (RFC 9110, 14.4), checked against
/// the body.
fn content_range(
    file: &DistributionFile,
    response: &Response,
) -> Result<(Range<u64>, u64), FetchError> {
    let text = response.header(&CONTENT_RANGE).unwrap_or_default();
    let parsed = text.strip_prefix("bytes ").and_then(|rest| {
        let (range, size) = rest.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last, size): (u64, u64, u64) =
            (first.parse().ok()?, last.parse().ok()?, size.parse().ok()?);
        let end = last.checked_add(1).filter(|end| first < *end && *end <= size)?;
        Some((first..end, size))
    });
    let Some((range, size)) = parsed else {
        return Err(FetchError::garbled(
            &file.url,
            format!("expected a Content-Range of bytes with the size, found `{text}`"),
        ));
    };
    let found = response.body.len() as u64;
    if range.end - range.start != found {
        return Err(FetchError::garbled(
            &file.url,
            format!("expected the bytes of `{text}`, found {found} bytes"),
        ));
    }
    Ok((range, size))
}

/// A validator that is equal only for equal bytes (RFC 9110, 8.8.3).
pub(super) fn strong_etag(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ETAG).filter(|etag| !etag.as_bytes().starts_with(b"W/")).cloned()
}

pub(super) async fn fetch_ranges(
    client: &Client,
    file: &DistributionFile,
    sparse: &Sparse,
    etag: Option<&HeaderValue>,
    ranges: Vec<Range<u64>>,
) -> Result<(), FetchError> {
    stream::iter(ranges)
        .map(|range| fetch_range(client, file, sparse, etag, range))
        .buffer_unordered(PARALLEL_RANGES)
        .try_collect::<()>()
        .await
}

pub(super) async fn fetch_range(
    client: &Client,
    file: &DistributionFile,
    sparse: &Sparse,
    etag: Option<&HeaderValue>,
    range: Range<u64>,
) -> Result<(), FetchError> {
    if let Some(path) = disk::path(&file.url)? {
        let (url, wanted) = (file.url.clone(), range.clone());
        let reading = tokio::task::spawn_blocking(move || disk::read(&url, &path, wanted));
        let bytes = reading.await.map_err(|_| internal(&file.url))??;
        sparse.insert(range.start, bytes);
        return Ok(());
    }
    let body = client.repeated(|| range_once(client, file, sparse, etag, &range)).await?;
    client.traffic().receive_part(body.len());
    sparse.insert(range.start, body);
    Ok(())
}

/// Exactly the bytes that were asked for, of the file that was begun with.
async fn range_once(
    client: &Client,
    file: &DistributionFile,
    sparse: &Sparse,
    etag: Option<&HeaderValue>,
    range: &Range<u64>,
) -> Result<Vec<u8>, FetchError> {
    let length = range.end - range.start;
    let request = range_request(&bytes_of(range), length);
    let response = client.get_once(&file.url, &request).await.map_err(|problem| match problem {
        // As a server does that no longer knows ranges, and sends the whole file.
        FetchError::TooLarge { .. } => FetchError::garbled(
            &file.url,
            format!("expected a part of the file, of {length} bytes, found more"),
        ),
        problem => problem,
    })?;
    if response.status != 206 {
        return Err(FetchError::garbled(
            &file.url,
            format!("expected a part of the file (HTTP 206), found HTTP {}", response.status),
        ));
    }
    let (found, size) = content_range(file, &response)?;
    if size != sparse.size()
        || etag.is_some_and(|etag| strong_etag(&response.headers).as_ref() != Some(etag))
    {
        let problem = "the file changed while it was read: expected the version that its first \
                       part is of, found another one";
        return Err(FetchError::invalid(&file.url, problem));
    }
    if found != *range {
        return Err(FetchError::garbled(
            &file.url,
            format!(
                "expected bytes {}-{} of {}, found {}-{}",
                range.start,
                range.end - 1,
                sparse.size(),
                found.start,
                found.end - 1,
            ),
        ));
    }
    Ok(response.body)
}

/// Compares the digest of the whole file with the one stated. `false` where none is stated.
pub(super) fn check_digest(
    file: &DistributionFile,
    response: &Response,
) -> Result<bool, FetchError> {
    let Some(stated) = file.sha256 else { return Ok(false) };
    let found = Sha256::of(&response.body);
    if found == stated {
        return Ok(true);
    }
    let media_type = response.header(&CONTENT_TYPE).unwrap_or_default();
    let served =
        if media_type.starts_with("text/html") { " (the server sent a web page)" } else { "" };
    Err(FetchError::invalid(&file.url, format!("expected sha256 {stated}, found {found}{served}")))
}

fn internal(url: &Url) -> FetchError {
    FetchError::invalid(url, "an internal error of ftcheck")
}
