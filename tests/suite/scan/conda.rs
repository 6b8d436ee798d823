//! Conda packages in a report: what their dependencies show, and that it is never a success where
//! they hold code for the target.

use serde_json::Value;

use super::scan;
use crate::support::Sandbox;
use crate::support::index::FakeIndex;

/// A pixi.lock of two environments, of conda packages alone: name, build, folder, what it depends on.
fn lock(default: &[(&str, &str, &str, &str)], other: &[(&str, &str, &str, &str)]) -> String {
    let mut text = "version: 6\nenvironments:\n".to_owned();
    let mut entries = String::new();
    for (name, packages) in [("default", default), ("other", other)] {
        text += &format!("  {name}:\n    channels: []\n    packages:\n      linux-64:\n");
        for (name, build, folder, depends) in packages {
            let place = format!("conda: https://c.example/f/{folder}/{name}-1.0-{build}.conda\n");
            text += &format!("      - {place}");
            entries += &format!("- {place}  depends: [{depends}]\n");
        }
    }
    format!("{text}packages:\n{entries}")
}

fn report(text: &str, arguments: &[&str], code: i32) -> Value {
    let (index, sandbox) = (FakeIndex::builder().start(), Sandbox::new());
    sandbox.write("pixi.lock", text);
    let arguments = [&["--format", "json"], arguments].concat();
    let outcome = scan(&sandbox, &index, &arguments).code(code);
    serde_json::from_slice(&outcome.get_output().stdout).unwrap()
}

fn verdicts(report: &Value) -> Vec<(&str, &str)> {
    let packages = report["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["verdict"].as_str().unwrap()))
        .collect()
}

const PYTHON: (&str, &str, &str, &str) = ("python", "h0_0_cp314t", "linux-64", "libzlib");
const ZLIB: (&str, &str, &str, &str) = ("libzlib", "h0_0", "linux-64", "");
const PURE: (&str, &str, &str, &str) = ("six", "pyh0_0", "noarch", "python");
const FOR_TARGET: (&str, &str, &str, &str) =
    ("numpy", "py314h0_0", "linux-64", "python, 'python_abi 3.14.* *_cp314t'");
const FOR_GIL: (&str, &str, &str, &str) =
    ("pandas", "py314h0_0", "linux-64", "python, 'python_abi 3.14.* *_cp314'");

#[test]
fn what_holds_no_code_for_python_is_in_order() {
    let report = report(&lock(&[PYTHON, ZLIB, PURE], &[FOR_GIL]), &[], 0);
    assert_eq!(verdicts(&report), [("libzlib", "no-extension-modules"), ("six", "pure-python")]);
    assert_eq!(report["skipped"][0]["name"], "python");
    assert_eq!(report["packages"][0]["conda"]["build"], "h0_0");
}

#[test]
fn a_build_for_the_target_is_unchecked_and_no_success() {
    let report = report(&lock(&[PYTHON, FOR_TARGET], &[]), &[], 3);
    assert_eq!(verdicts(&report), [("numpy", "unchecked")]);
}

#[test]
fn a_build_for_another_abi_is_a_finding_and_mixing_is_told() {
    let report = report(&lock(&[PYTHON, FOR_TARGET, FOR_GIL], &[]), &[], 1);
    assert_eq!(verdicts(&report), [("numpy", "unchecked"), ("pandas", "no-wheel")]);
    let notes = report["notes"].to_string();
    assert!(notes.contains("cp314 (pandas), cp314t (python, numpy)"), "{notes}");
    let reason = report["packages"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("for cp314, not for cp314t"), "{reason}");
    assert_eq!(report["packages"][1]["required_by"]["column"], 3);
}

#[test]
fn the_stable_abi_needs_the_gil_though_it_says_noarch() {
    let abi3 = ("wrapper", "py310h0_0", "linux-64", "python, _python_abi3_support 1.*");
    let text = lock(&[PYTHON, abi3], &[])
        .replace("  depends: [python, _", "  noarch: python\n  depends: [python, _");
    assert_eq!(verdicts(&report(&text, &[], 1)), [("wrapper", "no-wheel")]);
}

#[test]
fn an_interpreter_with_the_gil_is_a_finding() {
    let gil = ("python", "h0_100_cp314", "linux-64", "");
    let older = ("python", "h0_0_cpython", "linux-64", "");
    for one in [gil, older] {
        assert_eq!(verdicts(&report(&lock(&[one, PURE], &[]), &[], 1))[0], ("python", "no-wheel"));
    }
    let report = report(&lock(&[PYTHON, PURE], &[]), &["--target", "3.13t"], 1);
    assert_eq!(verdicts(&report)[0], ("python", "no-wheel"));
}

#[test]
fn what_does_not_say_for_which_python_it_is_is_unchecked() {
    let open = ("lxml", "py314h0_0", "linux-64", "'python >=3.14,<3.15.0a0'");
    assert_eq!(verdicts(&report(&lock(&[PYTHON, open], &[]), &[], 3)), [("lxml", "unchecked")]);
}

#[test]
fn an_environment_stands_for_itself() {
    let text = lock(&[PYTHON, PURE], &[FOR_GIL]);
    assert_eq!(verdicts(&report(&text, &["--group", "other"], 1)), [("pandas", "no-wheel")]);
    assert_eq!(verdicts(&report(&text, &["--all-groups"], 1)).len(), 2);
}

/// Nothing was looked at for a platform that the file does not lock.
#[test]
fn a_platform_that_is_not_locked_is_no_success() {
    let text = lock(&[PYTHON, PURE], &[]);
    // Beside the platform of every scan here.
    let report = report(&text, &["--platform", "x86_64-windows"], 3);
    let gaps = report["gaps"].to_string();
    assert!(gaps.contains("not locked for win-64: it is for linux-64"), "{gaps}");
}
