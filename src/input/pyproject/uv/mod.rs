//! `[tool.uv]`: groups, and what bounds a resolution.
//!
//! ```text
//! workspace  which projects belong together
//! sources    where a requirement is taken from
//! indexes    where packages come from in general
//! ```
//!
//! Constraints, overrides and indexes are those of the workspace's root, sources those of the member
//! before those of the root, as uv has it.

mod indexes;
mod sources;
mod workspace;

use std::collections::BTreeSet;

use pep508_rs::MarkerTree;

pub(super) use self::sources::apply as apply_sources;
pub(in crate::input) use self::workspace::Workspace;
use super::super::collect::Collector;
use super::super::document::Table;
use super::super::project::{Project, name_of};
use super::super::requirement::Ask;
use super::super::{Gap, InputError};
use super::{Parts, group_names, pdm, specifiers, standard};
use crate::model::pep508;
use crate::model::requirement::{GroupName, Prereleases, Section, Sections, Wanted};

/// `tool.uv.dev-dependencies`, which are part of the group `dev`, and the Python versions that groups
/// are for (`tool.uv.dependency-groups`).
pub(super) fn add_groups(project: &Project, parts: &mut Parts) -> Result<(), InputError> {
    let Some(uv) = project.tool("uv")? else { return Ok(()) };
    let folders = project.folders();
    let dev = GroupName::new("dev");
    for item in uv.list("dev-dependencies")? {
        parts.sections.groups.insert(dev.clone());
        parts.asks.push(standard::ask(item, &folders)?.of(&Section::Group(dev.clone())));
    }
    for group in uv.table("dependency-groups")?.into_iter().flat_map(Table::items) {
        let Some(item) = group.table()?.get("requires-python") else { continue };
        let section = Section::Group(GroupName::new(group.key()));
        let mut applies = MarkerTree::TRUE;
        for specifier in specifiers(item)?.iter() {
            let text = specifier.to_string();
            let at = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or_default();
            let (operator, version) = text.split_at_checked(at).unwrap_or((&text, ""));
            let text = format!("python_full_version {} '{version}'", operator.trim());
            applies.and(pep508::marker(&text).map_err(|problem| item.error(problem.problem))?);
        }
        for ask in &mut parts.asks {
            if *ask.section() == section {
                *ask = ask.clone().only_where(&applies);
            }
        }
    }
    Ok(())
}

/// `tool.uv.default-groups`: `dev`, unless the file says otherwise.
pub(super) fn default_groups(
    project: &Project,
    sections: &Sections,
) -> Result<BTreeSet<GroupName>, InputError> {
    let item = project.tool("uv")?.and_then(|table| table.get("default-groups"));
    Ok(match item {
        None => BTreeSet::from([GroupName::new("dev")]),
        Some(item) if item.as_text() == Some("all") => sections.groups.clone(),
        Some(item) => {
            let groups = group_names(item.list()?)?;
            if let Some(unknown) = groups.iter().find(|group| !sections.groups.contains(*group)) {
                let problem = format!("expected the names of groups, found `{unknown}`");
                return Err(item.error(problem));
            }
            groups
        }
    }
    .into_iter()
    .filter(|group| sections.groups.contains(group))
    .collect())
}

/// What bounds the resolution, and where packages come from.
pub(super) fn settings(project: &Project, collector: &mut Collector) -> Result<(), InputError> {
    let workspace = Workspace::of(project)?;
    let root = workspace.as_ref().and_then(|workspace| workspace.root.as_ref()).unwrap_or(project);
    let Some(uv) = root.tool("uv")? else { return Ok(()) };
    bounds(root, uv, collector)?;
    indexes::read(root, uv, collector)?;
    if let Some(item) = uv.get("prerelease") {
        collector.prereleases = Some(match item.text()? {
            "allow" => Prereleases::Allow,
            "disallow" => Prereleases::Disallow,
            "if-necessary" => Prereleases::IfNecessary,
            "explicit" => Prereleases::Explicit,
            "if-necessary-or-explicit" => Prereleases::IfNecessaryOrExplicit,
            other => {
                let expected = "`allow`, `disallow`, `if-necessary`, `explicit` or \
                                `if-necessary-or-explicit`";
                return Err(item.error(format!("expected {expected}, found `{other}`")));
            }
        });
    }
    if let Some(item) = uv.get("environments") {
        let items = if item.is_list() { item.list()? } else { vec![item] };
        let mut markers = Vec::new();
        for item in items {
            let text = item.text()?;
            markers.push(pep508::marker(text).map_err(|problem| {
                let text = format!("the marker `{text}` is malformed: {}", problem.problem);
                InputError::at(item.location_in_text(problem.at), text)
            })?);
        }
        if !markers.is_empty() {
            collector.gaps.push(Gap::Environments(markers));
        }
    }
    unfollowed(uv, collector)
}

/// Settings that change what is installed, and are not followed.
fn unfollowed(uv: Table<'_>, collector: &mut Collector) -> Result<(), InputError> {
    if let Some(word) = uv.text("resolution")?.filter(|word| *word != "highest") {
        collector.gap(format!(
            "`tool.uv.resolution = \"{word}\"` asks for other releases than the newest, which is not \
             followed"
        ));
    }
    for key in ["exclude-newer", "exclude-newer-package", "dependency-metadata"] {
        if uv.get(key).is_some() {
            collector.gap(format!(
                "`tool.uv.{key}` changes which releases are chosen, and is not followed"
            ));
        }
    }
    let builds_all = uv.flag("no-binary")?.unwrap_or_default();
    if builds_all || !uv.list("no-binary-package")?.is_empty() {
        collector.gap(
            "`tool.uv.no-binary` has packages built from source, of which wheels were looked at",
        );
    }
    if uv.flag("no-build")?.unwrap_or_default() || !uv.list("no-build-package")?.is_empty() {
        collector.note(
            "`tool.uv.no-build` is not followed: uv may install an older release that has a wheel",
        );
    }
    Ok(())
}

fn bounds(root: &Project, uv: Table<'_>, collector: &mut Collector) -> Result<(), InputError> {
    for key in ["constraint-dependencies", "override-dependencies"] {
        let mut bounds = Parts::default();
        for item in uv.list(key)? {
            if item.is_table() {
                collector.gap(format!(
                    "an entry of `tool.uv.{key}` is for single packages, which is not followed"
                ));
                continue;
            }
            bounds.asks.push(standard::ask(item, &root.folders())?);
        }
        for ask in bounds.asks {
            let sourced = match &ask {
                Ask::Distribution(one) if matches!(one.wanted, Wanted::Release(_)) => {
                    let item = uv.table("sources")?.and_then(|table| table.get(one.name.as_ref()));
                    item.map(|item| sources::sourced(one, item, root, None)).transpose()?
                }
                _ => None,
            };
            for ask in sourced.unwrap_or_else(|| vec![ask]) {
                match ask {
                    Ask::Distribution(one) if key == "constraint-dependencies" => {
                        collector.requirements.constraints.push(one);
                    }
                    Ask::Distribution(one) => collector.requirements.overrides.push(one),
                    Ask::Project(one) => collector.gap(format!(
                        "`{}` in `tool.uv.{key}` is a project on this machine, which is not followed",
                        one.shown
                    )),
                }
            }
        }
    }
    for item in uv.list("exclude-dependencies")? {
        if item.is_table() {
            collector.note(
                "an entry of `tool.uv.exclude-dependencies` is for single packages, which is not \
                 followed: more is looked at than uv installs",
            );
            continue;
        }
        let name = name_of(item, item.text()?)?;
        collector.requirements.overrides.push(pdm::excluded(name, item.location()));
    }
    Ok(())
}
