//! `[tool.poetry]`: dependencies in poetry's own terms, groups, extras and sources, as
//! `poetry.core.factory` reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName};
use url::Url;

use super::super::collect::Collector;
use super::super::document::{Item, Table};
use super::super::project::{Project, extra_of, leading_name};
use super::super::requirement::{Ask, ProjectAsk, is_archive};
use super::super::{Gap, InputError};
use super::poetry_version::Constraint;
use super::{Parts, standard};
use crate::model::index::{IndexSource, IndexStrategy};
use crate::model::pep508;
use crate::model::requirement::{GroupName, Requirement, Section, Sections, Wanted};

/// Adds what poetry's tables say, and where `[project]` says it already, what they add to that: a
/// source, a narrower range, a marker.
pub(super) fn add(
    project: &Project,
    parts: &mut Parts,
    collector: &mut Collector,
) -> Result<(), InputError> {
    let Some(poetry) = project.tool("poetry")? else { return Ok(()) };
    let folder = project.folder();
    let standard = project.project()?;
    let names_some = parts.asks.iter().any(|ask| !matches!(ask.section(), Section::Group(_)));
    let is_standard =
        names_some || standard.is_some_and(|table| table.get("dependencies").is_some());
    let adds = standard.is_some_and(super::is_dynamic);
    let own = entries(poetry.table("dependencies")?, folder, collector)?;
    if is_standard {
        let main = |section: &Section| !matches!(section, Section::Group(_));
        enrich(&mut parts.asks, &own, main);
    }
    if !is_standard || adds {
        add_main(&own, poetry, parts)?;
    }
    add_groups(poetry, parts, folder, collector)
}

/// A dependency in poetry's terms.
struct Entry {
    ask: Ask,
    name: PackageName,
    is_optional: bool,
}

fn add_main(own: &[Entry], poetry: Table<'_>, parts: &mut Parts) -> Result<(), InputError> {
    let mut extras: BTreeMap<PackageName, Vec<ExtraName>> = BTreeMap::new();
    for item in poetry.table("extras")?.into_iter().flat_map(Table::items) {
        let extra = extra_of(item)?;
        for listed in item.list()? {
            let text = listed.text()?;
            let name = leading_name(text).ok_or_else(|| {
                listed.error(format!("expected the name of a package, found `{text}`"))
            })?;
            extras.entry(name).or_default().push(extra.clone());
        }
        parts.sections.extras.insert(extra);
    }
    for entry in own {
        if !entry.is_optional {
            parts.asks.push(entry.ask.clone());
            continue;
        }
        for extra in extras.get(&entry.name).into_iter().flatten() {
            let mut ask = entry.ask.clone().of(&Section::Extra(extra.clone()));
            // What is said by markers such as `extra == "cpu"` is said by the part already.
            let marker = match &mut ask {
                Ask::Distribution(requirement) => &mut requirement.marker,
                Ask::Project(project) => &mut project.marker,
            };
            *marker = std::mem::take(marker).simplify_extras(std::slice::from_ref(extra));
            parts.asks.push(ask);
        }
    }
    Ok(())
}

fn add_groups(
    poetry: Table<'_>,
    parts: &mut Parts,
    folder: &Path,
    collector: &mut Collector,
) -> Result<(), InputError> {
    let standard = parts.sections.groups.clone();
    let mut includes: Vec<(GroupName, Item<'_>)> = Vec::new();
    let mut tables = Vec::new();
    for item in poetry.table("group")?.into_iter().flat_map(Table::items) {
        let table = item.table()?;
        let name = GroupName::new(item.key());
        for included in table.list("include-groups")? {
            includes.push((name.clone(), included));
        }
        tables.push((name, table.table("dependencies")?));
    }
    if let Some(dev) = poetry.table("dev-dependencies")? {
        tables.push((GroupName::new("dev"), Some(dev)));
    }
    for (name, table) in tables {
        let section = Section::Group(name.clone());
        let entries = entries(table, folder, collector)?;
        if standard.contains(&name) && parts.asks.iter().any(|ask| *ask.section() == section) {
            enrich(&mut parts.asks, &entries, |asking| *asking == section);
        } else {
            parts.asks.extend(entries.into_iter().map(|entry| entry.ask.of(&section)));
        }
        parts.sections.groups.insert(name);
    }
    for (name, item) in &includes {
        let included = GroupName::new(item.text()?);
        if !parts.sections.groups.contains(&included) {
            return Err(item.error(format!("expected the name of a group, found `{included}`")));
        }
        // Groups that lead to each other have all of each other's: poetry itself refuses them.
        let mut open = BTreeSet::from([name.clone()]);
        let mut queue = vec![included];
        let mut reached = Vec::new();
        while let Some(group) = queue.pop() {
            if group == *name {
                return Err(item.error(format!("the group `{name}` includes itself")));
            }
            if open.insert(group.clone()) {
                for (_, next) in includes.iter().filter(|(from, _)| *from == group) {
                    queue.push(GroupName::new(next.text()?));
                }
                reached.push(Section::Group(group));
            }
        }
        let section = Section::Group(name.clone());
        let more: Vec<Ask> = parts
            .asks
            .iter()
            .filter(|ask| reached.contains(ask.section()))
            .map(|ask| ask.clone().of(&section))
            .collect();
        parts.asks.extend(more);
    }
    Ok(())
}

/// Adds to requirements what entries of the same name say about them.
fn enrich(asks: &mut Vec<Ask>, entries: &[Entry], belongs: impl Fn(&Section) -> bool) {
    let before = std::mem::take(asks);
    for ask in before {
        let Ask::Distribution(requirement) = &ask else {
            asks.push(ask);
            continue;
        };
        let same: Vec<&Entry> =
            entries.iter().filter(|entry| entry.name == requirement.name).collect();
        if same.is_empty() || !belongs(&requirement.section) {
            asks.push(ask);
            continue;
        }
        for entry in same {
            match &entry.ask {
                Ask::Project(project) => {
                    let mut extras = requirement.extras.clone();
                    extras.extend(project.extras.iter().cloned());
                    let ask = Ask::Project(ProjectAsk { extras, ..project.clone() });
                    asks.push(ask.of(&requirement.section).only_where(&requirement.marker));
                }
                Ask::Distribution(more) => {
                    let mut one = requirement.clone();
                    one.marker.and(more.marker.clone());
                    one.index.clone_from(&more.index);
                    match (&mut one.wanted, &more.wanted) {
                        (Wanted::Release(range), Wanted::Release(narrower)) => {
                            *range = range.iter().chain(narrower.iter()).cloned().collect();
                        }
                        (Wanted::Release(_), other) => one.wanted = other.clone(),
                        _ => {}
                    }
                    asks.push(Ask::Distribution(one));
                }
            }
        }
    }
}

fn entries(
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
    for extra in table.list("extras")? {
        let text = extra.text()?;
        requirement.extras.push(
            ExtraName::from_str(text).map_err(|_| {
                extra.error(format!("expected the name of an extra, found `{text}`"))
            })?,
        );
    }
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

fn constraint(item: Item<'_>) -> Result<Constraint, InputError> {
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

/// Every group that is not optional.
pub(super) fn default_groups(
    project: &Project,
    sections: &Sections,
) -> Result<BTreeSet<GroupName>, InputError> {
    let mut groups = sections.groups.clone();
    let tables = project.document.root().nested(&["tool", "poetry", "group"])?;
    for item in tables.into_iter().flat_map(Table::items) {
        if item.table()?.flag("optional")?.unwrap_or_default() {
            groups.remove(&GroupName::new(item.key()));
        }
    }
    Ok(groups)
}

/// The Python versions the project is for, and its sources.
pub(super) fn settings(project: &Project, collector: &mut Collector) -> Result<(), InputError> {
    let Some(poetry) = project.tool("poetry")? else { return Ok(()) };
    let python = poetry.table("dependencies")?.and_then(|table| table.get("python"));
    if let Some(item) = python.filter(|item| item.as_text().is_some()) {
        let constraint = constraint(item)?;
        match constraint.specifiers() {
            Some(range) if range.is_empty() => {}
            Some(range) => collector.gaps.push(Gap::RequiresPython(range)),
            None => {
                let marker = constraint.marker().unwrap_or(MarkerTree::FALSE);
                collector.gaps.push(Gap::Environments(vec![marker]));
            }
        }
    }
    sources(poetry, collector)
}

/// `[[tool.poetry.source]]`. Primary ones stand in place of PyPI and are asked all together;
/// supplemental ones are asked for what those do not have; explicit ones where they are named.
fn sources(poetry: Table<'_>, collector: &mut Collector) -> Result<(), InputError> {
    const PUBLIC: &str = "https://pypi.org/simple/";
    let (mut primary, mut supplemental, mut explicit) = (Vec::new(), Vec::new(), Vec::new());
    for item in poetry.list("source")? {
        let table = item.table()?;
        let name = table.text("name")?.unwrap_or_default();
        let is_public = name.eq_ignore_ascii_case("pypi");
        let (place, text) = match table.get("url") {
            Some(url) => (url, url.text()?),
            None if is_public => (item, PUBLIC),
            None => return Err(item.error("expected a `url` for the source, found none")),
        };
        let url =
            Url::parse(text).map_err(|_| place.error(format!("expected a URL, found `{text}`")))?;
        let name = Some(name.to_owned());
        let source = IndexSource { name, url, is_default: false, explicit: false };
        let priority = table.text("priority")?;
        let is_secondary = table.flag("secondary")?.unwrap_or_default();
        match priority {
            Some("explicit") => explicit.push(IndexSource { explicit: true, ..source }),
            Some("supplemental" | "secondary") => supplemental.push(source),
            Some("default") => primary.insert(0, source),
            None if is_secondary => supplemental.push(source),
            _ => primary.push(source),
        }
    }
    if primary.is_empty() && supplemental.is_empty() {
        collector.indexes.indexes.extend(explicit);
        return Ok(());
    }
    if primary.is_empty() {
        let url =
            Url::parse(PUBLIC).map_err(|_| InputError::at(poetry.location(), "expected a URL"))?;
        let name = Some("PyPI".to_owned());
        primary.push(IndexSource { name, url, is_default: false, explicit: false });
    }
    let strategy = match supplemental.is_empty() {
        true => IndexStrategy::BestMatch,
        false => IndexStrategy::FirstIndex,
    };
    let mut indexes = primary;
    indexes.extend(supplemental);
    if let Some(last) = indexes.last_mut() {
        last.is_default = true;
    }
    collector.indexes.strategy = Some(strategy);
    collector.indexes.indexes.extend(indexes.into_iter().chain(explicit));
    Ok(())
}
