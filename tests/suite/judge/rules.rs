//! What each rule finds, and what it leaves alone.

use ftcheck::judge::{CHECKS, Levels, findings, rule, severity};
use ftcheck::model::evidence::{Gil, Subinterpreters};
use ftcheck::model::finding::{Finding, Level};
use ftcheck::model::imports::{How, ImportChain, ImportReport, Reach, SourceImport};
use ftcheck::model::location::Location;
use ftcheck::model::release::{Prediction, ReleaseFiles, Sign, SourceReport};
use ftcheck::model::report::{PackageReport, Severity, Step, Verdict};
use ftcheck::model::tracker::TrackerEntry;
use insta::assert_snapshot;
use proptest::prelude::*;

use super::{module, package, report};

fn found_in(package: PackageReport) -> Vec<Finding> {
    findings(&report(vec![package]), &Levels::default())
}

/// The findings as lines: rule, message, hints.
fn told(package: PackageReport) -> String {
    let line = |finding: Finding| {
        let hints: String = finding.hints.iter().map(|hint| format!("\n    {hint}")).collect();
        let links: String = finding.links.iter().map(|link| format!("\n    see {link}")).collect();
        format!(
            "{}[{}] {:?} {}{hints}{links}",
            finding.level.as_str(),
            finding.rule,
            finding.modules,
            finding.message
        )
    };
    found_in(package).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn offender() -> PackageReport {
    let mut package = package("spam", Verdict::EnablesGil);
    package.modules = vec![
        module("spam._a", Gil::Enables),
        module("spam._b", Gil::Enables),
        module("spam._fine", Gil::KeepsOff),
    ];
    package
}

fn reach(module: &str, how: How, chains: &[(&str, &[&str])]) -> Reach {
    let chain = |(package, modules): &(&str, &[&str])| ImportChain {
        package: (*package).to_owned(),
        how,
        certain: true,
        modules: modules.iter().map(|name| (*name).to_owned()).collect(),
    };
    Reach { module: module.to_owned(), how, chains: chains.iter().map(chain).collect() }
}

#[test]
fn the_ids_of_all_rules() {
    let lines: Vec<String> = CHECKS
        .iter()
        .map(|check| {
            let rule = check.rule();
            let level = rule.level.map_or("off", Level::as_str);
            let unknown = if rule.about_unknown { " (not known)" } else { "" };
            format!("{} {level}{unknown}", rule.id)
        })
        .collect();
    // Whoever suppresses a rule does so by its id: none of them may change or go.
    assert_snapshot!(lines.join("\n"), @r"
    gil-enabled-on-import error
    gil-enabled-on-submodule warning
    gil-enabled-by-source error
    no-free-threaded-wheel error
    wheel-missing-for-platform error
    abi3-not-installable error
    sdist-only warning
    requires-python-excludes-target error
    undetermined-module warning (not known)
    not-checked warning (not known)
    pure-python-fallback note
    classifier-disagrees note
    tracker-disagrees note
    subinterpreters-unsupported off
    ignore-expired warning
    ignore-unused note
    ");
}

#[test]
fn every_rule_is_explained_and_has_a_file_of_its_name() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/judge");
    for check in CHECKS {
        let rule = check.rule();
        let file = folder.join(format!("{}.rs", rule.id.replace('-', "_")));
        assert!(file.is_file(), "{} has no file of its own", rule.id);
        let is_name =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        assert!(rule.id.chars().all(is_name), "{}", rule.id);
        assert!(!rule.summary.ends_with('.'), "{}", rule.id);
        assert!(rule.explanation.ends_with('.') && rule.action.ends_with('.'), "{}", rule.id);
        let same = CHECKS.iter().filter(|other| other.rule().id == rule.id).count();
        assert_eq!(same, 1, "{}", rule.id);
        assert_eq!(ftcheck::judge::rule(rule.id), Some(rule));
    }
    assert_eq!(rule("gil-enabled"), None);
}

#[test]
fn gil_enabled_on_import_names_the_import_and_the_chain() {
    let mut spam = offender();
    spam.imports = vec![ImportReport {
        import: "spam".to_owned(),
        enables_gil: Some(true),
        by: Some("spam._a".to_owned()),
        chain: vec!["spam".to_owned(), "spam._a".to_owned()],
        reason: None,
    }];
    spam.reached = vec![
        reach("spam._a", How::Import, &[("spam", &["spam", "spam._a"])]),
        reach("spam._b", How::Submodule, &[("spam", &["spam.b", "spam._b"])]),
    ];
    assert_snapshot!(told(spam), @r#"
    error[gil-enabled-on-import] ["spam._a"] `import spam` enables the GIL: spam._a does not declare that it runs without the GIL
        reached by spam -> spam._a
    warning[gil-enabled-on-submodule] ["spam._b"] the GIL is enabled once a submodule is imported: spam._b does not declare that it runs without the GIL
        reached by spam.b -> spam._b
    "#);
}

#[test]
fn an_offender_whose_imports_are_not_known_is_taken_to_be_imported() {
    assert_snapshot!(told(offender()), @r#"error[gil-enabled-on-import] ["spam._a", "spam._b"] importing it enables the GIL: spam._a, spam._b do not declare that they run without the GIL"#);
}

#[test]
fn gil_enabled_on_submodule_tells_what_leads_there() {
    let mut spam = offender();
    spam.reached = vec![
        reach(
            "spam._a",
            How::Submodule,
            &[("spam", &["spam.a", "spam._a"]), ("eggs", &["eggs.pdf", "spam.a", "spam._a"])],
        ),
        reach("spam._b", How::NotFound, &[]),
    ];
    assert_snapshot!(told(spam), @r#"
    warning[gil-enabled-on-submodule] ["spam._a"] the GIL is enabled once a submodule is imported: spam._a does not declare that it runs without the GIL
        reached by spam.a -> spam._a
        reached by eggs.pdf -> spam.a -> spam._a (eggs)
    warning[gil-enabled-on-submodule] ["spam._b"] no import of it was found, and it enables the GIL where there is one: spam._b does not declare that it runs without the GIL
    "#);
}

#[test]
fn a_line_of_the_projects_own_code_is_named() {
    let mut report = report(vec![package("spam", Verdict::KeepsGilOff)]);
    let location = Location { path: "app/main.py".to_owned(), line: 7, column: 1 };
    let import = |how, enables_gil| SourceImport {
        location: location.clone(),
        import: "spam.a".to_owned(),
        how,
        enables_gil,
        by: Some("spam._a".to_owned()),
        chain: vec!["spam.a".to_owned(), "spam._a".to_owned()],
    };
    report.sources = vec![
        import(How::Import, Some(true)),
        import(How::Later, None),
        import(How::Import, Some(false)),
    ];
    let found = findings(&report, &Levels::default());
    let lines: Vec<String> = found
        .iter()
        .map(|one| format!("{} {}", one.location.as_ref().unwrap(), one.message))
        .collect();
    assert_snapshot!(lines.join("\n"), @r"
    app/main.py:7:1 importing spam.a enables the GIL: spam._a
    app/main.py:7:1 importing spam.a may enable the GIL, once the function is called: spam._a
    ");
    report.findings = found;
    assert_eq!(severity(&report), Severity::Finding);
}

fn without_wheel(files: ReleaseFiles) -> PackageReport {
    let mut spam = package("spam", Verdict::NoWheel);
    spam.reason = Some("the reason".to_owned());
    spam.release = Some(files);
    spam
}

#[test]
fn what_has_no_wheel_is_told_by_one_rule() {
    let some = ReleaseFiles { source: true, wheels: 2, ..ReleaseFiles::default() };
    let cases = [
        (some.clone(), "no-free-threaded-wheel"),
        (ReleaseFiles { stable_abi: true, ..some.clone() }, "abi3-not-installable"),
        (
            ReleaseFiles { elsewhere: vec!["a.whl".to_owned()], stable_abi: true, ..some.clone() },
            "wheel-missing-for-platform",
        ),
        (ReleaseFiles { wheels: 0, ..some.clone() }, "sdist-only"),
        (ReleaseFiles { wheels: 0, source: false, ..some.clone() }, "no-free-threaded-wheel"),
        (
            ReleaseFiles { excluded_by: Some("<3.14".to_owned()), ..some },
            "requires-python-excludes-target",
        ),
    ];
    for (files, expected) in cases {
        let found = found_in(without_wheel(files));
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_ref()).collect();
        assert_eq!(rules, [expected]);
    }
    let mut nothing_known = package("spam", Verdict::NoWheel);
    nothing_known.release = None;
    assert_eq!(found_in(nothing_known)[0].rule, "no-free-threaded-wheel");
}

#[test]
fn a_prediction_from_source_stands_beside_the_finding() {
    let mut spam = without_wheel(ReleaseFiles { source: true, ..ReleaseFiles::default() });
    spam.source = Some(SourceReport {
        filename: "spam-1.0.tar.gz".to_owned(),
        prediction: Prediction::KeepsGilOff,
        signs: vec![Sign {
            path: "src/spam.c".to_owned(),
            line: Some(12),
            what: "Py_mod_gil".to_owned(),
        }],
        reason: None,
    });
    assert_snapshot!(told(spam.clone()), @r"
    warning[sdist-only] [] nothing can be installed without a build: the reason
        prediction: a build of spam-1.0.tar.gz would keep the GIL off (Py_mod_gil in src/spam.c:12)
    ");
    // It is no verdict: the run ends as it would without.
    let mut report = report(vec![spam]);
    report.findings = findings(&report, &Levels::default());
    assert_eq!(severity(&report), Severity::Finding);
}

#[test]
fn what_is_not_known_is_told_with_its_reason() {
    let mut riddle = package("riddle", Verdict::Undetermined);
    riddle.modules = vec![module("riddle", Gil::Undetermined)];
    assert_snapshot!(told(riddle), @r#"warning[undetermined-module] ["riddle"] what riddle does to the GIL could not be told: not known"#);
    let mut lost = package("lost", Verdict::Unchecked);
    lost.reason = Some("the index does not answer".to_owned());
    assert_snapshot!(told(lost), @"warning[not-checked] [] the index does not answer");
    let mut report = report(vec![package("fine", Verdict::PurePython)]);
    report.gaps.push("the lock is out of date".to_owned());
    report.findings = findings(&report, &Levels::default());
    assert_snapshot!(report.findings[0].message, @"not covered: the lock is out of date");
    assert_eq!(severity(&report), Severity::NotKnown);
}

#[test]
fn a_pure_wheel_beside_compiled_ones_is_a_fallback() {
    let mut spam = package("spam", Verdict::PurePython);
    spam.release = Some(ReleaseFiles { compiled: true, wheels: 4, ..ReleaseFiles::default() });
    assert_snapshot!(told(spam.clone()), @"note[pure-python-fallback] [] its compiled wheels are for other interpreters or platforms: the pure-Python one is installed instead, which may be slower");
    spam.release = Some(ReleaseFiles { any_platform: true, wheels: 1, ..ReleaseFiles::default() });
    assert_eq!(found_in(spam), []);
}

#[test]
fn a_classifier_that_promises_more_than_the_modules_do() {
    let classifier =
        |stage: &str| format!("Programming Language :: Python :: Free Threading :: {stage}");
    let mut spam = offender();
    spam.classifiers = vec![classifier("3 - Stable")];
    let found = found_in(spam.clone());
    assert!(found.iter().any(|one| one.rule == "classifier-disagrees"), "{found:?}");
    spam.classifiers = vec![classifier("1 - Unstable")];
    assert!(found_in(spam.clone()).iter().all(|one| one.rule != "classifier-disagrees"));
    // A missing classifier says nothing.
    spam.classifiers.clear();
    spam.verdict = Verdict::KeepsGilOff;
    spam.modules = vec![module("spam", Gil::KeepsOff)];
    assert_eq!(found_in(spam), []);
}

#[test]
fn the_tracker_is_told_where_it_differs() {
    let entry = |first: Option<&str>| TrackerEntry {
        project: "Spam".to_owned(),
        packages: vec!["spam".to_owned()],
        first_version: first.map(str::to_owned),
        issue: Some("https://example.org/issue".to_owned()),
        tested: true,
        released: true,
        ..TrackerEntry::default()
    };
    let with = |verdict: Verdict, first| {
        let mut spam =
            if verdict == Verdict::EnablesGil { offender() } else { package("spam", verdict) };
        spam.tracker = Some(entry(first));
        let all = found_in(spam);
        all.into_iter()
            .filter(|one| one.rule == "tracker-disagrees")
            .map(|one| one.message)
            .collect::<Vec<_>>()
    };
    assert_snapshot!(with(Verdict::EnablesGil, Some("0.9")).join("\n"), @"the tracker has support since 0.9, and a module enables the GIL");
    assert_snapshot!(with(Verdict::KeepsGilOff, Some("1.1")).join("\n"), @"the tracker has support since 1.1 only, and every module keeps the GIL off");
    assert_snapshot!(with(Verdict::KeepsGilOff, None).join("\n"), @"the tracker names no version with support, and every module keeps the GIL off");
    for (verdict, first) in [
        (Verdict::EnablesGil, Some("1.0.1")),
        (Verdict::EnablesGil, None),
        (Verdict::KeepsGilOff, Some("1.0")),
        (Verdict::KeepsGilOff, Some("no version")),
        (Verdict::PurePython, None),
    ] {
        assert_eq!(with(verdict, first), Vec::<String>::new(), "{verdict:?} {first:?}");
    }
}

#[test]
fn subinterpreters_are_spoken_of_only_where_asked_for() {
    let mut spam = package("spam", Verdict::KeepsGilOff);
    spam.modules = vec![module("spam._a", Gil::KeepsOff), module("spam._b", Gil::KeepsOff)];
    spam.modules[0].subinterpreters = Some(Subinterpreters::PerInterpreterGil);
    assert_eq!(found_in(spam.clone()), []);
    let asked = Levels([("subinterpreters-unsupported", Some(Level::Note))].into());
    let found = findings(&report(vec![spam]), &asked);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].modules, ["spam._b"]);
}

#[test]
fn a_finding_stands_where_the_user_names_what_leads_to_the_package() {
    let mut spam = offender();
    let line = Location { path: "pyproject.toml".to_owned(), line: 9, column: 5 };
    spam.via = vec![
        Step { name: "app".to_owned(), version: None, location: Some(line.clone()) },
        Step { name: "spam".to_owned(), version: None, location: None },
    ];
    assert_eq!(found_in(spam)[0].location, Some(line));
}

#[test]
fn a_rule_that_is_silent_does_not_make_a_success() {
    // As it would be if a rule were missing.
    let mut found = report(vec![offender()]);
    assert_eq!(severity(&found), Severity::Finding);
    found.packages[0].verdict = Verdict::Unchecked;
    assert_eq!(severity(&found), Severity::NotKnown);
    assert_eq!(severity(&report(Vec::new())), Severity::NotKnown);
}

proptest! {
    /// Whatever is known of a package that is not in order, a rule speaks of it, and as its verdict
    /// weighs; what is in order is not reported as more than a note.
    #[test]
    fn every_verdict_that_is_not_in_order_has_a_finding(
        verdict in prop::sample::select(Verdict::ALL.to_vec()),
        files in prop::option::of(any::<(bool, bool, bool, bool, bool)>()),
        how in prop::option::of(prop::sample::select(vec![How::Import, How::Submodule, How::Later, How::NotFound])),
        nameless in any::<bool>(),
    ) {
        let mut spam = package("spam", verdict);
        spam.release = files.map(|(source, compiled, stable_abi, elsewhere, excluded)| ReleaseFiles {
            source,
            wheels: usize::from(compiled),
            any_platform: false,
            compiled,
            stable_abi,
            elsewhere: if elsewhere { vec!["x.whl".to_owned()] } else { Vec::new() },
            excluded_by: excluded.then(|| "<3".to_owned()),
        });
        match verdict {
            Verdict::EnablesGil => spam.modules = vec![module("spam", Gil::Enables)],
            Verdict::Undetermined if !nameless => spam.modules = vec![module("spam", Gil::Undetermined)],
            Verdict::KeepsGilOff => spam.modules = vec![module("spam", Gil::KeepsOff)],
            _ => {}
        }
        spam.reached = how.map(|how| reach("spam", how, &[])).into_iter().collect();
        let mut report = report(vec![spam]);
        report.findings = findings(&report, &Levels::default());
        let weighs: Vec<Severity> = report.findings.iter().map(ftcheck::judge::severity_of).collect();
        if verdict.severity() == Severity::Fine {
            prop_assert!(weighs.iter().all(|one| *one == Severity::Fine));
        } else {
            prop_assert!(weighs.contains(&verdict.severity()));
        }
        prop_assert_eq!(severity(&report), verdict.severity());
    }
}
