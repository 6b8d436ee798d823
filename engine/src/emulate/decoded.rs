//! Instructions that were decoded before. Code that runs is mostly code that ran before, in this run or
//! in another one of the same hook, and no run can change it.

use std::cell::{Cell, OnceCell};

/// So many bytes of code are a stretch, and so many stretches are kept. Most hooks run in one or two.
const STRETCH: usize = 256;
const STRETCHES: usize = 64;
const KEPT: u64 = (STRETCH * STRETCHES) as u64;

/// Instructions by their address, each at a place that follows from it.
pub(super) struct Decoded<I> {
    stretches: [OnceCell<Box<[Place<I>]>>; STRETCHES],
}

/// An instruction and its address.
type Place<I> = Cell<Option<(u64, I)>>;

impl<I> Default for Decoded<I> {
    fn default() -> Self {
        Self { stretches: [const { OnceCell::new() }; STRETCHES] }
    }
}

impl<I: Copy> Decoded<I> {
    /// The instruction at an address, where it was kept and no other took its place.
    pub(super) fn get(&self, at: u64) -> Option<I> {
        let (known, instruction) = self.place(at)?.get()?;
        (known == at).then_some(instruction)
    }

    pub(super) fn keep(&self, at: u64, instruction: I) {
        if let Some(place) = self.place(at) {
            place.set(Some((at, instruction)));
        }
    }

    fn place(&self, at: u64) -> Option<&Place<I>> {
        let at = usize::try_from(at % KEPT).unwrap_or(0);
        let stretch = self.stretches.get(at / STRETCH)?;
        let places = stretch.get_or_init(|| (0..STRETCH).map(|_| Cell::new(None)).collect());
        places.get(at % STRETCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_the_same_place_is_told_apart() {
        let decoded = Decoded::default();
        assert_eq!(decoded.get(0), None);
        decoded.keep(4, 'a');
        assert_eq!(decoded.get(4), Some('a'));
        assert_eq!(decoded.get(4 + KEPT), None);
        decoded.keep(4 + KEPT, 'b');
        assert_eq!((decoded.get(4), decoded.get(4 + KEPT)), (None, Some('b')));
    }
}
