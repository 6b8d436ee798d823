//! The answers for the fixture modules, and what they are based on.
//!
//! Expectations are what a free-threaded interpreter does (`fixtures/modules/README.md` and the
//! rules of `Python/import.c` and `Objects/moduleobject.c`), not what this version answers. Where
//! this version may say that it does not know, [`UNDETERMINED_FOR_NOW`] says so.

use std::collections::BTreeSet;
use std::path::Path;

use ftcheck::inspect::filename::{Suffix, extension_files};
use ftcheck::inspect::image::{Export, Image};
use ftcheck::model::evidence::{Gil, Init, ModuleReport, Slot, Subinterpreters};
use ftcheck::model::target::Target;

use super::crafted::{definition_of_hook, file_offset, put};
use super::{inspect_alone, installed, platform_of};
use crate::support::fixture_module;

const LINUX: &str = "x86_64-linux-gnu";
const OTHERS: [&str; 5] = [
    "aarch64-linux-gnu",
    "x86_64-macos",
    "aarch64-macos",
    "x86_64-windows-gnu",
    "aarch64-windows-gnu",
];

/// What importing the module does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    KeepsOff,
    Enables,
    /// It raises an exception, and the GIL is never asked about: no answer is right.
    Fails,
    /// The file alone does not tell, or the import never ends.
    Open,
    /// As `Enables`, for a reason that only running the module shows.
    EnablesUnseen,
}

use Truth::{Enables, EnablesUnseen, Fails, KeepsOff, Open};

/// A fixture under the name that it is installed by.
struct Case {
    stem: &'static str,
    module: &'static str,
    /// For 3.13t, 3.14t and 3.15t.
    truth: [Truth; 3],
    init: Init,
    /// `None` without a slot array.
    subinterpreters: Option<Subinterpreters>,
}

impl Case {
    fn truth(&self, target: Target) -> Truth {
        self.truth[Target::ALL.iter().position(|known| *known == target).unwrap()]
    }
}

const fn multi(stem: &'static str, truth: [Truth; 3]) -> Case {
    let subinterpreters = Some(Subinterpreters::PerInterpreterGil);
    Case { stem, module: stem, truth, init: Init::MultiPhase, subinterpreters }
}

const fn single(stem: &'static str, truth: Truth) -> Case {
    Case { stem, module: stem, truth: [truth; 3], init: Init::SinglePhase, subinterpreters: None }
}

const UNSPECIFIED: Option<Subinterpreters> = Some(Subinterpreters::Unspecified);

#[rustfmt::skip]
const CASES: [Case; 79] = [
    multi("declares",           [KeepsOff; 3]),
    multi("declares_relr",      [KeepsOff; 3]),
    multi("declares_used",      [Enables; 3]),
    multi("declares_nothing",   [Enables; 3]),
    // No slot array at all is no declaration either.
    Case { subinterpreters: None, ..multi("no_slots", [Enables; 3]) },
    Case { subinterpreters: UNSPECIFIED, ..multi("two_gil_slots", [Fails; 3]) },
    // 3.15 compares with 1, those before it with 0.
    multi("value_two",          [KeepsOff, KeepsOff, Enables]),
    // 3.15 gave the slots new numbers and takes the old ones still.
    multi("slot_87",            [Fails, Fails, KeepsOff]),
    multi("filled_at_run_time", [KeepsOff; 3]),
    // It depends on the library that is installed with it.
    multi("patched_in_init",    [Open; 3]),
    single("single_declares",   KeepsOff),
    single("single_silent",     Enables),
    single("single_withdraws",  Enables),
    // What the interpreter answers decides.
    single("asks_interpreter",  Open),
    multi("exported_def",       [KeepsOff; 3]),
    multi("creates_non_module", [EnablesUnseen; 3]),
    Case { subinterpreters: UNSPECIFIED, ..multi("creates_module", [KeepsOff; 3]) },
    multi("calls_helper_first", [KeepsOff; 3]),
    // It depends on the cffi that is installed with it.
    multi("delegated",          [Open; 3]),
    // With a numpy that knows how data types are defined.
    single("defines_data_type", KeepsOff),
    single("finds_its_own",     KeepsOff),
    single("registers_first",   KeepsOff),
    // PyModExport comes first on 3.15; before, slot 92 of the other hook's definition is unknown.
    multi("exports_both_hooks", [Fails, Fails, KeepsOff]),
    Case { module: "package_init.__init__", ..multi("package_init", [KeepsOff; 3]) },
    Case { module: "módulo", ..multi("non_ascii", [KeepsOff; 3]) },
    multi("two_hooks",          [KeepsOff; 3]),
    Case { module: "other", ..multi("two_hooks", [Enables; 3]) },
    multi("library",            [Fails; 3]),
    multi("no_hook_exported",   [Fails; 3]),
    multi("abi3_layout",        [Fails; 3]),
    multi("spins",              [Open; 3]),
    single("create2_with_slots", Fails),
    // What was made or given decides, and something in between may have changed it.
    single("decides_by_list_method", EnablesUnseen),
    single("decides_by_list_item", EnablesUnseen),
    single("decides_by_dict_method", EnablesUnseen),
    single("decides_by_python", EnablesUnseen),
    single("decides_by_dict_size", EnablesUnseen),
    single("decides_by_dict_next", EnablesUnseen),
    single("decides_by_failure", Open),
    single("decides_by_none", Open),
    single("decides_by_number", EnablesUnseen),
    single("decides_by_default", Open),
    single("decides_by_constructor", EnablesUnseen),
    single("decides_by_own_function", EnablesUnseen),
    single("decides_by_foreign_size", Open),
    single("decides_by_foreign_type", Open),
    single("decides_by_deleted_name", EnablesUnseen),
    single("decides_long_before", Open),
    single("decides_by_late_error", Open),
    single("decides_by_unchecked_item", Open),
    // Many runs with an assumption turned, of which each is soon like the one without.
    single("decides_by_nothing", KeepsOff),
    single("decides_by_unknown_key", EnablesUnseen),
    single("decides_by_shared_dict", Open),
    single("decides_by_item_behind_error", Open),
    single("decides_by_new_keys", KeepsOff),
    single("decides_by_table", KeepsOff),
    single("decides_by_built_pair", EnablesUnseen),
    single("decides_by_built_nest", EnablesUnseen),
    single("decides_by_its_type", KeepsOff),
    // With a numpy whose ufuncs have no methods that are not known here.
    single("decides_by_ufunc_methods", KeepsOff),
    single("decides_by_zlib_version", KeepsOff),
    // Other code came by what decides.
    single("decides_by_bound_method", EnablesUnseen),
    single("decides_by_bound_append", EnablesUnseen),
    single("decides_by_own_dict", Open),
    single("decides_by_copied_dict", Open),
    single("decides_by_tuple_of_list", Open),
    single("decides_by_modules_dict", Open),
    single("decides_by_foreign_list", Open),
    single("decides_by_kept_module", Open),
    single("decides_by_reversed_list", Open),
    single("decides_by_extended_list", Open),
    single("decides_by_shared_module", Open),
    single("decides_by_long_list", Open),
    single("decides_by_many_arguments", Open),
    single("decides_by_array_of_arguments", Open),
    single("decides_by_function_self", Open),
    single("decides_by_exception_dict", Open),
    single("decides_by_weak_reference", Open),
    single("decides_by_thread", Open),
];

/// Modules that this version need not decide. Take a line out once it has to.
const UNDETERMINED_FOR_NOW: [(&str, &[Target], &str); 1] =
    [("exports_both_hooks", &[Target::PY315T], "PyModExport (PEP 793)")];

fn report(folder: &str, case: &Case, suffix: Suffix, target: Target) -> Option<ModuleReport> {
    let file = installed(case.module, suffix, target, platform_of(folder));
    inspect_alone(&file, &fixture_module(folder, case.stem), target)
}

/// Whether the interpreter has the library that the fixture asks for. Only on Windows does a module
/// name it, with the release (`fixtures/modules/README.md`).
fn is_linked_for(folder: &str, case: &Case, target: Target) -> bool {
    let linked_for = match case.stem {
        "exports_both_hooks" => Target::PY315T,
        _ => Target::PY314T,
    };
    !folder.contains("windows") || target == linked_for
}

/// Whether the answer is the truth, or one of those that this version may give instead of it.
fn check(folder: &str, case: &Case, target: Target, report: &ModuleReport) {
    let context = format!("{} as {} on {target}, {folder}: {report:?}", case.stem, case.module);
    let truth = if is_linked_for(folder, case, target) { case.truth(target) } else { Fails };
    let decided = match report.gil {
        Gil::KeepsOff => Some(KeepsOff),
        Gil::Enables => Some(Enables),
        Gil::Undetermined => None,
    };
    assert_eq!(report.module, case.module, "{context}");
    assert_eq!(report.reason.is_none(), decided.is_some(), "{context}");
    let Some(decided) = decided else {
        let reason = report.reason.as_deref().unwrap();
        assert!(!reason.is_empty() && !reason.contains('\n'), "{context}");
        if !matches!(truth, KeepsOff | Enables) {
            return;
        }
        let for_now = UNDETERMINED_FOR_NOW
            .iter()
            .any(|(stem, targets, _)| *stem == case.stem && targets.contains(&target));
        assert!(for_now, "{context}");
        return;
    };
    match truth {
        KeepsOff | Enables => assert_eq!(decided, truth, "{context}"),
        EnablesUnseen => assert_eq!(decided, Enables, "{context}"),
        Fails | Open => panic!("{context}"),
    }
    assert_eq!(report.init, Some(case.init), "{context}");
    assert_eq!(report.subinterpreters, case.subinterpreters, "{context}");
}

fn fixture_stems(folder: &str) -> BTreeSet<String> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules/built").join(folder);
    std::fs::read_dir(built)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_fixture_has_an_expectation() {
    let expected: BTreeSet<_> = CASES.iter().map(|case| case.stem.to_owned()).collect();
    assert_eq!(fixture_stems(LINUX), expected);
    for folder in OTHERS {
        assert!(fixture_stems(folder).is_subset(&expected), "{folder}");
    }
}

#[test]
fn linux_x86_64_fixtures_get_the_interpreters_answer() {
    for case in &CASES {
        for target in Target::ALL {
            let report = report(LINUX, case, Suffix::Tagged, target).unwrap();
            check(LINUX, case, target, &report);
            assert_eq!(report.evidence.format.as_deref(), Some("elf"), "{report:?}");
            assert_eq!(report.evidence.machine.as_deref(), Some("x86_64"), "{report:?}");
        }
    }
}

#[test]
fn a_bare_suffix_changes_no_answer_but_that_of_a_library() {
    for case in &CASES {
        for target in Target::ALL {
            let report = report(LINUX, case, Suffix::Bare, target);
            // Neither exports the hook, which is all that a library's name and content can say.
            if matches!(case.stem, "library" | "no_hook_exported") {
                assert_eq!(report, None, "{}", case.stem);
            } else {
                check(LINUX, case, target, &report.unwrap());
            }
        }
    }
}

#[test]
fn fixtures_of_other_formats_get_the_same_answer() {
    let formats = [("linux", "elf"), ("macos", "mach-o"), ("windows", "pe")];
    for folder in OTHERS {
        let (_, format) = formats.iter().find(|(system, _)| folder.contains(system)).unwrap();
        let stems = fixture_stems(folder);
        for case in CASES.iter().filter(|case| stems.contains(case.stem)) {
            for target in Target::ALL {
                let tagged = report(folder, case, Suffix::Tagged, target).unwrap();
                check(folder, case, target, &tagged);
                assert_eq!(tagged.evidence.format.as_deref(), Some(*format), "{tagged:?}");
                match report(folder, case, Suffix::Bare, target) {
                    Some(bare) => check(folder, case, target, &bare),
                    None => assert!(matches!(case.stem, "library" | "no_hook_exported")),
                }
            }
        }
    }
}

#[test]
fn abi3_files_are_incompatible_up_to_3_14t_and_invisible_after() {
    let case = CASES.iter().find(|case| case.stem == "abi3_layout").unwrap();
    for target in [Target::PY313T, Target::PY314T] {
        let report = report(LINUX, case, Suffix::StableWithGil, target).unwrap();
        assert_eq!(report.gil, Gil::Undetermined);
        let reason = report.reason.unwrap();
        assert!(reason.contains("abi3") && reason.contains("GIL"), "{reason}");
    }
    let files =
        extension_files(["abi3_layout.abi3.so"].into_iter(), Target::PY315T, platform_of(LINUX));
    assert_eq!(files, []);
}

/// A report that is decided, with the slots of its definition.
fn decided(stem: &str, module: &str, target: Target) -> (ModuleReport, Vec<Slot>) {
    let case = CASES
        .iter()
        .find(|case| case.stem == stem && case.module == module)
        .unwrap_or_else(|| panic!("no case {stem} as {module}"));
    let report = report(LINUX, case, Suffix::Tagged, target).unwrap();
    assert_ne!(report.gil, Gil::Undetermined, "{report:?}");
    let slots = report.evidence.definition.as_ref().unwrap().slots.clone().unwrap();
    (report, slots)
}

fn hexadecimal(text: &str) -> u64 {
    u64::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap()
}

/// The slots that nearly every fixture has, but for the value of the last.
fn check_usual_slots(stem: &str, slots: &[Slot], gil: &str) {
    let [exec, interpreters, last] = slots else { panic!("{slots:?}") };
    assert_eq!((exec.id, exec.name.as_deref()), (2, Some("Py_mod_exec")));
    let bytes = fixture_module(LINUX, stem);
    let image = Image::load(&bytes).unwrap();
    // Whichever address it is, the function has to be there.
    assert!(
        image.code(ftcheck::inspect::image::BASE + hexadecimal(&exec.value)).is_ok(),
        "{exec:?}"
    );
    let expected = |id, name: &str, value: &str| Slot {
        id,
        name: Some(name.to_owned()),
        value: value.to_owned(),
    };
    assert_eq!(*interpreters, expected(3, "Py_mod_multiple_interpreters", "0x2"));
    assert_eq!(*last, expected(4, "Py_mod_gil", gil));
}

/// Hook and definition by name, and the definition where the image has it.
fn check_definition(stem: &str, report: &ModuleReport, hook: &str, name: &str) {
    assert_eq!(report.evidence.hook.as_deref(), Some(hook));
    let definition = report.evidence.definition.as_ref().unwrap();
    assert_eq!(definition.name.as_deref(), Some(name));
    let bytes = fixture_module(LINUX, stem);
    let image = Image::load(&bytes).unwrap();
    // m_name stands 0x38 bytes into a definition of a free-threaded build.
    let pointer = image
        .word(ftcheck::inspect::image::BASE + hexadecimal(&definition.address) + 0x38)
        .unwrap();
    assert_eq!(image.text(pointer).unwrap(), name);
    assert!(report.evidence.steps.is_some_and(|steps| steps > 0));
}

#[test]
fn evidence_names_hook_definition_and_slots() {
    for target in Target::ALL {
        for (stem, gil) in [("declares", "0x1"), ("declares_used", "0x0")] {
            let (report, slots) = decided(stem, stem, target);
            check_definition(stem, &report, &format!("PyInit_{stem}"), stem);
            check_usual_slots(stem, &slots, gil);
        }
    }
}

#[test]
fn an_exported_definition_is_reached_through_its_symbols() {
    let stem = "exported_def";
    let bytes = fixture_module(LINUX, stem);
    let image = Image::load(&bytes).unwrap();
    let address_of = |name| match image.export(name) {
        Some(Export::At(address)) => *address,
        other => panic!("{name}: {other:?}"),
    };
    let definition = address_of("exported_def_definition");
    // Filled by a relocation that names a symbol: the bytes in the file are no address.
    assert_eq!(image.word(definition + 0x58), Ok(address_of("exported_def_slots")));

    let (report, slots) = decided(stem, stem, Target::PY314T);
    check_definition(stem, &report, "PyInit_exported_def", stem);
    check_usual_slots(stem, &slots, "0x1");
    let address = &report.evidence.definition.as_ref().unwrap().address;
    assert_eq!(ftcheck::inspect::image::BASE + hexadecimal(address), definition);
}

#[test]
fn packed_relative_relocations_are_applied() {
    let stem = "declares_relr";
    let bytes = fixture_module(LINUX, stem);
    let elf = goblin::elf::Elf::parse(&bytes).unwrap();
    let has = |tag| elf.dynamic.as_ref().unwrap().dyns.iter().any(|entry| entry.d_tag == tag);
    let (packed, plain) = (36, 7);
    assert!(has(packed) && !has(plain), "the fixture stands for something else");

    let (report, slots) = decided(stem, stem, Target::PY314T);
    check_definition(stem, &report, "PyInit_declares_relr", stem);
    check_usual_slots(stem, &slots, "0x1");
}

#[test]
fn a_packages_own_module_has_the_hook_of_the_package() {
    let stem = "package_init";
    let (report, slots) = decided(stem, "package_init.__init__", Target::PY314T);
    assert_eq!(report.member, "package_init/__init__.cpython-314t-x86_64-linux-gnu.so");
    check_definition(stem, &report, "PyInit_package_init", stem);
    check_usual_slots(stem, &slots, "0x1");

    // The decoy is what a module of that very name would have: `import __init__`.
    let decoy = Case { module: "__init__", ..multi("package_init", [Enables, Enables, Enables]) };
    let report = self::report(LINUX, &decoy, Suffix::Tagged, Target::PY314T).unwrap();
    assert_eq!(report.gil, Gil::Enables);
    check_definition(stem, &report, "PyInit___init__", "__init__");
}

#[test]
fn a_name_beyond_ascii_is_looked_for_in_punycode() {
    let (report, slots) = decided("non_ascii", "módulo", Target::PY314T);
    assert_eq!(report.member, "módulo.cpython-314t-x86_64-linux-gnu.so");
    check_definition("non_ascii", &report, "PyInitU_mdulo_0ta", "módulo");
    check_usual_slots("non_ascii", &slots, "0x1");
}

#[test]
fn the_file_name_picks_one_of_two_hooks() {
    let stem = "two_hooks";
    let (own, slots) = decided(stem, stem, Target::PY314T);
    check_definition(stem, &own, "PyInit_two_hooks", stem);
    check_usual_slots(stem, &slots, "0x1");

    let (other, slots) = decided(stem, "other", Target::PY314T);
    check_definition(stem, &other, "PyInit_other", "other");
    let ids: Vec<i32> = slots.iter().map(|slot| slot.id).collect();
    assert_eq!(ids, [2, 3]);
    assert_eq!(other.gil, Gil::Enables);
}

#[test]
fn the_new_number_of_the_gil_slot_has_its_name_on_3_15t() {
    let (report, slots) = decided("slot_87", "slot_87", Target::PY315T);
    assert_eq!(report.gil, Gil::KeepsOff);
    let last = slots.last().unwrap();
    assert_eq!(
        (last.id, last.name.as_deref(), last.value.as_str()),
        (87, Some("Py_mod_gil"), "0x1")
    );
}

/// A module of one's own making, as if it were `stem` from the fixtures.
fn inspect_bytes(stem: &str, bytes: &[u8], target: Target) -> ModuleReport {
    let file = installed(stem, Suffix::Tagged, target, platform_of(LINUX));
    inspect_alone(&file, bytes, target).unwrap()
}

#[test]
fn a_negative_state_size_fails_the_import() {
    // `PyModule_FromDefAndSpec2` refuses it with SystemError, before it looks at the slots.
    let mut bytes = fixture_module(LINUX, "declares");
    let definition = definition_of_hook(&bytes, "PyInit_declares");
    let m_size = file_offset(&bytes, definition + 0x48);
    put(&mut bytes, m_size, u64::MAX);
    for target in Target::ALL {
        let report = inspect_bytes("declares", &bytes, target);
        assert_eq!(report.gil, Gil::Undetermined, "{target}: {report:?}");
    }
}

#[test]
fn the_layout_of_a_build_with_a_gil_is_told_whatever_the_state_size() {
    // At the place of m_name there is m_size, which may be any number: here one that happens to
    // be the address of a text. The interpreter refuses the definition ("uninitialized object").
    let mut bytes = fixture_module(LINUX, "abi3_layout");
    let elf = goblin::elf::Elf::parse(&bytes).unwrap();
    let strings = elf.dynamic.as_ref().unwrap().info.strtab as u64;
    let definition = definition_of_hook(&bytes, "PyInit_abi3_layout");
    let m_size = file_offset(&bytes, definition + 0x38);
    put(&mut bytes, m_size, strings + 1);
    for target in Target::ALL {
        let report = inspect_bytes("abi3_layout", &bytes, target);
        assert_eq!(report.gil, Gil::Undetermined, "{target}: {report:?}");
    }
}

#[test]
fn an_answer_that_hangs_on_the_interpreter_is_not_given() {
    for target in Target::ALL {
        let report =
            inspect_bytes("asks_interpreter", &fixture_module(LINUX, "asks_interpreter"), target);
        assert_eq!(report.gil, Gil::Undetermined, "{report:?}");
    }
}
