//! What an ELF library exports, and the symbols it takes from others.

use std::borrow::Cow;
use std::collections::HashMap;

use goblin::elf::dynamic::{DT_GNU_HASH, DT_HASH};
use goblin::elf::sym::{STB_GLOBAL, STB_WEAK, STT_GNU_IFUNC, STT_TLS, Sym};

use super::{Dynamic, outside};
use crate::image::{BASE, Export, Fixup, Image, ImageError, Import, UNREADABLE};

/// The section of symbols that another library defines, `SHN_UNDEF`.
pub(super) const UNDEFINED: usize = 0;
/// The section of symbols whose value is no address, `SHN_ABS`.
const ABSOLUTE: usize = 0xfff1;
/// A symbol that the loader makes unique in the process; GNU's own, found by `dlsym` as others are.
const STB_GNU_UNIQUE: u8 = 10;

impl<'data> Dynamic<'data> {
    /// The symbols that `dlsym` finds: those that the hash table lists.
    pub(super) fn exports(
        &self,
        image: &Image<'data>,
    ) -> Result<Vec<(Cow<'data, str>, Export<'data>)>, ImageError> {
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
            if visible
                && let Some(name) = self.string(symbol.st_name as u64)
                && name != UNREADABLE
            {
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

/// The symbols that relocations take from other libraries, each listed once.
#[derive(Default)]
pub(super) struct Imports<'data> {
    pub(super) list: Vec<Import<'data>>,
    by_symbol: HashMap<usize, u32>,
}

impl<'data> Imports<'data> {
    /// What the symbol of that number stands for, `addend` bytes on.
    pub(super) fn resolve(
        &mut self,
        dynamic: &Dynamic<'data>,
        number: usize,
        addend: u64,
    ) -> Result<Fixup, ImageError> {
        let symbol: Sym =
            dynamic.symbols.get(number).ok_or_else(|| outside("symbol of a relocation"))?;
        if number == 0 {
            return Ok(Fixup::Address(BASE.wrapping_add(addend)));
        }
        if symbol.st_type() == STT_GNU_IFUNC {
            return Ok(Fixup::Unknown("a function that is chosen while loading"));
        }
        if symbol.st_shndx == ABSOLUTE {
            return Ok(Fixup::Number(symbol.st_value.wrapping_add(addend)));
        }
        if symbol.st_shndx != UNDEFINED {
            return Ok(Fixup::Address(BASE.wrapping_add(symbol.st_value).wrapping_add(addend)));
        }
        let addend = addend.cast_signed();
        if let Some(index) = self.by_symbol.get(&number) {
            return Ok(Fixup::Import { index: *index, addend });
        }
        let name = dynamic
            .string(symbol.st_name as u64)
            .ok_or_else(|| outside("name of an imported symbol"))?;
        // As many as there are symbols, which are counted in 32 bits.
        let index = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(Import { name, library: None, weak: symbol.st_bind() == STB_WEAK });
        self.by_symbol.insert(number, index);
        Ok(Fixup::Import { index, addend })
    }
}
