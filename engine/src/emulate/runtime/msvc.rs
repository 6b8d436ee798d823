//! Microsoft's C and C++ runtime where it has names of its own, and what its compiler calls.

use std::cmp::Ordering;

use super::windows::{execute_once, waits, yes};
use super::{Stub, format, nothing, place, reallocate, returns};
use crate::emulate::memory::THREAD;
use crate::emulate::process::{Arguments, Process, Reaction, Stop};

/// Behind the thread's own block: `errno`, `_doserrno`, and the standard streams.
const ERRNO: u64 = THREAD + 0xa000;
const STREAMS: u64 = THREAD + 0xb000;
const STREAM_SIZE: u64 = 0x100;
/// What stands before the decorated name in the data of a `std::type_info`: a pointer, and a dot.
const TYPE_NAME: u64 = 9;
/// Options of `__stdio_common_vsprintf`: tell how long the text would be.
const STANDARD_RESULT: u64 = 2;
/// The size of a buffer that is large enough.
const UNLIMITED: u64 = u64::MAX;
/// The largest alignment that is given.
const MAX_ALIGN: u64 = 0x1_0000;

pub(super) fn find(name: &str) -> Option<Stub> {
    start_and_end(name)
        .or_else(|| c_runtime(name))
        .or_else(|| cxx_runtime(name))
        .or_else(|| decorated(name))
}

/// The start of the runtime, which is there already, and what it does when the process ends.
fn start_and_end(name: &str) -> Option<Stub> {
    Some(match name {
        "_crt_atexit"
        | "_crt_at_quick_exit"
        | "_register_onexit_function"
        | "_initialize_onexit_table"
        | "_cexit"
        | "_c_exit"
        | "__std_type_info_destroy_list"
        | "_configure_narrow_argv"
        | "_configure_wide_argv"
        | "_initialize_narrow_environment"
        | "_initialize_wide_environment"
        | "_set_invalid_parameter_handler"
        | "_set_purecall_handler" => nothing,
        // Initialisers, C++ constructors among them; those of the second kind may fail.
        "_initterm" => |process, arguments| {
            let [start, end, ..] = arguments.registers;
            process.in_turn(start, end, false)
        },
        "_initterm_e" => |process, arguments| {
            let [start, end, ..] = arguments.registers;
            process.in_turn(start, end, true)
        },
        "_invalid_parameter_noinfo_noreturn"
        | "_invalid_parameter_noinfo"
        | "_invoke_watson"
        | "terminate"
        | "__std_terminate"
        | "_purecall"
        | "_wassert"
        | "_assert"
        | "_amsg_exit" => |_, _| ends(),
        _ => return None,
    })
}

fn c_runtime(name: &str) -> Option<Stub> {
    Some(match name {
        "_errno" => |_, _| returns(ERRNO),
        "__doserrno" => |_, _| returns(ERRNO + 8),
        "__acrt_iob_func" => {
            |_, arguments| returns(STREAMS + (arguments.registers[0] & 3) * STREAM_SIZE)
        }
        // No output, and the first of two returns.
        "__stdio_common_vfprintf"
        | "__stdio_common_vfprintf_s"
        | "__stdio_common_vfwprintf"
        | "_setjmp"
        | "__intrinsic_setjmp"
        | "__intrinsic_setjmpex"
        | "_lock"
        | "_unlock"
        | "_lock_locales"
        | "_unlock_locales"
        | "_aligned_free"
        | "_free_base" => nothing,
        "__stdio_common_vsprintf" => |process, arguments| {
            let [options, buffer, size, text, ..] = arguments.registers;
            let list = arguments.get(&mut process.memory, 5)?;
            let text = format::listed(process, text, list)?;
            print(process, &text, [options, buffer, size])
        },
        "__stdio_common_vsprintf_s" => |process, arguments| {
            let [_, buffer, size, text, ..] = arguments.registers;
            let list = arguments.get(&mut process.memory, 5)?;
            let text = format::listed(process, text, list)?;
            put(process, buffer, size, &text)?;
            returns(text.len() as u64)
        },
        "__stdio_common_vsnprintf_s" => |process, arguments| {
            let [_, buffer, size, limit, ..] = arguments.registers;
            let text = arguments.get(&mut process.memory, 4)?;
            let list = arguments.get(&mut process.memory, 6)?;
            let text = format::listed(process, text, list)?;
            if text.len() as u64 > limit || text.len() as u64 >= size {
                return Err(Stop::Reason("the hook formats too long a text".to_owned()));
            }
            put(process, buffer, size, &text)?;
            returns(text.len() as u64)
        },
        "_malloc_base" => {
            |process, arguments| returns(process.memory.allocate(arguments.registers[0])?)
        }
        "_calloc_base" => |process, arguments| {
            let [count, size, ..] = arguments.registers;
            returns(process.memory.allocate(count.saturating_mul(size))?)
        },
        "_realloc_base" => |process, arguments| {
            let [old, size, ..] = arguments.registers;
            reallocate(process, old, size).map(Reaction::Return)
        },
        "_aligned_malloc" => |process, arguments| {
            let [size, align, ..] = arguments.registers;
            let align = align.clamp(16, MAX_ALIGN).next_power_of_two();
            let start = process.memory.allocate(size.saturating_add(align))?;
            returns(start.next_multiple_of(align))
        },
        "_strdup" => |process, arguments| {
            let text = process.memory.text(arguments.registers[0])?;
            returns(place(process, &text)?)
        },
        "_stricmp" => |process, arguments| compare(process, arguments, u64::MAX),
        "_strnicmp" => |process, arguments| compare(process, arguments, arguments.registers[2]),
        "strcpy_s" => |process, arguments| {
            let [to, size, from, ..] = arguments.registers;
            let text = process.memory.text(from)?;
            put(process, to, size, &text)
        },
        "strncpy_s" => |process, arguments| {
            let [to, size, from, limit, ..] = arguments.registers;
            let mut text = process.memory.text(from)?;
            text.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            put(process, to, size, &text)
        },
        "strcat_s" => |process, arguments| {
            let [to, size, from, ..] = arguments.registers;
            let text = [process.memory.text(to)?, process.memory.text(from)?].concat();
            put(process, to, size, &text)
        },
        "wcslen" => wide_length,
        "_time64" => |process, arguments| {
            let now = 1_700_000_000;
            if arguments.registers[0] != 0 {
                process.memory.write_word(arguments.registers[0], now)?;
            }
            returns(now)
        },
        _ => return None,
    })
}

fn cxx_runtime(name: &str) -> Option<Stub> {
    Some(match name {
        "_Mtx_init_in_situ"
        | "_Mtx_destroy_in_situ"
        | "_Mtx_lock"
        | "_Mtx_unlock"
        | "_Mtx_trylock"
        | "_Cnd_init_in_situ"
        | "_Cnd_destroy_in_situ"
        | "_Cnd_broadcast"
        | "_Cnd_signal" => nothing,
        "_Cnd_wait" => waits,
        "_Thrd_id" => yes,
        "_Thrd_hardware_concurrency" => |_, _| returns(4),
        // Nothing is unwound: whatever throws is brought to a good end by other choices, or not at
        // all.
        "_CxxThrowException" => |_, _| throws(),
        "__std_exception_copy" => copy_exception,
        "__std_exception_destroy" => |process, arguments| {
            let exception = arguments.registers[0];
            process.memory.write_word(exception, 0)?;
            process.memory.write(exception.wrapping_add(8), &[0])?;
            returns(0)
        },
        "__std_type_info_compare" => |process, arguments| {
            let [left, right, ..] = arguments.registers;
            let left = process.memory.text(left.wrapping_add(TYPE_NAME))?;
            let right = process.memory.text(right.wrapping_add(TYPE_NAME))?;
            returns(order(left.cmp(&right)))
        },
        // FNV-1a, folded once.
        "__std_type_info_hash" => |process, arguments| {
            let name = process.memory.text(arguments.registers[0].wrapping_add(TYPE_NAME))?;
            let hash = name.into_iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
            returns(hash ^ hash >> 32)
        },
        // For people to read: the name as it is decorated, which the real function takes apart.
        "__std_type_info_name" => {
            |_, arguments| returns(arguments.registers[0].wrapping_add(TYPE_NAME))
        }
        _ => return None,
    })
}

/// Names as the compiler decorates them: `operator new` and `operator delete` in all their forms,
/// the functions by which the library throws, and `std::_Execute_once`.
fn decorated(name: &str) -> Option<Stub> {
    Some(match name.strip_prefix('?')? {
        name if name.starts_with("?2@YAPEAX_K") || name.starts_with("?_U@YAPEAX_K") => {
            |process, arguments| returns(process.memory.allocate(arguments.registers[0])?)
        }
        name if name.starts_with("?3@YAXPEAX") || name.starts_with("?_V@YAXPEAX") => nothing,
        name if (name.starts_with("_X") || name.starts_with("_Throw_C"))
            && name.contains("@std@@YAX") =>
        {
            |_, _| throws()
        }
        name if name.starts_with("_Execute_once@std@@") => |process, arguments| {
            let [once, function, parameter, ..] = arguments.registers;
            execute_once(process, once, function, [parameter, 0])
        },
        _ => return None,
    })
}

fn throws() -> Result<Reaction, Stop> {
    Err(Stop::Failure("the hook throws an exception".to_owned()))
}

fn ends() -> Result<Reaction, Stop> {
    Err(Stop::Failure("the hook ends the process".to_owned()))
}

/// `__stdio_common_vsprintf`: what does not fit is cut off.
fn print(
    process: &mut Process<'_, '_, '_>,
    text: &[u8],
    [options, buffer, size]: [u64; 3],
) -> Result<Reaction, Stop> {
    let length = text.len() as u64;
    if length < size {
        put(process, buffer, UNLIMITED, text)?;
    } else if options & STANDARD_RESULT == 0 {
        return Err(Stop::Reason("the hook formats too long a text".to_owned()));
    } else if let Some(room) = size.checked_sub(1) {
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(text.len());
        put(process, buffer, UNLIMITED, &text[..room])?;
    }
    returns(length)
}

/// Puts a text where there is so much room, and reports success. One that does not fit ends the
/// process.
fn put(
    process: &mut Process<'_, '_, '_>,
    to: u64,
    size: u64,
    text: &[u8],
) -> Result<Reaction, Stop> {
    if text.len() as u64 >= size {
        return ends();
    }
    process.memory.write(to, text)?;
    process.memory.write(to.wrapping_add(text.len() as u64), &[0])?;
    returns(0)
}

/// Whatever the case of letters.
fn compare(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    limit: u64,
) -> Result<Reaction, Stop> {
    let mut text = |address| -> Result<Vec<u8>, Stop> {
        let mut text = process.memory.text(address)?.to_ascii_lowercase();
        text.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(text)
    };
    let (left, right) = (text(arguments.registers[0])?, text(arguments.registers[1])?);
    returns(order(left.cmp(&right)))
}

fn wide_length(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    for length in 0..1 << 16 {
        if process.memory.read::<2>(arguments.registers[0].wrapping_add(length * 2))? == [0, 0] {
            return returns(length);
        }
    }
    Err(Stop::Reason("the hook reads a text without an end".to_owned()))
}

/// A pointer to the text, and whether it is one's own.
fn copy_exception(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
) -> Result<Reaction, Stop> {
    let [from, to, ..] = arguments.registers;
    let text = process.memory.word(from)?;
    let [is_own] = process.memory.read::<1>(from.wrapping_add(8))?;
    let is_copied = is_own != 0 && text != 0;
    let copy = if is_copied {
        let text = process.memory.text(text)?;
        place(process, &text)?
    } else {
        text
    };
    process.memory.write_word(to, copy)?;
    process.memory.write(to.wrapping_add(8), &[u8::from(is_copied)])?;
    returns(0)
}

fn order(ordering: Ordering) -> u64 {
    match ordering {
        Ordering::Less => u64::from(u32::MAX),
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}
