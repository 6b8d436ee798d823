//! What importing each package does, once it is known what its modules do: the Python files of all
//! packages at a place are fetched, and their module bodies followed.
//!
//! Where nothing at the place enables the GIL or is unknown, no Python file is needed to say so.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::ahead::{self, Ahead};
use super::look::{Looked, Wheel};
use crate::fetch::cache::{Bucket, file_key};
use crate::fetch::python_files::PythonFiles;
use crate::imports::cores::on_all_cores;
use crate::imports::graph::Graph;
use crate::imports::mentions::anything;
use crate::imports::source::{Answers, SourceImports};
use crate::imports::{Distribution, Environment, Extension, Files, IMPORTS_VERSION};
use crate::inspect::ENGINE_VERSION;
use crate::model::digest::Sha256;
use crate::model::distribution::DistributionKind;
use crate::model::evidence::Gil;
use crate::model::imports::{ImportReport, Reach, SourceFile, SourceImport};
use crate::model::report::{PackageReport, Place, Severity, Verdict};
use crate::wheel_check::{Mentions, WheelCheck};

/// What is asked beside the packages that were looked at.
pub(super) struct Asking<'a> {
    /// What else is installed, of which nothing is known.
    pub(super) not_seen: &'a [String],
    /// Packages worked on at a time.
    pub(super) jobs: usize,
    /// Knows what modules name that were looked into in a run before.
    pub(super) checks: &'a WheelCheck,
}

/// What was found in the user's own files.
#[derive(Debug, Default)]
pub(super) struct OfSources {
    /// The imports that enable the GIL, or of which it is not known.
    pub(super) imports: Vec<SourceImport>,
    /// What could not be read.
    pub(super) problems: Vec<String>,
}

impl OfSources {
    fn untold() -> Self {
        let problem = "the project's own files: an internal error of ftcheck".to_owned();
        Self { imports: Vec::new(), problems: vec![problem] }
    }
}

/// What was found for one package.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Found {
    imports: Vec<ImportReport>,
    reached: Vec<Reach>,
}

/// Fills in what importing each package does, and tells what the user's own files do.
pub(super) async fn add(
    looked: &mut [Looked],
    sources: &Arc<Vec<SourceFile>>,
    place: Place,
    asking: &Asking<'_>,
    ahead: &Ahead,
) -> OfSources {
    let not_seen = asking.not_seen;
    let is_fine = |one: &Looked| one.verdict.severity() == Severity::Fine;
    if not_seen.is_empty() && looked.iter().all(is_fine) {
        for one in looked.iter_mut() {
            let names = one.wheel_looked_into.as_ref().map(|wheel| wheel.names.clone());
            one.imports = names.unwrap_or_default().into_iter().map(stays_off).collect();
        }
        return read_alone(sources, place);
    }
    let key = key(looked, not_seen, place);
    let kept: Option<Vec<Found>> =
        key.as_ref().and_then(|key| ahead.cache.get(Bucket::Imports, key));
    let kept = kept.filter(|found| found.len() == looked.len());
    if let (Some(found), true) = (&kept, sources.is_empty()) {
        fill(looked, found);
        return OfSources::default();
    }
    let (mut environment, problems) = environment(looked, place, asking, ahead).await;
    for name in not_seen {
        environment.add_not_seen(name.clone(), None);
    }
    let wanted: Vec<Wanted> = looked.iter().map(Wanted::of).collect();
    let sources = Arc::clone(sources);
    let is_direct = |one: &&Looked| one.via.len() == 1;
    let direct: Vec<String> = looked.iter().filter(is_direct).map(|one| one.name.clone()).collect();
    let following = tokio::task::spawn_blocking(move || {
        let followed = follow(&environment, &wanted, &direct, &sources);
        // What was read of hundreds of files takes a while to be given back, and nobody waits for it.
        // Where there is no thread for it, it is given back here.
        let _ = std::thread::Builder::new().spawn(move || drop(environment));
        followed
    });
    // A defect of ours here leaves every import untold rather than the run without an end.
    let followed = following.await.ok();
    let is_whole = followed.is_some();
    let (mut found, of_sources) = followed.unwrap_or_else(|| (untold(looked), OfSources::untold()));
    for (found, problem) in found.iter_mut().zip(&problems) {
        if let Some(problem) = problem {
            for import in &mut found.imports {
                *import = not_told(std::mem::take(&mut import.import), problem);
            }
        }
    }
    if let Some(key) = key
        && is_whole
        && problems.iter().all(Option::is_none)
    {
        // A cache that cannot be written makes the next run slower, and this one no less right.
        let _ = ahead.cache.put(Bucket::Imports, &key, &found);
    }
    fill(looked, &found);
    of_sources
}

/// The user's own files where nothing that they could import enables the GIL: whether they can be
/// read is told all the same.
fn read_alone(sources: &[SourceFile], place: Place) -> OfSources {
    let environment = Environment::new(place.target, place.platform);
    let (_, of_sources) = follow(&environment, &[], &[], sources);
    OfSources { imports: Vec::new(), problems: of_sources.problems }
}

fn fill(looked: &mut [Looked], found: &[Found]) {
    for (one, found) in looked.iter_mut().zip(found) {
        one.imports.clone_from(&found.imports);
        one.reached.clone_from(&found.reached);
    }
}

fn stays_off(import: String) -> ImportReport {
    ImportReport {
        import,
        enables_gil: Some(false),
        by: None,
        chain: Vec::new(),
        reason: Some("nothing that is installed here enables the GIL".to_owned()),
    }
}

fn not_told(import: String, problem: &str) -> ImportReport {
    ImportReport {
        import,
        enables_gil: None,
        by: None,
        chain: Vec::new(),
        reason: Some(format!("its Python files could not be read: {problem}")),
    }
}

/// Nothing told of any package.
fn untold(looked: &[Looked]) -> Vec<Found> {
    let of = |one: &Looked| {
        let names = Wanted::of(one).names.into_iter();
        let imports = names.map(|name| not_told(name, "an internal error of ftcheck")).collect();
        Found { imports, reached: Vec::new() }
    };
    looked.iter().map(of).collect()
}

/// What stands for everything that the answers hang on; `None` where something of it may change
/// under the same name.
fn key(looked: &[Looked], not_seen: &[String], place: Place) -> Option<String> {
    let mut text = format!("imports {IMPORTS_VERSION} engine {ENGINE_VERSION} {place}");
    for one in looked {
        let file = match &one.wheel_looked_into {
            Some(wheel) => file_key(&wheel.file)?,
            None => "-".to_owned(),
        };
        // Writing to a string cannot fail.
        let direct = one.via.len() == 1;
        let _ = write!(text, "\n{} {} {file} {direct}", one.name, one.verdict.as_str());
        for module in &one.modules {
            let _ = write!(text, " {}={:?}", module.module, module.gil);
        }
    }
    for name in not_seen {
        let _ = write!(text, "\n? {name}");
    }
    Some(Sha256::of(text.as_bytes()).to_string())
}

/// What is asked of one package.
struct Wanted {
    names: Vec<String>,
    modules: Vec<String>,
}

impl Wanted {
    fn of(looked: &Looked) -> Self {
        let names = looked.wheel_looked_into.as_ref().map(|wheel| wheel.names.clone());
        let of_interest = looked.modules.iter().filter(|module| module.gil != Gil::KeepsOff);
        Self {
            names: names.unwrap_or_default(),
            modules: of_interest.map(|module| module.module.clone()).collect(),
        }
    }
}

/// All packages side by side, and for each why its Python files are not there.
async fn environment(
    looked: &mut [Looked],
    place: Place,
    asking: &Asking<'_>,
    ahead: &Ahead,
) -> (Environment, Vec<Option<String>>) {
    let fetched: Vec<Option<ahead::Files>> = stream::iter(looked.iter_mut())
        .map(|one| async {
            let wheel = one.wheel_looked_into.as_mut()?;
            if wheel.mentions.is_none() && !one.report.modules.is_empty() {
                wheel.mentions = mentions(wheel, asking.checks, ahead).await;
            }
            match one.python_files.take() {
                Some(files) => Some(files),
                None => Some(ahead.files_now(&wheel.file).await),
            }
        })
        .buffered(asking.jobs.max(1))
        .collect()
        .await;
    let mut environment = Environment::new(place.target, place.platform);
    let mut problems = Vec::new();
    for (one, files) in looked.iter().zip(fetched) {
        problems.push(match (files, &one.wheel_looked_into) {
            (Some(Ok(files)), Some(wheel)) => {
                environment.add(distribution(&one.report, wheel, files));
                None
            }
            (files, wheel) => {
                // A wheel that was not opened has no names yet; that does not mean that it has none.
                let names = wheel.as_ref().map(|wheel| wheel.names.clone());
                let names = names.filter(|names| !names.is_empty());
                environment.add_not_seen(one.name.clone(), names);
                files.and_then(Result::err)
            }
        });
    }
    (environment, problems)
}

/// What the modules of a wheel name that was looked into in a run before; `None` where that cannot be
/// told any more.
async fn mentions(wheel: &Wheel, checks: &WheelCheck, ahead: &Ahead) -> Option<Mentions> {
    let DistributionKind::Wheel(filename) = &wheel.file.kind else { return None };
    ahead.clock.within(checks.mentions(&wheel.file, filename)).await.ok()?.ok()
}

fn distribution(report: &PackageReport, wheel: &Wheel, files: PythonFiles) -> Distribution {
    let extension = |module: &crate::model::evidence::ModuleReport| Extension {
        member: module.member.clone(),
        gil: module.gil,
        mentions: match &wheel.mentions {
            Some(mentions) => mentions.get(&module.member).cloned().unwrap_or_default(),
            None => anything(),
        },
    };
    let was_inspected = report.verdict != Verdict::Unchecked;
    Distribution {
        name: report.name.clone(),
        files: Arc::new(OfWheel(files)),
        extensions: was_inspected.then(|| report.modules.iter().map(extension).collect()),
    }
}

/// The files of a wheel, as the import graph asks for them.
struct OfWheel(PythonFiles);

impl Files for OfWheel {
    fn names(&self) -> &[String] {
        self.0.names()
    }

    fn source(&self, member: &str) -> Option<Cow<'_, [u8]>> {
        self.0.source(member).map(Cow::Owned)
    }
}

/// Follows what is asked for, on all cores.
fn follow(
    environment: &Environment,
    wanted: &[Wanted],
    direct: &[String],
    sources: &[SourceFile],
) -> (Vec<Found>, OfSources) {
    let goals: Vec<String> = wanted.iter().flat_map(|one| &one.modules).cloned().collect();
    let reports = on_all_cores(wanted.len(), |at| {
        let names = wanted.get(at).into_iter().flat_map(|one| &one.names);
        names.map(|name| environment.import_report(name)).collect()
    });
    // Behind the reports: what they executed to the end need not be followed again.
    let graph = match goals.as_slice() {
        [] => Graph::default(),
        goals => environment.graph_towards(goals),
    };
    let reached = on_all_cores(wanted.len(), |at| {
        let modules = wanted.get(at).into_iter().flat_map(|one| &one.modules);
        modules.filter_map(|one| environment.reach(&graph, one, direct)).collect()
    });
    let found = reports.into_iter().zip(reached);
    let found = found.map(|(imports, reached)| Found { imports, reached }).collect();
    let mut answers = Answers::default();
    let mut of_sources = Vec::new();
    let mut problems = Vec::new();
    for file in sources {
        let SourceImports { imports, problem } =
            environment.of_source(&file.path, &file.text, &mut answers);
        of_sources.extend(imports);
        problems.extend(problem.map(|problem| format!("{}: {problem}", file.path)));
    }
    (found, OfSources { imports: of_sources, problems })
}
