//! Where in the user's files something stands, and URLs as they may be shown.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// A place in a file: line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The file as the user named it.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Location {
    /// The place of byte `offset` in `text`.
    #[must_use]
    pub fn of_offset(path: &str, text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            path: path.to_owned(),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// The file name that a URL ends in, decoded.
#[must_use]
pub fn last_segment(url: &Url) -> String {
    let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or("");
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// A text that may hold URLs, without their user names and passwords.
#[must_use]
pub fn redacted_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(|letter: char| letter.is_whitespace() || "/?#'\"`".contains(letter));
        let authority = &after[..end.unwrap_or(after.len())];
        rest = after;
        if let Some(host) = authority.rfind('@') {
            shown.push_str("****");
            rest = &after[host..];
        }
    }
    shown.push_str(rest);
    shown
}

/// A URL without user name, password, query and fragment: any of them may hold a token.
#[must_use]
pub fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for URLs that cannot hold credentials in the first place.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}
