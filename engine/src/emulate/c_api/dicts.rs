//! Dictionaries: `Objects/dictobject.c`, and `Objects/abstract.c` where it is given one.
//!
//! What a hook puts into a dictionary that it made itself, or into that of a module that it made, it
//! finds there again. Whether other keys are there is a choice, and so is all that other
//! dictionaries hold.

use std::collections::HashMap;

use super::FAILED;
use crate::emulate::memory::BYTES_A_UNIT;
use crate::emulate::objects::{Object, PLAIN};
use crate::emulate::process::{Arguments, Outcome, Process};

/// What was put into dictionaries and objects, by these and by key.
pub(in crate::emulate) type Entries = HashMap<(u64, Key), u64>;

/// A key of which it is known what it is equal to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::emulate) enum Key {
    Text(Vec<u8>),
    Number(u64),
    /// The object at that address, which is equal to itself alone.
    Object(u64),
}

pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, second, ..] = arguments.registers;
    match name {
        "PyDict_New" => {
            let dict = process.memory.object(Object::Dict);
            return Some(Ok(process.choose_or_raise(dict, "PyExc_MemoryError")));
        }
        "PyModule_GetDict" => return Some(Ok(module_dict(process, first))),
        "PyWeakref_GetRef" => return Some(give(process, second, None)),
        _ => {}
    }
    match holder(process, first) {
        Some(holder) => own(process, name, holder, arguments),
        None => None,
    }
    .or_else(|| foreign(process, name, arguments))
}

/// The dictionary of a module.
fn module_dict(process: &mut Process<'_, '_, '_>, module: u64) -> u64 {
    if process.modules.iter().all(|made| made.object != module) {
        return process.singleton("module dict", Object::Of("PyDict_Type"));
    }
    if let Some(dict) = process.module_dicts.get(&module) {
        return *dict;
    }
    let dict = process.memory.object(Object::ModuleDict(module));
    process.module_dicts.insert(module, dict);
    dict
}

/// Under what the entries of a dictionary are kept: those of a module's are its attributes. `None`
/// where the hook did not make it.
fn holder(process: &Process<'_, '_, '_>, dict: u64) -> Option<u64> {
    match process.memory.object_at(dict)? {
        Object::Dict => Some(dict),
        Object::ModuleDict(module) => Some(*module),
        _ => None,
    }
}

/// The key that a function is given, as an object or as the text of one.
fn key(process: &mut Process<'_, '_, '_>, name: &str, given: u64) -> Option<Key> {
    let key = if name.contains("String") {
        Key::Text(process.memory.text(given).ok()?)
    } else {
        match process.memory.object_at(given) {
            Some(Object::Text(text)) => Key::Text(text.clone()),
            Some(Object::Number(number)) => Key::Number(*number),
            Some(Object::Instance(_) | Object::Module) => Key::Object(given),
            // What else a stub made may be a string or a tuple, equal to others.
            Some(_) => return None,
            None => Key::Object(given),
        }
    };
    if let Key::Text(text) = &key {
        // It is kept, beside all others.
        process.memory.charge(text.len().saturating_mul(BYTES_A_UNIT));
    }
    Some(key)
}

/// What is done with a dictionary that the hook made; `None` where nothing is known of the key, or
/// of the function.
fn own(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    holder: u64,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [dict, given, third, fourth, ..] = arguments.registers;
    match name {
        // Whatever was there may be something else then.
        "PyDict_Clear" | "PyDict_Update" | "PyDict_Merge" | "PyDict_MergeFromSeq2" => {
            forget(process, dict, holder);
            return None;
        }
        "PyDict_SetItem"
        | "PyDict_SetItemString"
        | "PyObject_SetItem"
        | "PyMapping_SetItemString" => {
            let Some(key) = key(process, name, given) else {
                forget(process, dict, holder);
                return None;
            };
            if process.choose_or_raise(1, "PyExc_MemoryError") == 0 {
                return Some(Ok(FAILED));
            }
            process.attributes.insert((holder, key), third);
            return Some(Ok(0));
        }
        "PyDict_SetDefault" | "PyDict_SetDefaultRef" => {
            let Some(key) = key(process, name, given) else {
                forget(process, dict, holder);
                return None;
            };
            let known = process.attributes.get(&(holder, key.clone())).copied();
            let there = known.unwrap_or(third);
            process.attributes.insert((holder, key), there);
            if name == "PyDict_SetDefault" {
                return Some(Ok(there));
            }
            return Some(give(process, fourth, Some(there)).map(|_| u64::from(known.is_some())));
        }
        _ => {}
    }
    let key = (holder, key(process, name, given)?);
    let known = *process.attributes.get(&key)?;
    Some(match name {
        "PyDict_GetItem"
        | "PyDict_GetItemString"
        | "PyDict_GetItemWithError"
        | "PyObject_GetItem"
        | "PyMapping_GetItemString" => Ok(known),
        "PyDict_Contains" | "PyDict_ContainsString" | "PySequence_Contains" => Ok(1),
        "PyDict_GetItemRef"
        | "PyDict_GetItemStringRef"
        | "PyMapping_GetOptionalItem"
        | "PyMapping_GetOptionalItemString" => give(process, third, Some(known)),
        "PyDict_Pop" | "PyDict_PopString" => {
            process.attributes.remove(&key);
            give(process, third, Some(known))
        }
        "PyDict_DelItem"
        | "PyDict_DelItemString"
        | "PyObject_DelItem"
        | "PyMapping_DelItemString" => {
            process.attributes.remove(&key);
            Ok(0)
        }
        _ => return None,
    })
}

/// What a dictionary holds is no longer known.
fn forget(process: &mut Process<'_, '_, '_>, dict: u64, holder: u64) {
    process.attributes.retain(|(of, _), _| *of != holder);
    process.memory.forget_items(dict);
}

/// What is asked of a dictionary of which it is not known what it holds.
fn foreign(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, _, third, fourth, ..] = arguments.registers;
    Some(match name {
        "PyDict_GetItemRef"
        | "PyDict_GetItemStringRef"
        | "PyMapping_GetOptionalItem"
        | "PyMapping_GetOptionalItemString"
        | "PyDict_Pop"
        | "PyDict_PopString" => give(process, third, None),
        // A new key: the default is put in and given back.
        "PyDict_SetDefaultRef" => give(process, fourth, Some(third)).map(|_| 0),
        "PyDict_SetDefault" => Ok(third),
        // The interpreter's own dictionaries hold nothing of a module that was never loaded, and
        // one that the hook made hardly more than the hook put there.
        "PyDict_GetItem" | "PyDict_GetItemString" | "PyDict_GetItemWithError" => {
            let object = process.memory.object(PLAIN);
            let is_empty = process.is_interpreter_dict(first)
                || process.memory.object_at(first) == Some(&Object::Dict);
            let (likely, other) = if is_empty { (0, object) } else { (object, 0) };
            Ok(process.choose(likely, other))
        }
        _ => return None,
    })
}

/// Gives an object back through a pointer, where that is not null: the one that is known, or else
/// likely none. Returns whether there was one.
fn give(process: &mut Process<'_, '_, '_>, place: u64, known: Option<u64>) -> Outcome {
    let found = match known {
        Some(known) => known,
        None => {
            let object = process.memory.object(PLAIN);
            process.choose(0, object)
        }
    };
    if place != 0 {
        process.memory.write_word(place, found)?;
    }
    Ok(u64::from(found != 0))
}
