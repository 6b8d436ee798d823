//! Memory: `malloc` and its kin, `operator new`, mappings.

use super::{MAX_COPY, Stub, nothing, returns};
use crate::emulate::process::{Arguments, Outcome, Process, Reaction, Stop};

pub(super) fn find(name: &str) -> Option<Stub> {
    Some(match name {
        "malloc" | "valloc" => malloc,
        "calloc" => calloc,
        "realloc" | "reallocf" => |process, arguments| {
            let [old, size, ..] = arguments.registers;
            reallocate(process, old, size).map(Reaction::Return)
        },
        "reallocarray" => |process, arguments| {
            let [old, count, size, ..] = arguments.registers;
            reallocate(process, old, count.saturating_mul(size)).map(Reaction::Return)
        },
        "aligned_alloc" | "memalign" | "mmap" | "mmap64" => {
            |process, arguments| returns(process.memory.allocate_aligned(arguments.registers[1])?)
        }
        "posix_memalign" => |process, arguments| {
            let [place, _, size, ..] = arguments.registers;
            let address = process.memory.allocate_aligned(size)?;
            process.memory.write_word(place, address)?;
            returns(0)
        },
        "free" | "cfree" | "munmap" | "mprotect" | "madvise" | "malloc_trim" | "mlock" => nothing,
        // The Itanium C++ ABI's `operator new` and `operator delete`, in all their forms.
        name if name.starts_with("_Znwm") || name.starts_with("_Znam") => malloc,
        name if name.starts_with("_ZdlPv") || name.starts_with("_ZdaPv") => nothing,
        _ => return None,
    })
}

/// How much of an old block is copied at once.
const CHUNK: usize = 256;

fn malloc(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    returns(process.memory.allocate(arguments.registers[0])?)
}

fn calloc(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [count, size, ..] = arguments.registers;
    returns(process.memory.allocate(count.saturating_mul(size))?)
}

/// A new block that begins like the old one. The old one's size is not known, so as much is copied
/// as can be read.
pub(in crate::emulate) fn reallocate(
    process: &mut Process<'_, '_, '_>,
    old: u64,
    size: u64,
) -> Outcome {
    let new = process.memory.allocate(size)?;
    if old == 0 {
        return Ok(new);
    }
    if size > MAX_COPY {
        return Err(Stop::Reason("the hook copies too much memory".to_owned()));
    }
    let mut offset = 0;
    while offset < size {
        let mut chunk = [0; CHUNK];
        let length = size.saturating_sub(offset).min(CHUNK as u64);
        let part = chunk.get_mut(..usize::try_from(length).unwrap_or(CHUNK)).unwrap_or_default();
        if process.memory.read_into(old.wrapping_add(offset), part).is_err() {
            break;
        }
        process.memory.write(new + offset, part)?;
        offset += length;
    }
    // What cannot be read as a whole may begin with what can.
    for offset in offset..size.min(offset + CHUNK as u64) {
        let Ok([byte]) = process.memory.read::<1>(old.wrapping_add(offset)) else { break };
        process.memory.write(new + offset, &[byte])?;
    }
    Ok(new)
}
