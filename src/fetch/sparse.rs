//! A file of which only some stretches are at hand.
//!
//! Reading a stretch that is missing fails and leaves word of what was wanted, so that it can be
//! fetched and the reading begun again. That keeps the zip reader, which knows nothing of
//! networks, apart from the network.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The stretches that were fetched so far. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Sparse {
    size: u64,
    position: u64,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// By first byte; no two overlap.
    stretches: BTreeMap<u64, Arc<Vec<u8>>>,
    missing: Option<u64>,
}

impl Sparse {
    /// A file of `size` bytes, none of them at hand.
    pub(super) fn new(size: u64) -> Self {
        Self { size, position: 0, shared: Arc::default() }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // Nothing panics while it is held; were it so, the data would still be whole.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds bytes at `start`. What is there already stays.
    pub(super) fn insert(&self, start: u64, bytes: Vec<u8>) {
        let missing = self.gaps(start..start + bytes.len() as u64);
        let mut shared = self.shared();
        match missing.as_slice() {
            [whole] if whole.end - whole.start == bytes.len() as u64 => {
                shared.stretches.insert(start, Arc::new(bytes));
            }
            gaps => {
                for gap in gaps {
                    if let Some(part) = slice(&bytes, gap.start - start, gap.end - start) {
                        shared.stretches.insert(gap.start, Arc::new(part.to_vec()));
                    }
                }
            }
        }
    }

    /// The parts of `range` that are not at hand.
    pub(super) fn gaps(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let shared = self.shared();
        let mut gaps = Vec::new();
        let mut at = range.start;
        let before = shared.stretches.range(..=range.start).next_back();
        let within = shared.stretches.range(range.start..range.end);
        for (start, bytes) in before.into_iter().chain(within) {
            if *start > at {
                gaps.push(at..*start);
            }
            at = at.max(start + bytes.len() as u64);
        }
        if at < range.end {
            gaps.push(at..range.end);
        }
        gaps
    }

    /// The same file with nothing at hand but what is here from `start` on, shared with none.
    pub(super) fn from(&self, start: u64) -> Self {
        let other = Self::new(self.size);
        other.shared().stretches.clone_from(&self.shared().stretches);
        other.keep_from(start);
        other
    }

    /// Drops everything before `start`.
    pub(super) fn keep_from(&self, start: u64) {
        let mut shared = self.shared();
        let later = shared.stretches.split_off(&start);
        let before = std::mem::replace(&mut shared.stretches, later);
        if let Some((first, bytes)) = before.into_iter().next_back()
            && let Some(rest) = slice(&bytes, start - first, bytes.len() as u64)
            && !rest.is_empty()
        {
            shared.stretches.insert(start, Arc::new(rest.to_vec()));
        }
    }

    /// The byte that a reading last failed at.
    pub(super) fn take_missing(&self) -> Option<u64> {
        self.shared().missing.take()
    }
}

fn slice(bytes: &[u8], start: u64, end: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let mut shared = self.shared();
        let found = shared
            .stretches
            .range(..=self.position)
            .next_back()
            .map(|(start, bytes)| (*start, Arc::clone(bytes)))
            .filter(|(start, bytes)| self.position < start + bytes.len() as u64);
        let Some((start, bytes)) = found else {
            shared.missing = Some(self.position);
            return Err(io::Error::other("a part that was not fetched"));
        };
        drop(shared);
        let available = slice(&bytes, self.position - start, bytes.len() as u64).unwrap_or(&[]);
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position =
            position.ok_or_else(|| io::Error::other("a position before the start of the file"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(size: usize) -> Vec<u8> {
        (0..=250).cycle().take(size).collect()
    }

    fn mark(flags: &mut [bool], range: Range<u64>) {
        for at in range {
            flags[usize::try_from(at).unwrap()] = true;
        }
    }

    proptest! {
        /// Whatever stretches are put in, in whatever order: the gaps are exactly the bytes that
        /// no stretch covers, and every byte at hand reads as it was put in.
        #[test]
        fn gaps_are_what_was_not_inserted(
            stretches in prop::collection::vec((0usize..300, 0usize..80), 0..12),
        ) {
            let whole = filled(400);
            let mut covered = vec![false; whole.len()];
            let mut sparse = Sparse::new(whole.len() as u64);
            for (start, length) in stretches {
                sparse.insert(start as u64, whole[start..start + length].to_vec());
                covered[start..start + length].fill(true);
            }
            let mut missing = vec![false; whole.len()];
            for gap in sparse.gaps(0..whole.len() as u64) {
                prop_assert!(gap.start < gap.end);
                mark(&mut missing, gap);
            }
            for at in 0..whole.len() {
                prop_assert_ne!(covered[at], missing[at]);
                let mut byte = [0];
                sparse.seek(SeekFrom::Start(at as u64)).unwrap();
                prop_assert_eq!(sparse.read(&mut byte).is_ok(), covered[at]);
                if covered[at] {
                    prop_assert_eq!(byte[0], whole[at]);
                } else {
                    prop_assert_eq!(sparse.take_missing(), Some(at as u64));
                }
            }
        }
    }
}
