//! The report for programs: one JSON object, versioned, sorted, the same for equal runs.

use std::io::{self, Write};

use super::{InspectReporter, Reporter, Style};
use crate::model::inspect_report::InspectReport;
use crate::model::report::ScanReport;

pub(super) struct Json;

impl Reporter for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn write(&self, report: &ScanReport, _style: Style, output: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *output, report)?;
        writeln!(output)
    }
}

impl InspectReporter for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn write(
        &self,
        report: &InspectReport,
        _style: Style,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *output, report)?;
        writeln!(output)
    }
}
