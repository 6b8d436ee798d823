//! A scan of a uv.lock: the files it names, without an index page.

use std::fmt::Write as _;

use super::{package, report, scan, stdout, wheel_of};
use crate::support::Sandbox;
use crate::support::index::FakeIndex;
use crate::support::wheel::{BuiltWheel, WheelBuilder};

/// An entry of the lock for a wheel on the fake index.
pub(super) fn entry(index: &FakeIndex, wheel: &BuiltWheel) -> String {
    format!(
        "[[package]]\nname = \"{}\"\nversion = \"{}\"\nsource = {{ registry = \"{}\" }}\n\
         wheels = [\n    {{ url = \"{}\", hash = \"sha256:{}\", size = {} }},\n]\n\n",
        wheel.name,
        wheel.version,
        index.simple_url(),
        index.file_url(&wheel.filename),
        wheel.sha256,
        wheel.bytes.len()
    )
}

const PROJECT: &str = r#"version = 1
revision = 3
requires-python = ">=3.14"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "fine" },
    { name = "windows-only", marker = "sys_platform == 'win32'" },
]

[package.dev-dependencies]
dev = [{ name = "tester" }]
docs = [{ name = "writer" }]

"#;

fn project() -> (FakeIndex, Sandbox) {
    let wheels = [
        wheel_of("fine", "1.0", &["declares"]).build(),
        wheel_of("windows-only", "1.0", &["declares_used"]).build(),
        wheel_of("tester", "1.0", &["declares_used"]).build(),
        WheelBuilder::new("writer", "1.0").build(),
    ];
    let index = FakeIndex::builder().start();
    let mut lock = PROJECT.to_owned();
    for wheel in wheels {
        let _ = write!(lock, "{}", entry(&index, &wheel));
        index.add_file(wheel);
    }
    let sandbox = Sandbox::new();
    sandbox.write("uv.lock", lock);
    (index, sandbox)
}

#[test]
fn dependencies_and_the_dev_group_are_looked_at_without_an_index_page() {
    let (index, sandbox) = project();
    let report = report(&sandbox, &index, 1);
    let names: Vec<_> = report["packages"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["fine", "tester"]);
    let skipped: Vec<_> =
        report["skipped"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(skipped, ["app", "windows-only", "writer"]);
    assert!(index.requests_for("/simple/").is_empty());
    assert_eq!(package(&report, "tester")["verdict"], "enables-gil");
}

#[test]
fn each_package_says_where_the_lock_names_it() {
    let (index, sandbox) = project();
    let report = report(&sandbox, &index, 1);
    let place = &package(&report, "fine")["required_by"];
    let text = std::fs::read_to_string(sandbox.path().join("uv.lock")).unwrap();
    let line = usize::try_from(place["line"].as_u64().unwrap()).unwrap();
    assert_eq!(place["path"], "uv.lock");
    assert_eq!(text.lines().nth(line - 1), Some("[[package]]"));
    assert_eq!(text.lines().nth(line), Some("name = \"fine\""));
}

#[test]
fn default_groups_of_the_project_decide_which_groups_are_looked_at() {
    let (index, sandbox) = project();
    sandbox.write("pyproject.toml", "[tool.uv]\ndefault-groups = [\"docs\"]\n");
    let report = report(&sandbox, &index, 0);
    assert_eq!(package(&report, "writer")["verdict"], "pure-python");
    assert_eq!(report["summary"]["packages"], 2);
}

#[test]
fn the_lock_comes_before_requirements_in_a_directory() {
    let (index, sandbox) = project();
    sandbox.write("requirements.txt", "something-else\n");
    let outcome = scan(&sandbox, &index, &["-v"]).code(1);
    assert!(!stdout(&outcome).contains("something-else"));
    assert!(super::stderr(&outcome).contains("looking at uv.lock"));
}

#[test]
fn a_dependency_that_would_be_built_is_not_passed_over() {
    let lock = "version = 1\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\
                source = { editable = \".\" }\ndependencies = [{ name = \"forked\" }]\n\n\
                [[package]]\nname = \"forked\"\nversion = \"1.0\"\n\
                source = { git = \"https://example.org/forked?rev=main#0123456789\" }\n";
    let sandbox = Sandbox::new();
    sandbox.write("uv.lock", lock);
    let report = report(&sandbox, &FakeIndex::builder().start(), 3);
    assert_eq!(package(&report, "forked")["verdict"], "unchecked");
}

#[test]
fn what_uv_installs_only_where_asked_is_named() {
    let (index, sandbox) = project();
    let report = report(&sandbox, &index, 1);
    assert_eq!(
        report["notes"][0],
        "not looked at, since it is installed only where asked for: group `docs`"
    );
    let skipped = report["skipped"].as_array().unwrap();
    let reason =
        |name: &str| skipped.iter().find(|one| one["name"] == name).unwrap()["reason"].clone();
    assert_eq!(reason("windows-only"), "its marker does not apply to this target and platform");
    assert_eq!(
        reason("writer"),
        "of an extra, a group or a member that is not installed by default"
    );
}

/// A lock of one package that keeps the GIL off, with more lines at its head.
fn fine_lock(head: &str) -> (FakeIndex, Sandbox) {
    let wheel = wheel_of("fine", "1.0", &["declares"]).build();
    let index = FakeIndex::builder().start();
    let lock = format!(
        "version = 1\n{head}\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\
         source = {{ virtual = \".\" }}\ndependencies = [{{ name = \"fine\" }}]\n\n\
         [package.metadata]\nrequires-dist = [{{ name = \"fine\", specifier = \">=1\" }}, \
         {{ name = \"fine\", extras = [\"fast\"], marker = \"extra == 'speed'\", \
         specifier = \"<2,>=1\" }}]\n\n\
         [package.metadata.requires-dev]\ndev = [{{ name = \"fine\" }}]\n\n{}",
        entry(&index, &wheel)
    );
    index.add_file(wheel);
    let sandbox = Sandbox::new();
    sandbox.write("uv.lock", lock);
    (index, sandbox)
}

#[test]
fn a_lock_for_other_pythons_or_systems_is_no_success() {
    let (index, sandbox) = fine_lock("requires-python = \">=3.11\"");
    report(&sandbox, &index, 0);
    let (index, sandbox) = fine_lock("requires-python = \">=3.11, <3.14\"");
    let gaps = &report(&sandbox, &index, 3)["gaps"];
    assert!(gaps[0].as_str().unwrap().contains("excludes 3.14.0"), "{gaps}");
    let (index, sandbox) = fine_lock("supported-markers = [\"sys_platform == 'win32'\"]");
    let gaps = &report(&sandbox, &index, 3)["gaps"];
    assert!(gaps[0].as_str().unwrap().contains("other environments"), "{gaps}");
}

#[test]
fn a_lock_that_does_not_know_a_dependency_of_the_project_is_no_success() {
    let (index, sandbox) = fine_lock("");
    sandbox.write("pyproject.toml", "[project]\nname = \"app\"\ndependencies = [\"Fine>=1\"]\n");
    report(&sandbox, &index, 0);
    sandbox.write("pyproject.toml", "[project]\ndependencies = [\"fine>=1\", \"lxml>=6\"]\n");
    let gaps = &report(&sandbox, &index, 3)["gaps"];
    assert!(gaps[0].as_str().unwrap().contains("depends on `lxml`"), "{gaps}");
}

#[test]
fn a_lock_that_was_made_for_other_requirements_is_no_success() {
    let (index, sandbox) = fine_lock("");
    let project = |text: &str| {
        sandbox.write("pyproject.toml", format!("[project]\nname = \"app\"\n{text}"));
    };
    for same in [
        "dependencies = [\"fine >= 1\"]",
        "dependencies = [\"fine>=1\"]\n[dependency-groups]\ndev = [\"Fine\"]",
        "[project.optional-dependencies]\nspeed = [\"fine[fast]>=1, <2\"]",
        "[tool.uv]\ndev-dependencies = [\"fine\"]",
    ] {
        project(same);
        report(&sandbox, &index, 0);
    }
    for (changed, told) in [
        (
            "dependencies = [\"fine<1\"]",
            "depends on `fine<1`, and the lock was made for `fine>=1`:",
        ),
        ("dependencies = [\"fine[slow]>=1\"]", "depends on `fine[slow]>=1`"),
        ("[dependency-groups]\ndev = [\"lxml\"]", "in its group `dev` `lxml`, which the lock"),
        ("[dependency-groups]\ndev = [\"fine>1\"]", "made for `fine`:"),
        ("[dependency-groups]\nlint = [\"fine\"]", "in its group `lint` `fine`, which the lock"),
        (
            "[project.optional-dependencies]\nweb = [\"lxml\"]",
            "has in its extra `web` `lxml`, which the lock does not know",
        ),
        ("[project.optional-dependencies]\nspeed = [\"fine>=1\"]", "in its extra `speed`"),
    ] {
        project(changed);
        let gaps = &report(&sandbox, &index, 3)["gaps"];
        assert!(gaps[0].as_str().unwrap().contains(told), "{changed}: {gaps}");
    }
}

/// A project whose lock has a second package, and only under a condition.
fn half_known(package: &str, extra: &str, metadata: &str) -> (FakeIndex, Sandbox) {
    let wheels = [
        wheel_of("fine", "1.0", &["declares"]).build(),
        wheel_of("second", "2.0", &["declares_used"]).build(),
    ];
    let index = FakeIndex::builder().start();
    let mut lock = format!("version = 1\nrequires-python = \">=3.13\"\n{extra}\n{package}\n");
    if !metadata.is_empty() {
        let _ = write!(lock, "[package.metadata]\n{metadata}\n\n");
    }
    for wheel in wheels {
        let _ = write!(lock, "{}", entry(&index, &wheel));
        index.add_file(wheel);
    }
    let sandbox = Sandbox::new();
    sandbox.write("uv.lock", lock);
    (index, sandbox)
}

const APP: &str = "[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\
                   source = { virtual = \".\" }\ndependencies = [{ name = \"fine\" }]\n";

/// Reports the first gap of a scan that must not end in success.
fn stale(index: &FakeIndex, sandbox: &Sandbox) -> String {
    let gaps = &report(sandbox, index, 3)["gaps"];
    gaps[0].as_str().unwrap_or_else(|| panic!("no gap: {gaps}")).to_owned()
}

/// The JSON report of a scan of `x.py.lock` that ends with `code`.
fn report_of_script(sandbox: &Sandbox, index: &FakeIndex, code: i32) -> serde_json::Value {
    let outcome = scan(sandbox, index, &["x.py.lock", "--format", "json"]).code(code);
    serde_json::from_slice(&outcome.get_output().stdout).unwrap()
}

#[test]
fn a_dependency_that_the_lock_has_in_an_extra_alone_is_no_success() {
    let package =
        format!("{APP}\n[package.optional-dependencies]\nfast = [{{ name = \"second\" }}]\n");
    let metadata = "requires-dist = [{ name = \"fine\" }, { name = \"second\", \
                    marker = \"extra == 'fast'\", specifier = \">=2\" }]";
    let (index, sandbox) = half_known(&package, "", metadata);
    let project = |text: &str| {
        sandbox.write("pyproject.toml", format!("[project]\nname = \"app\"\n{text}"));
    };
    let fast = "[project.optional-dependencies]\nfast = [\"second>=2\"]";
    project(&format!("dependencies = [\"fine\"]\n{fast}"));
    report(&sandbox, &index, 0);
    project(&format!("dependencies = [\"fine\", \"second>=2\"]\n{fast}"));
    assert!(stale(&index, &sandbox).contains("depends on `second`, which the lock"));
    project("dependencies = [\"fine\"]\n[project.optional-dependencies]\nslow = [\"second>=2\"]");
    assert!(stale(&index, &sandbox).contains("in its extra `slow` `second`, which the lock"));
}

#[test]
fn a_dependency_that_the_lock_has_for_other_systems_alone_is_no_success() {
    let package = APP.replace(
        "[{ name = \"fine\" }]",
        "[{ name = \"fine\" }, { name = \"second\", marker = \"sys_platform == 'win32'\" }]",
    );
    let metadata = "requires-dist = [{ name = \"fine\" }, { name = \"second\", \
                    marker = \"sys_platform == 'win32'\", specifier = \">=2\" }]";
    let (index, sandbox) = half_known(&package, "", metadata);
    let project = |marker: &str| {
        let text = format!("dependencies = [\"fine\", \"second>=2{marker}\"]");
        sandbox.write("pyproject.toml", format!("[project]\nname = \"app\"\n{text}"));
    };
    for same in [
        " ; sys_platform == 'win32'",
        " ; sys_platform == 'win32' and python_version >= '3.8'",
        " ; python_version < '3.10'",
    ] {
        project(same);
        report(&sandbox, &index, 0);
    }
    for wider in ["", " ; sys_platform != 'darwin'"] {
        project(wider);
        assert!(stale(&index, &sandbox).contains("the lock has it for other environments"));
    }
}

#[test]
fn a_member_that_asks_for_more_than_the_lock_knows_is_no_success() {
    let package = APP.replace("\".\"", "\"packages/app\"");
    let head = "[manifest]\nmembers = [\"app\"]\n";
    let (index, sandbox) = half_known(&package, head, "requires-dist = [{ name = \"fine\" }]");
    sandbox.write("pyproject.toml", "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n");
    assert!(stale(&index, &sandbox).contains("has no `packages/app/pyproject.toml`"));
    let member = |name: &str, more: &str| {
        sandbox.write(
            format!("packages/{name}/pyproject.toml"),
            format!("[project]\nname = \"{name}\"\ndependencies = [\"fine\"{more}]\n"),
        );
    };
    member("app", "");
    report(&sandbox, &index, 0);
    member("app", ", \"second>=2\"");
    let told = stale(&index, &sandbox);
    assert!(told.contains("app/pyproject.toml depends on `second`"), "{told}");
    member("app", "");
    member("new", "");
    assert!(stale(&index, &sandbox).contains("`new` is a member of the workspace"));
}

#[test]
fn a_group_or_script_that_asks_for_more_than_the_lock_knows_is_no_success() {
    let head = "[manifest.dependency-groups]\ndev = [{ name = \"fine\" }]\n";
    let (index, sandbox) = half_known("", head, "");
    sandbox.write("pyproject.toml", "[dependency-groups]\ndev = [\"fine\"]\n");
    report(&sandbox, &index, 0);
    sandbox.write("pyproject.toml", "[dependency-groups]\ndev = [\"fine\", \"second>=2\"]\n");
    assert!(stale(&index, &sandbox).contains("in its group `dev` `second`, which the lock"));

    let head = "[manifest]\nrequirements = [{ name = \"fine\" }]\n";
    let (index, sandbox) = half_known("", head, "");
    std::fs::rename(sandbox.path().join("uv.lock"), sandbox.path().join("x.py.lock")).unwrap();
    // Of another project, beside the script.
    sandbox.write("pyproject.toml", "[project]\nname = \"app\"\ndependencies = [\"second\"]\n");
    let script = |more: &str| {
        let text = format!("# /// script\n# dependencies = [\"fine\"{more}]\n# ///\n");
        sandbox.write("x.py", text);
    };
    script("");
    report_of_script(&sandbox, &index, 0);
    script(", \"second>=2\"");
    let gaps = &report_of_script(&sandbox, &index, 3)["gaps"];
    assert!(gaps[0].as_str().unwrap().contains("the script depends on `second`"), "{gaps}");
}

#[test]
fn a_lock_for_other_settings_of_the_project_is_no_success() {
    let head = "[manifest]\noverrides = [{ name = \"fine\", specifier = \">=1\" }]\n\
                constraints = [{ name = \"fine\", specifier = \"<2\" }]\n\
                excludes = [\"third\"]\n";
    let (index, sandbox) = half_known(APP, head, "requires-dist = [{ name = \"fine\" }]");
    let project = |text: &str| {
        let project = "[project]\nname = \"app\"\ndependencies = [\"fine\"]\n";
        sandbox.write("pyproject.toml", format!("{project}{text}"));
    };
    let same = "[tool.uv]\noverride-dependencies = [\"fine>=1\"]\n\
                constraint-dependencies = [\"fine<2\"]\nexclude-dependencies = [\"third\"]\n";
    project(same);
    report(&sandbox, &index, 0);
    for (changed, told) in [
        (same.replace("fine>=1", "fine>=2"), "`tool.uv.override-dependencies` names `fine`"),
        (same.replace("[\"fine>=1\"]", "[]"), "`fine>=1` in `tool.uv.override-dependencies`"),
        (same.replace("fine<2", "fine<1"), "`tool.uv.constraint-dependencies` names `fine`"),
        (same.replace("[\"third\"]", "[]"), "`third` in `tool.uv.exclude-dependencies`"),
        (
            format!("{same}\n[tool.uv.sources]\nfine = {{ git = \"https://example.org/f\" }}"),
            "depends on `fine`",
        ),
    ] {
        project(&changed);
        let found = stale(&index, &sandbox);
        assert!(found.contains(told), "{changed}: {found}");
    }
    sandbox.write(
        "pyproject.toml",
        format!("[project]\nname = \"app\"\nrequires-python = \">=3.15\"\ndependencies = [\"fine\"]\n{same}"),
    );
    assert!(stale(&index, &sandbox).contains("excludes 3.14.0"));
}

#[test]
fn the_scanned_file_is_not_overwritten() {
    let (index, sandbox) = fine_lock("");
    let before = std::fs::read(sandbox.path().join("uv.lock")).unwrap();
    let outcome = scan(&sandbox, &index, &["--output", "json=./uv.lock"]).code(2);
    assert!(super::stderr(&outcome).contains("another file than the scanned one"));
    assert_eq!(before, std::fs::read(sandbox.path().join("uv.lock")).unwrap());
}
