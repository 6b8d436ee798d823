//! The manifest as of a git revision, and as it is in the working tree.
//!
//! The files of the revision that may matter are written to a temporary folder, and looked at from
//! there with the working directory changed: so that relative paths, in arguments and in the files,
//! lead to the files of the revision, and findings have the same paths on both sides.

use std::path::{Component, Path, PathBuf};

use ftcheck::diff::{Comparison, Sides, compare};
use ftcheck::git::{Commit, GitError, Repository};
use ftcheck::input;
use tempfile::TempDir;

use super::Scanner;
use crate::Failure;

/// What is compared with what.
pub(super) struct Revision {
    repository: Repository,
    base: Commit,
    /// The revision as it is shown.
    shown: String,
    /// The working directory, from the root of the repository; the root where it lies outside.
    folder: PathBuf,
    /// The manifest or directory, from there.
    asked: PathBuf,
    /// The same from the root, with `/` between its parts.
    path: String,
}

impl Revision {
    pub(super) fn new(name: &str, exact: bool, path: &Path) -> Result<Self, Failure> {
        let absolute = located(path)?;
        let existing = absolute.ancestors().find(|folder| folder.is_dir());
        let repository = Repository::of(existing.unwrap_or(Path::new("."))).map_err(git_failure)?;
        let root = repository.root().to_owned();
        let outside = || {
            let problem = format!("{}: expected a path in {}", path.display(), root.display());
            Failure::new(problem)
        };
        let below = absolute.strip_prefix(&root).map_err(|_| outside())?.to_owned();
        let here = std::env::current_dir().and_then(std::fs::canonicalize).map_err(|problem| {
            Failure::new(format!("the working directory cannot be read: {problem}"))
        })?;
        // One that leads out of the repository and back would not do so from the temporary folder.
        let stays =
            path.is_relative() && !path.components().any(|part| part == Component::ParentDir);
        let (folder, asked) = match here.strip_prefix(&root) {
            Ok(folder) if stays => (folder.to_owned(), path.to_owned()),
            _ if below.as_os_str().is_empty() => (PathBuf::new(), PathBuf::from(".")),
            _ => (PathBuf::new(), below.clone()),
        };
        let named = repository.commit(name).map_err(git_failure)?;
        let base =
            if exact { named } else { repository.merge_base(&named, name).map_err(git_failure)? };
        let shown = format!("{name} ({})", base.short());
        Ok(Self { repository, base, shown, folder, asked, path: slashed(&below) })
    }

    /// Scans both sides and compares them.
    pub(super) fn compare(self, scanner: &Scanner) -> Result<Comparison, Failure> {
        let renames = self.repository.renames(&self.base).map_err(git_failure)?;
        let here = self.repository.root().join(&self.folder);
        // In a directory it is what was found there that may have another name on the other side.
        let of_tree = self.found_in(&here)?;
        let named = of_tree.as_deref().unwrap_or(&self.path);
        let from = renames.iter().find(|(_, to)| to == named).map(|(from, _)| from.as_str());
        let taken = Taken::new()?;
        let wants = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            path == self.path || from == Some(path) || input::may_be_of_project(name)
        };
        let extracted =
            self.repository.extract(&self.base, &taken.tree, wants).map_err(git_failure)?;
        let mut notes = extracted.notes;

        let of_base = self.found_in(&taken.tree.join(&self.folder))?;
        let named = of_base.as_deref().unwrap_or(&self.path);
        let to = renames.iter().find(|(from, _)| from == named).map(|(_, to)| to.as_str());
        let old = {
            let _inside = Inside::enter(&taken.tree.join(&self.folder))?;
            let old = self.found(from, "from", &mut notes)?;
            let scan = |path: PathBuf| {
                let report = scanner.scan(&path).map_err(|failure| self.of_base(failure))?;
                Ok::<_, Failure>((path, report))
            };
            old.map(scan).transpose()?
        };
        let new = {
            let _inside = Inside::enter(&here)?;
            let new = self.found(to, "to", &mut notes)?;
            new.map(|path| Ok::<_, Failure>((scanner.scan(&path)?, path))).transpose()?
        };
        if old.is_none() && new.is_none() {
            let shown = self.asked.display();
            let problem = format!(
                "{shown}: expected files that name dependencies here or at {}, found none",
                self.shown
            );
            return Err(Failure::new(problem));
        }
        let name = |path: Option<&PathBuf>| path.unwrap_or(&self.asked).display().to_string();
        let mut comparison = compare(Sides {
            old_name: format!("{} at {}", name(old.as_ref().map(|(path, _)| path)), self.shown),
            new_name: name(new.as_ref().map(|(_, path)| path)),
            old: old.as_ref().map(|(_, report)| report),
            new: new.as_ref().map(|(report, _)| report),
        });
        if old.is_none() {
            notes.push(format!(
                "{} is not in {}: all of it is new",
                self.asked.display(),
                self.shown
            ));
        }
        if new.is_none() {
            let was = old.as_ref().map_or(&self.asked, |(path, _)| path).display();
            if here.join(&self.asked).is_dir() {
                // What took its place may have any name.
                comparison.report.gaps.push(format!(
                    "{was} is no longer there, and nothing that {} names dependencies with was found: \
                     where it was moved, name the file",
                    self.asked.display()
                ));
            } else {
                notes.push(format!("{was} is no longer there"));
            }
        }
        comparison.report.notes.extend(notes);
        Ok(comparison)
    }

    /// What is found on one side, from the root of the repository with `/` between its parts.
    fn found_in(&self, folder: &Path) -> Result<Option<String>, Failure> {
        if !folder.is_dir() {
            return Ok(None);
        }
        let _inside = Inside::enter(folder)?;
        Ok(manifest(&self.asked)?.map(|path| {
            let whole = self.folder.join(path);
            let parts = whole.components().filter(|part| *part != Component::CurDir);
            slashed(&parts.collect::<PathBuf>())
        }))
    }

    /// The manifest on one side, where there is one: under the name that was asked for, or the one it
    /// was renamed from or to.
    fn found(
        &self,
        renamed: Option<&str>,
        direction: &str,
        notes: &mut Vec<String>,
    ) -> Result<Option<PathBuf>, Failure> {
        if let Some(path) = manifest(&self.asked)? {
            return Ok(Some(path));
        }
        let Some(renamed) = renamed else { return Ok(None) };
        let path = relative(&self.folder, Path::new(renamed));
        let found = manifest(&path)?;
        if found.is_some() {
            let (asked, path) = (self.asked.display(), path.display());
            notes.push(format!("{asked} was renamed {direction} {path}"));
        }
        Ok(found)
    }

    /// A failure that is of the revision, told as such.
    fn of_base(&self, failure: Failure) -> Failure {
        Failure { problem: format!("at {}: {}", self.shown, failure.problem), ..failure }
    }
}

/// The file that is meant by a path; `None` where nothing is there, or a directory without one.
fn manifest(path: &Path) -> Result<Option<PathBuf>, Failure> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let here = path == Path::new(".");
            let folder = if here { Path::new("") } else { path };
            Ok(input::FORMATS.iter().find_map(|format| format.in_directory(folder)))
        }
        Ok(_) => Ok(Some(path.to_owned())),
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(problem) => {
            Err(Failure::new(format!("{}: it cannot be read: {problem}", path.display())))
        }
    }
}

/// Where a path leads, whether something is there or not: links above it are followed, and so is a
/// folder itself.
fn located(path: &Path) -> Result<PathBuf, Failure> {
    if path.is_dir() {
        return std::fs::canonicalize(path).map_err(|problem| unreadable(path, &problem));
    }
    let absolute = std::path::absolute(path).map_err(|problem| unreadable(path, &problem))?;
    let mut rest = Vec::new();
    for folder in absolute.ancestors() {
        if let Ok(mut found) = std::fs::canonicalize(folder)
            && found.is_dir()
        {
            found.extend(rest.iter().rev());
            return Ok(found);
        }
        match folder.components().next_back() {
            Some(Component::Normal(name)) => rest.push(name.to_owned()),
            _ => break,
        }
    }
    let problem = format!("{}: there is no such file or directory", path.display());
    Err(Failure::new(problem))
}

fn unreadable(path: &Path, problem: &std::io::Error) -> Failure {
    Failure::new(format!("{}: it cannot be read: {problem}", path.display()))
}

/// A path as git has it.
fn slashed(path: &Path) -> String {
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// A path from one folder, where both count from the same root.
fn relative(folder: &Path, path: &Path) -> PathBuf {
    let common =
        folder.components().zip(path.components()).take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    up.chain(path.components().skip(common)).collect()
}

/// A folder for the files of a revision, in one that is gone with this.
struct Taken {
    _around: TempDir,
    tree: PathBuf,
}

impl Taken {
    fn new() -> Result<Self, Failure> {
        let made = || {
            let around = tempfile::Builder::new().prefix("ftcheck-").tempdir()?;
            // Workspaces and settings of uv are looked for in folders above. Those of the system's
            // temporary folder may be anybody's: here the search ends.
            std::fs::write(around.path().join("uv.toml"), "")?;
            let none = "[tool.uv.workspace]\nmembers = []\n";
            std::fs::write(around.path().join("pyproject.toml"), none)?;
            let tree = around.path().join("tree");
            std::fs::create_dir(&tree)?;
            Ok(Self { tree, _around: around })
        };
        made().map_err(|problem: std::io::Error| {
            Failure::new(format!("no temporary folder can be made: {problem}"))
        })
    }
}

fn git_failure(problem: GitError) -> Failure {
    Failure::with_hint(problem.problem, problem.hint)
}

/// The working directory is another one as long as this lives.
struct Inside {
    before: PathBuf,
}

impl Inside {
    fn enter(folder: &Path) -> Result<Self, Failure> {
        let failed = |problem: std::io::Error| {
            Failure::new(format!("{}: the folder cannot be entered: {problem}", folder.display()))
        };
        let before = std::env::current_dir().map_err(failed)?;
        std::fs::create_dir_all(folder)
            .and_then(|()| std::env::set_current_dir(folder))
            .map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // It was there a moment ago; where it is gone there is nowhere to go back to.
        let _ = std::env::set_current_dir(&self.before);
    }
}
