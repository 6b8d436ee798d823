//! `ftcheck verify`: the only command that runs anything of others.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ftcheck::fetch::cache::Cache;
use ftcheck::interpreter::{Interpreter, InterpreterError};
use ftcheck::model::evidence::{Gil, Init};
use ftcheck::model::verify_report::VerifyReport;
use ftcheck::report;
use ftcheck::verify::Predictions;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::args::VerifyArguments;
use crate::inspect::local_failure;
use crate::options::ReportOptions;
use crate::output::{exit_code, say, write_report};
use crate::{Failure, destinations, interrupt, terminal};

const LOADING: &str = "{spinner} {pos}/{len} {bar:30}  {msg}";

pub(crate) fn run(arguments: &VerifyArguments) -> Result<ExitCode, Failure> {
    let options = ReportOptions::new(&arguments.report)?;
    options.destinations.check([arguments.python.as_path()])?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|problem| Failure::new(format!("no threads can be started: {problem}")))?;
    refuse_fetched(&arguments.python)?;
    say(&format!("running {} to ask what it is", shown(&arguments.python)));
    let timeout = Duration::from_secs(arguments.timeout);
    let interpreter = runtime
        .block_on(Interpreter::ask(&arguments.python, timeout))
        .map_err(|problem| not_asked(&problem))?;
    refuse_fetched(interpreter.prefix())?;
    let predictions = if arguments.imports {
        let platform = interpreter.platform().ok_or_else(|| {
            Failure::new("the interpreter runs on a platform that ftcheck does not know".to_owned())
        })?;
        Predictions::of_imports(&interpreter, platform)
    } else {
        Predictions::of(&interpreter)
    };
    let predictions = predictions.map_err(|problems| local_failure(&problems))?;
    for file in predictions.files() {
        refuse_fetched(file)?;
    }
    let (count, prefix) = (predictions.count(), shown(interpreter.prefix()));
    let what = if arguments.imports { "imports" } else { "modules" };
    say(&format!(
        "running it once for each of {count} {what} below {prefix}: their code is executed"
    ));
    let quiet = arguments.report.quiet;
    let bar = bar(count as u64, !quiet);
    let jobs = arguments.jobs.map_or_else(cores, std::num::NonZero::get);
    let comparing = predictions.compare(&interpreter, jobs, |name| {
        bar.set_message(report::printable(name));
        bar.inc(1);
    });
    let report = runtime.block_on(comparing);
    bar.finish_and_clear();
    if let Some(file) = &arguments.write {
        destinations::write_file(file, &rows(&report)?)?;
    }
    write_report(&report, &options, None, report::verify_summary)?;
    Ok(exit_code(report.severity()))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn shown(path: &Path) -> String {
    report::printable(&path.display().to_string())
}

fn not_asked(problem: &InterpreterError) -> Failure {
    Failure::with_hint(report::printable(&problem.to_string()), problem.hint().map(str::to_owned))
}

/// What ftcheck fetched itself is only ever read.
fn refuse_fetched(path: &Path) -> Result<(), Failure> {
    let roots = [Cache::default_root(), std::env::var_os("FTCHECK_CACHE_DIR").map(PathBuf::from)];
    let Ok(real) = std::fs::canonicalize(path) else { return Ok(()) };
    let within = roots
        .iter()
        .flatten()
        .filter_map(|root| std::fs::canonicalize(root).ok())
        .any(|root| real.starts_with(root));
    if !within {
        return Ok(());
    }
    Err(Failure::with_hint(
        format!("{}: lies in the cache, of which nothing is run", shown(path)),
        Some("install what is to be verified into an environment".to_owned()),
    ))
}

fn bar(count: u64, wanted: bool) -> ProgressBar {
    let drawn = wanted && terminal::may_draw();
    let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(count), target);
    if let Ok(style) = ProgressStyle::with_template(LOADING) {
        bar.set_style(style);
    }
    let cleared = bar.clone();
    interrupt::before_end(move || cleared.finish_and_clear());
    bar
}

/// One answer in the form of `fixtures/ground-truth/`.
#[derive(Serialize)]
#[serde(untagged)]
enum Row<'r> {
    Module {
        wheel: Option<&'r str>,
        /// Not known of what is installed.
        sha256: Option<&'r str>,
        member: Option<&'r str>,
        module: &'r str,
        #[serde(skip_serializing_if = "Option::is_none")]
        init: Option<Init>,
        gil: Gil,
    },
    Import {
        distribution: Option<&'r str>,
        version: Option<&'r str>,
        enables_gil: bool,
        by: Option<&'r str>,
        import: &'r str,
    },
}

/// What the interpreter did, where it told.
fn rows(report: &VerifyReport) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    for row in &report.rows {
        let Some(enables) = row.observed else { continue };
        let line = if report.imports {
            Row::Import {
                distribution: row.distribution.as_deref(),
                version: row.version.as_deref(),
                enables_gil: enables,
                by: row.by.as_deref(),
                import: &row.name,
            }
        } else {
            Row::Module {
                wheel: row.wheel.as_deref(),
                sha256: None,
                member: row.member.as_deref(),
                module: &row.name,
                init: row.init,
                gil: if enables { Gil::Enables } else { Gil::KeepsOff },
            }
        };
        serde_json::to_writer(&mut text, &line)
            .map_err(|problem| Failure::new(format!("a row cannot be written: {problem}")))?;
        text.push(b'\n');
    }
    Ok(text)
}
