//! The string of libstdc++ before C++11, which wheels for old systems are still built with: a
//! pointer to the characters, in front of which stand length, capacity and a count of the strings
//! that share them.

use super::{Layout, index};
use crate::emulate::process::{Process, Stop};
use crate::emulate::runtime::{Stub, nothing, returns, take};

/// `sizeof(_Rep)`: what stands in front of the characters.
const HEAD: u64 = 24;
const CAPACITY: u64 = 8;

pub(super) struct Cow;

impl Layout for Cow {
    const CLASS: &'static str = "Ss";
    const OWN: &'static str = "Ss";
    const ALLOCATOR: &'static str = "SaIcE";

    fn content(process: &mut Process<'_, '_, '_>, string: u64) -> Result<Vec<u8>, Stop> {
        let characters = process.memory.word(string)?;
        let length = process.memory.word(characters.wrapping_sub(HEAD))?;
        take(process, characters, length)
    }

    /// Characters of its own for a string. Nothing is shared, which no string can tell.
    fn put(process: &mut Process<'_, '_, '_>, string: u64, new: &[u8]) -> Result<(), Stop> {
        put_with_room(process, string, new, 0)
    }

    fn find(member: &str) -> Option<Stub> {
        Some(match member {
            // Room for so many characters, with the head before them.
            "4_Rep9_S_createEmmRKSaIcE" => |process, arguments| {
                let [wanted, old, ..] = arguments.registers;
                let capacity =
                    if wanted > old { wanted.max(old.saturating_mul(2)) } else { wanted };
                let block = process.memory.allocate(capacity.saturating_add(HEAD + 1))?;
                process.memory.write_word(block.wrapping_add(CAPACITY), capacity)?;
                returns(block)
            },
            "4_Rep10_M_destroyERKSaIcE" | "12_M_leak_hardEv" => nothing,
            "7reserveEm" => |process, arguments| {
                let [string, capacity, ..] = arguments.registers;
                let content = Self::content(process, string)?;
                put_with_room(process, string, &content, capacity)?;
                returns(0)
            },
            "4swapERSs" => |process, arguments| {
                let [string, other, ..] = arguments.registers;
                let (own, its) = (process.memory.word(string)?, process.memory.word(other)?);
                process.memory.write_word(string, its)?;
                process.memory.write_word(other, own)?;
                returns(0)
            },
            // Gives back a new string, whose place comes first.
            "6substrEmm" => |process, arguments| {
                let [new, string, at, count, ..] = arguments.registers;
                let own = Self::content(process, string)?;
                let start = index(at).min(own.len());
                let end = start.saturating_add(index(count)).min(own.len());
                Self::put(process, new, &own[start..end])?;
                returns(new)
            },
            _ => return None,
        })
    }
}

/// The same, with room for so many characters, which inlined code writes without asking again.
fn put_with_room(
    process: &mut Process<'_, '_, '_>,
    string: u64,
    new: &[u8],
    capacity: u64,
) -> Result<(), Stop> {
    let length = new.len() as u64;
    let capacity = capacity.max(length);
    let block = process.memory.allocate(capacity.saturating_add(HEAD + 1))?;
    process.memory.write_word(block, length)?;
    process.memory.write_word(block.wrapping_add(CAPACITY), capacity)?;
    process.memory.write(block.wrapping_add(HEAD), new)?;
    Ok(process.memory.write_word(string, block.wrapping_add(HEAD))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulate::process::{System, Variadic};
    use crate::emulate::runtime::tests::{call_stub, with_process};

    #[test]
    fn what_is_written_into_reserved_room_reaches_no_other_block() {
        with_process((System::Linux, Variadic::X86_64), |process| {
            let string = process.memory.allocate(8).unwrap();
            Cow::construct(process, string, b"spam").unwrap();
            call_stub(process, "_ZNSs7reserveEm", &[string, 100]);
            let behind = process.memory.allocate(8).unwrap();
            let characters = process.memory.word(string).unwrap();
            let capacity = process.memory.word(characters - HEAD + CAPACITY).unwrap();
            assert_eq!(Cow::content(process, string).unwrap(), b"spam");
            assert!(capacity >= 100);
            // Zero ends what fills the room.
            assert!(characters + 100 < behind);
        });
    }
}
