//! Mach-O libraries, mapped by their load commands.
//!
//! goblin has the fixed-size records; which of them count, and what they do to memory, follows
//! `<mach-o/loader.h>`, `<mach-o/fixup-chains.h>` and dyld's `MachOLoaded.cpp` and
//! `MachOAnalyzer.cpp`. What lies in `__LINKEDIT` is read by its place in the file.

mod chained;
mod fat;
mod fixups;
mod opcodes;
mod symbols;

use std::borrow::Cow;

use goblin::mach::constants::cputype::{CPU_TYPE_ARM64, CPU_TYPE_X86_64};
use goblin::mach::constants::{
    S_MOD_INIT_FUNC_POINTERS, S_THREAD_LOCAL_REGULAR, S_THREAD_LOCAL_ZEROFILL, SECTION_TYPE,
};
use goblin::mach::header::{Header64, MH_BUNDLE, MH_DYLIB, MH_MAGIC_64, SIZEOF_HEADER_64};
use goblin::mach::load_command::{
    DyldInfoCommand, DysymtabCommand, EncryptionInfoCommand64, LC_DYLD_CHAINED_FIXUPS,
    LC_DYLD_EXPORTS_TRIE, LC_DYLD_INFO, LC_DYLD_INFO_ONLY, LC_DYSYMTAB, LC_ENCRYPTION_INFO_64,
    LC_LAZY_LOAD_DYLIB, LC_LOAD_DYLIB, LC_LOAD_UPWARD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB,
    LC_ROUTINES_64, LC_RPATH, LC_SEGMENT_64, LC_SYMTAB, LinkeditDataCommand, RoutinesCommand64,
    SIZEOF_LOAD_COMMAND, SIZEOF_SECTION_64, SIZEOF_SEGMENT_COMMAND_64, Section64, SegmentCommand64,
    SymtabCommand,
};
use scroll::ctx::TryFromCtx;
use scroll::{LE, Pread};

pub(super) use fat::slices;

use super::{
    BASE, Format, Image, ImageError, MAX_EXTENT, Machine, Segment, ThreadTemplate, readable,
};

/// A section of offsets of constructors, 32 bits each; goblin does not name it yet.
const S_INIT_FUNC_OFFSETS: u32 = 0x16;
/// The smallest page of the processors that are read.
const PAGE: u64 = 4096;
/// The protection that makes memory executable, `VM_PROT_EXECUTE`.
const EXECUTE: u32 = 4;
/// Large C++ libraries have hundreds.
const MAX_CONSTRUCTORS: usize = 1 << 16;

pub(super) fn load(bytes: &[u8]) -> Result<Image<'_>, ImageError> {
    let commands = Commands::read(bytes)?;
    let mut image = Image::mapped(Format::MachO, commands.machine, commands.mapped(bytes)?)?;
    image.thread_template = commands.thread_template();
    image.needed = commands.libraries.iter().map(|library| library.name.clone()).collect();
    image.search_paths.clone_from(&commands.search_paths);
    image.exports = symbols::exports(bytes, &commands)?;
    fixups::apply(bytes, &commands, &mut image)?;
    image.constructors = commands.constructors(&image);
    Ok(image)
}

/// What the load commands say.
struct Commands<'data> {
    machine: Machine,
    /// In the order in which the file lists them, by which fixups name them.
    segments: Vec<SegmentCommand64>,
    sections: Vec<Section64>,
    /// In the order in which symbols name them, from 1 on.
    libraries: Vec<Needed<'data>>,
    search_paths: Vec<Cow<'data, str>>,
    opcodes: Option<DyldInfoCommand>,
    chained: Option<LinkeditDataCommand>,
    trie: Option<LinkeditDataCommand>,
    symbols: Option<SymtabCommand>,
    dynamic_symbols: Option<DysymtabCommand>,
    /// The address of the function that the linker was told to have called first.
    initialiser: Option<u64>,
    /// The lowest address that is mapped.
    lowest: u64,
    /// The address of the header, from which offsets count.
    header: u64,
}

/// A library that this one asks for.
struct Needed<'data> {
    name: Cow<'data, str>,
    /// It may be missing.
    weak: bool,
}

impl<'data> Commands<'data> {
    fn read(bytes: &'data [u8]) -> Result<Self, ImageError> {
        let header: Header64 = record(bytes, "header")?;
        if header.magic != MH_MAGIC_64 {
            return Err(ImageError::new(
                "only 64-bit little-endian Mach-O libraries are read, and universal ones whose \
                 header is sound",
            ));
        }
        if !matches!(header.filetype, MH_BUNDLE | MH_DYLIB) {
            return Err(ImageError::new(format!(
                "expected a bundle or a dylib, found a Mach-O file of type {}",
                header.filetype
            )));
        }
        let machine = match header.cputype {
            CPU_TYPE_X86_64 => Machine::X86_64,
            CPU_TYPE_ARM64 => Machine::Aarch64,
            other => Machine::Other(other),
        };
        let mut commands = Self {
            machine,
            segments: Vec::new(),
            sections: Vec::new(),
            libraries: Vec::new(),
            search_paths: Vec::new(),
            opcodes: None,
            chained: None,
            trie: None,
            symbols: None,
            dynamic_symbols: None,
            initialiser: None,
            lowest: 0,
            header: 0,
        };
        let mut rest = at_offset(bytes, SIZEOF_HEADER_64 as u64, header.sizeofcmds.into())
            .ok_or_else(|| ImageError::new("it is truncated: its load commands reach past it"))?;
        for _ in 0..header.ncmds {
            let kind: u32 = record(rest, "load command")?;
            let size: u32 = record(rest.get(4..).unwrap_or_default(), "load command")?;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let (command, behind) = rest
                .split_at_checked(size)
                .filter(|(command, _)| command.len() >= SIZEOF_LOAD_COMMAND)
                .ok_or_else(|| ImageError::new("a load command has an impossible size"))?;
            commands.add(kind, command)?;
            rest = behind;
        }
        commands.locate()?;
        Ok(commands)
    }

    fn add(&mut self, kind: u32, command: &'data [u8]) -> Result<(), ImageError> {
        match kind {
            LC_SEGMENT_64 => self.add_segment(command)?,
            // The order of libraries in dyld's `forEachDependentDylib`; ld64 counts lazy ones too.
            LC_LOAD_DYLIB | LC_LOAD_WEAK_DYLIB | LC_REEXPORT_DYLIB | LC_LOAD_UPWARD_DYLIB
            | LC_LAZY_LOAD_DYLIB => {
                let weak = kind == LC_LOAD_WEAK_DYLIB;
                self.libraries.push(Needed { name: text_of(command)?, weak });
            }
            LC_RPATH => self.search_paths.push(text_of(command)?),
            LC_DYLD_INFO | LC_DYLD_INFO_ONLY => {
                self.opcodes = Some(record(command, "LC_DYLD_INFO")?);
            }
            LC_DYLD_CHAINED_FIXUPS => {
                self.chained = Some(record(command, "LC_DYLD_CHAINED_FIXUPS")?);
            }
            LC_DYLD_EXPORTS_TRIE => self.trie = Some(record(command, "LC_DYLD_EXPORTS_TRIE")?),
            LC_SYMTAB => self.symbols = Some(record(command, "LC_SYMTAB")?),
            LC_DYSYMTAB => self.dynamic_symbols = Some(record(command, "LC_DYSYMTAB")?),
            LC_ROUTINES_64 => {
                let routines: RoutinesCommand64 = record(command, "LC_ROUTINES_64")?;
                self.initialiser = Some(routines.init_address);
            }
            LC_ENCRYPTION_INFO_64 => {
                let encryption: EncryptionInfoCommand64 = record(command, "LC_ENCRYPTION_INFO_64")?;
                if encryption.cryptid != 0 {
                    return Err(ImageError::new("its code is encrypted"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_segment(&mut self, command: &[u8]) -> Result<(), ImageError> {
        let segment: SegmentCommand64 = record(command, "LC_SEGMENT_64")?;
        let end = segment.vmaddr.checked_add(segment.vmsize);
        let Some(end) = end.filter(|_| segment.filesize <= segment.vmsize) else {
            return Err(ImageError::new("a segment has impossible sizes"));
        };
        if !segment.vmaddr.is_multiple_of(PAGE)
            || segment.filesize > 0 && !segment.fileoff.is_multiple_of(PAGE)
        {
            return Err(ImageError::new("a segment is not aligned as its pages are"));
        }
        let sections = usize::try_from(segment.nsects)
            .ok()
            .and_then(|count| count.checked_mul(SIZEOF_SECTION_64))
            .and_then(|size| command.get(SIZEOF_SEGMENT_COMMAND_64..)?.get(..size))
            .ok_or_else(|| ImageError::new("a segment has more sections than fit its command"))?;
        for bytes in sections.chunks_exact(SIZEOF_SECTION_64) {
            let section: Section64 = record(bytes, "section")?;
            let inside = section.addr >= segment.vmaddr
                && section.addr.checked_add(section.size).is_some_and(|own| own <= end);
            if !inside {
                return Err(ImageError::new("a section lies outside its segment"));
            }
            self.sections.push(section);
        }
        self.segments.push(segment);
        Ok(())
    }

    /// Finds where the library begins.
    fn locate(&mut self) -> Result<(), ImageError> {
        // dyld takes the segment of that name for the one with the header
        // (`MachOAnalyzer::preferredLoadAddress`).
        let text = self.segments.iter().find(|segment| name_of(&segment.segname) == b"__TEXT");
        let text = text.filter(|text| text.fileoff == 0 && text.filesize > 0 && is_mapped(text));
        self.header = text.ok_or_else(|| ImageError::new("no segment has its header"))?.vmaddr;
        let mapped = self.segments.iter().filter(|segment| is_mapped(segment));
        self.lowest = mapped.map(|segment| segment.vmaddr).min().unwrap_or(self.header);
        Ok(())
    }

    /// Where an address that the file states lies in the image.
    fn place(&self, address: u64) -> u64 {
        BASE.wrapping_add(address.wrapping_sub(self.lowest))
    }

    /// Where something lies in the image that is so far behind the header.
    fn behind_header(&self, offset: u64) -> u64 {
        self.place(self.header.wrapping_add(offset))
    }

    fn mapped(&self, bytes: &'data [u8]) -> Result<Vec<Segment<'data>>, ImageError> {
        let mapped = self.segments.iter().filter(|segment| is_mapped(segment));
        mapped.map(|segment| self.map(bytes, segment)).collect()
    }

    fn map(
        &self,
        bytes: &'data [u8],
        segment: &SegmentCommand64,
    ) -> Result<Segment<'data>, ImageError> {
        let end = (segment.vmaddr - self.lowest).checked_add(segment.vmsize);
        if end.is_none_or(|end| end >= MAX_EXTENT) {
            return Err(ImageError::new("a segment has impossible sizes"));
        }
        let data = at_offset(bytes, segment.fileoff, segment.filesize).ok_or_else(|| {
            ImageError::new("it is truncated: a segment reaches past the end of the file")
        })?;
        if self.has_rest(bytes, segment) {
            return Err(ImageError::new(
                "the last page of a segment has bytes of the file behind its end",
            ));
        }
        Ok(Segment {
            address: self.place(segment.vmaddr),
            size: segment.vmsize,
            data,
            executable: segment.initprot & EXECUTE != 0,
        })
    }

    /// Whether memory that should be zero would not be: whole pages of the file are mapped.
    fn has_rest(&self, bytes: &[u8], segment: &SegmentCommand64) -> bool {
        let page = if self.machine == Machine::Aarch64 { 4 * PAGE } else { PAGE };
        let size = segment.filesize.next_multiple_of(page).min(segment.vmsize);
        let start = segment.fileoff.saturating_add(segment.filesize);
        let rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..));
        let length = usize::try_from(size.saturating_sub(segment.filesize)).unwrap_or(usize::MAX);
        // What lies behind the tables for dyld is no memory that code looks at.
        name_of(&segment.segname) != b"__LINKEDIT"
            && rest.unwrap_or_default().iter().take(length).any(|byte| *byte != 0)
    }

    fn sections(&self, kind: u32) -> impl Iterator<Item = &Section64> {
        self.sections.iter().filter(move |section| section.flags & SECTION_TYPE == kind)
    }

    /// The initial content of thread-local variables: all from the first of their sections to the
    /// last, to whose start the offsets in their descriptors are relative (dyld,
    /// `threadLocalVariables.c`).
    fn thread_template(&self) -> Option<ThreadTemplate> {
        let end = |section: &Section64| section.addr.saturating_add(section.size);
        let initialised = || self.sections(S_THREAD_LOCAL_REGULAR);
        let all = || initialised().chain(self.sections(S_THREAD_LOCAL_ZEROFILL));
        let start = all().map(|section| section.addr).min()?;
        let behind = all().map(end).max()?;
        let behind_initialised = initialised().map(end).max().unwrap_or(start);
        let align = all().map(|section| section.align.min(31)).max().unwrap_or(0);
        Some(ThreadTemplate {
            address: self.place(start),
            initialised: behind_initialised - start,
            size: behind - start,
            align: 1 << align,
            index: None,
        })
    }

    /// What dyld calls, in its order (`MachOAnalyzer::forEachInitializer`).
    fn constructors(&self, image: &Image<'data>) -> Vec<u64> {
        // Bounded before they are looked at: sections may overlap, and be all zeros.
        let entries = |kind, size| {
            self.sections(kind)
                .flat_map(move |section| {
                    let start = self.place(section.addr);
                    (0..section.size / size).map(move |index| start.wrapping_add(index * size))
                })
                .take(MAX_CONSTRUCTORS)
        };
        let pointers =
            entries(S_MOD_INIT_FUNC_POINTERS, 8).filter_map(|place| image.word(place).ok());
        let offsets = entries(S_INIT_FUNC_OFFSETS, 4)
            .filter_map(|place| image.half(place).ok())
            .map(|offset| self.behind_header(offset.into()));
        let initialiser = self.initialiser.map(|address| self.place(address));
        initialiser.into_iter().chain(pointers).chain(offsets).take(MAX_CONSTRUCTORS).collect()
    }
}

/// Whether memory of the segment can be touched at all.
fn is_mapped(segment: &SegmentCommand64) -> bool {
    segment.vmsize > 0 && segment.initprot != 0
}

/// The name of a segment, which zeros fill up.
fn name_of(name: &[u8; 16]) -> &[u8] {
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The text of a command that has nothing but one: the third word says where it begins.
fn text_of(command: &[u8]) -> Result<Cow<'_, str>, ImageError> {
    let offset: u32 = record(command.get(8..).unwrap_or_default(), "load command")?;
    usize::try_from(offset)
        .ok()
        .and_then(|offset| text_at(command, offset))
        .map(|text| Cow::Borrowed(readable(text)))
        .ok_or_else(|| ImageError::new("the text of a load command lies outside of it"))
}

/// The zero-terminated bytes at an offset.
fn text_at(bytes: &[u8], offset: usize) -> Option<&[u8]> {
    let bytes = bytes.get(offset..)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    bytes.get(..end)
}

/// A fixed-size record at the start of `bytes`.
fn record<'data, Record>(bytes: &'data [u8], what: &str) -> Result<Record, ImageError>
where
    Record: TryFromCtx<'data, scroll::Endian, Error = scroll::Error>,
{
    bytes.pread_with(0, LE).map_err(|_| ImageError::new(format!("its {what} is truncated")))
}

/// A stretch of the file.
fn at_offset(bytes: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let (offset, size) = (usize::try_from(offset).ok()?, usize::try_from(size).ok()?);
    bytes.get(offset..)?.get(..size)
}

/// A table that dyld reads, empty where it has no bytes.
fn table<'data>(
    bytes: &'data [u8],
    offset: u32,
    size: u32,
    what: &str,
) -> Result<&'data [u8], ImageError> {
    if size == 0 {
        return Ok(&[]);
    }
    at_offset(bytes, offset.into(), size.into())
        .ok_or_else(|| ImageError::new(format!("its {what} lies outside the file")))
}
