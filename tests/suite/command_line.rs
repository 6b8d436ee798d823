//! What the program says about itself.

use insta::assert_snapshot;

use crate::support::Sandbox;

fn output(arguments: &[&str]) -> String {
    let outcome = Sandbox::new().command().args(arguments).assert().success();
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}

#[test]
fn help() {
    assert_snapshot!(output(&["--help"]));
}

#[test]
fn help_of_scan() {
    assert_snapshot!(output(&["scan", "--help"]));
}

#[test]
fn short_help_of_scan() {
    assert_snapshot!(output(&["scan", "-h"]));
}

#[test]
fn help_of_inspect() {
    assert_snapshot!(output(&["inspect", "--help"]));
}

#[test]
fn short_help_of_inspect() {
    assert_snapshot!(output(&["inspect", "-h"]));
}

#[test]
fn help_of_comment() {
    assert_snapshot!(output(&["comment", "--help"]));
}

#[test]
fn help_of_tracker() {
    assert_snapshot!(output(&["tracker", "--help"]));
}

#[test]
fn help_of_tracker_show() {
    assert_snapshot!(output(&["tracker", "show", "--help"]));
}

#[test]
fn help_of_tracker_update() {
    assert_snapshot!(output(&["tracker", "update", "--help"]));
}

#[test]
fn version() {
    assert_eq!(output(&["--version"]), format!("ftcheck {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_the_usage_is_told() {
    let outcome = Sandbox::new().command().assert().code(2);
    assert!(String::from_utf8_lossy(&outcome.get_output().stderr).contains("Usage: ftcheck"));
}
