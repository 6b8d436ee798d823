//! `--python`: what is installed for an interpreter, which is never run.

use super::{SUFFIX, answers, failure, module, only, report};
use crate::support::Sandbox;

/// A program that leaves a mark where it is run.
const PROGRAM: &str = "#!/bin/sh\ntouch ran\n";

fn venv(sandbox: &Sandbox, configuration: &str) {
    sandbox.write("env/pyvenv.cfg", configuration);
    sandbox.write("env/bin/python", PROGRAM);
    let site = "env/lib/python3.14t/site-packages";
    sandbox.write(format!("{site}/declares.{SUFFIX}"), module("declares"));
}

#[test]
fn the_program_and_the_folder_of_an_environment_lead_to_the_same() {
    let sandbox = Sandbox::new();
    venv(&sandbox, "home = /nowhere\ninclude-system-site-packages = false\n");
    let by_folder = report(&sandbox, &["--python", "env"], 0);
    assert_eq!(answers(only(&by_folder)), [("declares", "keeps-off")]);
    assert_eq!(only(&by_folder)["target"], "3.14t");
    let by_program = report(&sandbox, &["--python", "env/bin/python"], 0);
    assert_eq!(answers(only(&by_program)), answers(only(&by_folder)));
    assert!(!sandbox.path().join("ran").exists());
}

#[test]
#[cfg(unix)]
fn the_program_of_an_environment_belongs_to_where_the_link_lies() {
    let sandbox = Sandbox::new();
    venv(&sandbox, "home = /nowhere\n");
    sandbox.write("base/bin/python3.14t", PROGRAM);
    let site = "base/lib/python3.14t/site-packages";
    sandbox.write(format!("{site}/declares_used.{SUFFIX}"), module("declares_used"));
    let program = sandbox.path().join("env/bin/python");
    std::fs::remove_file(&program).unwrap();
    std::os::unix::fs::symlink("../../base/bin/python3.14t", program).unwrap();
    let found = report(&sandbox, &["--python", "env/bin/python"], 0);
    assert_eq!(answers(only(&found)), [("declares", "keeps-off")]);
    // Without an environment, the program itself says which release's packages are meant.
    sandbox.write("base/lib/python3.13/site-packages/declares.so", module("declares"));
    let found = report(&sandbox, &["--python", "base/bin/python3.14t"], 1);
    assert_eq!(answers(only(&found)), [("declares_used", "enables")]);
    assert_eq!(found["skipped"].as_array().unwrap().len(), 0);
}

#[test]
fn packages_of_the_system_count_where_the_environment_includes_them() {
    let sandbox = Sandbox::new();
    let home = sandbox.path().join("base/bin");
    let configuration = format!("home = {}\ninclude-system-site-packages = true\n", home.display());
    venv(&sandbox, &configuration);
    let site = "base/lib/python3.14t/site-packages";
    sandbox.write(format!("{site}/declares_used.{SUFFIX}"), module("declares_used"));
    let found = report(&sandbox, &["--python", "env"], 1);
    assert_eq!(found["summary"]["modules"], 2);
}

#[test]
fn an_environment_of_windows_is_found_by_its_layout() {
    let sandbox = Sandbox::new();
    sandbox.write("env/pyvenv.cfg", "home = C:\\Python314\n");
    sandbox.write("env/Scripts/python.exe", "MZ");
    let site = "env/Lib/site-packages";
    let pyd = crate::support::fixture_module("x86_64-windows-gnu", "declares");
    sandbox.write(format!("{site}/declares.cp314t-win_amd64.pyd"), pyd);
    for python in ["env", "env/Scripts/python.exe"] {
        let outcome = sandbox
            .command()
            .args(["inspect", "--format", "json", "--python", python])
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&outcome.stdout).unwrap();
        let file = only(&report);
        assert_eq!(file["target"], "3.14t");
        assert_eq!(file["modules"][0]["module"], "declares");
        assert_ne!(file["modules"][0]["gil"], "enables");
    }
}

#[test]
fn a_folder_without_packages_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("empty/bin/tool", PROGRAM);
    insta::assert_snapshot!(failure(&sandbox, &["--python", "empty"]), @r"
    error: empty: expected site-packages below empty, found none
    hint: name an interpreter, such as .venv/bin/python, or the folder of an environment
    ");
    insta::assert_snapshot!(failure(&sandbox, &["--python", "nowhere"]), @r"
    error: nowhere: there is no such file or directory
    hint: name an interpreter, such as .venv/bin/python, or the folder of an environment
    ");
    assert!(failure(&sandbox, &["--python", "empty/bin/tool"]).contains("found none"));
}
