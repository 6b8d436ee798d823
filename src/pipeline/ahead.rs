//! The Python files of packages, fetched while other packages are still looked into.
//!
//! They are needed once something at the place enables the GIL or is not known, and unless the answer is
//! kept from a run before. As soon as both are certain, nothing has to wait for the last package.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use url::Url;

use super::Clock;
use super::look::{Looked, Wheel};
use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::opened::Opened;
use crate::fetch::python_files::PythonFiles;
use crate::model::distribution::DistributionFile;
use crate::model::report::Severity;
use crate::wheel_check::LookedInto;

/// What is known of whether Python files are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// That hangs on packages that are not looked into yet.
    Open,
    /// They are.
    Certain,
    /// All packages were looked into, and it was not certain.
    Unknown,
}

/// The Python files of a wheel, or why they are not there.
pub(super) type Files = Result<PythonFiles, String>;

/// Where the Python files of packages come from, and whether they are needed.
pub(super) struct Ahead {
    client: Arc<Client>,
    pub(super) cache: Cache,
    opened: Arc<Opened>,
    pub(super) clock: Clock,
    /// For packages that are worked on at a time.
    pub(super) permits: Semaphore,
    /// Those that are waited for or fetched already, by the address of the wheel.
    begun: Mutex<HashMap<Url, JoinHandle<Option<Files>>>>,
    /// Itself, for those.
    me: Weak<Self>,
    need: watch::Sender<Need>,
    /// Packages that are not looked into yet.
    left: AtomicUsize,
    /// Whether what imports do has to be told.
    is_asked: AtomicBool,
    /// Whether a wheel was inspected that was not before: the answer is not kept then.
    is_new: AtomicBool,
}

/// A package that is being looked into; done with when it is dropped, also by a panic.
pub(super) struct Looking<'a>(&'a Ahead);

impl Ahead {
    /// For so many packages, worked on so many at a time.
    pub(super) fn new(
        client: &Arc<Client>,
        cache: &Cache,
        opened: Arc<Opened>,
        clock: Clock,
        (packages, jobs): (usize, usize),
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            begun: Mutex::default(),
            client: Arc::clone(client),
            cache: cache.clone(),
            opened,
            clock,
            permits: Semaphore::new(jobs.max(1)),
            need: watch::Sender::new(Need::Open),
            left: AtomicUsize::new(packages),
            is_asked: AtomicBool::new(false),
            is_new: AtomicBool::new(false),
        })
    }

    /// Says that what imports do has to be told, whatever is found in the packages.
    pub(super) fn ask(&self) {
        self.is_asked.store(true, Ordering::SeqCst);
    }

    pub(super) fn begin(&self) -> Looking<'_> {
        Looking(self)
    }

    /// The Python files of a wheel, or why they are not there; `None` where they are not needed, or
    /// not known to be.
    pub(super) async fn files(&self, wheel: &Wheel) -> Option<Files> {
        match self.take(&wheel.file.url) {
            // A defect of ours there has them fetched again later.
            Some(task) => task.await.ok().flatten(),
            None => self.once_needed(&wheel.file).await,
        }
    }

    /// The Python files of a wheel, which are needed, or why they are not there.
    pub(super) async fn files_now(&self, file: &DistributionFile) -> Files {
        if let Some(task) = self.take(&file.url)
            && let Ok(Some(files)) = task.await
        {
            return files;
        }
        self.fetch(file).await
    }

    fn take(&self, url: &Url) -> Option<JoinHandle<Option<Files>>> {
        self.begun().remove(url)
    }

    async fn once_needed(&self, file: &DistributionFile) -> Option<Files> {
        let mut need = self.need.subscribe();
        let need = *need.wait_for(|need| *need != Need::Open).await.ok()?;
        if need != Need::Certain {
            return None;
        }
        let _permit = self.permits.acquire().await;
        Some(self.fetch(file).await)
    }

    async fn fetch(&self, file: &DistributionFile) -> Files {
        let Self { client, cache, opened, clock, .. } = self;
        let fetching = PythonFiles::fetch(client, cache, Some(opened), file);
        clock.within(fetching).await?.map_err(|problem| problem.to_string())
    }

    fn begun(&self) -> MutexGuard<'_, HashMap<Url, JoinHandle<Option<Files>>>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While its modules are fetched and inspected, there is time to fetch the rest of what is needed.
impl LookedInto for Ahead {
    fn opened(&self, file: &DistributionFile) {
        let Some(ahead) = self.me.upgrade() else { return };
        let wanted = file.clone();
        let task = tokio::spawn(async move { ahead.once_needed(&wanted).await });
        self.begun().insert(file.url.clone(), task);
    }
}

impl Looking<'_> {
    /// Takes note of what was found: `is_new` where any wheel so far was inspected in this run.
    pub(super) fn found(self, package: Option<&Looked>, is_new: bool) {
        let Self(ahead) = &self;
        if package.is_none_or(is_of_interest) {
            ahead.ask();
        }
        if is_new {
            ahead.is_new.store(true, Ordering::SeqCst);
        }
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        let ahead = self.0;
        let is_last = ahead.left.fetch_sub(1, Ordering::SeqCst) == 1;
        let is_certain =
            ahead.is_asked.load(Ordering::SeqCst) && ahead.is_new.load(Ordering::SeqCst);
        let known = match (is_certain, is_last) {
            (true, _) => Need::Certain,
            (false, true) => Need::Unknown,
            (false, false) => return,
        };
        ahead.need.send_if_modified(|need| {
            let is_open = *need == Need::Open;
            if is_open {
                *need = known;
            }
            is_open
        });
    }
}

/// Whether importing a package may enable the GIL, whatever the others turn out to be.
fn is_of_interest(package: &Looked) -> bool {
    let is_settled = package.modules.iter().all(|one| one.evidence.delegates_to.is_none());
    package.verdict.severity() != Severity::Fine && is_settled
}
