//! `std::string` of libstdc++ (the C++11 ABI): a pointer, a length, and a capacity in whose place
//! up to 15 characters may stand.

use super::{MAX_COPY, Stub, order, position, returns, take};
use crate::inspect::emulate::process::{Arguments, Process, Reaction, Stop};

const SIZE: u64 = 8;
const LOCAL: u64 = 16;
/// What fits into the object itself.
const LOCAL_CAPACITY: u64 = 15;

/// How member functions of `std::string` begin, constant ones with a `K` behind the `N`.
const STRING: &str = "St7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE";

#[expect(clippy::too_many_lines, reason = "a list of functions")]
pub(super) fn find(name: &str) -> Option<Stub> {
    let rest = name.strip_prefix("_ZN")?;
    let member = rest.strip_prefix('K').unwrap_or(rest).strip_prefix(STRING)?;
    Some(match member {
        "9_M_createERmm" => create,
        "9_M_appendEPKcm" | "6appendEPKcm" => |process, arguments| {
            let [string, text, size, ..] = arguments.registers;
            let added = take(process, text, size)?;
            change(process, string, |content| content.extend_from_slice(&added))
        },
        "6appendEPKc" | "pLEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let added = process.memory.text(text)?;
            change(process, string, |content| content.extend_from_slice(&added))
        },
        "6appendERKS4_" | "pLERKS4_" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let added = content(process, other)?;
            change(process, string, |content| content.extend_from_slice(&added))
        },
        "9push_backEc" | "pLEc" => |process, arguments| {
            let [string, letter, ..] = arguments.registers;
            change(process, string, |content| content.push(letter.to_le_bytes()[0]))
        },
        "9_M_assignERKS4_" | "aSERKS4_" | "6assignERKS4_" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let new = content(process, other)?;
            change(process, string, |content| *content = new)
        },
        "6assignEPKc" | "aSEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let new = process.memory.text(text)?;
            change(process, string, |content| *content = new)
        },
        "10_M_replaceEmmPKcm" | "7replaceEmmPKcm" => |process, arguments| {
            let [string, at, removed, text, size, ..] = arguments.registers;
            let size =
                if arguments.count > 4 { size } else { arguments.get(&mut process.memory, 4)? };
            let new = take(process, text, size)?;
            replace(process, string, at, removed, &new)
        },
        "14_M_replace_auxEmmmc" => |process, arguments| {
            let [string, at, removed, count, ..] = arguments.registers;
            let letter = arguments.get(&mut process.memory, 4)?.to_le_bytes()[0];
            let new = vec![letter; usize::try_from(count.min(MAX_COPY)).unwrap_or(0)];
            replace(process, string, at, removed, &new)
        },
        "9_M_mutateEmmPKcm" => mutate,
        "6insertEmPKc" => |process, arguments| {
            let [string, at, text, ..] = arguments.registers;
            let new = process.memory.text(text)?;
            replace(process, string, at, 0, &new)
        },
        "8_M_eraseEmm" => |process, arguments| {
            let [string, at, removed, ..] = arguments.registers;
            replace(process, string, at, removed, &[])
        },
        "7reserveEm" => |process, arguments| {
            let [string, capacity, ..] = arguments.registers;
            reserve(process, string, capacity)?;
            returns(0)
        },
        "6resizeEmc" => |process, arguments| {
            let [string, size, letter, ..] = arguments.registers;
            let size = usize::try_from(size.min(MAX_COPY)).unwrap_or(0);
            change(process, string, |content| content.resize(size, letter.to_le_bytes()[0]))
        },
        // Constructors of whole objects and of bases do the same.
        "C1ERKS4_" | "C2ERKS4_" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let new = content(process, other)?;
            construct(process, string, &new)
        },
        "C1EPKcRKS3_" | "C2EPKcRKS3_" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let new = process.memory.text(text)?;
            construct(process, string, &new)
        },
        "C1EPKcmRKS3_" | "C2EPKcmRKS3_" => |process, arguments| {
            let [string, text, size, ..] = arguments.registers;
            let new = take(process, text, size)?;
            construct(process, string, &new)
        },
        "C1EOS4_" | "C2EOS4_" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let new = content(process, other)?;
            construct(process, other, &[])?;
            construct(process, string, &new)
        },
        "7compareEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let (own, other) = (content(process, string)?, process.memory.text(text)?);
            returns(order(own.cmp(&other)))
        },
        "7compareERKS4_" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let (own, other) = (content(process, string)?, content(process, other)?);
            returns(order(own.cmp(&other)))
        },
        "4findEPKcmm" => |process, arguments| {
            let [string, text, from, size, ..] = arguments.registers;
            let (own, wanted) = (content(process, string)?, take(process, text, size)?);
            returns(position(&own, &wanted, from))
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
        "4findEcm" => |process, arguments| {
            let [string, letter, from, ..] = arguments.registers;
            let own = content(process, string)?;
            returns(position(&own, &[letter.to_le_bytes()[0]], from))
        },
        "5rfindEcm" => |process, arguments| {
            let [string, letter, from, ..] = arguments.registers;
            let own = content(process, string)?;
            let wanted = letter.to_le_bytes()[0];
            let end = usize::try_from(from).unwrap_or(usize::MAX).saturating_add(1).min(own.len());
            let found = own[..end].iter().rposition(|byte| *byte == wanted);
            returns(found.map_or(u64::MAX, |at| at as u64))
        },
        "10_M_disposeEv" | "D1Ev" | "D2Ev" => super::nothing,
        _ => return None,
    })
}

fn content(process: &mut Process<'_, '_, '_>, string: u64) -> Result<Vec<u8>, Stop> {
    let pointer = process.memory.word(string)?;
    let size = process.memory.word(string.wrapping_add(SIZE))?;
    take(process, pointer, size)
}

/// Makes room for more characters than a string has: its new capacity is given back in place.
fn create(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [_, wanted, old, ..] = arguments.registers;
    let asked = process.memory.word(wanted)?;
    let capacity = if asked > old { asked.max(old.saturating_mul(2)) } else { asked };
    process.memory.write_word(wanted, capacity)?;
    returns(process.memory.allocate(capacity.saturating_add(1))?)
}

fn construct(process: &mut Process<'_, '_, '_>, string: u64, new: &[u8]) -> Result<Reaction, Stop> {
    let local = string.wrapping_add(LOCAL);
    process.memory.write_word(string, local)?;
    process.memory.write_word(string.wrapping_add(SIZE), 0)?;
    change(process, string, |content| *content = new.to_vec())
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
    let mut old = content(process, string)?;
    old.push(0);
    let capacity = capacity.max(has.saturating_mul(2));
    let block = process.memory.allocate(capacity.saturating_add(1))?;
    process.memory.write(block, &old)?;
    process.memory.write_word(string, block)?;
    Ok(process.memory.write_word(string.wrapping_add(LOCAL), capacity)?)
}

/// Changes what a string holds, and gives the string back.
fn change(
    process: &mut Process<'_, '_, '_>,
    string: u64,
    with: impl FnOnce(&mut Vec<u8>),
) -> Result<Reaction, Stop> {
    let mut new = content(process, string)?;
    with(&mut new);
    let size = new.len() as u64;
    reserve(process, string, size)?;
    new.push(0);
    let pointer = process.memory.word(string)?;
    process.memory.write(pointer, &new)?;
    process.memory.write_word(string.wrapping_add(SIZE), size)?;
    returns(string)
}

fn replace(
    process: &mut Process<'_, '_, '_>,
    string: u64,
    at: u64,
    removed: u64,
    new: &[u8],
) -> Result<Reaction, Stop> {
    change(process, string, |content| {
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
        let end =
            start.saturating_add(usize::try_from(removed).unwrap_or(usize::MAX)).min(content.len());
        content.splice(start..end, new.iter().copied());
    })
}

/// As replacing, but the length is left for the caller to set, and a null text leaves a gap.
fn mutate(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [string, at, removed, text, ..] = arguments.registers;
    let size = arguments.get(&mut process.memory, 4)?;
    let before = process.memory.word(string.wrapping_add(SIZE))?;
    let new = match text {
        0 => vec![0; usize::try_from(size.min(MAX_COPY)).unwrap_or(0)],
        text => take(process, text, size)?,
    };
    replace(process, string, at, removed, &new)?;
    process.memory.write_word(string.wrapping_add(SIZE), before)?;
    returns(0)
}
