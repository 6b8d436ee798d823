//! One dependency of `[tool.poetry]`: a range, a URL, a path, and when it applies.

use std::path::Path;
use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName};
use url::Url;

use super::super::super::InputError;
use super::super::super::collect::Collector;
use super::super::super::document::{Item, Table};
use super::super::super::requirement::{Ask, ProjectAsk, is_archive};
use super::super::standard;
use super::version::Constraint;
use crate::model::pep508;
use crate::model::requirement::{Requirement, Section, Wanted};

/// A dependency in poetry's terms.
pub(super) struct Entry {
    pub(super) ask: Ask,
    pub(super) name: PackageName,
    pub(super) is_optional: bool,
}

/// A dependency of a package, as a lock of poetry's states it.
pub(crate) struct LockedDependency {
    pub(crate) name: PackageName,
    pub(crate) extras: Vec<ExtraName>,
    pub(crate) marker: MarkerTree,
    /// Whether only an extra asks for it.
    pub(crate) is_optional: bool,
    /// The releases it allows; `None` where it comes from elsewhere than an index.
    pub(crate) constraint: Option<Constraint>,
}

/// Those of a table of a lock, which are of the form of those in pyproject.toml.
///
/// # Errors
/// Where one of them is of another form.
pub(crate) fn locked_dependencies(
    table: Option<Table<'_>>,
) -> Result<Vec<LockedDependency>, InputError> {
    let mut dependencies = Vec::new();
    for item in table.into_iter().flat_map(Table::items) {
        let name = standard::package(item)?;
        let several = if item.is_list() { item.list()? } else { vec![item] };
        for one in several {
            let mut dependency = LockedDependency {
                name: name.clone(),
                extras: Vec::new(),
                marker: MarkerTree::TRUE,
                is_optional: false,
                constraint: None,
            };
            if one.as_text().is_some() {
                dependency.constraint = Some(constraint(one)?);
            } else {
                let table =
                    one.table().map_err(|_| one.unexpected("a version range or a table"))?;
                dependency.extras = extras(table)?;
                dependency.marker = marker(table)?;
                dependency.is_optional = table.flag("optional")?.unwrap_or_default();
                dependency.constraint = table.get("version").map(constraint).transpose()?;
            }
            dependencies.push(dependency);
        }
    }
    Ok(dependencies)
}

fn extras(table: Table<'_>) -> Result<Vec<ExtraName>, InputError> {
    let named = |extra: Item<'_>| {
        let text = extra.text()?;
        ExtraName::from_str(text)
            .map_err(|_| extra.error(format!("expected the name of an extra, found `{text}`")))
    };
    table.list("extras")?.into_iter().map(named).collect()
}

/// Those of a table; `python` is none.
pub(super) fn entries(
    table: Option<Table<'_>>,
    folder: &Path,
    collector: &mut Collector,
) -> Result<Vec<Entry>, InputError> {
    let mut entries = Vec::new();
    for item in table.into_iter().flat_map(Table::items) {
        if item.key().eq_ignore_ascii_case("python") {
            continue;
        }
        let name = standard::package(item)?;
        let several = if item.is_list() { item.list()? } else { vec![item] };
        for one in several {
            entries.push(entry(item, one, &name, folder, collector)?);
        }
    }
    Ok(entries)
}

fn entry(
    key: Item<'_>,
    item: Item<'_>,
    name: &PackageName,
    folder: &Path,
    collector: &mut Collector,
) -> Result<Entry, InputError> {
    let mut requirement = Requirement {
        name: name.clone(),
        extras: Vec::new(),
        wanted: Wanted::Release(VersionSpecifiers::empty()),
        marker: MarkerTree::default(),
        hashes: Vec::new(),
        index: None,
        section: Section::Base,
        location: key.key_location(),
    };
    let name = name.clone();
    if item.as_text().is_some() {
        requirement.wanted = released(item, collector)?;
        return Ok(Entry { ask: Ask::Distribution(requirement), name, is_optional: false });
    }
    let table = item.table().map_err(|_| item.unexpected("a version range or a table"))?;
    let is_optional = table.flag("optional")?.unwrap_or_default();
    requirement.extras = extras(table)?;
    requirement.marker = marker(table)?;
    requirement.index = table.text("source")?.map(str::to_owned);
    let path = table.get("file").or_else(|| table.get("path"));
    if table.get("git").is_some() {
        let reason = "a version-controlled project, which would be built from source";
        requirement.wanted = Wanted::Unchecked(reason.to_owned());
    } else if let Some(item) = path {
        let shown = item.text()?.to_owned();
        let mut path = folder.join(&shown);
        if is_archive(&shown) {
            requirement.wanted = Wanted::File(path);
        } else {
            path.extend(table.text("subdirectory")?);
            let Requirement { extras, marker, section, location, .. } = requirement;
            let name = Some(name.clone());
            let project =
                ProjectAsk { folder: path, shown, name, extras, marker, section, location };
            let name = project.name.clone().unwrap_or_else(|| requirement.name.clone());
            return Ok(Entry { ask: Ask::Project(project), name, is_optional });
        }
    } else if let Some(item) = table.get("url") {
        let text = item.text()?;
        let url =
            Url::parse(text).map_err(|_| item.error(format!("expected a URL, found `{text}`")))?;
        requirement.wanted = Wanted::Url(url);
    } else {
        if let Some(version) = table.get("version") {
            requirement.wanted = released(version, collector)?;
        }
        if table.flag("allow-prereleases")?.unwrap_or_default()
            && let Wanted::Release(range) = &mut requirement.wanted
        {
            // Every release is at least that one, and naming a pre-release allows them.
            let all = VersionSpecifiers::from_str(">=0.dev0").unwrap_or_else(|_| range.clone());
            *range = range.iter().chain(all.iter()).cloned().collect();
        }
    }
    Ok(Entry { ask: Ask::Distribution(requirement), name, is_optional })
}

fn released(item: Item<'_>, collector: &mut Collector) -> Result<Wanted, InputError> {
    let constraint = constraint(item)?;
    Ok(match constraint.specifiers() {
        Some(specifiers) => Wanted::Release(specifiers),
        None => {
            let text = item.text()?;
            collector.note(format!(
                "`{text}` for `{}` is no single range of versions, and is not followed",
                item.key()
            ));
            Wanted::Unchecked(format!("`{text}` is no single range of versions"))
        }
    })
}

/// A range of versions.
pub(super) fn constraint(item: Item<'_>) -> Result<Constraint, InputError> {
    Constraint::parse(item.text()?).map_err(|part| {
        InputError::at(
            item.location_in_text(0),
            format!("expected a version range for `{}`, found `{part}`", item.key()),
        )
        .hint("such as `^1.2`, `~1.2`, `1.*` or `>=1.2,<2`")
    })
}

/// `python`, `platform` and `markers` together.
fn marker(table: Table<'_>) -> Result<MarkerTree, InputError> {
    let mut marker = MarkerTree::TRUE;
    if let Some(item) = table.get("markers") {
        let text = item.text()?;
        marker.and(pep508::marker(text).map_err(|problem| {
            let text = format!("the marker `{text}` is malformed: {}", problem.problem);
            InputError::at(item.location_in_text(problem.at), text)
        })?);
    }
    if let Some(item) = table.get("python") {
        let text = item.text()?;
        let python = constraint(item)?.marker();
        marker.and(python.ok_or_else(|| {
            item.error(format!("expected a range of Python versions, found `{text}`"))
        })?);
    }
    if let Some(item) = table.get("platform") {
        let text = item.text()?;
        let mut any = MarkerTree::FALSE;
        for alternative in text.split('|').map(str::trim).filter(|part| !part.is_empty()) {
            let mut all = MarkerTree::TRUE;
            for part in alternative.split(',').map(str::trim) {
                let (operator, name) = match part.strip_prefix("!=") {
                    Some(name) => ("!=", name),
                    None => ("==", part.trim_start_matches('=')),
                };
                let text = format!("sys_platform {operator} '{}'", name.trim());
                all.and(pep508::marker(&text).map_err(|_| {
                    item.error(format!("expected the name of a platform, found `{part}`"))
                })?);
            }
            any.or(all);
        }
        marker.and(any);
    }
    Ok(marker)
}
