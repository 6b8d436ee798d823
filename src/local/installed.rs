//! What is installed in an environment, as a manifest: the releases that its `.dist-info` folders
//! tell, and what they require. Nothing is run.
//!
//! A distribution that was built for the target is judged by its files; of any other one only the
//! release counts, and its wheel for the target is looked for on an index.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pep508_rs::{ExtraName, MarkerTree, PackageName};
use serde::Deserialize;

use super::files::{LocalError, read};
use super::{Place, Settings, inspect, python};
use crate::fetch::metadata;
use crate::input::{Content, Gap, Manifest};
use crate::model::inspect_report::FileReport;
use crate::model::location::Location;
use crate::model::lock::{Edge, Installed, LockGraph, LockedPackage, LockedSource, Root, Walk};
use crate::model::metadata::CoreMetadata;
use crate::model::platform::Platform;
use crate::model::report::{self, Verdict};
use crate::model::requirement::Section;
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;

/// One distribution.
struct Distribution {
    metadata: CoreMetadata,
    /// The tags of the wheel it was installed from.
    tags: Vec<String>,
    /// Where its metadata lies.
    folder: PathBuf,
    /// Whether the user asked for it, rather than another distribution (PEP 376).
    is_requested: bool,
    /// What it was installed from, where that is no index (PEP 610).
    origin: Option<Origin>,
}

/// `direct_url.json`.
#[derive(Deserialize)]
struct Origin {
    url: String,
    dir_info: Option<Directory>,
    vcs_info: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Directory {
    #[serde(default)]
    editable: bool,
}

/// What is installed at `place`, an interpreter's program or the folder of an environment.
///
/// # Errors
/// Where there is no such environment, or nothing is installed in it.
pub fn installed(
    place: &Path,
    target: Target,
    platform: Platform,
) -> Result<Manifest, Vec<LocalError>> {
    let folders = python::site_packages(place).map_err(|problem| vec![problem])?;
    let mut manifest = Manifest::default();
    let mut distributions = BTreeMap::new();
    for folder in &folders {
        for path in metadata_folders(folder) {
            match Distribution::read(&path) {
                // Of two with one name the first is the one that is imported.
                Ok(one) => {
                    distributions.entry(one.metadata.name.clone()).or_insert(one);
                }
                Err(problem) => manifest.gaps.push(Gap::Always(format!(
                    "{}: what is installed here is not known: {problem}",
                    path.display()
                ))),
            }
        }
    }
    if distributions.is_empty() && manifest.gaps.is_empty() {
        let problem = "expected installed distributions, found none";
        return Err(vec![LocalError::new(place, problem)]);
    }
    let tags = TagOrder::new(target, platform);
    let for_target = |one: &Distribution| one.wheels().any(|wheel| tags.rank(&wheel).is_some());
    let mut is_whole = true;
    let found = if distributions.values().any(for_target) {
        let settings =
            Settings { target: Some(target), platform: Some(platform), ..Settings::default() };
        let report = inspect(&[Place::Python(place.to_owned())], &settings)?;
        is_whole = report.gaps.is_empty();
        manifest.gaps.extend(report.gaps.into_iter().map(Gap::Always));
        report.files
    } else {
        Vec::new()
    };
    let place = report::Place { target, platform };
    let graph = graph(&distributions, |one| {
        if for_target(one) {
            LockedSource::Installed(Box::new(one.judged(&found, is_whole, place)))
        } else {
            one.source()
        }
    });
    manifest.content = Content::Lock(graph);
    Ok(manifest)
}

/// The folders, and the older files, in which distributions tell of themselves.
fn metadata_folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().is_some_and(|last| last == "dist-info" || last == "egg-info")
        })
        .collect();
    paths.sort();
    paths
}

impl Distribution {
    fn read(folder: &Path) -> Result<Self, String> {
        let file = [folder.join("METADATA"), folder.join("PKG-INFO"), folder.to_owned()]
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| "it has no METADATA".to_owned())?;
        let text = read(&file).map_err(|problem| problem.to_string())?;
        let metadata = CoreMetadata::parse(&text)?;
        let tags = read(&folder.join("WHEEL")).map(|text| metadata::tags(&text));
        let origin = read(&folder.join("direct_url.json"))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        Ok(Self {
            metadata,
            tags: tags.unwrap_or_default(),
            folder: folder.to_owned(),
            is_requested: folder.join("REQUESTED").is_file(),
            origin,
        })
    }

    /// The names that its wheel may have had.
    fn wheels(&self) -> impl Iterator<Item = WheelFilename> {
        self.tags.iter().filter_map(|tag| {
            let name = self.metadata.name.to_string().replace('-', "_");
            format!("{name}-{}-{tag}.whl", self.metadata.version).parse().ok()
        })
    }

    /// What its files do.
    ///
    /// Where a part of the environment could not be read, what was not found there may be in that
    /// part.
    fn judged(&self, found: &[FileReport], is_whole: bool, place: report::Place) -> Installed {
        let elsewhere = self.source();
        let name = self.metadata.name.to_string();
        let is_it = |file: &&FileReport| {
            let found = file.name.as_deref().and_then(|text| text.parse::<PackageName>().ok());
            found.is_some_and(|found| found.to_string() == name)
        };
        if let Some(file) = found.iter().find(is_it) {
            let (verdict, reason) = (file.verdict, file.reason.clone());
            let modules = file.modules.clone();
            return Installed { place, elsewhere, verdict, reason, modules };
        }
        let any = self.wheels().all(|wheel| wheel.is_any_platform());
        let (verdict, reason) = match (is_whole, any) {
            (false, _) => (Verdict::Unchecked, "a part of the environment could not be read"),
            (true, true) => (Verdict::PurePython, "told by what is installed"),
            (true, false) => (Verdict::NoExtensionModules, "told by what is installed"),
        };
        let reason = Some(reason.to_owned());
        Installed { place, elsewhere, verdict, reason, modules: Vec::new() }
    }

    /// Where another build of it would come from.
    fn source(&self) -> LockedSource {
        match &self.origin {
            None => LockedSource::Index { index: None, hashes: Vec::new() },
            Some(Origin { dir_info: Some(Directory { editable: true }), .. }) => {
                LockedSource::Project
            }
            Some(Origin { dir_info: Some(_), .. }) => {
                LockedSource::Built("a project on this machine".to_owned())
            }
            Some(Origin { vcs_info: Some(_), .. }) => {
                LockedSource::Built("a version-controlled project".to_owned())
            }
            Some(Origin { url, .. }) => {
                let shown = crate::model::location::redacted_text(url);
                LockedSource::Built(format!("the file {shown}"))
            }
        }
    }

    fn location(&self) -> Location {
        Location::of_offset(&self.folder.display().to_string(), "", 0)
    }
}

fn graph(
    distributions: &BTreeMap<PackageName, Distribution>,
    source: impl Fn(&Distribution) -> LockedSource,
) -> LockGraph {
    let places: BTreeMap<&PackageName, usize> =
        distributions.keys().enumerate().map(|(index, name)| (name, index)).collect();
    let mut graph = LockGraph { walk: Walk::Roots, ..LockGraph::default() };
    for (target, one) in distributions.values().enumerate() {
        let edge = Edge { target, extras: Vec::new(), marker: MarkerTree::TRUE };
        graph.roots.push(Root { section: Section::Base, edge });
        if one.is_requested {
            graph.named.insert(one.metadata.name.clone(), one.location());
        }
        // Which extras were asked for is written nowhere: whatever is here may be here for one.
        let provided: &[ExtraName] = &one.metadata.provides_extra;
        let dependencies = one.metadata.requires_dist.iter().filter_map(|required| {
            Some(Edge {
                target: *places.get(&required.name)?,
                extras: required.extras.clone(),
                marker: required.marker.clone().simplify_extras(provided),
            })
        });
        graph.packages.push(LockedPackage {
            name: one.metadata.name.clone(),
            version: Some(one.metadata.version.clone()),
            source: source(one),
            files: Vec::new(),
            dependencies: dependencies.collect(),
            extras: BTreeMap::new(),
            location: one.location(),
            extra_markers: BTreeMap::new(),
            project_marker: None,
        });
    }
    graph
}
