//! Advice for people at a terminal: what each package in the way does and which release does not,
//! then what to do about it, then whether all of it goes together.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell};

use super::table::{colored, plain_table, write_remarks, write_trimmed};
use super::text::{lines, printable};
use super::{Detail, Reporter, Style};
use crate::model::advice::{Advice, AdviceReport, Candidate, Change, Holds, Together};

/// Changes named before the rest is counted.
const NAMED_CHANGES: usize = 12;

pub(super) struct AdviceTable;

impl Reporter<AdviceReport> for AdviceTable {
    fn name(&self) -> &'static str {
        "table"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn write(&self, report: &AdviceReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        if report.packages.is_empty() {
            writeln!(output, "nothing to advise on")?;
        } else {
            write_trimmed(&draw(report, style), output)?;
            writeln!(output)?;
        }
        for alike in alike(report) {
            write_advice(&alike, report, style.detail, output)?;
        }
        for together in &report.together {
            write_together(together, report, style.detail, output)?;
        }
        let stays: Vec<String> =
            report.packages.iter().filter(|one| stays(one)).map(title).collect();
        if !stays.is_empty() {
            writeln!(output, "still in the way then: {}", unique(stays).join(", "))?;
        }
        for unchecked in &report.unchecked {
            writeln!(output, "not checked: {}", lines(unchecked, "  "))?;
        }
        write_remarks(&report.gaps, &report.notes, output)
    }
}

/// Whether no release of a package was found that would do better.
fn stays(advice: &Advice) -> bool {
    advice.first.is_none() && advice.allowed.is_none() && !advice.follows
}

fn unique(mut names: Vec<String>) -> Vec<String> {
    names.dedup();
    names
}

/// One row for each package and place.
fn draw(report: &AdviceReport, style: Style) -> String {
    let mut table = plain_table(style);
    let several = report.targets.len() > 1 || report.platforms.len() > 1;
    let bold = |text: &str| Cell::new(text).add_attribute(Attribute::Bold);
    let mut head = vec![bold("package"), bold("now"), bold("first that keeps the GIL off")];
    head.extend([bold("allowed"), bold("tracker")]);
    if several {
        head.push(bold("for"));
    }
    table.set_header(head);
    for advice in &report.packages {
        let mut row = vec![
            bold(&title(advice)),
            colored(advice.verdict),
            Cell::new(first(advice)),
            Cell::new(version_of(advice.allowed.as_ref())),
            Cell::new(advice.tracker_first.as_deref().map_or_else(|| "-".to_owned(), printable)),
        ];
        if let Some(label) = report.label(advice.place) {
            row.push(Cell::new(label));
        }
        table.add_row(row);
    }
    table.to_string()
}

fn title(advice: &Advice) -> String {
    let version = advice.version.as_deref().unwrap_or("?");
    format!("{} {}", printable(&advice.package), printable(version))
}

/// The first release, with what is not certain about it.
fn first(advice: &Advice) -> String {
    match (&advice.first, advice.certain) {
        (Some(first), true) => printable(&first.version),
        (Some(first), false) => format!("{} (of those looked at)", printable(&first.version)),
        (None, _) if advice.follows => "not needed".to_owned(),
        (None, true) => "none".to_owned(),
        (None, false) => "none found".to_owned(),
    }
}

fn version_of(candidate: Option<&Candidate>) -> String {
    candidate.map_or_else(|| "-".to_owned(), |one| printable(&one.version))
}

/// Advice that is the same at several places, told once.
fn alike(report: &AdviceReport) -> Vec<Vec<&Advice>> {
    let mut groups: Vec<Vec<&Advice>> = Vec::new();
    for advice in &report.packages {
        let same = |other: &&Advice| {
            (&advice.package, &advice.version, &advice.steps, &advice.bounds)
                == (&other.package, &other.version, &other.steps, &other.bounds)
        };
        match groups.iter_mut().find(|group| group.first().is_some_and(same)) {
            Some(group) => group.push(advice),
            None => groups.push(vec![advice]),
        }
    }
    groups
}

fn write_advice(
    alike: &[&Advice],
    report: &AdviceReport,
    detail: Detail,
    output: &mut dyn Write,
) -> io::Result<()> {
    let Some(advice) = alike.first() else { return Ok(()) };
    let labels: Vec<String> = alike.iter().filter_map(|one| report.label(one.place)).collect();
    let labels =
        if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
    writeln!(output, "{}{labels}", title(advice))?;
    for step in &advice.steps {
        writeln!(output, "  {}", printable(&step.what))?;
        if let Some(command) = &step.command {
            writeln!(output, "    $ {}", printable(command))?;
        }
    }
    if let Some(bounds) = &advice.bounds {
        let certain = if advice.certain { "" } else { "not certain: " };
        writeln!(output, "  {certain}{}", printable(bounds))?;
    }
    if detail == Detail::Verbose {
        for candidate in &advice.looked_at {
            let reason = candidate.reason.as_deref().map(|text| format!(", {}", printable(text)));
            writeln!(
                output,
                "  looked at {}: {}{}",
                printable(&candidate.version),
                candidate.verdict.as_str(),
                reason.unwrap_or_default()
            )?;
        }
        let search = &advice.search;
        writeln!(
            output,
            "  {} newer, {} of them without a wheel, {} opened, {} not opened",
            search.newer, search.without_wheel, search.opened, search.not_opened
        )?;
    }
    writeln!(output)
}

fn write_together(
    together: &Together,
    report: &AdviceReport,
    detail: Detail,
    output: &mut dyn Write,
) -> io::Result<()> {
    let of = report.label(together.place).map(|label| format!("{label}: ")).unwrap_or_default();
    let answer = match together.holds {
        Holds::Yes => "all of it can be installed together",
        Holds::No => "it cannot all be installed together",
        Holds::NotKnown => "whether all of it can be installed together is not known",
    };
    match &together.explanation {
        Some(explanation) => writeln!(output, "{of}{answer}: {}", lines(explanation, "  "))?,
        None => writeln!(output, "{of}{answer}")?,
    }
    let all = &together.changes;
    let shown = if detail == Detail::Verbose { all.len() } else { NAMED_CHANGES };
    for change in all.iter().take(shown) {
        writeln!(output, "  {}", line_of(change))?;
    }
    if all.len() > shown {
        writeln!(output, "  and {} more (-v shows all)", all.len() - shown)?;
    }
    writeln!(output)
}

fn line_of(change: &Change) -> String {
    let version = |version: &Option<String>| version.as_deref().map(printable);
    let line = match (version(&change.from), version(&change.to)) {
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (None, Some(to)) => format!("{to}, which is new"),
        (Some(from), None) => format!("{from} is no longer needed"),
        (None, None) => "changes".to_owned(),
    };
    let verdict = change.verdict.map(|verdict| format!(" ({})", verdict.as_str()));
    format!("{} {line}{}", printable(&change.name), verdict.unwrap_or_default())
}

/// The advice in one line.
#[must_use]
pub fn advice_summary(report: &AdviceReport) -> String {
    let solved = report.packages.iter().filter(|one| one.first.is_some()).count();
    let all = report.packages.len();
    let packages = if all == 1 { "package" } else { "packages" };
    format!("{all} {packages} in the way, {solved} of them with a newer release that is not")
}
