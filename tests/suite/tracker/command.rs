//! `ftcheck tracker`, against pages in files and on a server of the tests.

use std::net::TcpListener;
use std::path::PathBuf;

use assert_cmd::assert::Assert;
use ftcheck::tracker::Tracker;
use insta::assert_snapshot;
use serde_json::Value;

use super::{CHECK, long_page};
use crate::support::Sandbox;
use crate::support::http::{Response, Server};

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Assert {
    sandbox.command().arg("tracker").args(arguments).assert()
}

fn stdout(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}

fn stderr(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

/// A page on which `spam` has the given first version.
fn page_with(version: &str) -> String {
    long_page(&["spam", "[i](https://example.org/1)", CHECK, CHECK, version, "", ""])
}

/// A server that says the same whatever it is asked, and its address.
fn server(status: u16, content_type: &'static str, text: String) -> (Server, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |_: &_| Response::new(status, content_type, text.clone());
    (Server::start(listener, answer), format!("{address}/owner/name/main/docs/page.md"))
}

/// What `tracker show spam` says, in JSON.
fn spam(sandbox: &Sandbox) -> Value {
    let outcome = run(sandbox, &["show", "spam", "--format", "json"]);
    serde_json::from_slice(&outcome.get_output().stdout).unwrap()
}

/// The version and the day that are in use for `spam`.
fn in_use(sandbox: &Sandbox) -> (String, String) {
    let shown = spam(sandbox);
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    (text(&shown["entries"][0]["first_version"]), text(&shown["date"]))
}

/// A sandbox in which a page is in use already.
fn refreshed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("first.md", page_with("1.5"));
    run(&sandbox, &["update", "--from", "first.md", "--date", "2030-01-01"]).code(0);
    assert_eq!(in_use(&sandbox), ("1.5".to_owned(), "2030-01-01".to_owned()));
    sandbox
}

#[test]
fn facts_are_shown() {
    let names = ["greenlet", "PyTorch", "swig", "Boost.Python", "zstandard", "jupyter_client"];
    let outcome = run(&Sandbox::new(), &[&["show"][..], &names].concat()).code(0);
    assert_snapshot!(stdout(&outcome));
}

#[test]
fn a_name_that_is_not_known_is_told_with_near_ones() {
    let outcome = run(&Sandbox::new(), &["show", "numpi", "lxml", "zzzzzz"]).code(1);
    let text = stdout(&outcome);
    assert!(text.starts_with("lxml\n"), "{text}");
    assert!(text.contains("\nnumpi: not in the tracker; there is numpy, "), "{text}");
    assert!(text.contains("\nzzzzzz: not in the tracker\n"), "{text}");
}

#[test]
fn facts_are_shown_as_json() {
    let outcome = run(&Sandbox::new(), &["show", "Greenlet", "numpi", "--format", "json"]).code(1);
    let shown: Value = serde_json::from_slice(&outcome.get_output().stdout).unwrap();
    assert_eq!(shown["date"], "2026-06-28");
    assert_eq!(shown["origin"]["repository"], "Quansight-Labs/free-threaded-compatibility");
    assert_eq!(shown["entries"][0]["packages"][0], "greenlet");
    assert_eq!(shown["entries"][0]["fully_from"], "3.15t");
    assert_eq!(shown["unknown"][0]["name"], "numpi");
    assert_eq!(shown["unknown"][0]["near"][0], "numpy");
}

#[test]
fn one_project_by_two_names_is_shown_once() {
    let outcome = run(&Sandbox::new(), &["show", "torch", "pytorch", "--format", "json"]).code(0);
    let shown: Value = serde_json::from_slice(&outcome.get_output().stdout).unwrap();
    assert_eq!(shown["entries"].as_array().unwrap().len(), 1);
}

#[test]
fn all_projects_are_listed() {
    let sandbox = Sandbox::new();
    let text = stdout(&run(&sandbox, &[]).code(0));
    assert_eq!(text, stdout(&run(&sandbox, &["list"]).code(0)));
    // Between the titles, and an empty line and the origin.
    assert_eq!(text.lines().count(), Tracker::built_in().entries().len() + 3);
    let line = |name: &str| {
        let found = text.lines().find(|line| line.starts_with(name)).unwrap();
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("project "), "project distributions first version tested released");
    assert_eq!(line("greenlet "), "greenlet greenlet 3.5.2 yes yes in full from 3.15t");
    assert_eq!(line("CuTe "), "CuTe DSL nvidia-cutlass-dsl and 2 more 4.5.2 yes yes");
    assert_eq!(line("Cython "), "Cython cython 3.1.0 yes yes a tool");
    assert!(text.trim_end().lines().last().unwrap().starts_with("as of 2026-"), "{text}");
}

#[test]
fn a_page_is_in_use_once_it_was_read() {
    let sandbox = Sandbox::new();
    assert_eq!(in_use(&sandbox).1, "2026-06-28");
    sandbox.write("page.md", page_with("1.5"));
    let outcome = run(&sandbox, &["update", "--from", "page.md", "--date", "2030-01-01"]).code(0);
    let text = stdout(&outcome);
    assert!(text.starts_with("101 of 101 rows read: page.md, as of 2030-01-01\n"), "{text}");
    assert!(text.contains("101 names are not checked\nnew: 101 projects\ngone: 149 projects\n"));
    assert!(text.ends_with("in use from now on\n"), "{text}");
    assert!(stderr(&outcome).contains("page.md:5:1: spam: name not checked: "));
    assert_eq!(in_use(&sandbox), ("1.5".to_owned(), "2030-01-01".to_owned()));
    assert_eq!(spam(&sandbox)["entries"][0]["name_unchecked"], true);
    let shown = stdout(&run(&sandbox, &["show", "spam"]).code(0));
    assert!(shown.contains("spam (name not checked)"), "{shown}");
}

#[test]
fn what_is_older_than_the_program_is_kept_and_not_used() {
    let sandbox = Sandbox::new();
    sandbox.write("page.md", page_with("1.5"));
    let outcome = run(&sandbox, &["update", "--from", "page.md", "--date", "2020-01-01"]).code(0);
    assert!(
        stdout(&outcome)
            .ends_with("kept, but not in use: what this program came with is of 2026-06-28\n")
    );
    assert_eq!(in_use(&sandbox).1, "2026-06-28");
}

#[test]
fn a_page_that_cannot_be_used_leaves_what_there_was() {
    let cut = page_with("2.0").lines().take(40).collect::<Vec<_>>().join("\n");
    let renamed = page_with("2.0").replace("PyPI release", "On PyPI");
    for (text, problem) in [
        ("", "page.md:1:1: expected a table with the columns `Project`, "),
        ("<html></html>", "page.md:1:1: expected a page in Markdown, found HTML"),
        (cut.as_str(), "page.md:3:1: expected at least half of the 101 rows that there were"),
        (renamed.as_str(), "page.md:3:1: expected one column `PyPI release`, found the columns"),
    ] {
        let sandbox = refreshed();
        sandbox.write("page.md", text);
        let outcome =
            run(&sandbox, &["update", "--from", "page.md", "--date", "2031-01-01"]).code(2);
        let told = stderr(&outcome);
        assert!(told.starts_with(&format!("error: {problem}")), "{told}");
        assert!(
            told.ends_with("hint: the data of 2030-01-01 with 101 rows stays in use\n"),
            "{told}"
        );
        assert_eq!(in_use(&sandbox), ("1.5".to_owned(), "2030-01-01".to_owned()));
    }
}

#[test]
fn a_file_that_cannot_be_read_leaves_what_there_was() {
    let sandbox = refreshed();
    sandbox.write("latin.md", b"\xff\xfe");
    for (from, problem) in
        [("latin.md", "expected a page in UTF-8"), ("none.md", "the file cannot be read: ")]
    {
        let told = stderr(&run(&sandbox, &["update", "--from", from]).code(2));
        assert!(told.starts_with(&format!("error: {from}: {problem}")), "{told}");
        assert!(told.contains("stays in use"), "{told}");
    }
}

#[test]
fn what_is_not_understood_is_told_and_no_success() {
    let sandbox = Sandbox::new();
    let text = long_page(&["spam", "", ":material-help:", CHECK, "1.5", "", ""])
        + "\n| lost | | | | | | |\n";
    sandbox.write("page.md", text);
    let outcome = run(&sandbox, &["update", "--from", "page.md", "--date", "2030-01-01"]).code(3);
    let told = stderr(&outcome);
    assert!(told.contains("page.md:5:12: spam: not understood: expected a check mark"), "{told}");
    assert!(told.contains("page.md:107:1: row not read: it stands outside the table"), "{told}");
    let text = stdout(&outcome);
    assert!(text.starts_with("101 of 102 rows read"), "{text}");
    assert!(text.contains("1 row was not read\n1 part was not understood\n"), "{text}");
    assert_eq!(in_use(&sandbox).0, "1.5", "the rest is in use");
}

#[test]
fn a_check_changes_nothing() {
    let sandbox = refreshed();
    sandbox.write("page.md", page_with("2.0"));
    let arguments = ["update", "--from", "page.md", "--date", "2031-01-01", "--check"];
    let text = stdout(&run(&sandbox, &arguments).code(0));
    assert!(text.starts_with("101 of 101 rows read"), "{text}");
    assert!(text.ends_with("nothing was changed\n"), "{text}");
    assert_eq!(in_use(&sandbox).0, "1.5");
}

#[test]
fn data_can_be_written_to_a_file() {
    let sandbox = refreshed();
    sandbox.write("page.md", page_with("2.0"));
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let arguments = [
        "update",
        "--from",
        "page.md",
        "--date",
        "2031-01-01",
        "--commit",
        commit,
        "-o",
        "data.json",
    ];
    let text = stdout(&run(&sandbox, &arguments).code(0));
    assert!(text.ends_with("written to data.json\n"), "{text}");
    let data = std::fs::read_to_string(sandbox.path().join("data.json")).unwrap();
    let tracker = Tracker::parse(&data).unwrap();
    assert_eq!(tracker.entries().len(), 101);
    assert_eq!(tracker.origin().commit.as_deref(), Some(commit));
    assert_eq!(tracker.origin().page, "docs/tracking.md");
    assert_eq!(in_use(&sandbox).0, "1.5");
    let told = stderr(&run(&sandbox, &["update", "--from", "page.md", "-o", "page.md"]).code(2));
    assert!(told.contains("expected another file"), "{told}");
}

#[test]
fn a_page_is_fetched() {
    let sandbox = Sandbox::new();
    let (_server, address) = server(200, "text/plain", page_with("1.5"));
    let from = format!("http://user:secret@{address}?token=secret");
    let outcome = run(&sandbox, &["update", "--from", &from, "--date", "2030-01-01"]).code(0);
    let text = stdout(&outcome) + &stderr(&outcome);
    assert!(
        text.contains(&format!("101 of 101 rows read: http://{address}, as of 2030")),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(in_use(&sandbox).0, "1.5");
    assert!(!spam(&sandbox).to_string().contains("secret"));
}

#[test]
fn the_day_of_a_page_is_today_unless_another_is_named() {
    let sandbox = Sandbox::new();
    let (_server, address) = server(200, "text/plain", page_with("1.5"));
    run(&sandbox, &["update", "--from", &format!("http://{address}")]).code(0);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (_, date) = in_use(&sandbox);
    let yesterday = today.yesterday().unwrap();
    assert!(date == today.to_string() || date == yesterday.to_string(), "{date}");
}

#[test]
fn a_page_that_cannot_be_fetched_leaves_what_there_was() {
    let sandbox = refreshed();
    let portal = "<!DOCTYPE html><title>Log in</title>".to_owned();
    for (status, content_type, text, problem) in [
        (200, "text/html", portal, "/page.md:1:1: expected a page in Markdown, found HTML"),
        (404, "text/plain", String::new(), "found HTTP status 404"),
        (200, "text/plain", "x".repeat((1 << 20) + 1), "expected at most 1048576 bytes"),
    ] {
        let (_server, address) = server(status, content_type, text);
        let from = format!("http://{address}");
        let told = stderr(&run(&sandbox, &["update", "--from", &from]).code(2));
        assert!(told.contains(problem), "{told}");
        assert!(told.contains("the data of 2030-01-01 with 101 rows stays in use"), "{told}");
        assert_eq!(in_use(&sandbox).0, "1.5");
    }
}

#[test]
fn without_the_network_only_files_are_read() {
    let sandbox = refreshed();
    let told = stderr(&run(&sandbox, &["update", "--offline"]).code(2));
    assert!(told.starts_with("error: https://"), "{told}");
    assert!(told.contains("/tracking.md: the network is not used (--offline)\n"), "{told}");
    assert!(told.contains("hint: name a file: "), "{told}");
    assert!(told.contains("stays in use"), "{told}");
    sandbox.write("page.md", page_with("2.0"));
    let arguments = ["update", "--offline", "--from", "page.md", "--date", "2031-01-01"];
    run(&sandbox, &arguments).code(0);
    assert_eq!(in_use(&sandbox).0, "2.0");
}

/// The file in which refreshed data is kept.
fn kept(sandbox: &Sandbox) -> PathBuf {
    let mut path = sandbox.cache_dir().join("tracker-v1");
    while path.is_dir() {
        path = std::fs::read_dir(&path).unwrap().next().unwrap().unwrap().path();
    }
    path
}

#[test]
fn refreshed_data_that_is_damaged_is_not_used() {
    let sandbox = refreshed();
    std::fs::write(kept(&sandbox), "damaged").unwrap();
    assert_eq!(in_use(&sandbox).1, "2026-06-28");
}

#[test]
fn a_cache_that_cannot_be_written_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("page.md", page_with("1.5"));
    let file = sandbox.write("file", "");
    let folder = file.to_str().unwrap();
    let told =
        stderr(&run(&sandbox, &["update", "--from", "page.md", "--cache-dir", folder]).code(2));
    assert!(told.contains("\nerror: the data cannot be written: "), "{told}");
    assert!(told.contains("the data of 2026-06-28 with 149 rows stays in use"), "{told}");
}

#[test]
fn control_characters_of_a_page_are_not_shown() {
    let sandbox = Sandbox::new();
    sandbox.write("page.md", long_page(&["sp\u{1b}am", "", "\u{1b}[1m", CHECK, "1.5", "", ""]));
    let outcome = run(&sandbox, &["update", "--from", "page.md", "--date", "2030-01-01"]).code(3);
    let listed = run(&sandbox, &["list"]).code(0);
    let text = stdout(&outcome) + &stderr(&outcome) + &stdout(&listed);
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn malformed_arguments_are_told() {
    for (arguments, problem) in [
        (&["show"][..], "<NAME>"),
        (&["update", "--date", "soon"], "invalid value 'soon' for '--date"),
        (&["update", "--commit", "1"], "--from"),
        (&["update", "--check", "-o", "x"], "cannot be used with"),
        (&["list", "--format", "xml"], "[possible values: table, json]"),
    ] {
        let told = stderr(&run(&Sandbox::new(), arguments).code(2));
        assert!(told.contains(problem), "{told}");
    }
}
