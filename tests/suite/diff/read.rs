//! Reports read back.

use std::path::Path;

use ftcheck::diff::read_report;
use ftcheck::input::Source;
use ftcheck::model::finding::{Finding, Ignored, IgnoredBy, Level};
use ftcheck::model::location::Location;
use ftcheck::model::report::{ScanReport, Verdict};
use insta::assert_snapshot;
use jiff::civil::date;
use proptest::prelude::*;

use super::{package, report, reports};

fn read(text: &str) -> Result<ScanReport, String> {
    let source = Source::of_text(Path::new("report.json"), "report.json", text.to_owned());
    read_report(&source).map_err(|problem| match &problem.hint {
        Some(hint) => format!("{problem} ({hint})"),
        None => problem.to_string(),
    })
}

#[test]
fn all_that_a_report_holds_is_read_back() {
    let mut written = report(vec![
        package("spam", "1", Verdict::EnablesGil),
        package("riddle", "1", Verdict::Undetermined),
        package("fine", "1", Verdict::KeepsGilOff),
    ]);
    let finding = Finding {
        rule: "of-a-newer-one".into(),
        level: Level::Note,
        ..written.findings[0].clone()
    };
    written.findings.push(Finding { package: None, place: None, ..finding.clone() });
    written.ignored.push(Ignored {
        finding,
        by: IgnoredBy::Ignore,
        reason: "because".to_owned(),
        expires: Some(date(2027, 1, 2)),
        location: Some(Location { path: "ftcheck.toml".to_owned(), line: 1, column: 2 }),
    });
    written.notes.push("a note".to_owned());
    written.gaps.push("a gap".to_owned());
    let text = serde_json::to_string(&written).unwrap();
    assert_eq!(read(&text).unwrap(), written);
}

#[test]
fn what_is_no_report_or_a_newer_one_is_refused() {
    let problems: Vec<String> = [
        "",
        "[1]",
        "{\"version\": 1, \"files\": []}",
        "{\"packages\": []}",
        "{\"version\": 2, \"packages\": {}}",
        "{\"version\": 1, \"packages\": []}",
        "{\"version\": 1,\n \"target\": \"2.7\", \"packages\": []}",
    ]
    .map(|text| read(text).unwrap_err())
    .into();
    assert_snapshot!(problems.join("\n"), @r"
    report.json:1:1: EOF while parsing a value
    report.json:1:3: invalid length 1, expected an object
    report.json: expected the report of a scan, found other JSON (`ftcheck scan --format json --output FILE` writes one)
    report.json: expected the report of a scan, found other JSON (`ftcheck scan --format json --output FILE` writes one)
    report.json: expected a report of version 1, found version 2 (a newer ftcheck wrote it)
    report.json:1:30: missing field `target`
    report.json:2:16: expected one of 3.13t, 3.14t, 3.15t, found `2.7`
    ");
}

proptest! {
    #[test]
    fn any_report_is_read_back(report in reports()) {
        let text = serde_json::to_string_pretty(&report).unwrap();
        prop_assert_eq!(read(&text), Ok(report));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        let _ = read(&text);
        let _ = read(&format!("{{\"version\": 1, \"packages\": [{text}]}}"));
    }
}
