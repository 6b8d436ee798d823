//! What uv's variables and files say: `uv.toml`, or `[tool.uv]` in a `pyproject.toml`.

use std::path::Path;

use serde::Deserialize;

use super::values::{self, Values};
use super::{CommandLine, ConfigError, Environment};
use crate::model::index::{IndexSettings, IndexSource};

/// What uv's files say, by importance.
#[derive(Default)]
pub(super) struct Files {
    /// The one of the project, or above it.
    pub(super) project: Option<Values>,
    /// Those of the user and the system.
    pub(super) others: Vec<Values>,
}

/// The keys that are about indexes; others are for other tools to check.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct Table {
    index: Vec<Index>,
    index_url: Option<String>,
    extra_index_url: Vec<String>,
    find_links: Vec<String>,
    no_index: Option<bool>,
    index_strategy: Option<String>,
    offline: Option<bool>,
    prerelease: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Index {
    name: Option<String>,
    url: String,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    explicit: bool,
    format: Option<String>,
    #[serde(default)]
    ignore_error_codes: Vec<u16>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Pyproject {
    tool: Option<Tool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tool {
    uv: Option<Table>,
}

/// The variables. One whose option is given says nothing, as in uv.
pub(super) fn of_environment(
    environment: &Environment,
    given: &CommandLine,
) -> Result<Values, ConfigError> {
    let folder = &environment.folder;
    let words = |name: &'static str, is_given: bool| {
        let text = environment.get(name).filter(|_| !is_given).unwrap_or_default();
        text.split_whitespace().map(move |word| (name, word))
    };
    let default_is_given = given.default_index.is_some();
    let mut indexes = Vec::new();
    for (name, word) in words("UV_INDEX", !given.index.is_empty()) {
        indexes.push(values::named(name, word, folder)?);
    }
    for (name, word) in words("UV_EXTRA_INDEX_URL", !given.extra_index_url.is_empty()) {
        indexes.push(values::source(name, word, folder)?);
    }
    for name in ["UV_DEFAULT_INDEX", "UV_INDEX_URL"] {
        if let Some(text) = environment.get(name).filter(|_| !default_is_given) {
            indexes.push(values::default(name, text, folder)?);
        }
    }
    let find_links = environment
        .get("UV_FIND_LINKS")
        .filter(|_| given.find_links.is_empty())
        .unwrap_or_default()
        .split(',')
        .filter(|text| !text.trim().is_empty())
        .map(|text| values::links("UV_FIND_LINKS", text, folder))
        .collect::<Result<_, _>>()?;
    let switch = |name| environment.get(name).map_or(Ok(false), |text| values::switch(name, text));
    let strategy = environment.get("UV_INDEX_STRATEGY");
    let prereleases = environment.get("UV_PRERELEASE");
    let paths = |name| words(name, false).map(|(_, word)| folder.join(word)).collect();
    Ok(Values {
        indexes: IndexSettings {
            indexes,
            find_links,
            no_index: switch("UV_NO_INDEX")?,
            strategy: strategy
                .map(|text| values::strategy("UV_INDEX_STRATEGY", text))
                .transpose()?,
        },
        offline: switch("UV_OFFLINE")?,
        constraints: paths("UV_CONSTRAINT"),
        overrides: paths("UV_OVERRIDE"),
        prereleases: prereleases
            .map(|text| values::prereleases("UV_PRERELEASE", text))
            .transpose()?,
        ..Values::default()
    })
}

/// The files: the one that `UV_CONFIG_FILE` names and no other, or that of the project, the user and
/// the system.
pub(super) fn files(environment: &Environment, project: &Path) -> Result<Files, ConfigError> {
    if let Some(path) = environment.path("UV_CONFIG_FILE") {
        let text = std::fs::read_to_string(&path).map_err(|problem| {
            let origin = format!("UV_CONFIG_FILE: {}", path.display());
            ConfigError::new(&origin, format!("the file cannot be read: {problem}"))
        })?;
        return Ok(Files { project: Some(of_file(&path, &text)?), others: Vec::new() });
    }
    let forbidden = environment.get("UV_NO_CONFIG");
    if forbidden.map_or(Ok(false), |text| values::switch("UV_NO_CONFIG", text))? {
        return Ok(Files::default());
    }
    let mut files = Files { project: of_project(environment, project)?, others: Vec::new() };
    for path in &environment.uv_files {
        if let Some(text) = text_of(path)? {
            files.others.push(of_file(path, &text)?);
        }
    }
    Ok(files)
}

/// The nearest `uv.toml` or `[tool.uv]`, from the project's folder upwards; of both in one folder
/// the first.
fn of_project(environment: &Environment, project: &Path) -> Result<Option<Values>, ConfigError> {
    let project = environment.folder.join(project);
    for folder in project.ancestors() {
        let path = folder.join("uv.toml");
        if let Some(text) = text_of(&path)? {
            return of_file(&path, &text).map(Some);
        }
        let path = folder.join("pyproject.toml");
        let Some(text) = text_of(&path)? else { continue };
        // One that cannot be read is told where the project itself is read, or is not of this
        // project.
        let Ok(document) = toml::from_str::<Pyproject>(&text) else { continue };
        if let Some(table) = document.tool.and_then(|tool| tool.uv) {
            return of_table(&path, table).map(Some);
        }
    }
    Ok(None)
}

/// The text of a file; `None` where there is none.
fn text_of(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(_) if !path.is_file() => Ok(None),
        Err(problem) => {
            let origin = path.display().to_string();
            Err(ConfigError::new(&origin, format!("the file cannot be read: {problem}")))
        }
    }
}

fn of_file(path: &Path, text: &str) -> Result<Values, ConfigError> {
    let table = toml::from_str(text).map_err(|problem: toml::de::Error| {
        let start = problem.span().map_or(0, |span| span.start);
        let shown = path.display().to_string();
        let place = crate::model::location::Location::of_offset(&shown, text, start);
        ConfigError::new(&place.to_string(), problem.message().trim_end_matches('.'))
    })?;
    of_table(path, table)
}

/// What an index says instead of 404.
fn statuses(origin: &str, codes: Vec<u16>) -> Result<Vec<u16>, ConfigError> {
    match codes.iter().find(|code| !(100..1000).contains(*code)) {
        None => Ok(codes),
        Some(code) => {
            let problem = format!("expected status codes of HTTP, found `{code}`");
            Err(ConfigError::new(&format!("{origin}.ignore-error-codes"), problem))
        }
    }
}

fn of_table(path: &Path, table: Table) -> Result<Values, ConfigError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let origin = |key: &str| format!("{}: {key}", path.display());
    let mut settings =
        IndexSettings { no_index: table.no_index.unwrap_or(false), ..Default::default() };
    for index in table.index {
        let of_index = origin("index");
        match index.format.as_deref() {
            None | Some("simple") => settings.indexes.push(IndexSource {
                name: index.name,
                is_default: index.default,
                explicit: index.explicit,
                ignored_statuses: statuses(&of_index, index.ignore_error_codes)?,
                ..values::source(&of_index, &index.url, folder)?
            }),
            Some("flat") => settings.find_links.push(values::links(&of_index, &index.url, folder)?),
            Some(other) => {
                let problem = format!("expected the format `simple` or `flat`, found `{other}`");
                return Err(ConfigError::new(&of_index, problem));
            }
        }
    }
    for text in &table.extra_index_url {
        settings.indexes.push(values::source(&origin("extra-index-url"), text, folder)?);
    }
    if let Some(text) = &table.index_url {
        settings.indexes.push(values::default(&origin("index-url"), text, folder)?);
    }
    for text in &table.find_links {
        settings.find_links.push(values::links(&origin("find-links"), text, folder)?);
    }
    if let Some(text) = &table.index_strategy {
        settings.strategy = Some(values::strategy(&origin("index-strategy"), text)?);
    }
    let prereleases = table.prerelease.as_deref();
    Ok(Values {
        indexes: settings,
        offline: table.offline.unwrap_or(false),
        prereleases: prereleases
            .map(|text| values::prereleases(&origin("prerelease"), text))
            .transpose()?,
        ..Values::default()
    })
}
