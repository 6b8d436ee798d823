//! Mach-O libraries as dyld leaves them, from files made for it.
//!
//! The fixtures state their fixups as opcodes alone; chains, universal binaries, and whatever no
//! linker writes is made here.

use std::time::{Duration, Instant};

use ftcheck::inspect::filename::Suffix;
use ftcheck::inspect::image::{
    BASE, Export, Fixup, Image, Import, Machine, PAGE_SIZE, ReadError, ThreadTemplate,
};
use ftcheck::inspect::libraries::Libraries;
use ftcheck::inspect::{Inspection, Interpreter, inspect};
use ftcheck::model::evidence::{Gil, ModuleReport};
use ftcheck::model::target::Target;
use proptest::prelude::*;

use super::crafted::put;
use super::crafted_mach_o::{
    ARM64, CODE, DATA, DECLARED, FREE, Fixups, GIL_VALUE, GOT_INIT, LC_LOAD_DYLIB,
    LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, MachO, NAME, SLOTS, Symbol, TABLES, X86_64, ZEROS,
    command, command_with_text, hands_over_from, regular, segment, trie, uleb, wide,
};
use super::{installed, platform_of};
use crate::support::fixture_module;

/// What takes this long would take hours when made larger.
const PATIENCE: Duration = Duration::from_secs(3);
/// The numbers of formats of chained pointers, and whether they can be signed.
const POINTERS: [(u16, bool); 5] = [(1, true), (2, false), (6, false), (9, true), (12, true)];

/// Every way to state the same fixups.
fn ways() -> Vec<Fixups> {
    let mut ways = vec![Fixups::Opcodes];
    for (pointers, can_be_signed) in POINTERS {
        for imports in 1..=3 {
            ways.push(Fixups::Chained { pointers, imports, signed: false });
            if can_be_signed {
                ways.push(Fixups::Chained { pointers, imports, signed: true });
            }
        }
    }
    ways
}

fn examine(bytes: &[u8]) -> ModuleReport {
    let file = installed("declares", Suffix::Tagged, Target::PY314T, platform_of("x86_64-macos"));
    let interpreter = Interpreter { target: Target::PY314T, platform: None };
    match inspect(&file, bytes, &Libraries::default(), interpreter) {
        Inspection::Module(report) => *report,
        other => panic!("{other:?}"),
    }
}

/// Why the file is refused.
#[track_caller]
fn problem(bytes: &[u8]) -> String {
    let start = Instant::now();
    let problem = Image::load(bytes).unwrap_err().to_string();
    assert!(start.elapsed() < PATIENCE, "it took {:?}", start.elapsed());
    assert_eq!(examine(bytes).gil, Gil::Undetermined);
    problem
}

#[track_caller]
fn assert_refused(bytes: &[u8], word: &str) {
    let problem = problem(bytes);
    assert!(problem.contains(word), "{problem}");
}

/// What dyld puts into a place.
fn fixup_at(image: &Image<'_>, address: u64) -> Option<Fixup> {
    let start = (BASE + address) & !(PAGE_SIZE as u64 - 1);
    let mut found = None;
    let mut page = [0; PAGE_SIZE];
    image
        .page(start, &mut page, |offset, fixup| {
            if start + offset == BASE + address {
                found = Some(fixup);
            }
            None
        })
        .unwrap();
    found
}

/// The symbol that a place is bound to, and so many bytes on.
#[track_caller]
fn import_at<'i>(image: &'i Image<'_>, address: u64) -> (&'i Import<'i>, i64) {
    match fixup_at(image, address) {
        Some(Fixup::Import { index, addend }) => {
            (&image.imports()[usize::try_from(index).unwrap()], addend)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_ways_to_state_fixups_mean_the_same() {
    for way in ways() {
        for base in [0, 0x1_0000_0000] {
            let module = MachO { base, machine: ARM64, ..MachO::with(way.clone()) };
            let bytes = module.build();
            let image = Image::load(&bytes).unwrap_or_else(|error| panic!("{way:?}: {error}"));
            assert_eq!(image.word(BASE + DECLARED + 0x38), Ok(BASE + NAME), "{way:?}");
            assert_eq!(image.word(BASE + DECLARED + 0x58), Ok(BASE + SLOTS), "{way:?}");
            assert_eq!(image.word(BASE + GIL_VALUE), Ok(1), "{way:?}");
            assert_eq!(image.text(BASE + NAME), Ok("declares"), "{way:?}");
            let (import, addend) = import_at(&image, GOT_INIT);
            assert_eq!((import.name.as_ref(), addend), ("PyModuleDef_Init", 0), "{way:?}");
            assert_eq!((import.library.as_deref(), import.weak), (None, false), "{way:?}");
            assert_eq!(image.export("PyInit_declares"), Some(&Export::At(BASE + CODE)));
            assert_eq!(image.machine(), Machine::Aarch64);
            assert!(image.code(BASE + CODE).is_ok() && image.code(BASE + DATA).is_err());
        }
    }
}

#[test]
fn the_answer_is_the_same_however_fixups_are_stated() {
    for way in ways() {
        for (gil, expected) in [(1, Gil::KeepsOff), (0, Gil::Enables)] {
            let module = MachO { fixups: way.clone(), ..MachO::new(gil) };
            let report = examine(&module.build());
            assert_eq!(report.gil, expected, "{way:?}: {report:?}");
            assert_eq!(report.evidence.format.as_deref(), Some("mach-o"));
        }
    }
}

#[test]
fn symbols_are_bound_with_addends_from_the_library_that_is_named() {
    for way in ways() {
        let mut module = MachO { machine: ARM64, ..MachO::with(way.clone()) };
        module.libraries.push((LC_LOAD_WEAK_DYLIB, "@rpath/libfirst.dylib"));
        module.libraries.push((LC_REEXPORT_DYLIB, "@loader_path/libsecond.dylib"));
        let symbol = |name, ordinal, weak| Symbol { name, ordinal, weak };
        // Of formats with signatures only those that are not signed have room for an addend.
        let addend = match &way {
            Fixups::Chained { imports: 1, signed: true, .. } => 0,
            Fixups::Chained { imports: 1, .. } => 0x7f,
            _ => -8,
        };
        module.bind(FREE, symbol("_one", 1, false), addend);
        module.bind(FREE + 8, symbol("__ZN5other5valueE", 2, false), 0);
        module.bind(FREE + 24, symbol("dyld_stub_binder", 3, true), 0);
        module.bind(FREE + 32, symbol("_program", -1, false), 0);
        module.bind(FREE + 64, symbol("_shared", -3, true), 0);
        let bytes = module.build();
        let image = Image::load(&bytes).unwrap_or_else(|error| panic!("{way:?}: {error}"));
        let expected = [
            (FREE, "one", Some("/usr/lib/libSystem.B.dylib"), false, addend),
            // Its library may be missing.
            (FREE + 8, "_ZN5other5valueE", Some("@rpath/libfirst.dylib"), true, 0),
            (FREE + 24, "dyld_stub_binder", Some("@loader_path/libsecond.dylib"), true, 0),
            (FREE + 32, "program", None, false, 0),
            (FREE + 64, "shared", None, true, 0),
        ];
        for (place, name, library, weak, addend) in expected {
            let (import, more) = import_at(&image, place);
            assert_eq!((import.name.as_ref(), more), (name, addend), "{way:?}");
            assert_eq!((import.library.as_deref(), import.weak), (library, weak), "{way:?} {name}");
            assert_eq!(image.word(BASE + place), Err(ReadError::Dynamic(BASE + place)));
        }
        let needed: Vec<_> = image.needed().collect();
        assert_eq!(needed[1..], ["@rpath/libfirst.dylib", "@loader_path/libsecond.dylib"]);
    }
}

#[test]
fn negative_addends_in_chains_have_19_bits() {
    for pointers in [1, 9, 12] {
        let fixups = Fixups::Chained { pointers, imports: 1, signed: false };
        let mut module = MachO { machine: ARM64, ..MachO::with(fixups) };
        module.bind(FREE, Symbol { name: "_far", ordinal: 1, weak: false }, -0x4_0000);
        let bytes = module.build();
        let image = Image::load(&bytes).unwrap();
        assert_eq!(import_at(&image, FREE).1, -0x4_0000);
    }
}

#[test]
fn a_symbol_of_the_librarys_own_is_bound_to_its_own_definition() {
    for way in ways() {
        let mut module = MachO { machine: ARM64, ..MachO::with(way.clone()) };
        let exports = [("_PyInit_declares", regular(CODE)), ("_own", regular(SLOTS))];
        module.trie = Some(trie(&exports));
        let symbol = |name, ordinal| Symbol { name, ordinal, weak: false };
        let addend = if matches!(way, Fixups::Chained { imports: 1, .. }) { 0 } else { 16 };
        // Of itself; of any library; a weak definition.
        module.bind(FREE, symbol("_own", 0), addend);
        module.bind(FREE + 8, symbol("_own", -2), 0);
        module.bind(FREE + 16, symbol("_own", -3), 0);
        module.bind(FREE + 24, symbol("_missing", 0), 0);
        // Another library's symbol of the same name is another one.
        module.bind(FREE + 32, symbol("_own", 1), 0);
        let bytes = module.build();
        let image = Image::load(&bytes).unwrap();
        let expected = BASE + SLOTS;
        assert_eq!(image.word(BASE + FREE), Ok(expected.wrapping_add_signed(addend)), "{way:?}");
        assert_eq!(image.word(BASE + FREE + 8), Ok(expected), "{way:?}");
        assert_eq!(image.word(BASE + FREE + 16), Ok(expected), "{way:?}");
        let place = BASE + FREE + 24;
        assert_eq!(image.word(place), Err(ReadError::Dynamic(place)), "{way:?}");
        assert!(matches!(fixup_at(&image, FREE + 24), Some(Fixup::Unknown(_))), "{way:?}");
        assert_eq!(import_at(&image, FREE + 32).0.name, "own");
    }
}

#[test]
fn libraries_that_are_none_cannot_be_named() {
    for way in ways() {
        for ordinal in [2, 200, -4, -15] {
            if matches!(way, Fixups::Opcodes) && ordinal == -15 {
                // Reads as number 1: four bits are all there is.
                continue;
            }
            let mut module = MachO::with(way.clone());
            module.bind(FREE, Symbol { name: "_any", ordinal, weak: false }, 0);
            assert_refused(&module.build(), "which is none");
        }
    }
}

#[test]
fn a_mark_in_the_highest_byte_of_an_address_stays() {
    let mark = 0x80 << 56;
    let mut module = MachO::new(1);
    module.own.push((FREE, mark | NAME));
    let bytes = module.build();
    assert_eq!(Image::load(&bytes).unwrap().word(BASE + FREE), Ok(mark | BASE | NAME));

    let fixups = Fixups::Chained { pointers: 6, imports: 1, signed: false };
    let mut module = MachO::with(fixups);
    module.own.push((FREE, NAME | 0x80 << 36));
    let bytes = module.build();
    assert_eq!(Image::load(&bytes).unwrap().word(BASE + FREE), Ok(mark | BASE | NAME));
}

#[test]
fn an_address_far_outside_is_not_known() {
    let mut module = MachO::new(1);
    module.own.push((FREE, 1 << 44));
    let bytes = module.build();
    let place = BASE + FREE;
    assert_eq!(Image::load(&bytes).unwrap().word(place), Err(ReadError::Dynamic(place)));
}

#[test]
fn symbols_replace_addresses_and_weak_definitions_replace_both() {
    let mut module = MachO::new(1);
    let exports = [("_PyInit_declares", regular(CODE)), ("_own", regular(NAME))];
    module.trie = Some(trie(&exports));
    module.own.extend([(FREE, CODE), (FREE + 8, CODE), (FREE + 16, CODE)]);
    let [rebase, bind, _, _] = module.programs();
    let one = |name: &[u8], place: u64| {
        let at = [vec![0x71], uleb(place - DATA), vec![0x90]].concat();
        [&[0x40], name, &[0], &at[..]].concat()
    };
    // Lazy ones end after each; both are bound to the first library.
    let lazy = [
        [&[0x11], &one(b"_lazy", FREE)[..], &[0]].concat(),
        [&[0x11], &one(b"_own", FREE + 8)[..], &[0]].concat(),
    ];
    let weak = [one(b"_own", FREE + 8), one(b"_nobodys", FREE + 16), vec![0]].concat();
    module.fixups = Fixups::Programs([rebase, bind, lazy.concat(), weak]);
    let bytes = module.build();
    let image = Image::load(&bytes).unwrap();
    let (import, _) = import_at(&image, FREE);
    assert_eq!(import.name, "lazy");
    assert_eq!(import.library.as_deref(), Some("/usr/lib/libSystem.B.dylib"));
    assert_eq!(image.word(BASE + FREE + 8), Ok(BASE + NAME));
    let (import, _) = import_at(&image, FREE + 16);
    assert_eq!((import.name.as_ref(), import.library.as_deref()), ("nobodys", None));
}

#[test]
fn repeated_and_scaled_opcodes_write_where_they_say() {
    let mut module = MachO::new(1);
    for index in 0..64 {
        module.word(FREE + index * 8, NAME);
    }
    let start = uleb(FREE - DATA);
    // Two words; one word on, three words; a word and 16 bytes; twice a word and 8 bytes.
    let rebase =
        [&[0x11, 0x21][..], &start, &[0x52, 0x41, 0x60, 3, 0x70, 16, 0x80, 2, 8, 0x30, 8, 0x51, 0]];
    let symbol = [&[0x11, 0x40][..], b"_x\0", &[0x51, 0x71], &uleb(FREE + 0x100 - DATA)].concat();
    // One and 8 bytes; one and two words; twice one and a word; step back by 8; one.
    let behind = [0xa0, 8, 0xb2, 0xc0, 2, 8, 0x80];
    let back = [uleb(8_u64.wrapping_neg()), vec![0x90, 0]].concat();
    let bind = [&symbol[..], &behind, &back].concat();
    module.fixups = Fixups::Programs([rebase.concat(), bind, Vec::new(), Vec::new()]);
    let bytes = module.build();
    let image = Image::load(&bytes).unwrap();
    let written = |from: u64| -> Vec<u64> {
        (0..32).filter(|index| image.is_relocated(BASE + FREE + from + index * 8, 8)).collect()
    };
    assert_eq!(written(0), [0, 1, 3, 4, 5, 6, 9, 11, 14]);
    assert_eq!(written(0x100), [0, 2, 5, 7, 8]);
    assert_eq!(image.word(BASE + FREE), Ok(BASE + NAME));
}

/// A module with other programs than its own, `None` for those that stay.
fn with_programs(programs: [Option<&[u8]>; 4]) -> Vec<u8> {
    let mut module = MachO::new(1);
    let mut own = module.programs();
    for (own, other) in own.iter_mut().zip(programs) {
        if let Some(other) = other {
            *own = other.to_vec();
        }
    }
    module.fixups = Fixups::Programs(own);
    module.build()
}

#[test]
fn opcodes_that_make_no_sense_are_refused() {
    let rebase = |program: &[u8]| with_programs([Some(program), None, None, None]);
    let bind = |program: &[u8]| with_programs([None, Some(program), None, None]);
    let lazy = |program: &[u8]| with_programs([None, None, Some(program), None]);
    assert_refused(&rebase(&[0x11, 0x21]), "truncated");
    assert_refused(&rebase(&[0x11, 0x21, 0x80, 0x80]), "truncated");
    assert_refused(&rebase(&[0x11, 0x21, 0, 0x60]), "truncated");
    // Ten bytes and more, beyond 64 bits.
    assert_refused(&rebase(&[&[0x11, 0x21], &[0xff; 12][..]].concat()), "truncated");
    assert_refused(&rebase(&[0x90]), "unknown");
    assert_refused(&rebase(&[0x12]), "unknown type");
    assert_refused(&rebase(&[0x11, 0x51]), "does not say where");
    assert_refused(&rebase(&[0x11, 0x23, 0, 0x51]), "segment 3");
    // The last bytes that the file has of the data, and those behind.
    let last = uleb(ZEROS - DATA - 8);
    assert!(Image::load(&rebase(&[&[0x11, 0x21], &last[..], &[0x51]].concat())).is_ok());
    assert_refused(&rebase(&[&[0x11, 0x21], &last[..], &[0x52]].concat()), "outside its segment");
    assert_refused(&rebase(&[0x11, 0x20, 0xff, 0x7f, 0x52]), "outside its segment");

    assert_refused(&bind(&[0x11, 0x40, b'_', b'x']), "truncated");
    assert_refused(&bind(&[0x11, 0x40, b'_', 0, 0x60, 0x80]), "truncated");
    assert_refused(&bind(&[0xd0, 1]), "unknown");
    assert_refused(&bind(&[0x52]), "unknown type");
    assert_refused(&bind(&[0x11, 0x71, 0, 0x90]), "which symbol");
    assert_refused(&bind(&[0x40, b'x', 0, 0x71, 0, 0x90]), "where its symbol is from");
    assert_refused(&lazy(&[0x40, b'x', 0, 0x71, 0, 0x90]), "where its symbol is from");
}

#[test]
fn endless_repetitions_end_at_once() {
    let many = uleb(u64::MAX);
    let rebase = |rest: &[&[u8]]| {
        let program = [&[0x11, 0x21, 0][..], &rest.concat()].concat();
        with_programs([Some(&program), None, None, None])
    };
    assert_refused(&rebase(&[&[0x60], &many]), "outside its segment");
    // The same place over and over; backwards until the segment begins.
    let skips = [(8_u64, "repeated without end"), (1, "repeated without end")];
    for (skip, word) in skips.into_iter().chain([(16, "outside"), (1 << 40, "outside")]) {
        let skip = uleb(skip.wrapping_neg());
        assert_refused(&rebase(&[&[0x80], &many, &skip]), word);
        let bind = [&[0x11, 0x40, b'x', 0, 0x71, 0, 0xc0][..], &many, &skip].concat();
        assert_refused(&with_programs([None, Some(&bind), None, None]), word);
    }
    // Written again and again by short opcodes.
    let again: Vec<u8> = [0x21, 0, 0x5f].repeat(0x4000);
    assert_refused(&rebase(&[&again]), "more fixups than");
}

#[test]
fn fixups_that_overlap_are_not_known() {
    let mut module = MachO::new(1);
    module.own.extend([(FREE, NAME), (FREE + 4, NAME), (FREE + 16, NAME)]);
    let bytes = module.build();
    let image = Image::load(&bytes).unwrap();
    for place in [FREE, FREE + 4] {
        assert!(matches!(fixup_at(&image, place), Some(Fixup::Unknown(_))), "{place:#x}");
    }
    assert!(matches!(fixup_at(&image, FREE + 16), Some(Fixup::Address(_))));
}

/// Where the table of chained fixups lies in a crafted file: behind the trie.
fn chains_of(bytes: &[u8]) -> usize {
    let mut found = None;
    let mut at = 32;
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    for _ in 0..word(16) {
        if word(at) == 0x8000_0034 {
            found = Some(usize::try_from(word(at + 8)).unwrap());
        }
        at += usize::try_from(word(at + 4)).unwrap();
    }
    found.unwrap()
}

fn chained() -> MachO {
    MachO::with(Fixups::Chained { pointers: 6, imports: 1, signed: false })
}

#[test]
fn chains_that_make_no_sense_are_refused() {
    let sound = chained().build();
    let table = chains_of(&sound);
    assert_eq!(examine(&sound).gil, Gil::KeepsOff);
    let spoilt = |at: usize, value: u32| {
        let mut bytes = sound.clone();
        bytes[table + at..table + at + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    assert_refused(&spoilt(0, 1), "version 1");
    assert_refused(&spoilt(4, 0xffff), "truncated");
    assert_refused(&spoilt(8, 0xffff), "truncated");
    assert_refused(&spoilt(12, u32::MAX), "truncated");
    assert_refused(&spoilt(16, u32::MAX), "truncated");
    assert_refused(&spoilt(16, 0), "import 0, which is none");
    assert_refused(&spoilt(20, 4), "unknown format 4");
    assert_refused(&spoilt(24, 1), "compressed");
    // More segments than there are: their starts are read from what lies behind.
    assert!(Image::load(&spoilt(32, u32::MAX)).is_err());
    assert_refused(&spoilt(40, 0xffff), "truncated");
    // Behind the size: page size and format, the place of the segment, pages.
    for format in [0_u32, 3, 4, 5, 7, 8, 10, 11, 13, 14, 0xffff] {
        assert_refused(&spoilt(52, 0x4000 | format << 16), "unknown pointer format");
    }
    assert_refused(&spoilt(56, 0x8000), "another segment");
    assert_refused(&spoilt(52, 0x40 | 6 << 16), "leaves its page");
    assert_refused(&spoilt(68, 1 | 0x8000 << 16), "several chains");
    assert_refused(&spoilt(68, 1 | 0x4000 << 16), "leaves its page");
    assert_refused(&spoilt(68, 0xffff | 0x38 << 16), "truncated");
    // No chain at all: then the definition holds what the file has.
    let none = spoilt(68, 1 | 0xffff << 16);
    let image = Image::load(&none).unwrap();
    assert!(image.imports().iter().any(|import| import.name == "PyModuleDef_Init"));
    assert_eq!(fixup_at(&image, GOT_INIT), None);
}

#[test]
fn a_chain_that_runs_on_and_on_ends_with_its_page() {
    // Every word points to the next: the last one of the page leads out of it.
    let mut bytes = chained().build();
    for place in (0x4000..TABLES).step_by(8) {
        put(&mut bytes, place, 2 << 51);
    }
    assert_refused(&bytes, "leaves its page");
}

#[test]
fn the_tables_of_two_ways_at_once_are_refused() {
    let mut module = chained();
    module.commands.push(command(0x8000_0022, &[0; 10]));
    assert_refused(&module.build(), "two ways");
}

#[test]
fn relocations_from_before_opcodes_are_refused_and_not_passed_over() {
    let without = MachO { own: Vec::new(), bound: Vec::new(), ..MachO::with(Fixups::None) };
    assert!(Image::load(&without.build()).is_ok());
    // LC_DYSYMTAB: nextrel, and nlocrel.
    for place in [15, 17] {
        let mut words = [0; 18];
        words[place] = 1;
        let commands = vec![command(0xb, &words)];
        assert_refused(&MachO { commands, ..without.clone() }.build(), "before macOS 10.6");
    }
    // Pointers to symbols of others, lazy ones, and to their thread-local variables.
    for kind in [6, 7, 0x14] {
        let sections = vec![(kind, DATA, 8)];
        assert_refused(&MachO { sections, ..without.clone() }.build(), "before macOS 10.6");
    }
}

#[test]
fn a_trie_says_of_each_symbol_where_it_is() {
    let mut module = MachO::new(1);
    module.libraries.push((LC_REEXPORT_DYLIB, "@rpath/libreal.dylib"));
    let elsewhere = |ordinal: u64, name: &[u8]| [&[8], &uleb(ordinal)[..], name, &[0]].concat();
    module.trie = Some(trie(&[
        ("_PyInit_declares", regular(CODE)),
        ("_thread", [vec![1], uleb(FREE)].concat()),
        ("_absolute", [vec![2], uleb(BASE + CODE)].concat()),
        ("_weak", [vec![4], uleb(NAME)].concat()),
        ("_moved", elsewhere(2, b"_there")),
        ("_same", elsewhere(2, b"")),
        ("_chosen", [vec![0x10], uleb(CODE), uleb(CODE + 16)].concat()),
        ("no_underscore", regular(SLOTS)),
        ("__ZN1xE", regular(SLOTS)),
    ]));
    let bytes = module.build();
    let image = Image::load(&bytes).unwrap();
    let there = |name: &'static str| Export::Elsewhere {
        library: "@rpath/libreal.dylib".into(),
        name: name.into(),
    };
    let expected = [
        ("PyInit_declares", Export::At(BASE + CODE)),
        ("thread", Export::At(BASE + FREE)),
        // Not at the place in the library that its number happens to be.
        ("absolute", Export::Chosen),
        ("weak", Export::At(BASE + NAME)),
        ("moved", there("there")),
        ("same", there("same")),
        ("chosen", Export::Chosen),
        ("no_underscore", Export::At(BASE + SLOTS)),
        ("_ZN1xE", Export::At(BASE + SLOTS)),
    ];
    for (name, place) in &expected {
        assert_eq!(image.export(name), Some(place), "{name}");
    }
    assert_eq!(image.exports().count(), expected.len());
}

#[test]
fn tries_that_are_none_are_refused() {
    let refused = |trie: Vec<u8>, word| {
        assert_refused(&MachO { trie: Some(trie), ..MachO::new(1) }.build(), word);
    };
    // A node that leads to itself; one that leads to the root; two that lead to the same.
    refused(vec![0, 1, b'_', 0, 0], "two ways");
    refused(vec![0, 1, b'_', 0, 6, 0, 0, 1, b'P', 0, 0], "two ways");
    refused(vec![0, 2, b'a', 0, 8, b'b', 0, 8, 2, 0, 0, 0], "two ways");
    // Ends in a node, an edge, an offset; an offset outside; a symbol longer than the trie.
    refused(vec![0], "damaged");
    refused(vec![0, 1, b'_', b'P'], "damaged");
    refused(vec![0, 1, b'_', 0, 0x80], "damaged");
    refused(vec![0, 1, b'_', 0, 0xff, 0x7f], "damaged");
    refused(vec![0x7f, 0, 0], "damaged");
    refused([&uleb(u64::MAX)[..], &[0, 0]].concat(), "damaged");
    refused(trie(&[("_x", vec![0, 0x80])]), "truncated");
    refused(trie(&[("_x", vec![3, 0])]), "unknown kind");
    refused(trie(&[("_x", vec![8, 9, 0])]), "library 9, which is none");
    refused(trie(&[("_x", vec![8, 0, 0])]), "library 0, which is none");
}

#[test]
fn names_that_grow_with_every_node_are_refused_soon() {
    // A chain of nodes, each with a symbol and a long edge to the next: the names together are
    // longer than the trie by the square.
    let edge = vec![b'x'; 30];
    let size = edge.len() + 8;
    let mut bytes = Vec::new();
    for index in 0..20_000 {
        bytes.extend([2, 0, 0, 1]);
        bytes.extend(&edge);
        bytes.push(0);
        bytes.extend(wide((index + 1) * size));
    }
    bytes.extend([0, 0]);
    let module = MachO { trie: Some(bytes), ..MachO::new(1) };
    assert_refused(&module.build(), "too long");
}

#[test]
fn without_a_trie_the_symbol_table_is_looked_at() {
    let strings = b"\0_PyInit_declares\0_hidden\0_taken\0_fixed\0";
    let symbol = |name: u32, kind: u8, section: u8, value: u64| {
        let mut bytes = name.to_le_bytes().to_vec();
        bytes.extend([kind, section, 0, 0]);
        bytes.extend(value.to_le_bytes());
        bytes
    };
    // Global; private to what was linked; another's; a number; for the debugger.
    let symbols = [
        symbol(1, 0x0f, 1, CODE),
        symbol(18, 0x1f, 1, CODE),
        symbol(26, 0x01, 0, 0),
        symbol(33, 0x03, 0, 7),
        symbol(18, 0x2f, 1, CODE),
    ]
    .concat();
    let mut module = MachO { trie: None, ..MachO::with(Fixups::None) };
    (module.own, module.bound) = (Vec::new(), Vec::new());
    let place = u32::try_from(TABLES).unwrap();
    let count = u32::try_from(symbols.len() / 16).unwrap();
    let (end, size) = (place + count * 16, u32::try_from(strings.len()).unwrap());
    let with = |words: &[u32]| {
        let mut module = module.clone();
        module.commands.push(command(2, words));
        // The segment of the tables is as large as them.
        let mut bytes = module.build();
        bytes.extend(&symbols);
        bytes.extend(strings);
        bytes
    };
    let bytes = with(&[place, count, end, size]);
    let image = Image::load(&bytes).unwrap();
    let exports: Vec<_> = image.exports().collect();
    assert_eq!(
        exports,
        [("PyInit_declares", &Export::At(BASE + CODE)), ("fixed", &Export::Chosen)]
    );
    assert_refused(&with(&[place, u32::MAX, end, size]), "outside the file");
    assert_refused(&with(&[place, count, end, u32::MAX]), "outside the file");
    assert_refused(&with(&[place, count, end, 3]), "damaged");
}

#[test]
fn files_that_dyld_does_not_load_are_refused() {
    let sound = MachO::new(1);
    assert_refused(&MachO { file_type: 2, ..sound.clone() }.build(), "of type 2");
    let mut thin = sound.build();
    thin[0] = 0xce;
    assert_refused(&thin, "64-bit");
    let other = MachO { machine: 0x0100_0012, ..sound.clone() }.build();
    assert_eq!(Image::load(&other).unwrap().machine(), Machine::Other(0x0100_0012));

    let with = |more: Vec<u8>| MachO { commands: vec![more], ..sound.clone() }.build();
    assert_refused(&with(command(0x2c, &[0, 0, 1, 0])), "encrypted");
    assert!(Image::load(&with(command(0x2c, &[0; 4]))).is_ok());
    let place = 0x20_0000;
    let more = |place, size| segment("__MORE", [place, size, 0x4000, 0x1000], 3, &[]);
    assert!(Image::load(&with(more(place, 0x1000))).is_ok());
    assert_refused(&with(more(place, 0xfff)), "impossible sizes");
    assert_refused(&with(more(place + 8, 0x1000)), "aligned");
    assert_refused(&with(more(DATA, 0x1000)), "overlap");
    assert_refused(&with(more(!0xfff, 0x1000)), "impossible sizes");
    assert_refused(&with(more(place, 1 << 50)), "impossible sizes");
    let outside = segment("__MORE", [place, 0x1000, 1 << 20, 0x1000], 3, &[]);
    assert_refused(&with(outside), "truncated");
    let section =
        |at, size| segment("__MORE", [place, 0x1000, 0x4000, 0x1000], 3, &[(0, at, size)]);
    assert!(Image::load(&with(section(place, 0x1000))).is_ok());
    assert_refused(&with(section(place, 0x1001)), "outside its segment");
    assert_refused(&with(section(place - 1, 8)), "outside its segment");
    assert_refused(&with(section(place, u64::MAX)), "outside its segment");
    let mut crowded = section(place, 8);
    crowded[64] = 2;
    assert_refused(&with(crowded), "more sections");
    let mut long = command(0xc, &[24, 0, 0, 0]);
    assert_refused(&with(long.clone()), "outside of it");
    long[4] = 0;
    assert_refused(&with(long), "impossible size");
    let mut many = sound.build();
    many[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_refused(&many, "truncated");
    let mut headless = sound.build();
    headless[32 + 8 + 2] = b'X';
    assert_refused(&headless, "no segment has its header");
}

#[test]
fn every_truncation_is_survived() {
    for way in [Fixups::Opcodes, Fixups::Chained { pointers: 6, imports: 1, signed: false }] {
        let bytes = MachO::with(way).build();
        for length in (0..0x400).chain(TABLES..bytes.len()) {
            assert!(Image::load(&bytes[..length]).is_err(), "{length}");
        }
    }
}

#[test]
fn a_segment_without_protection_is_not_mapped() {
    let mut module = MachO::new(1);
    module.base = 0x1_0000_0000;
    module.commands = vec![segment("__PAGEZERO", [0, 0x1_0000_0000, 0, 0], 0, &[])];
    assert_eq!(examine(&module.build()).gil, Gil::KeepsOff);
}

#[test]
fn zeros_have_to_be_zeros_in_memory_too() {
    // The last page of the segment is mapped whole, with what the file has behind the segment.
    let place = 0x20_0000;
    let mut module = MachO::new(1);
    module.commands = vec![segment("__MORE", [place, 0x1000, 0x4000, 0x1d8], 3, &[])];
    assert!(Image::load(&module.build()).is_ok());
    module.word(DATA + 0xff8, 1);
    assert_refused(&module.build(), "behind its end");
}

#[test]
fn libraries_and_search_paths_are_listed_in_their_order() {
    let mut module = MachO::new(1);
    module.libraries = vec![
        (LC_LOAD_DYLIB, "@rpath/one.dylib"),
        (0x8000_0023, "upward.dylib"),
        (0x20, "lazy.dylib"),
        (LC_LOAD_WEAK_DYLIB, "weak.dylib"),
    ];
    let path = |text| command_with_text(0x8000_001c, &[12], text);
    // The library's own name is none that it needs.
    let own = command_with_text(0xd, &[24, 0, 0, 0], "own.dylib");
    module.commands = vec![path("@loader_path/.dylibs"), own, path("/opt/lib")];
    let bytes = module.build();
    let image = Image::load(&bytes).unwrap();
    let needed: Vec<_> = image.needed().collect();
    assert_eq!(needed, ["@rpath/one.dylib", "upward.dylib", "lazy.dylib", "weak.dylib"]);
    let paths: Vec<_> = image.search_paths().collect();
    assert_eq!(paths, ["@loader_path/.dylibs", "/opt/lib"]);
}

#[test]
fn constructors_are_found_in_both_kinds_of_section() {
    let mut module = MachO::new(1);
    module.base = 0x1_0000_0000;
    module.own.push((FREE, CODE));
    module.word(FREE + 16, (CODE + 0x10) | (CODE + 0x20) << 32);
    module.sections = vec![(0x16, FREE + 16, 8), (9, FREE, 8)];
    let mut words = [0; 16];
    words[0] = u32::try_from(CODE + 0x30).unwrap();
    words[1] = 1;
    module.commands = vec![command(0x1a, &words)];
    let bytes = module.build();
    let image = Image::load(&bytes).unwrap();
    assert_eq!(image.constructors(), [0x30, 0, 0x10, 0x20].map(|at| BASE + CODE + at));
}

#[test]
fn constructors_beyond_all_addresses_are_none() {
    // The places of these wrap around behind the highest address, and no segment is mapped there.
    let start = BASE.wrapping_neg() - 0x1000;
    for kind in [9, 0x16] {
        let mut module = MachO::new(1);
        let section = [(kind, start, 0x2000)];
        module.commands = vec![segment("__FAR", [start, 0x2000, 0, 0], 0, &section)];
        let bytes = module.build();
        assert_eq!(Image::load(&bytes).unwrap().constructors(), [0; 0]);
    }
}

/// A module whose hook stores a thread-local variable, whose content is `initial`, as the value of
/// its GIL slot, and then hands the definition over.
fn thread_local(initial: u64) -> MachO {
    let (descriptor, variable) = (FREE, FREE + 0x48);
    let mut module = MachO::new(0);
    module.word(variable, initial);
    module.word(descriptor + 16, variable - (FREE + 0x40));
    let bootstrap = Symbol { name: "__tlv_bootstrap", ordinal: 1, weak: false };
    module.bind(descriptor, bootstrap, 0);
    module.sections =
        vec![(0x13, descriptor, 24), (0x11, FREE + 0x40, 16), (0x12, FREE + 0x50, 0x20)];
    let distance = |target: u64, behind: u64| {
        i32::try_from(target.cast_signed() - (CODE + behind).cast_signed()).unwrap().to_le_bytes()
    };
    // push rbx; lea rdi, [descriptor]; call [rdi]; mov rax, [rax]; mov [GIL_VALUE], rax; pop rbx
    module.code = [
        &[0x53, 0x48, 0x8d, 0x3d][..],
        &distance(descriptor, 8),
        &[0xff, 0x17, 0x48, 0x8b, 0x00, 0x48, 0x89, 0x05],
        &distance(GIL_VALUE, 20),
        &[0x5b],
        &hands_over_from(CODE + 21),
    ]
    .concat();
    module
}

#[test]
fn thread_local_variables_begin_as_the_file_says() {
    for (initial, expected) in [(1, Gil::KeepsOff), (0, Gil::Enables)] {
        let bytes = thread_local(initial).build();
        let image = Image::load(&bytes).unwrap();
        let template = ThreadTemplate {
            address: BASE + FREE + 0x40,
            initialised: 16,
            size: 0x30,
            align: 1,
            index: None,
        };
        assert_eq!(image.thread_template(), Some(template));
        let report = examine(&bytes);
        assert_eq!(report.gil, expected, "{report:?}");
    }
}

/// A module whose hook calls a function of the C library on its GIL slot's value, of which that one
/// is the first argument, then hands the definition over.
fn calls_on_value(name: &'static str, gil: u64, second: &[u8], third: u8) -> MachO {
    let mut module = MachO::new(gil);
    module.bind(FREE, Symbol { name, ordinal: 1, weak: false }, 0);
    module.word(FREE + 0x10, 1);
    let distance = |target: u64, behind: usize| {
        let place = CODE.cast_signed() + i64::try_from(behind).unwrap();
        i32::try_from(target.cast_signed() - place).unwrap().to_le_bytes()
    };
    // push rbx; lea rdi, [GIL_VALUE]
    let mut code = vec![0x53, 0x48, 0x8d, 0x3d];
    code.extend(distance(GIL_VALUE, 8));
    code.extend(second);
    // mov edx, third; call [FREE]; pop rbx
    code.extend([0xba, third, 0, 0, 0, 0xff, 0x15]);
    code.extend(distance(FREE, code.len() + 4));
    code.push(0x5b);
    code.extend(hands_over_from(CODE + code.len() as u64));
    module.code = code;
    module
}

#[test]
fn functions_that_only_macos_has_are_followed() {
    // mov esi, 8: as many bytes become zero.
    for name in ["___bzero", "_bzero"] {
        let report = examine(&calls_on_value(name, 1, &[0xbe, 8, 0, 0, 0], 0).build());
        assert_eq!(report.gil, Gil::Enables, "{name}: {report:?}");
    }
    // lea rsi, [FREE + 0x10]: the bytes there are repeated over eight bytes.
    let distance = u32::try_from(FREE + 0x10 - (CODE + 15)).unwrap().to_le_bytes();
    let pattern = [&[0x48, 0x8d, 0x35][..], &distance].concat();
    for name in ["_memset_pattern8", "_memset_pattern16"] {
        let report = examine(&calls_on_value(name, 0, &pattern, 8).build());
        assert_eq!(report.gil, Gil::KeepsOff, "{name}: {report:?}");
        let slots = report.evidence.definition.unwrap().slots.unwrap();
        assert_eq!(slots.last().unwrap().value, "0x1", "{name}");
    }
    // The first four bytes twice.
    let report = examine(&calls_on_value("_memset_pattern4", 0, &pattern, 8).build());
    let slots = report.evidence.definition.unwrap().slots.unwrap();
    assert_eq!(slots.last().unwrap().value, "0x100000001");
}

/// A universal binary of either kind: each library with its processor.
fn universal(wide: bool, libraries: &[(u32, &[u8])]) -> Vec<u8> {
    let magic: u32 = if wide { 0xcafe_babf } else { 0xcafe_babe };
    let count = u32::try_from(libraries.len()).unwrap();
    let mut bytes = [magic, count].map(u32::to_be_bytes).concat();
    let mut content = Vec::new();
    for (machine, library) in libraries {
        let start = 0x4000 + content.len();
        bytes.extend([*machine, 0].map(u32::to_be_bytes).concat());
        if wide {
            bytes.extend([start, library.len()].map(|word| (word as u64).to_be_bytes()).concat());
            bytes.extend([14, 0].map(u32::to_be_bytes).concat());
        } else {
            let words = [start, library.len(), 14].map(|word| u32::try_from(word).unwrap());
            bytes.extend(words.map(u32::to_be_bytes).concat());
        }
        content.extend_from_slice(library);
        content.resize(content.len().next_multiple_of(0x4000), 0);
    }
    bytes.resize(0x4000, 0);
    bytes.extend(content);
    bytes
}

#[test]
fn universal_binaries_give_each_of_their_libraries() {
    let (first, second) =
        (MachO::new(1).build(), MachO { machine: ARM64, ..MachO::new(1) }.build());
    for wide in [false, true] {
        let bytes = universal(wide, &[(X86_64, &first), (ARM64, &second)]);
        assert_eq!(Image::slices(&bytes), [&first[..], &second]);
        assert!(Image::load(&bytes).is_err());
    }
    assert_eq!(Image::slices(&first), [&first[..]]);
}

#[test]
fn of_a_universal_binary_the_library_for_the_processor_counts() {
    let file = installed("declares", Suffix::Tagged, Target::PY314T, platform_of("x86_64-macos"));
    // The other one says the opposite.
    let other = MachO { machine: ARM64, ..MachO::new(0) }.build();
    let bytes = universal(false, &[(ARM64, &other), (X86_64, &MachO::new(1).build())]);
    let answer = |platform| {
        let interpreter = Interpreter { target: Target::PY314T, platform };
        match inspect(&file, &bytes, &Libraries::default(), interpreter) {
            Inspection::Module(report) => report.gil,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(answer(Some(platform_of("x86_64-macos"))), Gil::KeepsOff);
    assert_ne!(answer(Some(platform_of("aarch64-macos"))), Gil::KeepsOff);
    // Whoever may load it could take either.
    assert_eq!(answer(None), Gil::Undetermined);
}

#[test]
fn universal_headers_that_lie_give_the_file_as_it_is() {
    let library = MachO::new(1).build();
    for wide in [false, true] {
        let sound = universal(wide, &[(X86_64, &library), (ARM64, &library)]);
        let spoilt = |at: usize, value: &[u8]| {
            let mut bytes = sound.clone();
            bytes[at..at + value.len()].copy_from_slice(value);
            assert_eq!(Image::slices(&bytes), [&bytes[..]], "{at} {value:?}");
            assert_refused(&bytes, "universal");
        };
        spoilt(4, &[0; 4]);
        spoilt(4, &[0xff; 4]);
        // As many as a Java class of version 52 seems to have.
        spoilt(4, &[0, 0, 0, 52]);
        // An offset outside, a size beyond the end, a library that overlaps the header or the
        // other one.
        let (offset, size) = if wide { (16..24, 24..32) } else { (16..20, 20..24) };
        spoilt(offset.start, &vec![0xff; offset.len()]);
        spoilt(size.start, &vec![0xff; size.len()]);
        spoilt(offset.end - 4, &[0; 4]);
        spoilt(size.end - 4, &0x1_0000_u32.to_be_bytes());
        for length in [0, 3, 4, 7, 8, 20, 27, 40, 71] {
            let short = &sound[..length];
            assert_eq!(Image::slices(short), [short]);
            assert!(Image::load(short).is_err());
        }
    }
}

/// Looks at everything that an image has, in bounded time.
fn exercise(bytes: &[u8]) {
    let start = Instant::now();
    for slice in Image::slices(bytes) {
        let Ok(image) = Image::load(slice) else { continue };
        let mut page = [0; PAGE_SIZE];
        for address in (BASE..BASE + 0x1_0000).step_by(PAGE_SIZE) {
            let _ = image.page(address, &mut page, |_, _| Some(1));
            let _ = (image.word(address + 0x38), image.text(address), image.code(address));
        }
        for (_, place) in image.exports() {
            if let Export::At(address) = place {
                let _ = image.word(*address);
            }
        }
    }
    let report = examine(bytes);
    assert_eq!(report.gil == Gil::Undetermined, report.reason.is_some());
    assert!(start.elapsed() < PATIENCE, "it took {:?}", start.elapsed());
}

fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let way = prop::sample::select(ways());
    let crafted = (way, any::<bool>()).prop_map(|(way, local)| {
        let module = if local { thread_local(1) } else { MachO::new(1) };
        MachO { fixups: way, ..module }.build()
    });
    let universal = Just(universal(false, &[(X86_64, &MachO::new(1).build())]));
    let stems = vec!["declares", "exported_def", "filled_at_run_time", "single_declares"];
    let fixture = prop::sample::select(stems).prop_map(|stem| fixture_module("x86_64-macos", stem));
    prop_oneof![4 => crafted, 1 => universal, 2 => fixture]
}

/// Bytes that mean something in tables of this format, and others.
fn likely_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![
            0, 1, 0x11, 0x40, 0x51, 0x5f, 0x60, 0x71, 0x7f, 0x80, 0x90, 0xc0, 0xff
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn changed_bytes_never_panic(
        mut bytes in any_file(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), likely_byte()), 1..12),
        region in 0..3,
    ) {
        // Half of a file are zeros: the load commands, the data, the tables.
        let range = match region {
            0 => 0..0x400,
            1 => 0x4000..0x4400,
            _ => TABLES.min(bytes.len() - 0x100)..bytes.len(),
        };
        for (index, byte) in changes {
            let at = range.start + index.index(range.len());
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        exercise(&bytes);
    }

    #[test]
    fn arbitrary_opcodes_never_panic(
        programs in prop::array::uniform4(prop::collection::vec(likely_byte(), 0..64)),
    ) {
        exercise(&MachO { fixups: Fixups::Programs(programs), ..MachO::new(1) }.build());
    }

    #[test]
    fn arbitrary_tries_never_panic(trie in prop::collection::vec(likely_byte(), 0..64)) {
        exercise(&MachO { trie: Some(trie), ..MachO::new(1) }.build());
    }

    #[test]
    fn arbitrary_bytes_behind_a_signature_never_panic(
        magic in prop::sample::select(vec![
            [0xcf, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe], [0xca, 0xfe, 0xba, 0xbf],
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..256),
    ) {
        exercise(&[&magic[..], &rest].concat());
    }
}

#[test]
fn a_universal_binary_with_the_hook_in_one_slice_alone_is_not_answered_by_that_slice() {
    let with = MachO::new(1);
    let mut without = MachO::new(1);
    without.machine = ARM64;
    without.trie = Some(trie(&[("_helper", regular(CODE))]));
    let (with, without) = (with.build(), without.build());
    let both = universal(false, &[(X86_64, &with), (ARM64, &without)]);
    assert_eq!(Image::slices(&both).len(), 2);
    let macos = platform_of("x86_64-macos");
    let bare = installed("declares", Suffix::Bare, Target::PY314T, macos);
    let answer = |platform| {
        let interpreter = Interpreter { target: Target::PY314T, platform };
        match inspect(&bare, &both, &Libraries::default(), interpreter) {
            Inspection::Module(report) => Some(report.gil),
            Inspection::NotAModule => None,
            Inspection::Needs(names) => panic!("asks for {names:?}"),
        }
    };
    assert_eq!(answer(None), Some(Gil::Undetermined));
    // For either processor it is what its slice is.
    assert_eq!(answer(Some(macos)), Some(Gil::KeepsOff));
    assert_eq!(answer(Some(platform_of("aarch64-macos"))), None);
}
