//! Attributes of objects, and the capsules that lie behind them: `Objects/object.c`, `Objects/capsule.c`.
//!
//! What a hook puts into an object that it made, it finds there again, see [`super::entries`].

use std::collections::HashMap;
use std::sync::LazyLock;

use super::objects::fill;
use super::{Key, entries};
use crate::emulate::objects::{Object, Table, table_of};
use crate::emulate::process::{Arguments, Outcome, Process};

/// What a function gives back that looks up an attribute or a capsule; `None` of any other one.
pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    put(process, name, arguments);
    let [first, second, ..] = arguments.registers;
    Some(match name {
        "PyCapsule_New" => Ok(process.memory.object(Object::Capsule(first))),
        "PyCapsule_GetPointer" => match process.memory.object_at(first) {
            Some(Object::Capsule(pointer)) => Ok(*pointer),
            _ => Ok(table(process, Table::Other)),
        },
        "PyCapsule_Import" => {
            let wanted = process.memory.text(first);
            wanted.map(|name| table(process, table_of(&name))).map_err(Into::into)
        }
        "PyCapsule_IsValid" => Ok(1),
        "PyObject_GetAttrString" => {
            let wanted = process.memory.text(second);
            wanted.map(|name| attribute(process, first, &name)).map_err(Into::into)
        }
        "PyObject_GetAttr" | "PyObject_GenericGetAttr" => {
            let wanted = process.memory.text_object(second).unwrap_or_default().to_vec();
            Ok(attribute(process, first, &wanted))
        }
        "PyObject_GetOptionalAttrString" | "PyObject_GetOptionalAttr" => {
            let wanted = if name.ends_with("String") {
                process.memory.text(second).unwrap_or_default()
            } else {
                process.memory.text_object(second).unwrap_or_default().to_vec()
            };
            let object = attribute(process, first, &wanted);
            process.clear_error();
            let written = process.memory.write_word(arguments.registers[2], object);
            written.map(|()| u64::from(object != 0)).map_err(Into::into)
        }
        _ => return None,
    })
}

fn table(process: &mut Process<'_, '_, '_>, table: Table) -> u64 {
    let name = match table {
        Table::Array => "array table",
        Table::Ufunc => "ufunc table",
        Table::Other => "table",
    };
    process.singleton(name, Object::Table(table))
}

/// How many arrays numpy's ufunc of that name takes and gives.
fn ufunc(name: &[u8]) -> Option<(u32, u32)> {
    static ARGUMENTS: LazyLock<HashMap<&'static str, (u32, u32)>> = LazyLock::new(|| {
        let lines = include_str!("../../../data/numpy-ufuncs.txt").lines();
        let read = |line: &'static str| {
            let mut words = line.split(' ');
            Some((words.next()?, (words.next()?.parse().ok()?, words.next()?.parse().ok()?)))
        };
        lines.filter_map(read).collect()
    });
    ARGUMENTS.get(std::str::from_utf8(name).ok()?).copied()
}

/// `tp_name` of a `PyTypeObject`.
const TYPE_NAME: u64 = 0x28;

/// Keeps what is put into an object under a name; how the function that does that ends is of no
/// matter.
fn put(process: &mut Process<'_, '_, '_>, name: &str, arguments: &Arguments) {
    let [of, attribute, value, ..] = arguments.registers;
    let (key, value) = match name {
        "PyObject_SetAttr" | "PyObject_GenericSetAttr" => {
            (process.memory.text_object(attribute).map(<[u8]>::to_vec), value)
        }
        "PyObject_DelAttr" => (process.memory.text_object(attribute).map(<[u8]>::to_vec), 0),
        "PyObject_SetAttrString"
        | "PyModule_AddObject"
        | "PyModule_AddObjectRef"
        | "PyModule_Add" => (process.memory.text(attribute).ok(), value),
        "PyObject_DelAttrString" => (process.memory.text(attribute).ok(), 0),
        "PyModule_AddIntConstant" => {
            let number = process.memory.object(Object::Number(value));
            (process.memory.text(attribute).ok(), number)
        }
        "PyModule_AddStringConstant" => {
            let text = process.memory.text(value).unwrap_or_default();
            let text = process.memory.object(Object::Text(text.into()));
            (process.memory.text(attribute).ok(), text)
        }
        "PyModule_AddType" => (short_name(process, attribute), attribute),
        _ => return,
    };
    match key.map(Key::Text) {
        // Whichever it was, it is something else now.
        None => process.attributes.forget(of),
        Some(key) if value == 0 => process.attributes.remove(of, &key),
        Some(key) => process.attributes.insert(of, key, value),
    }
}

/// The name of a type without those of the modules that it lies in.
fn short_name(process: &mut Process<'_, '_, '_>, of: u64) -> Option<Vec<u8>> {
    let place = process.memory.word(of.wrapping_add(TYPE_NAME)).ok()?;
    let name = process.memory.text(place).ok()?;
    Some(name.rsplit(|letter| *letter == b'.').next().unwrap_or_default().to_vec())
}

/// The `PyMethodDef` of that name in a table of functions that was put into a module.
pub(super) fn listed_function(
    process: &mut Process<'_, '_, '_>,
    module: u64,
    name: &[u8],
) -> Option<u64> {
    const SIZE: u64 = 0x20;
    // More than any module has.
    const MOST: u64 = 1 << 12;
    let tables: Vec<u64> =
        process.functions.iter().filter(|(of, _)| *of == module).map(|(_, table)| *table).collect();
    for table in tables.into_iter().filter(|table| *table != 0) {
        for index in 0..MOST {
            let method = table.wrapping_add(index * SIZE);
            let Ok(place) = process.memory.word(method) else { break };
            if place == 0 {
                break;
            }
            if process.memory.text(place).is_ok_and(|known| known == name) {
                return Some(method);
            }
        }
    }
    None
}

/// Attributes of modules and types that have nothing to do with what else these hold.
const DATA: [&[u8]; 12] = [
    b"__all__",
    b"__builtins__",
    b"__doc__",
    b"__file__",
    b"__loader__",
    b"__module__",
    b"__name__",
    b"__package__",
    b"__path__",
    b"__qualname__",
    b"__spec__",
    b"__version__",
];

/// An attribute of some object, told by its name.
fn attribute(process: &mut Process<'_, '_, '_>, of: u64, name: &[u8]) -> u64 {
    let is_new = process.modules.iter().any(|made| made.object == of)
        || process.submodules.iter().any(|(module, _)| *module == of)
        || process.memory.in_image(of).is_some()
        || matches!(process.memory.object_at(of), Some(Object::Instance(_)));
    if is_new && let Some(known) = process.attributes.get(of, &Key::Text(name.to_vec())) {
        return known;
    }
    if is_new && let Some(method) = listed_function(process, of, name) {
        let object = process.memory.object(Object::Of("PyCFunction_Type"));
        let fields = [method, of, 0];
        if fill(process, object, &fields).is_ok() {
            process.attributes.insert(of, Key::Text(name.to_vec()), object);
            return object;
        }
    }
    let holds_itself = match process.memory.object_at(of) {
        // Methods, by which it is changed.
        Some(Object::List | Object::Dict | Object::ModuleDict(_)) => true,
        // Its dictionary, and methods too.
        _ => is_new && name.starts_with(b"__") && !DATA.contains(&name),
    };
    if holds_itself {
        entries::forget_shared(process, of);
    }
    if is_new && !name.starts_with(b"__") {
        // What the hook made itself has only what the hook put there.
        let found = process.given_or_none();
        if found == 0 {
            let of = process.memory.exception("PyExc_AttributeError");
            process.set_error(of);
        }
        return found;
    }
    let object = match name {
        // Tables of other packages' C interfaces lie behind capsules, whose type is compared
        // inline (numpy's import_array).
        name if name.ends_with(b"_API") => {
            let table = table(process, table_of(name));
            Object::Capsule(table)
        }
        b"__name__" | b"__qualname__" | b"__module__" | b"__doc__" | b"__file__" => {
            Object::Text(b"name".as_slice().into())
        }
        name if process.uses_arrays
            && let Some((takes, gives)) = ufunc(name) =>
        {
            Object::Ufunc(takes, gives)
        }
        b"__contains__" => Object::Predicate,
        b"__all__" => Object::Of("PyList_Type"),
        b"__dict__" => Object::Of("PyDict_Type"),
        _ => {
            let object = process.memory.object(Object::Held);
            return process.given(object, "PyExc_AttributeError");
        }
    };
    let object = process.memory.object(object);
    process.choose_or_raise(object, "PyExc_AttributeError")
}
