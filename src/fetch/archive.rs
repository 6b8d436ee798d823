//! The zip of a wheel: the paths of its members, and their bytes.
//!
//! Knows neither where the file lies nor what the members mean. Sizes that the directory states are
//! claims of whoever made the file: memory is taken by what is really there, up to a limit.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{Cursor, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions, ZipWriter};

use super::layout;
use crate::model::limits::{Limit, Limits};

/// A member that expands to no more than this may do so from however few bytes.
const SMALL_MEMBER: u64 = 16 << 20;
/// Deflate expands a byte to at most so many: a larger claim is not reserved for.
const MAX_EXPANSION: u64 = 1032;

/// Why a wheel could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is not what installers take.
    #[error("damaged wheel: {0}")]
    Damaged(String),
    /// It is more than is read.
    #[error("{0}")]
    TooMuch(String),
}

impl ArchiveError {
    pub(super) fn new(problem: &ZipError) -> Self {
        Self::Damaged(problem.to_string())
    }

    pub(super) fn of_zip(problem: impl Into<String>) -> Self {
        Self::Damaged(problem.into())
    }

    pub(super) fn of_member(name: &str, problem: &str) -> Self {
        Self::Damaged(format!("`{name}`: {problem}"))
    }
}

/// A zip whose directory was read. Clones share it, and what may be expanded.
#[derive(Debug, Clone)]
pub struct Archive<R> {
    zip: ZipArchive<R>,
    names: Arc<[String]>,
    limits: Limits,
    /// What may still be expanded, in bytes.
    left: Arc<AtomicU64>,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    ///
    /// # Errors
    /// Where there is none, or readers of zips would not agree on what it holds.
    pub fn open(reader: R, limits: &Limits) -> Result<Self, ArchiveError> {
        let failed = |problem| ArchiveError::new(&problem);
        let zip = ZipArchive::new(reader).map_err(failed)?;
        let (metadata, directory) = (zip.metadata(), zip.central_directory_start());
        let mut reader = zip.into_inner();
        layout::check(&metadata, directory, &mut reader)?;
        // The directory is read twice, since the zip holds the reader.
        Self::new(ZipArchive::new(reader).map_err(failed)?, limits)
    }

    /// The same of a zip that was checked before it was written.
    pub(super) fn of_own(reader: R) -> Result<Self, ArchiveError> {
        let zip = ZipArchive::new(reader).map_err(|problem| ArchiveError::new(&problem))?;
        Self::new(zip, &Limits::default())
    }

    pub(super) fn new(zip: ZipArchive<R>, limits: &Limits) -> Result<Self, ArchiveError> {
        if zip.has_duplicate_names() {
            // Which of the two an installer would take differs between installers.
            return Err(ArchiveError::of_zip("two members share a name"));
        }
        if zip.len() as u64 > limits.members {
            let (most, limit) = (limits.members, Limit("members"));
            return Err(ArchiveError::TooMuch(format!(
                "expected at most {most} members, found more ({limit})"
            )));
        }
        let names: Arc<[String]> = zip
            .file_names()
            .map(|name| name.map(Cow::into_owned))
            .collect::<Result<_, _>>()
            .map_err(|problem| ArchiveError::new(&problem))?;
        if let Some(name) = names.iter().find(|name| !is_plain_path(name)) {
            let problem = "a path that installers refuse, or each take for another one";
            return Err(ArchiveError::of_member(name, problem));
        }
        let left = Arc::new(AtomicU64::new(limits.expanded_size));
        Ok(Self { zip, names, limits: *limits, left })
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
                // The raw reader does not compare the two headers.
                let compared = self.zip.by_index_with_options(member, consistent()).map(drop);
                compared
                    .and_then(|()| self.zip.by_index_raw(member))
                    .and_then(|entry| copy.raw_copy_file(entry))
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
        let too_much = |problem: String| ArchiveError::TooMuch(format!("`{name}`: {problem}"));
        let entry = self.zip.by_index_with_options(member, consistent());
        let mut entry = entry.map_err(|problem| error(problem.to_string()))?;
        let (stated, compressed) = (entry.size(), entry.compressed_size());
        let Limits { member_size, ratio, expanded_size, .. } = self.limits;
        if stated > member_size {
            let limit = Limit("member-size");
            return Err(too_much(format!(
                "expected at most {member_size} bytes, found a claim of {stated} ({limit})"
            )));
        }
        if stated > SMALL_MEMBER && stated > compressed.saturating_mul(ratio) {
            let limit = Limit("ratio");
            return Err(too_much(format!(
                "expected at most {ratio} times its {compressed} bytes, found a claim of {stated} \
                 ({limit})"
            )));
        }
        let less = |left: u64| left.checked_sub(stated);
        let is_left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        is_left.map_err(|_| {
            let limit = Limit("expanded-size");
            too_much(format!("expected at most {expanded_size} bytes with it and those before it, found more ({limit})"))
        })?;
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

/// Readers take what the directory says of a member, or the header before it: they have to agree.
fn consistent() -> ZipReadOptions<'static> {
    ZipReadOptions::new().enforce_header_consistency(true)
}

/// Whether a path is the same for every installer on every system: relative, of names that are
/// neither empty nor `.` nor `..`, parted by `/`.
///
/// pip refuses wheels with paths that lead out, uv passes over such members; zipfile takes `\\` for
/// a separator on Windows and cuts names off at NUL.
fn is_plain_path(path: &str) -> bool {
    let names = path.strip_suffix('/').unwrap_or(path);
    let has_drive = names.as_bytes().get(1) == Some(&b':');
    let is_plain = |name: &str| !matches!(name, "" | "." | "..");
    !has_drive && !path.contains(['\\', '\0']) && names.split('/').all(is_plain)
}
