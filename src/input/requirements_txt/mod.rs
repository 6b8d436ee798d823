//! pip's requirements files: requirements, comments, continued lines, and options that lead to other
//! files or say where packages come from.
//!
//! What is installed by an option that a scan cannot follow is told, or the file is refused: a scan
//! that passed over it would look at other files than pip installs.

mod lines;
mod options;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

use self::lines::logical_lines;
use self::options::{Given, Meaning};
use super::collect::Collector;
use super::requirement::{self, Ask, Folders, file_path};
use super::{Format, InputError, Manifest, Source};
use crate::model::digest::Sha256;
use crate::model::index::{IndexSource, LinksSource};
use crate::model::limits::Limit;
use crate::model::location::Location;
use crate::model::requirement::Prereleases;

pub(super) use self::lines::expanded;

pub(super) struct RequirementsTxt;

impl Format for RequirementsTxt {
    fn name(&self) -> &'static str {
        "requirements.txt"
    }

    fn recognises(&self, filename: &str) -> bool {
        let extension = Path::new(filename).extension();
        extension.is_some_and(|extension| extension == "txt" || extension == "in")
    }

    fn in_directory(&self, directory: &Path) -> Option<PathBuf> {
        ["requirements.txt", "requirements.in"]
            .into_iter()
            .map(|name| directory.join(name))
            .find(|path| path.is_file())
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let folder = source.path.parent().unwrap_or(Path::new(""));
        let collector = collect(source, Folders::working_directory_then(folder))?;
        if collector.is_empty() {
            return Err(InputError::of_file(
                &source.shown,
                "expected at least one requirement, found none",
            ));
        }
        Ok(collector.finish())
    }
}

/// Reads lines of a requirements file that stand in a file of another kind.
///
/// # Errors
/// As for a requirements file; that there is no requirement is none.
pub(super) fn read_entries(source: &Source, folders: Folders) -> Result<Manifest, InputError> {
    Ok(collect(source, folders)?.finish())
}

fn collect(source: &Source, folders: Folders) -> Result<Collector, InputError> {
    let (collector, open) = (Collector::of(source), Vec::new());
    let mut reader = Reader { collector, folders, open, files: 0 };
    reader.read(source, false)?;
    Ok(reader.collector)
}

/// What was read so far, from a file and those it includes.
struct Reader {
    collector: Collector,
    folders: Folders,
    /// The files being read, each included by the one before.
    open: Vec<PathBuf>,
    files: usize,
}

/// A line being read.
struct Spot<'a> {
    source: &'a Source,
    location: Location,
    /// Whether the file was named by `-c`.
    constrains: bool,
}

impl Spot<'_> {
    fn error(&self, problem: impl Into<String>) -> InputError {
        InputError::at(self.location.clone(), problem)
    }
}

impl Reader {
    fn read(&mut self, source: &Source, constrains: bool) -> Result<(), InputError> {
        self.open.push(identity(&source.path));
        for line in logical_lines(&source.text) {
            let trimmed = line.text.trim_start();
            let start = line.text.len() - trimmed.len();
            if trimmed.is_empty() {
                continue;
            }
            let place = |at: usize| source.location(line.offset(start + at));
            let spot = Spot { source, location: place(0), constrains };
            let read = if trimmed.starts_with('-') {
                self.read_options(&spot, trimmed)
            } else {
                self.read_requirement(&spot, trimmed, place)
            };
            read.map_err(|error| {
                if is_conflict_marker(trimmed) {
                    let problem = "expected a requirement, found a merge-conflict marker";
                    return spot.error(problem).hint("resolve the conflict first");
                }
                InputError { problem: line.without_values(error.problem), ..error }
            })?;
        }
        self.open.pop();
        Ok(())
    }

    fn read_requirement(
        &mut self,
        spot: &Spot<'_>,
        line: &str,
        place: impl Fn(usize) -> Location,
    ) -> Result<(), InputError> {
        let (text, options) = split_options(line);
        let hashes = read_hashes(options).map_err(|problem| spot.error(problem))?;
        let mut ask = requirement::read(text, &self.folders, place)?;
        if let Ask::Distribution(requirement) = &mut ask {
            requirement.hashes = hashes;
        }
        if spot.constrains { self.constrain(spot, ask, text) } else { self.collector.add(ask) }
    }

    /// Constraints take a name and a range, or since pip 23 a file that the package has to be
    /// (`check_invalid_constraint_type` in pip's `req_install.py`).
    fn constrain(&mut self, spot: &Spot<'_>, ask: Ask, text: &str) -> Result<(), InputError> {
        match ask {
            Ask::Project(_) => Err(spot
                .error(format!("expected a constraint with a name, found `{text}`"))
                .hint("a constraint is a name and a version range: `lxml>=6.1`")),
            Ask::Distribution(constraint) if !constraint.extras.is_empty() => {
                let problem = format!("expected a constraint without extras, found `{text}`");
                Err(spot.error(problem).hint("ask for extras where the package is required"))
            }
            Ask::Distribution(constraint) => {
                self.collector.requirements.constraints.push(constraint);
                Ok(())
            }
        }
    }

    fn read_options(&mut self, spot: &Spot<'_>, line: &str) -> Result<(), InputError> {
        let given = options::read(line).map_err(|problem| spot.error(problem))?;
        // pip follows the first of these, and passes over whatever stands beside it.
        let leads = given.iter().find(|given| {
            matches!(given.meaning, Meaning::Requirement | Meaning::Constraint | Meaning::Editable)
        });
        match leads {
            Some(Given { meaning: Meaning::Editable, value, name }) => {
                if spot.constrains {
                    let problem = format!("expected a constraint, found the option `{name}`");
                    return Err(spot.error(problem));
                }
                let place = |_| spot.location.clone();
                let named = !requirement::is_path_or_url(value) && value.contains('@');
                let ask = if named {
                    requirement::read(value, &self.folders, place)?
                } else {
                    requirement::unnamed(value, &self.folders, &spot.location)?
                };
                self.collector.add(ask)
            }
            Some(Given { meaning, value, .. }) => {
                self.include(spot, value, *meaning == Meaning::Constraint)
            }
            None => given.iter().try_for_each(|given| self.apply(spot, given)),
        }
    }

    fn apply(&mut self, spot: &Spot<'_>, given: &Given) -> Result<(), InputError> {
        let Given { name, meaning, value } = given;
        let indexes = &mut self.collector.indexes;
        match meaning {
            // As pip's `handle_option_line`: a new index takes the place of all before it.
            Meaning::IndexUrl | Meaning::ExtraIndexUrl if indexes.no_index => {}
            Meaning::IndexUrl => {
                let url = index_url(spot, value)?;
                indexes.indexes.clear();
                let (is_default, explicit) = (true, false);
                indexes.indexes.push(IndexSource { is_default, explicit, ..IndexSource::new(url) });
            }
            Meaning::ExtraIndexUrl => {
                let url = index_url(spot, value)?;
                let (is_default, explicit) = (false, false);
                indexes.indexes.push(IndexSource { is_default, explicit, ..IndexSource::new(url) });
            }
            Meaning::NoIndex => {
                indexes.no_index = true;
                indexes.indexes.clear();
            }
            Meaning::FindLinks => indexes.find_links.push(links(spot, value)?),
            Meaning::Prereleases => self.collector.prereleases = Some(Prereleases::Allow),
            Meaning::AllReleases if value == ":all:" => {
                self.collector.prereleases = Some(Prereleases::Allow);
            }
            Meaning::OnlyFinal if value == ":all:" => {
                self.collector.prereleases = Some(Prereleases::Disallow);
            }
            Meaning::AllReleases | Meaning::OnlyFinal => self.collector.gap(format!(
                "`{name} {value}` decides about pre-releases of single packages, which is not followed"
            )),
            Meaning::NoBinary if value != ":none:" => self.collector.gap(format!(
                "`{name} {value}` has packages built from source, of which wheels were looked at"
            )),
            Meaning::PreferBinary => self.collector.note(format!(
                "`{name}` is not followed: pip may install an older release that has a wheel"
            )),
            Meaning::OnlyBinary if value != ":none:" => self.collector.note(format!(
                "`{name} {value}` is not followed: pip may install an older release that has a wheel"
            )),
            Meaning::Hash => {
                let problem = format!("expected `{name}` behind a requirement, found it alone");
                return Err(spot.error(problem));
            }
            _ => {}
        }
        Ok(())
    }

    fn include(
        &mut self,
        spot: &Spot<'_>,
        value: &str,
        constrains: bool,
    ) -> Result<(), InputError> {
        let is_remote = ["http:", "https:"].iter().any(|scheme| {
            value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if is_remote {
            return Err(spot
                .error(format!("expected a file on this machine, found the URL `{value}`"))
                .hint("download it, and name the file here"));
        }
        let named = match value.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("file:")) {
            Some(_) => file_path(value)
                .ok_or_else(|| spot.error(format!("expected a path, found `{value}`")))?,
            None => PathBuf::from(value),
        };
        let path = spot.source.path.parent().unwrap_or(Path::new("")).join(named);
        self.files += 1;
        if self.open.contains(&identity(&path)) {
            return Err(spot
                .error(format!("`{value}` includes itself, directly or through others"))
                .hint("do the files include each other?"));
        }
        let nesting = spot.source.nesting;
        let too_many =
            |problem: String| Err(spot.error(problem).hint("do the files include each other?"));
        if self.open.len() as u64 > nesting.depth {
            let (most, limit) = (nesting.depth, Limit("included-depth"));
            return too_many(format!("expected included files at most {most} deep ({limit})"));
        }
        if self.files as u64 > nesting.files {
            let (most, limit) = (nesting.files, Limit("included-files"));
            return too_many(format!("expected at most {most} included files ({limit})"));
        }
        let included = Source::open(&path)
            .map_err(|problem| spot.error(format!("an included file cannot be used: {problem}")))?
            .nested(nesting);
        self.read(&included, constrains)
    }
}

/// Whether version control left the line to be merged.
fn is_conflict_marker(line: &str) -> bool {
    line == "======="
        || ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|mark| line.starts_with(mark))
}

/// What tells a file from others, however it is named.
fn identity(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn index_url(spot: &Spot<'_>, value: &str) -> Result<Url, InputError> {
    Url::parse(value)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https" | "file"))
        .ok_or_else(|| spot.error(format!("expected the URL of an index, found `{value}`")))
}

/// A page, a folder or a file. A path counts from the file where something is there, else from the
/// working directory.
fn links(spot: &Spot<'_>, value: &str) -> Result<LinksSource, InputError> {
    if let Ok(url) = Url::parse(value)
        && matches!(url.scheme(), "http" | "https")
    {
        return Ok(LinksSource::Page(url));
    }
    let path = file_path(value)
        .ok_or_else(|| spot.error(format!("expected a path or a URL, found `{value}`")))?;
    let beside = spot.source.path.parent().unwrap_or(Path::new("")).join(&path);
    Ok(LinksSource::Path(if beside.exists() { beside } else { path }))
}

/// Parts a requirement from what pip reads as its options: `--hash=sha256:…` and others, each behind
/// a blank.
fn split_options(line: &str) -> (&str, &str) {
    let starts = line.match_indices(" -").chain(line.match_indices("\t-"));
    let end = starts.map(|(at, _)| at).min().unwrap_or(line.len());
    let (text, options) = line.split_at_checked(end).unwrap_or((line, ""));
    (text.trim_end(), options.trim_start())
}

/// The digests that a requirement allows. pip installs nothing else, so an option that is not
/// understood here is not passed over.
fn read_hashes(options: &str) -> Result<Vec<Sha256>, String> {
    let mut hashes = Vec::new();
    if options.is_empty() {
        return Ok(hashes);
    }
    for Given { name, meaning, value } in options::read(options)? {
        match meaning {
            Meaning::Hash => {
                let digest = value.strip_prefix("sha256:").ok_or_else(|| {
                    format!("expected a hash `sha256:…`, found `{value}`: others are not compared")
                })?;
                hashes.push(Sha256::from_str(digest).map_err(|problem| problem.to_string())?);
            }
            Meaning::Nothing => {}
            _ => return Err(format!("expected `{name}` on a line of its own")),
        }
    }
    Ok(hashes)
}
