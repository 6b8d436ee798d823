//! The report as one page that needs nothing else: no request leaves it, and a policy in its head
//! forbids any. The page itself, its style and its script are in `templates/report/`; here is what is
//! put into it. Everything is there without the script, which only filters, sorts and follows chains.
//!
//! The template escapes all that is put in, and nothing is put into the script or the style, whose
//! digests stand in the policy.

mod findings;
mod graph;
mod layout;
mod parts;
mod rows;

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use self::findings::{LevelView, RowNumbers, levels};
use self::graph::{GraphView, graphs};
use self::parts::Parts;
use self::rows::{Row, RowView, rows, view, why};
use super::merged::merged;
use super::outcome::{MEANING, outcome, words};
use super::text::printable;
use super::{Reporter, Style};
use crate::judge::FailOn;
use crate::model::finding::{Finding, Ignored};
use crate::model::report::{Place, ScanReport, Severity, Summary, Verdict};

/// The style and the script of the page, as they are put into it.
const STYLE: &str = include_str!("../../../templates/report/page.css");
const SCRIPT: &str = include_str!("../../../templates/report/page.js");

pub(super) struct Html;

impl Reporter<ScanReport> for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["html", "htm"]
    }

    fn write(&self, report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        output.write_all(render(report, style.fail_on)?.as_bytes())
    }
}

/// The report as one page, of a run that fails on this.
///
/// # Errors
/// None but those of the template's own formatting, which there are none of for text.
pub fn render(report: &ScanReport, fail_on: &FailOn) -> io::Result<String> {
    let page =
        page(report, fail_on).render().map_err(|problem| io::Error::other(problem.to_string()))?;
    Ok(tidied(&page) + "\n")
}

/// Without empty lines and what stands at the end of others: the tags of the template leave many. Done
/// twice it changes nothing more, so that the digests of style and script stay right.
fn tidied(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'r> {
    policy: String,
    style: String,
    script: String,
    icon: &'static str,
    version: &'static str,
    outcome_class: &'static str,
    outcome_icon: &'static str,
    outcome_word: &'static str,
    sentence: String,
    meaning: &'static str,
    places: Vec<String>,
    several: bool,
    counted: String,
    totals: Vec<Total>,
    by_place: Vec<PlaceView>,
    unknown: Vec<Unknown>,
    notes: Vec<Parts>,
    levels: Vec<LevelView<'r>>,
    found: usize,
    rows: Vec<RowView>,
    graphs: Vec<GraphView>,
    ignored: Vec<IgnoredView>,
    skipped: Vec<SkippedView>,
}

/// How many packages come to a verdict, and their part of the bar.
struct Total {
    class: &'static str,
    verdict: &'static str,
    words: &'static str,
    count: u32,
    start: String,
    part: String,
}

/// The totals of one place.
struct PlaceView {
    name: String,
    counts: Vec<(&'static str, usize)>,
    checked: String,
}

struct Unknown {
    what: String,
    row: Option<String>,
    reason: Parts,
    labels: Option<String>,
}

/// What was found and does not count.
struct IgnoredView {
    rule: String,
    name: Option<String>,
    version: Option<String>,
    reason: Parts,
    until: Option<String>,
    location: Option<String>,
}

struct SkippedView {
    name: String,
    version: Option<String>,
    reason: Parts,
}

/// The findings on a release at a place.
type FindingsOf<'r> = HashMap<(&'r str, Option<&'r str>, Option<Place>), Vec<&'r Finding>>;

fn page<'r>(report: &'r ScanReport, fail_on: &FailOn) -> Page<'r> {
    let places: Vec<Place> = report.places().collect();
    let outcome = outcome(report, fail_on);
    let (outcome_class, outcome_icon, outcome_word) = match outcome.severity {
        Severity::Finding => ("bad", "enables-gil", "Found"),
        Severity::NotKnown => ("unknown", "undetermined", "Not known"),
        Severity::Fine => ("fine", "keeps-gil-off", "Nothing found"),
    };
    let all_rows = rows(report);
    let graphs = graphs(report, &all_rows);
    let found = merged(&report.findings);
    let mut of_package = FindingsOf::new();
    for finding in &report.findings {
        if let Some(name) = &finding.package {
            let key = (name.as_str(), finding.version.as_deref(), finding.place);
            of_package.entry(key).or_default().push(finding);
        }
    }
    let mut nodes: HashMap<&str, String> = HashMap::new();
    let drawings = graphs.iter().flat_map(|graph| [&graph.first, &graph.rest]).flatten();
    for node in drawings.flat_map(|drawing| &drawing.nodes) {
        nodes.entry(&node.row).or_insert_with(|| node.id.clone());
    }
    let mut row_of = RowNumbers::new();
    let mut shown = Vec::with_capacity(all_rows.len());
    let mut unknown = not_covered(report);
    for (number, row) in all_rows.iter().enumerate() {
        let package = row.package;
        let version = package.version.as_deref();
        for place in &row.places {
            row_of.insert((&package.name, version, *place), number);
        }
        let of_place =
            |place: &Place| of_package.get(&(package.name.as_str(), version, Some(*place)));
        let findings = row.places.iter().filter_map(of_place).flatten().copied();
        let findings: Vec<&Finding> = merged(findings).into_iter().map(|one| one.finding).collect();
        let mut view = view(number, row, report, &places, &findings);
        view.node = nodes.get(view.id.as_str()).cloned();
        if package.verdict.severity() == Severity::NotKnown {
            unknown.push(Unknown {
                what: format!("{}: {}", view.name, view.words),
                row: Some(view.id.clone()),
                reason: Parts::of(&why(package)),
                labels: view.labels.clone(),
            });
        }
        shown.push(view);
    }
    let (style, script) = (tidied(STYLE), tidied(SCRIPT));
    Page {
        policy: policy(&style, &script),
        style,
        script,
        icon: ICON,
        version: env!("CARGO_PKG_VERSION"),
        outcome_class,
        outcome_icon,
        outcome_word,
        sentence: outcome.sentence,
        meaning: MEANING,
        several: places.len() > 1,
        places: places.iter().map(ToString::to_string).collect(),
        totals: totals(&all_rows),
        by_place: by_place(report, &places),
        counted: counted(report, places.len()),
        unknown,
        notes: report.notes.iter().map(|note| Parts::of(note)).collect(),
        levels: levels(&found, report, &row_of, &shown),
        found: found.len(),
        rows: shown,
        graphs,
        ignored: ignored(report),
        skipped: report
            .skipped
            .iter()
            .map(|one| SkippedView {
                name: printable(&one.name),
                version: one.version.as_deref().map(printable),
                reason: Parts::of(&one.reason),
            })
            .collect(),
    }
}

/// What does not count, once where it is the same at several places.
fn ignored(report: &ScanReport) -> Vec<IgnoredView> {
    let mut views: Vec<IgnoredView> = Vec::new();
    let mut known = HashSet::new();
    for one in &report.ignored {
        let Ignored { finding, reason, expires, location, .. } = one;
        let at = location.as_ref().map(|at| (&at.path, at.line, at.column));
        if !known.insert((&finding.rule, &finding.package, &finding.version, reason, expires, at)) {
            continue;
        }
        views.push(IgnoredView {
            rule: printable(&finding.rule),
            name: finding.package.as_deref().map(printable),
            version: finding.version.as_deref().map(printable),
            reason: Parts::of(reason),
            until: expires.map(|day| day.to_string()),
            location: location.as_ref().map(|at| printable(&at.to_string())),
        });
    }
    views
}

/// The icon of the page, which browsers would ask the server for otherwise.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 \
    16'%3E%3Crect width='16' height='16' rx='4' fill='%23334155'/%3E%3Cpath d='M4 5h8M4 8h5M4 \
    11h7' stroke='white' stroke-width='1.6' stroke-linecap='round'/%3E%3C/svg%3E";

/// What the page may do: use the one style and the one script in it, and show its own icon.
fn policy(style: &str, script: &str) -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri \
         'none'; form-action 'none'",
        digest(style),
        digest(script)
    )
}

/// How many were checked, in words.
fn counted(report: &ScanReport, places: usize) -> String {
    let Summary { packages, checked, .. } = report.summary;
    let of = |packages| if packages == 1 { "package" } else { "packages" };
    if places < 2 {
        return format!("{checked} of {packages} {} checked", of(packages));
    }
    format!("{checked} of {packages} {} checked, counted at each of {places} places", of(packages))
}

/// Releases by what they come to. Where that differs between places, one counts for each verdict, as
/// the table has a row for each.
fn totals(rows: &[Row<'_>]) -> Vec<Total> {
    let releases = |verdict: Verdict| {
        let of_verdict = rows.iter().map(|row| row.package).filter(|one| one.verdict == verdict);
        let names: HashSet<_> = of_verdict.map(|one| (&one.name, &one.version)).collect();
        u32::try_from(names.len()).unwrap_or(u32::MAX)
    };
    let counts = Verdict::ALL.map(|verdict| (verdict, releases(verdict)));
    let all = counts.iter().fold(0_u32, |all, (_, count)| all.saturating_add(*count)).max(1);
    let mut start = 0.0;
    counts
        .into_iter()
        .map(|(verdict, count)| {
            let part = f64::from(count) * 1000.0 / f64::from(all);
            let total = Total {
                class: graph::class(verdict),
                verdict: verdict.as_str(),
                words: words(verdict),
                count,
                start: format!("{start:.1}"),
                part: format!("{part:.1}"),
            };
            start += part;
            total
        })
        .collect()
}

/// The same for each place, where there are several.
fn by_place(report: &ScanReport, places: &[Place]) -> Vec<PlaceView> {
    if places.len() < 2 {
        return Vec::new();
    }
    let of_place = |place: &Place| {
        let counts = Summary::of(report.packages.iter().filter(|one| one.place() == *place));
        let count = |verdict: Verdict| counts.verdicts.get(verdict.as_str()).copied().unwrap_or(0);
        PlaceView {
            name: place.to_string(),
            counts: Verdict::ALL.map(|verdict| (graph::class(verdict), count(verdict))).to_vec(),
            checked: format!("{} of {}", counts.checked, counts.packages),
        }
    };
    places.iter().map(of_place).collect()
}

fn not_covered(report: &ScanReport) -> Vec<Unknown> {
    let gaps = report.gaps.iter();
    gaps.map(|gap| Unknown {
        what: "Not covered".to_owned(),
        row: None,
        reason: Parts::of(gap),
        labels: None,
    })
    .collect()
}
