//! Wheels, and other zips, read in parts: the directory at the end of the zip, then only the
//! members asked for. Those on this machine are read the same way.
//!
//! Where the server knows no ranges the whole file is fetched, and only then is its digest
//! claimed. What the members mean is told in [`crate::inspect`].

use std::ops::Range;
use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderValue};
use url::Url;
use zip::ZipArchive;

use super::archive::{Archive, ArchiveError};
use super::layout;
use super::parts::{
    MOST_TAIL, SMALL, Start, check_digest, fetch_range, fetch_ranges, start, strong_etag, tail_of,
};
use super::sparse::Sparse;
use crate::fetch::client::{Client, FetchError};
use crate::model::distribution::DistributionFile;
use crate::model::limits::Limit;
use crate::model::location::redacted;

/// Two members closer than this are fetched in one request: a request costs more than these bytes.
const JOIN_DISTANCE: u64 = 16 << 10;
/// What a member takes beside its name and data, and the most that it can take.
const LOCAL_HEADER: u64 = 30;
const LOCAL_HEADER_ALLOWANCE: u64 = LOCAL_HEADER + layout::ALLOWANCE;
/// The most that may stand behind a directory: its end, with a comment, and that of a ZIP64.
const MOST_BEHIND: u64 = 22 + 0xffff + 20 + 56;
/// Attempts to read the directory, each after fetching what the last one missed.
const DIRECTORY_ATTEMPTS: u32 = 8;

/// A wheel whose directory was read. Clones share what was fetched of it.
#[derive(Clone)]
pub struct RemoteWheel {
    client: Arc<Client>,
    file: DistributionFile,
    sparse: Sparse,
    archive: Archive<Sparse>,
    /// Where members start, sorted: each ends where the next begins.
    starts: Arc<[u64]>,
    verified: bool,
    etag: Option<HeaderValue>,
    /// Whether it is known that parts of it can be asked for.
    in_parts: bool,
}

impl RemoteWheel {
    /// Reads the directory of a wheel.
    ///
    /// # Errors
    /// Where it cannot be fetched, is no zip, or differs from the digest stated for it.
    pub async fn open(client: Arc<Client>, file: DistributionFile) -> Result<Self, FetchError> {
        let start = start(&client, &file).await?;
        let in_parts = !matches!(start, Start::Whole(_));
        let (sparse, verified, headers) = match start {
            Start::Whole(response) => {
                client.traffic().receive_part(response.body.len());
                let verified = check_digest(&file, &response)?;
                let sparse = Sparse::new(response.body.len() as u64);
                sparse.insert(0, response.body);
                (sparse, verified, response.headers)
            }
            Start::Part { size, start, response } => {
                client.traffic().receive_part(response.body.len());
                let sparse = Sparse::new(size);
                sparse.insert(start, response.body);
                (sparse, false, response.headers)
            }
            Start::Local { size, verified } => (Sparse::new(size), verified, HeaderMap::new()),
        };
        let size = sparse.size();
        if let Some(stated) = file.size.filter(|stated| *stated != size) {
            return Err(FetchError::invalid(
                &file.url,
                format!("expected {stated} bytes, as its index states, found {size}"),
            ));
        }
        let etag = strong_etag(&headers);
        if file.url.scheme() == "file" && size > 0 {
            fetch_range(&client, &file, &sparse, None, size.saturating_sub(MOST_TAIL)..size)
                .await?;
        }
        let archive = directory(&client, &file, &sparse, etag.as_ref()).await?;
        let archive =
            Archive::new(archive, client.limits()).map_err(|problem| damaged(&file, &problem))?;
        let zip = archive.zip();
        let mut starts = (0..zip.len())
            .map(|member| zip.by_index_data(member).map(|entry| entry.header_start()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|problem| damaged(&file, &ArchiveError::new(&problem)))?;
        starts.sort_unstable();
        let directory = size.saturating_sub(zip.central_directory_start());
        let starts = starts.into();
        let wheel = Self { client, file, sparse, archive, starts, verified, etag, in_parts };
        wheel.make_use_of(directory);
        Ok(wheel)
    }

    /// Counts bytes that came over the network and are made use of.
    fn make_use_of(&self, bytes: u64) {
        if self.file.url.scheme() != "file" {
            self.client.traffic().make_use_of(bytes);
        }
    }

    /// Where it lies.
    pub(crate) fn url(&self) -> &Url {
        &self.file.url
    }

    /// The paths of all members, by index.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.archive.names()
    }

    /// What a member expands to, in bytes.
    #[must_use]
    pub fn expanded_size(&self, member: usize) -> u64 {
        self.archive.expanded_size(member)
    }

    /// Keeps what is needed to fetch members again, and gives back the memory of those at hand, but
    /// for the end that was fetched first: it is small, and would be fetched again. `None` where no part
    /// of the file can be asked for: to keep all of it would take too much memory.
    #[must_use]
    pub fn without_members(self) -> Option<Self> {
        self.sparse.keep_from(self.end()?);
        Some(self)
    }

    /// Another one of the same file with as little at hand, for whoever reads other members of it at the
    /// same time; `None` as for [`Self::without_members`].
    ///
    /// # Errors
    /// Those of the directory, which was read before.
    pub fn again(&self) -> Result<Option<Self>, FetchError> {
        let Some(end) = self.end() else { return Ok(None) };
        let sparse = self.sparse.from(end);
        let failed = |problem: &ArchiveError| damaged(&self.file, problem);
        let zip = ZipArchive::new(sparse.clone());
        let zip = zip.map_err(|problem| failed(&ArchiveError::new(&problem)))?;
        let archive =
            Archive::new(zip, self.client.limits()).map_err(|problem| failed(&problem))?;
        let Self { client, file, starts, verified, etag, in_parts, .. } = self;
        Ok(Some(Self {
            client: Arc::clone(client),
            file: file.clone(),
            sparse,
            archive,
            starts: Arc::clone(starts),
            verified: *verified,
            etag: etag.clone(),
            in_parts: *in_parts,
        }))
    }

    /// Where the part begins that is kept: the end that was fetched first, and the directory; of a small
    /// file all of it.
    fn end(&self) -> Option<u64> {
        if self.size() <= SMALL {
            return Some(0);
        }
        let end = self.size().saturating_sub(tail_of(self.file.size));
        self.in_parts.then(|| end.min(self.archive.zip().central_directory_start()))
    }

    /// Whether a member is short enough for metadata.
    pub(crate) fn check_metadata_size(&self, member: usize) -> Result<(), FetchError> {
        let limit = self.client.limits().metadata_size;
        if self.expanded_size(member) <= limit {
            return Ok(());
        }
        let limited_by = Some(Limit("metadata-size"));
        Err(FetchError::TooLarge { url: redacted(&self.file.url), limit, limited_by })
    }

    /// How many bytes a member takes in the file.
    #[must_use]
    pub fn compressed_size(&self, member: usize) -> u64 {
        self.archive.compressed_size(member)
    }

    /// A zip with all members' names, and with the bytes of these, which were fetched.
    pub(super) fn copy_of(mut self, members: &[usize]) -> Result<Vec<u8>, FetchError> {
        self.archive.copy_of(members).map_err(|problem| damaged(&self.file, &problem))
    }

    /// The size of the whole file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.sparse.size()
    }

    /// Whether the whole file was read and has the digest stated for it.
    #[must_use]
    pub fn digest_is_verified(&self) -> bool {
        self.verified
    }

    /// An error about this file.
    #[must_use]
    pub fn invalid(&self, problem: &str) -> FetchError {
        FetchError::invalid(&self.file.url, problem)
    }

    /// Fetches what is needed to read the given members, neighbours in one request.
    ///
    /// # Errors
    /// Where the server does not deliver it.
    pub async fn fetch(&self, members: &[usize]) -> Result<(), FetchError> {
        let ranges = self.ranges(members)?;
        let missing: Vec<_> =
            ranges.into_iter().flat_map(|range| self.sparse.gaps(range)).collect();
        fetch_ranges(&self.client, &self.file, &self.sparse, self.etag.as_ref(), missing).await
    }

    /// The stretches of the file that hold the given members, joined where they lie close.
    fn ranges(&self, members: &[usize]) -> Result<Vec<Range<u64>>, FetchError> {
        let zip = self.archive.zip();
        let end_of_members = zip.central_directory_start();
        let mut ranges = Vec::new();
        for member in members {
            let used = self.archive.compressed_size(*member);
            let entry = zip
                .by_index_data(*member)
                .map_err(|problem| damaged(&self.file, &ArchiveError::new(&problem)))?;
            let start = entry.header_start();
            let following = self.starts.partition_point(|other| *other <= start);
            let next = self.starts.get(following).copied().unwrap_or(end_of_members);
            let end = start
                .saturating_add(LOCAL_HEADER_ALLOWANCE + entry.name_raw().len() as u64)
                .saturating_add(entry.compressed_size())
                .min(next)
                .min(end_of_members);
            let range = start..end;
            if range.is_empty() {
                return Err(FetchError::invalid(
                    &self.file.url,
                    format!("damaged wheel: `{}` lies outside the file", self.names()[*member]),
                ));
            }
            ranges.push(range);
            let used = used.saturating_add(LOCAL_HEADER + entry.name_raw().len() as u64);
            self.make_use_of(used);
        }
        Ok(joined(ranges, JOIN_DISTANCE))
    }

    /// Expands a member that was fetched, checking its CRC and its size.
    ///
    /// # Errors
    /// Where the member is damaged, or larger than anything that is read.
    pub fn read(&mut self, member: usize) -> Result<Vec<u8>, FetchError> {
        self.archive.read(member).map_err(|problem| damaged(&self.file, &problem))
    }
}

/// Sorts ranges and joins those that overlap or lie less than `distance` apart.
fn joined(mut ranges: Vec<Range<u64>>, distance: u64) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(distance) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// Reads the zip's directory, fetching more of the end where the first part did not hold all of it.
async fn directory(
    client: &Client,
    file: &DistributionFile,
    sparse: &Sparse,
    etag: Option<&HeaderValue>,
) -> Result<ZipArchive<Sparse>, FetchError> {
    let most = client.limits().directory_size;
    let mut left = most;
    for attempt in 0..DIRECTORY_ATTEMPTS {
        let _ = sparse.take_missing();
        let read = ZipArchive::new(sparse.clone()).map_err(|problem| ArchiveError::new(&problem));
        let checked = read.and_then(|archive| {
            let directory = archive.central_directory_start();
            if sparse.size().saturating_sub(directory) > most.saturating_add(MOST_BEHIND) {
                return Err(too_long(most));
            }
            layout::check(&archive.metadata(), directory, sparse.clone())?;
            Ok(archive)
        });
        let problem = match checked {
            Ok(archive) => return Ok(archive),
            Err(problem) => problem,
        };
        let Some(missing) = sparse.take_missing() else { return Err(damaged(file, &problem)) };
        // From the missing byte to the next one at hand, but not the whole rest of a large wheel
        // for the sake of a few bytes: four times as much with each attempt. What is looked for behind
        // a long comment is looked for backwards, in small steps: all that a comment may take at once.
        let comment = sparse.size().saturating_sub(MOST_BEHIND);
        let from = if attempt > 0 && missing > comment { comment } else { missing };
        let gap = sparse.gaps(from..sparse.size()).into_iter().next();
        let Some(gap) = gap else { return Err(damaged(file, &problem)) };
        let step = ((16 * MOST_TAIL) << (2 * attempt)).min(left);
        if step == 0 {
            return Err(damaged(file, &too_long(most)));
        }
        let end = gap.end.min(gap.start.saturating_add(step));
        left = left.saturating_sub(end - gap.start);
        fetch_range(client, file, sparse, etag, gap.start..end).await?;
    }
    Err(FetchError::invalid(&file.url, "damaged wheel: its directory has no end"))
}

fn too_long(most: u64) -> ArchiveError {
    let limit = Limit("directory-size");
    ArchiveError::TooMuch(format!(
        "expected a directory of at most {most} bytes, found more ({limit})"
    ))
}

fn damaged(file: &DistributionFile, problem: &ArchiveError) -> FetchError {
    FetchError::invalid(&file.url, problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Joining loses no byte, and leaves the parts sorted and further apart than the distance.
        #[test]
        fn joined_ranges_cover_the_same_and_lie_apart(
            ranges in prop::collection::vec((0u64..1000, 1u64..50), 0..20),
            distance in 0u64..40,
        ) {
            let ranges: Vec<_> = ranges.into_iter().map(|(start, size)| start..start + size).collect();
            let result = joined(ranges.clone(), distance);
            for range in &ranges {
                prop_assert!(result.iter().any(|whole| whole.start <= range.start && range.end <= whole.end));
            }
            for pair in result.windows(2) {
                prop_assert!(pair[0].end + distance < pair[1].start);
            }
        }
    }
}
