//! The user's own Python files below a folder, for what their imports do.
//!
//! Left out is what is not theirs: hidden folders, environments, and what packages were put into.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::model::imports::SourceFile;

/// The largest file that is read, in bytes; nobody writes larger ones by hand.
const MAX_FILE: u64 = 4 << 20;
/// Files that are read.
const MAX_FILES: usize = 50_000;

/// The Python files below `folder`, sorted by path, and what could not be read.
#[must_use]
pub fn sources(folder: &Path) -> (Vec<SourceFile>, Vec<String>) {
    let (mut found, mut problems) = (BTreeMap::new(), Vec::new());
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(is_own) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) => {
                if !is_harmless(&problem) {
                    problems.push(problem.to_string());
                }
                continue;
            }
        };
        if !entry.file_type().is_file() || !is_python(entry.path()) {
            continue;
        }
        let shown = entry.path().display();
        if entry.metadata().is_ok_and(|data| data.len() > MAX_FILE) {
            problems.push(format!("{shown}: larger than {MAX_FILE} bytes, not read"));
            continue;
        }
        if found.len() == MAX_FILES {
            problems.push(format!("{}: more than {MAX_FILES} Python files", folder.display()));
            break;
        }
        // One to which several paths lead is read once, by the shortest of them.
        match fs_err::canonicalize(entry.path()) {
            Ok(real) => {
                let path = found.entry(real).or_insert_with(|| entry.path().to_owned());
                if entry.depth() < path.strip_prefix(folder).map_or(0, depth) {
                    entry.path().clone_into(path);
                }
            }
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let mut paths: Vec<PathBuf> = found.into_values().collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        match fs_err::read(&path) {
            Ok(text) => files.push(SourceFile { path: path.display().to_string(), text }),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    (files, problems)
}

fn depth(path: &Path) -> usize {
    path.components().count()
}

fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|one| one == "py" || one == "pyw")
}

/// Whether nothing is missed: a link to a folder that it lies in, which is read anyway, or one that
/// leads nowhere and is no Python file.
fn is_harmless(problem: &walkdir::Error) -> bool {
    let Some(path) = problem.path() else { return false };
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let leads_nowhere = path.is_symlink() && !path.exists();
    problem.loop_ancestor().is_some() || leads_nowhere && (hidden || !is_python(path))
}

/// Whether a file or folder is the user's own, as far as its name and what lies in it tell.
fn is_own(entry: &DirEntry) -> bool {
    if entry.depth() == 0 || !entry.file_type().is_dir() {
        return true;
    }
    let name = entry.file_name().to_string_lossy();
    let foreign = matches!(name.as_ref(), "__pycache__" | "node_modules" | "site-packages");
    !foreign && !name.starts_with('.') && !entry.path().join("pyvenv.cfg").exists()
}
