//! A scan's or an inspection's outcome as text, one file for each format.
//!
//! A reporter writes to what it is given and decides nothing; formats are found in [`FORMATS`] and
//! [`INSPECT_FORMATS`].

mod evidence;
mod inspect_table;
mod json;
mod rules;
mod table;
mod text;

use std::io::{self, Write};

use crate::model::inspect_report::InspectReport;
use crate::model::report::ScanReport;

pub use rules::{explain, list_rules};
pub use text::{bytes, inspect_summary, printable, summary};

/// How much a person wants to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only what is not in order.
    Quiet,
    /// Every package.
    Normal,
    /// Every module, and what was passed over.
    Verbose,
}

/// How a report is drawn, for the formats that are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether colours may be used.
    pub color: bool,
    /// Whether addresses may be links that a terminal opens (OSC 8).
    pub links: bool,
    /// Columns to fit into; without, lines are as long as they are.
    pub width: Option<u16>,
    /// How much to say.
    pub detail: Detail,
    /// Whether to say which packages subinterpreters can import.
    pub subinterpreters: bool,
}

/// A form that reports of one kind can be written in.
pub trait Reporter<R>: Sync {
    /// What `--format` calls it.
    fn name(&self) -> &'static str;

    /// Writes the whole report.
    ///
    /// # Errors
    /// Those of `output`.
    fn write(&self, report: &R, style: Style, output: &mut dyn Write) -> io::Result<()>;
}

/// Every format for scans; the first is the default.
pub const FORMATS: &[&dyn Reporter<ScanReport>] = &[&table::Table, &json::Json];

/// Every format for inspections; the first is the default.
pub const INSPECT_FORMATS: &[&dyn Reporter<InspectReport>] =
    &[&inspect_table::InspectTable, &json::Json];
