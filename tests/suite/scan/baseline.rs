//! `ftcheck scan --baseline` and `--write-baseline`.

use super::{scan, stderr, stdout, wheel_of};
use crate::support::Sandbox;
use crate::support::index::FakeIndex;

fn index() -> FakeIndex {
    FakeIndex::builder()
        .file(wheel_of("offender", "1.0", &["declares_nothing"]).build())
        .file(wheel_of("another", "1.0", &["declares_used"]).build())
        .file(wheel_of("riddle", "1.0", &["spins"]).build())
        .file(wheel_of("fine", "2.0", &["declares"]).build())
        .start()
}

const WITH: [&str; 2] = ["--baseline", "known.json"];
const WRITE: [&str; 2] = ["--write-baseline", "known.json"];

#[test]
fn only_what_is_new_fails() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "offender\nriddle\nfine\n");
    scan(&sandbox, &index, &[]).code(1);
    let outcome = scan(&sandbox, &index, &WRITE).code(0);
    assert_eq!(
        stderr(&outcome).lines().last(),
        Some(
            "known.json: 2 entries written, 1 of what could not be checked; `--baseline known.json` fails on what is new"
        )
    );
    // What is found is shown.
    assert!(stdout(&outcome).contains("error[gil-enabled-on-import] offender"));
    let told = stdout(&scan(&sandbox, &index, &WITH).code(0));
    assert!(told.contains("2 findings in the baseline: -v shows them"), "{told}");
    let told = stdout(&scan(&sandbox, &index, &[&WITH[..], &["-v"]].concat()).code(0));
    assert!(
        told.contains("ignored[undetermined-module] riddle 1.0: known in known.json"),
        "{told}"
    );

    sandbox.write("requirements.txt", "# moved down\noffender\nriddle\nfine\nanother\n");
    let told = stdout(&scan(&sandbox, &index, &WITH).code(1));
    assert!(told.contains("error[gil-enabled-on-import] another"), "{told}");
    assert!(!told.contains("error[gil-enabled-on-import] offender"), "{told}");
    // Known from now on, and not yet in this run.
    scan(&sandbox, &index, &[WITH, WRITE].concat()).code(1);
    scan(&sandbox, &index, &WITH).code(0);
}

#[test]
fn what_is_gone_is_told() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "offender\nriddle\nfine\n");
    scan(&sandbox, &index, &WRITE).code(0);
    sandbox.write("requirements.txt", "offender\nfine\n");
    let told = stdout(&scan(&sandbox, &index, &WITH).code(0));
    let note = "note: the baseline known.json can be shrunk with --write-baseline, since it is no \
                longer found: riddle (undetermined-module: spins)";
    assert!(told.contains(note), "{told}");
    // In the report for programs too.
    let json = scan(&sandbox, &index, &[&WITH[..], &["--format", "json"]].concat()).code(0);
    assert!(stdout(&json).contains("can be shrunk"));
}

#[test]
fn a_baseline_that_is_missing_or_damaged_is_an_error() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "fine\n");
    let told = stderr(&scan(&sandbox, &index, &WITH).code(2));
    assert!(told.contains("known.json: expected a baseline, found no such file"), "{told}");
    assert!(told.contains("hint: `--write-baseline known.json` makes one"), "{told}");
    sandbox.write("known.json", "{}");
    scan(&sandbox, &index, &WITH).code(2);
    scan(&sandbox, &index, &["--write-baseline", "requirements.txt"]).code(2);
    scan(&sandbox, &index, &["--write-baseline", "nowhere/known.json"]).code(2);
    assert!(index.requests().is_empty());
}

#[test]
fn nothing_looked_at_is_no_success() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "fine; sys_platform == 'win32'\n");
    scan(&sandbox, &index, &WRITE).code(3);
    scan(&sandbox, &index, &WITH).code(3);
}

#[test]
fn a_run_that_writes_a_new_baseline_beside_an_old_one_ends_by_the_old_one() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "offender\nfine\n");
    scan(&sandbox, &index, &WRITE).code(0);
    sandbox.write("requirements.txt", "offender\nanother\nfine\n");
    let both = ["--baseline", "known.json", "--write-baseline", "new.json"];
    scan(&sandbox, &index, &both).code(1);
    scan(&sandbox, &index, &["--baseline", "new.json"]).code(0);
}

#[test]
fn a_baseline_is_not_overwritten_by_a_report() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "offender\n");
    let outcome = scan(&sandbox, &index, &[&WRITE[..], &["--output", "./known.json"]].concat());
    let told = stderr(&outcome.code(2));
    assert!(told.contains("known.json: expected another file than that of the report"), "{told}");
}

#[test]
fn a_run_that_checked_nothing_is_no_success_whatever_is_known_or_ignored() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "nowhere\n");
    scan(&sandbox, &index, &WRITE).code(3);
    scan(&sandbox, &index, &WITH).code(3);
    for configuration in [
        "ignore = [{ rule = \"not-checked\", reason = \"no network\" }]",
        "[rules]\nnot-checked = \"off\"",
    ] {
        sandbox.write("ftcheck.toml", configuration);
        scan(&sandbox, &index, &[]).code(3);
    }
    scan(&sandbox, &index, &["--exit-zero"]).code(0);
    // Of one beside others it is the user's to say.
    sandbox.write("requirements.txt", "nowhere\nfine\n");
    scan(&sandbox, &index, &[]).code(0);
}

#[test]
fn files_of_the_users_own_that_cannot_be_read_are_told_though_nothing_enables_the_gil() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "fine\n");
    sandbox.write("src/app.py", "import declares\n");
    scan(&sandbox, &index, &["--source", "src"]).code(0);
    sandbox.write("src/app.py", "import (\n");
    let told = stdout(&scan(&sandbox, &index, &["--source", "src"]).code(3));
    assert!(told.contains("src/app.py"), "{told}");
    let told = stderr(&scan(&sandbox, &index, &["--source", "nowhere"]).code(2));
    assert!(told.contains("nowhere: expected a folder for `--source`, found nothing"), "{told}");
}
