//! Which parts of a project are looked at, out of which files, for which platforms.

use insta::assert_snapshot;

use super::{PLATFORM, index, packages, report, run, stderr, stdout};
use crate::support::Sandbox;
use crate::support::wheel::WheelBuilder;

const WORLD: &str =
    "base 1 | deep\ndeep 1\nplot 1\ntester 1\nwriter 1\nlinux-only 1\nwindows-only 1";

const PYPROJECT: &str = r#"
[project]
name = "app"
version = "1"
requires-python = ">=3.13"
dependencies = ["base"]

[project.optional-dependencies]
plot = ["plot"]
all = ["app[plot]", "writer"]

[dependency-groups]
test = ["tester"]
docs = ["writer", { include-group = "test" }]
"#;

#[test]
fn parts_of_a_project_are_looked_at_where_they_are_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", PYPROJECT);
    let index = index(WORLD);
    let of = |arguments: &[&str]| {
        packages(&report(&sandbox, &index, &[&["scan"], arguments].concat())).join(", ")
    };
    assert_eq!(of(&[]), "base 1, deep 1");
    assert_eq!(of(&["--extra", "plot"]), "base 1, deep 1, plot 1");
    assert_eq!(of(&["--extra", "all"]), "base 1, deep 1, plot 1, writer 1");
    assert_eq!(of(&["--all-extras"]), "base 1, deep 1, plot 1, writer 1");
    assert_eq!(of(&["--group", "Test"]), "base 1, deep 1, tester 1");
    assert_eq!(of(&["--only-group", "docs"]), "tester 1, writer 1");
    assert_eq!(of(&["--all-groups"]), "base 1, deep 1, tester 1, writer 1");
    assert_eq!(of(&["--no-deps"]), "base 1");
}

#[test]
fn a_part_that_there_is_not_is_told_with_those_that_there_are() {
    let sandbox = Sandbox::new();
    sandbox.write("pyproject.toml", PYPROJECT);
    let index = index(WORLD);
    for command in [&["scan"][..], &["why", "base", "."]] {
        let arguments = [command, &["--extra", "plots", "--group", "text"]].concat();
        let outcome = run(&sandbox, &index, &arguments).code(2);
        assert_eq!(stdout(&outcome), "");
        assert!(index.requests().is_empty());
        assert_eq!(
            stderr(&outcome),
            "error: pyproject.toml has no extra `plots`, group `text`\n\
             hint: there is: extra `all`, extra `plot`, group `docs`, group `test`\n"
        );
    }
    sandbox.write("requirements.txt", "base\n");
    let outcome = run(&sandbox, &index, &["scan", "requirements.txt", "--extra", "plot"]).code(2);
    assert_snapshot!(stderr(&outcome), @r#"
    error: requirements.txt has no extra `plot`
    hint: there is: none
    "#);
}

#[test]
fn requirements_are_read_from_the_standard_input() {
    let sandbox = Sandbox::new();
    let index = index(WORLD);
    let mut command = sandbox.command();
    command.args(["why", "deep", "-", "--platform", PLATFORM]);
    command.args(["--index-url", &index.simple_url()]);
    let outcome = command.write_stdin("# piped\nbase\n").assert().code(0);
    assert_snapshot!(stdout(&outcome), @r#"
    base 1 (standard input:2:1)
    └── deep 1
    "#);
}

#[test]
fn several_files_are_resolved_together() {
    let sandbox = Sandbox::new();
    sandbox.write("one.txt", "a\n");
    sandbox.write("two.txt", "b<2\n");
    sandbox.write(
        "sub/pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1\"\ndependencies = [\"c\"]\n",
    );
    let index = index("a 1 | b\nb 1\nb 2\nc 1 | a");
    assert_eq!(packages(&report(&sandbox, &index, &["scan", "one.txt"])), ["a 1", "b 2"]);
    let all = ["scan", "one.txt", "two.txt", "sub"];
    assert_eq!(packages(&report(&sandbox, &index, &all)), ["a 1", "b 1", "c 1"]);
    sandbox.write("three.txt", "b>=2\n");
    let outcome = run(&sandbox, &index, &["scan", "two.txt", "three.txt"]).code(2);
    assert_snapshot!(stderr(&outcome), @"error: 3.14t on x86_64-manylinux_2_28: two.txt:1:1 asks for b<2 and three.txt:1:1 asks for b>=2, which exclude each other");
}

#[test]
fn each_platform_has_its_own_packages() {
    let sandbox = Sandbox::new();
    let text = "base\nlinux-only; sys_platform == 'linux'\nwindows-only; sys_platform == 'win32'\n";
    sandbox.write("requirements.txt", text);
    let index = index(WORLD);
    let both = ["scan", "--platform", "linux", "--platform", "windows"];
    let report = report(&sandbox, &index, &both);
    let mut lines: Vec<String> = report["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!("{} {}", one["platform"].as_str().unwrap(), one["name"].as_str().unwrap())
        })
        .collect();
    lines.sort();
    assert_snapshot!(lines.join("\n"), @r#"
    x86_64-manylinux_2_28 base
    x86_64-manylinux_2_28 deep
    x86_64-manylinux_2_28 linux-only
    x86_64-windows base
    x86_64-windows deep
    x86_64-windows windows-only
    "#);
}

#[test]
fn what_a_release_requires_on_no_platform_of_ours_is_not_there() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "a[x]\n");
    let world = "a 1 | b; sys_platform == 'win32' & c; extra == 'x' and python_version < '3.14' & d; extra == 'x'\nd 1";
    let index = index(world);
    assert_eq!(packages(&report(&sandbox, &index, &["scan"])), ["a 1", "d 1"]);
    assert!(index.requests_for("/simple/b/").is_empty());
}

#[test]
fn parts_of_a_lock_are_looked_at_where_they_are_asked_for() {
    let index = index("base 1\nplot 1\ntester 1\nwriter 1");
    let mut lock = r#"version = 1
revision = 3
requires-python = ">=3.13"

[[package]]
name = "app"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "base" }]

[package.optional-dependencies]
plot = [{ name = "plot" }]

[package.dev-dependencies]
dev = [{ name = "tester" }]
docs = [{ name = "writer" }]

[package.metadata]
requires-dist = [{ name = "base" }, { name = "plot", marker = "extra == 'plot'" }]
provides-extras = ["plot"]

[package.metadata.requires-dev]
dev = [{ name = "tester" }]
docs = [{ name = "writer" }]
"#
    .to_owned();
    for name in ["base", "plot", "tester", "writer"] {
        let wheel = WheelBuilder::new(name, "1").build();
        lock.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"1\"\nsource = {{ registry = \"{}\" }}\n\
             wheels = [{{ url = \"{}\", hash = \"sha256:{}\" }}]\n",
            index.simple_url(),
            index.file_url(&wheel.filename),
            wheel.sha256
        ));
    }
    let sandbox = Sandbox::new();
    sandbox.write("uv.lock", lock);
    let of = |arguments: &[&str]| {
        packages(&report(&sandbox, &index, &[&["scan"], arguments].concat())).join(", ")
    };
    assert_eq!(of(&[]), "base 1, tester 1");
    assert_eq!(of(&["--extra", "plot"]), "base 1, plot 1, tester 1");
    assert_eq!(of(&["--no-default-groups"]), "base 1");
    assert_eq!(of(&["--group", "docs"]), "base 1, tester 1, writer 1");
    assert_eq!(of(&["--only-group", "docs"]), "writer 1");
    assert_eq!(of(&["--all-extras", "--all-groups"]), "base 1, plot 1, tester 1, writer 1");
    let outcome = run(&sandbox, &index, &["scan", "--extra", "plots"]).code(2);
    assert_eq!(
        stderr(&outcome),
        "error: uv.lock has no extra `plots`\nhint: there is: extra `plot`, group `dev`, group `docs`\n"
    );
    let outcome = run(&sandbox, &index, &["why", "plot", ".", "--extra", "plot"]).code(0);
    assert!(stdout(&outcome).starts_with("plot 1 (uv.lock:"), "{}", stdout(&outcome));
    run(&sandbox, &index, &["why", "plot"]).code(1);
}

/// As in uv 0.13.9: an override takes the place of the marker too.
#[test]
fn an_override_stands_in_place_of_a_marker_of_the_project() {
    let sandbox = Sandbox::new();
    let project = |overrides: &str| {
        format!(
            "[project]\nname = \"app\"\nversion = \"1\"\n\
             dependencies = [\"base\", \"plot; sys_platform == 'win32'\", \"writer\"]\n\
             [tool.uv]\noverride-dependencies = [{overrides}]\n"
        )
    };
    let index = index(WORLD);
    let of = |overrides: &str| {
        sandbox.write("pyproject.toml", project(overrides));
        packages(&report(&sandbox, &index, &["scan"])).join(", ")
    };
    assert_eq!(of(""), "base 1, deep 1, writer 1");
    assert_eq!(of("\"plot==1\""), "base 1, deep 1, plot 1, writer 1");
    assert_eq!(of("\"writer; sys_platform == 'win32'\""), "base 1, deep 1");
}
