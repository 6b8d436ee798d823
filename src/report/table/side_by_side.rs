//! What each package does for each of several targets and platforms, in columns.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{Attribute, Cell};

use super::{colored, plain_table, write_trimmed};
use crate::model::report::{PackageReport, Place, ScanReport, Severity, Verdict};
use crate::report::text::printable;
use crate::report::{Detail, Style};

/// One row for each release, those first that do the worst anywhere.
pub(super) fn write(report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
    let mut rows: BTreeMap<(&str, Option<&str>), Vec<&PackageReport>> = BTreeMap::new();
    for package in &report.packages {
        rows.entry((&package.name, package.version.as_deref())).or_default().push(package);
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    if style.detail == Detail::Quiet {
        rows.retain(|(_, found)| worst(found).severity() != Severity::Fine);
    }
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|(_, found)| worst(found));
    let mut table = plain_table(style);
    let names = report.places().map(|place| {
        // Broken between the two where the terminal is narrow.
        Cell::new(report.label(place).replace(' ', "\n")).add_attribute(Attribute::Bold)
    });
    table.set_header(std::iter::once(Cell::new("")).chain(names));
    for ((name, version), found) in rows {
        let label = format!("{} {}", printable(name), printable(version.unwrap_or("?")));
        let label = Cell::new(label).add_attribute(Attribute::Bold);
        let cell = |place: Place| {
            let here = found.iter().find(|package| package.place() == place);
            here.map_or_else(|| Cell::new("-"), |package| colored(package.verdict))
        };
        table.add_row(std::iter::once(label).chain(report.places().map(cell)));
    }
    write_trimmed(&table.to_string(), output)?;
    writeln!(output)
}

fn worst(found: &[&PackageReport]) -> Verdict {
    let verdicts = found.iter().map(|package| package.verdict);
    verdicts.min().unwrap_or(Verdict::Unchecked)
}
