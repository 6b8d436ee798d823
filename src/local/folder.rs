//! A folder and everything below it: wheels, and modules by the distribution they belong to.
//!
//! A module's name counts from the folder that the interpreter would search: `site-packages`, or
//! else the lowest one whose path below holds no dot, since no dotted name reaches beyond. Links are
//! followed as an import follows them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::built_for::{
    Platforms, Selection, is_library_name, known_targets, names_an_interpreter, select,
    told_targets, wheel_targets,
};
use super::files::{LocalError, Unpacked, in_words, open, read};
use super::lone::hooks;
use super::{Findings, Settings, Subject, conclude};
use crate::fetch::metadata;
use crate::inspect::filename::Suffix;
use crate::judge;
use crate::model::evidence::{Evidence, Gil, ModuleReport};
use crate::model::inspect_report::PassedOver;
use crate::model::report::Verdict;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;
use crate::module_check::check_all;

/// Folders that interpreters search for modules.
const SEARCHED: [&str; 3] = ["site-packages", "dist-packages", "lib-dynload"];
/// Far more files than any environment holds; links can make a small tree a large one.
const MAX_FILES: usize = 4_000_000;

/// The modules of one distribution.
#[derive(Debug)]
pub(super) struct Group {
    root: PathBuf,
    name: String,
    version: Option<String>,
    /// What the root's own path tells.
    told: Option<Target>,
    /// The names of wheels that the distribution was installed from, as its `WHEEL` tells.
    wheels: Vec<WheelFilename>,
    /// Whether it is installed, so that its files have the names they are imported by.
    is_installed: bool,
    /// Paths that may be those of modules.
    candidates: Vec<String>,
    /// The candidates that cannot be read, and why.
    unreadable: BTreeMap<String, String>,
    /// The candidates and the libraries they may need.
    files: Vec<(String, PathBuf)>,
}

/// A folder that modules are imported from.
#[derive(Default)]
struct Root {
    is_searched: bool,
    /// Whether all of it is walked.
    is_whole: bool,
    /// Where it really is.
    real: PathBuf,
    files: Vec<(String, PathBuf)>,
    unreadable: BTreeMap<String, String>,
}

/// Finds what is to be looked into.
pub(super) fn find(
    folder: &Path,
    settings: &Settings,
    findings: &mut Findings,
) -> Result<Vec<Subject>, LocalError> {
    let mut subjects = Vec::new();
    let roots = walk(folder, &mut subjects, findings)?;
    let mut is_installation = false;
    let mut seen = BTreeSet::new();
    for (path, root) in roots {
        // `lib64` of an environment is a link to `lib`.
        if !seen.insert(root.real.clone()) {
            continue;
        }
        let distributions = distributions(&path);
        is_installation |= root.is_searched || !distributions.is_empty();
        let told = match told_by_path(&root) {
            Told::Nothing => None,
            Told::Target(target) => Some(target),
            Told::Other(python) => {
                let reason =
                    format!("installed for {python}, which is none of {}", known_targets());
                findings.skipped.push(PassedOver { path: path.display().to_string(), reason });
                continue;
            }
        };
        // Of a folder below its root only that part is looked at.
        let count = if root.is_whole { distributions.len() } else { 0 };
        let groups = groups(&path, root, told, &distributions);
        let with_modules = groups.iter().filter(|group| group.version.is_some()).count();
        if count > with_modules && with_modules > 0 {
            findings.notes.push(format!(
                "{}: {} of {count} distributions have no compiled modules",
                path.display(),
                count - with_modules
            ));
        }
        subjects.extend(groups.into_iter().map(Subject::Group));
    }
    if subjects.is_empty() && findings.skipped.is_empty() && findings.gaps.is_empty() {
        if !is_installation {
            let problem = "expected compiled modules or wheels in this directory, found none";
            return Err(LocalError::new(folder, problem)
                .hint("name the directory that they are built or installed into"));
        }
        let target = settings.target.unwrap_or_default();
        let mut report = conclude(folder, target, Vec::new(), 0);
        report.verdict = Verdict::NoExtensionModules;
        findings.files.push(report);
    }
    Ok(subjects)
}

/// Sorts everything below a folder by the root it is imported from.
fn walk(
    folder: &Path,
    subjects: &mut Vec<Subject>,
    findings: &mut Findings,
) -> Result<BTreeMap<PathBuf, Root>, LocalError> {
    let start = Start::of(folder);
    let mut roots = BTreeMap::new();
    roots.insert(start.root.clone(), start.new_root());
    let is_of_use = |entry: &walkdir::DirEntry| {
        let name = entry.file_name();
        entry.depth() == 0 || name != "__pycache__" && name != ".git"
    };
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    for (count, entry) in walk.filter_entry(is_of_use).enumerate() {
        if count >= MAX_FILES {
            let shown = folder.display();
            findings.gaps.push(format!("{shown}: more than {MAX_FILES} files, the rest was left"));
            break;
        }
        let (path, problem) = match entry {
            Ok(entry) if entry.file_type().is_file() => (entry.into_path(), None),
            Ok(_) => continue,
            // Leads back to a folder that is being walked.
            Err(problem) if problem.loop_ancestor().is_some() => continue,
            Err(problem) => {
                let path = problem.path().unwrap_or(folder).to_owned();
                let words = problem.io_error().map_or_else(|| problem.to_string(), in_words);
                let is_link = std::fs::symlink_metadata(&path).is_ok_and(|link| link.is_symlink());
                match (problem.depth(), is_link) {
                    (0, _) => return Err(LocalError::new(folder, words)),
                    (_, true) => (path, Some("it is a broken link".to_owned())),
                    (_, false) => {
                        findings.gaps.push(format!("{}: {words}", path.display()));
                        continue;
                    }
                }
            }
        };
        let Ok(below) = path.strip_prefix(folder) else { continue };
        let (root, member) = start.place(folder, below);
        let is_wheel = path.extension() == Some(OsStr::new("whl"));
        let parent = roots.entry(root).or_insert_with_key(|root| Root::new(root));
        if is_wheel && problem.is_none() && !parent.is_searched {
            subjects.push(Subject::Wheel { path, found: true });
            continue;
        }
        let shown = member.to_string_lossy().replace('\\', "/");
        if !is_library_name(&shown) {
            continue;
        }
        let problem = problem.or_else(|| {
            // The hook's name follows from the file's, and none would follow from this one.
            member.to_str().is_none().then(|| "its name is not UTF-8".to_owned())
        });
        if let Some(problem) = problem {
            parent.unreadable.insert(shown.clone(), problem);
        }
        parent.files.push((shown, path));
    }
    Ok(roots)
}

impl Root {
    fn new(path: &Path) -> Self {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_searched =
            path.file_name().is_some_and(is_searched) || real.file_name().is_some_and(is_searched);
        Self { is_searched, is_whole: true, real, ..Self::default() }
    }
}

fn is_searched(name: &OsStr) -> bool {
    SEARCHED.iter().any(|searched| name == *searched)
}

/// How the walked folder itself is reached by an import.
struct Start {
    /// The root above it, or the folder itself.
    root: PathBuf,
    /// The folders between that root and it.
    below: Vec<OsString>,
    is_searched: bool,
}

impl Start {
    fn of(folder: &Path) -> Self {
        let itself = Self { root: folder.to_owned(), below: Vec::new(), is_searched: false };
        let Ok(real) = std::fs::canonicalize(folder) else { return itself };
        let searched = real.ancestors().find(|above| above.file_name().is_some_and(is_searched));
        let is_searched = searched.is_some();
        // Else a package is imported from the folder that holds it.
        let root = searched
            .or_else(|| real.ancestors().find(|above| !above.join("__init__.py").is_file()));
        let Some((root, below)) = root.and_then(|root| Some((root, real.strip_prefix(root).ok()?)))
        else {
            return itself;
        };
        if below.as_os_str().is_empty() {
            return Self { is_searched, ..itself };
        }
        let below = below.iter().map(OsStr::to_owned).collect();
        Self { root: root.to_owned(), below, is_searched }
    }

    fn new_root(&self) -> Root {
        Root {
            is_searched: self.is_searched,
            is_whole: self.below.is_empty(),
            ..Root::new(&self.root)
        }
    }

    /// The root that a file is imported from, and its path from there.
    fn place(&self, folder: &Path, path: &Path) -> (PathBuf, PathBuf) {
        let parts: Vec<&OsStr> = path.iter().collect();
        let folders = parts.len().saturating_sub(1);
        let after = |test: fn(&OsStr) -> bool| {
            parts.iter().take(folders).rposition(|part| test(part)).map(|at| at + 1)
        };
        let start =
            after(is_searched).or_else(|| (!self.is_searched).then(|| after(ends_names)).flatten());
        match start {
            None => {
                let below = self.below.iter().map(OsString::as_os_str);
                (self.root.clone(), below.chain(parts.iter().copied()).collect())
            }
            Some(start) => {
                let (root, rest) = parts.split_at(start);
                (folder.join(root.iter().collect::<PathBuf>()), rest.iter().collect())
            }
        }
    }
}

/// Whether no dotted name goes through a folder, and it is not one that belongs to what lies beside
/// it.
fn ends_names(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let beside = [".libs", ".dylibs", ".dist-info", ".egg-info", ".data"];
    name.contains('.') && !beside.iter().any(|end| name.ends_with(end))
}

enum Told {
    Nothing,
    Target(Target),
    Other(String),
}

/// The interpreter that a root belongs to: `lib/python3.14t/site-packages`.
fn told_by_path(root: &Root) -> Told {
    if !root.is_searched {
        return Told::Nothing;
    }
    let name = root.real.parent().and_then(Path::file_name).and_then(OsStr::to_str);
    let Some(version) = name.and_then(|name| name.strip_prefix("python3")) else {
        return Told::Nothing;
    };
    match format!("3{version}").parse() {
        Ok(target) => Told::Target(target),
        Err(_) => Told::Other(format!("python3{version}")),
    }
}

/// A distribution that is installed in a root.
struct Distribution {
    name: String,
    version: String,
    /// The names of wheels with the tags that its `WHEEL` states.
    wheels: Vec<WheelFilename>,
    /// Its files that are called like libraries, as its `RECORD` lists them.
    libraries: Vec<String>,
}

/// The distributions of a root, by their `.dist-info` folders.
fn distributions(root: &Path) -> Vec<Distribution> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut found: Vec<Distribution> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let folder = entry.file_name();
            let (name, version) = folder.to_str()?.strip_suffix(".dist-info")?.split_once('-')?;
            let recorded = recorded(&entry.path()).into_iter();
            let libraries = recorded.filter(|path| is_library_name(path)).collect();
            let wheels = metadata::tags(&read(&entry.path().join("WHEEL")).unwrap_or_default())
                .iter()
                .filter_map(|tag| format!("{name}-{version}-{tag}.whl").parse().ok())
                .collect();
            let (name, version) = (name.to_owned(), version.to_owned());
            Some(Distribution { name, version, wheels, libraries })
        })
        .collect();
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    found
}

/// The files that the `RECORD` of a `.dist-info` folder lists (PEP 376), with `/` between the parts,
/// as far as it can be read.
pub(super) fn recorded(folder: &Path) -> Vec<String> {
    let record = read(&folder.join("RECORD")).unwrap_or_default();
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(record.as_slice())
        .records()
        // What cannot be read of it is grouped by name instead.
        .map_while(Result::ok)
        .filter_map(|row| row.get(0).map(|path| path.replace('\\', "/")))
        .collect()
}

/// Whether a file would be tried as a module, by some interpreter.
fn may_be_module(path: &str) -> bool {
    names_an_interpreter(path)
        || [".so", ".pyd"]
            .iter()
            .any(|end| path.strip_suffix(end).is_some_and(|path| !path.contains('.')))
}

fn groups(
    path: &Path,
    root: Root,
    told: Option<Target>,
    distributions: &[Distribution],
) -> Vec<Group> {
    let owners: BTreeMap<&str, usize> = distributions
        .iter()
        .enumerate()
        .flat_map(|(at, owner)| owner.libraries.iter().map(move |name| (name.as_str(), at)))
        .collect();
    let mut owned: BTreeMap<usize, Vec<(String, PathBuf)>> = BTreeMap::new();
    let mut by_name: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
    let mut shared = Vec::new();
    for (member, file) in root.files {
        match owners.get(member.as_str()) {
            Some(at) => owned.entry(*at).or_default().push((member, file)),
            None => match top_level(&member) {
                Some(name) => by_name.entry(name).or_default().push((member, file)),
                None => shared.push((member, file)),
            },
        }
    }
    let new = |name: String, version: Option<String>, files: Vec<(String, PathBuf)>| {
        let names = files.iter().map(|(name, _)| name);
        let candidates: Vec<String> = names.filter(|name| may_be_module(name)).cloned().collect();
        let unreadable = candidates
            .iter()
            .filter_map(|name| Some((name.clone(), root.unreadable.get(name)?.clone())))
            .collect();
        Group {
            root: path.to_owned(),
            name,
            version,
            told,
            wheels: Vec::new(),
            is_installed: root.is_searched,
            candidates,
            unreadable,
            files,
        }
    };
    let mut groups = Vec::new();
    for (at, distribution) in distributions.iter().enumerate() {
        let mut files = owned.remove(&at).unwrap_or_default();
        // Beside the folder that was walked, where that is only a part of the distribution.
        let known: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
        let group = new(distribution.name.clone(), Some(distribution.version.clone()), {
            let rest = distribution.libraries.iter().filter(|name| !known.contains(*name));
            let rest: Vec<_> = rest
                .filter(|name| !name.split('/').any(|part| part == ".."))
                .map(|name| (name.clone(), path.join(name)))
                .filter(|(_, file)| file.is_file())
                .collect();
            files.extend(rest);
            files
        });
        let candidates = group.candidates.iter().filter(|name| known.contains(*name));
        let candidates = candidates.cloned().collect();
        let wheels = distribution.wheels.clone();
        groups.push(Group { candidates, wheels, is_installed: true, ..group });
    }
    for (name, mut files) in by_name {
        files.extend(shared.iter().cloned());
        groups.push(new(name, None, files));
    }
    groups.retain(|group| !group.candidates.is_empty());
    groups
}

/// The name by which a file is imported; `None` for libraries in folders that no name reaches.
fn top_level(member: &str) -> Option<String> {
    let (first, is_file) = match member.split_once('/') {
        Some((first, _)) => (first, false),
        None => (member, true),
    };
    let name = if is_file { first.split('.').next().unwrap_or(first) } else { first };
    (!name.contains('.') && !name.is_empty()).then(|| name.to_owned())
}

impl Group {
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Looks at the modules, once for each interpreter they are built for.
    pub(super) fn look_into(&self, settings: &Settings) -> Result<Findings, LocalError> {
        let is_told = settings.target.is_some() || self.told.is_some();
        let mut findings = Findings::default();
        let targets = match settings.target.or(self.told) {
            Some(target) => BTreeSet::from([target]),
            None => self.targets(),
        };
        if targets.is_empty() {
            findings.skipped.push(PassedOver {
                path: self.root.join(&self.name).display().to_string(),
                reason: format!(
                    "installed from a wheel whose tags are those of none of {}",
                    known_targets()
                ),
            });
            return Ok(findings);
        }
        let platforms = settings.platform.map_or(Platforms::Told, Platforms::named);
        for target in targets {
            let Selection { modules, mut others } = select(&self.candidates, target, &platforms);
            let (unreadable, mut modules): (Vec<_>, Vec<_>) = modules
                .into_iter()
                .map(|(file, interpreter)| {
                    let problem = self.problem_of(&file.member);
                    (file, interpreter, problem)
                })
                .partition(|(_, _, problem)| problem.is_some());
            let is_named =
                |suffix: Suffix| matches!(suffix, Suffix::Tagged | Suffix::StableFreeThreaded);
            if !is_told
                && others.iter().any(|name| names_an_interpreter(name))
                && !modules.iter().any(|(file, ..)| is_named(file.suffix))
            {
                // What says nothing is for the same interpreter as what lies beside it.
                others.extend(modules.drain(..).map(|(file, ..)| file.member));
            }
            if modules.is_empty() && unreadable.is_empty() && others.is_empty() {
                continue;
            }
            let mut files = Unpacked::default();
            for (name, path) in &self.files {
                files.add(name.clone(), path.clone());
            }
            let tried: Vec<String> = modules.iter().map(|(file, ..)| file.member.clone()).collect();
            let modules = modules.into_iter().map(|(file, interpreter, _)| (file, interpreter));
            let mut modules = check_all(&mut files, modules)?;
            let answered = |member: &&String| modules.iter().any(|known| known.member == **member);
            for member in tried.iter().filter(|member| !answered(member)) {
                findings.gaps.extend(self.renamed(member, target)?);
            }
            modules.extend(unreadable.into_iter().map(|(file, _, problem)| ModuleReport {
                module: file.module,
                member: file.member,
                gil: Gil::Undetermined,
                init: None,
                subinterpreters: None,
                reason: problem,
                evidence: Evidence::default(),
            }));
            modules.sort_by(|a, b| (&a.module, &a.member).cmp(&(&b.module, &b.member)));
            let mut report = conclude(&self.root, target, modules, others.len());
            report.name = Some(self.name.clone());
            report.version.clone_from(&self.version);
            report.platform = settings.platform;
            report.reason = report.reason.or_else(|| judge::reason(&report.modules));
            findings.files.push(report);
        }
        Ok(findings)
    }

    /// The interpreters that the modules are built for: what their names tell, then the wheel that
    /// they come from. None where that is for interpreters with the GIL alone.
    fn targets(&self) -> BTreeSet<Target> {
        let of_wheels: BTreeSet<Target> = self.wheels.iter().flat_map(wheel_targets).collect();
        if of_wheels.is_empty() && !self.wheels.is_empty() {
            return of_wheels;
        }
        let of_names = told_targets(&self.candidates);
        if !of_names.is_empty() {
            of_names
        } else if !of_wheels.is_empty() {
            of_wheels
        } else {
            BTreeSet::from([Target::default()])
        }
    }

    /// What is to be said of a library that holds a module of another name, as build tools leave
    /// them: `libfoo.so`.
    fn renamed(&self, member: &str, target: Target) -> Result<Option<String>, LocalError> {
        if self.is_installed {
            return Ok(None);
        }
        let Some((_, path)) = self.files.iter().find(|(name, _)| name == member) else {
            return Ok(None);
        };
        let names = hooks(&read(path)?, target);
        Ok((!names.is_empty()).then(|| {
            format!(
                "{}: it holds a module under a name that it cannot be imported by; name the file \
                 itself to have it looked at",
                path.display()
            )
        }))
    }

    /// Why a candidate cannot be read, told before it takes the others with it.
    fn problem_of(&self, member: &str) -> Option<String> {
        if let Some(problem) = self.unreadable.get(member) {
            return Some(problem.clone());
        }
        let (_, path) = self.files.iter().find(|(name, _)| name == member)?;
        open(path).err().map(|problem| problem.problem().to_owned())
    }
}
