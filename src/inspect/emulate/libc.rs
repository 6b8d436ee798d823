//! The C and C++ runtime, as far as init functions call it.

use super::memory::THREAD;
use super::process::{Arguments, Outcome, Process, Reaction, Stop};

/// Copies and fills larger than this are no part of an init function.
const MAX_COPY: u64 = 1 << 24;

/// Whether a name is one of those that [`call`] follows.
pub(super) fn knows(name: &str) -> bool {
    NAMES.contains(&name)
}

const NAMES: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "free",
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
    "strlen",
    "strcmp",
    "strncmp",
    "strcpy",
    "strncpy",
    "strchr",
    "strrchr",
    "strstr",
    "strdup",
    "getenv",
    "secure_getenv",
    "_Znwm",
    "_Znam",
    "_ZnwmSt11align_val_t",
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdlPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t",
    "_ZnwmRKSt9nothrow_t",
    "__cxa_guard_acquire",
    "__cxa_guard_release",
    "__cxa_guard_abort",
    "__cxa_atexit",
    "atexit",
    "__cxa_thread_atexit_impl",
    "__cxa_thread_atexit",
    "pthread_mutex_lock",
    "pthread_mutex_unlock",
    "pthread_mutex_init",
    "pthread_mutex_destroy",
    "pthread_key_create",
    "pthread_setspecific",
    "pthread_getspecific",
    "pthread_once",
    "_tlv_bootstrap",
    "pthread_self",
    "__tls_get_addr",
    "__stack_chk_fail",
    "abort",
    "exit",
    "_exit",
    "__assert_fail",
    "snprintf",
    "__snprintf_chk",
    "vsnprintf",
    "__vsnprintf_chk",
    "__memcpy_chk",
    "__memset_chk",
    "__memmove_chk",
    "__strcpy_chk",
    "fprintf",
    "__fprintf_chk",
    "fputs",
    "fwrite",
    "printf",
    "__printf_chk",
    "puts",
    "putchar",
    "fputc",
    "fflush",
    "pthread_atfork",
    "__register_atfork",
    "__cxa_finalize",
    "posix_memalign",
    "aligned_alloc",
    "__errno_location",
    "__error",
    "bzero",
    "__bzero",
    "memset_pattern4",
    "memset_pattern8",
    "memset_pattern16",
];

/// What a function of the runtime gives back; `None` where `name` is none that is followed.
pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    knows(name).then(|| runtime(process, name, arguments))
}

/// Functions that call one that they are given.
pub(super) fn enter(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Result<Reaction, Stop>> {
    let [first, second, ..] = arguments.registers;
    match name {
        // The word counts nothing but "not yet" and "done".
        "pthread_once" => Some(once(process, first, second)),
        _ => None,
    }
}

fn once(process: &mut Process<'_, '_, '_>, control: u64, function: u64) -> Result<Reaction, Stop> {
    let [done] = process.memory.read::<1>(control)?;
    if done == ONCE_DONE {
        return Ok(Reaction::Return(0));
    }
    process.memory.write(control, &[ONCE_DONE])?;
    Ok(Reaction::Enter { function, arguments: [0; 3], result: Some(0) })
}

/// What `pthread_once` leaves behind; no system's initial value begins so.
const ONCE_DONE: u8 = 2;

#[expect(clippy::too_many_lines, reason = "one arm for each function")]
fn runtime(process: &mut Process<'_, '_, '_>, name: &str, arguments: &Arguments) -> Outcome {
    let [first, second, third, ..] = arguments.registers;
    match name {
        "malloc" | "_Znwm" | "_Znam" | "_ZnwmSt11align_val_t" | "_ZnwmRKSt9nothrow_t" => {
            Ok(process.memory.allocate(first)?)
        }
        "calloc" => Ok(process.memory.allocate(first.saturating_mul(second))?),
        "aligned_alloc" => Ok(process.memory.allocate(second)?),
        "realloc" => reallocate(process, first, second),
        "posix_memalign" => {
            let address = process.memory.allocate(third)?;
            process.memory.write_word(first, address)?;
            Ok(0)
        }
        "memcpy" | "memmove" | "__memcpy_chk" | "__memmove_chk" => {
            let bytes = take(process, second, third)?;
            process.memory.write(first, &bytes)?;
            Ok(first)
        }
        "memset" | "__memset_chk" => {
            let size = usize::try_from(third.min(MAX_COPY + 1)).unwrap_or(usize::MAX);
            if third > MAX_COPY {
                return Err(Stop::Reason("the hook fills too much memory".to_owned()));
            }
            process.memory.write(first, &vec![second.to_le_bytes()[0]; size])?;
            Ok(first)
        }
        "bzero" | "__bzero" => {
            if second > MAX_COPY {
                return Err(Stop::Reason("the hook fills too much memory".to_owned()));
            }
            let size = usize::try_from(second).unwrap_or(0);
            process.memory.write(first, &vec![0; size])?;
            Ok(0)
        }
        // macOS: so many bytes of a repeated pattern, whose length the name says (<string.h>).
        "memset_pattern4" | "memset_pattern8" | "memset_pattern16" => {
            let length = match name {
                "memset_pattern4" => 4,
                "memset_pattern8" => 8,
                _ => 16,
            };
            if third > MAX_COPY {
                return Err(Stop::Reason("the hook fills too much memory".to_owned()));
            }
            let pattern = take(process, second, length)?;
            let size = usize::try_from(third).unwrap_or(0);
            let bytes: Vec<u8> = pattern.into_iter().cycle().take(size).collect();
            process.memory.write(first, &bytes)?;
            Ok(0)
        }
        "memcmp" | "bcmp" => {
            let (left, right) = (take(process, first, third)?, take(process, second, third)?);
            Ok(order(left.cmp(&right)))
        }
        "strlen" => Ok(process.memory.text(first)?.len() as u64),
        "strcmp" | "strncmp" => {
            let (mut left, mut right) = (process.memory.text(first)?, process.memory.text(second)?);
            if name == "strncmp" {
                let limit = usize::try_from(third).unwrap_or(usize::MAX);
                left.truncate(limit);
                right.truncate(limit);
            }
            Ok(order(left.cmp(&right)))
        }
        "strcpy" | "__strcpy_chk" => {
            let mut text = process.memory.text(second)?;
            text.push(0);
            process.memory.write(first, &text)?;
            Ok(first)
        }
        "strncpy" => {
            let mut text = process.memory.text(second)?;
            if third > MAX_COPY {
                return Err(Stop::Reason("the hook fills too much memory".to_owned()));
            }
            text.resize(usize::try_from(third).unwrap_or(0), 0);
            process.memory.write(first, &text)?;
            Ok(first)
        }
        "strchr" | "strrchr" => {
            let text = process.memory.text(first)?;
            let wanted = second.to_le_bytes()[0];
            let at = match name {
                _ if wanted == 0 => Some(text.len()),
                "strchr" => text.iter().position(|byte| *byte == wanted),
                _ => text.iter().rposition(|byte| *byte == wanted),
            };
            Ok(at.map_or(0, |at| first + at as u64))
        }
        "strstr" => {
            let (text, wanted) = (process.memory.text(first)?, process.memory.text(second)?);
            let at = if wanted.is_empty() {
                Some(0)
            } else {
                text.windows(wanted.len()).position(|part| part == wanted)
            };
            Ok(at.map_or(0, |at| first + at as u64))
        }
        "strdup" => {
            let mut text = process.memory.text(first)?;
            text.push(0);
            let address = process.memory.allocate(text.len() as u64)?;
            process.memory.write(address, &text)?;
            Ok(address)
        }
        // The Itanium C++ ABI: the first byte says whether the object is there already.
        "__cxa_guard_acquire" => {
            let [done] = process.memory.read::<1>(first)?;
            Ok(u64::from(done == 0))
        }
        "__cxa_guard_release" => {
            process.memory.write(first, &[1])?;
            Ok(0)
        }
        "pthread_self" => Ok(THREAD),
        // A pair of words: whose data, and how far into it (ELF Handling for Thread-Local Storage).
        "__tls_get_addr" => {
            let (module, offset) =
                (process.memory.word(first)?, process.memory.word(first.wrapping_add(8))?);
            let index = usize::try_from(module.wrapping_sub(1)).unwrap_or(usize::MAX);
            thread_local(process, index, offset)
        }
        // A descriptor: this function, a key, and how far into the library's data (dyld, and
        // <mach-o/loader.h> on S_THREAD_LOCAL_VARIABLES).
        "_tlv_bootstrap" => {
            let offset = process.memory.word(first.wrapping_add(16))?;
            let index = process.memory.in_image(first).map_or(usize::MAX, |(index, _)| index);
            thread_local(process, index, offset)
        }
        "__errno_location" | "__error" => Ok(THREAD + 0x800),
        "__stack_chk_fail" | "abort" | "exit" | "_exit" | "__assert_fail" => {
            Err(Stop::Failure("the hook ends the process".to_owned()))
        }
        // No environment, no output, and locks that nobody else holds.
        _ => Ok(0),
    }
}

fn thread_local(process: &Process<'_, '_, '_>, index: usize, offset: u64) -> Outcome {
    process.memory.thread_block(index).map(|block| block.wrapping_add(offset)).ok_or_else(|| {
        Stop::Reason("the hook uses thread-local data that no library has".to_owned())
    })
}

/// A new block that begins like the old one. The old one's size is not known, so as much is copied
/// as can be read.
pub(super) fn reallocate(process: &mut Process<'_, '_, '_>, old: u64, size: u64) -> Outcome {
    let new = process.memory.allocate(size)?;
    if old != 0 {
        for offset in 0..size.min(MAX_COPY) {
            let Ok([byte]) = process.memory.read::<1>(old.wrapping_add(offset)) else { break };
            process.memory.write(new + offset, &[byte])?;
        }
    }
    Ok(new)
}

fn take(process: &mut Process<'_, '_, '_>, address: u64, size: u64) -> Result<Vec<u8>, Stop> {
    if size > MAX_COPY {
        return Err(Stop::Reason("the hook copies too much memory".to_owned()));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    process.memory.read_into(address, &mut bytes)?;
    Ok(bytes)
}

fn order(ordering: std::cmp::Ordering) -> u64 {
    match ordering {
        std::cmp::Ordering::Less => u64::from(u32::MAX),
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }
}
