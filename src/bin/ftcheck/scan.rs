//! `ftcheck scan` and `ftcheck check`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ftcheck::config::Environment;
use ftcheck::fetch::client::Traffic;
use ftcheck::judge::{self, Policy};
use ftcheck::local;
use ftcheck::model::imports::SourceFile;
use ftcheck::model::report::ScanReport;
use ftcheck::model::requirement::Choice;
use ftcheck::pipeline;
use ftcheck::report::{self, Detail};

use crate::Failure;
use crate::args::{CheckArguments, RuleArguments, ScanArguments};
use crate::baseline::Baselines;
use crate::configuration::{configuration, policy, today};
use crate::options::{ReportOptions, ScanOptions, choice};
use crate::output::{ends_with, say, write_report};
use crate::progress::Bar;
use crate::project::Project;
use crate::session::Session;
use crate::tracker;

pub(crate) fn run(arguments: ScanArguments) -> Result<ExitCode, Failure> {
    let first = arguments.project.paths.first().map(PathBuf::as_path);
    let configured = configuration(&arguments.resolution.configuration, first)?;
    let policy = policy(&arguments.rules, &configured)?;
    let choice = choice(&arguments.project.sections, &configured);
    let options = ScanOptions::new(arguments.resolution, choice, &configured)?;
    let project =
        Project::read(&arguments.project, &options.settings, options.network.limits.nesting)?;
    let how = ReportOptions::new(&arguments.report)?;
    let paths = project.paths.iter().map(PathBuf::as_path);
    let reports = how.destinations.files.iter().map(|(_, file)| file.as_path());
    let baselines = Baselines::new(&arguments.baseline, paths, reports)?;
    let judging = Judging { policy, is_whole: true, baselines };
    report(project, options, how, &arguments.rules, &judging)
}

pub(crate) fn check(arguments: CheckArguments) -> Result<ExitCode, Failure> {
    let project = Project::of_requirements(&arguments.requirements)?;
    let configured = configuration(&arguments.resolution.configuration, None)?;
    let policy = policy(&arguments.rules, &configured)?;
    let options = ScanOptions::new(arguments.resolution, Choice::default(), &configured)?;
    let how = ReportOptions::new(&arguments.report)?;
    let judging = Judging { policy, is_whole: false, baselines: Baselines::default() };
    report(project, options, how, &arguments.rules, &judging)
}

/// What counts of what is found.
struct Judging {
    policy: Policy,
    /// Whether all of a project is looked at, so that what is ignored ought to be there.
    is_whole: bool,
    baselines: Baselines,
}

fn report(
    project: Project,
    mut options: ScanOptions,
    mut how: ReportOptions<ScanReport>,
    rules: &RuleArguments,
    judging: &Judging,
) -> Result<ExitCode, Failure> {
    how.fail_on = judging.policy.fail_on.clone();
    how.style.subinterpreters = rules.subinterpreters;
    options.settings.sources = sources(rules)?;
    how.destinations.check(project.paths.iter().map(PathBuf::as_path))?;
    let detail = how.style.detail;
    let read = project.paths.first().cloned();
    let (searched, shown) = (project.searched, project.shown.join(", "));
    let environment = Environment::of_process();
    let mut looked =
        look(project, options, &judging.policy, judging.is_whole, detail, &environment)?;
    let severity = judging.baselines.conclude(&mut looked.report, &judging.policy.fail_on)?;
    write_report(&looked.report, &how, read.as_deref(), report::summary)?;
    if detail == Detail::Verbose {
        if !searched && !shown.is_empty() {
            say(&format!("read {shown}"));
        }
        say(&looked.traffic);
    }
    Ok(ends_with(severity, &rules.outcome))
}

/// What a look at a project came to.
pub(crate) struct Looked {
    pub(crate) report: ScanReport,
    /// What was fetched, in words.
    pub(crate) traffic: String,
}

/// Looks at all that a project asks for, and takes out what the policy ignores. Ignores that match
/// nothing are told where the whole project is looked at.
pub(crate) fn look(
    mut project: Project,
    mut options: ScanOptions,
    policy: &Policy,
    is_whole: bool,
    detail: Detail,
    environment: &Environment,
) -> Result<Looked, Failure> {
    options.settings.levels = policy.levels.clone();
    options.settings.tracker = Arc::new(tracker::current(&options.network.cache));
    let session = Session::within(options.network, &mut project, environment)?;
    options.settings.prereleases = options.settings.prereleases.or(session.prereleases);
    if project.searched && detail > Detail::Quiet {
        say(&format!("looking at {}", project.shown.join(", ")));
    }
    let bar = Arc::new(Bar::new(options.progress && detail != Detail::Quiet, &session.client));
    let progress = Arc::clone(&bar) as Arc<dyn pipeline::Progress>;
    let report = session.runtime.block_on(pipeline::scan(
        &project.manifests,
        &options.settings,
        &session.client,
        &session.cache,
        &session.index,
        &progress,
    ));
    bar.clear();
    // What took too long is not waited for.
    session.runtime.shutdown_background();
    let mut report = report.map_err(|problem| Failure::new(problem.to_string()))?;
    judge::apply_ignores(&mut report, policy, today(), is_whole);
    let traffic = traffic(session.client.traffic(), bar.wheel_bytes());
    Ok(Looked { report, traffic })
}

/// The user's own files, where they are asked for.
fn sources(rules: &RuleArguments) -> Result<Arc<Vec<SourceFile>>, Failure> {
    let mut files = Vec::new();
    for folder in &rules.source {
        if !folder.is_dir() {
            let shown = folder.display();
            let what = if folder.exists() { "a file" } else { "nothing" };
            let problem = format!("{shown}: expected a folder for `--source`, found {what}");
            return Err(Failure::new(problem));
        }
        let (found, problems) = local::sources(folder);
        if let Some(problem) = problems.first() {
            return Err(Failure::new(problem.clone()));
        }
        if found.is_empty() {
            let shown = folder.display();
            return Err(Failure::new(format!("{shown}: expected Python files, found none")));
        }
        files.extend(found);
    }
    Ok(Arc::new(files))
}

/// What was fetched, beside what whole wheels would have taken.
fn traffic(traffic: &Traffic, wheel_bytes: u64) -> String {
    format!(
        "received {} ({} bytes) in {} requests; {} ({} bytes) of that are parts of wheels, of which {} ({} bytes) \
         were read; the wheels looked into are {} ({wheel_bytes} bytes) as a whole",
        report::bytes(traffic.bytes()),
        traffic.bytes(),
        traffic.requests(),
        report::bytes(traffic.of_parts()),
        traffic.of_parts(),
        report::bytes(traffic.used()),
        traffic.used(),
        report::bytes(wheel_bytes),
    )
}
