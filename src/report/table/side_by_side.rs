//! What each package does on each of several platforms, in columns.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{Attribute, Cell};

use super::{colored, plain_table};
use crate::model::platform::Platform;
use crate::model::report::{PackageReport, ScanReport, Severity, Verdict};
use crate::report::text::printable;
use crate::report::{Detail, Style};

/// One row for each release, those first that do the worst on any platform.
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
    let names = report.platforms.iter().map(|one| Cell::new(one).add_attribute(Attribute::Bold));
    table.set_header(std::iter::once(Cell::new("")).chain(names));
    for ((name, version), found) in rows {
        let label = format!("{} {}", printable(name), printable(version.unwrap_or("?")));
        let label = Cell::new(label).add_attribute(Attribute::Bold);
        let cell = |platform: &Platform| {
            let here = found.iter().find(|package| package.platform == *platform);
            here.map_or_else(|| Cell::new("-"), |package| colored(package.verdict))
        };
        table.add_row(std::iter::once(label).chain(report.platforms.iter().map(cell)));
    }
    for line in table.to_string().lines() {
        writeln!(output, "{}", line.trim_end())?;
    }
    writeln!(output)
}

fn worst(found: &[&PackageReport]) -> Verdict {
    let verdicts = found.iter().map(|package| package.verdict);
    verdicts.min().unwrap_or(Verdict::Unchecked)
}
