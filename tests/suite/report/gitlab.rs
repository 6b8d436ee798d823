//! GitLab's code quality report.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use super::{everything, written};

#[test]
fn everything_in_code_quality() {
    assert_snapshot!(written("gitlab", &everything()));
}

#[test]
fn no_finding_is_dropped_for_its_fingerprint() {
    let mut report = everything();
    // The same import twice in a file, and the same package in two releases.
    let again = report.sources[0].clone();
    report.sources.push(again);
    let mut other = report.packages.iter().find(|one| one.name == "late").unwrap().clone();
    other.version = Some("1.5".to_owned());
    report.packages.push(other);
    everything::judge(&mut report);
    report.sources[2].location.line = 9;
    everything::judge(&mut report);
    let issues: Vec<Value> = serde_json::from_str(&written("gitlab", &report)).unwrap();
    let fingerprints: BTreeSet<&str> =
        issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(fingerprints.len(), issues.len());
    let merged =
        report.findings.iter().filter(|one| one.package.as_deref() == Some("lxml")).count();
    assert_eq!(issues.len(), report.findings.len() - merged / 2);
}
