//! Objects of the interpreter, as code sees them that looks into them rather than ask the C API.
//!
//! Offsets are those of 64-bit free-threaded builds. What functions do with objects is told in
//! [`super::c_api`].

use std::rc::Rc;

use super::memory::{Fault, Memory};
use super::pages::Page;
use super::process::CANARY;
use crate::image::PAGE_SIZE;

/// An object that a stub made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    /// Of the type with that symbol, and nothing is known of its content.
    Of(&'static str),
    /// Of a type that lies at that address.
    Instance(u64),
    /// A string.
    Text(Rc<[u8]>),
    /// An integer.
    Number(u64),
    /// A capsule, and what is in it.
    Capsule(u64),
    /// A list or tuple that the hook made: what it holds lies in memory.
    List,
    Tuple,
    /// A dictionary that the hook made: what it put there is kept beside memory.
    Dict,
    /// What the hook made of the type with that symbol, before other code may have changed it.
    Changed(&'static str),
    /// The dictionary of a module that the hook made.
    ModuleDict(u64),
    /// A module.
    Module,
    /// What a module of another package holds under a name: maybe a class.
    Held,
    /// A method that returns True or False, whatever it is given.
    Predicate,
    /// An object of another package, into which code looks by that package's headers: what its
    /// fields hold is not known, but for that those which are pointers point somewhere.
    Foreign,
    /// A ufunc of numpy, which takes and gives so many arrays.
    Ufunc(u32, u32),
    /// Zeros.
    Blank,
    /// A table of functions and objects that another package offers behind a capsule.
    Table(Table),
}

/// Whose table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// numpy's `_ARRAY_API`.
    Array,
    /// numpy's `_UFUNC_API`.
    Ufunc,
    /// Any other one.
    Other,
}

/// An object whose type nobody asks for.
pub(super) const PLAIN: Object = Object::Of("PyBaseObject_Type");

/// The methods of numpy's ufuncs with their flags, which others take from `tp_methods`
/// (numpy, `ufunc_object.c`).
const UFUNC_METHODS: [(&str, u32); 8] = [
    ("reduce", FASTCALL_KEYWORDS),
    ("accumulate", FASTCALL_KEYWORDS),
    ("reduceat", FASTCALL_KEYWORDS),
    ("outer", FASTCALL_KEYWORDS),
    ("at", VARARGS),
    ("resolve_dtypes", FASTCALL_KEYWORDS),
    ("_resolve_dtypes_and_context", FASTCALL_KEYWORDS),
    ("_get_strided_loop", FASTCALL_KEYWORDS),
];
/// `METH_VARARGS`, and `METH_FASTCALL | METH_KEYWORDS`.
const VARARGS: u32 = 0x1;
const FASTCALL_KEYWORDS: u32 = 0x82;
/// The size of a `PyMethodDef`, for which their names are short enough too, and where those begin.
const METHOD: usize = 0x20;
const NAMES: usize = 0x800;

/// What stands for the type of an object that is of every built-in type to inlined checks.
pub(super) const ANY_TYPE: &str = "[any type]";

/// `ob_ref_local` and `ob_type` of a `PyObject`.
const REFERENCES: usize = 0x0c;
pub(super) const TYPE: usize = 0x18;
/// `ob_size` of a `PyVarObject`, and `ob_item` and `allocated` of a `PyListObject`.
pub(super) const SIZE: u64 = 0x20;
pub(super) const ITEMS: u64 = 0x28;
pub(super) const ALLOCATED: u64 = 0x30;
/// `length`, `state` and the characters of a `PyASCIIObject`.
const LENGTH: usize = 0x20;
const STATE: usize = 0x30;
const CHARACTERS: usize = 0x38;
/// `tp_call`, `tp_flags`, `tp_methods`, `tp_base`, `tp_dict`, `tp_init`, `tp_alloc`, `tp_new` and `tp_free` of a
/// `PyTypeObject`.
pub(super) const TYPE_CALL: usize = 0x90;
pub(super) const TYPE_FLAGS: usize = 0xb8;
const TYPE_METHODS: usize = 0xf8;
pub(super) const TYPE_BASE: usize = 0x110;
pub(super) const TYPE_DICT: usize = 0x118;
pub(super) const TYPE_INIT: usize = 0x138;
pub(super) const TYPE_ALLOC: usize = 0x140;
pub(super) const TYPE_NEW: usize = 0x148;
pub(super) const TYPE_FREE: usize = 0x150;
/// `Py_TPFLAGS_BASETYPE` and `Py_TPFLAGS_READY`.
const USUAL_FLAGS: u64 = 1 << 10 | 1 << 12;
/// `state` of a compact ASCII string, as 3.13 and as 3.14 lay out its bits.
const ASCII_STATE: u32 = 0x0019_0064;

/// `ob_item` of a `PyTupleObject` (CPython, `Include/cpython/tupleobject.h`): 3.14 put the hash
/// before it.
pub(super) fn tuple_items(minor: u8) -> u64 {
    match minor {
        ..=13 => 0x28,
        14.. => 0x30,
    }
}

/// `Py_TPFLAGS_LONG_SUBCLASS` and the like, by which inlined checks tell built-in types.
fn type_flags(name: &str) -> u64 {
    let subclass = match name {
        "PyLong_Type" | "PyBool_Type" => 1 << 24,
        "PyList_Type" => 1 << 25,
        "PyTuple_Type" => 1 << 26,
        "PyBytes_Type" => 1 << 27,
        "PyUnicode_Type" => 1 << 28,
        "PyDict_Type" => 1 << 29,
        "PyType_Type" => 1 << 31,
        name if name.starts_with("PyExc_") => 1 << 30,
        ANY_TYPE => 0xff << 24,
        _ => 0,
    };
    USUAL_FLAGS | subclass
}

/// What a capsule or table of that name holds.
pub(super) fn table_of(name: &[u8]) -> Table {
    if name.ends_with(b"_ARRAY_API") {
        Table::Array
    } else if name.ends_with(b"_UFUNC_API") {
        Table::Ufunc
    } else {
        Table::Other
    }
}

impl Memory<'_, '_, '_> {
    /// A page of what lies at a symbol that no library of the wheel defines, `offset` bytes on.
    pub(super) fn symbol_page(
        &mut self,
        name: &str,
        start: u64,
        offset: u64,
        page: &mut Page,
    ) -> Result<(), Fault> {
        let behind = start + PAGE_SIZE as u64;
        match name {
            // Variables that point to an object.
            "stdin" | "stdout" | "stderr" if offset == 0 => put(page, 0, behind),
            "stdin" | "stdout" | "stderr" => {}
            "__stack_chk_guard" if offset == 0 => put(page, 0, CANARY),
            // The empty string of libstdc++ before C++11: zeros.
            "environ" | "__environ" | "_ZNSs4_Rep20_S_empty_rep_storageE" if offset == 0 => {}
            // A final release; inlined checks ask for the feature release at most.
            "Py_Version" if offset == 0 => {
                put(page, 0, 0x0300_00f0 | u64::from(self.minor) << 16);
            }
            // std::type_info: a table of functions, and the mangled name.
            name if name.starts_with("_ZTI") && offset == 0 => {
                let functions = self.symbol("_ZTVN10__cxxabiv120__si_class_type_infoE");
                put(page, 0, functions + 16);
                put(page, 8, behind);
            }
            name if name.starts_with("_ZTI") => {
                let mangled = name.bytes().skip(4).take(PAGE_SIZE - 1);
                for (place, byte) in page.iter_mut().zip(mangled) {
                    *place = byte;
                }
            }
            name if name.starts_with("PyExc_") && offset == 0 => put(page, 0, behind),
            "PyUFunc_Type" if offset == 0 => {
                self.type_body(page, name);
                put(page, TYPE_METHODS, behind);
            }
            "PyUFunc_Type" if offset == PAGE_SIZE as u64 => {
                self.method_table(page, behind, &UFUNC_METHODS);
            }
            name if is_object(name) || name.starts_with("PyExc_") => self.type_body(page, name),
            _ => return Err(Fault::Symbol(name.to_owned())),
        }
        Ok(())
    }

    /// The page that an object lies on.
    pub(super) fn object_page(&mut self, number: u64, object: Option<&Object>, page: &mut Page) {
        // What lies behind the head of what others made, or is laid out in ways that are not told
        // here, is not known.
        match object {
            Some(Object::Of("PyType_Type")) => {}
            Some(
                Object::Of(_)
                | Object::Changed(_)
                | Object::Number(_)
                | Object::Capsule(_)
                | Object::Dict
                | Object::ModuleDict(_)
                | Object::Module
                | Object::Predicate,
            ) => self.make_opaque(number, LENGTH, &[]),
            Some(Object::Held) => {
                let known = [TYPE_FLAGS, TYPE_ALLOC, TYPE_NEW, TYPE_FREE];
                self.make_opaque(number, LENGTH, &known);
            }
            _ => {}
        }
        let name = match object {
            Some(Object::Of("PyType_Type")) => return self.type_body(page, ""),
            Some(Object::Of(name) | Object::Changed(name)) => name,
            Some(Object::Instance(of)) => {
                self.object_head(page, "");
                return put(page, TYPE, *of);
            }
            Some(Object::Text(text)) => {
                put(page, LENGTH, text.len() as u64);
                page[STATE..STATE + 4].copy_from_slice(&ASCII_STATE.to_le_bytes());
                let length = text.len().min(PAGE_SIZE - CHARACTERS - 1);
                page[CHARACTERS..CHARACTERS + length].copy_from_slice(&text[..length]);
                "PyUnicode_Type"
            }
            Some(Object::Number(_)) => "PyLong_Type",
            Some(Object::Capsule(_)) => "PyCapsule_Type",
            Some(Object::List) => "PyList_Type",
            Some(Object::Tuple) => "PyTuple_Type",
            Some(Object::Dict | Object::ModuleDict(_)) => "PyDict_Type",
            Some(Object::Module) => "PyModule_Type",
            Some(Object::Held) => {
                self.type_fields(page, USUAL_FLAGS);
                "PyBaseObject_Type"
            }
            Some(Object::Predicate) => "PyMethod_Type",
            Some(Object::Foreign) => {
                let blank = self.blank();
                for offset in (LENGTH..PAGE_SIZE).step_by(8) {
                    put(page, offset, blank);
                }
                "PyBaseObject_Type"
            }
            Some(Object::Ufunc(takes, gives)) => {
                // nin, nout and nargs of a PyUFuncObject.
                for (index, count) in [takes, gives, &(takes + gives)].into_iter().enumerate() {
                    let at = LENGTH + index * 4;
                    page[at..at + 4].copy_from_slice(&count.to_le_bytes());
                }
                "PyUFunc_Type"
            }
            Some(Object::Blank) => return,
            Some(Object::Table(table)) => {
                for index in 0..PAGE_SIZE / 8 {
                    let name = super::c_api::entry_name(*table, index);
                    let entry = self.symbol(&name);
                    put(page, index * 8, entry);
                }
                return;
            }
            None => "PyBaseObject_Type",
        };
        self.object_head(page, name);
    }

    /// The head of a `PyObject`: immortal, so that inlined reference counting leaves it alone, and
    /// of a type that inlined checks can compare.
    fn object_head(&mut self, page: &mut Page, type_name: &str) {
        page[REFERENCES..REFERENCES + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let type_address = self.symbol(type_name);
        put(page, TYPE, type_address);
    }

    /// A `PyTypeObject` that is ready for use.
    fn type_body(&mut self, page: &mut Page, name: &str) {
        self.object_head(page, "PyType_Type");
        self.type_fields(page, type_flags(name));
    }

    /// Those fields of a type that code looks at.
    fn type_fields(&mut self, page: &mut Page, flags: u64) {
        put(page, TYPE_FLAGS, flags);
        for (offset, function) in [
            (TYPE_ALLOC, "PyType_GenericAlloc"),
            (TYPE_NEW, "PyType_GenericNew"),
            (TYPE_FREE, "PyObject_Free"),
        ] {
            let function = self.symbol(function);
            put(page, offset, function);
        }
    }

    /// A table of `PyMethodDef`s on the page at `start`, and behind it their names.
    fn method_table(&mut self, page: &mut Page, start: u64, methods: &[(&str, u32)]) {
        let function = self.symbol("[method]");
        for (index, (name, flags)) in methods.iter().enumerate() {
            let (definition, text) = (index * METHOD, NAMES + index * METHOD);
            put(page, definition, start + text as u64);
            put(page, definition + 8, function);
            put(page, definition + 16, u64::from(*flags));
            page[text..text + name.len()].copy_from_slice(name.as_bytes());
        }
    }

    /// Zeros that unknown pointers lead to.
    fn blank(&mut self) -> u64 {
        if self.blank == 0 {
            self.blank = self.object(Object::Blank);
        }
        self.blank
    }

    /// The characters of a string that a stub made.
    pub(super) fn text_object(&self, address: u64) -> Option<&[u8]> {
        match self.object_at(address)? {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Where the characters of a string lie, as `PyUnicode_AsUTF8` gives them.
    pub(super) fn characters(address: u64) -> u64 {
        address.wrapping_add(CHARACTERS as u64)
    }

    /// The object that a `PyExc_*` variable points to.
    pub(super) fn exception(&mut self, name: &str) -> u64 {
        self.symbol(name) + PAGE_SIZE as u64
    }
}

fn put(page: &mut Page, offset: usize, value: u64) {
    page[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
}

/// Names of the C API that are objects rather than functions or pointers to objects.
fn is_object(name: &str) -> bool {
    name.starts_with('[')
        || (name.starts_with("Py") || name.starts_with("_Py") || name.starts_with("NPY"))
            && ["_Type", "Struct", "Object", "Type", "TYPES"].iter().any(|end| name.ends_with(end))
}
