//! One package of a plan: which of its files would be installed, and what that does.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Progress;
use super::ahead::Files;
use super::plan::{Subject, Task};
use crate::fetch::client::FetchError;
use crate::judge;
use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind};
use crate::model::location::redacted;
use crate::model::project_files::ProjectFiles;
use crate::model::release::ReleaseFiles;
use crate::model::report::{PackageReport, Place, Verdict, WheelReport};
use crate::model::tag::TagOrder;
use crate::model::wheel_filename::WheelFilename;
use crate::resolve::pin::{self, Choice};
use crate::resolve::{Index, offer, ranges};
use crate::source_check::{self, SourceCheck};
use crate::wheel_check::{Mentions, WheelCheck, WheelFindings};

/// Looks at packages for one target on one platform.
pub(super) struct Looker<I> {
    place: Place,
    tags: TagOrder,
    index: Arc<I>,
    checks: Arc<WheelCheck>,
    sources: SourceCheck,
    progress: Arc<dyn Progress>,
}

/// A package that was looked at, with what is needed to tell what importing it does.
pub(super) struct Looked {
    pub(super) report: PackageReport,
    /// The wheel that was looked into, if any was.
    pub(super) wheel_looked_into: Option<Wheel>,
    /// Its Python files, or why they are not there, where they were asked for already.
    pub(super) python_files: Option<Files>,
}

/// A wheel that was looked into.
pub(super) struct Wheel {
    pub(super) file: DistributionFile,
    /// The top-level names that can be imported from it.
    pub(super) names: Vec<String>,
    /// What its extension modules name, where it was looked into in this run.
    pub(super) mentions: Option<Mentions>,
}

impl From<PackageReport> for Looked {
    fn from(report: PackageReport) -> Self {
        Self { report, wheel_looked_into: None, python_files: None }
    }
}

impl Deref for Looked {
    type Target = PackageReport;

    fn deref(&self) -> &PackageReport {
        &self.report
    }
}

impl DerefMut for Looked {
    fn deref_mut(&mut self) -> &mut PackageReport {
        &mut self.report
    }
}

/// Who says that there is such a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vouched {
    /// An index, or a lockfile made from one.
    ByIndex,
    /// Only the user, who named it.
    ByNobody,
}

impl<I: Index> Looker<I> {
    pub(super) fn new(
        place: Place,
        index: Arc<I>,
        checks: Arc<WheelCheck>,
        sources: SourceCheck,
        progress: Arc<dyn Progress>,
    ) -> Self {
        let tags = TagOrder::new(place.target, place.platform);
        Self { place, tags, index, checks, sources, progress }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Whether any wheel was inspected: what is told of the others is kept from runs before.
    pub(super) fn has_inspected(&self) -> bool {
        self.checks.has_inspected()
    }

    /// How much work a package is: whether anything compiled or a source may have to be looked into, and
    /// how large the file is, in bytes, the most where that is not known yet.
    pub(super) fn expected_work(&self, task: &Task) -> (bool, u64) {
        let file = match &task.subject {
            Subject::File(file) => Some(&**file),
            Subject::Files { files, .. } => match pin::best_wheel(files, &self.tags) {
                Some((file, _)) => Some(file),
                None => match offer::source_of(files) {
                    Some(source) => Some(source),
                    None => return (false, 0),
                },
            },
            Subject::Release { .. } => None,
            Subject::Unchecked { .. } | Subject::Installed { .. } => return (false, 0),
        };
        let is_plain = |file: &DistributionFile| matches!(&file.kind, DistributionKind::Wheel(wheel) if wheel.is_any_platform());
        let size = file.and_then(|file| file.size).unwrap_or(u64::MAX);
        (!file.is_some_and(is_plain), size)
    }

    /// Notes what the files of a release come to here.
    fn note_offer<'r, 'f>(
        &self,
        report: &'r mut Looked,
        files: impl IntoIterator<Item = &'f DistributionFile>,
    ) -> &'r ReleaseFiles {
        report.release.insert(offer::of_files(files, self.place.target, &self.tags))
    }

    /// Looks into the source of a release that has no wheel here. It changes no verdict: what a
    /// build would do is told beside it.
    async fn look_into_source<'f>(
        &self,
        report: &mut Looked,
        files: impl IntoIterator<Item = &'f DistributionFile>,
    ) {
        let Some(file) = offer::source_of(files) else { return };
        let found = self.sources.check(file).await;
        report.source = Some(found.unwrap_or_else(|problem| {
            source_check::not_known(file.kind.filename(), problem.to_string())
        }));
    }

    pub(super) async fn look_at(&self, task: Task) -> Looked {
        let report = PackageReport::unchecked(task.name.to_string(), self.place, task.location);
        let mut report = Looked::from(report);
        match task.subject {
            Subject::Unchecked { version, reason } => {
                report.version = version;
                report.reason = Some(reason);
            }
            Subject::Installed { version, installed } => {
                report.version = version;
                report.verdict = installed.verdict;
                report.reason = installed.reason;
                report.modules = installed.modules;
            }
            Subject::File(file) => self.look_at_file(&mut report, &file).await,
            Subject::Files { version, files } => {
                report.version = version;
                self.look_at_files(&mut report, &files).await;
            }
            Subject::Release { version, index, hashes } => {
                report.version = Some(version.to_string());
                match self.index.files(&task.name, index.as_deref()).await {
                    Ok(files) => {
                        self.look_at_release(&mut report, &files, &version, &hashes).await;
                    }
                    Err(problem) => report.reason = Some(problem.to_string()),
                }
            }
        }
        report
    }

    async fn look_at_files(&self, report: &mut Looked, files: &[DistributionFile]) {
        let missing = offer::describe_missing(self.note_offer(report, files), self.place.target);
        match pin::best_wheel(files, &self.tags) {
            Some((file, wheel)) => self.open_wheel(report, file, wheel, Vouched::ByIndex).await,
            None => {
                report.has_no_wheel(missing);
                self.look_into_source(report, files).await;
            }
        }
    }

    /// A release that a lockfile names without its files.
    async fn look_at_release(
        &self,
        report: &mut Looked,
        files: &ProjectFiles,
        version: &pep440_rs::Version,
        hashes: &[Sha256],
    ) {
        let pinned = pep440_rs::VersionSpecifier::equals_version(version.clone());
        let releases = ranges::of_specifier(&pinned);
        let versions = files.versions().filter(|version| releases.contains(version));
        let files = versions.flat_map(|version| files.of_release(version)).collect();
        let files = pin::with_hashes(files, hashes);
        if files.is_empty() {
            report.reason = Some(
                "the index has no file of this release with one of the locked digests".to_owned(),
            );
            return;
        }
        self.note_offer(report, &files);
        let specifiers = std::iter::once(pinned).collect();
        match pin::choose(&files, &specifiers, self.place.target, &self.tags) {
            Choice::Wheel(file, wheel) => {
                self.open_wheel(report, file, wheel, Vouched::ByIndex).await;
            }
            Choice::Build { version, reason } => {
                report.version = Some(version.to_string());
                report.has_no_wheel(reason);
                self.look_into_source(report, &files).await;
            }
            Choice::Nothing { reason } => report.reason = Some(reason),
        }
    }

    async fn look_at_file(&self, report: &mut Looked, file: &DistributionFile) {
        report.version = Some(file.kind.version().to_string());
        let missing = offer::describe_missing(self.note_offer(report, [file]), self.place.target);
        if let DistributionKind::Source(_) = &file.kind {
            report.reason = Some(format!("{} would be built from source", redacted(&file.url)));
            self.look_into_source(report, [file]).await;
            return;
        }
        match pin::best_wheel([file], &self.tags) {
            Some((file, wheel)) => self.open_wheel(report, file, wheel, Vouched::ByNobody).await,
            None => report.has_no_wheel(missing),
        }
    }

    async fn open_wheel(
        &self,
        report: &mut Looked,
        file: &DistributionFile,
        wheel: &WheelFilename,
        vouched: Vouched,
    ) {
        report.version = Some(wheel.version.to_string());
        let mut chosen = WheelReport::unread(file, wheel);
        match self.checks.check(file, wheel).await {
            Ok(WheelFindings { modules, size, sha256_verified, classifiers, names, mentions }) => {
                report.wheel_looked_into = Some(Wheel { file: file.clone(), names, mentions });
                report.classifiers = classifiers;
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
            // Where the user forbade to look, the tag has to do: an index vouches for the file, and
            // the tag that nothing in it is compiled.
            Err(problem @ FetchError::Offline)
                if wheel.is_any_platform() && vouched == Vouched::ByIndex =>
            {
                report.verdict = Verdict::PurePython;
                report.reason = Some(format!("told by its tag, not opened: {problem}"));
            }
            Err(problem) => report.reason = Some(problem.to_string()),
        }
        report.wheel = Some(chosen);
    }
}
