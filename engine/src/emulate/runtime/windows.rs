//! The system beneath the runtime on Windows: locks, slots, heaps, libraries, clocks.
//!
//! There is one thread, so that locks are free and nothing waits.

use super::{Stub, nothing, reallocate, returns};
use crate::emulate::memory::THREAD;
use crate::emulate::objects::PLAIN;
use crate::emulate::process::{Arguments, Outcome, Process, Reaction, Stop};
use crate::image::BASE;

/// In the thread's own block (`winternl.h`): the last error, and the slots of `TlsAlloc`.
const LAST_ERROR: u64 = THREAD + 0x68;
const SLOTS: u64 = THREAD + 0x1480;
const SLOT_COUNT: u64 = 64;
/// Behind everything that the system keeps there: the next free slot of either kind, and the slots
/// of `FlsAlloc`.
const NEXT_SLOT: u64 = THREAD + 0x9000;
const NEXT_FIBER_SLOT: u64 = THREAD + 0x9008;
const FIBER_SLOTS: u64 = THREAD + 0x9100;
/// The first slots are taken by the interpreter and what it needs.
const FIRST_SLOT: u64 = 8;
/// `TLS_OUT_OF_INDEXES`
const OUT_OF_INDEXES: u64 = 0xffff_ffff;

/// `ERROR_ENVVAR_NOT_FOUND`
const NO_VARIABLE: u64 = 203;
/// `ERROR_INSUFFICIENT_BUFFER`
const INSUFFICIENT_BUFFER: u64 = 122;
/// The processors there are, one bit for each.
const PROCESSORS: u64 = 0xf;
/// `VirtualAlloc` gives out addresses that are multiples of this.
const GRANULARITY: u64 = 0x1_0000;
const PAGE_READWRITE: u32 = 4;
/// A flag of `GetModuleHandleEx`: the library that has the address.
const FROM_ADDRESS: u64 = 4;
/// Flags of `InitOnceBeginInitialize` and `InitOnceComplete`.
const CHECK_ONLY: u64 = 1;
const INIT_FAILED: u64 = 4;
/// The lowest bits of an `INIT_ONCE`: what it is for is done. The others are the context.
const ONCE_DONE: u64 = 2;
const ONCE_BITS: u64 = 3;
/// Some day in 2026, in tenths of a microsecond since 1601.
const FILE_TIME: u64 = 0x01dc_7b00_0000_0000;
/// What `QueryPerformanceCounter` counts in a second on Windows 10.
const FREQUENCY: u64 = 10_000_000;

pub(super) fn find(name: &str) -> Option<Stub> {
    locks(name).or_else(|| slots(name)).or_else(|| memory(name)).or_else(|| system(name))
}

fn locks(name: &str) -> Option<Stub> {
    Some(match name {
        "AcquireSRWLockExclusive"
        | "AcquireSRWLockShared"
        | "ReleaseSRWLockExclusive"
        | "ReleaseSRWLockShared"
        | "InitializeCriticalSection"
        | "EnterCriticalSection"
        | "LeaveCriticalSection"
        | "DeleteCriticalSection"
        | "WakeAllConditionVariable"
        | "WakeConditionVariable" => nothing,
        "TryAcquireSRWLockExclusive"
        | "TryAcquireSRWLockShared"
        | "TryEnterCriticalSection"
        | "InitializeCriticalSectionEx"
        | "InitializeCriticalSectionAndSpinCount" => yes,
        "InitializeSRWLock" | "InitializeConditionVariable" | "InitOnceInitialize" => {
            |process, arguments| {
                process.memory.write_word(arguments.registers[0], 0)?;
                returns(0)
            }
        }
        "SleepConditionVariableSRW" | "SleepConditionVariableCS" => waits,
        "InitOnceExecuteOnce" => |process, arguments| {
            let [once, function, parameter, context, ..] = arguments.registers;
            execute_once(process, once, function, [parameter, context])
        },
        "InitOnceBeginInitialize" | "__std_init_once_begin_initialize" => begin_once,
        "InitOnceComplete" | "__std_init_once_complete" => |process, arguments| {
            let [once, flags, context, ..] = arguments.registers;
            let state = if flags & INIT_FAILED == 0 { context & !ONCE_BITS | ONCE_DONE } else { 0 };
            process.memory.write_word(once, state)?;
            returns(1)
        },
        // Events, semaphores and mutexes of the system. Waiting for one is not followed.
        "CreateEventA" | "CreateEventW" | "CreateSemaphoreA" | "CreateSemaphoreW"
        | "CreateMutexA" | "CreateMutexW" => |process, _| returns(process.memory.object(PLAIN)),
        "SetEvent" | "ResetEvent" | "ReleaseSemaphore" | "ReleaseMutex" => yes,
        "DuplicateHandle" => |process, arguments| {
            let [_, handle, _, target, ..] = arguments.registers;
            process.memory.write_word(target, handle)?;
            returns(1)
        },
        "GetThreadPriority" => nothing,
        "AddVectoredExceptionHandler" => |process, _| returns(process.memory.object(PLAIN)),
        "InitializeSListHead" => |process, arguments| {
            process.memory.write(arguments.registers[0], &[0; 16])?;
            returns(0)
        },
        _ => return None,
    })
}

fn slots(name: &str) -> Option<Stub> {
    Some(match name {
        "GetLastError" => |process, _| {
            let bytes = process.memory.read::<4>(LAST_ERROR)?;
            returns(u64::from(u32::from_le_bytes(bytes)))
        },
        "SetLastError" => |process, arguments| {
            set_error(process, arguments.registers[0])?;
            returns(0)
        },
        "TlsAlloc" => |process, _| new_slot(process, NEXT_SLOT),
        "FlsAlloc" => |process, _| new_slot(process, NEXT_FIBER_SLOT),
        "TlsGetValue" => |process, arguments| get_slot(process, arguments, SLOTS),
        "FlsGetValue" => |process, arguments| get_slot(process, arguments, FIBER_SLOTS),
        "TlsSetValue" => |process, arguments| set_slot(process, arguments, SLOTS),
        "FlsSetValue" => |process, arguments| set_slot(process, arguments, FIBER_SLOTS),
        "TlsFree" | "FlsFree" => yes,
        _ => return None,
    })
}

fn memory(name: &str) -> Option<Stub> {
    Some(match name {
        "GetProcessHeap" => |process, _| returns(process.singleton("heap", PLAIN)),
        "HeapCreate" => |process, _| returns(process.memory.object(PLAIN)),
        "HeapAlloc" => {
            |process, arguments| returns(process.memory.allocate(arguments.registers[2])?)
        }
        "HeapReAlloc" => |process, arguments| {
            let [_, _, old, size, ..] = arguments.registers;
            reallocate(process, old, size).map(Reaction::Return)
        },
        "LocalAlloc" | "GlobalAlloc" => {
            |process, arguments| returns(process.memory.allocate(arguments.registers[1])?)
        }
        "VirtualAlloc" => |process, arguments| {
            let [address, size, ..] = arguments.registers;
            if address != 0 {
                // It was reserved before.
                return returns(address);
            }
            let start = process.memory.allocate(size.saturating_add(GRANULARITY))?;
            returns(start.next_multiple_of(GRANULARITY))
        },
        "VirtualProtect" => |process, arguments| {
            process.memory.write(arguments.registers[3], &PAGE_READWRITE.to_le_bytes())?;
            returns(1)
        },
        "HeapFree" | "HeapDestroy" | "VirtualFree" => yes,
        "LocalFree" | "GlobalFree" => nothing,
        _ => return None,
    })
}

fn system(name: &str) -> Option<Stub> {
    Some(match name {
        "GetModuleHandleA" | "GetModuleHandleW" | "LoadLibraryA" | "LoadLibraryW"
        | "LoadLibraryExA" | "LoadLibraryExW" => |process, _| {
            let library = process.memory.object(PLAIN);
            returns(process.choose(library, 0))
        },
        "GetModuleHandleExA" | "GetModuleHandleExW" => module_handle,
        "GetProcAddress" => get_address,
        "FreeLibrary" | "CloseHandle" | "DisableThreadLibraryCalls" | "RevertToSelf" => yes,
        "IsDebuggerPresent"
        | "Sleep"
        | "SwitchToThread"
        | "OutputDebugStringA"
        | "OutputDebugStringW"
        | "SetErrorMode"
        | "SetUnhandledExceptionFilter" => nothing,
        // Pseudo-handles.
        "GetCurrentProcess" => |_, _| returns(u64::MAX),
        "GetCurrentThread" => |_, _| returns(u64::MAX - 1),
        "GetCurrentProcessId" => |_, _| returns(0x1a4),
        "GetCurrentThreadId" => |_, _| returns(0x1a8),
        // Any change that can be undone does.
        "EncodePointer" | "DecodePointer" | "RtlEncodePointer" | "RtlDecodePointer" => {
            |_, arguments| returns(arguments.registers[0])
        }
        "QueryPerformanceFrequency" => |process, arguments| {
            process.memory.write_word(arguments.registers[0], FREQUENCY)?;
            returns(1)
        },
        "QueryPerformanceCounter" => |process, arguments| {
            process.memory.write_word(arguments.registers[0], 86_400 * FREQUENCY)?;
            returns(1)
        },
        "GetSystemTimeAsFileTime" | "GetSystemTimePreciseAsFileTime" => |process, arguments| {
            process.memory.write_word(arguments.registers[0], FILE_TIME)?;
            returns(0)
        },
        "GetTickCount" | "GetTickCount64" => |_, _| returns(86_400_000),
        "IsProcessorFeaturePresent" => |process, _| returns(process.choose(1, 0)),
        "GetSystemInfo" | "GetNativeSystemInfo" => system_info,
        "GetLogicalProcessorInformationEx" => processors,
        "GetProcessAffinityMask" => |process, arguments| {
            for place in [arguments.registers[1], arguments.registers[2]] {
                process.memory.write_word(place, PROCESSORS)?;
            }
            returns(1)
        },
        // What the process may do, which the system's owner decides.
        "OpenProcessToken" => |process, arguments| {
            let token = process.memory.object(PLAIN);
            process.memory.write_word(arguments.registers[2], token)?;
            returns(process.choose(1, 0))
        },
        "LookupPrivilegeValueA" | "LookupPrivilegeValueW" => |process, arguments| {
            process.memory.write_word(arguments.registers[2], 20)?;
            returns(process.choose(1, 0))
        },
        "AdjustTokenPrivileges" => |process, _| {
            set_error(process, 0)?;
            returns(process.choose(1, 0))
        },
        "RtlGetVersion" => |process, arguments| {
            // Major, minor, build, platform. The interpreter needs Windows 10, and later ones call
            // themselves the same.
            for (offset, value) in [(4, 10), (8, 0), (12, 19_045_u32), (16, 2)] {
                let place = arguments.registers[0].wrapping_add(offset);
                process.memory.write(place, &value.to_le_bytes())?;
            }
            returns(0)
        },
        // No environment, as elsewhere.
        "GetEnvironmentVariableA" | "GetEnvironmentVariableW" => |process, _| {
            set_error(process, NO_VARIABLE)?;
            returns(0)
        },
        "ExitProcess" | "TerminateProcess" | "FatalExit" | "RaiseFailFastException" => {
            |_, _| Err(Stop::Failure("the hook ends the process".to_owned()))
        }
        "RaiseException" | "RtlRaiseStatus" => {
            |_, _| Err(Stop::Failure("the hook throws an exception".to_owned()))
        }
        _ => return None,
    })
}

/// Reports success, as functions of the system do.
pub(super) fn yes(_: &mut Process<'_, '_, '_>, _: &Arguments) -> Result<Reaction, Stop> {
    returns(1)
}

pub(super) fn waits(_: &mut Process<'_, '_, '_>, _: &Arguments) -> Result<Reaction, Stop> {
    Err(Stop::Failure("the hook waits for another thread".to_owned()))
}

/// `InitOnceExecuteOnce`: the function says whether it did well. What it leaves in the context is
/// not kept.
pub(super) fn execute_once(
    process: &mut Process<'_, '_, '_>,
    once: u64,
    function: u64,
    [parameter, context]: [u64; 2],
) -> Result<Reaction, Stop> {
    if process.memory.word(once)? & ONCE_BITS == ONCE_DONE {
        if context != 0 {
            return Err(Stop::Reason("the hook asks what was initialised before".to_owned()));
        }
        return returns(1);
    }
    process.memory.write_word(once, ONCE_DONE)?;
    Ok(Reaction::Enter { function, arguments: [once, parameter, context], result: None })
}

/// `InitOnceBeginInitialize`: says whether it is still to be done, and what was left when it was.
fn begin_once(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [once, flags, pending, context, ..] = arguments.registers;
    let state = process.memory.word(once)?;
    let is_done = state & ONCE_BITS == ONCE_DONE;
    if !is_done && flags & CHECK_ONLY != 0 {
        return returns(0);
    }
    process.memory.write(pending, &u32::from(!is_done).to_le_bytes())?;
    if is_done && context != 0 {
        process.memory.write_word(context, state & !ONCE_BITS)?;
    }
    returns(1)
}

fn set_error(process: &mut Process<'_, '_, '_>, error: u64) -> Result<(), Stop> {
    let [a, b, c, d, ..] = error.to_le_bytes();
    Ok(process.memory.write(LAST_ERROR, &[a, b, c, d])?)
}

/// Slots are zero when they are given out, as none is taken back.
fn new_slot(process: &mut Process<'_, '_, '_>, counter: u64) -> Result<Reaction, Stop> {
    let slot = process.memory.word(counter)?.max(FIRST_SLOT);
    if slot >= SLOT_COUNT {
        return returns(OUT_OF_INDEXES);
    }
    process.memory.write_word(counter, slot + 1)?;
    returns(slot)
}

fn slot(arguments: &Arguments, slots: u64) -> Outcome {
    let index = arguments.registers[0] & u64::from(u32::MAX);
    if index >= SLOT_COUNT {
        return Err(Stop::Failure("the hook uses a slot that no thread has".to_owned()));
    }
    Ok(slots + index * 8)
}

fn get_slot(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    slots: u64,
) -> Result<Reaction, Stop> {
    let value = process.memory.word(slot(arguments, slots)?)?;
    set_error(process, 0)?;
    returns(value)
}

fn set_slot(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    slots: u64,
) -> Result<Reaction, Stop> {
    process.memory.write_word(slot(arguments, slots)?, arguments.registers[1])?;
    returns(1)
}

fn module_handle(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
) -> Result<Reaction, Stop> {
    let [flags, address, handle, ..] = arguments.registers;
    let own = process.memory.in_image(address).filter(|_| flags & FROM_ADDRESS != 0);
    let library = match own {
        // Handles are where libraries begin.
        Some((_, place)) => address - (place - BASE),
        None => process.memory.object(PLAIN),
    };
    process.memory.write_word(handle, library)?;
    returns(if own.is_some() { 1 } else { process.choose(1, 0) })
}

/// Functions that are followed can be got hold of in this way too.
fn get_address(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let name = arguments.registers[1];
    if let Ok(number) = u16::try_from(name) {
        return Err(Stop::Reason(format!("the hook looks up function {number} of a library")));
    }
    let name = process.memory.text(name)?;
    let address = process.memory.symbol(&String::from_utf8_lossy(&name));
    returns(process.choose(address, 0))
}

/// `SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX`: one package with all processors in it. Other
/// relations between them are not followed.
fn processors(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    const PACKAGE: u64 = 3;
    const SIZE: u32 = 48;
    let [relation, buffer, length, ..] = arguments.registers;
    if relation & u64::from(u32::MAX) != PACKAGE {
        return Err(Stop::Reason("the hook asks how processors belong together".to_owned()));
    }
    let room = u32::from_le_bytes(process.memory.read::<4>(length)?);
    process.memory.write(length, &SIZE.to_le_bytes())?;
    if room < SIZE {
        set_error(process, INSUFFICIENT_BUFFER)?;
        return returns(0);
    }
    let mut record = [0; SIZE as usize];
    // The relation and the size, 22 bytes of which none matters, the number of groups and the
    // processors of the first.
    record[0] = 3;
    record[4..8].copy_from_slice(&SIZE.to_le_bytes());
    record[30] = 1;
    record[32..40].copy_from_slice(&PROCESSORS.to_le_bytes());
    process.memory.write(buffer, &record)?;
    returns(1)
}

/// `SYSTEM_INFO`: what differs from system to system is not what a hook decides by.
fn system_info(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let (page, granularity) = (0x1000_u32, 0x1_0000_u32);
    let mut info = [0; 48];
    // PROCESSOR_ARCHITECTURE_AMD64, pages, the lowest and the highest address, the processors, the
    // granularity of allocations.
    info[0] = 9;
    info[4..8].copy_from_slice(&page.to_le_bytes());
    info[8..16].copy_from_slice(&GRANULARITY.to_le_bytes());
    info[16..24].copy_from_slice(&0x7fff_fffe_ffff_u64.to_le_bytes());
    info[24..32].copy_from_slice(&PROCESSORS.to_le_bytes());
    info[32..36].copy_from_slice(&PROCESSORS.count_ones().to_le_bytes());
    info[40..44].copy_from_slice(&granularity.to_le_bytes());
    process.memory.write(arguments.registers[0], &info)?;
    returns(0)
}
