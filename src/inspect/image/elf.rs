//! ELF shared libraries, mapped by their program headers alone.
//!
//! Sections are never looked at: the dynamic loader does not, and files rewritten by auditwheel
//! or patchelf carry sections that mislead. goblin reads the fixed-size records; which of them
//! count, and what they do to memory, follows the System V ABI and glibc's `elf/dl-load.c`,
//! `elf/do-rel.h` and `sysdeps/*/dl-machine.h`.

use std::borrow::Cow;

use goblin::container::{Container, Ctx};
use goblin::elf::Elf;
use goblin::elf::dynamic::{
    DT_GNU_HASH, DT_HASH, DT_INIT, DT_INIT_ARRAY, DT_INIT_ARRAYSZ, DT_JMPREL, DT_NEEDED, DT_PLTREL,
    DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ, DT_STRSZ, DT_STRTAB, DT_SYMTAB, Dyn,
};
use goblin::elf::header::{EM_AARCH64, EM_X86_64, ET_DYN, Header};
use goblin::elf::program_header::{PF_X, PT_DYNAMIC, PT_LOAD, ProgramHeader};
use goblin::elf::reloc::{self, RelocSection};
use goblin::elf::sym::{STB_GLOBAL, STB_WEAK, STT_GNU_IFUNC, STT_TLS, Sym, Symtab};

use super::{
    BASE, Export, Fixup, Format, IMPORT_STRIDE, IMPORTS, Image, ImageError, MAX_EXTENT, Machine,
    Segment,
};

/// Relative relocations in a bitmap, from the generic ABI's draft; goblin does not name them yet.
const DT_RELRSZ: u64 = 35;
const DT_RELR: u64 = 36;
/// The size of an `Elf64_Sym`.
const SYMBOL_SIZE: usize = 24;
/// The section of symbols that another library defines, `SHN_UNDEF`.
const UNDEFINED: usize = 0;
/// The section of symbols whose value is no address, `SHN_ABS`.
const ABSOLUTE: usize = 0xfff1;
/// A symbol that the loader makes unique in the process; GNU's own, found by `dlsym` as others are.
const STB_GNU_UNIQUE: u8 = 10;
/// The smallest page of the processors that are read.
const PAGE: u64 = 4096;
/// The longest name of a symbol that is looked at; hooks of modules are far shorter.
const MAX_NAME: usize = 4096;
/// Large C++ libraries have hundreds.
const MAX_CONSTRUCTORS: usize = 1 << 16;
/// More relocations than the largest known libraries have; an upper bound on memory, since a
/// relative bitmap stands for many times its own size.
const MAX_FIXUPS: usize = 1 << 23;

pub(super) fn load(bytes: &[u8]) -> Result<Image<'_>, ImageError> {
    let header = Elf::parse_header(bytes)
        .map_err(|problem| ImageError::new(format!("its ELF header is damaged: {problem}")))?;
    let context = context(&header)?;
    let machine = match header.e_machine {
        EM_X86_64 => Machine::X86_64,
        EM_AARCH64 => Machine::Aarch64,
        other => Machine::Other(u32::from(other)),
    };
    let offset = usize::try_from(header.e_phoff)
        .map_err(|_| ImageError::new("its program headers lie outside the file"))?;
    let headers = ProgramHeader::parse(bytes, offset, usize::from(header.e_phnum), context)
        .map_err(|problem| {
            ImageError::new(format!("its program headers are damaged: {problem}"))
        })?;
    let image = Image {
        format: Format::Elf,
        machine,
        segments: segments(bytes, &headers)?,
        fixups: Vec::new(),
        exports: Vec::new(),
        imports: Vec::new(),
        needed: Vec::new(),
        constructors: Vec::new(),
    };
    let image = image.assemble()?;
    let Some(dynamic) = Dynamic::read(&image, &headers, context)? else {
        return Ok(image);
    };
    dynamic.link(image)
}

/// Only what a 64-bit little-endian interpreter would load.
fn context(header: &Header) -> Result<Ctx, ImageError> {
    let container = header.container().map_err(|problem| ImageError::new(problem.to_string()))?;
    let endianness = header.endianness().map_err(|problem| ImageError::new(problem.to_string()))?;
    if container != Container::Big || !endianness.is_little() {
        return Err(ImageError::new("only 64-bit little-endian ELF libraries are read"));
    }
    if header.e_type != ET_DYN {
        return Err(ImageError::new(format!(
            "expected a shared library, found an ELF file of type {}",
            header.e_type
        )));
    }
    Ok(Ctx::new(container, endianness))
}

fn segments<'data>(
    bytes: &'data [u8],
    headers: &[ProgramHeader],
) -> Result<Vec<Segment<'data>>, ImageError> {
    let mut segments = Vec::new();
    for header in headers.iter().filter(|header| header.p_type == PT_LOAD && header.p_memsz > 0) {
        let end = header.p_vaddr.checked_add(header.p_memsz).filter(|end| *end < MAX_EXTENT);
        if end.is_none() || header.p_filesz > header.p_memsz {
            return Err(ImageError::new("a segment has impossible sizes"));
        }
        if header.p_vaddr % PAGE != header.p_offset % PAGE {
            // The loader maps whole pages, and refuses what does not fit them.
            return Err(ImageError::new("a segment is not aligned as its pages are"));
        }
        let data = usize::try_from(header.p_offset)
            .ok()
            .zip(usize::try_from(header.p_filesz).ok())
            .and_then(|(start, size)| bytes.get(start..start.checked_add(size)?))
            .ok_or_else(|| {
                ImageError::new("it is truncated: a segment reaches past the end of the file")
            })?;
        segments.push(Segment {
            address: BASE + header.p_vaddr,
            size: header.p_memsz,
            data,
            executable: header.p_flags & PF_X != 0,
        });
    }
    if segments.is_empty() {
        return Err(ImageError::new("it has no segment to load"));
    }
    Ok(segments)
}

/// The tables that the dynamic section points to.
struct Dynamic<'data> {
    entries: Vec<Dyn>,
    symbols: Symtab<'data>,
    strings: &'data [u8],
    context: Ctx,
}

impl<'data> Dynamic<'data> {
    fn read(
        image: &Image<'data>,
        headers: &[ProgramHeader],
        context: Ctx,
    ) -> Result<Option<Self>, ImageError> {
        let Some(header) = headers.iter().find(|header| header.p_type == PT_DYNAMIC) else {
            return Ok(None);
        };
        let table =
            table(image, BASE.wrapping_add(header.p_vaddr), header.p_memsz, "dynamic section")?;
        let mut entries = Vec::new();
        for record in table.chunks_exact(16) {
            let (Some(tag), Some(value)) = (record.first_chunk(), record.last_chunk()) else {
                break;
            };
            let entry = Dyn { d_tag: u64::from_le_bytes(*tag), d_val: u64::from_le_bytes(*value) };
            if entry.d_tag == 0 {
                break;
            }
            entries.push(entry);
        }
        let mut dynamic = Self { entries, symbols: Symtab::default(), strings: &[], context };
        dynamic.strings = match (dynamic.address(DT_STRTAB), dynamic.value(DT_STRSZ)) {
            (Some(address), Some(size)) => table_of(image, address, size, "string table")?,
            _ => &[],
        };
        if let Some(address) = dynamic.address(DT_SYMTAB) {
            // The table does not say where it ends: relocations and the hash table name entries by
            // number, and each is checked against the end of the segment.
            let bytes = image.raw(address).map_err(|_| outside("symbol table"))?;
            dynamic.symbols = Symtab::parse(bytes, 0, bytes.len() / SYMBOL_SIZE, context)
                .map_err(|problem| damaged(&problem))?;
        }
        Ok(Some(dynamic))
    }

    /// The value of an entry. Of several of a kind the loader keeps the last
    /// (glibc's `elf_get_dynamic_info`).
    fn value(&self, tag: u64) -> Option<u64> {
        self.entries.iter().rev().find(|entry| entry.d_tag == tag).map(|entry| entry.d_val)
    }

    /// An entry that is an address.
    fn address(&self, tag: u64) -> Option<u64> {
        self.value(tag).map(|address| BASE.wrapping_add(address))
    }

    fn string(&self, offset: u64) -> Option<Cow<'data, str>> {
        let bytes = self.strings.get(usize::try_from(offset).ok()?..)?;
        let bytes = &bytes[..bytes.len().min(MAX_NAME)];
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&bytes[..end]))
    }

    fn link(self, mut image: Image<'data>) -> Result<Image<'data>, ImageError> {
        image.needed = self
            .entries
            .iter()
            .filter(|entry| entry.d_tag == DT_NEEDED)
            .filter_map(|entry| self.string(entry.d_val))
            .collect();
        image.exports = self.exports(&image)?;
        let mut linker = Linker { dynamic: &self, imports: Imports::default(), fixups: Vec::new() };
        linker.relocations(&image)?;
        linker.relative_bitmap(&image)?;
        (image.fixups, image.imports) = (linker.fixups, linker.imports.names);
        let mut image = image.assemble()?;
        image.constructors = self.constructors(&image);
        Ok(image)
    }

    /// What `call_init` calls (glibc, `elf/dl-init.c`): `DT_INIT`, then each of `DT_INIT_ARRAY`.
    fn constructors(&self, image: &Image<'data>) -> Vec<u64> {
        let mut functions: Vec<u64> = self.address(DT_INIT).into_iter().collect();
        if let (Some(array), Some(size)) =
            (self.address(DT_INIT_ARRAY), self.value(DT_INIT_ARRAYSZ))
        {
            let places = (0..size / 8).take(MAX_CONSTRUCTORS).map(|at| array.wrapping_add(at * 8));
            functions.extend(places.filter_map(|place| image.word(place).ok()));
        }
        functions
    }

    /// The symbols that `dlsym` finds: those that the hash table lists.
    fn exports(&self, image: &Image<'data>) -> Result<Vec<(Cow<'data, str>, Export)>, ImageError> {
        let range = if let Some(address) = self.address(DT_GNU_HASH) {
            gnu_hash_range(image.raw(address).map_err(|_| outside("hash table"))?)
                .ok_or_else(|| outside("hash table"))?
        } else if let Some(address) = self.address(DT_HASH) {
            // The second word counts the chains, one for each symbol.
            let count = address.checked_add(4).and_then(|place| image.half(place).ok());
            let count = count.ok_or_else(|| outside("hash table"))?;
            1..count
        } else {
            return Ok(Vec::new());
        };
        let mut exports = Vec::new();
        for index in range {
            let Some(symbol) = self.symbols.get(index as usize) else {
                return Err(outside("symbol table"));
            };
            let visible = matches!(symbol.st_bind(), STB_GLOBAL | STB_WEAK | STB_GNU_UNIQUE)
                && symbol.st_shndx != UNDEFINED
                && symbol.st_type() != STT_TLS;
            if visible && let Some(name) = self.string(symbol.st_name as u64) {
                let place = match symbol.st_type() {
                    STT_GNU_IFUNC => Export::Chosen,
                    _ => Export::At(BASE.wrapping_add(symbol.st_value)),
                };
                exports.push((name, place));
            }
        }
        Ok(exports)
    }
}

/// The range of symbols that a `DT_GNU_HASH` table lists.
///
/// Layout: `nbuckets, symoffset, bloom_size, bloom_shift`, the bloom filter's 64-bit words, the
/// buckets, then one 32-bit hash for each symbol from `symoffset` on, whose lowest bit marks the
/// end of a chain.
fn gnu_hash_range(bytes: &[u8]) -> Option<std::ops::Range<u32>> {
    let word = |at: usize| -> Option<u32> {
        bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    };
    let (bucket_count, symbol_offset, bloom_size) = (word(0)?, word(4)?, word(8)?);
    let buckets = 16usize.checked_add(usize::try_from(bloom_size).ok()?.checked_mul(8)?)?;
    let chains = buckets.checked_add(usize::try_from(bucket_count).ok()?.checked_mul(4)?)?;
    let last_chain = bytes
        .get(buckets..chains)?
        .chunks_exact(4)
        .filter_map(|bucket| bucket.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)))
        .max()
        .unwrap_or(0);
    if last_chain < symbol_offset {
        return Some(symbol_offset..symbol_offset);
    }
    let mut index = last_chain;
    loop {
        let place = usize::try_from(index - symbol_offset).ok()?.checked_mul(4)?;
        let hash = word(chains.checked_add(place)?)?;
        index = index.checked_add(1)?;
        if hash & 1 == 1 {
            return Some(symbol_offset..index);
        }
    }
}

/// Names the imported symbols and gives each its address.
#[derive(Default)]
struct Imports<'data> {
    names: Vec<Cow<'data, str>>,
    by_symbol: std::collections::HashMap<usize, u64>,
}

struct Linker<'dynamic, 'data> {
    dynamic: &'dynamic Dynamic<'data>,
    imports: Imports<'data>,
    fixups: Vec<(u64, Fixup)>,
}

impl<'data> Linker<'_, 'data> {
    fn relocations(&mut self, image: &Image<'data>) -> Result<(), ImageError> {
        let value = |tag| self.dynamic.value(tag);
        let address = |tag| self.dynamic.address(tag);
        let plt_is_rela = value(DT_PLTREL) == Some(DT_RELA);
        let tables = [
            (address(DT_RELA), value(DT_RELASZ), true),
            (address(DT_REL), value(DT_RELSZ), false),
            (address(DT_JMPREL), value(DT_PLTRELSZ), plt_is_rela),
        ];
        for (address, size, is_rela) in tables {
            let (Some(address), Some(size)) = (address, size.filter(|size| *size > 0)) else {
                continue;
            };
            let bytes = table_of(image, address, size, "relocation table")?;
            let section = RelocSection::parse(bytes, 0, bytes.len(), is_rela, self.dynamic.context)
                .map_err(|_| outside("relocation table"))?;
            for entry in &section {
                let fixup = self.fixup(image, &entry)?;
                self.push(BASE.wrapping_add(entry.r_offset), fixup)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, address: u64, fixup: Option<Fixup>) -> Result<(), ImageError> {
        let Some(fixup) = fixup else { return Ok(()) };
        if self.fixups.len() >= MAX_FIXUPS {
            return Err(ImageError::new(format!("it has more than {MAX_FIXUPS} relocations")));
        }
        self.fixups.push((address, fixup));
        Ok(())
    }

    /// What one relocation puts into memory; `None` for one that does nothing.
    fn fixup(
        &mut self,
        image: &Image<'data>,
        entry: &reloc::Reloc,
    ) -> Result<Option<Fixup>, ImageError> {
        let kind = Kind::of(image.machine, entry.r_type);
        // Without an addend of its own a relocation adds to what the file has in its place.
        let addend = |entry: &reloc::Reloc| match entry.r_addend {
            Some(addend) => Ok(addend.cast_unsigned()),
            None => image
                .raw(BASE.wrapping_add(entry.r_offset))
                .ok()
                .and_then(<[u8]>::first_chunk)
                .map(|bytes| u64::from_le_bytes(*bytes))
                .ok_or_else(|| outside("place of a relocation")),
        };
        Ok(match kind {
            Kind::Nothing => None,
            Kind::Relative => Some(Fixup::Pointer(BASE.wrapping_add(addend(entry)?))),
            Kind::Symbol { adds } => {
                let addend = if adds { addend(entry)? } else { 0 };
                Some(match self.symbol(entry.r_sym)? {
                    Fixup::Pointer(address) if address >= IMPORTS && addend != 0 => {
                        Fixup::Unknown("a place in another library")
                    }
                    Fixup::Pointer(address) => Fixup::Pointer(address.wrapping_add(addend)),
                    unknown @ Fixup::Unknown(_) => unknown,
                })
            }
            Kind::ThreadLocal => Some(Fixup::Unknown("a thread-local address")),
            Kind::Indirect => Some(Fixup::Unknown("a function that is chosen while loading")),
            Kind::Unknown => Some(Fixup::Unknown("the outcome of an unknown relocation")),
        })
    }

    fn symbol(&mut self, index: usize) -> Result<Fixup, ImageError> {
        let symbol: Sym =
            self.dynamic.symbols.get(index).ok_or_else(|| outside("symbol of a relocation"))?;
        if symbol.st_type() == STT_GNU_IFUNC {
            return Ok(Fixup::Unknown("a function that is chosen while loading"));
        }
        if index == 0 {
            return Ok(Fixup::Pointer(BASE));
        }
        if symbol.st_shndx == ABSOLUTE {
            return Ok(Fixup::Pointer(symbol.st_value));
        }
        if symbol.st_shndx != UNDEFINED {
            return Ok(Fixup::Pointer(BASE.wrapping_add(symbol.st_value)));
        }
        if let Some(address) = self.imports.by_symbol.get(&index) {
            return Ok(Fixup::Pointer(*address));
        }
        let name = self
            .dynamic
            .string(symbol.st_name as u64)
            .ok_or_else(|| outside("name of an imported symbol"))?;
        let address = IMPORTS + self.imports.names.len() as u64 * IMPORT_STRIDE;
        self.imports.names.push(name);
        if symbol.st_bind() == STB_WEAK {
            // Null where no library has it.
            return Ok(Fixup::Unknown("a symbol that may be missing"));
        }
        self.imports.by_symbol.insert(index, address);
        Ok(Fixup::Pointer(address))
    }

    /// `DT_RELR`: an even word is an address to relocate; an odd one is a bitmap of the 63 words
    /// behind the last. What is relocated is the address that the file has in that place.
    fn relative_bitmap(&mut self, image: &Image<'data>) -> Result<(), ImageError> {
        let (Some(address), Some(size)) =
            (self.dynamic.address(DT_RELR), self.dynamic.value(DT_RELRSZ))
        else {
            return Ok(());
        };
        let bytes = table_of(image, address, size, "relative relocation table")?;
        let mut next = 0u64;
        for entry in bytes.chunks_exact(8).filter_map(<[u8]>::first_chunk) {
            let entry = u64::from_le_bytes(*entry);
            if entry & 1 == 0 {
                let place = BASE.wrapping_add(entry);
                self.relative(image, place)?;
                next = place.wrapping_add(8);
            } else {
                for bit in (1..64).filter(|bit| entry >> bit & 1 == 1) {
                    self.relative(image, next.wrapping_add((bit - 1) * 8))?;
                }
                next = next.wrapping_add(63 * 8);
            }
        }
        Ok(())
    }

    fn relative(&mut self, image: &Image<'data>, address: u64) -> Result<(), ImageError> {
        let value = image
            .raw(address)
            .ok()
            .and_then(<[u8]>::first_chunk)
            .ok_or_else(|| outside("place of a relocation"))?;
        let value = BASE.wrapping_add(u64::from_le_bytes(*value));
        self.push(address, Some(Fixup::Pointer(value)))
    }
}

/// The kinds of relocation that can occur in a shared library, whatever the processor calls them.
enum Kind {
    Nothing,
    Relative,
    Symbol { adds: bool },
    ThreadLocal,
    Indirect,
    Unknown,
}

impl Kind {
    fn of(machine: Machine, number: u32) -> Self {
        match machine {
            Machine::X86_64 => match number {
                reloc::R_X86_64_NONE => Self::Nothing,
                reloc::R_X86_64_RELATIVE => Self::Relative,
                reloc::R_X86_64_64 => Self::Symbol { adds: true },
                reloc::R_X86_64_GLOB_DAT | reloc::R_X86_64_JUMP_SLOT => {
                    Self::Symbol { adds: false }
                }
                reloc::R_X86_64_DTPMOD64
                | reloc::R_X86_64_DTPOFF64
                | reloc::R_X86_64_TPOFF64
                | reloc::R_X86_64_TLSDESC => Self::ThreadLocal,
                reloc::R_X86_64_IRELATIVE => Self::Indirect,
                _ => Self::Unknown,
            },
            Machine::Aarch64 => match number {
                reloc::R_AARCH64_NONE => Self::Nothing,
                reloc::R_AARCH64_RELATIVE => Self::Relative,
                // Unlike on x86-64, all three add (ELF for the Arm 64-bit architecture).
                reloc::R_AARCH64_ABS64 | reloc::R_AARCH64_GLOB_DAT | reloc::R_AARCH64_JUMP_SLOT => {
                    Self::Symbol { adds: true }
                }
                reloc::R_AARCH64_TLS_DTPMOD
                | reloc::R_AARCH64_TLS_DTPREL
                | reloc::R_AARCH64_TLS_TPREL
                | reloc::R_AARCH64_TLSDESC => Self::ThreadLocal,
                reloc::R_AARCH64_IRELATIVE => Self::Indirect,
                _ => Self::Unknown,
            },
            Machine::Other(_) => Self::Unknown,
        }
    }
}

/// A table that is `size` bytes long.
fn table_of<'data>(
    image: &Image<'data>,
    address: u64,
    size: u64,
    what: &str,
) -> Result<&'data [u8], ImageError> {
    usize::try_from(size)
        .ok()
        .and_then(|size| image.raw(address).ok()?.get(..size))
        .ok_or_else(|| outside(what))
}

/// A table that ends at its own mark, at most `size` bytes on.
fn table<'data>(
    image: &Image<'data>,
    address: u64,
    size: u64,
    what: &str,
) -> Result<&'data [u8], ImageError> {
    let bytes = image.raw(address).map_err(|_| outside(what))?;
    Ok(&bytes[..bytes.len().min(usize::try_from(size).unwrap_or(usize::MAX))])
}

fn damaged(problem: &goblin::error::Error) -> ImageError {
    ImageError::new(format!("its symbol table is damaged: {problem}"))
}

fn outside(what: &str) -> ImageError {
    ImageError::new(format!("its {what} lies outside the bytes it loads"))
}
