//! `ftcheck scan` and `ftcheck check`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ftcheck::fetch::client::Traffic;
use ftcheck::judge;
use ftcheck::model::report::ScanReport;
use ftcheck::model::requirement::Choice;
use ftcheck::pipeline;
use ftcheck::report::{self, Detail};

use crate::Failure;
use crate::args::{CheckArguments, RuleArguments, ScanArguments};
use crate::options::{ReportOptions, ScanOptions, choice, levels};
use crate::output::{check_output, exit_code, say, write_report};
use crate::progress::Bar;
use crate::project::Project;
use crate::session::Session;

pub(crate) fn run(arguments: ScanArguments) -> Result<ExitCode, Failure> {
    let choice = choice(&arguments.project);
    let options = ScanOptions::new(arguments.resolution, choice)?;
    let mut project = Project::read(&arguments.project, &options.settings)?;
    look(&mut project, options, ReportOptions::new(arguments.report)?, &arguments.rules)
}

pub(crate) fn check(arguments: CheckArguments) -> Result<ExitCode, Failure> {
    let mut project = Project::of_requirements(&arguments.requirements)?;
    let options = ScanOptions::new(arguments.resolution, Choice::default())?;
    look(&mut project, options, ReportOptions::new(arguments.report)?, &arguments.rules)
}

fn look(
    project: &mut Project,
    mut options: ScanOptions,
    mut how: ReportOptions<ScanReport>,
    rules: &RuleArguments,
) -> Result<ExitCode, Failure> {
    how.style.subinterpreters = rules.subinterpreters;
    options.settings.levels = levels(rules);
    if let Some(file) = &how.output {
        check_output(file, project.paths.iter().map(PathBuf::as_path))?;
    }
    let detail = how.style.detail;
    let session = Session::new(options.network, project)?;
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
    let report = report.map_err(|problem| Failure::new(problem.to_string()))?;
    write_report(&report, &how, report::summary)?;
    if detail == Detail::Verbose {
        if !project.searched && !project.shown.is_empty() {
            say(&format!("read {}", project.shown.join(", ")));
        }
        say(&traffic(session.client.traffic(), bar.wheel_bytes()));
    }
    Ok(exit_code(judge::severity(&report)))
}

/// What was fetched, beside what whole wheels would have taken.
fn traffic(traffic: &Traffic, wheel_bytes: u64) -> String {
    format!(
        "received {} ({} bytes) in {} requests; the wheels looked into are {} ({wheel_bytes} bytes) as a whole",
        report::bytes(traffic.bytes()),
        traffic.bytes(),
        traffic.requests(),
        report::bytes(wheel_bytes),
    )
}
