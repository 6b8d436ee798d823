//! ELF modules made by hand, for what no compiler would write, and tools to change the fixtures.
//!
//! A crafted module is as sound as a fixture until a test spoils it: a dynamic loader would take
//! it. It has three segments (code, data, tables), one hook, `PyInit_declares`, and two
//! definitions: [`DECLARED`], which the hook hands over, and [`OTHER`], which says that the GIL is
//! used. Addresses are those of an image at 0.

use goblin::elf::Elf;
use goblin::elf::program_header::PT_LOAD;

pub(super) const CODE: u64 = 0x10_1000;
pub(super) const TABLES: u64 = 0x20_0000;
pub(super) const DATA: u64 = 0x100_0000;

/// Definition and slots of the module, `{3, 2}` and `{4, …}`.
pub(super) const DECLARED: u64 = DATA;
pub(super) const DECLARED_SLOTS: u64 = DATA + 0x80;
/// The value of the GIL slot among them.
pub(super) const GIL_VALUE: u64 = DECLARED_SLOTS + 0x18;
/// Another definition, whose slots are `{3, 2}` and `{4, 0}`.
pub(super) const OTHER: u64 = DATA + 0x100;
pub(super) const OTHER_SLOTS: u64 = DATA + 0x180;
pub(super) const NAME: u64 = DATA + 0x1c0;
/// Where the loader puts the addresses of the imported symbols.
pub(super) const GOT_INIT: u64 = DATA + 0x1d0;
pub(super) const GOT_WEAK: u64 = DATA + 0x1d8;
/// A page and more that no segment covers.
pub(super) const NOWHERE: u64 = 0x200_0000;

pub(super) const R_64: u32 = 1;
pub(super) const R_GLOB_DAT: u32 = 6;
pub(super) const R_RELATIVE: u32 = 8;

pub(super) const DT_HASH: u64 = 4;
pub(super) const DT_STRTAB: u64 = 5;
pub(super) const DT_SYMTAB: u64 = 6;
pub(super) const DT_RELA: u64 = 7;
pub(super) const DT_RELASZ: u64 = 8;
pub(super) const DT_STRSZ: u64 = 10;
pub(super) const DT_RELR: u64 = 36;
pub(super) const DT_RELRSZ: u64 = 35;
pub(super) const DT_INIT_ARRAY: u64 = 25;
pub(super) const DT_INIT_ARRAYSZ: u64 = 27;

const DT_RELAENT: u64 = 9;
const DT_SYMENT: u64 = 11;
const DT_RELRENT: u64 = 37;

/// Symbols by number.
pub(super) const SYMBOL_WEAK: u32 = 2;
const STRINGS: &[u8] = b"\0PyModuleDef_Init\0optional_feature\0PyInit_declares\0";

#[derive(Debug, Clone, Copy)]
pub(super) struct Relocation {
    pub(super) place: u64,
    pub(super) kind: u32,
    pub(super) symbol: u32,
    pub(super) addend: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Symbol {
    pub(super) name: u32,
    pub(super) info: u8,
    pub(super) section: u16,
    pub(super) value: u64,
}

/// A stretch of memory beside the three of every module; its bytes are the first of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) address: u64,
    pub(super) size: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Crafted {
    pub(super) code: Vec<u8>,
    pub(super) data: Vec<u8>,
    /// Zeros behind the data.
    pub(super) bss: u64,
    pub(super) relocations: Vec<Relocation>,
    /// The content of a `DT_RELR` table.
    pub(super) bitmap: Vec<u64>,
    pub(super) symbols: Vec<Symbol>,
    /// Behind the names of the module's own symbols.
    pub(super) strings: Vec<u8>,
    pub(super) segments: Vec<Segment>,
    /// Instead of the entries of the same tag, or else behind them.
    pub(super) dynamic: Vec<(u64, u64)>,
    pub(super) duplicates: Vec<(u64, u64)>,
    /// Added to every address of the file.
    pub(super) base: u64,
}

impl Crafted {
    /// A module whose GIL slot has this value.
    pub(super) fn new(gil: u64) -> Self {
        let mut data = vec![0; 0x200];
        let mut word = |address: u64, value: u64| put(&mut data, offset(address), value);
        for (slots, gil) in [(DECLARED_SLOTS, gil), (OTHER_SLOTS, 0)] {
            word(slots, 3);
            word(slots + 8, 2);
            word(slots + 0x10, 4);
            word(slots + 0x18, gil);
        }
        data[offset(NAME)..][..8].copy_from_slice(b"declares");
        let relative = |place, addend| Relocation { place, kind: R_RELATIVE, symbol: 0, addend };
        let import = |place, symbol| Relocation { place, kind: R_GLOB_DAT, symbol, addend: 0 };
        Self {
            code: hands_over(DECLARED).bytes,
            data,
            bss: 0,
            relocations: vec![
                relative(DECLARED + 0x38, NAME),
                relative(DECLARED + 0x58, DECLARED_SLOTS),
                relative(OTHER + 0x38, NAME),
                relative(OTHER + 0x58, OTHER_SLOTS),
                import(GOT_INIT, 1),
                import(GOT_WEAK, SYMBOL_WEAK),
            ],
            bitmap: Vec::new(),
            symbols: vec![
                Symbol { name: 0, info: 0, section: 0, value: 0 },
                // Global; weak; a global function.
                Symbol { name: 1, info: 0x10, section: 0, value: 0 },
                Symbol { name: 18, info: 0x20, section: 0, value: 0 },
                Symbol { name: 35, info: 0x12, section: 1, value: CODE },
            ],
            strings: Vec::new(),
            segments: Vec::new(),
            dynamic: Vec::new(),
            duplicates: Vec::new(),
            base: 0,
        }
    }

    pub(super) fn relocate(&mut self, place: u64, kind: u32, symbol: u32, addend: u64) {
        self.relocations.push(Relocation { place, kind, symbol, addend });
    }

    /// Adds a name to the string table and says where it stands.
    pub(super) fn add_string(&mut self, name: &str) -> u64 {
        let place = STRINGS.len() + self.strings.len();
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        place as u64
    }

    /// Changes where the relocation of `place` points.
    pub(super) fn retarget(&mut self, place: u64, addend: u64) {
        let relocation = self.relocations.iter_mut().find(|known| known.place == place).unwrap();
        relocation.addend = addend;
    }

    pub(super) fn word(&mut self, address: u64, value: u64) {
        put(&mut self.data, offset(address), value);
    }

    /// The content of the tables' segment, and the dynamic section's place in it.
    fn tables(&self) -> (Vec<u8>, u64, u64) {
        let mut tables = Vec::new();
        let mut entries = Vec::new();
        let mut table = |tag: u64, size_tag: Option<u64>, content: &[u8]| {
            tables.resize(tables.len().next_multiple_of(16), 0);
            if !content.is_empty() {
                entries.push((tag, self.base + TABLES + tables.len() as u64));
                entries.extend(size_tag.map(|tag| (tag, content.len() as u64)));
            }
            tables.extend_from_slice(content);
        };
        let strings = [STRINGS, &self.strings].concat();
        table(DT_STRTAB, Some(DT_STRSZ), &strings);
        let relocations: Vec<u8> = self
            .relocations
            .iter()
            .flat_map(|one| {
                let symbol = u64::from(one.symbol) << 32 | u64::from(one.kind);
                let base = if one.kind == R_RELATIVE { self.base } else { 0 };
                [one.place.wrapping_add(self.base), symbol, one.addend.wrapping_add(base)]
            })
            .flat_map(u64::to_le_bytes)
            .collect();
        table(DT_RELA, Some(DT_RELASZ), &relocations);
        let bitmap: Vec<u8> = self.bitmap.iter().copied().flat_map(u64::to_le_bytes).collect();
        table(DT_RELR, Some(DT_RELRSZ), &bitmap);
        // One bucket, which leads to the hook and from there to the two imports.
        let count = u32::try_from(self.symbols.len()).unwrap();
        let mut hash = vec![1, count, 3, 0, 0, 1, 2];
        hash.resize(3 + self.symbols.len(), 0);
        let hash: Vec<u8> = hash.into_iter().flat_map(u32::to_le_bytes).collect();
        table(DT_HASH, None, &hash);
        let symbols: Vec<u8> = self.symbols.iter().flat_map(|one| self.symbol(one)).collect();
        table(DT_SYMTAB, None, &symbols);

        // The sizes of a relocation, a symbol and a packed relocation, which glibc insists on.
        entries.extend([(DT_RELAENT, 24), (DT_SYMENT, 24), (DT_RELRENT, 8)]);
        for (tag, value) in &self.dynamic {
            match entries.iter_mut().find(|(known, _)| known == tag) {
                Some(entry) => entry.1 = *value,
                None => entries.push((*tag, *value)),
            }
        }
        entries.extend(&self.duplicates);
        entries.push((0, 0));
        let place = tables.len().next_multiple_of(16);
        tables.resize(place, 0);
        tables.extend(
            entries.iter().flat_map(|(tag, value)| [*tag, *value]).flat_map(u64::to_le_bytes),
        );
        (tables, place as u64, entries.len() as u64 * 16)
    }

    fn symbol(&self, one: &Symbol) -> Vec<u8> {
        let mut bytes = one.name.to_le_bytes().to_vec();
        bytes.extend([one.info, 0]);
        bytes.extend(one.section.to_le_bytes());
        let value = if one.section == 0 { 0 } else { one.value + self.base };
        bytes.extend(value.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes
    }

    /// The file.
    pub(super) fn build(&self) -> Vec<u8> {
        let (tables, dynamic, dynamic_size) = self.tables();
        let count = self.segments.len() + 4;
        let mut bytes = vec![0; 64 + count * 56];
        let mut headers = Vec::new();
        let (readable, writable, executable) = (4, 2, 1);
        for segment in &self.segments {
            headers.push((1, readable | writable, 0, segment.address, segment.size, segment.size));
        }
        for (content, address, bss, flags) in [
            (&self.code, CODE, 0, readable | executable),
            (&tables, TABLES, 0, readable | writable),
            (&self.data, DATA, self.bss, readable | writable),
        ] {
            bytes.resize(bytes.len().next_multiple_of(0x1000), 0);
            let (place, size) = (bytes.len() as u64, content.len() as u64);
            headers.push((1, flags, place, address, size, size + bss));
            bytes.extend_from_slice(content);
            if address == TABLES {
                let place = place + dynamic;
                let address = TABLES + dynamic;
                headers.push((2, readable | writable, place, address, dynamic_size, dynamic_size));
            }
        }
        // A loader expects them by address; the dynamic section's comes last.
        headers.sort_by_key(|(kind, _, _, address, _, _)| (*kind, *address));
        bytes[..20].copy_from_slice(&[
            0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62, 0,
        ]);
        bytes[20] = 1;
        put(&mut bytes, 32, 64);
        bytes[52..54].copy_from_slice(&64_u16.to_le_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&u16::try_from(count).unwrap().to_le_bytes());
        for (index, (kind, flags, place, address, file_size, size)) in
            headers.into_iter().enumerate()
        {
            let at = 64 + index * 56;
            put(&mut bytes, at, flags << 32 | kind);
            put(&mut bytes, at + 8, place);
            put(&mut bytes, at + 16, address + self.base);
            put(&mut bytes, at + 24, address + self.base);
            put(&mut bytes, at + 32, file_size);
            put(&mut bytes, at + 40, size);
            put(&mut bytes, at + 48, 0x1000);
        }
        bytes
    }
}

/// The place of an address in the data.
fn offset(address: u64) -> usize {
    usize::try_from(address - DATA).unwrap()
}

/// Machine code from [`CODE`] on.
#[derive(Debug, Clone, Default)]
pub(super) struct Assembler {
    pub(super) bytes: Vec<u8>,
}

impl Assembler {
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// An instruction that ends in the distance to `target`, and `behind` bytes after that.
    pub(super) fn relative(self, opcode: &[u8], target: u64, behind: &[u8]) -> Self {
        let length = self.bytes.len() + opcode.len() + 4 + behind.len();
        let distance = target.wrapping_sub(CODE + length as u64).cast_signed();
        let distance = i32::try_from(distance).unwrap().to_le_bytes();
        self.raw(opcode).raw(&distance).raw(behind)
    }

    /// `lea rdi, [target]`
    pub(super) fn lea_rdi(self, target: u64) -> Self {
        self.relative(&[0x48, 0x8d, 0x3d], target, &[])
    }

    /// `mov rax, [target]`
    pub(super) fn load_rax(self, target: u64) -> Self {
        self.relative(&[0x48, 0x8b, 0x05], target, &[])
    }

    /// `mov qword [target], value`
    pub(super) fn store(self, target: u64, value: u8) -> Self {
        self.relative(&[0x48, 0xc7, 0x05], target, &[value, 0, 0, 0])
    }

    /// `jmp [target]`
    pub(super) fn jump_through(self, target: u64) -> Self {
        self.relative(&[0xff, 0x25], target, &[])
    }

    /// `jmp target`
    pub(super) fn jump(self, target: u64) -> Self {
        self.relative(&[0xe9], target, &[])
    }

    /// `call target`
    pub(super) fn call(self, target: u64) -> Self {
        self.relative(&[0xe8], target, &[])
    }

    /// `test rax, rax`, then `je` over what `taken` adds.
    pub(super) fn unless_rax_is_zero(self, code: impl Fn(Self) -> Self) -> Self {
        let before = self.raw(&[0x48, 0x85, 0xc0, 0x74, 0]);
        let start = before.bytes.len();
        let mut after = code(before);
        after.bytes[start - 1] = u8::try_from(after.bytes.len() - start).unwrap();
        after
    }

    /// `lea rdi, [definition]; jmp PyModuleDef_Init`
    pub(super) fn hands_over(self, definition: u64) -> Self {
        self.lea_rdi(definition).jump_through(GOT_INIT)
    }
}

/// A hook that does nothing but hand a definition over.
pub(super) fn hands_over(definition: u64) -> Assembler {
    Assembler::default().hands_over(definition)
}

/// Writes eight bytes.
pub(super) fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// The place in the file of an address that it initialises.
pub(super) fn file_offset(bytes: &[u8], address: u64) -> usize {
    let elf = Elf::parse(bytes).unwrap();
    let segment = elf
        .program_headers
        .iter()
        .find(|header| {
            header.p_type == PT_LOAD
                && header.vm_range().contains(&usize::try_from(address).unwrap())
        })
        .unwrap_or_else(|| panic!("nothing is mapped at {address:#x}"));
    let place = address - segment.p_vaddr;
    assert!(place < segment.p_filesz, "the file has no bytes for {address:#x}");
    usize::try_from(segment.p_offset + place).unwrap()
}

/// The definition that a fixture's hook hands over: its first instruction is `lea rdi`.
pub(super) fn definition_of_hook(bytes: &[u8], hook: &str) -> u64 {
    let elf = Elf::parse(bytes).unwrap();
    let symbol = elf
        .dynsyms
        .iter()
        .find(|symbol| elf.dynstrtab.get_at(symbol.st_name) == Some(hook))
        .unwrap_or_else(|| panic!("no symbol {hook}"));
    let code = &bytes[file_offset(bytes, symbol.st_value)..];
    assert_eq!(code[..3], [0x48, 0x8d, 0x3d], "the hook starts with another instruction");
    let distance = i32::from_le_bytes(code[3..7].try_into().unwrap());
    (symbol.st_value + 7).wrapping_add_signed(distance.into())
}
