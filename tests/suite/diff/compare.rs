//! What becomes of packages and findings from one report to the next, and what that comes to.

use std::collections::BTreeMap;

use ftcheck::diff::{Comparison, Sides, compare};
use ftcheck::judge::FailOn;
use ftcheck::model::diff_report::{ChangeKind, DiffReport};
use ftcheck::model::report::{ScanReport, Severity, Verdict};
use proptest::prelude::*;

use super::{at, linux, package, place, report, report_for, reports};

fn compared(old: Option<&ScanReport>, new: Option<&ScanReport>) -> Comparison {
    compare(Sides { old, new, old_name: "old".to_owned(), new_name: "new".to_owned() })
}

fn between(old: &ScanReport, new: &ScanReport) -> Comparison {
    compared(Some(old), Some(new))
}

fn ends(comparison: &Comparison) -> Severity {
    comparison.outcome(&FailOn::default())
}

/// The changes as words.
fn told(report: &DiffReport) -> Vec<String> {
    let lines = report.packages.iter().map(|change| {
        let state = |state: Option<&ftcheck::model::diff_report::PackageState>| {
            state.map_or("-".to_owned(), |state| {
                let version = state.version.clone().unwrap_or_default();
                format!("{version} {}", state.verdict.as_str())
            })
        };
        let (old, new) = (state(change.old.as_ref()), state(change.new.as_ref()));
        format!("{} {}: {old} -> {new}", change.kind.as_str(), change.name)
    });
    lines.collect()
}

/// What one package becomes, and how that ends.
#[test]
fn every_verdict_to_every_other() {
    use ChangeKind::{Changed, Fixed, Worsened};
    use Severity::{Finding, Fine, NotKnown};
    let (bad, gone) = (Verdict::EnablesGil, Verdict::NoWheel);
    let (lost, riddle) = (Verdict::Unchecked, Verdict::Undetermined);
    let (fine, pure) = (Verdict::KeepsGilOff, Verdict::PurePython);
    for (old, new, kind, ends_with) in [
        (fine, bad, Worsened, Finding),
        (fine, gone, Worsened, Finding),
        (pure, riddle, Worsened, NotKnown),
        (pure, lost, Worsened, NotKnown),
        (lost, bad, Worsened, Finding),
        (riddle, gone, Worsened, Finding),
        (bad, fine, Fixed, Fine),
        (gone, pure, Fixed, Fine),
        (riddle, fine, Fixed, Fine),
        (lost, fine, Fixed, Fine),
        // It is another problem now, and nobody has accepted that one.
        (bad, gone, Changed, Finding),
        (gone, bad, Changed, Finding),
        (bad, riddle, Changed, NotKnown),
        (lost, riddle, Changed, NotKnown),
        (lost, lost, Changed, NotKnown),
        (fine, pure, Changed, Fine),
        (fine, fine, Changed, Fine),
        (bad, bad, Changed, Fine),
        (riddle, riddle, Changed, Fine),
    ] {
        let before = report(vec![package("spam", "1", old)]);
        let after = report(vec![package("spam", "2", new)]);
        let comparison = between(&before, &after);
        assert_eq!(comparison.report.packages[0].kind, kind, "{old:?} {new:?}");
        assert_eq!(ends(&comparison), ends_with, "{old:?} {new:?}");
    }
}

#[test]
fn packages_come_and_go() {
    let before = report(vec![
        package("stays", "1", Verdict::EnablesGil),
        package("goes", "1", Verdict::NoWheel),
        package("moves", "1", Verdict::PurePython),
    ]);
    let after = report(vec![
        package("stays", "1", Verdict::EnablesGil),
        package("comes", "3", Verdict::KeepsGilOff),
        package("moves", "2", Verdict::PurePython),
    ]);
    let comparison = between(&before, &after);
    assert_eq!(
        told(&comparison.report),
        [
            "added comes: - -> 3 keeps-gil-off",
            "changed moves: 1 pure-python -> 2 pure-python",
            "removed goes: 1 no-wheel -> -",
        ]
    );
    assert_eq!(comparison.report.summary.unchanged, 1);
    assert_eq!(comparison.report.found, []);
    assert_eq!(comparison.report.gone[0].package.as_deref(), Some("goes"));
    assert_eq!(ends(&comparison), Severity::Fine);
}

#[test]
fn what_is_new_fails_by_what_the_user_says() {
    let before = report(vec![package("fine", "1", Verdict::PurePython)]);
    let after = report(vec![
        package("fine", "1", Verdict::PurePython),
        package("spam", "1", Verdict::EnablesGil),
    ]);
    let comparison = between(&before, &after);
    let with = |word: &str| comparison.outcome(&FailOn::of([word]).unwrap());
    assert_eq!(with("error"), Severity::Finding);
    assert_eq!(with("gil-enabled-on-import"), Severity::Finding);
    assert_eq!(with("sdist-only"), Severity::Fine);
}

#[test]
fn several_releases_of_a_package_are_told_apart() {
    let two = |first, second| {
        report(vec![
            package("spam", first, Verdict::PurePython),
            package("spam", second, Verdict::PurePython),
        ])
    };
    let comparison = between(&two("1", "2"), &two("2", "3"));
    assert_eq!(told(&comparison.report), ["changed spam: 1 pure-python -> 3 pure-python"]);
    let comparison =
        between(&two("1", "2"), &report(vec![package("spam", "2", Verdict::PurePython)]));
    assert_eq!(told(&comparison.report), ["removed spam: 1 pure-python -> -"]);
}

#[test]
fn a_side_may_be_missing() {
    let spam = report(vec![package("spam", "1", Verdict::EnablesGil)]);
    let made = compared(None, Some(&spam));
    assert_eq!(told(&made.report), ["added spam: - -> 1 enables-gil"]);
    assert_eq!(ends(&made), Severity::Finding);
    let deleted = compared(Some(&spam), None);
    assert_eq!(told(&deleted.report), ["removed spam: 1 enables-gil -> -"]);
    assert_eq!(ends(&deleted), Severity::Fine);
    // A manifest that is there and asks for nothing is no success, as in a scan.
    assert_eq!(ends(&between(&spam, &report(Vec::new()))), Severity::NotKnown);
}

#[test]
fn places_are_compared_with_their_own() {
    let on = |platforms: &[&str]| {
        let places: Vec<_> = platforms.iter().map(|platform| place("3.14t", platform)).collect();
        let spam = |place: &_| at(*place, package("spam", "1", Verdict::EnablesGil));
        report_for(&places, places.iter().map(spam).collect())
    };
    // Two machines.
    let comparison = between(&on(&["x86_64-manylinux_2_36"]), &on(&["x86_64-manylinux_2_39"]));
    assert_eq!(told(&comparison.report), Vec::<String>::new());
    assert_eq!(ends(&comparison), Severity::Fine);
    assert!(comparison.report.notes[0].contains("compared with"), "{:?}", comparison.report.notes);
    // A place that only the new report is for was not compared.
    let comparison = between(&on(&["linux"]), &on(&["linux", "windows"]));
    assert_eq!(comparison.report.places, [linux()]);
    assert_eq!(comparison.report.gaps.len(), 1);
    assert_eq!(ends(&comparison), Severity::NotKnown);
    let comparison = between(&on(&["linux", "windows"]), &on(&["linux"]));
    assert_eq!(comparison.report.gaps, Vec::<String>::new());
    assert_eq!(ends(&comparison), Severity::Fine);
    // Nothing in common is no success.
    assert_eq!(ends(&between(&on(&["linux"]), &on(&["windows"]))), Severity::NotKnown);
}

/// The packages of a report, each with how often it is there.
type Held = BTreeMap<(String, String, Option<String>, Verdict), i64>;

fn held(report: &ScanReport) -> Held {
    let mut held = Held::new();
    for one in &report.packages {
        let key = (one.name.clone(), one.place().to_string(), one.version.clone(), one.verdict);
        *held.entry(key).or_default() += 1;
    }
    held
}

proptest! {
    #[test]
    fn a_report_does_not_differ_from_itself(report in reports()) {
        let comparison = between(&report, &report);
        prop_assert_eq!(comparison.report.packages, Vec::new());
        prop_assert_eq!(comparison.report.found, Vec::new());
        prop_assert_eq!(comparison.report.gone, Vec::new());
        prop_assert_eq!(comparison.report.summary.unchanged, report.packages.len());
    }

    /// The old packages with the changes made to them are the new ones.
    #[test]
    fn the_changes_lead_from_one_to_the_other(old in reports(), new in reports()) {
        let comparison = between(&old, &new).report;
        let mut made = held(&old);
        for change in &comparison.packages {
            for (state, count) in [(&change.old, -1), (&change.new, 1)] {
                let Some(state) = state else { continue };
                let key = (change.name.clone(), change.place.to_string(), state.version.clone(), state.verdict);
                *made.entry(key).or_default() += count;
            }
        }
        made.retain(|_, count| *count != 0);
        prop_assert_eq!(made, held(&new));
        let counts = &comparison.summary;
        let all = counts.worsened + counts.added + counts.changed + counts.fixed + counts.removed;
        prop_assert_eq!(all, comparison.packages.len());
    }

    /// Turned around, what is found is what is gone.
    #[test]
    fn what_is_found_one_way_is_gone_the_other(old in reports(), new in reports()) {
        let (there, back) = (between(&old, &new).report, between(&new, &old).report);
        prop_assert_eq!(there.found, back.gone);
        prop_assert_eq!(there.gone, back.found);
        prop_assert_eq!(there.summary.added, back.summary.removed);
    }
}
