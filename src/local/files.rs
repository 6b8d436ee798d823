//! Files on this machine, read with limits, and what is said where that fails.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::module_check::Members;

/// The largest file that is read as a whole.
const MAX_FILE: u64 = 2 << 30;

/// Why something could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct LocalError {
    path: PathBuf,
    problem: String,
    /// What may help.
    pub hint: Option<String>,
}

impl LocalError {
    pub(super) fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), problem: problem.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What is wrong, without the path.
    pub(super) fn problem(&self) -> &str {
        &self.problem
    }
}

/// A failure of the system, as reports have it.
pub(super) fn in_words(problem: &io::Error) -> String {
    match problem.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "cannot be read: permission denied".to_owned(),
        _ => format!("cannot be read: {problem}"),
    }
}

/// Opens an ordinary file; anything else might never end, or never begin.
pub(super) fn open(path: &Path) -> Result<File, LocalError> {
    let failed = |problem: io::Error| LocalError::new(path, in_words(&problem));
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(LocalError::new(path, "expected an ordinary file"));
    }
    File::open(path).map_err(failed)
}

/// The bytes of an ordinary file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LocalError> {
    let mut bytes = Vec::new();
    open(path)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|problem| LocalError::new(path, in_words(&problem)))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(LocalError::new(
            path,
            format!("expected at most {MAX_FILE} bytes, found more"),
        ));
    }
    Ok(bytes)
}

/// Files that lie unpacked.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    names: Vec<String>,
    paths: Vec<PathBuf>,
}

impl Unpacked {
    /// Adds one under a path that need not be the one it has on disk.
    pub(super) fn add(&mut self, name: String, path: PathBuf) {
        self.names.push(name);
        self.paths.push(path);
    }
}

impl Members for Unpacked {
    type Error = LocalError;

    fn names(&self) -> &[String] {
        &self.names
    }

    fn size(&self, member: usize) -> u64 {
        let path = self.paths.get(member);
        path.and_then(|path| fs_err::metadata(path).ok()).map_or(0, |metadata| metadata.len())
    }

    fn read(&mut self, member: usize) -> Result<Vec<u8>, LocalError> {
        match self.paths.get(member) {
            Some(path) => read(path),
            None => Err(LocalError::new(Path::new(""), "there is no such member")),
        }
    }
}
