//! What the command line, the environment and the files of uv and pip say of indexes and of the way
//! to them.
//!
//! What the project's own files say is read in [`crate::input`] and given to
//! [`NetworkSettings::gather`]. In order of importance:
//!
//! 1. the command line
//! 2. uv's variables, `UV_…`; each only where the command line says nothing of the same kind, and a
//!    `uv.toml` above the project, or the `[tool.uv]` table there
//! 3. the project's own files
//! 4. uv's files of the user and of the system
//! 5. pip's variables, `PIP_…`, then pip's files: each value of its own, not joined
//!
//! Of default indexes the most important counts, of those with one name too; all others add up in
//! this order.

mod pip;
mod places;
mod uv;
mod values;

use std::path::{Path, PathBuf};

use crate::model::access::{AccessSettings, Authorities};
use crate::model::index::{IndexSettings, IndexSource, IndexStrategy};
use crate::model::requirement::Prereleases;

pub use places::{Environment, System};
use values::{Values, credential};

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct ConfigError {
    /// The option, the variable or the file and key.
    pub origin: String,
    /// What was expected and what was found, without credentials.
    pub problem: String,
}

impl ConfigError {
    fn new(origin: &str, problem: impl Into<String>) -> Self {
        let problem = crate::model::location::redacted_text(&problem.into());
        Self { origin: origin.to_owned(), problem }
    }
}

/// What the command line says, as it was typed.
#[derive(Clone, Default)]
pub struct CommandLine {
    /// `--index NAME=URL` or `--index URL`.
    pub index: Vec<String>,
    /// `--default-index`, or `--index-url`.
    pub default_index: Option<String>,
    /// `--extra-index-url`.
    pub extra_index_url: Vec<String>,
    /// `--find-links`.
    pub find_links: Vec<String>,
    /// `--no-index`.
    pub no_index: bool,
    /// `--index-strategy`.
    pub index_strategy: Option<IndexStrategy>,
    /// `--offline`.
    pub offline: bool,
}

/// All of it together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// Where packages come from.
    pub indexes: IndexSettings,
    /// How servers are reached.
    pub access: AccessSettings,
    /// Whether the network is not to be used.
    pub offline: bool,
    /// Files of constraints for everything (`UV_CONSTRAINT`, `PIP_CONSTRAINT`).
    pub constraints: Vec<PathBuf>,
    /// Files of overrides (`UV_OVERRIDE`).
    pub overrides: Vec<PathBuf>,
    /// How pre-releases are chosen, where something is said.
    pub prereleases: Option<Prereleases>,
}

impl NetworkSettings {
    /// Joins all that is said. `project` is the folder of the project, `manifest` what its own files
    /// say.
    ///
    /// # Errors
    /// Where a value is not of its kind, or a file that is named cannot be read.
    pub fn gather(
        command_line: &CommandLine,
        environment: &Environment,
        project: &Path,
        manifest: IndexSettings,
    ) -> Result<Self, ConfigError> {
        let mut all = Values::default();
        all.add(values::of_command_line(command_line, environment)?);
        all.add(uv::of_environment(environment, command_line)?);
        let files = uv::files(environment, project)?;
        if let Some(above) = files.project {
            all.add(above);
        }
        all.add(Values { indexes: manifest, ..Values::default() });
        for file in files.others {
            all.add(file);
        }
        all.add(pip::read(environment)?);

        let mut indexes = all.indexes;
        indexes.indexes = settle(indexes.indexes);
        let mut places = Vec::new();
        for place in indexes.find_links {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        indexes.find_links = places;
        for source in &mut indexes.indexes {
            credential(source, environment);
        }
        Ok(Self {
            indexes,
            access: AccessSettings {
                netrc: environment.netrc(),
                authorities: of_openssl(environment)
                    .or(all.authorities)
                    .or_else(|| of_requests(environment)),
                proxy: all.proxy,
            },
            offline: all.offline,
            constraints: all.constraints,
            overrides: all.overrides,
            prereleases: all.prereleases,
        })
    }
}

/// Leaves of indexes with one name or one URL the first, and of default ones too.
fn settle(sources: Vec<IndexSource>) -> Vec<IndexSource> {
    let mut settled: Vec<IndexSource> = Vec::new();
    for source in sources {
        let is_known = settled.iter().any(|known| {
            let both_default = known.is_default && source.is_default;
            let same_name = known.name.is_some() && known.name == source.name;
            let same_place = known.url == source.url
                && (known.explicit, known.is_default) == (source.explicit, source.is_default)
                && source.name.is_none();
            both_default || same_name || same_place
        });
        if !is_known {
            settled.push(source);
        }
    }
    settled
}

/// Certificates by the variables of OpenSSL, which uv honours and which count before pip's.
fn of_openssl(environment: &Environment) -> Option<Authorities> {
    let file = environment.path("SSL_CERT_FILE");
    let folders = environment.get("SSL_CERT_DIR");
    let origin = if file.is_some() { "SSL_CERT_FILE" } else { "SSL_CERT_DIR" };
    let folders = folders.iter().flat_map(std::env::split_paths);
    let paths: Vec<PathBuf> = file.into_iter().chain(folders).collect();
    (!paths.is_empty()).then(|| Authorities { paths, origin: origin.to_owned() })
}

/// Certificates by the variables of the library that pip asks with.
fn of_requests(environment: &Environment) -> Option<Authorities> {
    ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"].into_iter().find_map(|name| {
        let path = environment.path(name)?;
        Some(Authorities { paths: vec![path], origin: name.to_owned() })
    })
}
