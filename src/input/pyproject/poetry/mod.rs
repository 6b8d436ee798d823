//! `[tool.poetry]`: dependencies in poetry's own terms, groups, extras and sources, as
//! `poetry.core.factory` reads them.
//!
//! ```text
//! entries  one dependency: a range, a URL, a path, and when it applies
//! sources  where packages come from
//! version  poetry's ranges of versions
//! ```

mod entries;
mod sources;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pep508_rs::{ExtraName, MarkerTree, PackageName};

pub(crate) use self::entries::locked_dependencies;
use self::entries::{Entry, constraint, entries};
use super::super::collect::Collector;
use super::super::document::{Item, Table};
use super::super::project::{Project, extra_of, leading_name};
use super::super::requirement::{Ask, ProjectAsk};
use super::super::{Gap, InputError};
use super::Parts;
use crate::model::requirement::{GroupName, Section, Sections, Wanted};

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
        let wanted = GroupName::new(item.text()?);
        if !parts.sections.groups.contains(&wanted) {
            return Err(item.error(format!("expected the name of a group, found `{wanted}`")));
        }
        // Groups that lead to each other have all of each other's: poetry itself refuses them.
        let mut open = BTreeSet::from([name.clone()]);
        let mut queue = vec![wanted];
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
    sources::read(poetry, collector)
}
