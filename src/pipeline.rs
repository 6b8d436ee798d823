//! The way from a manifest to a report: the only module that calls every stage.
//!
//! Packages are worked on side by side, each on its own, so that one that fails does not end the
//! others.

use std::collections::BTreeMap;
use std::sync::Arc;

use pep440_rs::{Operator, VersionSpecifiers};
use pep508_rs::MarkerEnvironment;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::simple::SimpleIndex;
use crate::input::{Content, Manifest, Requirement, Wanted};
use crate::judge;
use crate::model::distribution::{DistributionFile, DistributionKind};
use crate::model::location::{Location, redacted};
use crate::model::lock::{LockGraph, LockedPackage, LockedSource};
use crate::model::platform::Platform;
use crate::model::report::{PackageReport, ScanReport, Skipped, Verdict, WheelReport};
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;
use crate::resolve::pin::{self, Choice};
use crate::resolve::{Index as _, lock};
use crate::wheel_check::{WheelCheck, WheelFindings};

/// What a scan is made with.
#[derive(Debug)]
pub struct Settings {
    /// The interpreter.
    pub target: Target,
    /// Where it would run.
    pub platform: Platform,
    /// What markers are evaluated against.
    pub environment: MarkerEnvironment,
    /// The package index.
    pub index_url: Url,
    /// Packages worked on at a time, at least 1.
    pub jobs: usize,
}

/// Told how far a scan is.
pub trait Progress: Send + Sync {
    /// This many packages will be worked on.
    fn start(&self, packages: usize);
    /// This one is done.
    fn finish(&self, name: &str);
    /// This one's wheel is this large, in bytes: what reading it whole would have taken.
    fn wheel(&self, size: u64);
}

/// One package to look at.
struct Task {
    name: String,
    location: Location,
    subject: Subject,
}

/// What is known of it beforehand.
enum Subject {
    /// The index decides which release and wheel.
    Release(pep508_rs::PackageName, VersionSpecifiers),
    /// The lockfile decided on the release and lists its files.
    Locked { version: Option<String>, files: Vec<DistributionFile> },
    /// A file at a URL.
    File(Url, pep508_rs::PackageName),
    /// There is nothing that could be looked at.
    Unchecked { version: Option<String>, reason: String },
}

struct Shared {
    settings: Settings,
    tags: TagOrder,
    client: Arc<Client>,
    cache: Cache,
    checks: WheelCheck,
    progress: Arc<dyn Progress>,
}

/// Looks at everything that `manifest` asks for.
pub async fn scan(
    manifest: Manifest,
    settings: Settings,
    client: Arc<Client>,
    cache: Cache,
    progress: Arc<dyn Progress>,
) -> ScanReport {
    let mut notes = manifest.notes;
    let (tasks, skipped) = match manifest.content {
        Content::Requirements(requirements) => {
            notes.push(
                "only the requirements themselves were looked at, not yet what they depend on; a \
                 uv.lock names all of it"
                    .to_owned(),
            );
            tasks_of_requirements(requirements, &settings)
        }
        Content::Lock(graph) => tasks_of_lock(graph, &settings),
    };
    progress.start(tasks.len());
    let (target, platform, jobs) = (settings.target, settings.platform, settings.jobs.max(1));
    let shared = Arc::new(Shared {
        tags: TagOrder::new(target, platform),
        checks: WheelCheck::new(Arc::clone(&client), cache.clone(), target, platform),
        settings,
        client,
        cache,
        progress,
    });

    let permits = Arc::new(Semaphore::new(jobs));
    let mut running = JoinSet::new();
    let mut begun = BTreeMap::new();
    for task in tasks {
        let (shared, permits) = (Arc::clone(&shared), Arc::clone(&permits));
        let identity = (task.name.clone(), task.location.clone());
        let handle = running.spawn(async move {
            // Closed only by dropping it, which cannot happen while this holds it.
            let _permit = permits.acquire_owned().await;
            let report = shared.look_at(task).await;
            shared.progress.finish(&report.name);
            report
        });
        begun.insert(handle.id(), identity);
    }
    let mut packages = Vec::new();
    while let Some(outcome) = running.join_next_with_id().await {
        match outcome {
            Ok((_, report)) => packages.push(report),
            // A defect of ours in one package is told as such and costs no other its answer.
            Err(problem) => {
                let identity = begun.get(&problem.id()).cloned();
                let (name, location) = identity.unwrap_or_else(|| {
                    ("unknown".to_owned(), Location { path: String::new(), line: 1, column: 1 })
                });
                let reason = "an internal error of ftcheck, please report it".to_owned();
                packages.push(unchecked(name, None, location, reason));
            }
        }
    }
    ScanReport::new(target, platform, notes, packages, skipped)
}

/// Evaluates markers, and joins requirements of one name into one.
fn tasks_of_requirements(
    requirements: Vec<Requirement>,
    settings: &Settings,
) -> (Vec<Task>, Vec<Skipped>) {
    let mut tasks: Vec<Task> = Vec::new();
    let mut skipped = Vec::new();
    for requirement in requirements {
        let name = requirement.name.to_string();
        if !requirement.marker.evaluate(&settings.environment, &[]) {
            let marker = requirement.marker.try_to_string().unwrap_or_default();
            skipped.push(Skipped {
                name,
                reason: format!("its marker does not apply: {marker}"),
                required_by: Some(requirement.location),
            });
            continue;
        }
        let subject = match requirement.wanted {
            Wanted::Release(specifiers) => {
                let same = tasks.iter_mut().filter(|task| task.name == name);
                let joined = same.into_iter().find_map(|task| match &mut task.subject {
                    Subject::Release(_, others) => Some(others),
                    _ => None,
                });
                if let Some(others) = joined {
                    *others = others.iter().chain(specifiers.iter()).cloned().collect();
                    continue;
                }
                Subject::Release(requirement.name, specifiers)
            }
            Wanted::Url(url) => Subject::File(url, requirement.name),
            Wanted::Local => Subject::Unchecked {
                version: None,
                reason: "a local or version-controlled project: it would be built from source"
                    .to_owned(),
            },
        };
        tasks.push(Task { name, location: requirement.location, subject });
    }
    (tasks, skipped)
}

/// Walks the lock's graph for the target.
fn tasks_of_lock(graph: LockGraph, settings: &Settings) -> (Vec<Task>, Vec<Skipped>) {
    let selection = lock::select(&graph, &settings.environment);
    let mut tasks = Vec::new();
    let mut skipped = Vec::new();
    let mut installed = selection.installed.into_iter().peekable();
    for (index, package) in graph.packages.into_iter().enumerate() {
        let LockedPackage { name, version, source, files, location, .. } = package;
        let name = name.to_string();
        let version = version.map(|version| version.to_string());
        if installed.next_if_eq(&index).is_none() {
            let reason = "locked, but not installed for this target and platform".to_owned();
            skipped.push(Skipped { name, reason, required_by: Some(location) });
            continue;
        }
        let subject = match source {
            LockedSource::Project => {
                let reason = "the project's own code".to_owned();
                skipped.push(Skipped { name, reason, required_by: Some(location) });
                continue;
            }
            LockedSource::Built(what) => {
                Subject::Unchecked { version, reason: format!("{what} would be built from source") }
            }
            LockedSource::Files => Subject::Locked { version, files },
        };
        tasks.push(Task { name, location, subject });
    }
    (tasks, skipped)
}

impl Shared {
    async fn look_at(&self, task: Task) -> PackageReport {
        let Task { name, location, subject } = task;
        match subject {
            Subject::Unchecked { version, reason } => unchecked(name, version, location, reason),
            Subject::File(url, package) => self.look_at_file(url, &package, name, location).await,
            Subject::Release(package, specifiers) => {
                self.look_at_release(&package, &specifiers, name, location).await
            }
            Subject::Locked { version, files } => {
                let best = pin::best_wheel(&files, &self.tags);
                let Some((file, wheel)) = best else {
                    if files.is_empty() {
                        let reason = "the lockfile names no file of it".to_owned();
                        return unchecked(name, version, location, reason);
                    }
                    let target = self.settings.target;
                    let has_source =
                        files.iter().any(|file| matches!(file.kind, DistributionKind::Source(_)));
                    let reason = pin::describe_missing(&files, target, has_source);
                    return without_wheel(name, version, location, reason);
                };
                self.look_at_wheel(file, wheel, name, location).await
            }
        }
    }

    async fn look_at_release(
        &self,
        package: &pep508_rs::PackageName,
        specifiers: &VersionSpecifiers,
        name: String,
        location: Location,
    ) -> PackageReport {
        let index = SimpleIndex::new(&self.client, &self.cache, self.settings.index_url.clone());
        let files = match index.files(package).await {
            Ok(files) => files,
            Err(problem) => {
                return unchecked(name, pinned(specifiers), location, problem.to_string());
            }
        };
        match pin::choose(&files, specifiers, self.settings.target, &self.tags) {
            Choice::Wheel(file, wheel) => self.look_at_wheel(file, wheel, name, location).await,
            Choice::Build { version, reason } => {
                without_wheel(name, Some(version.to_string()), location, reason)
            }
            Choice::Nothing { reason } => unchecked(name, pinned(specifiers), location, reason),
        }
    }

    async fn look_at_file(
        &self,
        url: Url,
        package: &pep508_rs::PackageName,
        name: String,
        location: Location,
    ) -> PackageReport {
        let filename = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or("");
        let filename =
            percent_encoding::percent_decode_str(filename).decode_utf8_lossy().into_owned();
        let kind = DistributionKind::parse(&filename, package);
        let fragment = url.fragment().and_then(|text| text.strip_prefix("sha256="));
        let sha256 = fragment.and_then(|digest| digest.parse().ok());
        let version = kind.as_ref().map(|kind| kind.version().to_string());
        let Some(kind @ DistributionKind::Wheel(_)) = kind else {
            let reason = format!("{} would be built from source", redacted(&url));
            return unchecked(name, version, location, reason);
        };
        let file = DistributionFile {
            kind,
            url,
            sha256,
            size: None,
            requires_python: None,
            yanked: false,
        };
        match pin::best_wheel([&file], &self.tags) {
            Some((file, wheel)) => self.look_at_wheel(file, wheel, name, location).await,
            None => {
                let reason = pin::describe_missing([&file], self.settings.target, false);
                without_wheel(name, version, location, reason)
            }
        }
    }

    async fn look_at_wheel(
        &self,
        file: &DistributionFile,
        wheel: &WheelFilename,
        name: String,
        location: Location,
    ) -> PackageReport {
        let version = Some(wheel.version.to_string());
        let mut report = PackageReport {
            name,
            version,
            verdict: Verdict::PurePython,
            wheel: Some(WheelReport {
                filename: wheel.to_string(),
                sha256: file.sha256,
                sha256_verified: false,
                size: file.size,
            }),
            reason: None,
            required_by: Some(location),
            modules: Vec::new(),
        };
        if wheel.is_any_platform() {
            report.reason = Some("told by its tag, not opened".to_owned());
            return report;
        }
        match self.checks.check(file, wheel).await {
            Ok(WheelFindings { modules, size, sha256_verified }) => {
                self.progress.wheel(size);
                report.verdict = judge::verdict(&modules);
                report.reason = judge::reason(&modules);
                report.modules = modules;
                if let Some(wheel) = &mut report.wheel {
                    wheel.size = Some(size);
                    wheel.sha256_verified = sha256_verified;
                }
            }
            Err(problem) => {
                report.verdict = Verdict::Unchecked;
                report.reason = Some(problem.to_string());
            }
        }
        report
    }
}

/// The release that exact specifiers pin, so that a report can name it even where the index could
/// not be asked.
fn pinned(specifiers: &VersionSpecifiers) -> Option<String> {
    let exact = |operator: &Operator| matches!(operator, Operator::Equal | Operator::ExactEqual);
    let pin = specifiers.iter().find(|specifier| exact(specifier.operator()))?;
    Some(pin.version().to_string())
}

fn unchecked(
    name: String,
    version: Option<String>,
    location: Location,
    reason: String,
) -> PackageReport {
    without(Verdict::Unchecked, name, version, location, reason)
}

fn without_wheel(
    name: String,
    version: Option<String>,
    location: Location,
    reason: String,
) -> PackageReport {
    without(Verdict::NoWheel, name, version, location, reason)
}

fn without(
    verdict: Verdict,
    name: String,
    version: Option<String>,
    location: Location,
    reason: String,
) -> PackageReport {
    PackageReport {
        name,
        version,
        verdict,
        wheel: None,
        reason: Some(reason),
        required_by: Some(location),
        modules: Vec::new(),
    }
}
