//! Whether what a project asks for is what its lock was made for: one requirement against those of
//! the lock, by name, extras, versions, place and marker.
//!
//! Which of a lock's lists to compare with is told in [`super::freshness`].

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName, Requirement, VerbatimUrl, VersionOrUrl};

use super::schema::{Metadata, Package, RequiredName};
use crate::input::document::{Item, Table};
use crate::input::project::{Named, Project};
use crate::input::{Gap, InputError};
use crate::model::location::redacted_text;
use crate::model::pep508;
use crate::model::requirement::{GroupName, Section};

/// Where projects say that packages are taken from, other than from an index (`tool.uv.sources`).
#[derive(Debug, Default)]
pub(super) struct Sources(BTreeMap<PackageName, Elsewhere>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Elsewhere {
    /// Wherever it is asked for.
    Always,
    /// From this address, wherever it is asked for.
    Url(String),
    /// In some places.
    Sometimes,
}

impl Sources {
    /// Adds what a project says; what was added before counts.
    ///
    /// # Errors
    /// Where a table is of another shape.
    pub(super) fn add(&mut self, project: &Project) -> Result<(), InputError> {
        let table = project.tool("uv")?.map(|uv| uv.table("sources")).transpose()?.flatten();
        for item in table.into_iter().flat_map(Table::items) {
            let Ok(name) = item.key().parse::<PackageName>() else { continue };
            let is_elsewhere = |table: Table<'_>| {
                ["git", "url", "path", "workspace"].iter().any(|key| table.get(key).is_some())
            };
            let found = if item.is_list() {
                let mut tables = item.list()?.into_iter().filter_map(|item| item.table().ok());
                tables.any(is_elsewhere).then_some(Elsewhere::Sometimes)
            } else {
                let table = item.table()?;
                let in_part =
                    ["marker", "extra", "group"].iter().any(|key| table.get(key).is_some());
                let url = table.get("url").and_then(Item::as_text);
                is_elsewhere(table).then(|| match url {
                    _ if in_part => Elsewhere::Sometimes,
                    Some(url) => Elsewhere::Url(url.to_owned()),
                    None => Elsewhere::Always,
                })
            };
            if let Some(found) = found {
                self.0.entry(name).or_insert(found);
            }
        }
        Ok(())
    }
}

/// What is asked for and was not, or not everywhere, when the lock was made. `locked` is the list
/// that the same part of the project had then.
pub(super) fn changed(
    named: &Named,
    locked: &[&RequiredName],
    sources: &Sources,
    file: &str,
) -> Option<Gap> {
    const HINT: &str = "is it up to date? `uv lock` writes it anew";
    let (name, part) = (&named.name, part(&named.section));
    let locked: Vec<&RequiredName> = locked.iter().copied().filter(|it| it.name == *name).collect();
    let now = redacted_text(named.text.trim());
    if locked.is_empty() {
        let told = format!("{file} {part} `{name}`, which the lock does not know: {HINT}");
        return Some(Gap::Always(told));
    }
    // Other tools' tables, and texts that are no requirement of the standard, have names alone.
    let asked = pep508::requirement(&named.text).ok()?;
    let same: Vec<&RequiredName> =
        locked.iter().copied().filter(|it| same(&asked, it, sources)).collect();
    if same.is_empty() {
        let before: Vec<String> = locked.iter().map(|it| format!("`{}`", it.shown())).collect();
        let before = before.join(" and ");
        let told = format!("{file} {part} `{now}`, and the lock was made for {before}: {HINT}");
        return Some(Gap::Always(told));
    }
    // The extra that the requirement stands in is part of the lock's marker.
    let extra: &[ExtraName] = match &named.section {
        Section::Extra(extra) => std::slice::from_ref(extra),
        _ => &[],
    };
    let asked = asked.marker.simplify_extras(extra);
    let known: Vec<MarkerTree> =
        same.iter().filter_map(|it| marker_of(it)).map(|it| it.simplify_extras(extra)).collect();
    if known.iter().any(|known| known.is_true() || *known == asked) {
        return None;
    }
    // uv leaves out of a marker what the range of Python versions decides, so that it may be another
    // and mean the same: where it applies tells.
    let told = format!("{file} {part} `{now}`, and the lock has it for other environments: {HINT}");
    Some(Gap::Narrower { asked, known, told })
}

/// The marker that a requirement of the lock has; `None` for one that cannot be read, which is known
/// to apply nowhere.
fn marker_of(locked: &RequiredName) -> Option<MarkerTree> {
    locked.marker.as_deref().map_or(Some(MarkerTree::TRUE), |text| pep508::marker(text).ok())
}

fn part(section: &Section) -> String {
    match section {
        Section::Any | Section::Base => "depends on".to_owned(),
        Section::Extra(extra) => format!("has in its extra `{extra}`"),
        Section::Group(group) => format!("has in its group `{group}`"),
    }
}

/// What a part of a project asked for when it was locked; `None` where the lock does not say.
pub(super) fn locked<'l>(
    named: &Named,
    metadata: &'l Metadata,
    package: &Package,
) -> Option<Vec<&'l RequiredName>> {
    // What cannot be read may stand anywhere.
    let is_of = |it: &RequiredName, extras: &[ExtraName]| {
        marker_of(it).is_none_or(|marker| marker.evaluate_extras(extras))
    };
    let all = metadata.requires_dist.iter();
    match &named.section {
        Section::Any => None,
        Section::Base => {
            // One that asks for an extra in its own marker is among those of the extra.
            let asks_extra = pep508::requirement(&named.text)
                .is_ok_and(|asked| !asked.marker.evaluate_extras(&[]));
            Some(all.filter(|it| asks_extra || is_of(it, &[])).collect())
        }
        Section::Extra(extra) => {
            let extra = std::slice::from_ref(extra);
            Some(all.filter(|it| is_of(it, extra) && !is_of(it, &[])).collect())
        }
        Section::Group(group) => match &metadata.requires_dev {
            Some(groups) => {
                let named = groups.iter().find(|(name, _)| GroupName::new(name) == *group);
                Some(named.map(|(_, all)| all.iter().collect()).unwrap_or_default())
            }
            // Before uv wrote them down; there, a group that is locked at all may be any.
            None if package.dev_dependencies.is_empty() => Some(Vec::new()),
            None => None,
        },
    }
}

impl RequiredName {
    /// Whether it was taken from elsewhere than an index, so that versions do not count.
    fn is_elsewhere(&self) -> bool {
        self.specifier.is_none()
            && [&self.url, &self.git, &self.path, &self.directory, &self.editable, &self.r#virtual]
                .into_iter()
                .any(Option::is_some)
    }

    pub(super) fn shown(&self) -> String {
        let extras: Vec<&str> = self.extras.iter().map(AsRef::as_ref).collect();
        let extras =
            if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        format!("{}{extras}{}", self.name, self.specifier.as_deref().unwrap_or_default())
    }
}

fn same(asked: &Requirement<VerbatimUrl>, locked: &RequiredName, sources: &Sources) -> bool {
    let asked_extras: BTreeSet<_> = asked.extras.iter().collect();
    if asked_extras != locked.extras.iter().collect() {
        return false;
    }
    let is_same_url =
        |url: &str| locked.url.as_ref().is_none_or(|before| bare(url) == bare(before));
    let source = sources.0.get(&asked.name);
    match (&asked.version_or_url, source) {
        (Some(VersionOrUrl::Url(url)), _) => {
            return locked.is_elsewhere() && is_same_url(url.given().unwrap_or(url.as_str()));
        }
        (_, Some(Elsewhere::Always)) => return locked.is_elsewhere(),
        (_, Some(Elsewhere::Url(url))) => return locked.is_elsewhere() && is_same_url(url),
        (_, Some(Elsewhere::Sometimes)) if locked.is_elsewhere() => return true,
        (_, None) if locked.is_elsewhere() => return false,
        _ => {}
    }
    let specifiers = |specifiers: &VersionSpecifiers| -> BTreeSet<String> {
        specifiers.iter().map(ToString::to_string).collect()
    };
    let before = locked.specifier.as_deref().unwrap_or_default().parse::<VersionSpecifiers>();
    match (&asked.version_or_url, before) {
        (Some(VersionOrUrl::VersionSpecifier(now)), Ok(before)) => {
            specifiers(now) == specifiers(&before)
        }
        (None, Ok(before)) => before.is_empty(),
        // An address is compared above.
        (Some(VersionOrUrl::Url(_)), _) => false,
        // What cannot be read cannot be compared.
        (_, Err(_)) => true,
    }
}

/// An address without what stands behind `#`, which the lock keeps elsewhere.
fn bare(url: &str) -> &str {
    url.split_once('#').map_or(url, |(url, _)| url).trim()
}
