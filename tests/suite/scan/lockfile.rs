//! A scan of a uv.lock: the files it names, without an index page.

use std::fmt::Write as _;

use super::{package, report, scan, stdout, wheel_of};
use crate::support::Sandbox;
use crate::support::index::FakeIndex;
use crate::support::wheel::{BuiltWheel, WheelBuilder};

/// An entry of the lock for a wheel on the fake index.
fn entry(index: &FakeIndex, wheel: &BuiltWheel) -> String {
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
            "depends on `fine<1`, and the lock was made for `fine>=1` and `fine[fast]<2,>=1`",
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

#[test]
fn the_scanned_file_is_not_overwritten() {
    let (index, sandbox) = fine_lock("");
    let before = std::fs::read(sandbox.path().join("uv.lock")).unwrap();
    let outcome = scan(&sandbox, &index, &["--output", "json=./uv.lock"]).code(2);
    assert!(super::stderr(&outcome).contains("another file than the scanned one"));
    assert_eq!(before, std::fs::read(sandbox.path().join("uv.lock")).unwrap());
}
