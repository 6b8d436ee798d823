//! `ftcheck advise`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use ftcheck::advise::{self, Input};
use ftcheck::input::{self, Content, Manifest, Source};
use ftcheck::model::advice::{AdviceReport, Manager, Tool};
use ftcheck::report::{self, Detail};
use ftcheck::{pipeline, pipeline::Settings};

use crate::Failure;
use crate::args::AdviseArguments;
use crate::configuration::configuration;
use crate::options::{ReportOptions, ScanOptions, choice};
use crate::output::{exit_code, say, write_report};
use crate::progress::Bar;
use crate::project::{Project, input_failure};
use crate::session::Session;
use crate::tracker;

pub(crate) fn run(arguments: AdviseArguments) -> Result<ExitCode, Failure> {
    let first = arguments.project.paths.first().map(PathBuf::as_path);
    let configured = configuration(&arguments.resolution.configuration, first)?;
    let choice = choice(&arguments.project.sections, &configured);
    let mut options = ScanOptions::new(arguments.resolution, choice, &configured)?;
    let how: ReportOptions<AdviceReport> = ReportOptions::new(&arguments.report)?;
    let mut project =
        Project::read(&arguments.project, &options.settings, options.network.limits.nesting)?;
    how.destinations.check(project.paths.iter().map(PathBuf::as_path))?;
    options.settings.tracker = Arc::new(tracker::current(&options.network.cache));
    let detail = how.style.detail;
    let sources = sources(&project)?;
    let session = Session::new(options.network, &mut project)?;
    options.settings.prereleases = options.settings.prereleases.or(session.prereleases);
    if project.searched && detail > Detail::Quiet {
        say(&format!("looking at {}", project.shown.join(", ")));
    }
    let bar = Arc::new(Bar::new(options.progress && detail != Detail::Quiet, &session.client));
    let progress = Arc::clone(&bar) as Arc<dyn pipeline::Progress>;
    let report =
        session.runtime.block_on(look(&project, &sources, &options.settings, &session, &progress));
    bar.clear();
    let report = report?;
    let read = project.paths.first().map(PathBuf::as_path);
    write_report(&report, &how, read, report::advice_summary)?;
    Ok(exit_code(report.severity()))
}

/// A scan, then advice on what it finds.
async fn look(
    project: &Project,
    sources: &[Option<Manifest>],
    settings: &Settings,
    session: &Session,
    progress: &Arc<dyn pipeline::Progress>,
) -> Result<AdviceReport, Failure> {
    let (client, cache, index) = (&session.client, &session.cache, &session.index);
    let scan = pipeline::scan(&project.manifests, settings, client, cache, index, progress)
        .await
        .map_err(|problem| Failure::new(problem.to_string()))?;
    let inputs: Vec<Input<'_>> = project
        .manifests
        .iter()
        .enumerate()
        .map(|(at, manifest)| Input {
            manifest,
            // What the environment bounds comes last, and is for no tool.
            manager: project.managers.get(at).map(|(manager, _)| manager.clone()),
            source: sources.get(at).and_then(Option::as_ref),
        })
        .collect();
    Ok(advise::advise(&scan, &inputs, settings, client, cache, index, progress).await)
}

/// The files that locks were made from, where they are beside them.
fn sources(project: &Project) -> Result<Vec<Option<Manifest>>, Failure> {
    let named = project.manifests.iter().zip(&project.managers);
    named
        .map(|(manifest, (manager, path))| {
            let candidates = path.iter().flat_map(|path| source_of(manifest, manager, path));
            match candidates.into_iter().find(|path| path.is_file()) {
                Some(path) => read(&path),
                None => Ok(None),
            }
        })
        .collect()
}

/// Where the file lies that another one was made from.
fn source_of(manifest: &Manifest, manager: &Manager, path: &Path) -> Vec<PathBuf> {
    match (manager.tool, &manifest.content) {
        (Tool::Uv | Tool::Poetry | Tool::Pdm | Tool::Pylock, Content::Lock(_)) => {
            vec![path.with_file_name("pyproject.toml")]
        }
        (Tool::UvScript, Content::Lock(_)) => vec![path.with_extension("")],
        // The first file that the command names, from the folder it was called in: this one, or the
        // working directory.
        (Tool::PipTools | Tool::UvPip, _) => {
            let is_source =
                |word: &&String| [".in", ".toml"].iter().any(|ending| word.ends_with(ending));
            let word = manager.written_by.iter().find(is_source);
            let folder = |word: &String| path.parent().map(|folder| folder.join(word));
            word.into_iter()
                .flat_map(|word| folder(word).into_iter().chain([PathBuf::from(word)]))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// A file that another one was made from. One that names nothing is none.
fn read(path: &Path) -> Result<Option<Manifest>, Failure> {
    let (path, format) = input::find(path).map_err(input_failure)?;
    let source = Source::open(&path).map_err(input_failure)?;
    Ok(format.read(&source).ok().filter(|manifest| match &manifest.content {
        Content::Requirements(all) => !all.required.is_empty(),
        Content::Lock(_) => false,
    }))
}
