//! ELF shared libraries, mapped by their program headers alone.
//!
//! Sections are never looked at: the dynamic loader does not, and files rewritten by auditwheel
//! or patchelf carry sections that mislead. goblin reads the fixed-size records; which of them
//! count, and what they do to memory, follows the System V ABI and glibc's `elf/dl-load.c`,
//! `elf/do-rel.h` and `sysdeps/*/dl-machine.h`.

mod fixups;
mod symbols;

use std::borrow::Cow;

use goblin::container::{Container, Ctx};
use goblin::elf::Elf;
use goblin::elf::dynamic::{
    DT_INIT, DT_INIT_ARRAY, DT_INIT_ARRAYSZ, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB,
    DT_SYMTAB, Dyn,
};
use goblin::elf::header::{EM_AARCH64, EM_X86_64, ET_DYN, Header};
use goblin::elf::program_header::{PF_X, PT_DYNAMIC, PT_LOAD, PT_TLS, ProgramHeader};
use goblin::elf::sym::Symtab;

use super::{
    BASE, Format, Image, ImageError, MAX_EXTENT, Machine, Segment, ThreadTemplate, readable,
};

/// The size of an `Elf64_Sym`.
const SYMBOL_SIZE: usize = 24;
/// The smallest page of the processors that are read.
const PAGE: u64 = 4096;
/// The longest name of a symbol that is looked at; hooks of modules are far shorter.
const MAX_NAME: usize = 4096;
/// Large C++ libraries have hundreds.
const MAX_CONSTRUCTORS: usize = 1 << 16;
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
    let mut image = Image::mapped(Format::Elf, machine, segments(bytes, &headers)?)?;
    image.thread_template =
        headers.iter().find(|header| header.p_type == PT_TLS).map(|header| ThreadTemplate {
            address: BASE.wrapping_add(header.p_vaddr),
            initialised: header.p_filesz,
            size: header.p_memsz,
            align: header.p_align,
            index: None,
        });
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
        Some(Cow::Borrowed(readable(&bytes[..end])))
    }

    fn link(self, mut image: Image<'data>) -> Result<Image<'data>, ImageError> {
        image.needed = self
            .entries
            .iter()
            .filter(|entry| entry.d_tag == DT_NEEDED)
            .filter_map(|entry| self.string(entry.d_val))
            .collect();
        image.search_paths = self.search_paths();
        if let (Some(start), Some(size)) = (self.address(DT_STRTAB), self.value(DT_STRSZ)) {
            image.symbol_names = start..start.saturating_add(size);
        }
        image.exports = self.exports(&image)?;
        let (fixups, imports) = fixups::fixups(&self, &image)?;
        image.imports = imports;
        image.set_fixups(fixups);
        image.constructors = self.constructors(&image);
        Ok(image)
    }

    /// `DT_RUNPATH`, and where there is none `DT_RPATH` (glibc, `elf/dl-load.c`).
    fn search_paths(&self) -> Vec<Cow<'data, str>> {
        let Some(paths) = self.value(DT_RUNPATH).or_else(|| self.value(DT_RPATH)) else {
            return Vec::new();
        };
        let paths = self.string(paths).unwrap_or_default();
        paths.split(':').map(|path| Cow::Owned(path.to_owned())).collect()
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
