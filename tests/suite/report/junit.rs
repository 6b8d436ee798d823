//! `JUnit` XML.

use ftcheck::judge::{FailOn, outcome};
use ftcheck::model::finding::Level;
use ftcheck::model::report::{ScanReport, Severity};
use ftcheck::report::Origin;
use insta::assert_snapshot;

use super::everything::{here, judge, package};
use super::{everything, ignore_all, ignoring_what_is_about_no_package, written, written_where};

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

#[test]
fn it_fails_as_the_run_does_whatever_that_fails_on() {
    let mut noted = ScanReport::new(here(), &[here()]);
    let mut fine = package("fine", "1.0", ftcheck::model::report::Verdict::PurePython);
    fine.release = Some(ftcheck::model::release::ReleaseFiles {
        wheels: 2,
        compiled: true,
        ..Default::default()
    });
    noted.add(here(), vec![fine], vec![], vec![], vec![]);
    noted.finish();
    ftcheck::judge::tell(&mut noted, &ftcheck::judge::Levels::default());
    assert_eq!(noted.findings.len(), 1);
    for report in [everything(), noted] {
        for word in FailOn::words() {
            let fail_on = FailOn::of([word]).unwrap();
            let text = written_where("junit", &report, Origin::default(), &fail_on);
            let markdown = written_where("markdown", &report, Origin::default(), &fail_on);
            let page = written_where("html", &report, Origin::default(), &fail_on);
            let (sign, word_of_page) = match outcome(&report, &fail_on) {
                Severity::Finding => ("❌", ">Found<"),
                Severity::NotKnown => ("⚠️", ">Not known<"),
                Severity::Fine => ("✅", ">Nothing found<"),
            };
            assert!(markdown.starts_with(&format!("## {sign} ")), "{word}: {markdown}");
            assert!(page.contains(word_of_page), "{word}");
            let fails = outcome(&report, &fail_on) == Severity::Finding;
            assert_eq!(text.contains("<failure "), fails, "{word}: {text}");
            let is_known = outcome(&report, &fail_on) == Severity::Fine;
            assert!(!is_known || !text.contains("<error "), "{word}: {text}");
        }
    }
}

#[test]
fn what_is_ignored_about_no_package_is_a_skipped_test() {
    let text = written("junit", &ignoring_what_is_about_no_package());
    let element = case(&text, "not covered: ");
    assert!(element.contains("<skipped message=\"ignored[not-checked]"), "{element}");
}

#[test]
fn a_run_in_which_nothing_was_looked_at_does_not_pass_since_that_is_accepted() {
    let mut report = ScanReport::new(here(), &[here()]);
    let lost = package("lost", "1.0", ftcheck::model::report::Verdict::Unchecked);
    report.add(here(), vec![lost], vec![], vec![], vec![]);
    report.finish();
    judge(&mut report);
    ignore_all(&mut report);
    assert_eq!(outcome(&report, FailOn::DEFAULT), Severity::NotKnown);
    let text = written("junit", &report);
    assert!(text.contains("errors=\"1\"") && text.contains("no package was looked at"), "{text}");
}
