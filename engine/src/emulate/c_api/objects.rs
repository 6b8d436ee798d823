//! Functions whose results code looks into: strings, numbers, types, and what is called.

use super::{FAILED, LARGE, text_of};
use crate::emulate::memory::{BYTES_A_UNIT, Fault, Memory};
use crate::emulate::objects::{
    Object, PLAIN, TYPE, TYPE_ALLOC, TYPE_BASE, TYPE_CALL, TYPE_DICT, TYPE_FLAGS, TYPE_FREE,
    TYPE_INIT, TYPE_NEW,
};
use crate::emulate::process::{Arguments, Outcome, Process, Stop};

/// The built-in type of what a function makes, told by its name.
pub(super) fn result_type(name: &str) -> Option<Object> {
    const MADE: [(&str, &str); 25] = [
        ("PyUnicode_", "PyUnicode_Type"),
        ("PyObject_Str", "PyUnicode_Type"),
        ("PyObject_Repr", "PyUnicode_Type"),
        ("PyModule_GetNameObject", "PyUnicode_Type"),
        ("PyModule_GetFilenameObject", "PyUnicode_Type"),
        ("PyLong_", "PyLong_Type"),
        ("PyFloat_", "PyFloat_Type"),
        ("PyTuple_", "PyTuple_Type"),
        ("PyList_", "PyList_Type"),
        ("PyDict_", "PyDict_Type"),
        ("PyImport_GetModuleDict", "PyDict_Type"),
        ("PyEval_Get", "PyDict_Type"),
        ("PyInterpreterState_GetDict", "PyDict_Type"),
        ("PyThreadState_GetDict", "PyDict_Type"),
        ("PySet_", "PySet_Type"),
        ("PyFrozenSet_", "PyFrozenSet_Type"),
        ("PyBytes_From", "PyBytes_Type"),
        ("PyCMethod_New", "PyCFunction_Type"),
        ("PyCFunction_New", "PyCFunction_Type"),
        ("PyType_From", "PyType_Type"),
        ("PyObject_Type", "PyType_Type"),
        ("PyStructSequence_NewType", "PyType_Type"),
        ("PyImport_GetModule", "PyModule_Type"),
        ("PyNumber_Long", "PyLong_Type"),
        ("PyWeakref_NewRef", "_PyWeakref_RefType"),
    ];
    let takes_out = name.contains("Item") || name.contains("Get") && name.starts_with("PyList_");
    let found = MADE.iter().find(|(start, _)| name.starts_with(start))?;
    // What is taken out of a container is of whatever type.
    (!takes_out).then_some(Object::Of(found.1))
}

pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    text(process, name, arguments)
        .or_else(|| types(process, name, arguments))
        .or_else(|| calls(process, name, arguments))
        .or_else(|| interpreter(process, name, arguments))
}

/// Strings and integers.
fn text(process: &mut Process<'_, '_, '_>, name: &str, arguments: &Arguments) -> Option<Outcome> {
    let [first, second, ..] = arguments.registers;
    Some(match name {
        "PyUnicode_FromString" | "PyUnicode_InternFromString" => process
            .memory
            .text(first)
            .map(|text| process.memory.object(Object::Text(text.into())))
            .map_err(Into::into),
        "PyUnicode_FromStringAndSize" | "PyUnicode_DecodeUTF8" if first != 0 => {
            let mut bytes = vec![0; usize::try_from(second.min(MAX_TEXT)).unwrap_or(0)];
            let read = process.memory.read_into(first, &mut bytes);
            // It is kept, beside all others.
            process.memory.charge(bytes.len().saturating_mul(BYTES_A_UNIT));
            read.map(|()| process.memory.object(Object::Text(bytes.into()))).map_err(Into::into)
        }
        "PyUnicode_AsUTF8" | "PyUnicode_AsUTF8AndSize" => {
            let size = process.memory.text_object(first).map_or(0, |text| text.len() as u64);
            if name.ends_with("AndSize")
                && second != 0
                && let Err(fault) = process.memory.write_word(second, size)
            {
                return Some(Err(fault.into()));
            }
            Ok(Memory::characters(first))
        }
        "PyUnicode_InternInPlace" => Ok(0),
        "PyUnicode_CompareWithASCIIString" | "PyUnicode_EqualToUTF8" => {
            let is_order = name.ends_with("ASCIIString");
            let own = process.memory.text_object(first).map(<[u8]>::to_vec);
            match (own, process.memory.text(second)) {
                (Some(own), Ok(other)) => Ok(u64::from((own == other) != is_order)),
                _ => Ok(process.choose(u64::from(is_order), u64::from(!is_order))),
            }
        }
        "PyLong_FromLong"
        | "PyLong_FromSsize_t"
        | "PyLong_FromLongLong"
        | "PyLong_FromSize_t"
        | "PyLong_FromUnsignedLong"
        | "PyLong_FromUnsignedLongLong"
        | "PyLong_FromVoidPtr"
        | "PyLong_FromInt32"
        | "PyLong_FromInt64"
        | "PyLong_FromUInt32"
        | "PyLong_FromUInt64" => Ok(process.memory.object(Object::Number(first))),
        // Through a pointer.
        "PyLong_AsInt32" | "PyLong_AsUInt32" | "PyLong_AsInt64" | "PyLong_AsUInt64" => {
            let number = match process.memory.object_at(first) {
                Some(Object::Number(number)) => Some(*number),
                _ => [0, 1, LARGE].get(process.alternative(4)).copied(),
            };
            let Some(number) = number else {
                process.raise("PyExc_OverflowError");
                return Some(Ok(FAILED));
            };
            let bytes = number.to_le_bytes();
            let size = if name.ends_with("32") { 4 } else { 8 };
            process.memory.write(second, &bytes[..size]).map(|()| 0).map_err(Into::into)
        }
        name if name.starts_with("PyLong_As") && name != "PyLong_AsNativeBytes" => {
            match process.memory.object_at(first) {
                Some(Object::Number(number)) => Ok(*number),
                _ => Ok(process.choose_or_fail(&[0, 1, LARGE, FAILED])),
            }
        }
        "PySys_GetObject" | "PySys_GetAttrString" => {
            let wanted = process.memory.text(first);
            match wanted.as_deref() {
                Ok(b"version") => {
                    let version = format!("3.{}.0 free-threading build", process.minor);
                    Ok(process.memory.object(Object::Text(version.into_bytes().into())))
                }
                Ok(b"modules") => Ok(process.singleton("modules", Object::Of("PyDict_Type"))),
                _ => {
                    let object = process.memory.object(PLAIN);
                    Ok(match name {
                        "PySys_GetObject" => process.given_or_null(object),
                        _ => process.given(object, "PyExc_AttributeError"),
                    })
                }
            }
        }
        _ => return None,
    })
}

/// `sizeof(PyObject)`.
const HEAD: u64 = 0x20;
/// More than any string in an init function.
const MAX_TEXT: u64 = 1 << 20;

/// `Objects/typeobject.c`.
fn types(process: &mut Process<'_, '_, '_>, name: &str, arguments: &Arguments) -> Option<Outcome> {
    let [first, second, ..] = arguments.registers;
    Some(match name {
        "PyType_Ready" => ready(process, first),
        // Objects/moduleobject.c
        "PyModule_AddType" => ready(process, second),
        "Py_TYPE" => process.memory.word(first.wrapping_add(TYPE as u64)).map_err(Into::into),
        "PyType_GetFlags" => {
            process.memory.word(first.wrapping_add(TYPE_FLAGS as u64)).map_err(Into::into)
        }
        "PyType_IsSubtype" if inherits(process, first, second) => Ok(1),
        "PyType_GetName"
        | "PyType_GetQualName"
        | "PyType_GetFullyQualifiedName"
        | "PyType_GetModuleName" => {
            Ok(process.memory.object(Object::Text(b"type".as_slice().into())))
        }
        "PyType_GetSlot" => Ok(match second {
            // Py_tp_alloc, Py_tp_free, Py_tp_new (Include/typeslots.h).
            47 => process.memory.symbol("PyType_GenericAlloc"),
            74 => process.memory.symbol("PyObject_Free"),
            65 => process.memory.symbol("PyType_GenericNew"),
            _ => {
                let slot = process.memory.symbol("[slot]");
                process.choose(0, slot)
            }
        }),
        "PyCMethod_New" | "PyCFunction_NewEx" | "PyCFunction_New" => function(process, arguments),
        // Objects/classobject.c: the function that they call, and for what object.
        "PyMethod_New" => made_of(process, "PyMethod_Type", &[first, second]),
        "PyInstanceMethod_New" => made_of(process, "PyInstanceMethod_Type", &[first]),
        "PyType_GenericAlloc"
        | "PyType_GenericNew"
        | "_PyObject_New"
        | "_PyObject_GC_New"
        | "_PyObject_NewVar"
        | "_PyObject_GC_NewVar" => Ok(process.memory.object(Object::Instance(first))),
        "PyObject_Init" | "PyObject_InitVar" => {
            let written = process.memory.write_word(first.wrapping_add(TYPE as u64), second);
            written.map(|()| first).map_err(Into::into)
        }
        // The data of a subclass lies behind that of its base.
        "PyObject_GetTypeData" => Ok(first.wrapping_add(0x400)),
        _ => return None,
    })
}

/// A `PyCFunctionObject`: behind the head what it was made from, its self and its module, into which
/// code looks by macros.
fn function(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Outcome {
    let [method, own, module, ..] = arguments.registers;
    made_of(process, "PyCFunction_Type", &[method, own, module])
}

/// An object of that type, with these words behind its head.
fn made_of(process: &mut Process<'_, '_, '_>, of: &'static str, words: &[u64]) -> Outcome {
    let object = process.memory.object(Object::Of(of));
    fill(process, object, words)?;
    Ok(process.choose_or_raise(object, "PyExc_Exception"))
}

/// Writes words behind the head of an object.
pub(super) fn fill(
    process: &mut Process<'_, '_, '_>,
    object: u64,
    words: &[u64],
) -> Result<(), Fault> {
    for (index, word) in words.iter().enumerate() {
        process.memory.write_word(object + HEAD + index as u64 * 8, *word)?;
    }
    Ok(())
}

/// Fills what a type inherits, as far as code relies on it.
fn ready(process: &mut Process<'_, '_, '_>, of: u64) -> Outcome {
    let base = process.memory.symbol("PyBaseObject_Type");
    let dict = process.singleton("type dict", Object::Of("PyDict_Type"));
    let meta = process.memory.symbol("PyType_Type");
    let alloc = process.memory.symbol("PyType_GenericAlloc");
    let new = process.memory.symbol("PyType_GenericNew");
    let free = process.memory.symbol("PyObject_Free");
    for (offset, value) in [
        (TYPE, meta),
        (TYPE_BASE, base),
        (TYPE_DICT, dict),
        (TYPE_ALLOC, alloc),
        (TYPE_NEW, new),
        (TYPE_FREE, free),
    ] {
        let place = of.wrapping_add(offset as u64);
        if process.memory.word(place)? == 0 {
            process.memory.write_word(place, value)?;
        }
    }
    Ok(process.choose_or_fail(&[0]))
}

/// `Objects/call.c`, where it is known what the callee returns.
fn calls(process: &mut Process<'_, '_, '_>, name: &str, arguments: &Arguments) -> Option<Outcome> {
    const CALLS: [&str; 10] = [
        "_PyObject_CallNoArgs",
        "PyObject_Call",
        "PyObject_CallNoArgs",
        "PyObject_CallOneArg",
        "PyObject_CallObject",
        "PyObject_CallFunction",
        "PyObject_CallFunctionObjArgs",
        "PyObject_Vectorcall",
        "PyObject_VectorcallDict",
        "PyEval_CallObjectWithKeywords",
    ];
    if !CALLS.contains(&name) {
        return None;
    }
    let callee = arguments.registers[0];
    if process.memory.object_at(callee) == Some(&Object::Predicate) {
        let [no, yes] =
            ["_Py_FalseStruct", "_Py_TrueStruct"].map(|object| process.memory.symbol(object));
        return Some(Ok(process.choose(no, yes)));
    }
    if is_own_type(process, callee) {
        if has_own(process, callee, &[TYPE_INIT, TYPE_ALLOC, TYPE_NEW]) {
            return Some(Err(calls_own()));
        }
        let object = process.memory.object(Object::Instance(callee));
        return Some(Ok(process.choose_or_raise(object, "PyExc_Exception")));
    }
    calls_own_code(process, callee).then(|| Err(calls_own()))
}

/// What is not followed: code of the module that the interpreter calls.
pub(super) fn calls_own() -> Stop {
    Stop::Reason("the hook has the interpreter call a function of the module".to_owned())
}

/// Whether a call of an object may run code of the libraries that are here.
fn calls_own_code(process: &mut Process<'_, '_, '_>, callee: u64) -> bool {
    match process.memory.object_at(callee) {
        // A function that the hook made, or a method: what it calls lies behind the head.
        Some(Object::Of("PyCFunction_Type")) => {
            let method = process.memory.word(callee + HEAD);
            method.is_ok_and(|method| process.memory.in_image(method).is_some())
        }
        Some(Object::Of("PyMethod_Type" | "PyInstanceMethod_Type")) => {
            let function = process.memory.word(callee + HEAD);
            function.is_ok_and(|function| calls_own_code(process, function))
        }
        Some(Object::Instance(of)) => {
            let of = *of;
            has_own(process, of, &[TYPE_CALL])
        }
        Some(_) => false,
        None => process.memory.in_image(callee).is_some(),
    }
}

/// Whether a type, or one that it inherits from, has a function in a library that is here at any of
/// these places.
fn has_own(process: &mut Process<'_, '_, '_>, of: u64, places: &[usize]) -> bool {
    // Far more than there are between a type and `object`.
    const MOST: usize = 32;
    let mut known = of;
    for _ in 0..MOST {
        if known == 0 || process.memory.in_image(known).is_none() {
            return false;
        }
        for place in places {
            let function = process.memory.word(known.wrapping_add(*place as u64));
            if function.is_ok_and(|function| process.memory.in_image(function).is_some()) {
                return true;
            }
        }
        known = process.memory.word(known.wrapping_add(TYPE_BASE as u64)).unwrap_or(0);
    }
    true
}

/// Whether a library here holds a type at that address: `type` made it, or what inherits from that.
fn is_own_type(process: &mut Process<'_, '_, '_>, of: u64) -> bool {
    if process.memory.in_image(of).is_none() {
        return false;
    }
    let root = process.memory.symbol("PyType_Type");
    let meta = process.memory.word(of.wrapping_add(TYPE as u64));
    meta.is_ok_and(|meta| inherits(process, meta, root))
}

/// Whether a type is another one, or is known to inherit from it: by the first of its bases each.
fn inherits(process: &mut Process<'_, '_, '_>, of: u64, from: u64) -> bool {
    // Far more than there are between a type and `object`.
    const MOST: usize = 32;
    let mut known = of;
    for _ in 0..MOST {
        if known == from {
            return true;
        }
        match process.memory.word(known.wrapping_add(TYPE_BASE as u64)) {
            Ok(base) if base != 0 => known = base,
            _ => return false,
        }
    }
    false
}

/// `Python/pystate.c` and the like: there is one interpreter, the main one, with one thread.
fn interpreter(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, second, ..] = arguments.registers;
    Some(match name {
        // Python/getversion.c
        "Py_GetVersion" => {
            let text = format!("3.{}.0 free-threading build", process.minor);
            text_of(process, text.as_bytes())
        }
        "PyThread_start_new_thread" | "PyThread_start_joinable_thread" => {
            Err(Stop::Reason("the hook starts a thread".to_owned()))
        }
        "PyInterpreterState_Main" | "PyInterpreterState_Get" | "PyThreadState_GetInterpreter" => {
            Ok(process.singleton("interpreter", PLAIN))
        }
        "PyInterpreterState_GetID" => Ok(0),
        "PyThreadState_Get"
        | "PyThreadState_GetUnchecked"
        | "_PyThreadState_UncheckedGet"
        | "PyGILState_GetThisThreadState"
        | "PyEval_SaveThread" => thread(process),
        "PyInterpreterState_GetDict" => {
            Ok(process.singleton("interpreter dict", Object::Of("PyDict_Type")))
        }
        "PyThreadState_GetDict" => Ok(process.singleton("thread dict", Object::Of("PyDict_Type"))),
        "PyGILState_Check" | "Py_IsInitialized" => Ok(1),
        "Py_IsFinalizing" | "PyGILState_Ensure" => Ok(0),
        // Objects/obmalloc.c
        "PyMem_Malloc" | "PyMem_RawMalloc" | "PyObject_Malloc" => {
            process.memory.allocate(first).map_err(Into::into)
        }
        "PyMem_Calloc" | "PyMem_RawCalloc" | "PyObject_Calloc" => {
            process.memory.allocate(first.saturating_mul(second)).map_err(Into::into)
        }
        "PyMem_Realloc" | "PyMem_RawRealloc" | "PyObject_Realloc" => {
            crate::emulate::runtime::reallocate(process, first, second)
        }
        // Python/thread.c
        "PyThread_tss_create" | "PyThread_tss_is_created" => {
            Ok(u64::from(name.ends_with("created")))
        }
        "PyThread_tss_set" => {
            process.thread_values.insert(first, second);
            Ok(0)
        }
        "PyThread_tss_get" => Ok(process.thread_values.get(&first).copied().unwrap_or(0)),
        _ => return None,
    })
}

fn thread(process: &mut Process<'_, '_, '_>) -> Outcome {
    let interpreter = process.singleton("interpreter", PLAIN);
    let thread = process.singleton("thread", PLAIN);
    // PyThreadState: prev, next, interp.
    process.memory.write_word(thread + 0x10, interpreter)?;
    Ok(thread)
}
