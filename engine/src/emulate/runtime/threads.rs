//! Threads: locks that nobody else holds, keys, once-only calls, thread-local data.

use super::{Stub, nothing, returns};
use crate::emulate::memory::THREAD;
use crate::emulate::process::{Arguments, Process, Reaction, Stop};

pub(super) fn find(name: &str) -> Option<Stub> {
    Some(match name {
        "pthread_once" | "__pthread_once" => once,
        "pthread_key_create" | "__pthread_key_create" => |process, arguments| {
            process.thread_keys += 1;
            let key = process.thread_keys.to_le_bytes();
            let width = if process.keys_are_words() { 8 } else { 4 };
            process.memory.write(arguments.registers[0], &key[..width])?;
            returns(0)
        },
        "pthread_setspecific" => |process, arguments| {
            let [key, value, ..] = arguments.registers;
            process.thread_values.insert(key, value);
            returns(0)
        },
        "pthread_getspecific" => |process, arguments| {
            returns(process.thread_values.get(&arguments.registers[0]).copied().unwrap_or(0))
        },
        "pthread_self" => |_, _| returns(THREAD),
        "pthread_equal" => {
            |_, arguments| returns(u64::from(arguments.registers[0] == arguments.registers[1]))
        }
        "__tls_get_addr" => |process, arguments| {
            // A pair of words: whose data, and how far into it (ELF Handling for Thread-Local
            // Storage).
            let pair = arguments.registers[0];
            let module = process.memory.word(pair)?;
            let offset = process.memory.word(pair.wrapping_add(8))?;
            let index = usize::try_from(module.wrapping_sub(1)).unwrap_or(usize::MAX);
            thread_local(process, index, offset)
        },
        "_tlv_bootstrap" => |process, arguments| {
            // A descriptor: this function, a key, and how far into the library's data
            // (<mach-o/loader.h> on S_THREAD_LOCAL_VARIABLES).
            let descriptor = arguments.registers[0];
            let offset = process.memory.word(descriptor.wrapping_add(16))?;
            let index = process.memory.in_image(descriptor).map_or(usize::MAX, |(index, _)| index);
            thread_local(process, index, offset)
        },
        "_tlv_atexit" | "__cxa_thread_atexit" | "__cxa_thread_atexit_impl" => nothing,
        "sched_yield"
        | "nanosleep"
        | "usleep"
        | "sem_init"
        | "sem_destroy"
        | "sem_post"
        | "sem_wait"
        | "sem_trywait"
        | "os_unfair_lock_lock"
        | "os_unfair_lock_unlock"
        | "dispatch_semaphore_signal" => nothing,
        "os_unfair_lock_trylock" => |_, _| returns(1),
        name if is_lock(name) => nothing,
        _ => return None,
    })
}

/// Locks, conditions and attributes, all of which report success with 0. Starting a thread is none
/// of them and ends the run: what it would do is not followed.
fn is_lock(name: &str) -> bool {
    const KINDS: [&str; 11] = [
        "pthread_mutex_",
        "pthread_mutexattr_",
        "pthread_rwlock_",
        "pthread_rwlockattr_",
        "pthread_cond_",
        "pthread_condattr_",
        "pthread_spin_",
        "pthread_attr_",
        "pthread_key_delete",
        "pthread_atfork",
        "__register_atfork",
    ];
    KINDS.iter().any(|kind| name.starts_with(kind))
}

fn once(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    /// What is left behind; no system's initial value begins so.
    const DONE: u8 = 2;
    let [control, function, ..] = arguments.registers;
    let [done] = process.memory.read::<1>(control)?;
    if done == DONE {
        return returns(0);
    }
    process.memory.write(control, &[DONE])?;
    Ok(Reaction::Enter { function, arguments: [0; 3], result: Some(0) })
}

fn thread_local(
    process: &Process<'_, '_, '_>,
    index: usize,
    offset: u64,
) -> Result<Reaction, Stop> {
    let block = process.memory.thread_block(index).ok_or_else(|| {
        Stop::Reason("the hook uses thread-local data that no library has".to_owned())
    })?;
    returns(block.wrapping_add(offset))
}
