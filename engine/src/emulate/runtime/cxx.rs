//! What C++ and Rust compilers emit calls to (the Itanium C++ ABI), and libstdc++ without its
//! strings.

use super::{Stub, fails, nothing, returns, take};
use crate::emulate::process::{Arguments, Process, Reaction, Stop};

pub(super) fn find(name: &str) -> Option<Stub> {
    Some(match name {
        // The first byte says whether the object is there already.
        "__cxa_guard_acquire" => |process, arguments| {
            let [done] = process.memory.read::<1>(arguments.registers[0])?;
            returns(u64::from(done == 0))
        },
        "__cxa_guard_release" => |process, arguments| {
            process.memory.write(arguments.registers[0], &[1])?;
            returns(0)
        },
        "__cxa_guard_abort"
        | "__cxa_atexit"
        | "__cxa_finalize"
        | "__cxa_end_catch"
        | "__cxa_free_exception" => nothing,
        "__cxa_allocate_exception" => {
            |process, arguments| returns(process.memory.allocate(arguments.registers[0])?)
        }
        "__cxa_demangle" => demangle,
        // No unwinding is followed: whatever throws is brought to a good end by other choices, or
        // not at all.
        "__cxa_throw"
        | "__cxa_rethrow"
        | "__cxa_bad_cast"
        | "__cxa_bad_typeid"
        | "__cxa_pure_virtual"
        | "__cxa_call_unexpected"
        | "__cxa_throw_bad_array_new_length"
        | "_Unwind_Resume"
        | "_Unwind_RaiseException"
        | "_Unwind_Resume_or_Rethrow"
        | "__clang_call_terminate"
        | "_ZSt9terminatev" => throws,
        name if name.starts_with("_ZSt") && name.contains("__throw_") => throws,
        // Says how many frames there are: none that can be told.
        "_Unwind_Backtrace"
        | "_Unwind_GetIP"
        | "_Unwind_GetIPInfo"
        | "_Unwind_FindEnclosingFunction" => nothing,
        "_ZNSt8ios_base4InitC1Ev"
        | "_ZNSt18condition_variableC1Ev"
        | "_ZNSt18condition_variable10notify_allEv"
        | "_ZNSt18condition_variable10notify_oneEv" => nothing,
        "_ZSt18uncaught_exceptionv" | "_ZSt19uncaught_exceptionsv" => nothing,
        "_ZNSt6thread20hardware_concurrencyEv" | "_ZNSt3__16thread20hardware_concurrencyEv" => {
            |_, _| returns(4)
        }
        "_ZSt11_Hash_bytesPKvmm" | "_ZSt15_Fnv_hash_bytesPKvmm" => hash_bytes,
        "_ZNSt6chrono3_V212system_clock3nowEv"
        | "_ZNSt6chrono3_V212steady_clock3nowEv"
        | "_ZNSt3__16chrono12steady_clock3nowEv"
        | "_ZNSt3__16chrono12system_clock3nowEv" => |_, _| returns(1_700_000_000_000_000_000),
        "_ZNSt8__detail15_List_node_base7_M_hookEPS0_" => list_hook,
        "_ZSt18_Rb_tree_incrementPSt18_Rb_tree_node_base"
        | "_ZSt18_Rb_tree_incrementPKSt18_Rb_tree_node_base" => {
            |process, arguments| step(process, arguments.registers[0], true)
        }
        "_ZSt18_Rb_tree_decrementPSt18_Rb_tree_node_base"
        | "_ZSt18_Rb_tree_decrementPKSt18_Rb_tree_node_base" => {
            |process, arguments| step(process, arguments.registers[0], false)
        }
        "_ZSt29_Rb_tree_insert_and_rebalancebPSt18_Rb_tree_node_baseS0_RS_" => insert,
        "_ZNKSt8__detail20_Prime_rehash_policy14_M_need_rehashEmmm" => need_rehash,
        "_ZNKSt8__detail20_Prime_rehash_policy11_M_next_bktEm" => |process, arguments| {
            let [policy, wanted, ..] = arguments.registers;
            let count = buckets_for(wanted);
            process.memory.write_word(policy.wrapping_add(8), count)?;
            returns(count)
        },
        // What an exception says is of no matter, since it is only thrown.
        name if is_exception_member(name) => nothing,
        "__once_proxy" | "_ZSt16__get_once_mutexv" => fails,
        _ => return None,
    })
}

/// Constructors and destructors of the standard exceptions, and destructors of other classes of
/// the library, which give back memory and no more.
fn is_exception_member(name: &str) -> bool {
    const EXCEPTIONS: [&str; 12] = [
        "9exception",
        "9bad_alloc",
        "8bad_cast",
        "11logic_error",
        "12domain_error",
        "16invalid_argument",
        "12length_error",
        "12out_of_range",
        "13runtime_error",
        "11range_error",
        "14overflow_error",
        "12system_error",
    ];
    let Some(member) = name.strip_prefix("_ZNSt") else { return false };
    ["D0Ev", "D1Ev", "D2Ev"].iter().any(|end| member.ends_with(end))
        || EXCEPTIONS.iter().any(|class| {
            let rest = member.strip_prefix("3__1").unwrap_or(member).strip_prefix(class);
            rest.is_some_and(|rest| rest.starts_with("C1E") || rest.starts_with("C2E"))
        })
}

fn throws(_: &mut Process<'_, '_, '_>, _: &Arguments) -> Result<Reaction, Stop> {
    Err(Stop::Failure("the hook throws an exception".to_owned()))
}

/// No name is taken apart: its status says that it is none that could be.
fn demangle(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    const INVALID_NAME: i32 = -2;
    let status = arguments.registers[3];
    if status != 0 {
        process.memory.write(status, &INVALID_NAME.to_le_bytes())?;
    }
    returns(0)
}

/// Any function of the bytes and the seed will do.
fn hash_bytes(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [address, size, seed, ..] = arguments.registers;
    let bytes = take(process, address, size)?;
    let hash = bytes.iter().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    returns(hash)
}

/// Puts a node in front of another one; each begins with the next and the previous.
fn list_hook(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [node, before, ..] = arguments.registers;
    let previous = process.memory.word(before.wrapping_add(8))?;
    process.memory.write_word(node, before)?;
    process.memory.write_word(node.wrapping_add(8), previous)?;
    process.memory.write_word(previous, node)?;
    process.memory.write_word(before.wrapping_add(8), node)?;
    returns(0)
}

/// `_Rb_tree_node_base`: colour, parent, left, right.
const PARENT: u64 = 8;
const LEFT: u64 = 16;
const RIGHT: u64 = 24;
/// More than the height of any tree in an init function.
const MAX_HEIGHT: usize = 1 << 12;

/// The next or the previous node in order (libstdc++, `tree.cc`).
fn step(process: &mut Process<'_, '_, '_>, node: u64, forward: bool) -> Result<Reaction, Stop> {
    let (towards, away) = if forward { (RIGHT, LEFT) } else { (LEFT, RIGHT) };
    let mut field = |node: u64, offset: u64| process.memory.word(node.wrapping_add(offset));
    let mut at = field(node, towards)?;
    if at != 0 {
        for _ in 0..MAX_HEIGHT {
            match field(at, away)? {
                0 => return returns(at),
                further => at = further,
            }
        }
        return Err(Stop::Reason("the hook walks a tree without an end".to_owned()));
    }
    at = node;
    let mut parent = field(at, PARENT)?;
    for _ in 0..MAX_HEIGHT {
        if field(parent, towards)? != at {
            let is_header = forward && field(at, towards)? == parent;
            return returns(if is_header { at } else { parent });
        }
        at = parent;
        parent = field(at, PARENT)?;
    }
    Err(Stop::Reason("the hook walks a tree without an end".to_owned()))
}

/// Links a new node in. Nothing asks for the tree to be balanced, so it is left as it grows.
fn insert(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [is_left, node, parent, header, ..] = arguments.registers;
    let is_left = is_left & 0xff != 0;
    let memory = &mut process.memory;
    memory.write_word(node, 0)?;
    memory.write_word(node.wrapping_add(PARENT), parent)?;
    memory.write_word(node.wrapping_add(LEFT), 0)?;
    memory.write_word(node.wrapping_add(RIGHT), 0)?;
    let side = if is_left { LEFT } else { RIGHT };
    memory.write_word(parent.wrapping_add(side), node)?;
    if parent == header {
        memory.write_word(header.wrapping_add(PARENT), node)?;
        memory.write_word(header.wrapping_add(LEFT), node)?;
        memory.write_word(header.wrapping_add(RIGHT), node)?;
    } else if memory.word(header.wrapping_add(side))? == parent {
        // The header keeps the leftmost and the rightmost.
        memory.write_word(header.wrapping_add(side), node)?;
    }
    returns(0)
}

/// A number of buckets that is enough; libstdc++ takes primes, which only spreads better.
fn buckets_for(wanted: u64) -> u64 {
    wanted.clamp(1, 1 << 24).next_power_of_two().saturating_add(13) | 1
}

/// Whether a hash table has to grow, and to how many buckets: a pair, returned in two registers.
fn need_rehash(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [policy, buckets, elements, added, ..] = arguments.registers;
    let wanted = elements.saturating_add(added);
    if wanted < buckets {
        return Ok(Reaction::ReturnPair(0, 0));
    }
    let count = buckets_for(wanted.saturating_mul(2));
    process.memory.write_word(policy.wrapping_add(8), count)?;
    Ok(Reaction::ReturnPair(1, count))
}
