//! The way from a manifest to a report: the only module that calls every stage.
//!
//! Packages are worked on side by side, each on its own, so that one that fails does not end the
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::{Operator, VersionSpecifiers};
use pep508_rs::{MarkerEnvironment, PackageName};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::indexes::Indexes;
use crate::input::{Content, Gap, Manifest};
use crate::judge;
use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use crate::model::evidence::ModuleReport;
use crate::model::location::{Location, last_segment, redacted};
use crate::model::lock::{LockGraph, LockedPackage, LockedSource};
use crate::model::platform::Platform;
use crate::model::report::{PackageReport, ScanReport, Skipped, Verdict, WheelReport};
use crate::model::requirement::{Choice as Parts, Requirement, Sections, Wanted};
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
    Release { package: PackageName, specifiers: VersionSpecifiers, hashes: Vec<Sha256> },
    /// The lockfile decided on the release and lists its files.
    Locked { version: Option<String>, files: Vec<DistributionFile> },
    /// A file at a URL.
    File { url: Url, package: PackageName, hashes: Vec<Sha256> },
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
    let left_out = Parts::default().left_out(&manifest.sections);
    if !left_out.is_empty() {
        notes.push(format!(
            "not looked at, since it is installed only where asked for: {}",
            left_out.join(", ")
        ));
    }
    let mut gaps: Vec<String> =
        manifest.gaps.into_iter().filter_map(|gap| open_gap(gap, &settings)).collect();
    let (tasks, mut skipped) = match manifest.content {
        Content::Requirements(requirements) => {
            notes.push(
                "only the requirements themselves were looked at, not yet what they depend on; a \
                 uv.lock names all of it"
                    .to_owned(),
            );
            tasks_of_requirements(requirements.required, &settings)
        }
        Content::Lock(graph) => tasks_of_lock(graph, &manifest.sections, &settings),
    };
    skipped.extend(manifest.projects.into_iter().map(|project| Skipped {
        name: project.name.to_string(),
        version: None,
        reason: "the project's own code".to_owned(),
        required_by: Some(project.location),
    }));
    if tasks.is_empty() {
        let applies = format!("{} on {}", settings.target, settings.platform);
        gaps.push(format!("nothing to look at: no requirement applies to {applies}"));
    }
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
                let mut report = PackageReport::unchecked(name, location);
                report.reason = Some("an internal error of ftcheck, please report it".to_owned());
                packages.push(report);
            }
        }
    }
    settle(&mut packages);
    ScanReport::new(target, platform, notes, gaps, packages, skipped)
}

/// Gives modules that another package's module makes the answer of that one.
fn settle(packages: &mut [PackageReport]) {
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
                version: None,
                reason: format!("its marker does not apply: {marker}"),
                required_by: Some(requirement.location),
            });
            continue;
        }
        let subject = match requirement.wanted {
            Wanted::Release(specifiers) => {
                let same = tasks.iter_mut().filter(|task| task.name == name);
                let joined = same.into_iter().find_map(|task| match &mut task.subject {
                    Subject::Release { specifiers, hashes, .. } => Some((specifiers, hashes)),
                    _ => None,
                });
                if let Some((others, hashes)) = joined {
                    *others = others.iter().chain(specifiers.iter()).cloned().collect();
                    hashes.extend(requirement.hashes);
                    continue;
                }
                let (package, hashes) = (requirement.name, requirement.hashes);
                Subject::Release { package, specifiers, hashes }
            }
            Wanted::Url(url) => {
                Subject::File { url, package: requirement.name, hashes: requirement.hashes }
            }
            Wanted::File(path) => {
                let reason = format!("{} is not looked at yet", path.display());
                Subject::Unchecked { version: None, reason }
            }
            Wanted::Unchecked(reason) => Subject::Unchecked { version: None, reason },
        };
        tasks.push(Task { name, location: requirement.location, subject });
    }
    (tasks, skipped)
}

/// Walks the lock's graph for the target.
fn tasks_of_lock(
    graph: LockGraph,
    sections: &Sections,
    settings: &Settings,
) -> (Vec<Task>, Vec<Skipped>) {
    let selection = lock::select(&graph, &settings.environment, |section| {
        Parts::default().includes(section, sections)
    });
    let mut tasks = Vec::new();
    let mut skipped = Vec::new();
    let mut installed = selection.installed.into_iter().peekable();
    let elsewhere: BTreeSet<usize> = selection.elsewhere.into_iter().collect();
    for (index, package) in graph.packages.into_iter().enumerate() {
        let LockedPackage { name, version, source, files, location, .. } = package;
        let name = name.to_string();
        let version = version.map(|version| version.to_string());
        if installed.next_if_eq(&index).is_none() {
            let reason = if elsewhere.contains(&index) {
                "its marker does not apply to this target and platform"
            } else {
                "of an extra, a group or a member that is not installed by default"
            };
            let reason = reason.to_owned();
            skipped.push(Skipped { name, version, reason, required_by: Some(location) });
            continue;
        }
        let subject = match source {
            LockedSource::Project => {
                let reason = "the project's own code".to_owned();
                skipped.push(Skipped { name, version, reason, required_by: Some(location) });
                continue;
            }
            LockedSource::Built(what) => {
                Subject::Unchecked { version, reason: format!("{what} would be built from source") }
            }
            LockedSource::Files => Subject::Locked { version, files },
            LockedSource::Index { .. } => {
                Subject::Unchecked { version, reason: "not looked at yet".to_owned() }
            }
        };
        tasks.push(Task { name, location, subject });
    }
    (tasks, skipped)
}

impl Shared {
    fn describe_missing<'a>(
        &self,
        files: impl IntoIterator<Item = &'a DistributionFile>,
    ) -> String {
        pin::describe_missing(files, self.settings.target, &self.tags)
    }

    async fn look_at(&self, task: Task) -> PackageReport {
        let mut report = PackageReport::unchecked(task.name, task.location);
        match task.subject {
            Subject::Unchecked { version, reason } => {
                report.version = version;
                report.reason = Some(reason);
            }
            Subject::File { url, package, hashes } => {
                self.look_at_file(&mut report, url, &package, &hashes).await;
            }
            Subject::Release { package, specifiers, hashes } => {
                self.look_at_release(&mut report, &package, &specifiers, &hashes).await;
            }
            Subject::Locked { version, files } => {
                report.version = version;
                self.look_at_locked(&mut report, &files).await;
            }
        }
        report
    }

    async fn look_at_locked(&self, report: &mut PackageReport, files: &[DistributionFile]) {
        if files.is_empty() {
            report.reason = Some("the lockfile names no file of it".to_owned());
            return;
        }
        match pin::best_wheel(files, &self.tags) {
            Some((file, wheel)) => self.look_at_wheel(report, file, wheel).await,
            None => report.has_no_wheel(self.describe_missing(files)),
        }
    }

    async fn look_at_release(
        &self,
        report: &mut PackageReport,
        package: &PackageName,
        specifiers: &VersionSpecifiers,
        hashes: &[Sha256],
    ) {
        report.version = pinned(specifiers);
        let index = Indexes::new(
            Arc::clone(&self.client),
            self.cache.clone(),
            self.settings.index_url.clone(),
        );
        let files = match index.files(package, None).await {
            Ok(files) => files,
            Err(problem) => {
                report.reason = Some(problem.to_string());
                return;
            }
        };
        let any_files = !files.is_empty();
        let files = pin::with_hashes(files, hashes);
        if any_files && files.is_empty() {
            report.reason = Some("no file of it has one of the required hashes".to_owned());
            return;
        }
        match pin::choose(&files, specifiers, self.settings.target, &self.tags) {
            Choice::Wheel(file, wheel) => self.look_at_wheel(report, file, wheel).await,
            Choice::Build { version, reason } => {
                report.version = Some(version.to_string());
                report.has_no_wheel(reason);
            }
            Choice::Nothing { reason } => report.reason = Some(reason),
        }
    }

    async fn look_at_file(
        &self,
        report: &mut PackageReport,
        url: Url,
        package: &PackageName,
        hashes: &[Sha256],
    ) {
        let filename = last_segment(&url);
        let Some(kind @ DistributionKind::Wheel(_)) = DistributionKind::parse(&filename, package)
        else {
            report.reason = Some(if filename.ends_with(".whl") {
                format!("expected a wheel of {package}, found `{filename}`")
            } else {
                format!("{} would be built from source", redacted(&url))
            });
            return;
        };
        report.version = Some(kind.version().to_string());
        let stated = url.fragment().and_then(|text| text.strip_prefix("sha256=")?.parse().ok());
        let digest = stated.or(match hashes {
            [one] => Some(*one),
            _ => None,
        });
        if stated.is_some_and(|digest| !hashes.is_empty() && !hashes.contains(&digest))
            || digest.is_none() && !hashes.is_empty()
        {
            report.reason = Some("which of the required hashes it has is not known".to_owned());
            return;
        }
        let file = DistributionFile {
            kind,
            url,
            sha256: digest,
            size: None,
            requires_python: None,
            yanked: false,
            metadata: MetadataFile::Absent,
        };
        match pin::best_wheel([&file], &self.tags) {
            // Nobody but the user vouches that there is such a file, so that it is opened even
            // where its tag tells the verdict.
            Some((file, wheel)) => self.open_wheel(report, file, wheel).await,
            None => report.has_no_wheel(self.describe_missing([&file])),
        }
    }

    async fn look_at_wheel(
        &self,
        report: &mut PackageReport,
        file: &DistributionFile,
        wheel: &WheelFilename,
    ) {
        if wheel.is_any_platform() {
            report.version = Some(wheel.version.to_string());
            report.wheel = Some(WheelReport::unread(file, wheel));
            report.verdict = Verdict::PurePython;
            report.reason = Some("told by its tag, not opened".to_owned());
            return;
        }
        self.open_wheel(report, file, wheel).await;
    }

    async fn open_wheel(
        &self,
        report: &mut PackageReport,
        file: &DistributionFile,
        wheel: &WheelFilename,
    ) {
        report.version = Some(wheel.version.to_string());
        let chosen = report.wheel.insert(WheelReport::unread(file, wheel));
        match self.checks.check(file, wheel).await {
            Ok(WheelFindings { modules, size, sha256_verified }) => {
                self.progress.wheel(size);
                chosen.size = Some(size);
                chosen.sha256_verified = sha256_verified;
                report.verdict = match judge::verdict(&modules) {
                    Verdict::NoExtensionModules if wheel.is_any_platform() => Verdict::PurePython,
                    verdict => verdict,
                };
                report.reason = judge::reason(&modules);
                report.modules = modules;
            }
            Err(problem) => report.reason = Some(problem.to_string()),
        }
    }
}

/// The release that an exact specifier pins, so that a report can name it even where the index
/// could not be asked. Two of them pin nothing.
fn pinned(specifiers: &VersionSpecifiers) -> Option<String> {
    let exact = |operator: &Operator| matches!(operator, Operator::Equal | Operator::ExactEqual);
    let mut pins = specifiers.iter().filter(|specifier| exact(specifier.operator()));
    let pin = pins.next()?;
    pins.next().is_none().then(|| pin.version().to_string())
}

/// What is left of a gap for this target and platform.
fn open_gap(gap: Gap, settings: &Settings) -> Option<String> {
    match gap {
        Gap::Always(text) => Some(text),
        Gap::RequiresPython(range) => {
            let python = settings.target.python_full_version();
            (!range.contains(&python)).then(|| {
                format!("the file is for Python `{range}`, which excludes {python}: packages for it may be missing")
            })
        }
        Gap::Environments(markers) => {
            let covered = markers.iter().any(|marker| marker.evaluate(&settings.environment, &[]));
            (!covered).then(|| {
                format!(
                    "the file is for other environments than {}: packages for it may be missing",
                    settings.platform
                )
            })
        }
    }
}
