//! One wheel: fetched in parts, its extension modules inspected, the findings kept.
//!
//! Shared by everything that looks into wheels of an index. It joins [`crate::fetch`] and
//! [`crate::inspect`] and knows neither requirements nor reports.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::fetch::cache::{Bucket, Cache};
use crate::fetch::client::{Client, FetchError};
use crate::fetch::wheel::RemoteWheel;
use crate::inspect;
use crate::inspect::filename::{ExtensionFile, extension_files};
use crate::model::distribution::DistributionFile;
use crate::model::evidence::ModuleReport;
use crate::model::platform::Platform;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;

/// What was found in a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelFindings {
    /// Its extension modules, sorted by name.
    pub modules: Vec<ModuleReport>,
    /// The size of the whole file in bytes.
    pub size: u64,
    /// Whether the whole file was read and has the digest stated for it.
    pub sha256_verified: bool,
}

/// Looks into wheels for one target on one platform.
#[derive(Debug)]
pub struct WheelCheck {
    client: Arc<Client>,
    cache: Cache,
    target: Target,
    platform: Platform,
    /// As many wheels are expanded at a time as there are cores: each may take much memory.
    expanding: Arc<Semaphore>,
}

impl WheelCheck {
    /// A check that keeps its findings in `cache`.
    #[must_use]
    pub fn new(client: Arc<Client>, cache: Cache, target: Target, platform: Platform) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { client, cache, target, platform, expanding: Arc::new(Semaphore::new(cores)) }
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
        let remote = RemoteWheel::open(Arc::clone(&self.client), file.clone()).await?;
        let modules =
            extension_files(remote.names().iter().map(String::as_str), self.target, self.platform);
        let mut wanted: Vec<usize> =
            modules.iter().filter_map(|module| index_of(&remote, &module.member)).collect();
        let metadata = metadata_members(&remote, wheel, file)?;
        wanted.extend(&metadata);
        remote.fetch(&wanted).await?;

        let _permit = Arc::clone(&self.expanding).acquire_owned().await;
        let (wheel, target) = (wheel.clone(), self.target);
        let inspected = tokio::task::spawn_blocking(move || {
            inspect_all(remote, &modules, metadata, &wheel, target)
        });
        let found = inspected
            .await
            .map_err(|_| FetchError::invalid(&file.url, "an internal error of ftcheck"))??;
        if let Some(key) = key {
            // A cache that cannot be written makes the next run slower, and this one no less right.
            let _ = self.cache.put(Bucket::Wheels, &key, &found);
        }
        Ok(found)
    }

    /// Where the findings are kept; `None` for a file without a digest, which may change.
    ///
    /// The URL is part of it since a digest stated by one index is not proof for another as long
    /// as only parts of the file are read.
    fn cache_key(&self, file: &DistributionFile) -> Option<String> {
        let engine = inspect::ENGINE_VERSION;
        let digest = file.sha256?;
        let tag = self.platform.extension_tag(&format!("3{}t", self.target.minor()));
        let mut url = file.url.clone();
        url.set_query(None);
        let _ = url.set_password(None);
        let _ = url.set_username("");
        Some(format!("engine {engine} {tag} {digest} {url}"))
    }
}

fn index_of(remote: &RemoteWheel, member: &str) -> Option<usize> {
    remote.names().iter().position(|name| name == member)
}

/// The members that say what the file is: `METADATA` and `WHEEL` of its `.dist-info` folder.
fn metadata_members(
    remote: &RemoteWheel,
    wheel: &WheelFilename,
    file: &DistributionFile,
) -> Result<[usize; 2], FetchError> {
    let find = |name: &str| {
        remote
            .names()
            .iter()
            .position(|member| {
                member
                    .split_once('/')
                    .is_some_and(|(folder, rest)| folder.ends_with(".dist-info") && rest == name)
            })
            .ok_or_else(|| {
                FetchError::invalid(
                    &file.url,
                    format!("damaged wheel: `{wheel}` has no {name} in a .dist-info folder"),
                )
            })
    };
    Ok([find("METADATA")?, find("WHEEL")?])
}

/// The part that takes time and no network.
fn inspect_all(
    mut remote: RemoteWheel,
    modules: &[ExtensionFile],
    [metadata, wheel_file]: [usize; 2],
    wheel: &WheelFilename,
    target: Target,
) -> Result<WheelFindings, FetchError> {
    let text = remote.read(metadata)?;
    check_metadata(&text, wheel).map_err(|problem| remote.invalid(&problem))?;
    let text = remote.read(wheel_file)?;
    check_wheel_version(&text).map_err(|problem| remote.invalid(&problem))?;
    let mut reports = Vec::new();
    for module in modules {
        let Some(member) = index_of(&remote, &module.member) else { continue };
        let bytes = remote.read(member)?;
        reports.extend(inspect::inspect(module, &bytes, target));
    }
    Ok(WheelFindings {
        modules: reports,
        size: remote.size(),
        sha256_verified: remote.digest_is_verified(),
    })
}

/// Name and version inside have to be those of the file name, or installers refuse the wheel.
fn check_metadata(text: &[u8], wheel: &WheelFilename) -> Result<(), String> {
    let name = header(text, "Name")?;
    let version = header(text, "Version")?;
    let same_name = name.parse::<pep508_rs::PackageName>().is_ok_and(|name| name == wheel.name);
    let same_version =
        version.parse::<pep440_rs::Version>().is_ok_and(|version| version == wheel.version);
    if same_name && same_version {
        return Ok(());
    }
    Err(format!(
        "damaged wheel: expected METADATA of {} {}, found that of {name} {version}",
        wheel.name, wheel.version
    ))
}

/// Installers refuse a major version of the format that they do not know (PEP 427).
fn check_wheel_version(text: &[u8]) -> Result<(), String> {
    let version = header(text, "Wheel-Version")?;
    if version.split('.').next() == Some("1") {
        return Ok(());
    }
    Err(format!("expected a wheel of format 1, found Wheel-Version `{version}`"))
}

fn header(text: &[u8], name: &str) -> Result<String, String> {
    use mailparse::MailHeaderMap as _;
    let (headers, _) = mailparse::parse_headers(text)
        .map_err(|problem| format!("damaged wheel: its metadata cannot be read: {problem}"))?;
    headers
        .get_first_value(name)
        .map(|value| value.trim().to_owned())
        .ok_or_else(|| format!("damaged wheel: its metadata has no `{name}`"))
}
