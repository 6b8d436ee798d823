//! The files that a command looks at, found and read.

use std::path::{Path, PathBuf};

use ftcheck::input::{self, Content, FORMATS, Format, InputError, Manifest, Requirements, Source};
use ftcheck::local;
use ftcheck::model::advice::{Manager, Tool};
use ftcheck::model::limits::Nesting;
use ftcheck::model::requirement::{Choice, Sections};
use ftcheck::pipeline::Settings;

use crate::Failure;
use crate::args::ProjectArguments;
use crate::inspect::local_failure;

/// What stands for the standard input.
const STANDARD_INPUT: &str = "-";

/// Files that were read.
#[derive(Default)]
pub(crate) struct Project {
    pub(crate) manifests: Vec<Manifest>,
    /// The tools that they are for and the files, one for each of those that were named.
    pub(crate) managers: Vec<(Manager, Option<PathBuf>)>,
    /// The files, as they are shown.
    pub(crate) shown: Vec<String>,
    /// Those of them that lie in a folder.
    pub(crate) paths: Vec<PathBuf>,
    /// Whether one was found in a directory rather than named.
    pub(crate) searched: bool,
}

impl Project {
    /// Reads all that is named; the working directory where nothing is.
    pub(crate) fn read(
        arguments: &ProjectArguments,
        settings: &Settings,
        nesting: Nesting,
    ) -> Result<Self, Failure> {
        let mut project = Self::default();
        let environments = || arguments.python.iter().chain(&arguments.environment);
        for place in environments() {
            // An environment is of this machine, whatever else is asked for.
            for scene in settings.scenes.iter().take(1) {
                let manifest = local::installed(place, scene.place.target, scene.place.platform)
                    .map_err(|problems| local_failure(&problems))?;
                let file = place.display().to_string();
                let tool = Tool::Environment;
                project.managers.push((Manager { tool, file, written_by: Vec::new() }, None));
                project.manifests.push(manifest);
                project.shown.push(place.display().to_string());
            }
        }
        for path in &arguments.paths {
            project.add(path, nesting).map_err(input_failure)?;
        }
        if arguments.paths.is_empty() && environments().next().is_none() {
            project.add(Path::new("."), nesting).map_err(input_failure)?;
        }
        project.check(&settings.choice)?;
        Ok(project)
    }

    /// Requirements that stand on the command line.
    pub(crate) fn of_requirements(requirements: &[String]) -> Result<Self, Failure> {
        let source = Source::of_text(Path::new(""), "the command line", requirements.join("\n"));
        let manifest = read_requirements(&source).map_err(input_failure)?;
        Ok(Self { manifests: vec![manifest], ..Self::default() })
    }

    fn add(&mut self, path: &Path, nesting: Nesting) -> Result<(), InputError> {
        let (source, manifest, format, file) = if path == Path::new(STANDARD_INPUT) {
            let source = standard_input()?.nested(nesting);
            let format = requirements_format(&source)?;
            let manifest = format.read(&source)?;
            (source, manifest, format, None)
        } else {
            self.searched |= path.is_dir();
            let (path, format) = input::find(path)?;
            let source = Source::open(&path)?.nested(nesting);
            let manifest = format.read(&source)?;
            self.paths.push(path.clone());
            (source, manifest, format, Some(path))
        };
        self.managers.push((input::manager(format, &source), file));
        self.shown.push(source.shown);
        self.manifests.push(manifest);
        Ok(())
    }

    /// Adds what files of constraints and overrides say, which the environment names.
    pub(crate) fn bound_by(
        &mut self,
        constraints: &[PathBuf],
        overrides: &[PathBuf],
    ) -> Result<(), Failure> {
        let mut whole = Manifest::default();
        let mut read = |path: &PathBuf| {
            let manifest = read_requirements(&Source::open(path)?)?;
            // What a file cannot bind, such as what is built from source, is not covered here either.
            whole.gaps.extend(manifest.gaps);
            whole.notes.extend(manifest.notes);
            match manifest.content {
                Content::Requirements(all) => Ok(all),
                Content::Lock(_) => Ok(Requirements::default()),
            }
        };
        let mut bounds = Requirements::default();
        for path in constraints {
            let all = read(path).map_err(input_failure)?;
            bounds.constraints.extend(all.required.into_iter().chain(all.constraints));
        }
        for path in overrides {
            bounds.overrides.extend(read(path).map_err(input_failure)?.required);
        }
        let content = Content::Requirements(bounds);
        self.manifests.push(Manifest { content, ..whole });
        Ok(())
    }

    /// Extras and groups that no file has are a mistake rather than nothing to look at.
    fn check(&self, choice: &Choice) -> Result<(), Failure> {
        let sections: Vec<&Sections> =
            self.manifests.iter().map(|manifest| &manifest.sections).collect();
        let unknown = choice.unknown(&sections);
        if unknown.is_empty() {
            return Ok(());
        }
        let mut known: Vec<String> = Vec::new();
        for sections in sections {
            known.extend(sections.extras.iter().map(|extra| format!("extra `{extra}`")));
            known.extend(sections.groups.iter().map(|group| format!("group `{group}`")));
        }
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Failure::with_hint(
            format!("{} has no {}", self.shown.join(", "), unknown.join(", ")),
            Some(format!("there is: {known}")),
        ))
    }
}

fn standard_input() -> Result<Source, InputError> {
    Source::from_reader(Path::new(STANDARD_INPUT), "standard input", std::io::stdin().lock())
}

fn read_requirements(source: &Source) -> Result<Manifest, InputError> {
    requirements_format(source)?.read(source)
}

fn requirements_format(source: &Source) -> Result<&'static dyn Format, InputError> {
    let format = FORMATS.iter().find(|format| format.recognises("requirements.txt"));
    format.copied().ok_or_else(|| {
        InputError::of_file(&source.shown, "expected a format for requirements, found none")
    })
}

pub(crate) fn input_failure(problem: InputError) -> Failure {
    Failure::with_hint(problem.to_string(), problem.hint)
}
