//! Compares the engine with what a real free-threaded interpreter did.
//!
//! Takes rows in the form of `fixtures/ground-truth/`, fetches the wheels they name from the index
//! by range, and prints how often the engine agreed, and every row where it did not. Exits with 1
//! where an answer is wrong or too many are undetermined.
//!
//! With `--siblings` the rows' releases are looked at in the wheels that they have for `--platform`
//! instead: what a module declares is the same in all of them, unless its source says otherwise.
//!
//! ```text
//! cargo run --release --example ground_truth -- fixtures/ground-truth/sample-cp314t-linux-x86_64.jsonl
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::client::Client;
use ftcheck::fetch::simple::SimpleIndex;
use ftcheck::model::digest::Sha256;
use ftcheck::model::distribution::{DistributionFile, DistributionKind};
use ftcheck::model::evidence::{Gil, Init, ModuleReport, Subinterpreters};
use ftcheck::model::platform::Platform;
use ftcheck::model::report::Place;
use ftcheck::model::tag::TagOrder;
use ftcheck::model::target::Target;
use ftcheck::model::wheel_filename::WheelFilename;
use ftcheck::resolve::pin::best_wheel;
use ftcheck::wheel_check::{WheelCheck, WheelFindings};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

#[derive(Parser)]
#[command(about = "Compares the engine with what a real interpreter did")]
struct Arguments {
    /// Rows, one JSON object a line
    file: PathBuf,
    /// The interpreter that the rows are of
    #[arg(long, default_value_t)]
    target: Target,
    /// The platform that the rows are of
    #[arg(long, default_value = "x86_64-manylinux_2_40")]
    platform: Platform,
    /// The package index
    #[arg(long, default_value = "https://pypi.org/simple/")]
    index_url: Url,
    /// The share of undetermined modules that is borne, in percent
    #[arg(long, default_value_t = 15.0)]
    max_undetermined: f64,
    /// Look at the same releases' wheels for the platform rather than at the rows' own
    #[arg(long)]
    siblings: bool,
    /// Only these distributions
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Wheels to work on at a time
    #[arg(long, default_value_t = 8)]
    jobs: usize,
}

/// One answer of the interpreter.
#[derive(Deserialize, Clone)]
struct Row {
    wheel: String,
    /// Not known of rows that `ftcheck verify` wrote.
    sha256: Option<Sha256>,
    member: String,
    module: String,
    gil: Gil,
    /// Absent in the rows of some interpreters.
    init: Option<Init>,
    subinterpreters: Option<Subinterpreters>,
}

struct Tools {
    client: Arc<Client>,
    cache: Cache,
    checks: WheelCheck,
    index_url: Url,
    /// What a sibling has to be for.
    tags: Option<TagOrder>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut wheels: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for line in std::io::BufReader::new(std::fs::File::open(&arguments.file)?).lines() {
        let row: Row = serde_json::from_str(&line?)?;
        let distribution = row.wheel.split('-').next().unwrap_or_default();
        if !arguments.only.is_empty() && !arguments.only.iter().any(|only| only == distribution) {
            continue;
        }
        wheels.entry(row.wheel.clone()).or_default().push(row);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(arguments, wheels))
}

async fn run(
    arguments: Arguments,
    wheels: BTreeMap<String, Vec<Row>>,
) -> Result<ExitCode, Box<dyn Error>> {
    let client = Arc::new(Client::new(false)?);
    let cache = Cache::disabled();
    let (target, platform) = (arguments.target, arguments.platform);
    let tools = Arc::new(Tools {
        checks: WheelCheck::new(Arc::clone(&client), cache.clone(), Place { target, platform }),
        index_url: arguments.index_url,
        tags: arguments.siblings.then(|| TagOrder::new(target, platform)),
        client,
        cache,
    });
    let wheel_count = wheels.len();
    let permits = Arc::new(Semaphore::new(arguments.jobs.max(1)));
    let mut running = JoinSet::new();
    for (wheel, rows) in wheels {
        let (tools, permits) = (Arc::clone(&tools), Arc::clone(&permits));
        running.spawn(async move {
            let _permit = permits.acquire_owned().await;
            let found = look_into(&tools, &wheel, rows[0].sha256).await;
            let (wheel, found) = match found {
                Ok((wheel, found)) => (wheel, Ok(found)),
                Err(problem) => (wheel, Err(problem)),
            };
            (wheel, rows, found)
        });
    }
    let mut outcomes = Vec::new();
    while let Some(outcome) = running.join_next().await {
        outcomes.push(outcome?);
    }
    // As a scan does with what it finds side by side.
    let mut groups: Vec<(String, &mut Vec<ModuleReport>)> = outcomes
        .iter_mut()
        .filter_map(|(wheel, _, found)| Some((wheel.clone(), &mut found.as_mut().ok()?.modules)))
        .collect();
    ftcheck::judge::settle(&mut groups);
    let mut tally = Tally { siblings: arguments.siblings, ..Tally::default() };
    for (wheel, rows, found) in outcomes {
        for row in rows {
            tally.add(&wheel, &row, &found);
        }
    }
    let mut output = std::io::stdout().lock();
    tally.print(&mut output)?;
    let traffic = tools.client.traffic();
    writeln!(
        output,
        "{wheel_count} wheels, {} bytes in {} requests",
        traffic.bytes(),
        traffic.requests()
    )?;
    let acceptable = tally.wrong == 0
        && tally.rows > 0
        && tally.undetermined_share() <= arguments.max_undetermined;
    Ok(if acceptable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Fetches and inspects the wheel of that name and digest, or its sibling.
async fn look_into(
    tools: &Tools,
    wheel: &str,
    sha256: Option<Sha256>,
) -> Result<(String, WheelFindings), String> {
    let filename: WheelFilename =
        wheel.parse().map_err(|problem: ftcheck::model::wheel_filename::WheelFilenameError| {
            problem.to_string()
        })?;
    let index = SimpleIndex::new(&tools.client, &tools.cache, tools.index_url.clone());
    let page = index.project(&filename.name).await.map_err(|problem| problem.to_string())?;
    let files = page.files().of_release(&filename.version);
    if let Some(tags) = &tools.tags {
        let (file, sibling) = best_wheel(&files, tags).ok_or(NO_SIBLING)?;
        let found = tools.checks.check(file, sibling).await.map_err(|error| error.to_string())?;
        return Ok((sibling.as_str().to_owned(), found));
    }
    let is_wanted = |file: &&DistributionFile| match &file.kind {
        DistributionKind::Wheel(other) => {
            other.as_str() == wheel && (sha256.is_none() || file.sha256 == sha256)
        }
        DistributionKind::Source(_) => false,
    };
    let file = files.iter().find(is_wanted).ok_or("the index has no such file any more")?;
    let found = tools.checks.check(file, &filename).await.map_err(|error| error.to_string())?;
    Ok((wheel.to_owned(), found))
}

const NO_SIBLING: &str = "the release has no wheel for the platform";

#[derive(Default)]
struct Tally {
    siblings: bool,
    rows: usize,
    wrong: usize,
    undetermined: usize,
    /// Rows without a sibling: of the release, or of the module in it.
    absent: usize,
    /// How often which truth met which answer.
    confusion: BTreeMap<(String, String), usize>,
    lines: Vec<String>,
}

impl Tally {
    fn add(&mut self, wheel: &str, row: &Row, found: &Result<WheelFindings, String>) {
        if found.as_ref().is_err_and(|problem| problem == NO_SIBLING) {
            self.absent += 1;
            return;
        }
        let place = format!("{wheel} {}", row.member);
        // A module is imported by name: of two files for one name the interpreter takes one.
        let module = match found {
            Ok(found) => {
                let modules = &found.modules;
                let same_file = modules.iter().find(|module| module.member == row.member);
                same_file.or_else(|| modules.iter().find(|module| module.module == row.module))
            }
            Err(_) => None,
        };
        if module.is_none() && self.siblings && found.is_ok() {
            self.absent += 1;
            self.lines.push(format!("absent: {place}: no module of that name"));
            return;
        }
        self.rows += 1;
        let answer = module.map_or(Gil::Undetermined, |module| module.gil);
        *self.confusion.entry((word(row.gil), word(answer))).or_default() += 1;
        if answer == Gil::Undetermined {
            self.undetermined += 1;
            let reason = match (found, module) {
                (Err(problem), _) => problem.as_str(),
                (_, Some(module)) => module.reason.as_deref().unwrap_or("no reason given"),
                (_, None) => "not taken for an extension module",
            };
            self.lines.push(format!("undetermined: {place}: {reason}"));
        } else if answer != row.gil {
            self.wrong += 1;
            self.lines.push(format!("WRONG: {place}: {:?}, truth {:?}", answer, row.gil));
            let evidence = module.and_then(|module| serde_json::to_string(&module.evidence).ok());
            self.lines.push(format!("WRONG: {place}: {}", evidence.unwrap_or_default()));
        } else if let Some(module) = module {
            self.compare_details(&place, row, module);
        }
    }

    /// Init and subinterpreters are told beside the answer; a difference there is listed.
    fn compare_details(&mut self, place: &str, row: &Row, module: &ModuleReport) {
        if row.init.is_some() && module.init != row.init {
            let line = format!("init differs: {place}: {:?}, truth {:?}", module.init, row.init);
            self.lines.push(line);
        }
        let truth = row.subinterpreters;
        if truth.is_some() && module.subinterpreters != truth {
            let found = module.subinterpreters;
            self.lines.push(format!("subinterpreters differ: {place}: {found:?}, truth {truth:?}"));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    fn undetermined_share(&self) -> f64 {
        self.undetermined as f64 * 100.0 / self.rows.max(1) as f64
    }

    fn print(&mut self, output: &mut impl std::io::Write) -> std::io::Result<()> {
        self.lines.sort();
        for line in &self.lines {
            writeln!(output, "{line}")?;
        }
        writeln!(output, "{:>12} {:>14} {:>8}", "truth", "answer", "modules")?;
        for ((truth, answer), count) in &self.confusion {
            writeln!(output, "{truth:>12} {answer:>14} {count:>8}")?;
        }
        writeln!(
            output,
            "{} modules: {} wrong, {} undetermined ({:.1} %)",
            self.rows,
            self.wrong,
            self.undetermined,
            self.undetermined_share()
        )?;
        if self.siblings {
            writeln!(output, "{} modules have no sibling there", self.absent)?;
        }
        Ok(())
    }
}

fn word(gil: Gil) -> String {
    match gil {
        Gil::Enables => "enables",
        Gil::KeepsOff => "keeps-off",
        Gil::Undetermined => "undetermined",
    }
    .to_owned()
}
