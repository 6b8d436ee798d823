//! Looking after the cache as a whole: what it holds, whether that is sound, and what may go.
//!
//! Only what this program writes is ever counted or removed: folders of buckets, by their names, and
//! in them files as deep as entries lie. Links are never followed. Others may use the cache all the
//! while: what is gone before it is reached was removed by them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::{Bucket, payload};

/// Files that are being written are never left alone for as long as that.
const ABANDONED: Duration = Duration::from_hours(1);
/// Folders, then the entry: `ab/cdef…`.
const DEPTH: usize = 2;

/// What is kept of one kind, in one form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amount {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, bytes: u64) {
        self.entries += 1;
        self.bytes += bytes;
    }
}

/// What a look at every entry came to.
#[derive(Debug, Default)]
pub struct Verified {
    /// Entries that are whole.
    pub sound: u64,
    /// Those that are not, which are never served.
    pub damaged: Vec<PathBuf>,
    /// Those that could not be read, with the reason.
    pub unread: Vec<(PathBuf, io::Error)>,
}

/// What was removed.
#[derive(Debug, Default)]
pub struct Removed {
    /// How much.
    pub amount: Amount,
    /// What could not be, with the reason.
    pub kept: Vec<(PathBuf, io::Error)>,
}

/// A folder of a bucket: its name, and the version of its form.
struct Folder {
    path: PathBuf,
    bucket: Option<Bucket>,
    name: String,
    version: u32,
}

/// A file that lies where entries do.
struct File {
    path: PathBuf,
    bytes: u64,
    written: Option<SystemTime>,
    /// Whether it is named like an entry; otherwise it is one that is being written, or was.
    is_entry: bool,
}

/// What the cache holds, by the folders' names. Empty where there is no cache yet.
///
/// # Errors
/// Where the folder of the cache cannot be read.
pub fn contents(root: &Path) -> io::Result<BTreeMap<String, Amount>> {
    let mut all = BTreeMap::new();
    for folder in folders(root)? {
        let amount: &mut Amount = all.entry(folder.name.clone()).or_default();
        files(&folder).for_each(|file| amount.add(file.bytes));
    }
    Ok(all)
}

/// Reads every entry of the forms that this program knows.
///
/// # Errors
/// Where the folder of the cache cannot be read.
pub fn verify(root: &Path) -> io::Result<Verified> {
    let mut verified = Verified::default();
    for folder in folders(root)?.iter().filter(|folder| folder.is_current()) {
        for file in files(folder).filter(|file| file.is_entry) {
            match fs_err::read(&file.path) {
                Ok(bytes) if payload(&bytes).is_some() => verified.sound += 1,
                Ok(_) => verified.damaged.push(file.path),
                Err(problem) if problem.kind() == io::ErrorKind::NotFound => {}
                Err(problem) => verified.unread.push((file.path, problem)),
            }
        }
    }
    Ok(verified)
}

/// Removes entries that were written before the others by so much, what former versions of this
/// program kept in other forms, and what was left of writing that was broken off. What newer versions
/// keep stays.
///
/// # Errors
/// Where the folder of the cache cannot be read.
pub fn prune(root: &Path, older_than: Duration, now: SystemTime) -> io::Result<Removed> {
    let mut removed = Removed::default();
    for folder in folders(root)? {
        let is_former = folder.is_former();
        for file in files(&folder) {
            // A clock that was set back makes entries of the future: their age is not known.
            let age = file.written.and_then(|written| now.duration_since(written).ok());
            let limit = if file.is_entry { older_than } else { ABANDONED };
            let is_old = age.is_some_and(|age| age > limit);
            if is_former || (is_old && (folder.is_current() || !file.is_entry)) {
                removed.take(&file);
            }
        }
        remove_empty(&folder.path);
    }
    Ok(removed)
}

/// Removes everything that this program, in any version, keeps.
///
/// # Errors
/// Where the folder of the cache cannot be read.
pub fn clean(root: &Path) -> io::Result<Removed> {
    let mut removed = Removed::default();
    for folder in folders(root)? {
        files(&folder).for_each(|file| removed.take(&file));
        remove_empty(&folder.path);
    }
    // It stays where something else lies in it.
    let _ = std::fs::remove_dir(root);
    Ok(removed)
}

impl Removed {
    fn take(&mut self, file: &File) {
        match std::fs::remove_file(&file.path) {
            Ok(()) => self.amount.add(file.bytes),
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => {}
            Err(problem) => self.kept.push((file.path.clone(), problem)),
        }
    }
}

impl Folder {
    fn is_current(&self) -> bool {
        self.bucket.is_some_and(|bucket| bucket.folder() == self.name)
    }

    fn is_former(&self) -> bool {
        let version = self.bucket.and_then(|bucket| parse(bucket.folder())).map(|(_, it)| it);
        version.is_some_and(|version| self.version < version)
    }
}

/// The folders of buckets, in any version.
fn folders(root: &Path) -> io::Result<Vec<Folder>> {
    let listed = match fs_err::read_dir(root) {
        Ok(listed) => listed,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => return Err(problem),
    };
    let mut folders = Vec::new();
    for item in listed {
        let item = item?;
        // Not that of what a link leads to.
        let is_folder = item.file_type().is_ok_and(|kind| kind.is_dir());
        let name = item.file_name().to_string_lossy().into_owned();
        let Some((kind, version)) = parse(&name).filter(|_| is_folder) else { continue };
        let is_kind = |bucket: &Bucket| parse(bucket.folder()).is_some_and(|(it, _)| it == kind);
        let bucket = Bucket::ALL.into_iter().find(is_kind);
        if bucket.is_some() {
            folders.push(Folder { path: item.path(), bucket, version, name });
        }
    }
    folders.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(folders)
}

/// `wheels-v1` as its parts.
fn parse(name: &str) -> Option<(&str, u32)> {
    let (kind, version) = name.rsplit_once("-v")?;
    let is_number = !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit());
    version.parse().ok().filter(|_| is_number).map(|version| (kind, version))
}

/// What lies where entries do. What cannot be read is left out: it is no entry of this user's.
fn files(folder: &Folder) -> impl Iterator<Item = File> + use<> {
    let walk = WalkDir::new(&folder.path).min_depth(DEPTH).max_depth(DEPTH).follow_links(false);
    walk.into_iter().filter_map(Result::ok).filter(|item| item.file_type().is_file()).filter_map(
        |item| {
            let metadata = item.metadata().ok()?;
            let name = item.file_name().to_string_lossy();
            let is_entry = name.len() == 62 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            // What `tempfile` names so.
            let is_begun = name.starts_with(".tmp");
            (is_entry || is_begun).then(|| File {
                bytes: metadata.len(),
                written: metadata.modified().ok(),
                is_entry,
                path: item.into_path(),
            })
        },
    )
}

/// Removes folders that have become empty; the others stay.
fn remove_empty(folder: &Path) {
    let walk = WalkDir::new(folder).contents_first(true).max_depth(DEPTH - 1).follow_links(false);
    for item in walk.into_iter().filter_map(Result::ok).filter(|item| item.file_type().is_dir()) {
        let _ = std::fs::remove_dir(item.path());
    }
}
