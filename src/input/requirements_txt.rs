//! pip's requirements files: requirements, comments, continued lines, and `-r` to other files.
//!
//! Options that decide where packages come from are refused rather than passed over, since a scan
//! that ignored them would look at other files than pip installs.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerTree, PackageName, VersionOrUrl};
use url::Url;

use super::{Content, Format, InputError, Manifest, Requirements, Source};
use crate::model::digest::Sha256;
use crate::model::location::{Location, last_segment};
use crate::model::pep508;
use crate::model::requirement::{Requirement, Section, Wanted};
use crate::model::wheel_filename::WheelFilename;

/// Files included by files included by files.
const MAX_DEPTH: usize = 16;

/// Files included in all.
const MAX_FILES: usize = 256;

/// Options that change nothing about which files are installed.
const HARMLESS: [&str; 3] = ["--require-hashes", "--disable-pip-version-check", "--use-feature"];

pub(super) struct RequirementsTxt;

impl Format for RequirementsTxt {
    fn name(&self) -> &'static str {
        "requirements.txt"
    }

    fn recognises(&self, filename: &str) -> bool {
        let extension = Path::new(filename).extension();
        extension.is_some_and(|extension| extension == "txt" || extension == "in")
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let mut reader = Reader::default();
        reader.read(source)?;
        if reader.requirements.is_empty() {
            return Err(InputError::of_file(
                &source.shown,
                "expected at least one requirement, found none",
            ));
        }
        let requirements =
            Requirements { required: reader.requirements, ..Requirements::default() };
        Ok(Manifest { content: Content::Requirements(requirements), ..Manifest::default() })
    }
}

/// A line after continuation.
struct Line {
    text: String,
    /// Where its parts stand in the file: offset in the text, offset in the file.
    parts: Vec<(usize, usize)>,
}

impl Line {
    /// The offset in the file of an offset in the text.
    fn offset(&self, at: usize) -> usize {
        let part = self.parts.iter().rev().find(|(start, _)| *start <= at);
        part.map_or(0, |(start, offset)| offset + at - start)
    }
}

/// Joins lines that end in a backslash, then takes comments away, as pip's `req_file.py` does. A
/// line that begins with a comment ends a continued one.
fn logical_lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut pending: Option<Line> = None;
    let mut offset = 0;
    for raw in text.split_inclusive('\n') {
        let start = offset;
        offset += raw.len();
        let raw = raw.trim_end_matches(['\n', '\r']);
        let is_comment = raw.trim_start().starts_with('#');
        let (part, continues) = match raw.strip_suffix('\\') {
            Some(part) if !is_comment => (part, true),
            _ => (raw, false),
        };
        let line = pending.get_or_insert_with(|| Line { text: String::new(), parts: Vec::new() });
        if is_comment {
            // Behind a blank, so that it is seen as a comment.
            line.text.push(' ');
        }
        line.parts.push((line.text.len(), start));
        line.text.push_str(part);
        if !continues && let Some(line) = pending.take() {
            lines.push(line);
        }
    }
    lines.extend(pending);
    for line in &mut lines {
        let length = without_comment(&line.text).trim_end().len();
        line.text.truncate(length);
    }
    lines
}

/// A comment begins at a `#` at the start of a line or behind a blank.
fn without_comment(line: &str) -> &str {
    let mut previous_is_blank = true;
    for (at, letter) in line.char_indices() {
        if letter == '#' && previous_is_blank {
            return &line[..at];
        }
        previous_is_blank = letter.is_whitespace();
    }
    line
}

/// What was read so far, from a file and those it includes.
#[derive(Default)]
struct Reader {
    requirements: Vec<Requirement>,
    /// The files being read, each included by the one before.
    open: Vec<PathBuf>,
    files: usize,
}

impl Reader {
    fn read(&mut self, source: &Source) -> Result<(), InputError> {
        self.open.push(source.path.clone());
        for line in logical_lines(&source.text) {
            let trimmed = line.text.trim_start();
            let start = line.text.len() - trimmed.len();
            if trimmed.is_empty() {
                continue;
            }
            let place = |at: usize| source.location(line.offset(start + at));
            if trimmed.starts_with('-') {
                self.read_option(source, trimmed, place(0))?;
            } else {
                self.requirements.push(read_requirement(trimmed, place)?);
            }
        }
        self.open.pop();
        Ok(())
    }

    fn read_option(
        &mut self,
        source: &Source,
        line: &str,
        location: Location,
    ) -> Result<(), InputError> {
        let (option, value) = split_option(line);
        match option {
            "-r" | "--requirement" | "-e" | "--editable" if value.is_empty() => {
                Err(InputError::at(location, format!("expected something behind `{option}`")))
            }
            "-r" | "--requirement" => self.include(source, value, location),
            "-e" | "--editable" => {
                self.requirements.push(local(value, MarkerTree::default(), location)?);
                Ok(())
            }
            option if HARMLESS.contains(&option) => Ok(()),
            option => {
                let problem =
                    format!("the option `{option}` is not supported in requirements files yet");
                let error = InputError::at(location, problem);
                Err(if matches!(option, "-i" | "--index-url") {
                    error.hint("an index is given on the command line: --index-url URL")
                } else {
                    error
                })
            }
        }
    }

    fn include(
        &mut self,
        source: &Source,
        value: &str,
        location: Location,
    ) -> Result<(), InputError> {
        if value.contains("://") {
            return Err(InputError::at(location, "files at URLs are not included yet"));
        }
        let path = source.path.parent().unwrap_or(Path::new("")).join(value);
        self.files += 1;
        if self.open.len() > MAX_DEPTH || self.files > MAX_FILES {
            return Err(InputError::at(
                location,
                format!(
                    "expected at most {MAX_FILES} included files, nested at most {MAX_DEPTH} deep, \
                     found more"
                ),
            )
            .hint("do the files include each other?"));
        }
        if self.open.contains(&path) {
            let path = path.display();
            return Err(InputError::at(location, format!("`{path}` includes itself"))
                .hint("do the files include each other?"));
        }
        let included = Source::open(&path).map_err(|problem| {
            InputError::at(location, format!("an included file is missing: {problem}"))
        })?;
        self.read(&included)
    }
}

/// `-rfile`, `-r file`, `--requirement file` and `--requirement=file`.
fn split_option(line: &str) -> (&str, &str) {
    let end = line
        .find(|letter: char| letter.is_whitespace() || letter == '=')
        .filter(|_| line.starts_with("--") || line.chars().nth(2).is_none_or(char::is_whitespace));
    let end = end.unwrap_or(if line.starts_with("--") { line.len() } else { 2.min(line.len()) });
    let (option, value) = line.split_at_checked(end).unwrap_or((line, ""));
    (
        option,
        value.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '=').trim(),
    )
}

/// Reads one requirement; `place` tells where a byte of it stands in the file.
fn read_requirement(
    line: &str,
    place: impl Fn(usize) -> Location,
) -> Result<Requirement, InputError> {
    let (text, options) = split_options(line);
    let hashes = read_hashes(options).map_err(|problem| InputError::at(place(0), problem))?;
    if text.contains("${") {
        return Err(InputError::at(place(0), "environment variables are not expanded yet"));
    }
    if is_path_or_url(text) {
        // Behind a URL the marker needs a blank before its semicolon, which may be part of a URL.
        let (target, marker) = text.split_once(" ;").unwrap_or((text, ""));
        let marker = match marker.trim() {
            "" => MarkerTree::default(),
            marker => pep508::marker(marker)
                .map_err(|problem| malformed(text, &problem.problem, place(0)))?,
        };
        return Ok(Requirement { hashes, ..local(target.trim(), marker, place(0))? });
    }
    let parsed = pep508::requirement(text)
        .map_err(|problem| malformed(text, &problem.problem, place(problem.at)))?;
    let wanted = match parsed.version_or_url {
        None => Wanted::Release(VersionSpecifiers::empty()),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => Wanted::Release(specifiers),
        Some(VersionOrUrl::Url(url)) => match url.to_url() {
            url if matches!(url.scheme(), "http" | "https") => Wanted::Url(url),
            url => Wanted::Unchecked(unchecked_reason(url.as_str())),
        },
    };
    Ok(Requirement {
        name: parsed.name,
        extras: parsed.extras,
        wanted,
        marker: parsed.marker,
        hashes,
        index: None,
        section: Section::Base,
        location: place(0),
    })
}

fn malformed(text: &str, problem: &str, location: Location) -> InputError {
    InputError::at(location, format!("malformed requirement `{text}`: {problem}"))
        .hint("expected a name, then a version range: `lxml>=6.1`")
}

/// Parts a requirement from what pip reads as its options: `--hash=sha256:…` and others, each behind
/// a blank.
fn split_options(line: &str) -> (&str, &str) {
    let starts = line.match_indices(" --").chain(line.match_indices("\t--"));
    let end = starts.map(|(at, _)| at).min().unwrap_or(line.len());
    (line[..end].trim_end(), &line[end..])
}

/// The digests that a requirement allows. pip installs nothing else, so an option that is not
/// understood here is not passed over.
fn read_hashes(options: &str) -> Result<Vec<Sha256>, String> {
    let mut hashes = Vec::new();
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--hash=") {
            Some(value) => value,
            None if word == "--hash" => words.next().unwrap_or_default(),
            // What a build is given; nothing is built here.
            None if word.starts_with("--config-setting") => continue,
            None => {
                return Err(format!("the option `{word}` of a requirement is not supported yet"));
            }
        };
        let digest = value.strip_prefix("sha256:").ok_or_else(|| {
            format!("expected a hash `sha256:…`, found `{value}`: others are not compared yet")
        })?;
        hashes.push(Sha256::from_str(digest).map_err(|problem| problem.to_string())?);
    }
    Ok(hashes)
}

fn is_path_or_url(text: &str) -> bool {
    let name_end =
        text.find(|letter: char| !letter.is_ascii_alphanumeric() && !"._-".contains(letter));
    let rest = name_end.map_or("", |end| &text[end..]);
    text.starts_with(['.', '/', '\\', '~'])
        || rest.starts_with("://")
        || rest.starts_with(['/', '\\', '+'])
        || rest.starts_with(":\\")
        || rest.starts_with(":/")
        || text.ends_with(".whl") && !text.contains('@')
}

/// A requirement without a name of its own: a wheel at a URL tells it in its file name, anything
/// else would have to be built to learn it.
fn local(text: &str, marker: MarkerTree, location: Location) -> Result<Requirement, InputError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let filename = url.as_ref().and_then(|url| WheelFilename::from_str(&last_segment(url)).ok());
    if let (Some(url), Some(wheel)) = (url, filename) {
        return Ok(Requirement {
            name: wheel.name,
            extras: Vec::new(),
            wanted: Wanted::Url(url),
            marker,
            hashes: Vec::new(),
            index: None,
            section: Section::Base,
            location,
        });
    }
    let name = PackageName::from_str(&project_name(text))
        .map_err(|_| InputError::at(location.clone(), "expected a requirement, a path or a URL"))?;
    let wanted = Wanted::Unchecked(unchecked_reason(text));
    Ok(Requirement {
        name,
        extras: Vec::new(),
        wanted,
        marker,
        hashes: Vec::new(),
        index: None,
        section: Section::Base,
        location,
    })
}

/// Why something that is no release of an index is not looked at.
fn unchecked_reason(text: &str) -> String {
    let path = text.split(['#', '?']).next().unwrap_or(text);
    if path.ends_with(".whl") {
        "a wheel on this machine, not looked at yet"
    } else if text.split("://").next().is_some_and(|scheme| scheme.contains('+')) {
        "a version-controlled project, which would be built from source"
    } else if text.contains("://") && !text.starts_with("file:") {
        "not a wheel: it would be built from source"
    } else {
        "a project on this machine, which would be built from source"
    }
    .to_owned()
}

/// Enough of a name to tell a path or URL from others in the report; it never reaches an index.
fn project_name(text: &str) -> String {
    if let Some((_, egg)) = text.split_once("#egg=") {
        return egg.split(['&', '[']).next().unwrap_or(egg).to_owned();
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
