//! Pages of memory by their number, and what in them is not known.
//!
//! What a page holds at first is told in [`super::memory`].

use std::collections::{BTreeMap, HashMap};

use crate::image::PAGE_SIZE;

pub(super) type Page = [u8; PAGE_SIZE];

/// The pages that are here, by number: the address without its place in the page.
#[derive(Clone)]
pub(super) struct Pages {
    content: Vec<Box<Page>>,
    places: HashMap<u64, usize>,
    /// Where pages were found last, each in a slot that follows from its number: code touches the
    /// same few again and again.
    recent: [Option<(u64, usize)>; RECENT],
}

/// How many pages are remembered.
const RECENT: usize = 64;

impl Pages {
    pub(super) fn new() -> Self {
        Self { content: Vec::new(), places: HashMap::new(), recent: [None; RECENT] }
    }

    pub(super) fn len(&self) -> usize {
        self.content.len()
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Page> {
        let slot = self.recent.get_mut(usize::try_from(number % RECENT as u64).ok()?)?;
        let place = match *slot {
            Some((known, place)) if known == number => place,
            _ => {
                let place = *self.places.get(&number)?;
                *slot = Some((number, place));
                place
            }
        };
        self.content.get_mut(place).map(AsMut::as_mut)
    }

    /// Adds a page that is not here.
    pub(super) fn insert(&mut self, number: u64, page: Box<Page>) {
        self.places.insert(number, self.content.len());
        self.content.push(page);
    }
}

/// Eight-byte words that hold something unknown, by address, with what it is.
#[derive(Clone, Default)]
pub(super) struct Unknown {
    words: BTreeMap<u64, &'static str>,
    /// Behind the last of them. They lie in libraries, below most of what code touches.
    end: u64,
}

impl Unknown {
    pub(super) fn insert(&mut self, address: u64, what: &'static str) {
        self.words.insert(address, what);
        self.end = self.end.max(address.saturating_add(8));
    }

    /// Those that a stretch touches.
    pub(super) fn within(
        &self,
        address: u64,
        size: usize,
    ) -> impl Iterator<Item = (&u64, &&'static str)> {
        let end = address.saturating_add(size as u64);
        let range = address.saturating_sub(7)..end.max(1);
        let words = (address < self.end).then(|| self.words.range(range));
        words.into_iter().flatten().filter(move |(at, _)| **at < end)
    }

    /// Forgets those that a stretch covers as a whole.
    pub(super) fn replace(&mut self, address: u64, size: usize) {
        let end = address.saturating_add(size as u64);
        let replaced: Vec<u64> = self
            .within(address, size)
            .map(|(at, _)| *at)
            .filter(|at| *at >= address && at.saturating_add(8) <= end)
            .collect();
        for at in replaced {
            self.words.remove(&at);
        }
    }
}
