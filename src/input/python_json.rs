//! JSON as Python's `json.dumps(…, sort_keys=True)` writes it: several tools keep the digest of
//! such a text in their lockfile, to see whether the project has changed since.

use serde_json::Value;
use sha2::{Digest as _, Sha256 as Hasher};
use std::fmt::Write as _;

/// The separators that were asked of `json.dumps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separators {
    /// A space behind each, as where nothing is asked.
    Spaced,
    /// None.
    Compact,
}

/// The SHA-256 digest of a value's text, in hexadecimal digits.
pub(super) fn sha256(value: &Value, separators: Separators) -> String {
    let mut text = String::new();
    write(&mut text, value, separators);
    let digest: [u8; 32] = Hasher::digest(text.as_bytes()).into();
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write(to: &mut String, value: &Value, separators: Separators) {
    let (comma, colon) = match separators {
        Separators::Spaced => (", ", ": "),
        Separators::Compact => (",", ":"),
    };
    match value {
        Value::Null => to.push_str("null"),
        Value::String(text) => string(to, text),
        Value::Number(number) => to.push_str(&number.to_string()),
        Value::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
        Value::Array(items) => {
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    to.push_str(comma);
                }
                write(to, item, separators);
            }
            to.push(']');
        }
        Value::Object(table) => {
            // By code points, which is how Python sorts texts and how UTF-8 sorts too.
            let mut members: Vec<_> = table.iter().collect();
            members.sort_unstable_by_key(|(key, _)| key.as_str());
            to.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    to.push_str(comma);
                }
                string(to, key);
                to.push_str(colon);
                write(to, value, separators);
            }
            to.push('}');
        }
    }
}

/// A text with everything beyond ASCII escaped.
fn string(to: &mut String, text: &str) {
    to.push('"');
    for letter in text.chars() {
        match letter {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            '\u{8}' => to.push_str("\\b"),
            '\u{c}' => to.push_str("\\f"),
            ' '..='~' | '\u{7f}' => to.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(to, "\\u{unit:04x}");
                }
            }
        }
    }
    to.push('"');
}
