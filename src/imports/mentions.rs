//! Names of modules among the bytes of a compiled file.
//!
//! A compiled module imports in code that is not followed. Whatever it imports by name it names in
//! its constants: that one of them is the name of a module is a hint that it may be imported.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};

/// Shorter names stand in any file.
const SHORTEST: usize = 5;

/// Looks for a set of module names.
pub struct Mentions {
    search: Option<AhoCorasick>,
    names: Vec<String>,
}

impl Mentions {
    /// One that looks for these dotted names. Those that are too short to tell are left out.
    #[must_use]
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        let names: BTreeSet<String> =
            names.into_iter().filter(|name| name.len() >= SHORTEST).collect();
        let names: Vec<String> = names.into_iter().collect();
        let search = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&names);
        // Fails only for more names than fit in 32 bits.
        Self { search: search.ok().filter(|_| !names.is_empty()), names }
    }

    /// The names that stand in `bytes` as texts of their own, sorted.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<String> {
        let Some(search) = &self.search else { return Vec::new() };
        let mut found = BTreeSet::new();
        for one in search.find_overlapping_iter(bytes) {
            let before = one.start().checked_sub(1).and_then(|at| bytes.get(at));
            let after = bytes.get(one.end());
            // A constant of C ends in a zero; one of Rust lies among others.
            let Some(name) = self.names.get(one.pattern().as_usize()) else { continue };
            let alone = if name.contains('.') {
                !before.is_some_and(is_of_name) && !after.is_some_and(is_of_name)
            } else {
                before == Some(&0) && after == Some(&0)
            };
            if alone {
                found.insert(name.clone());
            }
        }
        found.into_iter().collect()
    }
}

fn is_of_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}
