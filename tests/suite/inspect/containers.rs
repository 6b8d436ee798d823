//! Hooks that look into lists, tuples and dictionaries which they made, as macros of the C API do,
//! and hooks that take long. What they declare for the GIL is what they find there, so that a wrong
//! layout or a wrong element is a wrong answer.

use ftcheck::inspect::filename::Suffix;
use ftcheck::model::evidence::{Gil, ModuleReport};
use ftcheck::model::target::Target;

use super::crafted::{Assembler, Crafted, DECLARED, GIL_VALUE, NAME};
use super::{inspect_alone, installed, platform_of};

/// A hook under construction, with all that it imports.
struct Hook {
    crafted: Crafted,
    code: Assembler,
}

/// Where the addresses of further imports are written.
const GOT_MORE: u64 = super::crafted::DATA + 0x1e0;

impl Hook {
    /// Of a module that says that the GIL is used, until the hook writes its slot.
    fn new() -> Self {
        Self { crafted: Crafted::new(0), code: Assembler::default() }
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.code = self.code.raw(bytes);
        self
    }

    /// `call [place]`, where the loader puts the function's address.
    fn call(mut self, name: &str) -> Self {
        let symbol = u32::try_from(self.crafted.symbols.len()).unwrap();
        let place = GOT_MORE + u64::from(symbol - 4) * 8;
        let string = u32::try_from(self.crafted.add_string(name)).unwrap();
        let import = super::crafted::Symbol { name: string, info: 0x10, section: 0, value: 0 };
        self.crafted.symbols.push(import);
        self.crafted.relocate(place, super::crafted::R_GLOB_DAT, symbol, 0);
        let size = usize::try_from(place + 8 - super::crafted::DATA).unwrap();
        if self.crafted.data.len() < size {
            self.crafted.data.resize(size, 0);
        }
        self.code = self.code.relative(&[0xff, 0x15], place, &[]);
        self
    }

    /// `mov edi, value`
    fn first(self, value: u8) -> Self {
        self.raw(&[0xbf, value, 0, 0, 0])
    }

    /// `mov esi, value`
    fn second(self, value: u8) -> Self {
        self.raw(&[0xbe, value, 0, 0, 0])
    }

    /// `mov edx, value`
    fn third(self, value: u8) -> Self {
        self.raw(&[0xba, value, 0, 0, 0])
    }

    /// `lea rsi, [target]`
    fn second_at(mut self, target: u64) -> Self {
        self.code = self.code.relative(&[0x48, 0x8d, 0x35], target, &[]);
        self
    }

    /// `mov rbx, rax`: what was made is kept.
    fn keep(self) -> Self {
        self.raw(&[0x48, 0x89, 0xc3])
    }

    /// `mov rdi, rbx`: what was kept is handed over.
    fn kept(self) -> Self {
        self.raw(&[0x48, 0x89, 0xdf])
    }

    /// `mov [GIL_VALUE], rax`, and the definition is handed over.
    fn declare(mut self) -> Crafted {
        self.code = self.code.relative(&[0x48, 0x89, 0x05], GIL_VALUE, &[]).hands_over(DECLARED);
        self.crafted.code = self.code.bytes;
        self.crafted
    }
}

fn report(crafted: &Crafted, target: Target) -> ModuleReport {
    let file = installed("declares", Suffix::Tagged, target, platform_of("x86_64-linux-gnu"));
    inspect_alone(&file, &crafted.build(), target).unwrap()
}

#[track_caller]
fn assert_gil(crafted: &Crafted, expected: Gil) {
    // Only 1 keeps the GIL off on 3.15.
    let report = report(crafted, Target::PY315T);
    assert_eq!(report.gil, expected, "{report:?}");
}

#[test]
fn a_new_list_has_room_for_what_macros_put_there() {
    // PyList_SET_ITEM(list, 2, 1): `mov rcx, [rbx+0x28]; mov qword [rcx+0x10], 1`.
    let filled = Hook::new().first(3).call("PyList_New").keep();
    let filled = filled.raw(&[0x48, 0x8b, 0x4b, 0x28, 0x48, 0xc7, 0x41, 0x10, 1, 0, 0, 0]);
    assert_gil(&filled.kept().second(2).call("PyList_GetItem").declare(), Gil::KeepsOff);
}

#[test]
fn the_size_of_a_list_or_tuple_is_what_it_was_made_with() {
    for name in ["PyList_New", "PyTuple_New"] {
        for (size, gil) in [(1, Gil::KeepsOff), (2, Gil::Enables)] {
            // Py_SIZE: `mov rax, [rax+0x20]`.
            let made = Hook::new().first(size).call(name).raw(&[0x48, 0x8b, 0x40, 0x20]);
            assert_gil(&made.declare(), gil);
        }
    }
}

#[test]
fn what_is_appended_comes_last() {
    for (index, gil) in [(4, Gil::KeepsOff), (3, Gil::Enables)] {
        let mut hook = Hook::new().first(1).call("PyList_New").keep();
        hook = hook.kept().second(0).third(7).call("PyList_SetItem");
        for value in [7, 7, 7, 1] {
            hook = hook.kept().second(value).call("PyList_Append");
        }
        // PyList_GET_ITEM: `mov rax, [rbx+0x28]; mov rax, [rax+8*index]`.
        hook = hook.raw(&[0x48, 0x8b, 0x43, 0x28, 0x48, 0x8b, 0x40, 8 * index]);
        assert_gil(&hook.declare(), gil);
    }
}

#[test]
fn a_list_that_was_changed_in_other_ways_is_not_known() {
    let changed = Hook::new().first(1).call("PyList_New").keep();
    let changed = changed.kept().call("PyList_Clear").raw(&[0x48, 0x8b, 0x43, 0x20]);
    assert_gil(&changed.declare(), Gil::Undetermined);
}

#[test]
fn items_of_a_tuple_lie_behind_its_hash_since_3_14() {
    // PyTuple_GET_ITEM(tuple, 1): `mov rax, [rax+offset+8]`.
    for (target, offset) in [(Target::PY313T, 0x28), (Target::PY314T, 0x30), (Target::PY315T, 0x30)]
    {
        let packed = Hook::new().first(2).second(0).third(1).raw(&[0x31, 0xc0]);
        let packed = packed.call("PyTuple_Pack").raw(&[0x48, 0x8b, 0x40, offset + 8]);
        let report = report(&packed.declare(), target);
        assert_eq!(report.gil, Gil::KeepsOff, "{target}: {report:?}");
    }
}

#[test]
fn a_long_tuple_does_not_lie_on_what_is_made_after_it() {
    // `mov edi, 1000`; PyTuple_SET_ITEM(tuple, 999, 1): `mov qword [rbx+0x30+8*999], 1`.
    let hook = Hook::new().raw(&[0xbf, 0xe8, 3, 0, 0]).call("PyTuple_New").keep();
    let hook = hook.first(0).call("PyList_New").raw(&[0x49, 0x89, 0xc4]);
    let hook = hook.raw(&[0x48, 0xc7, 0x83, 0x68, 0x1f, 0, 0, 1, 0, 0, 0]);
    let hook = hook.kept().raw(&[0xbe, 0xe7, 3, 0, 0]).call("PyTuple_GetItem");
    // `add rax, [r12+0x20]`: the size of the list.
    assert_gil(&hook.raw(&[0x49, 0x03, 0x44, 0x24, 0x20]).declare(), Gil::KeepsOff);
}

#[test]
fn a_dictionary_gives_back_what_was_put_there() {
    let filled = || {
        let hook = Hook::new().call("PyDict_New").keep();
        hook.kept().second_at(NAME).third(1).call("PyDict_SetItemString").kept().second_at(NAME)
    };
    assert_gil(&filled().call("PyDict_GetItemString").declare(), Gil::KeepsOff);
    // The last that was put under a key counts.
    let again = filled().third(2).call("PyDict_SetItemString").kept().second_at(NAME);
    assert_gil(&again.call("PyDict_GetItemString").declare(), Gil::Enables);
    // What came from elsewhere is not known.
    let updated = filled().call("PyDict_Update").kept().second_at(NAME);
    assert_gil(&updated.call("PyDict_GetItemString").declare(), Gil::Undetermined);
    // Any function may change what it is given.
    let called = filled().call("PyObject_CallMethod").kept().second_at(NAME);
    assert_gil(&called.call("PyDict_GetItemString").declare(), Gil::Undetermined);
}

#[test]
fn a_list_that_any_function_was_given_is_not_known() {
    for name in ["PyObject_CallMethod", "PySequence_SetItem", "PyObject_SetItem", "PyList_Clear"] {
        let made = Hook::new().first(1).call("PyList_New").keep();
        // Py_SIZE: `mov rax, [rbx+0x20]`.
        let given = made.kept().second_at(NAME).call(name).raw(&[0x48, 0x8b, 0x43, 0x20]);
        assert_gil(&given.declare(), Gil::Undetermined);
    }
}

#[test]
fn keys_of_a_dictionary_are_counted_and_not_gone_through() {
    let filled = |value| {
        let hook = Hook::new().call("PyDict_New").keep();
        hook.kept().second_at(NAME).third(value).call("PyDict_SetItemString").kept()
    };
    assert_gil(&filled(7).call("PyDict_Size").declare(), Gil::KeepsOff);
    assert_gil(&filled(7).second_at(NAME).call("PyDict_Next").declare(), Gil::Undetermined);
}

/// `lea rdi, [NAME]`, and an import that may fail; whether it did is kept.
fn imports() -> Hook {
    let mut hook = Hook::new();
    hook.code = hook.code.lea_rdi(NAME);
    hook.call("PyImport_ImportModule").keep().call("PyErr_Clear")
}

#[test]
fn an_assumption_is_tried_however_many_come_after_it() {
    for later in [1, 10, 70] {
        let mut hook = imports();
        for _ in 0..later {
            hook = hook.call("PyObject_IsTrue");
        }
        // `xor eax, eax; test rbx, rbx; setne al`
        let hook = hook.raw(&[0x31, 0xc0, 0x48, 0x85, 0xdb, 0x0f, 0x95, 0xc0]);
        assert_gil(&hook.declare(), Gil::Undetermined);
    }
}

#[test]
fn numbers_of_others_are_not_only_0_or_1() {
    // `cmp rax, 13; setl al; movzx eax, al`
    let small = imports().kept().call("PyLong_AsLong");
    let small = small.raw(&[0x48, 0x83, 0xf8, 13, 0x0f, 0x9c, 0xc0, 0x0f, 0xb6, 0xc0]);
    assert_gil(&small.declare(), Gil::Undetermined);
    // `test eax, eax; setns al; movzx eax, al`
    let ran = imports().call("PyRun_SimpleString");
    let ran = ran.raw(&[0x85, 0xc0, 0x0f, 0x99, 0xc0, 0x0f, 0xb6, 0xc0]);
    assert_gil(&ran.declare(), Gil::Undetermined);
}

#[test]
fn the_content_of_an_object_of_others_is_not_known() {
    // `mov rax, [rax+0x20]; inc rax`
    let mut hook = Hook::new();
    hook.code = hook.code.lea_rdi(NAME);
    let read = hook.call("PySys_GetObject").raw(&[0x48, 0x8b, 0x40, 0x20, 0x48, 0xff, 0xc0]);
    assert_gil(&read.declare(), Gil::Undetermined);
}

#[test]
fn a_hook_that_takes_a_million_steps_is_followed_and_none_without_an_end() {
    // `mov ecx, 500000`; `dec ecx; jne` back to that.
    let counts = |steps: u32| {
        let hook = Hook::new().raw(&[0xb9]).raw(&steps.to_le_bytes());
        let hook = hook.raw(&[0xff, 0xc9, 0x75, 0xfc, 0xb8, 1, 0, 0, 0]);
        report(&hook.declare(), Target::PY315T)
    };
    let long = counts(500_000);
    assert_eq!(long.gil, Gil::KeepsOff, "{long:?}");
    assert!(long.evidence.steps.is_some_and(|steps| steps > 1_000_000), "{long:?}");
    let longer = counts(u32::MAX);
    assert_eq!(longer.gil, Gil::Undetermined, "{longer:?}");
    assert!(longer.reason.as_ref().is_some_and(|reason| reason.contains("steps")), "{longer:?}");
}
