//! Wheels, one and several, for all sorts of interpreters.

use insta::assert_snapshot;

use super::{LINUX, SUFFIX, answers, inspect, module, only, put, report, stdout, wheel_of};
use crate::support::wheel::WheelBuilder;
use crate::support::{Sandbox, fixture_module};

/// A wheel of each verdict, and one for an interpreter with the GIL.
fn everything() -> Sandbox {
    let sandbox = Sandbox::new();
    put(&sandbox, "dist", &wheel_of("fine", &["declares"]).build());
    let offender = wheel_of("offender", &["declares_used", "no_slots", "single_silent", "spins"]);
    put(&sandbox, "dist", &offender.build());
    put(&sandbox, "dist", &wheel_of("riddle", &["declares", "spins"]).build());
    put(&sandbox, "dist", &WheelBuilder::new("pure", "1.0").file("pure.py", "").build());
    let program = WheelBuilder::new("program", "1.0").tag("py3-none-manylinux_2_17_x86_64");
    put(&sandbox, "dist", &program.build());
    let with_gil = WheelBuilder::new("fine", "1.0").tag("cp314-cp314-manylinux_2_17_x86_64");
    put(&sandbox, "dist", &with_gil.build());
    sandbox
}

#[test]
fn every_verdict_in_the_table_worst_first() {
    assert_snapshot!(stdout(&inspect(&everything(), &["dist"]).code(1)));
}

#[test]
fn every_verdict_in_the_verbose_table() {
    assert_snapshot!(stdout(&inspect(&everything(), &["dist", "-v"]).code(1)));
}

#[test]
fn every_verdict_in_json() {
    assert_snapshot!(stdout(&inspect(&everything(), &["dist", "--format", "json"]).code(1)));
}

#[test]
fn quiet_tells_only_what_is_not_in_order() {
    let table = stdout(&inspect(&everything(), &["dist", "--quiet"]).code(1));
    for (name, shown) in [("offender", true), ("riddle", true), ("fine", false), ("pure", false)] {
        assert_eq!(table.contains(&format!("{name}-1.0")), shown, "{name}: {table}");
    }
}

#[test]
fn a_folder_of_wheels_and_the_wheels_by_name_lead_to_the_same_report() {
    let sandbox = everything();
    let mut wheels: Vec<String> = std::fs::read_dir(sandbox.path().join("dist"))
        .unwrap()
        .map(|entry| format!("dist/{}", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    wheels.sort();
    wheels.reverse();
    let wheels: Vec<&str> = wheels.iter().map(String::as_str).collect();
    assert_eq!(report(&sandbox, &wheels, 1), report(&sandbox, &["dist"], 1));
}

#[test]
fn a_wheel_that_keeps_the_gil_off_ends_with_0() {
    let sandbox = Sandbox::new();
    let path = put(&sandbox, ".", &wheel_of("fine", &["declares"]).build());
    let report = report(&sandbox, &[&path], 0);
    let file = only(&report);
    assert_eq!(file["verdict"], "keeps-gil-off");
    assert_eq!(file["wheel"], path.trim_start_matches("./"));
    assert_eq!(answers(file), [("fine.declares", "keeps-off")]);
}

#[test]
fn a_wheel_with_an_undetermined_module_ends_with_3() {
    let sandbox = Sandbox::new();
    let path = put(&sandbox, ".", &wheel_of("riddle", &["declares", "spins"]).build());
    assert_eq!(only(&report(&sandbox, &[&path], 3))["verdict"], "undetermined");
}

#[test]
fn a_pure_wheel_ends_with_0() {
    let sandbox = Sandbox::new();
    let path = put(&sandbox, ".", &WheelBuilder::new("pure", "1.0").file("pure.py", "").build());
    assert_eq!(only(&report(&sandbox, &[&path], 0))["verdict"], "pure-python");
}

#[test]
fn a_compiled_module_in_a_wheel_that_says_it_is_pure_is_looked_at() {
    let sandbox = Sandbox::new();
    let wheel = WheelBuilder::new("odd", "1.0")
        .file(&format!("declares_used.{SUFFIX}"), module("declares_used"))
        .file("declares.so", module("declares"));
    let path = put(&sandbox, ".", &wheel.build());
    let report = report(&sandbox, &[&path], 1);
    let expected = [("declares", "keeps-off"), ("declares_used", "enables")];
    assert_eq!(answers(only(&report)), expected);
}

#[test]
fn each_wheel_is_inspected_for_the_interpreter_in_its_tag() {
    // A slot value of 2 counts as a declaration before 3.15.
    let sandbox = Sandbox::new();
    for (minor, gil, code) in [("13", "keeps-off", 0), ("14", "keeps-off", 0), ("15", "enables", 1)]
    {
        let wheel = WheelBuilder::new("two", minor)
            .tag(&format!("cp3{minor}-cp3{minor}t-manylinux_2_17_x86_64"))
            .file(&format!("value_two.cpython-3{minor}t-x86_64-linux-gnu.so"), module("value_two"));
        let path = put(&sandbox, "dist", &wheel.build());
        let report = report(&sandbox, &[&path], code);
        assert_eq!(only(&report)["target"], format!("3.{minor}t"));
        assert_eq!(answers(only(&report)), [("value_two", gil)]);
    }
    let table = stdout(&inspect(&sandbox, &["dist"]).code(1));
    assert!(table.contains("3 of 3 checked for 3.13t, 3.14t, 3.15t"), "{table}");
}

#[test]
fn a_stable_abi_wheel_for_free_threaded_builds_is_inspected_for_3_15t() {
    let sandbox = Sandbox::new();
    let wheel = WheelBuilder::new("stable", "1.0")
        .tag("cp315-abi3.abi3t-manylinux_2_17_x86_64")
        .file("exports_both_hooks.abi3t.so", module("exports_both_hooks"));
    let path = put(&sandbox, ".", &wheel.build());
    let found = report(&sandbox, &[&path], 0);
    assert_eq!(only(&found)["target"], "3.15t");
    assert_eq!(answers(only(&found)), [("exports_both_hooks", "keeps-off")]);
    // Asked for 3.14t, no installer takes it.
    let found = report(&sandbox, &[&path, "--target", "3.14t"], 3);
    assert_eq!(found["files"].as_array().unwrap().len(), 0);
    assert_eq!(found["skipped"][0]["reason"], "its tags are not among those that 3.14t takes");
}

#[test]
fn wheels_for_interpreters_with_the_gil_alone_are_no_success() {
    let sandbox = Sandbox::new();
    for tag in ["cp314-cp314-manylinux_2_17_x86_64", "cp39-abi3-manylinux_2_17_x86_64"] {
        let wheel =
            WheelBuilder::new("old", "1.0").tag(tag).file("declares.so", module("declares"));
        let path = put(&sandbox, ".", &wheel.build());
        let report = report(&sandbox, &[&path], 3);
        assert_eq!(report["skipped"][0]["path"], path, "{report:#}");
    }
    // Nor beside a wheel that holds nothing to look at.
    put(&sandbox, ".", &WheelBuilder::new("pure", "1.0").file("pure.py", "").build());
    assert_eq!(only(&report(&sandbox, &["."], 3))["verdict"], "pure-python");
}

#[test]
fn modules_for_other_interpreters_are_counted_and_not_taken_for_checked() {
    let sandbox = Sandbox::new();
    let other = "declares.cpython-313-x86_64-linux-gnu.so";
    let wheel = wheel_of("twin", &["declares"]).file(&format!("twin/{other}"), module("declares"));
    let path = put(&sandbox, ".", &wheel.build());
    let found = report(&sandbox, &[&path], 0);
    assert_eq!(
        only(&found)["notes"][0],
        "1 compiled module is for another interpreter or platform and not looked at"
    );
    let wheel = wheel_of("wrong", &[])
        .file(other, module("declares"))
        .file("declares.cpython-314t-darwin.so", module("declares"));
    let path = put(&sandbox, ".", &wheel.build());
    let found = report(&sandbox, &[&path], 3);
    assert_eq!(only(&found)["verdict"], "unchecked");
    assert_eq!(
        only(&found)["reason"],
        "2 compiled modules are for other interpreters or platforms, none for 3.14t"
    );
}

#[test]
fn libraries_of_the_wheel_that_decide_are_followed() {
    let sandbox = Sandbox::new();
    let wheel = wheel_of("patched", &["patched_in_init"]);
    let with = wheel.clone().file("patched.libs/library.so", module("library"));
    let path = put(&sandbox, ".", &with.build());
    assert_eq!(
        answers(only(&report(&sandbox, &[&path], 0))),
        [("patched.patched_in_init", "keeps-off")]
    );
    let path = put(&sandbox, ".", &wheel.build());
    assert_eq!(
        answers(only(&report(&sandbox, &[&path], 3))),
        [("patched.patched_in_init", "undetermined")]
    );
}

#[test]
fn a_module_for_another_processor_than_the_wheel_is_not_said_to_keep_the_gil_off() {
    let sandbox = Sandbox::new();
    let wheel = WheelBuilder::new("mixed", "1.0")
        .tag("cp314-cp314t-manylinux_2_17_aarch64")
        .file("declares.cpython-314t-aarch64-linux-gnu.so", fixture_module(LINUX, "declares"));
    let path = put(&sandbox, ".", &wheel.build());
    let report = report(&sandbox, &[&path], 3);
    let reason = only(&report)["modules"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("for x86_64, which an interpreter on aarch64"), "{reason}");
}

#[test]
fn the_platform_tag_tells_which_files_are_modules() {
    for (platform, suffix, told, folder) in [
        ("macosx_11_0_universal2", "cpython-314t-darwin.so", None, "aarch64-macos"),
        (
            "macosx_11_0_arm64",
            "cpython-314t-darwin.so",
            Some("aarch64-macos_11_0"),
            "aarch64-macos",
        ),
        ("win_amd64", "cp314t-win_amd64.pyd", Some("x86_64-windows"), "x86_64-windows-gnu"),
        (
            "musllinux_1_2_aarch64",
            "cpython-314t-aarch64-linux-musl.so",
            Some("aarch64-musllinux_1_2"),
            "aarch64-linux-gnu",
        ),
        (
            "manylinux2014_aarch64.manylinux_2_17_aarch64",
            "cpython-314t-aarch64-linux-gnu.so",
            Some("aarch64-manylinux_2_17"),
            "aarch64-linux-gnu",
        ),
    ] {
        let sandbox = Sandbox::new();
        let wheel = WheelBuilder::new("fine", "1.0")
            .tag(&format!("cp314-cp314t-{platform}"))
            .file(&format!("declares.{suffix}"), fixture_module(folder, "declares"))
            .file("other.cpython-314t-s390x-linux-gnu.so", "");
        let path = put(&sandbox, ".", &wheel.build());
        let output = sandbox.command().args(["inspect", "--format", "json", &path]).output();
        let report: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        let file = only(&report);
        assert_eq!(file["platform"].as_str(), told, "{platform}");
        let modules = answers(file);
        // Whether such code is followed is tested where the engine is.
        assert!(
            matches!(modules.as_slice(), [("declares", "keeps-off" | "undetermined")]),
            "{platform}: {modules:?}"
        );
        assert_eq!(file["notes"].as_array().unwrap().len(), 1, "{platform}");
        if let Some(reason) = file["modules"][0]["reason"].as_str() {
            assert!(!reason.contains("cannot load"), "{platform}: {reason}");
        }
    }
}

#[test]
fn a_platform_that_the_wheel_is_not_for_is_told() {
    let sandbox = Sandbox::new();
    let path = put(&sandbox, ".", &wheel_of("fine", &["declares"]).build());
    report(&sandbox, &[&path, "--platform", "linux"], 0);
    let found = report(&sandbox, &[&path, "--platform", "windows"], 3);
    assert_eq!(
        found["skipped"][0]["reason"],
        "its tags are those of none of 3.13t, 3.14t, 3.15t on x86_64-windows"
    );
}

#[test]
fn the_report_can_go_to_a_file_but_not_over_what_is_inspected() {
    let sandbox = Sandbox::new();
    let path = put(&sandbox, ".", &wheel_of("fine", &["declares"]).build());
    inspect(&sandbox, &[&path, "--output", "report.txt"]).code(0).stdout("");
    let text = std::fs::read_to_string(sandbox.path().join("report.txt")).unwrap();
    assert!(text.contains("keeps-gil-off") && !text.contains('\u{1b}'), "{text}");
    let before = std::fs::read(sandbox.path().join(&path)).unwrap();
    inspect(&sandbox, &[&path, "--output", &path]).code(2);
    assert_eq!(std::fs::read(sandbox.path().join(&path)).unwrap(), before);
}

#[test]
fn colours_only_where_asked_for() {
    let sandbox = Sandbox::new();
    let path = put(&sandbox, ".", &wheel_of("fine", &["declares"]).build());
    assert!(!stdout(&inspect(&sandbox, &[&path]).code(0)).contains('\u{1b}'));
    assert!(stdout(&inspect(&sandbox, &[&path, "--color", "always"]).code(0)).contains('\u{1b}'));
}
