//! `[project]` (PEP 621) and `[dependency-groups]` (PEP 735).

use std::str::FromStr as _;

use super::super::document::{Item, Table};
use super::super::project::{Project, extra_of, groups};
use super::super::requirement::{self, Ask, Folders};
use super::super::{InputError, Source};
use super::Parts;
use crate::model::requirement::Section;

/// What the standard's tables say, the project's own extras as they are written.
pub(super) fn read(project: &Project) -> Result<Parts, InputError> {
    let mut parts = Parts::default();
    let folders = project.folders();
    if let Some(table) = project.project()? {
        for item in table.list("dependencies")? {
            parts.asks.push(ask(item, &folders)?);
        }
        for extra in table.table("optional-dependencies")?.into_iter().flat_map(Table::items) {
            let name = extra_of(extra)?;
            let section = Section::Extra(name.clone());
            for item in extra.list()? {
                parts.asks.push(ask(item, &folders)?.of(&section));
            }
            if !parts.sections.extras.insert(name.clone()) {
                let problem = format!("expected extras of different names, found `{name}` twice");
                return Err(InputError::at(extra.key_location(), problem));
            }
        }
    }
    add_from_files(project, &mut parts)?;
    for (group, items) in groups::expanded(project.document.root())? {
        let section = Section::Group(group.clone());
        parts.sections.groups.insert(group);
        for item in items {
            parts.asks.push(ask(item, &folders)?.of(&section));
        }
    }
    Ok(parts)
}

/// The files in which setuptools finds a field that is dynamic (`tool.setuptools.dynamic`): a name or
/// a list of names under `file`.
fn files(item: Option<Item<'_>>) -> Result<Option<Vec<Item<'_>>>, InputError> {
    let Some(item) = item else { return Ok(None) };
    let Some(file) = item.table()?.get("file") else { return Ok(None) };
    Ok(Some(if file.is_list() { file.list()? } else { vec![file] }))
}

/// Whether a field is not left to the build, or the build reads it from files that name it.
pub(super) fn is_read_from_files(
    table: Table<'_>,
    project: &Project,
    field: &str,
) -> Result<bool, InputError> {
    let is_dynamic = table.list("dynamic")?.iter().any(|item| item.as_text() == Some(field));
    let dynamic = project.document.root().nested(&["tool", "setuptools", "dynamic"])?;
    let item = dynamic.and_then(|dynamic| dynamic.get(field));
    Ok(!is_dynamic
        || match field {
            "optional-dependencies" => item.is_some(),
            _ => files(item)?.is_some(),
        })
}

/// Adds what setuptools reads from requirements files, each line of which is a requirement or a
/// comment.
fn add_from_files(project: &Project, parts: &mut Parts) -> Result<(), InputError> {
    let dynamic = project.document.root().nested(&["tool", "setuptools", "dynamic"])?;
    let (Some(table), Some(dynamic)) = (project.project()?, dynamic) else { return Ok(()) };
    let fields = table.list("dynamic")?;
    let is_dynamic = |field: &str| fields.iter().any(|item| item.as_text() == Some(field));
    let mut lists = Vec::new();
    if is_dynamic("dependencies") {
        lists.extend(files(dynamic.get("dependencies"))?.map(|files| (Section::Base, files)));
    }
    let extras =
        dynamic.table("optional-dependencies")?.filter(|_| is_dynamic("optional-dependencies"));
    for item in extras.into_iter().flat_map(Table::items) {
        let name = extra_of(item)?;
        parts.sections.extras.insert(name.clone());
        lists.extend(files(Some(item))?.map(|files| (Section::Extra(name), files)));
    }
    for (section, files) in lists {
        for file in files {
            let source = Source::open(&project.folder().join(file.text()?)).map_err(|problem| {
                file.error(format!("a file it names cannot be used: {problem}"))
            })?;
            let mut start = 0;
            for line in source.text.split_inclusive('\n') {
                let text = line.split(" #").next().unwrap_or(line).trim();
                if !text.is_empty() && !text.starts_with('#') {
                    let indent = line.len() - line.trim_start().len();
                    let place = |at: usize| source.location(start + indent + at);
                    let ask = requirement::read(text, &project.folders(), place)?;
                    parts.asks.push(ask.of(&section));
                }
                start += line.len();
            }
        }
    }
    Ok(())
}

/// A string with a requirement.
pub(super) fn ask(item: Item<'_>, folders: &Folders) -> Result<Ask, InputError> {
    let text = item.text()?;
    let location = item.location();
    let ask = requirement::read(text, folders, |at| item.location_in_text(at))?;
    Ok(match ask {
        Ask::Distribution(requirement) => {
            Ask::Distribution(crate::model::requirement::Requirement { location, ..requirement })
        }
        Ask::Project(project) => Ask::Project(requirement::ProjectAsk { location, ..project }),
    })
}

/// A name alone, of a package.
pub(super) fn package(item: Item<'_>) -> Result<pep508_rs::PackageName, InputError> {
    let text = item.key();
    pep508_rs::PackageName::from_str(text).map_err(|_| {
        InputError::at(
            item.key_location(),
            format!("expected the name of a package, found `{text}`"),
        )
    })
}
