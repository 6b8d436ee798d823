//! What a Mach-O library exports, and the symbols it takes from others.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use goblin::mach::exports::{
    EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE, EXPORT_SYMBOL_FLAGS_KIND_MASK,
    EXPORT_SYMBOL_FLAGS_KIND_REGULAR, EXPORT_SYMBOL_FLAGS_KIND_THREAD_LOCAL,
    EXPORT_SYMBOL_FLAGS_REEXPORT, EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER,
};
use goblin::mach::load_command::SymtabCommand;
use goblin::mach::symbols::{N_EXT, N_PEXT, N_SECT, N_STAB, N_TYPE, N_UNDF, SIZEOF_NLIST_64};
use scroll::{LE, Pread, Uleb128};

use super::{Commands, table, text_at};
use crate::image::{Export, Fixup, Image, ImageError, Import, UNREADABLE, readable};

/// All names of exported symbols together. They share their beginnings in the file, and so can be
/// many times as long as it. Large C++ libraries have a few megabytes of them.
const MAX_NAMES: usize = 1 << 27;
/// How many times as long as the trie that has them; in libraries of wheels it is less than twice.
const MAX_NAMES_RATIO: usize = 64;

type Exports<'data> = Vec<(Cow<'data, str>, Export<'data>)>;

/// The symbols that dyld finds: those of the trie, and in files from before there was one those of
/// the symbol table (dyld, `MachOLoaded::findExportedSymbol`).
pub(super) fn exports<'data>(
    bytes: &'data [u8],
    commands: &Commands<'data>,
) -> Result<Exports<'data>, ImageError> {
    let what = "export trie";
    let trie = match (&commands.trie, &commands.opcodes) {
        (Some(trie), _) => table(bytes, trie.dataoff, trie.datasize, what)?,
        (None, Some(info)) => table(bytes, info.export_off, info.export_size, what)?,
        (None, None) => match &commands.symbols {
            Some(symbols) => return listed(bytes, commands, symbols),
            None => return Ok(Vec::new()),
        },
    };
    Trie { bytes: trie, commands }.walk()
}

/// The name as in C: the linker's has an underscore before it.
fn name_in_c(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => name.strip_prefix('_').unwrap_or(name).into(),
        Cow::Owned(mut name) => {
            if name.starts_with('_') {
                name.remove(0);
            }
            name.into()
        }
    }
}

/// A prefix tree: a node may stand for a symbol, and has edges with a text to other nodes.
struct Trie<'commands, 'data> {
    bytes: &'data [u8],
    commands: &'commands Commands<'data>,
}

impl<'data> Trie<'_, 'data> {
    fn walk(&self) -> Result<Exports<'data>, ImageError> {
        let damaged = || ImageError::new("its export trie is damaged");
        let mut exports = Vec::new();
        if self.bytes.is_empty() {
            return Ok(exports);
        }
        let limit = self.bytes.len().saturating_mul(MAX_NAMES_RATIO).min(MAX_NAMES);
        let mut spent = 0_usize;
        let mut name = Vec::new();
        let mut seen = HashSet::new();
        // Nodes to visit: how much of the name so far they share, the edge to them, their offset.
        let mut waiting: Vec<(usize, &[u8], usize)> = vec![(0, &[], 0)];
        while let Some((shared, edge, offset)) = waiting.pop() {
            if !seen.insert(offset) {
                return Err(ImageError::new("two ways lead to a node of its export trie"));
            }
            name.truncate(shared);
            name.extend_from_slice(edge);
            let mut at = offset;
            let size = Uleb128::read(self.bytes, &mut at).map_err(|_| damaged())?;
            let children = usize::try_from(size).ok().and_then(|size| at.checked_add(size));
            let children = children.ok_or_else(damaged)?;
            let symbol = self.bytes.get(at..children).ok_or_else(damaged)?;
            if !symbol.is_empty() {
                spent += name.len();
                if spent > limit {
                    return Err(ImageError::new("the names in its export trie are too long"));
                }
                let readable = std::str::from_utf8(&name);
                let place = self.symbol(symbol, readable.unwrap_or(UNREADABLE))?;
                if let Ok(name) = readable {
                    exports.push((name_in_c(name.to_owned().into()), place));
                }
            }
            let count = *self.bytes.get(children).ok_or_else(damaged)?;
            let mut at = children + 1;
            let first = waiting.len();
            for _ in 0..count {
                let edge = text_at(self.bytes, at).ok_or_else(damaged)?;
                at += edge.len() + 1;
                let node = Uleb128::read(self.bytes, &mut at).map_err(|_| damaged())?;
                waiting.push((name.len(), edge, usize::try_from(node).map_err(|_| damaged())?));
            }
            // The first of them is visited first.
            waiting.get_mut(first..).unwrap_or_default().reverse();
        }
        Ok(exports)
    }

    /// What a node says of the symbol it stands for.
    fn symbol(&self, bytes: &'data [u8], name: &str) -> Result<Export<'data>, ImageError> {
        let mut at = 0;
        let mut number = || {
            Uleb128::read(bytes, &mut at)
                .map_err(|_| ImageError::new("an entry of its export trie is truncated"))
        };
        let flags = number()?;
        let first = number()?;
        if flags & EXPORT_SYMBOL_FLAGS_REEXPORT != 0 {
            let library = usize::try_from(first)
                .ok()
                .and_then(|ordinal| self.commands.libraries.get(ordinal.checked_sub(1)?))
                .ok_or_else(|| {
                    ImageError::new(format!("it re-exports from library {first}, which is none"))
                })?;
            // Under the same name where no other is given.
            let name = match text_at(bytes, at) {
                Some(there) if !there.is_empty() => readable(there).into(),
                _ => Cow::Owned(name.to_owned()),
            };
            return Ok(Export::Elsewhere { library: library.name.clone(), name: name_in_c(name) });
        }
        if flags & EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER != 0 {
            return Ok(Export::Chosen);
        }
        match flags & EXPORT_SYMBOL_FLAGS_KIND_MASK {
            // Of a thread-local variable the symbol is its descriptor.
            EXPORT_SYMBOL_FLAGS_KIND_REGULAR | EXPORT_SYMBOL_FLAGS_KIND_THREAD_LOCAL => {
                Ok(Export::At(self.commands.behind_header(first)))
            }
            // Outside of the library, wherever that lies: nothing is known of what is there.
            EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE => Ok(Export::Chosen),
            other => Err(ImageError::new(format!("it exports a symbol of unknown kind {other}"))),
        }
    }
}

/// The symbols of the symbol table that others can see.
fn listed<'data>(
    bytes: &'data [u8],
    commands: &Commands<'data>,
    symbols: &SymtabCommand,
) -> Result<Exports<'data>, ImageError> {
    let size = u32::try_from(SIZEOF_NLIST_64).unwrap_or(u32::MAX);
    let entries = symbols
        .nsyms
        .checked_mul(size)
        .ok_or_else(|| ImageError::new("its symbol table lies outside the file"))?;
    let entries = table(bytes, symbols.symoff, entries, "symbol table")?;
    let strings = table(bytes, symbols.stroff, symbols.strsize, "string table")?;
    let damaged = || ImageError::new("its symbol table is damaged");
    let mut exports = Vec::new();
    // Entries may share a text, which costs nothing but the search for its end.
    let mut spent = 0_usize;
    for entry in entries.chunks_exact(SIZEOF_NLIST_64) {
        let name: u32 = entry.pread_with(0, LE).map_err(|_| damaged())?;
        let kind: u8 = entry.pread_with(4, LE).map_err(|_| damaged())?;
        let value: u64 = entry.pread_with(8, LE).map_err(|_| damaged())?;
        let visible = kind & N_STAB == 0 && kind & N_EXT != 0 && kind & N_PEXT == 0;
        if !visible || kind & N_TYPE == N_UNDF {
            continue;
        }
        let name = usize::try_from(name).ok().and_then(|offset| text_at(strings, offset));
        let name = name.ok_or_else(damaged)?;
        spent += name.len();
        if spent > MAX_NAMES {
            return Err(ImageError::new("the names in its symbol table are too long"));
        }
        let place = match kind & N_TYPE {
            N_SECT => Export::At(commands.place(value)),
            _ => Export::Chosen,
        };
        if let Ok(name) = std::str::from_utf8(name) {
            exports.push((name_in_c(name.into()), place));
        }
    }
    Ok(exports)
}

/// Where a symbol is to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// In the library itself.
    Own,
    /// In one of [`Commands::libraries`].
    Library(usize),
    /// In the program.
    Program,
    /// In all libraries, in the order in which they were loaded.
    Anywhere,
    /// In all libraries that define it weakly, the same for all of them.
    Weak,
}

impl Scope {
    /// By the number that fixups give it, `BIND_SPECIAL_DYLIB_*` where it is not above 0.
    pub(super) fn of(ordinal: i64, commands: &Commands<'_>) -> Result<Self, ImageError> {
        match ordinal {
            0 => Ok(Self::Own),
            -1 => Ok(Self::Program),
            -2 => Ok(Self::Anywhere),
            -3 => Ok(Self::Weak),
            _ => usize::try_from(ordinal)
                .ok()
                .and_then(|ordinal| ordinal.checked_sub(1))
                .filter(|index| *index < commands.libraries.len())
                .map(Self::Library)
                .ok_or_else(|| {
                    ImageError::new(format!(
                        "it takes a symbol from library {ordinal}, which is none"
                    ))
                }),
        }
    }
}

/// What a symbol is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    To(u64),
    Import(u32),
    Unknown(&'static str),
}

impl Bound {
    /// So many bytes on.
    pub(super) fn fixup(self, addend: i64) -> Fixup {
        match self {
            Self::To(address) => Fixup::Address(address.wrapping_add_signed(addend)),
            Self::Import(index) => Fixup::Import { index, addend },
            Self::Unknown(what) => Fixup::Unknown(what),
        }
    }
}

/// The number of a name in [`Symbols`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name(u32);

/// The symbols that fixups ask for, each bound once.
pub(super) struct Symbols<'commands, 'data> {
    commands: &'commands Commands<'data>,
    own: HashMap<&'commands str, &'commands Export<'data>>,
    names: Vec<Cow<'data, str>>,
    numbers: HashMap<&'data [u8], Name>,
    bound: HashMap<(Name, Scope, bool), Bound>,
    imports: Vec<Import<'data>>,
}

impl<'commands, 'data> Symbols<'commands, 'data> {
    pub(super) fn new(
        commands: &'commands Commands<'data>,
        image: &'commands Image<'data>,
    ) -> Self {
        // Of two of a name the first is found.
        let own = image.exports.iter().rev().map(|(name, place)| (name.as_ref(), place)).collect();
        Self {
            commands,
            own,
            names: Vec::new(),
            numbers: HashMap::new(),
            bound: HashMap::new(),
            imports: Vec::new(),
        }
    }

    /// Notes a name, so that binding need not compare it again.
    pub(super) fn name(&mut self, name: &'data [u8]) -> Name {
        let names = &mut self.names;
        *self.numbers.entry(name).or_insert_with(|| {
            names.push(name_in_c(readable(name).into()));
            // As many as fit the file.
            Name(u32::try_from(names.len() - 1).unwrap_or(u32::MAX))
        })
    }

    /// What dyld binds a symbol to.
    pub(super) fn bind(&mut self, name: Name, scope: Scope, weak: bool) -> Bound {
        if let Some(bound) = self.bound.get(&(name, scope, weak)) {
            return *bound;
        }
        let text = self.text(name);
        let own = match scope {
            // An own definition comes first, as far as can be told. Who else has the symbol is not
            // known, and has it alike, where it is weak.
            Scope::Own | Scope::Anywhere | Scope::Weak => self.own.get(text.as_ref()).copied(),
            Scope::Library(_) | Scope::Program => None,
        };
        let bound = match own {
            Some(Export::At(address)) => Bound::To(*address),
            Some(Export::Chosen) => Bound::Unknown("a function that is chosen while loading"),
            Some(Export::Elsewhere { library, name }) => {
                self.import(name.clone(), Some(library.clone()), weak)
            }
            None => match scope {
                Scope::Own => Bound::Unknown("a symbol of the library that it does not have"),
                Scope::Library(index) => {
                    let library = self.commands.libraries.get(index);
                    let weak = weak || library.is_some_and(|library| library.weak);
                    self.import(text, library.map(|library| library.name.clone()), weak)
                }
                Scope::Program | Scope::Anywhere | Scope::Weak => self.import(text, None, weak),
            },
        };
        self.bound.insert((name, scope, weak), bound);
        bound
    }

    fn text(&self, name: Name) -> Cow<'data, str> {
        let index = usize::try_from(name.0).unwrap_or(usize::MAX);
        self.names.get(index).cloned().unwrap_or_default()
    }

    fn import(
        &mut self,
        name: Cow<'data, str>,
        library: Option<Cow<'data, str>>,
        weak: bool,
    ) -> Bound {
        let index = u32::try_from(self.imports.len()).unwrap_or(u32::MAX);
        self.imports.push(Import { name, library, weak });
        Bound::Import(index)
    }

    pub(super) fn into_imports(self) -> Vec<Import<'data>> {
        self.imports
    }
}
