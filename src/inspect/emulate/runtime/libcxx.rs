//! libc++, the C++ library of macOS: its locks, and `std::string`.
//!
//! A string is three words. Up to 22 characters stand in the object itself. Where the mark and the
//! length of such a short one lie depends on the processor (libc++, `<string>`,
//! `_LIBCPP_ABI_ALTERNATE_STRING_LAYOUT`, which Apple's 64-bit Arm has).

use super::{MAX_COPY, Stub, nothing, order, returns, take};
use crate::inspect::emulate::process::{Process, Reaction, Stop};

const STRING: &str = "St3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEE";
/// What fits into the object itself.
const LOCAL_CAPACITY: usize = 22;
const SIZE: u64 = 8;

pub(super) fn find(name: &str) -> Option<Stub> {
    let rest = name.strip_prefix("_ZN")?;
    let rest = rest.strip_prefix('K').unwrap_or(rest);
    if let Some(member) = rest.strip_prefix(STRING) {
        return find_in_string(member);
    }
    Some(match rest.strip_prefix("St3__1")? {
        "5mutex4lockEv"
        | "5mutex6unlockEv"
        | "5mutexD1Ev"
        | "15recursive_mutex4lockEv"
        | "15recursive_mutex6unlockEv"
        | "15recursive_mutexC1Ev"
        | "15recursive_mutexD1Ev"
        | "12__shared_mutex_base4lockEv"
        | "18shared_timed_mutexC1Ev"
        | "19__shared_mutex_base4lockEv"
        | "19__shared_mutex_base6unlockEv"
        | "19__shared_mutex_base11lock_sharedEv"
        | "19__shared_mutex_base13unlock_sharedEv"
        | "19__shared_mutex_baseC1Ev"
        | "18condition_variable10notify_allEv"
        | "18condition_variable10notify_oneEv"
        | "18condition_variableD1Ev"
        | "14__shared_countD2Ev"
        | "19__shared_weak_countD2Ev" => nothing,
        "5mutex8try_lockEv" | "15recursive_mutex8try_lockEv" => |_, _| returns(1),
        // Any number of buckets that is enough will do.
        "12__next_primeEm" => |_, arguments| {
            let wanted = arguments.registers[0];
            returns(wanted.clamp(1, 1 << 24).next_power_of_two().saturating_add(13) | 1)
        },
        // The flag, and a function with its argument, which is entered once.
        "11__call_onceERVmPvPFvS2_E" => |process, arguments| {
            const DONE: u64 = u64::MAX;
            let [flag, argument, function, ..] = arguments.registers;
            if process.memory.word(flag)? == DONE {
                return returns(0);
            }
            process.memory.write_word(flag, DONE)?;
            Ok(Reaction::Enter { function, arguments: [argument, 0, 0], result: Some(0) })
        },
        _ => return None,
    })
}

fn find_in_string(member: &str) -> Option<Stub> {
    Some(match member {
        "9push_backEc" => |process, arguments| {
            let [string, letter, ..] = arguments.registers;
            change(process, string, |content| content.push(letter.to_le_bytes()[0]))
        },
        "6appendEPKcm" => |process, arguments| {
            let [string, text, size, ..] = arguments.registers;
            let added = take(process, text, size)?;
            change(process, string, |content| content.extend_from_slice(&added))
        },
        "6appendEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let added = process.memory.text(text)?;
            change(process, string, |content| content.extend_from_slice(&added))
        },
        "6assignEPKcm" => |process, arguments| {
            let [string, text, size, ..] = arguments.registers;
            let new = take(process, text, size)?;
            change(process, string, |content| *content = new)
        },
        "6assignEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let new = process.memory.text(text)?;
            change(process, string, |content| *content = new)
        },
        "aSERKS5_" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let new = content(process, other)?;
            change(process, string, |content| *content = new)
        },
        "C1ERKS5_" | "C2ERKS5_" => |process, arguments| {
            let [string, other, ..] = arguments.registers;
            let new = content(process, other)?;
            put(process, string, &new)?;
            returns(string)
        },
        // From characters that do not fit into the object.
        "25__init_copy_ctor_externalEPKcm" | "6__initEPKcm" => |process, arguments| {
            let [string, text, size, ..] = arguments.registers;
            let new = take(process, text, size)?;
            put(process, string, &new)?;
            returns(string)
        },
        "6insertEmPKc" => |process, arguments| {
            let [string, at, text, ..] = arguments.registers;
            let new = process.memory.text(text)?;
            change(process, string, |content| {
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
                content.splice(at..at, new);
            })
        },
        "6insertEmPKcm" => |process, arguments| {
            let [string, at, text, size, ..] = arguments.registers;
            let new = take(process, text, size)?;
            change(process, string, |content| {
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
                content.splice(at..at, new);
            })
        },
        "6resizeEmc" => |process, arguments| {
            let [string, size, letter, ..] = arguments.registers;
            let size = usize::try_from(size.min(MAX_COPY)).unwrap_or(0);
            change(process, string, |content| content.resize(size, letter.to_le_bytes()[0]))
        },
        "7compareEPKc" => |process, arguments| {
            let [string, text, ..] = arguments.registers;
            let (own, other) = (content(process, string)?, process.memory.text(text)?);
            returns(order(own.cmp(&other)))
        },
        "D1Ev" | "D2Ev" => nothing,
        _ => return None,
    })
}

fn content(process: &mut Process<'_, '_, '_>, string: u64) -> Result<Vec<u8>, Stop> {
    let alternate = process.is_apple_aarch64();
    let bytes = process.memory.read::<24>(string)?;
    let (is_long, length, local, pointer) = if alternate {
        (bytes[23] & 0x80 != 0, bytes[23] & 0x7f, 0, 0)
    } else {
        (bytes[0] & 1 != 0, bytes[0] >> 1, 1, 16)
    };
    if is_long {
        let address = process.memory.word(string.wrapping_add(pointer))?;
        let size = process.memory.word(string.wrapping_add(SIZE))?;
        return take(process, address, size);
    }
    let local = bytes.get(local..).unwrap_or_default();
    Ok(local.get(..usize::from(length)).unwrap_or_default().to_vec())
}

fn put(process: &mut Process<'_, '_, '_>, string: u64, new: &[u8]) -> Result<(), Stop> {
    let alternate = process.is_apple_aarch64();
    if new.len() <= LOCAL_CAPACITY {
        let mut bytes = [0; 24];
        let length = u8::try_from(new.len()).unwrap_or(0);
        let start = usize::from(!alternate);
        bytes[start..start + new.len()].copy_from_slice(new);
        if alternate {
            bytes[23] = length;
        } else {
            bytes[0] = length << 1;
        }
        return Ok(process.memory.write(string, &bytes)?);
    }
    let capacity = (new.len() as u64 + 16) & !15;
    let block = process.memory.allocate(capacity)?;
    process.memory.write(block, new)?;
    process.memory.write(block.wrapping_add(new.len() as u64), &[0])?;
    let size = new.len() as u64;
    let words =
        if alternate { [block, size, capacity | 1 << 63] } else { [capacity | 1, size, block] };
    for (index, word) in words.into_iter().enumerate() {
        process.memory.write_word(string.wrapping_add(index as u64 * 8), word)?;
    }
    Ok(())
}

/// Changes what a string holds, and gives the string back.
fn change(
    process: &mut Process<'_, '_, '_>,
    string: u64,
    with: impl FnOnce(&mut Vec<u8>),
) -> Result<Reaction, Stop> {
    let mut new = content(process, string)?;
    with(&mut new);
    put(process, string, &new)?;
    returns(string)
}
