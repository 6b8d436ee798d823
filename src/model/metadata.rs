//! What a release says of itself: core metadata, as wheels carry it in `METADATA` and source
//! distributions in `PKG-INFO`.

use std::collections::BTreeSet;

use mailparse::MailHeaderMap as _;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName, Requirement, VerbatimUrl};

use crate::model::pep508;

/// The fields that resolving hangs on.
#[derive(Debug, Clone)]
pub struct CoreMetadata {
    /// The normalized name.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// What it needs.
    pub requires_dist: Vec<Requirement<VerbatimUrl>>,
    /// The Python versions it is for.
    pub requires_python: Option<VersionSpecifiers>,
    /// The extras it offers.
    pub provides_extra: Vec<ExtraName>,
    /// Fields that a build may state otherwise (PEP 643), in lower case. Only a source distribution
    /// has any that matter.
    pub dynamic: BTreeSet<String>,
    /// The version of the metadata itself, such as 2.1.
    pub metadata_version: (u32, u32),
}

impl CoreMetadata {
    /// Reads the text of a `METADATA` or `PKG-INFO` file.
    ///
    /// # Errors
    /// Where name or version are missing, or something it requires cannot be understood.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let (headers, _) = mailparse::parse_headers(text)
            .map_err(|problem| format!("its metadata cannot be read: {problem}"))?;
        let first = |name: &str| headers.get_first_value(name).map(|value| value.trim().to_owned());
        let required =
            |name: &str| first(name).ok_or_else(|| format!("its metadata has no `{name}`"));
        let name = required("Name")?;
        let version = required("Version")?;
        let requires_dist = headers
            .get_all_values("Requires-Dist")
            .iter()
            .map(|text| {
                pep508::lenient_requirement(text).map_err(|malformed| {
                    format!("its metadata requires `{text}`: {}", malformed.problem)
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: name.parse().map_err(|_| format!("its metadata has the name `{name}`"))?,
            version: version
                .parse()
                .map_err(|_| format!("its metadata has the version `{version}`"))?,
            requires_dist,
            requires_python: first("Requires-Python").and_then(|text| text.parse().ok()),
            provides_extra: headers
                .get_all_values("Provides-Extra")
                .iter()
                .filter_map(|text| text.trim().parse().ok())
                .collect(),
            dynamic: headers
                .get_all_values("Dynamic")
                .iter()
                .map(|field| field.trim().to_ascii_lowercase())
                .collect(),
            metadata_version: first("Metadata-Version")
                .and_then(|text| {
                    let (major, minor) = text.split_once('.')?;
                    Some((major.parse().ok()?, minor.parse().ok()?))
                })
                .unwrap_or((1, 0)),
        })
    }

    /// Whether a build would state the same requirements: since version 2.2 of the metadata, where
    /// they are not named as dynamic (PEP 643).
    #[must_use]
    pub fn requirements_are_static(&self) -> bool {
        self.metadata_version >= (2, 2)
            && !self.dynamic.contains("requires-dist")
            && !self.dynamic.contains("provides-extra")
    }
}
