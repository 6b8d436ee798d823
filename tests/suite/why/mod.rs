//! `ftcheck why` and what `scan` and `check` look at: the parts of a project, several files, several
//! platforms, and what leads to each package. Against the fake index.

mod parts;
mod trees;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::Sandbox;
use crate::support::index::FakeIndex;
use crate::support::wheel::WheelBuilder;

const PLATFORM: &str = "x86_64-manylinux_2_28";

/// One pure wheel for each line: `NAME VERSION | REQUIREMENT & REQUIREMENT`.
fn index(text: &str) -> FakeIndex {
    let mut builder = FakeIndex::builder();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, requires) = line.split_once('|').unwrap_or((line, ""));
        let (name, version) = head.trim().split_once(' ').unwrap();
        let mut wheel = WheelBuilder::new(name, version);
        for required in requires.split('&').map(str::trim).filter(|text| !text.is_empty()) {
            wheel = wheel.requires(required);
        }
        builder = builder.file(wheel.build());
    }
    builder.start()
}

/// Runs a command of the program for the fixed platform.
fn run(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str]) -> Assert {
    let mut command = sandbox.command();
    command.args(arguments).args(["--index-url", &index.simple_url()]);
    if !arguments.contains(&"--platform") {
        command.args(["--platform", PLATFORM]);
    }
    command.assert()
}

fn stdout(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}

fn stderr(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

/// The report of a scan or check that ends well.
fn report(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--format", "json"]].concat();
    let outcome = run(sandbox, index, &arguments).code(0);
    serde_json::from_slice(&outcome.get_output().stdout).expect("the report is JSON")
}

/// The packages of a report, each with its version.
fn packages(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let packages = report["packages"].as_array().unwrap();
    let mut names: Vec<_> = packages
        .iter()
        .map(|one| format!("{} {}", text(&one["name"]), text(&one["version"])))
        .collect();
    names.sort();
    names
}
