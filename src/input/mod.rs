//! What the user's files ask for.
//!
//! One file for each format, behind [`Format`] and the list [`FORMATS`]. A format turns text into
//! a [`Manifest`] and decides nothing: neither markers nor versions are looked at here.

mod collect;
mod conda_lock;
pub(crate) mod document;
mod environment_yml;
mod json;
mod locked;
mod manager;
mod pdm_lock;
mod pipfile_lock;
mod pixi_lock;
mod poetry_lock;
mod project;
mod pylock_toml;
mod pyproject;
mod python_json;
mod requirement;
mod requirements_txt;
mod script;
mod setup_cfg;
mod uv_lock;
mod yaml;

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerTree, PackageName};

use crate::model::conda::CondaEnvironment;
use crate::model::index::IndexSettings;
use crate::model::limits::Nesting;
use crate::model::location::{Location, redacted_text};
use crate::model::lock::LockGraph;
use crate::model::requirement::{Prereleases, Requirement, Sections};

pub use self::manager::manager;

/// The largest file that is read.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A kind of file that names dependencies.
pub trait Format: Sync {
    /// What users call it.
    fn name(&self) -> &'static str;

    /// Whether a file of that name is of this kind.
    fn recognises(&self, filename: &str) -> bool;

    /// The file of this kind that is taken where a directory is named.
    fn in_directory(&self, directory: &Path) -> Option<PathBuf> {
        Some(directory.join(self.name())).filter(|path| path.is_file())
    }

    /// Reads it.
    ///
    /// # Errors
    /// Where the text is not of this kind, or names something that cannot be found.
    fn read(&self, source: &Source) -> Result<Manifest, InputError>;
}

/// Every format, in the order in which a directory is searched: of several files the first is taken.
///
/// Locks come first, since they say what is installed. Then pyproject.toml, where it names
/// dependencies, then requirements, then environment files. Scripts are never searched for.
pub const FORMATS: &[&dyn Format] = &[
    &uv_lock::UvLock,
    &poetry_lock::PoetryLock,
    &pdm_lock::PdmLock,
    &pylock_toml::PylockToml,
    &pipfile_lock::PipfileLock,
    &pixi_lock::PixiLock,
    &conda_lock::CondaLock,
    &pyproject::Pyproject,
    &requirements_txt::RequirementsTxt,
    &script::Script,
    &environment_yml::EnvironmentYml,
];

/// A file that was read.
#[derive(Debug)]
pub struct Source {
    /// Where it lies.
    pub path: PathBuf,
    /// The same, as it is shown.
    pub shown: String,
    /// Its content.
    pub text: String,
    /// How far it may lead to other files.
    pub nesting: Nesting,
    /// Where lines begin, counted once it is asked for.
    line_starts: OnceLock<Vec<usize>>,
    /// Where each part of the content stands, where it is made of parts of a file: the offset at
    /// which the part begins, and its place.
    parts: Vec<(usize, Location)>,
}

/// What a file asks for.
#[derive(Debug, Default)]
pub struct Manifest {
    /// The dependencies.
    pub content: Content,
    /// The projects on this machine that it asks for: the user's own code, whose requirements stand
    /// in `content`.
    pub projects: Vec<OwnProject>,
    /// Its conda packages, by what is installed together.
    pub conda: Vec<CondaEnvironment>,
    /// The parts it has: extras and groups.
    pub sections: Sections,
    /// Where packages come from, as the file states it.
    pub indexes: IndexSettings,
    /// How releases are chosen, as the file states it; `None` where the tool's own way holds.
    pub prereleases: Option<Prereleases>,
    /// What a reader of the result has to know about how the file was read.
    pub notes: Vec<String>,
    /// What the file shows to be missing or not to fit: a scan of it cannot be complete.
    pub gaps: Vec<Gap>,
}

/// A project on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnProject {
    /// The normalized name.
    pub name: PackageName,
    /// Where it is asked for.
    pub location: Location,
    /// Its folder.
    pub folder: PathBuf,
}

/// Something that a scan of a manifest cannot cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// The manifest is for these Python versions only.
    RequiresPython(VersionSpecifiers),
    /// The manifest is for environments only to which one of these markers applies.
    Environments(Vec<MarkerTree>),
    /// Something is asked for where one marker applies, and the manifest has it only where one of
    /// several does.
    Narrower {
        /// Where it is asked for.
        asked: MarkerTree,
        /// Where the manifest has it.
        known: Vec<MarkerTree>,
        /// What is told where only the former applies.
        told: String,
    },
    /// In any case; the text says what.
    Always(String),
}

/// Dependencies, chosen already or not.
#[derive(Debug)]
pub enum Content {
    /// Requirements that leave the release open.
    Requirements(Requirements),
    /// Packages and their releases.
    Lock(LockGraph),
}

impl Default for Content {
    fn default() -> Self {
        Self::Requirements(Requirements::default())
    }
}

/// Requirements, and what bounds them.
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    /// What is to be installed.
    pub required: Vec<Requirement>,
    /// What bounds the releases of whatever is installed, and asks for nothing itself.
    pub constraints: Vec<Requirement>,
    /// What stands in place of every other requirement of the same name.
    pub overrides: Vec<Requirement>,
}

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// The file, as the user named it, or the place in it.
    pub place: Place,
    /// What was expected and what was found.
    pub problem: String,
    /// What may help.
    pub hint: Option<String>,
}

/// How exactly the place of an error is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File(String),
    /// A line and column in it.
    Spot(Location),
}

impl InputError {
    /// Something wrong with a file as a whole.
    #[must_use]
    pub fn of_file(path: &str, problem: impl Into<String>) -> Self {
        let place = Place::File(redacted_text(path));
        Self { place, problem: redacted_text(&problem.into()), hint: None }
    }

    /// Something wrong at a place in a file.
    #[must_use]
    pub fn at(location: Location, problem: impl Into<String>) -> Self {
        let place = Place::Spot(location);
        Self { place, problem: redacted_text(&problem.into()), hint: None }
    }

    /// Adds what may help.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what may help, where nothing more exact is said.
    #[must_use]
    pub fn or_hint(self, hint: impl Into<String>) -> Self {
        if self.hint.is_some() { self } else { self.hint(hint) }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path) => write!(f, "{path}: {}", self.problem),
            Place::Spot(location) => write!(f, "{location}: {}", self.problem),
        }
    }
}

impl std::error::Error for InputError {}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, is too large, or is not UTF-8.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let shown = path.display().to_string();
        let file = std::fs::File::open(path).map_err(|problem| {
            InputError::of_file(&shown, format!("the file cannot be read: {problem}"))
        })?;
        Self::from_reader(path, &shown, file)
    }

    /// Reads from a stream. Paths in what is read count from the folder of `path`: for standard
    /// input, `-` has them count from the working directory.
    ///
    /// # Errors
    /// Where it cannot be read, is too large, or is not UTF-8.
    pub fn from_reader(
        path: &Path,
        shown: &str,
        reader: impl std::io::Read,
    ) -> Result<Self, InputError> {
        let mut bytes = Vec::new();
        // A pipe or device may have no end.
        reader.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|problem| {
            InputError::of_file(shown, format!("the file cannot be read: {problem}"))
        })?;
        if bytes.len() as u64 > MAX_BYTES {
            let most = MAX_BYTES / 1024 / 1024;
            let problem = format!("expected at most {most} MiB, found a larger file");
            return Err(InputError::of_file(shown, problem));
        }
        // Windows editors begin UTF-8 files with a byte order mark.
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let text = std::str::from_utf8(bytes).map_err(|problem| {
            let before = String::from_utf8_lossy(&bytes[..problem.valid_up_to()]);
            let location = Location::of_offset(shown, &before, before.len());
            InputError::at(location, "expected UTF-8, found a byte that is not")
        })?;
        Ok(Self::of_text(path, shown, text.to_owned()))
    }

    /// A file whose content is known already.
    #[must_use]
    pub fn of_text(path: &Path, shown: &str, text: String) -> Self {
        let (path, shown) = (path.to_owned(), shown.to_owned());
        let nesting = Nesting::default();
        Self { path, shown, text, nesting, line_starts: OnceLock::new(), parts: Vec::new() }
    }

    /// The same, where it may lead so far to other files.
    #[must_use]
    pub fn nested(self, nesting: Nesting) -> Self {
        Self { nesting, ..self }
    }

    /// Texts that stand in a file of another kind, each as lines of their own.
    pub(crate) fn of_parts<'a>(
        file: &Self,
        texts: impl IntoIterator<Item = (&'a str, Location)>,
    ) -> Self {
        let mut whole = String::new();
        let mut parts = Vec::new();
        for (text, location) in texts {
            parts.push((whole.len(), location));
            whole.push_str(text);
            whole.push('\n');
        }
        Self { parts, nesting: file.nesting, ..Self::of_text(&file.path, &file.shown, whole) }
    }

    /// Where a line begins that version control left to be merged.
    #[must_use]
    pub fn conflict_marker(&self) -> Option<usize> {
        let is_marker = |line: &str| {
            ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|marker| line.starts_with(marker))
        };
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if is_marker(line) || line.trim_end() == "=======" {
                return Some(start);
            }
            start += line.len();
        }
        None
    }

    /// The place of a byte of the text.
    #[must_use]
    pub fn location(&self, offset: usize) -> Location {
        let part = self.parts.partition_point(|(start, _)| *start <= offset).checked_sub(1);
        if let Some((start, location)) = part.and_then(|part| self.parts.get(part)) {
            // On further lines of a part, its own start is the nearest place that is known.
            let before = self.text.get(*start..offset).unwrap_or_default();
            let columns = if before.contains('\n') { 0 } else { before.chars().count() };
            return Location { column: location.column + columns, ..location.clone() };
        }
        let starts = self.line_starts.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
        });
        let line = starts.partition_point(|start| *start <= offset).max(1);
        let start = starts[line - 1];
        let in_line = Location::of_offset(&self.shown, &self.text[start..], offset - start);
        Location { line: line - 1 + in_line.line, ..in_line }
    }
}

/// Finds the file meant by `path`, a file or a directory, and its format.
///
/// # Errors
/// Where there is no such file, or it is of no known kind.
pub fn find(path: &Path) -> Result<(PathBuf, &'static dyn Format), InputError> {
    let shown = path.display().to_string();
    let metadata = std::fs::metadata(path).map_err(|problem| {
        let problem = match problem.kind() {
            std::io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
            _ => format!("it cannot be read: {problem}"),
        };
        InputError::of_file(&shown, problem)
    })?;
    if metadata.is_dir() {
        return find_in_directory(path, &shown);
    }
    let filename = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let format = FORMATS.iter().find(|format| format.recognises(&filename)).ok_or_else(|| {
        InputError::of_file(
            &shown,
            "expected a lockfile, pyproject.toml, a requirements file (.txt, .in), a script (.py) or \
             an environment file (.yml, .yaml), found a file of another name",
        )
    })?;
    Ok((path.to_owned(), *format))
}

fn find_in_directory(
    directory: &Path,
    shown: &str,
) -> Result<(PathBuf, &'static dyn Format), InputError> {
    // What was found in `.` is shown as the user would name it.
    let here = directory == Path::new(".");
    let folder = if here { PathBuf::new() } else { directory.to_owned() };
    for format in FORMATS {
        if let Some(path) = format.in_directory(&folder) {
            return Ok((path, *format));
        }
    }
    Err(InputError::of_file(
        shown,
        format!("expected {} in this directory, found none of them", known()),
    )
    .hint("name the file itself: `ftcheck scan path/to/requirements-dev.txt`"))
}

/// Whether a file of that name may say what a project depends on: one of a known format, or one that
/// such a file refers to. Scripts are only known once they are named.
#[must_use]
pub fn may_be_of_project(filename: &str) -> bool {
    const BESIDE: [&str; 5] = ["setup.py", "setup.cfg", "uv.toml", "pixi.toml", "Pipfile"];
    let is_of_format = FORMATS.iter().any(|format| format.recognises(filename));
    let is_archive = [".whl", ".tar.gz", ".pip"].iter().any(|end| filename.ends_with(end));
    BESIDE.contains(&filename) || is_archive || (is_of_format && !filename.ends_with(".py"))
}

fn known() -> String {
    let names = FORMATS.iter().map(|format| format.name());
    names.filter(|name| !name.starts_with("script")).collect::<Vec<_>>().join(", ")
}
