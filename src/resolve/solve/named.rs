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
    /// Where overrides name a package and how.
    pub(super) override_places: BTreeMap<PackageName, Vec<(Location, String)>>,
    /// Two files of one package that the user names, and where.
    pub(super) clash: Option<String>,
    file_places: BTreeMap<PackageName, (Location, String)>,
    pinned: BTreeMap<PackageName, Vec<Version>>,
    names_prerelease: BTreeSet<PackageName>,
}

impl Named {
    pub(super) fn new(request: &Request) -> Self {
        let applies =
            |requirement: &&Requirement| requirement.marker.evaluate(&request.environment, &[]);
        let mut named = Self::default();
        for requirement in &request.overrides {
            let list = named.overrides.entry(requirement.name.clone()).or_default();
            if requirement.marker.evaluate(&request.environment, &[]) {
                list.push(requirement.clone());
                let place = (requirement.location.clone(), shown(requirement));
                named.override_places.entry(requirement.name.clone()).or_default().push(place);
                named.take(requirement);
            }
        }
        for requirement in &request.required {
            let place = (requirement.location.clone(), shown(requirement));
            named.places.entry(requirement.name.clone()).or_default().push(place);
            // An override stands in place of all of it: pins, files and digests too.
            if !named.overrides.contains_key(&requirement.name) {
                named.take(requirement);
            }
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
        named.check_files();
        named
    }

    fn take(&mut self, requirement: &Requirement) {
        let name = &requirement.name;
        if let Some(index) = &requirement.index
            && let Some(other) = self.indexes.insert(name.clone(), index.clone())
            && other != *index
        {
            let reason = format!("it is asked for from two indexes, `{other}` and `{index}`");
            self.not_looked_at.insert(name.clone(), reason);
        }
        if !requirement.hashes.is_empty() {
            self.take_hashes(name, &requirement.hashes);
        }
        match &requirement.wanted {
            Wanted::Release(specifiers) => self.take_specifiers(name, specifiers),
            Wanted::Url(url) => self.take_file(requirement, file_at(url, name)),
            Wanted::File(path) => {
                let file = std::path::absolute(path)
                    .ok()
                    .and_then(|path| Url::from_file_path(path).ok())
                    .ok_or_else(|| "its path is none of a file".to_owned())
                    .and_then(|url| file_at(&url, name));
                self.take_file(requirement, file);
            }
            Wanted::Unchecked(reason) => {
                self.not_looked_at.insert(name.clone(), reason.clone());
            }
        }
    }

    /// As in pip, a file has to suit every requirement that states digests.
    fn take_hashes(&mut self, name: &PackageName, hashes: &[Sha256]) {
        let allowed: Vec<Sha256> = match self.hashes.get(name) {
            None => hashes.to_vec(),
            Some(known) => known.iter().copied().filter(|one| hashes.contains(one)).collect(),
        };
        if allowed.is_empty() {
            let reason = "no file can have the hashes that several requirements ask for";
            self.not_looked_at.insert(name.clone(), reason.to_owned());
            return;
        }
        self.hashes.insert(name.clone(), allowed);
    }

    fn take_file(&mut self, requirement: &Requirement, file: Result<DistributionFile, String>) {
        let name = &requirement.name;
        let file = match file {
            Ok(file) => file,
            Err(reason) => {
                self.not_looked_at.insert(name.clone(), reason);
                return;
            }
        };
        let place = (requirement.location.clone(), shown(requirement));
        match self.files.get_mut(name) {
            None => {
                self.files.insert(name.clone(), file);
                self.file_places.insert(name.clone(), place);
            }
            Some(known) if same_file(&known.url, &file.url) => {
                known.sha256 = known.sha256.or(file.sha256);
            }
            Some(_) => {
                if let Some((first, text)) = self.file_places.get(name) {
                    let (second, other) = place;
                    self.clash.get_or_insert_with(|| {
                        format!("{first} asks for {text} and {second} for {other}, which are different files")
                    });
                }
            }
        }
    }

    /// Whether the files that the user names have the digests that are asked for is told before
    /// they are fetched, or the digest goes with them.
    fn check_files(&mut self) {
        for (name, file) in std::mem::take(&mut self.files) {
            match self.with_required_hash(&name, file) {
                Ok(file) => {
                    self.files.insert(name, file);
                }
                Err(reason) => {
                    self.not_looked_at.insert(name, reason);
                }
            }
        }
    }

    /// A file with the digest it has to have.
    ///
    /// # Errors
    /// Where it has none of those that are asked for, or several could be meant.
    pub(super) fn with_required_hash(
        &self,
        name: &PackageName,
        file: DistributionFile,
    ) -> Result<DistributionFile, String> {
        let hashes = self.hashes.get(name).map_or(&[][..], Vec::as_slice);
        match (file.sha256, hashes) {
            (_, []) => Ok(file),
            (Some(stated), hashes) if hashes.contains(&stated) => Ok(file),
            (Some(_), _) => Err("its URL states another hash than those required".to_owned()),
            (None, [one]) => Ok(DistributionFile { sha256: Some(*one), ..file }),
            (None, _) => Err("which of the required hashes it has is not known".to_owned()),
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

    /// Whether constraints leave a release.
    pub(super) fn allows(&self, name: &PackageName, version: &Version) -> bool {
        self.constraints.get(name).is_none_or(|bound| bound.contains(version))
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

/// Whether two URLs name one file, whatever digests they state.
pub(super) fn same_file(one: &Url, other: &Url) -> bool {
    let without_digest = |url: &Url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url
    };
    without_digest(one) == without_digest(other)
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
