//! What is asked for, by the user or by other packages, and what of it stands in the way.

use super::{advice, advise, releases, report, report_on, stdout, steps};
use crate::support::Sandbox;
use crate::support::index::FakeIndex;

fn obstacles(advice: &serde_json::Value) -> Vec<String> {
    let Some(all) = advice["obstacles"].as_array() else { return Vec::new() };
    let text = |one: &serde_json::Value| {
        let place = &one["location"];
        format!("{} by {} at {}:{}", one["requirement"], one["from"], place["path"], place["line"])
            .replace('"', "")
    };
    all.iter().map(text).collect()
}

fn tools() -> FakeIndex {
    releases(
        "tool 1.0 bad
         tool 1.1 bad
         tool 1.2 fine
         tool 2.0 fine
         app 1.0 pure | tool<1.1
         app 2.0 pure | tool
         strict 1.0 pure | tool<1.1",
    )
    .start()
}

#[test]
fn a_requirement_of_the_users_own_is_named_with_its_line() {
    let report = report_on("# pinned\ntool==1.0\n", &tools(), 1);
    let advice = advice(&report, "tool");
    assert_eq!(advice["first"]["version"], "1.2");
    assert_eq!(advice["allowed"], serde_json::Value::Null);
    assert_eq!(obstacles(advice), ["tool==1.0 by project at requirements.txt:2"]);
}

#[test]
fn a_constraint_in_the_way_is_named_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "-c constraints.txt\ntool\n");
    sandbox.write("constraints.txt", "tool<1.2\n");
    let report = report(&sandbox, &tools(), 1);
    let advice = advice(&report, "tool");
    assert_eq!(obstacles(advice), ["tool<1.2 by constraint at constraints.txt:1"]);
    assert_eq!(
        steps(advice)[0],
        "constraints.txt:1:1 bounds it to tool<1.2: that line has to let tool>=1.2 through \
         $ python -m pip install --upgrade 'tool>=1.2'"
    );
    assert_eq!(report["together"][0]["holds"], "yes");
}

#[test]
fn a_package_in_the_way_is_named_with_what_leads_to_it() {
    let report = report_on("app==1.0\n", &tools(), 1);
    let advice = advice(&report, "tool");
    assert_eq!(advice["version"], "1.0");
    assert_eq!(obstacles(advice), ["tool<1.1 by {package:app 1.0} at requirements.txt:1"]);
    assert_eq!(
        steps(advice)[0],
        "app 1.0 requires tool<1.1 (requirements.txt:1:1): tool >=1.2 needs a release of app that \
         allows it $ python -m pip install --upgrade app 'tool>=1.2'"
    );
}

#[test]
fn of_both_the_user_and_a_package_all_that_stands_in_the_way_is_named() {
    let report = report_on("strict\ntool<=1.0\n", &tools(), 1);
    let named = obstacles(advice(&report, "tool"));
    assert_eq!(
        named,
        [
            "tool<=1.0 by project at requirements.txt:2",
            "tool<1.1 by {package:strict 1.0} at requirements.txt:1"
        ]
    );
}

#[test]
fn what_is_asked_for_of_an_extra_counts_too() {
    let index = releases(
        "tool 1.0 bad
         tool 2.0 fine",
    )
    .file(
        crate::support::wheel::WheelBuilder::new("app", "1.0")
            .metadata_line("Provides-Extra: fast")
            .requires("tool<2; extra == 'fast'")
            .build(),
    )
    .start();
    let report = report_on("app[fast]\n", &index, 1);
    let named = obstacles(advice(&report, "tool"));
    assert_eq!(named, ["tool<2 by {package:app 1.0} at requirements.txt:1"]);
}

#[test]
fn what_is_asked_for_under_an_extra_is_not_passed_over_beside_a_wider_one() {
    let index = releases("tool 1.0 bad\ntool 2.0 fine")
        .file(
            crate::support::wheel::WheelBuilder::new("app", "1.0")
                .metadata_line("Provides-Extra: fast")
                .requires("tool")
                .requires("tool<2; extra == 'fast'")
                .build(),
        )
        .start();
    let report = report_on("app[fast]\n", &index, 1);
    let steps = steps(advice(&report, "tool")).join("\n");
    assert!(!steps.contains("which what is asked for allows"), "{steps}");
    assert!(steps.contains("an extra of app 1.0 asks for tool<2"), "{steps}");
}

#[test]
fn the_nearest_that_is_allowed_is_beside_the_first_of_all() {
    // The first one is left out by the user, and a later one is not.
    let index =
        releases("lib 1.0 pure | tool==1.0\ntool 1.0 bad\ntool 1.2 fine\ntool 2.0 fine").start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool!=1.2,<=2.0\nlib\n");
    let report = report(&sandbox, &index, 1);
    let advice = advice(&report, "tool");
    assert_eq!(advice["first"]["version"], "1.2");
    assert_eq!(advice["allowed"], serde_json::Value::Null);
    let named = obstacles(advice);
    assert_eq!(
        named,
        [
            "tool!=1.2,<=2.0 by project at requirements.txt:1",
            "tool==1.0 by {package:lib 1.0} at requirements.txt:2"
        ]
    );
}

/// A lock of uv for one package, beside a project that asks for it.
fn locked(index: &FakeIndex, asked: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let wheel = super::wheel("tool", "1.0", "declares_used").build();
    let lock = format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.14\"\n\n[[package]]\nname = \"app\"\n\
         version = \"0.1.0\"\nsource = {{ virtual = \".\" }}\ndependencies = [{{ name = \"tool\" }}]\n\n\
         [package.metadata]\nrequires-dist = [{{ name = \"tool\" }}]\n\n\
         [[package]]\nname = \"tool\"\nversion = \"1.0\"\nsource = {{ registry = \"{}\" }}\n\
         wheels = [{{ url = \"{}\", hash = \"sha256:{}\", size = {} }}]\n",
        index.simple_url(),
        index.file_url(&wheel.filename),
        wheel.sha256,
        wheel.bytes.len()
    );
    sandbox.write("uv.lock", lock);
    if !asked.is_empty() {
        let text = format!(
            "[project]\nname = \"app\"\nversion = \"0.1.0\"\nrequires-python = \">=3.14\"\n\
             dependencies = [\"{asked}\"]\n"
        );
        sandbox.write("pyproject.toml", text);
    }
    sandbox
}

#[test]
fn a_lock_that_may_be_renewed_is() {
    let index = tools();
    let report = report(&locked(&index, "tool>=1"), &index, 1);
    let advice = advice(&report, "tool");
    assert_eq!(advice["allowed"]["version"], "1.2");
    assert!(obstacles(advice).is_empty());
    assert_eq!(
        steps(advice)[0],
        "take tool 1.2 or newer, which what is asked for allows $ uv lock --upgrade-package tool"
    );
    assert_eq!(report["together"][0]["holds"], "yes");
    assert_eq!(report["together"][0]["changes"][0]["to"], "2.0");
}

#[test]
fn a_project_that_forbids_it_is_changed() {
    let index = tools();
    let report = report(&locked(&index, "tool[fast]<1.2 ; sys_platform != 'win32'"), &index, 1);
    let advice = advice(&report, "tool");
    assert_eq!(obstacles(advice), ["tool[fast]<1.2 by project at pyproject.toml:5"]);
    assert_eq!(
        steps(advice)[0],
        "pyproject.toml:5:17 asks for tool[fast]<1.2: ask for tool>=1.2 \
         $ uv add \"tool[fast]>=1.2 ; sys_platform != 'win32'\""
    );
}

#[test]
fn of_a_lock_alone_it_is_not_known_what_is_allowed() {
    let index = tools();
    let report = report(&locked(&index, ""), &index, 1);
    let advice = advice(&report, "tool");
    assert!(steps(advice)[0].contains("whether the project's own files allow it is not known"));
    let together = &report["together"][0];
    assert_eq!(together["holds"], "yes");
    assert!(together["explanation"].as_str().unwrap().contains("is not known"), "{together:#}");
}

#[test]
fn a_compiled_file_is_written_anew_from_its_source() {
    let compiled = "#\n# This file is autogenerated by pip-compile with Python 3.14\n# by the \
                    following command:\n#\n#    pip-compile requirements.in\n#\ntool==1.0\n    \
                    # via -r requirements.in\n";
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", compiled);
    sandbox.write("requirements.in", "tool\n");
    let index = tools();
    let written = report(&sandbox, &index, 1);
    assert_eq!(
        steps(advice(&written, "tool"))[0],
        "take tool 1.2 or newer, which what is asked for allows \
         $ pip-compile requirements.in --upgrade-package 'tool>=1.2'"
    );
    sandbox.write("requirements.in", "tool<1.1\n");
    let written = report(&sandbox, &index, 1);
    assert_eq!(
        steps(advice(&written, "tool"))[0],
        "requirements.in:1:1 asks for tool<1.1: requirements.in:1 becomes `tool>=1.2` \
         $ pip-compile requirements.in --upgrade-package 'tool>=1.2'"
    );
}

#[test]
fn what_another_package_asks_for_and_is_not_known_is_told() {
    let index = tools();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool==1.0\nstrict\n");
    let outcome = advise(&sandbox, &index, &["--no-deps"]).code(1);
    assert!(stdout(&outcome).contains("(--no-deps)"), "{}", stdout(&outcome));
}
