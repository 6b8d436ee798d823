//! What is installed, taken as a manifest: `--python` and `--environment`.

use serde_json::Value;

use super::{SUFFIX, package, reason, scan, stderr, wheel_of};
use crate::support::index::FakeIndex;
use crate::support::{Sandbox, fixture_module};

const SITE: &str = "env/lib/python3.14t/site-packages";

/// Installs a distribution of version 1.0 with these lines in its metadata and this tag.
fn install(sandbox: &Sandbox, name: &str, metadata: &str, tag: &str, modules: &[&str]) {
    let folder = format!("{SITE}/{name}-1.0.dist-info");
    sandbox.write(
        format!("{folder}/METADATA"),
        format!("Metadata-Version: 2.3\nName: {name}\nVersion: 1.0\n{metadata}"),
    );
    sandbox.write(
        format!("{folder}/WHEEL"),
        format!("Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n"),
    );
    let mut record = String::new();
    for module in modules {
        let path = format!("{module}.{SUFFIX}");
        sandbox.write(format!("{SITE}/{path}"), fixture_module("x86_64-linux-gnu", module));
        record.push_str(&format!("{path},,\n"));
    }
    sandbox.write(format!("{folder}/RECORD"), record);
}

fn environment() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("env/pyvenv.cfg", "home = /nowhere\n");
    sandbox.write("env/bin/python", "#!/bin/sh\ntouch ran\n");
    sandbox
}

fn report(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str], code: i32) -> Value {
    let arguments = [&["--format", "json"], arguments].concat();
    let outcome = scan(sandbox, index, &arguments).code(code);
    serde_json::from_slice(&outcome.get_output().stdout).expect("the report is JSON")
}

#[test]
fn what_was_built_for_the_target_is_judged_by_its_files() {
    let sandbox = environment();
    let tag = "cp314-cp314t-linux_x86_64";
    install(&sandbox, "top", "Requires-Dist: offender\n", "py3-none-any", &[]);
    install(&sandbox, "offender", "", tag, &["declares_used"]);
    sandbox.write(format!("{SITE}/top-1.0.dist-info/REQUESTED"), "");
    let index = FakeIndex::builder().start();
    for arguments in [["--environment", "env"], ["--python", "env/bin/python"]] {
        let report = report(&sandbox, &index, &arguments, 1);
        assert_eq!(package(&report, "offender")["verdict"], "enables-gil");
        assert_eq!(package(&report, "top")["verdict"], "pure-python");
        let via: Vec<_> = package(&report, "offender")["via"].as_array().unwrap().iter().collect();
        assert_eq!(via.len(), 2);
        assert_eq!(via[0]["name"], "top");
        assert!(via[0]["location"]["path"].as_str().unwrap().ends_with("top-1.0.dist-info"));
    }
    assert!(index.requests().is_empty(), "everything needed is here");
    assert!(!sandbox.path().join("ran").exists());
}

#[test]
fn of_what_was_built_for_another_interpreter_the_release_is_looked_for() {
    let sandbox = environment();
    install(&sandbox, "fine", "", "cp312-cp312-linux_x86_64", &[]);
    install(&sandbox, "gone", "", "cp312-cp312-linux_x86_64", &[]);
    let index = FakeIndex::builder()
        .file(wheel_of("fine", "1.0", &["declares"]).build())
        .file(wheel_of("fine", "2.0", &["declares_used"]).build())
        .file(wheel_of("gone", "2.0", &["declares"]).build())
        .start();
    let report = report(&sandbox, &index, &["--environment", "env"], 3);
    assert_eq!(package(&report, "fine")["version"], "1.0");
    assert_eq!(package(&report, "fine")["verdict"], "keeps-gil-off");
    assert_eq!(package(&report, "gone")["verdict"], "unchecked");
    assert!(reason(&report, "gone").contains("no file of this release"));
}

#[test]
fn a_project_that_is_edited_in_place_is_the_users_own_code() {
    let sandbox = environment();
    install(&sandbox, "own", "Requires-Dist: fine\n", "cp312-cp312-linux_x86_64", &[]);
    sandbox.write(
        format!("{SITE}/own-1.0.dist-info/direct_url.json"),
        r#"{"url": "file:///work/own", "dir_info": {"editable": true}}"#,
    );
    install(&sandbox, "fine", "", "cp314-cp314t-linux_x86_64", &["declares"]);
    let index = FakeIndex::builder().start();
    let report = report(&sandbox, &index, &["--environment", "env"], 0);
    assert_eq!(report["summary"]["packages"], 1);
    assert_eq!(report["skipped"][0]["name"], "own");
    assert_eq!(report["skipped"][0]["reason"], "the project's own code");
}

#[test]
fn metadata_that_cannot_be_understood_is_a_gap() {
    let sandbox = environment();
    install(&sandbox, "fine", "", "cp314-cp314t-linux_x86_64", &["declares"]);
    sandbox.write(format!("{SITE}/broken-1.0.dist-info/METADATA"), "Name: broken\n");
    let index = FakeIndex::builder().start();
    let report = report(&sandbox, &index, &["--environment", "env"], 3);
    let gap = report["gaps"][0].as_str().unwrap();
    assert!(gap.contains("broken-1.0.dist-info") && gap.contains("no `Version`"), "{gap}");
}

#[test]
fn an_environment_that_is_none_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("empty/file", "");
    let index = FakeIndex::builder().start();
    let outcome = scan(&sandbox, &index, &["--environment", "empty"]).code(2);
    assert!(stderr(&outcome).contains("expected site-packages below empty"));
}

/// A module that is built for one interpreter was taken for the answer of every other one.
#[test]
fn an_environment_answers_for_the_place_it_was_read_for_alone() {
    let sandbox = environment();
    install(&sandbox, "foo", "", "cp314-cp314t-linux_x86_64", &["value_two"]);
    let index = FakeIndex::builder().start();
    for others in [&["--target", "3.15t"][..], &["--platform", "x86_64-windows"]] {
        let arguments = [&["--environment", "env", "--target", "3.14t"], others].concat();
        let report = report(&sandbox, &index, &arguments, 3);
        let packages = report["packages"].as_array().unwrap();
        let of_foo = packages.iter().filter(|package| package["name"] == "foo");
        let verdicts: Vec<&str> =
            of_foo.map(|package| package["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, ["keeps-gil-off", "unchecked"], "{others:?}");
    }
}
