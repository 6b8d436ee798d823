//! Modules made in a single phase whose hooks cannot be followed to their end: what they did before
//! settles the answer where nothing that comes later can declare anything, and only there.

use ftcheck::inspect::filename::Suffix;
use ftcheck::inspect::libraries::Libraries;
use ftcheck::inspect::{Inspection, Interpreter, inspect};
use ftcheck::model::evidence::Gil;
use ftcheck::model::target::Target;

use super::crafted::{Assembler, Crafted, GOT_INIT, OTHER, SYMBOL_WEAK};
use super::{installed, platform_of};

/// The tag of an entry that names a needed library.
const DT_NEEDED: u64 = 1;

fn import(crafted: &mut Crafted, symbol: u32, name: &str) {
    let place = crafted.add_string(name);
    let symbol = &mut crafted.symbols[usize::try_from(symbol).unwrap()];
    symbol.name = u32::try_from(place).unwrap();
    // Global, defined nowhere.
    (symbol.info, symbol.section) = (0x10, 0);
}

/// A module whose hook calls `PyModule_Create2` on a definition without slots, and then does what
/// nobody can follow. The names of its symbols include `PyModuleDef_Init`, which it does not import.
fn endless() -> Crafted {
    let mut crafted = Crafted::new(1);
    import(&mut crafted, 1, "PyModule_Create2");
    crafted.relocations.retain(|relocation| relocation.place != OTHER + 0x58);
    // lea rdi, [OTHER]; call [GOT_INIT]; syscall
    let code = Assembler::default().lea_rdi(OTHER);
    crafted.code = code.relative(&[0xff, 0x15], GOT_INIT, &[]).raw(&[0x0f, 0x05]).bytes;
    crafted
}

/// A library of the wheel that has no hook.
fn library() -> Crafted {
    let mut crafted = Crafted::new(1);
    import(&mut crafted, 1, "abort");
    crafted.symbols[3].section = 0;
    crafted
}

fn needing(mut crafted: Crafted) -> Crafted {
    let place = crafted.add_string("libmore.so");
    crafted.duplicates.push((DT_NEEDED, place));
    crafted
}

fn holding(mut crafted: Crafted, text: &str) -> Crafted {
    crafted.data.extend_from_slice(text.as_bytes());
    crafted.data.push(0);
    crafted
}

fn looking_up(mut crafted: Crafted) -> Crafted {
    import(&mut crafted, SYMBOL_WEAK, "dlsym");
    crafted
}

fn outcome(module: &Crafted, more: Option<&Crafted>) -> Inspection {
    let platform = platform_of("x86_64-linux-gnu");
    let file = installed("declares", Suffix::Tagged, Target::PY314T, platform);
    let mut libraries = Libraries::named([("libmore.so".to_owned(), 0)].into_iter());
    if let Some(more) = more {
        libraries.insert("libmore.so".to_owned(), more.build());
    }
    let interpreter = Interpreter { target: Target::PY314T, platform: Some(platform) };
    inspect(&file, &module.build(), &libraries, interpreter)
}

#[track_caller]
fn gil(module: &Crafted, more: Option<&Crafted>) -> Gil {
    match outcome(module, more) {
        Inspection::Module(report) => report.gil,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_module_that_nothing_can_be_declared_for_enables() {
    assert_eq!(gil(&endless(), None), Gil::Enables);
}

#[test]
fn looking_up_symbols_declares_nothing_where_no_library_holds_the_name() {
    assert_eq!(gil(&looking_up(endless()), None), Gil::Enables);
    let module = needing(endless());
    assert_eq!(gil(&module, Some(&looking_up(library()))), Gil::Enables);
}

#[test]
fn a_name_that_could_be_looked_up_leaves_the_answer_open() {
    for name in ["PyUnstable_Module_SetGIL", "PyModuleDef_Init", "PyInit_declares_fast"] {
        let module = holding(looking_up(endless()), name);
        assert_eq!(gil(&module, None), Gil::Undetermined, "{name}");
        // One library holds the name, another one looks it up.
        let module = needing(holding(endless(), name));
        assert_eq!(gil(&module, Some(&looking_up(library()))), Gil::Undetermined, "{name}");
        let module = needing(looking_up(endless()));
        assert_eq!(gil(&module, Some(&holding(library(), name))), Gil::Undetermined, "{name}");
    }
}

#[test]
fn a_library_that_imports_what_declares_leaves_the_answer_open() {
    for name in ["PyUnstable_Module_SetGIL", "PyModuleDef_Init"] {
        let mut more = library();
        import(&mut more, 1, name);
        assert_eq!(gil(&needing(endless()), Some(&more)), Gil::Undetermined, "{name}");
    }
}

#[test]
fn nothing_is_settled_before_all_libraries_are_here() {
    assert_eq!(
        outcome(&needing(endless()), None),
        Inspection::Needs(vec!["libmore.so".to_owned()])
    );
    let module = needing(looking_up(endless()));
    assert_eq!(outcome(&module, None), Inspection::Needs(vec!["libmore.so".to_owned()]));
    assert_eq!(gil(&module, Some(&library())), Gil::Enables);
    // Where the answer stays open whatever else there is, nothing more is asked for.
    let module = holding(module, "PyUnstable_Module_SetGIL");
    assert_eq!(gil(&module, None), Gil::Undetermined);
}
