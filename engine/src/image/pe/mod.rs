//! PE images, as the loader of Windows maps them.
//!
//! Addresses in the file are relative to where the image begins (RVAs), but for the few that are
//! stated as if it began at its preferred base; those are relocated. What counts follows the PE
//! format's specification, and where that leaves it open what the loader does. Whether the image is
//! signed, has resources or unwind tables does not matter here.

mod fixups;
mod symbols;

use goblin::container::{Container, Ctx};
use goblin::pe::data_directories::DataDirectory;
use goblin::pe::header::{
    COFF_MACHINE_ARM64, COFF_MACHINE_X86_64, CoffHeader, PE_MAGIC, PE_POINTER_OFFSET,
    SIZEOF_COFF_HEADER, SIZEOF_PE_MAGIC,
};
use goblin::pe::load_config::LoadConfigDirectory;
use goblin::pe::optional_header::{MAGIC_64, StandardFields64, WindowsFields64};
use goblin::pe::section_table::{IMAGE_SCN_MEM_EXECUTE, SIZEOF_SECTION_TABLE};
use goblin::pe::tls::{ImageTlsDirectory, TLS_CHARACTERISTICS_ALIGN_MASK};
use scroll::ctx::TryFromCtx;
use scroll::{Endian, LE, Pread};

use super::{
    BASE, Format, Image, ImageError, MAX_EXTENT, Machine, ReadError, Segment, ThreadTemplate,
};

/// Flags of the file header.
const RELOCATIONS_STRIPPED: u16 = 0x0001;
const DLL: u16 = 0x2000;
/// The page of every processor that is read; an image of a smaller alignment is mapped otherwise.
const PAGE: u32 = 4096;
/// Raw data begins at a multiple of this, whatever the section header says (PE format, "Optional
/// Header Windows-Specific Fields", on `FileAlignment`).
const SECTOR: usize = 512;
/// The longest name that is looked at; hooks of modules are far shorter.
const MAX_NAME: usize = 4096;
/// Libraries have one or two callbacks.
const MAX_CALLBACKS: u64 = 1 << 10;
/// The size of an `IMAGE_TLS_DIRECTORY64`.
const TLS_DIRECTORY_SIZE: usize = 40;
/// Where the alignment begins in the characteristics of that.
const ALIGN_SHIFT: u32 = 20;
/// As much of an `IMAGE_LOAD_CONFIG_DIRECTORY64` as is looked at: up to `CHPEMetadataPointer`.
const LOAD_CONFIG_SIZE: usize = 0xd0;

/// Places of tables in the data directory.
const EXPORTS: usize = 0;
const IMPORTS: usize = 1;
const RELOCATIONS: usize = 5;
const THREAD_DATA: usize = 9;
const LOAD_CONFIG: usize = 10;
const DELAYED_IMPORTS: usize = 13;
const MANAGED_CODE: usize = 14;

pub(super) fn load(bytes: &[u8]) -> Result<Image<'_>, ImageError> {
    let header = Header::read(bytes)?;
    let mut image = Image::mapped(Format::Pe, header.machine, header.segments(bytes)?)?;
    header.check_kind_of_code(&image)?;
    image.exports = symbols::exports(&header, &image)?;
    let imports = symbols::imports(&header, &image)?;
    let fixups = fixups::fixups(&header, &image, &imports.slots)?;
    image.needed = imports.libraries;
    image.imports = imports.list;
    image.set_fixups(fixups);
    // These hold addresses that had to be relocated first.
    let (template, callbacks) = header.thread_data(&image)?;
    image.thread_template = template;
    image.constructors = callbacks;
    // The loader calls the thread callbacks first, then the entry point, which runs initialisers.
    if header.entry_point != 0 {
        image.constructors.push(BASE + u64::from(header.entry_point));
    }
    Ok(image)
}

/// What the headers say that has a say in how the image is loaded.
struct Header {
    machine: Machine,
    /// Flags of the file header.
    characteristics: u16,
    section_count: usize,
    /// Where the section headers stand in the file.
    sections: usize,
    /// The address that the file takes for that of its first byte.
    preferred_base: u64,
    entry_point: u32,
    section_alignment: u32,
    image_size: u32,
    headers_size: u32,
    directories: Vec<DataDirectory>,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let damaged = |what| ImageError::new(format!("it is truncated: {what}"));
        let start: u32 = bytes
            .pread_with(PE_POINTER_OFFSET as usize, LE)
            .map_err(|_| damaged("it has no PE header"))?;
        let start = start as usize;
        let signature: u32 =
            bytes.pread_with(start, LE).map_err(|_| damaged("it has no PE header"))?;
        if signature != PE_MAGIC {
            return Err(ImageError::new("expected a PE header, found another signature"));
        }
        let file = start + SIZEOF_PE_MAGIC;
        let optional = file + SIZEOF_COFF_HEADER;
        let file: CoffHeader = bytes
            .pread_with(file, LE)
            .map_err(|_| damaged("its file header reaches past the end of the file"))?;
        let past_end = |_| damaged("its optional header reaches past the end of the file");
        let mut at = optional;
        let magic: u16 = bytes.pread_with(at, LE).map_err(past_end)?;
        let machine = match file.machine {
            COFF_MACHINE_X86_64 => Machine::X86_64,
            COFF_MACHINE_ARM64 => Machine::Aarch64,
            other => Machine::Other(u32::from(other)),
        };
        if magic != MAGIC_64 {
            return Err(ImageError::new("only 64-bit PE libraries are read"));
        }
        let standard: StandardFields64 = bytes.gread_with(&mut at, LE).map_err(past_end)?;
        let windows: WindowsFields64 = bytes.gread_with(&mut at, LE).map_err(past_end)?;
        let sections = optional + usize::from(file.size_of_optional_header);
        // The loader heeds the count, and not the size of the header.
        let count = (windows.number_of_rva_and_sizes as usize).min(MANAGED_CODE + 1);
        let directories = (0..count)
            .map(|_| bytes.gread_with(&mut at, LE).map_err(past_end))
            .collect::<Result<_, ImageError>>()?;
        if file.characteristics & DLL == 0 {
            return Err(ImageError::new("expected a shared library, found a PE file that is none"));
        }
        let alignment = windows.section_alignment;
        if alignment < PAGE || !alignment.is_power_of_two() {
            return Err(ImageError::new(format!(
                "only PE libraries whose sections are aligned to pages are read, not to {alignment}"
            )));
        }
        Ok(Self {
            machine,
            characteristics: file.characteristics,
            section_count: usize::from(file.number_of_sections),
            sections,
            preferred_base: windows.image_base,
            entry_point: standard.address_of_entry_point,
            section_alignment: alignment,
            image_size: windows.size_of_image,
            headers_size: windows.size_of_headers,
            directories,
        })
    }

    /// The headers, which are mapped too, and the sections, one behind the other without a gap: the
    /// loader takes no others.
    fn segments<'data>(&self, bytes: &'data [u8]) -> Result<Vec<Segment<'data>>, ImageError> {
        let headers = bytes
            .get(..self.headers_size as usize)
            .ok_or_else(|| ImageError::new("it is truncated: its headers are not all there"))?;
        let mut end = self.in_memory(self.headers_size);
        let mut segments =
            vec![Segment { address: BASE, size: end, data: headers, executable: false }];
        for index in 0..self.section_count {
            let section = Section::read(bytes, self.sections + index * SIZEOF_SECTION_TABLE)?;
            if u64::from(section.address) != end {
                return Err(ImageError::new("its sections do not follow one another"));
            }
            let size = if section.size == 0 { section.raw_size } else { section.size };
            let size = self.in_memory(size);
            let data = section.data(bytes)?;
            segments.push(Segment {
                address: BASE + end,
                size,
                data: &data[..data.len().min(usize::try_from(size).unwrap_or(usize::MAX))],
                executable: section.characteristics & IMAGE_SCN_MEM_EXECUTE != 0,
            });
            end += size;
        }
        if end > self.in_memory(self.image_size) || end >= MAX_EXTENT {
            return Err(ImageError::new("its sections reach past the end of the image"));
        }
        Ok(segments)
    }

    /// A size rounded up to what is mapped.
    fn in_memory(&self, size: u32) -> u64 {
        u64::from(size).next_multiple_of(u64::from(self.section_alignment))
    }

    /// The table at that place of the data directory; `None` where there is none.
    fn directory(&self, index: usize) -> Option<DataDirectory> {
        self.directories.get(index).copied().filter(|table| table.virtual_address != 0)
    }

    /// Whether the code is what the header says it is, and is all there is.
    fn check_kind_of_code(&self, image: &Image<'_>) -> Result<(), ImageError> {
        if self.directory(MANAGED_CODE).is_some() {
            return Err(ImageError::new("libraries with code for the CLR are not read"));
        }
        // An ARM64X library says that it is for ARM64, and is that in a process of that kind. One
        // that says x86-64 and has hybrid metadata has ARM64EC code.
        if self.machine == Machine::X86_64
            && let Some(table) = self.directory(LOAD_CONFIG)
        {
            let place = BASE + u64::from(table.virtual_address);
            let config: [u8; LOAD_CONFIG_SIZE] =
                padded(image, place).ok_or_else(|| outside("load configuration"))?;
            let context = Ctx::new(Container::Big, Endian::Little);
            let config: LoadConfigDirectory = config
                .pread_with(0, context)
                .map_err(|_: goblin::error::Error| outside("load configuration"))?;
            let is_there = config.size as usize >= LOAD_CONFIG_SIZE;
            if is_there && config.chpe_metadata_pointer.is_some_and(|pointer| pointer != 0) {
                return Err(ImageError::new("ARM64EC libraries are not read"));
            }
        }
        Ok(())
    }

    /// Thread-local data, and the functions that are called for each thread. The fields of the
    /// directory are addresses, no RVAs.
    fn thread_data(
        &self,
        image: &Image<'_>,
    ) -> Result<(Option<ThreadTemplate>, Vec<u64>), ImageError> {
        let Some(table) = self.directory(THREAD_DATA) else { return Ok((None, Vec::new())) };
        let what = "thread-local data";
        let place = BASE + u64::from(table.virtual_address);
        let mut directory: ImageTlsDirectory = record::<_, TLS_DIRECTORY_SIZE>(image, place, what)?;
        for (offset, field) in [
            (0, &mut directory.start_address_of_raw_data),
            (8, &mut directory.end_address_of_raw_data),
            (16, &mut directory.address_of_index),
            (24, &mut directory.address_of_callbacks),
        ] {
            *field = relocated(image, place + offset).ok_or_else(|| outside(what))?;
        }
        let start = directory.start_address_of_raw_data;
        let initialised = directory
            .end_address_of_raw_data
            .checked_sub(start)
            .filter(|size| *size == 0 || is_within(image, start, *size))
            .ok_or_else(|| outside(what))?;
        if !is_within(image, directory.address_of_index, 4) {
            return Err(outside("index of its thread-local data"));
        }
        let align = directory.characteristics & TLS_CHARACTERISTICS_ALIGN_MASK;
        let template = ThreadTemplate {
            address: start,
            initialised,
            size: initialised + u64::from(directory.size_of_zero_fill),
            // The power of two, and one more; where there is none, what allocators give.
            align: (align >> ALIGN_SHIFT).checked_sub(1).map_or(16, |power| 1 << power),
            index: Some(directory.address_of_index),
        };
        let mut callbacks = Vec::new();
        if directory.address_of_callbacks != 0 {
            for index in 0..=MAX_CALLBACKS {
                let place = directory.address_of_callbacks.wrapping_add(index * 8);
                match relocated(image, place).ok_or_else(|| outside("table of thread callbacks"))? {
                    0 => break,
                    _ if index == MAX_CALLBACKS => {
                        return Err(ImageError::new("its table of thread callbacks has no end"));
                    }
                    callback => callbacks.push(callback),
                }
            }
        }
        Ok((Some(template), callbacks))
    }
}

/// A section header, as far as it has a say in what is mapped.
struct Section {
    /// In memory.
    size: u32,
    address: u32,
    raw_size: u32,
    raw_address: u32,
    characteristics: u32,
}

impl Section {
    /// Its name, which may lie in a table of its own, is of no matter.
    fn read(bytes: &[u8], at: usize) -> Result<Self, ImageError> {
        let field = |offset| {
            bytes.pread_with::<u32>(at + offset, LE).map_err(|_| {
                ImageError::new(
                    "it is truncated: a section header reaches past the end of the file",
                )
            })
        };
        Ok(Self {
            size: field(8)?,
            address: field(12)?,
            raw_size: field(16)?,
            raw_address: field(20)?,
            characteristics: field(36)?,
        })
    }

    fn data<'data>(&self, bytes: &'data [u8]) -> Result<&'data [u8], ImageError> {
        if self.raw_address == 0 {
            return Ok(&[]);
        }
        let start = self.raw_address as usize / SECTOR * SECTOR;
        let end = start.checked_add(self.raw_size as usize);
        end.and_then(|end| bytes.get(start..end)).ok_or_else(|| {
            ImageError::new("it is truncated: a section reaches past the end of the file")
        })
    }
}

/// So many bytes of the image, before relocation: those of the file, and zeros where it has none.
fn padded<const SIZE: usize>(image: &Image<'_>, address: u64) -> Option<[u8; SIZE]> {
    let segment = image.segment(address).ok()?;
    let offset = address - segment.address;
    if segment.size - offset < SIZE as u64 {
        return None;
    }
    let mut bytes = [0; SIZE];
    let data = usize::try_from(offset).ok().and_then(|offset| segment.data.get(offset..));
    for (byte, value) in bytes.iter_mut().zip(data.unwrap_or_default()) {
        *byte = *value;
    }
    Some(bytes)
}

/// A record of a table, `SIZE` bytes long.
fn record<T, const SIZE: usize>(
    image: &Image<'_>,
    address: u64,
    what: &str,
) -> Result<T, ImageError>
where
    T: for<'b> TryFromCtx<'b, Endian, Error = scroll::Error>,
{
    padded::<SIZE>(image, address)
        .and_then(|bytes| bytes.pread_with(0, LE).ok())
        .ok_or_else(|| outside(what))
}

/// Eight bytes as the loader leaves them.
fn relocated(image: &Image<'_>, address: u64) -> Option<u64> {
    match image.word(address) {
        Ok(value) => Some(value),
        Err(ReadError::Uninitialised(_)) => padded(image, address).map(u64::from_le_bytes),
        Err(_) => None,
    }
}

/// Whether all of a stretch belongs to one segment.
fn is_within(image: &Image<'_>, address: u64, size: u64) -> bool {
    image.segment(address).is_ok_and(|segment| size <= segment.size - (address - segment.address))
}

/// The text at an RVA; `None` where it is none, or has no end within reason.
fn text<'data>(image: &Image<'data>, address: u32) -> Option<&'data str> {
    let bytes = image.raw(BASE + u64::from(address)).ok()?;
    let bytes = &bytes[..bytes.len().min(MAX_NAME)];
    let end = bytes.iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(&bytes[..end]).ok()
}

fn outside(what: &str) -> ImageError {
    ImageError::new(format!("its {what} lies outside the bytes it loads"))
}
