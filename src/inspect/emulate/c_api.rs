//! CPython's C API, as far as an init function can tell: what its functions return, and the few
//! whose effect decides the answer.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::memory::Object;
use super::process::{Arguments, Created, Outcome, Process, Stop};
use crate::inspect::definition::{SIZE_OFFSET, SLOTS_OFFSET};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Returns {
    Number,
    Nothing,
}

/// What functions return where it is no pointer.
static RETURNS: LazyLock<HashMap<&'static str, Returns>> = LazyLock::new(|| {
    include_str!("../../../data/c-api-returns.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| match kind {
            "int" => (name, Returns::Number),
            _ => (name, Returns::Nothing),
        })
        .collect()
});

/// What a function of the interpreter gives back; `None` where `name` is none of them.
pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    if let Some(index) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Some(Ok(table_entry(process, index)));
    }
    if !(name.starts_with("Py") || name.starts_with("_Py")) {
        return None;
    }
    Some(python(process, name, arguments))
}

#[expect(clippy::too_many_lines, reason = "one arm for each function that matters")]
fn python(process: &mut Process<'_, '_, '_>, name: &str, arguments: &Arguments) -> Outcome {
    let [first, second, third, ..] = arguments.registers;
    match name {
        // Objects/moduleobject.c
        "PyModuleDef_Init" => {
            process.definitions.push(first);
            Ok(first)
        }
        "PyModule_Create2" => {
            let slots = process.memory.word(first.wrapping_add(SLOTS_OFFSET))?;
            if slots != 0 {
                // SystemError: a definition with slots cannot be used for single-phase init.
                process.raise();
                return Ok(0);
            }
            let size = process.memory.word(first.wrapping_add(SIZE_OFFSET))?.cast_signed();
            let state = match u64::try_from(size) {
                Ok(size) if size > 0 => process.memory.allocate(size)?,
                _ => 0,
            };
            create(process, state)
        }
        "PyModule_New" | "PyModule_NewObject" => create(process, 0),
        "PyModule_GetState" => {
            let made = process.modules.iter().find(|made| made.object == first);
            made.map(|made| made.state).ok_or_else(|| {
                Stop::Reason("the hook asks for the state of another module".to_owned())
            })
        }
        "PyUnstable_Module_SetGIL" => {
            if let Some(created) = process.modules.iter_mut().find(|made| made.object == first) {
                created.gil = Some(second);
            }
            Ok(0)
        }
        "PyState_FindModule" => Ok(0),
        "PyModule_GetDef" => {
            Err(Stop::Reason(format!("the hook calls `{name}`, whose outcome is not followed yet")))
        }
        // Python/errors.c
        "PyErr_Occurred" => {
            Ok(if process.error { process.singleton("error", Object::Plain) } else { 0 })
        }
        "PyErr_Clear" => {
            process.error = false;
            Ok(0)
        }
        "PyErr_Fetch" | "PyErr_GetExcInfo" => {
            for pointer in [first, second, third] {
                process.memory.write_word(pointer, 0)?;
            }
            process.error = false;
            Ok(0)
        }
        "PyErr_ExceptionMatches" | "PyErr_GivenExceptionMatches" => {
            Ok(process.choose(u64::from(process.error), u64::from(!process.error)))
        }
        "PyErr_WarnEx"
        | "PyErr_WarnFormat"
        | "PyErr_CheckSignals"
        | "PyErr_GetRaisedException"
        | "PyErr_SetRaisedException"
        | "PyErr_Restore"
        | "PyErr_NormalizeException" => Ok(0),
        name if name.starts_with("PyErr_New") => Ok(process.memory.object(Object::Plain)),
        name if name.starts_with("PyErr_") || name.starts_with("_PyErr_") => {
            process.raise();
            Ok(0)
        }
        name if name.contains("FatalError") => {
            Err(Stop::Failure("the hook ends the process".to_owned()))
        }
        // Python/getversion.c
        "Py_GetVersion" => {
            let text = format!("3.{}.0 free-threading build\0", process.minor);
            text_of(process, text.as_bytes())
        }
        // Python/pystate.c: there is one interpreter, the main one.
        "PyInterpreterState_Main" | "PyInterpreterState_Get" | "PyThreadState_GetInterpreter" => {
            Ok(process.singleton("interpreter", Object::Plain))
        }
        "PyThreadState_Get"
        | "PyThreadState_GetUnchecked"
        | "_PyThreadState_UncheckedGet"
        | "PyGILState_GetThisThreadState" => {
            let interpreter = process.singleton("interpreter", Object::Plain);
            let thread = process.singleton("thread", Object::Plain);
            // PyThreadState: prev, next, interp.
            process.memory.write_word(thread + 0x10, interpreter)?;
            Ok(thread)
        }
        "PyInterpreterState_GetDict" => Ok(process.singleton("interpreter dict", Object::Plain)),
        "PyGILState_Check" | "PyCapsule_IsValid" | "Py_IsInitialized" | "PyModule_Check" => Ok(1),
        // Objects/obmalloc.c
        "PyMem_Malloc" | "PyMem_RawMalloc" | "PyObject_Malloc" => {
            Ok(process.memory.allocate(first)?)
        }
        "PyMem_Calloc" | "PyMem_RawCalloc" | "PyObject_Calloc" => {
            Ok(process.memory.allocate(first.saturating_mul(second))?)
        }
        "PyMem_Realloc" | "PyMem_RawRealloc" | "PyObject_Realloc" => {
            super::libc::reallocate(process, first, second)
        }
        // Objects/capsule.c
        "PyCapsule_New" => Ok(process.memory.object(Object::Capsule)),
        "PyCapsule_GetPointer" | "PyCapsule_Import" => {
            Ok(process.singleton("table", Object::Table))
        }
        name if name.starts_with("PyObject_GetAttr") => {
            // Tables of other packages' C interfaces lie behind capsules, whose type is compared
            // inline (numpy's import_array).
            let attribute = if name == "PyObject_GetAttrString" {
                process.memory.text(second)?
            } else {
                Vec::new()
            };
            let kind = if attribute.ends_with(b"_API") { Object::Capsule } else { Object::Plain };
            let object = process.memory.object(kind);
            Ok(process.choose(object, 0))
        }
        // What cffi's generated hooks call last: the answer is that of the installed cffi
        // (cffi, recompiler.py).
        "PyObject_CallMethod" => {
            let method = process.memory.text(second)?;
            let object = process.memory.object(Object::Plain);
            if method.starts_with(b"_init_cffi_1_0_external_module") {
                process.delegated = Some(object);
            }
            Ok(process.choose(object, 0))
        }
        "PyThread_tss_create" | "PyThread_tss_set" | "PyThread_tss_is_created" => Ok(0),
        name => match RETURNS.get(name) {
            Some(Returns::Number) => Ok(process.choose(0, 1)),
            Some(Returns::Nothing) => Ok(0),
            None => {
                let object = process.memory.object(Object::Plain);
                Ok(process.choose(object, 0))
            }
        },
    }
}

fn create(process: &mut Process<'_, '_, '_>, state: u64) -> Outcome {
    if !process.can_declare {
        return Err(Stop::Settled);
    }
    let object = process.memory.object(Object::Module);
    process.modules.push(Created { object, state, gil: None });
    Ok(object)
}

/// An entry of another package's table of C functions. numpy's `import_array` asks three of them
/// for versions and byte order; what others return is not known.
fn table_entry(process: &mut Process<'_, '_, '_>, index: &str) -> u64 {
    match index {
        // PyArray_GetNDArrayCVersion: the ABI of numpy 2.
        "0" => 0x0200_0000,
        // PyArray_GetEndianness: little.
        "210" => 1,
        // PyArray_GetNDArrayCFeatureVersion: newer than whatever is asked for.
        "211" => 0x7f,
        _ => {
            let object = process.memory.object(Object::Plain);
            process.choose(object, 0)
        }
    }
}

/// Puts a text into memory.
fn text_of(process: &mut Process<'_, '_, '_>, text: &[u8]) -> Outcome {
    let address = process.memory.allocate(text.len() as u64)?;
    process.memory.write(address, text)?;
    Ok(address)
}
