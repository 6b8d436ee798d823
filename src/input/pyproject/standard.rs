//! `[project]` (PEP 621) and `[dependency-groups]` (PEP 735).

use std::str::FromStr as _;

use super::super::InputError;
use super::super::document::{Item, Table};
use super::super::project::{Project, extra_of, groups};
use super::super::requirement::{self, Ask, Folders};
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
    for (group, items) in groups::expanded(project.document.root())? {
        let section = Section::Group(group.clone());
        parts.sections.groups.insert(group);
        for item in items {
            parts.asks.push(ask(item, &folders)?.of(&section));
        }
    }
    Ok(parts)
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
