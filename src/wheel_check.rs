//! One wheel: fetched in parts, its extension modules inspected, the findings kept.
//!
//! Shared by everything that looks into wheels of an index. It joins [`crate::fetch`] and
//! [`crate::inspect`] and knows neither requirements nor reports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fetch::cache::{Bucket, Cache, file_key};
use crate::fetch::client::{Client, FetchError};
use crate::fetch::metadata;
use crate::fetch::opened::Opened;
use crate::fetch::wheel::RemoteWheel;
use crate::imports::mentions::names_in;
use crate::imports::top_level_names;
use crate::inspect;
use crate::inspect::Interpreter;
use crate::inspect::filename::{extension_files, installed_twice};
use crate::model::distribution::DistributionFile;
use crate::model::evidence::{Gil, ModuleReport};
use crate::model::report::Place;
use crate::model::wheel_filename::WheelFilename;
use crate::module_check::{Beside, MAX_ROUNDS, Members, ModuleCheck};

/// What was found in a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelFindings {
    /// Its extension modules, sorted by name.
    pub modules: Vec<ModuleReport>,
    /// The size of the whole file in bytes.
    pub size: u64,
    /// Whether the whole file was read and has the digest stated for it.
    pub sha256_verified: bool,
    /// The free-threading classifiers of its metadata.
    pub classifiers: Vec<String>,
    /// The top-level names that can be imported from it, sorted.
    pub names: Vec<String>,
    /// What its modules name; `None` where the findings are of a run before, which keeps that apart:
    /// it is many times as long, and rarely needed. See [`WheelCheck::mentions`].
    #[serde(skip)]
    pub mentions: Option<Mentions>,
}

/// By the path of an extension module that is not known to enable the GIL, the names among its bytes, of
/// whatever: what it imports, from this wheel or another, it imports in compiled code.
pub type Mentions = BTreeMap<String, Vec<String>>;

/// Told of wheels that are looked into, before their modules are there.
pub trait LookedInto: Send + Sync {
    /// The directory of the wheel was read. It lies in what [`WheelCheck::reusing`] was given, for
    /// whoever needs other members of it.
    fn opened(&self, file: &DistributionFile);
}

/// Looks into wheels for one target on one platform.
pub struct WheelCheck {
    client: Arc<Client>,
    cache: Cache,
    place: Place,
    /// Wheels that were opened already.
    opened: Option<Arc<Opened>>,
    told: Option<Arc<dyn LookedInto>>,
    /// As many wheels are expanded at a time as there are cores: each may take much memory.
    expanding: Arc<Semaphore>,
    /// What may be held of all wheels at a time, in KiB.
    holding: Arc<Semaphore>,
    /// How much that is in all.
    held: u32,
    has_inspected: AtomicBool,
}

impl WheelCheck {
    /// A check that keeps its findings in `cache`.
    #[must_use]
    pub fn new(client: Arc<Client>, cache: Cache, place: Place) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let expanding = Arc::new(Semaphore::new(cores));
        let held = kibibytes(client.limits().held_size);
        let holding = Arc::new(Semaphore::new(held as usize));
        let has_inspected = AtomicBool::new(false);
        Self {
            client,
            cache,
            place,
            opened: None,
            told: None,
            expanding,
            holding,
            held,
            has_inspected,
        }
    }

    /// Begins with wheels that were opened for their metadata.
    #[must_use]
    pub fn reusing(mut self, opened: Arc<Opened>) -> Self {
        self.opened = Some(opened);
        self
    }

    /// Tells of each wheel once its directory was read.
    #[must_use]
    pub fn telling(mut self, told: Arc<dyn LookedInto>) -> Self {
        self.told = Some(told);
        self
    }

    /// Whether any wheel was inspected so far, rather than found in the cache.
    #[must_use]
    pub fn has_inspected(&self) -> bool {
        self.has_inspected.load(Ordering::SeqCst)
    }

    /// What is in `file`, from the cache or by fetching what is needed of it.
    ///
    /// # Errors
    /// Where it cannot be fetched, or is not the wheel its name says.
    pub async fn check(
        &self,
        file: &DistributionFile,
        wheel: &WheelFilename,
    ) -> Result<WheelFindings, FetchError> {
        let key = self.cache_key(file);
        if let Some(found) = key.as_ref().and_then(|key| self.cache.get(Bucket::Wheels, key)) {
            return Ok(found);
        }
        self.look(file, wheel, key.as_deref()).await
    }

    /// What the modules of a wheel name that was looked into in a run before.
    ///
    /// # Errors
    /// As [`Self::check`]: where it was not kept, the wheel is looked into again.
    pub async fn mentions(
        &self,
        file: &DistributionFile,
        wheel: &WheelFilename,
    ) -> Result<Mentions, FetchError> {
        let key = self.cache_key(file);
        if let Some(found) = key.as_ref().and_then(|key| self.cache.get(Bucket::Mentions, key)) {
            return Ok(found);
        }
        let found = self.look(file, wheel, key.as_deref()).await?;
        Ok(found.mentions.unwrap_or_default())
    }

    async fn look(
        &self,
        file: &DistributionFile,
        wheel: &WheelFilename,
        key: Option<&str>,
    ) -> Result<WheelFindings, FetchError> {
        let remote = match self.opened.as_ref().and_then(|opened| opened.take(&file.url)) {
            Some(remote) => remote,
            None => RemoteWheel::open(Arc::clone(&self.client), file.clone()).await?,
        };
        let found = self.inspect(remote, wheel, file).await?;
        self.has_inspected.store(true, Ordering::SeqCst);
        if let Some(key) = key {
            // A cache that cannot be written makes the next run slower, and this one no less right.
            let _ = self.cache.put(Bucket::Wheels, key, &found);
            let _ = self.cache.put(Bucket::Mentions, key, &found.mentions);
        }
        Ok(found)
    }

    /// Fetches the modules and inspects them; then, where an answer hangs on other libraries of the
    /// wheel, fetches those and looks again.
    async fn inspect(
        &self,
        remote: RemoteWheel,
        wheel: &WheelFilename,
        file: &DistributionFile,
    ) -> Result<WheelFindings, FetchError> {
        let names = || remote.names().iter().map(String::as_str);
        if let Some((one, other)) = installed_twice(names(), Some(self.place.platform)) {
            return Err(remote.invalid(&format!(
                "damaged wheel: `{one}` and `{other}` would be installed as one file"
            )));
        }
        let modules = extension_files(
            remote.names().iter().map(String::as_str),
            self.place.target,
            self.place.platform,
        );
        let interpreter =
            Interpreter { target: self.place.target, platform: Some(self.place.platform) };
        let modules = modules.into_iter().map(|module| (module, interpreter));
        let check = ModuleCheck::new(&remote, modules);
        let metadata =
            metadata::members(remote.names(), wheel).map_err(|problem| remote.invalid(&problem))?;
        for member in metadata {
            remote.check_metadata_size(member)?;
        }
        if let (Some(opened), Some(told)) = (&self.opened, &self.told) {
            if let Some(again) = remote.again()? {
                opened.keep(again);
            }
            told.opened(file);
        }
        let wanted = [check.wanted().as_slice(), &metadata].concat();
        let sizes = wanted.iter().map(|member| remote.compressed_size(*member));
        let size = sizes.fold(0, u64::saturating_add);
        // Until its answers are there. The libraries that turn out to be needed come on top: to wait for
        // more while holding some could last for ever.
        let _room = self.holding.acquire_many(kibibytes(size).min(self.held)).await;
        remote.fetch(&wanted).await?;
        let names = top_level_names(remote.names(), self.place.target, self.place.platform);
        let classifiers = Vec::new();
        let beside = LookedThrough {
            // Nothing was read yet: what is wanted first are the modules.
            modules: check.wanted().into_iter().collect(),
            mentions: Mutex::default(),
            permit: Mutex::default(),
            expanding: Arc::clone(&self.expanding),
        };
        let mut work = Work { remote, check, classifiers, names, beside };
        for round in 0..MAX_ROUNDS {
            work.beside.permit = Mutex::new(Arc::clone(&self.expanding).acquire_owned().await.ok());
            let wheel = wheel.clone();
            let running = tokio::task::spawn_blocking(move || {
                if round == 0 {
                    work.check_metadata(metadata, &wheel)?;
                }
                work.round()?;
                Ok(work)
            });
            work = running
                .await
                .map_err(|_| FetchError::invalid(&file.url, "an internal error of ftcheck"))??;
            let wanted = work.check.wanted();
            if wanted.is_empty() {
                break;
            }
            work.remote.fetch(&wanted).await?;
        }
        let _permit = Arc::clone(&self.expanding).acquire_owned().await;
        let finishing = tokio::task::spawn_blocking(move || work.finish());
        let (found, remote) = finishing
            .await
            .map_err(|_| FetchError::invalid(&file.url, "an internal error of ftcheck"))?;
        if let (Some(opened), None) = (&self.opened, &self.told)
            && let Some(remote) = remote.without_members()
        {
            // Its Python files may be asked for next.
            opened.keep(remote);
        }
        Ok(found)
    }

    /// Where the findings are kept; `None` for a file that may change.
    fn cache_key(&self, file: &DistributionFile) -> Option<String> {
        let engine = inspect::ENGINE_VERSION;
        let tag = self.place.platform.extension_tag(&format!("3{}t", self.place.target.minor()));
        // On macOS one tag, and one file, is for several processors; the answers are for one.
        let architecture = self.place.platform.architecture.as_str();
        // The number in front counts what is kept beside the engine's answers.
        Some(format!("4 engine {engine} {tag} {architecture} {}", file_key(file)?))
    }
}

/// So many as a semaphore counts: at least one.
fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes >> 10).unwrap_or(u32::MAX >> 3).clamp(1, u32::MAX >> 3)
}

impl Members for RemoteWheel {
    type Error = FetchError;

    fn names(&self) -> &[String] {
        self.names()
    }

    fn size(&self, member: usize) -> u64 {
        self.expanded_size(member)
    }

    fn read(&mut self, member: usize) -> Result<Vec<u8>, FetchError> {
        self.read(member)
    }

    fn another(&self) -> Option<Self> {
        Some(self.clone())
    }
}

/// The part that takes time and no network, carried from round to round.
struct Work {
    remote: RemoteWheel,
    check: ModuleCheck,
    classifiers: Vec<String>,
    names: Vec<String>,
    beside: LookedThrough,
}

impl Work {
    fn check_metadata(
        &mut self,
        [metadata, wheel_file]: [usize; 2],
        wheel: &WheelFilename,
    ) -> Result<(), FetchError> {
        let (metadata, wheel_file) = (self.remote.read(metadata)?, self.remote.read(wheel_file)?);
        self.classifiers = metadata::free_threading_classifiers(&metadata);
        metadata::check(&metadata, &wheel_file, wheel)
            .map_err(|problem| self.remote.invalid(&problem))
    }

    fn round(&mut self) -> Result<(), FetchError> {
        self.check.round(&mut self.remote, &self.beside)
    }

    fn finish(self) -> (WheelFindings, RemoteWheel) {
        let modules = self.check.finish();
        let mut mentions = BTreeMap::new();
        let found = self.beside.mentions.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (member, names) in found {
            let Some(member) = self.remote.names().get(member) else { continue };
            // Behind a module that enables the GIL nothing matters.
            let matters = |one: &ModuleReport| one.member == *member && one.gil != Gil::Enables;
            if !names.is_empty() && modules.iter().any(matters) {
                mentions.insert(member.clone(), names);
            }
        }
        let found = WheelFindings {
            modules,
            size: self.remote.size(),
            sha256_verified: self.remote.digest_is_verified(),
            classifiers: self.classifiers,
            names: self.names,
            mentions: Some(mentions),
        };
        (found, self.remote)
    }
}

/// Modules are looked through for names when they are read, so that none is expanded twice.
struct LookedThrough {
    /// The members that are modules.
    modules: BTreeSet<usize>,
    /// The names among the bytes of each of them that was read.
    mentions: Mutex<BTreeMap<usize, Vec<String>>>,
    /// What the thread of the round holds as long as it has work.
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    /// See [`WheelCheck`]: while fewer wheels are expanded than there are cores, more threads look at one.
    expanding: Arc<Semaphore>,
}

impl LookedThrough {
    fn mentions(&self) -> MutexGuard<'_, BTreeMap<usize, Vec<String>>> {
        self.mentions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beside for LookedThrough {
    type Permit = OwnedSemaphorePermit;

    fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.expanding).try_acquire_owned().ok()
    }

    fn look(&self, member: usize, bytes: &[u8]) {
        if self.modules.contains(&member) && !self.mentions().contains_key(&member) {
            let names = names_in(bytes);
            self.mentions().insert(member, names);
        }
    }

    fn wait(&self) {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
