//! CPython's C API, as far as an init function can tell: what its functions return, and the few
//! whose effect decides the answer.
//!
//! ```text
//! modules    making modules, and declaring for them
//! errors     exceptions
//! objects    functions whose results code looks into
//! lists      lists and tuples that the hook makes
//! dicts      dictionaries, and what the hook puts into its own
//! entries    what was put where, and which calls leave that as it is
//! arrays     what numpy offers behind capsules
//! ```
//!
//! All other functions give back what their kind says: an object or null, a number, nothing.

mod arrays;
mod dicts;
mod entries;
mod errors;
mod lists;
mod modules;
mod objects;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(super) use entries::{Entries, Key};

use super::objects::{Object, PLAIN, Table};
use super::process::{Arguments, Outcome, Process};

/// What functions that give back a number return where they fail, -1.
const FAILED: u64 = u64::MAX;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Returns {
    Pointer,
    Number,
    Nothing,
}

/// What functions return where it is no pointer.
static RETURNS: LazyLock<HashMap<&'static str, Returns>> = LazyLock::new(|| {
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
    modules::call(process, name, arguments)
        .or_else(|| errors::call(process, name, arguments))
        .or_else(|| lists::call(process, name, arguments))
        .or_else(|| dicts::call(process, name, arguments))
        .or_else(|| objects::call(process, name, arguments))
        .or_else(|| arrays::call(process, name, arguments))
        .or_else(|| Some(Ok(by_kind(process, name))))
}

fn by_kind(process: &mut Process<'_, '_, '_>, name: &str) -> u64 {
    match RETURNS.get(name) {
        Some(Returns::Number) => process.choose(0, 1),
        Some(Returns::Nothing) => 0,
        Some(Returns::Pointer) => {
            let object = process.memory.object(Object::Foreign);
            process.choose_or_raise(object, "PyExc_Exception")
        }
        None => {
            let object = process.memory.object(objects::result_type(name).unwrap_or(PLAIN));
            process.choose_or_raise(object, "PyExc_Exception")
        }
    }
}

/// Puts a zero-terminated text into memory of its own.
fn text_of(process: &mut Process<'_, '_, '_>, text: &[u8]) -> Outcome {
    let address = process.memory.allocate(text.len() as u64 + 1)?;
    process.memory.write(address, text)?;
    Ok(address)
}
