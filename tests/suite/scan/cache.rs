//! What is kept between runs, and that it never changes an answer.

use std::path::{Path, PathBuf};

use super::{large_wheel, report, scan, stdout, wheel_of};
use crate::support::Sandbox;
use crate::support::index::FakeIndex;

pub(super) fn index() -> FakeIndex {
    FakeIndex::builder()
        .file(large_wheel("offender", "1.0", &["declares_used", "declares"]))
        .file(wheel_of("fine", "1.0", &["declares"]).build())
        .start()
}

pub(super) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "offender\nfine\n");
    sandbox
}

pub(super) fn json(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str]) -> String {
    let arguments = [&["--format", "json"], arguments].concat();
    stdout(&scan(sandbox, index, &arguments).code(1))
}

pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn equal_runs_are_equal_byte_for_byte_cold_warm_and_offline() {
    let (index, sandbox) = (index(), sandbox());
    let cold = json(&sandbox, &index, &[]);
    assert_eq!(cold, json(&sandbox, &index, &[]));
    assert_eq!(cold, json(&sandbox, &index, &["--offline"]));
    assert_eq!(cold, json(&sandbox, &index, &["--no-cache", "--jobs", "1"]));
}

#[test]
fn a_second_run_opens_no_wheel_and_only_revalidates_pages() {
    let (index, sandbox) = (index(), sandbox());
    report(&sandbox, &index, 1);
    index.clear_requests();
    report(&sandbox, &index, 1);
    let requests = index.requests();
    assert_eq!(requests.len(), 2, "{requests:#?}");
    for request in requests {
        assert!(request.path.starts_with("/simple/"));
        assert!(request.if_none_match.is_some());
        assert_eq!(request.status, 304);
    }
}

#[test]
fn a_page_that_changed_is_read_anew() {
    let (index, sandbox) = (index(), sandbox());
    report(&sandbox, &index, 1);
    index.add_file(wheel_of("fine", "2.0", &["declares_used"]).build());
    let report = report(&sandbox, &index, 1);
    assert_eq!(super::package(&report, "fine")["version"], "2.0");
    assert_eq!(super::package(&report, "fine")["verdict"], "enables-gil");
}

#[test]
fn offline_asks_nothing_and_says_what_it_could_not_check() {
    let (index, sandbox) = (index(), sandbox());
    let outcome = scan(&sandbox, &index, &["--offline", "--format", "json"]).code(3);
    assert!(index.requests().is_empty());
    assert!(stdout(&outcome).contains("not in the cache, and the network is not used"));
}

#[test]
fn without_a_cache_nothing_is_written() {
    let (index, sandbox) = (index(), sandbox());
    json(&sandbox, &index, &["--no-cache"]);
    assert!(!sandbox.cache_dir().exists());
}

#[test]
fn a_damaged_entry_is_dropped_and_redone() {
    let (index, sandbox) = (index(), sandbox());
    let expected = json(&sandbox, &index, &[]);
    let entries = files_below(&sandbox.cache_dir());
    let kinds = "two pages, their metadata, two wheels and what their modules name, their Python files, \
                 what imports do";
    assert_eq!(entries.len(), 11, "{kinds}: {entries:#?}");
    for (at, path) in entries.iter().enumerate() {
        let mut bytes = std::fs::read(path).unwrap();
        match at {
            0 => bytes.truncate(bytes.len() / 2),
            1 => bytes.clear(),
            // A changed answer inside an otherwise sound entry.
            _ => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
        }
        std::fs::write(path, bytes).unwrap();
    }
    assert_eq!(expected, json(&sandbox, &index, &[]));
    index.clear_requests();
    assert_eq!(expected, json(&sandbox, &index, &[]));
    assert!(index.requests_for("/files/").is_empty(), "the entries were written anew");
}

/// What the modules of a wheel name is kept beside what they do, and may be thrown away by itself.
#[test]
fn what_modules_name_is_looked_up_again_where_it_is_not_kept() {
    let (index, sandbox) = (index(), sandbox());
    let expected = json(&sandbox, &index, &[]);
    for kind in ["mentions-v1", "imports-v1"] {
        std::fs::remove_dir_all(sandbox.cache_dir().join(kind)).unwrap();
    }
    index.clear_requests();
    assert_eq!(expected, json(&sandbox, &index, &[]));
    assert!(!index.requests_for("/files/").is_empty(), "the wheels were looked into again");
    std::fs::remove_dir_all(sandbox.cache_dir().join("imports-v1")).unwrap();
    index.clear_requests();
    assert_eq!(expected, json(&sandbox, &index, &[]));
    assert!(index.requests_for("/files/").is_empty(), "the names were kept anew");
}

#[test]
fn an_answer_for_one_target_is_not_given_for_another() {
    // {4, 2}: on 3.14t anything but 0 keeps the GIL off, on 3.15t only 1 does.
    let index = FakeIndex::builder()
        .file(
            crate::support::wheel::WheelBuilder::new("two", "1.0")
                .tag("py3-none-manylinux_2_17_x86_64")
                .file(
                    "value_two.so",
                    crate::support::fixture_module("x86_64-linux-gnu", "value_two"),
                )
                .build(),
        )
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "two\n");
    scan(&sandbox, &index, &["--target", "3.14t"]).code(0);
    scan(&sandbox, &index, &["--target", "3.15t"]).code(1);
}

#[test]
fn eight_processes_share_a_cache() {
    let (index, sandbox) = (index(), sandbox());
    let outputs: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| json(&sandbox, &index, &[]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
    index.clear_requests();
    assert_eq!(outputs[0], json(&sandbox, &index, &[]));
    assert!(index.requests_for("/files/").is_empty());
}

#[test]
fn a_cache_that_cannot_be_written_does_not_change_the_outcome() {
    let (index, sandbox) = (index(), sandbox());
    let expected = json(&sandbox, &index, &["--no-cache"]);
    // A file where the folder should be.
    std::fs::write(sandbox.cache_dir(), "in the way").unwrap();
    assert_eq!(expected, json(&sandbox, &index, &[]));
}

#[test]
fn credentials_of_the_index_are_not_kept() {
    let (index, sandbox) = (index(), sandbox());
    let url = index.simple_url().replace("http://", "http://user:hunter2@");
    sandbox
        .command()
        .args(["scan", "--platform", super::PLATFORM, "--index-url", &url])
        .assert()
        .code(1);
    let entries = files_below(&sandbox.cache_dir());
    assert!(!entries.is_empty());
    for entry in entries {
        let text = String::from_utf8_lossy(&std::fs::read(&entry).unwrap()).into_owned();
        assert!(!text.contains("hunter2"), "{}", entry.display());
    }
}
