//! Text from outside, made fit for pages and comments: nothing in it may act on what is around it.
//! What each form escapes beyond that lives with the form.

use url::Url;

use crate::model::location::redacted;

/// A stretch of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'t> {
    /// Words.
    Words(&'t str),
    /// What stood between backticks.
    Code(&'t str),
}

/// Text without what cannot be seen: control characters, and those that change the direction of
/// what follows or take no place, with which one name can be made to look like another.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|letter| if is_hidden(letter) { '\u{fffd}' } else { letter }).collect()
}

fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// A message cut at its backticks. One without a partner stays in the words.
pub(super) fn segments(text: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, next)) = after.split_once('`') else { break };
        if !before.is_empty() {
            segments.push(Segment::Words(before));
        }
        if !code.is_empty() {
            segments.push(Segment::Code(code));
        }
        rest = next;
    }
    if !rest.is_empty() {
        segments.push(Segment::Words(rest));
    }
    segments
}

/// The address of a page, if it is one that a link may lead to: of the web, and without
/// credentials.
pub(super) fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    Url::parse(&redacted(&url)).ok()
}

/// The first so many characters; the rest is stood for by an ellipsis.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}
