//! `ftcheck scan` and `ftcheck check`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ftcheck::fetch::client::Traffic;
use ftcheck::judge::{self, Policy};
use ftcheck::model::report::ScanReport;
use ftcheck::model::requirement::Choice;
use ftcheck::pipeline;
use ftcheck::report::{self, Detail};

use crate::Failure;
use crate::args::{CheckArguments, RuleArguments, ScanArguments};
use crate::configuration::{configuration, policy};
use crate::options::{ReportOptions, ScanOptions, choice};
use crate::output::{check_output, ends_with, say, write_report};
use crate::progress::Bar;
use crate::project::Project;
use crate::session::Session;

pub(crate) fn run(arguments: ScanArguments) -> Result<ExitCode, Failure> {
    let first = arguments.project.paths.first().map(PathBuf::as_path);
    let configured = configuration(&arguments.resolution.configuration, first)?;
    let policy = policy(&arguments.rules, &configured)?;
    let choice = choice(&arguments.project, &configured);
    let options = ScanOptions::new(arguments.resolution, choice, &configured)?;
    let mut project = Project::read(&arguments.project, &options.settings)?;
    let how = ReportOptions::new(arguments.report)?;
    look(&mut project, options, how, &arguments.rules, &Judging { policy, is_whole: true })
}

pub(crate) fn check(arguments: CheckArguments) -> Result<ExitCode, Failure> {
    let mut project = Project::of_requirements(&arguments.requirements)?;
    let configured = configuration(&arguments.resolution.configuration, None)?;
    let policy = policy(&arguments.rules, &configured)?;
    let options = ScanOptions::new(arguments.resolution, Choice::default(), &configured)?;
    let how = ReportOptions::new(arguments.report)?;
    look(&mut project, options, how, &arguments.rules, &Judging { policy, is_whole: false })
}

/// What counts of what is found.
struct Judging {
    policy: Policy,
    /// Whether all of a project is looked at, so that what is ignored ought to be there.
    is_whole: bool,
}

fn look(
    project: &mut Project,
    mut options: ScanOptions,
    mut how: ReportOptions<ScanReport>,
    rules: &RuleArguments,
    judging: &Judging,
) -> Result<ExitCode, Failure> {
    how.style.subinterpreters = rules.subinterpreters;
    options.settings.levels = judging.policy.levels.clone();
    if let Some(file) = &how.output {
        check_output(file, project.paths.iter().map(PathBuf::as_path))?;
    }
    let detail = how.style.detail;
    let session = Session::new(options.network, project)?;
    options.settings.prereleases = options.settings.prereleases.or(session.prereleases);
    if project.searched && detail > Detail::Quiet {
        say(&format!("looking at {}", project.shown.join(", ")));
    }
    let bar = Arc::new(Bar::new(options.progress && detail != Detail::Quiet));
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
    let mut report = report.map_err(|problem| Failure::new(problem.to_string()))?;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    judge::apply_ignores(&mut report, &judging.policy, today, judging.is_whole);
    write_report(&report, &how, report::summary)?;
    if detail == Detail::Verbose {
        if !project.searched && !project.shown.is_empty() {
            say(&format!("read {}", project.shown.join(", ")));
        }
        say(&traffic(session.client.traffic(), bar.wheel_bytes()));
    }
    Ok(ends_with(judge::outcome(&report, &judging.policy.fail_on), &rules.outcome))
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
