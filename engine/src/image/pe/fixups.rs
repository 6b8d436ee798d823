//! What the loader writes into a PE library: base relocations, then the addresses of imports.

use goblin::pe::relocation::{IMAGE_REL_BASED_ABSOLUTE, IMAGE_REL_BASED_DIR64};

use super::{Header, RELOCATIONS, RELOCATIONS_STRIPPED, is_within, outside, padded};
use crate::image::{BASE, Fixup, Image, ImageError, MAX_FIXUPS};

/// The head of a block of relocations: the page, and the size of the block.
const BLOCK_HEAD: usize = 8;

/// `slots` are the places of the addresses of imports, with the import's number.
pub(super) fn fixups(
    header: &Header,
    image: &Image<'_>,
    slots: &[(u64, u32)],
) -> Result<Vec<(u64, Fixup)>, ImageError> {
    let mut written = Vec::new();
    for (place, index) in slots {
        if !is_within(image, *place, 8) {
            return Err(outside("table of imported addresses"));
        }
        let fixup = Fixup::Import { index: *index, addend: 0 };
        written.push(Written { place: *place, fixup, is_import: true });
    }
    relocations(header, image, &mut written)?;
    Ok(settled(written))
}

struct Written {
    place: u64,
    fixup: Fixup,
    is_import: bool,
}

fn relocations(
    header: &Header,
    image: &Image<'_>,
    written: &mut Vec<Written>,
) -> Result<(), ImageError> {
    let Some(directory) = header.directory(RELOCATIONS) else {
        // Without the flag there is nothing to relocate.
        if header.characteristics & RELOCATIONS_STRIPPED != 0 {
            return Err(ImageError::new("it can only be loaded where it was linked for"));
        }
        return Ok(());
    };
    let what = "relocation table";
    let start = BASE + u64::from(directory.virtual_address);
    let mut table = match directory.size {
        0 => &[],
        size => image
            .raw(start)
            .ok()
            .and_then(|bytes| bytes.get(..size as usize))
            .ok_or_else(|| outside(what))?,
    };
    while let Some((head, rest)) = table.split_first_chunk::<BLOCK_HEAD>() {
        let [a, b, c, d, size @ ..] = *head;
        let page = BASE + u64::from(u32::from_le_bytes([a, b, c, d]));
        let size = (u32::from_le_bytes(size) as usize).checked_sub(BLOCK_HEAD);
        let (entries, rest) =
            size.and_then(|size| rest.split_at_checked(size)).ok_or_else(|| {
                ImageError::new("its relocation table has a block of impossible size")
            })?;
        for entry in entries.chunks_exact(2).filter_map(<[u8]>::first_chunk) {
            let entry = u16::from_le_bytes(*entry);
            let place = page + u64::from(entry & 0xfff);
            let fixup = match entry >> 12 {
                IMAGE_REL_BASED_ABSOLUTE => continue,
                IMAGE_REL_BASED_DIR64 => {
                    let value = padded(image, place)
                        .map(u64::from_le_bytes)
                        .ok_or_else(|| outside("place of a relocation"))?;
                    Fixup::Address(value.wrapping_sub(header.preferred_base).wrapping_add(BASE))
                }
                _ => Fixup::Unknown("the outcome of an unknown relocation"),
            };
            if written.len() >= MAX_FIXUPS {
                return Err(ImageError::new(format!("it has more than {MAX_FIXUPS} relocations")));
            }
            written.push(Written { place, fixup, is_import: false });
        }
        table = rest;
    }
    Ok(())
}

/// What is written last stays: the address of an import, where a relocation would have changed what
/// stands there before. Relocations add up, so that two of the same bytes leave neither's outcome.
fn settled(mut written: Vec<Written>) -> Vec<(u64, Fixup)> {
    // Imports stand before relocations, and stay there.
    written.sort_by_key(|one| one.place);
    let mut fixups: Vec<(u64, Fixup)> = Vec::with_capacity(written.len());
    let mut last_is_import = false;
    for Written { place, mut fixup, is_import } in written {
        if let Some((last, content)) = fixups.last_mut()
            && place - *last < 8
        {
            let is_same = place == *last;
            if is_same && last_is_import && (!is_import || fixup == *content) {
                continue;
            }
            *content = Fixup::Unknown("the outcome of two relocations");
            fixup = *content;
            if is_same {
                continue;
            }
        }
        last_is_import = is_import;
        fixups.push((place, fixup));
    }
    fixups
}
