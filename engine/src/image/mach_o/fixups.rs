//! What dyld writes into a Mach-O library: as opcodes (`LC_DYLD_INFO`) or as chains through the
//! data (`LC_DYLD_CHAINED_FIXUPS`).

use goblin::mach::constants::{
    S_LAZY_SYMBOL_POINTERS, S_NON_LAZY_SYMBOL_POINTERS, S_THREAD_LOCAL_VARIABLE_POINTERS,
};

use super::symbols::Symbols;
use super::{Commands, chained, opcodes, table};
use crate::image::{BASE, Fixup, Image, ImageError, MAX_EXTENT, MAX_FIXUPS};

/// Puts in place what dyld writes into the library, and the symbols it looks up for that.
pub(super) fn apply<'data>(
    bytes: &'data [u8],
    commands: &Commands<'data>,
    image: &mut Image<'data>,
) -> Result<(), ImageError> {
    // No place is written more than three times: its own address, a symbol, and that symbol as all
    // libraries are to see it.
    let limit = (bytes.len() / 8).saturating_mul(3).min(MAX_FIXUPS);
    let mut writer = Writer { commands, image, limit, fixups: Vec::new() };
    let mut symbols = Symbols::new(commands, image);
    match (&commands.chained, &commands.opcodes) {
        (Some(_), Some(_)) => {
            return Err(ImageError::new("it states its fixups in two ways at once"));
        }
        (Some(place), None) => {
            let chains = table(bytes, place.dataoff, place.datasize, "table of chained fixups")?;
            chained::apply(chains, &mut writer, &mut symbols)?;
        }
        (None, Some(info)) => opcodes::apply(bytes, info, &mut writer, &mut symbols)?,
        (None, None) => {
            if has_relocations(commands) {
                return Err(ImageError::new(
                    "its relocations are of a kind from before macOS 10.6, which is not read",
                ));
            }
        }
    }
    let (fixups, imports) = (writer.finish(), symbols.into_imports());
    image.imports = imports;
    image.set_fixups(fixups);
    Ok(())
}

/// The bits of a pointer that processors may leave out of account.
const MARK: u64 = 0xff << 56;

/// Whether `LC_DYSYMTAB` states what to write, as it did before there were opcodes.
fn has_relocations(commands: &Commands<'_>) -> bool {
    let pointers =
        [S_NON_LAZY_SYMBOL_POINTERS, S_LAZY_SYMBOL_POINTERS, S_THREAD_LOCAL_VARIABLE_POINTERS];
    let has_pointers = pointers.into_iter().any(|kind| commands.sections(kind).next().is_some());
    let table = commands.dynamic_symbols.as_ref();
    has_pointers || table.is_some_and(|table| table.nlocrel > 0 || table.nextrel > 0)
}

/// Collects what is written. Later writes replace earlier ones.
pub(super) struct Writer<'w, 'data> {
    pub(super) commands: &'w Commands<'data>,
    pub(super) image: &'w Image<'data>,
    limit: usize,
    fixups: Vec<(u64, Fixup)>,
}

impl Writer<'_, '_> {
    pub(super) fn write(&mut self, address: u64, fixup: Fixup) -> Result<(), ImageError> {
        if self.fixups.len() >= self.limit {
            return Err(ImageError::new("it has more fixups than it has room for"));
        }
        self.fixups.push((address, fixup));
        Ok(())
    }

    /// The address in the image of a place in the segment of that number, which has to have eight
    /// bytes there.
    pub(super) fn place(&self, segment: usize, offset: u64) -> Result<u64, ImageError> {
        let segment = self.commands.segments.get(segment).ok_or_else(|| {
            ImageError::new(format!("a fixup names segment {segment}, which is none"))
        })?;
        let end = offset.checked_add(8);
        // Linkers put what is to be written where the file has bytes, which bounds how much it is.
        if !super::is_mapped(segment) || end.is_none_or(|end| end > segment.filesize) {
            return Err(ImageError::new("a fixup lies outside its segment"));
        }
        Ok(self.commands.place(segment.vmaddr).wrapping_add(offset))
    }

    /// Eight bytes as the file has them.
    pub(super) fn content(&self, place: u64) -> Result<u64, ImageError> {
        let bytes = self.image.raw(place).ok().and_then(<[u8]>::first_chunk);
        bytes
            .map(|bytes| u64::from_le_bytes(*bytes))
            .ok_or_else(|| ImageError::new("a fixup lies where the file has no bytes"))
    }

    /// The address in the image that an address of the file stands for. The highest byte may be a
    /// mark and stays: on arm64 C++ notes there that the name of a type is not unique.
    pub(super) fn address(&self, stated: u64) -> Fixup {
        let mark = stated & MARK;
        let place = self.commands.place(stated & !MARK);
        if place.wrapping_sub(BASE) < MAX_EXTENT {
            Fixup::Address(place | mark)
        } else {
            Fixup::Unknown("an address outside of the library")
        }
    }

    fn finish(mut self) -> Vec<(u64, Fixup)> {
        // A stable sort: of several at one place the last is behind.
        self.fixups.sort_by_key(|(address, _)| *address);
        self.fixups.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 = later.1;
            }
            same
        });
        let mut end = 0;
        for index in 0..self.fixups.len() {
            let Some((address, _)) = self.fixups.get(index) else { break };
            let overlaps = *address < end;
            end = address.saturating_add(8);
            if overlaps {
                let both = self.fixups.get_mut(index - 1..=index).unwrap_or_default();
                for (_, fixup) in both {
                    *fixup = Fixup::Unknown("the outcome of two fixups that overlap");
                }
            }
        }
        self.fixups
    }
}
