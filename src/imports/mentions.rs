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
    /// What is looked for: dotted names, and the last part of each.
    texts: Vec<String>,
    names: BTreeSet<String>,
}

impl Mentions {
    /// One that looks for these dotted names. Those that are too short to tell are left out.
    #[must_use]
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        let names: BTreeSet<String> = names.into_iter().collect();
        let parts = names.iter().flat_map(|name| [name.as_str(), last_part(name)]);
        let texts: BTreeSet<&str> = parts.filter(|text| text.len() >= SHORTEST).collect();
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        let search = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&texts);
        // Fails only for more names than fit in 32 bits.
        Self { search: search.ok().filter(|_| !texts.is_empty()), texts, names }
    }

    /// The names that stand in the bytes of a module as texts of their own, sorted. Modules of its
    /// own package may be named by their last part, as relative imports name them.
    #[must_use]
    pub fn find(&self, module: &str, bytes: &[u8]) -> Vec<String> {
        let Some(search) = &self.search else { return Vec::new() };
        let package = module.rsplit_once('.').map(|(package, _)| package);
        let mut found = BTreeSet::new();
        for one in search.find_overlapping_iter(bytes) {
            let before = one.start().checked_sub(1).and_then(|at| bytes.get(at));
            let after = bytes.get(one.end());
            let Some(text) = self.texts.get(one.pattern().as_usize()) else { continue };
            // A constant of C ends in a zero; one of Rust lies among others.
            let alone = if text.contains('.') {
                !before.is_some_and(is_of_name) && !after.is_some_and(is_of_name)
            } else {
                before == Some(&0) && after == Some(&0)
            };
            if !alone {
                continue;
            }
            let beside = package.map(|package| format!("{package}.{text}"));
            for name in [Some(text.clone()), beside].into_iter().flatten() {
                if name != module && self.names.contains(&name) {
                    found.insert(name);
                }
            }
        }
        found.into_iter().collect()
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn is_of_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}
