//! The way from manifests to a report: the only part that calls every stage.
//!
//! ```text
//! plan     what would be installed, and why
//! conda    the conda packages of it
//! look     one package of it
//! ahead    its Python files, while others are looked into
//! imports  what importing the packages does
//! ```
//!
//! Packages are worked on side by side, each on its own, so that one that fails does not end the
//! others.

mod ahead;
mod conda;
mod imports;
mod look;
mod plan;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use pep508_rs::MarkerEnvironment;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use self::ahead::Ahead;
use self::look::{Looked, Looker};
use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::indexes::Indexes;
use crate::input::Manifest;
use crate::judge::{self, Levels};
use crate::model::evidence::ModuleReport;
use crate::model::imports::SourceFile;
use crate::model::limits::{Limit, Limits};
use crate::model::report::{PackageReport, Place, ScanReport, Severity, Step};
use crate::model::requirement::{Choice, Prereleases};
use crate::resolve::graph::Graph;
use crate::source_check::SourceCheck;
use crate::tracker::Tracker;
use crate::wheel_check::{LookedInto, WheelCheck};

pub use self::plan::{Plan, Subject, Task, plan};

/// What a scan is made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For which interpreters and where: at least one, and no two alike.
    pub scenes: Vec<Scene>,
    /// Which extras and groups are asked for.
    pub choice: Choice,
    /// Only what is named, not what it requires.
    pub no_dependencies: bool,
    /// Whether pre-releases are chosen, where the user said so.
    pub prereleases: Option<Prereleases>,
    /// Packages worked on at a time, at least 1.
    pub jobs: usize,
    /// What findings of the rules weigh.
    pub levels: Levels,
    /// What the tracker says of projects.
    pub tracker: Arc<Tracker>,
    /// The user's own files whose imports are followed.
    pub sources: Arc<Vec<SourceFile>>,
}

/// One interpreter on one platform.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Which.
    pub place: Place,
    /// What markers are evaluated against there.
    pub environment: MarkerEnvironment,
}

/// Told how far a scan is.
pub trait Progress: Send + Sync {
    /// This many packages will be worked on, beside those told of before.
    fn start(&self, packages: usize);
    /// This one is worked on from now.
    fn begin(&self, name: &str);
    /// This one is done.
    fn finish(&self, name: &str);
    /// This one's wheel is this large, in bytes: what reading it whole would have taken.
    fn wheel(&self, size: u64);
}

/// Why a scan could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// No place was asked for.
    #[error("expected at least one target and platform, found none")]
    Nowhere,
    /// What the files ask for excludes itself; the text tells how, on several lines.
    #[error("{place}: {problem}")]
    Conflict {
        /// Where.
        place: Place,
        /// How.
        problem: String,
    },
}

/// Looks at everything that `manifests` ask for.
///
/// # Errors
/// Where requirements exclude each other.
pub async fn scan(
    manifests: &[Manifest],
    settings: &Settings,
    client: &Arc<Client>,
    cache: &Cache,
    index: &Arc<Indexes>,
    progress: &Arc<dyn Progress>,
) -> Result<ScanReport, ScanError> {
    let places: Vec<Place> = settings.scenes.iter().map(|scene| scene.place).collect();
    let first = *places.first().ok_or(ScanError::Nowhere)?;
    let mut whole = ScanReport::new(first, &places);
    let clock = Clock::start(client.limits());
    for scene in &settings.scenes {
        let planning = plan_for(manifests, settings, scene, index);
        let Ok(plan) = timeout_at(clock.end, planning).await else {
            let problem = format!("what would be installed: {}", clock.whole());
            whole.add(scene.place, Vec::new(), Vec::new(), Vec::new(), vec![problem]);
            continue;
        };
        let plan = plan?;
        progress.start(plan.tasks.len());
        let Plan { graph, tasks, conda, skipped, notes, mut gaps, is_partial, .. } = plan;
        // What is installed beside them and was not looked at may be imported too.
        let unseen = conda.iter().filter(|one| one.verdict.severity() != Severity::Fine);
        let mut not_seen: Vec<String> = unseen.map(|one| one.name.clone()).collect();
        if !gaps.is_empty() {
            not_seen.push("a part of what is asked for".to_owned());
        }
        if is_partial {
            not_seen.push("what the requirements depend on".to_owned());
        }
        let amount = (tasks.len(), settings.jobs);
        let ahead = Ahead::new(client, cache, index.opened(), clock, amount);
        let checks = WheelCheck::new(Arc::clone(client), cache.clone(), scene.place);
        let told: Arc<dyn LookedInto> = Arc::<Ahead>::clone(&ahead);
        let checks = Arc::new(checks.reusing(index.opened()).telling(told));
        let looker = Looker::new(
            scene.place,
            Arc::clone(index),
            Arc::clone(&checks),
            SourceCheck::new(Arc::clone(client), cache.clone()),
            Arc::clone(progress),
        );
        if !not_seen.is_empty() {
            ahead.ask();
        }
        let mut done = look_at_all(tasks, looker, &ahead, progress).await;
        settle(&mut done);
        explain(&mut done, &graph);
        let asking = imports::Asking { not_seen: &not_seen, jobs: settings.jobs, checks: &checks };
        let of_sources =
            imports::add(&mut done, &settings.sources, scene.place, &asking, &ahead).await;
        // The user's own code is the same everywhere; what it does may not be.
        for one in of_sources.imports {
            if !whole.sources.contains(&one) {
                whole.sources.push(one);
            }
        }
        gaps.extend(of_sources.problems);
        let mut packages: Vec<PackageReport> = done.into_iter().map(|one| one.report).collect();
        for package in &mut packages {
            package.tracker = settings.tracker.entry_of(&package.name).cloned();
        }
        packages.extend(conda);
        whole.add(scene.place, packages, skipped, notes, gaps);
    }
    whole.finish();
    judge::tell(&mut whole, &settings.levels);
    Ok(whole)
}

/// What would be installed at one place.
///
/// # Errors
/// Where requirements exclude each other.
pub async fn plan_for(
    manifests: &[Manifest],
    settings: &Settings,
    scene: &Scene,
    index: &Arc<Indexes>,
) -> Result<Plan, ScanError> {
    plan(manifests, settings, scene, index)
        .await
        .map_err(|problem| ScanError::Conflict { place: scene.place, problem: problem.to_string() })
}

/// How long is worked on packages.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// How long one may take, and all of them.
    package_time: Duration,
    total_time: Duration,
    /// When all of it is to be done.
    end: Instant,
}

impl Clock {
    fn start(limits: &Limits) -> Self {
        let now = Instant::now();
        // So far away that it cannot be told is never.
        let end = now.checked_add(limits.total_time).unwrap_or(now + Duration::from_hours(1 << 16));
        let Limits { package_time, total_time, .. } = *limits;
        Self { package_time, total_time, end }
    }

    /// What `work` on one package comes to, or why it was given up.
    async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        let left = self.end.saturating_duration_since(Instant::now());
        let own = self.package_time;
        timeout(own.min(left), work).await.map_err(|_| {
            if left < own { self.whole() } else { too_long("it", own, Limit("package-time")) }
        })
    }

    /// What is told where the time for all of it is up.
    fn whole(&self) -> String {
        too_long("the scan", self.total_time, Limit("total-time"))
    }
}

fn too_long(what: &str, time: Duration, limit: Limit) -> String {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    format!("{what} took more than {time:#} ({limit})")
}

/// The packages in the order of their tasks.
async fn look_at_all(
    tasks: Vec<Task>,
    looker: Looker<Indexes>,
    ahead: &Arc<Ahead>,
    progress: &Arc<dyn Progress>,
) -> Vec<Looked> {
    let looker = Arc::new(looker);
    let mut running = JoinSet::new();
    let mut begun = BTreeMap::new();
    let mut tasks: Vec<(usize, Task)> = tasks.into_iter().enumerate().collect();
    // What takes longest is begun first, so that it is not what all is waited for in the end.
    tasks.sort_by_cached_key(|(_, task)| Reverse(looker.expected_work(task)));
    for (number, task) in tasks {
        let (looker, ahead) = (Arc::clone(&looker), Arc::clone(ahead));
        let progress = Arc::clone(progress);
        let place = looker.place();
        let name = task.name.to_string();
        let mut lost =
            PackageReport::unchecked(task.name.to_string(), place, task.location.clone());
        lost.version = task.subject.version();
        let handle = running.spawn(async move {
            let looking = ahead.begin();
            // Closed only by dropping it, which cannot happen while this holds it.
            let permit = ahead.permits.acquire().await;
            progress.begin(&name);
            let mut package = ahead.clock.within(Box::pin(looker.look_at(task))).await;
            progress.finish(&name);
            drop(permit);
            looking.found(package.as_ref().ok(), looker.has_inspected());
            if let Ok(Looked { wheel_looked_into: Some(wheel), python_files, .. }) = &mut package {
                *python_files = ahead.files(wheel).await;
            }
            package
        });
        begun.insert(handle.id(), (number, lost));
    }
    let mut packages = Vec::new();
    while let Some(outcome) = running.join_next_with_id().await {
        let id = outcome.as_ref().map_or_else(tokio::task::JoinError::id, |(id, _)| *id);
        let Some((number, mut lost)) = begun.remove(&id) else { continue };
        match outcome {
            Ok((_, Ok(package))) => packages.push((number, package)),
            Ok((_, Err(problem))) => {
                lost.reason = Some(problem);
                packages.push((number, Looked::from(lost)));
            }
            // A defect of ours in one package is told as such and costs no other its answer.
            Err(_) => {
                lost.reason = Some("an internal error of ftcheck, please report it".to_owned());
                packages.push((number, Looked::from(lost)));
            }
        }
    }
    packages.sort_by_key(|(number, _)| *number);
    packages.into_iter().map(|(_, package)| package).collect()
}

/// Gives modules that another package's module makes the answer of that one.
fn settle(packages: &mut [Looked]) {
    let mut groups: Vec<(String, &mut Vec<ModuleReport>)> = packages
        .iter_mut()
        .map(|package| {
            let version = package.version.as_deref().unwrap_or_default();
            (format!("{} {version}", package.name), &mut package.modules)
        })
        .collect();
    judge::settle(&mut groups);
    for package in packages.iter_mut().filter(|package| !package.modules.is_empty()) {
        package.verdict = judge::verdict(&package.modules);
        package.reason = judge::reason(&package.modules);
    }
}

/// Tells of each package why it is there, and what it requires.
fn explain(packages: &mut [Looked], graph: &Graph) {
    let step = |index: &usize| {
        let node = graph.nodes.get(*index)?;
        Some(Step {
            name: node.name.clone(),
            version: node.version.clone(),
            location: node.direct.clone(),
        })
    };
    let chains = graph.chains();
    for (index, package) in packages.iter_mut().enumerate() {
        let chain = chains.get(index).map(Vec::as_slice).unwrap_or_default();
        package.via = chain.iter().filter_map(step).collect();
        if let Some(middle) = graph.left_out(chain) {
            let left_out = Step { name: "…".to_owned(), version: None, location: None };
            package.via.insert(middle, left_out);
        }
        let node = graph.nodes.get(index);
        let requires = node.map(|node| node.requires.as_slice()).unwrap_or_default();
        package.requires = requires
            .iter()
            .filter_map(|index| Some(graph.nodes.get(*index)?.name.clone()))
            .collect();
        package.requires.sort();
    }
}
