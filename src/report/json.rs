//! The report for programs: one JSON object, versioned, sorted, the same for equal runs. Its schema
//! is `docs/schema/scan-report-1.json`.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use super::text::acts;
use super::{Reporter, Style};

pub(super) struct Json;

impl<R: Serialize> Reporter<R> for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["json"]
    }

    fn write(&self, report: &R, _style: Style, output: &mut dyn Write) -> io::Result<()> {
        output.write_all(to_text(report)?.as_bytes())
    }
}

/// As JSON, on several lines. What a terminal would act on is escaped: that changes nothing about the
/// text, and shows what it holds.
pub(super) fn to_text(value: &impl Serialize) -> io::Result<String> {
    let plain = serde_json::to_string_pretty(value)?;
    let mut text = String::with_capacity(plain.len() + 1);
    for letter in plain.chars() {
        // Line ends are those between values: inside texts serde_json escapes them.
        if acts(letter) && letter != '\n' {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(letter);
        }
    }
    text.push('\n');
    Ok(text)
}
