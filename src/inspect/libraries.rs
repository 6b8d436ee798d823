//! The libraries that lie in the same wheel as a module.
//!
//! The dynamic loader looks for a symbol in a library and in everything that it needs, so an answer
//! may hang on more files than one. Inspecting never fetches: it says which files it lacks, and is
//! asked again once they are here.

use std::collections::{BTreeMap, BTreeSet};

/// The shared libraries of a wheel, by file name.
#[derive(Debug, Default)]
pub struct Libraries {
    known: BTreeSet<String>,
    here: BTreeMap<String, Vec<u8>>,
}

/// What is known of a library that another one needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library<'a> {
    /// It is not in the wheel: the system has it, or nobody.
    Elsewhere,
    /// It is in the wheel, and was not fetched yet.
    Missing,
    /// Its bytes.
    Here(&'a [u8]),
}

impl Libraries {
    /// The wheel's files of these names, none of them fetched.
    #[must_use]
    pub fn named(names: impl Iterator<Item = String>) -> Self {
        Self { known: names.collect(), here: BTreeMap::new() }
    }

    /// Adds the bytes of one.
    pub fn insert(&mut self, name: String, bytes: Vec<u8>) {
        self.here.insert(name, bytes);
    }

    /// Looks one up by the name that the loader is asked for.
    #[must_use]
    pub fn find(&self, needed: &str) -> Library<'_> {
        // Needed names may be paths; the wheel's folders are searched as if all were on the path.
        let name = needed.rsplit('/').next().unwrap_or(needed);
        match self.here.get(name) {
            Some(bytes) => Library::Here(bytes),
            None if self.known.contains(name) => Library::Missing,
            None => Library::Elsewhere,
        }
    }
}
