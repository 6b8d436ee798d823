//! A shared library as it lies in memory once the dynamic loader is done with it.
//!
//! Each container format has a file that builds an [`Image`]; everything above reads only that.
//! An image is mapped at [`BASE`], so that no pointer into it is null or another small number, as
//! none is in a process. What the loader takes from other libraries is represented by addresses of
//! its own, see [`Image::import_at`]. Nothing here runs or decodes code.

mod elf;

use std::borrow::Cow;

/// Imported symbols are given addresses from here on: no library can be mapped there.
const IMPORTS: u64 = 0xffff_f000_0000_0000;
/// The distance of two imported symbols, so that an addend cannot turn one into the other.
const IMPORT_STRIDE: u64 = 0x1_0000;
/// Where images are mapped; addresses that the file itself states are counted from here.
pub const BASE: u64 = 0x0000_1000_0000_0000;
/// How far a library may reach: far more than any does, and away from whatever else is mapped.
pub const MAX_EXTENT: u64 = 1 << 38;

/// The unit in which memory is looked at by code that is emulated.
pub const PAGE_SIZE: usize = 4096;

/// What the loader puts into a word of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageWord {
    /// An address of this image.
    Address(u64),
    /// The import of that index, as [`Image::imported`] lists them.
    Import(usize),
    /// Something that is only known at run time; the text says what.
    Unknown(&'static str),
}

/// The container format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Linux and the other System V systems.
    Elf,
    /// macOS.
    MachO,
    /// Windows.
    Pe,
}

impl Format {
    /// The name it has in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::MachO => "mach-o",
            Self::Pe => "pe",
        }
    }

    /// Told by the first bytes; `None` for anything else.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x7f, b'E', b'L', b'F', ..] => Some(Self::Elf),
            // Thin, 64-bit and 32-bit, and fat, of either byte order.
            [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe | 0xbf, ..] => {
                Some(Self::MachO)
            }
            [b'M', b'Z', ..] => Some(Self::Pe),
            _ => None,
        }
    }
}

/// The processor a library is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
    /// Another one, by the number the format gives it.
    Other(u32),
}

impl Machine {
    /// The name it has in reports.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::X86_64 => "x86_64".into(),
            Self::Aarch64 => "aarch64".into(),
            Self::Other(number) => format!("machine {number}").into(),
        }
    }
}

/// A stretch of memory: bytes of the file, then zeros.
#[derive(Debug, Clone)]
struct Segment<'data> {
    address: u64,
    size: u64,
    data: &'data [u8],
    executable: bool,
}

impl Segment<'_> {
    fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.address) < self.size
    }
}

/// What the loader puts at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fixup {
    /// A pointer, into the image or to an import.
    Pointer(u64),
    /// Something that is only known at run time; the text says what.
    Unknown(&'static str),
}

/// Where an exported symbol lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// At this address.
    At(u64),
    /// At an address that a function of the library chooses while it is loaded.
    Chosen,
}

/// Why memory could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No segment covers it.
    #[error("address {} lies outside the image", shown(*.0))]
    Outside(u64),
    /// It is memory that the file has no bytes for: zero until something writes it.
    #[error("address {} is not initialised by the file", shown(*.0))]
    Uninitialised(u64),
    /// The loader decides at run time what is there.
    #[error("address {} holds {what}, known only at run time", shown(*.address))]
    Dynamic {
        /// The address.
        address: u64,
        /// What is there.
        what: &'static str,
    },
    /// There is no end to a text within reason.
    #[error("no text of a sensible length ends after address {}", shown(*.0))]
    Unterminated(u64),
}

/// An address as the file itself counts, in hexadecimal.
#[must_use]
pub fn shown(address: u64) -> String {
    let own = address.checked_sub(BASE).filter(|own| *own < MAX_EXTENT);
    format!("{:#x}", own.unwrap_or(address))
}

/// The file is not one that the dynamic loader would take, or not one that is understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImageError(String);

impl ImageError {
    fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// A loaded library.
#[derive(Debug)]
pub struct Image<'data> {
    format: Format,
    machine: Machine,
    segments: Vec<Segment<'data>>,
    /// Sorted by address.
    fixups: Vec<(u64, Fixup)>,
    exports: Vec<(Cow<'data, str>, Export)>,
    imports: Vec<Cow<'data, str>>,
    needed: Vec<Cow<'data, str>>,
    /// Functions that the loader calls before anything else.
    constructors: Vec<u64>,
}

impl<'data> Image<'data> {
    /// Maps and relocates a library.
    ///
    /// # Errors
    /// Where the bytes are no library, a damaged one, or of a kind that is not read yet.
    pub fn load(bytes: &'data [u8]) -> Result<Self, ImageError> {
        match Format::of(bytes) {
            Some(Format::Elf) => elf::load(bytes),
            Some(other) => {
                Err(ImageError::new(format!("{} libraries are not read yet", other.as_str())))
            }
            None => Err(ImageError::new(
                "expected an ELF, Mach-O or PE library, found none of their signatures",
            )),
        }
    }

    /// Puts together what a format's loader found.
    fn assemble(mut self) -> Result<Self, ImageError> {
        self.segments.sort_by_key(|segment| segment.address);
        for pair in self.segments.windows(2) {
            if pair[0].address + pair[0].size > pair[1].address {
                return Err(ImageError::new("its segments overlap"));
            }
        }
        self.fixups.sort_by_key(|(address, _)| *address);
        self.fixups.dedup_by(|(later, content), (first, kept)| {
            // The tables of a library may overlap, which does no harm where they agree.
            if later == first && content != kept {
                *kept = Fixup::Unknown("the outcome of two relocations");
            }
            later == first
        });
        Ok(self)
    }

    /// The container format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The processor.
    #[must_use]
    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// An exported symbol.
    #[must_use]
    pub fn export(&self, name: &str) -> Option<Export> {
        self.exports.iter().find(|(export, _)| export == name).map(|(_, place)| *place)
    }

    /// The names of all exported symbols.
    pub fn exports(&self) -> impl Iterator<Item = &str> {
        self.exports.iter().map(|(name, _)| name.as_ref())
    }

    /// The names and addresses of all exported symbols that have a fixed one.
    pub fn export_addresses(&self) -> impl Iterator<Item = (&str, u64)> {
        self.exports.iter().filter_map(|(name, place)| match place {
            Export::At(address) => Some((name.as_ref(), *address)),
            Export::Chosen => None,
        })
    }

    /// Fills a page, at a multiple of [`PAGE_SIZE`], as the loader leaves it. `word` is asked for
    /// each relocated word, at its distance from the page's start, what to put there; nothing where
    /// it has none.
    ///
    /// # Errors
    /// Where no segment reaches into the page.
    pub fn page(
        &self,
        address: u64,
        page: &mut [u8; PAGE_SIZE],
        mut word: impl FnMut(u64, PageWord) -> Option<u64>,
    ) -> Result<(), ReadError> {
        let end = address.saturating_add(PAGE_SIZE as u64);
        let mut touched = false;
        let first =
            self.segments.partition_point(|one| one.address.saturating_add(one.size) <= address);
        for segment in self.segments[first..].iter().take_while(|one| one.address < end) {
            touched = true;
            let start = segment.address.max(address);
            let from = usize::try_from(start - segment.address).unwrap_or(usize::MAX);
            let to = usize::try_from(start - address).unwrap_or(0);
            let data = segment.data.get(from..).unwrap_or_default();
            let length = data.len().min(PAGE_SIZE - to);
            page[to..to + length].copy_from_slice(&data[..length]);
        }
        if !touched {
            return Err(ReadError::Outside(address));
        }
        for (at, fixup) in self.fixups_within(address, PAGE_SIZE as u64) {
            let content = match fixup {
                Fixup::Unknown(what) => PageWord::Unknown(what),
                Fixup::Pointer(value) => match value.checked_sub(IMPORTS) {
                    Some(offset) => PageWord::Import(
                        usize::try_from(offset / IMPORT_STRIDE).unwrap_or(usize::MAX),
                    ),
                    None => PageWord::Address(*value),
                },
            };
            let Some(value) = word(at.wrapping_sub(address), content) else { continue };
            // A word may begin before the page or end behind it.
            for (index, byte) in value.to_le_bytes().into_iter().enumerate() {
                let place = at.wrapping_add(index as u64).wrapping_sub(address);
                if let Some(target) = usize::try_from(place).ok().and_then(|at| page.get_mut(at)) {
                    *target = byte;
                }
            }
        }
        Ok(())
    }

    /// Whether the library takes a symbol of that name from another one.
    #[must_use]
    pub fn imports(&self, name: &str) -> bool {
        self.imports.iter().any(|import| import == name)
    }

    /// The names of all symbols that it takes from other libraries.
    pub fn imported(&self) -> impl Iterator<Item = &str> {
        self.imports.iter().map(AsRef::as_ref)
    }

    /// The functions that the loader calls once the library is in place, as far as they are known.
    #[must_use]
    pub fn constructors(&self) -> &[u64] {
        &self.constructors
    }

    /// The libraries it asks the loader for.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.needed.iter().map(AsRef::as_ref)
    }

    /// The name of the imported symbol that `address` stands for.
    #[must_use]
    pub fn import_at(&self, address: u64) -> Option<&str> {
        let offset = address.checked_sub(IMPORTS)?;
        if !offset.is_multiple_of(IMPORT_STRIDE) {
            return None;
        }
        let index = usize::try_from(offset / IMPORT_STRIDE).ok()?;
        self.imports.get(index).map(AsRef::as_ref)
    }

    fn segment(&self, address: u64) -> Result<&Segment<'data>, ReadError> {
        // Sorted, and none overlaps another.
        let behind = self.segments.partition_point(|segment| segment.address <= address);
        behind
            .checked_sub(1)
            .map(|index| &self.segments[index])
            .filter(|segment| segment.contains(address))
            .ok_or(ReadError::Outside(address))
    }

    /// The bytes of the file from `address` to the end of its segment, before relocation.
    fn raw(&self, address: u64) -> Result<&'data [u8], ReadError> {
        let segment = self.segment(address)?;
        usize::try_from(address - segment.address)
            .ok()
            .and_then(|offset| segment.data.get(offset..))
            .filter(|bytes| !bytes.is_empty())
            .ok_or(ReadError::Uninitialised(address))
    }

    /// The machine code from `address` to the end of its segment.
    ///
    /// # Errors
    /// Where there is none, or the memory there cannot be executed.
    pub fn code(&self, address: u64) -> Result<&'data [u8], ReadError> {
        if !self.segment(address)?.executable {
            return Err(ReadError::Outside(address));
        }
        self.raw(address)
    }

    /// The fixups that touch `size` bytes at `address`.
    fn fixups_within(&self, address: u64, size: u64) -> &[(u64, Fixup)] {
        // Every fixup is eight bytes wide.
        let first = self.fixups.partition_point(|(at, _)| at.saturating_add(8) <= address);
        let end = address.saturating_add(size);
        let length = self.fixups[first..].partition_point(|(at, _)| *at < end);
        &self.fixups[first..first + length]
    }

    /// Eight bytes as the loader leaves them: an address of this image, of an import, or a number.
    ///
    /// # Errors
    /// Where the file does not initialise all of them, or the loader's value is not known.
    pub fn word(&self, address: u64) -> Result<u64, ReadError> {
        match self.fixups_within(address, 8) {
            [] => self.bytes::<8>(address).map(u64::from_le_bytes),
            [(at, Fixup::Pointer(value))] if *at == address => Ok(*value),
            [(at, Fixup::Unknown(what))] if *at == address => {
                Err(ReadError::Dynamic { address, what })
            }
            _ => Err(ReadError::Dynamic { address, what: "parts of relocated pointers" }),
        }
    }

    /// Four bytes, none of them relocated.
    ///
    /// # Errors
    /// As for [`Image::word`].
    pub fn half(&self, address: u64) -> Result<u32, ReadError> {
        self.plain::<4>(address).map(u32::from_le_bytes)
    }

    /// One byte, not relocated.
    ///
    /// # Errors
    /// As for [`Image::word`].
    pub fn byte(&self, address: u64) -> Result<u8, ReadError> {
        self.plain::<1>(address).map(|[byte]| byte)
    }

    /// Whether `address` is memory that starts as zero, because neither the file has bytes for it
    /// nor the loader puts a pointer there.
    #[must_use]
    pub fn is_zero_filled(&self, address: u64) -> bool {
        self.raw(address) == Err(ReadError::Uninitialised(address))
            && !self.is_relocated(address, 8)
    }

    /// Whether the loader changes any of `size` bytes at `address`.
    #[must_use]
    pub fn is_relocated(&self, address: u64, size: u64) -> bool {
        !self.fixups_within(address, size).is_empty()
    }

    fn plain<const SIZE: usize>(&self, address: u64) -> Result<[u8; SIZE], ReadError> {
        if !self.fixups_within(address, SIZE as u64).is_empty() {
            return Err(ReadError::Dynamic { address, what: "parts of relocated pointers" });
        }
        self.bytes(address)
    }

    fn bytes<const SIZE: usize>(&self, address: u64) -> Result<[u8; SIZE], ReadError> {
        self.raw(address)?.first_chunk().copied().ok_or(ReadError::Uninitialised(address))
    }

    /// The zero-terminated text at `address`.
    ///
    /// # Errors
    /// Where it is not in the file, has no end within 4,096 bytes, or is not UTF-8.
    pub fn text(&self, address: u64) -> Result<&'data str, ReadError> {
        let bytes = self.raw(address)?;
        let end = bytes
            .iter()
            .take(4096)
            .position(|byte| *byte == 0)
            .ok_or(ReadError::Unterminated(address))?;
        std::str::from_utf8(&bytes[..end]).map_err(|_| ReadError::Unterminated(address))
    }
}
