//! A pyproject.toml, as other formats need it: what the project is called, which packages it names
//! where, and what its tools are told.
//!
//! Turning it into requirements is the work of [`super::pyproject`].

pub(crate) mod groups;

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use pep508_rs::{ExtraName, PackageName};

use super::document::{Document, Item, Table};
use super::{InputError, Source};
use crate::model::location::Location;
use crate::model::requirement::{GroupName, Section};

/// A project's own file.
#[derive(Debug)]
pub(crate) struct Project {
    /// What it holds.
    pub(crate) document: Document,
    /// The project's name, where it has one.
    pub(crate) name: Option<PackageName>,
}

/// A package that a project's own file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The part of the project that asks for it.
    pub(crate) section: Section,
    /// What it is called.
    pub(crate) name: PackageName,
    /// What is asked of it, as it is written; empty in tables of other tools than the standard's.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) location: Location,
}

impl Project {
    /// The pyproject.toml beside a file, where there is one.
    ///
    /// # Errors
    /// Where it cannot be read, or is no TOML.
    pub(crate) fn beside(file: &Path) -> Result<Option<Self>, InputError> {
        let path = file.with_file_name("pyproject.toml");
        if !path.is_file() {
            return Ok(None);
        }
        Self::read(Source::open(&path)?).map(Some)
    }

    /// Reads a pyproject.toml.
    ///
    /// # Errors
    /// Where it is no TOML, or what stands for the name of the project is no name.
    pub(crate) fn read(source: Source) -> Result<Self, InputError> {
        let document = Document::parse(source)?;
        let mut named = document.root().nested(&["project"])?.and_then(|table| table.get("name"));
        if named.is_none() {
            let poetry = document.root().nested(&["tool", "poetry"])?;
            named = poetry.and_then(|table| table.get("name"));
        }
        let name = named.map(|item| name_of(item, item.text()?)).transpose()?;
        Ok(Self { document, name })
    }

    /// `[project]` (PEP 621).
    ///
    /// # Errors
    /// Where it is no table.
    pub(crate) fn project(&self) -> Result<Option<Table<'_>>, InputError> {
        self.document.root().table("project")
    }

    /// `[tool.NAME]`.
    ///
    /// # Errors
    /// Where it is no table.
    pub(crate) fn tool(&self, name: &str) -> Result<Option<Table<'_>>, InputError> {
        self.document.root().nested(&["tool", name])
    }

    /// Every package that the file names, part by part: what [`Section::Base`] and extras require by
    /// PEP 621, groups by PEP 735, and the tables that poetry, pdm and uv had before those. Texts
    /// that begin with no name, such as pdm's `-e file:///…`, are left out.
    ///
    /// # Errors
    /// Where one of the tables is not of the shape that its tool reads.
    pub(crate) fn named(&self) -> Result<Vec<Named>, InputError> {
        let mut named = Vec::new();
        if let Some(project) = self.project()? {
            add_list(&mut named, &Section::Base, &project.list("dependencies")?)?;
            if let Some(extras) = project.table("optional-dependencies")? {
                for extra in extras.items() {
                    let section = Section::Extra(extra_of(extra)?);
                    add_list(&mut named, &section, &extra.list()?)?;
                }
            }
        }
        for (group, items) in groups::expanded(self.document.root())? {
            add_list(&mut named, &Section::Group(group), &items)?;
        }
        if let Some(poetry) = self.tool("poetry")? {
            let standard = self.project()?.and_then(|table| table.get("dependencies"));
            add_poetry(&mut named, poetry, standard.is_some())?;
        }
        if let Some(uv) = self.tool("uv")? {
            let dev = Section::Group(GroupName::new("dev"));
            add_list(&mut named, &dev, &uv.list("dev-dependencies")?)?;
        }
        let pdm = self.document.root().nested(&["tool", "pdm", "dev-dependencies"])?;
        for group in pdm.into_iter().flat_map(Table::items) {
            add_list(&mut named, &Section::Group(GroupName::new(group.key())), &group.list()?)?;
        }
        Ok(named)
    }

    /// Where each package is named first.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub(crate) fn places(&self) -> Result<BTreeMap<PackageName, Location>, InputError> {
        let mut places = BTreeMap::new();
        for named in self.named()? {
            places.entry(named.name).or_insert(named.location);
        }
        Ok(places)
    }
}

/// Adds the packages that a list of requirements names.
///
/// # Errors
/// Where one of its elements is no string.
pub(crate) fn add_list(
    named: &mut Vec<Named>,
    section: &Section,
    items: &[Item<'_>],
) -> Result<(), InputError> {
    for item in items {
        let text = item.text()?;
        if let Some(name) = leading_name(text) {
            let (section, text) = (section.clone(), text.to_owned());
            named.push(Named { section, name, text, location: item.location() });
        }
    }
    Ok(())
}

/// `tool.poetry.dependencies`, and its groups.
fn add_poetry(
    named: &mut Vec<Named>,
    poetry: Table<'_>,
    is_standard: bool,
) -> Result<(), InputError> {
    let extras = poetry.table("extras")?;
    // Beside the standard's list they only say more of what that names.
    let own = poetry.table("dependencies")?.filter(|_| !is_standard);
    for item in own.into_iter().flat_map(Table::items) {
        let Some(name) = poetry_name(item) else { continue };
        let location = item.key_location();
        let is_optional = match item.table() {
            Ok(table) => table.flag("optional")?.unwrap_or_default(),
            Err(_) => false,
        };
        if !is_optional {
            named.push(Named { section: Section::Base, name, text: String::new(), location });
            continue;
        }
        for extra in extras.into_iter().flat_map(Table::items) {
            for text in extra.list()? {
                if leading_name(text.text()?).as_ref() == Some(&name) {
                    let section = Section::Extra(extra_of(extra)?);
                    let (name, location) = (name.clone(), location.clone());
                    named.push(Named { section, name, text: String::new(), location });
                }
            }
        }
    }
    let groups = poetry.table("group")?.into_iter().flat_map(Table::items);
    let mut tables = Vec::new();
    for group in groups {
        tables.push((group.key(), group.table()?.table("dependencies")?));
    }
    tables.push(("dev", poetry.table("dev-dependencies")?));
    for (group, table) in tables {
        for item in table.into_iter().flat_map(Table::items) {
            let Some(name) = poetry_name(item) else { continue };
            let section = Section::Group(GroupName::new(group));
            let (text, location) = (String::new(), item.key_location());
            named.push(Named { section, name, text, location });
        }
    }
    Ok(())
}

/// The package that a key of poetry's tables names; `python` is none.
pub(crate) fn poetry_name(item: Item<'_>) -> Option<PackageName> {
    PackageName::from_str(item.key()).ok().filter(|name| name.as_ref() != "python")
}

/// The name that a requirement begins with.
pub(crate) fn leading_name(text: &str) -> Option<PackageName> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let text = text.trim_start();
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    text.get(..end).and_then(|name| PackageName::from_str(name).ok())
}

/// A name of a project.
///
/// # Errors
/// Where the text is none.
pub(crate) fn name_of(item: Item<'_>, text: &str) -> Result<PackageName, InputError> {
    PackageName::from_str(text)
        .map_err(|_| item.error(format!("expected the name of a package, found `{text}`")))
}

/// The key of an item as the name of an extra.
///
/// # Errors
/// Where it is none.
pub(crate) fn extra_of(item: Item<'_>) -> Result<ExtraName, InputError> {
    let text = item.key();
    ExtraName::from_str(text).map_err(|_| {
        InputError::at(
            item.key_location(),
            format!("expected the name of an extra, found `{text}`"),
        )
    })
}
