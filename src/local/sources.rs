//! The user's own Python files below a folder, for what their imports do.
//!
//! Left out is what is not theirs: hidden folders, environments, and what packages were put into.

use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::model::imports::SourceFile;

/// The largest file that is read, in bytes; nobody writes larger ones by hand.
const MAX_FILE: u64 = 4 << 20;
/// Files that are read.
const MAX_FILES: usize = 50_000;

/// The Python files below `folder`, sorted by path, and what could not be read.
#[must_use]
pub fn sources(folder: &Path) -> (Vec<SourceFile>, Vec<String>) {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(is_own);
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) => {
                problems.push(problem.to_string());
                continue;
            }
        };
        let is_python = entry.path().extension().is_some_and(|one| one == "py" || one == "pyw");
        if !entry.file_type().is_file() || !is_python {
            continue;
        }
        let path = entry.path().display().to_string();
        if entry.metadata().is_ok_and(|data| data.len() > MAX_FILE) {
            problems.push(format!("{path}: larger than {MAX_FILE} bytes, not read"));
            continue;
        }
        if files.len() == MAX_FILES {
            problems.push(format!("{}: more than {MAX_FILES} Python files", folder.display()));
            break;
        }
        match fs_err::read(entry.path()) {
            Ok(text) => files.push(SourceFile { path, text }),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    (files, problems)
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
