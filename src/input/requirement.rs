//! One requirement as pip and uv read it: a name with a range, a URL, or a path.
//!
//! A folder on this machine is not a requirement yet: what it asks for is told by
//! [`super::collect`].

use std::path::{Path, PathBuf};
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName, VersionOrUrl};
use url::Url;

use super::InputError;
use crate::model::location::{Location, last_segment};
use crate::model::pep508;
use crate::model::requirement::{Requirement, Section, Wanted};
use crate::model::wheel_filename::WheelFilename;

/// The endings of archives that pip installs (`pip/_internal/utils/filetypes.py`).
const ARCHIVES: [&str; 11] = [
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lzma",
];

/// Something that is asked for.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// A distribution.
    Distribution(Requirement),
    /// A project on this machine.
    Project(ProjectAsk),
}

/// A project on this machine that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct ProjectAsk {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// The same, as the user wrote it.
    pub(crate) shown: String,
    /// What it is called, where that is told.
    pub(crate) name: Option<PackageName>,
    /// The extras asked of it.
    pub(crate) extras: Vec<ExtraName>,
    /// When it applies.
    pub(crate) marker: MarkerTree,
    /// The part of the project that asks for it.
    pub(crate) section: Section,
    /// Where it stands.
    pub(crate) location: Location,
}

impl Ask {
    /// The part of the project that asks for it.
    pub(crate) fn section(&self) -> &Section {
        match self {
            Self::Distribution(requirement) => &requirement.section,
            Self::Project(project) => &project.section,
        }
    }

    /// The same for another part.
    pub(crate) fn of(mut self, asking: &Section) -> Self {
        match &mut self {
            Self::Distribution(requirement) => requirement.section = asking.clone(),
            Self::Project(project) => project.section = asking.clone(),
        }
        self
    }

    /// The same, only where a marker applies too.
    pub(crate) fn only_where(mut self, applies: &MarkerTree) -> Self {
        match &mut self {
            Self::Distribution(requirement) => requirement.marker.and(applies.clone()),
            Self::Project(project) => project.marker.and(applies.clone()),
        }
        self
    }
}

/// The folders that relative paths count from: the first in which there is something.
#[derive(Debug, Clone)]
pub(crate) struct Folders(Vec<PathBuf>);

impl Folders {
    /// Paths count from one folder.
    pub(crate) fn one(folder: &Path) -> Self {
        Self(vec![folder.to_owned()])
    }

    /// As pip has it for requirements files: from the working directory. Where there is nothing, from
    /// the folder of the file that was named, which pip would be run in.
    pub(crate) fn working_directory_then(folder: &Path) -> Self {
        Self(vec![PathBuf::new(), folder.to_owned()])
    }

    fn find(&self, path: &Path, is_there: impl Fn(&Path) -> bool) -> PathBuf {
        let mut candidates = self.0.iter().map(|folder| folder.join(path));
        let last = self.0.last().map_or_else(|| path.to_owned(), |folder| folder.join(path));
        candidates.find(|candidate| is_there(candidate)).unwrap_or(last)
    }
}

/// Whether a folder holds what pip can build.
pub(crate) fn is_project(folder: &Path) -> bool {
    ["pyproject.toml", "setup.py", "setup.cfg"].iter().any(|name| folder.join(name).is_file())
}

/// Reads one requirement; `place` tells where a byte of it stands in the file.
///
/// # Errors
/// Where it is none.
pub(crate) fn read(
    text: &str,
    folders: &Folders,
    place: impl Fn(usize) -> Location,
) -> Result<Ask, InputError> {
    if is_path_or_url(text) {
        return unnamed(text, folders, &place(0));
    }
    let parsed = pep508::requirement(text)
        .map_err(|problem| malformed(text, &problem.problem, place(problem.at)))?;
    let section = Section::Base;
    let (name, extras, marker, location) = (parsed.name, parsed.extras, parsed.marker, place(0));
    let wanted = match parsed.version_or_url {
        None => Wanted::Release(VersionSpecifiers::empty()),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => Wanted::Release(specifiers),
        Some(VersionOrUrl::Url(url)) => match url.to_url() {
            url if matches!(url.scheme(), "http" | "https") => Wanted::Url(url),
            url if url.scheme() == "file" => {
                let path = file_path(url.as_str())
                    .ok_or_else(|| malformed(text, "expected a path", location.clone()))?;
                if !is_archive(&path.to_string_lossy()) {
                    let folder = folders.find(&path, is_project);
                    let shown = path.display().to_string();
                    let name = Some(name);
                    let ask = ProjectAsk { folder, shown, name, extras, marker, section, location };
                    return Ok(Ask::Project(ask));
                }
                Wanted::File(folders.find(&path, Path::is_file))
            }
            url => Wanted::Unchecked(unchecked_reason(url.as_str())),
        },
    };
    Ok(Ask::Distribution(Requirement {
        name,
        extras,
        wanted,
        marker,
        hashes: Vec::new(),
        index: None,
        section,
        location,
    }))
}

pub(crate) fn malformed(text: &str, problem: &str, location: Location) -> InputError {
    InputError::at(location, format!("malformed requirement `{text}`: {problem}"))
        .hint("expected a name, then a version range: `lxml>=6.1`")
}

/// A requirement without a name of its own: a file tells it in its name, a project in its
/// pyproject.toml, and anything else would have to be built to learn it.
pub(crate) fn unnamed(
    text: &str,
    folders: &Folders,
    location: &Location,
) -> Result<Ask, InputError> {
    let (target, marker) = split_marker(text);
    let marker = match marker.trim() {
        "" => MarkerTree::default(),
        marker => pep508::marker(marker)
            .map_err(|problem| malformed(text, &problem.problem, location.clone()))?,
    };
    let target = target.trim();
    let section = Section::Base;
    let lower = target.to_ascii_lowercase();
    let is_remote = target.contains("://") && !lower.starts_with("file:");
    if !is_remote {
        let (path, extras) = split_extras(target, location)?;
        let path = file_path(path).ok_or_else(|| {
            InputError::at(location.clone(), format!("expected a path, found `{target}`"))
        })?;
        if !is_archive(&path.to_string_lossy()) {
            let name = egg(target).and_then(|egg| PackageName::from_str(egg).ok());
            let folder = folders.find(&path, is_project);
            let shown = path.display().to_string();
            let location = location.clone();
            let ask = ProjectAsk { folder, shown, name, extras, marker, section, location };
            return Ok(Ask::Project(ask));
        }
        let file = folders.find(&path, Path::is_file);
        let name = egg(target).map_or_else(
            || archive_name(&file.file_name().unwrap_or_default().to_string_lossy()),
            |egg| PackageName::from_str(egg).ok(),
        );
        let name = name.map_or_else(|| guessed_name(target, location), Ok)?;
        return Ok(Ask::Distribution(Requirement {
            name,
            extras,
            wanted: Wanted::File(file),
            marker,
            hashes: Vec::new(),
            index: None,
            section,
            location: location.clone(),
        }));
    }
    let url = Url::parse(target).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let named = url.and_then(|url| Some((archive_name(&last_segment(&url))?, url)));
    let (name, wanted) = match named {
        Some((name, url)) => (name, Wanted::Url(url)),
        None => (guessed_name(target, location)?, Wanted::Unchecked(unchecked_reason(target))),
    };
    Ok(Ask::Distribution(Requirement {
        name,
        extras: Vec::new(),
        wanted,
        marker,
        hashes: Vec::new(),
        index: None,
        section,
        location: location.clone(),
    }))
}

/// Parts a path or URL from its marker. Behind a URL, a blank has to stand on one side of the
/// semicolon, which may otherwise be part of it.
fn split_marker(text: &str) -> (&str, &str) {
    let split = if text.contains("://") {
        let at = [text.find(" ;"), text.find("; ")].into_iter().flatten().min();
        at.and_then(|at| text.split_at_checked(at))
    } else {
        text.find(';').and_then(|at| text.split_at_checked(at))
    };
    split.map_or((text, ""), |(target, marker)| (target, marker.trim_start_matches([' ', ';'])))
}

/// Parts a path from extras behind it: `./spam[ham,eggs]`.
fn split_extras<'a>(
    text: &'a str,
    location: &Location,
) -> Result<(&'a str, Vec<ExtraName>), InputError> {
    let Some((path, extras)) = text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) else {
        return Ok((text, Vec::new()));
    };
    let extras = extras.split(',').map(str::trim).filter(|extra| !extra.is_empty());
    let extras = extras.map(|extra| {
        ExtraName::from_str(extra).map_err(|_| {
            let problem = format!("expected the name of an extra, found `{extra}`");
            InputError::at(location.clone(), problem)
        })
    });
    Ok((path, extras.collect::<Result<_, _>>()?))
}

/// The path that a text or a `file:` URL names, without a fragment. Nothing names no folder, also not
/// the one that it would be looked for in.
pub(crate) fn file_path(text: &str) -> Option<PathBuf> {
    let is_url = text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    let path = match text.get(5..).filter(|_| is_url) {
        None => PathBuf::from(text.split('#').next().unwrap_or(text)),
        Some(rest) if rest.starts_with("//") => Url::parse(text).ok()?.to_file_path().ok()?,
        Some(rest) => {
            let rest = rest.split(['#', '?']).next().unwrap_or(rest);
            let decoded = percent_encoding::percent_decode_str(rest).decode_utf8().ok()?;
            PathBuf::from(decoded.as_ref())
        }
    };
    (!path.as_os_str().is_empty()).then_some(path)
}

pub(crate) fn is_archive(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| lower.ends_with(ending))
}

pub(crate) fn is_path_or_url(text: &str) -> bool {
    let name_end =
        text.find(|letter: char| !letter.is_ascii_alphanumeric() && !"._-".contains(letter));
    let rest = name_end.and_then(|end| text.get(end..)).unwrap_or_default();
    text.starts_with(['.', '/', '\\', '~'])
        || rest.starts_with("://")
        || rest.starts_with(['/', '\\', '+'])
        || rest.starts_with(":\\")
        || rest.starts_with(":/")
        || text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"))
        || is_archive(text.split([';', '[']).next().unwrap_or(text).trim()) && !text.contains('@')
}

/// The name in the file name of a wheel or a source distribution; `None` where it tells none.
fn archive_name(filename: &str) -> Option<PackageName> {
    if let Ok(wheel) = WheelFilename::from_str(filename) {
        return Some(wheel.name);
    }
    let mut endings = ARCHIVES.iter().filter(|ending| **ending != ".whl");
    let stem = endings.find_map(|ending| filename.strip_suffix(ending))?;
    let (name, version) = stem.rsplit_once('-')?;
    version.parse::<pep440_rs::Version>().ok()?;
    PackageName::from_str(name).ok()
}

/// Why something that is no release of an index is not looked at.
pub(crate) fn unchecked_reason(text: &str) -> String {
    if text.split("://").next().is_some_and(|scheme| scheme.contains('+')) {
        "a version-controlled project, which would be built from source"
    } else {
        "not a wheel: it would be built from source"
    }
    .to_owned()
}

/// pip's `#egg=NAME`.
fn egg(text: &str) -> Option<&str> {
    let (_, fragment) = text.split_once('#')?;
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="))?;
    egg.split('[').next()
}

/// Enough of a name to tell a path or URL from others in the report; it never reaches an index.
pub(crate) fn guessed_name(text: &str, location: &Location) -> Result<PackageName, InputError> {
    PackageName::from_str(&project_name(text))
        .map_err(|_| InputError::at(location.clone(), "expected a requirement, a path or a URL"))
}

fn project_name(text: &str) -> String {
    if let Some(egg) = egg(text) {
        return egg.to_owned();
    }
    let path = text.split(['#', '?', '[']).next().unwrap_or(text);
    let last = path
        .rsplit(['/', '\\'])
        .find(|part| part.chars().any(char::is_alphanumeric))
        .unwrap_or("project");
    if let Some((name, _)) = last.split_once('-').filter(|_| last.ends_with(".whl")) {
        return name.to_owned();
    }
    let last = last.split('@').next().unwrap_or(last);
    let last = [".git", ".tar.gz", ".zip"]
        .into_iter()
        .find_map(|suffix| last.strip_suffix(suffix))
        .unwrap_or(last);
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = last.chars().map(plain).collect();
    name.trim_matches('-').to_owned()
}
