//! `[tool.uv]`: where dependencies come from, workspaces, indexes, and what bounds a resolution.
//!
//! Constraints, overrides and indexes are those of the workspace's root, sources those of the member
//! before those of the root, as uv has it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use pep508_rs::{ExtraName, MarkerTree, PackageName};
use url::Url;

use super::super::collect::Collector;
use super::super::document::{Item, Table};
use super::super::project::{Project, name_of};
use super::super::requirement::{Ask, ProjectAsk, file_path, is_archive};
use super::super::{Gap, InputError, Source};
use super::{Parts, group_names, pdm, specifiers, standard};
use crate::model::index::{IndexSource, IndexStrategy, LinksSource};
use crate::model::pep508;
use crate::model::requirement::{GroupName, Prereleases, Requirement, Section, Sections, Wanted};

/// Folders that the patterns of a workspace may match.
const MAX_MEMBERS: usize = 10_000;

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

/// A workspace (`tool.uv.workspace`).
struct Workspace {
    /// The pyproject.toml at its root, where that is another than the one being read.
    root: Option<Project>,
    members: Vec<PathBuf>,
}

impl Workspace {
    /// The one that a project is the root or a member of.
    fn of(project: &Project) -> Result<Option<Self>, InputError> {
        if let Some(members) = members(project)? {
            return Ok(Some(Self { root: None, members }));
        }
        let Ok(own) = std::fs::canonicalize(project.folder().join("pyproject.toml")) else {
            return Ok(None);
        };
        let own = own.parent().unwrap_or(Path::new("")).to_owned();
        for folder in own.ancestors().skip(1) {
            let path = folder.join("pyproject.toml");
            if !path.is_file() {
                continue;
            }
            // What lies above the project may be anything.
            let Ok(root) = Source::open(&path).and_then(Project::read) else { continue };
            if let Some(members) = members(&root)? {
                let is_member =
                    |folder: &PathBuf| std::fs::canonicalize(folder).is_ok_and(|path| path == own);
                if !members.iter().any(is_member) {
                    return Ok(None);
                }
                return Ok(Some(Self { root: Some(root), members }));
            }
        }
        Ok(None)
    }

    /// The folder of the member of that name.
    fn member(&self, name: &PackageName) -> Result<Option<PathBuf>, InputError> {
        if let Some(root) = self.root.as_ref().filter(|root| root.name.as_ref() == Some(name)) {
            return Ok(Some(root.folder().to_owned()));
        }
        for folder in &self.members {
            let project = Project::read(Source::open(&folder.join("pyproject.toml"))?)?;
            if project.name.as_ref() == Some(name) {
                return Ok(Some(folder.clone()));
            }
        }
        Ok(None)
    }
}

/// The folders of a workspace, where the file is the root of one.
fn members(project: &Project) -> Result<Option<Vec<PathBuf>>, InputError> {
    let Some(table) = project.document.root().nested(&["tool", "uv", "workspace"])? else {
        return Ok(None);
    };
    let matching = |key: &str| {
        let mut folders = Vec::new();
        for item in table.list(key)? {
            let text = item.text()?;
            let root = glob::Pattern::escape(&project.folder().to_string_lossy());
            let pattern = if root.is_empty() { text.to_owned() } else { format!("{root}/{text}") };
            let found = glob::glob(&pattern)
                .map_err(|_| item.error(format!("expected a pattern of paths, found `{text}`")))?;
            folders.extend(found.filter_map(Result::ok).take(MAX_MEMBERS));
        }
        Ok::<_, InputError>(folders)
    };
    let excluded = matching("exclude")?;
    let mut members = matching("members")?;
    members.retain(|folder| !excluded.contains(folder) && folder.join("pyproject.toml").is_file());
    Ok(Some(members))
}

/// Puts in place of each requirement what `tool.uv.sources` says of it, and adds the members of a
/// workspace that has no project at its root.
pub(super) fn apply_sources(
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
                let sourced = sourced(requirement, *item, owner, workspace.as_ref())?;
                for one in &sourced {
                    name_index(one, &tables, collector)?;
                }
                parts.asks.extend(sourced);
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
        let location = member
            .project()?
            .map_or_else(|| member.document.root().location(), |table| table.location());
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
        let own = Parts::requirements(&member, super::Tool::Uv, collector)?;
        parts.sections.extras.extend(own.sections.extras);
        parts.sections.groups.extend(own.sections.groups);
        let beside = own.asks.into_iter().filter(|ask| *ask.section() != Section::Base);
        parts.asks.extend(beside);
    }
    Ok(())
}

/// What a requirement is with its source: one for each of several that markers tell apart, and the
/// index for whatever they leave.
fn sourced(
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

/// Makes the index that a requirement names known, wherever in the files it stands.
fn name_index(
    ask: &Ask,
    tables: &[(&Project, Option<Table<'_>>)],
    collector: &mut Collector,
) -> Result<(), InputError> {
    let Ask::Distribution(Requirement { index: Some(name), .. }) = ask else { return Ok(()) };
    let known = |index: &IndexSource| index.name.as_ref() == Some(name);
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
        url: url(place, project)?,
        is_default: table.flag("default")?.unwrap_or_default(),
        explicit: table.flag("explicit")?.unwrap_or_default(),
    }))
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

/// What bounds the resolution, and where packages come from.
pub(super) fn settings(project: &Project, collector: &mut Collector) -> Result<(), InputError> {
    let workspace = Workspace::of(project)?;
    let root = workspace.as_ref().and_then(|workspace| workspace.root.as_ref()).unwrap_or(project);
    let Some(uv) = root.tool("uv")? else { return Ok(()) };
    bounds(root, uv, collector)?;
    indexes(root, uv, collector)?;
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
                    let sources =
                        uv.table("sources")?.and_then(|table| table.get(one.name.as_ref()));
                    sources.map(|item| sourced(one, item, root, None)).transpose()?
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

fn indexes(root: &Project, uv: Table<'_>, collector: &mut Collector) -> Result<(), InputError> {
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
        collector.indexes.indexes.push(IndexSource { name: None, url, is_default, explicit });
    }
    if let Some(item) = uv.get("index-url") {
        let (url, is_default, explicit) = (url(item, root)?, true, false);
        collector.indexes.indexes.push(IndexSource { name: None, url, is_default, explicit });
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
