//! Files on this machine, named by `file:` URLs.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use url::Url;

use crate::fetch::client::FetchError;
use crate::model::digest::Sha256;
use crate::model::distribution::DistributionFile;

/// The path of a file on this machine, `None` for one elsewhere.
///
/// # Errors
/// Where a `file:` URL names none.
pub(super) fn path(url: &Url) -> Result<Option<PathBuf>, FetchError> {
    if url.scheme() != "file" {
        return Ok(None);
    }
    url.to_file_path()
        .map(Some)
        .map_err(|()| FetchError::invalid(url, "expected the path of a file on this machine"))
}

/// Opens it; a folder is not taken for a file.
pub(super) fn open(url: &Url, path: &PathBuf) -> Result<fs_err::File, FetchError> {
    let problem = |problem: std::io::Error| unreadable(url, &problem);
    let file = fs_err::File::open(path).map_err(problem)?;
    if file.metadata().map_err(problem)?.is_file() {
        Ok(file)
    } else {
        Err(FetchError::invalid(url, "expected a file, found something else"))
    }
}

/// The size of it, and whether a digest is stated for it, which it then has.
///
/// # Errors
/// Where it cannot be read, or has another digest.
pub(super) fn check(file: &DistributionFile, path: &PathBuf) -> Result<(u64, bool), FetchError> {
    let opened = open(&file.url, path)?;
    let problem = |problem: std::io::Error| unreadable(&file.url, &problem);
    let size = opened.metadata().map_err(problem)?.len();
    let Some(stated) = file.sha256 else { return Ok((size, false)) };
    let found = Sha256::of_reader(opened).map_err(problem)?;
    if found == stated {
        return Ok((size, true));
    }
    Err(FetchError::invalid(&file.url, format!("expected sha256 {stated}, found {found}")))
}

/// A stretch of it.
pub(super) fn read(url: &Url, path: &PathBuf, range: Range<u64>) -> Result<Vec<u8>, FetchError> {
    let problem = |problem: std::io::Error| unreadable(url, &problem);
    let mut file = open(url, path)?;
    file.seek(SeekFrom::Start(range.start)).map_err(problem)?;
    let length = range.end.saturating_sub(range.start);
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(problem)?;
    if bytes.len() as u64 == length {
        return Ok(bytes);
    }
    Err(FetchError::invalid(url, "the file became shorter while it was read"))
}

/// Without the path that the message of the `fs_err` crate begins with: the URL names it.
fn unreadable(url: &Url, problem: &std::io::Error) -> FetchError {
    let problem = match problem.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        kind => format!("the file cannot be read: {kind}"),
    };
    FetchError::invalid(url, problem)
}
