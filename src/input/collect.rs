//! What the files of a project ask for in all, gathered while they are read.
//!
//! A project on this machine that is asked for is the user's own code: what it asks for itself,
//! where that can be told without building it, takes its place.

use std::collections::HashSet;
use std::path::PathBuf;

use pep508_rs::{ExtraName, MarkerTree};

use super::project::Project;
use super::requirement::{Ask, ProjectAsk, guessed_name, is_project};
use super::{
    Content, Gap, InputError, Manifest, OwnProject, Requirements, Source, pyproject, setup_cfg,
};
use crate::model::index::IndexSettings;
use crate::model::limits::{Limit, Nesting};
use crate::model::location::redacted_text;
use crate::model::requirement::{Prereleases, Requirement, Section, Sections, Wanted};

/// Requirements in all; more than this is no project.
const MAX_REQUIREMENTS: usize = 2_000_000;

/// A project, and what of it is asked for by which part, where which marker applies.
type Visit = (PathBuf, Vec<ExtraName>, Section, Option<String>);

/// What is asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(crate) requirements: Requirements,
    pub(crate) projects: Vec<OwnProject>,
    pub(crate) sections: Sections,
    pub(crate) indexes: IndexSettings,
    pub(crate) prereleases: Option<Prereleases>,
    pub(crate) notes: Vec<String>,
    pub(crate) gaps: Vec<Gap>,
    visited: HashSet<Visit>,
    depth: u64,
    nesting: Nesting,
}

impl Collector {
    /// One for what `source` asks for.
    pub(crate) fn of(source: &Source) -> Self {
        Self { nesting: source.nesting, ..Self::default() }
    }

    /// All of it.
    pub(crate) fn finish(self) -> Manifest {
        Manifest {
            content: Content::Requirements(self.requirements),
            projects: self.projects,
            conda: Vec::new(),
            sections: self.sections,
            indexes: self.indexes,
            prereleases: self.prereleases,
            notes: self.notes,
            gaps: self.gaps,
        }
    }

    /// Whether nothing was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.required.is_empty() && self.projects.is_empty()
    }

    /// Tells something once.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        let text = redacted_text(&text.into());
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// A scan cannot be complete, whatever the target.
    pub(crate) fn gap(&mut self, text: impl Into<String>) {
        let gap = Gap::Always(redacted_text(&text.into()));
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// Adds what is asked for.
    ///
    /// # Errors
    /// Where a project that it leads to cannot be read.
    pub(crate) fn add(&mut self, ask: Ask) -> Result<(), InputError> {
        match ask {
            Ask::Distribution(requirement) => self.push(requirement),
            Ask::Project(ask) => self.add_project(ask),
        }
    }

    fn push(&mut self, requirement: Requirement) -> Result<(), InputError> {
        if self.requirements.required.len() >= MAX_REQUIREMENTS {
            let problem = format!("expected at most {MAX_REQUIREMENTS} requirements");
            return Err(InputError::at(requirement.location, problem));
        }
        self.requirements.required.push(requirement);
        Ok(())
    }

    fn add_project(&mut self, ask: ProjectAsk) -> Result<(), InputError> {
        let folder = std::fs::canonicalize(&ask.folder).unwrap_or_else(|_| ask.folder.clone());
        let mut extras = ask.extras.clone();
        extras.sort();
        let marker = ask.marker.try_to_string();
        if !self.visited.insert((folder, extras, ask.section.clone(), marker)) {
            return Ok(());
        }
        if !is_project(&ask.folder) {
            return self.push(unchecked(&ask, "a path at which there is no Python project")?);
        }
        if self.depth >= self.nesting.projects {
            let (most, limit) = (self.nesting.projects, Limit("project-depth"));
            let problem = format!("expected projects at most {most} deep, found more ({limit})");
            return Err(InputError::at(ask.location, problem));
        }
        self.depth += 1;
        let read = self.read_project(&ask);
        self.depth -= 1;
        read
    }

    fn read_project(&mut self, ask: &ProjectAsk) -> Result<(), InputError> {
        let path = ask.folder.join("pyproject.toml");
        let project =
            if path.is_file() { Some(Project::read(Source::open(&path)?)?) } else { None };
        let told = project.as_ref().and_then(|project| project.name.clone());
        let name = match told.or_else(|| ask.name.clone()) {
            Some(name) => name,
            None => guessed_name(&ask.shown, &ask.location)?,
        };
        let asks = match &project {
            Some(project) if project.is_static()? => {
                Some(pyproject::asks_of_dependency(project, &ask.extras, self)?)
            }
            _ => None,
        };
        let asks = match asks {
            Some(asks) => Some(asks),
            None if project.as_ref().is_none_or(|project| !project.says_dependencies()) => {
                setup_cfg::read(&ask.folder, &ask.extras)?
            }
            None => None,
        };
        match asks {
            Some(asks) => {
                for one in asks {
                    self.add(one.of(&ask.section).only_where(&ask.marker))?;
                }
            }
            None => self.gap(format!("what `{}` requires is only known by building it", ask.shown)),
        }
        let location = ask.location.clone();
        let project = OwnProject { name, location, folder: ask.folder.clone() };
        if !self.projects.iter().any(|known| known.folder == project.folder) {
            self.projects.push(project);
        }
        Ok(())
    }
}

/// A project that cannot be looked at, as a requirement that is not checked.
fn unchecked(ask: &ProjectAsk, reason: &str) -> Result<Requirement, InputError> {
    let name = match &ask.name {
        Some(name) => name.clone(),
        None => guessed_name(&ask.shown, &ask.location)?,
    };
    Ok(Requirement {
        name,
        extras: ask.extras.clone(),
        wanted: Wanted::Unchecked(reason.to_owned()),
        marker: MarkerTree::clone(&ask.marker),
        hashes: Vec::new(),
        index: None,
        section: ask.section.clone(),
        location: ask.location.clone(),
    })
}
