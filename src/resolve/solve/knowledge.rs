//! What the solver knows: the releases of packages and what they require, asked of the index once
//! each, and ahead of time.
//!
//! The solver asks one question after the other. What it is likely to ask is known before: as soon
//! as a release's requirements are here, the newest fitting release of each is looked for too.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName, Requirement, VerbatimUrl, VersionOrUrl};
use pubgrub::Ranges;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, Semaphore};

use super::Request;
use super::named::Named;
use crate::model::distribution::DistributionFile;
use crate::model::metadata::CoreMetadata;
use crate::resolve::candidates::Candidates;
use crate::resolve::{Index, MetadataError, ranges};

/// The releases of a package, or why they are not known.
pub(super) type Releases = Result<Candidates, String>;
/// What a release says of itself, or why that is not known.
pub(super) type Metadata = Result<CoreMetadata, MetadataError>;

/// Answers that are there once, for whoever asks.
type Answers<K, V> = Mutex<HashMap<K, Arc<OnceCell<Arc<V>>>>>;

pub(super) struct Knowledge<I> {
    shared: Arc<Shared<I>>,
    handle: Handle,
}

struct Shared<I> {
    index: Arc<I>,
    request: Arc<Request>,
    named: Named,
    /// Files at URLs, which become known on the way.
    files: Mutex<BTreeMap<PackageName, DistributionFile>>,
    permits: Semaphore,
    releases: Answers<PackageName, Releases>,
    metadata: Answers<(PackageName, Version), Metadata>,
    /// What was looked at ahead of time already.
    ahead: Mutex<HashSet<(PackageName, Version, Vec<ExtraName>)>>,
}

impl<I: Index + 'static> Knowledge<I> {
    pub(super) fn new(index: Arc<I>, request: Arc<Request>, named: Named, handle: Handle) -> Self {
        let shared = Shared {
            index,
            permits: Semaphore::new(request.jobs.max(1)),
            request,
            files: Mutex::new(named.files.clone()),
            named,
            releases: Mutex::default(),
            metadata: Mutex::default(),
            ahead: Mutex::default(),
        };
        Self { shared: Arc::new(shared), handle }
    }

    /// The releases of a package. Waits.
    pub(super) fn releases(&self, name: &PackageName) -> Arc<Releases> {
        self.handle.block_on(self.shared.releases(name))
    }

    /// What a release says of itself. Waits.
    pub(super) fn metadata(&self, name: &PackageName, version: &Version) -> Arc<Metadata> {
        self.handle.block_on(self.shared.metadata(name, version))
    }

    /// From now on, this file is all there is of a package.
    pub(super) fn set_file(&self, name: &PackageName, file: DistributionFile) {
        lock(&self.shared.files).insert(name.clone(), file);
        self.forget(name);
    }

    /// From now on, the index is asked for a package again.
    pub(super) fn unset_file(&self, name: &PackageName) {
        lock(&self.shared.files).remove(name);
        self.forget(name);
    }

    fn forget(&self, name: &PackageName) {
        lock(&self.shared.releases).remove(name);
        lock(&self.shared.metadata).retain(|(other, _), _| other != name);
    }

    /// The file of a package, where a URL names it.
    pub(super) fn file(&self, name: &PackageName) -> Option<DistributionFile> {
        lock(&self.shared.files).get(name).cloned()
    }

    /// Looks ahead at the newest release in `range`, and at what it requires.
    pub(super) fn look_ahead(
        &self,
        name: PackageName,
        range: Ranges<Version>,
        extras: Vec<ExtraName>,
    ) {
        Shared::look_ahead(&self.shared, &self.handle, name, range, extras);
    }
}

impl<I: Index + 'static> Shared<I> {
    async fn releases(&self, name: &PackageName) -> Arc<Releases> {
        let cell = answer(&self.releases, name.clone());
        Arc::clone(cell.get_or_init(|| async { Arc::new(self.ask_releases(name).await) }).await)
    }

    async fn ask_releases(&self, name: &PackageName) -> Releases {
        let file = lock(&self.files).get(name).cloned();
        if let Some(file) = file {
            let Request { target, tags, .. } = &*self.request;
            return Ok(Candidates::of_file(file, *target, Arc::clone(tags)));
        }
        // Never closed.
        let _permit = self.permits.acquire().await;
        let from = self.named.indexes.get(name).map(String::as_str);
        let files = self.index.files(name, from).await.map_err(|problem| problem.to_string())?;
        if files.is_empty() {
            return Err("the index lists no files for it".to_owned());
        }
        let hashes = self.named.hashes.get(name).map_or(&[][..], Vec::as_slice);
        let Request { target, tags, .. } = &*self.request;
        let found = Candidates::new(files, hashes, *target, Arc::clone(tags));
        if !hashes.is_empty() && found.is_empty() {
            return Err("no file of it has one of the required hashes".to_owned());
        }
        Ok(found)
    }

    async fn metadata(&self, name: &PackageName, version: &Version) -> Arc<Metadata> {
        let cell = answer(&self.metadata, (name.clone(), version.clone()));
        let ask = || async { Arc::new(self.ask_metadata(name, version).await) };
        Arc::clone(cell.get_or_init(ask).await)
    }

    async fn ask_metadata(&self, name: &PackageName, version: &Version) -> Metadata {
        let releases = self.releases(name).await;
        let file = releases
            .as_ref()
            .as_ref()
            .ok()
            .and_then(|releases| releases.release(version))
            .and_then(|release| release.metadata_file(self.request.target, &self.request.tags))
            .ok_or_else(|| MetadataError::Unavailable("there is no file of it".to_owned()))?;
        let _permit = self.permits.acquire().await;
        let metadata = self.index.metadata(file).await?;
        if metadata.name != *name || metadata.version != *version {
            return Err(MetadataError::Invalid(format!(
                "expected the metadata of {name} {version}, found that of {} {}",
                metadata.name, metadata.version
            )));
        }
        Ok(metadata)
    }

    fn look_ahead(
        shared: &Arc<Self>,
        handle: &Handle,
        name: PackageName,
        range: Ranges<Version>,
        extras: Vec<ExtraName>,
    ) {
        let (shared, again) = (Arc::clone(shared), handle.clone());
        handle.spawn(async move {
            let releases = shared.releases(&name).await;
            let Ok(releases) = releases.as_ref() else { return };
            let policy = shared.named.policy(&name, shared.request.prereleases, true);
            let Some(version) = releases.choose(&range, policy) else { return };
            if !lock(&shared.ahead).insert((name.clone(), version.clone(), extras.clone())) {
                return;
            }
            if shared.request.no_dependencies {
                return;
            }
            let metadata = shared.metadata(&name, version).await;
            let Ok(metadata) = metadata.as_ref() else { return };
            for required in shared.applying(&metadata.requires_dist, &extras) {
                if matches!(required.version_or_url, Some(VersionOrUrl::Url(_))) {
                    continue;
                }
                let range = shared.named.bounded(&required.name, range_of(required));
                let (name, extras) = (required.name.clone(), required.extras.clone());
                Self::look_ahead(&shared, &again, name, range, extras);
            }
        });
    }

    fn applying<'r>(
        &self,
        requirements: &'r [Requirement<VerbatimUrl>],
        extras: &[ExtraName],
    ) -> Vec<&'r Requirement<VerbatimUrl>> {
        requirements
            .iter()
            .filter(|one| one.marker.evaluate(&self.request.environment, extras))
            .collect()
    }
}

/// The versions that a requirement of a release lets through.
pub(super) fn range_of(requirement: &Requirement<VerbatimUrl>) -> Ranges<Version> {
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => ranges::of_specifiers(specifiers),
        Some(VersionOrUrl::Url(_)) | None => Ranges::full(),
    }
}

fn answer<K: Eq + Hash, V>(answers: &Answers<K, V>, key: K) -> Arc<OnceCell<Arc<V>>> {
    Arc::clone(lock(answers).entry(key).or_default())
}

/// No code panics while it holds one of these.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
