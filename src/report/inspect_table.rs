//! An inspection for people at a terminal: what was looked at, worst first, with the modules that
//! matter; in full, every module with the evidence for its answer.

use std::io::{self, Write};

use super::evidence::{colors, write_answer, write_evidence};
use super::table::write_remarks;
use super::text::{inspect_summary, printable};
use super::{Detail, Reporter, Style};
use crate::model::evidence::{Gil, ModuleReport};
use crate::model::inspect_report::{FileReport, InspectReport};
use crate::model::report::{Severity, Verdict};

/// Names up to so many letters are followed by what is said of them in one column.
const MAX_NAME_WIDTH: usize = 48;

pub(super) struct InspectTable;

impl Reporter<InspectReport> for InspectTable {
    fn name(&self) -> &'static str {
        "table"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn write(
        &self,
        report: &InspectReport,
        style: Style,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let is_shown = |file: &&FileReport| {
            style.detail > Detail::Quiet || file.verdict.severity() != Severity::Fine
        };
        let mut files: Vec<&FileReport> = report.files.iter().filter(is_shown).collect();
        files.sort_by_key(|file| file.verdict);
        let width = files.iter().map(|file| file.verdict.as_str().len()).max().unwrap_or(0);
        let targets = report.files.iter().map(|file| file.target);
        let one_target = targets.clone().min() == targets.max();
        for (at, file) in files.iter().enumerate() {
            if at > 0 && style.detail == Detail::Verbose {
                writeln!(output)?;
            }
            let (color, bold) = colors(file.verdict, style);
            write!(output, "{color}{:<width$}{color:#}  ", file.verdict.as_str())?;
            write!(output, "{bold}{}{bold:#}", name_of(file))?;
            if !one_target {
                write!(output, "  {}", file.target)?;
            }
            let explanation = explanation(file);
            if !explanation.is_empty() {
                write!(output, "  {explanation}")?;
            }
            writeln!(output)?;
            write_modules(file, style, output)?;
        }
        if !files.is_empty() {
            writeln!(output)?;
        }
        if style.detail > Detail::Quiet || report.files.is_empty() {
            for skipped in &report.skipped {
                let path = printable(&skipped.path);
                writeln!(output, "passed over: {path}: {}", printable(&skipped.reason))?;
            }
            if !report.skipped.is_empty() {
                writeln!(output)?;
            }
        }
        writeln!(output, "{}", inspect_summary(report))?;
        write_remarks(&report.gaps, &report.notes, output)
    }
}

/// A distribution in a folder goes by its name, everything else by its path.
fn name_of(file: &FileReport) -> String {
    printable(&match (&file.wheel, &file.name, &file.version) {
        (None, Some(name), Some(version)) => format!("{name} {version}"),
        (None, Some(name), None) => name.clone(),
        _ => file.path.clone(),
    })
}

/// How many modules there are, or why none was looked at, and what else there is to know.
fn explanation(file: &FileReport) -> String {
    let count = file.modules.len();
    let modules = if count == 1 { "extension module" } else { "extension modules" };
    let deciding = match file.verdict {
        Verdict::EnablesGil => Some(Gil::Enables),
        Verdict::Undetermined => Some(Gil::Undetermined),
        _ => None,
    };
    let mut parts = match deciding {
        Some(gil) => {
            let deciding = file.modules.iter().filter(|module| module.gil == gil).count();
            vec![format!("{deciding} of {count} {modules}")]
        }
        None if count > 0 => vec![format!("{count} {modules}")],
        None => file.reason.iter().map(|reason| printable(reason)).collect(),
    };
    parts.extend(file.notes.iter().map(|note| printable(note)));
    parts.join("; ")
}

/// The modules that matter, the worst first; in full all of them, in their own order.
fn write_modules(file: &FileReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
    let in_full = style.detail == Detail::Verbose;
    if in_full && file.wheel.is_none() && file.name.is_some() {
        writeln!(output, "  in {}", printable(&file.path))?;
    }
    let mut modules: Vec<&ModuleReport> =
        file.modules.iter().filter(|module| in_full || module.gil != Gil::KeepsOff).collect();
    if !in_full {
        modules.sort_by_key(|module| module.gil == Gil::Undetermined);
    }
    let lengths = modules.iter().map(|module| module.module.chars().count());
    let name_width = lengths.filter(|length| *length <= MAX_NAME_WIDTH).max().unwrap_or(0);
    for module in modules {
        write_answer(module, name_width, style, output)?;
        if in_full {
            write_evidence(module, output)?;
        }
    }
    Ok(())
}
