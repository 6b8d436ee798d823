//! `ftcheck inspect` as a user runs it, on files made here.

mod bad_input;
mod folders;
mod lone;
mod python;
mod wheels;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::wheel::{BuiltWheel, WheelBuilder};
use crate::support::{Sandbox, fixture_module};

const LINUX: &str = "x86_64-linux-gnu";
const SUFFIX: &str = "cpython-314t-x86_64-linux-gnu.so";
const TAG: &str = "cp314-cp314t-manylinux_2_17_x86_64";

/// A Linux module of that name.
fn module(name: &str) -> Vec<u8> {
    fixture_module(LINUX, name)
}

/// A wheel for 3.14t that holds these modules, each under its own name.
fn wheel_of(name: &str, modules: &[&str]) -> WheelBuilder {
    let wheel = WheelBuilder::new(name, "1.0").tag(TAG);
    modules
        .iter()
        .fold(wheel, |wheel, stem| wheel.file(&format!("{name}/{stem}.{SUFFIX}"), module(stem)))
}

/// Puts a wheel into a folder, `.` for the working one; returns the path from there.
fn put(sandbox: &Sandbox, folder: &str, wheel: &BuiltWheel) -> String {
    let path = format!("{folder}/{}", wheel.filename);
    sandbox.write(&path, &wheel.bytes);
    path
}

fn inspect(sandbox: &Sandbox, arguments: &[&str]) -> Assert {
    sandbox.command().arg("inspect").args(arguments).assert()
}

fn stdout(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}

/// What is told on the standard error of a run that could not be made, and left no report.
fn failure(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let outcome = inspect(sandbox, arguments).code(2);
    assert_eq!(stdout(&outcome), "");
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

/// The JSON report of a run that ends with `code`.
fn report(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let arguments = [&["--format", "json"], arguments].concat();
    let outcome = inspect(sandbox, &arguments).code(code);
    serde_json::from_slice(&outcome.get_output().stdout).expect("the report is JSON")
}

/// The only file of a report.
fn only(report: &Value) -> &Value {
    let files = report["files"].as_array().expect("files are listed");
    let [file] = files.as_slice() else { panic!("expected one file in {report:#}") };
    file
}

/// Module and answer, of every module of a file.
fn answers(file: &Value) -> Vec<(&str, &str)> {
    let text = |value: &'_ Value| value.as_str().map(str::to_owned);
    let modules = file["modules"].as_array().expect("modules are listed");
    assert!(modules.iter().all(|module| text(&module["member"]).is_some()));
    modules
        .iter()
        .map(|module| (module["module"].as_str().unwrap(), module["gil"].as_str().unwrap()))
        .collect()
}
