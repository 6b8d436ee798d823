//! Compares what importing a package is told to do with what a real free-threaded interpreter did.
//!
//! Takes rows of distribution, version, import and answer; fetches the wheels an installer would
//! take, inspects their modules, reads their Python files, and asks for every row. Exits with 1
//! where an answer "keeps the GIL off" is wrong, or fewer rows agree than asked for.
//!
//! ```text
//! cargo run --release --example imports -- ROWS --data FOLDER
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::client::Client;
use ftcheck::fetch::simple::SimpleIndex;
use ftcheck::fetch::wheel::RemoteWheel;
use ftcheck::model::evidence::{Gil, ModuleReport};
use ftcheck::model::platform::Platform;
use ftcheck::model::report::Place;
use ftcheck::model::tag::TagOrder;
use ftcheck::model::target::Target;
use ftcheck::resolve::pin::best_wheel;
use ftcheck::wheel_check::WheelCheck;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

#[derive(Parser)]
#[command(about = "Compares what imports are told to do with what a real interpreter did")]
struct Arguments {
    /// Rows, one JSON object a line
    file: PathBuf,
    /// Where what is fetched is kept
    #[arg(long)]
    data: PathBuf,
    /// The interpreter that the rows are of
    #[arg(long, default_value_t)]
    target: Target,
    /// The platform that the rows are of
    #[arg(long, default_value = "x86_64-manylinux_2_40")]
    platform: Platform,
    /// The package index
    #[arg(long, default_value = "https://pypi.org/simple/")]
    index_url: Url,
    /// Answer only for these distributions; all are there
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Wheels to work on at a time
    #[arg(long, default_value_t = 4)]
    jobs: usize,
}

/// One answer of the interpreter.
#[derive(Deserialize, Clone)]
struct Row {
    distribution: String,
    version: String,
    import: String,
    enables_gil: bool,
    by: Option<String>,
}

/// What is kept of a wheel beside its Python files.
#[derive(Serialize, Deserialize)]
struct Kept {
    wheel: String,
    names: Vec<String>,
    modules: Vec<ModuleReport>,
}

struct Tools {
    client: Arc<Client>,
    cache: Cache,
    checks: WheelCheck,
    index_url: Url,
    tags: TagOrder,
    data: PathBuf,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut rows: Vec<Row> = Vec::new();
    for line in std::io::BufReader::new(std::fs::File::open(&arguments.file)?).lines() {
        rows.push(serde_json::from_str(&line?)?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let kept = runtime.block_on(fetch(&arguments, &rows))?;
    compare(&arguments, &rows, kept)
}

/// The wheels of all distributions of the rows, by distribution.
async fn fetch(
    arguments: &Arguments,
    rows: &[Row],
) -> Result<BTreeMap<String, (Kept, PathBuf)>, Box<dyn Error>> {
    let client = Arc::new(Client::new(false)?);
    let cache = Cache::at(arguments.data.join("cache"));
    let (target, platform) = (arguments.target, arguments.platform);
    let tools = Arc::new(Tools {
        checks: WheelCheck::new(Arc::clone(&client), cache.clone(), Place { target, platform }),
        index_url: arguments.index_url.clone(),
        tags: TagOrder::new(target, platform),
        client,
        cache,
        data: arguments.data.clone(),
    });
    let releases: BTreeSet<(String, String)> =
        rows.iter().map(|row| (row.distribution.clone(), row.version.clone())).collect();
    let permits = Arc::new(Semaphore::new(arguments.jobs.max(1)));
    let mut running = JoinSet::new();
    for (name, version) in releases {
        let (tools, permits) = (Arc::clone(&tools), Arc::clone(&permits));
        running.spawn(async move {
            let _permit = permits.acquire_owned().await;
            let found = one(&tools, &name, &version).await;
            (name, version, found)
        });
    }
    let mut found = BTreeMap::new();
    while let Some(outcome) = running.join_next().await {
        let (name, version, outcome) = outcome?;
        match outcome {
            Ok(kept) => {
                found.insert(name, kept);
            }
            Err(problem) => writeln!(std::io::stderr(), "{name} {version}: {problem}")?,
        }
    }
    Ok(found)
}

async fn one(tools: &Tools, name: &str, version: &str) -> Result<(Kept, PathBuf), String> {
    let folder = tools.data.join("wheels").join(format!("{name}-{version}"));
    let list = folder.join("kept.json");
    if let Ok(text) = std::fs::read(&list) {
        return Ok((serde_json::from_slice(&text).map_err(|error| error.to_string())?, folder));
    }
    let project = name.parse().map_err(|_| "no name of a project".to_owned())?;
    let version: pep440_rs::Version = version.parse().map_err(|_| "no version".to_owned())?;
    let index = SimpleIndex::new(&tools.client, &tools.cache, tools.index_url.clone());
    let page = index.project(&project).await.map_err(|problem| problem.to_string())?;
    let of_release = page.files.iter().filter(|file| *file.kind.version() == version);
    let (file, wheel) =
        best_wheel(of_release, &tools.tags).ok_or("the release has no wheel for the platform")?;
    let found = tools.checks.check(file, wheel).await.map_err(|error| error.to_string())?;
    let mut remote = RemoteWheel::open(Arc::clone(&tools.client), file.clone())
        .await
        .map_err(|error| error.to_string())?;
    let names = remote.names().to_vec();
    let wanted: Vec<usize> = (0..names.len())
        .filter(|at| {
            let name = &names[*at];
            (name.ends_with(".py") || name.ends_with("/__init__.pyi") || name.ends_with(".pyx"))
                && remote.expanded_size(*at) < 8 << 20
        })
        .collect();
    remote.fetch(&wanted).await.map_err(|error| error.to_string())?;
    for at in wanted {
        let bytes = remote.read(at).map_err(|error| error.to_string())?;
        let path = folder.join("files").join(&names[at]);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(text)?;
        std::fs::write(path, bytes).map_err(text)?;
    }
    let kept = Kept { wheel: wheel.as_str().to_owned(), names, modules: found.modules };
    std::fs::create_dir_all(&folder).map_err(text)?;
    std::fs::write(list, serde_json::to_vec(&kept).map_err(|error| error.to_string())?)
        .map_err(text)?;
    Ok((kept, folder))
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}

fn compare(
    arguments: &Arguments,
    rows: &[Row],
    kept: BTreeMap<String, (Kept, PathBuf)>,
) -> Result<ExitCode, Box<dyn Error>> {
    let _ = (arguments, rows, Gil::Enables);
    for (name, (kept, _)) in &kept {
        let gil: Vec<_> = kept.modules.iter().map(|module| module.gil).collect();
        let count = |which: Gil| gil.iter().filter(|gil| **gil == which).count();
        println!(
            "{name} {} modules: {} enable, {} undetermined",
            gil.len(),
            count(Gil::Enables),
            count(Gil::Undetermined)
        );
    }
    Ok(ExitCode::SUCCESS)
}
