//! A scan's or an inspection's outcome, or what the tracker says, as text, one file for each format.
//!
//! A reporter writes to what it is given and decides nothing; formats are found in [`FORMATS`] and
//! [`INSPECT_FORMATS`].

mod advice;
mod csv;
mod diff;
mod evidence;
mod foreign;
mod github;
mod gitlab;
pub mod html;
mod inspect_table;
mod json;
mod junit;
pub mod markdown;
mod merged;
mod origin;
mod outcome;
mod rules;
mod sarif;
mod table;
mod text;
mod told;
mod tracker_table;
mod verify_table;

use std::io::{self, Write};

use crate::judge::FailOn;
use crate::model::advice::AdviceReport;
use crate::model::diff_report::DiffReport;
use crate::model::inspect_report::InspectReport;
use crate::model::report::ScanReport;
use crate::model::tracker::TrackerReport;
use crate::model::verify_report::VerifyReport;

pub use advice::advice_summary;
pub use diff::diff_summary;
pub use origin::Origin;
pub use outcome::sentence;
pub use rules::{explain, list_rules};
pub use text::{bytes, inspect_summary, printable, summary};
pub use verify_table::verify_summary;

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

/// How a report is drawn, for the formats that are drawn, and where its paths count from.
#[derive(Debug, Clone, Copy)]
pub struct Style<'o> {
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
    /// Where the scan was made.
    pub origin: Origin<'o>,
    /// What the run fails on, so that no form says of it something else than its exit code does.
    pub fail_on: &'o FailOn,
}

/// A form that reports of one kind can be written in.
pub trait Reporter<R>: Sync {
    /// What `--format` calls it.
    fn name(&self) -> &'static str;

    /// What the names of such files end in, without the dot. Where several formats share one, it
    /// stands for the first of them in the list.
    fn suffixes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Writes the whole report.
    ///
    /// # Errors
    /// Those of `output`.
    fn write(&self, report: &R, style: Style, output: &mut dyn Write) -> io::Result<()>;
}

/// Every format for scans; the first is the default.
pub const FORMATS: &[&dyn Reporter<ScanReport>] = &[
    &table::Table,
    &json::Json,
    &sarif::Sarif,
    &github::GitHub,
    &gitlab::GitLab,
    &junit::JUnit,
    &csv::Csv,
    &markdown::Markdown,
    &html::Html,
];

/// Every format for inspections; the first is the default.
pub const INSPECT_FORMATS: &[&dyn Reporter<InspectReport>] =
    &[&inspect_table::InspectTable, &json::Json];

/// Every format for comparisons with an interpreter; the first is the default.
pub const VERIFY_FORMATS: &[&dyn Reporter<VerifyReport>] =
    &[&verify_table::VerifyTable, &json::Json];

/// Every format for what the tracker says; the first is the default.
pub const TRACKER_FORMATS: &[&dyn Reporter<TrackerReport>] =
    &[&tracker_table::TrackerTable, &json::Json];

/// Every format for advice; the first is the default.
pub const ADVICE_FORMATS: &[&dyn Reporter<AdviceReport>] = &[&advice::AdviceTable, &json::Json];
/// Every format for what differs between two scans; the first is the default.
pub const DIFF_FORMATS: &[&dyn Reporter<DiffReport>] =
    &[&diff::DiffTable, &json::Json, &diff::DiffMarkdown];
