//! One compiled file by itself.

use super::{SUFFIX, answers, failure, inspect, module, only, report, stdout};
use crate::support::Sandbox;

#[test]
fn a_module_is_called_by_its_stem() {
    let sandbox = Sandbox::new();
    sandbox.write(format!("declares.{SUFFIX}"), module("declares"));
    let report = report(&sandbox, &[&format!("declares.{SUFFIX}")], 0);
    let file = only(&report);
    assert_eq!(answers(file), [("declares", "keeps-off")]);
    assert_eq!(file["modules"][0]["member"], format!("declares.{SUFFIX}"));
    assert_eq!(file["wheel"], serde_json::Value::Null);
}

#[test]
fn the_suffix_tells_the_interpreter_and_target_overrides_it() {
    let sandbox = Sandbox::new();
    sandbox.write("value_two.cpython-315t-x86_64-linux-gnu.so", module("value_two"));
    sandbox.write("value_two.so", module("value_two"));
    let tagged = "value_two.cpython-315t-x86_64-linux-gnu.so";
    assert_eq!(only(&report(&sandbox, &[tagged], 1))["target"], "3.15t");
    assert_eq!(only(&report(&sandbox, &["value_two.so"], 0))["target"], "3.14t");
    assert_eq!(
        only(&report(&sandbox, &["value_two.so", "--target", "3.15t"], 1))["target"],
        "3.15t"
    );
    // Its name is not tried by that one.
    let passed_over = report(&sandbox, &[tagged, "--target", "3.14t"], 3);
    assert_eq!(passed_over["skipped"][0]["path"], tagged);
}

#[test]
fn a_module_for_an_interpreter_with_the_gil_is_passed_over_and_no_success() {
    let sandbox = Sandbox::new();
    sandbox.write("declares.cpython-314-x86_64-linux-gnu.so", module("declares"));
    let table = stdout(&inspect(&sandbox, &["declares.cpython-314-x86_64-linux-gnu.so"]).code(3));
    insta::assert_snapshot!(table, @r"
    passed over: declares.cpython-314-x86_64-linux-gnu.so: its name is that of a module for another interpreter than 3.14t

    nothing was checked
    ");
}

#[test]
fn a_plain_library_is_told_as_one() {
    let sandbox = Sandbox::new();
    sandbox.write("library.so", module("library"));
    let table = stdout(&inspect(&sandbox, &["library.so"]).code(0));
    insta::assert_snapshot!(table, @r"
    no-extension-modules  library.so  no extension module: it exports no PyInit function

    1 of 1 checked for 3.14t, 0 extension modules: 1 without extension modules
    ");
}

#[test]
fn a_module_under_a_name_that_is_not_its_own_is_found_by_what_it_exports() {
    let sandbox = Sandbox::new();
    sandbox.write("libdeclares_used.so", module("declares_used"));
    sandbox.write("declares_used.dylib", module("declares_used"));
    let renamed = report(&sandbox, &["libdeclares_used.so"], 1);
    assert_eq!(answers(only(&renamed)), [("declares_used", "enables")]);
    let note = only(&renamed)["notes"][0].as_str().unwrap();
    assert!(note.starts_with("it can only be imported under another name"), "{note}");
    let other_end = report(&sandbox, &["declares_used.dylib"], 1);
    assert_eq!(answers(only(&other_end)), [("declares_used", "enables")]);
}

#[test]
fn a_package_s_own_module_goes_by_the_name_of_its_folder() {
    let sandbox = Sandbox::new();
    sandbox.write(format!("package_init/__init__.{SUFFIX}"), module("package_init"));
    let found = report(&sandbox, &[&format!("package_init/__init__.{SUFFIX}")], 0);
    assert_eq!(answers(only(&found)), [("package_init.__init__", "keeps-off")]);
}

#[test]
fn libraries_beside_it_and_in_the_folders_of_wheel_tools_are_followed() {
    for place in ["pkg/library.so", "pkg.libs/library.so", "pkg/.dylibs/library.so"] {
        let sandbox = Sandbox::new();
        let path = format!("pkg/patched_in_init.{SUFFIX}");
        sandbox.write(&path, module("patched_in_init"));
        report(&sandbox, &[&path], 3);
        sandbox.write(place, module("library"));
        let found = report(&sandbox, &[&path], 0);
        assert_eq!(answers(only(&found)), [("patched_in_init", "keeps-off")], "{place}");
    }
}

#[test]
fn text_that_is_called_like_a_module_is_an_error_in_words() {
    let sandbox = Sandbox::new();
    sandbox.write("script.so", "INPUT(libfoo.so.1)\n");
    sandbox.write("nothing.so", "");
    sandbox.write("noise.pyd", [0xff, 0, 0, 1]);
    let message = failure(&sandbox, &["script.so", "nothing.so", "noise.pyd"]);
    insta::assert_snapshot!(message, @r"
    error: script.so: expected a compiled module (ELF, Mach-O or PE), found text
    error: nothing.so: expected a compiled module (ELF, Mach-O or PE), found an empty file
    error: noise.pyd: expected a compiled module (ELF, Mach-O or PE), found bytes of another kind
    ");
}
