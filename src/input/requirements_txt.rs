//! pip's requirements files: requirements, comments, continued lines, and `-r` to other files.
//!
//! Options that decide where packages come from are refused rather than passed over, since a scan
//! that ignored them would look at other files than pip installs.

use std::path::Path;
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerTree, PackageName, VerbatimUrl, VersionOrUrl};
use url::Url;

use super::{Content, Format, InputError, Manifest, Requirement, Source, Wanted};
use crate::model::location::{Location, last_segment};
use crate::model::wheel_filename::WheelFilename;

/// Files included by files included by files.
const MAX_DEPTH: usize = 16;

/// Options that change nothing about which files are installed.
const HARMLESS: [&str; 4] =
    ["--require-hashes", "--disable-pip-version-check", "--use-feature", "--prefer-binary"];

pub(super) struct RequirementsTxt;

impl Format for RequirementsTxt {
    fn name(&self) -> &'static str {
        "requirements.txt"
    }

    fn recognises(&self, filename: &str) -> bool {
        Path::new(filename).extension().is_some_and(|extension| extension == "txt")
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let mut requirements = Vec::new();
        read_into(source, &mut requirements, 0)?;
        if requirements.is_empty() {
            return Err(InputError::of_file(
                &source.shown,
                "expected at least one requirement, found none",
            ));
        }
        Ok(Manifest { content: Content::Requirements(requirements), notes: Vec::new() })
    }
}

/// A line after continuation, with where it begins in the file.
struct Line {
    text: String,
    offset: usize,
}

fn read_into(
    source: &Source,
    requirements: &mut Vec<Requirement>,
    depth: usize,
) -> Result<(), InputError> {
    for line in logical_lines(&source.text) {
        let trimmed = line.text.trim_start();
        let location = source.location(line.offset + line.text.len() - trimmed.len());
        let trimmed = trimmed.trim_end();
        if trimmed.is_empty() {
            continue;
        }
        if trimmed.starts_with('-') {
            read_option(source, trimmed, location, requirements, depth)?;
        } else {
            requirements.push(read_requirement(trimmed, location)?);
        }
    }
    Ok(())
}

/// Joins lines that end in a backslash and takes comments away, as pip's `req_file.py` does: a
/// comment begins at a `#` at the start of a line or behind a blank.
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
        let line = pending.get_or_insert_with(|| Line { text: String::new(), offset: start });
        if is_comment {
            // A comment ends a continued line without being part of it.
            line.text.push(' ');
        }
        line.text.push_str(without_comment(part));
        if !continues && let Some(line) = pending.take() {
            lines.push(line);
        }
    }
    lines.extend(pending);
    lines
}

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

fn read_option(
    source: &Source,
    line: &str,
    location: Location,
    requirements: &mut Vec<Requirement>,
    depth: usize,
) -> Result<(), InputError> {
    let (option, value) = split_option(line);
    match option {
        "-r" | "--requirement" => {
            if depth == MAX_DEPTH {
                return Err(InputError::at(
                    location,
                    format!("expected at most {MAX_DEPTH} nested requirements files, found more"),
                )
                .hint("do the files include each other?"));
            }
            let base = source.path.parent().unwrap_or(Path::new(""));
            let included = Source::open(&base.join(value))
                .map_err(|problem| InputError::at(location, format!("`{line}`: {problem}")))?;
            read_into(&included, requirements, depth + 1)
        }
        "-e" | "--editable" => {
            requirements.push(local(value, location)?);
            Ok(())
        }
        option if HARMLESS.contains(&option) => Ok(()),
        option => Err(InputError::at(
            location,
            format!("the option `{option}` is not supported in requirements files yet"),
        )
        .hint("an index is given on the command line: --index-url URL")),
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

fn read_requirement(line: &str, location: Location) -> Result<Requirement, InputError> {
    let text = without_options(line);
    if is_path_or_url(text) {
        return local(text, location);
    }
    if text.contains("${") {
        return Err(InputError::at(location, "environment variables are not expanded yet"));
    }
    let parsed = pep508_rs::Requirement::<VerbatimUrl>::from_str(text).map_err(|problem| {
        // Its own display draws the line again, and its start counts in bytes of the text.
        let before = text.get(..problem.start).map_or(0, |before| before.chars().count());
        let location = Location { column: location.column + before, ..location.clone() };
        let message = problem.message.to_string();
        let message = in_house_style(&message);
        InputError::at(location, format!("malformed requirement `{text}`: {message}"))
            .hint("expected a name, then a version range: `lxml>=6.1`")
    })?;
    let wanted = match parsed.version_or_url {
        None => Wanted::Release(VersionSpecifiers::empty()),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => Wanted::Release(specifiers),
        Some(VersionOrUrl::Url(url)) => match url.to_url() {
            url if matches!(url.scheme(), "http" | "https") => Wanted::Url(url),
            _ => Wanted::Local,
        },
    };
    Ok(Requirement { name: parsed.name, wanted, marker: parsed.marker, location })
}

/// A library's message as ours read: one line, no capital at the start, no full stop at the end.
fn in_house_style(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = line.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Takes away what pip reads as options of a requirement: `--hash=sha256:…` and others, each
/// behind a blank.
fn without_options(line: &str) -> &str {
    let mut end = line.len();
    for (at, _) in line.match_indices(" --").chain(line.match_indices("\t--")) {
        end = end.min(at);
    }
    line[..end].trim_end()
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
fn local(text: &str, location: Location) -> Result<Requirement, InputError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let filename = url.as_ref().and_then(|url| WheelFilename::from_str(&last_segment(url)).ok());
    if let (Some(url), Some(wheel)) = (url, filename) {
        return Ok(Requirement {
            name: wheel.name,
            wanted: Wanted::Url(url),
            marker: MarkerTree::default(),
            location,
        });
    }
    // Enough of a name to tell it from others in the report; it never reaches an index.
    let name: String = text
        .rsplit(['/', '\\'])
        .find(|part| part.chars().any(char::is_alphanumeric))
        .unwrap_or("project")
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    let name = PackageName::from_str(name.trim_matches('-'))
        .map_err(|_| InputError::at(location.clone(), "expected a requirement, a path or a URL"))?;
    Ok(Requirement { name, wanted: Wanted::Local, marker: MarkerTree::default(), location })
}
