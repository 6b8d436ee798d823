//! `ftcheck scan`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use ftcheck::config::{Environment, NetworkSettings};
use ftcheck::fetch::client::{Client, Patience, Traffic};
use ftcheck::input::{self, InputError, Source};
use ftcheck::pipeline;
use ftcheck::report::{self, Detail};

use crate::Failure;
use crate::args::ScanArguments;
use crate::options::ScanOptions;
use crate::output::{check_output, exit_code, print, say, write_file};
use crate::progress::Bar;

pub(crate) fn run(arguments: ScanArguments) -> Result<ExitCode, Failure> {
    let mut options = ScanOptions::new(arguments)?;
    let (path, format) = input::find(&options.path).map_err(input_failure)?;
    let source = Source::open(&path).map_err(input_failure)?;
    let mut manifest = format.read(&source).map_err(input_failure)?;
    if let Some(file) = &options.output {
        check_output(file, [path.as_path()])?;
    }

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|problem| Failure::new(format!("no runtime can be started: {problem}")))?;
    let network = NetworkSettings::gather(
        &options.command_line,
        &Environment::of_process(),
        path.parent().unwrap_or(Path::new("")),
        std::mem::take(&mut manifest.indexes),
    )
    .map_err(|problem| Failure::new(problem.to_string()))?;
    options.settings.indexes = network.indexes;
    let client = Client::with(network.offline, &network.access, Patience::default())
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

    let mut text = Vec::new();
    options
        .reporter
        .write(&report, options.style, &mut text)
        .map_err(|problem| Failure::new(format!("the report cannot be written: {problem}")))?;
    match &options.output {
        Some(file) => {
            write_file(file, &text)?;
            if options.style.detail > Detail::Quiet {
                say(&format!("{}; written to {}", report::summary(&report), file.display()));
            }
        }
        None => print(&text)?,
    }
    if options.style.detail == Detail::Verbose {
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
