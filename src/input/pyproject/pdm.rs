//! `[tool.pdm]`: development groups, sources and what changes a resolution.

use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerTree, PackageName};
use url::Url;

use super::super::InputError;
use super::super::collect::Collector;
use super::super::document::Table;
use super::super::project::Project;
use super::super::requirement;
use super::super::requirements_txt::expanded;
use super::{Parts, standard};
use crate::model::index::{IndexSource, IndexStrategy, LinksSource};
use crate::model::requirement::{GroupName, Prereleases, Requirement, Section, Wanted};

/// Whether the table is that of the tool, and not only of its build backend.
pub(super) fn is_manager(table: Table<'_>) -> bool {
    table.items().any(|item| !matches!(item.key(), "build" | "version"))
}

/// `[tool.pdm.dev-dependencies]`: lists as PEP 735 has them, and editable projects.
pub(super) fn add_groups(project: &Project, parts: &mut Parts) -> Result<(), InputError> {
    let folders = project.folders();
    let table = project.document.root().nested(&["tool", "pdm", "dev-dependencies"])?;
    for group in table.into_iter().flat_map(Table::items) {
        let name = GroupName::new(group.key());
        let section = Section::Group(name.clone());
        parts.sections.groups.insert(name);
        for item in group.list()? {
            let text = item.text()?;
            let ask = match text.strip_prefix("-e ") {
                Some(target) => {
                    // What pdm itself writes: the project's own folder by a variable.
                    let target = target.trim().replace("${PROJECT_ROOT}/", "");
                    let target = target.strip_prefix("file:///").map_or(target.as_str(), |path| {
                        if text.contains("${PROJECT_ROOT}") { path } else { target.as_str() }
                    });
                    requirement::unnamed(target, &folders, &item.location())?
                }
                None => standard::ask(item, &folders)?,
            };
            parts.asks.push(ask.of(&section));
        }
    }
    Ok(())
}

/// Sources, pre-releases and overrides.
pub(super) fn settings(project: &Project, collector: &mut Collector) -> Result<(), InputError> {
    let Some(pdm) = project.tool("pdm")? else { return Ok(()) };
    for item in pdm.list("source")? {
        let table = item.table()?;
        let Some(place) = table.get("url") else {
            return Err(item.error("expected a `url` for the source, found none"));
        };
        let text = place.text()?;
        let filled = expanded(text, |name| std::env::var(name).ok());
        let url = Url::parse(&filled)
            .map_err(|_| place.error(format!("expected a URL, found `{text}`")))?;
        if table.text("type")? == Some("find_links") {
            collector.indexes.find_links.push(match url.to_file_path() {
                Ok(path) => LinksSource::Path(path),
                Err(()) => LinksSource::Page(url),
            });
            continue;
        }
        for key in ["include_packages", "exclude_packages"] {
            if table.get(key).is_some() {
                collector.gap(format!("`{key}` of pdm's sources is not followed"));
            }
        }
        let name = table.text("name")?.map(str::to_owned);
        let is_default = name.as_deref() == Some("pypi");
        collector.indexes.indexes.push(IndexSource { name, is_default, ..IndexSource::new(url) });
    }
    let resolution = pdm.table("resolution")?;
    let allows = resolution.and_then(|table| table.get("allow-prereleases"));
    if let Some(item) = allows.or_else(|| pdm.get("allow_prereleases")) {
        collector.prereleases =
            Some(if item.flag()? { Prereleases::Allow } else { Prereleases::IfNecessary });
    }
    let Some(resolution) = resolution else { return Ok(()) };
    if resolution.flag("respect-source-order")?.unwrap_or_default() {
        collector.indexes.strategy = Some(IndexStrategy::FirstIndex);
    }
    for item in resolution.table("overrides")?.into_iter().flat_map(Table::items) {
        let name = standard::package(item)?;
        let text = item.text()?;
        // A version alone is meant exactly.
        let exact = VersionSpecifiers::from_str(&format!("=={text}"));
        let range = VersionSpecifiers::from_str(text).or(exact);
        let wanted = match (range, Url::parse(text)) {
            (Ok(range), _) => Wanted::Release(range),
            (_, Ok(url)) if matches!(url.scheme(), "http" | "https") => Wanted::Url(url),
            (_, Ok(_)) => Wanted::Unchecked(requirement::unchecked_reason(text)),
            _ => return Err(item.error(format!("expected a version range, found `{text}`"))),
        };
        let location = item.key_location();
        collector.requirements.overrides.push(Requirement { wanted, ..empty(name, location) });
    }
    for item in resolution.list("excludes")? {
        let text = item.text()?;
        let name = PackageName::from_str(text)
            .map_err(|_| item.error(format!("expected the name of a package, found `{text}`")))?;
        collector.requirements.overrides.push(excluded(name, item.location()));
    }
    Ok(())
}

fn empty(name: PackageName, location: crate::model::location::Location) -> Requirement {
    Requirement {
        name,
        extras: Vec::new(),
        wanted: Wanted::Release(VersionSpecifiers::empty()),
        marker: MarkerTree::TRUE,
        hashes: Vec::new(),
        index: None,
        section: Section::Base,
        location,
    }
}

/// An override that leaves a package out: no environment is meant by its marker.
pub(super) fn excluded(
    name: PackageName,
    location: crate::model::location::Location,
) -> Requirement {
    Requirement { marker: MarkerTree::FALSE, ..empty(name, location) }
}
