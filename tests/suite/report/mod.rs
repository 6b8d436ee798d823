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

use ftcheck::model::report::ScanReport;
use ftcheck::report::{Detail, FORMATS, Origin, Style};

use self::everything::everything;

/// A report in a form, as it would be written to a file.
fn written(form: &str, report: &ScanReport) -> String {
    let origin = Origin { manifest: Some("uv.lock"), ..Origin::default() };
    written_from(form, report, origin)
}

fn written_from(form: &str, report: &ScanReport, origin: Origin) -> String {
    let style = Style {
        color: false,
        links: false,
        width: None,
        detail: Detail::Normal,
        subinterpreters: false,
        origin,
    };
    let reporter = FORMATS.iter().find(|reporter| reporter.name() == form).unwrap();
    let mut text = Vec::new();
    reporter.write(report, style, &mut text).unwrap();
    String::from_utf8(text).unwrap()
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
