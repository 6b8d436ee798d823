//! Indexes and folders of files (`tool.uv.index` and the settings of former versions).

use url::Url;

use super::super::super::InputError;
use super::super::super::collect::Collector;
use super::super::super::document::{Item, Table};
use super::super::super::project::Project;
use super::super::super::requirement::file_path;
use crate::model::index::{IndexSource, IndexStrategy, LinksSource};

/// Makes the index that a requirement names known, wherever in the files it stands.
pub(super) fn add_named(
    name: &str,
    tables: &[(&Project, Option<Table<'_>>)],
    collector: &mut Collector,
) -> Result<(), InputError> {
    let known = |index: &IndexSource| index.name.as_deref() == Some(name);
    if collector.indexes.indexes.iter().any(known) {
        return Ok(());
    }
    for (project, table) in tables {
        for item in table.map(|table| table.list("index")).transpose()?.into_iter().flatten() {
            if item.table()?.text("name")? == Some(name)
                && let Index::Pages(index) = index(item, project)?
            {
                collector.indexes.indexes.push(IndexSource { explicit: true, ..index });
                return Ok(());
            }
        }
    }
    Ok(())
}

enum Index {
    Pages(IndexSource),
    Links(LinksSource),
}

/// An entry of `[[tool.uv.index]]`.
fn index(item: Item<'_>, project: &Project) -> Result<Index, InputError> {
    let table = item.table()?;
    let Some(place) = table.get("url") else {
        return Err(item.error("expected a `url` for the index, found none"));
    };
    if table.text("format")? == Some("flat") {
        return Ok(Index::Links(links(place, project)?));
    }
    Ok(Index::Pages(IndexSource {
        name: table.text("name")?.map(str::to_owned),
        is_default: table.flag("default")?.unwrap_or_default(),
        explicit: table.flag("explicit")?.unwrap_or_default(),
        ignored_statuses: table
            .list("ignore-error-codes")?
            .into_iter()
            .map(status)
            .collect::<Result<_, _>>()?,
        ..IndexSource::new(url(place, project)?)
    }))
}

/// A status code of HTTP.
fn status(item: Item<'_>) -> Result<u16, InputError> {
    let number = item.integer()?;
    let status = u16::try_from(number).ok().filter(|status| (100..1000).contains(status));
    status.ok_or_else(|| item.error(format!("expected a status code of HTTP, found `{number}`")))
}

/// A URL, or a folder as one.
fn url(item: Item<'_>, project: &Project) -> Result<Url, InputError> {
    let text = item.text()?;
    let wrong = || item.error(format!("expected a URL, found `{text}`"));
    match Url::parse(text) {
        Ok(url) => Ok(url),
        Err(_) => {
            let path = std::path::absolute(project.folder().join(text)).map_err(|_| wrong())?;
            Url::from_directory_path(path).map_err(|()| wrong())
        }
    }
}

fn links(item: Item<'_>, project: &Project) -> Result<LinksSource, InputError> {
    let text = item.text()?;
    Ok(match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => LinksSource::Page(url),
        _ => {
            let path = file_path(text)
                .ok_or_else(|| item.error(format!("expected a path or a URL, found `{text}`")))?;
            LinksSource::Path(project.folder().join(path))
        }
    })
}

/// Adds those that a project's file names.
pub(super) fn read(
    root: &Project,
    uv: Table<'_>,
    collector: &mut Collector,
) -> Result<(), InputError> {
    for item in uv.list("index")? {
        match index(item, root)? {
            Index::Links(links) => collector.indexes.find_links.push(links),
            Index::Pages(index) => {
                let known = |other: &IndexSource| other.name.is_some() && other.name == index.name;
                collector.indexes.indexes.retain(|other| !known(other));
                collector.indexes.indexes.push(index);
            }
        }
    }
    for item in uv.list("extra-index-url")? {
        let (url, is_default, explicit) = (url(item, root)?, false, false);
        collector.indexes.indexes.push(IndexSource {
            is_default,
            explicit,
            ..IndexSource::new(url)
        });
    }
    if let Some(item) = uv.get("index-url") {
        let (url, is_default, explicit) = (url(item, root)?, true, false);
        collector.indexes.indexes.push(IndexSource {
            is_default,
            explicit,
            ..IndexSource::new(url)
        });
    }
    for item in uv.list("find-links")? {
        collector.indexes.find_links.push(links(item, root)?);
    }
    collector.indexes.no_index |= uv.flag("no-index")?.unwrap_or_default();
    if let Some(item) = uv.get("index-strategy") {
        collector.indexes.strategy = Some(match item.text()? {
            "first-index" => IndexStrategy::FirstIndex,
            "unsafe-best-match" => IndexStrategy::BestMatch,
            "unsafe-first-match" => {
                collector.gap("`unsafe-first-match` is not followed: all indexes compete instead");
                IndexStrategy::BestMatch
            }
            other => {
                let expected = "`first-index`, `unsafe-first-match` or `unsafe-best-match`";
                return Err(item.error(format!("expected {expected}, found `{other}`")));
            }
        });
    }
    Ok(())
}
