//! `std::string` of libstdc++ before C++11, which wheels for old systems are still built with: a
//! pointer to the characters, in front of which stand length, capacity and a count of the strings
//! that share them.

use super::{MAX_COPY, Stub, nothing, returns, take};
use crate::inspect::emulate::process::{Process, Reaction, Stop};

/// `sizeof(_Rep)`: what stands in front of the characters.
const HEAD: u64 = 24;
const CAPACITY: u64 = 8;

#[expect(clippy::too_many_lines, reason = "a list of functions")]
pub(super) fn find(name: &str) -> Option<Stub> {
    let rest = name.strip_prefix("_ZN")?;
    Some(match rest.strip_prefix('K').unwrap_or(rest).strip_prefix("Ss")? {
        // Room for so many characters, with the head before them.
        "4_Rep9_S_createEmmRKSaIcE" => |process, arguments| {
            let [wanted, old, ..] = arguments.registers;
            let capacity = if wanted > old { wanted.max(old.saturating_mul(2)) } else { wanted };
            let block = process.memory.allocate(capacity.saturating_add(HEAD + 1))?;
            process.memory.write_word(block.wrapping_add(CAPACITY), capacity)?;
            returns(block)
        },
        "4_Rep10_M_destroyERKSaIcE" | "D1Ev" | "D2Ev" | "12_M_leak_hardEv" => nothing,
        "7reserveEm" => |process, arguments| {
            let string = arguments.registers[0];
            change(process, string, |_| {})
        },
        "6appendEPKcm" => |process, arguments| {
            let [string, text, size, ..] = arguments.registers;
            let added = take(process, text, size)?;
            change(process, string, |content| content.extend_from_slice(&added))
        },
        "6appendEPKc" | "pLEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let added = process.memory.text(text)?;
            change(process, string, |content| content.extend_from_slice(&added))
        },
        "6appendERKSs" | "pLERKSs" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let added = content(process, other)?;
            change(process, string, |content| content.extend_from_slice(&added))
        },
        "9push_backEc" => |process, arguments| {
            let [string, letter, ..] = arguments.registers;
            change(process, string, |content| content.push(letter.to_le_bytes()[0]))
        },
        "6assignERKSs" | "aSERKSs" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let new = content(process, other)?;
            change(process, string, |content| *content = new)
        },
        "6assignEPKcm" => |process, arguments| {
            let [string, text, size, ..] = arguments.registers;
            let new = take(process, text, size)?;
            change(process, string, |content| *content = new)
        },
        "6assignEPKc" | "aSEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let new = process.memory.text(text)?;
            change(process, string, |content| *content = new)
        },
        "6insertEmPKcm" => |process, arguments| {
            let [string, at, text, size, ..] = arguments.registers;
            let new = take(process, text, size)?;
            change(process, string, |content| {
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
                content.splice(at..at, new);
            })
        },
        "5eraseEmm" => |process, arguments| {
            let [string, at, count, ..] = arguments.registers;
            change(process, string, |content| {
                let start = usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                content.drain(start..start.saturating_add(count).min(content.len()));
            })
        },
        // Constructors of whole objects and of bases do the same.
        "C1EPKcRKSaIcE" | "C2EPKcRKSaIcE" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let new = process.memory.text(text)?;
            put(process, string, &new)
        },
        "C1EPKcmRKSaIcE" | "C2EPKcmRKSaIcE" => |process, arguments| {
            let [string, text, size, ..] = arguments.registers;
            let new = take(process, text, size)?;
            put(process, string, &new)
        },
        "C1EmcRKSaIcE" | "C2EmcRKSaIcE" => |process, arguments| {
            let [string, size, letter, ..] = arguments.registers;
            let size = usize::try_from(size.min(MAX_COPY)).unwrap_or(0);
            put(process, string, &vec![letter.to_le_bytes()[0]; size])
        },
        "6resizeEmc" => |process, arguments| {
            let [string, size, letter, ..] = arguments.registers;
            let size = usize::try_from(size.min(MAX_COPY)).unwrap_or(0);
            change(process, string, |content| content.resize(size, letter.to_le_bytes()[0]))
        },
        "4swapERSs" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let (own, its) = (process.memory.word(string)?, process.memory.word(other)?);
            process.memory.write_word(string, its)?;
            process.memory.write_word(other, own)?;
            returns(0)
        },
        "C1ERKSs" | "C2ERKSs" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let new = content(process, other)?;
            put(process, string, &new)
        },
        "4findEPKcmm" => |process, arguments| {
            let [string, text, from, size, ..] = arguments.registers;
            let (own, wanted) = (content(process, string)?, take(process, text, size)?);
            returns(super::position(&own, &wanted, from))
        },
        "4findEcm" => |process, arguments| {
            let [string, letter, from, ..] = arguments.registers;
            let own = content(process, string)?;
            returns(super::position(&own, &[letter.to_le_bytes()[0]], from))
        },
        "13find_first_ofEPKcmm" => |process, arguments| {
            let [string, set, from, size, ..] = arguments.registers;
            let (own, set) = (content(process, string)?, take(process, set, size)?);
            returns(super::first(&own, from, |letter| set.contains(&letter)))
        },
        "17find_first_not_ofEPKcmm" => |process, arguments| {
            let [string, set, from, size, ..] = arguments.registers;
            let (own, set) = (content(process, string)?, take(process, set, size)?);
            returns(super::first(&own, from, |letter| !set.contains(&letter)))
        },
        "16find_last_not_ofEPKcmm" => |process, arguments| {
            let [string, set, from, size, ..] = arguments.registers;
            let (own, set) = (content(process, string)?, take(process, set, size)?);
            returns(super::last(&own, from, |letter| !set.contains(&letter)))
        },
        // Gives back a new string, whose place comes first.
        "6substrEmm" => |process, arguments| {
            let [new, string, at, count, ..] = arguments.registers;
            let own = content(process, string)?;
            let start = usize::try_from(at).unwrap_or(usize::MAX).min(own.len());
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            put(process, new, &own[start..start.saturating_add(count).min(own.len())])
        },
        "7compareEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let (own, other) = (content(process, string)?, process.memory.text(text)?);
            returns(super::order(own.cmp(&other)))
        },
        "7compareERKSs" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let (own, other) = (content(process, string)?, content(process, other)?);
            returns(super::order(own.cmp(&other)))
        },
        _ => return None,
    })
}

fn content(process: &mut Process<'_, '_, '_>, string: u64) -> Result<Vec<u8>, Stop> {
    let characters = process.memory.word(string)?;
    let length = process.memory.word(characters.wrapping_sub(HEAD))?;
    take(process, characters, length)
}

/// Characters of its own for a string. Nothing is shared, which no string can tell.
fn put(process: &mut Process<'_, '_, '_>, string: u64, new: &[u8]) -> Result<Reaction, Stop> {
    let length = new.len() as u64;
    let block = process.memory.allocate(length.saturating_add(HEAD + 1))?;
    process.memory.write_word(block, length)?;
    process.memory.write_word(block.wrapping_add(CAPACITY), length)?;
    process.memory.write(block.wrapping_add(HEAD), new)?;
    process.memory.write_word(string, block.wrapping_add(HEAD))?;
    returns(string)
}

/// Changes what a string holds, and gives the string back.
fn change(
    process: &mut Process<'_, '_, '_>,
    string: u64,
    with: impl FnOnce(&mut Vec<u8>),
) -> Result<Reaction, Stop> {
    let mut new = content(process, string)?;
    with(&mut new);
    put(process, string, &new)
}
