//! Entries on disk that survive between runs.
//!
//! Every entry carries a digest of itself and is put in place by renaming, so that several
//! processes may share a folder and a damaged or half-written entry is never served. A cache that
//! cannot be written is a slower run, not a failed one.

pub mod care;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use crate::model::digest::Sha256;
use crate::model::distribution::DistributionFile;

/// What kind of thing is kept; each has a folder, named with the version of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Project pages with their validators, by release. What is read from a page is kept, so that the
    /// form is a new one once more or something else is read.
    Pages,
    /// Pages that list files of any project, with their validators.
    Lists,
    /// What was found in wheels.
    Wheels,
    /// The names among the bytes of the modules of wheels.
    Mentions,
    /// What files say of themselves.
    Metadata,
    /// The Python files of wheels.
    Python,
    /// What importing the packages of a scan does.
    Imports,
    /// What the tracker says of projects, refreshed by the user.
    Tracker,
    /// What source distributions would presumably build.
    Sources,
}

impl Bucket {
    /// Every kind.
    const ALL: [Self; 9] = [
        Self::Pages,
        Self::Lists,
        Self::Wheels,
        Self::Mentions,
        Self::Metadata,
        Self::Python,
        Self::Imports,
        Self::Tracker,
        Self::Sources,
    ];

    fn folder(self) -> &'static str {
        match self {
            Self::Pages => "pages-v2",
            Self::Lists => "lists-v1",
            Self::Wheels => "wheels-v1",
            Self::Mentions => "mentions-v1",
            Self::Metadata => "metadata-v1",
            Self::Python => "python-v1",
            Self::Imports => "imports-v1",
            Self::Tracker => "tracker-v1",
            Self::Sources => "sources-v1",
        }
    }
}

/// A folder of entries, or nothing at all.
#[derive(Debug, Clone)]
pub struct Cache {
    root: Option<PathBuf>,
    gate: Arc<Gate>,
}

/// What writing passes.
#[derive(Debug, Default)]
struct Gate {
    /// Whether nothing more is written.
    closed: AtomicBool,
    /// Read for as long as an entry is written.
    writing: RwLock<()>,
}

/// How long [`Cache::close`] waits for entries that are being written.
const CLOSING: Duration = Duration::from_secs(2);

impl Cache {
    /// Entries below `root`.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self { root: Some(root), gate: Arc::default() }
    }

    /// Keeps nothing and knows nothing.
    #[must_use]
    pub fn disabled() -> Self {
        Self { root: None, gate: Arc::default() }
    }

    /// Where the entries lie; `None` where nothing is kept.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The user's own cache folder, where the system has one.
    #[must_use]
    pub fn default_root() -> Option<PathBuf> {
        use etcetera::BaseStrategy as _;
        Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("ftcheck"))
    }

    /// Keys may hold credentials: only their digest is written, as a name and into the entry.
    fn path(&self, bucket: Bucket, key: &str) -> Option<PathBuf> {
        let name = Sha256::of(key.as_bytes()).to_string();
        // Two levels: some file systems are slow with many files in one folder.
        Some(self.root.as_ref()?.join(bucket.folder()).join(&name[..2]).join(&name[2..]))
    }

    /// The entry for `key`. One that is damaged is removed and counts as missing.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, bucket: Bucket, key: &str) -> Option<T> {
        self.read(bucket, key, |bytes| decode(&bytes, key))
    }

    /// The bytes kept for `key`. Those that are damaged are removed and count as missing.
    #[must_use]
    pub fn get_bytes(&self, bucket: Bucket, key: &str) -> Option<Bytes> {
        self.read(bucket, key, |bytes| {
            let (stored_key, value) = payload(&bytes)?.split_at_checked(64)?;
            let is_same = stored_key == Sha256::of(key.as_bytes()).to_string().as_bytes();
            let before = bytes.len() - value.len();
            is_same.then(|| Bytes::from(bytes).slice(before..))
        })
    }

    fn read<T>(
        &self,
        bucket: Bucket,
        key: &str,
        decode: impl FnOnce(Vec<u8>) -> Option<T>,
    ) -> Option<T> {
        let path = self.path(bucket, key)?;
        let bytes = fs_err::read(&path).ok()?;
        let entry = decode(bytes);
        if entry.is_none() {
            // Another process may have replaced it in between, which costs one repeated look.
            let _ = fs_err::remove_file(&path);
        }
        entry
    }

    /// Keeps `value` for `key`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn put<T: Serialize>(&self, bucket: Bucket, key: &str, value: &T) -> std::io::Result<()> {
        self.write(bucket, key, || Ok(serde_json::to_vec(&(Sha256::of(key.as_bytes()), value))?))
    }

    /// Keeps bytes for `key`.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn put_bytes(&self, bucket: Bucket, key: &str, value: &[u8]) -> std::io::Result<()> {
        let digest = Sha256::of(key.as_bytes()).to_string();
        self.write(bucket, key, || Ok([digest.as_bytes(), value].concat()))
    }

    fn write(
        &self,
        bucket: Bucket,
        key: &str,
        payload: impl FnOnce() -> std::io::Result<Vec<u8>>,
    ) -> std::io::Result<()> {
        let Some(path) = self.path(bucket, key) else { return Ok(()) };
        let _writing = self.gate.writing.read().unwrap_or_else(PoisonError::into_inner);
        if self.gate.closed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        fs_err::create_dir_all(folder)?;
        let payload = payload()?;
        let mut file = NamedTempFile::new_in(folder)?;
        writeln!(file, "{}", Sha256::of(&payload))?;
        file.write_all(&payload)?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Lets no more entries be written, by this or what was cloned of it, and waits for those that
    /// are being: a process that ends then leaves no half of one behind. What takes longer than two
    /// seconds is not waited for.
    pub fn close(&self) {
        self.gate.closed.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        while matches!(self.gate.writing.try_write(), Err(TryLockError::WouldBlock))
            && begun.elapsed() < CLOSING
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The part of a key that stands for a file; `None` for one that may change: without a digest, or
/// on this machine.
///
/// The URL is part of it since a digest stated by one index is not proof for another as long as
/// only parts of the file are read.
#[must_use]
pub fn file_key(file: &DistributionFile) -> Option<String> {
    let digest = file.sha256.filter(|_| file.url.scheme() != "file")?;
    let mut url = file.url.clone();
    url.set_query(None);
    let _ = url.set_password(None);
    let _ = url.set_username("");
    Some(format!("{digest} {url}"))
}

/// An entry is the digest of the rest in hexadecimal, a line feed, and that rest: the digest of the
/// key and the value, as JSON or as they are.
fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let (digest, rest) = bytes.split_at_checked(64)?;
    let payload = rest.strip_prefix(b"\n")?;
    let digest: Sha256 = std::str::from_utf8(digest).ok()?.parse().ok()?;
    (digest == Sha256::of(payload)).then_some(payload)
}

fn decode<T: DeserializeOwned>(bytes: &[u8], key: &str) -> Option<T> {
    let payload = payload(bytes)?;
    let (stored_key, value): (Sha256, T) = serde_json::from_slice(payload).ok()?;
    (stored_key == Sha256::of(key.as_bytes())).then_some(value)
}
