//! Support for the integration tests.
//!
//! - [`wheel`] builds wheels and stand-in source distributions in memory, and
//!   [`damage`] breaks them in chosen ways.
//! - [`index`] serves them as a package index over HTTP, made of [`http`] (the
//!   server), [`pages`] (HTML and JSON), [`ranges`] (parts of files) and
//!   [`faults`] (misbehaviour on request).
//! - [`forge`] is a fake GitHub and a fake GitLab.
//! - This module runs the built program in a [`Sandbox`] and reads the compiled
//!   extension modules among the fixtures.

// A tool box: not every part is in use at every time.
#![allow(dead_code)]

pub(crate) mod damage;
pub(crate) mod faults;
pub(crate) mod forge;
pub(crate) mod git;
pub(crate) mod http;
pub(crate) mod index;
pub(crate) mod pages;
pub(crate) mod ranges;
pub(crate) mod sdist;
pub(crate) mod tls;
pub(crate) mod wheel;
pub(crate) mod zips;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// Variables the program needs from outside to run at all: to find other
/// programs, to open sockets and make temporary files on Windows, and to write
/// its part of a coverage measurement.
const KEPT_VARIABLES: [&str; 5] = ["PATH", "SystemRoot", "TEMP", "TMP", "LLVM_PROFILE_FILE"];

/// Reads `fixtures/modules/built/TARGET/STEM.so`, or `.pyd` for Windows.
pub(crate) fn fixture_module(target: &str, stem: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules/built").join(target);
    // Not `with_extension`: a stem such as `spam.abi3` has a dot of its own.
    let path = ["so", "pyd"]
        .map(|extension| folder.join(format!("{stem}.{extension}")))
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no {stem}.so or {stem}.pyd in {}", folder.display()));
    fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Checks that SECURITY.md has this row: what was tried, and what it led to.
pub(crate) fn assert_in_threat_model(tried: &str, code: i32, verdict: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md");
    let row = format!("| {tried} | {code} | {verdict} |");
    let is_there = fs::read_to_string(path).expect("the file").lines().any(|line| line == row);
    assert!(is_there, "SECURITY.md has no row {row}");
}

/// A fresh sandbox for the program. Keep it as long as its commands run.
pub(crate) fn ftcheck() -> Sandbox {
    Sandbox::new()
}

/// A temporary folder and an environment in which the program sees nothing of
/// the machine it runs on: no settings, no proxy, no cache of earlier runs.
pub(crate) struct Sandbox {
    pub dir: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("cannot make a temporary folder");
        let sandbox = Self { dir };
        // The working folder lies beside the others, so that a program told to
        // look at `.` does not find its own cache there.
        for folder in [sandbox.path(), sandbox.home()] {
            fs::create_dir(&folder).expect("cannot make a folder in the sandbox");
        }
        sandbox
    }

    /// The folder commands run in.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// Where the program is told to keep its cache. Not there until it does.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    /// Writes a file below the working folder and returns its full path.
    pub(crate) fn write(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let full_path = self.path().join(path);
        if let Some(folder) = full_path.parent() {
            fs::create_dir_all(folder).expect("cannot make a folder in the sandbox");
        }
        fs::write(&full_path, contents).expect("cannot write a file in the sandbox");
        full_path
    }

    /// The program, not yet with any arguments.
    pub(crate) fn command(&self) -> Command {
        Command::from_std(self.process())
    }

    /// The same as a process that may run beside the test.
    pub(crate) fn process(&self) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ftcheck"));
        command.env_clear();
        for name in KEPT_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .current_dir(self.path())
            .env("HOME", self.home())
            .env("XDG_CACHE_HOME", self.home().join(".cache"))
            .env("FTCHECK_CACHE_DIR", self.cache_dir())
            // Nor what uv and pip are told on this machine.
            .env("UV_NO_CONFIG", "1")
            .env("PIP_CONFIG_FILE", if cfg!(windows) { "nul" } else { "/dev/null" })
            // Without a proxy variable some platforms ask the system for one.
            .env("NO_PROXY", "127.0.0.1");
        command
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}
