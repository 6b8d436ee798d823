//! PE files made by hand: what no linker would write, and what few modules have.
//!
//! A [`Library`] is as sound as a linker's until a test spoils it. It has three sections and one
//! hook, `PyInit_declares`, which hands over a definition that keeps the GIL off. Addresses here are
//! RVAs, as in the file.

use std::time::{Duration, Instant};

use ftcheck::inspect::filename::Suffix;
use ftcheck::inspect::image::{
    BASE, Export, Fixup, Image, ImageError, PAGE_SIZE, ReadError, ThreadTemplate,
};
use ftcheck::model::evidence::{Gil, ModuleReport};
use ftcheck::model::target::Target;
use proptest::prelude::*;

use super::{inspect_alone, installed, platform_of};
use crate::support::fixture_module;

const WINDOWS: &str = "x86_64-windows-gnu";

const CODE: u32 = 0x1000;
/// Two pages.
const DATA: u32 = 0x2000;
const TABLES: u32 = 0x4000;
/// Behind everything.
const NOWHERE: u32 = 0x6000;
const PREFERRED_BASE: u64 = 0x1_8000_0000;

/// The definition and its slots, `{3, 2}` and `{4, …}`.
const DEFINITION: u32 = DATA;
const SLOTS: u32 = DATA + 0x80;
const GIL_VALUE: u32 = SLOTS + 0x18;
const NAME: u32 = DATA + 0xc0;
/// Room for more.
const SPARE: u32 = DATA + 0x100;

const EXPORT_TABLE: u32 = TABLES;
const IMPORT_TABLE: u32 = TABLES + 0x200;
const LOOKUP: u32 = TABLES + 0x260;
const ADDRESSES: u32 = TABLES + 0x280;
const RELOCATION_TABLE: u32 = TABLES + 0x300;
/// Room for more.
const MORE_TABLES: u32 = TABLES + 0x400;

/// Places in the data directory.
const EXPORTS: usize = 0;
const IMPORTS: usize = 1;
const RELOCATIONS: usize = 5;
const THREAD_DATA: usize = 9;
const LOAD_CONFIG: usize = 10;
const DELAYED_IMPORTS: usize = 13;
const MANAGED_CODE: usize = 14;

/// Where fields stand in the file.
const PE_HEADER: usize = 0x80;
const FILE_FLAGS: usize = PE_HEADER + 22;
const OPTIONAL: usize = PE_HEADER + 24;
const DIRECTORIES: usize = OPTIONAL + 112;
const SECTION_HEADERS: usize = DIRECTORIES + 16 * 8;
const HEADERS_SIZE: usize = 0x400;

/// Each is answered in a few milliseconds; what takes this long would take hours when made larger.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone)]
struct Library {
    machine: u16,
    flags: u16,
    entry_point: u32,
    code: Vec<u8>,
    data: Vec<u8>,
    tables: Vec<u8>,
    directories: [(u32, u32); 16],
    /// Places of addresses.
    relocated: Vec<u32>,
    /// The relocation table instead of that of [`Library::relocated`].
    relocation_table: Option<Vec<u8>>,
}

impl Library {
    fn new() -> Self {
        let mut library = Self {
            machine: 0x8664,
            // It can be executed, is a library, and reaches beyond 2 GiB.
            flags: 0x2022,
            entry_point: 0,
            code: Vec::new(),
            data: vec![0; 0x2000],
            tables: vec![0; 0x1000],
            directories: [(0, 0); 16],
            relocated: Vec::new(),
            relocation_table: None,
        };
        library.code = Code::default().hands_over().0;
        library.text(NAME, "declares");
        library.address(DEFINITION + 0x38, NAME);
        library.address(DEFINITION + 0x58, SLOTS);
        for (index, word) in [3, 2, 4, 1].into_iter().enumerate() {
            library.word(SLOTS + 8 * u32::try_from(index).unwrap(), word);
        }
        library.export(&[("PyInit_declares", CODE)]);
        library.half(IMPORT_TABLE, LOOKUP);
        library.half(IMPORT_TABLE + 12, IMPORT_TABLE + 0x80 + 0x40);
        library.text(IMPORT_TABLE + 0x80 + 0x40, "python314t.dll");
        library.half(IMPORT_TABLE + 16, ADDRESSES);
        let name = ADDRESSES + 0x50;
        library.text(name + 2, "PyModuleDef_Init");
        library.word(LOOKUP, u64::from(name));
        library.word(ADDRESSES, u64::from(name));
        library.directories[IMPORTS] = (IMPORT_TABLE, 40);
        library
    }

    fn place(&mut self, address: u32) -> &mut [u8] {
        let (section, start) = match address {
            DATA..TABLES => (&mut self.data, DATA),
            _ => (&mut self.tables, TABLES),
        };
        &mut section[(address - start) as usize..]
    }

    fn half(&mut self, address: u32, value: u32) {
        self.place(address)[..4].copy_from_slice(&value.to_le_bytes());
    }

    fn word(&mut self, address: u32, value: u64) {
        self.place(address)[..8].copy_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, address: u32, text: &str) {
        self.place(address)[..text.len()].copy_from_slice(text.as_bytes());
    }

    /// Puts an address that has to be relocated.
    fn address(&mut self, at: u32, to: u32) {
        self.word(at, PREFERRED_BASE + u64::from(to));
        self.relocated.push(at);
    }

    /// Writes the export table; places in it are forwarded. Names have to be in order.
    fn export(&mut self, symbols: &[(&str, u32)]) {
        let count = u32::try_from(symbols.len()).unwrap();
        let (functions, names) = (EXPORT_TABLE + 0x28, EXPORT_TABLE + 0x68);
        let (numbers, mut text) = (EXPORT_TABLE + 0xa8, EXPORT_TABLE + 0xe0);
        for (offset, value) in
            [(16, 5), (20, count), (24, count), (28, functions), (32, names), (36, numbers)]
        {
            self.half(EXPORT_TABLE + offset, value);
        }
        for (index, (name, place)) in symbols.iter().enumerate() {
            let index = u32::try_from(index).unwrap();
            self.half(functions + index * 4, *place);
            self.half(names + index * 4, text);
            self.half(numbers + index * 2, index);
            self.text(text, &format!("{name}\0"));
            text += u32::try_from(name.len()).unwrap() + 1;
        }
        self.directories[EXPORTS] = (EXPORT_TABLE, 0x200);
    }

    /// One block for each place: a page, a size, an entry, and one that says nothing.
    fn relocations(&self) -> Vec<u8> {
        let block = |place: &u32| {
            let entry = u16::try_from(place & 0xfff).unwrap() | 10 << 12;
            [
                (place & !0xfff).to_le_bytes().as_slice(),
                &12u32.to_le_bytes(),
                &entry.to_le_bytes(),
                &[0; 2],
            ]
            .concat()
        };
        self.relocated.iter().flat_map(block).collect()
    }

    fn build(&self) -> Vec<u8> {
        let mut library = self.clone();
        let table = self.relocation_table.clone().unwrap_or_else(|| self.relocations());
        library.place(RELOCATION_TABLE)[..table.len()].copy_from_slice(&table);
        if library.directories[RELOCATIONS] == (0, 0) && !table.is_empty() {
            library.directories[RELOCATIONS] =
                (RELOCATION_TABLE, u32::try_from(table.len()).unwrap());
        }
        library.code.resize(0x200, 0xcc);

        let mut bytes = vec![0; HEADERS_SIZE];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = u8::try_from(PE_HEADER).unwrap();
        bytes[PE_HEADER..PE_HEADER + 4].copy_from_slice(b"PE\0\0");
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(PE_HEADER + 4, &self.machine.to_le_bytes());
        put(PE_HEADER + 6, &3u16.to_le_bytes());
        put(PE_HEADER + 20, &u16::try_from(SECTION_HEADERS - OPTIONAL).unwrap().to_le_bytes());
        put(FILE_FLAGS, &self.flags.to_le_bytes());
        put(OPTIONAL, &0x20bu16.to_le_bytes());
        put(OPTIONAL + 16, &self.entry_point.to_le_bytes());
        put(OPTIONAL + 24, &PREFERRED_BASE.to_le_bytes());
        put(OPTIONAL + 32, &0x1000u32.to_le_bytes());
        put(OPTIONAL + 36, &0x200u32.to_le_bytes());
        put(OPTIONAL + 56, &0x5000u32.to_le_bytes());
        put(OPTIONAL + 60, &u32::try_from(HEADERS_SIZE).unwrap().to_le_bytes());
        put(OPTIONAL + 108, &16u32.to_le_bytes());
        for (index, (address, size)) in library.directories.iter().enumerate() {
            put(DIRECTORIES + index * 8, &address.to_le_bytes());
            put(DIRECTORIES + index * 8 + 4, &size.to_le_bytes());
        }
        let sections = [
            (CODE, &library.code, 0x6000_0020_u32),
            (DATA, &library.data, 0xc000_0040),
            (TABLES, &library.tables, 0xc000_0040),
        ];
        for (index, (address, content, flags)) in sections.into_iter().enumerate() {
            let at = SECTION_HEADERS + index * 40;
            let size = u32::try_from(content.len()).unwrap().to_le_bytes();
            let place = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            for (offset, value) in [
                (8, size),
                (12, address.to_le_bytes()),
                (16, size),
                (20, place),
                (36, flags.to_le_bytes()),
            ] {
                bytes[at + offset..at + offset + 4].copy_from_slice(&value);
            }
            bytes.extend_from_slice(content);
        }
        bytes
    }
}

/// Machine code from [`CODE`] on.
#[derive(Default)]
struct Code(Vec<u8>);

impl Code {
    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// An instruction that ends in the distance to `target`, and `behind` after that.
    fn relative(self, opcode: &[u8], target: u32, behind: &[u8]) -> Self {
        let end = self.0.len() + opcode.len() + 4 + behind.len();
        let distance = i64::from(target) - i64::from(CODE) - i64::try_from(end).unwrap();
        self.raw(opcode).raw(&i32::try_from(distance).unwrap().to_le_bytes()).raw(behind)
    }

    /// `lea rcx, [definition]; jmp [PyModuleDef_Init]`
    fn hands_over(self) -> Self {
        self.relative(&[0x48, 0x8d, 0x0d], DEFINITION, &[]).relative(&[0xff, 0x25], ADDRESSES, &[])
    }
}

fn examine(bytes: &[u8]) -> ModuleReport {
    let file = installed("declares", Suffix::Tagged, Target::PY314T, platform_of(WINDOWS));
    let start = Instant::now();
    let report = inspect_alone(&file, bytes, Target::PY314T).unwrap();
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    assert_eq!(report.gil == Gil::Undetermined, report.reason.is_some(), "{report:?}");
    report
}

#[track_caller]
fn assert_refused(bytes: &[u8], word: &str) {
    let problem = Image::load(bytes).unwrap_err();
    assert!(problem.to_string().contains(word), "{problem}");
    let report = examine(bytes);
    assert_eq!(report.gil, Gil::Undetermined, "{report:?}");
}

fn at(address: u32) -> u64 {
    BASE + u64::from(address)
}

#[test]
fn a_sound_module_is_answered_by_its_slot() {
    let mut library = Library::new();
    assert_eq!(examine(&library.build()).gil, Gil::KeepsOff);
    library.word(GIL_VALUE, 0);
    assert_eq!(examine(&library.build()).gil, Gil::Enables);
}

#[test]
fn addresses_are_relocated_and_headers_are_mapped() {
    let bytes = Library::new().build();
    let image = Image::load(&bytes).unwrap();
    assert_eq!(image.word(at(DEFINITION + 0x58)), Ok(at(SLOTS)));
    assert_eq!(image.text(at(NAME)), Ok("declares"));
    let mut page = [0; PAGE_SIZE];
    image.page(BASE, &mut page, |_, _| None).unwrap();
    assert_eq!(page[..HEADERS_SIZE], bytes[..HEADERS_SIZE]);
    assert!(image.code(at(CODE)).is_ok());
    assert_eq!(image.code(at(DATA)), Err(ReadError::Outside(at(DATA))));
    assert_eq!(image.word(at(NOWHERE)), Err(ReadError::Outside(at(NOWHERE))));
}

#[test]
fn a_relocation_across_a_page_end_changes_both_pages() {
    let place = DATA + 0xffc;
    let mut library = Library::new();
    library.address(place, NAME);
    let bytes = library.build();
    let image = Image::load(&bytes).unwrap();
    assert_eq!(image.word(at(place)), Ok(at(NAME)));
    let mut read = Vec::new();
    for (start, range) in [(DATA, 0xffc..0x1000), (DATA + 0x1000, 0..4)] {
        let mut page = [0; PAGE_SIZE];
        let with = |_, fixup| match fixup {
            Fixup::Address(address) => Some(address),
            _ => None,
        };
        image.page(at(start), &mut page, with).unwrap();
        read.extend_from_slice(&page[range]);
    }
    assert_eq!(read, at(NAME).to_le_bytes());
}

/// The loader adds the distance once for each.
#[test]
fn what_two_relocations_of_a_place_leave_is_not_known() {
    for second in [SPARE, SPARE + 4] {
        let mut library = Library::new();
        library.address(SPARE, NAME);
        library.relocated.push(second);
        let bytes = library.build();
        let image = Image::load(&bytes).unwrap();
        assert_eq!(image.word(at(SPARE)), Err(ReadError::Dynamic(at(SPARE))), "{second:#x}");
    }
    let mut library = Library::new();
    library.relocated.push(DEFINITION + 0x58);
    assert_eq!(examine(&library.build()).gil, Gil::Undetermined);
}

#[test]
fn an_unknown_kind_of_relocation_leaves_what_is_not_known() {
    let mut library = Library::new();
    let mut table = library.relocations();
    // The kind stands in the highest bits of the entry.
    table[9] = table[9] & 0x0f | 3 << 4;
    library.relocation_table = Some(table);
    let bytes = library.build();
    let image = Image::load(&bytes).unwrap();
    let place = at(DEFINITION + 0x38);
    assert_eq!(image.word(place), Err(ReadError::Dynamic(place)));
}

#[test]
fn relocation_blocks_of_impossible_sizes_are_refused() {
    for size in [0u32, 7, 0x1000, u32::MAX] {
        let mut library = Library::new();
        let mut table = library.relocations();
        table[4..8].copy_from_slice(&size.to_le_bytes());
        library.relocation_table = Some(table);
        assert_refused(&library.build(), "block of impossible size");
    }
    let mut library = Library::new();
    library.relocated.push(NOWHERE);
    assert_refused(&library.build(), "place of a relocation");
}

#[test]
fn a_library_without_relocations_is_loaded_unless_they_were_taken_away() {
    let mut library = Library::new();
    library.relocated.clear();
    assert!(Image::load(&library.build()).is_ok());
    library.flags |= 1;
    assert_refused(&library.build(), "where it was linked for");
}

#[test]
fn symbols_are_exported_by_name_and_number_and_forwarded() {
    let mut library = Library::new();
    let (first, second) = (EXPORT_TABLE + 0x180, EXPORT_TABLE + 0x1a0);
    library.text(first, "other.part.PyInit_x");
    library.text(second, "other.#7");
    library.export(&[("PyInit_declares", CODE), ("forwarded", first), ("numbered", second)]);
    let bytes = library.build();
    let image = Image::load(&bytes).unwrap();
    let elsewhere = |library: &str, name: &str| {
        let (library, name) = (library.to_owned().into(), name.to_owned().into());
        Export::Elsewhere { library, name }
    };
    assert_eq!(image.export("PyInit_declares"), Some(&Export::At(at(CODE))));
    assert_eq!(image.export("forwarded"), Some(&elsewhere("other.part", "PyInit_x")));
    assert_eq!(image.export("numbered"), Some(&elsewhere("other", "#7")));
    // Numbers are counted from the table's base.
    assert_eq!(image.export("#5"), Some(&Export::At(at(CODE))));
    assert_eq!(image.export("#7"), image.export("numbered"));
    assert_eq!(image.export("#8"), None);
}

#[test]
fn a_forwarded_hook_is_not_taken_for_code() {
    let mut library = Library::new();
    let text = EXPORT_TABLE + 0x180;
    library.text(text, "other.PyInit_declares");
    library.export(&[("PyInit_declares", text)]);
    let report = examine(&library.build());
    assert_eq!(report.gil, Gil::Undetermined);
    assert!(report.reason.as_ref().unwrap().contains("`other`"), "{report:?}");
}

/// The loader halves the table to find a name, and would find none.
#[test]
fn names_out_of_order_are_refused() {
    let mut library = Library::new();
    library.export(&[("PyInit_declares", CODE), ("A", CODE)]);
    assert_refused(&library.build(), "order");
}

#[test]
fn symbols_are_imported_by_name_and_number() {
    let mut library = Library::new();
    library.word(LOOKUP + 8, 1 << 63 | 0xdead_0007);
    let bytes = library.build();
    let image = Image::load(&bytes).unwrap();
    let imports: Vec<_> =
        image.imports().iter().map(|one| (one.name.as_ref(), one.library.as_deref())).collect();
    let python = Some("python314t.dll");
    assert_eq!(imports, [("PyModuleDef_Init", python), ("#7", python)]);
    assert_eq!(image.needed().collect::<Vec<_>>(), ["python314t.dll"]);
    let mut fixups = Vec::new();
    let mut page = [0; PAGE_SIZE];
    let with = |offset, fixup| {
        fixups.push((u64::from(TABLES) + offset, fixup));
        None
    };
    image.page(at(TABLES), &mut page, with).unwrap();
    let import = |index| Fixup::Import { index, addend: 0 };
    let slot = u64::from(ADDRESSES);
    assert_eq!(fixups, [(slot, import(0)), (slot + 8, import(1))]);
}

#[test]
fn names_are_found_where_only_the_table_of_addresses_has_them() {
    let mut library = Library::new();
    library.half(IMPORT_TABLE, 0);
    library.word(LOOKUP, 0);
    assert_eq!(examine(&library.build()).gil, Gil::KeepsOff);
}

/// Its place leads to code that looks it up; a relocation is stated for that.
#[test]
fn a_delayed_import_counts_as_the_symbol_itself() {
    let mut library = Library::new();
    let (descriptor, lookup, slot) = (MORE_TABLES, MORE_TABLES + 0x80, SPARE);
    let name = MORE_TABLES + 0x100;
    for (offset, value) in [(0, 1), (4, name), (12, slot), (16, lookup)] {
        library.half(descriptor + offset, value);
    }
    library.text(name, "late.dll");
    library.text(name + 0x22, "late_function");
    library.word(lookup, u64::from(name + 0x20));
    library.address(slot, CODE);
    library.directories[DELAYED_IMPORTS] = (descriptor, 64);
    let bytes = library.build();
    let image = Image::load(&bytes).unwrap();
    assert_eq!(image.needed().collect::<Vec<_>>(), ["python314t.dll", "late.dll"]);
    assert_eq!(image.imports()[1].name, "late_function");
    let mut fixups = Vec::new();
    let mut page = [0; PAGE_SIZE];
    let with = |offset, fixup| {
        fixups.push((u64::from(DATA) + offset, fixup));
        None
    };
    image.page(at(DATA), &mut page, with).unwrap();
    let expected = (u64::from(slot), Fixup::Import { index: 1, addend: 0 });
    assert!(fixups.contains(&expected), "{fixups:?}");
    // Addresses instead of RVAs belong to 32-bit images.
    library.half(descriptor, 0);
    assert_refused(&library.build(), "RVAs");
}

/// A directory at [`MORE_TABLES`], for data of two words at [`SPARE`] and its number behind that.
fn with_thread_data() -> Library {
    let mut library = Library::new();
    library.word(SPARE, 0x8000_0000 << 32);
    for (offset, to) in [(0, SPARE), (8, SPARE + 8), (16, SPARE + 0x20), (24, SPARE + 0x40)] {
        library.address(MORE_TABLES + offset, to);
    }
    library.half(MORE_TABLES + 32, 0x18);
    // Aligned to 32 bytes.
    library.half(MORE_TABLES + 36, 0x60_0000);
    library.directories[THREAD_DATA] = (MORE_TABLES, 40);
    library
}

#[test]
fn thread_local_data_has_a_template_and_a_number() {
    let mut library = with_thread_data();
    library.address(SPARE + 0x40, CODE + 0x10);
    library.entry_point = CODE + 0x20;
    let bytes = library.build();
    let image = Image::load(&bytes).unwrap();
    let ThreadTemplate { address, initialised, size, align, index } =
        image.thread_template().unwrap();
    assert_eq!((address, initialised, size, align), (at(SPARE), 8, 0x20, 32));
    assert_eq!(index, Some(at(SPARE + 0x20)));
    assert_eq!(image.constructors(), [at(CODE + 0x10), at(CODE + 0x20)]);
}

#[test]
fn thread_local_data_beyond_the_image_is_refused() {
    // The end, the number, the callbacks.
    for offset in [8, 16, 24] {
        let mut library = with_thread_data();
        library.word(MORE_TABLES + offset, PREFERRED_BASE + u64::from(NOWHERE));
        assert_refused(&library.build(), "lies outside");
    }
    let mut library = with_thread_data();
    library.word(MORE_TABLES, PREFERRED_BASE + u64::from(SPARE + 0x10));
    assert_refused(&library.build(), "lies outside");
}

/// Without the template every function-local static of Microsoft's compiler read as made already,
/// and modules that fill their slots in that way as declaring nothing.
#[test]
fn code_finds_thread_local_data_through_the_threads_own_block() {
    let mut library = with_thread_data();
    library.code = Code::default()
        // mov eax, [number]; mov rcx, gs:[0x58]; mov rax, [rcx + rax*8]
        .relative(&[0x8b, 0x05], SPARE + 0x20, &[])
        .raw(&[0x65, 0x48, 0x8b, 0x0c, 0x25, 0x58, 0, 0, 0])
        .raw(&[0x48, 0x8b, 0x04, 0xc1])
        // mov eax, [rax + 4]; shr eax, 31; mov [the slot's value], eax
        .raw(&[0x8b, 0x40, 0x04, 0xc1, 0xe8, 0x1f])
        .relative(&[0x89, 0x05], GIL_VALUE, &[])
        .hands_over()
        .0;
    assert_eq!(examine(&library.build()).gil, Gil::KeepsOff);
    library.word(SPARE, 0);
    assert_eq!(examine(&library.build()).gil, Gil::Enables);
}

/// `DllMain` runs before the hook, and is told so by its second argument.
#[test]
fn an_entry_point_that_changes_the_definition_is_seen() {
    let mut library = Library::new();
    let hook = Code::default().hands_over();
    library.entry_point = CODE + u32::try_from(hook.0.len()).unwrap();
    library.code = hook
        // cmp edx, 1; jne to the return; mov dword [the slot's value], 0
        .raw(&[0x83, 0xfa, 0x01, 0x75, 0x0a])
        .relative(&[0xc7, 0x05], GIL_VALUE, &[0, 0, 0, 0])
        // mov eax, 1; ret
        .raw(&[0xb8, 1, 0, 0, 0, 0xc3])
        .0;
    let report = examine(&library.build());
    assert_eq!(report.gil, Gil::Undetermined, "{report:?}");
    assert!(report.reason.as_ref().unwrap().contains("constructor"), "{report:?}");
}

/// The runtime's start calls all of a table, wherever null stands in it, and one function after
/// the other.
#[test]
fn an_initialiser_that_changes_the_definition_is_seen_behind_others() {
    let mut library = Library::new();
    library.text(ADDRESSES + 0x72, "_initterm");
    for table in [LOOKUP + 8, ADDRESSES + 8] {
        library.word(table, u64::from(ADDRESSES + 0x70));
    }
    let mut code = Code::default().hands_over();
    let here = |code: &Code| CODE + u32::try_from(code.0.len()).unwrap();
    let harmless = here(&code);
    code = code.raw(&[0xc3]);
    let changes = here(&code);
    // mov dword [the slot's value], 0; ret
    code = code.relative(&[0xc7, 0x05], GIL_VALUE, &[0, 0, 0, 0]).raw(&[0xc3]);
    library.entry_point = here(&code);
    library.code = code
        // sub rsp, 40; lea rcx, [start]; lea rdx, [end]; call [_initterm]; add rsp, 40; ret
        .raw(&[0x48, 0x83, 0xec, 0x28])
        .relative(&[0x48, 0x8d, 0x0d], SPARE, &[])
        .relative(&[0x48, 0x8d, 0x15], SPARE + 0x28, &[])
        .relative(&[0xff, 0x15], ADDRESSES + 8, &[])
        .raw(&[0x48, 0x83, 0xc4, 0x28, 0xc3])
        .0;
    for place in [8, 24] {
        library.address(SPARE + place, harmless);
    }
    assert_eq!(examine(&library.build()).gil, Gil::KeepsOff);
    library.address(SPARE + 32, changes);
    let report = examine(&library.build());
    assert!(report.reason.is_some_and(|reason| reason.contains("constructor")));
}

#[test]
fn tables_outside_of_the_image_are_refused() {
    for index in [EXPORTS, IMPORTS, RELOCATIONS, THREAD_DATA, LOAD_CONFIG, DELAYED_IMPORTS] {
        for (address, size) in [(NOWHERE, 40), (0xffff_fff0, 40), (u32::MAX, u32::MAX)] {
            let mut library = Library::new();
            library.directories[index] = (address, size);
            assert_refused(&library.build(), "lies outside");
        }
    }
    let mut library = Library::new();
    library.directories[RELOCATIONS] = (RELOCATION_TABLE, 0x2000);
    assert_refused(&library.build(), "lies outside");
}

#[test]
fn places_outside_of_the_image_are_refused() {
    // Names, lookup and addresses of imports; functions, names and numbers of exports.
    for place in [IMPORT_TABLE, IMPORT_TABLE + 12, IMPORT_TABLE + 16] {
        let mut library = Library::new();
        library.half(place, NOWHERE);
        assert_refused(&library.build(), "lies outside");
    }
    for offset in [28, 32, 36] {
        let mut library = Library::new();
        library.half(EXPORT_TABLE + offset, NOWHERE);
        assert_refused(&library.build(), "lies outside");
    }
}

#[test]
fn gigantic_counts_are_refused() {
    for offset in [20, 24] {
        for count in [0x1_0001, u32::MAX] {
            let mut library = Library::new();
            library.half(EXPORT_TABLE + offset, count);
            assert_refused(&library.build(), "exports more than");
        }
    }
    // More entries of the data directory than there are is what the loader passes over.
    let mut bytes = Library::new().build();
    bytes[OPTIONAL + 108..OPTIONAL + 112].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(examine(&bytes).gil, Gil::KeepsOff);
}

/// Each descriptor names the same list, so that there are many times as many symbols as bytes.
#[test]
fn descriptors_that_share_a_list_are_given_up() {
    let mut library = Library::new();
    library.tables.resize(0x3_0000, 0);
    let (descriptors, list) = (TABLES + 0x1000, TABLES + 0x1_0000);
    for index in 0..2000 {
        for (offset, value) in [(0, list), (12, NAME), (16, DATA + 0x1000)] {
            library.half(descriptors + index * 20 + offset, value);
        }
    }
    for index in 0..500 {
        library.word(list + index * 8, 1 << 63 | 1);
    }
    library.directories[IMPORTS] = (descriptors, 40);
    let mut bytes = library.build();
    bytes[OPTIONAL + 56..OPTIONAL + 60].copy_from_slice(&0x4_0000u32.to_le_bytes());
    assert_refused(&bytes, "imports more than");
}

#[test]
fn sections_that_overlap_or_leave_a_gap_are_refused() {
    for (index, address) in [(0, 0), (1, CODE), (1, DATA + 0x1000), (2, DATA), (2, 0xffff_f000)] {
        let mut bytes = Library::new().build();
        let place = SECTION_HEADERS + index * 40 + 12;
        bytes[place..place + 4].copy_from_slice(&address.to_le_bytes());
        assert_refused(&bytes, "do not follow one another");
    }
    // Larger than what the image is said to take.
    let mut bytes = Library::new().build();
    let place = SECTION_HEADERS + 2 * 40 + 8;
    bytes[place..place + 4].copy_from_slice(&0xffff_0000_u32.to_le_bytes());
    assert_refused(&bytes, "past the end of the image");
}

#[test]
fn a_truncated_library_is_refused_wherever_it_ends() {
    let bytes = Library::new().build();
    for end in (0..bytes.len()).filter(|end| *end < 0x600 || end % 0x100 == 0) {
        let problem = Image::load(&bytes[..end]).unwrap_err();
        let known = ["truncated", "none of their signatures"];
        assert!(known.iter().any(|word| problem.to_string().contains(word)), "{end:#x}: {problem}");
    }
}

#[test]
fn zeros_follow_where_the_file_has_no_bytes() {
    let bytes = Library::new().build();
    let mut shorter = bytes.clone();
    // The data's second page is not in the file.
    let place = SECTION_HEADERS + 40 + 16;
    shorter[place..place + 4].copy_from_slice(&0x1000u32.to_le_bytes());
    let image = Image::load(&shorter).unwrap();
    let mut page = [1; PAGE_SIZE];
    page.fill(0);
    image.page(at(DATA + 0x1000), &mut page, |_, _| None).unwrap();
    assert_eq!(page, [0; PAGE_SIZE]);
    let inside = at(DATA + 0x1000);
    assert_eq!(image.word(inside), Err(ReadError::Uninitialised(inside)));
    assert_eq!(examine(&shorter).gil, Gil::KeepsOff);
}

#[test]
fn what_is_no_library_for_a_known_processor_is_refused() {
    let mut library = Library::new();
    library.flags = 0x0022;
    assert_refused(&library.build(), "shared library");

    let mut library = Library::new();
    library.directories[MANAGED_CODE] = (MORE_TABLES, 72);
    assert_refused(&library.build(), "CLR");

    // Hybrid metadata, in a load configuration that is large enough to have it.
    let mut library = Library::new();
    library.half(MORE_TABLES, 0x140);
    library.word(MORE_TABLES + 0xc8, 1);
    library.directories[LOAD_CONFIG] = (MORE_TABLES, 0x140);
    assert_refused(&library.build(), "ARM64EC");
    library.half(MORE_TABLES, 0xc8);
    assert_eq!(examine(&library.build()).gil, Gil::KeepsOff);

    let mut library = Library::new();
    library.machine = 0x014c;
    let image_name = |bytes: &[u8]| -> Result<String, ImageError> {
        Ok(Image::load(bytes)?.machine().name().into_owned())
    };
    assert_eq!(image_name(&library.build()).unwrap(), "machine 332");
    assert_eq!(examine(&library.build()).gil, Gil::Undetermined);

    let mut bytes = Library::new().build();
    bytes[OPTIONAL..OPTIONAL + 2].copy_from_slice(&0x10bu16.to_le_bytes());
    assert_refused(&bytes, "64-bit");
}

/// Bytes to overwrite: where, and with what.
fn damage(length: usize) -> impl Strategy<Value = Vec<(usize, Vec<u8>)>> {
    let value = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(vec![0, 1, 0x1000, 0x4000, 0x7fff_ffff, u32::MAX])
            .prop_map(|word: u32| word.to_le_bytes().to_vec()),
        any::<u32>().prop_map(|word| word.to_le_bytes().to_vec()),
        any::<u64>().prop_map(|word| word.to_le_bytes().to_vec()),
    ];
    // Headers and tables more often than the rest.
    let place = prop_oneof![
        PE_HEADER..SECTION_HEADERS + 120,
        HEADERS_SIZE..HEADERS_SIZE + 0x40,
        length.saturating_sub(0x1000)..length,
        0..length,
    ];
    prop::collection::vec((place, value), 1..6)
}

fn damaged(bytes: &[u8], changes: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, value) in changes {
        let end = bytes.len().min(place + value.len());
        if let Some(target) = bytes.get_mut(*place..end) {
            target.copy_from_slice(&value[..end - place]);
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn damage_is_answered_soon_and_without_a_panic(
        changes in damage(HEADERS_SIZE + 0x200 + 0x2000 + 0x1000),
        with_threads in any::<bool>(),
    ) {
        let library = if with_threads { with_thread_data() } else { Library::new() };
        examine(&damaged(&library.build(), &changes));
    }

    /// Where the slot says that the GIL is used, nothing but a change of it or of what leads there
    /// can say otherwise.
    #[test]
    fn damage_to_headers_and_tables_does_not_turn_the_answer(
        changes in prop::collection::vec((0..SECTION_HEADERS + 120, any::<u8>()), 1..4)
    ) {
        let mut library = Library::new();
        library.word(GIL_VALUE, 0);
        let changes: Vec<_> = changes.into_iter().map(|(at, byte)| (at, vec![byte])).collect();
        let report = examine(&damaged(&library.build(), &changes));
        prop_assert_ne!(report.gil, Gil::KeepsOff);
    }

    #[test]
    fn damaged_fixtures_are_answered_soon(changes in damage(0x1000)) {
        for folder in [WINDOWS, "aarch64-windows-gnu"] {
            examine(&damaged(&fixture_module(folder, "declares"), &changes));
        }
    }
}
