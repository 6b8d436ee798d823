//! An index written as text, requirements written as text, and the answer as text.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ftcheck::model::digest::Sha256;
use ftcheck::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use ftcheck::model::location::Location;
use ftcheck::model::metadata::CoreMetadata;
use ftcheck::model::project_files::ProjectFiles;
use ftcheck::model::requirement::{Prereleases, Requirement, Section, Wanted};
use ftcheck::model::tag::TagOrder;
use ftcheck::resolve::solve::{self, Request, Resolution, ResolvedRelease, SolveError};
use ftcheck::resolve::{Index, IndexError, MetadataError};
use pep440_rs::VersionSpecifiers;
use pep508_rs::{PackageName, VerbatimUrl, VersionOrUrl};
use tokio::runtime::Runtime;
use url::Url;

const TARGET: &str = "3.14t";
const PLATFORM: &str = "x86_64-manylinux_2_28";

/// An index in memory.
#[derive(Default)]
pub(super) struct World {
    files: BTreeMap<PackageName, Vec<DistributionFile>>,
    metadata: BTreeMap<String, Result<CoreMetadata, MetadataError>>,
    /// What was asked: package and index.
    pub(super) asked: Mutex<Vec<(String, Option<String>)>>,
    /// Answers take a while, a different one for each seed.
    pub(super) delays: Option<u64>,
}

/// A digest of this digit only.
pub(super) fn hash(digit: char) -> Sha256 {
    digit.to_string().repeat(64).parse().unwrap()
}

impl World {
    /// One release a line: `NAME VERSION FLAGS | REQUIREMENT & REQUIREMENT`.
    ///
    /// Flags: `yanked`, `windows` (a wheel that cannot be installed), `source`, `url` (not on a page
    /// of the index), `python=RANGE` and `says-python=RANGE` (of the file; in the metadata),
    /// `invalid`, `needs-build`, `unavailable` (what happens on reading the metadata), `hash=DIGIT`.
    pub(super) fn new(text: &str) -> Self {
        let mut world = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            world.add(line);
        }
        world
    }

    fn add(&mut self, line: &str) {
        let (head, requires) = line.split_once('|').unwrap_or((line, ""));
        let mut words = head.split_whitespace();
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        let flags: Vec<&str> = words.collect();
        let has = |flag: &str| flags.contains(&flag);
        let value =
            |key: &str| flags.iter().find_map(|flag| flag.strip_prefix(key)?.strip_prefix('='));
        let package: PackageName = name.parse().unwrap();
        let filename = if has("source") {
            format!("{name}-{version}.tar.gz")
        } else if has("windows") {
            format!("{name}-{version}-cp314-cp314t-win_amd64.whl")
        } else {
            format!("{name}-{version}-py3-none-any.whl")
        };
        let file = DistributionFile {
            kind: DistributionKind::parse(&filename, &package).unwrap(),
            url: format!("https://files.example/{filename}").parse().unwrap(),
            sha256: value("hash").map(|digit| hash(digit.chars().next().unwrap())),
            size: None,
            requires_python: value("python").map(|range| range.parse().unwrap()),
            yanked: has("yanked"),
            metadata: MetadataFile::Absent,
        };
        let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        if let Some(range) = value("says-python") {
            text.push_str(&format!("Requires-Python: {range}\n"));
        }
        for required in requires.split('&').map(str::trim).filter(|text| !text.is_empty()) {
            text.push_str(&format!("Requires-Dist: {required}\n"));
        }
        let metadata = if has("invalid") {
            Err(MetadataError::Invalid("its metadata is broken".to_owned()))
        } else if has("needs-build") {
            Err(MetadataError::NeedsBuild("its requirements are dynamic".to_owned()))
        } else if has("unavailable") {
            Err(MetadataError::Unavailable("the server is silent".to_owned()))
        } else {
            Ok(CoreMetadata::parse(text.as_bytes()).unwrap())
        };
        self.metadata.insert(filename, metadata);
        let files = self.files.entry(package).or_default();
        if !has("url") {
            files.push(file);
        }
    }

    async fn wait(&self, what: &str) {
        if let Some(seed) = self.delays {
            let mut hasher = DefaultHasher::new();
            (seed, what).hash(&mut hasher);
            tokio::time::sleep(Duration::from_micros(hasher.finish() % 2000)).await;
        }
    }
}

impl Index for World {
    async fn files(
        &self,
        name: &PackageName,
        from: Option<&str>,
    ) -> Result<ProjectFiles, IndexError> {
        self.asked.lock().unwrap().push((name.to_string(), from.map(str::to_owned)));
        self.wait(name.as_ref()).await;
        let unknown = || IndexError::NotFound { url: format!("https://index.example/{name}/") };
        let files = self.files.get(name).ok_or_else(unknown)?;
        Ok(files.iter().cloned().collect())
    }

    async fn metadata(&self, file: &DistributionFile) -> Result<CoreMetadata, MetadataError> {
        self.wait(file.kind.filename()).await;
        let unknown = || MetadataError::Unavailable("there is no such file".to_owned());
        self.metadata.get(file.kind.filename()).cloned().unwrap_or_else(|| Err(unknown()))
    }
}

/// Requirements as lines of a file. At the end of a line may stand `--hash=DIGIT`, `--index=NAME`,
/// or the whole line may be `NAME: not looked at for this REASON`.
pub(super) fn requirements(path: &str, text: &str) -> Vec<Requirement> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(line_number, line)| {
            let location = Location { path: path.to_owned(), line: line_number, column: 1 };
            requirement(line, location)
        })
        .collect()
}

fn requirement(line: &str, location: Location) -> Requirement {
    if let Some((name, reason)) = line.split_once(": ") {
        return Requirement {
            wanted: Wanted::Unchecked(reason.to_owned()),
            ..requirement(name, location)
        };
    }
    let mut words: Vec<&str> = line.split(' ').collect();
    let (mut hashes, mut index) = (Vec::new(), None);
    words.retain(|word| {
        if let Some(digit) = word.strip_prefix("--hash=") {
            hashes.extend(digit.chars().map(hash));
        }
        index = index.clone().or(word.strip_prefix("--index=").map(str::to_owned));
        !word.starts_with("--")
    });
    let parsed: pep508_rs::Requirement<VerbatimUrl> = words.join(" ").parse().unwrap();
    Requirement {
        wanted: match parsed.version_or_url {
            None => Wanted::Release(VersionSpecifiers::default()),
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => Wanted::Release(specifiers),
            Some(VersionOrUrl::Url(url)) => Wanted::Url(Url::parse(url.to_url().as_str()).unwrap()),
        },
        name: parsed.name,
        extras: parsed.extras,
        marker: parsed.marker,
        hashes,
        index,
        section: Section::Base,
        location,
    }
}

/// What is asked, to be changed before it is put.
pub(super) fn ask(required: &str) -> Request {
    let target = TARGET.parse().unwrap();
    Request {
        required: requirements("req.txt", required),
        constraints: Vec::new(),
        overrides: Vec::new(),
        prereleases: Prereleases::default(),
        target,
        environment: super::super::environment(TARGET, PLATFORM),
        tags: Arc::new(TagOrder::new(target, PLATFORM.parse().unwrap())),
        jobs: 4,
        no_dependencies: false,
    }
}

pub(super) fn constrained(required: &str, constraints: &str) -> Request {
    Request { constraints: requirements("bounds.txt", constraints), ..ask(required) }
}

pub(super) fn overridden(required: &str, overrides: &str) -> Request {
    Request { overrides: requirements("over.txt", overrides), ..ask(required) }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
    })
}

pub(super) fn resolve(world: &Arc<World>, request: Request) -> Result<Resolution, SolveError> {
    runtime().block_on(solve::resolve(Arc::clone(world), request))
}

/// The answer as text: the packages in order, then problems, each on its line.
pub(super) fn answer(world: &str, request: Request) -> String {
    told(&resolve(&Arc::new(World::new(world)), request))
}

pub(super) fn told(answer: &Result<Resolution, SolveError>) -> String {
    let resolution = match answer {
        Ok(resolution) => resolution,
        Err(problem) => return format!("conflict:\n{problem}"),
    };
    let mut lines: Vec<String> = resolution
        .packages
        .iter()
        .map(|package| {
            let name = &package.name;
            let mut text = match &package.release {
                ResolvedRelease::Chosen(version, _) => format!("{name} {version}"),
                ResolvedRelease::File(version, file) => format!("{name} {version} at {}", file.url),
                ResolvedRelease::NotLookedAt { reason, .. } => {
                    format!("{name} not looked at: {reason}")
                }
            };
            if let Some(reason) = &package.unknown_requirements {
                text.push_str(&format!(", requiring who knows what: {reason}"));
            }
            text
        })
        .collect();
    lines.sort();
    lines.extend(resolution.problems.iter().map(|problem| format!("problem: {problem}")));
    lines.join("\n")
}
