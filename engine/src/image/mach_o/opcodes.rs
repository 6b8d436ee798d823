//! Fixups as opcodes: four programs for a small machine, which say where the library's own
//! addresses lie and which symbols go where.
//!
//! The opcodes are those of `<mach-o/loader.h>`, executed as dyld does
//! (`MachOAnalyzer::forEachRebase`, `forEachBind`). Symbols that dyld could bind when they are first
//! called are bound beforehand, as it does itself today.

use goblin::mach::bind_opcodes::{
    BIND_IMMEDIATE_MASK, BIND_OPCODE_ADD_ADDR_ULEB, BIND_OPCODE_DO_BIND,
    BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED, BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB,
    BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB, BIND_OPCODE_DONE, BIND_OPCODE_MASK,
    BIND_OPCODE_SET_ADDEND_SLEB, BIND_OPCODE_SET_DYLIB_ORDINAL_IMM,
    BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB, BIND_OPCODE_SET_DYLIB_SPECIAL_IMM,
    BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB, BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM,
    BIND_OPCODE_SET_TYPE_IMM, BIND_SYMBOL_FLAGS_WEAK_IMPORT, BIND_TYPE_POINTER,
};
use goblin::mach::load_command::DyldInfoCommand;
use scroll::{Sleb128, Uleb128};

use super::fixups::Writer;
use super::symbols::{Name, Scope, Symbols};
use super::{table, text_at};
use crate::image::ImageError;

const REBASE_TYPE_POINTER: u8 = 1;
const REBASE_OPCODE_DONE: u8 = 0x00;
const REBASE_OPCODE_SET_TYPE_IMM: u8 = 0x10;
const REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB: u8 = 0x20;
const REBASE_OPCODE_ADD_ADDR_ULEB: u8 = 0x30;
const REBASE_OPCODE_ADD_ADDR_IMM_SCALED: u8 = 0x40;
const REBASE_OPCODE_DO_REBASE_IMM_TIMES: u8 = 0x50;
const REBASE_OPCODE_DO_REBASE_ULEB_TIMES: u8 = 0x60;
const REBASE_OPCODE_DO_REBASE_ADD_ADDR_ULEB: u8 = 0x70;
const REBASE_OPCODE_DO_REBASE_ULEB_TIMES_SKIPPING_ULEB: u8 = 0x80;

pub(super) fn apply<'data>(
    bytes: &'data [u8],
    info: &DyldInfoCommand,
    writer: &mut Writer<'_, 'data>,
    symbols: &mut Symbols<'_, 'data>,
) -> Result<(), ImageError> {
    let program = |offset, size| table(bytes, offset, size, "table of opcodes");
    rebase(program(info.rebase_off, info.rebase_size)?, writer)?;
    for (offset, size, kind) in [
        (info.bind_off, info.bind_size, Kind::Plain),
        (info.lazy_bind_off, info.lazy_bind_size, Kind::Lazy),
        (info.weak_bind_off, info.weak_bind_size, Kind::Weak),
    ] {
        bind(program(offset, size)?, kind, writer, symbols)?;
    }
    Ok(())
}

/// The bytes of a program.
struct Program<'data> {
    bytes: &'data [u8],
    at: usize,
}

impl<'data> Program<'data> {
    /// The next opcode and what is stated along with it; `None` at the end.
    fn next(&mut self) -> Option<(u8, u8)> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some((byte & BIND_OPCODE_MASK, byte & BIND_IMMEDIATE_MASK))
    }

    fn number(&mut self) -> Result<u64, ImageError> {
        Uleb128::read(self.bytes, &mut self.at).map_err(|_| truncated())
    }

    fn signed(&mut self) -> Result<i64, ImageError> {
        Sleb128::read(self.bytes, &mut self.at).map_err(|_| truncated())
    }

    fn text(&mut self) -> Result<&'data [u8], ImageError> {
        let text = text_at(self.bytes, self.at).ok_or_else(truncated)?;
        self.at += text.len() + 1;
        Ok(text)
    }
}

fn truncated() -> ImageError {
    ImageError::new("its table of opcodes is truncated")
}

fn unknown(kind: &str, opcode: u8) -> ImageError {
    ImageError::new(format!("its table of opcodes has an unknown one to {kind}, {opcode:#x}"))
}

/// Where the machine writes next.
#[derive(Clone, Copy, Default)]
struct Cursor {
    segment: Option<usize>,
    offset: u64,
}

impl Cursor {
    fn set(&mut self, segment: u8, offset: u64) {
        *self = Self { segment: Some(segment.into()), offset };
    }

    fn advance(&mut self, bytes: u64) {
        // Steps back are stated as large steps.
        self.offset = self.offset.wrapping_add(bytes);
    }

    /// Writes so many words with `skip` bytes behind each.
    fn write(
        &mut self,
        count: u64,
        skip: u64,
        writer: &mut Writer<'_, '_>,
        mut content: impl FnMut(&mut Writer<'_, '_>, u64) -> Result<(), ImageError>,
    ) -> Result<(), ImageError> {
        let segment =
            self.segment.ok_or_else(|| ImageError::new("a fixup does not say where it lies"))?;
        // A step back ends where the segment begins; one of nearly nothing would not end.
        if count > 1 && skip.checked_add(8).is_none() {
            return Err(ImageError::new("a fixup is repeated without end"));
        }
        for _ in 0..count {
            let place = writer.place(segment, self.offset)?;
            content(writer, place)?;
            self.advance(skip.wrapping_add(8));
        }
        Ok(())
    }
}

fn rebase(bytes: &[u8], writer: &mut Writer<'_, '_>) -> Result<(), ImageError> {
    let mut program = Program { bytes, at: 0 };
    let mut cursor = Cursor::default();
    while let Some((opcode, immediate)) = program.next() {
        let (count, skip) = match opcode {
            REBASE_OPCODE_DONE => break,
            REBASE_OPCODE_SET_TYPE_IMM => {
                // The others are of 32 bits.
                if immediate != REBASE_TYPE_POINTER {
                    return Err(ImageError::new(format!(
                        "it has a fixup of unknown type {immediate}"
                    )));
                }
                continue;
            }
            REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB => {
                cursor.set(immediate, program.number()?);
                continue;
            }
            REBASE_OPCODE_ADD_ADDR_ULEB => {
                cursor.advance(program.number()?);
                continue;
            }
            REBASE_OPCODE_ADD_ADDR_IMM_SCALED => {
                cursor.advance(u64::from(immediate) * 8);
                continue;
            }
            REBASE_OPCODE_DO_REBASE_IMM_TIMES => (immediate.into(), 0),
            REBASE_OPCODE_DO_REBASE_ULEB_TIMES => (program.number()?, 0),
            REBASE_OPCODE_DO_REBASE_ADD_ADDR_ULEB => (1, program.number()?),
            REBASE_OPCODE_DO_REBASE_ULEB_TIMES_SKIPPING_ULEB => {
                (program.number()?, program.number()?)
            }
            other => return Err(unknown("rebase", other)),
        };
        cursor.write(count, skip, writer, |writer, place| {
            let fixup = writer.address(writer.content(place)?);
            writer.write(place, fixup)
        })?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// To be bound when it is first called.
    Lazy,
    /// Weak definitions, of which all libraries are to use the same.
    Weak,
}

fn bind<'data>(
    bytes: &'data [u8],
    kind: Kind,
    writer: &mut Writer<'_, 'data>,
    symbols: &mut Symbols<'_, 'data>,
) -> Result<(), ImageError> {
    let mut program = Program { bytes, at: 0 };
    let mut cursor = Cursor::default();
    let mut scope = (kind == Kind::Weak).then_some(Scope::Weak);
    let mut symbol: Option<(Name, bool)> = None;
    let mut addend = 0;
    while let Some((opcode, immediate)) = program.next() {
        let (count, skip) = match opcode {
            // Between lazy ones it only ends one of them.
            BIND_OPCODE_DONE if kind == Kind::Lazy => continue,
            BIND_OPCODE_DONE => break,
            BIND_OPCODE_SET_DYLIB_ORDINAL_IMM => {
                scope = Some(Scope::of(immediate.into(), writer.commands)?);
                continue;
            }
            BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB => {
                let ordinal = i64::try_from(program.number()?).unwrap_or(i64::MAX);
                scope = Some(Scope::of(ordinal, writer.commands)?);
                continue;
            }
            BIND_OPCODE_SET_DYLIB_SPECIAL_IMM => {
                // A negative number of four bits.
                let ordinal = if immediate == 0 { 0 } else { i64::from(immediate) - 16 };
                scope = Some(Scope::of(ordinal, writer.commands)?);
                continue;
            }
            BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM => {
                let name = symbols.name(program.text()?);
                symbol = Some((name, immediate & BIND_SYMBOL_FLAGS_WEAK_IMPORT != 0));
                continue;
            }
            BIND_OPCODE_SET_TYPE_IMM => {
                if immediate != BIND_TYPE_POINTER {
                    return Err(ImageError::new(format!(
                        "it has a fixup of unknown type {immediate}"
                    )));
                }
                continue;
            }
            BIND_OPCODE_SET_ADDEND_SLEB => {
                addend = program.signed()?;
                continue;
            }
            BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB => {
                cursor.set(immediate, program.number()?);
                continue;
            }
            BIND_OPCODE_ADD_ADDR_ULEB => {
                cursor.advance(program.number()?);
                continue;
            }
            BIND_OPCODE_DO_BIND => (1, 0),
            BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB => (1, program.number()?),
            BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED => (1, u64::from(immediate) * 8),
            BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB => (program.number()?, program.number()?),
            other => return Err(unknown("bind", other)),
        };
        let (name, weak) = symbol
            .ok_or_else(|| ImageError::new("a fixup does not say which symbol it is about"))?;
        let scope = scope
            .ok_or_else(|| ImageError::new("a fixup does not say where its symbol is from"))?;
        let fixup = symbols.bind(name, scope, weak).fixup(addend);
        cursor.write(count, skip, writer, |writer, place| writer.write(place, fixup))?;
    }
    Ok(())
}
