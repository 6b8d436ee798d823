//! `ftcheck advise` as a user runs it, against the fake index, and its pure parts.
//!
//! ```text
//! search    which releases are looked at, against a search through all of them
//! command   what is typed for each tool
//! first     the first release, and how far was looked
//! bounds    what is asked for stands in the way
//! together  whether all of it goes together
//! forks     the list of forks
//! ```

mod bounds;
mod command;
mod first;
mod forks;
mod search;
mod together;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::index::{FakeIndex, FakeIndexBuilder};
use crate::support::wheel::{Sdist, WheelBuilder};
use crate::support::{Sandbox, fixture_module};

const PLATFORM: &str = "x86_64-manylinux_2_28";
const TAG: &str = "cp314-cp314t-manylinux_2_17_x86_64";
const SUFFIX: &str = "cpython-314t-x86_64-linux-gnu.so";

/// A wheel with one module that keeps the GIL off (`declares`) or enables it (`declares_used`).
fn wheel(name: &str, version: &str, module: &str) -> WheelBuilder {
    let path = format!("{module}.{SUFFIX}");
    let bytes = fixture_module("x86_64-linux-gnu", module);
    WheelBuilder::new(name, version).tag(TAG).file(&path, bytes)
}

/// An index of one line for each release: `NAME VERSION WHAT | REQUIREMENT & REQUIREMENT`, where WHAT
/// is `fine`, `bad`, `pure`, `source`, or `older` for a wheel that is not for the interpreter.
fn releases(text: &str) -> FakeIndexBuilder {
    let mut index = FakeIndex::builder().core_metadata(true);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, requires) = line.split_once('|').unwrap_or((line, ""));
        let words: Vec<&str> = head.split_whitespace().collect();
        let [name, version, what] = words[..] else { panic!("{line}") };
        let mut built = match what {
            "fine" => wheel(name, version, "declares"),
            "bad" => wheel(name, version, "declares_used"),
            "pure" => WheelBuilder::new(name, version),
            "older" => WheelBuilder::new(name, version).tag("cp311-cp311-manylinux_2_17_x86_64"),
            "source" => {
                index = index.file(Sdist::new(name, version));
                continue;
            }
            other => panic!("{other}"),
        };
        for required in requires.split('&').map(str::trim).filter(|text| !text.is_empty()) {
            built = built.requires(required);
        }
        index = index.file(built.build());
    }
    index
}

fn advise(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str]) -> Assert {
    let mut command = sandbox.command();
    command.args(["advise", "--index-url", &index.simple_url()]);
    if !arguments.contains(&"--platform") {
        command.args(["--platform", PLATFORM]);
    }
    command.args(arguments).assert()
}

fn report(sandbox: &Sandbox, index: &FakeIndex, code: i32) -> Value {
    let outcome = advise(sandbox, index, &["--format", "json"]).code(code);
    serde_json::from_slice(&outcome.get_output().stdout).expect("the report is JSON")
}

/// The report on one requirements file.
fn report_on(requirements: &str, index: &FakeIndex, code: i32) -> Value {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", requirements);
    report(&sandbox, index, code)
}

/// The advice on a package.
fn advice<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["packages"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["package"] == name))
        .unwrap_or_else(|| panic!("no advice on {name} in {report:#}"))
}

/// What is to be done about it: each step, and its command behind `$`.
fn steps(advice: &Value) -> Vec<String> {
    let steps = advice["steps"].as_array().unwrap();
    let text = |step: &Value| {
        let what = step["what"].as_str().unwrap();
        let command = step["command"].as_str().map(|command| format!(" $ {command}"));
        format!("{what}{}", command.unwrap_or_default())
    };
    steps.iter().map(text).collect()
}

/// The versions that were looked at, each with what was seen.
fn looked_at(advice: &Value) -> Vec<String> {
    let all = advice["looked_at"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.iter().map(|one| format!("{} {}", text(&one["version"]), text(&one["verdict"]))).collect()
}

fn stdout(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}
