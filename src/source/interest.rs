//! Which files are worth reading, told by words that stand in them: most of a source says nothing of
//! modules.

use aho_corasick::AhoCorasick;

/// Finds some words in the bytes of files.
#[derive(Debug)]
pub(super) struct Interest(Option<AhoCorasick>);

impl Interest {
    pub(super) fn of(words: &[&str]) -> Self {
        Self(AhoCorasick::new(words).ok())
    }

    /// Whether one of them stands there.
    pub(super) fn holds(&self, bytes: &[u8]) -> bool {
        self.0.as_ref().is_none_or(|words| words.is_match(bytes))
    }
}
