//! Fixups as chains: each place states what goes there and how far the next place is.
//!
//! Layouts are those of `<mach-o/fixup-chains.h>`, read as dyld does (`MachOAnalyzer::forEachFixup`
//! and `forEachChainedFixupTarget`). Signatures of pointers (arm64e) are left out: an address stands
//! for itself.

use scroll::{LE, Pread};

use super::fixups::Writer;
use super::symbols::{Bound, Scope, Symbols};
use super::text_at;
use crate::image::ImageError;

/// A page without fixups.
const NO_START: u16 = 0xffff;
/// Several chains in one page, which only 32-bit formats have.
const SEVERAL_STARTS: u16 = 0x8000;

pub(super) fn apply<'data>(
    bytes: &'data [u8],
    writer: &mut Writer<'_, 'data>,
    symbols: &mut Symbols<'_, 'data>,
) -> Result<(), ImageError> {
    let version = word(bytes, 0)?;
    if version != 0 {
        return Err(ImageError::new(format!(
            "its chained fixups are of unknown version {version}"
        )));
    }
    let targets = targets(bytes, writer, symbols)?;
    let starts = part(bytes, word(bytes, 4)?)?;
    let count = word(starts, 0)?;
    for index in 0..usize::try_from(count).unwrap_or(usize::MAX) {
        let Some(entry) = index.checked_add(1).and_then(|entry| entry.checked_mul(4)) else {
            return Err(truncated());
        };
        let offset: u32 = starts.pread_with(entry, LE).map_err(|_| truncated())?;
        if offset != 0 {
            let chains = Chains::read(part(starts, offset)?, index)?;
            // dyld counts from there, and refuses the library where the two differ.
            let segment = writer.commands.segments.get(index).map(|segment| segment.vmaddr);
            if segment != Some(writer.commands.header.wrapping_add(chains.offset)) {
                return Err(ImageError::new("its chained fixups are about another segment"));
            }
            chains.apply(&targets, writer)?;
        }
    }
    Ok(())
}

fn truncated() -> ImageError {
    ImageError::new("its table of chained fixups is truncated")
}

fn word(bytes: &[u8], at: usize) -> Result<u32, ImageError> {
    bytes.pread_with(at, LE).map_err(|_| truncated())
}

fn part(bytes: &[u8], offset: u32) -> Result<&[u8], ImageError> {
    usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).ok_or_else(truncated)
}

/// What places are bound to: by number, and the bytes to add.
fn targets<'data>(
    bytes: &'data [u8],
    writer: &Writer<'_, 'data>,
    symbols: &mut Symbols<'_, 'data>,
) -> Result<Vec<(Bound, i64)>, ImageError> {
    let (place, names) = (word(bytes, 8)?, word(bytes, 12)?);
    let (count, format, compression) = (word(bytes, 16)?, word(bytes, 20)?, word(bytes, 24)?);
    if count == 0 {
        return Ok(Vec::new());
    }
    if compression != 0 {
        return Err(ImageError::new("the names of its imported symbols are compressed"));
    }
    let size = match format {
        1 => 4_usize,
        2 => 8,
        3 => 16,
        _ => {
            return Err(ImageError::new(format!(
                "its imported symbols are listed in the unknown format {format}"
            )));
        }
    };
    let names = part(bytes, names)?;
    let table = usize::try_from(count).ok().and_then(|count| count.checked_mul(size));
    let table =
        table.and_then(|size| part(bytes, place).ok()?.get(..size)).ok_or_else(truncated)?;
    // Entries may share the bytes of their names, which are looked at for each of them.
    let mut left = names.len().saturating_mul(4);
    let mut targets = Vec::new();
    for entry in table.chunks_exact(size) {
        let (ordinal, weak, name, addend) = if format == 3 {
            let entry_bits: u64 = entry.pread_with(0, LE).map_err(|_| truncated())?;
            let addend: i64 = entry.pread_with(8, LE).map_err(|_| truncated())?;
            let ordinal = special(bits(entry_bits, 0, 16), 16);
            (ordinal, bits(entry_bits, 16, 1), bits(entry_bits, 32, 32), addend)
        } else {
            let entry_bits = u64::from(word(entry, 0)?);
            let addend = match format {
                2 => entry.pread_with::<i32>(4, LE).map_err(|_| truncated())?.into(),
                _ => 0,
            };
            let ordinal = special(bits(entry_bits, 0, 8), 8);
            (ordinal, bits(entry_bits, 8, 1), bits(entry_bits, 9, 23), addend)
        };
        let name = usize::try_from(name).ok().and_then(|offset| text_at(names, offset));
        let name = name.ok_or_else(truncated)?;
        left = left.checked_sub(name.len()).ok_or_else(|| {
            ImageError::new("its imported symbols have more of names than is there")
        })?;
        let scope = Scope::of(ordinal, writer.commands)?;
        let name = symbols.name(name);
        targets.push((symbols.bind(name, scope, weak != 0), addend));
    }
    Ok(targets)
}

/// The number of a library: the highest 15 stand for negative ones.
fn special(ordinal: u64, width: u32) -> i64 {
    let limit = 1_i64 << width;
    let ordinal = i64::try_from(ordinal).unwrap_or(0);
    if ordinal > limit - 16 { ordinal - limit } else { ordinal }
}

fn bits(value: u64, from: u32, width: u32) -> u64 {
    value >> from & ((1 << width) - 1)
}

/// How the words of a chain are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// `DYLD_CHAINED_PTR_64`, and where `offsets` says so `DYLD_CHAINED_PTR_64_OFFSET`.
    Plain { offsets: bool },
    /// `DYLD_CHAINED_PTR_ARM64E`, with offsets `DYLD_CHAINED_PTR_ARM64E_USERLAND`, and with
    /// ordinals of 24 bits `DYLD_CHAINED_PTR_ARM64E_USERLAND24`.
    Signed { offsets: bool, ordinal: u32 },
}

impl Layout {
    fn of(format: u16) -> Result<Self, ImageError> {
        match format {
            1 => Ok(Self::Signed { offsets: false, ordinal: 16 }),
            2 => Ok(Self::Plain { offsets: false }),
            6 => Ok(Self::Plain { offsets: true }),
            9 => Ok(Self::Signed { offsets: true, ordinal: 16 }),
            12 => Ok(Self::Signed { offsets: true, ordinal: 24 }),
            _ => Err(ImageError::new(format!(
                "its chained fixups are of the unknown pointer format {format}"
            ))),
        }
    }

    /// How many bytes on the next word of the chain lies, 0 at its end.
    fn next(self, word: u64) -> u64 {
        match self {
            Self::Plain { .. } => bits(word, 51, 12) * 4,
            Self::Signed { .. } => bits(word, 51, 11) * 8,
        }
    }

    fn content(self, word: u64) -> Content {
        match self {
            Self::Plain { .. } if bits(word, 63, 1) == 1 => Content::Symbol {
                number: bits(word, 0, 24),
                addend: bits(word, 24, 8).cast_signed(),
            },
            Self::Plain { offsets } => Content::Own {
                target: bits(word, 0, 36),
                top: bits(word, 36, 8),
                from_header: offsets,
            },
            Self::Signed { offsets, ordinal } => {
                let is_signed = bits(word, 63, 1) == 1;
                match (bits(word, 62, 1) == 1, is_signed) {
                    (true, true) => Content::Symbol { number: bits(word, 0, ordinal), addend: 0 },
                    (true, false) => {
                        // The highest of 19 bits is the sign.
                        let addend = (bits(word, 32, 19) << 45).cast_signed() >> 45;
                        Content::Symbol { number: bits(word, 0, ordinal), addend }
                    }
                    (false, true) => {
                        Content::Own { target: bits(word, 0, 32), top: 0, from_header: true }
                    }
                    (false, false) => Content::Own {
                        target: bits(word, 0, 43),
                        top: bits(word, 43, 8),
                        from_header: offsets,
                    },
                }
            }
        }
    }
}

/// What goes into a place.
enum Content {
    Symbol {
        number: u64,
        addend: i64,
    },
    Own {
        /// An address as the file states it, or how far it lies behind the header.
        target: u64,
        /// The highest byte of the pointer, which some runtimes use for marks.
        top: u64,
        from_header: bool,
    },
}

/// The chains of a segment.
struct Chains<'data> {
    segment: usize,
    /// How far the segment lies behind the header.
    offset: u64,
    layout: Layout,
    page_size: u64,
    /// Where the first place of each page lies in it, 16 bits each.
    starts: &'data [u8],
}

impl<'data> Chains<'data> {
    fn read(bytes: &'data [u8], segment: usize) -> Result<Self, ImageError> {
        let half = |at| bytes.pread_with::<u16>(at, LE).map_err(|_| truncated());
        let count = usize::from(half(20)?);
        let starts = bytes.get(22..).and_then(|starts| starts.get(..count * 2));
        Ok(Self {
            segment,
            offset: bytes.pread_with(8, LE).map_err(|_| truncated())?,
            layout: Layout::of(half(6)?)?,
            page_size: half(4)?.into(),
            starts: starts.ok_or_else(truncated)?,
        })
    }

    fn apply(
        &self,
        targets: &[(Bound, i64)],
        writer: &mut Writer<'_, '_>,
    ) -> Result<(), ImageError> {
        let starts = self.starts.chunks_exact(2).filter_map(<[u8]>::first_chunk);
        for (page, start) in (0_u64..).zip(starts.map(|start| u16::from_le_bytes(*start))) {
            if start == NO_START {
                continue;
            }
            if start & SEVERAL_STARTS != 0 {
                return Err(ImageError::new("a page of it has several chains of fixups"));
            }
            // Both are of 16 bits.
            let first = page * self.page_size + u64::from(start);
            self.follow(first, (page + 1) * self.page_size, targets, writer)?;
        }
        Ok(())
    }

    /// Follows one chain, which may not leave its page.
    fn follow(
        &self,
        first: u64,
        end: u64,
        targets: &[(Bound, i64)],
        writer: &mut Writer<'_, '_>,
    ) -> Result<(), ImageError> {
        let mut offset = first;
        loop {
            if offset >= end {
                return Err(ImageError::new("a chain of fixups leaves its page"));
            }
            let place = writer.place(self.segment, offset)?;
            let word = writer.content(place)?;
            let fixup = match self.layout.content(word) {
                Content::Symbol { number, addend } => {
                    let target = usize::try_from(number).ok().and_then(|at| targets.get(at));
                    let (bound, more) = target.ok_or_else(|| {
                        ImageError::new(format!("a fixup names import {number}, which is none"))
                    })?;
                    bound.fixup(more.wrapping_add(addend))
                }
                Content::Own { target, top, from_header } => {
                    let header = if from_header { writer.commands.header } else { 0 };
                    writer.address(header.wrapping_add(target) | top << 56)
                }
            };
            writer.write(place, fixup)?;
            match self.layout.next(word) {
                0 => return Ok(()),
                next => offset += next,
            }
        }
    }
}
