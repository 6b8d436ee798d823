//! What a baseline knows, what is new, and what is gone.

use std::path::Path;

use ftcheck::diff::baseline::Baseline;
use ftcheck::input::Source;
use ftcheck::judge::{FailOn, outcome, severity};
use ftcheck::model::evidence::Gil;
use ftcheck::model::finding::{Finding, IgnoredBy, Level};
use ftcheck::model::report::{PackageReport, ScanReport, Severity, Verdict};
use insta::assert_snapshot;
use proptest::prelude::*;

use super::{at, linux, module, package, place, report, report_for, reports};

fn read(text: &str) -> Result<Baseline, String> {
    let source = Source::of_text(Path::new("base.json"), "base.json", text.to_owned());
    Baseline::read(&source).map_err(|problem| match &problem.hint {
        Some(hint) => format!("{problem} ({hint})"),
        None => problem.to_string(),
    })
}

fn written_and_read(report: &ScanReport) -> Baseline {
    let baseline = Baseline::of(report);
    let text = baseline.to_text().unwrap();
    let again = read(&text).unwrap();
    assert_eq!(again, baseline);
    again
}

fn enabling(version: &str, modules: &[&str]) -> ScanReport {
    let mut spam = package("spam", version, Verdict::EnablesGil);
    spam.modules = modules.iter().map(|name| module(name, Gil::Enables)).collect();
    report(vec![spam])
}

/// The findings that count once a baseline is applied, and what is gone of it.
fn applied(baseline: &Baseline, mut report: ScanReport) -> (usize, Vec<String>) {
    let gone = baseline.apply(&mut report, "base.json");
    let gone = gone.iter().map(|entry| {
        let modules: Vec<&str> = entry.modules.iter().map(String::as_str).collect();
        format!("{} {} {}", entry.rule, entry.package.as_deref().unwrap_or("-"), modules.join(" "))
    });
    let gone = gone.map(|line| line.trim_end().to_owned()).collect();
    (report.findings.len(), gone)
}

#[test]
fn the_file() {
    let mut spam = package("spam", "1.0", Verdict::EnablesGil);
    spam.modules.push(module("spam._b", Gil::Enables));
    let mut report = report(vec![spam, package("old", "2", Verdict::NoWheel)]);
    report.gaps.push("the lock is out of date".to_owned());
    ftcheck::judge::tell(&mut report, &ftcheck::judge::Levels::default());
    assert_snapshot!(written_and_read(&report).to_text().unwrap(), @r#"
    {
      "version": 1,
      "findings": [
        {
          "rule": "not-checked",
          "message": "not covered: the lock is out of date"
        },
        {
          "package": "old",
          "rule": "no-free-threaded-wheel",
          "target": "3.14t",
          "platform": "x86_64-manylinux"
        },
        {
          "package": "spam",
          "rule": "gil-enabled-on-import",
          "target": "3.14t",
          "platform": "x86_64-manylinux",
          "modules": [
            "spam._a",
            "spam._b"
          ]
        }
      ]
    }
    "#);
}

#[test]
fn versions_and_lines_do_not_count_and_modules_do() {
    let known = written_and_read(&enabling("1.0", &["spam._a", "spam._b"]));
    let nothing: Vec<String> = Vec::new();
    let mut moved = enabling("2.0", &["spam._a", "spam._b"]);
    moved.findings[0].location.as_mut().unwrap().line = 99;
    moved.findings[0].message.push_str(" now");
    assert_eq!(applied(&known, moved), (0, nothing.clone()));
    // One module fewer is nothing new, and the file can be shrunk.
    let fewer = enabling("2.0", &["spam._a"]);
    assert_eq!(applied(&known, fewer), (0, vec!["gil-enabled-on-import spam spam._b".to_owned()]));
    let more = enabling("1.0", &["spam._a", "spam._b", "spam._c"]);
    assert_eq!(applied(&known, more), (1, nothing));
    // Another problem of the same package is new.
    let other = report(vec![package("spam", "1.0", Verdict::NoWheel)]);
    let gone = "gil-enabled-on-import spam spam._a spam._b".to_owned();
    assert_eq!(applied(&known, other), (1, vec![gone]));
}

#[test]
fn the_version_of_the_system_does_not_count_unless_it_has_to() {
    let on = |platforms: &[&str]| {
        let places: Vec<_> = platforms.iter().map(|platform| place("3.14t", platform)).collect();
        let spam = |place: &_| at(*place, package("spam", "1.0", Verdict::EnablesGil));
        report_for(&places, places.iter().map(spam).collect())
    };
    let (one, next) = ("x86_64-manylinux_2_36", "x86_64-manylinux_2_39");
    let known = written_and_read(&on(&[one]));
    assert_eq!(applied(&known, on(&[next])).0, 0);
    assert_eq!(applied(&known, on(&["windows"])).0, 1);
    let both = written_and_read(&on(&[one, next]));
    assert_eq!(applied(&both, on(&[one, next])), (0, Vec::new()));
    assert_eq!(both.len(), 2);
}

#[test]
fn what_the_scan_did_not_come_to_is_not_gone() {
    let places = [linux(), place("3.15t", "windows")];
    let spam = |place: &_| at(*place, package("spam", "1.0", Verdict::EnablesGil));
    let known = written_and_read(&report_for(&places, places.iter().map(spam).collect()));
    let mut part = report_for(&places[..1], vec![package("fine", "1", Verdict::PurePython)]);
    assert_eq!(known.apply(&mut part, "b").len(), 1);
    let mut whole = report_for(&places, vec![package("fine", "1", Verdict::PurePython)]);
    assert_eq!(known.apply(&mut whole, "b").len(), 2);
}

#[test]
fn what_is_known_is_told_as_such() {
    let mut report = enabling("1.0", &["spam._a"]);
    let known = Baseline::of(&report);
    known.apply(&mut report, "base.json");
    assert_eq!(report.ignored[0].by, IgnoredBy::Baseline);
    assert_eq!(report.ignored[0].reason, "known in base.json");
    assert_eq!(report.ignored[0].finding.package.as_deref(), Some("spam"));
}

#[test]
fn a_report_of_nothing_is_no_success_with_a_baseline_either() {
    let mut nothing = report(Vec::new());
    Baseline::of(&nothing).apply(&mut nothing, "b");
    assert_eq!(severity(&nothing), Severity::NotKnown);
}

#[test]
fn other_files_are_refused() {
    let problems: Vec<String> = [
        "",
        "[]",
        "{}",
        "{\"version\": 2, \"findings\": [], \"more\": 1}",
        "{\"version\": 1}",
        "{\"version\": 1, \"findings\": [{\"package\": \"a\"}]}",
        "{\"version\": 1, \"findings\": [{\"rule\": \"a\", \"line\": 1}]}",
        "{\"version\": 1, \"findings\": [{\"rule\": \"a\", \"target\": \"3.9\"}]}",
    ]
    .map(|text| read(text).unwrap_err())
    .into();
    assert_snapshot!(problems.join("\n"), @r"
    base.json:1:1: EOF while parsing a value
    base.json:1:2: invalid length 0, expected an object
    base.json:1:2: missing field `version`
    base.json: expected a baseline of version 1, found version 2 (a newer ftcheck wrote it)
    base.json:1:14: missing field `findings`
    base.json:1:44: missing field `rule`
    base.json:1:48: unknown field `line`, expected one of `package`, `rule`, `target`, `platform`, `path`, `message`, `modules`
    base.json:1:58: expected one of 3.13t, 3.14t, 3.15t, found `3.9`
    ");
}

fn another(rule: &'static str, name: &str) -> Finding {
    Finding {
        rule: rule.into(),
        level: Level::Error,
        package: Some(name.to_owned()),
        version: None,
        place: Some(linux()),
        modules: Vec::new(),
        message: "something".to_owned(),
        hints: Vec::new(),
        links: Vec::new(),
        location: None,
    }
}

proptest! {
    /// A report is clean by its own baseline, also after a way through a file.
    #[test]
    fn a_baseline_of_a_report_makes_it_clean(report in reports()) {
        let baseline = written_and_read(&report);
        let mut after = report.clone();
        prop_assert_eq!(baseline.apply(&mut after, "b"), Vec::new());
        prop_assert_eq!(&after.findings, &Vec::new());
        prop_assert_eq!(after.ignored.len(), report.ignored.len() + report.findings.len());
        // What looked at nothing stays so, whatever is known.
        let is_unchecked = |package: &PackageReport| package.verdict == Verdict::Unchecked;
        let nothing = report.packages.iter().all(is_unchecked);
        let expected = if nothing { Severity::NotKnown } else { Severity::Fine };
        for fail_on in [FailOn::default(), FailOn::of(["note"]).unwrap()] {
            prop_assert_eq!(outcome(&after, &fail_on), expected);
        }
    }

    /// Whatever is found beside makes it fail again.
    #[test]
    fn any_finding_more_fails(report in reports(), known in any::<bool>()) {
        let baseline = Baseline::of(&report);
        let mut after = report;
        // A rule of a package that is not there, or a package that is not there.
        let more = if known { another("gil-enabled-by-source", "a") } else { another("not-checked", "zz") };
        after.findings.push(more);
        baseline.apply(&mut after, "b");
        prop_assert_eq!(after.findings.len(), 1);
        prop_assert_ne!(severity(&after), Severity::Fine);
    }

    /// What a baseline knows of one report and finds in another is what they have in common.
    #[test]
    fn what_is_gone_is_what_a_smaller_baseline_lacks(old in reports(), new in reports()) {
        let mut after = new.clone();
        let gone = Baseline::of(&old).apply(&mut after, "b");
        // The new report's own baseline knows none of what is gone.
        let mut again = old.clone();
        Baseline::of(&new).apply(&mut again, "b");
        let left: std::collections::BTreeSet<_> =
            again.findings.iter().map(|one| (one.rule.to_string(), one.package.clone())).collect();
        let gone: std::collections::BTreeSet<_> =
            gone.into_iter().map(|entry| (entry.rule, entry.package)).collect();
        prop_assert_eq!(left, gone);
    }
}
