//! One package of a plan: which of its files would be installed, and what that does.

use std::sync::Arc;

use super::Progress;
use super::plan::{Subject, Task};
use crate::fetch::client::FetchError;
use crate::judge;
use crate::model::distribution::{DistributionFile, DistributionKind};
use crate::model::location::redacted;
use crate::model::report::{PackageReport, Place, Verdict, WheelReport};
use crate::model::tag::TagOrder;
use crate::model::wheel_filename::WheelFilename;
use crate::resolve::pin::{self, Choice};
use crate::resolve::{Index, ranges};
use crate::wheel_check::{WheelCheck, WheelFindings};

/// Looks at packages for one target on one platform.
pub(super) struct Looker<I> {
    place: Place,
    tags: TagOrder,
    index: Arc<I>,
    checks: WheelCheck,
    progress: Arc<dyn Progress>,
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
        checks: WheelCheck,
        progress: Arc<dyn Progress>,
    ) -> Self {
        let tags = TagOrder::new(place.target, place.platform);
        Self { place, tags, index, checks, progress }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    fn describe_missing<'f>(
        &self,
        files: impl IntoIterator<Item = &'f DistributionFile>,
    ) -> String {
        pin::describe_missing(files, self.place.target, &self.tags)
    }

    pub(super) async fn look_at(&self, task: Task) -> PackageReport {
        let mut report = PackageReport::unchecked(task.name.to_string(), self.place, task.location);
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
                        let files = pin::with_hashes(files, &hashes);
                        self.look_at_release(&mut report, &files, &version).await;
                    }
                    Err(problem) => report.reason = Some(problem.to_string()),
                }
            }
        }
        report
    }

    async fn look_at_files(&self, report: &mut PackageReport, files: &[DistributionFile]) {
        match pin::best_wheel(files, &self.tags) {
            Some((file, wheel)) => self.open_wheel(report, file, wheel, Vouched::ByIndex).await,
            None => report.has_no_wheel(self.describe_missing(files)),
        }
    }

    /// A release that a lockfile names without its files.
    async fn look_at_release(
        &self,
        report: &mut PackageReport,
        files: &[DistributionFile],
        version: &pep440_rs::Version,
    ) {
        let pinned = pep440_rs::VersionSpecifier::equals_version(version.clone());
        let of_release =
            files.iter().any(|file| ranges::of_specifier(&pinned).contains(file.kind.version()));
        if !of_release {
            report.reason = Some(
                "the index has no file of this release with one of the locked digests".to_owned(),
            );
            return;
        }
        let specifiers = std::iter::once(pinned).collect();
        match pin::choose(files, &specifiers, self.place.target, &self.tags) {
            Choice::Wheel(file, wheel) => {
                self.open_wheel(report, file, wheel, Vouched::ByIndex).await;
            }
            Choice::Build { version, reason } => {
                report.version = Some(version.to_string());
                report.has_no_wheel(reason);
            }
            Choice::Nothing { reason } => report.reason = Some(reason),
        }
    }

    async fn look_at_file(&self, report: &mut PackageReport, file: &DistributionFile) {
        report.version = Some(file.kind.version().to_string());
        if let DistributionKind::Source(_) = &file.kind {
            report.reason = Some(format!("{} would be built from source", redacted(&file.url)));
            return;
        }
        match pin::best_wheel([file], &self.tags) {
            Some((file, wheel)) => self.open_wheel(report, file, wheel, Vouched::ByNobody).await,
            None => report.has_no_wheel(self.describe_missing([file])),
        }
    }

    async fn open_wheel(
        &self,
        report: &mut PackageReport,
        file: &DistributionFile,
        wheel: &WheelFilename,
        vouched: Vouched,
    ) {
        report.version = Some(wheel.version.to_string());
        let chosen = report.wheel.insert(WheelReport::unread(file, wheel));
        match self.checks.check(file, wheel).await {
            Ok(WheelFindings { modules, size, sha256_verified, classifiers }) => {
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
    }
}
