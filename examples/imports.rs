//! Compares what importing a package is told to do with what a real free-threaded interpreter did.
//!
//! Takes rows of distribution, version, import and answer; fetches the wheels an installer would
//! take, inspects their modules, reads their Python files, and asks for every row. Exits with 1
//! where an answer "keeps the GIL off" is wrong, or fewer rows agree than asked for.
//!
//! ```text
//! cargo run --release --example imports -- ROWS --data FOLDER
//! ```

use std::borrow::Cow;
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
use ftcheck::imports::source::Answers;
use ftcheck::imports::{Distribution, Environment, Extension, Files, top_level_names};
use ftcheck::model::evidence::ModuleReport;
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
    /// The share of rows that has to agree, in percent
    #[arg(long, default_value_t = 97.0)]
    at_least: f64,
    /// Print rows that agree too
    #[arg(long)]
    all: bool,
    /// Print what leads to these modules, in place of the rows
    #[arg(long, value_delimiter = ',')]
    leads_to: Vec<String>,
    /// Print the imports of these Python files that enable the GIL, in place of the rows
    #[arg(long, value_delimiter = ',')]
    source: Vec<PathBuf>,
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
    let of_release = page.files().of_release(&version);
    let (file, wheel) =
        best_wheel(&of_release, &tools.tags).ok_or("the release has no wheel for the platform")?;
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
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
            .map_err(|error| text(&error))?;
        std::fs::write(path, bytes).map_err(|error| text(&error))?;
    }
    let kept = Kept { wheel: wheel.as_str().to_owned(), names, modules: found.modules };
    std::fs::create_dir_all(&folder).map_err(|error| text(&error))?;
    std::fs::write(list, serde_json::to_vec(&kept).map_err(|error| error.to_string())?)
        .map_err(|error| text(&error))?;
    Ok((kept, folder))
}

fn text(error: &std::io::Error) -> String {
    error.to_string()
}

/// The files of one wheel, kept in a folder.
struct Folder {
    names: Vec<String>,
    path: PathBuf,
}

impl Files for Folder {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn source(&self, member: &str) -> Option<Cow<'_, [u8]>> {
        std::fs::read(self.path.join("files").join(member)).ok().map(Cow::Owned)
    }
}

fn compare(
    arguments: &Arguments,
    rows: &[Row],
    kept: BTreeMap<String, (Kept, PathBuf)>,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut kept: Vec<(String, Kept, PathBuf)> =
        kept.into_iter().map(|(name, (kept, path))| (name, kept, path)).collect();
    // As a scan does with what it finds side by side.
    let mut groups: Vec<(String, &mut Vec<ModuleReport>)> =
        kept.iter_mut().map(|(name, kept, _)| (name.clone(), &mut kept.modules)).collect();
    ftcheck::judge::settle(&mut groups);
    let mut environment = Environment::new(arguments.target, arguments.platform);
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, kept, path) in kept {
        names.insert(
            name.clone(),
            top_level_names(&kept.names, arguments.target, arguments.platform),
        );
        let extensions = kept.modules.into_iter().map(|module| Extension {
            member: module.member,
            gil: module.gil,
            mentions: Vec::new(),
        });
        environment.add(Distribution {
            name,
            extensions: Some(extensions.collect()),
            files: Arc::new(Folder { names: kept.names, path }),
        });
    }
    let mut output = std::io::stdout().lock();
    if !arguments.leads_to.is_empty() || !arguments.source.is_empty() {
        show(arguments, &environment, &mut output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut agree, mut wrong_off, mut wrong_on, mut unknown) = (0, 0, 0, 0);
    let mut asked = 0;
    let mut other_module = 0;
    let begun = std::time::Instant::now();
    for row in rows {
        if !arguments.only.is_empty() && !arguments.only.contains(&row.distribution) {
            continue;
        }
        asked += 1;
        let place = format!("{} {}: import {}", row.distribution, row.version, row.import);
        if !names.get(&row.distribution).is_some_and(|names| names.contains(&row.import)) {
            writeln!(output, "NOT A TOP-LEVEL NAME: {place}: {:?}", names.get(&row.distribution))?;
        }
        let started = std::time::Instant::now();
        let report = environment.import_report(&row.import);
        let took = started.elapsed();
        let told = format!(
            "truth {} by {}, told {:?} by {} ({}) through {} [{} ms]",
            row.enables_gil,
            row.by.as_deref().unwrap_or("nothing"),
            report.enables_gil,
            report.by.as_deref().unwrap_or("nothing"),
            report.reason.as_deref().unwrap_or("certain"),
            report.chain.join(" > "),
            took.as_millis(),
        );
        match (row.enables_gil, report.enables_gil) {
            (_, None) => {
                unknown += 1;
                writeln!(output, "not known: {place}: {told}")?;
            }
            (true, Some(false)) => {
                wrong_off += 1;
                writeln!(output, "WRONG, KEEPS OFF: {place}: {told}")?;
            }
            (false, Some(true)) => {
                wrong_on += 1;
                writeln!(output, "WRONG, ENABLES: {place}: {told}")?;
            }
            _ => {
                agree += 1;
                if row.by != report.by {
                    other_module += 1;
                    writeln!(output, "another module: {place}: {told}")?;
                } else if arguments.all {
                    writeln!(output, "agrees: {place}: {told}")?;
                }
            }
        }
    }
    writeln!(
        output,
        "{asked} rows: {agree} agree ({:.1} %; {other_module} name another module), {unknown} not \
         known, {wrong_off} wrongly off, {wrong_on} wrongly on; {} ms",
        f64::from(agree) * 100.0 / f64::from(asked.max(1)),
        begun.elapsed().as_millis()
    )?;
    let enough = f64::from(agree) * 100.0 / f64::from(asked.max(1)) >= arguments.at_least;
    Ok(if wrong_off == 0 && enough { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What leads to modules, and what files of the user's own import.
fn show(
    arguments: &Arguments,
    environment: &Environment,
    output: &mut impl std::io::Write,
) -> Result<(), Box<dyn Error>> {
    let graph = environment.graph_towards(&arguments.leads_to);
    for module in &arguments.leads_to {
        let reach = environment.reach(&graph, module, &[]);
        writeln!(output, "{module}: {:?}", reach.as_ref().map(|reach| reach.how))?;
        for chain in reach.into_iter().flat_map(|reach| reach.chains) {
            let certain = if chain.certain { "certain" } else { "perhaps" };
            let modules = chain.modules.join(" > ");
            writeln!(output, "    {} {:?} {certain}: {modules}", chain.package, chain.how)?;
        }
    }
    let mut answers = Answers::default();
    for path in &arguments.source {
        let text = std::fs::read(path)?;
        let found = environment.of_source(&path.to_string_lossy(), &text, &mut answers);
        for one in found.imports {
            let chain = one.chain.join(" > ");
            writeln!(output, "{}: {} {:?}: {chain}", one.location, one.import, one.how)?;
        }
    }
    Ok(())
}
