//! The published schema of the JSON report, against real reports.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{everything, written};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../docs/schema/scan-report-1.json");
    serde_json::from_str(text).unwrap()
});

static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    jsonschema::draft202012::meta::validate(&SCHEMA).unwrap();
    jsonschema::draft202012::options().should_validate_formats(true).build(&SCHEMA).unwrap()
});

fn problems(report: &Value) -> Vec<String> {
    let problems = VALIDATOR.iter_errors(report);
    problems.map(|problem| format!("{}: {problem}", problem.instance_path())).collect()
}

/// Panics where a report is not as the schema says.
pub(crate) fn check(report: &Value) {
    let problems = problems(report);
    assert!(problems.is_empty(), "not as docs/schema/scan-report-1.json says: {problems:#?}");
}

fn report() -> Value {
    serde_json::from_str(&written("json", &everything())).unwrap()
}

#[test]
fn a_report_that_holds_everything_is_as_the_schema_says() {
    check(&report());
}

#[test]
fn an_empty_report_is_as_the_schema_says() {
    let place = everything::here();
    let report = ftcheck::model::report::ScanReport::new(place, &[place]);
    check(&serde_json::to_value(&report).unwrap());
}

#[test]
fn a_changed_report_is_not() {
    let changes: &[(&str, Value)] = &[
        ("/version", json!(2)),
        ("/packages/0/verdict", json!("fine")),
        ("/packages/0/name", json!(null)),
        ("/packages/0/via", json!({})),
        ("/findings/0/level", json!("fatal")),
        ("/findings/0/location/line", json!(0)),
        ("/summary/packages", json!(-1)),
        ("/summary/verdicts/enables-gil", json!("1")),
        ("/target", json!("3.14")),
    ];
    for (pointer, value) in changes {
        let mut report = report();
        *report.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone();
        assert!(!problems(&report).is_empty(), "{pointer}");
    }
}

/// Each member of the report is known to the schema, and each that has to be there is.
#[test]
fn members_are_neither_added_nor_lost_without_the_schema() {
    let mut objects = Vec::new();
    walk(&report(), String::new(), &mut objects);
    assert!(objects.len() > 100, "{}", objects.len());
    for pointer in objects {
        let mut report = report();
        let object = report.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
        object.insert("surprise".to_owned(), json!(1));
        assert!(!problems(&report).is_empty(), "{pointer} takes any member");
    }
    for member in ["version", "packages", "gaps", "findings", "summary", "targets", "platforms"] {
        let mut report = report();
        report.as_object_mut().unwrap().remove(member).unwrap();
        assert!(!problems(&report).is_empty(), "{member} may be left out");
    }
}

fn walk(value: &Value, pointer: String, objects: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, format!("{pointer}/{name}"), objects);
            }
            objects.push(pointer);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, format!("{pointer}/{index}"), objects);
            }
        }
        _ => {}
    }
}

/// The schema describes nothing that no report has: members and values all occur.
#[test]
fn all_that_the_schema_describes_occurs() {
    let text = written("json", &everything());
    let mut names = BTreeSet::new();
    described(&SCHEMA, &mut names);
    assert!(names.len() > 100, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("\"{name}\"")), "{name} does not occur");
    }
}

/// The names of members and the values of enumerations.
fn described(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            for (keyword, value) in members {
                match (keyword.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        names.extend(properties.keys().cloned());
                        properties.values().for_each(|property| described(property, names));
                    }
                    ("enum", Value::Array(values)) => {
                        names.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => described(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| described(item, names)),
        _ => {}
    }
}

#[test]
fn the_rules_are_those_of_the_schema() {
    let rules: BTreeSet<&str> =
        ftcheck::judge::CHECKS.iter().map(|check| check.rule().id).collect();
    let described = SCHEMA["$defs"]["rule"]["enum"].as_array().unwrap();
    assert_eq!(described.iter().filter_map(Value::as_str).collect::<BTreeSet<_>>(), rules);
}
