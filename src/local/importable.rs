//! The files of everything that is installed in an environment, side by side, so that it can be told
//! what importing a name does. What the compiled ones do was found before.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use super::files::{LocalError, in_words, read};
use super::{folder, python};
use crate::imports::mentions::names_in;
use crate::imports::{Distribution, Environment, Extension, Files, top_level_names};
use crate::model::evidence::Gil;
use crate::model::inspect_report::FileReport;
use crate::model::platform::Platform;
use crate::model::report::Verdict;
use crate::model::target::Target;

/// Far more files than any environment holds.
const MAX_FILES: usize = 4_000_000;

/// An environment whose imports can be told.
pub struct Importable {
    /// What is installed, side by side.
    pub environment: Environment,
    /// The names that can be imported, sorted, each once.
    pub names: Vec<ImportableName>,
    /// What has to be known to read the answers rightly.
    pub notes: Vec<String>,
    /// What could not be read.
    pub gaps: Vec<String>,
}

/// A top-level name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportableName {
    /// As it is imported.
    pub name: String,
    /// The distribution that holds it, where that is known, and its release.
    pub distribution: Option<(String, String)>,
}

/// What is installed at `place`, an interpreter's program or the folder of an environment, of which
/// `modules` says what the compiled modules do.
///
/// # Errors
/// Where there is no such environment.
pub fn importable(
    place: &Path,
    modules: &[FileReport],
    target: Target,
    platform: Platform,
) -> Result<Importable, LocalError> {
    let mut environment = Environment::new(target, platform);
    let (mut notes, mut gaps) = (Vec::new(), Vec::new());
    let mut names = BTreeMap::new();
    // The folder that is searched first is added last: of two files for one path that one stays.
    for root in python::site_packages(place)?.iter().rev() {
        let (installed, unowned) = installed(root, &mut gaps);
        let reports = Reports::of(root, modules);
        for (owner, members) in installed {
            let found = top_level_names(&members, target, platform).into_iter();
            names.extend(found.map(|name| (name, owner.clone())));
            let name = owner.map_or_else(|| root.display().to_string(), |(name, _)| name);
            let extensions = reports.extensions(root, &name, &members);
            let files = Arc::new(Folder { root: root.clone(), names: members });
            environment.add(Distribution { name, files, extensions });
        }
        for path_file in unowned {
            // It may name further folders, and run what it likes: PEP 829, and Lib/site.py.
            notes.push(format!("{path_file}: what it adds to imports is not followed"));
            environment.add_not_seen(path_file, None);
        }
    }
    let name = |(name, distribution)| ImportableName { name, distribution };
    Ok(Importable { environment, names: names.into_iter().map(name).collect(), notes, gaps })
}

/// A distribution and its release; `None` for what belongs to none.
type Owner = Option<(String, String)>;

/// The files of a folder by the distribution that recorded them, and its files of paths.
fn installed(root: &Path, gaps: &mut Vec<String>) -> (BTreeMap<Owner, Vec<String>>, Vec<String>) {
    let owners = owners(root);
    let mut by_owner: BTreeMap<Owner, Vec<String>> = BTreeMap::new();
    let mut path_files = Vec::new();
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    let of_use = walk.filter_entry(|entry| entry.file_name() != "__pycache__");
    for (count, entry) in of_use.enumerate() {
        if count >= MAX_FILES {
            gaps.push(format!("{}: more than {MAX_FILES} files", root.display()));
            break;
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) => {
                if problem.loop_ancestor().is_none() {
                    let words = problem.io_error().map_or_else(|| problem.to_string(), in_words);
                    let path = problem.path().unwrap_or(root).display();
                    gaps.push(format!("{path}: {words}"));
                }
                continue;
            }
        };
        if !entry.file_type().is_file() {
            continue;
        }
        let below = entry.path().strip_prefix(root).ok().and_then(Path::to_str);
        // What is not Unicode has no name that could be imported.
        let Some(member) = below.map(|below| below.replace('\\', "/")) else { continue };
        if entry.depth() == 1 && member.ends_with(".pth") {
            path_files.push(member);
            continue;
        }
        by_owner.entry(owners.get(&member).cloned()).or_default().push(member);
    }
    (by_owner, path_files)
}

/// Whose each recorded file is.
fn owners(root: &Path) -> HashMap<String, (String, String)> {
    let mut owners = HashMap::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().filter_map(Result::ok) {
        let folder = entry.file_name();
        let stem = folder.to_str().and_then(|name| name.strip_suffix(".dist-info"));
        let Some((name, version)) = stem.and_then(|stem| stem.split_once('-')) else { continue };
        let owner = (name.to_owned(), version.to_owned());
        let recorded = folder::recorded(&entry.path()).into_iter();
        owners.extend(recorded.map(|path| (path, owner.clone())));
    }
    owners
}

/// What is known of the compiled modules of one folder.
struct Reports<'r> {
    modules: HashMap<&'r str, Gil>,
    /// The distributions that could not be looked into.
    unchecked: Vec<&'r str>,
}

impl<'r> Reports<'r> {
    fn of(root: &Path, reports: &'r [FileReport]) -> Self {
        let root = root.display().to_string();
        let here = reports.iter().filter(|report| report.path == root);
        let unchecked = reports.iter().filter(|report| report.verdict == Verdict::Unchecked);
        Self {
            modules: here
                .flat_map(|report| &report.modules)
                .map(|module| (module.member.as_str(), module.gil))
                .collect(),
            unchecked: unchecked.map(|report| report.name.as_deref().unwrap_or("")).collect(),
        }
    }

    fn extensions(&self, root: &Path, owner: &str, members: &[String]) -> Option<Vec<Extension>> {
        // One without a name may be of any.
        if self.unchecked.iter().any(|name| name.is_empty() || *name == owner) {
            return None;
        }
        let known = |member: &String| {
            let gil = *self.modules.get(member.as_str())?;
            let mentions = read(&root.join(member)).map(|bytes| names_in(&bytes));
            // What could not be read may name anything; it is undetermined already.
            Some(Extension { member: member.clone(), gil, mentions: mentions.unwrap_or_default() })
        };
        Some(members.iter().filter_map(known).collect())
    }
}

/// The files of one distribution on disk.
struct Folder {
    root: PathBuf,
    names: Vec<String>,
}

impl Files for Folder {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn source(&self, member: &str) -> Option<Cow<'_, [u8]>> {
        read(&self.root.join(member)).ok().map(Cow::Owned)
    }
}
