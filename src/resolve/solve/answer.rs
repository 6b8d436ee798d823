//! The answer, made of what the solver selected and of what was found out beside it.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName, VersionOrUrl};
use url::Url;

use super::provider::{Package, Provider, Selected};
use super::{Resolution, Resolved, ResolvedRelease};
use crate::resolve::Index;
use crate::resolve::graph::{Graph, Node};

impl<I: Index + 'static> Provider<'_, I> {
    /// The files at URLs that a release of the answer requires.
    fn urls(
        &self,
        name: &PackageName,
        version: &Version,
        extras: &[ExtraName],
    ) -> Vec<(PackageName, Url)> {
        if self.request.no_dependencies {
            return Vec::new();
        }
        let metadata = self.knowledge.metadata(name, version);
        let Ok(metadata) = metadata.as_ref() else { return Vec::new() };
        let mut urls = Vec::new();
        for required in &metadata.requires_dist {
            let applies = std::iter::once(&[][..])
                .chain(extras.chunks(1))
                .any(|extras| self.applies(required, extras));
            if applies
                && let Some(VersionOrUrl::Url(url)) = &required.version_or_url
                && !self.named.overrides.contains_key(&required.name)
            {
                urls.push((required.name.clone(), url.to_url()));
            }
        }
        urls
    }

    /// A package of the answer whose file is that at a URL, though nothing in the answer asks for it.
    pub(super) fn needless_file(&self, selected: &Selected) -> Option<PackageName> {
        let (versions, extras) = by_name(selected);
        let mut needless: BTreeSet<&PackageName> = versions
            .keys()
            .copied()
            .filter(|name| !self.named.files.contains_key(*name))
            .filter(|name| self.knowledge.file(name).is_some())
            .collect();
        if needless.is_empty() {
            return None;
        }
        for (name, version) in &versions {
            let extras = extras.get(name).map_or(&[][..], Vec::as_slice);
            for (required, _) in self.urls(name, version, extras) {
                needless.remove(&required);
            }
        }
        needless.first().map(|name| (*name).clone())
    }

    /// The answer, with what was found out beside it.
    pub(super) fn resolution(&self, selected: &Selected) -> Resolution {
        let (versions, extras) = by_name(selected);
        let mut resolution = Resolution::default();
        resolution.problems.extend(self.aside.borrow().problems.iter().cloned());
        let mut requires: Vec<BTreeSet<PackageName>> = Vec::new();
        // What a release of the answer requires from where nothing can be looked at, though others
        // are content with a release of the index.
        let mut elsewhere: BTreeMap<PackageName, String> = BTreeMap::new();
        for (name, version) in &versions {
            let extras = extras.get(name).map_or(&[][..], Vec::as_slice);
            // One by one, as the solver asks: a marker may hold for no extra and not for one.
            let applying = std::iter::once(&[][..])
                .chain(extras.chunks(1))
                .filter_map(|extras| self.of_release(name, version, extras).ok()?.ok())
                .flatten();
            requires.push(applying.map(|one| one.name).collect());
            for (required, _) in self.urls(name, version, extras) {
                if let Some(reason) = self.aside.borrow().not_looked_at.get(&required) {
                    elsewhere.insert(required, reason.clone());
                }
            }
        }
        for (name, version) in &versions {
            resolution.packages.push(match elsewhere.remove(*name) {
                None => self.resolved(name, version),
                Some(reason) => Resolved {
                    name: (*name).clone(),
                    release: ResolvedRelease::NotLookedAt { pinned: None, reason },
                    hashes: Vec::new(),
                    is_unusable: false,
                    unknown_requirements: None,
                },
            });
        }
        // What is not looked at stands in the answer where something in it asks for it.
        let asked: BTreeSet<PackageName> = requires
            .iter()
            .flatten()
            .cloned()
            .chain(self.of_root().into_iter().map(|one| one.name))
            .filter(|name| !versions.contains_key(name))
            .collect();
        let aside = self.aside.borrow();
        for name in asked {
            let reason = aside.not_looked_at.get(&name).or_else(|| aside.unfit.get(&name)).cloned();
            let reason = reason.unwrap_or_else(|| "no release fits what is required".to_owned());
            let pinned = self.named.pinned(&name).cloned();
            resolution.packages.push(Resolved {
                release: ResolvedRelease::NotLookedAt { pinned, reason },
                hashes: Vec::new(),
                is_unusable: false,
                unknown_requirements: None,
                name,
            });
            requires.push(BTreeSet::new());
        }
        resolution.graph = self.graph(&resolution.packages, &requires);
        resolution
    }

    fn resolved(&self, name: &PackageName, version: &Version) -> Resolved {
        let releases = self.knowledge.releases(name);
        let files =
            releases.as_ref().as_ref().ok().and_then(|releases| releases.release(version)).map(
                |release| {
                    let installable: Vec<_> =
                        release.installable(self.request.target).cloned().collect();
                    if installable.is_empty() { release.files.clone() } else { installable }
                },
            );
        let release = match self.knowledge.file(name) {
            Some(file) => ResolvedRelease::File(version.clone(), Box::new(file)),
            None => ResolvedRelease::Chosen(version.clone(), files.unwrap_or_default()),
        };
        let metadata =
            (!self.request.no_dependencies).then(|| self.knowledge.metadata(name, version));
        let unknown_requirements =
            metadata.and_then(|metadata| metadata.as_ref().as_ref().err().map(ToString::to_string));
        let hashes = self.named.hashes.get(name).cloned().unwrap_or_default();
        let of_version = releases.as_ref().as_ref().ok().and_then(|all| all.release(version));
        let is_unusable = of_version.is_some_and(|release| !release.usable);
        Resolved { name: name.clone(), release, hashes, is_unusable, unknown_requirements }
    }

    fn graph(&self, packages: &[Resolved], requires: &[BTreeSet<PackageName>]) -> Graph {
        let places: BTreeMap<&PackageName, usize> =
            packages.iter().enumerate().map(|(index, one)| (&one.name, index)).collect();
        let nodes = packages.iter().zip(requires).map(|(package, requires)| {
            let version = match &package.release {
                ResolvedRelease::Chosen(version, _) | ResolvedRelease::File(version, _) => {
                    Some(version.to_string())
                }
                ResolvedRelease::NotLookedAt { pinned, .. } => {
                    pinned.as_ref().map(ToString::to_string)
                }
            };
            let named = self.named.places.get(&package.name).and_then(|places| places.first());
            Node {
                name: package.name.to_string(),
                version,
                direct: named.map(|(location, _)| location.clone()),
                requires: requires
                    .iter()
                    .filter(|name| **name != package.name)
                    .filter_map(|name| places.get(name).copied())
                    .collect(),
            }
        });
        Graph { nodes: nodes.collect() }
    }
}

/// The releases of an answer and the extras asked of them, by name.
fn by_name(
    selected: &Selected,
) -> (BTreeMap<&PackageName, &Version>, BTreeMap<&PackageName, Vec<ExtraName>>) {
    let mut versions = BTreeMap::new();
    let mut extras: BTreeMap<&PackageName, Vec<ExtraName>> = BTreeMap::new();
    for (package, version) in selected.iter() {
        match package {
            Package::Root => {}
            Package::Named(name) => {
                versions.insert(name, version);
            }
            Package::Extra(name, extra) => extras.entry(name).or_default().push(extra.clone()),
        }
    }
    (versions, extras)
}
