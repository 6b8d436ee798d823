//! The string of libstdc++ (the C++11 ABI): a pointer, a length, and a capacity in whose place up to
//! 15 characters may stand.

use super::{Layout, filled, replace};
use crate::emulate::process::{Arguments, Process, Reaction, Stop};
use crate::emulate::runtime::{Stub, nothing, returns, take};

const SIZE: u64 = 8;
const LOCAL: u64 = 16;
/// What fits into the object itself.
const LOCAL_CAPACITY: u64 = 15;

pub(super) struct Cxx11;

impl Layout for Cxx11 {
    const CLASS: &'static str = "St7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE";
    const OWN: &'static str = "S4_";
    const ALLOCATOR: &'static str = "S3_";

    fn content(process: &mut Process<'_, '_, '_>, string: u64) -> Result<Vec<u8>, Stop> {
        let pointer = process.memory.word(string)?;
        let size = process.memory.word(string.wrapping_add(SIZE))?;
        take(process, pointer, size)
    }

    fn put(process: &mut Process<'_, '_, '_>, string: u64, new: &[u8]) -> Result<(), Stop> {
        let size = new.len() as u64;
        reserve(process, string, size)?;
        let pointer = process.memory.word(string)?;
        process.memory.write(pointer, new)?;
        process.memory.write(pointer.wrapping_add(size), &[0])?;
        Ok(process.memory.write_word(string.wrapping_add(SIZE), size)?)
    }

    fn construct(process: &mut Process<'_, '_, '_>, string: u64, new: &[u8]) -> Result<(), Stop> {
        let local = string.wrapping_add(LOCAL);
        process.memory.write_word(string, local)?;
        process.memory.write_word(string.wrapping_add(SIZE), 0)?;
        Self::put(process, string, new)
    }

    fn find(member: &str) -> Option<Stub> {
        Some(match member {
            "9_M_createERmm" => create,
            "9_M_mutateEmmPKcm" => mutate,
            "7reserveEm" => |process, arguments| {
                let [string, capacity, ..] = arguments.registers;
                reserve(process, string, capacity)?;
                returns(0)
            },
            "10_M_disposeEv" => nothing,
            _ => return None,
        })
    }
}

/// Makes room for more characters than a string has: its new capacity is given back in place.
fn create(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [_, wanted, old, ..] = arguments.registers;
    let asked = process.memory.word(wanted)?;
    let capacity = if asked > old { asked.max(old.saturating_mul(2)) } else { asked };
    process.memory.write_word(wanted, capacity)?;
    returns(process.memory.allocate(capacity.saturating_add(1))?)
}

fn reserve(process: &mut Process<'_, '_, '_>, string: u64, capacity: u64) -> Result<(), Stop> {
    let pointer = process.memory.word(string)?;
    let has = if pointer == string.wrapping_add(LOCAL) {
        LOCAL_CAPACITY
    } else {
        process.memory.word(string.wrapping_add(LOCAL))?
    };
    if capacity <= has {
        return Ok(());
    }
    let mut old = Cxx11::content(process, string)?;
    old.push(0);
    let capacity = capacity.max(has.saturating_mul(2));
    let block = process.memory.allocate(capacity.saturating_add(1))?;
    process.memory.write(block, &old)?;
    process.memory.write_word(string, block)?;
    Ok(process.memory.write_word(string.wrapping_add(LOCAL), capacity)?)
}

/// As replacing, but the length is left for the caller to set, and a null text leaves a gap.
fn mutate(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [string, _, removed, text, ..] = arguments.registers;
    let size = arguments.get(&mut process.memory, 4)?;
    let before = process.memory.word(string.wrapping_add(SIZE))?;
    let new = match text {
        0 => vec![0; filled(size)],
        text => take(process, text, size)?,
    };
    replace::<Cxx11>(process, arguments, removed, &new)?;
    process.memory.write_word(string.wrapping_add(SIZE), before)?;
    returns(0)
}
