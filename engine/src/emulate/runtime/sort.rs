//! `qsort`, which asks a function of the library for the order of two elements.

use super::{Stub, returns, take};
use crate::emulate::memory::Memory;
use crate::emulate::process::{Arguments, Process, Reaction, Stop};

/// More elements, and larger ones, are no part of an init function.
const MAX_ELEMENTS: u64 = 1 << 12;
const MAX_SIZE: u64 = 1 << 12;

pub(super) fn find(name: &str) -> Option<Stub> {
    (name == "qsort").then_some(sort as Stub)
}

/// Elements on the way into their order: all before `next` are in it, and the one at `at` is on its
/// way down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulate) struct Sorting {
    /// How many calls of stubs are open while it compares.
    pub(in crate::emulate) depth: usize,
    start: u64,
    elements: Vec<Vec<u8>>,
    next: usize,
    at: usize,
    /// Where two elements lie to be compared.
    pair: u64,
    function: u64,
}

fn sort(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [start, count, size, function, ..] = arguments.registers;
    if count > MAX_ELEMENTS || size > MAX_SIZE {
        return Err(Stop::Reason("the hook sorts too much memory".to_owned()));
    }
    let mut elements = Vec::new();
    for index in 0..count {
        elements.push(take(process, start.wrapping_add(index * size), size)?);
    }
    if elements.len() < 2 || size == 0 {
        return returns(0);
    }
    let pair = process.memory.allocate(size * 2)?;
    let depth = process.depth() + 1;
    let mut sorting = Sorting { depth, start, elements, next: 1, at: 1, pair, function };
    let (function, arguments) = sorting.compare(&mut process.memory)?;
    process.sortings.push(sorting);
    Ok(Reaction::Enter { function, arguments, result: None })
}

impl Sorting {
    /// The next comparison, now that the last one gave `result`; `None` where all are in order and
    /// back in their place.
    pub(in crate::emulate) fn advance(
        &mut self,
        memory: &mut Memory<'_, '_, '_>,
        result: u64,
    ) -> Result<Option<(u64, [u64; 3])>, Stop> {
        let [a, b, c, d, ..] = result.to_le_bytes();
        if i32::from_le_bytes([a, b, c, d]) > 0 {
            self.elements.swap(self.at - 1, self.at);
            self.at -= 1;
        } else {
            self.at = 0;
        }
        if self.at == 0 {
            self.next += 1;
            self.at = self.next;
        }
        if self.next < self.elements.len() {
            return self.compare(memory).map(Some);
        }
        memory.write(self.start, &self.elements.concat())?;
        Ok(None)
    }

    fn compare(&mut self, memory: &mut Memory<'_, '_, '_>) -> Result<(u64, [u64; 3]), Stop> {
        let (left, right) = (&self.elements[self.at - 1], &self.elements[self.at]);
        let other = self.pair.wrapping_add(left.len() as u64);
        memory.write(self.pair, left)?;
        memory.write(other, right)?;
        Ok((self.function, [self.pair, other, 0]))
    }
}
