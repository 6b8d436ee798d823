//! `ftcheck verify`, with a stand-in for the interpreter; with a real one where there is any.

mod imports;

use std::path::PathBuf;
use std::sync::OnceLock;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::{Sandbox, fixture_module};

const SITE: &str = "env/lib/python3.14t/site-packages";
const SUFFIX: &str = "cpython-314t-x86_64-linux-gnu.so";
const ABOUT: &str = concat!(
    r#""implementation": "cpython", "version": [3, 14, 2], "free_threaded": true, "#,
    r#""gil": false, "platform": "linux_x86_64""#
);

/// The stand-in, compiled once.
fn stand_in() -> PathBuf {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("stand_in{}", std::env::consts::EXE_SUFFIX));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/verify_command/stand_in.rs");
        let done = std::process::Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
            .args(["--edition", "2024", source, "-o"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(done.success());
        (folder, path)
    });
    path.clone()
}

/// An environment with one distribution `pkg` that has these modules, of which loading does that.
fn environment(modules: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("env/pyvenv.cfg", "home = /nowhere\n");
    sandbox.write("env/bin/about", ABOUT);
    let program = sandbox.path().join(program());
    std::fs::copy(stand_in(), program).unwrap();
    let info = format!("{SITE}/pkg-1.0.dist-info");
    sandbox.write(format!("{info}/METADATA"), "Metadata-Version: 2.3\nName: pkg\nVersion: 1.0\n");
    sandbox.write(
        format!("{info}/WHEEL"),
        "Wheel-Version: 1.0\nTag: cp314-cp314t-manylinux_2_27_x86_64\nTag: \
         cp314-cp314t-manylinux_2_28_x86_64\n",
    );
    let mut record = String::new();
    for (stem, does) in modules {
        let path = format!("pkg/{stem}.{SUFFIX}");
        sandbox.write(format!("{SITE}/{path}"), fixture_module("x86_64-linux-gnu", stem));
        sandbox.write(format!("{SITE}/{path}.does"), does);
        record.push_str(&format!("{path},,\n"));
    }
    sandbox.write(format!("{info}/RECORD"), record);
    sandbox
}

fn program() -> String {
    format!("env/bin/python{}", std::env::consts::EXE_SUFFIX)
}

fn verify(sandbox: &Sandbox, arguments: &[&str]) -> Assert {
    sandbox.command().args(["verify", "--python"]).arg(program()).args(arguments).assert()
}

fn report(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let outcome = verify(sandbox, &[&["--format", "json"], arguments].concat()).code(code);
    serde_json::from_slice(&outcome.get_output().stdout).unwrap()
}

fn row<'r>(report: &'r Value, stem: &str) -> &'r Value {
    let name = format!("pkg.{stem}");
    let rows = report["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name.as_str()).unwrap()
}

#[test]
fn answers_that_agree_are_a_success() {
    let sandbox = environment(&[("declares", ""), ("declares_nothing", "enables")]);
    let outcome = verify(&sandbox, &["-v"]).code(0);
    let stdout = String::from_utf8_lossy(&outcome.get_output().stdout).into_owned();
    insta::assert_snapshot!(stdout, @r"
    agrees         pkg.declares  pkg 1.0  keeps the GIL off
    agrees         pkg.declares_nothing  pkg 1.0  enables the GIL

    2 of 2 modules as the engine says, asked of CPython 3.14.2 (3.14t)
    ");
    let stderr = String::from_utf8_lossy(&outcome.get_output().stderr).into_owned();
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(lines[0].starts_with("running env"), "{stderr}");
    assert!(lines[1].starts_with("running it once for each of 2 modules below "), "{stderr}");
    assert!(lines[1].ends_with(": their code is executed"), "{stderr}");
}

#[test]
fn answers_that_differ_are_told_and_fail() {
    let sandbox = environment(&[("declares", "enables"), ("declares_nothing", "")]);
    let outcome = verify(&sandbox, &[]).code(1);
    let stdout = String::from_utf8_lossy(&outcome.get_output().stdout).into_owned();
    insta::assert_snapshot!(stdout, @r"
    differs        pkg.declares  pkg 1.0  the interpreter enables the GIL, the engine says that it keeps the GIL off
    differs        pkg.declares_nothing  pkg 1.0  the interpreter keeps the GIL off, the engine says that it enables the GIL

    0 of 2 modules as the engine says, asked of CPython 3.14.2 (3.14t), 2 differ
    ");
}

/// Whatever keeps the interpreter from telling is told for that module, and never ends in success.
#[test]
fn what_does_not_tell_is_told_as_such() {
    for (does, told) in [
        (
            "raises ImportError: libmissing.so.1: cannot open",
            "ImportError: libmissing.so.1: cannot open",
        ),
        ("exits 7", "the process ended with exit code 7: last words"),
        ("mumbles", "its answer could not be read: EOF"),
        ("loads pkg.other", "loading it loads pkg.other, which enables the GIL first"),
        ("unnamed", "loading it enables the GIL, and no warning says for which module"),
        // Facts that were left out are none: they are not taken to be "no".
        ("forgets", "its answer could not be read: missing field `before`"),
        ("was-on", "the GIL was on before anything was loaded"),
    ] {
        let sandbox = environment(&[("declares", does), ("declares_nothing", "enables")]);
        let report = report(&sandbox, &[], 3);
        let row = row(&report, "declares");
        assert_eq!(row["comparison"], "not-observed", "{does}");
        assert_eq!(row["observed"], Value::Null, "{does}");
        let reason = row["observed_reason"].as_str().unwrap();
        assert!(reason.starts_with(told), "{does}: {reason}");
        assert_eq!(self::row(&report, "declares_nothing")["comparison"], "agrees");
    }
}

#[test]
fn a_crash_is_told_with_how_the_process_ended() {
    let sandbox = environment(&[("declares", "crashes")]);
    let report = report(&sandbox, &[], 3);
    let reason = row(&report, "declares")["observed_reason"].as_str().unwrap();
    let told = if cfg!(unix) { "the process was ended by signal 6" } else { "the process ended" };
    assert!(reason.starts_with(told), "{reason}");
}

#[test]
fn a_module_that_hangs_costs_its_own_answer_only() {
    let sandbox = environment(&[("declares", "hangs"), ("declares_nothing", "enables")]);
    let begun = std::time::Instant::now();
    let report = report(&sandbox, &["--timeout", "3", "--jobs", "1"], 3);
    assert!(begun.elapsed().as_secs() < 60);
    assert_eq!(row(&report, "declares")["observed_reason"], "no answer within 3 s");
    assert_eq!(row(&report, "declares_nothing")["comparison"], "agrees");
}

#[test]
fn what_a_module_writes_is_not_taken_for_the_answer() {
    let sandbox = environment(&[("declares", "chatters")]);
    assert_eq!(row(&report(&sandbox, &[], 0), "declares")["observed"], false);
}

/// The stand-in answers with an error where it sees one of them.
#[test]
fn variables_of_the_user_have_no_say() {
    let sandbox = environment(&[("declares", "")]);
    let outcome = sandbox
        .command()
        .args(["verify", "--python"])
        .arg(program())
        .envs([("PYTHON_GIL", "0"), ("PYTHONWARNINGS", "ignore"), ("PYTHONPATH", "elsewhere")])
        .assert();
    outcome.code(0);
}

#[test]
fn modules_that_the_engine_cannot_tell_are_no_agreement() {
    let sandbox = environment(&[("spins", "")]);
    let report = report(&sandbox, &[], 3);
    assert_eq!(row(&report, "spins")["comparison"], "not-predicted");
}

#[test]
fn the_answers_are_kept_in_the_form_of_the_ground_truth() {
    let sandbox = environment(&[("declares", "raises no"), ("declares_nothing", "enables")]);
    verify(&sandbox, &["--write", "rows.jsonl"]).code(3);
    let text = std::fs::read_to_string(sandbox.path().join("rows.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = serde_json::json!([{
        "wheel": "pkg-1.0-cp314-cp314t-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "sha256": null,
        "member": format!("pkg/declares_nothing.{SUFFIX}"),
        "module": "pkg.declares_nothing",
        "init": "multi-phase",
        "gil": "enables",
    }]);
    assert_eq!(Value::Array(rows), expected);
}

/// Agreement about no module at all is none.
#[test]
fn an_environment_without_modules_was_not_verified() {
    let report = report(&environment(&[]), &[], 3);
    assert_eq!(
        report["gaps"],
        serde_json::json!(["nothing was compared: no compiled module is installed there"])
    );
}

#[test]
fn modules_for_other_interpreters_are_told_of() {
    let sandbox = environment(&[("declares", "")]);
    let other = "pkg/declares.cpython-313t-x86_64-linux-gnu.so";
    sandbox.write(format!("{SITE}/{other}"), fixture_module("x86_64-linux-gnu", "declares"));
    let record = format!("pkg/declares.{SUFFIX},,\n{other},,\n");
    sandbox.write(format!("{SITE}/pkg-1.0.dist-info/RECORD"), record);
    let report = report(&sandbox, &[], 0);
    let notes = report["notes"].to_string();
    assert!(notes.contains("for another interpreter"), "{notes}");
}

/// Nothing is loaded by an interpreter whose answer would mean nothing.
#[test]
fn other_interpreters_are_refused() {
    for (about, told) in [
        (
            ABOUT.replace("\"free_threaded\": true", "\"free_threaded\": false"),
            "found cpython 3.14.2 with the GIL",
        ),
        (ABOUT.replace("cpython", "pypy"), "found pypy 3.14.2, free-threaded"),
        (ABOUT.replace("14, 2", "99, 0"), "found cpython 3.99.0, free-threaded"),
        (
            ABOUT.replace("\"gil\": false", "\"gil\": true"),
            "expected the GIL to be off before anything is loaded",
        ),
        ("nothing".to_owned(), "expected an interpreter that tells what it is"),
    ] {
        let sandbox = environment(&[("declares", "")]);
        sandbox.write("env/bin/about", &about);
        let outcome = verify(&sandbox, &[]).code(2);
        let stderr = String::from_utf8_lossy(&outcome.get_output().stderr).into_owned();
        assert!(stderr.contains(told), "{told}: {stderr}");
        assert!(stderr.contains("hint: "), "{stderr}");
        assert!(!stderr.contains("for each of"), "{stderr}");
    }
}

#[test]
fn what_lies_in_the_cache_is_never_run() {
    let sandbox = environment(&[("declares", "")]);
    let outcome = sandbox
        .command()
        .env("FTCHECK_CACHE_DIR", sandbox.path().join("env"))
        .args(["verify", "--python"])
        .arg(program())
        .assert()
        .code(2);
    let stderr = String::from_utf8_lossy(&outcome.get_output().stderr).into_owned();
    assert!(stderr.contains("lies in the cache, of which nothing is run"), "{stderr}");
    assert!(!stderr.contains("running"), "{stderr}");
}

#[test]
fn an_interpreter_that_is_not_there_is_told() {
    let sandbox = Sandbox::new();
    for (python, told) in
        [("nowhere/python", "there is no such file"), (".", "expected bin/python")]
    {
        let outcome = sandbox.command().args(["verify", "--python", python]).assert().code(2);
        let stderr = String::from_utf8_lossy(&outcome.get_output().stderr).into_owned();
        assert!(stderr.contains(told), "{stderr}");
    }
}

/// Only where the machine has one; the stand-in is what the tests rest on.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn a_real_interpreter_agrees_where_there_is_one() {
    let asked = |program: &str| {
        let code = "import sys; print(sys._is_gil_enabled())";
        let output = std::process::Command::new(program).args(["-I", "-c", code]).output();
        output.is_ok_and(|output| output.stdout.starts_with(b"False"))
    };
    let Some(program) = ["python3.14t"].into_iter().find(|program| asked(program)) else { return };
    let sandbox = Sandbox::new();
    let made = std::process::Command::new(program)
        .args(["-m", "venv", "--without-pip"])
        .arg(sandbox.path().join("env"))
        .status();
    assert!(made.unwrap().success());
    for stem in
        ["declares", "declares_nothing", "declares_used", "single_declares", "single_silent"]
    {
        let module = fixture_module("x86_64-linux-gnu", stem);
        sandbox.write(format!("{SITE}/pkg/{stem}.{SUFFIX}"), module);
    }
    sandbox.command().args(["verify", "--python", "env"]).assert().code(0);
}
