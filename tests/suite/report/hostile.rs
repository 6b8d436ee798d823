//! Names and texts from outside that try to be something else: no format is broken by them, and a
//! reader of each finds them neutralised.

use ftcheck::model::report::ScanReport;
use proptest::prelude::*;
use quick_xml::events::Event;

use super::{everything, written};

/// What terminals, browsers, workflow runners, XML parsers and spreadsheets act on.
const PIECES: [&str; 24] = [
    "\u{1b}[2J\u{1b}]8;;http://example.org\u{7}",
    "\u{9b}31m",
    "::error::",
    "\n::set-output name=x::y\n",
    "##[error]",
    "\r\n",
    "%0A",
    "]]>",
    "<script>alert(1)</script>",
    "&amp;&#0;&lt;",
    "\"'>",
    "\u{202e}\u{2066}",
    "\u{2028}\u{85}",
    "\u{0}\u{1}\u{7f}",
    "\u{fffe}\u{ffff}",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t-1",
    "[text](javascript:x)",
    "{0}",
    "a,b;c:d",
    "../../etc",
    "C:\\x",
    "é漢🦀\u{200d}",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| text.chars().take(12).collect()),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// The report that holds everything, each text from outside replaced by one of these.
fn infected(texts: &[String]) -> ScanReport {
    let mut texts = texts.iter().cycle().cloned();
    let mut next = move || texts.next().unwrap();
    let mut report = everything();
    for package in &mut report.packages {
        package.name = next();
        package.version = package.version.as_ref().map(|_| next());
        package.reason = package.reason.as_ref().map(|_| next());
        for step in &mut package.via {
            step.name = next();
            if let Some(location) = &mut step.location {
                location.path = next();
            }
        }
        if let Some(location) = &mut package.required_by {
            location.path = next();
        }
        for module in &mut package.modules {
            let name = next();
            for reach in package.reached.iter_mut().filter(|one| one.module == module.module) {
                reach.module.clone_from(&name);
                reach.chains.iter_mut().for_each(|chain| chain.modules = vec![next(), next()]);
            }
            module.module = name;
            module.reason = module.reason.as_ref().map(|_| next());
        }
        if let Some(source) = &mut package.source {
            source.filename = next();
        }
        if let Some(tracker) = &mut package.tracker {
            tracker.issue = Some(next());
        }
    }
    for source in &mut report.sources {
        source.location.path = next();
        source.import = next();
        source.by = Some(next());
    }
    report.gaps = vec![next()];
    report.notes = vec![next()];
    report.skipped.iter_mut().for_each(|skipped| skipped.reason = next());
    everything::judge(&mut report);
    report
}

/// Whether a terminal or viewer would act on some of it.
fn acts(text: &str) -> bool {
    text.chars().any(|letter| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

fn check_lines(text: &str) {
    for line in text.lines() {
        assert!(!acts(line), "{line:?}");
    }
}

fn check_json(report: &ScanReport) {
    let text = written("json", report);
    check_lines(&text);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read, serde_json::to_value(report).unwrap());
    super::schema::check(&read);
}

fn check_sarif(report: &ScanReport) {
    let text = written("sarif", report);
    check_lines(&text);
    let document = super::sarif::read(&text);
    for result in document["runs"][0]["results"].as_array().unwrap() {
        let text = result["message"]["text"].as_str().unwrap();
        check_lines(text);
        let links = text.match_indices("](").filter(|(at, _)| !text[..*at].ends_with('\\'));
        assert_eq!(links.count(), 0, "{text}");
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        assert!(place["uri"].as_str().unwrap().is_ascii());
    }
}

fn check_gitlab(report: &ScanReport) {
    let text = written("gitlab", report);
    check_lines(&text);
    let issues: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut fingerprints = std::collections::BTreeSet::new();
    for issue in &issues {
        assert!(!acts(issue["description"].as_str().unwrap()));
        assert!(!acts(issue["location"]["path"].as_str().unwrap()));
        assert!(fingerprints.insert(issue["fingerprint"].to_string()));
    }
}

fn check_github(report: &ScanReport) {
    let text = written("github", report);
    check_lines(&text);
    let lines: Vec<&str> = text.split('\n').filter(|line| !line.is_empty()).collect();
    let (summary, commands) = lines.split_at(lines.len() - 2);
    let (commands, summary) = (summary, commands);
    assert!(summary.iter().all(|line| line.starts_with(|letter: char| letter.is_ascii_digit())));
    for line in commands {
        let rest = line.strip_prefix("::").unwrap();
        let (kind, rest) = rest.split_once(' ').unwrap();
        assert!(["error", "warning", "notice"].contains(&kind), "{line}");
        let (properties, _) = rest.split_once("::").unwrap();
        let names: Vec<&str> =
            properties.split(',').map(|property| property.split_once('=').unwrap().0).collect();
        assert!(names == ["file", "line", "col", "title"] || names == ["file", "title"], "{line}");
        assert!(!properties.contains(':'), "{line}");
    }
}

fn check_junit(report: &ScanReport) {
    let text = written("junit", report);
    check_lines(&text);
    let mut reader = quick_xml::Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let (mut cases, mut outcomes) = (0, 0);
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(element) | Event::Empty(element) => {
                for attribute in element.attributes() {
                    let value = attribute.unwrap().value;
                    assert!(!acts(&quick_xml::escape::unescape(&value).unwrap()));
                    assert!(!value.contains('<'), "{value}");
                }
                match element.name().as_ref() {
                    "testsuites" | "testsuite" | "system-out" => {}
                    "testcase" => cases += 1,
                    "failure" | "error" => outcomes += 1,
                    "skipped" => {}
                    other => panic!("{other}"),
                }
            }
            Event::End(_) | Event::Decl(_) | Event::Text(_) => {}
            Event::GeneralRef(name) => {
                let known = ["lt", "gt", "amp", "quot", "apos"];
                assert!(known.contains(&&**name));
            }
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    let whole = report.findings.iter().filter(|finding| finding.package.is_none()).count();
    assert_eq!(cases, report.packages.len() + whole);
    assert!(outcomes >= 10, "{outcomes}");
}

fn check_csv(report: &ScanReport) {
    let text = written("csv", report);
    let mut rows = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    let mut count = 0;
    for row in rows.records() {
        count += 1;
        for cell in &row.unwrap() {
            assert!(!acts(cell), "{cell:?}");
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        }
    }
    let whole = report.findings.iter().filter(|finding| finding.package.is_none()).count();
    assert_eq!(count, report.packages.len() + whole);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_text_breaks_a_format(texts in prop::collection::vec(hostile(), 1..20)) {
        let report = infected(&texts);
        check_json(&report);
        check_sarif(&report);
        check_gitlab(&report);
        check_github(&report);
        check_junit(&report);
        check_csv(&report);
        check_lines(&written("table", &report));
    }
}
