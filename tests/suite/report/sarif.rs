//! SARIF, as code scanning takes it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ftcheck::model::report::ScanReport;
use serde_json::Value;

use super::everything::{at, here, judge};
use super::{Origin, everything, written, written_from};

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = include_str!("../../../fixtures/schemas/sarif-schema-2.1.0.json");
    // The pattern of languages, which no log here names, has a bracket that closes nothing: browsers'
    // expressions take it, others do not.
    let schema = serde_json::from_str(&text.replace("{2}]?$", "{2}$")).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
});

/// Reads a document, which has to be as the official schema says.
pub(super) fn read(text: &str) -> Value {
    let document = serde_json::from_str(text).unwrap();
    let problems: Vec<String> = SCHEMA
        .iter_errors(&document)
        .map(|problem| format!("{}: {problem}", problem.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
    document
}

fn results(document: &Value) -> &[Value] {
    document["runs"][0]["results"].as_array().unwrap()
}

#[test]
fn everything_in_sarif() {
    let text = written("sarif", &everything());
    read(&text);
    insta::with_settings!({filters => vec![
        (r#""(semanticVersion|version)": "0\.\d+\.\d+""#, r#""$1": "VERSION""#),
    ]}, {
        insta::assert_snapshot!(text);
    });
}

#[test]
fn the_schema_refuses_what_is_no_sarif() {
    let mut document: Value = serde_json::from_str(&written("sarif", &everything())).unwrap();
    document["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!SCHEMA.is_valid(&document));
}

/// What code scanning asks for beyond the schema.
#[test]
fn code_scanning_takes_it() {
    let document = read(&written("sarif", &everything()));
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for text in
            ["/shortDescription/text", "/fullDescription/text", "/help/text", "/help/markdown"]
        {
            let text = rule.pointer(text).and_then(Value::as_str).unwrap();
            assert!(!text.is_empty() && text.chars().count() <= 2048, "{text}");
        }
        for text in ["/shortDescription/text", "/fullDescription/text"] {
            assert!(rule.pointer(text).unwrap().as_str().unwrap().chars().count() <= 1024);
        }
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 10);
    }
    assert_eq!(
        run["automationDetails"]["id"],
        "ftcheck/3.14t/x86_64-manylinux_2_28+x86_64-windows/"
    );
    let mut fingerprints = BTreeSet::new();
    for result in results(&document) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        for member in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(place["region"][member].as_u64().unwrap() > 0);
        }
        let print = result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap();
        assert!(fingerprints.insert(print.to_owned()), "{print} twice");
    }
}

fn fingerprints(report: &ScanReport) -> Vec<String> {
    let document = read(&written("sarif", report));
    let of = |result: &Value| {
        result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned()
    };
    results(&document).iter().map(of).collect()
}

#[test]
fn fingerprints_stay_when_lines_and_releases_change() {
    let mut report = everything();
    let before = fingerprints(&report);
    assert_eq!(before, fingerprints(&report));
    for finding in &mut report.findings {
        if let Some(location) = &mut finding.location {
            location.line += 100;
        }
        if finding.package.is_some() {
            finding.version = Some("99".to_owned());
            finding.message.push_str(", in other words");
        }
    }
    assert_eq!(before, fingerprints(&report));
    for finding in &mut report.findings {
        finding.location = Some(at("other.txt", 1, 1));
    }
    let elsewhere: BTreeSet<String> = fingerprints(&report).into_iter().collect();
    assert!(before.iter().all(|print| !elsewhere.contains(print)));
}

#[test]
fn what_has_no_place_is_shown_at_the_manifest() {
    let mut report = ScanReport::new(here(), &[here()]);
    report.gaps = vec!["the lock is out of date".to_owned()];
    judge(&mut report);
    let uri = |origin| {
        let document = read(&written_from("sarif", &report, origin));
        let place = &results(&document)[0]["locations"][0]["physicalLocation"];
        place["artifactLocation"]["uri"].as_str().unwrap().to_owned()
    };
    let origin = Origin { root: None, folder: "back end", manifest: Some("uv.lock") };
    assert_eq!(uri(origin), "back%20end/uv.lock");
    assert_eq!(uri(Origin::default()), "pyproject.toml");
}

#[test]
fn a_run_that_could_check_nothing_is_no_success() {
    let successful = |report: &ScanReport| {
        let document = read(&written("sarif", report));
        document["runs"][0]["invocations"][0]["executionSuccessful"].as_bool().unwrap()
    };
    assert!(successful(&everything()));
    let mut report = ScanReport::new(here(), &[here()]);
    assert!(!successful(&report));
    let unread = everything::package("a", "1", ftcheck::model::report::Verdict::Unchecked);
    report.add(here(), vec![unread], vec![], vec![], vec![]);
    report.finish();
    assert!(!successful(&report));
}

#[test]
fn what_looks_like_a_link_is_none() {
    let mut report = everything();
    report.findings.truncate(1);
    report.findings[0].message = "see [this](https://example.org)".to_owned();
    let document = read(&written("sarif", &report));
    let text = results(&document)[0]["message"]["text"].as_str().unwrap();
    assert!(text.contains(r"see \[this\](https://example.org)"), "{text}");
}

#[test]
fn files_outside_of_the_tree_are_told_as_such() {
    let mut report = everything();
    report.findings.truncate(1);
    let place = |path: &str| {
        let mut report = report.clone();
        report.findings[0].location = Some(at(path, 1, 1));
        let document = read(&written("sarif", &report));
        results(&document)[0]["locations"][0]["physicalLocation"]["artifactLocation"].clone()
    };
    assert_eq!(place("/etc/a b.txt"), serde_json::json!({ "uri": "file:///etc/a%20b.txt" }));
    assert_eq!(place("../uv.lock"), serde_json::json!({ "uri": "../uv.lock" }));
    assert_eq!(place("a:b%.txt")["uri"], "a%3Ab%25.txt");
}

#[test]
fn a_file_holds_no_more_than_code_scanning_takes() {
    let mut report = everything();
    report.gaps = (0..25_100).map(|number| format!("gap {number}")).collect();
    judge(&mut report);
    let document: Value = serde_json::from_str(&written("sarif", &report)).unwrap();
    assert_eq!(results(&document).len(), 25_000);
    assert_eq!(results(&document)[0]["level"], "error");
    let told = &document["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    let text = told["message"]["text"].as_str().unwrap();
    assert!(text.ends_with("more findings do not fit into this file"), "{text}");
}

#[test]
fn a_file_is_no_larger_than_code_scanning_takes() {
    let mut report = everything();
    // Text that cannot be compressed much.
    let mut state = 1_u64;
    let mut text = || {
        let letters = (0..1_000_000).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
        });
        letters.collect::<String>()
    };
    let finding = report.findings[0].clone();
    for _ in 0..14 {
        let mut finding = finding.clone();
        finding.message = text();
        report.findings.push(finding);
    }
    let written = written("sarif", &report);
    assert!(written.len() < 12_000_000, "{}", written.len());
    let document = read(&written);
    let told = &document["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert!(told["message"]["text"].as_str().unwrap().contains("more findings"), "{told}");
}
