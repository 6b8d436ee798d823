//! Libraries side by side in the process: where each lies, and what its imports are bound to.
//!
//! What code does changes nothing here; what a run adds is in [`super::memory`].

use std::collections::HashMap;

use super::decoded::Decoded;
use crate::image::{BASE, Export, Image, Import, MAX_EXTENT};

/// Imported symbols that no loaded library defines, by the order in which they were met.
pub(super) const SYMBOLS: u64 = 0x0000_4000_0000_0000;
pub(super) const SYMBOL_STRIDE: u64 = 0x1_0000;

/// Libraries that see each other's symbols: what each import is bound to. Made once, used by every
/// run.
pub(super) struct Linked<'p, 'd> {
    pub(super) libraries: Vec<Loaded<'p, 'd>>,
    /// What imports of each library were bound to.
    bindings: Vec<Vec<Binding>>,
    /// Names of symbols, by index; addresses follow from it.
    symbols: Vec<String>,
    by_name: HashMap<String, u64>,
    /// Instructions of theirs, by the processor that they are for.
    pub(super) x86_64: Decoded<iced_x86::Instruction>,
    pub(super) aarch64: Decoded<super::aarch64::Instruction>,
}

/// A library of the process, under the file name that others need it by.
#[derive(Clone, Copy)]
pub(crate) struct Loaded<'p, 'd> {
    pub(crate) name: &'p str,
    pub(crate) image: &'p Image<'d>,
}

#[derive(Clone, Copy)]
pub(super) enum Binding {
    To(u64),
    /// A weak symbol that some library of the system may have.
    MayBeMissing,
}

/// Weak symbols that compilers' start-up code asks for, and that no process has: profiling, and
/// transactional memory.
const MISSING: [&str; 4] = [
    "__gmon_start__",
    "_ITM_registerTMCloneTable",
    "_ITM_deregisterTMCloneTable",
    "_Jv_RegisterClasses",
];

impl<'p, 'd> Linked<'p, 'd> {
    /// Binds what each library imports: to the library that it names or else the first that exports
    /// the symbol, and otherwise to an address that stands for it.
    ///
    /// `outside` says which names are never taken from a library of the wheel.
    pub(super) fn new(libraries: Vec<Loaded<'p, 'd>>, outside: impl Fn(&str) -> bool) -> Self {
        let mut exports: HashMap<&str, Vec<(usize, u64)>> = HashMap::new();
        if libraries.len() > 1 {
            for (index, library) in libraries.iter().enumerate() {
                for (name, place) in library.image.exports() {
                    if let Export::At(address) = place {
                        exports.entry(name).or_default().push((index, shift(index) + address));
                    }
                }
            }
        }
        let mut linked = Self {
            libraries,
            bindings: Vec::new(),
            symbols: Vec::new(),
            by_name: HashMap::new(),
            x86_64: Decoded::default(),
            aarch64: Decoded::default(),
        };
        for library in linked.libraries.clone() {
            let bound = library
                .image
                .imports()
                .iter()
                .map(|import| {
                    let name = import.name.as_ref();
                    let found = if outside(name) {
                        None
                    } else {
                        exports.get(name).and_then(|places| linked.choose(import, places))
                    };
                    match found {
                        Some(address) => Binding::To(address),
                        None if import.weak && MISSING.contains(&name) => Binding::To(0),
                        None if import.weak && !outside(name) => Binding::MayBeMissing,
                        None => Binding::To(linked.stand_in(name)),
                    }
                })
                .collect();
            linked.bindings.push(bound);
        }
        linked
    }

    /// Of the libraries that export a symbol, the one that the import names, or the first.
    fn choose(&self, import: &Import<'_>, places: &[(usize, u64)]) -> Option<u64> {
        let wanted = import.library.as_deref().map(file_name);
        let found = places.iter().find(|(index, _)| {
            wanted.is_none_or(|wanted| self.libraries[*index].name.eq_ignore_ascii_case(wanted))
        });
        found.map(|(_, address)| *address)
    }

    /// What an import of a library is bound to, both by their place.
    pub(super) fn binding(&self, library: usize, import: u32) -> Option<Binding> {
        self.bindings.get(library)?.get(usize::try_from(import).ok()?).copied()
    }

    /// The library that lies at an address, and the place in it. The first one is mapped where it
    /// is mapped by itself, the next ones behind it.
    pub(super) fn place_of(&self, address: u64) -> Option<(usize, u64)> {
        let index = usize::try_from(address.checked_sub(BASE)? / MAX_EXTENT).ok()?;
        (index < self.libraries.len()).then(|| (index, address - shift(index)))
    }

    /// How many symbols stand for something that no library here defines.
    pub(super) fn symbol_count(&self) -> usize {
        self.symbols.len()
    }

    /// The name of one of them.
    pub(super) fn symbol(&self, index: usize) -> Option<&str> {
        self.symbols.get(index).map(String::as_str)
    }

    /// The address that stands for a symbol, where an import is bound to it.
    pub(super) fn address_of(&self, name: &str) -> Option<u64> {
        self.by_name.get(name).copied()
    }

    fn stand_in(&mut self, name: &str) -> u64 {
        if let Some(address) = self.by_name.get(name) {
            return *address;
        }
        let address = SYMBOLS + self.symbols.len() as u64 * SYMBOL_STRIDE;
        self.symbols.push(name.to_owned());
        self.by_name.insert(name.to_owned(), address);
        address
    }
}

/// The last part of a path as a loader is given it.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where an address of the library at `index` lies in the process.
pub(super) fn address_in(index: usize, address: u64) -> u64 {
    shift(index).wrapping_add(address)
}

/// How far an image lies from where it is mapped by itself.
fn shift(index: usize) -> u64 {
    index as u64 * MAX_EXTENT
}
