//! What was put into dictionaries and objects, and which calls leave that as it is.
//!
//! That is known of what the hook made, as long as no other code came by it. What others have may change with
//! any call: it is never known again.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::emulate::memory::BYTES_A_UNIT;
use crate::emulate::objects::{ITEMS, Object, SIZE, tuple_items};
use crate::emulate::process::{Arguments, Process, Stop};

/// A key of which it is known what it is equal to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::emulate) enum Key {
    Text(Vec<u8>),
    Number(u64),
    /// The object at that address, which is equal to itself alone.
    Object(u64),
}

/// What was put into dictionaries and objects, by these and by key. What a holder holds is shared
/// between copies until one changes it.
#[derive(Debug, Clone, Default)]
pub(in crate::emulate) struct Entries {
    by_holder: HashMap<u64, Rc<HashMap<Key, u64>>>,
    /// What dictionaries hold under keys of which nothing is known; what they held before may still be
    /// there, or not.
    loose: HashMap<u64, Rc<Vec<u64>>>,
    /// Objects that other code came by: what they hold may change at any time.
    shared: Rc<HashSet<u64>>,
    /// Of what it was asked what it holds, since that was taken note of.
    asked: RefCell<Vec<u64>>,
}

impl Entries {
    pub(super) fn get(&self, holder: u64, key: &Key) -> Option<u64> {
        self.asked.borrow_mut().push(holder);
        self.by_holder.get(&holder)?.get(key).copied()
    }

    pub(super) fn insert(&mut self, holder: u64, key: Key, value: u64) {
        if self.shared.contains(&holder) {
            return;
        }
        Rc::make_mut(self.by_holder.entry(holder).or_default()).insert(key, value);
    }

    pub(super) fn remove(&mut self, holder: u64, key: &Key) {
        if let Some(held) = self.by_holder.get_mut(&holder) {
            Rc::make_mut(held).remove(key);
        }
    }

    /// What is held there is no longer known.
    pub(super) fn forget(&mut self, holder: u64) {
        self.by_holder.remove(&holder);
        self.loose.remove(&holder);
    }

    /// What is held there is not known from now on: other code came by it.
    fn share(&mut self, holder: u64) {
        self.forget(holder);
        if !self.shared.contains(&holder) {
            Rc::make_mut(&mut self.shared).insert(holder);
        }
    }

    /// Puts something under a key of which nothing is known: it may take any other's place.
    pub(super) fn insert_loose(&mut self, holder: u64, value: u64) {
        let before = self.by_holder.remove(&holder);
        let loose = Rc::make_mut(self.loose.entry(holder).or_default());
        loose.extend(before.iter().flat_map(|held| held.values()));
        loose.push(value);
    }

    /// Whether anything lies there under a key that is not known.
    pub(super) fn is_loose(&self, holder: u64) -> bool {
        let is_loose = self.loose.contains_key(&holder);
        // Where it is not, that is the same in all runs that are alike.
        self.asked.borrow_mut().extend(is_loose.then_some(holder));
        is_loose
    }

    /// Whether the same dictionaries hold something under such keys in another, and other code came by the
    /// same objects.
    pub(in crate::emulate) fn is_as_loose(&self, other: &Self) -> bool {
        let among = |holder: &u64| other.loose.contains_key(holder);
        self.loose.len() == other.loose.len()
            && self.loose.keys().all(among)
            && self.shared == other.shared
    }

    /// What a dictionary may hold under a key that is not known.
    pub(super) fn loose(&self, holder: u64) -> &[u64] {
        self.asked.borrow_mut().push(holder);
        self.loose.get(&holder).map(|loose| loose.as_slice()).unwrap_or_default()
    }

    pub(super) fn held(&self, holder: u64) -> impl Iterator<Item = (&Key, u64)> {
        self.asked.borrow_mut().push(holder);
        let held = self.by_holder.get(&holder).map(|held| held.iter());
        held.into_iter().flatten().map(|(key, value)| (key, *value))
    }

    pub(in crate::emulate) fn clear(&mut self) {
        self.by_holder.clear();
        self.loose.clear();
        self.shared = Rc::default();
    }

    /// Of what it was asked what it holds since this was called last.
    pub(in crate::emulate) fn take_asked(&mut self) -> Vec<u64> {
        std::mem::take(self.asked.get_mut())
    }

    /// What holds something else than in another, in no order.
    pub(in crate::emulate) fn differing(&self, other: &Self) -> Vec<u64> {
        let differs = |holder: &u64| {
            self.by_holder.get(holder) != other.by_holder.get(holder)
                || self.loose.get(holder) != other.loose.get(holder)
        };
        let known = self.by_holder.keys().chain(other.by_holder.keys());
        let all = known.chain(self.loose.keys()).chain(other.loose.keys()).copied();
        all.filter(differs).collect()
    }

    /// How many dictionaries and objects hold something.
    pub(in crate::emulate) fn len(&self) -> usize {
        self.by_holder.len() + self.loose.len()
    }
}

/// Beginnings of names of functions that change nothing in the lists, dictionaries and modules that
/// they are given, or whose effect on these is told in [`super::lists`], [`super::dicts`] and
/// [`super::objects`]. In order, and none of them begins another, so that at most the last one that is not
/// behind a name begins it: this is asked for each call.
const KEEPING: [&str; 43] = [
    "PyBuffer_",
    "PyBytes_",
    "PyCFunction_New",
    "PyCMethod_New",
    "PyCapsule_",
    "PyDict_Contains",
    "PyDict_Copy",
    "PyDict_GetItem",
    "PyDict_New",
    "PyDict_Next",
    "PyDict_Size",
    "PyErr_",
    "PyEval_Get",
    "PyEval_RestoreThread",
    "PyEval_SaveThread",
    "PyFloat_",
    "PyGILState_",
    "PyImport_AddModule",
    "PyImport_GetModule",
    "PyImport_Import",
    "PyInterpreterState_",
    "PyList_AsTuple",
    "PyList_GetItem",
    "PyList_GetSlice",
    "PyList_New",
    "PyList_Size",
    "PyLong_",
    "PyMem_",
    "PyModuleDef_",
    "PyModule_",
    "PyState_",
    "PySys_Get",
    "PyThread",
    "PyTuple_",
    "PyType_",
    "PyUnicode_",
    "PyUnstable_Module_",
    "PyWeakref_",
    "Py_BuildValue",
    "Py_DecRef",
    "Py_IncRef",
    "_Py_Dealloc",
    "_Py_NewReference",
];

/// The same of what is done with any object, container or mapping, in order.
const READING: [&str; 25] = [
    "Calloc",
    "Check",
    "Contains",
    "Free",
    "GC_Track",
    "GC_UnTrack",
    "GenericGetAttr",
    "GetAttr",
    "GetAttrString",
    "GetItem",
    "GetItemString",
    "GetOptionalAttr",
    "GetOptionalAttrString",
    "GetOptionalItem",
    "GetOptionalItemString",
    "HasAttr",
    "HasAttrString",
    "HasAttrStringWithError",
    "HasAttrWithError",
    "IsInstance",
    "IsTrue",
    "Length",
    "Malloc",
    "Realloc",
    "Size",
];

/// Functions that change the first object they are given as told in the other parts, and keep what
/// they put there. In order.
const TOLD: [&str; 30] = [
    "PyDict_Clear",
    "PyDict_DelItem",
    "PyDict_DelItemString",
    "PyDict_Merge",
    "PyDict_MergeFromSeq2",
    "PyDict_Pop",
    "PyDict_PopString",
    "PyDict_SetDefault",
    "PyDict_SetDefaultRef",
    "PyDict_SetItem",
    "PyDict_SetItemString",
    "PyDict_Update",
    "PyList_Append",
    "PyList_Clear",
    "PyList_Extend",
    "PyList_Insert",
    "PyList_Reverse",
    "PyList_SetItem",
    "PyList_SetSlice",
    "PyList_Sort",
    "PyMapping_DelItemString",
    "PyMapping_SetItemString",
    "PyObject_DelAttr",
    "PyObject_DelAttrString",
    "PyObject_DelItem",
    "PyObject_GenericSetAttr",
    "PyObject_SetAttr",
    "PyObject_SetAttrString",
    "PyObject_SetItem",
    "PySequence_SetItem",
];

/// Functions that change nothing, and make something that holds the same.
const COPYING: [&str; 4] = ["PyDict_Copy", "PyList_AsTuple", "PyList_GetSlice", "PyTuple_GetSlice"];

/// Why it cannot be told what a function takes out of a list: it may be any object that was put in,
/// and the hook can compare it with that one. Of dictionaries, whose keys tell more, it is taken to
/// be an object of its own or none.
pub(super) fn taken_from_changed(
    process: &Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Stop> {
    let is_changed = matches!(
        process.memory.object_at(arguments.registers[0]),
        Some(Object::Changed("PyList_Type" | "PyTuple_Type"))
    );
    let takes = ["GetItem", "GetSlice", "Next", "Pop"];
    (is_changed && takes.iter().any(|what| name.contains(what))).then(|| {
        Stop::Reason(format!("the hook has `{name}` take from what other code may have changed"))
    })
}

/// Whether a function leaves the lists, dictionaries and modules that it is given as they are.
pub(super) fn keeps(name: &str) -> bool {
    let kinds = ["PyObject_", "PySequence_", "PyMapping_"];
    let behind = KEEPING.partition_point(|start| *start <= name);
    let before = behind.checked_sub(1).and_then(|last| KEEPING.get(last));
    before.is_some_and(|start| name.starts_with(start))
        || kinds
            .iter()
            .find_map(|kind| name.strip_prefix(kind))
            .is_some_and(|rest| READING.binary_search(&rest).is_ok())
}

/// More objects than a hook hands over at once.
const MOST_REACHED: usize = 1 << 16;
/// `m_self` and `m_module` of a `PyCFunctionObject`.
const OF_FUNCTION: [u64; 2] = [0x28, 0x30];

/// A function that is not known to leave them alone may do anything to the lists, dictionaries and
/// objects that it is given, and to what these hold: that is no longer known.
pub(super) fn loosen(process: &mut Process<'_, '_, '_>, name: &str, arguments: &Arguments) {
    let [first, second, third, fourth, ..] = arguments.registers;
    if let Some(held) = held_by_result(name, arguments) {
        forget(process, held);
    }
    if TOLD.binary_search(&name).is_ok() || name.starts_with("PyModule_Add") {
        // What is put where others find it is theirs too.
        if !is_own(process, first) {
            forget(process, vec![second, third]);
        }
        // It is not known any more what holds what these put there.
        match name {
            "PyDict_Merge" | "PyDict_MergeFromSeq2" | "PyDict_Update" | "PyList_Extend" => {
                forget_held(process, second);
            }
            "PyList_SetSlice" => forget_held(process, fourth),
            _ => {}
        }
    } else if COPYING.contains(&name) {
        forget_held(process, first);
    } else if !keeps(name) {
        forget_reached(process, name, arguments);
    }
}

/// Whether the hook made an object, and others did not come by it.
fn is_own(process: &Process<'_, '_, '_>, object: u64) -> bool {
    if process.attributes.shared.contains(&object) {
        return false;
    }
    match process.memory.object_at(object) {
        Some(Object::List | Object::Tuple | Object::Dict | Object::Instance(_)) => true,
        Some(Object::ModuleDict(module)) => is_own(process, *module),
        Some(Object::Module) => {
            process.modules.iter().any(|made| made.object == object)
                || process.submodules.iter().any(|(module, _)| *module == object)
        }
        Some(_) => false,
        None => process.memory.in_image(object).is_some(),
    }
}

/// What other code comes by from now on, and what that holds, is no longer known.
pub(super) fn forget_shared(process: &mut Process<'_, '_, '_>, object: u64) {
    forget(process, vec![object]);
}

/// The same of what an object holds alone.
fn forget_held(process: &mut Process<'_, '_, '_>, object: u64) {
    let mut held: Vec<u64> = process.attributes.held(object).map(|(_, value)| value).collect();
    held.extend(process.attributes.loose(object));
    reach_items(process, object, &mut held);
    forget(process, held);
}

/// What lies in something that a function makes or leaves behind, though it changes nothing: others who come
/// by that come by this.
fn held_by_result(name: &str, arguments: &Arguments) -> Option<Vec<u64>> {
    let [first, second, third, fourth, ..] = arguments.registers;
    Some(match name {
        // The dictionary becomes that of the class.
        "PyErr_NewException" => vec![second, third],
        "PyErr_NewExceptionWithDoc" => vec![third, fourth],
        "PyErr_SetObject" => vec![second],
        "PyErr_SetRaisedException" => vec![first],
        "PyErr_Restore" => vec![first, second, third],
        "PyWeakref_NewRef" | "PyWeakref_NewProxy" => vec![first, second],
        _ => return None,
    })
}

/// What a function is given, and what that holds, is no longer known.
pub(super) fn forget_reached(process: &mut Process<'_, '_, '_>, name: &str, arguments: &Arguments) {
    let mut reached: Vec<u64> = arguments.registers.iter().take(arguments.count).copied().collect();
    let (start, count) = if name.contains("Vectorcall") {
        // The arguments lie in an array: so many, and as many more as have names.
        let [_, array, given, keywords, ..] = arguments.registers;
        let by_name = match keywords {
            0 => 0,
            keywords => process.memory.word(keywords + SIZE).unwrap_or(LIKELY_MOST),
        };
        (array, (given & !VECTORCALL_OFFSET).saturating_add(by_name))
    } else if name.ends_with("ObjArgs") {
        let in_registers = &arguments.registers[1..arguments.count];
        let is_ended = in_registers.contains(&0) && !arguments.variadic_on_stack;
        (arguments.stack, if is_ended { 0 } else { until_null(process, arguments.stack) })
    } else if ["Function", "Method", "BuildValue"].iter().any(|one| name.contains(one)) {
        // No format takes more arguments than it has letters.
        let texts = arguments.registers[..3].iter();
        let lengths = texts.filter_map(|text| Some(process.memory.text(*text).ok()?.len()));
        (arguments.stack, lengths.max().unwrap_or(0) as u64)
    } else {
        (0, 0)
    };
    reach(process, start, count, &mut reached);
    forget(process, reached);
}

/// More arguments by name than calls have, where it is not known how many.
const LIKELY_MOST: u64 = 16;
/// `PY_VECTORCALL_ARGUMENTS_OFFSET`.
const VECTORCALL_OFFSET: u64 = 1 << 63;

/// How many words stand before a null.
fn until_null(process: &mut Process<'_, '_, '_>, start: u64) -> u64 {
    let is_some = |index: &u64| process.memory.word(start + index * 8).is_ok_and(|word| word != 0);
    (0..=MOST_REACHED as u64).take_while(is_some).count() as u64
}

fn forget(process: &mut Process<'_, '_, '_>, mut reached: Vec<u64>) {
    let mut seen = HashSet::new();
    while let Some(object) = reached.pop() {
        if !seen.insert(object) {
            continue;
        }
        if seen.len() > MOST_REACHED {
            process.hands_over_too_much = true;
            return;
        }
        let holder = match process.memory.object_at(object) {
            Some(Object::List) => {
                reach_items(process, object, &mut reached);
                object
            }
            Some(Object::Tuple) => {
                // It stays as it is, but not what it holds.
                reach_items(process, object, &mut reached);
                continue;
            }
            Some(Object::Of("PyCFunction_Type")) => {
                let of = OF_FUNCTION.map(|place| process.memory.word(object + place));
                reached.extend(of.into_iter().flatten());
                continue;
            }
            Some(Object::Dict | Object::Module | Object::Instance(_)) => object,
            Some(Object::ModuleDict(module)) => *module,
            Some(_) => continue,
            // A type of the module's own.
            None if process.memory.in_image(object).is_some() => object,
            None => continue,
        };
        let held = process.attributes.held(holder).map(|(_, value)| value);
        let held: Vec<u64> = held.chain(process.attributes.loose(holder).iter().copied()).collect();
        process.memory.charge((held.len() + 1).saturating_mul(BYTES_A_UNIT));
        reached.extend(held);
        process.attributes.share(holder);
        process.memory.forget_items(object);
        if let Some(dict) = process.module_dicts.get(&holder).copied() {
            process.memory.forget_items(dict);
        }
    }
}

/// The items of a list or tuple.
fn reach_items(process: &mut Process<'_, '_, '_>, of: u64, reached: &mut Vec<u64>) {
    let items = match process.memory.object_at(of) {
        Some(Object::List) => process.memory.word(of + ITEMS).unwrap_or(0),
        Some(Object::Tuple) => of + tuple_items(process.minor),
        _ => return,
    };
    let count = process.memory.word(of + SIZE).unwrap_or(0);
    reach(process, items, count, reached);
}

/// So many words from a place on.
fn reach(process: &mut Process<'_, '_, '_>, start: u64, count: u64, reached: &mut Vec<u64>) {
    if count > MOST_REACHED as u64 {
        process.hands_over_too_much = true;
        return;
    }
    process.memory.charge(usize::try_from(count).unwrap_or(0).saturating_mul(BYTES_A_UNIT));
    let words = (0..count).map(|index| process.memory.word(start.wrapping_add(index * 8)));
    reached.extend(words.flatten());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_no_beginning_begins_another() {
        assert!(KEEPING.is_sorted() && READING.is_sorted() && TOLD.is_sorted());
        assert!(KEEPING.windows(2).all(|pair| !pair[1].starts_with(pair[0])));
        for start in KEEPING {
            assert!(keeps(start) && keeps(&format!("{start}zz")), "{start}");
        }
        for name in ["", "A", "PyDict_", "PyObject_Call", "PyThrea", "zzz"] {
            assert!(!keeps(name), "{name}");
        }
    }
}
