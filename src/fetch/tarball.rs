//! A compressed tar, read once from its start to its end: what an sdist is (PEP 517).
//!
//! Nothing is written anywhere, so that no path can lead astray. What an archive claims is not
//! believed: memory is taken by what is there, and there are limits to that.

use std::io::Read;
use std::ops::ControlFlow;

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType, PaxExtensions};

use crate::model::limits::{Limit, Limits};

/// The longest extended header that is read.
const MAX_EXTENSION: u64 = 1 << 20;

/// Why a source distribution could not be read.
#[derive(Debug, thiserror::Error)]
#[error("damaged source distribution: {0}")]
pub struct SdistError(String);

impl SdistError {
    pub(super) fn new(problem: String) -> Self {
        Self(problem)
    }
}

/// One file of an archive.
pub struct Member<'a> {
    /// Its path, as the archive states it.
    pub path: String,
    /// Its size in bytes, as the archive states it.
    pub size: u64,
    reader: &'a mut dyn Read,
}

impl Member<'_> {
    /// All of it.
    ///
    /// # Errors
    /// Where it is longer than `most` bytes, which is what `limit` says, or the archive damaged.
    pub fn read_all(self, most: u64, limit: Limit) -> Result<Vec<u8>, SdistError> {
        read_up_to(self.reader, most).map_err(|problem| match problem {
            TooLong::More => SdistError(format!("a member of more than {most} bytes ({limit})")),
            TooLong::Damaged(problem) => problem,
        })
    }

    /// Its first bytes, at most `limit`.
    ///
    /// # Errors
    /// Where the archive is damaged.
    pub fn read_head(self, limit: u64) -> Result<Vec<u8>, SdistError> {
        let mut bytes = Vec::new();
        self.reader.take(limit).read_to_end(&mut bytes).map_err(|problem| damage(&problem))?;
        Ok(bytes)
    }
}

/// Shows each file of a `.tar.gz` to `visit`, until that has seen enough. Links, folders and devices
/// are passed over.
///
/// # Errors
/// Where it is no such archive, or larger than anything that is read, or `visit` fails.
pub fn walk(
    limits: &Limits,
    reader: impl Read,
    mut visit: impl FnMut(Member<'_>) -> Result<ControlFlow<()>, SdistError>,
) -> Result<(), SdistError> {
    let most = limits.sdist_expanded;
    let mut archive =
        Archive::new(Bounded { inner: MultiGzDecoder::new(reader), most, left: most });
    let mut long_name = None;
    // Raw: the crate would else hold headers of any length in memory.
    for (number, entry) in
        archive.entries().map_err(|problem| damage(&problem))?.raw(true).enumerate()
    {
        if number as u64 >= limits.members {
            let (most, limit) = (limits.members, Limit("members"));
            return Err(SdistError(format!("it holds more than {most} members ({limit})")));
        }
        let mut entry = entry.map_err(|problem| damage(&problem))?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => {
                let name = read_up_to(&mut entry, MAX_EXTENSION)?;
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                long_name = Some(String::from_utf8_lossy(name).into_owned());
            }
            EntryType::XHeader => {
                let records = read_up_to(&mut entry, MAX_EXTENSION)?;
                if let Some(name) = pax_path(&records)? {
                    long_name = Some(name);
                }
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            _ => {
                let path = long_name
                    .take()
                    .unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
                if kind.is_file() {
                    let size = entry.size();
                    let member = Member { path, size, reader: &mut entry };
                    if visit(member)?.is_break() {
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The path that extended headers state for the file behind them (POSIX pax).
fn pax_path(records: &[u8]) -> Result<Option<String>, SdistError> {
    let mut path = None;
    for record in PaxExtensions::new(records) {
        let record = record.map_err(|problem| damage(&problem))?;
        match record.key_bytes() {
            b"path" => path = Some(String::from_utf8_lossy(record.value_bytes()).into_owned()),
            // Stated for files too large for the plain header, none of which is read.
            b"size" => return Err(SdistError("a member of more than 8 GiB".to_owned())),
            _ => {}
        }
    }
    Ok(path)
}

/// Why not all of something was read.
enum TooLong {
    More,
    Damaged(SdistError),
}

impl From<TooLong> for SdistError {
    fn from(problem: TooLong) -> Self {
        match problem {
            TooLong::More => Self(format!("an extended header of more than {MAX_EXTENSION} bytes")),
            TooLong::Damaged(problem) => problem,
        }
    }
}

fn read_up_to(reader: impl Read, most: u64) -> Result<Vec<u8>, TooLong> {
    let mut bytes = Vec::new();
    let read = reader.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|problem| TooLong::Damaged(damage(&problem)))?;
    if bytes.len() as u64 > most { Err(TooLong::More) } else { Ok(bytes) }
}

pub(super) fn damage(problem: &std::io::Error) -> SdistError {
    SdistError(problem.to_string())
}

/// Ends with an error, not silently, where more comes than is read.
struct Bounded<R> {
    inner: R,
    most: u64,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            let (most, limit) = (self.most, Limit("sdist-expanded"));
            std::io::Error::other(format!("it expands to more than {most} bytes ({limit})"))
        })?;
        Ok(count)
    }
}
