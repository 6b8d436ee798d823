//! Exceptions: `Python/errors.c`.

use crate::emulate::objects::Object;
use crate::emulate::process::{Arguments, Outcome, Process, Stop};

pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, second, third, ..] = arguments.registers;
    Some(match name {
        "PyErr_Occurred" => Ok(process.error().unwrap_or(0)),
        "PyErr_Clear"
        | "PyErr_Print"
        | "PyErr_PrintEx"
        | "PyErr_WriteUnraisable"
        | "PyErr_FormatUnraisable" => {
            process.clear_error();
            Ok(0)
        }
        "PyErr_Fetch" => fetch(process, [first, second, third]),
        // The exception that is being handled, which there is none of: not the one that is set.
        "PyErr_GetExcInfo" => fill(process, [first, second, third], [0; 3]),
        "PyErr_GetRaisedException" => {
            let raised = process.error();
            process.clear_error();
            Ok(raised.map_or(0, |of| process.memory.object(Object::Instance(of))))
        }
        "PyErr_SetRaisedException" => {
            restore(process, first);
            Ok(0)
        }
        "PyErr_Restore" => {
            match first {
                0 => process.clear_error(),
                of => process.raise_type(of),
            }
            Ok(0)
        }
        "PyErr_ExceptionMatches" => {
            let of = process.error();
            Ok(matches(process, of, first))
        }
        "PyErr_GivenExceptionMatches" => {
            let of = type_of(process, first).or(Some(first));
            Ok(matches(process, of, second))
        }
        "PyErr_WarnEx"
        | "PyErr_WarnFormat"
        | "PyErr_CheckSignals"
        | "PyErr_NormalizeException"
        | "PyErr_WarnExplicit"
        | "PyErr_GetHandledException"
        | "PyErr_SetHandledException"
        | "PyErr_SetExcInfo" => Ok(0),
        name if name.starts_with("PyErr_New") => {
            let object = process.memory.object(Object::Of("PyType_Type"));
            Ok(process.choose_or_raise(object, "PyExc_Exception"))
        }
        "PyErr_NoMemory" => {
            process.raise("PyExc_MemoryError");
            Ok(0)
        }
        name if name.starts_with("PyErr_Set") || name.starts_with("PyErr_Format") => {
            process.raise_type(first);
            Ok(0)
        }
        name if name.starts_with("PyErr_") || name.starts_with("_PyErr_") => {
            process.raise("PyExc_SystemError");
            Ok(0)
        }
        name if name.contains("FatalError") => {
            Err(Stop::Failure("the hook ends the process".to_owned()))
        }
        _ => return None,
    })
}

/// The type of an exception object that a stub made.
fn type_of(process: &Process<'_, '_, '_>, object: u64) -> Option<u64> {
    match process.memory.object_at(object)? {
        Object::Instance(of) => Some(*of),
        _ => None,
    }
}

fn fetch(process: &mut Process<'_, '_, '_>, places: [u64; 3]) -> Outcome {
    let raised = process.error();
    let value = match raised {
        Some(of) => process.memory.object(Object::Instance(of)),
        None => 0,
    };
    process.clear_error();
    fill(process, places, [raised.unwrap_or(0), value, 0])
}

/// Gives words back through pointers, of which any may be null.
fn fill(process: &mut Process<'_, '_, '_>, places: [u64; 3], values: [u64; 3]) -> Outcome {
    for (place, value) in places.into_iter().zip(values) {
        if place != 0 {
            process.memory.write_word(place, value)?;
        }
    }
    Ok(0)
}

/// Sets an exception object, of whatever type where nobody here made it; null clears.
fn restore(process: &mut Process<'_, '_, '_>, object: u64) {
    match (object, type_of(process, object)) {
        (0, _) => process.clear_error(),
        (_, Some(of)) => process.raise_type(of),
        (_, None) => process.raise("PyExc_Exception"),
    }
}

/// Whether an exception of the type `of` is one of `wanted`. The same is; what inherits from what
/// is only known of the roots.
fn matches(process: &mut Process<'_, '_, '_>, of: Option<u64>, wanted: u64) -> u64 {
    let roots =
        ["PyExc_Exception", "PyExc_BaseException"].map(|name| process.memory.exception(name));
    match of {
        None => 0,
        Some(of) if of == wanted || roots.contains(&wanted) => 1,
        // ModuleNotFoundError is an ImportError, and others in like manner; a tuple of types is
        // not looked into.
        Some(_) => process.choose(0, 1),
    }
}
