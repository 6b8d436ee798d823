//! What the user's own requirements say of packages by name: bounds, pins, files, indexes, digests.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::PackageName;
use pubgrub::Ranges;
use url::Url;

use super::Request;
use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use crate::model::location::{Location, last_segment, redacted};
use crate::model::requirement::{Prereleases, Requirement, Wanted};
use crate::resolve::candidates::Policy;
use crate::resolve::ranges;

/// Everything that hangs on a name.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    /// What constraints leave of a package's versions.
    pub(super) constraints: BTreeMap<PackageName, Ranges<Version>>,
    /// What stands in place of other requirements; none of them where no marker applies.
    pub(super) overrides: BTreeMap<PackageName, Vec<Requirement>>,
    /// Packages of which the user named the file.
    pub(super) files: BTreeMap<PackageName, DistributionFile>,
    /// Packages that are not looked for at all, with the reason.
    pub(super) not_looked_at: BTreeMap<PackageName, String>,
    /// The index a package has to come from.
    pub(super) indexes: BTreeMap<PackageName, String>,
    /// The digests that its files may have.
    pub(super) hashes: BTreeMap<PackageName, Vec<Sha256>>,
    /// Where the user names a package and how, in the order of the files.
    pub(super) places: BTreeMap<PackageName, Vec<(Location, String)>>,
    /// Where constraints bound a package and how.
    pub(super) constraint_places: BTreeMap<PackageName, Vec<(Location, String)>>,
    pinned: BTreeMap<PackageName, Vec<Version>>,
    names_prerelease: BTreeSet<PackageName>,
}

impl Named {
    pub(super) fn new(request: &Request) -> Self {
        let applies =
            |requirement: &&Requirement| requirement.marker.evaluate(&request.environment, &[]);
        let mut named = Self::default();
        for requirement in &request.required {
            let place = (requirement.location.clone(), shown(requirement));
            named.places.entry(requirement.name.clone()).or_default().push(place);
            named.take(requirement);
        }
        for requirement in request.constraints.iter().filter(applies) {
            let place = (requirement.location.clone(), shown(requirement));
            named.constraint_places.entry(requirement.name.clone()).or_default().push(place);
            named.take(requirement);
            if let Wanted::Release(specifiers) = &requirement.wanted {
                let bound =
                    named.constraints.entry(requirement.name.clone()).or_insert_with(Ranges::full);
                *bound = bound.intersection(&ranges::of_specifiers(specifiers));
            }
        }
        for requirement in &request.overrides {
            let list = named.overrides.entry(requirement.name.clone()).or_default();
            if requirement.marker.evaluate(&request.environment, &[]) {
                list.push(requirement.clone());
                named.take(requirement);
            }
        }
        named
    }

    fn take(&mut self, requirement: &Requirement) {
        let name = &requirement.name;
        if let Some(index) = &requirement.index {
            self.indexes.insert(name.clone(), index.clone());
        }
        if !requirement.hashes.is_empty() {
            self.hashes.entry(name.clone()).or_default().extend(&requirement.hashes);
        }
        match &requirement.wanted {
            Wanted::Release(specifiers) => self.take_specifiers(name, specifiers),
            Wanted::Url(url) => self.take_file(name, file_at(url, name), &requirement.hashes),
            Wanted::File(path) => {
                let file = std::path::absolute(path)
                    .ok()
                    .and_then(|path| Url::from_file_path(path).ok())
                    .ok_or_else(|| "its path is none of a file".to_owned())
                    .and_then(|url| file_at(&url, name));
                self.take_file(name, file, &requirement.hashes);
            }
            Wanted::Unchecked(reason) => {
                self.not_looked_at.insert(name.clone(), reason.clone());
            }
        }
    }

    fn take_file(
        &mut self,
        name: &PackageName,
        file: Result<DistributionFile, String>,
        hashes: &[Sha256],
    ) {
        let checked = file.and_then(|file| match (file.sha256, hashes) {
            (_, []) => Ok(file),
            (Some(stated), hashes) if hashes.contains(&stated) => Ok(file),
            (None, [one]) => Ok(DistributionFile { sha256: Some(*one), ..file }),
            _ => Err("which of the required hashes it has is not known".to_owned()),
        });
        match checked {
            Ok(file) => {
                self.files.insert(name.clone(), file);
            }
            Err(reason) => {
                self.not_looked_at.insert(name.clone(), reason);
            }
        }
    }

    fn take_specifiers(&mut self, name: &PackageName, specifiers: &VersionSpecifiers) {
        for specifier in specifiers.iter() {
            let operator = specifier.operator();
            if matches!(operator, Operator::Equal | Operator::ExactEqual) {
                self.pinned.entry(name.clone()).or_default().push(specifier.version().clone());
            }
            let excludes = matches!(operator, Operator::NotEqual | Operator::NotEqualStar);
            if !excludes && specifier.version().any_prerelease() {
                self.names_prerelease.insert(name.clone());
            }
        }
    }

    /// What decides between the releases of a package.
    pub(super) fn policy(
        &self,
        name: &PackageName,
        prereleases: Prereleases,
        unusable_too: bool,
    ) -> Policy<'_> {
        Policy {
            prereleases,
            names_prerelease: self.names_prerelease.contains(name),
            pinned: self.pinned.get(name).map_or(&[], Vec::as_slice),
            unusable_too,
        }
    }

    /// The one release that the user pinned.
    pub(super) fn pinned(&self, name: &PackageName) -> Option<&Version> {
        match self.pinned.get(name).map(Vec::as_slice) {
            Some([one]) => Some(one),
            _ => None,
        }
    }

    /// What constraints leave of `range`.
    pub(super) fn bounded(&self, name: &PackageName, range: Ranges<Version>) -> Ranges<Version> {
        match self.constraints.get(name) {
            Some(bound) => range.intersection(bound),
            None => range,
        }
    }
}

/// The versions that a requirement of the user's lets through.
pub(super) fn range_of(requirement: &Requirement) -> Ranges<Version> {
    match &requirement.wanted {
        Wanted::Release(specifiers) => ranges::of_specifiers(specifiers),
        Wanted::Url(_) | Wanted::File(_) | Wanted::Unchecked(_) => Ranges::full(),
    }
}

/// The distribution at a URL.
///
/// # Errors
/// Where its name tells no release of the package; the text says what it is instead.
pub(super) fn file_at(url: &Url, name: &PackageName) -> Result<DistributionFile, String> {
    let filename = last_segment(url);
    if url.scheme().contains('+') {
        return Err("a version-controlled project, which would be built from source".to_owned());
    }
    let Some(kind) = DistributionKind::parse(&filename, name) else {
        return Err(if filename.ends_with(".whl") {
            format!("expected a wheel of {name}, found `{filename}`")
        } else {
            format!("{} would be built from source", redacted(url))
        });
    };
    let sha256 = url.fragment().and_then(|text| text.strip_prefix("sha256=")?.parse().ok());
    Ok(DistributionFile {
        kind,
        url: url.clone(),
        sha256,
        size: None,
        requires_python: None,
        yanked: false,
        metadata: MetadataFile::Absent,
    })
}

/// A requirement as the user may have written it: name and range.
fn shown(requirement: &Requirement) -> String {
    let name = &requirement.name;
    match &requirement.wanted {
        Wanted::Release(specifiers) if specifiers.is_empty() => name.to_string(),
        Wanted::Release(specifiers) => {
            format!("{name}{}", specifiers.to_string().replace(' ', ""))
        }
        Wanted::Url(url) => format!("{name} @ {}", redacted(url)),
        Wanted::File(path) => format!("{name} @ {}", path.display()),
        Wanted::Unchecked(_) => name.to_string(),
    }
}
