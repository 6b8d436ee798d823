//! The Python files of a wheel, fetched together and kept as they lie in the zip.
//!
//! What they mean is told in [`crate::imports`]. They are expanded one at a time when asked for:
//! most of them never are.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;

use super::archive::Archive;
use super::cache::{Bucket, Cache, file_key};
use super::client::{Client, FetchError};
use super::opened::Opened;
use super::wheel::RemoteWheel;
use crate::model::distribution::DistributionFile;
use crate::model::limits::Limit;

/// The largest Python file that is expanded.
const MAX_FILE: u64 = 16 << 20;

/// The paths of all members of a wheel, and the bytes of those that are Python.
#[derive(Debug)]
pub struct PythonFiles {
    places: HashMap<String, usize>,
    archive: Archive<Cursor<Bytes>>,
}

impl PythonFiles {
    /// Those of `file`, from the cache or from the wheel.
    ///
    /// # Errors
    /// Where the wheel cannot be fetched or read.
    pub async fn fetch(
        client: &Arc<Client>,
        cache: &Cache,
        opened: Option<&Opened>,
        file: &DistributionFile,
    ) -> Result<Self, FetchError> {
        let key = file_key(file);
        let kept = key.as_ref().and_then(|key| cache.get_bytes(Bucket::Python, key));
        if let Some(found) = kept.and_then(Self::of_zip) {
            return Ok(found);
        }
        let remote = match opened.and_then(|opened| opened.take(&file.url)) {
            Some(remote) => remote,
            None => RemoteWheel::open(Arc::clone(client), file.clone()).await?,
        };
        let members: Vec<usize> = remote
            .names()
            .iter()
            .enumerate()
            .filter(|(_, name)| is_python(name))
            .map(|(member, _)| member)
            .collect();
        let total: u64 = members.iter().map(|member| remote.compressed_size(*member)).sum();
        let (most, limit) = (client.limits().python_size, Limit("python-size"));
        if total > most {
            return Err(remote.invalid(&format!(
                "expected at most {most} bytes of Python files, found {total} ({limit})"
            )));
        }
        remote.fetch(&members).await?;
        let url = file.url.clone();
        let copying = tokio::task::spawn_blocking(move || remote.copy_of(&members));
        let bytes = copying
            .await
            .map_err(|_| FetchError::invalid(&url, "an internal error of ftcheck"))??;
        if let Some(key) = key {
            // A cache that cannot be written makes the next run slower, and this one no less right.
            let _ = cache.put_bytes(Bucket::Python, &key, &bytes);
        }
        Self::of_zip(bytes.into())
            .ok_or_else(|| FetchError::invalid(&url, "an internal error of ftcheck"))
    }

    fn of_zip(bytes: Bytes) -> Option<Self> {
        let archive = Archive::of_own(Cursor::new(bytes)).ok()?;
        let places =
            archive.names().iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        Some(Self { places, archive })
    }

    /// The paths of all members of the wheel.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.archive.names()
    }

    /// The text of a Python file; `None` for another one, or where it is damaged or too large.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<Vec<u8>> {
        let member = self.places.get(name).filter(|_| is_python(name))?;
        if self.archive.expanded_size(*member) > MAX_FILE {
            return None;
        }
        // A reader of its own: several threads read files at a time.
        self.archive.clone().read(*member).ok()
    }
}

/// Whether a path is that of Python source, stubs not counted.
fn is_python(name: &str) -> bool {
    name.ends_with(".py")
}
