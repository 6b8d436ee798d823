//! The report for programs: one JSON object, versioned, sorted, the same for equal runs.

use std::io::{self, Write};

use serde::Serialize;

use super::{Reporter, Style};

pub(super) struct Json;

impl<R: Serialize> Reporter<R> for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn write(&self, report: &R, _style: Style, output: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *output, report)?;
        writeln!(output)
    }
}
