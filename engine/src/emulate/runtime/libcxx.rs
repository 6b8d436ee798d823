//! libc++, the C++ library of macOS, without its strings.

use super::{Stub, nothing, returns};
use crate::emulate::process::Reaction;

pub(super) fn find(name: &str) -> Option<Stub> {
    let rest = name.strip_prefix("_ZN")?;
    let rest = rest.strip_prefix('K').unwrap_or(rest);
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
