//! The configuration as `ftcheck scan` follows it, and the options that win over it.

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::Sandbox;
use crate::support::fixture_module;
use crate::support::index::FakeIndex;
use crate::support::wheel::WheelBuilder;

const TAG: &str = "cp314-cp314t-manylinux_2_17_x86_64";

fn wheel(name: &str, module: &str) -> crate::support::wheel::BuiltWheel {
    let file = format!("{module}.cpython-314t-x86_64-linux-gnu.so");
    let bytes = fixture_module("x86_64-linux-gnu", module);
    WheelBuilder::new(name, "1.0").tag(TAG).file(&file, bytes).build()
}

/// `offender` enables the GIL, of `riddle` it is not known, `fine` keeps it off.
fn index() -> FakeIndex {
    FakeIndex::builder()
        .file(wheel("offender", "declares_nothing"))
        .file(wheel("riddle", "spins"))
        .file(wheel("fine", "declares"))
        .start()
}

fn scan(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str]) -> Assert {
    sandbox.command().args(["scan", "--index-url", &index.simple_url()]).args(arguments).assert()
}

fn json(outcome: &Assert) -> Value {
    serde_json::from_slice(&outcome.get_output().stdout).unwrap()
}

fn stdout(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}

fn stderr(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

/// A project that requires what is named, with a configuration for Linux.
fn project(requires: &str, configuration: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", requires);
    sandbox.write("ftcheck.toml", format!("platforms = [\"linux\"]\n{configuration}"));
    sandbox
}

#[test]
fn what_is_ignored_does_not_count_and_is_shown_with_its_reason() {
    let index = index();
    let ignore =
        "ignore = [{ package = \"off*\", reason = \"the build alone\", expires = 2999-12-31 }]\n";
    let sandbox = project("offender\nfine", ignore);
    let outcome = scan(&sandbox, &index, &[]).code(0);
    insta::assert_snapshot!(stdout(&outcome), @r"
    enables-gil    offender 1.0  declares_nothing
    keeps-gil-off  fine 1.0      1 extension module

    ignored[gil-enabled-on-import] offender 1.0: the build alone, until 2999-12-31 (ftcheck.toml:2:11)

    2 of 2 packages checked for 3.14t on x86_64-manylinux_2_28: 1 enables the GIL, 1 keeps the GIL off
    ");
    let report = json(&scan(&sandbox, &index, &["--format", "json"]).code(0));
    assert_eq!(report["findings"], serde_json::json!([]));
    let ignored = &report["ignored"][0];
    assert_eq!(ignored["finding"]["rule"], "gil-enabled-on-import");
    assert_eq!(ignored["finding"]["level"], "error");
    assert_eq!(ignored["by"], "ignore");
    assert_eq!(ignored["reason"], "the build alone");
    assert_eq!(ignored["expires"], "2999-12-31");
    assert_eq!(ignored["location"]["path"], "ftcheck.toml");
    // The verdict is what it is.
    assert_eq!(report["summary"]["verdicts"]["enables-gil"], 1);
    // Without the configuration it counts, and so in a file of another name.
    scan(&sandbox, &index, &["--no-config", "--platform", "linux"]).code(1);
    sandbox.write("other.toml", "platforms = [\"linux\"]");
    scan(&sandbox, &index, &["--config", "other.toml"]).code(1);
}

#[test]
fn what_expired_counts_again_and_what_matches_nothing_is_told() {
    let index = index();
    let ignores = "ignore = [\n\
                   \x20 { package = \"offender\", reason = \"soon\", expires = 2020-01-01 },\n\
                   \x20 { package = \"nowhere\", reason = \"gone\" },\n]\n";
    let sandbox = project("offender\nfine", ignores);
    insta::assert_snapshot!(stdout(&scan(&sandbox, &index, &[]).code(1)), @r"
    enables-gil    offender 1.0  declares_nothing
    keeps-gil-off  fine 1.0      1 extension module

    error[gil-enabled-on-import] offender 1.0: `import declares_nothing` enables the GIL: declares_nothing does not declare that it runs without the GIL
      --> requirements.txt:1:1
      reached by declares_nothing
    warning[ignore-expired] the ignore of package `offender` expired on 2020-01-01
      --> ftcheck.toml:3:3
      its reason was: soon
    note[ignore-unused] the ignore of package `nowhere` matches nothing
      --> ftcheck.toml:4:3
      remove it

    2 of 2 packages checked for 3.14t on x86_64-manylinux_2_28: 1 enables the GIL, 1 keeps the GIL off
    ");
    // Where packages are named on the command line, what is ignored need not be among them.
    let check =
        sandbox.command().args(["check", "--index-url", &index.simple_url(), "fine"]).assert();
    let told = stdout(&check);
    assert!(!told.contains("nowhere") && told.contains("ignore-expired"), "{told}");
}

#[test]
fn what_is_not_known_may_be_ignored_with_a_reason_only() {
    let index = index();
    let sandbox = project("riddle", "");
    scan(&sandbox, &index, &[]).code(3);
    // Neither a level nor what the run fails on makes it known.
    for arguments in [["--fail-on", "error"], ["--fail-on", "note"]] {
        scan(&sandbox, &index, &arguments).code(3);
    }
    scan(&sandbox, &index, &["--fail-on", "undetermined-module"]).code(1);
    scan(&sandbox, &index, &["--exit-zero"]).code(0);
    let levels = project("riddle", "rules = { undetermined-module = \"note\" }");
    scan(&levels, &index, &[]).code(3);
    let off = project("riddle", "rules = { undetermined-module = \"off\" }");
    let told = stdout(&scan(&off, &index, &[]).code(0));
    assert!(told.contains("1 finding of rules that are off"), "{told}");
    let ignored =
        project("riddle", "ignore = [{ package = \"riddle\", reason = \"tried by hand\" }]");
    scan(&ignored, &index, &[]).code(0);
}

#[test]
fn a_rule_that_is_off_is_not_made_up_for_by_the_verdict() {
    let index = index();
    let sandbox = project("offender", "rules = { gil-enabled-on-import = \"off\" }");
    let report = json(&scan(&sandbox, &index, &["--format", "json"]).code(0));
    assert_eq!(report["ignored"][0]["by"], "rule");
    assert_eq!(report["packages"][0]["verdict"], "enables-gil");
}

#[test]
fn the_command_line_wins() {
    let index = index();
    let sandbox = project("offender", "targets = [\"3.15t\"]\nfail-on = [\"sdist-only\"]\n");
    let places = |arguments: &[&str]| {
        let report = json(
            &scan(&sandbox, &index, &[&["--format", "json", "--exit-zero"], arguments].concat())
                .code(0),
        );
        (report["targets"].to_string(), report["platforms"].to_string())
    };
    let linux = "[\"x86_64-manylinux_2_28\"]".to_owned();
    assert_eq!(places(&[]), ("[\"3.15t\"]".to_owned(), linux.clone()));
    assert_eq!(places(&["--target", "3.14t"]), ("[\"3.14t\"]".to_owned(), linux));
    let musl = "[\"x86_64-musllinux_1_2\"]".to_owned();
    assert_eq!(places(&["--platform", "x86_64-musllinux_1_2"]), ("[\"3.15t\"]".to_owned(), musl));
    scan(&sandbox, &index, &["--target", "3.14t"]).code(0);
    scan(&sandbox, &index, &["--target", "3.14t", "--fail-on", "error"]).code(1);
    scan(&sandbox, &index, &["--target", "3.14t", "--fail-on", "sdist-only,gil-enabled-on-import"])
        .code(1);
}

#[test]
fn groups_and_extras_of_the_configuration() {
    let index = index();
    let sandbox = Sandbox::new();
    sandbox.write(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.14\"\ndependencies = [\"fine\"]\n\
         optional-dependencies.more = [\"offender\"]\n[dependency-groups]\ntest = [\"riddle\"]\n\
         [tool.ftcheck]\nplatforms = [\"linux\"]\ngroups = [\"test\"]\nextras = [\"more\"]\n",
    );
    let names = |arguments: &[&str]| {
        let report = json(
            &scan(&sandbox, &index, &[&["--format", "json", "--exit-zero"], arguments].concat())
                .code(0),
        );
        let packages = report["packages"].as_array().unwrap();
        packages.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&[]), "fine offender riddle");
    assert_eq!(names(&["--no-default-groups"]), "fine offender");
    assert_eq!(names(&["--only-group", "test"]), "riddle");
    assert_eq!(names(&["--no-config", "--platform", "linux"]), "fine");
}

#[test]
fn mistakes_end_the_run_before_anything_is_asked_for() {
    let index = index();
    let sandbox = project("fine", "targts = []");
    let outcome = scan(&sandbox, &index, &[]).code(2);
    insta::assert_snapshot!(stderr(&outcome), @r"
    error: ftcheck.toml:2:1: unknown key `targts`
    hint: did you mean `targets`?
    ");
    let sandbox = project("fine", "");
    insta::assert_snapshot!(stderr(&scan(&sandbox, &index, &["--fail-on", "gil-enabled"]).code(2)), @r"
    error: expected a level (error, warning, note) or the name of a rule for `--fail-on`, found `gil-enabled`
    hint: did you mean `gil-enabled-by-source`?
    ");
    scan(&sandbox, &index, &["--config", "nowhere.toml"]).code(2);
    sandbox.write("pyproject.toml", "");
    let outcome = scan(&sandbox, &index, &["--config", "pyproject.toml"]).code(2);
    assert!(stderr(&outcome).contains("[tool.ftcheck]"));
    assert!(index.requests().is_empty());
}

#[test]
fn a_flag_lowers_no_level_that_the_project_set() {
    let index = FakeIndex::builder().file(wheel("single", "single_declares")).start();
    let sandbox = project("single", "rules = { subinterpreters-unsupported = \"error\" }\n");
    scan(&sandbox, &index, &[]).code(1);
    scan(&sandbox, &index, &["--subinterpreters"]).code(1);
}

#[test]
fn what_a_constraints_file_of_the_environment_cannot_bind_is_no_success() {
    let index = index();
    let sandbox = project("fine", "");
    scan(&sandbox, &index, &[]).code(0);
    sandbox.write("c.txt", "fine==1.0\n--no-binary fine\n");
    let outcome = sandbox
        .command()
        .args(["scan", "--index-url", &index.simple_url()])
        .env("PIP_CONSTRAINT", "c.txt")
        .assert()
        .code(3);
    assert!(stdout(&outcome).contains("not covered: "), "{}", stdout(&outcome));
}
