//! Where reports go: forms by suffix and by name, several at once, and files that are whole.

use super::{scan, stderr, stdout, wheel_of};
use crate::support::Sandbox;
use crate::support::index::FakeIndex;

fn project() -> (FakeIndex, Sandbox) {
    let index = FakeIndex::builder()
        .file(wheel_of("offender", "1.0", &["declares_nothing"]).build())
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "offender\n");
    (index, sandbox)
}

fn read(sandbox: &Sandbox, file: &str) -> String {
    std::fs::read_to_string(sandbox.path().join(file)).unwrap()
}

/// The form of a text, by what it begins with.
fn form(text: &str) -> &'static str {
    let starts = [
        ("{\n  \"$schema\"", "sarif"),
        ("{\n  \"version\"", "json"),
        ("[\n  {\n    \"description\"", "gitlab"),
        ("<?xml", "junit"),
        ("package,version,", "csv"),
        ("::error ", "github"),
        ("enables-gil", "table"),
        ("", "none"),
    ];
    let found = starts.into_iter().find(|(start, _)| text.starts_with(start)).unwrap();
    if text.is_empty() { "none" } else { found.1 }
}

#[test]
fn several_files_take_the_forms_that_their_suffixes_name() {
    let (index, sandbox) = project();
    let files = [
        ("a.sarif", "sarif"),
        ("b.sarif.json", "sarif"),
        ("C.JSON", "json"),
        ("d.xml", "junit"),
        ("e.csv", "csv"),
        ("gitlab=f.json", "gitlab"),
        ("github=g.txt", "github"),
    ];
    let arguments: Vec<&str> = files.iter().flat_map(|(file, _)| ["--output", file]).collect();
    let outcome = scan(&sandbox, &index, &arguments).code(1);
    for (file, wanted) in files {
        let file = file.split_once('=').map_or(file, |(_, file)| file);
        assert_eq!(form(&read(&sandbox, file)), wanted, "{file}");
    }
    assert_eq!(form(&stdout(&outcome)), "table");
    let told = stderr(&outcome);
    assert!(told.contains("written to a.sarif, b.sarif.json, C.JSON"), "{told}");
    let left = std::fs::read_dir(sandbox.path()).unwrap().count();
    assert_eq!(left, files.len() + 1, "nothing else is left behind");
}

#[test]
fn what_is_shown_beside_files() {
    let (index, sandbox) = project();
    let cases: &[(&[&str], &str, &str, &str)] = &[
        // Arguments, what is shown, the file, its form.
        (&["--output", "o.sarif"], "table", "o.sarif", "sarif"),
        (&["--output", "o.sarif", "--quiet"], "none", "o.sarif", "sarif"),
        (&["--output", "o.txt"], "none", "o.txt", "table"),
        (&["--output", "o"], "none", "o", "table"),
        (&["--format", "json", "--output", "o"], "none", "o", "json"),
        (&["--format", "json", "--output", "o.json"], "none", "o.json", "json"),
        (&["--format", "gitlab", "--output", "o.json"], "none", "o.json", "gitlab"),
        (&["--format", "github", "--output", "o.sarif"], "github", "o.sarif", "sarif"),
        (&["--format", "github", "--output", "o.sarif", "-q"], "github", "o.sarif", "sarif"),
        (&["--format", "json", "--output", "gitlab=o.x"], "json", "o.x", "gitlab"),
        (&["--output", "csv=-", "--output", "o.json"], "csv", "o.json", "json"),
        (&["--output", "./a=b.csv"], "table", "a=b.csv", "csv"),
    ];
    for (arguments, shown, file, wanted) in cases {
        let outcome = scan(&sandbox, &index, arguments).code(1);
        assert_eq!(form(&stdout(&outcome)), *shown, "{arguments:?}");
        assert_eq!(form(&read(&sandbox, file)), *wanted, "{arguments:?}");
        std::fs::remove_file(sandbox.path().join(file)).unwrap();
    }
}

#[test]
fn what_cannot_be_meant_is_told_before_the_scan() {
    let (index, sandbox) = project();
    let cases: &[(&[&str], &str)] = &[
        (&["--output", "sarfi=x"], "did you mean `sarif=x`?"),
        (&["--output", "nothing=x"], "expected a form before `=`, found `nothing`"),
        (&["--output", "json="], "expected a file behind `json=`"),
        (&["--output", "a.json", "--output", "./a.json"], "expected each file once"),
        (&["--output", "json=a", "--output", "csv=a"], "expected each file once"),
        (
            &["--output", "json=-", "--output", "csv=-"],
            "expected one report for the standard output",
        ),
        (&["--output", "csv=requirements.txt"], "another file than the scanned one"),
        (&["--output", "a.json", "--output", "csv=./requirements.txt"], "than the scanned one"),
        (&["--output", "missing/a.json"], "missing/a.json: cannot be written"),
        (&["--output", "a.josn"], "hint: files end in .txt, .json, .sarif"),
        (&["--output", "."], ".: expected a file to write, found a folder"),
    ];
    for (arguments, told) in cases {
        let outcome = scan(&sandbox, &index, arguments).code(2);
        assert!(stderr(&outcome).contains(told), "{arguments:?}: {}", stderr(&outcome));
        assert!(index.requests().is_empty(), "{arguments:?}");
        assert!(!sandbox.path().join("a.json").exists());
    }
    assert_eq!(read(&sandbox, "requirements.txt"), "offender\n");
    let outcome = sandbox.command().args(["inspect", ".", "--output", "a.sarif"]).assert().code(2);
    assert!(stderr(&outcome).contains("no form .sarif"), "{}", stderr(&outcome));
}

#[test]
fn an_earlier_report_stays_where_no_scan_could_be_made() {
    let (index, sandbox) = project();
    sandbox.write("requirements.txt", "offender >> 1\n");
    sandbox.write("a.json", "before");
    scan(&sandbox, &index, &["--output", "a.json"]).code(2);
    assert_eq!(read(&sandbox, "a.json"), "before");
}

#[test]
fn paths_count_from_the_root_of_the_repository() {
    let (index, sandbox) = project();
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    sandbox.write("back end/requirements.txt", "offender\n");
    let outcome = sandbox
        .command()
        .current_dir(sandbox.path().join("back end"))
        .args(["scan", "--platform", super::PLATFORM, "--index-url", &index.simple_url()])
        .args(["--format", "github", "--output", "r.sarif"])
        .assert()
        .code(1);
    let shown = stdout(&outcome);
    assert!(shown.starts_with("::error file=back end/requirements.txt,line=1,col=1,"), "{shown}");
    let document: serde_json::Value =
        serde_json::from_str(&read(&sandbox, "back end/r.sarif")).unwrap();
    let uri = "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri";
    assert_eq!(document.pointer(uri).unwrap(), "back%20end/requirements.txt");
}

#[cfg(unix)]
#[test]
fn links_devices_and_modes_stay_what_they_are() {
    use std::os::unix::fs::PermissionsExt as _;

    let (index, sandbox) = project();
    let target = sandbox.write("real.json", "before");
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
    let link = sandbox.path().join("link.json");
    std::os::unix::fs::symlink("real.json", &link).unwrap();
    scan(&sandbox, &index, &["--output", "link.json", "--output", "csv=/dev/null"]).code(1);
    assert!(link.is_symlink());
    assert_eq!(form(&read(&sandbox, "real.json")), "json");
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    scan(&sandbox, &index, &["--output", "new.json"]).code(1);
    let mode = std::fs::metadata(sandbox.path().join("new.json")).unwrap().permissions().mode();
    // As the process's mask has it, rather than for the owner alone.
    let plain = sandbox.write("plain", "");
    assert_eq!(mode & 0o777, std::fs::metadata(plain).unwrap().permissions().mode() & 0o777);
}
