//! Wheels, modules and folders that lie on this machine, looked into without the network.
//!
//! ```text
//! built_for  which interpreters and platforms names tell, and what those would import
//! files      reading with limits
//! wheel      a wheel
//! lone       one compiled file
//! folder     a folder and what is below it
//! python     the folders of an interpreter, which is not run
//! installed  what is installed there, as a manifest
//! importable the files of all that is installed there, side by side
//! ```

mod built_for;
mod files;
mod folder;
mod importable;
mod installed;
mod lone;
mod python;
mod sources;
mod wheel;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::judge;
use crate::model::evidence::ModuleReport;
use crate::model::inspect_report::{FileReport, InspectReport, PassedOver};
use crate::model::limits::Limits;
use crate::model::platform::Platform;
use crate::model::report::Verdict;
use crate::model::target::Target;

pub use files::LocalError;
pub use importable::{Importable, ImportableName, importable};
pub use installed::installed;
pub use sources::sources;

/// What to look with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// The interpreter; `None` for the one that each file is built for.
    pub target: Option<Target>,
    /// Where it would run; `None` for whatever each file is built for.
    pub platform: Option<Platform>,
    /// How much of a wheel is read.
    pub limits: Limits,
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A wheel, a compiled file, or a folder.
    Path(PathBuf),
    /// An interpreter's program or the folder of an environment, for what is installed there.
    Python(PathBuf),
}

/// What was found at one place.
#[derive(Debug, Default)]
struct Findings {
    files: Vec<FileReport>,
    skipped: Vec<PassedOver>,
    notes: Vec<String>,
    gaps: Vec<String>,
}

/// One thing to look into.
#[derive(Debug)]
enum Subject {
    Wheel {
        path: PathBuf,
        /// Found in a folder rather than named by the user.
        found: bool,
    },
    Lone(PathBuf),
    Group(folder::Group),
}

/// Looks at everything that lies at these places.
///
/// # Errors
/// What cannot be read of the places themselves. What cannot be read below a folder is told in the
/// report instead.
pub fn inspect(places: &[Place], settings: &Settings) -> Result<InspectReport, Vec<LocalError>> {
    let mut all = Findings::default();
    let mut problems = Vec::new();
    let mut subjects = Vec::new();
    for place in places {
        match find(place, settings, &mut all) {
            Ok(found) => subjects.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for outcome in look_into_all(&subjects, settings) {
        match outcome {
            Ok(findings) => {
                all.files.extend(findings.files);
                all.skipped.extend(findings.skipped);
                all.notes.extend(findings.notes);
                all.gaps.extend(findings.gaps);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    settle(&mut all.files);
    Ok(InspectReport::new(all.notes, all.gaps, all.files, all.skipped))
}

/// Gives modules that another distribution's module makes the answer of that one, where it was
/// looked at for the same interpreter.
fn settle(files: &mut [FileReport]) {
    for target in Target::ALL {
        let mut groups: Vec<(String, &mut Vec<ModuleReport>)> = files
            .iter_mut()
            .filter(|file| file.target == target)
            .map(|file| {
                let name = file.name.as_ref().unwrap_or(&file.path);
                let version = file.version.as_ref().map(|version| format!(" {version}"));
                (format!("{name}{}", version.unwrap_or_default()), &mut file.modules)
            })
            .collect();
        judge::settle(&mut groups);
    }
    // Verdicts with another reason than their modules stay.
    for file in files.iter_mut().filter(|file| file.verdict == Verdict::Undetermined) {
        file.verdict = judge::verdict(&file.modules);
        file.reason = judge::reason(&file.modules);
    }
}

/// What there is at a place.
fn find(
    place: &Place,
    settings: &Settings,
    findings: &mut Findings,
) -> Result<Vec<Subject>, LocalError> {
    let path = match place {
        Place::Python(path) => {
            let mut subjects = Vec::new();
            for folder in python::site_packages(path)? {
                subjects.extend(folder::find(&folder, settings, findings)?);
            }
            return Ok(subjects);
        }
        Place::Path(path) => path,
    };
    let metadata = std::fs::metadata(path).map_err(|problem| missing(path, &problem))?;
    if metadata.is_dir() {
        return folder::find(path, settings, findings);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(vec![if name.ends_with(".whl") {
        Subject::Wheel { path: path.clone(), found: false }
    } else {
        Subject::Lone(path.clone())
    }])
}

fn missing(path: &Path, problem: &std::io::Error) -> LocalError {
    if std::fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink()) {
        return LocalError::new(path, "expected a file or directory, found a broken link");
    }
    let error = LocalError::new(path, files::in_words(problem));
    if path.to_string_lossy().contains(['*', '?', '[']) {
        return error.hint("no file fits this pattern, so that the shell left it as it is");
    }
    error.hint("name a wheel, a compiled module, or a folder that holds some")
}

/// Looks into every subject, as many at a time as there are cores; answers in the given order.
fn look_into_all(subjects: &[Subject], settings: &Settings) -> Vec<Result<Findings, LocalError>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..cores.min(subjects.len()) {
            scope.spawn(|| {
                while let Some((at, subject)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    subjects.get(at).map(|subject| (at, subject))
                } {
                    let outcome = look_into(subject, settings);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

fn look_into(subject: &Subject, settings: &Settings) -> Result<Findings, LocalError> {
    let (path, found) = match subject {
        Subject::Wheel { path, found } => (path.as_path(), *found),
        Subject::Lone(path) => (path.as_path(), false),
        Subject::Group(group) => (group.root(), true),
    };
    // A defect of ours in one file is told as such and costs no other its answer.
    let outcome = catch_unwind(AssertUnwindSafe(|| match subject {
        Subject::Wheel { path, .. } => wheel::look_into(path, settings),
        Subject::Lone(path) => lone::look_into(path, settings),
        Subject::Group(group) => group.look_into(settings),
    }))
    .unwrap_or_else(|_| {
        let problem = "an internal error of ftcheck, please report it";
        Ok(unchecked(path, settings, problem))
    });
    match (outcome, subject) {
        (Err(problem), Subject::Group(group)) => {
            let mut findings = unchecked(path, settings, &problem.to_string());
            for file in &mut findings.files {
                file.name = Some(group.name().to_owned());
            }
            Ok(findings)
        }
        (Err(problem), _) if found => Ok(unchecked(path, settings, problem.problem())),
        (outcome, _) => outcome,
    }
}

fn unchecked(path: &Path, settings: &Settings, reason: &str) -> Findings {
    let target = settings.target.unwrap_or_default();
    let mut report = conclude(path, target, Vec::new(), 0);
    report.verdict = Verdict::Unchecked;
    report.reason = Some(reason.to_owned());
    Findings { files: vec![report], ..Findings::default() }
}

/// From modules to a report; `others` counts those for other interpreters.
fn conclude(path: &Path, target: Target, modules: Vec<ModuleReport>, others: usize) -> FileReport {
    let mut report = FileReport {
        path: path.display().to_string(),
        wheel: None,
        name: None,
        version: None,
        target,
        platform: None,
        verdict: judge::verdict(&modules),
        reason: judge::reason(&modules),
        notes: Vec::new(),
        modules,
    };
    if others == 0 {
        return report;
    }
    let count = match others {
        1 => "1 compiled module is for another interpreter or platform".to_owned(),
        _ => format!("{others} compiled modules are for other interpreters or platforms"),
    };
    if report.modules.is_empty() {
        report.verdict = Verdict::Unchecked;
        report.reason = Some(format!("{count}, none for {target}"));
    } else {
        report.notes.push(format!("{count} and not looked at"));
    }
    report
}
