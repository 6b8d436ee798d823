//! What the loader writes into an ELF library: `DT_REL`, `DT_RELA`, `DT_JMPREL` and `DT_RELR`.

use goblin::elf::dynamic::{
    DT_JMPREL, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ,
};
use goblin::elf::reloc::{self, RelocSection};
use goblin::elf::sym::Sym;

use super::symbols::{Imports, UNDEFINED};
use super::{Dynamic, outside, table_of};
use crate::image::{BASE, Fixup, Image, ImageError, Import, MAX_FIXUPS, Machine};

/// Relative relocations in a bitmap, from the generic ABI's draft; goblin does not name them yet.
const DT_RELRSZ: u64 = 35;
const DT_RELR: u64 = 36;

const FOREIGN_THREAD_DATA: Fixup = Fixup::Unknown("thread-local data of another library");

/// Words by their address, and the symbols that some of them name.
type Written<'data> = (Vec<(u64, Fixup)>, Vec<Import<'data>>);

/// What the loader writes into the library, and the symbols it looks up for that.
pub(super) fn fixups<'data>(
    dynamic: &Dynamic<'data>,
    image: &Image<'data>,
) -> Result<Written<'data>, ImageError> {
    let mut linker = Linker { dynamic, imports: Imports::default(), fixups: Vec::new() };
    linker.relocations(image)?;
    linker.relative_bitmap(image)?;
    Ok((linker.fixups, linker.imports.list))
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
                self.relocate(image, &entry)?;
            }
        }
        Ok(())
    }

    /// Where no memory is, the loader itself would crash.
    fn push(&mut self, image: &Image<'data>, address: u64, fixup: Fixup) -> Result<(), ImageError> {
        let is_mapped = image
            .segment(address)
            .is_ok_and(|segment| address.checked_add(7).is_some_and(|end| segment.contains(end)));
        if !is_mapped {
            return Err(ImageError::new("a relocation lies outside its segments"));
        }
        if self.fixups.len() >= MAX_FIXUPS {
            return Err(ImageError::new(format!("it has more than {MAX_FIXUPS} relocations")));
        }
        self.fixups.push((address, fixup));
        Ok(())
    }

    /// What one relocation puts into memory.
    fn relocate(&mut self, image: &Image<'data>, entry: &reloc::Reloc) -> Result<(), ImageError> {
        let place = BASE.wrapping_add(entry.r_offset);
        // Without an addend of its own a relocation adds to what the file has in its place.
        let addend = match entry.r_addend {
            Some(addend) => Ok(addend.cast_unsigned()),
            None => image
                .raw(place)
                .ok()
                .and_then(<[u8]>::first_chunk)
                .map(|bytes| u64::from_le_bytes(*bytes))
                .ok_or_else(|| outside("place of a relocation")),
        };
        let fixup = match Kind::of(image.machine, entry.r_type) {
            Kind::Nothing => return Ok(()),
            Kind::Relative => Fixup::Address(BASE.wrapping_add(addend?)),
            Kind::Symbol { adds } => {
                let addend = if adds { addend? } else { 0 };
                self.imports.resolve(self.dynamic, entry.r_sym, addend)?
            }
            Kind::Indirect => Fixup::Unknown("a function that is chosen while loading"),
            Kind::Unknown => Fixup::Unknown("the outcome of an unknown relocation"),
            kind => {
                let Some(offset) = self.thread_offset(entry.r_sym)? else {
                    self.push(image, place, FOREIGN_THREAD_DATA)?;
                    if matches!(kind, Kind::ThreadDescriptor) {
                        self.push(image, place.wrapping_add(8), FOREIGN_THREAD_DATA)?;
                    }
                    return Ok(());
                };
                match kind {
                    Kind::ThreadModule => Fixup::ThreadModule,
                    Kind::ThreadOffset => Fixup::ThreadOffset(offset.wrapping_add(addend?)),
                    Kind::ThreadDescriptor => {
                        let offset = offset.wrapping_add(addend?);
                        self.push(image, place.wrapping_add(8), Fixup::ThreadOffset(offset))?;
                        Fixup::ThreadDescriptor
                    }
                    _ => Fixup::Number(offset.wrapping_add(addend?)),
                }
            }
        };
        self.push(image, place, fixup)
    }

    /// Where a thread-local symbol lies in the library's own thread-local data; `None` for one of
    /// another library. Number 0 is the data as a whole.
    fn thread_offset(&self, number: usize) -> Result<Option<u64>, ImageError> {
        let symbol: Sym =
            self.dynamic.symbols.get(number).ok_or_else(|| outside("symbol of a relocation"))?;
        let own = number == 0 || symbol.st_shndx != UNDEFINED;
        Ok(own.then_some(if number == 0 { 0 } else { symbol.st_value }))
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
        self.push(image, address, Fixup::Address(value))
    }
}

/// The kinds of relocation that can occur in a shared library, whatever the processor calls them.
enum Kind {
    Nothing,
    Relative,
    Symbol {
        adds: bool,
    },
    ThreadModule,
    /// In the library's own data.
    ThreadPlace,
    /// From the thread pointer.
    ThreadOffset,
    ThreadDescriptor,
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
                reloc::R_X86_64_DTPMOD64 => Self::ThreadModule,
                reloc::R_X86_64_DTPOFF64 => Self::ThreadPlace,
                reloc::R_X86_64_TPOFF64 => Self::ThreadOffset,
                reloc::R_X86_64_TLSDESC => Self::ThreadDescriptor,
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
                reloc::R_AARCH64_TLS_DTPMOD => Self::ThreadModule,
                reloc::R_AARCH64_TLS_DTPREL => Self::ThreadPlace,
                reloc::R_AARCH64_TLS_TPREL => Self::ThreadOffset,
                reloc::R_AARCH64_TLSDESC => Self::ThreadDescriptor,
                reloc::R_AARCH64_IRELATIVE => Self::Indirect,
                _ => Self::Unknown,
            },
            Machine::Other(_) => Self::Unknown,
        }
    }
}
