//! The lines of a requirements file, as pip's `req_file.py` makes them: continued lines joined,
//! comments taken away, environment variables put in.

use std::borrow::Cow;

/// A line after continuation.
pub(super) struct Line {
    pub(super) text: String,
    /// The environment variables that were put in, by what they hold: that may be a secret.
    put_in: Vec<(String, String)>,
    /// Where its parts stand in the file: offset in the text, offset in the file.
    parts: Vec<(usize, usize)>,
}

impl Line {
    /// The offset in the file of an offset in the text.
    pub(super) fn offset(&self, at: usize) -> usize {
        let at = if self.put_in.is_empty() { at } else { 0 };
        let part = self.parts.iter().rev().find(|(start, _)| *start <= at);
        part.map_or(0, |(start, offset)| offset + at - start)
    }

    /// A message about the line, with the names of variables rather than what they hold.
    pub(super) fn without_values(&self, mut message: String) -> String {
        for (value, name) in &self.put_in {
            message = message.replace(value.as_str(), &format!("${{{name}}}"));
        }
        message
    }

    /// Puts in environment variables. Places in a line with some are those of its start.
    fn expand(&mut self) {
        let mut put_in = Vec::new();
        let value = |name: &str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
            put_in.push((value.clone(), name.to_owned()));
            Some(value)
        };
        if let Cow::Owned(expanded) = expanded(&self.text, value) {
            self.text = expanded;
            self.put_in = put_in;
            let start = self.parts.first().map_or(0, |(_, offset)| *offset);
            self.parts = vec![(0, start)];
        }
    }
}

/// Joins lines that end in a backslash, then takes comments away, then puts in variables. A line
/// that begins with a comment ends a continued one.
pub(super) fn logical_lines(text: &str) -> impl Iterator<Item = Line> {
    let mut rest = text.split_inclusive('\n');
    let mut offset = 0;
    std::iter::from_fn(move || {
        let mut line: Option<Line> = None;
        for raw in rest.by_ref() {
            let start = offset;
            offset += raw.len();
            let raw = raw.trim_end_matches(['\n', '\r']);
            let is_comment = raw.trim_start().starts_with('#');
            let (part, continues) = match raw.strip_suffix('\\') {
                Some(part) if !is_comment => (part, true),
                _ => (raw, false),
            };
            let line = line.get_or_insert_with(|| Line {
                text: String::new(),
                put_in: Vec::new(),
                parts: Vec::new(),
            });
            if is_comment {
                // Behind a blank, so that it is seen as a comment.
                line.text.push(' ');
            }
            line.parts.push((line.text.len(), start));
            line.text.push_str(part);
            if !continues {
                break;
            }
        }
        let mut line = line?;
        let length = without_comment(&line.text).trim_end().len();
        line.text.truncate(length);
        line.expand();
        Some(line)
    })
}

/// A comment begins at a `#` at the start of a line or behind a blank.
fn without_comment(line: &str) -> &str {
    let mut previous_is_blank = true;
    for (at, letter) in line.char_indices() {
        if letter == '#' && previous_is_blank {
            return line.get(..at).unwrap_or(line);
        }
        previous_is_blank = letter.is_whitespace();
    }
    line
}

/// Puts in the variables that are set and not empty: `${NAME}`, with upper-case letters, digits and
/// underscores alone, as pip has it. Others stay as they are.
pub(crate) fn expanded(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> Cow<'_, str> {
    let mut expanded = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some((before, after)) = rest.split_once("${") {
        let named = after.split_once('}').filter(|(name, _)| is_variable(name));
        let put_in = named.and_then(|(name, behind)| Some((value(name)?, behind)));
        expanded.push_str(before);
        match put_in {
            Some((value, behind)) => {
                found = true;
                expanded.push_str(&value);
                rest = behind;
            }
            None => {
                expanded.push_str("${");
                rest = after;
            }
        }
    }
    if !found {
        return Cow::Borrowed(text);
    }
    expanded.push_str(rest);
    Cow::Owned(expanded)
}

fn is_variable(name: &str) -> bool {
    let is_part =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    !name.is_empty() && name.chars().all(is_part)
}
