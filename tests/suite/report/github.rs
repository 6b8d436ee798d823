//! Annotations of GitHub Actions.

use insta::assert_snapshot;

use super::everything::{at, here};
use super::{Origin, everything, written, written_from};

#[test]
fn everything_in_annotations() {
    assert_snapshot!(written("github", &everything()));
}

#[test]
fn beyond_ten_of_a_kind_the_rest_is_counted() {
    let mut report = everything();
    report.gaps = (0..30).map(|number| format!("gap {number}")).collect();
    everything::judge(&mut report);
    let text = written("github", &report);
    let of = |kind: &str| text.lines().filter(|line| line.starts_with(kind)).count();
    assert!(of("::error ") <= 10 && of("::notice ") <= 10);
    assert_eq!(of("::warning "), 10);
    let all = report.findings.iter().filter(|one| one.level.as_str() == "warning").count();
    let last = text.lines().rfind(|line| line.starts_with("::warning ")).unwrap();
    assert!(last.contains(&format!("::{} more: ", all - 9)), "{last}");
}

#[test]
fn what_would_end_a_property_or_a_line_is_escaped() {
    let mut report = everything();
    report.findings.truncate(1);
    report.findings[0].package = Some("a:b,c%d".to_owned());
    report.findings[0].message = "50% sure\r\n::error::more\nend".to_owned();
    report.findings[0].location = Some(at("a,b:c.txt", 3, 2));
    let text = written("github", &report);
    let line = text.lines().next().unwrap();
    let title = "title=gil-enabled-on-import%3A a%3Ab%2Cc%25d 6.1.3";
    assert!(
        line.starts_with(&format!("::error file=a%2Cb%3Ac.txt,line=3,col=2,{title}::")),
        "{line}"
    );
    assert!(line.contains("50%25 sure ::error::more end"), "{line}");
}

#[test]
fn paths_count_from_the_root_of_the_source_tree() {
    let mut report = ftcheck::model::report::ScanReport::new(here(), &[here()]);
    report.findings = everything().findings;
    report.findings.truncate(1);
    let shown = |path: &str, origin| {
        let mut report = report.clone();
        report.findings[0].location = Some(at(path, 1, 1));
        let text = written_from("github", &report, origin);
        let start = text.strip_prefix("::error file=").unwrap();
        start[..start.find(',').unwrap()].to_owned()
    };
    let origin = Origin { root: Some("/home/me/app"), folder: "backend", manifest: None };
    assert_eq!(shown("requirements.txt", origin), "backend/requirements.txt");
    assert_eq!(shown("./a/../requirements.txt", origin), "backend/requirements.txt");
    assert_eq!(shown("../uv.lock", origin), "uv.lock");
    assert_eq!(shown("../../uv.lock", origin), "../uv.lock");
    assert_eq!(shown("/home/me/app/backend/uv.lock", origin), "backend/uv.lock");
    assert_eq!(shown("/home/me/app2/uv.lock", origin), "/home/me/app2/uv.lock");
    assert_eq!(shown("uv.lock", Origin::default()), "uv.lock");
}

/// What brings a package in differs between the places: the chain is that of the place that is told.
#[test]
fn the_chain_is_that_of_the_place() {
    let mut report = everything();
    let other = report.places().nth(1).unwrap();
    report.packages.iter_mut().filter(|one| one.place() == other).for_each(|package| {
        if package.name == "lxml" {
            package.via[0].name = "elsewhere".to_owned();
        }
    });
    report
        .findings
        .retain(|one| one.package.as_deref() == Some("lxml") && one.place == Some(other));
    assert!(!report.findings.is_empty());
    let text = written("github", &report);
    assert!(text.contains("required by elsewhere 2.0 -> lxml 6.1.3"), "{text}");
    assert!(!text.contains("required by reports"), "{text}");
}
