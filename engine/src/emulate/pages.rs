//! Pages of memory by their number, and what in them is not known.
//!
//! What a page holds at first is told in [`super::memory`].

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::image::PAGE_SIZE;

pub(super) type Page = [u8; PAGE_SIZE];

/// The pages that are here, by number: the address without its place in the page. Copies share each
/// until one of them writes to it.
#[derive(Clone)]
pub(super) struct Pages {
    content: Vec<Rc<Page>>,
    /// By a hash that is fast: numbers of pages are too alike to be chosen so that theirs are equal.
    places: FxHashMap<u64, usize>,
    /// Where pages were found last, each in a slot that follows from its number: code touches the
    /// same few again and again.
    recent: [Option<(u64, usize)>; RECENT],
}

/// How many pages are remembered.
const RECENT: usize = 64;

impl Pages {
    pub(super) fn new() -> Self {
        Self { content: Vec::new(), places: FxHashMap::default(), recent: [None; RECENT] }
    }

    pub(super) fn len(&self) -> usize {
        self.content.len()
    }

    /// The page of that number, to be read.
    pub(super) fn get(&mut self, number: u64) -> Option<&Page> {
        let place = self.place(number)?;
        self.content.get(place).map(AsRef::as_ref)
    }

    /// The page of that number, to be written to.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Page> {
        let place = self.place(number)?;
        self.content.get_mut(place).map(Rc::make_mut)
    }

    fn place(&mut self, number: u64) -> Option<usize> {
        let slot = self.recent.get_mut(usize::try_from(number % RECENT as u64).ok()?)?;
        match *slot {
            Some((known, place)) if known == number => Some(place),
            _ => {
                let place = *self.places.get(&number)?;
                *slot = Some((number, place));
                Some(place)
            }
        }
    }

    /// Whether the same pages are here, with the same content.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.places.len() == other.places.len()
            && self.places.iter().all(|(number, place)| {
                let theirs = other.places.get(number).and_then(|place| other.content.get(*place));
                match (self.content.get(*place), theirs) {
                    (Some(own), Some(theirs)) => Rc::ptr_eq(own, theirs) || own == theirs,
                    _ => false,
                }
            })
    }

    /// Adds a page that is not here.
    pub(super) fn insert(&mut self, number: u64, page: Rc<Page>) {
        self.places.insert(number, self.content.len());
        self.content.push(page);
    }
}

/// A bit for each eight-byte word of a page.
type WordSet = [u64; PAGE_SIZE / 8 / 64];

/// Eight-byte words that hold something unknown, by address, with what it is.
#[derive(Clone, Default)]
pub(super) struct Unknown {
    words: Rc<BTreeMap<u64, &'static str>>,
    /// Pages of which most is unknown, with a bit for each such word.
    opaque: Rc<FxHashMap<u64, WordSet>>,
    /// Behind the last of [`Unknown::words`]. They lie in libraries, below most of what code touches.
    end: u64,
    /// A bit for each page that a word of [`Unknown::words`] lies on, at a place that follows from its
    /// number: most accesses are told by it to touch none.
    pages: [u64; PAGE_BITS / 64],
}

/// How many bits tell of pages.
const PAGE_BITS: usize = 1024;

/// The place of a page's bit: which of the words, and the bit in it.
fn bit_of(address: u64) -> (usize, u64) {
    let number = address / PAGE_SIZE as u64;
    let place = usize::try_from(number).unwrap_or(0) % PAGE_BITS;
    (place / 64, 1 << (place % 64))
}

impl Unknown {
    pub(super) fn insert(&mut self, address: u64, what: &'static str) {
        Rc::make_mut(&mut self.words).insert(address, what);
        self.end = self.end.max(address.saturating_add(8));
        for at in [address, address.saturating_add(7)] {
            let (word, bit) = bit_of(at);
            self.pages[word] |= bit;
        }
    }

    /// Whether the same is unknown.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let are_shared = Rc::ptr_eq(&self.words, &other.words);
        (are_shared || self.words == other.words)
            && (Rc::ptr_eq(&self.opaque, &other.opaque) || self.opaque == other.opaque)
    }

    /// Whether a stretch may touch any of them, as far as the pages tell.
    fn may_touch(&self, address: u64, size: usize) -> bool {
        let last = address.saturating_add(size.saturating_sub(1) as u64);
        let [first_page, last_page] = [address, last].map(|at| at / PAGE_SIZE as u64);
        let touches = |at: u64| {
            let (word, bit) = bit_of(at);
            self.pages.get(word).is_some_and(|bits| bits & bit != 0)
        };
        // Long ones are few.
        last_page > first_page + 1 || touches(address) || touches(last)
    }

    /// Those that a stretch touches.
    pub(super) fn within(
        &self,
        address: u64,
        size: usize,
    ) -> impl Iterator<Item = (&u64, &&'static str)> {
        let end = address.saturating_add(size as u64);
        let range = address.saturating_sub(7)..end.max(1);
        let may_touch = address < self.end && self.may_touch(address, size);
        let words = may_touch.then(|| self.words.range(range));
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
            Rc::make_mut(&mut self.words).remove(&at);
        }
    }

    /// Has the words of a page from a place on unknown, but for those at some of them.
    pub(super) fn make_opaque(&mut self, number: u64, from: usize, known: &[usize]) {
        let mut words: WordSet = [u64::MAX; PAGE_SIZE / 8 / 64];
        for word in (0..from / 8).chain(known.iter().map(|place| place / 8)) {
            if let Some(bits) = words.get_mut(word / 64) {
                *bits &= !(1 << (word % 64));
            }
        }
        Rc::make_mut(&mut self.opaque).insert(number, words);
    }

    /// Whether a stretch touches any of them.
    pub(super) fn is_opaque(&self, address: u64, size: usize) -> bool {
        words(address, size).any(|(number, word)| {
            self.opaque.get(&number).is_some_and(|words| {
                words.get(word / 64).is_some_and(|bits| bits >> (word % 64) & 1 == 1)
            })
        })
    }

    /// Makes those known that a stretch covers as a whole.
    pub(super) fn reveal(&mut self, address: u64, size: usize) {
        let end = address.saturating_add(size as u64);
        let start = address.next_multiple_of(8);
        let size = usize::try_from((end & !7).saturating_sub(start)).unwrap_or(0);
        for (number, word) in words(start, size) {
            if !self.opaque.contains_key(&number) {
                continue;
            }
            let words = Rc::make_mut(&mut self.opaque).get_mut(&number);
            if let Some(bits) = words.and_then(|words| words.get_mut(word / 64)) {
                *bits &= !(1 << (word % 64));
            }
        }
    }
}

/// The words that a stretch touches: each by its page, and its number there.
fn words(address: u64, size: usize) -> impl Iterator<Item = (u64, usize)> {
    let end = address.saturating_add(size as u64);
    (address & !7..end).step_by(8).map(|at| {
        let place = usize::try_from(at % PAGE_SIZE as u64).unwrap_or(0);
        (at / PAGE_SIZE as u64, place / 8)
    })
}

/// The words that a stretch touches, page by page.
fn word_sets(address: u64, size: usize) -> impl Iterator<Item = (u64, WordSet)> {
    let end = address.saturating_add(size as u64);
    let mut at = address & !7;
    std::iter::from_fn(move || {
        let number = at / PAGE_SIZE as u64;
        let behind = (number + 1).saturating_mul(PAGE_SIZE as u64);
        if at >= end {
            return None;
        }
        let place = |at: u64| usize::try_from(at % PAGE_SIZE as u64).unwrap_or(0) / 8;
        let (first, last) = (place(at), place(end.min(behind) - 1));
        at = behind;
        Some((number, bits_between(first, last)))
    })
}

/// The bits from `first` to `last`, both included.
fn bits_between(first: usize, last: usize) -> WordSet {
    let mut set = WordSet::default();
    for (index, bits) in set.iter_mut().enumerate() {
        let (low, high) = (index * 64, index * 64 + 63);
        if low <= last && first <= high {
            let from = first.saturating_sub(low);
            let above = 63 - last.saturating_sub(low).min(63);
            *bits = (u64::MAX << from) & (u64::MAX >> above);
        }
    }
    set
}

/// A set of words, by page.
#[derive(Clone, Default)]
pub(super) struct Words {
    pages: HashMap<u64, WordSet>,
}

impl Words {
    pub(super) fn insert(&mut self, address: u64, size: usize) {
        for (number, words) in word_sets(address, size) {
            let set = self.pages.entry(number).or_default();
            set.iter_mut().zip(words).for_each(|(bits, more)| *bits |= more);
        }
    }

    /// Whether a stretch touches any of them.
    pub(super) fn touches(&self, address: u64, size: usize) -> bool {
        !self.pages.is_empty()
            && word_sets(address, size).any(|(number, words)| {
                let set = self.pages.get(&number);
                set.is_some_and(|set| set.iter().zip(words).any(|(bits, asked)| bits & asked != 0))
            })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        let each = |(number, set): (&u64, &WordSet)| {
            let (start, set) = (number * PAGE_SIZE as u64, *set);
            let places = (0..PAGE_SIZE / 8).filter(move |word| {
                set.get(word / 64).is_some_and(|bits| bits >> (word % 64) & 1 == 1)
            });
            places.map(move |word| start + word as u64 * 8)
        };
        self.pages.iter().flat_map(each)
    }

    /// The addresses of the pages that they lie on.
    pub(super) fn pages(&self) -> impl Iterator<Item = u64> {
        self.pages.keys().map(|number| number * PAGE_SIZE as u64)
    }
}

/// What was read of libraries as the loader left them, and what was written there.
#[derive(Clone, Default)]
pub(super) struct Traces {
    pub(super) read: Words,
    written: Words,
}

impl Traces {
    /// What was written before is not as the loader left it.
    pub(super) fn read(&mut self, address: u64, size: usize) {
        for (number, words) in word_sets(address, size) {
            let written = self.written.pages.get(&number).copied().unwrap_or_default();
            let mut unwritten = words;
            unwritten.iter_mut().zip(written).for_each(|(bits, written)| *bits &= !written);
            // A page is not noted for nothing.
            if unwritten != WordSet::default() {
                let set = self.read.pages.entry(number).or_default();
                set.iter_mut().zip(unwritten).for_each(|(bits, more)| *bits |= more);
            }
        }
    }

    /// A word that is written in part may still be read as it was.
    pub(super) fn write(&mut self, address: u64, size: usize) {
        let start = address.next_multiple_of(8);
        let end = address.saturating_add(size as u64) & !7;
        let size = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
        self.written.insert(start, size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Page by page they are the same words as one by one.
        #[test]
        fn sets_of_words_hold_those_that_a_stretch_touches(
            address in 0u64..3 * PAGE_SIZE as u64,
            size in 0usize..3 * PAGE_SIZE,
        ) {
            let mut set = Words::default();
            set.insert(address, size);
            let mut found: Vec<u64> = set.iter().collect();
            found.sort_unstable();
            let expected = words(address, size)
                .map(|(number, word)| number * PAGE_SIZE as u64 + word as u64 * 8);
            let expected: Vec<u64> = expected.collect();
            prop_assert_eq!(set.touches(address, size), !expected.is_empty());
            prop_assert_eq!(found, expected);
            prop_assert!(!set.touches((address + size as u64).next_multiple_of(8), 64));
        }

        #[test]
        fn what_was_written_before_is_not_read_as_it_was(
            written in 0u64..64, length in 0usize..64, read in 0u64..64,
        ) {
            let mut traces = Traces::default();
            traces.write(written, length);
            traces.read(read, 8);
            for word in traces.read.iter() {
                let is_whole = word >= written && word + 8 <= written + length as u64;
                prop_assert!(!is_whole && word + 8 > read && word < read + 8);
            }
        }
    }
}
