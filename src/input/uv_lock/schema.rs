//! What a uv.lock looks like: the parts that are read.

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use serde::Deserialize;
use toml::Spanned;

use crate::input::InputError;
use crate::input::project::Project;

#[derive(Deserialize)]
pub(super) struct Versioned {
    pub(super) version: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Lock {
    pub(super) requires_python: Option<VersionSpecifiers>,
    /// The environments that the project restricts itself to.
    #[serde(default)]
    pub(super) supported_markers: Vec<String>,
    #[serde(default)]
    pub(super) manifest: LockManifest,
    #[serde(default, rename = "package", alias = "distribution")]
    pub(super) packages: Vec<Spanned<Package>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LockManifest {
    #[serde(default)]
    pub(super) members: Vec<PackageName>,
    /// Of a script, or of a workspace without a project at its root.
    #[serde(default)]
    pub(super) requirements: Vec<RequiredName>,
    #[serde(default)]
    pub(super) dependency_groups: BTreeMap<String, Vec<RequiredName>>,
    // What `[tool.uv]` at the root said when it was locked.
    #[serde(default)]
    pub(super) constraints: Vec<RequiredName>,
    #[serde(default)]
    pub(super) overrides: Vec<RequiredName>,
    #[serde(default)]
    pub(super) excludes: Vec<PackageName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Package {
    pub(super) name: PackageName,
    pub(super) version: Option<Version>,
    pub(super) source: PackageSource,
    #[serde(default)]
    pub(super) dependencies: Vec<Dependency>,
    #[serde(default)]
    pub(super) optional_dependencies: BTreeMap<ExtraName, Vec<Dependency>>,
    #[serde(default, alias = "dependency-groups")]
    pub(super) dev_dependencies: BTreeMap<String, Vec<Dependency>>,
    /// Of a project: what it required when it was locked.
    pub(super) metadata: Option<Metadata>,
    /// Of a project: what its pyproject.toml said when it was locked.
    pub(super) default_groups: Option<DefaultGroups>,
    /// Where a name is locked in several versions: when this one is meant.
    #[serde(default)]
    pub(super) resolution_markers: Vec<String>,
    #[serde(default)]
    pub(super) wheels: Vec<File>,
    pub(super) sdist: Option<File>,
}

/// One of these says what kind of source it is; others, such as `subdirectory`, add to it.
#[derive(Deserialize, PartialEq, Eq, Clone, Debug)]
pub(super) struct PackageSource {
    pub(super) registry: Option<String>,
    pub(super) git: Option<String>,
    pub(super) url: Option<String>,
    pub(super) path: Option<String>,
    pub(super) directory: Option<String>,
    pub(super) editable: Option<String>,
    pub(super) r#virtual: Option<String>,
    pub(super) subdirectory: Option<String>,
}

impl PackageSource {
    /// The folder of a project on this machine.
    pub(super) fn folder(&self) -> Option<&str> {
        self.directory.as_deref().or(self.editable.as_deref()).or(self.r#virtual.as_deref())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) requires_dist: Vec<RequiredName>,
    /// By group; of former uvs not there.
    pub(super) requires_dev: Option<BTreeMap<String, Vec<RequiredName>>>,
}

/// A requirement as it was when it was locked.
#[derive(Deserialize)]
pub(super) struct RequiredName {
    pub(super) name: PackageName,
    #[serde(default)]
    pub(super) extras: Vec<ExtraName>,
    pub(super) specifier: Option<String>,
    pub(super) marker: Option<String>,
    // Where it is taken from elsewhere than an index, one of these says so.
    pub(super) url: Option<String>,
    pub(super) git: Option<String>,
    pub(super) path: Option<String>,
    pub(super) directory: Option<String>,
    pub(super) editable: Option<String>,
    pub(super) r#virtual: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: PackageName,
    pub(super) version: Option<Version>,
    pub(super) source: Option<PackageSource>,
    #[serde(default)]
    pub(super) extra: Vec<ExtraName>,
    pub(super) marker: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct File {
    pub(super) url: Option<String>,
    pub(super) path: Option<String>,
    pub(super) filename: Option<String>,
    pub(super) hash: Option<String>,
    pub(super) size: Option<u64>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(super) enum DefaultGroups {
    /// `"all"`.
    Word(String),
    List(Vec<String>),
}

/// What uv installs where nothing is said.
impl Default for DefaultGroups {
    fn default() -> Self {
        Self::List(vec!["dev".to_owned()])
    }
}

impl DefaultGroups {
    /// What a project's own file says (`tool.uv.default-groups`).
    pub(super) fn of(project: &Project) -> Result<Option<Self>, InputError> {
        let Some(uv) = project.tool("uv")? else { return Ok(None) };
        let Some(item) = uv.get("default-groups") else { return Ok(None) };
        if let Some(word) = item.as_text() {
            return Ok(Some(Self::Word(word.to_owned())));
        }
        let names = item.list()?.into_iter().map(|name| name.text().map(str::to_owned));
        Ok(Some(Self::List(names.collect::<Result<_, _>>()?)))
    }

    pub(super) fn contains(&self, group: &str) -> bool {
        match self {
            Self::Word(word) => word == "all",
            Self::List(groups) => groups.iter().any(|name| normalized(name) == normalized(group)),
        }
    }
}

/// Groups are compared as names of projects are (PEP 735).
pub(super) fn normalized(group: &str) -> String {
    PackageName::from_str(group).map_or_else(|_| group.to_owned(), |name| name.to_string())
}
