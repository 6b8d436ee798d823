//! What the user decides about findings: what fails a run, and what does not count.

use ftcheck::judge::{
    CHECKS, FailOn, Ignore, Levels, NamePattern, Policy, apply_ignores, outcome, severity, tell,
};
use ftcheck::model::evidence::Gil;
use ftcheck::model::finding::{IgnoredBy, Level};
use ftcheck::model::location::Location;
use ftcheck::model::release::ReleaseFiles;
use ftcheck::model::report::{PackageReport, ScanReport, Severity, Verdict};
use insta::assert_snapshot;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::{module, package, report};

const TODAY: Date = date(2027, 3, 1);

fn offender(name: &str, modules: &[&str]) -> PackageReport {
    let mut package = package(name, Verdict::EnablesGil);
    package.modules = modules.iter().map(|name| module(name, Gil::Enables)).collect();
    package
}

fn riddle() -> PackageReport {
    let mut riddle = package("riddle", Verdict::Undetermined);
    riddle.modules = vec![module("riddle", Gil::Undetermined)];
    riddle
}

fn told(packages: Vec<PackageReport>) -> ScanReport {
    told_with(packages, &Levels::default())
}

fn told_with(packages: Vec<PackageReport>, levels: &Levels) -> ScanReport {
    let mut report = report(packages);
    tell(&mut report, levels);
    report
}

fn ignore(package: &str) -> Ignore {
    Ignore {
        package: Some(NamePattern::of_package(package).unwrap()),
        rule: None,
        module: None,
        reason: format!("the reason for {package}"),
        expires: None,
        location: Location { path: "ftcheck.toml".to_owned(), line: 4, column: 3 },
    }
}

fn of_module(package: &str, module: &str) -> Ignore {
    Ignore { module: Some(NamePattern::of_module(module).unwrap()), ..ignore(package) }
}

fn policy(ignores: Vec<Ignore>) -> Policy {
    Policy { ignores, ..Policy::default() }
}

/// What counts, and what does not, as lines.
fn lines(report: &ScanReport) -> String {
    let package = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
    let counting = report.findings.iter().map(|one| {
        let hint = one.hints.first().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{} {} {} {}{hint}", one.level, one.rule, package(&one.package), one.message)
    });
    let ignored = report.ignored.iter().map(|one| {
        let name = package(&one.finding.package);
        format!("ignored {} {name} {}", one.finding.rule, one.reason)
    });
    counting.chain(ignored).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_fails_a_run() {
    // One report each: an error, a warning, a note, something that is not known, and nothing.
    let source_only = {
        let mut package = package("old", Verdict::NoWheel);
        package.release = Some(ReleaseFiles { source: true, ..ReleaseFiles::default() });
        package
    };
    let fallback = {
        let mut package = package("slow", Verdict::PurePython);
        package.release =
            Some(ReleaseFiles { compiled: true, wheels: 2, ..ReleaseFiles::default() });
        package
    };
    let reports = [
        told(vec![offender("spam", &["spam._a"])]),
        told(vec![source_only]),
        told(vec![fallback]),
        told(vec![riddle()]),
        told(vec![package("fine", Verdict::PurePython)]),
        told(Vec::new()),
    ];
    let cases: [(&[&str], &str); 9] = [
        (&["error"], "1 0 0 3 0 3"),
        (&["warning"], "1 1 0 3 0 3"),
        (&["note"], "1 1 1 3 0 3"),
        (&["error", "note"], "1 1 1 3 0 3"),
        (&["gil-enabled-on-import"], "1 0 0 3 0 3"),
        (&["sdist-only"], "0 1 0 3 0 3"),
        (&["error", "pure-python-fallback"], "1 0 1 3 0 3"),
        (&["undetermined-module"], "0 0 0 1 0 3"),
        (&[], "0 0 0 3 0 3"),
    ];
    for (words, expected) in cases {
        let fail_on = FailOn::of(words.iter().copied()).unwrap();
        let codes: Vec<&str> = reports
            .iter()
            .map(|report| match outcome(report, &fail_on) {
                Severity::Finding => "1",
                Severity::NotKnown => "3",
                Severity::Fine => "0",
            })
            .collect();
        assert_eq!(codes.join(" "), expected, "{words:?}");
    }
    for report in &reports {
        assert_eq!(severity(report), outcome(report, &FailOn::of(["warning"]).unwrap()));
    }
    assert_eq!(FailOn::of(["error", "errors"]), Err("errors"));
}

#[test]
fn an_ignore_is_for_a_package_a_rule_or_both() {
    let cases = [
        (ignore("spam"), true),
        (ignore("S*"), true),
        (ignore("spa?"), true),
        (ignore("spam-eggs"), false),
        (ignore("am"), false),
        (Ignore { rule: Some("gil-enabled-on-import"), ..ignore("spam") }, true),
        (Ignore { rule: Some("gil-enabled-on-import"), package: None, ..ignore("x") }, true),
        (Ignore { rule: Some("sdist-only"), ..ignore("spam") }, false),
        (of_module("spam", "spam._a"), true),
        (of_module("spam", "spam.*"), true),
        (of_module("spam", "_a"), false),
    ];
    for (ignore, matches) in cases {
        let mut report = told(vec![offender("spam", &["spam._a"])]);
        let shown = ignore.to_string();
        apply_ignores(&mut report, &policy(vec![ignore]), TODAY, true);
        assert_eq!(report.ignored.len(), usize::from(matches), "{shown}");
        let expected = if matches { Severity::Fine } else { Severity::Finding };
        assert_eq!(severity(&report), expected, "{shown}");
        let unused = report.findings.iter().any(|one| one.rule == "ignore-unused");
        assert_eq!(unused, !matches, "{shown}");
    }
}

#[test]
fn an_ignore_of_some_modules_leaves_the_others() {
    let scan = |ignores| {
        let mut report = told(vec![offender("spam", &["spam._a", "spam._b"])]);
        apply_ignores(&mut report, &policy(ignores), TODAY, true);
        lines(&report)
    };
    let (a, b) = (of_module("spam", "spam._a"), of_module("spam", "spam._b"));
    assert_snapshot!(scan(vec![a.clone()]), @"error gil-enabled-on-import spam importing it enables the GIL: spam._a, spam._b do not declare that they run without the GIL");
    assert_snapshot!(scan(vec![a, b]), @"ignored gil-enabled-on-import spam the reason for spam");
}

#[test]
fn what_names_no_module_is_not_ignored_by_one() {
    let mut report = told(vec![package("lost", Verdict::Unchecked)]);
    apply_ignores(&mut report, &policy(vec![of_module("lost", "*")]), TODAY, true);
    assert_eq!(severity(&report), Severity::NotKnown);
}

#[test]
fn an_ignore_counts_through_its_last_day() {
    let with = |expires| {
        let ignore = Ignore { expires: Some(expires), ..ignore("spam") };
        let mut report = told(vec![offender("spam", &["spam._a"])]);
        apply_ignores(&mut report, &policy(vec![ignore]), TODAY, true);
        report
    };
    for (expires, counts) in [
        (date(2027, 2, 28), true),
        (date(2027, 3, 1), false),
        (date(2027, 3, 2), false),
        (date(2026, 12, 31), true),
    ] {
        let report = with(expires);
        assert_eq!(severity(&report) == Severity::Finding, counts, "{expires}");
        let expired = report.findings.iter().any(|one| one.rule == "ignore-expired");
        assert_eq!(expired, counts, "{expires}");
    }
    assert_eq!(with(date(2027, 3, 2)).ignored[0].expires, Some(date(2027, 3, 2)));
    assert_snapshot!(lines(&with(date(2027, 2, 28))), @r"
    error gil-enabled-on-import spam importing it enables the GIL: spam._a does not declare that it runs without the GIL
    warning ignore-expired - the ignore of package `spam` expired on 2027-02-28 (its reason was: the reason for spam)
    ");
}

#[test]
fn what_expired_and_what_matches_nothing_is_told_once() {
    let expired = |package| Ignore { expires: Some(date(2027, 2, 1)), ..ignore(package) };
    let ignores = vec![expired("spam"), expired("gone"), ignore("also-gone"), ignore("spam")];
    let mut report = told(vec![offender("spam", &["spam._a"])]);
    apply_ignores(&mut report, &policy(ignores.clone()), TODAY, true);
    assert_snapshot!(lines(&report), @r"
    warning ignore-expired - the ignore of package `spam` expired on 2027-02-01 (its reason was: the reason for spam)
    warning ignore-expired - the ignore of package `gone` expired on 2027-02-01, and it matches nothing (remove it)
    note ignore-unused - the ignore of package `also-gone` matches nothing (remove it)
    ignored gil-enabled-on-import spam the reason for spam
    ");
    // Where only a part is looked at, the rest may be for another one.
    let mut report = told(vec![offender("spam", &["spam._a"])]);
    apply_ignores(&mut report, &policy(ignores.clone()), TODAY, false);
    assert!(report.findings.iter().all(|one| one.rule != "ignore-unused"));
    // These are rules as others are.
    let levels = Levels([("ignore-expired", None), ("ignore-unused", Some(Level::Error))].into());
    let mut report = told(vec![offender("spam", &["spam._a"])]);
    apply_ignores(&mut report, &Policy { levels, ..policy(ignores) }, TODAY, true);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].level, Level::Error);
}

#[test]
fn a_gap_is_ignored_by_its_rule_alone() {
    let scan = |ignore| {
        let mut report = report(vec![package("fine", Verdict::PurePython)]);
        report.gaps.push("the lock is out of date".to_owned());
        tell(&mut report, &Levels::default());
        apply_ignores(&mut report, &policy(vec![ignore]), TODAY, true);
        severity(&report)
    };
    assert_eq!(scan(ignore("*")), Severity::NotKnown);
    let by_rule = Ignore { rule: Some("not-checked"), package: None, ..ignore("x") };
    assert_eq!(scan(by_rule), Severity::Fine);
}

#[test]
fn what_a_rule_finds_that_is_off_is_kept_apart() {
    let levels = Levels([("undetermined-module", None)].into());
    let report = told_with(vec![riddle()], &levels);
    assert_eq!(report.findings, []);
    assert_eq!(report.ignored[0].by, IgnoredBy::Rule);
    assert_eq!(severity(&report), Severity::Fine);
    // What is off unless asked for was not turned off.
    let report = told(vec![{
        let mut fine = package("fine", Verdict::KeepsGilOff);
        fine.modules = vec![module("fine", Gil::KeepsOff)];
        fine
    }]);
    assert_eq!(report.ignored, []);
}

#[test]
fn a_note_on_a_package_does_not_stand_for_its_verdict() {
    // As it would be if the rule that ought to speak were missing.
    let mut report = told(vec![offender("spam", &["spam._a"])]);
    for finding in &mut report.findings {
        finding.rule = "tracker-disagrees".into();
        finding.level = Level::Note;
    }
    assert_eq!(severity(&report), Severity::Finding);
    // Nor does the rule of a newer ftcheck.
    for finding in &mut report.findings {
        finding.rule = "of-a-newer-one".into();
    }
    report.packages[0].verdict = Verdict::PurePython;
    assert_eq!(severity(&report), Severity::NotKnown);
}

#[test]
fn names_are_compared_as_indexes_do() {
    let matches =
        |pattern: &str, name: &str| NamePattern::of_package(pattern).unwrap().matches(name);
    assert!(matches("Foo__.bar", "foo-bar"));
    assert!(matches("foo-*", "foo-bar"));
    assert!(!matches("foo", "foo-bar"));
    for text in ["", "a b", "a/b", "[ab]", "**", "é"] {
        assert!(NamePattern::of_package(text).is_err(), "{text}");
    }
    assert!(NamePattern::of_module("é._b").unwrap().matches("é._b"));
    assert!(NamePattern::of_module("a-b").is_err());
}

proptest! {
    /// Whatever is ignored, each finding is told once: as one that counts, or as one that does not.
    #[test]
    fn nothing_is_lost(
        packages in prop::collection::vec(("[a-c]", prop::collection::vec("[xy]", 1..3)), 0..6),
        ignores in prop::collection::vec(
            ("[a-c*]", prop::option::of("[xyz*]"), prop::option::of(0..CHECKS.len()), prop::option::of(1i8..5)),
            0..5,
        ),
    ) {
        let packages = packages.iter().map(|(name, modules)| {
            offender(name, &modules.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let before = told(packages.collect());
        let ignores = ignores.iter().map(|(package, module, rule, month)| Ignore {
            module: module.as_deref().map(|name| NamePattern::of_module(name).unwrap()),
            rule: rule.map(|at| CHECKS[at].rule().id),
            expires: month.map(|month| date(2027, month, 1)),
            ..ignore(package)
        });
        let mut after = before.clone();
        apply_ignores(&mut after, &policy(ignores.collect()), TODAY, true);
        let of_settings = |rule: &str| rule.starts_with("ignore-");
        let counting = after.findings.iter().filter(|one| !of_settings(&one.rule));
        let mut all: Vec<_> = counting.chain(after.ignored.iter().map(|one| &one.finding)).collect();
        prop_assert_eq!(all.len(), before.findings.len());
        for finding in &before.findings {
            let at = all.iter().position(|one| *one == finding);
            prop_assert!(at.is_some());
            all.swap_remove(at.unwrap());
        }
    }
}
