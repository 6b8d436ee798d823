//! The commands by which each tool takes another release of a package. Pure.
//!
//! What the tools do with them was tried: `uv add`, `poetry add` and `pdm add` replace what the
//! project's file asks for, and with it extras and markers, so that those are named again. uv takes an
//! entry with another marker for another one. `poetry update` and `pdm update` take names alone.

use std::borrow::Cow;
use std::fmt;

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::bounds::with_extras;
use crate::model::advice::{Manager, Tool};
use crate::model::requirement::{Requirement, Section};

/// Which releases are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// This one or a newer one.
    AtLeast(Version),
    /// This one, since the newest does not keep the GIL off.
    Exactly(Version),
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(version) => write!(f, ">={version}"),
            Self::Exactly(version) => write!(f, "=={version}"),
        }
    }
}

/// A command and what has to be known of it, or what to do where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The command.
    pub command: Option<String>,
    /// What has to be known of it, or what to do where there is none.
    pub remark: Option<String>,
}

impl Told {
    fn command(words: &[&str]) -> Self {
        Self { command: join(words), remark: None }
    }

    fn remark(text: impl Into<String>) -> Self {
        Self { command: None, remark: Some(text.into()) }
    }

    fn with(self, text: impl Into<String>) -> Self {
        Self { remark: Some(text.into()), ..self }
    }
}

/// Words for a POSIX shell; none where one of them holds a NUL, which no command can be given.
#[must_use]
pub fn join(words: &[&str]) -> Option<String> {
    let quoted: Result<Vec<_>, _> = words.iter().map(|word| quote(word)).collect();
    quoted.ok().map(|words| words.join(" "))
}

fn quote(word: &str) -> Result<Cow<'_, str>, shlex::QuoteError> {
    // Markers hold single quotes, and nothing that would have a meaning between double ones: shells
    // take the `!` of `!=` for itself.
    let means_something = ['"', '$', '`', '\\', '!', '\n', '\0'];
    if word.contains('\'') && !word.replace("!=", "").contains(means_something) {
        return Ok(Cow::Owned(format!("\"{word}\"")));
    }
    shlex::try_quote(word)
}

/// Takes another release of `name` that what is asked for allows; beside it of `others` too, which
/// give way to it.
#[must_use]
pub fn take(manager: &Manager, name: &PackageName, others: &[&str], wish: &Wish) -> Told {
    let name = name.to_string();
    let wanted = format!("{name}{wish}");
    // Where the newest one will do, the tool finds it by itself.
    let short = if matches!(wish, Wish::Exactly(_)) || !others.is_empty() {
        wanted.as_str()
    } else {
        name.as_str()
    };
    let file = manager.file.as_str();
    let names = || others.iter().copied().chain(std::iter::once(name.as_str()));
    let flagged = |before: &[&str], last: &str| {
        let mut words: Vec<&str> = before.to_vec();
        for word in others.iter().copied().chain(std::iter::once(last)) {
            words.extend(["--upgrade-package", word]);
        }
        Told::command(&words)
    };
    match manager.tool {
        Tool::Uv => flagged(&["uv", "lock"], short),
        Tool::UvScript => flagged(&["uv", "lock", "--script", file], short),
        Tool::UvPip | Tool::PipTools => flagged(&written_by(manager), &wanted),
        Tool::Poetry | Tool::Pdm => {
            let tool = if manager.tool == Tool::Poetry { "poetry" } else { "pdm" };
            if let Wish::Exactly(_) = wish {
                return Told::command(&[tool, "add", &wanted]).with(format!(
                    "{tool} has no other way to hold it there than as a dependency of the project"
                ));
            }
            Told::command(&[tool, "update"].into_iter().chain(names()).collect::<Vec<_>>())
        }
        Tool::Pip => {
            let words = ["python", "-m", "pip", "install", "--upgrade"];
            let all = others.iter().copied().chain(std::iter::once(wanted.as_str()));
            Told::command(&words.into_iter().chain(all).collect::<Vec<_>>())
        }
        Tool::Environment => {
            let words = ["uv", "pip", "install", "--python", file];
            let flags = others.iter().flat_map(|other| ["--upgrade-package", other]);
            let last = std::iter::once(wanted.as_str());
            Told::command(&words.into_iter().chain(flags).chain(last).collect::<Vec<_>>())
        }
        Tool::Pipenv => Told::command(&["pipenv", "upgrade", &wanted])
            .with("Pipenv writes it into the Pipfile too"),
        Tool::Pixi if matches!(wish, Wish::Exactly(_)) => {
            Told::command(&["pixi", "add", "--pypi", &wanted])
        }
        Tool::Pixi => {
            Told::command(&["pixi", "update"].into_iter().chain(names()).collect::<Vec<_>>())
        }
        Tool::Pylock => Told::remark(format!(
            "{file} has to be locked anew with `{wanted}`, by the tool that wrote it"
        )),
        Tool::Conda => Told::remark(format!("{file} has to ask for `{wanted}` of PyPI")),
    }
}

/// Changes what the project itself asks for: `own` gives way to `wish`.
#[must_use]
pub fn ask(manager: &Manager, own: &Requirement, wish: &Wish) -> Told {
    let line = line(own, wish);
    let part = |extra: &'static str, group: &'static str| match &own.section {
        Section::Extra(name) => vec![extra.to_owned(), name.to_string()],
        Section::Group(name) => vec![group.to_owned(), name.to_string()],
        Section::Base | Section::Any => Vec::new(),
    };
    let add = |words: &[&str], part: Vec<String>| {
        let part = part.iter().map(String::as_str);
        let last = std::iter::once(line.as_str());
        Told::command(&words.iter().copied().chain(part).chain(last).collect::<Vec<_>>())
    };
    let file = manager.file.as_str();
    match manager.tool {
        Tool::Uv => add(&["uv", "add"], part("--optional", "--group")),
        Tool::UvScript => add(&["uv", "add", "--script", file], Vec::new()),
        Tool::Poetry => add(&["poetry", "add"], part("--optional", "--group")),
        Tool::Pdm => add(&["pdm", "add"], part("-G", "-dG")),
        Tool::Pip => Told::command(&["python", "-m", "pip", "install", "--upgrade", "-r", file])
            .with(new_line(own, &line)),
        Tool::PipTools | Tool::UvPip => {
            let told = take(manager, &own.name, &[], wish);
            // What it was compiled from is not here: whether that allows it, the tool tells.
            let is_compiled = own.location.path == *file;
            if is_compiled { told } else { told.with(new_line(own, &line)) }
        }
        Tool::Pixi => add(&["pixi", "add", "--pypi"], Vec::new()),
        Tool::Pipenv => add(&["pipenv", "upgrade"], Vec::new()),
        Tool::Pylock | Tool::Conda | Tool::Environment => Told::remark(new_line(own, &line)),
    }
}

/// What the project would ask for instead.
#[must_use]
pub fn line(own: &Requirement, wish: &Wish) -> String {
    let marker = own.marker.try_to_string();
    let marker = marker.map(|marker| format!(" ; {marker}")).unwrap_or_default();
    format!("{}{wish}{marker}", with_extras(&own.name, own))
}

/// The line of a file that changes.
fn new_line(own: &Requirement, line: &str) -> String {
    let place = &own.location;
    let hashes = if own.hashes.is_empty() { "" } else { ", with the digests of its files anew" };
    format!("{}:{} becomes `{line}`{hashes}", place.path, place.line)
}

/// The command that wrote a requirements file.
fn written_by(manager: &Manager) -> Vec<&str> {
    if !manager.written_by.is_empty() {
        return manager.written_by.iter().map(String::as_str).collect();
    }
    match manager.tool {
        Tool::UvPip => vec!["uv", "pip", "compile", "requirements.in", "-o", &manager.file],
        _ => vec!["pip-compile", "-o", &manager.file],
    }
}

/// Installs one file of a release: what an index offers beside a wheel that enables the GIL.
#[must_use]
pub fn take_file(
    manager: &Manager,
    name: &PackageName,
    own: Option<&Requirement>,
    url: &str,
) -> Told {
    let named = own.map_or_else(|| name.to_string(), |own| with_extras(name, own));
    let wanted = format!("{named} @ {url}");
    match manager.tool {
        Tool::Uv => Told::command(&["uv", "add", &wanted]),
        Tool::UvScript => Told::command(&["uv", "add", "--script", &manager.file, &wanted]),
        Tool::Poetry => Told::command(&["poetry", "add", url]),
        Tool::Pdm => Told::command(&["pdm", "add", &wanted]),
        Tool::Pip | Tool::Environment => {
            Told::command(&["python", "-m", "pip", "install", &wanted])
        }
        Tool::Pipenv => Told::command(&["pipenv", "install", url]),
        Tool::Pixi => Told::command(&["pixi", "add", "--pypi", &wanted]),
        Tool::PipTools | Tool::UvPip | Tool::Pylock | Tool::Conda => {
            Told::remark(format!("ask for `{wanted}`"))
        }
    }
}

/// Has a package built from source.
#[must_use]
pub fn build(manager: &Manager, name: &PackageName) -> Told {
    let name = name.to_string();
    let file = manager.file.as_str();
    match manager.tool {
        Tool::Uv => Told::command(&["uv", "sync", "--no-binary-package", &name]),
        Tool::UvScript => Told::command(&["uv", "run", "--no-binary-package", &name, file]),
        Tool::Pip | Tool::PipTools => {
            Told::command(&["python", "-m", "pip", "install", "--no-binary", &name, "-r", file])
        }
        Tool::UvPip => Told::command(&["uv", "pip", "install", "--no-binary", &name, "-r", file]),
        Tool::Environment => {
            Told::command(&["uv", "pip", "install", "--python", file, "--no-binary", &name, &name])
        }
        Tool::Poetry => {
            Told::command(&["poetry", "config", "--local", "installer.no-binary", &name])
        }
        Tool::Pdm => Told::remark("`PDM_NO_BINARY` names the packages that pdm builds from source"),
        Tool::Pipenv | Tool::Pylock | Tool::Pixi | Tool::Conda => {
            Told::remark("pip takes the source with `PIP_NO_BINARY` naming it")
        }
    }
}
