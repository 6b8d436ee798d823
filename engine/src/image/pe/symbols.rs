//! What a PE library exports, and the symbols it takes from others.

use std::borrow::Cow;

use goblin::pe::export::{ExportDirectoryTable, SIZEOF_EXPORT_DIRECTORY_TABLE};
use goblin::pe::import::{ImportDirectoryEntry, SIZEOF_IMPORT_DIRECTORY_ENTRY};
use scroll::Pread;

use super::{DELAYED_IMPORTS, EXPORTS, Header, IMPORTS, outside, padded, record, text};
use crate::image::{BASE, Export, Image, ImageError, Import};

/// Symbols are numbered in 16 bits.
const MAX_EXPORTS: u32 = 1 << 16;
/// Large libraries take some ten thousand.
const MAX_IMPORTS: usize = 1 << 18;
/// Libraries that one asks for: some dozens, and rarely hundreds.
const MAX_LIBRARIES: u64 = 1 << 12;

/// The bit that marks a symbol taken by number, in an import lookup table of a 64-bit image.
const BY_NUMBER: u64 = 1 << 63;
/// In the attributes of a delayed import: its fields are RVAs, as in all 64-bit images.
const FIELDS_ARE_RVAS: u32 = 1;
/// The size of an `ImgDelayDescr` (`delayimp.h`).
const DELAYED_IMPORT_SIZE: usize = 32;

/// What `GetProcAddress` finds: symbols by name, and all by number, called as in
/// [`Import::name`].
pub(super) fn exports<'data>(
    header: &Header,
    image: &Image<'data>,
) -> Result<Vec<(Cow<'data, str>, Export<'data>)>, ImageError> {
    let Some(directory) = header.directory(EXPORTS) else { return Ok(Vec::new()) };
    let what = "export table";
    let place = BASE + u64::from(directory.virtual_address);
    let table: ExportDirectoryTable =
        record::<_, SIZEOF_EXPORT_DIRECTORY_TABLE>(image, place, what)?;
    let counts = [table.address_table_entries, table.number_of_name_pointers];
    if counts.into_iter().any(|count| count > MAX_EXPORTS) {
        return Err(ImageError::new(format!("it exports more than {MAX_EXPORTS} symbols")));
    }
    let mut places = Vec::new();
    for index in 0..table.address_table_entries {
        let address =
            half(image, table.export_address_table_rva, index).ok_or_else(|| outside(what))?;
        // What lies in the table itself is no symbol but a text: where to find it.
        let forwarded = address.wrapping_sub(directory.virtual_address) < directory.size;
        places.push(match address {
            0 => None,
            _ if forwarded => text(image, address).and_then(elsewhere),
            _ => Some(Export::At(BASE + u64::from(address))),
        });
    }
    let mut exports = Vec::new();
    let mut last: Option<&str> = None;
    for index in 0..table.number_of_name_pointers {
        let name = half(image, table.name_pointer_rva, index).ok_or_else(|| outside(what))?;
        let number = padded(image, entry(table.ordinal_table_rva, index, 2))
            .map(u16::from_le_bytes)
            .ok_or_else(|| outside(what))?;
        let Some(name) = text(image, name) else { continue };
        // The loader looks for a name by halving the table.
        if last.is_some_and(|last| last >= name) {
            return Err(ImageError::new("the names it exports are not in their order"));
        }
        let place = places.get(usize::from(number)).ok_or_else(|| outside(what))?;
        exports.extend(place.clone().map(|place| (name.into(), place)));
        last = Some(name);
    }
    for (index, place) in places.into_iter().enumerate() {
        let number = u64::from(table.ordinal_base) + index as u64;
        exports.extend(place.map(|place| (by_number(number), place)));
    }
    Ok(exports)
}

/// `library.symbol` or `library.#number`.
fn elsewhere(text: &str) -> Option<Export<'_>> {
    let (library, name) = text.rsplit_once('.')?;
    Some(Export::Elsewhere { library: Cow::Borrowed(library), name: Cow::Borrowed(name) })
}

fn by_number<'data>(number: u64) -> Cow<'data, str> {
    Cow::Owned(format!("#{number}"))
}

/// The address of an entry of a table of equal ones.
fn entry(table: u32, index: u32, size: u64) -> u64 {
    BASE + u64::from(table) + u64::from(index) * size
}

fn half(image: &Image<'_>, table: u32, index: u32) -> Option<u32> {
    padded(image, entry(table, index, 4)).map(u32::from_le_bytes)
}

/// What is taken from other libraries.
#[derive(Default)]
pub(super) struct Imports<'data> {
    pub(super) list: Vec<Import<'data>>,
    /// The libraries, each listed once.
    pub(super) libraries: Vec<Cow<'data, str>>,
    /// Where the loader puts the address of which symbol.
    pub(super) slots: Vec<(u64, u32)>,
}

/// Both import tables. Symbols of the second are looked up when they are first used; until then
/// their places lead to code that does so. As that is all it does, they count as looked up.
pub(super) fn imports<'data>(
    header: &Header,
    image: &Image<'data>,
) -> Result<Imports<'data>, ImageError> {
    let mut imports = Imports::default();
    if let Some(directory) = header.directory(IMPORTS) {
        let start = BASE + u64::from(directory.virtual_address);
        imports.all(
            start,
            SIZEOF_IMPORT_DIRECTORY_ENTRY,
            |place| {
                let entry: ImportDirectoryEntry =
                    record::<_, SIZEOF_IMPORT_DIRECTORY_ENTRY>(image, place, "import table")?;
                // Without a table to look up names in, those are where the addresses go.
                let lookup = match entry.import_lookup_table_rva {
                    0 => entry.import_address_table_rva,
                    lookup => lookup,
                };
                Ok(entry.is_possibly_valid().then_some(Descriptor {
                    name: entry.name_rva,
                    lookup,
                    addresses: entry.import_address_table_rva,
                }))
            },
            image,
        )?;
    }
    if let Some(directory) = header.directory(DELAYED_IMPORTS) {
        let start = BASE + u64::from(directory.virtual_address);
        imports.all(
            start,
            DELAYED_IMPORT_SIZE,
            |place| {
                let bytes: [u8; DELAYED_IMPORT_SIZE] =
                    padded(image, place).ok_or_else(|| outside("table of delayed imports"))?;
                let field = |at| bytes.pread_with(at, scroll::LE).unwrap_or(0);
                let (attributes, name): (u32, u32) = (field(0), field(4));
                if name != 0 && attributes & FIELDS_ARE_RVAS == 0 {
                    return Err(ImageError::new("its delayed imports are not stated as RVAs"));
                }
                Ok((name != 0).then_some(Descriptor {
                    name,
                    addresses: field(12),
                    lookup: field(16),
                }))
            },
            image,
        )?;
    }
    Ok(imports)
}

/// What is taken from one library.
struct Descriptor {
    /// The library's name; RVAs, as the others.
    name: u32,
    /// The table of names and numbers, and that of the addresses.
    lookup: u32,
    addresses: u32,
}

impl<'data> Imports<'data> {
    /// A table of descriptors, which ends where `read` gives none.
    fn all(
        &mut self,
        start: u64,
        size: usize,
        read: impl Fn(u64) -> Result<Option<Descriptor>, ImageError>,
        image: &Image<'data>,
    ) -> Result<(), ImageError> {
        for index in 0..MAX_LIBRARIES {
            match read(start + index * size as u64)? {
                Some(descriptor) => self.of_library(&descriptor, image)?,
                None => return Ok(()),
            }
        }
        Err(ImageError::new(format!("it asks for more than {MAX_LIBRARIES} libraries")))
    }

    fn of_library(
        &mut self,
        descriptor: &Descriptor,
        image: &Image<'data>,
    ) -> Result<(), ImageError> {
        let library =
            text(image, descriptor.name).ok_or_else(|| outside("name of a library it needs"))?;
        let library = Cow::Borrowed(library);
        if !self.libraries.contains(&library) {
            self.libraries.push(library.clone());
        }
        for index in 0.. {
            let symbol = padded(image, entry(descriptor.lookup, index, 8))
                .map(u64::from_le_bytes)
                .ok_or_else(|| outside("list of imported symbols"))?;
            if symbol == 0 {
                break;
            }
            if self.list.len() >= MAX_IMPORTS {
                return Err(ImageError::new(format!("it imports more than {MAX_IMPORTS} symbols")));
            }
            let name = if symbol & BY_NUMBER != 0 {
                by_number(symbol & u64::from(u16::MAX))
            } else {
                // A hint of two bytes comes before the name.
                u32::try_from(symbol)
                    .ok()
                    .and_then(|place| place.checked_add(2))
                    .and_then(|place| text(image, place))
                    .map(Cow::Borrowed)
                    .ok_or_else(|| outside("name of an imported symbol"))?
            };
            let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
            self.list.push(Import { name, library: Some(library.clone()), weak: false });
            self.slots.push((entry(descriptor.addresses, index, 8), number));
        }
        Ok(())
    }
}
