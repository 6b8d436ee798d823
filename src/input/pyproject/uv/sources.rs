//! Where requirements are taken from other than from any index (`tool.uv.sources`).

use std::path::PathBuf;
use std::str::FromStr as _;

use pep508_rs::{ExtraName, MarkerTree};
use url::Url;

use super::super::super::collect::Collector;
use super::super::super::document::{Item, Table};
use super::super::super::project::Project;
use super::super::super::requirement::{Ask, ProjectAsk, file_path, is_archive};
use super::super::super::{InputError, Source};
use super::super::{Parts, Tool, standard};
use super::indexes::add_named;
use super::workspace::Workspace;
use crate::model::pep508;
use crate::model::requirement::{GroupName, Requirement, Section, Wanted};

/// Puts in place of each requirement what `tool.uv.sources` says of it, and adds the members of a
/// workspace that has no project at its root.
pub(in super::super) fn apply(
    project: &Project,
    parts: &mut Parts,
    collector: &mut Collector,
) -> Result<(), InputError> {
    let workspace = Workspace::of(project)?;
    let mut tables = vec![(project, project.tool("uv")?)];
    if let Some(root) = workspace.as_ref().and_then(|workspace| workspace.root.as_ref()) {
        tables.push((root, root.tool("uv")?));
    }
    let mut sources = Vec::new();
    for (owner, table) in &tables {
        let Some(table) = table else { continue };
        for item in table.table("sources")?.into_iter().flat_map(Table::items) {
            sources.push((standard::package(item)?, item, *owner));
        }
    }
    let asks = std::mem::take(&mut parts.asks);
    for ask in asks {
        let source = match &ask {
            Ask::Distribution(Requirement { name, wanted: Wanted::Release(_), .. }) => {
                sources.iter().find(|(sourced, ..)| sourced == name)
            }
            _ => None,
        };
        match (&ask, source) {
            (Ask::Distribution(requirement), Some((_, item, owner))) => {
                let found = sourced(requirement, *item, owner, workspace.as_ref())?;
                for one in &found {
                    if let Ask::Distribution(Requirement { index: Some(index), .. }) = one {
                        add_named(index, &tables, collector)?;
                    }
                }
                parts.asks.extend(found);
            }
            _ => parts.asks.push(ask),
        }
    }
    if let Some(workspace) = &workspace
        && workspace.root.is_none()
        && project.project()?.is_none()
    {
        add_members(workspace, parts, collector)?;
    }
    Ok(())
}

/// `uv sync` at the root of a workspace without a project installs every member.
fn add_members(
    workspace: &Workspace,
    parts: &mut Parts,
    collector: &mut Collector,
) -> Result<(), InputError> {
    for folder in &workspace.members {
        let member = Project::read(Source::open(&folder.join("pyproject.toml"))?)?;
        let name = member.name.clone();
        let location =
            member.project()?.map_or_else(|| member.document.root().location(), Table::location);
        let shown = folder.display().to_string();
        parts.asks.push(Ask::Project(ProjectAsk {
            folder: folder.clone(),
            shown,
            name,
            extras: Vec::new(),
            marker: MarkerTree::TRUE,
            section: Section::Base,
            location,
        }));
        let own = Parts::requirements(&member, Tool::Uv, collector)?;
        parts.sections.extras.extend(own.sections.extras);
        parts.sections.groups.extend(own.sections.groups);
        let beside = own.asks.into_iter().filter(|ask| *ask.section() != Section::Base);
        parts.asks.extend(beside);
    }
    Ok(())
}

/// What a requirement is with its source: one for each of several that markers tell apart, and the
/// index for whatever they leave.
pub(super) fn sourced(
    requirement: &Requirement,
    item: Item<'_>,
    owner: &Project,
    workspace: Option<&Workspace>,
) -> Result<Vec<Ask>, InputError> {
    let several = if item.is_list() { item.list()? } else { vec![item] };
    let mut asks = Vec::new();
    let mut rest = MarkerTree::TRUE;
    for item in several {
        let table = item.table()?;
        let of_section = match (&requirement.section, table.text("extra")?, table.text("group")?) {
            (_, None, None) => true,
            (Section::Extra(own), Some(extra), _) => ExtraName::from_str(extra).as_ref() == Ok(own),
            (Section::Group(own), _, Some(group)) => GroupName::new(group) == *own,
            _ => false,
        };
        if !of_section {
            continue;
        }
        let mut applies = MarkerTree::TRUE;
        if let Some(item) = table.get("marker") {
            let text = item.text()?;
            applies = pep508::marker(text).map_err(|problem| {
                let text = format!("the marker `{text}` is malformed: {}", problem.problem);
                InputError::at(item.location_in_text(problem.at), text)
            })?;
        }
        let mut one = requirement.clone();
        one.marker.and(applies.clone());
        one.marker.and(rest.clone());
        rest.and(applies.negate());
        asks.push(from_source(one, item, table, owner, workspace)?);
    }
    if !rest.is_false() {
        let mut one = requirement.clone();
        one.marker.and(rest);
        asks.push(Ask::Distribution(one));
    }
    asks.retain(|ask| match ask {
        Ask::Distribution(one) => !one.marker.is_false() || requirement.marker.is_false(),
        Ask::Project(one) => !one.marker.is_false() || requirement.marker.is_false(),
    });
    Ok(asks)
}

fn from_source(
    mut requirement: Requirement,
    item: Item<'_>,
    table: Table<'_>,
    owner: &Project,
    workspace: Option<&Workspace>,
) -> Result<Ask, InputError> {
    let project = |requirement: Requirement, folder: PathBuf, shown: String| {
        let Requirement { name, extras, marker, section, location, .. } = requirement;
        let name = Some(name);
        Ask::Project(ProjectAsk { folder, shown, name, extras, marker, section, location })
    };
    if table.get("git").is_some() {
        let reason = "a version-controlled project, which would be built from source";
        requirement.wanted = Wanted::Unchecked(reason.to_owned());
    } else if let Some(index) = table.text("index")? {
        requirement.index = Some(index.to_owned());
    } else if let Some(item) = table.get("url") {
        let text = item.text()?;
        let url =
            Url::parse(text).map_err(|_| item.error(format!("expected a URL, found `{text}`")))?;
        requirement.wanted = Wanted::Url(url);
    } else if let Some(item) = table.get("path") {
        let shown = item.text()?.to_owned();
        let path = file_path(&shown)
            .ok_or_else(|| item.error(format!("expected a path, found `{shown}`")))?;
        let path = owner.folder().join(path);
        if !is_archive(&shown) {
            return Ok(project(requirement, path, shown));
        }
        requirement.wanted = Wanted::File(path);
    } else if table.flag("workspace")?.unwrap_or_default() {
        let member = match workspace {
            Some(workspace) => workspace.member(&requirement.name)?,
            None => None,
        };
        let Some(folder) = member.or_else(|| {
            let is_own = owner.name.as_ref() == Some(&requirement.name);
            is_own.then(|| owner.folder().to_owned())
        }) else {
            let problem =
                format!("expected `{}` in the workspace, found no such member", requirement.name);
            return Err(item.error(problem));
        };
        let shown = folder.display().to_string();
        return Ok(project(requirement, folder, shown));
    } else {
        return Err(item.error(
            "expected `index`, `url`, `path`, `git` or `workspace` for a source, found none",
        ));
    }
    Ok(Ask::Distribution(requirement))
}
