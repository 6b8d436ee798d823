//! The report for people at a terminal: a table, worst first, what the rules found, and a
//! summary. Several places stand side by side.

mod findings;
mod side_by_side;

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, presets};

use super::text::{lines, one_line, printable, summary};
use super::{Detail, Reporter, Style};
use crate::model::evidence::{Gil, ModuleReport, Subinterpreters};
use crate::model::report::{PackageReport, ScanReport, Severity, Verdict};

/// Modules named in a row before the rest is counted.
const NAMED_MODULES: usize = 3;

pub(super) use findings::write_one as write_finding;

pub(super) struct Table;

impl Reporter<ScanReport> for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn write(&self, report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        let mut packages: Vec<&PackageReport> = report
            .packages
            .iter()
            .filter(|package| {
                style.detail > Detail::Quiet || package.verdict.severity() != Severity::Fine
            })
            .collect();
        packages.sort_by_key(|package| package.verdict);
        if report.places().count() > 1 {
            side_by_side::write(report, style, output)?;
        } else if !packages.is_empty() {
            write_trimmed(&draw(&packages, style), output)?;
            writeln!(output)?;
        }
        findings::write(report, style, output)?;
        if style.detail == Detail::Verbose {
            write_skipped(report, output)?;
        }
        writeln!(output, "{}", summary(report))?;
        let hidden = findings::hidden_notes(report, style);
        if hidden > 0 {
            let notes = if hidden == 1 { "note" } else { "notes" };
            writeln!(output, "{hidden} {notes} more: -v shows them")?;
        }
        // What is not covered is among the findings.
        write_remarks(&[], &report.notes, output)
    }
}

/// What a report does not cover, and what the reader has to know to read the rest rightly.
pub(super) fn write_remarks(
    gaps: &[String],
    notes: &[String],
    output: &mut dyn Write,
) -> io::Result<()> {
    for gap in gaps {
        writeln!(output, "not covered: {}", lines(gap, "  "))?;
    }
    for note in notes {
        writeln!(output, "note: {}", lines(note, "  "))?;
    }
    Ok(())
}

/// A drawn table, without what comfy-table pads its last column with.
pub(super) fn write_trimmed(table: &str, output: &mut dyn Write) -> io::Result<()> {
    for line in table.lines() {
        writeln!(output, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A table without lines that fits where it is shown.
pub(super) fn plain_table(style: Style) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = style.width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    } else {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    if style.color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

fn draw(packages: &[&PackageReport], style: Style) -> String {
    let mut table = plain_table(style);
    for package in packages {
        let version = package.version.as_deref().unwrap_or("?");
        let mut row = vec![
            colored(package.verdict),
            Cell::new(format!("{} {}", printable(&package.name), printable(version)))
                .add_attribute(Attribute::Bold),
        ];
        if style.subinterpreters {
            row.push(Cell::new(subinterpreters(package)));
        }
        row.push(Cell::new(explanation(package, style.detail)));
        table.add_row(row);
    }
    if let Some(first) = table.column_mut(0) {
        // The verdict stays in one piece, however narrow the terminal.
        first.set_padding((0, 1)).set_constraint(ColumnConstraint::ContentWidth);
    }
    table.to_string()
}

pub(super) fn colored(verdict: Verdict) -> Cell {
    let color = match verdict.severity() {
        Severity::Finding => Color::Red,
        Severity::NotKnown => Color::Yellow,
        Severity::Fine => Color::Green,
    };
    Cell::new(verdict.as_str()).fg(color)
}

/// Whether its modules may be imported in subinterpreters with a GIL of their own.
fn subinterpreters(package: &PackageReport) -> &'static str {
    let supports =
        |module: &ModuleReport| module.subinterpreters == Some(Subinterpreters::PerInterpreterGil);
    match package.verdict {
        Verdict::NoWheel | Verdict::Unchecked => "subinterpreters: ?",
        _ if package.modules.iter().all(supports) => "subinterpreters: yes",
        _ if package.modules.iter().any(|one| one.gil == Gil::Undetermined && !supports(one)) => {
            "subinterpreters: ?"
        }
        _ => "subinterpreters: no",
    }
}

/// What stands behind a package: the reason, or the modules that decide.
pub(super) fn explanation(package: &PackageReport, detail: Detail) -> String {
    if package.modules.is_empty() {
        return package.reason.as_deref().map(|reason| lines(reason, "")).unwrap_or_default();
    }
    if detail == Detail::Verbose {
        return package.modules.iter().map(line_of_module).collect::<Vec<_>>().join("\n");
    }
    let deciding = match package.verdict {
        Verdict::EnablesGil => Gil::Enables,
        Verdict::Undetermined => Gil::Undetermined,
        Verdict::KeepsGilOff => {
            return match package.modules.len() {
                1 => "1 extension module".to_owned(),
                count => format!("{count} extension modules"),
            };
        }
        _ => return String::new(),
    };
    let modules: Vec<&ModuleReport> =
        package.modules.iter().filter(|module| module.gil == deciding).collect();
    let mut text = modules
        .iter()
        .take(NAMED_MODULES)
        .map(|module| printable(&module.module))
        .collect::<Vec<_>>()
        .join(", ");
    if modules.len() > NAMED_MODULES {
        text.push_str(" and ");
        text.push_str(&(modules.len() - NAMED_MODULES).to_string());
        text.push_str(" more");
    }
    // One reason for all of them is worth its place; several are told with each module (-v).
    let first = modules.first().and_then(|module| module.reason.as_ref());
    if let Some(reason) = first
        && modules.iter().all(|module| module.reason.as_ref() == first)
    {
        text.push_str(": ");
        text.push_str(&lines(reason, ""));
    }
    text
}

fn line_of_module(module: &ModuleReport) -> String {
    let answer = match module.gil {
        Gil::Enables => "enables the GIL",
        Gil::KeepsOff => "keeps the GIL off",
        Gil::Undetermined => "undetermined",
    };
    let mut line = format!("{}: {answer}", printable(&module.module));
    if let Some(reason) = &module.reason {
        line.push_str(", ");
        line.push_str(&one_line(reason));
    }
    line
}

fn write_skipped(report: &ScanReport, output: &mut dyn Write) -> io::Result<()> {
    for skipped in &report.skipped {
        let version = skipped.version.iter().map(|version| format!(" {}", printable(version)));
        let name = printable(&skipped.name) + &version.collect::<String>();
        writeln!(output, "skipped: {name}: {}", lines(&skipped.reason, "  "))?;
    }
    if !report.skipped.is_empty() {
        writeln!(output)?;
    }
    Ok(())
}
