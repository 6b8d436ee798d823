//! Whether every reader of a zip sees the same members in it.
//!
//! Installers read zips from the end, by its directory, or from the start, by the headers before the
//! members; and they differ in which of two ends they take, in what they do with a directory that
//! holds more than its end says, and in how they decode names. Where that matters, what would be
//! installed is not known, so that such a zip is refused. No tool that writes wheels makes one.
//!
//! Headers of single members are compared with the directory where these are read.

use std::io::{Read, Seek, SeekFrom};

use zip::read::ZipArchiveMetadata;

use super::archive::ArchiveError;

/// What a local header takes beside name and extra field (APPNOTE 4.3.7).
const LOCAL_HEADER: u64 = 30;
/// The most that may stand between a member's data and what follows, or before them unnamed by the
/// directory: an extra field, and a data descriptor with signature and 64-bit sizes.
pub(super) const ALLOWANCE: u64 = 0xffff + 24;
/// What an entry of the directory takes beside its texts (APPNOTE 4.3.12).
const ENTRY: usize = 46;
/// What the end takes beside its comment (APPNOTE 4.3.16).
const END: usize = 22;
/// What points to the end of a ZIP64 (APPNOTE 4.3.15).
const LOCATOR: usize = 20;
/// What the end of a ZIP64 takes beside its length field and the signature before that.
const END64_HEAD: usize = 12;

const LOCAL_SIGNATURE: &[u8] = b"PK\x03\x04";
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";
const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const END64_SIGNATURE: &[u8] = b"PK\x06\x06";
const LOCATOR_SIGNATURE: &[u8] = b"PK\x06\x07";

/// Checks where the members of `zip` lie, whose directory begins at `directory`, and that this is the
/// only one; `reader` is of the same file.
///
/// # Errors
/// Where readers of zips would not agree on what is in it, or `reader` fails.
pub(super) fn check(
    zip: &ZipArchiveMetadata,
    directory: u64,
    mut reader: impl Read + Seek,
) -> Result<(), ArchiveError> {
    if zip.has_duplicate_names() {
        // Which of the two an installer would take differs between installers.
        return Err(ArchiveError::of_zip("two members share a name"));
    }
    let last_end = check_places(zip, directory)?;
    let failed = |problem: std::io::Error| ArchiveError::of_zip(problem.to_string());
    reader.seek(SeekFrom::Start(last_end)).map_err(failed)?;
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).map_err(failed)?;
    let before = usize::try_from(directory.saturating_sub(last_end)).unwrap_or(usize::MAX);
    let gap = rest.get(..before).unwrap_or_default();
    if contains(gap, LOCAL_SIGNATURE) || contains(gap, ENTRY_SIGNATURE) {
        return Err(ArchiveError::of_zip("what looks like a member stands outside its directory"));
    }
    let end = only_end(&rest)?;
    let rest = rest.get(before..end).unwrap_or_default();
    let entries_end = check_entries(zip, rest)?;
    check_end(zip, rest, entries_end, directory)
}

/// Checks that members neither overlap nor leave room for others. Gives the earliest place where the
/// last one may end.
fn check_places(zip: &ZipArchiveMetadata, directory: u64) -> Result<u64, ArchiveError> {
    let mut places = Vec::with_capacity(zip.len());
    for member in 0..zip.len() {
        let entry = zip.entry(member).map_err(|problem| ArchiveError::new(&problem))?;
        let end = entry
            .header_start()
            .saturating_add(LOCAL_HEADER + entry.name_raw().len() as u64)
            .saturating_add(entry.compressed_size());
        places.push((entry.header_start(), end, member));
    }
    places.sort_unstable();
    let Some((first, ..)) = places.first() else { return Ok(directory) };
    if *first > 0 {
        let problem = format!("{first} bytes stand before its first member");
        return Err(ArchiveError::of_zip(problem));
    }
    let following = places.iter().skip(1).map(|(start, ..)| *start).chain([directory]);
    let mut last_end = 0;
    for ((_, end, member), next) in places.iter().zip(following) {
        let problem = if *end > next {
            "it overlaps what follows it, or lies outside the file"
        } else if next - end > ALLOWANCE {
            "what follows it belongs to no member"
        } else {
            last_end = *end;
            continue;
        };
        let name = zip
            .entry(*member)
            .ok()
            .and_then(|entry| entry.name().ok().map(std::borrow::Cow::into_owned));
        return Err(ArchiveError::of_member(&name.unwrap_or_default(), problem));
    }
    Ok(last_end)
}

/// Where the one end in these bytes stands, which has to reach to the end of them.
fn only_end(rest: &[u8]) -> Result<usize, ArchiveError> {
    let mut found = rest.windows(END_SIGNATURE.len()).enumerate();
    let mut next = || found.find(|(_, window)| *window == END_SIGNATURE).map(|(at, _)| at);
    let (first, second) = (next(), next());
    match (first, second) {
        (Some(at), None) => {
            let comment = number(rest, at + 20, 2).and_then(|length| usize::try_from(length).ok());
            if comment.and_then(|length| length.checked_add(at + END)) == Some(rest.len()) {
                return Ok(at);
            }
            Err(ArchiveError::of_zip("bytes stand behind its end"))
        }
        (Some(_), Some(_)) => {
            Err(ArchiveError::of_zip("it has more than one end of its directory"))
        }
        _ => Err(ArchiveError::of_zip("its directory has no end")),
    }
}

/// Walks through the entries, which begin these bytes. Gives where they end.
fn check_entries(zip: &ZipArchiveMetadata, rest: &[u8]) -> Result<usize, ArchiveError> {
    let mut at: usize = 0;
    for member in 0..zip.len() {
        let entry = zip.entry(member).map_err(|problem| ArchiveError::new(&problem))?;
        let decoded = entry.name().map_err(|problem| ArchiveError::new(&problem))?;
        let length =
            |field: usize| number(rest, at + field, 2).and_then(|n| usize::try_from(n).ok());
        let lengths = (length(28), length(30), length(32));
        let (Some(name), Some(extra), Some(comment)) = lengths else {
            return Err(ArchiveError::of_zip("its directory is cut off"));
        };
        if !rest.get(at..).unwrap_or_default().starts_with(ENTRY_SIGNATURE) {
            return Err(ArchiveError::of_zip("its directory holds something else than entries"));
        }
        // Without this flag zipfile takes a name for cp437, others for UTF-8.
        let is_utf8 = number(rest, at + 8, 2).is_some_and(|flags| flags & 0x800 != 0);
        let is_same = rest.get(at + ENTRY..at + ENTRY + name) == Some(decoded.as_bytes());
        if !is_same || !(is_utf8 || decoded.is_ascii()) {
            return Err(ArchiveError::of_member(
                &decoded,
                "a name that readers decode differently",
            ));
        }
        at += ENTRY + name + extra + comment;
    }
    Ok(at)
}

/// Checks that the end follows the entries, and says of them what they are. `rest` begins with the
/// entries and ends before the end.
fn check_end(
    zip: &ZipArchiveMetadata,
    rest: &[u8],
    entries_end: usize,
    directory: u64,
) -> Result<(), ArchiveError> {
    let between = rest.len().checked_sub(entries_end);
    let locator = rest.len().checked_sub(LOCATOR);
    let is_zip64 =
        locator.is_some_and(|at| rest.get(at..).unwrap_or_default().starts_with(LOCATOR_SIGNATURE));
    let is_sound = if let (true, Some(locator)) = (is_zip64, locator) {
        let end64 = rest.get(entries_end..).unwrap_or_default();
        let length = number(end64, 4, 8).and_then(|length| usize::try_from(length).ok());
        let whole = length.and_then(|length| length.checked_add(END64_HEAD + LOCATOR));
        end64.starts_with(END64_SIGNATURE)
            && whole == between
            && number(end64, 32, 8) == Some(zip.len() as u64)
            && number(end64, 40, 8) == Some(entries_end as u64)
            && number(end64, 48, 8) == Some(directory)
            && number(rest, locator + 8, 8) == directory.checked_add(entries_end as u64)
    } else {
        between == Some(0)
    };
    if is_sound {
        return Ok(());
    }
    Err(ArchiveError::of_zip("its directory is not what the end of it says"))
}

fn contains(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.windows(signature.len()).any(|window| window == signature)
}

/// A number in little-endian order.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
}
