//! Folders: what is built into one, and what is installed there.

use super::{SUFFIX, answers, inspect, module, only, put, report, stdout, wheel_of};
use crate::support::Sandbox;

/// Installs modules as an installer does, with a `RECORD`.
fn install(sandbox: &Sandbox, site: &str, name: &str, files: &[(&str, Vec<u8>)]) {
    let info = format!("{name}-1.0.dist-info");
    let mut record = String::new();
    for (path, bytes) in files {
        sandbox.write(format!("{site}/{path}"), bytes);
        record.push_str(&format!("\"{path}\",sha256=x,{}\n", bytes.len()));
    }
    record.push_str(&format!("{info}/RECORD,,\n../../../bin/{name},,\n"));
    sandbox.write(format!("{site}/{info}/RECORD"), record);
}

const SITE: &str = "env/lib/python3.14t/site-packages";

/// An environment with several distributions.
fn environment() -> Sandbox {
    let sandbox = Sandbox::new();
    let tagged = |stem: &str| format!("{stem}.{SUFFIX}");
    install(
        &sandbox,
        SITE,
        "fine",
        &[
            (&tagged("fine/declares"), module("declares")),
            (&tagged("fine/patched_in_init"), module("patched_in_init")),
            ("unlike.libs/library.so", module("library")),
        ],
    );
    // Two names are imported from it, one of them at the top.
    install(
        &sandbox,
        SITE,
        "offender",
        &[
            (&tagged("declares_used"), module("declares_used")),
            (&tagged("other/deep/no_slots"), module("no_slots")),
        ],
    );
    install(&sandbox, SITE, "pure", &[("pure.py", Vec::new())]);
    sandbox.write(format!("{SITE}/{}", tagged("loose/declares")), module("declares"));
    sandbox
}

#[test]
fn an_environment_in_the_table() {
    insta::assert_snapshot!(stdout(&inspect(&environment(), &["env"]).code(1)));
}

#[test]
fn an_environment_in_the_verbose_table() {
    insta::assert_snapshot!(stdout(&inspect(&environment(), &["-v", SITE]).code(1)));
}

#[test]
fn modules_are_grouped_by_the_record_of_their_distribution() {
    let report = report(&environment(), &[SITE], 1);
    let names: Vec<_> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["name"].as_str().unwrap(), file["version"].as_str()))
        .collect();
    assert_eq!(names, [("fine", Some("1.0")), ("loose", None), ("offender", Some("1.0"))]);
    assert_eq!(
        answers(&report["files"][0]),
        [("fine.declares", "keeps-off"), ("fine.patched_in_init", "keeps-off")]
    );
    assert_eq!(
        answers(&report["files"][2]),
        [("declares_used", "enables"), ("other.deep.no_slots", "enables")]
    );
    // Path and member together are where the file lies.
    let file = &report["files"][2];
    let (path, member) = (&file["path"], &file["modules"][1]["member"]);
    assert_eq!(path, SITE);
    assert_eq!(*member, format!("other/deep/no_slots.{SUFFIX}"));
}

#[test]
fn a_package_s_folder_is_named_and_completed_as_from_its_root() {
    let sandbox = environment();
    let report = report(&sandbox, &[&format!("{SITE}/fine")], 0);
    assert_eq!(only(&report)["name"], "fine");
    // Nothing is said of what was not looked for.
    assert_eq!(report["notes"].as_array().unwrap().len(), 0);
    // The library it needs lies outside of the folder, and is of the same distribution.
    assert_eq!(
        answers(only(&report)),
        [("fine.declares", "keeps-off"), ("fine.patched_in_init", "keeps-off")]
    );
}

#[test]
fn a_build_folder_names_modules_from_where_they_can_be_imported() {
    let sandbox = Sandbox::new();
    let lib = "build/lib.linux-x86_64-cpython-314t";
    sandbox.write(format!("{lib}/pkg/sub/declares.{SUFFIX}"), module("declares"));
    sandbox.write(format!("{lib}/pkg.libs/library.so"), module("library"));
    let report = report(&sandbox, &["build"], 0);
    assert_eq!(answers(only(&report)), [("pkg.sub.declares", "keeps-off")]);
}

#[test]
fn a_library_that_a_build_left_under_a_name_of_its_own_is_no_success() {
    let sandbox = Sandbox::new();
    sandbox.write("target/library.so", module("library"));
    report(&sandbox, &["target"], 0);
    sandbox.write("target/libdeclares_used.so", module("declares_used"));
    let report = report(&sandbox, &["target"], 3);
    let gap = report["gaps"][0].as_str().unwrap();
    assert!(gap.contains("libdeclares_used.so: it holds a module under a name"), "{gap}");
}

#[test]
fn a_package_in_a_source_tree_is_named_from_above_it() {
    let sandbox = Sandbox::new();
    sandbox.write("src/pkg/__init__.py", "");
    sandbox.write("src/pkg/sub/__init__.py", "");
    sandbox.write(format!("src/pkg/sub/declares.{SUFFIX}"), module("declares"));
    for folder in ["src", "src/pkg", "src/pkg/sub"] {
        let report = report(&sandbox, &[folder], 0);
        assert_eq!(answers(only(&report)), [("pkg.sub.declares", "keeps-off")], "{folder}");
    }
}

#[test]
fn modules_of_several_interpreters_are_inspected_for_each() {
    let sandbox = Sandbox::new();
    for minor in [14, 15] {
        let name = format!("value_two.cpython-3{minor}t-x86_64-linux-gnu.so");
        sandbox.write(format!("pkg/{name}"), module("value_two"));
    }
    let report = report(&sandbox, &["pkg"], 1);
    let found: Vec<_> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["target"].as_str().unwrap(), answers(file)))
        .collect();
    assert_eq!(
        found,
        [("3.14t", vec![("value_two", "keeps-off")]), ("3.15t", vec![("value_two", "enables")]),]
    );
}

#[test]
fn modules_for_interpreters_with_the_gil_are_no_success() {
    let sandbox = Sandbox::new();
    sandbox.write("pkg/declares.cpython-313-x86_64-linux-gnu.so", module("declares"));
    // Says nothing, and is for the same interpreter as its neighbour.
    sandbox.write("pkg/declares_used.so", module("declares"));
    let report = report(&sandbox, &["."], 3);
    assert_eq!(only(&report)["verdict"], "unchecked");
    assert_eq!(answers(only(&report)), []);
}

#[test]
fn the_wheel_that_a_distribution_was_installed_from_tells_what_it_is_for() {
    // Nothing in the module's own name does, and a slot value of 2 is judged anew by 3.15.
    for (tag, target, code) in [
        ("cp314-cp314t-linux_x86_64", Some("3.14t"), 0),
        ("cp315-cp315t-linux_x86_64", Some("3.15t"), 1),
        ("cp315-cp315-linux_x86_64", None, 3),
    ] {
        let sandbox = Sandbox::new();
        install(&sandbox, "unpacked", "two", &[("two/value_two.so", module("value_two"))]);
        let wheel = format!("Wheel-Version: 1.0\nTag: {tag}\n");
        sandbox.write("unpacked/two-1.0.dist-info/WHEEL", wheel);
        let report = report(&sandbox, &["unpacked"], code);
        match target {
            Some(target) => assert_eq!(only(&report)["target"], target),
            None => assert_eq!(report["skipped"][0]["path"], "unpacked/two"),
        }
    }
}

#[test]
fn packages_of_an_interpreter_with_the_gil_are_passed_over() {
    let sandbox = Sandbox::new();
    sandbox.write("env/lib/python3.14/site-packages/declares.so", module("declares"));
    let report = report(&sandbox, &["env"], 3);
    assert_eq!(
        report["skipped"][0]["reason"],
        "installed for python3.14, which is none of 3.13t, 3.14t, 3.15t"
    );
}

#[test]
fn an_installation_without_compiled_modules_is_fine_and_another_folder_without_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write(format!("{SITE}/pure.py"), "");
    let report = report(&sandbox, &[SITE], 0);
    assert_eq!(only(&report)["verdict"], "no-extension-modules");
    sandbox.write("docs/index.md", "");
    let message = super::failure(&sandbox, &["docs"]);
    insta::assert_snapshot!(message, @r"
    error: docs: expected compiled modules or wheels in this directory, found none
    hint: name the directory that they are built or installed into
    ");
}

#[test]
fn wheels_that_an_installation_brings_along_are_not_looked_at() {
    let sandbox = environment();
    put(&sandbox, &format!("{SITE}/bundled"), &wheel_of("inner", &["declares_used"]).build());
    let report = report(&sandbox, &[SITE], 1);
    assert!(!report.to_string().contains("inner"), "{report:#}");
}

#[test]
fn a_damaged_wheel_in_a_folder_is_told_and_costs_no_other_its_answer() {
    let sandbox = Sandbox::new();
    put(&sandbox, "dist", &wheel_of("fine", &["declares"]).build());
    sandbox.write(format!("dist/broken-1.0-{}.whl", super::TAG), "no zip");
    let report = report(&sandbox, &["dist"], 3);
    assert_eq!(report["files"][0]["verdict"], "unchecked");
    assert_eq!(report["files"][1]["verdict"], "keeps-gil-off");
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_that_lead_in_a_circle_end() {
        let sandbox = Sandbox::new();
        sandbox.write(format!("pkg/declares.{SUFFIX}"), module("declares"));
        symlink("..", sandbox.path().join("pkg/up")).unwrap();
        let report = report(&sandbox, &["."], 0);
        assert_eq!(answers(only(&report)), [("pkg.declares", "keeps-off")]);
    }

    #[test]
    fn what_two_folders_lead_to_is_told_once() {
        let sandbox = environment();
        let before = report(&sandbox, &["env"], 1);
        symlink("lib", sandbox.path().join("env/lib64")).unwrap();
        assert_eq!(report(&sandbox, &["env"], 1), before);
    }

    #[test]
    fn linked_files_are_read_as_an_import_reads_them() {
        let sandbox = Sandbox::new();
        let file = sandbox.write("../store/1234", module("declares_used"));
        std::fs::create_dir(sandbox.path().join("pkg")).unwrap();
        let link = sandbox.path().join(format!("pkg/declares_used.{SUFFIX}"));
        symlink(file, link).unwrap();
        let report = report(&sandbox, &["pkg"], 1);
        assert_eq!(answers(only(&report)), [("declares_used", "enables")]);
    }

    #[test]
    fn a_broken_link_in_place_of_a_module_is_no_success() {
        let sandbox = Sandbox::new();
        sandbox.write(format!("pkg/declares.{SUFFIX}"), module("declares"));
        symlink("nowhere", sandbox.path().join(format!("pkg/lost.{SUFFIX}"))).unwrap();
        let report = report(&sandbox, &["pkg"], 3);
        let found: Vec<_> = report["files"].as_array().unwrap().iter().map(answers).collect();
        assert_eq!(found, [vec![("declares", "keeps-off")], vec![("lost", "undetermined")]]);
        assert_eq!(report["files"][1]["modules"][0]["reason"], "it is a broken link");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_name_that_is_not_utf_8_is_no_success() {
        use std::os::unix::ffi::OsStrExt as _;
        let sandbox = Sandbox::new();
        let name = [b"m\xff.".as_slice(), SUFFIX.as_bytes()].concat();
        let name = std::ffi::OsStr::from_bytes(&name);
        sandbox.write(std::path::Path::new("pkg").join(name), module("declares"));
        let report = report(&sandbox, &["pkg"], 3);
        assert_eq!(only(&report)["modules"][0]["reason"], "its name is not UTF-8");
        let path = std::path::Path::new("pkg").join(name);
        let outcome = sandbox.command().arg("inspect").arg(path).assert().code(2);
        let message = String::from_utf8_lossy(&outcome.get_output().stderr).into_owned();
        assert!(message.contains("expected a name in UTF-8"), "{message}");
    }
}
