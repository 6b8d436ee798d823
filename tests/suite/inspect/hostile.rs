//! Modules that are damaged, or made to mislead.
//!
//! Whatever the bytes are, an answer comes within a second and without a panic, and it is not the
//! opposite of the truth: above all, no damage makes "keeps the GIL off" of a module that turns it
//! on. "It cannot be told" is always right for a file that no loader would take.

use std::ops::Range;
use std::time::{Duration, Instant};

use ftcheck::inspect::filename::Suffix;
use ftcheck::model::evidence::{Gil, ModuleReport};
use ftcheck::model::target::Target;
use goblin::elf::Elf;
use goblin::elf::program_header::{PF_X, PT_DYNAMIC, PT_LOAD};
use proptest::prelude::*;

use super::crafted::{
    Assembler, CODE, Crafted, DATA, DECLARED, DECLARED_SLOTS, DT_HASH, DT_INIT_ARRAY,
    DT_INIT_ARRAYSZ, DT_RELA, DT_RELASZ, GIL_VALUE, GOT_INIT, GOT_WEAK, NAME, NOWHERE, OTHER,
    OTHER_SLOTS, R_64, R_GLOB_DAT, R_RELATIVE, Segment, Symbol, TABLES, definition_of_hook,
    file_offset, hands_over, put,
};
use super::{inspect_alone, installed, platform_of};
use crate::support::fixture_module;

const LINUX: &str = "x86_64-linux-gnu";
/// Each is answered in a few milliseconds, but for those that never return: they are followed for millions of
/// steps. What takes this long would take hours when made larger.
const PATIENCE: Duration = Duration::from_secs(3);

fn examine(module: &str, bytes: &[u8], target: Target) -> ModuleReport {
    let file = installed(module, Suffix::Tagged, target, platform_of(LINUX));
    let start = Instant::now();
    // Under a tagged suffix it is a module, whatever is in it.
    let report = inspect_alone(&file, bytes, target).unwrap();
    let taken = start.elapsed();
    assert!(taken < PATIENCE, "{module} took {taken:?}");
    assert_eq!(report.gil == Gil::Undetermined, report.reason.is_some(), "{report:?}");
    report
}

/// The answers of all releases, which have to be the same.
fn answer(module: &str, bytes: &[u8]) -> Gil {
    let [first, second, third] = Target::ALL.map(|target| examine(module, bytes, target));
    assert!(first.gil == second.gil && second.gil == third.gil, "{first:?} {second:?} {third:?}");
    first.gil
}

fn crafted_answer(crafted: &Crafted) -> Gil {
    answer("declares", &crafted.build())
}

/// As a loader would refuse it, or as the import would crash, nothing is to be told.
#[track_caller]
fn assert_undetermined(crafted: &Crafted) {
    assert_eq!(crafted_answer(crafted), Gil::Undetermined);
}

/// Fixtures that damage is done to, and their truth on every release.
const SOUND: [(&str, Gil); 5] = [
    ("declares", Gil::KeepsOff),
    ("declares_relr", Gil::KeepsOff),
    ("exported_def", Gil::KeepsOff),
    ("declares_used", Gil::Enables),
    ("declares_nothing", Gil::Enables),
];

/// Where in the file a change may rightly change the answer, since a loader and an interpreter
/// would see another module. It is read from the sound file:
///
/// - which bytes are mapped where: the position of the program headers, and those that load
///   memory or name the dynamic section;
/// - the dynamic section and the relocations that it names: they fill the pointers to the slots;
/// - the code, as the hook may come to hand over something else;
/// - the symbols that the hook and the relocations go through;
/// - the pointers in the definition, and the slots up to and including their end mark.
///
/// Everything else, such as names, hash tables, sections and other data, has no say in what is
/// declared: a change there leaves the answer, or makes the file one that cannot be told about.
/// Nor is there any excuse where bytes are missing.
fn excuses(stem: &str, bytes: &[u8]) -> Vec<Range<usize>> {
    let elf = Elf::parse(bytes).unwrap();
    let to_usize = |number: u64| usize::try_from(number).unwrap();
    let at = |address: u64, size: usize| {
        let start = file_offset(bytes, address);
        start..start + size
    };
    let mut excuses = vec![32..40, 54..58];
    for (index, header) in elf.program_headers.iter().enumerate() {
        if matches!(header.p_type, PT_LOAD | PT_DYNAMIC) {
            let start = to_usize(elf.header.e_phoff) + index * 56;
            excuses.push(start..start + 56);
        }
        let executable = header.p_type == PT_LOAD && header.p_flags & PF_X != 0;
        if executable || header.p_type == PT_DYNAMIC {
            excuses.push(header.file_range());
        }
    }
    let dynamic = elf.dynamic.as_ref().unwrap();
    let value = |tag| dynamic.dyns.iter().find(|entry| entry.d_tag == tag).map(|one| one.d_val);
    let (rela, jump, packed) = ((7, 8), (23, 2), (36, 35));
    for (table, size) in [rela, jump, packed] {
        if let Some((address, size)) = value(table).zip(value(size)) {
            excuses.push(at(address, to_usize(size)));
        }
    }
    for (index, symbol) in elf.dynsyms.iter().enumerate() {
        let name = elf.dynstrtab.get_at(symbol.st_name).unwrap_or_default();
        // All that the fixtures import or export under other names is never asked for.
        if name.starts_with("PyInit") || name == "PyModuleDef_Init" || name.contains("_def_") {
            excuses.push(at(dynamic.info.symtab as u64 + index as u64 * 24, 24));
        }
    }
    let report = examine(stem, bytes, Target::PY314T);
    let definition = report.evidence.definition.unwrap();
    let address = u64::from_str_radix(&definition.address[2..], 16).unwrap();
    excuses.extend([at(address + 0x38, 8), at(address + 0x58, 8)]);
    let slots = definition.slots.unwrap().len();
    // The array stands behind the definition or is exported; either way it is where m_slots says.
    let image = ftcheck::inspect::image::Image::load(bytes).unwrap();
    let base = ftcheck::inspect::image::BASE;
    let array = image.word(base + address + 0x58).unwrap() - base;
    excuses.push(at(array, (slots + 1) * 16));
    excuses
}

fn excused(excuses: &[Range<usize>], changed: &Range<usize>) -> bool {
    excuses.iter().any(|one| one.start < changed.end && changed.start < one.end)
}

/// What has to hold after `changed` was overwritten.
fn check_damaged(
    stem: &str,
    truth: Gil,
    report: &ModuleReport,
    excuses: &[Range<usize>],
    changed: &[Range<usize>],
) {
    if report.gil == Gil::Undetermined || report.gil == truth {
        return;
    }
    let reached = changed.iter().any(|range| excused(excuses, range));
    assert!(reached, "{stem} with other bytes at {changed:x?}: {report:?}");
    if report.gil == Gil::KeepsOff {
        // Even then there is a slot that says so.
        let slots = report.evidence.definition.as_ref().unwrap().slots.as_ref().unwrap();
        assert!(
            slots.iter().any(|slot| matches!(slot.id, 4 | 87) && slot.value != "0x0"),
            "{stem} with other bytes at {changed:x?}: {report:?}"
        );
    }
}

#[test]
fn a_truncated_module_is_never_answered_otherwise() {
    for (stem, truth) in SOUND {
        let bytes = fixture_module(LINUX, stem);
        let elf = Elf::parse(&bytes).unwrap();
        let loaded = elf.program_headers.iter().filter(|header| header.p_type == PT_LOAD);
        let end = loaded.map(|header| header.file_range().end).max().unwrap();
        assert!(end < bytes.len(), "the section headers should stand behind what is loaded");
        for length in 0..=bytes.len() {
            // All that is loaded is there: sections are nothing that a loader looks at.
            let expected = if length < end { Gil::Undetermined } else { truth };
            let target = Target::ALL[length % Target::ALL.len()];
            let report = examine(stem, &bytes[..length], target);
            assert_eq!(report.gil, expected, "{stem}, {length} bytes: {report:?}");
        }
    }
}

#[test]
fn no_flipped_bit_outside_the_declaration_changes_the_answer() {
    for (stem, truth) in SOUND {
        let mut bytes = fixture_module(LINUX, stem);
        let excuses = excuses(stem, &bytes);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                let target = if bit % 2 == 0 { Target::PY314T } else { Target::PY315T };
                let report = examine(stem, &bytes, target);
                let changed = at..at + 1;
                check_damaged(stem, truth, &report, &excuses, std::slice::from_ref(&changed));
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn only_the_value_of_the_slot_makes_keeps_off_of_a_single_flipped_bit() {
    let stem = "declares_used";
    let mut bytes = fixture_module(LINUX, stem);
    // Slots 2, 3 and 4, each of 16 bytes: behind the definition of 0x78 bytes, aligned to 16.
    let slots = definition_of_hook(&bytes, "PyInit_declares_used") + 0x80;
    let value = file_offset(&bytes, slots + 2 * 16 + 8) * 8;
    // The relocation of the exec function's address, 0x20 bytes before: one bit apart.
    let elf = Elf::parse(&bytes).unwrap();
    let relocations = elf.dynamic.as_ref().unwrap().info.rela as u64;
    let exec = elf.dynrelas.iter().position(|entry| entry.r_offset == slots + 8).unwrap();
    let moved = file_offset(&bytes, relocations + exec as u64 * 24) * 8 + 5;
    assert_eq!((slots + 8) ^ (1 << 5), slots + 0x28, "the fixture is laid out otherwise");
    for (target, declares, may_declare) in [
        // Any number but 0 declares, and any address does.
        (Target::PY314T, (value..value + 64).collect::<Vec<_>>(), Some(moved)),
        // Only 1 does.
        (Target::PY315T, vec![value], None),
    ] {
        let mut found = Vec::new();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            if examine(stem, &bytes, target).gil == Gil::KeepsOff {
                found.push(bit);
            }
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        found.retain(|bit| Some(*bit) != may_declare);
        assert_eq!(found, declares, "{target}");
    }
}

/// Numbers that mean something somewhere in the format, and others.
fn likely_word() -> impl Strategy<Value = u64> {
    prop_oneof![
        prop::sample::select(vec![
            0,
            1,
            2,
            3,
            4,
            6,
            7,
            8,
            16,
            24,
            35,
            36,
            87,
            0x338,
            0x2c0,
            0x1350,
            0x1390,
            0x2390,
            0x3490,
            0x34c8,
            0x34e8,
            0x3510,
            0x3530,
            0x3538,
            0x3568,
            0xffff,
            0xffff_ffff,
            0x7fff_ffff_f000,
            1 << 47,
            1 << 63,
            0xffff_f000_0000_0000,
            u64::MAX - 7,
            u64::MAX - 3,
            u64::MAX,
        ]),
        any::<u64>(),
    ]
}

fn sound() -> impl Strategy<Value = (&'static str, Gil)> {
    prop::sample::select(SOUND.to_vec())
}

fn any_target() -> impl Strategy<Value = Target> {
    prop::sample::select(Target::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn overwritten_words_do_not_turn_the_answer(
        (stem, truth) in sound(),
        target in any_target(),
        words in prop::collection::vec((any::<prop::sample::Index>(), likely_word()), 1..5),
        aligned in any::<bool>(),
    ) {
        let mut bytes = fixture_module(LINUX, stem);
        let excuses = excuses(stem, &bytes);
        let mut changed = Vec::new();
        for (index, word) in words {
            let at = index.index(bytes.len() - 7);
            let at = if aligned { at & !7 } else { at };
            put(&mut bytes, at, word);
            changed.push(at..at + 8);
        }
        let report = examine(stem, &bytes, target);
        check_damaged(stem, truth, &report, &excuses, &changed);
    }

    #[test]
    fn flipped_bits_do_not_turn_the_answer(
        (stem, truth) in sound(),
        target in any_target(),
        bits in prop::collection::vec(any::<prop::sample::Index>(), 2..24),
    ) {
        let mut bytes = fixture_module(LINUX, stem);
        let excuses = excuses(stem, &bytes);
        let mut changed = Vec::new();
        for bit in bits {
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            changed.push(bit / 8..bit / 8 + 1);
        }
        let report = examine(stem, &bytes, target);
        check_damaged(stem, truth, &report, &excuses, &changed);
    }

    #[test]
    fn damaged_modules_of_every_kind_are_answered_in_time(
        (folder, stem) in prop::sample::select(vec![
            (LINUX, "filled_at_run_time"), (LINUX, "patched_in_init"), (LINUX, "single_declares"),
            (LINUX, "calls_helper_first"), (LINUX, "spins"), (LINUX, "creates_module"),
            (LINUX, "exports_both_hooks"), (LINUX, "two_hooks"), (LINUX, "library"),
            ("aarch64-linux-gnu", "declares"), ("x86_64-macos", "declares"),
            ("x86_64-windows-gnu", "declares"),
        ]),
        target in any_target(),
        words in prop::collection::vec((any::<prop::sample::Index>(), likely_word()), 1..9),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = fixture_module(folder, stem);
        for (index, word) in words {
            let at = index.index(bytes.len() - 7);
            put(&mut bytes, at, word);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        examine(stem, &bytes, target);
    }
}

#[test]
fn crafted_modules_are_sound_until_they_are_spoilt() {
    assert_eq!(crafted_answer(&Crafted::new(1)), Gil::KeepsOff);
    assert_eq!(crafted_answer(&Crafted::new(0)), Gil::Enables);
    let mut other = Crafted::new(1);
    other.code = hands_over(OTHER).bytes;
    assert_eq!(crafted_answer(&other), Gil::Enables);
}

// ---- segments

#[test]
fn overlapping_segments_are_not_read() {
    let mut crafted = Crafted::new(1);
    // Over the slots: which of the two a loader leaves there depends on their order.
    crafted.segments.push(Segment { address: DECLARED_SLOTS, size: 0x10 });
    assert_undetermined(&crafted);
}

#[test]
fn a_segment_past_the_end_of_the_file_is_not_read() {
    let sound = Crafted::new(1).build();
    let first_header = 64;
    for (field, value) in [
        (8, sound.len() as u64 + 1),
        (8, u64::MAX),
        // In the file as in memory, so that the sizes fit each other.
        (32, sound.len() as u64 * 2),
        (32, u64::MAX),
    ] {
        let mut bytes = sound.clone();
        put(&mut bytes, first_header + field, value);
        if field == 32 {
            put(&mut bytes, first_header + 40, value);
        }
        assert_eq!(answer("declares", &bytes), Gil::Undetermined, "{field} {value:#x}");
    }
}

#[test]
fn a_segment_that_no_page_can_hold_is_not_read() {
    // Address and place in the file differ by less than a page, so that neither can be mapped to
    // the other; glibc refuses it ("address/offset not properly aligned").
    let mut bytes = Crafted::new(1).build();
    let data_header = 64 + 2 * 56;
    let place = u64::from_le_bytes(bytes[data_header + 8..][..8].try_into().unwrap());
    put(&mut bytes, data_header + 8, place - 0x20);
    assert_eq!(answer("declares", &bytes), Gil::Undetermined);

    // One bit of damage, by which other bytes come to stand where the slots are.
    let mut bytes = fixture_module(LINUX, "declares_used");
    let header = 64 + 4 * 56;
    put(&mut bytes, header + 8, 0x490 ^ 0x20);
    assert_eq!(answer("declares_used", &bytes), Gil::Undetermined);
}

#[test]
fn segments_at_impossible_addresses_are_not_read() {
    let sound = Crafted::new(1).build();
    for address in [1 << 47, 1 << 63, u64::MAX - 0x1000, u64::MAX] {
        for header in 0..3 {
            let mut bytes = sound.clone();
            put(&mut bytes, 64 + header * 56 + 16, address);
            assert_eq!(answer("declares", &bytes), Gil::Undetermined, "{header} {address:#x}");
        }
    }
}

#[test]
fn a_module_at_the_addresses_of_the_followed_stack_is_not_mistaken() {
    // The hook sets its own GIL slot to "used", so that it turns the GIL on. Where the reader keeps
    // the hook's stack at the same addresses, the write must not get lost there.
    let mut crafted = Crafted::new(1);
    // The imported function is looked up a page further on, where there need be no stack.
    let function = DATA + 0x1000;
    crafted.data.resize(0x1100, 0);
    crafted.relocate(function, R_GLOB_DAT, 1, 0);
    let hook = Assembler::default().store(GIL_VALUE, 0).lea_rdi(DECLARED);
    crafted.code = hook.jump_through(function).bytes;
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
    for data in [0x7fff_0000_0000, 0x7fff_ffef_f000, 0x7fff_fff0_0000, 0x7fff_ffff_e000] {
        crafted.base = data - DATA;
        assert_ne!(crafted_answer(&crafted), Gil::KeepsOff, "{data:#x}");
    }
}

// ---- relocations

#[test]
fn a_relocation_outside_the_module_says_nothing_about_the_slots() {
    for place in [NOWHERE, 0, u64::MAX - 3, u64::MAX, 1 << 47] {
        for (gil, opposite) in [(0, Gil::KeepsOff), (1, Gil::Enables)] {
            let mut crafted = Crafted::new(gil);
            crafted.relocate(place, R_RELATIVE, 0, OTHER_SLOTS);
            assert_ne!(crafted_answer(&crafted), opposite, "{place:#x}");
        }
        if place.is_multiple_of(2) {
            let mut crafted = Crafted::new(0);
            crafted.bitmap = vec![place, u64::MAX];
            assert_ne!(crafted_answer(&crafted), Gil::KeepsOff, "{place:#x}");
        }
    }
}

#[test]
fn a_relocation_by_a_symbol_that_is_not_there_is_not_guessed() {
    for symbol in [4, 0x1_0000, u32::MAX] {
        let mut crafted = Crafted::new(1);
        let place = DECLARED + 0x58;
        crafted.relocations.retain(|known| known.place != place);
        crafted.relocate(place, R_64, symbol, 0);
        let report = examine("declares", &crafted.build(), Target::PY314T);
        // Past the table lie other tables, whose bytes could pass for a symbol.
        assert_ne!(report.gil, Gil::KeepsOff, "{symbol}: {report:?}");
    }
}

#[test]
fn two_relocations_of_one_place_are_not_guessed() {
    for (first, second) in [(DECLARED_SLOTS, OTHER_SLOTS), (OTHER_SLOTS, DECLARED_SLOTS)] {
        let mut crafted = Crafted::new(1);
        crafted.retarget(DECLARED + 0x58, first);
        crafted.relocate(DECLARED + 0x58, R_RELATIVE, 0, second);
        let expected = if second == OTHER_SLOTS { Gil::KeepsOff } else { Gil::Enables };
        assert_ne!(crafted_answer(&crafted), expected);
    }
    // Half of the pointer is overwritten by the one behind it.
    let mut crafted = Crafted::new(1);
    crafted.relocate(DECLARED + 0x5c, R_RELATIVE, 0, OTHER_SLOTS);
    assert_undetermined(&crafted);
}

#[test]
fn a_relocated_value_of_the_gil_slot_is_an_address_and_no_declaration() {
    // The loader adds the address of the module, which is neither 0 nor 1: on 3.14t that keeps
    // the GIL off, on 3.15t it does not, whatever is added to it.
    for addend in [1, 0] {
        let mut crafted = Crafted::new(1 - addend);
        crafted.relocate(GIL_VALUE, R_RELATIVE, 0, addend);
        let bytes = crafted.build();
        let report = examine("declares", &bytes, Target::PY314T);
        assert_ne!(report.gil, Gil::Enables, "+{addend} on 3.14t");
        let report = examine("declares", &bytes, Target::PY315T);
        assert_ne!(report.gil, Gil::KeepsOff, "+{addend} on 3.15t");
    }
}

#[test]
fn relocated_instructions_are_not_followed_as_they_stand_in_the_file() {
    // `movabs rdi, DECLARED`, but the loader puts OTHER in the place of the number.
    let mut crafted = Crafted::new(1);
    let mut code = Assembler::default().raw(&[0x48, 0xbf]);
    code = code.raw(&DECLARED.to_le_bytes());
    crafted.code = code.jump_through(GOT_INIT).bytes;
    crafted.relocate(CODE + 2, R_RELATIVE, 0, OTHER);
    // DT_TEXTREL: the loader may write to the code meanwhile.
    crafted.dynamic.push((22, 0));
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

#[test]
fn a_relocation_in_zero_filled_memory_is_applied() {
    // `if (pointer) use OTHER; else use DECLARED`, and the loader does set the pointer.
    let pointer = DATA + 0x800;
    let mut crafted = Crafted::new(1);
    crafted.bss = 0x1000;
    crafted.code = branches_on(pointer).bytes;
    assert_eq!(crafted_answer(&crafted), Gil::KeepsOff);
    crafted.relocate(pointer, R_RELATIVE, 0, OTHER);
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

/// Hands over [`OTHER`] where a pointer is set, and [`DECLARED`] where it is null.
fn branches_on(pointer: u64) -> Assembler {
    Assembler::default()
        .load_rax(pointer)
        .unless_rax_is_zero(|code| code.hands_over(OTHER))
        .hands_over(DECLARED)
}

#[test]
fn whether_a_weak_symbol_is_there_is_not_guessed() {
    // Null where no other library has it, such as an optional function of the interpreter.
    let mut crafted = Crafted::new(1);
    crafted.code = Assembler::default()
        .load_rax(GOT_WEAK)
        .unless_rax_is_zero(|code| code.hands_over(DECLARED))
        .hands_over(OTHER)
        .bytes;
    assert_undetermined(&crafted);
    crafted.code = branches_on(GOT_WEAK).bytes;
    assert_undetermined(&crafted);
}

#[test]
fn packed_relocations_that_expand_hugely_are_given_up() {
    // Each pair is 16 bytes in the file and stands for 64 relocations.
    let mut crafted = Crafted::new(1);
    crafted.data.resize(0x1000, 0);
    crafted.bitmap = [DATA + 0x400, u64::MAX].repeat(200_000);
    let bytes = crafted.build();
    let start = Instant::now();
    let file = installed("declares", Suffix::Tagged, Target::PY314T, platform_of(LINUX));
    let report = inspect_alone(&file, &bytes, Target::PY314T).unwrap();
    assert_eq!(report.gil, Gil::Undetermined, "{report:?}");
    // Linear in what the table stands for, but not optimised here: 1 s in a release build.
    let limit = if cfg!(debug_assertions) { 5 * PATIENCE } else { PATIENCE };
    assert!(start.elapsed() < limit, "{:?}", start.elapsed());
}

#[test]
fn many_segments_do_not_slow_every_relocation_down() {
    let mut crafted = Crafted::new(1);
    let segments =
        (0..3000).map(|index| Segment { address: 0x300_0000 + index * 0x1000, size: 512 });
    crafted.segments.extend(segments);
    let last = crafted.segments.last().unwrap().address;
    crafted.bitmap = [last, u64::MAX].repeat(2000);
    examine("declares", &crafted.build(), Target::PY314T);
}

#[test]
fn of_two_dynamic_entries_of_a_kind_the_last_counts() {
    // The loader keeps the last one of each tag (glibc's `elf_get_dynamic_info`, musl's
    // `decode_dyn`): the relocations of the first table are never applied. The second one, which
    // is the tail of the first, makes the hook's definition point to the slots that say "used".
    let mut crafted = Crafted::new(1);
    crafted.relocations.clear();
    let whole = Crafted::new(1).relocations;
    crafted.relocations.extend(&whole);
    crafted.relocations.extend(&whole);
    let second = whole.len();
    for relocation in &mut crafted.relocations[second..] {
        if relocation.place == DECLARED + 0x58 {
            relocation.addend = OTHER_SLOTS;
        }
    }
    let size = second as u64 * 24;
    // The names stand before, padded to 16 bytes.
    let start = TABLES + 64;
    crafted.dynamic = vec![(DT_RELASZ, size)];
    assert_eq!(crafted_answer(&crafted), Gil::KeepsOff);
    crafted.dynamic.push((DT_RELA, start + size));
    assert_eq!(crafted_answer(&crafted), Gil::Enables, "the tables are laid out otherwise");
    crafted.dynamic = vec![(DT_RELASZ, size), (DT_RELA, start)];
    crafted.duplicates = vec![(DT_RELA, start + size)];
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

// ---- symbols

/// The place of a fixture's hash table in the file, and its words.
fn gnu_hash(bytes: &[u8]) -> (usize, Vec<u32>) {
    let elf = Elf::parse(bytes).unwrap();
    let address = elf.dynamic.as_ref().unwrap().info.gnu_hash.unwrap();
    let at = file_offset(bytes, address);
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    (at, (0..8).map(|index| word(at + index * 4)).collect())
}

#[test]
fn hash_tables_that_lead_nowhere_are_not_followed_for_ever() {
    let sound = fixture_module(LINUX, "declares_used");
    let (at, words) = gnu_hash(&sound);
    let [buckets, first_symbol, bloom, ..] = words[..] else { unreachable!() };
    assert_eq!((buckets, first_symbol, bloom), (1, 3, 1), "the fixture is built otherwise");
    // Counts of buckets, first symbol, words of the filter, shift, the filter, bucket, chain.
    let (bucket, chain) = (at + 24, at + 28);
    let mut cases = vec![(at, u32::MAX), (at + 4, u32::MAX), (at + 8, u32::MAX), (at, 0)];
    cases.extend([(bucket, u32::MAX), (bucket, 0x1000), (bucket, 2), (bucket, 0)]);
    // A chain without its end mark goes on through whatever stands behind the table.
    cases.push((chain, words[7] & !1));
    for (place, value) in cases {
        let mut bytes = sound.clone();
        bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
        assert_ne!(answer("declares_used", &bytes), Gil::KeepsOff, "{place:#x} {value:#x}");
    }
    // Nothing but even words to the end of the segment: the chain has no end at all.
    let mut bytes = sound.clone();
    let end = Elf::parse(&sound).unwrap().program_headers[1].file_range().end;
    bytes[chain..end].fill(0);
    assert_eq!(answer("declares_used", &bytes), Gil::Undetermined);
}

#[test]
fn a_hash_table_at_the_end_of_the_address_space_is_outside() {
    for address in [u64::MAX, u64::MAX - 3, u64::MAX - 4, 1 << 63, NOWHERE] {
        let mut crafted = Crafted::new(1);
        crafted.dynamic.push((DT_HASH, address));
        assert_undetermined(&crafted);
    }
}

#[test]
fn a_hash_table_that_counts_too_many_symbols_is_not_believed() {
    let mut crafted = Crafted::new(1);
    // The count is the second word: here the low half of an address.
    crafted.dynamic.push((DT_HASH, DATA + 0x300));
    crafted.data.resize(0x400, 0xff);
    assert_undetermined(&crafted);
}

#[test]
fn a_hook_outside_the_code_is_not_followed() {
    for value in [0, DATA, DECLARED, DATA + 0x1ff, TABLES, NOWHERE, u64::MAX, 1 << 47] {
        let mut crafted = Crafted::new(1);
        crafted.symbols[3].value = value;
        assert_undetermined(&crafted);
    }
}

#[test]
fn symbols_that_share_a_long_name_take_no_time_each() {
    // Every name begins at the same place and ends at the last byte of the table.
    let mut crafted = Crafted::new(1);
    crafted.strings = vec![b'a'; 128 << 10];
    crafted.strings.push(0);
    let shared = Symbol { name: 60, info: 0x12, section: 1, value: CODE };
    crafted.symbols.extend(vec![shared; 4000]);
    examine("declares", &crafted.build(), Target::PY314T);
}

// ---- definitions and slots

#[test]
fn a_slot_array_without_an_end_is_given_up() {
    // Exec slots, to the end of the data and past it.
    for size in [0x400, 0x10_0000] {
        let mut crafted = Crafted::new(1);
        crafted.data.resize(size, 2);
        let start = DATA + 0x200;
        for at in (start..DATA + size as u64).step_by(16) {
            crafted.word(at, 2);
        }
        crafted.retarget(DECLARED + 0x58, start);
        assert_undetermined(&crafted);
    }
}

#[test]
fn slots_in_zero_filled_memory_declare_nothing() {
    // The array ends before it begins, unless something fills it: never "keeps off".
    let mut crafted = Crafted::new(1);
    crafted.bss = 0x1000;
    crafted.retarget(DECLARED + 0x58, DATA + 0x800);
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

#[test]
fn slots_that_are_not_slots_are_not_read() {
    for array in [
        // The pointer to the array itself, the definition, code, another library, nothing.
        DECLARED + 0x58,
        DECLARED,
        CODE,
        NOWHERE,
        DATA + 0x1fc,
        u64::MAX,
        u64::MAX - 7,
        1 << 47,
        0xffff_f000_0000_0000,
    ] {
        let mut crafted = Crafted::new(1);
        crafted.retarget(DECLARED + 0x58, array);
        assert_ne!(crafted_answer(&crafted), Gil::KeepsOff, "{array:#x}");
    }
    let mut crafted = Crafted::new(1);
    crafted.retarget(DECLARED + 0x58, DECLARED + 0x58);
    assert_undetermined(&crafted);
}

#[test]
fn slots_half_outside_the_file_are_not_read() {
    // The array begins in the last bytes of the data, and its value lies in the zeros behind.
    let mut crafted = Crafted::new(1);
    crafted.bss = 0x1000;
    crafted.data.resize(0x208, 0);
    crafted.word(DATA + 0x200, 4);
    crafted.retarget(DECLARED + 0x58, DATA + 0x200);
    // `{4, 0}` in truth.
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

#[test]
fn a_definition_without_a_name_is_not_answered_otherwise() {
    // The interpreter takes the name from elsewhere and does not mind; a reader may.
    for (gil, opposite) in [(0, Gil::KeepsOff), (1, Gil::Enables)] {
        let mut crafted = Crafted::new(gil);
        crafted.relocations.retain(|known| known.place != DECLARED + 0x38);
        assert_ne!(crafted_answer(&crafted), opposite);
        for name in [NOWHERE, u64::MAX, DATA + 0x1ff, GIL_VALUE] {
            let mut crafted = Crafted::new(gil);
            crafted.retarget(DECLARED + 0x38, name);
            assert_ne!(crafted_answer(&crafted), opposite, "{name:#x}");
        }
    }
    let mut endless = Crafted::new(0);
    endless.data.resize(0x10_0000, b'a');
    endless.retarget(DECLARED + 0x38, DATA + 0x200);
    assert_ne!(crafted_answer(&endless), Gil::KeepsOff);
}

#[test]
fn a_definition_in_zero_filled_memory_declares_nothing() {
    let mut crafted = Crafted::new(1);
    crafted.bss = 0x1000;
    crafted.code = hands_over(DATA + 0x800).bytes;
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

#[test]
fn definitions_that_are_none_are_not_read() {
    for definition in [CODE, NAME, TABLES, NOWHERE, DATA + 0x1f0] {
        let mut crafted = Crafted::new(1);
        crafted.code = hands_over(definition).bytes;
        assert_undetermined(&crafted);
    }
}

// ---- code

#[test]
fn a_hook_that_never_returns_is_given_up() {
    let spins = fixture_module(LINUX, "spins");
    assert_eq!(answer("spins", &spins), Gil::Undetermined);
    for code in [
        // A jump to itself; a call of itself; and of the instruction before.
        Assembler::default().jump(CODE),
        Assembler::default().call(CODE),
        Assembler::default().raw(&[0x90]).call(CODE),
        Assembler::default().raw(&[0x50]).jump(CODE),
    ] {
        let mut crafted = Crafted::new(1);
        crafted.code = code.hands_over(DECLARED).bytes;
        assert_undetermined(&crafted);
    }
}

#[test]
fn code_that_leaves_the_code_is_not_followed() {
    for target in [DATA + 0x33, DECLARED, TABLES, NOWHERE, CODE - 1, CODE + 0x800] {
        for code in [Assembler::default().jump(target), Assembler::default().call(target)] {
            let mut crafted = Crafted::new(1);
            crafted.code = code.hands_over(DECLARED).bytes;
            assert_undetermined(&crafted);
        }
    }
}

#[test]
fn code_that_is_cut_off_is_not_followed() {
    let whole = hands_over(DECLARED).bytes;
    for length in 0..whole.len() {
        let mut crafted = Crafted::new(1);
        crafted.code = whole[..length].to_vec();
        assert_undetermined(&crafted);
    }
}

#[test]
fn a_hook_that_changes_its_slots_is_not_answered_from_the_file() {
    for target in [GIL_VALUE, DECLARED_SLOTS + 0x10, DECLARED + 0x58] {
        let mut crafted = Crafted::new(1);
        crafted.code = Assembler::default().store(target, 0).hands_over(DECLARED).bytes;
        assert_ne!(crafted_answer(&crafted), Gil::KeepsOff, "{target:#x}");
    }
}

#[test]
fn a_hook_that_returns_another_definition_than_it_prepared_is_not_answered() {
    // PyModuleDef_Init(&OTHER), then `lea rax, [DECLARED]; ret`: the interpreter takes what is
    // returned, and DECLARED was never made an object.
    let mut crafted = Crafted::new(1);
    let call = Assembler::default().raw(&[0x50]).lea_rdi(OTHER);
    // `call [GOT_INIT]` is `jmp [GOT_INIT]` but for one bit.
    let mut call = call.jump_through(GOT_INIT);
    let length = call.bytes.len();
    call.bytes[length - 5] = 0x15;
    let call = call.raw(&[0x59]);
    crafted.code = call.clone().raw(&[0xc3]).bytes;
    assert_eq!(crafted_answer(&crafted), Gil::Enables);
    let mut code = call.lea_rdi(DECLARED);
    // `lea rdi` is `lea rax` but for its register.
    let length = code.bytes.len();
    code.bytes[length - 5] = 0x05;
    crafted.code = code.raw(&[0xc3]).bytes;
    assert_undetermined(&crafted);
}

#[test]
fn pushes_of_two_bytes_move_the_stack_by_two() {
    // Four of them take eight bytes, not 32: what lies 32 bytes up is OTHER, not DECLARED.
    let mut crafted = Crafted::new(1);
    let push_word = [0x66, 0x68, 0, 0];
    crafted.code = Assembler::default()
        // `mov rcx, rsp`, and `push rdi` four times.
        .raw(&[0x48, 0x89, 0xe1])
        .lea_rdi(OTHER)
        .raw(&[0x57, 0x57, 0x57])
        .lea_rdi(DECLARED)
        .raw(&[0x57])
        .raw(&push_word.repeat(4))
        // `add rsp, 32; pop rdi; mov rsp, rcx`
        .raw(&[0x48, 0x83, 0xc4, 32, 0x5f, 0x48, 0x89, 0xcc])
        .jump_through(GOT_INIT)
        .bytes;
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

#[test]
fn constructors_run_before_the_hook() {
    // The loader calls the functions of DT_INIT_ARRAY first; this one sets the GIL slot to "used".
    let mut crafted = Crafted::new(1);
    let hook = crafted.code.len() as u64;
    let padding = hook.next_multiple_of(16);
    crafted.code.resize(usize::try_from(padding).unwrap(), 0x90);
    let mut code = Assembler { bytes: crafted.code.clone() };
    code = code.store(GIL_VALUE, 0).raw(&[0xc3]);
    crafted.code = code.bytes;
    let array = DATA + 0x1e0;
    crafted.relocate(array, R_RELATIVE, 0, CODE + padding);
    crafted.dynamic = vec![(DT_INIT_ARRAY, array), (DT_INIT_ARRAYSZ, 8)];
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

#[test]
fn a_create_function_that_returns_no_module_is_not_believed_for_its_imports() {
    // It returns its argument, a ModuleSpec, which turns the GIL on whatever the slots say. That
    // the library imports a function that makes modules does not say that this one calls it.
    let mut crafted = Crafted::new(1);
    let name = crafted.add_string("PyModule_NewObject");
    crafted.symbols[2].name = u32::try_from(name).unwrap();
    crafted.code.resize(32, 0x90);
    // `mov rax, rdi; ret`
    crafted.code.extend([0x48, 0x89, 0xf8, 0xc3]);
    crafted.word(DECLARED_SLOTS, 1);
    crafted.relocate(DECLARED_SLOTS + 8, R_RELATIVE, 0, CODE + 32);
    assert_ne!(crafted_answer(&crafted), Gil::KeepsOff);
}

// ---- found by fuzzing, in other parts of the library

#[test]
fn a_requirement_whose_name_ends_in_a_dot_is_an_error_and_no_panic() {
    use ftcheck::input::{FORMATS, Source};
    // The parser of requirements takes the dot for a part of the name and then panics over it; and
    // likewise in the name of an extra.
    for text in ["spam. ==1\n", "spam.; os_name == 'nt'\n", "spam[eggs.]==1\n"] {
        let path = std::path::Path::new("/nonexistent/requirements.txt");
        let source = Source::of_text(path, "requirements.txt", text.to_owned());
        let format = FORMATS.iter().find(|format| format.recognises("requirements.txt")).unwrap();
        assert!(format.read(&source).is_err(), "{text}");
    }
}
