//! Foreign text in Markdown, as GitHub and GitLab render it.
//!
//! Backslashes are not enough there: mentions (`@name`), references (`#1`, `!1`, `GH-1`, a commit's
//! hash), addresses and `:emoji:` are looked for in what is left after the Markdown was rendered. All
//! of them are left alone inside code. So a word that is more than letters becomes code, and the
//! rest needs no escape. Nothing is ever dropped.

use std::fmt::Write as _;

use crate::report::foreign::{Segment, segments};
use crate::report::text::printable;

/// Punctuation that may stand before a word.
const OPENING: &[char] = &['(', '"', '\''];
/// Punctuation that may stand behind a word.
const CLOSING: &[char] = &[')', '"', '\'', ',', ';', ':', '.', '?'];

/// A name, a version, a path: code, whatever is in it.
pub(in crate::report) fn code(text: &str) -> String {
    let text = printable(text);
    if text.is_empty() {
        return String::new();
    }
    let is_plain = !text.contains(['`', '|', '\\'])
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace);
    if is_plain {
        return format!("`{text}`");
    }
    // A code span ends at a backtick, and a table's cell at a bar, in ways in which renderers
    // differ. As an element with entities there is nothing left that any of them could read.
    let mut shown = "<code>".to_owned();
    for letter in text.chars() {
        match letter {
            // Addresses of mail are looked for across entities, but not across what is no text.
            '@' => shown.push_str("<!-- -->&#64;<!-- -->"),
            _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => {
                let _ = write!(shown, "&#{};", u32::from(letter));
            }
            _ => shown.push(letter),
        }
    }
    shown.push_str("</code>");
    shown
}

/// A sentence with foreign words in it, on one line.
pub(in crate::report) fn prose(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    for segment in segments(text) {
        let (text, is_code) = match segment {
            Segment::Words(text) => (text, false),
            Segment::Code(text) => (text, true),
        };
        if is_code {
            // Two spans that touch would be read as one.
            if shown.ends_with(['`', '>']) {
                shown.push(' ');
            }
            shown.push_str(&code(text.trim()));
            continue;
        }
        let starts_apart = text.starts_with(char::is_whitespace);
        if starts_apart && !shown.is_empty() {
            shown.push(' ');
        }
        for (index, word) in text.split_whitespace().enumerate() {
            if index > 0 {
                shown.push(' ');
            }
            push_word(&mut shown, word);
        }
        if text.ends_with(char::is_whitespace) && !shown.ends_with(' ') {
            shown.push(' ');
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

fn push_word(shown: &mut String, word: &str) {
    if word == "->" {
        shown.push('→');
        return;
    }
    let core = word.trim_start_matches(OPENING);
    let (opening, _) = word.split_at(word.len() - core.len());
    let bare = core.trim_end_matches(CLOSING);
    let (_, closing) = core.split_at(bare.len());
    if bare.is_empty() && !opening.is_empty() && !closing.is_empty() {
        // Brackets around nothing could belong to a link.
        push_code(shown, word);
        return;
    }
    shown.push_str(opening);
    if is_word(bare) {
        shown.push_str(bare);
        // `1.` and `1)` begin a list.
        if bare.chars().all(|letter| letter.is_ascii_digit()) && closing.starts_with(['.', ')']) {
            shown.push('\\');
        }
    } else if !bare.is_empty() {
        push_code(shown, bare);
    }
    shown.push_str(closing);
}

fn push_code(shown: &mut String, text: &str) {
    if shown.ends_with('`') {
        shown.push(' ');
    }
    shown.push_str(&code(text));
}

/// Whether a word is one that no renderer sees anything in.
fn is_word(word: &str) -> bool {
    let is_letters = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    let is_number = !word.is_empty() && word.chars().all(|letter| letter.is_ascii_digit());
    // Seven hexadecimal digits may be a commit.
    let may_be_hash = word.len() >= 7 && word.chars().all(|letter| letter.is_ascii_hexdigit());
    let of_letters = word.split(['-', '\'']).all(is_letters);
    (of_letters || is_number || word == "—") && !may_be_hash
}
