//! Mach-O modules made by hand, in each of the ways in which a linker may state what dyld writes.
//!
//! A crafted module is sound until a test spoils it. It has the segments `__TEXT`, `__DATA` (the
//! second half of which is zeros) and `__LINKEDIT`, one hook, `PyInit_declares`, and a definition
//! that the hook hands over. Addresses are those of an image at 0.

use super::crafted::put;

pub(super) const CODE: u64 = 0x2000;
pub(super) const DATA: u64 = 0x4000;
/// Behind what the file has of the data.
pub(super) const ZEROS: u64 = 0x8000;
const END: u64 = 0xc000;
/// Where `__LINKEDIT` lies in the file.
pub(super) const TABLES: usize = 0x8000;

/// Definition and slots of the module, `{3, 2}` and `{4, …}`.
pub(super) const DECLARED: u64 = DATA;
pub(super) const SLOTS: u64 = DATA + 0x80;
/// The value of the GIL slot among them.
pub(super) const GIL_VALUE: u64 = SLOTS + 0x18;
pub(super) const NAME: u64 = DATA + 0x1c0;
/// Where dyld puts the address of `PyModuleDef_Init`.
pub(super) const GOT_INIT: u64 = DATA + 0x1d0;
/// From here on nothing is used.
pub(super) const FREE: u64 = DATA + 0x200;

pub(super) const X86_64: u32 = 0x0100_0007;
pub(super) const ARM64: u32 = 0x0100_000c;

pub(super) const LC_LOAD_DYLIB: u32 = 0xc;
pub(super) const LC_LOAD_WEAK_DYLIB: u32 = 0x8000_0018;
pub(super) const LC_REEXPORT_DYLIB: u32 = 0x8000_001f;

/// A symbol of another library.
#[derive(Debug, Clone, Copy)]
pub(super) struct Symbol {
    pub(super) name: &'static str,
    pub(super) ordinal: i64,
    pub(super) weak: bool,
}

/// How the file says what dyld writes.
#[derive(Debug, Clone)]
pub(super) enum Fixups {
    /// `LC_DYLD_CHAINED_FIXUPS`, by the numbers of its formats; pointers signed where the format
    /// knows that.
    Chained { pointers: u16, imports: u32, signed: bool },
    /// `LC_DYLD_INFO_ONLY`.
    Opcodes,
    /// The same with these programs: rebase, bind, lazy bind, weak bind.
    Programs([Vec<u8>; 4]),
    /// Neither.
    None,
}

#[derive(Debug, Clone)]
pub(super) struct MachO {
    pub(super) machine: u32,
    pub(super) file_type: u32,
    /// Added to every address of the file.
    pub(super) base: u64,
    pub(super) code: Vec<u8>,
    pub(super) data: Vec<u8>,
    /// By the load command that asks for it.
    pub(super) libraries: Vec<(u32, &'static str)>,
    pub(super) symbols: Vec<Symbol>,
    /// Places that hold addresses of the image.
    pub(super) own: Vec<(u64, u64)>,
    /// Places that hold addresses of symbols: by their number, and so many bytes on.
    pub(super) bound: Vec<(u64, u32, i64)>,
    pub(super) fixups: Fixups,
    /// `None` for a file that lists its symbols in a table alone.
    pub(super) trie: Option<Vec<u8>>,
    /// Sections of the data: flags, address, size.
    pub(super) sections: Vec<(u32, u64, u64)>,
    /// More load commands.
    pub(super) commands: Vec<Vec<u8>>,
}

impl MachO {
    /// A module whose GIL slot has this value.
    pub(super) fn new(gil: u64) -> Self {
        let mut module = Self {
            machine: X86_64,
            file_type: 8,
            base: 0,
            code: hands_over(),
            data: vec![0; 0x4000],
            libraries: vec![(LC_LOAD_DYLIB, "/usr/lib/libSystem.B.dylib")],
            symbols: vec![Symbol { name: "_PyModuleDef_Init", ordinal: -2, weak: false }],
            own: vec![(DECLARED + 0x38, NAME), (DECLARED + 0x58, SLOTS)],
            bound: vec![(GOT_INIT, 0, 0)],
            fixups: Fixups::Opcodes,
            trie: Some(trie(&[("_PyInit_declares", regular(CODE))])),
            sections: Vec::new(),
            commands: Vec::new(),
        };
        for (place, value) in [(SLOTS, 3), (SLOTS + 8, 2), (SLOTS + 16, 4), (GIL_VALUE, gil)] {
            module.word(place, value);
        }
        let name = offset(NAME);
        module.data[name..name + 8].copy_from_slice(b"declares");
        module
    }

    pub(super) fn with(fixups: Fixups) -> Self {
        Self { fixups, ..Self::new(1) }
    }

    pub(super) fn word(&mut self, address: u64, value: u64) {
        put(&mut self.data, offset(address), value);
    }

    /// Has a place bound to a symbol.
    pub(super) fn bind(&mut self, place: u64, symbol: Symbol, addend: i64) {
        self.symbols.push(symbol);
        self.bound.push((place, u32::try_from(self.symbols.len()).unwrap() - 1, addend));
    }

    /// The programs that stand for [`Fixups::Opcodes`].
    pub(super) fn programs(&self) -> [Vec<u8>; 4] {
        let place = |place: u64| [vec![0x71], uleb(place - DATA)].concat();
        // Of the type "pointer".
        let mut rebase = vec![0x11];
        for (at, _) in &self.own {
            rebase.extend([vec![0x21], uleb(at - DATA), vec![0x51]].concat());
        }
        rebase.push(0);
        let mut bind = vec![0x51];
        for (at, number, addend) in &self.bound {
            let symbol = self.symbols[usize::try_from(*number).unwrap()];
            bind.extend(match u64::try_from(symbol.ordinal) {
                Ok(ordinal) => [vec![0x20], uleb(ordinal)].concat(),
                Err(_) => vec![0x30 | u8::try_from(symbol.ordinal + 16).unwrap()],
            });
            bind.push(0x40 | u8::from(symbol.weak));
            bind.extend([symbol.name.as_bytes(), &[0, 0x60], &sleb(*addend), &place(*at)].concat());
            bind.push(0x90);
        }
        bind.push(0);
        [rebase, bind, Vec::new(), Vec::new()]
    }

    /// The table of chained fixups; the chain itself goes into `data`.
    fn chained(&self, data: &mut [u8], pointers: u16, imports: u32, signed: bool) -> Vec<u8> {
        let mut words: Vec<(u64, u64)> = Vec::new();
        let (is_arm, wide) = (matches!(pointers, 1 | 9 | 12), pointers == 12);
        for (place, target) in &self.own {
            let stated = if matches!(pointers, 1 | 2) { target + self.base } else { *target };
            words.push((*place, if is_arm && signed { target | 1 << 63 } else { stated }));
        }
        for (place, number, addend) in &self.bound {
            let number = u64::from(*number);
            assert!(number < 1 << if wide { 24 } else { 16 });
            // What the table of symbols does not say goes into the place.
            let addend = if imports == 1 { addend.cast_unsigned() } else { 0 };
            words.push((
                *place,
                match (is_arm, signed) {
                    (false, _) => 1 << 63 | (addend & 0xff) << 24 | number,
                    (true, true) => 3 << 62 | number,
                    (true, false) => 1 << 62 | (addend & 0x7_ffff) << 32 | number,
                },
            ));
        }
        words.sort_unstable();
        let stride = if is_arm { 8 } else { 4 };
        for (index, (place, word)) in words.iter().enumerate() {
            let next = words.get(index + 1).map_or(0, |(next, _)| (next - place) / stride);
            put(data, offset(*place), word | next << 51);
        }
        let mut table = vec![0; 28];
        let mut set = |at: usize, value: usize| {
            table[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap().to_le_bytes());
        };
        let (starts, symbols) = (32, 32 + 16 + 24);
        set(4, starts);
        set(8, symbols);
        let size = [4, 8, 16][usize::try_from(imports).unwrap().min(3) - 1];
        set(12, symbols + self.symbols.len() * size);
        set(16, self.symbols.len());
        set(20, usize::try_from(imports).unwrap());
        table.resize(32, 0);
        // Three segments, of which the second has chains.
        table.extend([3_u32, 0, 16, 0].into_iter().flat_map(u32::to_le_bytes));
        table.extend(24_u32.to_le_bytes());
        table.extend([0x4000, pointers].into_iter().flat_map(u16::to_le_bytes));
        table.extend(DATA.to_le_bytes());
        table.extend(0_u32.to_le_bytes());
        let first = u16::try_from(words[0].0 - DATA).unwrap();
        table.extend([1, first].into_iter().flat_map(u16::to_le_bytes));
        let mut names = Vec::new();
        for (number, symbol) in (0_u32..).zip(&self.symbols) {
            let place = names.len() as u64;
            names.extend([symbol.name.as_bytes(), &[0]].concat());
            let (ordinal, weak) = (symbol.ordinal.cast_unsigned(), u64::from(symbol.weak));
            let addend = self.bound.iter().find(|one| one.1 == number).map_or(0, |one| one.2);
            if imports == 3 {
                let entry = ordinal & 0xffff | weak << 16 | place << 32;
                table.extend(entry.to_le_bytes());
                table.extend(addend.to_le_bytes());
            } else {
                let entry = ordinal & 0xff | weak << 8 | place << 9;
                table.extend(&entry.to_le_bytes()[..4]);
                if imports == 2 {
                    table.extend(&addend.to_le_bytes()[..4]);
                }
            }
        }
        table.extend(names);
        table
    }

    /// The file.
    pub(super) fn build(&self) -> Vec<u8> {
        let mut data = self.data.clone();
        let mut tables = Vec::new();
        let mut place = |content: &[u8]| -> [u32; 2] {
            tables.resize(usize::next_multiple_of(tables.len(), 8), 0);
            let at = TABLES + tables.len();
            tables.extend_from_slice(content);
            [u32::try_from(at).unwrap(), u32::try_from(content.len()).unwrap()]
        };
        let mut commands = Vec::new();
        let exports = self.trie.as_ref().map(|trie| place(trie));
        match &self.fixups {
            Fixups::Chained { pointers, imports, signed } => {
                let table = self.chained(&mut data, *pointers, *imports, *signed);
                commands.push(command(0x8000_0034, &place(&table)));
                commands.extend(exports.map(|exports| command(0x8000_0033, &exports)));
            }
            Fixups::Opcodes | Fixups::Programs(_) => {
                for (place, target) in &self.own {
                    put(&mut data, offset(*place), target + self.base);
                }
                let programs = match &self.fixups {
                    Fixups::Programs(programs) => programs.clone(),
                    _ => self.programs(),
                };
                let [rebase, bind, lazy, weak] = programs.map(|program| place(&program));
                let places = [rebase, bind, weak, lazy, exports.unwrap_or_default()].concat();
                commands.push(command(0x8000_0022, &places));
            }
            Fixups::None => {
                commands.extend(exports.map(|exports| command(0x8000_0033, &exports)));
            }
        }
        for (kind, name) in &self.libraries {
            commands.push(command_with_text(*kind, &[24, 0, 0, 0], name));
        }
        commands.extend(self.commands.clone());
        let size = tables.len() as u64;
        let tables_size = size.next_multiple_of(0x4000);
        let segments = [
            segment("__TEXT", [self.base, DATA, 0, DATA], 5, &[]),
            segment(
                "__DATA",
                [self.base + DATA, END - DATA, DATA, ZEROS - DATA],
                3,
                &self
                    .sections
                    .iter()
                    .map(|(flags, at, size)| (*flags, self.base + at, *size))
                    .collect::<Vec<_>>(),
            ),
            segment("__LINKEDIT", [self.base + END, tables_size, ZEROS, size], 1, &[]),
        ];
        let commands = [segments.to_vec(), commands].concat();
        let count = u32::try_from(commands.len()).unwrap();
        let commands = commands.concat();
        let size = u32::try_from(commands.len()).unwrap();
        let header = [0xfeed_facf, self.machine, 0, self.file_type, count, size, 0x85, 0];
        let mut bytes: Vec<u8> = header.into_iter().flat_map(u32::to_le_bytes).collect();
        bytes.extend(commands);
        let code = usize::try_from(CODE).unwrap();
        assert!(bytes.len() <= code);
        bytes.resize(code, 0);
        bytes.extend(&self.code);
        bytes.resize(offset(2 * DATA), 0);
        bytes.extend(data);
        bytes.extend(tables);
        bytes
    }
}

/// The place of an address in the data.
pub(super) fn offset(address: u64) -> usize {
    usize::try_from(address - DATA).unwrap()
}

/// A load command of 32-bit words.
pub(super) fn command(kind: u32, words: &[u32]) -> Vec<u8> {
    let size = u32::try_from(8 + words.len() * 4).unwrap();
    [&[kind, size], words].concat().into_iter().flat_map(u32::to_le_bytes).collect()
}

/// A load command that ends in a text, behind these words, whose first says where it begins.
pub(super) fn command_with_text(kind: u32, words: &[u32], text: &str) -> Vec<u8> {
    let mut bytes = command(kind, words);
    bytes.extend(text.as_bytes());
    bytes.resize((bytes.len() + 1).next_multiple_of(8), 0);
    let size = u32::try_from(bytes.len()).unwrap();
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// `LC_SEGMENT_64`: address, size, place in the file, size there.
pub(super) fn segment(
    name: &str,
    place: [u64; 4],
    protection: u32,
    sections: &[(u32, u64, u64)],
) -> Vec<u8> {
    let mut bytes = command(0x19, &[0; 16]);
    bytes[8..8 + name.len()].copy_from_slice(name.as_bytes());
    for (index, value) in place.into_iter().enumerate() {
        put(&mut bytes, 24 + index * 8, value);
    }
    put(&mut bytes, 56, u64::from(protection) << 32 | u64::from(protection));
    bytes[64..68].copy_from_slice(&u32::try_from(sections.len()).unwrap().to_le_bytes());
    for (flags, address, size) in sections {
        let start = bytes.len();
        bytes.resize(start + 80, 0);
        put(&mut bytes, start + 32, *address);
        put(&mut bytes, start + 40, *size);
        bytes[start + 64..start + 68].copy_from_slice(&flags.to_le_bytes());
    }
    let size = u32::try_from(bytes.len()).unwrap();
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// `lea rdi, [DECLARED]; jmp [GOT_INIT]`
pub(super) fn hands_over() -> Vec<u8> {
    hands_over_from(CODE)
}

/// The same at another place.
pub(super) fn hands_over_from(place: u64) -> Vec<u8> {
    let distance = |target: u64, behind: u64| {
        i32::try_from(target.cast_signed() - behind.cast_signed()).unwrap().to_le_bytes()
    };
    [
        &[0x48, 0x8d, 0x3d],
        &distance(DECLARED, place + 7)[..],
        &[0xff, 0x25],
        &distance(GOT_INIT, place + 13)[..],
    ]
    .concat()
}

/// What a trie says of a symbol at that address.
pub(super) fn regular(address: u64) -> Vec<u8> {
    [vec![0], uleb(address)].concat()
}

/// A trie with an edge for each symbol.
pub(super) fn trie(symbols: &[(&str, Vec<u8>)]) -> Vec<u8> {
    // Offsets take three bytes, so that places are known beforehand.
    let edges: usize = symbols.iter().map(|(name, _)| name.len() + 4).sum();
    let mut next = 2 + edges;
    let mut bytes = vec![0, u8::try_from(symbols.len()).unwrap()];
    let mut nodes = Vec::new();
    for (name, content) in symbols {
        bytes.extend([name.as_bytes(), &[0], &wide(next)].concat());
        let node = [uleb(content.len() as u64), content.clone(), vec![0]].concat();
        next += node.len();
        nodes.extend(node);
    }
    bytes.extend(nodes);
    bytes
}

/// A number as LEB128 of three bytes.
pub(super) fn wide(value: usize) -> [u8; 3] {
    let [first, second, third] =
        [0, 7, 14].map(|shift| u8::try_from(value >> shift & 0x7f).unwrap());
    [first | 0x80, second | 0x80, third]
}

pub(super) fn uleb(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

fn sleb(mut value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !(-64..64).contains(&value) {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value & 0x7f).unwrap());
    bytes
}
