//! `ftcheck verify --imports`: what importing each name of an environment does.

use serde_json::{Value, json};

use super::{SITE, environment, report, verify};
use crate::support::Sandbox;

/// `pkg`, whose module enables the GIL, and distributions that import it or not.
fn importing(does: &[(&str, &str)]) -> Sandbox {
    let sandbox = environment(&[("declares_nothing", ""), ("declares", "")]);
    for (name, source) in [
        ("eager", "from pkg import declares_nothing\n"),
        ("lazy", "def f():\n    from pkg import declares_nothing\n"),
    ] {
        let info = format!("{SITE}/{name}-2.0.dist-info");
        sandbox.write(format!("{SITE}/{name}/__init__.py"), source);
        sandbox.write(
            format!("{info}/METADATA"),
            format!("Metadata-Version: 2.3\nName: {name}\nVersion: 2.0\n"),
        );
        sandbox.write(format!("{info}/RECORD"), format!("{name}/__init__.py,,\n"));
    }
    for (name, does) in does {
        sandbox.write(format!("{SITE}/{name}.does"), does);
    }
    sandbox
}

fn rows(report: &Value) -> Vec<[&Value; 5]> {
    let keys = ["distribution", "name", "comparison", "predicted", "observed"];
    report["rows"].as_array().unwrap().iter().map(|row| keys.map(|key| &row[key])).collect()
}

#[test]
fn each_name_is_imported_and_compared() {
    let sandbox = importing(&[("eager", "loads pkg.declares_nothing")]);
    let report = report(&sandbox, &["--imports"], 0);
    let expected = json!([
        ["eager", "eager", "agrees", true, true],
        ["lazy", "lazy", "agrees", false, false],
        // A folder without a module of its own executes nothing.
        ["pkg", "pkg", "agrees", false, false],
    ]);
    assert_eq!(json!(rows(&report)), expected);
    assert_eq!(report["rows"][0]["by"], "pkg.declares_nothing");
    let outcome = verify(&sandbox, &["--imports", "-v"]).code(0);
    let stdout = String::from_utf8_lossy(&outcome.get_output().stdout).into_owned();
    insta::assert_snapshot!(stdout, @r"
    agrees         eager  eager 2.0  enables the GIL (by pkg.declares_nothing)
    agrees         lazy  lazy 2.0  keeps the GIL off
    agrees         pkg  pkg 1.0  keeps the GIL off

    3 of 3 imports as the engine says, asked of CPython 3.14.2 (3.14t)
    ");
    let stderr = String::from_utf8_lossy(&outcome.get_output().stderr).into_owned();
    assert!(stderr.contains("running it once for each of 3 imports below "), "{stderr}");
}

#[test]
fn an_import_that_does_otherwise_is_told() {
    let report = report(&importing(&[("lazy", "unnamed")]), &["--imports"], 1);
    let expected = json!([
        ["eager", "eager", "differs", true, false],
        ["lazy", "lazy", "differs", false, true],
        ["pkg", "pkg", "agrees", false, false],
    ]);
    assert_eq!(json!(rows(&report)), expected);
}

/// An import that fails tells nothing, unless it enabled the GIL before.
#[test]
fn imports_that_fail() {
    let does = [("eager", "fails pkg.declares_nothing"), ("lazy", "raises ImportError: gone")];
    let report = report(&importing(&does), &["--imports"], 3);
    let expected = json!([
        ["eager", "eager", "agrees", true, true],
        ["lazy", "lazy", "not-observed", false, null],
        ["pkg", "pkg", "agrees", false, false],
    ]);
    assert_eq!(json!(rows(&report)), expected);
    assert_eq!(report["rows"][1]["observed_reason"], "ImportError: gone");
}

#[test]
fn imports_are_kept_in_the_form_of_the_ground_truth() {
    let sandbox = importing(&[("eager", "loads pkg.declares_nothing")]);
    verify(&sandbox, &["--imports", "--write", "rows.jsonl"]).code(0);
    let text = std::fs::read_to_string(sandbox.path().join("rows.jsonl")).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let expected = json!({
        "distribution": "eager",
        "version": "2.0",
        "enables_gil": true,
        "by": "pkg.declares_nothing",
        "import": "eager",
    });
    assert_eq!(first, expected);
}

/// What such a file adds to the interpreter's imports is not followed.
#[test]
fn files_of_paths_are_told_of() {
    let sandbox = importing(&[("eager", "loads pkg.declares_nothing")]);
    sandbox.write(format!("{SITE}/more.pth"), "/elsewhere\n");
    let report = report(&sandbox, &["--imports"], 0);
    let notes = report["notes"].to_string();
    assert!(notes.contains("more.pth: what it adds to imports is not followed"), "{notes}");
}
