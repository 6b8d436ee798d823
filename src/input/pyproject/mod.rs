//! pyproject.toml: what a project requires, in the standard's tables and those of uv, poetry and pdm.
//!
//! ```text
//! standard   [project] (PEP 621) and [dependency-groups] (PEP 735)
//! uv         [tool.uv]: sources, indexes, constraints, groups
//! poetry     [tool.poetry]: dependencies in its own terms, groups, sources
//! pdm        [tool.pdm]: groups, sources, overrides
//! ```
//!
//! Whose tables count follows from the tables that are there: uv's, else poetry's, else pdm's. A file
//! with none of them is read as uv reads it.

mod pdm;
pub(super) mod poetry;
mod standard;
pub(super) mod uv;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::collect::Collector;
use super::document::{Document, Item, Table};
use super::project::Project;
use super::requirement::{Ask, Folders};
use super::{Format, Gap, InputError, Manifest, Source};
use crate::model::requirement::{GroupName, Requirement, Section, Sections};

/// Requirements that extras lead to in all.
const MAX_ASKS: usize = 200_000;

pub(super) struct Pyproject;

/// The tool that installs a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Uv,
    Poetry,
    Pdm,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Uv => "uv",
            Self::Poetry => "poetry",
            Self::Pdm => "pdm",
        }
    }

    /// The groups that it installs without being asked.
    fn default_groups(
        self,
        project: &Project,
        sections: &Sections,
    ) -> Result<BTreeSet<GroupName>, InputError> {
        match self {
            Self::Uv => uv::default_groups(project, sections),
            Self::Poetry => poetry::default_groups(project, sections),
            Self::Pdm => Ok(sections.groups.clone()),
        }
    }
}

impl Format for Pyproject {
    fn name(&self) -> &'static str {
        "pyproject.toml"
    }

    fn recognises(&self, filename: &str) -> bool {
        filename == "pyproject.toml"
    }

    /// Only one that names dependencies, or one that cannot be read: others hold the settings of
    /// tools beside a requirements.txt.
    fn in_directory(&self, directory: &Path) -> Option<PathBuf> {
        let path = directory.join(self.name());
        let says_some = || Project::read(Source::open(&path)?)?.says_some();
        (path.is_file() && says_some().unwrap_or(true)).then_some(path)
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let source = Source::of_text(&source.path, &source.shown, source.text.clone())
            .nested(source.nesting);
        let project = Project::read(source)?;
        if !project.says_some()? {
            return Err(InputError::of_file(
                &project.document.source().shown,
                "expected dependencies, found none",
            )
            .hint("they stand in `[project]`, `[dependency-groups]` or a tool's own table"));
        }
        let mut collector = Collector::of(project.document.source());
        let parts = Parts::read(&project, &mut collector)?;
        collector.sections = parts.sections;
        for ask in parts.asks {
            collector.add(ask)?;
        }
        Ok(collector.finish())
    }
}

/// What a project asks for, part by part.
#[derive(Debug, Default)]
struct Parts {
    asks: Vec<Ask>,
    sections: Sections,
}

impl Parts {
    /// Everything a project's own file says, as the tool that installs it has it.
    fn read(project: &Project, collector: &mut Collector) -> Result<Self, InputError> {
        let tool = project.manager()?;
        let mut parts = Self::requirements(project, tool, collector)?;
        parts.sections.default_groups = tool.default_groups(project, &parts.sections)?;
        match tool {
            Tool::Uv => uv::settings(project, collector)?,
            Tool::Poetry => poetry::settings(project, collector)?,
            Tool::Pdm => pdm::settings(project, collector)?,
        }
        for (other, table, keys) in [
            (Tool::Uv, "uv", &["dev-dependencies"][..]),
            (Tool::Poetry, "poetry", &["dependencies", "group", "dev-dependencies"]),
            (Tool::Pdm, "pdm", &["dev-dependencies"]),
        ] {
            let Some(found) = project.tool(table)?.filter(|_| other != tool) else { continue };
            if keys.iter().any(|key| found.get(key).is_some()) {
                collector.note(format!(
                    "dependencies in `[tool.{table}]` were not read: the file is taken to be for {}",
                    tool.name()
                ));
            }
        }
        if let Some(table) = project.project()? {
            if let Some(item) = table.get("requires-python") {
                collector.gaps.push(Gap::RequiresPython(specifiers(item)?));
            }
            for item in table.list("dynamic")? {
                let field = item.text()?;
                let poetry_says = tool == Tool::Poetry && project.tool("poetry")?.is_some();
                let is_known = poetry_says || standard::is_read_from_files(table, project, field)?;
                if matches!(field, "dependencies" | "optional-dependencies") && !is_known {
                    collector.gap(format!(
                        "pyproject.toml leaves `{field}` to the build, so that they are only known by \
                         building the project"
                    ));
                }
            }
        }
        Ok(parts)
    }

    fn requirements(
        project: &Project,
        tool: Tool,
        collector: &mut Collector,
    ) -> Result<Self, InputError> {
        let mut parts = standard::read(project)?;
        match tool {
            Tool::Uv => {
                uv::add_groups(project, &mut parts)?;
                // Sources first: they may be for what an extra asks for alone.
                uv::apply_sources(project, &mut parts, collector)?;
                parts = parts.with_own_extras(project)?;
            }
            Tool::Poetry => {
                poetry::add(project, &mut parts, collector)?;
                parts = parts.with_own_extras(project)?;
            }
            Tool::Pdm => {
                pdm::add_groups(project, &mut parts)?;
                parts = parts.with_own_extras(project)?;
            }
        }
        Ok(parts)
    }

    /// Puts what an extra asks for in place of the project's own name with that extra, as in
    /// `all = ["spam[cli,web]"]`. In a group, the project's own name asks for all it requires.
    fn with_own_extras(self, project: &Project) -> Result<Self, InputError> {
        let Some(name) = &project.name else { return Ok(self) };
        let mut asks = Vec::new();
        for ask in &self.asks {
            let Some(own) = own(ask, name) else {
                asks.push(ask.clone());
                continue;
            };
            if matches!(own.section, Section::Group(_)) {
                self.add_part(&Section::Base, own, &own.marker, name, &mut asks);
            }
            for (extra, marker) in self.reached(own, name)? {
                self.add_part(&Section::Extra(extra), own, &marker, name, &mut asks);
            }
            if asks.len() > MAX_ASKS {
                let problem = format!("expected at most {MAX_ASKS} requirements by extras");
                return Err(InputError::at(own.location.clone(), problem));
            }
        }
        Ok(Self { asks, sections: self.sections })
    }

    /// Adds what a part asks for, apart from the project's own extras, to the part that `own` is of.
    fn add_part(
        &self,
        part: &Section,
        own_ask: &Requirement,
        marker: &MarkerTree,
        name: &PackageName,
        into: &mut Vec<Ask>,
    ) {
        let others = self.asks.iter().filter(|ask| ask.section() == part);
        let others = others.filter(|ask| own(ask, name).is_none());
        into.extend(others.map(|ask| ask.clone().of(&own_ask.section).only_where(marker)));
    }

    /// The extras that a requirement of the project itself leads to, each with the marker under which
    /// it does.
    fn reached(
        &self,
        first: &Requirement,
        name: &PackageName,
    ) -> Result<BTreeMap<ExtraName, MarkerTree>, InputError> {
        let mut reached: BTreeMap<ExtraName, MarkerTree> = BTreeMap::new();
        let mut queue = vec![(first, MarkerTree::TRUE)];
        let mut steps = 0;
        while let Some((ask, marker)) = queue.pop() {
            let mut applies = ask.marker.clone();
            applies.and(marker);
            for extra in &ask.extras {
                steps += 1;
                if steps > MAX_ASKS {
                    let problem = "extras include each other too often";
                    return Err(InputError::at(ask.location.clone(), problem));
                }
                if !self.sections.extras.contains(extra) {
                    let problem = format!("`{name}` has no extra `{extra}`");
                    return Err(InputError::at(ask.location.clone(), problem));
                }
                let known = reached.get(extra).cloned().unwrap_or(MarkerTree::FALSE);
                let mut wider = known.clone();
                wider.or(applies.clone());
                if wider == known && reached.contains_key(extra) {
                    continue;
                }
                reached.insert(extra.clone(), wider);
                let part = Section::Extra(extra.clone());
                let of_part = self.asks.iter().filter(|ask| *ask.section() == part);
                queue.extend(
                    of_part.filter_map(|ask| own(ask, name)).map(|ask| (ask, applies.clone())),
                );
            }
        }
        Ok(reached)
    }
}

/// The requirement of the project itself that this is, if it is one.
fn own<'a>(ask: &'a Ask, name: &PackageName) -> Option<&'a Requirement> {
    match ask {
        Ask::Distribution(requirement) if requirement.name == *name => Some(requirement),
        _ => None,
    }
}

/// All that a project asks for, part by part, and the parts: what a lock beside it was made from.
///
/// # Errors
/// Where its file cannot be understood.
pub(super) fn asks_of_locked(
    project: &Project,
    tool: Tool,
) -> Result<(Vec<Ask>, Sections), InputError> {
    // What it would tell about requirements is for those who resolve them.
    let mut parts = Parts::requirements(project, tool, &mut Collector::default())?;
    parts.sections.default_groups = tool.default_groups(project, &parts.sections)?;
    Ok((parts.asks, parts.sections))
}

/// What a project asks for that is itself asked for, with these extras.
///
/// # Errors
/// Where its file cannot be understood.
pub(super) fn asks_of_dependency(
    project: &Project,
    extras: &[ExtraName],
    collector: &mut Collector,
) -> Result<Vec<Ask>, InputError> {
    let parts = Parts::requirements(project, project.manager()?, collector)?;
    for extra in extras.iter().filter(|extra| !parts.sections.extras.contains(*extra)) {
        let shown = &project.document.source().shown;
        collector.note(format!("{shown} has no extra `{extra}`"));
    }
    let is_asked = |ask: &Ask| match ask.section() {
        Section::Base | Section::Any => true,
        Section::Extra(extra) => extras.contains(extra),
        Section::Group(_) => false,
    };
    Ok(parts.asks.into_iter().filter(is_asked).collect())
}

impl Project {
    /// The folder it lies in.
    pub(super) fn folder(&self) -> &Path {
        self.document.source().path.parent().unwrap_or(Path::new(""))
    }

    /// Where its paths count from.
    fn folders(&self) -> Folders {
        Folders::one(self.folder())
    }

    /// The tool that installs it.
    pub(super) fn manager(&self) -> Result<Tool, InputError> {
        let says = |table: Option<Table<'_>>| {
            table.is_some_and(|table| table.get("dependencies").is_some())
        };
        // uv reads nothing of poetry's table.
        let is_poetrys = says(self.tool("poetry")?) && !says(self.project()?);
        Ok(if self.tool("uv")?.is_some() && !is_poetrys {
            Tool::Uv
        } else if self.tool("poetry")?.is_some() {
            Tool::Poetry
        } else if self.tool("pdm")?.is_some_and(pdm::is_manager) {
            Tool::Pdm
        } else {
            Tool::Uv
        })
    }

    /// Whether it says in any way what the project requires.
    fn says_some(&self) -> Result<bool, InputError> {
        let root = self.document.root();
        let has = |table: Option<Table<'_>>, keys: &[&str]| {
            table.is_some_and(|table| keys.iter().any(|key| table.get(key).is_some()))
        };
        Ok(has(Some(root), &["dependency-groups"])
            || has(self.project()?, &["dependencies", "optional-dependencies", "name"])
            || has(self.tool("poetry")?, &["dependencies", "group", "dev-dependencies"])
            || has(self.tool("pdm")?, &["dev-dependencies"])
            || has(self.tool("uv")?, &["dev-dependencies", "workspace"]))
    }

    /// Whether it says what the project itself requires, even if only that a build tells.
    pub(super) fn says_dependencies(&self) -> bool {
        let standard = self.project().ok().flatten();
        let poetry = self.tool("poetry").ok().flatten();
        standard.is_some_and(|table| !is_dynamic(table))
            || poetry.is_some_and(|table| table.get("dependencies").is_some())
    }

    /// Whether what the project itself requires stands in the file, and is not left to its build.
    pub(super) fn is_static(&self) -> Result<bool, InputError> {
        let poetry = self.tool("poetry")?.and_then(|table| table.get("dependencies"));
        Ok(match self.project()? {
            Some(table) => {
                let from_files = |field| standard::is_read_from_files(table, self, field);
                !is_dynamic(table)
                    || poetry.is_some()
                    || from_files("dependencies")? && from_files("optional-dependencies")?
            }
            None => poetry.is_some(),
        })
    }
}

fn is_dynamic(project: Table<'_>) -> bool {
    let fields = project.list("dynamic").unwrap_or_default();
    let is_ours = |text: &str| matches!(text, "dependencies" | "optional-dependencies");
    fields.into_iter().any(|field| field.as_text().is_some_and(is_ours))
}

/// A version range.
pub(super) fn specifiers(item: Item<'_>) -> Result<VersionSpecifiers, InputError> {
    let text = item.text()?;
    text.parse().map_err(|_| {
        item.error(format!("expected a version range for `{}`, found `{text}`", item.key()))
    })
}

/// The names in a list of groups.
fn group_names(items: Vec<Item<'_>>) -> Result<BTreeSet<GroupName>, InputError> {
    items.into_iter().map(|item| item.text().map(GroupName::new)).collect()
}

/// Reads what the block of a script says: uv's own tables count there too.
///
/// # Errors
/// Where it cannot be understood.
pub(super) fn read_script(block: &Project, collector: &mut Collector) -> Result<(), InputError> {
    let root = block.document.root();
    if let Some(item) = root.get("requires-python") {
        collector.gaps.push(Gap::RequiresPython(specifiers(item)?));
    }
    let mut parts = Parts::default();
    for item in root.list("dependencies")? {
        parts.asks.push(standard::ask(item, &block.folders())?);
    }
    uv::apply_sources(block, &mut parts, collector)?;
    uv::settings(block, collector)?;
    parts.asks.into_iter().try_for_each(|ask| collector.add(ask))
}

/// The project in a text that is no file of its own, such as the block in a script.
///
/// # Errors
/// Where it is no TOML.
pub(super) fn embedded(source: Source) -> Result<Project, InputError> {
    Ok(Project { document: Document::parse(source)?, name: None })
}
