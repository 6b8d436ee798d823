//! CPython's C API, as far as an init function can tell: what its functions return, and the few
//! whose effect decides the answer.
//!
//! ```text
//! modules    making modules, and declaring for them
//! errors     exceptions
//! objects    functions whose results code looks into
//! attributes attributes of objects, and capsules behind them
//! lists      lists and tuples that the hook makes
//! dicts      dictionaries, and what the hook puts into its own
//! values     what is made of a format
//! entries    what was put where, and which calls leave that as it is
//! arrays     what numpy offers behind capsules
//! ```
//!
//! All other functions give back what their kind says: an object or null, a number, nothing.

mod arrays;
mod attributes;
mod dicts;
mod entries;
mod errors;
mod lists;
mod modules;
mod objects;
mod values;

use std::collections::HashMap;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

pub(super) use entries::{Entries, Key};

use super::objects::{Object, PLAIN, Table};
use super::process::{Arguments, Outcome, Process, Stop};

/// What functions that give back a number return where they fail, -1.
const FAILED: u64 = u64::MAX;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Returns {
    Pointer,
    Number,
    Nothing,
}

/// What functions return where it is no pointer.
static RETURNS: LazyLock<FxHashMap<&'static str, Returns>> = LazyLock::new(|| {
    let own = include_str!("../../../data/c-api-returns.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| match kind {
            "int" => (name, Returns::Number),
            _ => (name, Returns::Nothing),
        });
    let others = entries().map(|(_, _, name, kind)| match kind {
        "number" => (name, Returns::Number),
        "nothing" => (name, Returns::Nothing),
        _ => (name, Returns::Pointer),
    });
    own.chain(others).collect()
});

/// What the tables hold that other packages offer to extension modules: table, index, name, kind.
fn entries() -> impl Iterator<Item = (Table, usize, &'static str, &'static str)> {
    include_str!("../../../data/numpy-c-api.txt").lines().filter_map(|line| {
        let mut words = line.split(' ');
        let table = match words.next()? {
            "array" => Table::Array,
            "ufunc" => Table::Ufunc,
            _ => return None,
        };
        let index = words.next()?.parse().ok()?;
        Some((table, index, words.next()?, words.next()?))
    })
}

/// The symbol at that place of a table.
pub(super) fn entry_name(table: Table, index: usize) -> String {
    static NAMES: LazyLock<HashMap<(bool, usize), &'static str>> = LazyLock::new(|| {
        entries().map(|(table, index, name, _)| ((table == Table::Array, index), name)).collect()
    });
    let known = match table {
        Table::Array | Table::Ufunc => NAMES.get(&(table == Table::Array, index)),
        Table::Other => None,
    };
    known.map_or_else(|| format!("[{index}]"), |name| (*name).to_owned())
}

/// What a function of the interpreter gives back; `None` where `name` is none of them.
pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    if !(name.starts_with("Py") || name.starts_with("_Py") || name.starts_with('[')) {
        return None;
    }
    entries::loosen(process, name, arguments);
    if let Some(stop) = entries::taken_from_changed(process, name, arguments) {
        return Some(Err(stop));
    }
    let outcome = modules::call(process, name, arguments)
        .or_else(|| errors::call(process, name, arguments))
        .or_else(|| lists::call(process, name, arguments))
        .or_else(|| dicts::call(process, name, arguments))
        .or_else(|| attributes::call(process, name, arguments))
        .or_else(|| objects::call(process, name, arguments))
        .or_else(|| values::call(process, name, arguments))
        .or_else(|| arrays::call(process, name, arguments))
        .unwrap_or_else(|| by_kind(process, name));
    if process.hands_over_too_much {
        let reason = "the hook gives other code more objects than are followed";
        return Some(Err(Stop::Reason(reason.to_owned())));
    }
    Some(outcome)
}

/// Functions that give 0 where they succeed and -1 where they fail, and nothing else.
const SUCCEEDING: [&str; 8] = [
    "PyModule_Add",
    "PyModule_SetDocString",
    "PyObject_Set",
    "PyObject_Del",
    "PyDict_Set",
    "PyDict_Del",
    "PyDict_Update",
    "PyDict_Merge",
];
const SUCCEEDING_TOO: [&str; 11] = [
    "PyType_Ready",
    "PyList_Append",
    "PyList_Insert",
    "PyList_SetItem",
    "PyTuple_SetItem",
    "PyMapping_SetItemString",
    "PySequence_SetItem",
    "PySet_Add",
    "PyState_AddModule",
    "PyObject_GenericSetAttr",
    "PySys_SetObject",
];

/// Functions that fill what they are given pointers to, in ways that are not told here.
const FILLING: [&str; 13] = [
    "PyArg_",
    "PyBytes_AsStringAndSize",
    "PyContextVar_Get",
    "PyIter_NextItem",
    "PyIter_Send",
    "PyLong_AsNativeBytes",
    "PyObject_AsCharBuffer",
    "PyObject_AsReadBuffer",
    "PyObject_AsWriteBuffer",
    "PyObject_GetBuffer",
    "PySlice_",
    "PyType_GetBaseByToken",
    "PyUnicode_FS",
];

/// Whether a function gives 0 or -1.
pub(super) fn is_succeeding(name: &str) -> bool {
    SUCCEEDING.iter().any(|start| name.starts_with(start) && !name.contains("Default"))
        || SUCCEEDING_TOO.contains(&name)
}

/// A number that code does not ask for by itself.
const LARGE: u64 = 0x7fff_fff1;

fn by_kind(process: &mut Process<'_, '_, '_>, name: &str) -> Outcome {
    Ok(match RETURNS.get(name) {
        Some(Returns::Number) if FILLING.iter().any(|start| name.starts_with(start)) => {
            return Err(Stop::Reason(format!("the hook has `{name}` fill its memory")));
        }
        // What goes wrong is printed there.
        Some(Returns::Number)
            if name.starts_with("PyRun_Simple") || name.starts_with("PyRun_Any") =>
        {
            process.choose(0, FAILED)
        }
        Some(Returns::Number) if is_succeeding(name) => process.choose_or_fail(&[0]),
        // Less, equal or more, or nowhere, all without an exception.
        Some(Returns::Number)
            if name.contains("Compare") && !name.ends_with("Bool") || name.contains("Find") =>
        {
            [0, 1, FAILED].get(process.alternative(3)).copied().unwrap_or(0)
        }
        Some(Returns::Number) => {
            let measures =
                ["Size", "Length", "Hash", "Count", "Index", "Find", "Get", "As", "Read"];
            if measures.iter().any(|measure| name.contains(measure)) {
                process.choose_or_fail(&[0, 1, LARGE])
            } else {
                process.choose_or_fail(&[0, 1])
            }
        }
        Some(Returns::Nothing) => 0,
        Some(Returns::Pointer) => {
            let object = process.memory.object(Object::Foreign);
            process.choose_or_raise(object, "PyExc_Exception")
        }
        None => match objects::result_type(name) {
            Some(made) => {
                let object = process.memory.object(made);
                process.choose_or_raise(object, "PyExc_Exception")
            }
            None => {
                let object = process.memory.object(PLAIN);
                process.given(object, "PyExc_Exception")
            }
        },
    })
}

/// Puts a zero-terminated text into memory of its own.
fn text_of(process: &mut Process<'_, '_, '_>, text: &[u8]) -> Outcome {
    let address = process.memory.allocate(text.len() as u64 + 1)?;
    process.memory.write(address, text)?;
    Ok(address)
}
