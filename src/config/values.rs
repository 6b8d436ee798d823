//! Values as texts, and what one place says of all settings.

use std::path::{Path, PathBuf};

use url::Url;

use super::{CommandLine, ConfigError, Environment};
use crate::model::access::Authorities;
use crate::model::index::{IndexSettings, IndexSource, IndexStrategy, LinksSource};
use crate::model::requirement::Prereleases;

/// What one place says, and then what all say so far.
#[derive(Default)]
pub(super) struct Values {
    pub(super) indexes: IndexSettings,
    pub(super) authorities: Option<Authorities>,
    pub(super) proxy: Option<Url>,
    pub(super) offline: bool,
    pub(super) constraints: Vec<PathBuf>,
    pub(super) overrides: Vec<PathBuf>,
    pub(super) prereleases: Option<Prereleases>,
}

impl Values {
    /// Adds what a less important place says.
    pub(super) fn add(&mut self, other: Self) {
        self.indexes.extend(other.indexes);
        self.authorities = self.authorities.take().or(other.authorities);
        self.proxy = self.proxy.take().or(other.proxy);
        self.offline |= other.offline;
        self.constraints.extend(other.constraints);
        self.overrides.extend(other.overrides);
        self.prereleases = self.prereleases.or(other.prereleases);
    }
}

pub(super) fn of_command_line(
    given: &CommandLine,
    environment: &Environment,
) -> Result<Values, ConfigError> {
    let folder = &environment.folder;
    let mut indexes = Vec::new();
    for text in &given.index {
        indexes.push(named("--index", text, folder)?);
    }
    for text in &given.extra_index_url {
        indexes.push(source("--extra-index-url", text, folder)?);
    }
    if let Some(text) = &given.default_index {
        indexes.push(default("--default-index", text, folder)?);
    }
    let links = given.find_links.iter().map(|text| links("--find-links", text, folder));
    Ok(Values {
        indexes: IndexSettings {
            indexes,
            find_links: links.collect::<Result<_, _>>()?,
            no_index: given.no_index,
            strategy: given.index_strategy,
        },
        offline: given.offline,
        ..Values::default()
    })
}

/// An index by its URL or its folder.
pub(super) fn source(origin: &str, text: &str, folder: &Path) -> Result<IndexSource, ConfigError> {
    let url = url(origin, text, folder)?;
    Ok(IndexSource::new(url))
}

/// An index that takes the place of the public one.
pub(super) fn default(origin: &str, text: &str, folder: &Path) -> Result<IndexSource, ConfigError> {
    // A default index may be named too.
    Ok(IndexSource { is_default: true, ..named(origin, text, folder)? })
}

/// An index, as `NAME=URL` or by its URL alone.
pub(super) fn named(origin: &str, text: &str, folder: &Path) -> Result<IndexSource, ConfigError> {
    let is_name = |name: &str| {
        let mut letters = name.chars();
        !name.is_empty()
            && letters.all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
    };
    match text.trim().split_once('=').filter(|(name, _)| is_name(name)) {
        Some((name, rest)) => {
            Ok(IndexSource { name: Some(name.to_owned()), ..source(origin, rest, folder)? })
        }
        None => source(origin, text, folder),
    }
}

/// A URL, or a path seen from `folder`.
pub(super) fn url(origin: &str, text: &str, folder: &Path) -> Result<Url, ConfigError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ConfigError::new(origin, "expected a URL, found nothing"));
    }
    if text.contains("://") || text.starts_with("file:") {
        // The text itself is not shown: it may hold a password.
        let url = Url::parse(text)
            .map_err(|problem| ConfigError::new(origin, format!("expected a URL: {problem}")))?;
        return match url.scheme() {
            "http" | "https" | "file" => Ok(url),
            other => Err(ConfigError::new(
                origin,
                format!("expected an http, https or file URL, found `{other}`"),
            )),
        };
    }
    let path = std::path::absolute(folder.join(text))
        .map_err(|problem| ConfigError::new(origin, problem.to_string()))?;
    if !path.exists() {
        // Not shown either: what lacks its scheme may hold a password all the same.
        let problem = "expected a URL or the path of a folder, found neither";
        return Err(ConfigError::new(origin, problem));
    }
    Url::from_directory_path(&path)
        .map_err(|()| ConfigError::new(origin, format!("`{text}` cannot be made a URL")))
}

/// A folder, a file or a page of files.
pub(super) fn links(origin: &str, text: &str, folder: &Path) -> Result<LinksSource, ConfigError> {
    let text = text.trim();
    if text.contains("://") || text.starts_with("file:") {
        return url(origin, text, folder).map(LinksSource::Page);
    }
    if text.is_empty() {
        return Err(ConfigError::new(origin, "expected a path or a URL, found nothing"));
    }
    Ok(LinksSource::Path(folder.join(text)))
}

/// What is done where several indexes have a package, as uv's option names it.
pub(super) fn strategy(origin: &str, text: &str) -> Result<IndexStrategy, ConfigError> {
    match text.trim() {
        "first-index" => Ok(IndexStrategy::FirstIndex),
        "unsafe-best-match" => Ok(IndexStrategy::BestMatch),
        other => Err(ConfigError::new(
            origin,
            format!("expected `first-index` or `unsafe-best-match`, found `{other}`"),
        )),
    }
}

/// How pre-releases are chosen, as uv's option names it.
pub(super) fn prereleases(origin: &str, text: &str) -> Result<Prereleases, ConfigError> {
    match text.trim() {
        "allow" => Ok(Prereleases::Allow),
        "disallow" => Ok(Prereleases::Disallow),
        "if-necessary" => Ok(Prereleases::IfNecessary),
        "explicit" => Ok(Prereleases::Explicit),
        "if-necessary-or-explicit" => Ok(Prereleases::IfNecessaryOrExplicit),
        other => Err(ConfigError::new(
            origin,
            format!(
                "expected `allow`, `disallow`, `if-necessary`, `explicit` or \
                 `if-necessary-or-explicit`, found `{other}`"
            ),
        )),
    }
}

/// A switch, in the words that uv and pip take.
pub(super) fn switch(origin: &str, text: &str) -> Result<bool, ConfigError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        other => {
            Err(ConfigError::new(origin, format!("expected `true` or `false`, found `{other}`")))
        }
    }
}

/// Gives a named index the credentials that the environment has for it, which count before those in
/// its URL, as in uv.
pub(super) fn credential(source: &mut IndexSource, environment: &Environment) {
    let Some(name) = &source.name else { return };
    let name: String = name
        .chars()
        .map(
            |letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' },
        )
        .collect();
    let user = environment.get(&format!("UV_INDEX_{name}_USERNAME"));
    let password = environment.get(&format!("UV_INDEX_{name}_PASSWORD"));
    if user.is_none() && password.is_none() {
        return;
    }
    // Both fail only for URLs without a host, which need none.
    let _ = source.url.set_username(user.unwrap_or_default());
    let _ = source.url.set_password(password);
}
