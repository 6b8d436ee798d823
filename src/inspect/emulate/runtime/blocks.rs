//! Memory: `malloc` and its kin, `operator new`, mappings.

use super::{MAX_COPY, Stub, nothing, returns};
use crate::inspect::emulate::process::{Arguments, Outcome, Process, Reaction, Stop};

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

fn malloc(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    returns(process.memory.allocate(arguments.registers[0])?)
}

fn calloc(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [count, size, ..] = arguments.registers;
    returns(process.memory.allocate(count.saturating_mul(size))?)
}

/// A new block that begins like the old one. The old one's size is not known, so as much is copied
/// as can be read.
pub(in crate::inspect::emulate) fn reallocate(
    process: &mut Process<'_, '_, '_>,
    old: u64,
    size: u64,
) -> Outcome {
    let new = process.memory.allocate(size)?;
    if old != 0 {
        for offset in 0..size.min(MAX_COPY) {
            let Ok([byte]) = process.memory.read::<1>(old.wrapping_add(offset)) else { break };
            process.memory.write(new + offset, &[byte])?;
        }
    }
    Ok(new)
}
