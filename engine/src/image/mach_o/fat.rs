//! Universal binaries: several libraries in one file, one for each processor.

use goblin::mach::fat::{FAT_MAGIC, SIZEOF_FAT_ARCH, SIZEOF_FAT_HEADER};
use scroll::{BE, Pread};

use super::at_offset;

/// Like [`FAT_MAGIC`], with offsets of 64 bits (`<mach-o/fat.h>`).
const FAT_MAGIC_64: u32 = 0xcafe_babf;
/// The size of a `fat_arch_64`.
const SIZEOF_FAT_ARCH_64: usize = 32;
/// More than there are processors. What a Java class begins with would mean more.
const MAX_SLICES: u32 = 40;

/// The libraries in a Mach-O file. One that is not universal, or whose header cannot be right, is
/// given as it is.
pub(in crate::image) fn slices(bytes: &[u8]) -> Vec<&[u8]> {
    universal(bytes).unwrap_or_else(|| vec![bytes])
}

fn universal(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let magic: u32 = bytes.pread_with(0, BE).ok()?;
    let size = match magic {
        FAT_MAGIC => SIZEOF_FAT_ARCH,
        FAT_MAGIC_64 => SIZEOF_FAT_ARCH_64,
        _ => return None,
    };
    let count: u32 = bytes.pread_with(4, BE).ok()?;
    if count == 0 || count > MAX_SLICES {
        return None;
    }
    let table = bytes.get(SIZEOF_FAT_HEADER..)?;
    let table = table.get(..usize::try_from(count).ok()?.checked_mul(size)?)?;
    let mut places = Vec::new();
    for entry in table.chunks_exact(size) {
        let (offset, size): (u64, u64) = if magic == FAT_MAGIC {
            let (offset, size): (u32, u32) =
                (entry.pread_with(8, BE).ok()?, entry.pread_with(12, BE).ok()?);
            (offset.into(), size.into())
        } else {
            (entry.pread_with(8, BE).ok()?, entry.pread_with(16, BE).ok()?)
        };
        places.push((offset, size));
    }
    // One bad entry spoils the file (dyld, `FatFile::forEachSlice`).
    let slices: Option<Vec<&[u8]>> =
        places.iter().map(|(offset, size)| at_offset(bytes, *offset, *size)).collect();
    places.push((0, (SIZEOF_FAT_HEADER + table.len()) as u64));
    places.sort_unstable();
    // All ends are known to lie in the file by now, or there is no answer.
    let overlap = slices.is_some()
        && places.windows(2).any(|pair| match pair {
            [(offset, size), (next, _)] => offset.saturating_add(*size) > *next,
            _ => false,
        });
    slices.filter(|_| !overlap)
}
