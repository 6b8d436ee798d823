//! SARIF 2.1.0, as GitHub's code scanning takes it.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>,
//! <https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::json::to_text;
use super::origin::{Anchor, Origin};
use super::text::one_line;
use super::told::{Told, told};
use super::{Reporter, Style};
use crate::judge::{CHECKS, Rule};
use crate::model::finding::Level;
use crate::model::location::Location;
use crate::model::report::{PackageReport, ScanReport};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// GitHub takes no file with more results in a run.
const MOST_RESULTS: usize = 25_000;
/// More than anyone reads.
const MOST_NOTIFICATIONS: usize = 1_000;
/// GitHub takes no larger file, compressed.
const MOST_BYTES: usize = 10_000_000;
/// What a path may hold besides letters and digits (RFC 3986). A colon would end a scheme.
const PATH: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) struct Sarif;

impl Reporter<ScanReport> for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["sarif", "sarif.json"]
    }

    fn write(&self, report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        output.write_all(within(report, style.origin, MOST_RESULTS, MOST_BYTES)?.as_bytes())
    }
}

/// The document, with as many results as may be, the heaviest before all.
fn within(report: &ScanReport, origin: Origin, results: usize, bytes: usize) -> io::Result<String> {
    let found = told(report, &origin);
    let mut shown = found.len().min(results);
    loop {
        let kept = found.get(..shown).unwrap_or(&found);
        let text = to_text(&document(report, origin, kept, found.len() - kept.len()))?;
        if shown == 0 || text.len() <= bytes || compressed(&text)? <= bytes {
            return Ok(text);
        }
        shown /= 2;
    }
}

fn compressed(text: &str) -> io::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?.len())
}

fn document(report: &ScanReport, origin: Origin, found: &[Told], left_out: usize) -> Value {
    let rules: Vec<Value> = CHECKS.iter().map(|check| rule(check.rule())).collect();
    let results: Vec<Value> = found.iter().map(|told| result(told, &origin)).collect();
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ftcheck",
                "version": version,
                "semanticVersion": version,
                "rules": rules,
            }},
            // What a later upload replaces: scans for other places stand beside it.
            "automationDetails": { "id": category(report) },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                "%SRCROOT%": { "description": { "text": "the root of the source tree" } }
            },
            "invocations": [invocation(report, left_out)],
            "results": results,
        }],
    })
}

/// Up to the last slash it is the category, by which GitHub keeps analyses of one commit apart.
fn category(report: &ScanReport) -> String {
    let targets: Vec<String> = report.targets.iter().map(ToString::to_string).collect();
    let platforms: Vec<String> = report.platforms.iter().map(ToString::to_string).collect();
    format!("ftcheck/{}/{}/", targets.join("+"), platforms.join("+"))
}

/// How the run went. Where nothing at all could be checked it was no success, and GitHub, which then
/// leaves the results aside, does not close what an earlier run found.
fn invocation(report: &ScanReport, left_out: usize) -> Value {
    let gaps = report.gaps.iter().map(|gap| {
        json!({
            "level": "warning",
            "associatedRule": { "id": "not-checked" },
            "message": { "text": message_text(&format!("not covered: {}", one_line(gap))) },
        })
    });
    let notes = report.notes.iter().map(
        |note| json!({ "level": "note", "message": { "text": message_text(&one_line(note)) } }),
    );
    // GitHub would open alerts for results that are suppressed.
    let ignored = (!report.ignored.is_empty()).then(|| {
        let text = format!("{} findings are ignored, and left out here", report.ignored.len());
        json!({ "level": "note", "message": { "text": text } })
    });
    let left_out = (left_out > 0).then(|| {
        let text = format!("{left_out} more findings do not fit into this file");
        json!({ "level": "warning", "message": { "text": text } })
    });
    let first = left_out.into_iter().chain(ignored);
    let mut notifications: Vec<Value> = first.chain(gaps).chain(notes).collect();
    // Each gap is a result too.
    notifications.truncate(MOST_NOTIFICATIONS);
    json!({
        "executionSuccessful": report.summary.checked > 0,
        "toolExecutionNotifications": notifications,
    })
}

fn rule(rule: &Rule) -> Value {
    let level = rule.level.unwrap_or(Level::Note);
    json!({
        "id": rule.id,
        "name": rule.id,
        "shortDescription": { "text": sentence(rule.summary) },
        "fullDescription": { "text": rule.explanation },
        "help": {
            "text": format!("{}\n\n{}", rule.explanation, rule.action),
            "markdown": format!(
                "{}\n\n**What to do:** {}\n\n`ftcheck explain {}` tells the same.",
                rule.explanation, rule.action, rule.id
            ),
        },
        "defaultConfiguration": { "enabled": rule.level.is_some(), "level": level.as_str() },
        "properties": {
            "tags": ["python", "free-threading", if rule.about_unknown { "not-known" } else { "gil" }],
            "precision": precision(rule),
            "problem.severity": match level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note => "recommendation",
            },
        },
    })
}

/// How often a finding matters to the program: some rules tell of what a program may never meet.
fn precision(rule: &Rule) -> &'static str {
    match rule.id {
        "gil-enabled-on-submodule" | "pure-python-fallback" | "tracker-disagrees" => "medium",
        "sdist-only" => "high",
        _ => "very-high",
    }
}

fn result(told: &Told, origin: &Origin) -> Value {
    let finding = told.finding;
    let mut lines = vec![told.sentence()];
    lines.extend(told.details());
    // The name stands there, as far as that is known.
    let first = told.package.and_then(|package| package.via.first());
    let width = first.map_or(1, |step| step.name.chars().count().max(1));
    let related =
        told.package.map_or_else(Vec::new, |package| related(package, &told.anchor, origin));
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": CHECKS.iter().position(|check| check.rule().id == finding.rule),
        "level": finding.level.as_str(),
        "message": { "text": message_text(&lines.join("\n")) },
        "locations": [{ "physicalLocation": physical(&told.anchor, width) }],
        "partialFingerprints": { "primaryLocationLineHash": told.fingerprint },
    });
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    result
}

/// Where else the user's files name what leads to the package.
fn related(package: &PackageReport, primary: &Anchor, origin: &Origin) -> Vec<Value> {
    let steps = package.via.iter().map(|step| (&step.name, step.location.as_ref()));
    let itself = [(&package.name, package.required_by.as_ref())];
    let mut told: Vec<Anchor> = vec![primary.clone()];
    let mut related = Vec::new();
    for (name, location) in steps.chain(itself) {
        let Some(Location { path, line, column }) = location else { continue };
        let anchor = origin.place(path, *line, *column);
        if path.is_empty() || told.contains(&anchor) {
            continue;
        }
        related.push(json!({
            "id": told.len(),
            "message": { "text": message_text(&format!("{} is named here", one_line(name))) },
            "physicalLocation": physical(&anchor, name.chars().count().max(1)),
        }));
        told.push(anchor);
    }
    related
}

fn physical(anchor: &Anchor, width: usize) -> Value {
    let path = utf8_percent_encode(&anchor.path, &PATH).to_string();
    let artifact = if anchor.in_tree {
        json!({ "uri": path, "uriBaseId": "%SRCROOT%" })
    } else if anchor.path.starts_with("..") {
        json!({ "uri": path })
    } else {
        json!({ "uri": format!("file:///{}", path.trim_start_matches('/')) })
    };
    json!({
        "artifactLocation": artifact,
        "region": {
            "startLine": anchor.line,
            "startColumn": anchor.column,
            "endLine": anchor.line,
            "endColumn": anchor.column + width,
        },
    })
}

/// Our own words, as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// A plain text message that holds no link (SARIF 2.1.0, 3.11.6): what looks like one is escaped.
fn message_text(text: &str) -> String {
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text.to_owned() }
}
