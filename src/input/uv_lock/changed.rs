//! Whether a project says what it said when its lock was made: uv keeps that in the project's own
//! entry, as `requires-dist` and `requires-dev`.
//!
//! uv compares more before it installs (`uv lock --check`): constraints, overrides, sources. What is
//! compared here is what the project asks for: names, extras, versions.

use std::collections::BTreeSet;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};

use super::schema::{Metadata, Package, RequiredName};
use crate::input::project::Named;
use crate::model::pep508;
use crate::model::requirement::{GroupName, Section};

/// The first thing that is asked for and was not, in words.
pub(super) fn changed(named: &Named, package: &Package) -> Option<String> {
    let metadata = package.metadata.as_ref()?;
    let (name, part) = (&named.name, part(&named.section));
    let locked = locked(&named.section, metadata, package)?;
    let locked: Vec<&RequiredName> = locked.into_iter().filter(|it| it.name == *name).collect();
    if locked.is_empty() {
        return Some(format!("pyproject.toml {part} `{name}`, which the lock does not know"));
    }
    // Other tools' tables, and texts that are no requirement of the standard, have names alone.
    let asked = pep508::requirement(&named.text).ok()?;
    let is_same = |it: &&RequiredName| it.is_elsewhere() || same(&asked, it);
    if locked.iter().any(is_same) {
        return None;
    }
    let before: Vec<String> = locked.iter().map(|it| format!("`{}`", it.shown())).collect();
    let (now, before) = (named.text.trim(), before.join(" and "));
    Some(format!("pyproject.toml {part} `{now}`, and the lock was made for {before}"))
}

fn part(section: &Section) -> String {
    match section {
        Section::Any | Section::Base => "depends on".to_owned(),
        Section::Extra(extra) => format!("has in its extra `{extra}`"),
        Section::Group(group) => format!("has in its group `{group}`"),
    }
}

/// What a part of the project asked for when it was locked; `None` where the lock does not say.
fn locked<'l>(
    section: &Section,
    metadata: &'l Metadata,
    package: &Package,
) -> Option<Vec<&'l RequiredName>> {
    let extra_of = |it: &RequiredName| it.marker.as_ref().is_some_and(|it| it.contains("extra =="));
    let all = metadata.requires_dist.iter();
    match section {
        Section::Any => None,
        // A marker may ask for an extra in ways that are not worth taking apart.
        Section::Base => Some(all.collect()),
        Section::Extra(_) => Some(all.filter(|it| extra_of(it)).collect()),
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

    fn shown(&self) -> String {
        let extras: Vec<&str> = self.extras.iter().map(AsRef::as_ref).collect();
        let extras =
            if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        format!("{}{extras}{}", self.name, self.specifier.as_deref().unwrap_or_default())
    }
}

fn same(asked: &Requirement<VerbatimUrl>, locked: &RequiredName) -> bool {
    let asked_extras: BTreeSet<_> = asked.extras.iter().collect();
    if asked_extras != locked.extras.iter().collect() {
        return false;
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
        // An address: the lock would have one too.
        (Some(VersionOrUrl::Url(_)), _) => false,
        // What cannot be read cannot be compared.
        (_, Err(_)) => true,
    }
}
