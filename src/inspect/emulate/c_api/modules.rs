//! How modules come to be, and what is declared for them: `Objects/moduleobject.c`,
//! `Python/import.c`.

use crate::inspect::definition::{SIZE_OFFSET, SLOTS_OFFSET};
use crate::inspect::emulate::objects::{Object, PLAIN};
use crate::inspect::emulate::process::{Arguments, Created, Outcome, Process, Stop};

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
        "PyUnstable_Module_SetGIL" => {
            if let Some(created) = process.modules.iter_mut().find(|made| made.object == first) {
                created.gil = Some(second);
            }
            Ok(0)
        }
        // Nothing is looked up by definition in an interpreter that never saw the module.
        "PyState_FindModule" | "PyState_AddModule" => Ok(0),
        "PyModule_GetDict" => Ok(process.singleton("module dict", Object::Of("PyDict_Type"))),
        "PyModule_Check" => Ok(u64::from(process.memory.object_at(first) == Some(&Object::Module))),
        "PyImport_AddModuleRef" | "PyImport_AddModule" | "PyImport_AddModuleObject" => {
            Ok(process.memory.object(Object::Module))
        }
        name if name.starts_with("PyImport_Import") => {
            let object = process.memory.object(Object::Module);
            Ok(process.choose_or_raise(object, "PyExc_ImportError"))
        }
        // What cffi's generated hooks call last: the answer is that of the installed cffi
        // (cffi, recompiler.py).
        "PyObject_CallMethod" => delegate(process, second),
        _ => return None,
    })
}

fn delegate(process: &mut Process<'_, '_, '_>, method: u64) -> Outcome {
    let method = process.memory.text(method)?;
    let object = process.memory.object(PLAIN);
    if method.starts_with(b"_init_cffi_1_0_external_module") {
        process.delegated = Some(object);
    }
    Ok(process.choose_or_raise(object, "PyExc_Exception"))
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
    create(process, definition, state)
}

fn create(process: &mut Process<'_, '_, '_>, definition: u64, state: u64) -> Outcome {
    if !process.can_declare {
        return Err(Stop::Settled);
    }
    let object = process.memory.object(Object::Module);
    process.modules.push(Created { object, definition, state, gil: None });
    Ok(object)
}
