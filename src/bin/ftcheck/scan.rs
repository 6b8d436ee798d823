//! `ftcheck scan`.

use std::process::ExitCode;
use std::sync::Arc;

use ftcheck::fetch::client::{Client, Traffic};
use ftcheck::input::{self, InputError, Source};
use ftcheck::pipeline;
use ftcheck::report::{self, Detail};

use crate::Failure;
use crate::args::ScanArguments;
use crate::options::ScanOptions;
use crate::output::{check_output, exit_code, say, write_report};
use crate::progress::Bar;

pub(crate) fn run(arguments: ScanArguments) -> Result<ExitCode, Failure> {
    let options = ScanOptions::new(arguments)?;
    let (path, format) = input::find(&options.path).map_err(input_failure)?;
    let source = Source::open(&path).map_err(input_failure)?;
    let manifest = format.read(&source).map_err(input_failure)?;
    if let Some(file) = &options.report.output {
        check_output(file, [path.as_path()])?;
    }

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|problem| Failure::new(format!("no runtime can be started: {problem}")))?;
    let client = Client::new(options.offline)
        .map_err(|problem| Failure::new(format!("no HTTP client can be set up: {problem}")))?;
    let client = Arc::new(client);
    let bar = Arc::new(Bar::new(options.progress));
    let report = runtime.block_on(pipeline::scan(
        manifest,
        options.settings,
        Arc::clone(&client),
        options.cache,
        Arc::clone(&bar) as Arc<dyn pipeline::Progress>,
    ));
    bar.clear();

    write_report(&report, &options.report, report::summary)?;
    if options.report.style.detail == Detail::Verbose {
        say(&format!("read {}", source.shown));
        say(&traffic(client.traffic(), bar.wheel_bytes()));
    }
    Ok(exit_code(report.severity()))
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

fn input_failure(problem: InputError) -> Failure {
    Failure::with_hint(problem.to_string(), problem.hint)
}
