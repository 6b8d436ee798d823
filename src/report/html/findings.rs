//! What the rules found, as the page tells it: by level, heaviest first.

use std::collections::HashMap;

use super::parts::Parts;
use super::rows::RowView;
use crate::judge;
use crate::model::finding::{Finding, Level};
use crate::model::report::{Place, ScanReport};
use crate::report::foreign::web_address;
use crate::report::merged::Merged;
use crate::report::text::printable;

/// Notes that are shown unfolded.
const FEW_NOTES: usize = 6;

/// Which row tells of a release at a place.
pub(super) type RowNumbers<'r> = HashMap<(&'r str, Option<&'r str>, Place), usize>;

/// The findings of one level.
pub(super) struct LevelView<'r> {
    pub(super) level: &'static str,
    pub(super) words: String,
    /// Whether there are few enough to be read at once.
    pub(super) is_open: bool,
    pub(super) findings: Vec<FindingView<'r>>,
}

/// One finding.
pub(super) struct FindingView<'r> {
    pub(super) finding: &'r Finding,
    pub(super) level: &'static str,
    /// What it is about: a package, a file, or the scan.
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// The row of the table that tells of the package.
    pub(super) row: Option<String>,
    pub(super) verdict: &'static str,
    pub(super) summary: &'static str,
    pub(super) message: Parts,
    pub(super) hints: Vec<Parts>,
    pub(super) links: Vec<String>,
    pub(super) location: Option<String>,
    pub(super) labels: Option<String>,
    pub(super) places: String,
    pub(super) search: String,
}

/// The findings by their level.
pub(super) fn levels<'r>(
    merged: &[Merged<'r>],
    report: &ScanReport,
    row_of: &RowNumbers<'_>,
    rows: &[RowView],
) -> Vec<LevelView<'r>> {
    let all: Vec<Place> = report.places().collect();
    let of_level = |level: Level| {
        let here = merged.iter().filter(|one| one.finding.level == level);
        let findings: Vec<FindingView<'r>> =
            here.map(|one| view(one, report, &all, row_of, rows)).collect();
        let ending = if findings.len() == 1 { "" } else { "s" };
        (!findings.is_empty()).then(|| LevelView {
            level: level.as_str(),
            words: format!("{} {}{ending}", findings.len(), level.as_str()),
            is_open: level < Level::Note || findings.len() <= FEW_NOTES,
            findings,
        })
    };
    [Level::Error, Level::Warning, Level::Note].into_iter().filter_map(of_level).collect()
}

fn view<'r>(
    one: &Merged<'r>,
    report: &ScanReport,
    all: &[Place],
    row_of: &RowNumbers<'_>,
    rows: &[RowView],
) -> FindingView<'r> {
    let finding = one.finding;
    let package = finding.package.as_deref();
    let row = package.and_then(|name| {
        let place = one.places.first()?;
        rows.get(*row_of.get(&(name, finding.version.as_deref(), *place))?)
    });
    let location = finding.location.as_ref();
    let name = match (package, location) {
        (Some(name), _) => printable(name),
        (None, Some(location)) => printable(&location.path),
        (None, None) => "the scan".to_owned(),
    };
    let search = [&*finding.rule, finding.message.as_str(), finding.level.as_str(), name.as_str()];
    let search = search.into_iter().chain(finding.modules.iter().map(String::as_str));
    let search = search.collect::<Vec<_>>().join(" ").to_lowercase();
    FindingView {
        finding,
        level: finding.level.as_str(),
        version: finding.version.as_deref().map(printable),
        row: row.map(|row| row.id.clone()),
        verdict: row.map_or("", |row| row.verdict),
        summary: judge::rule(&finding.rule).map_or("", |rule| rule.summary),
        message: Parts::of(&finding.message),
        hints: finding.hints.iter().map(|hint| Parts::of(hint)).collect(),
        links: finding
            .links
            .iter()
            .filter_map(|link| web_address(link))
            .map(|url| printable(url.as_str()))
            .collect(),
        location: location.map(|at| printable(&at.to_string())),
        labels: one.labels(report),
        // What is not of a place holds for all of them.
        places: numbers(if one.places.is_empty() { all } else { &one.places }, all),
        search: printable(&search),
        name,
    }
}

/// Places by their numbers among all, as filters have them.
pub(super) fn numbers(places: &[Place], all: &[Place]) -> String {
    let numbers = places.iter().filter_map(|place| all.iter().position(|other| other == place));
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
}
