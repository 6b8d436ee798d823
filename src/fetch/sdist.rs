//! What a source distribution says of itself without being built: its `PKG-INFO` and the
//! `[project]` table of its `pyproject.toml`.
//!
//! Where the file lies, and how it gets here, is told in [`crate::fetch::core_metadata`].

use std::io::Read;
use std::ops::ControlFlow;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, PackageName};

use crate::fetch::tarball::{self, SdistError};
use crate::model::limits::{Limit, Limits};
use crate::model::metadata::CoreMetadata;
use crate::model::pep508;

/// The two files at the top of a source distribution.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Texts {
    /// `NAME-VERSION/PKG-INFO`.
    pub pkg_info: Option<Vec<u8>>,
    /// `NAME-VERSION/pyproject.toml`.
    pub pyproject: Option<Vec<u8>>,
}

/// What a source distribution says without being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// All that resolving needs, in the form of core metadata.
    Metadata(String),
    /// Only a build could tell; the text says what is not static.
    Build(String),
}

/// Which of the two files a path in the archive names: those in the one folder at its top, which
/// older tools did not always call by the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// `PKG-INFO`.
    PkgInfo,
    /// `pyproject.toml`.
    Pyproject,
}

impl Wanted {
    /// The file that `path` names, if it is one of them.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        let (folder, name, rest) = (parts.next()?, parts.next()?, parts.next());
        match name {
            _ if folder == ".." || rest.is_some() => None,
            "PKG-INFO" => Some(Self::PkgInfo),
            "pyproject.toml" => Some(Self::Pyproject),
            _ => None,
        }
    }
}

impl Texts {
    /// Keeps a file's content; of several of one name the first.
    pub fn keep(&mut self, wanted: Wanted, bytes: Vec<u8>) {
        let place = match wanted {
            Wanted::PkgInfo => &mut self.pkg_info,
            Wanted::Pyproject => &mut self.pyproject,
        };
        place.get_or_insert(bytes);
    }

    /// Whether nothing else of the archive could add to what is known.
    fn is_enough(&self) -> bool {
        let Some(pkg_info) = &self.pkg_info else { return false };
        self.pyproject.is_some()
            || CoreMetadata::parse(pkg_info).is_ok_and(|metadata| is_final(&metadata))
    }

    /// Reads a `.tar.gz` from its start, no further than needed.
    ///
    /// # Errors
    /// Where it is no such archive, or larger than anything that is read.
    pub fn of_tar_gz(reader: impl Read) -> Result<Self, SdistError> {
        Self::within(&Limits::default(), reader)
    }

    /// The same within other limits.
    ///
    /// # Errors
    /// As [`Self::of_tar_gz`].
    pub fn within(limits: &Limits, reader: impl Read) -> Result<Self, SdistError> {
        let mut texts = Self::default();
        tarball::walk(limits, reader, |member| {
            let Some(wanted) = Wanted::of(&member.path) else {
                return Ok(ControlFlow::Continue(()));
            };
            texts.keep(wanted, member.read_all(limits.metadata_size, Limit("metadata-size"))?);
            let is_enough = texts.is_enough();
            Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(texts)
    }

    /// What they say about the requirements of the release `name` `version`.
    ///
    /// `PKG-INFO` counts where a build has to state the same (PEP 643: version 2.2 of the metadata,
    /// and the fields not named as dynamic); where it is older, the `[project]` table (PEP 621), as
    /// uv has it.
    ///
    /// # Errors
    /// Where they are those of another release.
    pub fn said(&self, name: &PackageName, version: &pep440_rs::Version) -> Result<Said, String> {
        // What is looked at is what is given on, also where that is no UTF-8.
        let pkg_info = self.pkg_info.as_deref().map(headers).map(|text| {
            let metadata = CoreMetadata::parse(text.as_bytes());
            (text, metadata)
        });
        if let Some((_, Ok(metadata))) = &pkg_info
            && (metadata.name != *name || metadata.version != *version)
        {
            return Err(format!(
                "damaged source distribution: expected PKG-INFO of {name} {version}, found that \
                 of {} {}",
                metadata.name, metadata.version
            ));
        }
        let reason = match &pkg_info {
            None => "it has no PKG-INFO".to_owned(),
            // An installer builds it and never reads this.
            Some((_, Err(problem))) => problem.clone(),
            Some((text, Ok(metadata))) => match not_static(metadata) {
                None => return Ok(Said::Metadata(text.clone())),
                Some(reason) if is_final(metadata) => return Ok(Said::Build(reason)),
                Some(reason) => reason,
            },
        };
        let Some(pyproject) = &self.pyproject else {
            return Ok(Said::Build(format!("{reason}, and it has no pyproject.toml")));
        };
        Ok(match project_table(pyproject, name, version, pkg_info.is_some()) {
            Ok(text) => Said::Metadata(text),
            Err(problem) => Said::Build(format!("{reason}, and its pyproject.toml {problem}")),
        })
    }
}

/// Whether a `[project]` table could add nothing: what that states is not dynamic (PEP 643).
fn is_final(metadata: &CoreMetadata) -> bool {
    metadata.metadata_version >= (2, 2)
}

/// What of the metadata a build may state otherwise.
fn not_static(metadata: &CoreMetadata) -> Option<String> {
    let (major, minor) = metadata.metadata_version;
    if metadata.metadata_version < (2, 2) {
        return Some(format!(
            "its PKG-INFO is of version {major}.{minor}, which leaves open what a build requires"
        ));
    }
    let fields = ["requires-dist", "provides-extra", "requires-python"];
    let dynamic: Vec<&str> =
        fields.into_iter().filter(|field| metadata.dynamic.contains(*field)).collect();
    (!dynamic.is_empty()).then(|| format!("its PKG-INFO leaves {} to a build", dynamic.join(", ")))
}

/// The headers of a metadata file without the description that follows them.
#[must_use]
pub fn headers(text: &[u8]) -> String {
    let end = mailparse::parse_headers(text).map_or(text.len(), |(_, body)| body);
    String::from_utf8_lossy(text.get(..end).unwrap_or(text)).into_owned()
}

/// The `[project]` table as core metadata. `Err` says what of it is left to a build.
fn project_table(
    text: &[u8],
    name: &PackageName,
    version: &pep440_rs::Version,
    version_is_stated: bool,
) -> Result<String, String> {
    let text = std::str::from_utf8(text).map_err(|_| "is not UTF-8".to_owned())?;
    let document: toml::Table = text.parse().map_err(|_| "is not TOML".to_owned())?;
    let Some(project) = document.get("project").and_then(toml::Value::as_table) else {
        return Err("has no [project] table".to_owned());
    };
    let dynamic: Vec<&str> = project
        .get("dynamic")
        .and_then(toml::Value::as_array)
        .map(|fields| fields.iter().filter_map(toml::Value::as_str).collect())
        .unwrap_or_default();
    for field in ["dependencies", "optional-dependencies", "requires-python"] {
        if dynamic.contains(&field) {
            return Err(format!("leaves {field} to a build"));
        }
    }
    if !version_is_stated && !project.get("version").is_some_and(|stated| is_same(stated, version))
    {
        return Err("does not state the version".to_owned());
    }
    let is_named = project
        .get("name")
        .and_then(toml::Value::as_str)
        .is_some_and(|stated| stated.parse().is_ok_and(|stated: PackageName| stated == *name));
    if !is_named {
        return Err(format!("does not name {name}"));
    }
    let poetry = document.get("tool").and_then(|tool| tool.get("poetry"));
    if poetry.is_some() && !project.contains_key("dependencies") {
        return Err("may have its dependencies in poetry's table".to_owned());
    }
    let mut lines = vec![
        "Metadata-Version: 2.2".to_owned(),
        format!("Name: {name}"),
        format!("Version: {version}"),
    ];
    if let Some(range) = project.get("requires-python") {
        let range: Option<VersionSpecifiers> = range.as_str().and_then(|range| range.parse().ok());
        let range = range.ok_or("has a requires-python that cannot be understood")?;
        lines.push(format!("Requires-Python: {range}"));
    }
    for requirement in list(project.get("dependencies"), "dependencies")? {
        lines.push(format!("Requires-Dist: {}", understood(requirement)?));
    }
    if let Some(extras) = project.get("optional-dependencies") {
        let extras = extras.as_table().ok_or("has optional-dependencies that are no table")?;
        for (extra, requirements) in extras {
            let extra: ExtraName =
                extra.parse().map_err(|_| format!("has an extra of the name `{extra}`"))?;
            lines.push(format!("Provides-Extra: {extra}"));
            for requirement in list(Some(requirements), "optional-dependencies")? {
                let requirement = understood(requirement)?.with_extra_marker(&extra);
                lines.push(format!("Requires-Dist: {requirement}"));
            }
        }
    }
    if lines.iter().any(|line| line.contains(['\n', '\r'])) {
        return Err("has a requirement of several lines".to_owned());
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn is_same(stated: &toml::Value, version: &pep440_rs::Version) -> bool {
    let stated = stated.as_str().and_then(|text| text.parse::<pep440_rs::Version>().ok());
    stated.as_ref() == Some(version)
}

fn list<'a>(value: Option<&'a toml::Value>, field: &str) -> Result<Vec<&'a str>, String> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let items = value.as_array().and_then(|items| items.iter().map(toml::Value::as_str).collect());
    items.ok_or_else(|| format!("has {field} that are no list of texts"))
}

fn understood(text: &str) -> Result<pep508_rs::Requirement<pep508_rs::VerbatimUrl>, String> {
    pep508::requirement(text)
        .map_err(|malformed| format!("requires `{text}`: {}", malformed.problem))
}
