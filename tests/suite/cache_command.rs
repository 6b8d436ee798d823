//! `ftcheck cache`, and what is left of runs that were killed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use crate::support::index::FakeIndex;
use crate::support::wheel::WheelBuilder;
use crate::support::{Sandbox, fixture_module};

fn index() -> FakeIndex {
    let module = fixture_module("x86_64-linux-gnu", "declares_nothing");
    let offender = WheelBuilder::new("offender", "1.0")
        .tag("cp314-cp314t-manylinux_2_28_x86_64")
        .file("declares_nothing.cpython-314t-x86_64-linux-gnu.so", module)
        .build();
    let mut index = FakeIndex::builder().file(offender);
    for number in 0..8 {
        let module = fixture_module("x86_64-linux-gnu", "declares");
        index = index.file(
            WheelBuilder::new(&format!("fine{number}"), "1.0")
                .tag("cp314-cp314t-manylinux_2_28_x86_64")
                .file("declares.cpython-314t-x86_64-linux-gnu.so", module)
                .build(),
        );
    }
    index.start()
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let fine: String = (0..8).map(|number| format!("fine{number}\n")).collect();
    sandbox.write("requirements.txt", format!("offender\n{fine}"));
    sandbox
}

const PLATFORM: [&str; 2] = ["--platform", "x86_64-manylinux_2_28"];

fn scan(sandbox: &Sandbox, index: &FakeIndex) -> String {
    let outcome = sandbox
        .command()
        .args(["scan", "--format", "json", "--index-url", &index.simple_url()])
        .args(PLATFORM)
        .assert()
        .code(1);
    String::from_utf8(outcome.get_output().stdout.clone()).unwrap()
}

fn cache(sandbox: &Sandbox, arguments: &[&str], code: i32) -> String {
    let outcome = sandbox.command().arg("cache").args(arguments).assert().code(code);
    String::from_utf8(outcome.get_output().stdout.clone()).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    all.filter(|item| item.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

#[test]
fn what_there_is_is_told_pruned_and_removed() {
    let (index, sandbox) = (index(), sandbox());
    assert_eq!(cache(&sandbox, &["size"], 0), "total  0 B in 0 entries\n");
    scan(&sandbox, &index);
    let dir = cache(&sandbox, &["dir"], 0);
    assert_eq!(Path::new(dir.trim_end()), sandbox.cache_dir());
    let size = cache(&sandbox, &["size"], 0);
    assert!(size.contains("wheels-v1") && size.contains("in 9 entries"), "{size}");
    let count = files(&sandbox.cache_dir()).len();
    assert_eq!(cache(&sandbox, &["verify"], 0), format!("{count} sound, 0 damaged\n"));
    // Nothing is that old.
    assert_eq!(cache(&sandbox, &["prune"], 0), "removed 0 B in 0 entries\n");
    assert!(cache(&sandbox, &["clean"], 0).ends_with(&format!(" in {count} entries\n")));
    assert!(!sandbox.cache_dir().exists());
}

#[test]
fn only_what_is_old_or_of_former_versions_is_pruned() {
    let (index, sandbox) = (index(), sandbox());
    scan(&sandbox, &index);
    let root = sandbox.cache_dir();
    let entry = "0".repeat(62);
    let put = |folder: &str, name: &str, days: u64| {
        let path = root.join(folder).join("ab").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        let written = SystemTime::now() - Duration::from_hours(24 * days);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
        path
    };
    let gone = [
        put("wheels-v0", &entry, 0),
        put("wheels-v1", &entry, 91),
        put("pages-v2", ".tmpAbCdEf", 1),
    ];
    let kept = [
        put("wheels-v1", &entry.replace('0', "1"), 89),
        put("wheels-v99", &entry, 400),
        put("wheels-v1", "notes.txt", 400),
        put("pages-v2", ".tmpGhIjKl", 0),
        put("others", &entry, 400),
        put("others-v1", &entry, 400),
    ];
    let before = files(&root).len();
    assert_eq!(cache(&sandbox, &["prune"], 0), "removed 3 B in 3 entries\n");
    assert!(gone.iter().all(|path| !path.exists()));
    assert!(kept.iter().all(|path| path.exists()));
    assert!(!root.join("wheels-v0").exists());
    assert_eq!(files(&root).len(), before - 3);
    // What others put there stays, in any case.
    cache(&sandbox, &["clean"], 0);
    let left = files(&root);
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn what_is_damaged_is_named_and_never_used() {
    let (index, sandbox) = (index(), sandbox());
    let whole = scan(&sandbox, &index);
    let damaged = files(&sandbox.cache_dir().join("wheels-v1"));
    for (number, path) in damaged.iter().enumerate() {
        let mut bytes = std::fs::read(path).unwrap();
        match number % 3 {
            0 => bytes.truncate(bytes.len() / 2),
            1 => bytes.clear(),
            _ => *bytes.last_mut().unwrap() ^= 1,
        }
        std::fs::write(path, bytes).unwrap();
    }
    assert!(cache(&sandbox, &["verify"], 1).ends_with(" sound, 9 damaged\n"));
    assert_eq!(scan(&sandbox, &index), whole);
    assert!(cache(&sandbox, &["verify"], 0).ends_with(" sound, 0 damaged\n"));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let (index, sandbox) = (index(), sandbox());
    scan(&sandbox, &index);
    let entry = "0".repeat(62);
    let outside = sandbox.write(format!("outside/ab/{entry}"), "mine");
    let folder = outside.parent().unwrap().parent().unwrap().to_owned();
    let root = sandbox.cache_dir();
    std::os::unix::fs::symlink(&folder, root.join("wheels-v0")).unwrap();
    std::os::unix::fs::symlink(folder.join("ab"), root.join("wheels-v1/zz")).unwrap();
    cache(&sandbox, &["prune", "--older-than", "0"], 0);
    cache(&sandbox, &["clean"], 0);
    assert!(outside.exists());
}

/// Killed at any moment, a run leaves nothing that a later one would take for whole.
#[test]
fn two_hundred_killed_runs_leave_a_sound_cache() {
    let (index, sandbox) = (index(), sandbox());
    let expected = {
        let (other, sandbox) = (&index, self::sandbox());
        scan(&sandbox, other)
    };
    let mut killed = 0;
    let mut number = 0_u64;
    while killed < 200 {
        number += 1;
        assert!(number < 2000, "only {killed} were killed: runs end before they are");
        let mut child = sandbox
            .process()
            .args(["scan", "--index-url", &index.simple_url()])
            .args(PLATFORM)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread over a run, in steps that no part of it is in step with.
        std::thread::sleep(Duration::from_micros(number * 7919 % 40_000));
        killed += u32::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        if number.is_multiple_of(20) {
            cache(&sandbox, &["verify"], 0);
            // From the beginning again, else all is soon there.
            cache(&sandbox, &["clean"], 0);
        }
    }
    for _ in 0..2 {
        assert_eq!(scan(&sandbox, &index), expected);
        cache(&sandbox, &["verify"], 0);
    }
}

#[test]
fn sixteen_processes_share_a_cache() {
    let (index, sandbox) = (index(), sandbox());
    let start = || {
        let mut process = sandbox.process();
        process.args(["scan", "--format", "json", "--index-url", &index.simple_url()]);
        process.args(PLATFORM).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = (0..16).map(|_| start()).collect();
    let mut reports: Vec<Vec<u8>> = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        reports.push(output.stdout);
    }
    reports.dedup();
    assert_eq!(reports.len(), 1);
    cache(&sandbox, &["verify"], 0);
}
