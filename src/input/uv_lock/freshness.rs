//! Whether a lock was made of what is there now: of the project beside it, the members of its
//! workspace and other projects on this machine, or of the script that it is named after.
//!
//! uv keeps in the lock what each of them asked for. It compares that before it installs anything
//! (`uv lock --check`), and so is it here: what is asked for now and was not then would be missing.
//! What is no longer asked for only leaves more in the lock, but for overrides and exclusions, which
//! stand in place of what packages ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pep508_rs::PackageName;

use super::changed::{Sources, changed, locked};
use super::schema::{Lock, Package, RequiredName};
use crate::input::document::Item;
use crate::input::project::{Named, Project, add_list, leading_name};
use crate::input::pyproject::specifiers;
use crate::input::pyproject::uv::Workspace;
use crate::input::{Gap, InputError, Source, script};
use crate::model::requirement::{GroupName, Section};

/// What a lock was made of.
#[derive(Debug)]
pub(super) enum Origin {
    /// The project in its folder.
    Project(Project),
    /// The script that it is named after.
    Script(Project),
    /// Nothing that is there to compare with.
    Gone,
}

impl Origin {
    /// What lies beside a lock.
    ///
    /// # Errors
    /// Where it is there and cannot be read.
    pub(super) fn of(lock: &Path) -> Result<Self, InputError> {
        let name = lock.file_name().unwrap_or_default().to_string_lossy();
        let Some(script) = name.strip_suffix(".lock").filter(|name| name.ends_with(".py")) else {
            return Ok(Project::beside(lock)?.map_or(Self::Gone, Self::Project));
        };
        let path = lock.with_file_name(script);
        if !path.is_file() {
            return Ok(Self::Gone);
        }
        Ok(Self::Script(script::project(&Source::open(&path)?)?))
    }

    /// The project, where it was made of one.
    pub(super) fn project(&self) -> Option<&Project> {
        match self {
            Self::Project(project) => Some(project),
            _ => None,
        }
    }

    /// The packages that it names.
    ///
    /// # Errors
    /// As [`Project::named`].
    pub(super) fn named(&self) -> Result<Vec<Named>, InputError> {
        match self {
            Self::Project(project) => project.named(),
            Self::Script(block) => {
                let mut named = Vec::new();
                let list = block.document.root().list("dependencies")?;
                add_list(&mut named, &Section::Base, &list)?;
                Ok(named)
            }
            Self::Gone => Ok(Vec::new()),
        }
    }
}

/// What has changed since the lock was made.
///
/// # Errors
/// Where a file of a project or script is not of the shape that uv reads.
pub(super) fn gaps(lock: &Lock, origin: &Origin) -> Result<Vec<Gap>, InputError> {
    let (root, file) = match origin {
        Origin::Project(project) => (project, "pyproject.toml"),
        Origin::Script(block) => (block, "the script"),
        Origin::Gone => return Ok(Vec::new()),
    };
    let mut sources = Sources::default();
    sources.add(root)?;
    let mut gaps = Vec::new();
    let package = lock.packages.iter().map(toml::Spanned::get_ref);
    let package = package.into_iter().find(|package| package.source.folder() == Some("."));
    for named in origin.named()? {
        let before = match package {
            Some(package) => package.metadata.as_ref().and_then(|all| locked(&named, all, package)),
            None => of_manifest(lock, &named.section, origin),
        };
        gaps.extend(before.and_then(|before| changed(&named, &before, &sources, file)));
    }
    gaps.extend(settings(lock, root)?);
    gaps.extend(python(lock, root, origin)?);
    if let Origin::Project(project) = origin {
        gaps.extend(others(lock, project)?);
    }
    Ok(gaps)
}

/// What a script, or the root of a workspace without a project, asked for.
fn of_manifest<'l>(
    lock: &'l Lock,
    section: &Section,
    origin: &Origin,
) -> Option<Vec<&'l RequiredName>> {
    let manifest = &lock.manifest;
    let is_script = matches!(origin, Origin::Script(_));
    match section {
        Section::Any => None,
        Section::Base if is_script => Some(manifest.requirements.iter().collect()),
        Section::Base | Section::Extra(_) => Some(Vec::new()),
        Section::Group(group) => {
            let groups = manifest.dependency_groups.iter();
            let own = groups.filter(|(name, _)| GroupName::new(name) == *group);
            // Former releases of uv wrote all groups into one list.
            Some(own.flat_map(|(_, all)| all).chain(&manifest.requirements).collect())
        }
    }
}

/// What `[tool.uv]` at the root says of all packages.
fn settings(lock: &Lock, root: &Project) -> Result<Vec<Gap>, InputError> {
    let uv = root.tool("uv")?;
    let list = |key: &str| uv.map_or_else(|| Ok(Vec::new()), |uv| uv.list(key));
    let stale =
        |told: String| Gap::Always(format!("{told}: is it up to date? `uv lock` writes it anew"));
    let mut gaps = Vec::new();
    let manifest = &lock.manifest;
    for (key, before) in [
        ("constraint-dependencies", &manifest.constraints),
        ("override-dependencies", &manifest.overrides),
    ] {
        let items = list(key)?;
        let mut named = Vec::new();
        let texts: Vec<Item<'_>> =
            items.iter().copied().filter(|item| item.as_text().is_some()).collect();
        add_list(&mut named, &Section::Base, &texts)?;
        let before_all: Vec<&RequiredName> = before.iter().collect();
        // Entries for single packages are tables, and are not told apart.
        let is_plain = texts.len() == items.len();
        let mut sources = Sources::default();
        sources.add(root)?;
        for one in &named {
            if changed(one, &before_all, &sources, "pyproject.toml").is_some() && is_plain {
                gaps.push(stale(format!(
                    "`tool.uv.{key}` names `{}`, for which the lock was not made",
                    one.name
                )));
            }
        }
        let now: BTreeSet<&PackageName> = named.iter().map(|one| &one.name).collect();
        let gone = before.iter().find(|it| !now.contains(&it.name));
        if let Some(gone) = gone.filter(|_| is_plain && key == "override-dependencies") {
            gaps.push(stale(format!(
                "the lock was made with `{}` in `tool.uv.{key}`, which is gone",
                gone.shown()
            )));
        }
    }
    let excluded = list("exclude-dependencies")?;
    if excluded.iter().all(|item| item.as_text().is_some()) {
        let now: BTreeSet<PackageName> =
            excluded.iter().filter_map(|item| leading_name(item.as_text()?)).collect();
        if let Some(gone) = manifest.excludes.iter().find(|name| !now.contains(*name)) {
            gaps.push(stale(format!(
                "the lock was made with `{gone}` in `tool.uv.exclude-dependencies`, which is gone"
            )));
        }
    }
    Ok(gaps)
}

/// The Python versions that the root is for, where they are others than those of the lock.
fn python(lock: &Lock, root: &Project, origin: &Origin) -> Result<Option<Gap>, InputError> {
    let table = match origin {
        Origin::Script(_) => Some(root.document.root()),
        _ => root.project()?,
    };
    let Some(item) = table.and_then(|table| table.get("requires-python")) else { return Ok(None) };
    let now = specifiers(item)?;
    let is_same = lock.requires_python.as_ref() == Some(&now);
    Ok((!is_same).then_some(Gap::RequiresPython(now)))
}

/// Members of the workspace, and other projects on this machine that the lock names.
fn others(lock: &Lock, root: &Project) -> Result<Vec<Gap>, InputError> {
    let mut gaps = Vec::new();
    let members: BTreeSet<&PackageName> = lock.manifest.members.iter().collect();
    for package in lock.packages.iter().map(toml::Spanned::get_ref) {
        let Some(folder) = package.source.folder().filter(|folder| *folder != ".") else {
            continue;
        };
        let is_member = members.contains(&package.name);
        let path = root.folder().join(folder).join("pyproject.toml");
        if !path.is_file() {
            if is_member {
                gaps.push(Gap::Always(format!(
                    "the member `{}` of the workspace has no `{folder}/pyproject.toml` to compare \
                     the lock with",
                    package.name
                )));
            }
            continue;
        }
        match Source::open(&path)
            .and_then(Project::read)
            .and_then(|it| of_other(package, &it, root))
        {
            Ok(changed) => gaps.extend(changed),
            Err(problem) if is_member => return Err(problem),
            // One of another tool may have a shape of its own.
            Err(problem) => gaps.push(Gap::Always(problem.to_string())),
        }
    }
    gaps.extend(new_members(lock, root)?);
    Ok(gaps)
}

/// What another project than the root asks for, and the lock does not know.
fn of_other(package: &Package, project: &Project, root: &Project) -> Result<Vec<Gap>, InputError> {
    let Some(metadata) = &package.metadata else { return Ok(Vec::new()) };
    let mut sources = Sources::default();
    sources.add(project)?;
    sources.add(root)?;
    let file = project.document.source().shown.as_str();
    let mut gaps = Vec::new();
    for named in project.named()? {
        // Groups of a project that is no member are neither locked nor installed.
        if metadata.requires_dev.is_none() && matches!(named.section, Section::Group(_)) {
            continue;
        }
        let before = locked(&named, metadata, package);
        gaps.extend(before.and_then(|before| changed(&named, &before, &sources, file)));
    }
    Ok(gaps)
}

/// Members that the workspace has now.
fn new_members(lock: &Lock, root: &Project) -> Result<Option<Gap>, InputError> {
    let is_workspace = root.document.root().nested(&["tool", "uv", "workspace"])?.is_some();
    let Some(workspace) = Workspace::of(root)?.filter(|_| is_workspace) else { return Ok(None) };
    let locked: BTreeMap<&PackageName, &Package> = lock
        .packages
        .iter()
        .map(toml::Spanned::get_ref)
        .filter(|package| package.source.folder().is_some())
        .map(|package| (&package.name, package))
        .collect();
    for folder in &workspace.members {
        let member = Project::read(Source::open(&folder.join("pyproject.toml"))?)?;
        if let Some(name) = member.name.filter(|name| !locked.contains_key(name)) {
            return Ok(Some(Gap::Always(format!(
                "`{name}` is a member of the workspace, which the lock does not know: is it up to \
                 date? `uv lock` writes it anew"
            ))));
        }
    }
    Ok(None)
}
