//! Maintained forks of packages, from `data/forks.toml`: a short list kept by hand, with a source for
//! each entry. None is guessed.

use pep508_rs::PackageName;
use serde::Deserialize;

use crate::model::advice::Step;

const TEXT: &str = include_str!("../../data/forks.toml");

/// The list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Forks {
    #[serde(default)]
    fork: Vec<Fork>,
}

/// A package that took over from another one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// The package that it is a fork of, by its normalized name.
    pub name: String,
    /// Its own normalized name.
    pub fork: String,
    /// The release of the fork whose wheel was seen to keep the GIL off.
    pub since: String,
    /// What has to be known before it is taken, such as another name to import.
    pub why: String,
    /// Where its authors say what it is.
    pub source: String,
    /// The day on which its wheel was looked at.
    pub checked: String,
}

/// Every entry.
///
/// # Errors
/// Where the list is not of its own form, which a test rules out.
pub fn all() -> Result<Vec<Fork>, String> {
    let forks: Forks = toml::from_str(TEXT).map_err(|problem| problem.to_string())?;
    Ok(forks.fork)
}

/// What the list says of a package.
pub(super) fn steps(name: &PackageName) -> Vec<Step> {
    let forks = all().unwrap_or_default();
    let of_name = forks.iter().filter(|fork| fork.name == name.as_ref());
    of_name
        .map(|fork| {
            Step::told(format!(
                "{} is a maintained fork: {}; its wheels for free-threaded Python were seen to keep \
                 the GIL off in {} on {} ({})",
                fork.fork, fork.why, fork.since, fork.checked, fork.source
            ))
        })
        .collect()
}
