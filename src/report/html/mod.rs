//! The report as one page that needs nothing else: no request leaves it, and a policy in its head
//! forbids any. The page itself, its style and its script are in `templates/report/`; here is what is
//! put into it. Everything is there without the script, which only filters, sorts and follows chains.
//!
//! The template escapes all that is put in, and nothing is put into the script or the style, whose
//! digests stand in the policy.

mod graph;
mod layout;
mod rows;

use std::collections::HashMap;
use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use self::graph::{GraphView, graphs};
use self::rows::{RowView, rows, view};
use super::foreign::{Segment, segments, visible, web_address};
use super::merged::{Merged, merged};
use super::outcome::{MEANING, outcome, words};
use super::{Reporter, Style};
use crate::judge;
use crate::model::finding::{Finding, Level};
use crate::model::report::{Place, ScanReport, Severity, Summary, Verdict};

/// The style and the script of the page, as they are put into it.
const STYLE: &str = include_str!("../../../templates/report/page.css");
const SCRIPT: &str = include_str!("../../../templates/report/page.js");

/// Notes that are shown unfolded.
const FEW_NOTES: usize = 6;

pub(super) struct Html;

impl Reporter<ScanReport> for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn write(&self, report: &ScanReport, _style: Style, output: &mut dyn Write) -> io::Result<()> {
        output.write_all(render(report)?.as_bytes())
    }
}

/// The report as one page.
///
/// # Errors
/// None but those of the template's own formatting, which there are none of for text.
pub fn render(report: &ScanReport) -> io::Result<String> {
    let page = page(report).render().map_err(|problem| io::Error::other(problem.to_string()))?;
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
    summary: Summary,
    totals: Vec<Total>,
    unknown: Vec<Unknown>,
    notes: Vec<String>,
    levels: Vec<LevelView<'r>>,
    found: usize,
    rows: Vec<RowView>,
    graphs: Vec<GraphView>,
    skipped: Vec<SkippedView>,
}

/// How many packages come to a verdict, and their part of the bar.
struct Total {
    class: &'static str,
    verdict: &'static str,
    words: &'static str,
    count: usize,
    start: String,
    part: String,
}

struct Unknown {
    what: String,
    row: Option<String>,
    reason: String,
    labels: Option<String>,
}

/// The findings of one level.
struct LevelView<'r> {
    level: &'static str,
    words: String,
    /// Whether there are few enough to be read at once.
    is_open: bool,
    findings: Vec<FindingView<'r>>,
}

struct FindingView<'r> {
    finding: &'r Finding,
    level: &'static str,
    name: Option<String>,
    version: Option<String>,
    row: Option<String>,
    verdict: &'static str,
    summary: &'static str,
    message: Vec<Part>,
    hints: Vec<Vec<Part>>,
    links: Vec<String>,
    location: Option<String>,
    labels: Option<String>,
    places: String,
    search: String,
}

/// A stretch of a message.
struct Part {
    is_code: bool,
    text: String,
}

struct SkippedView {
    name: String,
    version: Option<String>,
    reason: String,
}

fn page(report: &ScanReport) -> Page<'_> {
    let places: Vec<Place> = report.places().collect();
    let outcome = outcome(report);
    let (outcome_class, outcome_icon, outcome_word) = match outcome.severity {
        Severity::Finding => ("bad", "enables-gil", "Found"),
        Severity::NotKnown => ("unknown", "undetermined", "Not known"),
        Severity::Fine => ("fine", "keeps-gil-off", "Nothing found"),
    };
    let all_rows = rows(report);
    let graphs = graphs(report, &all_rows);
    let merged = merged(report);
    let mut of_package: HashMap<(&str, Option<&str>, Option<Place>), Vec<&Finding>> =
        HashMap::new();
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
    let mut row_of: HashMap<(&str, Option<&str>, Place), usize> = HashMap::new();
    let mut shown = Vec::with_capacity(all_rows.len());
    let mut unknown = not_covered(report);
    for (number, row) in all_rows.iter().enumerate() {
        let package = row.package;
        let version = package.version.as_deref();
        for place in &row.places {
            row_of.insert((&package.name, version, *place), number);
        }
        // What holds at one of the places stands for all of them: they come to the same.
        let first = row.places.first().copied();
        let findings = of_package.get(&(package.name.as_str(), version, first));
        let findings = findings.map(Vec::as_slice).unwrap_or_default();
        let mut view = view(number, row, report, &places, findings);
        view.node = nodes.get(view.id.as_str()).cloned();
        if package.verdict.severity() == Severity::NotKnown {
            unknown.push(Unknown {
                what: format!("{}: {}", view.name, view.words),
                row: Some(view.id.clone()),
                reason: view.why.clone(),
                labels: view.labels.clone(),
            });
        }
        shown.push(view);
    }
    let found = merged.len();
    let findings: Vec<FindingView<'_>> =
        merged.iter().map(|one| finding(one, report, &places, &row_of, &shown)).collect();
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
        summary: report.summary.clone(),
        totals: totals(&report.summary),
        unknown,
        notes: report.notes.iter().map(|note| visible(note)).collect(),
        levels: levels(findings),
        found,
        rows: shown,
        graphs,
        skipped: report
            .skipped
            .iter()
            .map(|one| SkippedView {
                name: visible(&one.name),
                version: one.version.as_deref().map(visible),
                reason: visible(&one.reason),
            })
            .collect(),
    }
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

fn totals(summary: &Summary) -> Vec<Total> {
    let all = u32::try_from(summary.packages.max(1)).unwrap_or(u32::MAX);
    let mut start = 0.0;
    Verdict::ALL
        .into_iter()
        .map(|verdict| {
            let count = summary.verdicts.get(verdict.as_str()).copied().unwrap_or(0);
            let part = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) * 1000.0 / f64::from(all);
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

fn not_covered(report: &ScanReport) -> Vec<Unknown> {
    let gaps = report.gaps.iter();
    gaps.map(|gap| Unknown {
        what: "Not covered".to_owned(),
        row: None,
        reason: visible(gap),
        labels: None,
    })
    .collect()
}

fn finding<'r>(
    one: &Merged<'r>,
    report: &ScanReport,
    all: &[Place],
    row_of: &HashMap<(&str, Option<&str>, Place), usize>,
    rows: &[RowView],
) -> FindingView<'r> {
    let finding = one.finding;
    let name = finding.package.as_deref();
    let row = name.and_then(|name| {
        let place = one.places.first()?;
        rows.get(*row_of.get(&(name, finding.version.as_deref(), *place))?)
    });
    let places: Vec<String> = if one.places.is_empty() {
        (0..all.len()).map(|number| number.to_string()).collect()
    } else {
        let numbers = one.places.iter().filter_map(|place| all.iter().position(|it| it == place));
        numbers.map(|number| number.to_string()).collect()
    };
    let search = [finding.rule, finding.message.as_str(), finding.level.as_str()];
    let search = search.into_iter().chain(name).chain(finding.modules.iter().map(String::as_str));
    FindingView {
        finding,
        level: finding.level.as_str(),
        name: name.map(visible),
        version: finding.version.as_deref().map(visible),
        row: row.map(|row| row.id.clone()),
        verdict: row.map_or("", |row| row.verdict),
        summary: judge::rule(finding.rule).map_or("", |rule| rule.summary),
        message: parts(&finding.message),
        hints: finding.hints.iter().map(|hint| parts(hint)).collect(),
        links: finding
            .links
            .iter()
            .filter_map(|link| web_address(link))
            .map(|url| visible(url.as_str()))
            .collect(),
        location: finding.location.as_ref().map(|at| visible(&at.to_string())),
        labels: one.labels(report),
        places: places.join(" "),
        search: visible(&search.collect::<Vec<_>>().join(" ").to_lowercase()),
    }
}

/// Findings by their level, heaviest first.
fn levels(mut findings: Vec<FindingView<'_>>) -> Vec<LevelView<'_>> {
    let mut levels = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Note] {
        let (here, rest) = findings.into_iter().partition(|one| one.finding.level == level);
        let (here, rest): (Vec<FindingView<'_>>, Vec<FindingView<'_>>) = (here, rest);
        findings = rest;
        if !here.is_empty() {
            let ending = if here.len() == 1 { "" } else { "s" };
            levels.push(LevelView {
                level: level.as_str(),
                words: format!("{} {}{ending}", here.len(), level.as_str()),
                is_open: level < Level::Note || here.len() <= FEW_NOTES,
                findings: here,
            });
        }
    }
    levels
}

fn parts(text: &str) -> Vec<Part> {
    segments(text)
        .into_iter()
        .map(|segment| match segment {
            Segment::Words(text) => Part { is_code: false, text: lines(text) },
            Segment::Code(text) => Part { is_code: true, text: visible(text) },
        })
        .collect()
}

/// Visible text whose lines stay lines.
fn lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}
