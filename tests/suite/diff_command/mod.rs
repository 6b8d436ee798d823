//! `ftcheck diff` as a user runs it, against the fake index.

mod paths;
mod revision;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::git::ALONE;
use crate::support::index::FakeIndex;
use crate::support::wheel::{BuiltWheel, WheelBuilder};
use crate::support::{Sandbox, fixture_module};

/// `spam` 1 keeps the GIL off, 2 enables it; `mend` the other way round; of `riddle` it is not known.
fn index() -> FakeIndex {
    FakeIndex::builder()
        .file(wheel("spam", "1", "declares"))
        .file(wheel("spam", "2", "declares_nothing"))
        .file(wheel("mend", "1", "declares_used"))
        .file(wheel("mend", "2", "declares"))
        .file(wheel("riddle", "1", "spins"))
        .file(WheelBuilder::new("pure", "1").build())
        .file(WheelBuilder::new("pure", "2").build())
        .start()
}

fn wheel(name: &str, version: &str, module: &str) -> BuiltWheel {
    let file = format!("{module}.cpython-314t-x86_64-linux-gnu.so");
    WheelBuilder::new(name, version)
        .tag("cp314-cp314t-manylinux_2_17_x86_64")
        .file(&file, fixture_module("x86_64-linux-gnu", module))
        .build()
}

/// Runs `ftcheck diff` in a folder of the sandbox.
fn diff_in(sandbox: &Sandbox, folder: &str, index: &FakeIndex, arguments: &[&str]) -> Assert {
    sandbox
        .command()
        .current_dir(sandbox.path().join(folder))
        .envs(ALONE)
        .args(["diff", "--index-url", &index.simple_url()])
        .args(arguments)
        .assert()
}

fn diff(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str]) -> Assert {
    diff_in(sandbox, "", index, &[&["--platform", "linux"], arguments].concat())
}

/// The changes of the JSON report, as words.
fn changes(outcome: &Assert) -> Vec<String> {
    let report = json(outcome);
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        state => {
            format!("{} {}", state["version"].as_str().unwrap(), state["verdict"].as_str().unwrap())
        }
    };
    let packages = report["packages"].as_array().unwrap();
    let line = |one: &Value| {
        let (kind, name) = (one["kind"].as_str().unwrap(), one["name"].as_str().unwrap());
        format!("{kind} {name}: {} -> {}", text(&one["old"]), text(&one["new"]))
    };
    packages.iter().map(line).collect()
}

fn json(outcome: &Assert) -> Value {
    serde_json::from_slice(&outcome.get_output().stdout).unwrap()
}

fn notes(outcome: &Assert) -> String {
    let report = json(outcome);
    let notes = report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap());
    notes.collect::<Vec<_>>().join("\n")
}

fn stdout(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}

fn stderr(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}
