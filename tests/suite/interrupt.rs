//! Ctrl-C in the middle of a run.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::Sandbox;
use crate::support::index::{FakeIndex, Fault};
use crate::support::wheel::WheelBuilder;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

/// The program as [`Sandbox::command`] has it, but running beside the test.
fn start(sandbox: &Sandbox, index: &FakeIndex, arguments: &[&str]) -> Child {
    let mut command = sandbox.process();
    command
        .args(arguments)
        .args(["--platform", "linux", "--index-url", &index.simple_url()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What Ctrl-C does to a program in the foreground of a terminal.
fn interrupt(child: &Child) {
    // Every shell has `kill`; the program of that name is missing on small systems.
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Waits until the index was asked for what contains `path`.
fn wait_for_request(index: &FakeIndex, path: &str) {
    let begun = Instant::now();
    while index.requests_for(path).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:#?}", index.requests());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn end(child: Child) -> Output {
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "took {:?}", begun.elapsed());
    output
}

fn index() -> FakeIndex {
    FakeIndex::builder()
        .file(WheelBuilder::new("fine", "1.0").build())
        .file(WheelBuilder::new("slow", "1.0").build())
        .start()
}

#[test]
fn ctrl_c_ends_a_scan_with_130_and_leaves_a_cache_that_is_whole() {
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("requirements.txt", "fine\nslow\n");
    // Byte by byte, so that the run is in the middle of an answer.
    index.add_fault("/slow-1.0", Fault::Drip(Duration::from_millis(200)));
    let child = start(&sandbox, &index, &["scan"]);
    wait_for_request(&index, "/slow-1.0");
    interrupt(&child);
    let output = end(child);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(output.status.signal(), None);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "looking at requirements.txt\ninterrupted\n"
    );
    // Nothing half-written, and what is there serves the next run.
    let files = files_below(&sandbox.cache_dir());
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.len() == 62 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }
    index.clear_requests();
    let url = index.simple_url();
    let again = ["check", "fine", "--platform", "linux", "--index-url", &url];
    sandbox.command().args(again).assert().code(0);
    assert!(index.requests_for("/simple/").iter().all(|request| request.status == 304));
}

#[test]
fn ctrl_c_ends_what_is_still_resolving() {
    let (index, sandbox) = (index(), Sandbox::new());
    index.add_fault("/simple/slow", Fault::Delay(Duration::from_secs(20)));
    for arguments in [["check", "slow"].as_slice(), &["why", "slow", "-"]] {
        index.clear_requests();
        sandbox.write("requirements.txt", "slow\n");
        let arguments: Vec<_> = arguments
            .iter()
            .map(|word| if *word == "-" { "requirements.txt" } else { word })
            .collect();
        let child = start(&sandbox, &index, &arguments);
        wait_for_request(&index, "/simple/slow");
        interrupt(&child);
        assert_eq!(end(child).status.code(), Some(130));
    }
}
