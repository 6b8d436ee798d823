//! Whether a project still is what its lock was made from, by the digest that pdm keeps of it.

use std::collections::BTreeSet;

use pep508_rs::PackageName;
use serde_json::{Map, Value, json};

use super::super::project::Project;
use super::super::python_json::{self, Separators};
use super::super::{Gap, InputError};
use super::schema::Lock;
use crate::model::requirement::{GroupName, Section};

/// Whether the project has changed since: by the digest that the lock has of it, else by the names.
pub(super) fn staleness(project: &Project, lock: &Lock) -> Result<Vec<Gap>, InputError> {
    if let Some(hash) = lock.metadata.content_hash.as_deref() {
        let stated = hash.strip_prefix("sha256:");
        let known = content_hashes(project).unwrap_or_default();
        if stated.is_some_and(|stated| known.iter().any(|hash| hash == stated)) {
            return Ok(Vec::new());
        }
        return Ok(vec![Gap::Always(
            "pyproject.toml has changed since the lock was made: `pdm lock` writes it anew"
                .to_owned(),
        )]);
    }
    let locked: BTreeSet<&PackageName> =
        lock.packages.iter().map(|package| &package.get_ref().name).collect();
    let groups: BTreeSet<GroupName> =
        lock.metadata.groups.iter().map(|group| GroupName::new(group)).collect();
    let is_locked = |section: &Section| match section {
        Section::Extra(extra) => groups.contains(&GroupName::new(extra.as_ref())),
        Section::Group(group) => groups.contains(group),
        _ => true,
    };
    let named = project.named()?.into_iter().filter(|named| is_locked(&named.section));
    let missing = named.filter(|named| {
        Some(&named.name) != project.name.as_ref() && !locked.contains(&named.name)
    });
    Ok(missing
        .map(|named| {
            Gap::Always(format!(
                "pyproject.toml depends on `{}`, which the lock does not know: is it up to date? \
                 `pdm lock` writes it anew",
                named.name
            ))
        })
        .collect())
}

/// pdm's `PyProject.content_hash`: the digest of the project, and that which former releases
/// made of it.
fn content_hashes(project: &Project) -> Option<[String; 2]> {
    let pyproject: Value = toml::from_str(&project.document.source().text).ok()?;
    let part = |names: &[&str]| {
        let mut at = Some(&pyproject);
        for name in names {
            at = at.and_then(|table| table.get(name));
        }
        at.cloned()
    };
    let mut groups = Map::new();
    for table in [part(&["dependency-groups"]), part(&["tool", "pdm", "dev-dependencies"])] {
        for (name, items) in table.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let all = groups.entry(GroupName::new(name).to_string()).or_insert_with(|| json!([]));
            if let (Some(all), Some(items)) = (all.as_array_mut(), items.as_array()) {
                all.extend(items.iter().cloned());
            }
        }
    }
    let content = json!({
        "sources": part(&["tool", "pdm", "source"]).unwrap_or_else(|| json!([])),
        "dependencies": part(&["project", "dependencies"]).unwrap_or_else(|| json!([])),
        "dev-dependencies": groups,
        "optional-dependencies":
            part(&["project", "optional-dependencies"]).unwrap_or_else(|| json!({})),
        "requires-python": part(&["project", "requires-python"]).unwrap_or_else(|| json!("")),
        "resolution": part(&["tool", "pdm", "resolution"]).unwrap_or_else(|| json!({})),
    });
    let mut older = content.clone();
    if let Some(older) = older.as_object_mut() {
        let dev = part(&["tool", "pdm", "dev-dependencies"]).unwrap_or_else(|| json!({}));
        older.insert("dev-dependencies".to_owned(), dev);
        let overrides = part(&["tool", "pdm", "overrides"])
            .or_else(|| part(&["tool", "pdm", "resolution", "overrides"]));
        older.insert("overrides".to_owned(), overrides.unwrap_or_else(|| json!({})));
        older.remove("resolution");
    }
    Some([content, older].map(|content| python_json::sha256(&content, Separators::Spaced)))
}
