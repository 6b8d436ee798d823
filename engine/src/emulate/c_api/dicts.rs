//! Dictionaries: `Objects/dictobject.c`, and `Objects/abstract.c` where it is given one.
//!
//! What a hook puts into a dictionary that it made itself, or into that of a module that it made, it
//! finds there again. Whether other keys are there is a choice, and so is all that other
//! dictionaries hold.

use super::FAILED;
use super::entries::{self, Key, keeps};
use crate::emulate::memory::BYTES_A_UNIT;
use crate::emulate::objects::{Object, PLAIN};
use crate::emulate::process::{Arguments, Outcome, Process, Stop};

pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, second, ..] = arguments.registers;
    match name {
        "PyDict_New" => {
            let dict = process.memory.object(Object::Dict);
            return Some(Ok(process.choose_or_run_short(dict)));
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
            Some(Object::Text(text)) => Key::Text(text.to_vec()),
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
    let is_loose = process.attributes.is_loose(holder);
    if is_loose && !(sets_item(name) || gets_item(name)) {
        entries::forget_shared(process, dict);
        return None;
    }
    match name {
        "PyDict_Size" | "PyObject_Size" | "PyObject_Length" | "PyMapping_Size"
        | "PyMapping_Length" => return Some(count(process, dict, holder)),
        "PyDict_Next" => {
            return Some(count(process, dict, holder).and_then(|count| match count {
                0 => Ok(0),
                _ => {
                    Err(Stop::Reason("the hook goes through a dictionary that it made".to_owned()))
                }
            }));
        }
        _ => {}
    }
    let changes = !keeps(name);
    let key = if takes_a_key(name) { key(process, name, given) } else { None };
    let Some(key) = key else {
        let is_own = process.memory.object_at(dict) == Some(&Object::Dict);
        if is_own && gets_item(name) {
            return loosely_held(process, holder)
                .map(|found| given_back(process, name, third, found));
        }
        if is_own && sets_item(name) {
            if process.choose_or_run_short(1) == 0 {
                return Some(Ok(FAILED));
            }
            process.attributes.insert_loose(holder, third);
            return Some(Ok(0));
        }
        if changes {
            // Whatever was there may be something else then.
            entries::forget_shared(process, dict);
        }
        return None;
    };
    match name {
        "PyDict_SetItem"
        | "PyDict_SetItemString"
        | "PyObject_SetItem"
        | "PyMapping_SetItemString" => {
            if process.choose_or_run_short(1) == 0 {
                return Some(Ok(FAILED));
            }
            process.attributes.insert(holder, key, third);
            return Some(Ok(0));
        }
        "PyDict_SetDefault" | "PyDict_SetDefaultRef" => {
            let known = process.attributes.get(holder, &key);
            let there = match known {
                Some(known) => known,
                None => default(process, third),
            };
            process.attributes.insert(holder, key, there);
            if name == "PyDict_SetDefault" {
                return Some(Ok(there));
            }
            let is_new = known.is_none() && there == third;
            return Some(give(process, fourth, Some(there)).map(|_| u64::from(!is_new)));
        }
        _ => {}
    }
    let Some(known) = process.attributes.get(holder, &key) else {
        let found = if is_loose && gets_item(name) { loosely_held(process, holder) } else { None };
        return found.map(|found| given_back(process, name, third, found));
    };
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
            process.attributes.remove(holder, &key);
            give(process, third, Some(known))
        }
        "PyDict_DelItem"
        | "PyDict_DelItemString"
        | "PyObject_DelItem"
        | "PyMapping_DelItemString" => {
            process.attributes.remove(holder, &key);
            Ok(0)
        }
        _ => return None,
    })
}

fn sets_item(name: &str) -> bool {
    matches!(name, "PyDict_SetItem" | "PyDict_SetItemString" | "PyObject_SetItem")
}

fn gets_item(name: &str) -> bool {
    matches!(name, "PyDict_GetItem" | "PyDict_GetItemWithError" | "PyDict_GetItemRef")
}

/// What a dictionary that the hook made, and nobody else came by, holds under a key that is not known: 0
/// for nothing. `None` where that may be objects of several kinds.
fn loosely_held(process: &mut Process<'_, '_, '_>, holder: u64) -> Option<u64> {
    let known = process.attributes.held(holder).map(|(_, value)| value);
    let values: Vec<u64> = known.chain(process.attributes.loose(holder).iter().copied()).collect();
    process.memory.charge(values.len().saturating_mul(BYTES_A_UNIT));
    let Some(first) = values.first() else { return Some(0) };
    let kind = |object: u64| match process.memory.object_at(object) {
        Some(Object::Of(of)) => Some(*of),
        _ => None,
    };
    let of = kind(*first)?;
    if values.iter().any(|value| kind(*value) != Some(of)) {
        return None;
    }
    let object = process.memory.object(Object::Of(of));
    Some(process.choose(0, object))
}

/// What was found, as the function gives it.
fn given_back(process: &mut Process<'_, '_, '_>, name: &str, place: u64, found: u64) -> Outcome {
    if name == "PyDict_GetItemRef" { give(process, place, Some(found)) } else { Ok(found) }
}

/// How many keys a dictionary has that the hook made.
fn count(process: &mut Process<'_, '_, '_>, dict: u64, holder: u64) -> Outcome {
    let is_known = process.memory.object_at(dict) == Some(&Object::Dict);
    let mut keys = process.attributes.held(holder);
    if !is_known || keys.any(|(key, _)| matches!(key, Key::Object(_))) {
        // The interpreter puts names into that of a module, and objects may be equal to others.
        return Err(Stop::Reason("the hook counts what a dictionary holds".to_owned()));
    }
    Ok(process.attributes.held(holder).count() as u64)
}

/// Whether the second argument of a function is a key.
fn takes_a_key(name: &str) -> bool {
    let what = ["Item", "SetDefault", "Pop", "Contains"];
    what.iter().any(|what| name.contains(what))
}

/// What lies under a key that nothing is known of, now that a default was offered: likely that.
fn default(process: &mut Process<'_, '_, '_>, offered: u64) -> u64 {
    let object = process.memory.object(PLAIN);
    process.choose(offered, object)
}

/// What is asked of a dictionary of which it is not known what it holds.
fn foreign(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, second, third, fourth, ..] = arguments.registers;
    Some(match name {
        "PyDict_GetItemRef"
        | "PyDict_GetItemStringRef"
        | "PyMapping_GetOptionalItem"
        | "PyMapping_GetOptionalItemString"
        | "PyDict_Pop"
        | "PyDict_PopString" => give(process, third, None),
        // Likely a new key: the default is put in and given back.
        // Once through what may be there.
        "PyDict_Next" => next(process, [second, third, fourth]),
        "PyDict_SetDefaultRef" => {
            let there = default(process, third);
            give(process, fourth, Some(there)).map(|_| u64::from(there != third))
        }
        "PyDict_SetDefault" => Ok(default(process, third)),
        // The interpreter's own dictionaries hold nothing of a module that was never loaded, and
        // one that the hook made hardly more than the hook put there.
        "PyDict_GetItem" | "PyDict_GetItemString" | "PyDict_GetItemWithError" => {
            let has_none = match process.memory.object_at(first) {
                Some(Object::Dict) => true,
                // What the interpreter itself puts there has names of its own.
                Some(Object::ModuleDict(_)) => {
                    let given = key(process, name, second);
                    matches!(given, Some(Key::Text(text)) if !text.starts_with(b"__"))
                }
                _ => process.is_interpreter_dict(first),
            };
            if has_none {
                return Some(Ok(process.given_or_none()));
            }
            let object = process.memory.object(PLAIN);
            Ok(process.given_or_null(object))
        }
        _ => return None,
    })
}

/// Gives an object back through a pointer, where that is not null: the one that is known, or else
/// likely none. Returns whether there was one.
fn give(process: &mut Process<'_, '_, '_>, place: u64, known: Option<u64>) -> Outcome {
    let found = match known {
        Some(known) => known,
        None => process.given_or_none(),
    };
    if place != 0 {
        process.memory.write_word(place, found)?;
    }
    Ok(u64::from(found != 0))
}

/// Gives the only entry of a dictionary of which it is not known what it holds, likely none.
fn next(process: &mut Process<'_, '_, '_>, [position, key, value]: [u64; 3]) -> Outcome {
    if process.memory.word(position)? != 0 || process.alternative(2) == 0 {
        return Ok(0);
    }
    process.memory.write_word(position, 1)?;
    for place in [key, value].into_iter().filter(|place| *place != 0) {
        let object = process.memory.object(PLAIN);
        process.memory.write_word(place, object)?;
    }
    Ok(1)
}
