//! The string of libc++: three words. Up to 22 characters stand in the object itself.
//!
//! Where the mark and the length of such a short one lie depends on the processor (libc++,
//! `<string>`, `_LIBCPP_ABI_ALTERNATE_STRING_LAYOUT`, which Apple's 64-bit Arm has).

use super::{Layout, construct, stretch};
use crate::emulate::process::{Process, Stop};
use crate::emulate::runtime::{Stub, take};

/// What fits into the object itself.
const LOCAL_CAPACITY: usize = 22;
const SIZE: u64 = 8;

pub(super) struct LibCxx;

impl Layout for LibCxx {
    const CLASS: &'static str = "St3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEE";
    const OWN: &'static str = "S5_";
    const ALLOCATOR: &'static str = "S4_";

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

    fn find(member: &str) -> Option<Stub> {
        Some(match member {
            // From characters that do not fit into the object.
            "25__init_copy_ctor_externalEPKcm" | "6__initEPKcm" => |process, arguments| {
                let new = stretch(process, arguments, 1)?;
                construct::<Self>(process, arguments, &new)
            },
            _ => return None,
        })
    }
}
