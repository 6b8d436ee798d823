//! Whether a project still is what its lock was made from, by the digest that poetry keeps of it.

use serde_json::{Map, Value, json};

use super::super::Source;
use super::super::project::Project;
use super::super::python_json::{self, Separators};

/// Whether the project still is what the lock was made from (poetry's `Locker.is_fresh`).
pub(super) fn is_fresh(project: &Project, lock: &Source, stated: &str, is_older: bool) -> bool {
    // It was read before: this cannot fail.
    let Ok(pyproject) = toml::from_str::<Value>(&project.document.source().text) else {
        return false;
    };
    if content_hash(&pyproject, true) == stated {
        return true;
    }
    // Before version 2.1 of the format, poetry read nothing of `[project]`.
    if is_older {
        return python_json::sha256(&keys_of_poetry(&pyproject, true), Separators::Spaced)
            == stated;
    }
    // Before poetry 2.3 the digest did not include `[dependency-groups]`.
    let writer = lock.text.lines().next().and_then(|line| line.split_once("Poetry "));
    let is_old = writer.and_then(|(_, rest)| numbers_of(rest)).is_some_and(|by| by < (2, 3));
    is_old && content_hash(&pyproject, false) == stated
}

fn numbers_of(text: &str) -> Option<(u32, u32)> {
    let version = text.split_whitespace().next()?;
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// poetry's `Locker._get_content_hash`.
fn content_hash(pyproject: &Value, with_groups: bool) -> String {
    let part = |names: &[&str]| part(pyproject, names);
    let mut project = Map::new();
    for key in ["requires-python", "dependencies", "optional-dependencies"] {
        if let Some(value) = part(&["project", key]) {
            project.insert(key.to_owned(), value.clone());
        }
    }
    let groups = part(&["dependency-groups"])
        .filter(|groups| with_groups && groups.as_object().is_some_and(|all| !all.is_empty()));
    let is_legacy = project.is_empty() && groups.is_none();
    let poetry = keys_of_poetry(pyproject, is_legacy);
    let mut content = Map::new();
    if !project.is_empty() {
        content.insert("project".to_owned(), Value::Object(project));
    }
    if let Some(groups) = groups {
        content.insert("dependency-groups".to_owned(), groups.clone());
    }
    let content = if is_legacy {
        poetry
    } else {
        content.insert("tool".to_owned(), json!({ "poetry": poetry }));
        Value::Object(content)
    };
    python_json::sha256(&content, Separators::Spaced)
}

fn part<'a>(table: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().try_fold(table, |table, name| table.get(name))
}

/// The keys of `[tool.poetry]` that count; one that is missing is null where nothing else does.
fn keys_of_poetry(pyproject: &Value, is_legacy: bool) -> Value {
    const LEGACY: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];
    let mut poetry = Map::new();
    for key in LEGACY.into_iter().chain(["group"]) {
        match part(pyproject, &["tool", "poetry", key]) {
            Some(value) => poetry.insert(key.to_owned(), value.clone()),
            None if is_legacy && LEGACY.contains(&key) => {
                poetry.insert(key.to_owned(), Value::Null)
            }
            None => None,
        };
    }
    Value::Object(poetry)
}
