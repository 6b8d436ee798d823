//! `JUnit` XML.

use ftcheck::model::finding::Level;
use ftcheck::model::report::{ScanReport, Severity};
use insta::assert_snapshot;

use super::everything::{here, judge, package};
use super::{everything, written};

#[test]
fn everything_in_junit() {
    assert_snapshot!(written("junit", &everything()));
}

/// The element of a test, by what it begins with.
fn case<'t>(text: &'t str, name: &str) -> &'t str {
    let start = text.find(&format!("<testcase name=\"{name}")).unwrap();
    let rest = &text[start..];
    &rest[..rest[1..].find("<testcase").unwrap_or(rest.len() - 1)]
}

#[test]
fn what_is_not_known_is_never_a_success() {
    let report = everything();
    let text = written("junit", &report);
    for one in &report.packages {
        let element = case(&text, &one.name);
        if ["accepted", "known"].contains(&one.name.as_str()) {
            assert!(element.contains("<skipped ") && !element.contains("<failure"), "{element}");
            continue;
        }
        match one.verdict.severity() {
            Severity::NotKnown => assert!(element.contains("<error "), "{element}"),
            Severity::Finding => assert!(element.contains("<failure "), "{element}"),
            Severity::Fine => {
                assert!(!element.contains("<failure") && !element.contains("<error"), "{element}");
            }
        }
    }
    assert!(case(&text, "not covered: ").contains("<error "));
}

#[test]
fn a_package_of_which_no_rule_spoke_is_known_by_its_verdict() {
    let mut report = everything();
    report.findings.clear();
    let text = written("junit", &report);
    assert!(case(&text, "nowhere").contains("<error "), "{text}");
    assert!(case(&text, "lxml 6.1.3").contains("<failure "), "{text}");
    assert!(case(&text, "fine 2.0").starts_with("<testcase "), "{text}");
}

#[test]
fn a_note_does_not_make_what_is_not_known_a_success() {
    let mut report = everything();
    report.findings.retain(|finding| finding.package.as_deref() == Some("late"));
    report.findings[0].level = Level::Note;
    report.findings[0].package = Some("nowhere".to_owned());
    report.findings[0].version = None;
    report.findings.truncate(1);
    assert!(case(&written("junit", &report), "nowhere").contains("<error "));
}

#[test]
fn a_report_without_packages_does_not_pass() {
    let report = ScanReport::new(here(), &[here()]);
    let text = written("junit", &report);
    assert!(text.contains("errors=\"1\"") && text.contains("no package was looked at"), "{text}");
}

#[test]
fn a_report_in_order_passes() {
    let mut report = ScanReport::new(here(), &[here()]);
    let fine = package("fine", "1.0", ftcheck::model::report::Verdict::PurePython);
    report.add(here(), vec![fine], vec![], vec![], vec![]);
    report.finish();
    judge(&mut report);
    let text = written("junit", &report);
    assert!(text.contains("tests=\"1\" failures=\"0\" errors=\"0\""), "{text}");
}
