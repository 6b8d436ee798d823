//! What cannot be scanned at all: a clear message, exit code 2, nothing written.

use insta::assert_snapshot;

use super::{PLATFORM, scan, stderr, stdout};
use crate::support::Sandbox;
use crate::support::index::FakeIndex;

/// Runs a scan of the sandbox that has to fail before anything is asked of the index.
fn failure(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let index = FakeIndex::builder().start();
    let outcome = scan(sandbox, &index, arguments).code(2);
    assert_eq!(stdout(&outcome), "");
    assert!(index.requests().is_empty());
    assert!(!sandbox.cache_dir().exists(), "nothing is written");
    stderr(&outcome)
}

fn failure_of(filename: &str, text: impl AsRef<[u8]>) -> String {
    let sandbox = Sandbox::new();
    sandbox.write(filename, text);
    failure(&sandbox, &[filename])
}

#[test]
fn a_malformed_requirement_is_told_with_line_and_column() {
    assert_snapshot!(failure_of("requirements.txt", "numpy\n# fine so far\n  lxml >> 6\n"), @r#"
    error: requirements.txt:3:8: malformed requirement `lxml >> 6`: no such comparison operator ">>", must be one of ~= == != <= >= < > ===
    hint: expected a name, then a version range: `lxml>=6.1`
    "#);
}

#[test]
fn a_missing_file_is_told() {
    assert_snapshot!(failure(&Sandbox::new(), &["nowhere.txt"]), @"error: nowhere.txt: there is no such file or directory");
}

#[test]
fn a_directory_without_a_manifest_is_told() {
    assert_snapshot!(failure(&Sandbox::new(), &[]), @r"
    error: .: expected uv.lock, poetry.lock, pdm.lock, pylock.toml, Pipfile.lock, pixi.lock, conda-lock.yml, pyproject.toml, requirements.txt, environment.yml in this directory, found none of them
    hint: name the file itself: `ftcheck scan path/to/requirements-dev.txt`
    ");
}

#[test]
fn an_empty_file_is_not_a_success() {
    assert_snapshot!(failure_of("requirements.txt", "# nothing\n\n"), @"error: requirements.txt: expected at least one requirement, found none");
    assert_snapshot!(failure_of("uv.lock", "version = 1\nrequires-python = \">=3.14\"\n"), @"error: uv.lock: expected a project with dependencies, found none");
}

#[test]
fn a_file_of_another_kind_is_told() {
    assert_snapshot!(failure_of("setup.cfg", "[metadata]\n"), @"error: setup.cfg: expected a lockfile, pyproject.toml, a requirements file (.txt, .in), a script (.py) or an environment file (.yml, .yaml), found a file of another name");
}

#[test]
fn a_lock_with_merge_conflict_markers_is_told_with_its_line() {
    let text = "version = 1\n<<<<<<< HEAD\nrevision = 3\n=======\n";
    assert!(failure_of("uv.lock", text).starts_with("error: uv.lock:2:"));
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let text = [b"numpy\nlx".as_slice(), &[0xff], b"ml\n"].concat();
    assert_snapshot!(failure_of("requirements.txt", text), @"error: requirements.txt:2:3: expected UTF-8, found a byte that is not");
}

#[test]
fn an_option_that_pip_does_not_read_is_told_without_credentials() {
    let text = "--extra-index https://user:secret@example.org/simple --unknown=secret2\nnumpy\n";
    let message = failure_of("requirements.txt", text);
    assert!(message.contains("found `--unknown`"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn no_report_is_left_by_a_scan_that_failed() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "lxml >> 6\n");
    failure(&sandbox, &["--output", "report.json", "--format", "json"]);
    assert!(!sandbox.path().join("report.json").exists());
}

#[test]
fn an_index_that_is_no_url_is_told_without_showing_it() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "numpy\n");
    for url in ["not a url with secret", "ftp://user:secret@example.org/"] {
        let outcome = sandbox
            .command()
            .args(["scan", "--platform", PLATFORM, "--index-url", url])
            .assert()
            .code(2);
        let message = stderr(&outcome);
        assert!(message.starts_with("error: --default-index: expected"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}

#[test]
fn usage_errors_end_with_2() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["scan", "--target", "3.12t"][..],
        &["scan", "--platform", "amiga"],
        &["scan", "--format", "xml"],
        &["scan", "--jobs", "0"],
        &["scan", "--offline", "--no-cache"],
        &["scann"],
        &[],
    ] {
        sandbox.command().args(arguments).assert().code(2);
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told() {
    let (sandbox, index) = (Sandbox::new(), FakeIndex::builder().start());
    sandbox.write("requirements.txt", "nowhere\n");
    let outcome = scan(&sandbox, &index, &["--output", "missing/report.json"]).code(2);
    assert!(stderr(&outcome).contains("missing/report.json: cannot be written"));
}
