//! Prints what a requirements file or project resolves to, one `name==version` a line: to be
//! compared with what other tools make of the same file.
//!
//! ```text
//! cargo run --release --example resolve -- FILE [--target 3.14t] [--platform linux] [--cache DIR]
//! ```
//!
//! What cannot be covered goes to the standard error, and ends the run with 3.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use ftcheck::config::{CommandLine, Environment, NetworkSettings};
use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::client::Client;
use ftcheck::fetch::indexes::Indexes;
use ftcheck::input::{self, Source};
use ftcheck::judge::Levels;
use ftcheck::model::environment::marker_environment;
use ftcheck::model::limits::Limits;
use ftcheck::model::platform::Platform;
use ftcheck::model::report::Place;
use ftcheck::model::requirement::Choice;
use ftcheck::model::target::Target;
use ftcheck::pipeline::{Scene, Settings, plan_for};

#[derive(Parser)]
struct Arguments {
    /// The file
    file: PathBuf,
    /// The interpreter
    #[arg(long, default_value_t)]
    target: Target,
    /// Where it would run
    #[arg(long, default_value = "linux")]
    platform: Platform,
    /// The folder of the cache; without one nothing is kept
    #[arg(long)]
    cache: Option<PathBuf>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let begun = Instant::now();
    let (path, format) = input::find(&arguments.file)?;
    let mut manifest = format.read(&Source::open(&path)?)?;
    let network = NetworkSettings::gather(
        &CommandLine::default(),
        &Environment::of_process(),
        path.parent().unwrap_or(Path::new("")),
        std::mem::take(&mut manifest.indexes),
    )?;
    let client = Arc::new(Client::with(false, &network.access, Limits::default())?);
    let cache = arguments.cache.map_or_else(Cache::disabled, Cache::at);
    let index = Arc::new(Indexes::new(Arc::clone(&client), cache, network.indexes));
    let scene = Scene {
        place: Place { target: arguments.target, platform: arguments.platform },
        environment: marker_environment(arguments.target, arguments.platform)?,
    };
    let settings = Settings {
        scenes: vec![scene.clone()],
        choice: Choice::default(),
        no_dependencies: false,
        prereleases: network.prereleases,
        jobs: 32,
        levels: Levels::default(),
        tracker: Arc::default(),
        sources: Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let plan = runtime.block_on(plan_for(&[manifest], &settings, &scene, &index))?;
    let mut pins: Vec<String> = plan
        .graph
        .nodes
        .iter()
        .map(|node| format!("{}=={}", node.name, node.version.as_deref().unwrap_or("?")))
        .collect();
    pins.sort();
    for pin in pins {
        println!("{pin}");
    }
    for gap in &plan.gaps {
        eprintln!("not covered: {gap}");
    }
    let traffic = client.traffic();
    let (requests, bytes) = (traffic.requests(), traffic.bytes());
    eprintln!("{} ms, {requests} requests, {bytes} bytes", begun.elapsed().as_millis());
    Ok(if plan.gaps.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
