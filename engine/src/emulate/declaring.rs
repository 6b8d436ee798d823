//! Whether the libraries that a hook may run in could declare anything at all. Where they could
//! not, the first module made settles the answer, and what the hook does behind that is of no
//! matter: a hook may define classes for millions of instructions.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::image::Image;

/// The functions by which modules declare, and the type that a definition is told by.
const BY_IMPORT: [&str; 3] = ["PyUnstable_Module_SetGIL", "PyModuleDef_Init", "PyModuleDef_Type"];

/// Functions that find others by their names.
const BY_NAME: [&str; 6] =
    ["dlsym", "dlopen", "dlvsym", "GetProcAddress", "LoadLibraryA", "LoadLibraryExW"];

/// What a library has to hold to look any of them up, or to look for the hook of another module,
/// which may declare.
const NAMES: [&str; 5] =
    ["PyUnstable_Module_SetGIL", "PyModuleDef_Init", "PyModuleDef_Type", "PyInit", "PyModExport"];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    builder.match_kind(MatchKind::LeftmostFirst).build(NAMES).ok()
});

/// What is known of whether anything could be declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declaring {
    Impossible,
    /// It could not by the libraries that are here, and the others are not known.
    Open,
    Possible,
}

impl Declaring {
    /// Whether any library imports what declares, or could look it up: it imports a function that
    /// finds others by name, and one of them holds such a name elsewhere than among those of its
    /// symbols. `all_here` says whether these are all libraries of the wheel that are needed.
    ///
    /// A name that is put together of parts is not seen, nor what a library does that is only loaded
    /// by name: then a module may be said to enable the GIL that keeps it off; the other way around
    /// it cannot be.
    pub(super) fn by(libraries: &[&Image<'_>], all_here: bool) -> Self {
        let imports = |names: &[&str]| {
            let mut imports = libraries.iter().flat_map(|library| library.imports());
            imports.any(|import| names.contains(&import.name.as_ref()))
        };
        if imports(&BY_IMPORT) {
            Self::Possible
        } else if !imports(&BY_NAME) {
            Self::Impossible
        } else if libraries.iter().any(|library| names_any(library)) {
            Self::Possible
        } else if all_here {
            Self::Impossible
        } else {
            Self::Open
        }
    }
}

fn names_any(library: &Image<'_>) -> bool {
    // Without a search nothing is known to be absent.
    let Some(search) = SEARCH.as_ref() else { return true };
    library.contents_without_names().any(|bytes| search.is_match(bytes))
}
