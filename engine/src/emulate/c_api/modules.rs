//! How modules come to be, and what is declared for them: `Objects/moduleobject.c`,
//! `Python/import.c`.

use super::attributes::listed_function;
use super::objects::calls_own;
use super::text_of;
use crate::definition::{METHODS_OFFSET, NAME_OFFSET, SIZE_OFFSET, SLOTS_OFFSET};
use crate::emulate::objects::{Object, PLAIN};
use crate::emulate::process::{Arguments, Created, Outcome, Process, Stop};

pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, second, ..] = arguments.registers;
    Some(match name {
        "PyModuleDef_Init" => {
            process.definitions.push(first);
            Ok(first)
        }
        "PyModule_Create2" => create_from(process, first),
        "PyModule_New" | "PyModule_NewObject" => create(process, 0, 0),
        "PyModule_GetState" => match made(process, first) {
            Some(made) => Ok(made.state),
            None => Err(Stop::Reason("the hook asks for the state of another module".to_owned())),
        },
        "PyModule_GetDef" => match made(process, first) {
            Some(made) => Ok(made.definition),
            None => Ok(0),
        },
        "PyModule_AddFunctions" => {
            process.functions.push((first, second));
            Ok(process.choose_or_fail(&[0]))
        }
        "PyUnstable_Module_SetGIL" => {
            if let Some(created) = process.modules.iter_mut().find(|made| made.object == first) {
                created.gil = Some(second);
                process.choices_at_declaring = Some(process.choices_met());
            }
            Ok(0)
        }
        // Nothing is looked up by definition in an interpreter that never saw the module.
        "PyState_FindModule" | "PyState_AddModule" => Ok(0),
        "PyModule_Check" => Ok(u64::from(process.memory.object_at(first) == Some(&Object::Module))),
        "PyModule_GetName" => {
            let name = name_of(process, first)?;
            text_of(process, &name)
        }
        "PyImport_AddModuleRef" | "PyImport_AddModule" => {
            let wanted = process.memory.text(first);
            wanted.map(|name| add(process, name)).map_err(Into::into)
        }
        "PyImport_AddModuleObject" => {
            let wanted = process.memory.text_object(first).unwrap_or_default().to_vec();
            Ok(add(process, wanted))
        }
        name if name.starts_with("PyImport_Import") => {
            let object = process.memory.object(Object::Module);
            Ok(process.choose_or_raise(object, "PyExc_ImportError"))
        }
        // What cffi's generated hooks call last: the answer is that of the installed cffi
        // (cffi, recompiler.py).
        "PyObject_CallMethod" => delegate(process, first, second),
        _ => return None,
    })
}

fn delegate(process: &mut Process<'_, '_, '_>, of: u64, method: u64) -> Outcome {
    let method = process.memory.text(method)?;
    if listed_function(process, of, &method).is_some() {
        return Err(calls_own());
    }
    let object = process.memory.object(PLAIN);
    if method.starts_with(b"_init_cffi_1_0_external_module") {
        process.delegated = Some(object);
        return Ok(process.choose_or_raise(object, "PyExc_Exception"));
    }
    Ok(process.given(object, "PyExc_Exception"))
}

/// The name of a module that the hook made: that of its definition, or the one that it was added
/// under.
fn name_of(process: &mut Process<'_, '_, '_>, module: u64) -> Option<Vec<u8>> {
    if let Some((_, name)) = process.submodules.iter().find(|(known, _)| *known == module) {
        return Some(name.clone());
    }
    let definition = made(process, module)?.definition;
    let place = definition.checked_add(NAME_OFFSET).filter(|_| definition != 0)?;
    let place = process.memory.word(place).ok()?;
    process.memory.text(place).ok()
}

/// A module of that name, which is new where it lies below one that the hook made.
fn add(process: &mut Process<'_, '_, '_>, name: Vec<u8>) -> u64 {
    let module = process.memory.object(Object::Module);
    let end = name.iter().rposition(|letter| *letter == b'.').unwrap_or(0);
    let parent = name.get(..end).unwrap_or_default();
    let is_below_added = process.submodules.iter().any(|(_, known)| known == parent);
    let made: Vec<u64> = process.modules.iter().map(|made| made.object).collect();
    let is_below = |made| name_of(process, made).is_some_and(|known| known == parent);
    if !parent.is_empty() && (is_below_added || made.into_iter().any(is_below)) {
        process.submodules.push((module, name));
    }
    module
}

fn made(process: &Process<'_, '_, '_>, object: u64) -> Option<Created> {
    process.modules.iter().find(|made| made.object == object).copied()
}

fn create_from(process: &mut Process<'_, '_, '_>, definition: u64) -> Outcome {
    let slots = process.memory.word(definition.wrapping_add(SLOTS_OFFSET))?;
    if slots != 0 {
        // A definition with slots cannot be used for single-phase init.
        process.raise("PyExc_SystemError");
        return Ok(0);
    }
    let size = process.memory.word(definition.wrapping_add(SIZE_OFFSET))?.cast_signed();
    let state = match u64::try_from(size) {
        Ok(size) if size > 0 => process.memory.allocate(size)?,
        _ => 0,
    };
    let methods = process.memory.word(definition.wrapping_add(METHODS_OFFSET))?;
    let module = create(process, definition, state)?;
    process.functions.push((module, methods));
    Ok(module)
}

fn create(process: &mut Process<'_, '_, '_>, definition: u64, state: u64) -> Outcome {
    if !process.can_declare {
        return Err(Stop::Settled);
    }
    let object = process.memory.object(Object::Module);
    process.modules.push(Created { object, definition, state, gil: None });
    Ok(object)
}
