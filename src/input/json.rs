//! JSON whose parts know where they stand.
//!
//! [`serde_json`] hands out parts of a text as they are written ([`RawValue`]); where such a part
//! begins in the text is its place.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{InputError, Source};
use crate::model::location::Location;

/// Reads a part of a file, or all of it.
///
/// # Errors
/// Where it is not JSON, or not of the form of `T`; with the place in the file.
pub(super) fn parse<'a, T: Deserialize<'a>>(
    source: &'a Source,
    part: &'a str,
    hint: &str,
) -> Result<T, InputError> {
    serde_json::from_str(part).map_err(|problem| {
        let start = offset(&source.text, part);
        let before: usize =
            part.split_inclusive('\n').take(problem.line().saturating_sub(1)).map(str::len).sum();
        let at = start + before + problem.column().saturating_sub(1);
        let message = problem.to_string();
        // Its own place counts from the start of the part.
        let message = message.split(" at line ").next().unwrap_or_default();
        InputError::at(source.location(at), message).hint(hint)
    })
}

/// Where the value of a member begins.
pub(super) fn place(source: &Source, value: &RawValue) -> Location {
    source.location(offset(&source.text, value.get()))
}

/// Where the name of a member begins, told from its value.
pub(super) fn place_of_member(source: &Source, value: &RawValue) -> Location {
    let at = offset(&source.text, value.get());
    let before = source.text.get(..at).unwrap_or_default();
    let name = before.trim_end().strip_suffix(':').map(str::trim_end);
    let start = name.and_then(|name| name.strip_suffix('"')).and_then(|name| name.rfind('"'));
    source.location(start.unwrap_or(at))
}

/// Where `part`, which is a slice of `text`, begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr()).min(text.len())
}
