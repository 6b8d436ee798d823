//! A shared library as it lies in memory once the dynamic loader is done with it.
//!
//! Each container format has a file that builds an [`Image`]; everything above reads only that.
//! An image is mapped at [`BASE`], so that no pointer into it is null or another small number, as
//! none is in a process. What the loader takes from other libraries keeps its name and no
//! address, see [`Fixup::Import`]. Nothing here runs or decodes code.

//!
//! Every format's folder has the same files:
//!
//! ```text
//! mod      segments, what the library needs, what runs when it is loaded, thread-local data
//! symbols  what it exports, and what it takes from others
//! fixups   what the loader writes into it
//! ```

mod elf;
mod mach_o;
mod pe;

use std::borrow::Cow;
use std::ops::Range;

/// Where images are mapped; addresses that the file itself states are counted from here.
pub const BASE: u64 = 0x0000_1000_0000_0000;
/// How far a library may reach: far more than any does, and away from whatever else is mapped.
pub const MAX_EXTENT: u64 = 1 << 38;

/// The unit in which memory is looked at by code that is emulated.
pub const PAGE_SIZE: usize = 4096;

/// More words than the loader writes into the largest known libraries; an upper bound on memory,
/// since the compact forms stand for many times their own size.
const MAX_FIXUPS: usize = 1 << 23;

/// Stands for every name that is no UTF-8. None is asked for by such a name, and none is called so,
/// since names end at a zero.
const UNREADABLE: &str = "a name that is not UTF-8\0";

/// The text of a name. It is no copy: many records may share the bytes of one.
fn readable(name: &[u8]) -> &str {
    std::str::from_utf8(name).unwrap_or(UNREADABLE)
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

/// What the loader puts into eight bytes of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixup {
    /// An address of this image.
    Address(u64),
    /// A number.
    Number(u64),
    /// The address of an imported symbol, and so many bytes on.
    Import {
        /// Its place in [`Image::imports`].
        index: u32,
        /// The bytes.
        addend: i64,
    },
    /// The number that the loader gave to the library's thread-local data.
    ThreadModule,
    /// How far from the thread pointer that byte of the library's thread-local data lies.
    ThreadOffset(u64),
    /// The function behind a TLS descriptor, which takes the descriptor's address and gives back
    /// the word behind it.
    ThreadDescriptor,
    /// Something that is only known at run time; the text says what.
    Unknown(&'static str),
}

/// Where an exported symbol lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Export<'data> {
    /// At this address.
    At(u64),
    /// At an address that a function of the library chooses while it is loaded.
    Chosen,
    /// In another library.
    Elsewhere {
        /// The library, as it is needed; on Windows without its suffix.
        library: Cow<'data, str>,
        /// The symbol's name there.
        name: Cow<'data, str>,
    },
}

/// A symbol that the library takes from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import<'data> {
    /// Its name as in C, without the underscore that Mach-O puts before each. A symbol that is
    /// taken by number is called `#` and the number.
    pub name: Cow<'data, str>,
    /// The library that has to have it, where the format says so, as in [`Image::needed`];
    /// otherwise the first that has it.
    pub library: Option<Cow<'data, str>>,
    /// Null where nobody has it.
    pub weak: bool,
}

/// What every thread's own data starts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadTemplate {
    /// Where its initialised part lies in the image.
    pub address: u64,
    /// The length of that part in bytes.
    pub initialised: u64,
    /// The length of all of it: zeros follow.
    pub size: u64,
    /// A power of two.
    pub align: u64,
    /// Where the loader puts the library's number (Windows).
    pub index: Option<u64>,
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
    #[error("address {} is only known at run time", shown(*.0))]
    Dynamic(u64),
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
    exports: Vec<(Cow<'data, str>, Export<'data>)>,
    imports: Vec<Import<'data>>,
    needed: Vec<Cow<'data, str>>,
    search_paths: Vec<Cow<'data, str>>,
    constructors: Vec<u64>,
    thread_template: Option<ThreadTemplate>,
    /// Where the names of symbols lie, in a format that keeps them in a table of their own.
    symbol_names: Range<u64>,
}

impl<'data> Image<'data> {
    /// The libraries in a file, by processor: one, or those of a universal binary. A library that
    /// is for no single processor, or is none at all, is given as it is.
    #[must_use]
    pub fn slices(bytes: &'data [u8]) -> Vec<&'data [u8]> {
        match Format::of(bytes) {
            Some(Format::MachO) => mach_o::slices(bytes),
            _ => vec![bytes],
        }
    }

    /// Maps and relocates a library.
    ///
    /// # Errors
    /// Where the bytes are no library, a damaged one, or of a kind that is not read yet.
    pub fn load(bytes: &'data [u8]) -> Result<Self, ImageError> {
        match Format::of(bytes) {
            Some(Format::Elf) => elf::load(bytes),
            Some(Format::MachO) => mach_o::load(bytes),
            Some(Format::Pe) => pe::load(bytes),
            None => Err(ImageError::new(
                "expected an ELF, Mach-O or PE library, found none of their signatures",
            )),
        }
    }

    /// A library of which nothing but its segments is known so far.
    fn mapped(
        format: Format,
        machine: Machine,
        mut segments: Vec<Segment<'data>>,
    ) -> Result<Self, ImageError> {
        segments.sort_by_key(|segment| segment.address);
        for pair in segments.windows(2) {
            if pair[0].address + pair[0].size > pair[1].address {
                return Err(ImageError::new("its segments overlap"));
            }
        }
        Ok(Self {
            format,
            machine,
            segments,
            fixups: Vec::new(),
            exports: Vec::new(),
            imports: Vec::new(),
            needed: Vec::new(),
            search_paths: Vec::new(),
            constructors: Vec::new(),
            thread_template: None,
            symbol_names: 0..0,
        })
    }

    /// Puts in place what the loader writes.
    fn set_fixups(&mut self, mut fixups: Vec<(u64, Fixup)>) {
        fixups.sort_by_key(|(address, _)| *address);
        fixups.dedup_by(|(later, content), (first, kept)| {
            // The tables of a library may overlap, which does no harm where they agree.
            if later == first && content != kept {
                *kept = Fixup::Unknown("the outcome of two relocations");
            }
            later == first
        });
        self.fixups = fixups;
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
    pub fn export(&self, name: &str) -> Option<&Export<'data>> {
        self.exports.iter().find(|(export, _)| export == name).map(|(_, place)| place)
    }

    /// All exported symbols.
    pub fn exports(&self) -> impl Iterator<Item = (&str, &Export<'data>)> {
        self.exports.iter().map(|(name, place)| (name.as_ref(), place))
    }

    /// The symbols that it takes from other libraries.
    #[must_use]
    pub fn imports(&self) -> &[Import<'data>] {
        &self.imports
    }

    /// The functions that the loader calls once the library is in place, as far as they are known.
    #[must_use]
    pub fn constructors(&self) -> &[u64] {
        &self.constructors
    }

    /// The libraries it asks the loader for, as it names them.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.needed.iter().map(AsRef::as_ref)
    }

    /// Where the loader is to look for them, as the library says it: `$ORIGIN/../x.libs`,
    /// `@loader_path/.dylibs`.
    pub fn search_paths(&self) -> impl Iterator<Item = &str> {
        self.search_paths.iter().map(AsRef::as_ref)
    }

    /// What every thread's own data starts as, where the library has any.
    #[must_use]
    pub fn thread_template(&self) -> Option<ThreadTemplate> {
        self.thread_template
    }

    /// Fills a page, at a multiple of [`PAGE_SIZE`], as the loader leaves it. `word` is asked for
    /// each word that the loader writes, at its distance from the page's start, what to put there;
    /// nothing where it has none. Gives back which parts of the page no segment covers: whatever the
    /// loader leaves there is not known.
    ///
    /// # Errors
    /// Where no segment reaches into the page.
    pub fn page(
        &self,
        address: u64,
        page: &mut [u8; PAGE_SIZE],
        mut word: impl FnMut(u64, Fixup) -> Option<u64>,
    ) -> Result<Vec<Range<u64>>, ReadError> {
        let end = address.saturating_add(PAGE_SIZE as u64);
        let mut uncovered = Vec::new();
        let mut covered = address;
        let first =
            self.segments.partition_point(|one| one.address.saturating_add(one.size) <= address);
        for segment in self.segments[first..].iter().take_while(|one| one.address < end) {
            let start = segment.address.max(address);
            if start > covered {
                uncovered.push(covered..start);
            }
            covered = segment.address.saturating_add(segment.size).min(end);
            let from = usize::try_from(start - segment.address).unwrap_or(usize::MAX);
            let to = usize::try_from(start - address).unwrap_or(0);
            let data = segment.data.get(from..).unwrap_or_default();
            let length = data.len().min(PAGE_SIZE - to);
            page[to..to + length].copy_from_slice(&data[..length]);
        }
        if covered == address {
            return Err(ReadError::Outside(address));
        }
        if covered < end {
            uncovered.push(covered..end);
        }
        for (at, fixup) in self.fixups_within(address, PAGE_SIZE as u64) {
            let Some(value) = word(at.wrapping_sub(address), *fixup) else { continue };
            // A word may begin before the page or end behind it.
            for (index, byte) in value.to_le_bytes().into_iter().enumerate() {
                let place = at.wrapping_add(index as u64).wrapping_sub(address);
                if let Some(target) = usize::try_from(place).ok().and_then(|at| page.get_mut(at)) {
                    *target = byte;
                }
            }
        }
        Ok(uncovered)
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

    /// The bytes that the file has for its segments, before relocation.
    pub(super) fn contents(&self) -> impl Iterator<Item = &'data [u8]> {
        self.segments.iter().map(|segment| segment.data)
    }

    /// The same without the table of the symbols' names, which only the loader reads.
    pub(super) fn contents_without_names(&self) -> impl Iterator<Item = &'data [u8]> {
        self.segments.iter().flat_map(|segment| {
            let place = |address: u64| {
                let offset = address.saturating_sub(segment.address);
                usize::try_from(offset).unwrap_or(usize::MAX).min(segment.data.len())
            };
            let before = segment.data.get(..place(self.symbol_names.start));
            let behind = segment.data.get(place(self.symbol_names.end)..);
            [before, behind].into_iter().flatten()
        })
    }

    /// Eight bytes as the loader leaves them: an address of this image, or a number.
    ///
    /// # Errors
    /// Where the file does not initialise all of them, or the loader's value is not known.
    pub fn word(&self, address: u64) -> Result<u64, ReadError> {
        match self.fixups_within(address, 8) {
            [] => self.bytes::<8>(address).map(u64::from_le_bytes),
            [(at, Fixup::Address(value) | Fixup::Number(value))] if *at == address => Ok(*value),
            _ => Err(ReadError::Dynamic(address)),
        }
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

    /// Four bytes, none of them written by the loader.
    fn half(&self, address: u64) -> Result<u32, ReadError> {
        if self.is_relocated(address, 4) {
            return Err(ReadError::Dynamic(address));
        }
        self.bytes(address).map(u32::from_le_bytes)
    }

    /// Whether the loader changes any of `size` bytes at `address`.
    #[must_use]
    pub fn is_relocated(&self, address: u64, size: u64) -> bool {
        !self.fixups_within(address, size).is_empty()
    }

    fn bytes<const SIZE: usize>(&self, address: u64) -> Result<[u8; SIZE], ReadError> {
        self.raw(address)?.first_chunk().copied().ok_or(ReadError::Uninitialised(address))
    }
}
