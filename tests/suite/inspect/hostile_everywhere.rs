//! Damage and malice as in [`super::hostile`], in modules of every format and processor.
//!
//! Where the truth is "turns the GIL on" or "cannot be imported", nothing but another declaration
//! may make "keeps the GIL off" of it. A file that no loader would take, and code that comes to no
//! end, are answered "it cannot be told", with the reason.

use std::time::{Duration, Instant};

use ftcheck::inspect::filename::Suffix;
use ftcheck::inspect::image::{BASE, Export, Image, Machine};
use ftcheck::model::evidence::{Gil, ModuleReport};
use ftcheck::model::target::Target;
use goblin::elf::Elf;
use goblin::elf::program_header::PT_LOAD;
use goblin::pe::PE;

use super::crafted::{
    Assembler, CODE, Crafted, DATA, DECLARED, DECLARED_SLOTS, GIL_VALUE, GOT_WEAK, NAME, NOWHERE,
    R_GLOB_DAT, R_RELATIVE, Symbol, put,
};
use super::crafted_mach_o::{self, FREE, LC_LOAD_DYLIB, MachO, X86_64, command, segment};
use super::{inspect_alone, installed, platform_of};
use crate::support::fixture_module;

const FOLDERS: [&str; 6] = [
    "x86_64-linux-gnu",
    "aarch64-linux-gnu",
    "x86_64-macos",
    "aarch64-macos",
    "x86_64-windows-gnu",
    "aarch64-windows-gnu",
];
/// The release that the fixtures for Windows are linked for.
const TARGET: Target = Target::PY314T;
/// Far more than any answer takes, also where many tests run at once.
const PATIENCE: Duration = Duration::from_secs(20);

#[track_caller]
fn examine_on(folder: &str, stem: &str, bytes: &[u8], target: Target) -> ModuleReport {
    let file = installed(stem, Suffix::Tagged, target, platform_of(folder));
    let start = Instant::now();
    let report = inspect_alone(&file, bytes, target).unwrap();
    assert!(start.elapsed() < PATIENCE, "{stem} took {:?}", start.elapsed());
    let reason = report.reason.as_deref();
    assert_eq!(report.gil == Gil::Undetermined, reason.is_some(), "{folder}: {report:?}");
    assert!(reason.is_none_or(|reason| !reason.is_empty()), "{folder}: {report:?}");
    report
}

#[track_caller]
fn examine(folder: &str, stem: &str, bytes: &[u8]) -> ModuleReport {
    examine_on(folder, stem, bytes, TARGET)
}

/// Positions in the file, so many bytes apart: those near anything but zeros. Files for macOS are
/// zeros for the most part.
fn sampled(bytes: &[u8], step: usize) -> impl Iterator<Item = usize> {
    let is_used = |at: &usize| {
        let around = at.saturating_sub(8)..(at + 9).min(bytes.len());
        bytes[around].iter().any(|byte| *byte != 0)
    };
    (0..bytes.len()).step_by(step).filter(is_used)
}

// ---- damage

#[test]
fn truncated_files_of_every_format_are_never_answered_otherwise() {
    for folder in FOLDERS {
        for (stem, truth) in [("declares", Gil::KeepsOff), ("single_silent", Gil::Enables)] {
            let bytes = fixture_module(folder, stem);
            let mut refused = 0;
            for length in (0..bytes.len()).step_by(bytes.len() / 150) {
                let report = examine(folder, stem, &bytes[..length]);
                assert!(
                    report.gil == truth || report.gil == Gil::Undetermined,
                    "{folder}, {length} bytes: {report:?}"
                );
                refused += usize::from(report.gil == Gil::Undetermined);
            }
            assert!(refused > 50, "{folder}: only {refused} of 150 were missed");
        }
    }
}

/// Modules that declare nothing, or that it is used, on every release; nor is there a call in them
/// that could declare.
const ENABLING: [&str; 4] = ["declares_used", "declares_nothing", "no_slots", "single_silent"];
/// Modules that cannot be imported.
const FAILING: [&str; 2] = ["abi3_layout", "no_hook_exported"];

/// The place of the value in `{4, value}`, where the file has such a slot.
fn value_of_slot(bytes: &[u8]) -> Option<usize> {
    let slots: Vec<u8> = [3, 2, 4, 0, 0, 0_u64].into_iter().flat_map(u64::to_le_bytes).collect();
    let mut found = bytes.windows(slots.len()).enumerate().filter(|(_, bytes)| *bytes == slots);
    let (place, _) = found.next()?;
    assert!(found.next().is_none(), "there are two such arrays");
    Some(place + 24)
}

/// Changes a file in turn at each place by each of `changes`, which says how many bytes it touched.
fn never_keeps_off<Change>(stems: &[&str], step: usize, changes: &[Change])
where
    Change: Fn(&mut [u8]) -> usize,
{
    for folder in FOLDERS {
        for stem in stems {
            let sound = fixture_module(folder, stem);
            let value = value_of_slot(&sound);
            let mut bytes = sound.clone();
            for at in sampled(&sound, step) {
                for change in changes {
                    let touched = at..at + change(&mut bytes[at..]);
                    let report = examine(folder, stem, &bytes);
                    bytes[touched.clone()].copy_from_slice(&sound[touched.clone()]);
                    if report.gil != Gil::KeepsOff {
                        continue;
                    }
                    let declares =
                        value.is_some_and(|value| touched.start < value + 8 && value < touched.end);
                    assert!(declares, "{folder}, {stem}, at {touched:x?}: {report:?}");
                }
            }
        }
    }
}

#[test]
fn flipped_bits_of_no_format_make_keeps_off() {
    let flip = |mask: u8| {
        move |bytes: &mut [u8]| {
            bytes[0] ^= mask;
            1
        }
    };
    let flips = [0x01, 0x04, 0x80, 0xff].map(flip);
    never_keeps_off(&ENABLING, 13, &flips);
    never_keeps_off(&FAILING, 23, &flips);
}

#[test]
fn extreme_words_in_no_format_make_keeps_off() {
    let overwrite = |word: u64| {
        move |bytes: &mut [u8]| {
            let length = bytes.len().min(8);
            bytes[..length].copy_from_slice(&word.to_le_bytes()[..length]);
            length
        }
    };
    let words = [0, 1, u64::MAX, 1 << 63, 0x7fff_ffff_7fff_ffff, 0xffff_f000].map(overwrite);
    never_keeps_off(&ENABLING, 24, &words);
    never_keeps_off(&FAILING, 44, &words);
}

#[test]
fn only_the_value_of_the_slot_makes_keeps_off_of_a_module_of_any_format() {
    for folder in FOLDERS {
        let mut bytes = fixture_module(folder, "declares_used");
        assert_eq!(examine(folder, "declares_used", &bytes).gil, Gil::Enables);
        let value = value_of_slot(&bytes).unwrap();
        bytes[value] = 1;
        assert_eq!(examine(folder, "declares_used", &bytes).gil, Gil::KeepsOff, "{folder}");
    }
}

// ---- what the loader does

/// The places in the file of the addresses that segments or sections are mapped at, and how long an
/// address is.
fn places_of_addresses(folder: &str, bytes: &[u8]) -> (Vec<usize>, usize) {
    if folder.contains("linux") {
        let elf = Elf::parse(bytes).unwrap();
        let start = usize::try_from(elf.header.e_phoff).unwrap();
        let headers = elf.program_headers.iter().enumerate();
        let loaded = headers.filter(|(_, header)| header.p_type == PT_LOAD);
        (loaded.map(|(index, _)| start + index * 56 + 16).collect(), 8)
    } else if folder.contains("windows") {
        let pe = PE::parse(bytes).unwrap();
        let optional = pe.header.coff_header.size_of_optional_header;
        let start = pe.header.dos_header.pe_pointer as usize + 24 + usize::from(optional);
        ((0..pe.sections.len()).map(|index| start + index * 40 + 12).collect(), 4)
    } else {
        let mut places = Vec::new();
        let mut at = 32;
        for _ in 0..u32::from_le_bytes(bytes[16..20].try_into().unwrap()) {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            if word(at) == 0x19 {
                places.push(at + 24);
            }
            at += word(at + 4) as usize;
        }
        (places, 8)
    }
}

#[test]
fn memory_that_is_mapped_twice_is_not_read_in_any_format() {
    for folder in FOLDERS {
        let sound = fixture_module(folder, "declares");
        let (places, size) = places_of_addresses(folder, &sound);
        assert!(places.len() > 1, "{folder}");
        for (index, place) in places.iter().enumerate().skip(1) {
            let mut bytes = sound.clone();
            let other = places[index - 1];
            bytes.copy_within(other..other + size, *place);
            let report = examine(folder, "declares", &bytes);
            assert_eq!(report.gil, Gil::Undetermined, "{folder}, {index}: {report:?}");
        }
    }
}

#[test]
fn a_relocation_where_nothing_is_mapped_is_refused() {
    // The loader would crash over it, before there is any module.
    for place in [NOWHERE, 1 << 50, u64::MAX - 3, u64::MAX] {
        let mut crafted = Crafted::new(1);
        crafted.relocate(place, R_RELATIVE, 0, DECLARED);
        let bytes = crafted.build();
        let problem = Image::load(&bytes).unwrap_err().to_string();
        assert_eq!(problem, "a relocation lies outside its segments", "{place:#x}");
        let report = examine("x86_64-linux-gnu", "declares", &bytes);
        assert_eq!(report.gil, Gil::Undetermined, "{report:?}");
    }
    let mut last = Crafted::new(1);
    last.relocate(DATA + 0x1f8, R_RELATIVE, 0, DECLARED);
    assert!(Image::load(&last.build()).is_ok());
    let mut behind = Crafted::new(1);
    behind.relocate(DATA + 0x1f9, R_RELATIVE, 0, DECLARED);
    assert!(Image::load(&behind.build()).is_err());
}

#[test]
fn names_that_are_no_text_are_not_copied_for_each_symbol_that_has_one() {
    // Made readable they would take three times their own length, and records of a few bytes share
    // them: of a file of a megabyte that was as much memory as there is.
    let is_own = |text: &str| text.len() < 100;
    let mut module = MachO::new(1);
    let mut library = command(LC_LOAD_DYLIB, &[24, 0, 0, 0]);
    library.extend([0xff; 4000]);
    library.extend([0; 8]);
    let size = u32::try_from(library.len()).unwrap();
    library[4..8].copy_from_slice(&size.to_le_bytes());
    module.commands = vec![library];
    module.bind(FREE, crafted_mach_o::Symbol { name: "_one", ordinal: 2, weak: false }, 0);
    let bytes = module.build();
    let image = Image::load(&bytes).unwrap();
    let import = image.imports().last().unwrap();
    assert!(image.needed().all(is_own) && import.library.as_deref().is_some_and(is_own));

    let mut crafted = Crafted::new(1);
    let name = u32::try_from(crafted.add_string("")).unwrap();
    crafted.strings.extend([0xff; 4000]);
    crafted.strings.push(0);
    let place = name + 1;
    let exported = Symbol { name: place, info: 0x12, section: 1, value: CODE };
    let imported = Symbol { section: 0, value: 0, ..exported };
    crafted.symbols.extend([exported, imported]);
    let symbol = u32::try_from(crafted.symbols.len()).unwrap() - 1;
    crafted.relocate(DATA + 0x1e0, R_GLOB_DAT, symbol, 0);
    let bytes = crafted.build();
    let image = Image::load(&bytes).unwrap();
    let import = image.imports().last().unwrap();
    assert!(is_own(&import.name), "{} bytes", import.name.len());
    // By no name of an export can such a symbol be found, nor is it found itself.
    assert!(image.exports().all(|(name, _)| is_own(name)));
    assert_eq!(image.export(&import.name), None);
}

#[test]
fn constructors_in_sections_without_content_are_counted_all_the_same() {
    // Each section of 80 bytes says that it has 65,536 constructors, where the file has no bytes.
    let size = 8 << 16;
    for kind in [9, 0x16] {
        let start = 0x1000_0000;
        let sections = vec![(kind, start, size); 20_000];
        let more = segment("__MORE", [start, size, 0, 0], 3, &sections);
        let length = 32 + 72 + more.len();
        let text = segment("__TEXT", [0, start, 0, length as u64], 5, &[]);
        let commands = u32::try_from(text.len() + more.len()).unwrap();
        let header = [0xfeed_facf, X86_64, 0, 8, 2, commands, 0x85, 0];
        let header: Vec<u8> = header.into_iter().flat_map(u32::to_le_bytes).collect();
        let bytes = [header, text, more].concat();
        let began = Instant::now();
        let image = Image::load(&bytes).unwrap();
        assert_eq!(image.constructors(), [0; 0]);
        // It was more than a minute.
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}

// ---- slots

#[test]
fn slots_within_themselves_are_given_up() {
    // `Py_slot_subslots`, 92, and `Py_mod_slots`, 94: slots that lead to themselves, behind a
    // sound declaration and before it.
    for id in [92, 94] {
        for again in [1_u64, 4] {
            let mut crafted = Crafted::new(1);
            let array = DECLARED_SLOTS + 0x20 - again / 4 * 0x20;
            crafted.word(array, id);
            crafted.relocate(array + 8, R_RELATIVE, 0, DECLARED_SLOTS);
            for target in Target::ALL {
                let report = examine_on("x86_64-linux-gnu", "declares", &crafted.build(), target);
                assert_eq!(report.gil, Gil::Undetermined, "{id}, {target}: {report:?}");
            }
        }
    }
}

#[test]
fn a_slot_array_that_goes_on_to_the_end_of_its_memory_is_given_up_in_every_format() {
    for folder in FOLDERS {
        let mut bytes = fixture_module(folder, "declares");
        let slots: Vec<u8> =
            [3, 2, 4, 1, 0, 0_u64].into_iter().flat_map(u64::to_le_bytes).collect();
        let array = bytes.windows(slots.len()).position(|there| there == slots).unwrap();
        // Whatever stands behind the array is no end of it: `{3, 2}` again and again. A format may
        // have zeros behind the file's bytes, so that the array has an end after all, and then it
        // has more slots of a kind than one.
        let mut at = array + 32;
        while bytes.get(at..at + 16).is_some_and(|there| there.iter().all(|byte| *byte == 0)) {
            put(&mut bytes, at, 3);
            put(&mut bytes, at + 8, 2);
            at += 16;
        }
        assert!(at > array + 32);
        let report = examine(folder, "declares", &bytes);
        assert_eq!(report.gil, Gil::Undetermined, "{folder}: {report:?}");
    }
}

// ---- code

/// A fixture, where its hook stands in the file, and what is needed to write code for it.
struct Hooked {
    folder: &'static str,
    bytes: Vec<u8>,
    place: usize,
    address: u64,
    /// Of the definition, which is data.
    definition: u64,
    machine: Machine,
}

impl Hooked {
    fn declares(folder: &'static str) -> Self {
        let bytes = fixture_module(folder, "declares");
        let report = examine(folder, "declares", &bytes);
        let definition = report.evidence.definition.unwrap().address;
        let definition = BASE + u64::from_str_radix(&definition[2..], 16).unwrap();
        let image = Image::load(&bytes).unwrap();
        let Some(Export::At(address)) = image.export("PyInit_declares") else { panic!("{folder}") };
        let place = image.code(*address).unwrap().as_ptr().addr() - bytes.as_ptr().addr();
        let (address, machine) = (*address, image.machine());
        Self { folder, place, address, definition, machine, bytes: bytes.clone() }
    }

    /// A jump or call, so many bytes behind the hook's start.
    fn branch(&self, calls: bool, behind: u64, to: u64) -> Vec<u8> {
        let distance = to.wrapping_sub(self.address + behind);
        if self.machine == Machine::X86_64 {
            let distance = u32::try_from(distance.wrapping_sub(5) & 0xffff_ffff).unwrap();
            [&[if calls { 0xe8 } else { 0xe9 }][..], &distance.to_le_bytes()].concat()
        } else {
            let opcode = if calls { 0x9400_0000 } else { 0x1400_0000 };
            let distance = u32::try_from(distance >> 2 & 0x3ff_ffff).unwrap();
            u32::to_le_bytes(opcode | distance).to_vec()
        }
    }

    #[track_caller]
    fn assert_undetermined(&self, what: &str, code: &[u8]) {
        let mut bytes = self.bytes.clone();
        bytes[self.place..self.place + code.len()].copy_from_slice(code);
        let report = examine(self.folder, "declares", &bytes);
        assert_eq!(report.gil, Gil::Undetermined, "{}, {what}: {report:?}", self.folder);
        assert!(report.evidence.hook.is_some(), "{}, {what}: {report:?}", self.folder);
    }
}

#[test]
fn hooks_without_an_end_are_given_up_on_every_processor() {
    for folder in FOLDERS {
        let hooked = Hooked::declares(folder);
        let start = hooked.address;
        hooked.assert_undetermined("a jump to itself", &hooked.branch(false, 0, start));
        hooked.assert_undetermined("a call of itself", &hooked.branch(true, 0, start));
        // `push rax`, or `stp x29, x30, [sp, #-16]!`: the stack grows with every call.
        let push: &[u8] = match hooked.machine {
            Machine::X86_64 => &[0x50],
            _ => &[0xfd, 0x7b, 0xbf, 0xa9],
        };
        let again = hooked.branch(true, push.len() as u64, start);
        hooked.assert_undetermined("a call of itself with a frame", &[push, &again].concat());
    }
}

#[test]
fn hooks_that_leave_the_code_are_not_followed_on_any_processor() {
    for folder in FOLDERS {
        let hooked = Hooked::declares(folder);
        let far = hooked.address.wrapping_add(0x700_0000);
        for to in [hooked.definition, hooked.definition + 8, far, far.wrapping_neg()] {
            for calls in [false, true] {
                let code = hooked.branch(calls, 0, to);
                hooked.assert_undetermined(&format!("a branch to {to:#x}"), &code);
            }
        }
        // No instruction of any of them.
        hooked.assert_undetermined("nonsense", &[0xff; 8]);
        // `xor eax, eax; ret`, or `mov x0, #0; ret`: an exception.
        let null: &[u8] = match hooked.machine {
            Machine::X86_64 => &[0x31, 0xc0, 0xc3],
            _ => &[0, 0, 0x80, 0xd2, 0xc0, 0x03, 0x5f, 0xd6],
        };
        hooked.assert_undetermined("null", null);
    }
}

#[test]
fn a_hook_that_imports_itself_goes_on_for_ever_in_every_format() {
    // What it calls has its own name. On Windows that is another function of the interpreter's
    // library, of which nothing is known.
    let (import, own) = (b"PyModuleDef_Init", b"PyInit_declares\0");
    for folder in FOLDERS {
        let mut bytes = fixture_module(folder, "declares");
        let places: Vec<usize> = bytes
            .windows(import.len())
            .enumerate()
            .filter_map(|(place, there)| (there == import).then_some(place))
            .collect();
        assert!(!places.is_empty(), "{folder}");
        for place in places {
            bytes[place..place + own.len()].copy_from_slice(own);
        }
        let report = examine(folder, "declares", &bytes);
        assert_eq!(report.gil, Gil::Undetermined, "{folder}: {report:?}");
        assert!(report.evidence.steps.is_some(), "{folder}: {report:?}");
    }
}

// ---- what functions of the C library do

/// A module that imports a function of that name through `GOT_WEAK`.
fn importing(name: &str) -> Crafted {
    let mut crafted = Crafted::new(1);
    crafted.symbols[2].name = u32::try_from(crafted.add_string(name)).unwrap();
    crafted.symbols[2].info = 0x10;
    crafted
}

/// `call [GOT_WEAK]`
fn call_imported(code: Assembler) -> Assembler {
    code.relative(&[0xff, 0x15], GOT_WEAK, &[])
}

#[test]
fn calls_that_fill_megabytes_over_and_over_are_given_up() {
    // Few instructions, each of which stands for milliseconds.
    let mut crafted = importing("memset");
    crafted.bss = 1 << 24;
    // `xor esi, esi; mov edx, 0xff0000`
    let code = Assembler::default().lea_rdi(DATA + 0x400).raw(&[0x31, 0xf6, 0xba, 0, 0, 0xff, 0]);
    crafted.code = call_imported(code).jump(CODE).bytes;
    let report = examine("x86_64-linux-gnu", "declares", &crafted.build());
    assert_eq!(report.gil, Gil::Undetermined, "{report:?}");
    let reason = report.reason.unwrap();
    assert!(reason.contains("steps"), "{reason}");
}

#[test]
fn memrchr_finds_the_last_byte_and_not_the_first() {
    // The distance of the last `e` in "declares" is 6, that of the first is 1: only one of them,
    // written into the slot, keeps the GIL off on 3.15.
    let mut crafted = importing("memrchr");
    // `mov esi, 'e'; mov edx, 8`
    let code = Assembler::default().lea_rdi(NAME).raw(&[0xbe, b'e', 0, 0, 0, 0xba, 8, 0, 0, 0]);
    // `sub rax, rdi; mov [GIL_VALUE], rax`
    let code = call_imported(code).lea_rdi(NAME).raw(&[0x48, 0x29, 0xf8]);
    let code = code.relative(&[0x48, 0x89, 0x05], GIL_VALUE, &[]).hands_over(DECLARED);
    crafted.code = code.bytes;
    let answer = |target| examine_on("x86_64-linux-gnu", "declares", &crafted.build(), target).gil;
    assert_eq!(answer(Target::PY315T), Gil::Enables);
    assert_eq!(answer(Target::PY314T), Gil::KeepsOff);
}

#[test]
fn what_lies_behind_the_end_of_a_segment_within_its_last_word_is_not_known() {
    // The loader maps whole pages: behind the segment lies what the file has there. The first byte
    // of the array's end mark is the segment's last, and the others make it slot 0xffffff00.
    let mut crafted = Crafted::new(1);
    let array = DATA + 0x200;
    crafted.data.resize(0x218, 0);
    crafted.word(array, 4);
    crafted.word(array + 8, 1);
    crafted.data.truncate(0x211);
    crafted.retarget(DECLARED + 0x58, array);
    let mut bytes = crafted.build();
    bytes.extend([0xff; 16]);
    let report = examine("x86_64-linux-gnu", "declares", &bytes);
    assert_eq!(report.gil, Gil::Undetermined, "{report:?}");
}
