//! Text from outside, made fit for pages and comments: nothing in it may act on what is around it.
//! What each form escapes lives with the form, and what no form may show is in `text`.

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
