//! For people at a terminal.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color, ColumnConstraint};

use super::{arrow, changes, diff_summary, label, version};
use crate::model::diff_report::{ChangeKind, DiffReport, PackageChange, PackageState};
use crate::report::merged::{Merged, merged};
use crate::report::table::{plain_table, write_finding, write_remarks, write_trimmed};
use crate::report::text::{lines, printable};
use crate::report::{Detail, Reporter, Style};

pub(in crate::report) struct DiffTable;

impl Reporter<DiffReport> for DiffTable {
    fn name(&self) -> &'static str {
        "table"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn write(&self, report: &DiffReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        write_packages(report, style, output)?;
        let found = merged(&report.found);
        for Merged { finding, places } in &found {
            write_finding(finding, &label(report, places), style, output)?;
        }
        if !found.is_empty() {
            writeln!(output)?;
        }
        if style.detail > Detail::Quiet {
            write_gone(report, output)?;
        }
        writeln!(output, "{}", diff_summary(report))?;
        writeln!(output, "{} -> {}", printable(&report.old), printable(&report.new))?;
        write_remarks(&report.gaps, &report.notes, output)
    }
}

fn write_packages(report: &DiffReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
    let mut table = plain_table(style);
    let is_shown = |change: &PackageChange| {
        style.detail > Detail::Quiet || change.kind == ChangeKind::Worsened
    };
    let changes = changes(report);
    let mut shown = changes.iter().filter(|(change, _)| is_shown(change)).peekable();
    if shown.peek().is_none() {
        return Ok(());
    }
    for (change, places) in shown {
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        let versions = arrow(old.map(version), new.map(version));
        let verdict = |state: &PackageState| state.verdict.as_str();
        let mut verdicts = arrow(old.map(verdict), new.map(verdict));
        let label = label(report, places);
        if !label.is_empty() {
            verdicts = format!("{verdicts} ({label})");
        }
        table.add_row([
            Cell::new(change.kind.as_str()).fg(color(change.kind)),
            Cell::new(printable(&format!("{} {versions}", change.name)))
                .add_attribute(Attribute::Bold),
            Cell::new(verdicts),
        ]);
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1)).set_constraint(ColumnConstraint::ContentWidth);
    }
    write_trimmed(&table.to_string(), output)?;
    writeln!(output)
}

fn color(kind: ChangeKind) -> Color {
    match kind {
        ChangeKind::Worsened => Color::Red,
        ChangeKind::Added | ChangeKind::Changed => Color::Cyan,
        ChangeKind::Fixed => Color::Green,
        ChangeKind::Removed => Color::DarkGrey,
    }
}

/// What is gone needs nobody's attention: a line is enough.
fn write_gone(report: &DiffReport, output: &mut dyn Write) -> io::Result<()> {
    let gone = merged(&report.gone);
    for Merged { finding, places } in &gone {
        let subject = match (&finding.package, &finding.version) {
            (Some(package), Some(version)) => format!("{package} {version}"),
            (Some(package), None) => package.clone(),
            (None, _) => finding.message.clone(),
        };
        let label = label(report, places);
        let label = if label.is_empty() { label } else { format!(" ({label})") };
        writeln!(output, "gone[{}] {}{label}", printable(&finding.rule), lines(&subject, "  "))?;
    }
    if gone.is_empty() { Ok(()) } else { writeln!(output) }
}
