//! One wheel: fetched in parts, its extension modules inspected, the findings kept.
//!
//! Shared by everything that looks into wheels of an index. It joins [`crate::fetch`] and
//! [`crate::inspect`] and knows neither requirements nor reports.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::fetch::cache::{Bucket, Cache};
use crate::fetch::client::{Client, FetchError};
use crate::fetch::wheel::RemoteWheel;
use crate::inspect;
use crate::inspect::filename::{ExtensionFile, extension_files};
use crate::inspect::libraries::Libraries;
use crate::inspect::{Inspection, Interpreter};
use crate::model::distribution::DistributionFile;
use crate::model::evidence::{Evidence, Gil, ModuleReport};
use crate::model::platform::Platform;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;

/// Rounds of fetching what answers hang on. Each follows one link of a chain of libraries that need
/// libraries, which are a few links long.
const MAX_ROUNDS: usize = 32;

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
        let found = self.inspect(remote, wheel, file).await?;
        if let Some(key) = key {
            // A cache that cannot be written makes the next run slower, and this one no less right.
            let _ = self.cache.put(Bucket::Wheels, &key, &found);
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
        let modules =
            extension_files(remote.names().iter().map(String::as_str), self.target, self.platform);
        let metadata = metadata_members(&remote, wheel, file)?;
        let mut wanted: Vec<usize> =
            modules.iter().filter_map(|module| index_of(&remote, &module.member)).collect();
        wanted.extend(metadata);
        let interpreter = Interpreter { target: self.target, platform: Some(self.platform) };
        let mut work = Work::new(remote, modules, interpreter);
        for _ in 0..MAX_ROUNDS {
            work.remote.fetch(&wanted).await?;
            let _permit = Arc::clone(&self.expanding).acquire_owned().await;
            let wheel = wheel.clone();
            let round = tokio::task::spawn_blocking(move || {
                if !work.metadata_is_checked {
                    work.check_metadata(metadata, &wheel)?;
                }
                work.inspect(&wanted)?;
                Ok(work)
            });
            work = round
                .await
                .map_err(|_| FetchError::invalid(&file.url, "an internal error of ftcheck"))??;
            wanted = work.missing();
            if wanted.is_empty() {
                break;
            }
        }
        Ok(work.finish())
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

/// The part that takes time and no network, carried from round to round.
struct Work {
    remote: RemoteWheel,
    interpreter: Interpreter,
    libraries: Libraries,
    metadata_is_checked: bool,
    /// Modules without an answer, with what they still need.
    pending: Vec<(ExtensionFile, Vec<String>)>,
    reports: Vec<ModuleReport>,
}

impl Work {
    fn new(remote: RemoteWheel, modules: Vec<ExtensionFile>, interpreter: Interpreter) -> Self {
        let libraries = Libraries::named(remote.names().iter().cloned());
        let pending = modules.into_iter().map(|module| (module, Vec::new())).collect();
        Self {
            remote,
            interpreter,
            libraries,
            metadata_is_checked: false,
            pending,
            reports: Vec::new(),
        }
    }

    fn check_metadata(
        &mut self,
        [metadata, wheel_file]: [usize; 2],
        wheel: &WheelFilename,
    ) -> Result<(), FetchError> {
        let text = self.remote.read(metadata)?;
        check_metadata(&text, wheel).map_err(|problem| self.remote.invalid(&problem))?;
        let text = self.remote.read(wheel_file)?;
        check_wheel_version(&text).map_err(|problem| self.remote.invalid(&problem))?;
        self.metadata_is_checked = true;
        Ok(())
    }

    /// Looks at every module that has no answer yet, with the libraries that were fetched for it.
    fn inspect(&mut self, fetched: &[usize]) -> Result<(), FetchError> {
        let needed: BTreeSet<String> =
            self.pending.iter().flat_map(|(_, needs)| needs).cloned().collect();
        for member in fetched {
            let name = self.remote.names()[*member].clone();
            if needed.contains(&name) {
                let bytes = self.remote.read(*member)?;
                self.libraries.insert(name, bytes);
            }
        }
        for (module, _) in std::mem::take(&mut self.pending) {
            let Some(member) = index_of(&self.remote, &module.member) else { continue };
            let bytes = self.remote.read(member)?;
            match inspect::inspect(&module, &bytes, &self.libraries, self.interpreter) {
                Inspection::Module(report) => self.reports.push(*report),
                Inspection::NotAModule => {}
                Inspection::Needs(names) => self.pending.push((module, names)),
            }
        }
        Ok(())
    }

    /// The members that are needed for the next round.
    fn missing(&self) -> Vec<usize> {
        let names: BTreeSet<&String> = self.pending.iter().flat_map(|(_, needs)| needs).collect();
        let members = self.remote.names().iter().enumerate();
        members.filter(|(_, name)| names.contains(name)).map(|(at, _)| at).collect()
    }

    fn finish(mut self) -> WheelFindings {
        // Libraries that need libraries without an end.
        for (module, needs) in self.pending {
            self.reports.push(ModuleReport {
                module: module.module,
                member: module.member,
                gil: Gil::Undetermined,
                init: None,
                subinterpreters: None,
                reason: Some(format!("it needs too many libraries, such as {}", needs.join(", "))),
                evidence: Evidence::default(),
            });
        }
        self.reports.sort_by(|a, b| a.module.cmp(&b.module));
        WheelFindings {
            modules: self.reports,
            size: self.remote.size(),
            sha256_verified: self.remote.digest_is_verified(),
        }
    }
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
