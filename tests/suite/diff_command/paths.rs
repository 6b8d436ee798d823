//! Two reports, two manifests, or one of each.

use super::{changes, diff, index, json, stderr, stdout};
use crate::support::Sandbox;

const JSON: [&str; 2] = ["--format", "json"];

fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("old.txt", "spam==1\nmend==1\npure==1\n");
    sandbox.write("new.txt", "spam==2\nmend==2\nriddle\n");
    sandbox
}

#[test]
fn two_manifests() {
    let (index, sandbox) = (index(), two());
    let outcome = diff(&sandbox, &index, &["old.txt", "new.txt"]).code(1);
    insta::assert_snapshot!(stdout(&outcome), @r"
    worsened  spam 1 -> 2  keeps-gil-off -> enables-gil
    added     riddle 1     undetermined
    fixed     mend 1 -> 2  enables-gil -> keeps-gil-off
    removed   pure 1       pure-python

    error[gil-enabled-on-import] spam 2: `import declares_nothing` enables the GIL: declares_nothing does not declare that it runs without the GIL
      --> new.txt:1:1
      reached by declares_nothing
    warning[undetermined-module] riddle 1: what spins does to the GIL could not be told: the hook takes more steps than are followed
      --> new.txt:3:1

    gone[gil-enabled-on-import] mend 1

    1 worsened, 1 added, 1 fixed, 1 removed; 2 new findings, 1 gone
    old.txt -> new.txt
    ");
    let outcome = diff(&sandbox, &index, &[&["new.txt", "old.txt"], &JSON[..]].concat()).code(1);
    assert_eq!(
        changes(&outcome),
        [
            "worsened mend: 2 keeps-gil-off -> 1 enables-gil",
            "added pure: - -> 1 pure-python",
            "fixed spam: 2 enables-gil -> 1 keeps-gil-off",
            "removed riddle: 1 undetermined -> -",
        ]
    );
}

#[test]
fn what_is_new_decides_how_it_ends() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("bad.txt", "spam==2\n");
    sandbox.write("bad-and-fine.txt", "spam==2\npure\n");
    sandbox.write("bad-and-riddle.txt", "spam==2\nriddle\n");
    sandbox.write("fine.txt", "pure\n");
    for (old, new, code) in [
        ("bad.txt", "bad.txt", 0),
        ("bad.txt", "bad-and-fine.txt", 0),
        ("bad.txt", "fine.txt", 0),
        ("fine.txt", "bad.txt", 1),
        ("bad.txt", "bad-and-riddle.txt", 3),
        ("bad-and-riddle.txt", "bad.txt", 0),
    ] {
        diff(&sandbox, &index, &[old, new]).code(code);
    }
    diff(&sandbox, &index, &["fine.txt", "bad.txt", "--fail-on", "sdist-only"]).code(0);
    diff(&sandbox, &index, &["fine.txt", "bad.txt", "--exit-zero"]).code(0);
    // What the configuration ignores is not new.
    sandbox.write("ftcheck.toml", "ignore = [{ package = \"spam\", reason = \"not imported\" }]");
    diff(&sandbox, &index, &["fine.txt", "bad.txt"]).code(0);
    diff(&sandbox, &index, &["fine.txt", "bad.txt", "--no-config"]).code(1);
}

#[test]
fn reports_are_compared_without_the_network() {
    let (index, sandbox) = (index(), two());
    for (manifest, report) in [("old.txt", "old.json"), ("new.txt", "new.json")] {
        sandbox
            .command()
            .args(["scan", manifest, "--platform", "linux", "--target", "3.14t", "--index-url"])
            .args([&index.simple_url(), "--format", "json", "--output", report, "--exit-zero"])
            .assert()
            .code(0);
    }
    let of_manifests =
        diff(&sandbox, &index, &[&["old.txt", "new.txt"], &JSON[..]].concat()).code(1);
    index.clear_requests();
    let of_reports =
        diff(&sandbox, &index, &[&["old.json", "new.json"], &JSON[..]].concat()).code(1);
    assert!(index.requests().is_empty());
    assert_eq!(changes(&of_reports), changes(&of_manifests));
    // One of each: what is scanned is looked at for the places of the report.
    let of_both = sandbox
        .command()
        .args([
            "diff",
            "old.json",
            "new.txt",
            "--format",
            "json",
            "--index-url",
            &index.simple_url(),
        ])
        .assert()
        .code(1);
    assert_eq!(changes(&of_both), changes(&of_manifests));
    assert_eq!(json(&of_both)["places"], json(&of_manifests)["places"]);
}

#[test]
fn mistakes() {
    let (index, sandbox) = (index(), two());
    sandbox.write("newer.json", "{\"version\": 2, \"packages\": []}");
    sandbox.write("other.json", "{}");
    sandbox
        .command()
        .args(["scan", "old.txt", "--platform", "linux", "--output", "old.json", "--exit-zero"])
        .args(["--index-url", &index.simple_url()])
        .assert()
        .code(0);
    for (arguments, told) in [
        (&["old.txt"][..], "expected an old and a new path, found 1"),
        (&[], "expected an old and a new path, found 0"),
        (&["newer.json", "new.txt"], "newer.json: expected a report of version 1, found version 2"),
        (&["other.json", "new.txt"], "other.json: expected the report of a scan, found other JSON"),
        (&["gone.json", "new.txt"], "gone.json: the file cannot be read"),
        (&["gone.txt", "new.txt"], "gone.txt: there is no such file or directory"),
        (&["old.txt", "new.txt", "--git", "main"], "expected one path with `--git`, found two"),
        (&["old.txt", "new.txt", "--output", "new.txt"], "expected another file"),
        (&["old.json", "old.json", "--target", "3.15t"], "old.json: the report is not for 3.15t"),
        (&["old.json", "old.json", "--extra", "docs"], "expected no extras or groups with two"),
    ] {
        let outcome = diff(&sandbox, &index, arguments).code(2);
        assert!(stderr(&outcome).contains(told), "{arguments:?}: {}", stderr(&outcome));
    }
    diff(&sandbox, &index, &["old.txt", "new.txt", "--exact"]).code(2);
}

#[test]
fn markdown_into_a_file() {
    let (index, sandbox) = (index(), two());
    let arguments = ["old.txt", "new.txt", "--format", "markdown", "--output", "change.md"];
    let outcome = diff(&sandbox, &index, &arguments).code(1);
    assert!(stderr(&outcome).contains(
        "1 worsened, 1 added, 1 fixed, 1 removed; 2 new findings, 1 gone; written to change.md"
    ));
    let text = std::fs::read_to_string(sandbox.path().join("change.md")).unwrap();
    assert!(
        text.contains("| worsened | `spam` | 1 → 2 | 🟢 keeps-gil-off → 🔴 enables-gil |"),
        "{text}"
    );
}
