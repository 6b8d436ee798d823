//! What pip's variables and files say.
//!
//! Of each value the most important place counts and no other: a variable, then `[install]`, then
//! `[global]`; of one section in several files the last, in pip's order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ini::{Ini, ParseOption};

use super::values::{self, Values};
use super::{ConfigError, Environment};
use crate::model::access::Authorities;
use crate::model::index::IndexSettings;
use crate::model::requirement::Prereleases;

/// A value and where it stands.
struct Stated {
    text: String,
    origin: String,
}

/// The sections that hold for installing, the more important one last.
const SECTIONS: [&str; 2] = ["global", "install"];
/// What pip skips its files for, on Unix and on Windows.
const NOTHING: [&str; 2] = ["/dev/null", "nul"];

pub(super) fn read(environment: &Environment) -> Result<Values, ConfigError> {
    let stated = stated(environment)?;
    let folder = &environment.folder;
    let get = |key: &str| stated.get(key).filter(|value| !value.text.trim().is_empty());
    let words = |key: &str| {
        get(key).into_iter().flat_map(|value| {
            value.text.split_whitespace().map(move |word| (value.origin.as_str(), word))
        })
    };
    let switch =
        |key: &str| get(key).map_or(Ok(false), |value| values::switch(&value.origin, &value.text));
    let mut indexes = Vec::new();
    for (origin, word) in words("extra-index-url") {
        indexes.push(values::source(origin, word, folder)?);
    }
    if let Some(value) = get("index-url") {
        let source = values::source(&value.origin, &value.text, folder)?;
        indexes.push(crate::model::index::IndexSource { is_default: true, ..source });
    }
    let find_links = words("find-links").map(|(origin, word)| values::links(origin, word, folder));
    let authorities = get("cert").map(|value| Authorities {
        paths: vec![folder.join(value.text.trim())],
        origin: value.origin.clone(),
    });
    let proxy = get("proxy")
        .map(|value| {
            let text = value.text.trim();
            let text =
                if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
            // Not shown: it may hold a password.
            url::Url::parse(&text).map_err(|problem| {
                ConfigError::new(&value.origin, format!("expected the URL of a proxy: {problem}"))
            })
        })
        .transpose()?;
    Ok(Values {
        indexes: IndexSettings {
            indexes,
            find_links: find_links.collect::<Result<_, _>>()?,
            no_index: switch("no-index")?,
            strategy: None,
        },
        authorities,
        proxy,
        constraints: words("constraint").map(|(_, word)| folder.join(word)).collect(),
        prereleases: switch("pre")?.then_some(Prereleases::Allow),
        ..Values::default()
    })
}

/// Every value that counts, by its option without the dashes.
fn stated(environment: &Environment) -> Result<BTreeMap<String, Stated>, ConfigError> {
    let mut by_section: [BTreeMap<String, Stated>; 2] = Default::default();
    for path in files(environment) {
        let Some(text) = text_of(&path)? else { continue };
        let shown = path.display().to_string();
        let document = parse(&text)
            .map_err(|(line, problem)| ConfigError::new(&format!("{shown}:{line}"), problem))?;
        for (section, values) in SECTIONS.iter().zip(&mut by_section) {
            for (key, text) in
                document.section(Some(*section)).into_iter().flat_map(|all| all.iter())
            {
                let key = normalized(key);
                let origin = format!("{shown}: {key} in [{section}]");
                values.insert(key, Stated { text: text.to_owned(), origin });
            }
        }
    }
    let mut stated = BTreeMap::new();
    for values in by_section {
        stated.extend(values);
    }
    for (name, text) in &environment.variables {
        if let Some(key) = name.strip_prefix("PIP_").filter(|_| !text.trim().is_empty()) {
            let value = Stated { text: text.clone(), origin: name.clone() };
            stated.insert(normalized(key), value);
        }
    }
    Ok(stated)
}

/// The files to read, the least important first.
fn files(environment: &Environment) -> Vec<PathBuf> {
    let stated = environment.get("PIP_CONFIG_FILE");
    if stated.is_some_and(|path| NOTHING.contains(&path.to_ascii_lowercase().as_str())) {
        return Vec::new();
    }
    let own = environment.path("PIP_CONFIG_FILE");
    environment.pip_files.iter().cloned().chain(own).collect()
}

/// The text of a file; `None` where there is none, which pip does not mind.
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

/// As Python's `configparser` has it: lines that are indented go on with the value before them.
fn parse(text: &str) -> Result<Ini, (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options = ParseOption {
        enabled_quote: false,
        enabled_escape: false,
        enabled_indented_mutiline_value: true,
        ..ParseOption::default()
    };
    Ini::load_from_str_opt(text, options)
        .map_err(|problem| (problem.line, "expected KEY = VALUE or [SECTION]".to_owned()))
}

/// `--Extra_Index_URL` is `extra-index-url`.
fn normalized(key: &str) -> String {
    key.trim().to_ascii_lowercase().replace('_', "-").trim_start_matches('-').to_owned()
}
