//! pipenv's lockfile, `pipfile-spec` 6.
//!
//! Each category lists by itself all that is installed of it, each package with its own marker;
//! what depends on what is not told. Files are given by digest alone. The Pipfile beside the lock
//! tells which packages were asked for, and whether the lock still fits.

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use toml::de::DeTable;
use url::Url;

use super::locked::{self, Digests};
use super::python_json::{self, Separators};
use super::{Content, Format, Gap, InputError, Manifest, Source, json as spots};
use crate::model::index::{IndexSettings, IndexSource};
use crate::model::location::{Location, last_segment};
use crate::model::lock::{Edge, LockGraph, LockedPackage, LockedSource, Root, Walk};
use crate::model::requirement::{GroupName, Section, Sections};

const HINT: &str =
    "is the file complete, and free of merge conflicts? `pipenv lock` writes it anew";

pub(super) struct PipfileLock;

/// `_meta`: the parts that are read.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    pipfile_spec: u32,
    #[serde(default)]
    hash: BTreeMap<String, String>,
    #[serde(default)]
    requires: Requires,
    #[serde(default)]
    sources: Vec<MetaSource>,
}

#[derive(Deserialize, Default)]
struct Requires {
    python_version: Option<String>,
    python_full_version: Option<String>,
}

#[derive(Deserialize)]
struct MetaSource {
    name: Option<String>,
    url: String,
}

/// One package of a category.
#[derive(Deserialize)]
struct Entry {
    version: Option<String>,
    markers: Option<String>,
    #[serde(default)]
    hashes: Vec<String>,
    index: Option<String>,
    file: Option<String>,
    path: Option<String>,
    git: Option<String>,
    hg: Option<String>,
    svn: Option<String>,
    bzr: Option<String>,
    #[serde(default)]
    no_binary: bool,
    // Parts of a marker by themselves, as Pipfiles may state them.
    os_name: Option<String>,
    sys_platform: Option<String>,
    platform_machine: Option<String>,
    platform_python_implementation: Option<String>,
    platform_release: Option<String>,
    platform_system: Option<String>,
    platform_version: Option<String>,
    python_version: Option<String>,
    python_full_version: Option<String>,
    implementation_name: Option<String>,
    implementation_version: Option<String>,
}

impl Format for PipfileLock {
    fn name(&self) -> &'static str {
        "Pipfile.lock"
    }

    fn recognises(&self, filename: &str) -> bool {
        filename == "Pipfile.lock"
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let categories: BTreeMap<String, &RawValue> = spots::parse(source, &source.text, HINT)?;
        let meta = categories.get("_meta").ok_or_else(|| {
            InputError::of_file(&source.shown, "expected a member `_meta`, found none").hint(HINT)
        })?;
        let place_of_meta = spots::place(source, meta);
        let meta: Meta = spots::parse(source, meta.get(), HINT)?;
        if meta.pipfile_spec != 6 {
            let found = meta.pipfile_spec;
            let problem = format!("expected version 6 of the format (pipfile-spec), found {found}");
            return Err(InputError::at(place_of_meta, problem).hint(HINT));
        }
        let indexes = index_settings(&meta, &place_of_meta)?;
        let mut reader = Reader {
            source,
            indexes: &indexes,
            graph: LockGraph { walk: Walk::Roots, ..LockGraph::default() },
            known: BTreeMap::new(),
            gaps: Vec::new(),
        };
        let mut sections = Sections::default();
        for (category, packages) in &categories {
            let section = match category.as_str() {
                "_meta" => continue,
                "default" => Section::Base,
                name => {
                    let name = GroupName::new(name);
                    sections.groups.insert(name.clone());
                    Section::Group(name)
                }
            };
            let packages: BTreeMap<String, &RawValue> = spots::parse(source, packages.get(), HINT)?;
            for (name, value) in packages {
                reader.add(&section, &name, value)?;
            }
        }
        let Reader { mut graph, mut gaps, .. } = reader;
        if graph.roots.is_empty() {
            let problem = "expected locked packages, found none";
            return Err(InputError::of_file(&source.shown, problem));
        }
        gaps.extend(requires_python(&meta.requires, &place_of_meta)?.map(Gap::RequiresPython));
        if let Some((pipfile, keys)) =
            locked::toml_beside::<BTreeMap<String, Value>>(&source.path, "Pipfile")?
        {
            let (named, digest) = pipfile_beside(&pipfile, &keys);
            graph.named = named;
            if meta.hash.get("sha256").is_some_and(|locked| *locked != digest) {
                gaps.push(Gap::Always(
                    "Pipfile has changed since the lock was made: `pipenv lock` writes it anew"
                        .to_owned(),
                ));
            }
        }
        Ok(Manifest {
            content: Content::Lock(graph),
            sections,
            indexes,
            gaps,
            notes: vec![
                "Pipfile.lock holds what is needed for the Python and the platform that pipenv ran \
                 on, which it does not name"
                    .to_owned(),
            ],
            ..Manifest::default()
        })
    }
}

/// The first source is asked for whatever names none, as pipenv hands them to pip.
fn index_settings(meta: &Meta, place: &Location) -> Result<IndexSettings, InputError> {
    let mut settings = IndexSettings::default();
    for (position, source) in meta.sources.iter().enumerate() {
        let url = Url::parse(&source.url).map_err(|problem| {
            let text = &source.url;
            let problem = format!("expected the URL of an index, found `{text}`: {problem}");
            InputError::at(place.clone(), problem)
        })?;
        let (name, is_default) = (source.name.clone(), position == 0);
        settings.indexes.push(IndexSource {
            name,
            is_default,
            explicit: !is_default,
            ..IndexSource::new(url)
        });
    }
    Ok(settings)
}

fn requires_python(
    requires: &Requires,
    place: &Location,
) -> Result<Option<VersionSpecifiers>, InputError> {
    let text = match requires {
        Requires { python_full_version: Some(version), .. } => format!("=={version}"),
        Requires { python_version: Some(version), .. } => format!("=={version}.*"),
        _ => return Ok(None),
    };
    let specifiers = VersionSpecifiers::from_str(&text).map_err(|_| {
        let problem = format!("expected a version of Python in `requires`, found `{}`", &text[2..]);
        InputError::at(place.clone(), problem)
    })?;
    Ok(Some(specifiers))
}

struct Reader<'a> {
    source: &'a Source,
    indexes: &'a IndexSettings,
    graph: LockGraph,
    /// Packages by all that says what is installed: categories share them.
    known: BTreeMap<String, usize>,
    gaps: Vec<Gap>,
}

impl Reader<'_> {
    fn add(&mut self, section: &Section, name: &str, value: &RawValue) -> Result<(), InputError> {
        let location = spots::place_of_member(self.source, value);
        let entry: Entry = spots::parse(self.source, value.get(), HINT)?;
        let name = PackageName::from_str(name).map_err(|_| {
            let problem = format!("expected the name of a package, found `{name}`");
            InputError::at(location.clone(), problem).hint(HINT)
        })?;
        let marker = marker(&entry, &name, &location)?;
        let package = self.package(&entry, name, location)?;
        let key = format!("{} {:?} {:?}", package.name, package.version, package.source)
            + &format!("{:?}", package.files);
        let target = match self.known.get(&key) {
            Some(index) => *index,
            None => {
                self.graph.packages.push(package);
                self.known.insert(key, self.graph.packages.len() - 1);
                self.graph.packages.len() - 1
            }
        };
        let edge = Edge { target, extras: Vec::new(), marker };
        self.graph.roots.push(Root { section: section.clone(), edge });
        Ok(())
    }

    fn package(
        &mut self,
        entry: &Entry,
        name: PackageName,
        location: Location,
    ) -> Result<LockedPackage, InputError> {
        let digests = Digests::parse(entry.hashes.iter().map(String::as_str), &location)?;
        let mut files = Vec::new();
        let built = |what: &str| LockedSource::Built(what.to_owned());
        let source = match entry {
            Entry { git: Some(_), .. } => built("a git repository"),
            Entry { hg: Some(_), .. } => built("a Mercurial repository"),
            Entry { svn: Some(_), .. } => built("a Subversion repository"),
            Entry { bzr: Some(_), .. } => built("a Bazaar repository"),
            Entry { file: Some(address), .. } | Entry { path: Some(address), .. } => {
                let url = if address.contains("://") {
                    Url::parse(address).ok()
                } else {
                    locked::file_url(&self.source.path, address)
                };
                let file = url.filter(|url| url.path().ends_with(".whl")).and_then(|url| {
                    // Of several, which is that of this file is not told.
                    let sha256 = match digests.sha256.as_slice() {
                        [digest] if !digests.others => Some(*digest),
                        _ => None,
                    };
                    let filename = last_segment(&url);
                    locked::file(&name, &filename, url, sha256, None, None)
                });
                match file {
                    Some(file) => {
                        files.push(file);
                        LockedSource::Files
                    }
                    None if address.contains("://") => built("the file at a URL"),
                    None => locked::folder(address),
                }
            }
            Entry { no_binary: true, .. } => built("its source distribution (`no_binary`)"),
            _ => {
                self.gaps.extend(digests.gap(&name));
                let index = self.index(entry, &location)?;
                LockedSource::Index { index, hashes: digests.sha256 }
            }
        };
        let version = version(entry, &source, &location)?;
        Ok(LockedPackage {
            name,
            version,
            source,
            files,
            dependencies: Vec::new(),
            extras: BTreeMap::new(),
            location,
            extra_markers: BTreeMap::new(),
            project_marker: None,
        })
    }

    fn index(&self, entry: &Entry, location: &Location) -> Result<Option<String>, InputError> {
        let Some(index) = &entry.index else { return Ok(None) };
        let known = self.indexes.indexes.iter().any(|known| known.name.as_ref() == Some(index));
        if !known {
            let problem = format!("expected one of the sources of `_meta`, found `{index}`");
            return Err(InputError::at(location.clone(), problem).hint(HINT));
        }
        Ok(Some(index.clone()))
    }
}

/// The release. What comes from an index has to have one.
fn version(
    entry: &Entry,
    source: &LockedSource,
    location: &Location,
) -> Result<Option<Version>, InputError> {
    let stated = entry.version.as_deref().unwrap_or_default();
    // pipenv writes this for a package whose own marker did not apply where it was locked, and
    // then takes any release.
    if stated == "*" {
        return Ok(None);
    }
    let version = stated.strip_prefix("==").and_then(|version| {
        let version = version.strip_prefix('=').unwrap_or(version);
        Version::from_str(version.trim()).ok()
    });
    if version.is_none() && matches!(source, LockedSource::Index { .. }) {
        let problem = format!("expected `==` and a release, found `{stated}`");
        return Err(InputError::at(location.clone(), problem).hint(HINT));
    }
    Ok(version)
}

/// `markers`, and the parts of a marker that stand by themselves: all have to apply.
fn marker(
    entry: &Entry,
    name: &PackageName,
    location: &Location,
) -> Result<MarkerTree, InputError> {
    let mut all = MarkerTree::TRUE;
    if let Some(text) = &entry.markers {
        all.and(locked::marker(text, name, location)?);
    }
    let parts = [
        ("os_name", &entry.os_name),
        ("sys_platform", &entry.sys_platform),
        ("platform_machine", &entry.platform_machine),
        ("platform_python_implementation", &entry.platform_python_implementation),
        ("platform_release", &entry.platform_release),
        ("platform_system", &entry.platform_system),
        ("platform_version", &entry.platform_version),
        ("python_version", &entry.python_version),
        ("python_full_version", &entry.python_full_version),
        ("implementation_name", &entry.implementation_name),
        ("implementation_version", &entry.implementation_version),
    ];
    for (variable, comparison) in parts {
        if let Some(comparison) = comparison {
            all.and(locked::marker(&format!("{variable} {comparison}"), name, location)?);
        }
    }
    Ok(all)
}

/// Where the Pipfile names packages, and its digest as pipenv keeps it in the lock (plette's
/// `Pipfile.get_hash`).
fn pipfile_beside(
    pipfile: &Source,
    keys: &BTreeMap<String, Value>,
) -> (BTreeMap<PackageName, Location>, String) {
    /// What is no category of packages.
    const OTHERS: [&str; 5] = ["source", "requires", "scripts", "pipfile", "pipenv"];
    let named = named(pipfile, &OTHERS);
    let member = |name: &str| keys.get(name).cloned().unwrap_or_else(|| json!({}));
    // What plette puts where the Pipfile names no source.
    let pypi = || json!([{ "name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true }]);
    let mut data = serde_json::Map::new();
    let sources = keys.get("source").cloned().unwrap_or_else(pypi);
    let meta = json!({ "sources": sources, "requires": member("requires") });
    data.insert("_meta".to_owned(), meta);
    data.insert("default".to_owned(), member("packages"));
    data.insert("develop".to_owned(), member("dev-packages"));
    let known = ["packages", "dev-packages", "default", "develop"];
    for (category, values) in keys {
        if !OTHERS.contains(&category.as_str()) && !known.contains(&category.as_str()) {
            data.insert(category.clone(), values.clone());
        }
    }
    (named, python_json::sha256(&Value::Object(data), Separators::Compact))
}

/// Where the Pipfile names packages.
fn named(pipfile: &Source, others: &[&str]) -> BTreeMap<PackageName, Location> {
    let mut named = BTreeMap::new();
    // It was read before: this cannot fail.
    let Ok(table) = DeTable::parse(&pipfile.text) else { return named };
    for (category, packages) in table.get_ref() {
        if others.contains(&category.get_ref().as_ref()) {
            continue;
        }
        for (name, _) in packages.get_ref().as_table().into_iter().flatten() {
            if let Ok(package) = PackageName::from_str(name.get_ref()) {
                named.entry(package).or_insert_with(|| pipfile.location(name.span().start));
            }
        }
    }
    named
}
