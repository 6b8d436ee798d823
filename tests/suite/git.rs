//! Files of a revision, of repositories that may hold anything.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ftcheck::git::Repository;
use tempfile::{TempDir, tempdir};

use crate::support::git::{ALONE, commit, git, repository, try_git};

fn of(files: &[(&str, &str)]) -> TempDir {
    let folder = tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    repository(folder.path());
    folder
}

/// What is taken out of a commit: the files with their content, and what is told.
fn taken(folder: &TempDir, name: &str) -> (Vec<(String, String)>, Vec<String>) {
    let repository = Repository::of(folder.path()).unwrap();
    let commit = repository.commit(name).unwrap();
    let into = tempdir().unwrap();
    let extracted =
        repository.extract(&commit, into.path(), |path| !path.ends_with(".png")).unwrap();
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(into.path()).sort_by_file_name() {
        let entry = entry.unwrap();
        assert!(!entry.path_is_symlink());
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(into.path()).unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            files.push((path.to_string_lossy().replace('\\', "/"), text));
        }
    }
    assert_eq!(extracted.files, files.len());
    (files, extracted.notes)
}

fn pair(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

#[test]
fn the_files_as_they_were_and_only_those_that_are_wanted() {
    let folder = of(&[("a.txt", "old\n"), ("sub dir/é.txt", ""), ("b.png", "x")]);
    fs::write(folder.path().join("a.txt"), "new").unwrap();
    fs::write(folder.path().join("c.txt"), "new").unwrap();
    let (files, notes) = taken(&folder, "HEAD");
    assert_eq!(files, [pair("a.txt", "old\n"), pair("sub dir/é.txt", "")]);
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn a_name_that_stands_for_no_commit() {
    let folder = of(&[("a.txt", "")]);
    let repository = Repository::of(folder.path()).unwrap();
    let blob = git(folder.path(), &["rev-parse", "HEAD:a.txt"]);
    for name in ["nowhere", "", "--all", "-h", "HEAD:a.txt", &blob, "HEAD\nHEAD", "..", "@{9}"] {
        let problem = repository.commit(name).unwrap_err();
        assert!(problem.problem.contains("stands for none"), "{name}: {problem}");
    }
    assert_eq!(repository.commit("main").unwrap(), repository.commit("HEAD").unwrap());
}

#[test]
fn no_repository_is_told_as_such() {
    let problem = Repository::of(tempdir().unwrap().path()).unwrap_err();
    assert!(problem.problem.contains("expected a git repository"), "{problem}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_within_the_tree_and_never_made() {
    let folder = of(&[("real/a.txt", "text")]);
    let link = |target: &str, path: &str| {
        std::os::unix::fs::symlink(target, folder.path().join(path)).unwrap();
    };
    link("real/a.txt", "near.txt");
    link("../real/a.txt", "real/up.txt");
    link("/etc/passwd", "far.txt");
    link("../../../../etc/passwd", "out.txt");
    link("real", "folder.txt");
    commit(folder.path(), "links");
    let (files, notes) = taken(&folder, "HEAD");
    assert_eq!(
        files,
        [pair("near.txt", "text"), pair("real/a.txt", "text"), pair("real/up.txt", "text")]
    );
    assert_eq!(notes.len(), 3, "{notes:?}");
}

/// The id of an object that git itself would not make.
fn hashed(folder: &Path, kind: &str, content: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(["hash-object", "-t", kind, "-w", "--stdin", "--literally"])
        .current_dir(folder)
        .envs(ALONE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(content).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn bytes(id: &str) -> Vec<u8> {
    (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn hostile_paths_are_passed_over() {
    let folder = of(&[("a.txt", "")]);
    let blob = hashed(folder.path(), "blob", b"evil");
    let tree = |entries: &[(&str, &str, &[u8])]| {
        let mut content = Vec::new();
        for (mode, id, name) in entries {
            content.extend_from_slice(mode.as_bytes());
            content.push(b' ');
            content.extend_from_slice(name);
            content.push(0);
            content.extend(bytes(id));
        }
        hashed(folder.path(), "tree", &content)
    };
    let below = tree(&[("100644", &blob, b"evil.txt")]);
    let module = "1".repeat(40);
    let root = tree(&[
        ("40000", &below, b".."),
        ("100644", &blob, b"a\\b.txt"),
        ("100644", &blob, b"C:evil.txt"),
        ("40000", &below, b"fine"),
        ("100644", &blob, b"latin-\xe9.txt"),
        ("160000", &module, b"module"),
    ]);
    let head = git(folder.path(), &["commit-tree", &root, "-m", "evil"]);
    let (files, notes) = taken(&folder, &head);
    assert_eq!(files, [pair("fine/evil.txt", "evil")]);
    assert_eq!(notes.len(), 5, "{notes:?}");
}

#[test]
fn an_object_that_is_missing_is_an_error() {
    let folder = of(&[("a.txt", "text")]);
    let blob = git(folder.path(), &["rev-parse", "HEAD:a.txt"]);
    let object = folder.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::remove_file(object).unwrap();
    let repository = Repository::of(folder.path()).unwrap();
    let commit = repository.commit("HEAD").unwrap();
    repository.extract(&commit, tempdir().unwrap().path(), |_| true).unwrap_err();
}

/// Nothing that a repository's configuration names is run.
#[cfg(unix)]
#[test]
fn neither_hooks_nor_filters_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = of(&[("a.txt", "text"), (".gitattributes", "* filter=evil diff=evil\n")]);
    let (script, trace) = (folder.path().join("evil.sh"), folder.path().join("trace"));
    fs::write(&script, format!("#!/bin/sh\ntouch '{}'\ncat\n", trace.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "core.alternateRefsCommand",
    ] {
        git(folder.path(), &["config", key, script]);
    }
    for hook in ["post-checkout", "post-index-change", "reference-transaction"] {
        fs::copy(script, folder.path().join(".git/hooks").join(hook)).unwrap();
    }
    // The trap works: an ordinary command falls into it.
    try_git(folder.path(), &["status"]);
    assert!(trace.exists());
    fs::remove_file(&trace).unwrap();

    let repository = Repository::of(folder.path()).unwrap();
    let commit = repository.commit("main").unwrap();
    repository.merge_base(&commit, "main").unwrap();
    repository.renames(&commit).unwrap();
    taken(&folder, "main");
    assert!(!trace.exists());
}

#[test]
fn renames_that_the_index_knows() {
    let text = "a line\n".repeat(20);
    let folder = of(&[("a.txt", &text), ("b.txt", "another\n")]);
    let repository = Repository::of(folder.path()).unwrap();
    let first = repository.commit("HEAD").unwrap();
    git(folder.path(), &["mv", "a.txt", "é c.txt"]);
    let renames = repository.renames(&first).unwrap();
    assert_eq!(renames, [("a.txt".to_owned(), "é c.txt".to_owned())]);
}
