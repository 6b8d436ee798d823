//! What each format makes of one report that holds everything, and of hostile ones.

mod csv;
pub(crate) mod everything;
mod foreign;
mod github;
mod gitlab;
mod hostile;
mod html;
mod json;
mod junit;
mod markdown;
mod sample;
mod sarif;
pub(crate) mod schema;
mod table;

use ftcheck::judge::FailOn;
use ftcheck::model::finding::{Ignored, IgnoredBy};
use ftcheck::model::report::ScanReport;
use ftcheck::report::{Detail, FORMATS, Origin, Style};

use self::everything::everything;

/// A report in a form, as it would be written to a file.
fn written(form: &str, report: &ScanReport) -> String {
    let origin = Origin { manifest: Some("uv.lock"), ..Origin::default() };
    written_from(form, report, origin)
}

fn written_from(form: &str, report: &ScanReport, origin: Origin) -> String {
    written_where(form, report, origin, FailOn::DEFAULT)
}

/// The same of a run that fails on this.
fn written_where(form: &str, report: &ScanReport, origin: Origin, fail_on: &FailOn) -> String {
    written_in(form, report, &Style { origin, fail_on, ..plain() })
}

fn written_in(form: &str, report: &ScanReport, style: &Style) -> String {
    let reporter = FORMATS.iter().find(|reporter| reporter.name() == form).unwrap();
    let mut text = Vec::new();
    reporter.write(report, *style, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// As a file has it.
fn plain() -> Style<'static> {
    Style {
        color: false,
        links: false,
        width: None,
        detail: Detail::Normal,
        subinterpreters: false,
        origin: Origin::default(),
        fail_on: FailOn::DEFAULT,
    }
}

#[test]
fn forms_have_names_and_suffixes_of_their_own() {
    let names: std::collections::BTreeSet<&str> = FORMATS.iter().map(|form| form.name()).collect();
    assert_eq!(names.len(), FORMATS.len());
    assert_eq!(FORMATS[0].name(), "table");
    for form in FORMATS {
        for suffix in form.suffixes() {
            assert!(!suffix.starts_with('.') && !suffix.is_empty(), "{}", form.name());
        }
    }
}

/// Moves all that was found to what does not count.
fn ignore_all(report: &mut ScanReport) {
    let found = std::mem::take(&mut report.findings);
    report.ignored.extend(found.into_iter().map(|finding| Ignored {
        finding,
        by: IgnoredBy::Baseline,
        reason: "known from baseline.json".to_owned(),
        expires: None,
        location: None,
    }));
}

/// A gap that a baseline knows.
fn ignoring_what_is_about_no_package() -> ScanReport {
    let mut report = everything();
    report.findings.retain(|finding| finding.package.is_none() && finding.rule == "not-checked");
    report.ignored.clear();
    ignore_all(&mut report);
    report
}
