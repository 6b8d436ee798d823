//! Lists and tuples that a hook makes: `Objects/listobject.c`, `Objects/tupleobject.c`.
//!
//! Macros reach into both, so what a hook puts in lies where the interpreter would have it. What
//! lists and tuples of anybody else hold is not known.

use super::FAILED;
use super::entries::{self, keeps};
use crate::emulate::objects::{ALLOCATED, ITEMS, Object, SIZE, tuple_items};
use crate::emulate::process::{Arguments, Outcome, Process, Stop};
use crate::image::PAGE_SIZE;

/// More than any hook puts into one.
const MOST: u64 = 1 << 20;
/// For how many objects room is made at least where a list grows.
const LEAST_ROOM: u64 = 4;

pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, second, third, ..] = arguments.registers;
    Some(match name {
        "PyList_New" => new_list(process, first),
        "PyTuple_New" => new_tuple(process, first),
        "PyTuple_Pack" => pack(process, arguments),
        "_PyTuple_Resize" => {
            if let Ok(tuple) = process.memory.word(first) {
                entries::forget_shared(process, tuple);
                process.memory.forget_items(tuple);
            }
            return None;
        }
        _ => return made(process, name, [first, second, third]),
    })
}

/// What is done with one that the hook made; `None` where it is none, or nothing is known of the
/// function.
fn made(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    [object, second, third]: [u64; 3],
) -> Option<Outcome> {
    let is_list = match process.memory.object_at(object)? {
        Object::List => true,
        Object::Tuple => false,
        _ => return None,
    };
    Some(match name {
        "PyList_Size" | "PyTuple_Size" | "PyObject_Size" | "PyObject_Length"
        | "PySequence_Size" | "PySequence_Length" => {
            process.memory.word(object + SIZE).map_err(Into::into)
        }
        "PyList_SetItem" | "PyTuple_SetItem" => set(process, object, second, third),
        "PyList_GetItem" | "PyList_GetItemRef" | "PyTuple_GetItem" => get(process, object, second),
        // These count from the end as well, as in Python: `PySequence_GetItem`, Objects/abstract.c.
        "PySequence_GetItem" | "PySequence_SetItem" => from_start(process, object, second)
            .and_then(|index| match name {
                "PySequence_GetItem" => get(process, object, index),
                _ if is_list => set(process, object, index, third),
                _ => {
                    process.raise("PyExc_TypeError");
                    Ok(FAILED)
                }
            }),
        "PyList_Append" if is_list => append(process, object, second),
        // Whatever else changes it.
        name if is_list && !keeps(name) => {
            entries::forget_shared(process, object);
            return None;
        }
        _ => return None,
    })
}

/// A list of so many null pointers, which the caller replaces.
fn new_list(process: &mut Process<'_, '_, '_>, size: u64) -> Outcome {
    if let Some(failed) = refused(process, size)? {
        return Ok(failed);
    }
    // Nobody asks where nothing lies.
    let items = if size == 0 { 0 } else { process.memory.allocate(size * 8)? };
    let list = process.memory.object(Object::List);
    process.memory.write_word(list + SIZE, size)?;
    process.memory.write_word(list + ITEMS, items)?;
    process.memory.write_word(list + ALLOCATED, size)?;
    Ok(process.choose_or_run_short(list))
}

/// A tuple of so many null pointers likewise, which follow its head.
pub(super) fn new_tuple(process: &mut Process<'_, '_, '_>, size: u64) -> Outcome {
    if let Some(failed) = refused(process, size)? {
        return Ok(failed);
    }
    let tuple = process.memory.object(Object::Tuple);
    // An object has a page; what does not fit lies on those behind it.
    process.memory.charge(usize::try_from(size * 8).unwrap_or(usize::MAX));
    for _ in 0..(tuple_items(process.minor) + size * 8) / PAGE_SIZE as u64 {
        process.memory.object(Object::Blank);
    }
    process.memory.write_word(tuple + SIZE, size)?;
    Ok(process.choose_or_run_short(tuple))
}

/// What is given back for a size that no list or tuple has.
fn refused(process: &mut Process<'_, '_, '_>, size: u64) -> Result<Option<u64>, Stop> {
    if size.cast_signed() < 0 {
        process.raise("PyExc_SystemError");
        return Ok(Some(0));
    }
    if size > MOST {
        return Err(too_long());
    }
    Ok(None)
}

fn pack(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Outcome {
    let size = arguments.registers[0];
    let tuple = new_tuple(process, size)?;
    if tuple == 0 {
        return Ok(0);
    }
    for index in 0..size {
        let position = usize::try_from(index).unwrap_or(0);
        let item = arguments.variadic(&mut process.memory, 1, position)?;
        let place = tuple + tuple_items(process.minor) + index * 8;
        process.memory.write_word(place, item)?;
    }
    Ok(tuple)
}

/// Where the item at `index` lies; `None` where there is none.
fn place(process: &mut Process<'_, '_, '_>, of: u64, index: u64) -> Result<Option<u64>, Stop> {
    if index >= process.memory.word(of + SIZE)? {
        return Ok(None);
    }
    let start = match process.memory.object_at(of) {
        Some(Object::List) => process.memory.word(of + ITEMS)?,
        _ => of + tuple_items(process.minor),
    };
    Ok(Some(start.wrapping_add(index.wrapping_mul(8))))
}

/// The index from the start, where a negative one counts from the end.
fn from_start(process: &mut Process<'_, '_, '_>, of: u64, index: u64) -> Outcome {
    let size = if index.cast_signed() < 0 { process.memory.word(of + SIZE)? } else { 0 };
    Ok(index.wrapping_add(size))
}

fn set(process: &mut Process<'_, '_, '_>, of: u64, index: u64, item: u64) -> Outcome {
    match place(process, of, index)? {
        Some(place) => process.memory.write_word(place, item)?,
        None => {
            process.raise("PyExc_IndexError");
            return Ok(FAILED);
        }
    }
    Ok(0)
}

fn get(process: &mut Process<'_, '_, '_>, of: u64, index: u64) -> Outcome {
    let Some(place) = place(process, of, index)? else {
        process.raise("PyExc_IndexError");
        return Ok(0);
    };
    Ok(process.memory.word(place)?)
}

/// Puts one more behind the others. Where the room for them is used up, it is made anew, twice as
/// large.
fn append(process: &mut Process<'_, '_, '_>, list: u64, item: u64) -> Outcome {
    let size = process.memory.word(list + SIZE)?;
    if size > MOST {
        return Err(too_long());
    }
    let mut items = process.memory.word(list + ITEMS)?;
    if size >= process.memory.word(list + ALLOCATED)? {
        let room = (size * 2).max(LEAST_ROOM);
        let wider = process.memory.allocate(room * 8)?;
        for offset in (0..size * 8).step_by(8) {
            let item = process.memory.word(items.wrapping_add(offset))?;
            process.memory.write_word(wider + offset, item)?;
        }
        items = wider;
        process.memory.write_word(list + ITEMS, items)?;
        process.memory.write_word(list + ALLOCATED, room)?;
    }
    let failed = process.choose_or_run_short(1) == 0;
    if failed {
        return Ok(FAILED);
    }
    process.memory.write_word(items.wrapping_add(size * 8), item)?;
    process.memory.write_word(list + SIZE, size + 1)?;
    Ok(0)
}

fn too_long() -> Stop {
    Stop::Reason("the hook makes a list or tuple of more than a million objects".to_owned())
}
