//! `ftcheck scan`.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use ftcheck::fetch::client::{Client, Traffic};
use ftcheck::input::{self, InputError, Source};
use ftcheck::model::report::{ScanReport, Severity};
use ftcheck::pipeline;
use ftcheck::report::{self, Detail};

use crate::args::ScanArguments;
use crate::options::ScanOptions;
use crate::progress::Bar;
use crate::{FOUND, Failure, NOT_KNOWN};

pub(crate) fn run(arguments: ScanArguments) -> Result<ExitCode, Failure> {
    let options = ScanOptions::new(arguments)?;
    let (path, format) = input::find(&options.path).map_err(input_failure)?;
    let source = Source::open(&path).map_err(input_failure)?;
    let manifest = format.read(&source).map_err(input_failure)?;
    if let Some(file) = &options.output {
        check_output(file, &path)?;
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
    Ok(exit_code(&report))
}

fn exit_code(report: &ScanReport) -> ExitCode {
    match report.severity() {
        Severity::Finding => ExitCode::from(FOUND),
        Severity::NotKnown => ExitCode::from(NOT_KNOWN),
        Severity::Fine => ExitCode::SUCCESS,
    }
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

/// Tells early what would only fail after the whole scan, and spares the scanned file itself.
fn check_output(file: &Path, scanned: &Path) -> Result<(), Failure> {
    let shown = file.display();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if file.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Failure::new(format!("{shown}: cannot be written: no such folder")));
    }
    let same = std::fs::canonicalize(file).ok().zip(std::fs::canonicalize(scanned).ok());
    if same.is_some_and(|(output, input)| output == input) {
        return Err(Failure::new(format!("{shown}: expected another file than the scanned one")));
    }
    Ok(())
}

fn write_file(file: &Path, text: &[u8]) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|problem| {
        Failure::new(format!("{}: cannot be written: {problem}", file.display()))
    })
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        // Whoever reads has read enough.
        Err(problem) if problem.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome
            .map_err(|problem| Failure::new(format!("the report cannot be written: {problem}"))),
    }
}

fn say(line: &str) {
    // A note that cannot be shown changes nothing about the outcome.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
