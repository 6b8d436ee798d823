//! The zip of a wheel: the paths of its members, and their bytes.
//!
//! Knows neither where the file lies nor what the members mean. Sizes that the directory states are
//! claims of whoever made the file: memory is taken by what is really there, up to a limit.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{Cursor, Read, Seek};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The largest member that is expanded.
const MAX_MEMBER: u64 = 2 << 30;
/// Deflate expands a byte to at most so many: a larger claim is not reserved for.
const MAX_EXPANSION: u64 = 1032;

/// Why a wheel could not be read.
#[derive(Debug, thiserror::Error)]
#[error("damaged wheel: {0}")]
pub struct ArchiveError(String);

impl ArchiveError {
    pub(super) fn new(problem: &ZipError) -> Self {
        Self(problem.to_string())
    }

    fn of_member(name: &str, problem: &str) -> Self {
        Self(format!("`{name}`: {problem}"))
    }
}

/// A zip whose directory was read.
#[derive(Debug)]
pub struct Archive<R> {
    zip: ZipArchive<R>,
    names: Vec<String>,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    ///
    /// # Errors
    /// Where there is none, or two members share a name.
    pub fn open(reader: R) -> Result<Self, ArchiveError> {
        Self::new(ZipArchive::new(reader).map_err(|problem| ArchiveError::new(&problem))?)
    }

    pub(super) fn new(zip: ZipArchive<R>) -> Result<Self, ArchiveError> {
        if zip.has_duplicate_names() {
            // Which of the two an installer would take differs between installers.
            return Err(ArchiveError("two members share a name".to_owned()));
        }
        let names = zip
            .file_names()
            .map(|name| name.map(Cow::into_owned))
            .collect::<Result<_, _>>()
            .map_err(|problem| ArchiveError::new(&problem))?;
        Ok(Self { zip, names })
    }

    /// The paths of all members, by index.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What a member's directory entry says it expands to, in bytes; 0 for none.
    #[must_use]
    pub fn expanded_size(&self, member: usize) -> u64 {
        self.zip.by_index_data(member).map_or(0, |entry| entry.size())
    }

    /// How many bytes a member takes in the file; 0 for none.
    #[must_use]
    pub fn compressed_size(&self, member: usize) -> u64 {
        self.zip.by_index_data(member).map_or(0, |entry| entry.compressed_size())
    }

    /// A zip with all members' names, and with the bytes of these, as they are.
    ///
    /// # Errors
    /// Where one of them is damaged, or not at hand.
    pub fn copy_of(&mut self, members: &[usize]) -> Result<Vec<u8>, ArchiveError> {
        let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
        let wanted: HashSet<usize> = members.iter().copied().collect();
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (member, name) in self.names.iter().enumerate() {
            let outcome = if wanted.contains(&member) {
                self.zip.by_index_raw(member).and_then(|entry| copy.raw_copy_file(entry))
            } else {
                copy.start_file(name.as_str(), stored)
            };
            outcome.map_err(|problem| ArchiveError::of_member(name, &problem.to_string()))?;
        }
        let copy = copy.finish().map_err(|problem| ArchiveError::new(&problem))?;
        Ok(copy.into_inner())
    }

    pub(super) fn zip(&self) -> &ZipArchive<R> {
        &self.zip
    }

    /// Expands a member, checking its CRC and its size.
    ///
    /// # Errors
    /// Where the member is damaged, or larger than anything that is read.
    pub fn read(&mut self, member: usize) -> Result<Vec<u8>, ArchiveError> {
        let name = self.names.get(member).cloned().unwrap_or_default();
        let error = |problem: String| ArchiveError::of_member(&name, &problem);
        let mut entry = self.zip.by_index(member).map_err(|problem| error(problem.to_string()))?;
        let (stated, compressed) = (entry.size(), entry.compressed_size());
        if stated > MAX_MEMBER {
            return Err(error(format!(
                "expected at most {MAX_MEMBER} bytes, found a claim of {stated}"
            )));
        }
        let likely = stated.min(compressed.saturating_mul(MAX_EXPANSION));
        let mut bytes = Vec::with_capacity(usize::try_from(likely).unwrap_or(0));
        let outcome = entry.by_ref().take(stated + 1).read_to_end(&mut bytes);
        outcome.map_err(|problem| error(problem.to_string()))?;
        if bytes.len() as u64 != stated {
            let found = bytes.len();
            return Err(error(format!(
                "expected {stated} bytes, as the directory states, found {found}"
            )));
        }
        Ok(bytes)
    }
}
