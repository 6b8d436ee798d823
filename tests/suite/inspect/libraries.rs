//! Hooks that lie in another library of the wheel, where `dlsym` finds them too.

use ftcheck::inspect::filename::Suffix;
use ftcheck::inspect::libraries::Libraries;
use ftcheck::inspect::{Inspection, Interpreter, inspect};
use ftcheck::model::evidence::Gil;
use ftcheck::model::target::Target;

use super::crafted::Crafted;
use super::{installed, platform_of};

/// The tag of an entry that names a needed library.
const DT_NEEDED: u64 = 1;

/// A library that needs others, with or without the hook of `declares`.
fn library(hook: bool, needed: &[&str]) -> Vec<u8> {
    let mut crafted = Crafted::new(1);
    if !hook {
        // A symbol that another library defines, or nobody.
        crafted.symbols[3].section = 0;
    }
    for name in needed {
        let place = crafted.add_string(name);
        crafted.duplicates.push((DT_NEEDED, place));
    }
    crafted.build()
}

fn libraries(known: &[&str], here: &[(&str, &[u8])]) -> Libraries {
    let names = known.iter().chain(here.iter().map(|(name, _)| name));
    let mut libraries = Libraries::named(names.map(|name| ((*name).to_owned(), 0)));
    for (name, bytes) in here {
        libraries.insert((*name).to_owned(), bytes.to_vec());
    }
    libraries
}

fn outcome(bytes: &[u8], suffix: Suffix, libraries: &Libraries) -> Inspection {
    let file = installed("declares", suffix, Target::PY314T, platform_of("x86_64-linux-gnu"));
    let platform = Some(platform_of("x86_64-linux-gnu"));
    inspect(&file, bytes, libraries, Interpreter { target: Target::PY314T, platform })
}

fn gil(bytes: &[u8], suffix: Suffix, libraries: &Libraries) -> Option<Gil> {
    match outcome(bytes, suffix, libraries) {
        Inspection::Module(report) => Some(report.gil),
        Inspection::NotAModule => None,
        Inspection::Needs(names) => panic!("asks for {names:?}"),
    }
}

#[test]
fn a_file_with_the_hook_asks_for_no_library() {
    let module = library(true, &["libmore.so"]);
    let wheel = libraries(&["libmore.so"], &[]);
    assert_eq!(gil(&module, Suffix::Tagged, &wheel), Some(Gil::KeepsOff));
    assert_eq!(gil(&module, Suffix::Bare, &wheel), Some(Gil::KeepsOff));
}

#[test]
fn a_file_without_the_hook_asks_for_the_libraries_of_its_wheel() {
    let module = library(false, &["libc.so.6", "$ORIGIN/libone.so", "libtwo.so"]);
    let wheel = libraries(&["libone.so", "libtwo.so", "libthree.so"], &[]);
    for suffix in [Suffix::Tagged, Suffix::Bare] {
        let Inspection::Needs(names) = outcome(&module, suffix, &wheel) else {
            panic!("an answer without them")
        };
        assert_eq!(names, ["libone.so", "libtwo.so"]);
    }
}

#[test]
fn a_chain_of_libraries_is_followed_to_its_end() {
    let module = library(false, &["libone.so"]);
    let one = library(false, &["libtwo.so"]);
    let Inspection::Needs(names) =
        outcome(&module, Suffix::Bare, &libraries(&["libtwo.so"], &[("libone.so", &one)]))
    else {
        panic!("an answer without the last")
    };
    assert_eq!(names, ["libtwo.so"]);

    for (hook, bare) in [(false, None), (true, Some(()))] {
        let two = library(hook, &[]);
        let wheel = libraries(&[], &[("libone.so", &one), ("libtwo.so", &two)]);
        assert_eq!(gil(&module, Suffix::Bare, &wheel).map(|_| ()), bare);
        // Either the import fails, or the hook in the other library decides: in truth "off".
        let tagged = gil(&module, Suffix::Tagged, &wheel);
        assert!(tagged == Some(Gil::Undetermined) || hook && tagged == Some(Gil::KeepsOff));
    }
}

#[test]
fn libraries_that_need_each_other_come_to_an_end() {
    let module = library(false, &["libone.so", "declares.so"]);
    let one = library(false, &["libone.so", "libtwo.so"]);
    let two = library(false, &["libone.so", "libtwo.so"]);
    let here: [(&str, &[u8]); 3] =
        [("libone.so", &one), ("libtwo.so", &two), ("declares.so", &module)];
    assert_eq!(gil(&module, Suffix::Bare, &libraries(&[], &here)), None);
}

#[test]
fn a_damaged_library_leaves_the_answer_open() {
    let module = library(false, &["libone.so"]);
    let one = library(true, &[]);
    for length in [0, 1, 64, one.len() / 2] {
        let wheel = libraries(&[], &[("libone.so", &one[..length])]);
        for suffix in [Suffix::Tagged, Suffix::Bare] {
            assert_eq!(gil(&module, suffix, &wheel), Some(Gil::Undetermined), "{length}");
        }
    }
}

#[test]
fn libraries_of_the_system_are_not_asked_for() {
    let module = library(false, &["libc.so.6", "libelsewhere.so"]);
    let wheel = libraries(&["libmore.so"], &[]);
    assert_eq!(gil(&module, Suffix::Bare, &wheel), None);
    assert_eq!(gil(&module, Suffix::Tagged, &wheel), Some(Gil::Undetermined));
}

/// Each is mapped at a place of its own; the last ones would lie where other things are.
#[test]
fn more_libraries_than_there_is_room_for_are_not_followed() {
    let names: Vec<String> = (0..200).map(|number| format!("lib{number}.so")).collect();
    let needed: Vec<&str> = names.iter().map(String::as_str).collect();
    let module = library(false, &needed);
    let plain = library(false, &[]);
    let here: Vec<(&str, &[u8])> = needed.iter().map(|name| (*name, plain.as_slice())).collect();
    let wheel = libraries(&[], &here);
    assert_eq!(gil(&module, Suffix::Tagged, &wheel), Some(Gil::Undetermined));
    let Inspection::Module(report) = outcome(&module, Suffix::Tagged, &wheel) else {
        panic!("it is a module by its suffix")
    };
    assert!(report.reason.is_some_and(|reason| reason.contains("more than 160 libraries")));
}

/// Packages may load any of them in code of their own.
#[test]
fn of_several_libraries_of_one_name_none_is_chosen() {
    let module = library(false, &["libmore.so"]);
    let more = library(true, &[]);
    let one = libraries(&[], &[("elsewhere/one/libmore.so", &more)]);
    assert_eq!(gil(&module, Suffix::Tagged, &one), Some(Gil::KeepsOff));
    let plain = library(false, &[]);
    for other in [&more, &plain] {
        let here: [(&str, &[u8]); 2] =
            [("elsewhere/one/libmore.so", &more), ("elsewhere/two/libmore.so", other)];
        assert_eq!(gil(&module, Suffix::Tagged, &libraries(&[], &here)), Some(Gil::Undetermined));
    }
    // Where a search path leads to one of them, it is that one.
    let beside: [(&str, &[u8]); 2] = [("libmore.so", &more), ("elsewhere/two/libmore.so", &plain)];
    assert_eq!(gil(&module, Suffix::Tagged, &libraries(&[], &beside)), Some(Gil::KeepsOff));
}
