//! What differs, as people and programs read it.

use ftcheck::diff::{Sides, compare};
use ftcheck::model::diff_report::DiffReport;
use ftcheck::model::report::{ScanReport, Verdict};
use ftcheck::report::{DIFF_FORMATS, Detail, Style};
use insta::assert_snapshot;

use super::{at, linux, package, place, report, report_for};

fn written(report: &DiffReport, format: &str, detail: Detail) -> String {
    let style = Style { color: false, width: None, detail, subinterpreters: false };
    let format = DIFF_FORMATS.iter().find(|one| one.name() == format).unwrap();
    let mut text = Vec::new();
    format.write(report, style, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn diff(old: &ScanReport, new: &ScanReport) -> DiffReport {
    let (old_name, new_name) = ("uv.lock at main (0123456789ab)".to_owned(), "uv.lock".to_owned());
    compare(Sides { old: Some(old), new: Some(new), old_name, new_name }).report
}

/// Every kind of change, on two platforms that differ in one of them.
fn everything() -> DiffReport {
    let places = [linux(), place("3.14t", "windows")];
    let both = |package: &ftcheck::model::report::PackageReport| {
        places.map(|place| at(place, package.clone()))
    };
    let mut old = Vec::new();
    let mut new = Vec::new();
    old.extend(both(&package("lxml", "5.0", Verdict::KeepsGilOff)));
    new.extend(both(&package("lxml", "6.1", Verdict::EnablesGil)));
    old.extend(both(&package("fixed", "1", Verdict::NoWheel)));
    new.extend(both(&package("fixed", "2", Verdict::KeepsGilOff)));
    old.extend(both(&package("httpx", "0.27", Verdict::PurePython)));
    new.extend(both(&package("httpx", "0.28", Verdict::PurePython)));
    old.extend(both(&package("gone", "1", Verdict::PurePython)));
    old.extend(both(&package("same", "1", Verdict::EnablesGil)));
    new.extend(both(&package("same", "1", Verdict::EnablesGil)));
    new.push(at(places[1], package("colorama", "0.4", Verdict::PurePython)));
    new.push(at(places[1], package("winonly", "1", Verdict::Undetermined)));
    let mut diff = diff(&report_for(&places, old), &report_for(&places, new));
    diff.notes.push("req.txt was renamed from requirements.txt".to_owned());
    diff
}

#[test]
fn the_table() {
    assert_snapshot!(written(&everything(), "table", Detail::Normal), @"");
}

#[test]
fn the_quiet_table_tells_what_is_worse() {
    assert_snapshot!(written(&everything(), "table", Detail::Quiet), @"");
}

#[test]
fn markdown() {
    assert_snapshot!(written(&everything(), "markdown", Detail::Normal), @"");
}

#[test]
fn json() {
    let old = report(vec![package("lxml", "5.0", Verdict::KeepsGilOff)]);
    let new = report(vec![package("lxml", "6.1", Verdict::EnablesGil)]);
    let text = written(&diff(&old, &new), "json", Detail::Normal);
    assert_snapshot!(text, @"");
    let again: DiffReport = serde_json::from_str(&text).unwrap();
    assert_eq!(again, diff(&old, &new));
}

#[test]
fn nothing_differs() {
    let same = report(vec![package("same", "1", Verdict::EnablesGil)]);
    assert_snapshot!(written(&diff(&same, &same), "table", Detail::Normal), @"");
    assert_snapshot!(written(&diff(&same, &same), "markdown", Detail::Normal), @"");
}

/// Names and reasons come from files and servers that others may have written.
#[test]
fn foreign_text_marks_nothing_up() {
    let mut evil = package("evil|x", "1`<b>", Verdict::Unchecked);
    evil.reason = Some(
        "[click](https://example.org) @team #1 <script>\n# heading | cell \u{1b}[31m".to_owned(),
    );
    let diff = diff(&report(vec![package("same", "1", Verdict::PurePython)]), &report(vec![evil]));
    assert_snapshot!(written(&diff, "markdown", Detail::Normal), @"");
    assert!(!written(&diff, "table", Detail::Normal).contains('\u{1b}'));
}
