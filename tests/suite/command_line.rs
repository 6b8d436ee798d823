//! What the program says about itself.

use std::path::Path;

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
fn help_of_cache() {
    assert_snapshot!(output(&["cache", "--help"]));
}

#[test]
fn help_of_advise() {
    assert_snapshot!(output(&["advise", "--help"]));
}

#[test]
fn help_of_diff() {
    assert_snapshot!(output(&["diff", "--help"]));
}

#[test]
fn help_of_check() {
    assert_snapshot!(output(&["check", "--help"]));
}

#[test]
fn short_help_of_check() {
    assert_snapshot!(output(&["check", "-h"]));
}

#[test]
fn help_of_why() {
    assert_snapshot!(output(&["why", "--help"]));
}

#[test]
fn short_help_of_why() {
    assert_snapshot!(output(&["why", "-h"]));
}

#[test]
fn help_of_rules() {
    assert_snapshot!(output(&["rules", "--help"]));
}

#[test]
fn help_of_explain() {
    assert_snapshot!(output(&["explain", "--help"]));
}

#[test]
fn help_of_verify() {
    assert_snapshot!(output(&["verify", "--help"]));
}

#[test]
fn help_of_completions() {
    assert_snapshot!(output(&["completions", "--help"]));
}

#[test]
fn help_of_man() {
    assert_snapshot!(output(&["man", "--help"]));
}

/// The names of the commands, as the program's help lists them.
fn commands() -> Vec<String> {
    let help = output(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let names = list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_command_shows_how_it_is_used_and_has_a_snapshot() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/snapshots");
    for command in commands() {
        let help = output(&[&command, "--help"]);
        assert!(help.contains("Examples:\n  ") && help.contains("ftcheck"), "{help}");
        let snapshot = snapshots.join(format!("suite__command_line__help_of_{command}.snap"));
        assert!(snapshot.is_file(), "{} is missing", snapshot.display());
    }
}

#[test]
fn shells_are_told_of_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = output(&["completions", shell]);
        for word in commands().iter().map(String::as_str).chain(["--platform", "index-url"]) {
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
}

#[test]
fn a_shell_that_is_mistyped_is_told() {
    let outcome = Sandbox::new().command().args(["completions", "fsh"]).assert().code(2);
    assert_snapshot!(String::from_utf8_lossy(&outcome.get_output().stderr), @r"
    error: invalid value 'fsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'fish'

    For more information, try '--help'.
    ");
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let page = output(&["man"]);
    assert!(page.contains(".TH ftcheck 1") && page.contains("ftcheck\\-scan(1)"), "{page}");
    let sandbox = Sandbox::new();
    sandbox.command().args(["man", "--output", "share/man1"]).assert().success();
    for command in commands() {
        let page = sandbox.path().join(format!("share/man1/ftcheck-{command}.1"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains("EXAMPLES") || page.contains("Examples"), "{page}");
    }
    assert!(sandbox.path().join("share/man1/ftcheck.1").is_file());
}

#[test]
fn a_command_or_option_that_is_mistyped_is_told_with_the_nearest() {
    let sandbox = Sandbox::new();
    let told = |arguments: &[&str]| {
        let outcome = sandbox.command().args(arguments).assert().code(2);
        String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
    };
    assert_snapshot!(told(&["scna"]), @r"
    error: unrecognized subcommand 'scna'

      tip: a similar subcommand exists: 'scan'

    Usage: ftcheck <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(told(&["scan", "--ofline"]), @r"
    error: unexpected argument '--ofline' found

      tip: a similar argument exists: '--offline'

    Usage: ftcheck scan --offline [PATH]...

    For more information, try '--help'.
    ");
    assert_snapshot!(told(&["scan", "--platfrom", "linux"]), @r"
    error: unexpected argument '--platfrom' found

      tip: a similar argument exists: '--platform'

    Usage: ftcheck scan --platform <PLATFORM> [PATH]...

    For more information, try '--help'.
    ");
    assert_snapshot!(told(&["explain", "gil-enabled-on-imports"]), @r"
    error: expected the name of a rule, found `gil-enabled-on-imports`
    hint: did you mean `gil-enabled-on-import`?
    ");
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
