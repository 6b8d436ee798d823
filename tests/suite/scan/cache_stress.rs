//! What a cache meets with on real machines: disks that are full, folders that nobody may write to,
//! clocks that jump, and other versions of the program. The answer is the same in every case.
//!
//! Runs that are killed and many processes at once are in `cache_command.rs`.

use std::time::{Duration, SystemTime};

use super::cache::{files_below, index, json, sandbox};
use crate::support::index::FakeIndex;
use crate::support::wheel::sha256_hex;

/// A disk that has no room left: no file can grow beyond one block, as `write` tells the program.
#[cfg(unix)]
#[test]
fn a_full_disk_changes_no_answer_and_leaves_no_half_entry() {
    let (index, sandbox) = (index(), sandbox());
    let expected = json(&sandbox, &index, &["--no-cache"]);
    let run = |report: &[&str]| {
        let program = sandbox.process();
        let mut limited = std::process::Command::new("sh");
        // Without the signal, writing fails as it does where no space is left.
        limited.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"]);
        limited.arg(program.get_program()).env_clear();
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        limited.current_dir(program.get_current_dir().unwrap());
        limited.args(["scan", "--platform", super::PLATFORM, "--format", "json"]);
        limited.args(["--index-url", &index.simple_url()]).args(report);
        limited.output().unwrap()
    };
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let entries = files_below(&sandbox.cache_dir());
    // Nothing that was begun stays, and what fits into a block is whole.
    let names = |path: &std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().len();
    assert!(entries.iter().all(|path| names(path) == 62), "{entries:?}");
    sandbox.command().args(["cache", "verify"]).assert().code(0);
    // The index has the larger ones all the same.
    assert_eq!(json(&sandbox, &index, &[]), expected);

    // A report that finds no room is no report: not half of one either, nor a success.
    let output = run(&["--output", "report.json"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("report.json"), "{told}");
    let written = sandbox.path().join("report.json");
    assert!(!written.exists(), "{:?}", std::fs::read_to_string(written));
}

/// Root may write everywhere, so that this shows less where the tests are run by root.
#[cfg(unix)]
#[test]
fn a_folder_that_nobody_may_write_to_is_read_all_the_same() {
    use std::os::unix::fs::PermissionsExt as _;
    let (index, sandbox) = (index(), sandbox());
    let expected = json(&sandbox, &index, &[]);
    let mut folders = vec![sandbox.cache_dir()];
    folders.extend(files_below(&sandbox.cache_dir()).iter().flat_map(|file| {
        let above = file.ancestors().skip(1).take(2);
        above.map(std::path::Path::to_owned).collect::<Vec<_>>()
    }));
    let allow = |mode: u32| {
        for folder in &folders {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder, permissions).unwrap();
        }
    };
    allow(0o555);
    index.clear_requests();
    assert_eq!(json(&sandbox, &index, &[]), expected);
    assert!(index.requests_for("/files/").is_empty());
    allow(0o755);
}

/// Whether an entry counts does not hang on when it was written.
#[test]
fn a_clock_that_jumped_changes_nothing() {
    let (index, sandbox) = (index(), sandbox());
    let expected = json(&sandbox, &index, &[]);
    let year = Duration::from_hours(24 * 365);
    let entries = files_below(&sandbox.cache_dir());
    for written in [SystemTime::now() + 100 * year, SystemTime::UNIX_EPOCH + year] {
        for entry in &entries {
            let file = std::fs::File::options().write(true).open(entry).unwrap();
            file.set_modified(written).unwrap();
        }
        index.clear_requests();
        assert_eq!(json(&sandbox, &index, &[]), expected);
        assert!(index.requests_for("/files/").is_empty());
        let written_then = |entry: &std::path::PathBuf| {
            entry.metadata().and_then(|one| one.modified()).is_ok_and(|time| time == written)
        };
        assert!(entries.iter().filter(|entry| written_then(entry)).count() > 2);
        if written > SystemTime::now() {
            // How old these are is not known.
            sandbox.command().args(["cache", "prune", "--older-than", "0"]).assert().code(0);
            assert_eq!(files_below(&sandbox.cache_dir()), entries);
        }
    }
}

/// Other versions keep other forms under the same keys, or the same form in other folders. Neither is
/// taken for an answer, and neither keeps the other version from its own.
#[test]
fn what_other_versions_keep_is_not_taken_for_an_answer() {
    let (index, sandbox) = (index(), sandbox());
    let expected = json(&sandbox, &index, &[]);
    let entries = files_below(&sandbox.cache_dir());
    let text = |payload: &str| format!("{}\n{payload}", sha256_hex(payload.as_bytes()));
    for entry in &entries {
        let bytes = std::fs::read(entry).unwrap();
        let whole = String::from_utf8_lossy(&bytes).into_owned();
        // The digest of the key begins what follows the first line.
        let key: String = whole[65..].chars().filter(char::is_ascii_hexdigit).take(64).collect();
        let bucket = entry.ancestors().nth(2).unwrap();
        let name = bucket.file_name().unwrap().to_str().unwrap();
        for version in ["0", "99"] {
            let (kind, _) = name.rsplit_once("-v").unwrap();
            let folder = bucket.with_file_name(format!("{kind}-v{version}"));
            let other = folder.join(entry.strip_prefix(bucket).unwrap());
            std::fs::create_dir_all(other.parent().unwrap()).unwrap();
            std::fs::write(other, text(&format!("[\"{key}\",{{\"verdict\":\"other\"}}]"))).unwrap();
        }
        // A sound entry for this very key, in a form that this version does not know.
        std::fs::write(entry, text(&format!("[\"{key}\",{{\"form\":\"another\"}}]"))).unwrap();
    }
    assert_eq!(json(&sandbox, &index, &[]), expected);
    assert_eq!(warm(&sandbox, &index), (expected, 0));
    let kept = files_below(&sandbox.cache_dir());
    let of_others = kept.iter().filter(|path| {
        let bucket = path.ancestors().nth(2).unwrap().to_str().unwrap();
        bucket.ends_with("-v0") || bucket.ends_with("-v99")
    });
    assert_eq!(of_others.count(), 2 * entries.len());
}

/// The report, and how many requests for files it took.
fn warm(sandbox: &crate::support::Sandbox, index: &FakeIndex) -> (String, usize) {
    index.clear_requests();
    let report = json(sandbox, index, &[]);
    (report, index.requests_for("/files/").len())
}
