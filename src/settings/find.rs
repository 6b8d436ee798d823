//! Where the configuration lies.

use std::path::{Component, Path, PathBuf};

use super::{ProjectSettings, read};
use crate::input::{InputError, Source};

/// The file that holds nothing else, which counts before the other in the same folder.
const OWN: &str = "ftcheck.toml";
/// The file that holds it in a table.
const SHARED: &str = "pyproject.toml";

/// What lies in the folder that is the root of a repository.
const ROOTS: [&str; 3] = [".git", ".hg", ".jj"];

/// Reads the nearest configuration: in a folder, or in those above it up to the root of the
/// repository. Outside of a repository only the folder itself is looked into, so that nothing in a
/// folder that belongs to others decides what counts.
///
/// # Errors
/// Where the file cannot be read, or does not say what it may say.
pub fn find(folder: &Path) -> Result<Option<ProjectSettings>, InputError> {
    let start = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(start) = std::fs::canonicalize(start) else { return Ok(None) };
    let is_root = |folder: &Path| ROOTS.iter().any(|name| folder.join(name).exists());
    let height = start.ancestors().position(is_root).unwrap_or(0);
    let mut shown = folder.to_owned();
    for (above, folder) in start.ancestors().take(height + 1).enumerate() {
        if above > 0 {
            shown = parent(&shown);
        }
        for name in [OWN, SHARED] {
            let path = folder.join(name);
            if !path.is_file() {
                continue;
            }
            let source = open(&path, &as_shown(&shown, folder).join(name))?;
            if let Some(settings) = read(source).map_err(hinted)? {
                return Ok(Some(settings));
            }
        }
    }
    Ok(None)
}

/// A file under the name that users know it by.
fn open(path: &Path, shown: &Path) -> Result<Source, InputError> {
    let source = Source::open(path).map_err(hinted)?;
    Ok(Source::of_text(shown, &shown.display().to_string(), source.text))
}

/// The folder as it was named, if that is where it leads; links may lead elsewhere.
fn as_shown(shown: &Path, folder: &Path) -> PathBuf {
    let asked = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
    let is_same = std::fs::canonicalize(asked).is_ok_and(|found| found == folder);
    let shown = shown.strip_prefix(".").unwrap_or(shown);
    if is_same { shown.to_owned() } else { folder.to_owned() }
}

fn parent(folder: &Path) -> PathBuf {
    match folder.components().next_back() {
        Some(Component::Normal(_)) => folder.parent().unwrap_or(folder).to_owned(),
        Some(Component::CurDir) | None => PathBuf::from(".."),
        _ => folder.join(".."),
    }
}

fn hinted(problem: InputError) -> InputError {
    if problem.hint.is_some() {
        return problem;
    }
    problem.hint("--no-config leaves the configuration out")
}
