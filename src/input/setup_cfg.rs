//! What setup.cfg says a project requires, where setup.py adds nothing to it.

use std::path::Path;

use configparser::ini::Ini;
use pep508_rs::ExtraName;

use super::requirement::{self, Ask, Folders};
use super::{InputError, Source};

/// The requirements of a project without a pyproject.toml that says them, with these extras; `None`
/// where only building it would tell.
///
/// # Errors
/// Where setup.cfg cannot be read, or one of its requirements is none.
pub(super) fn read(folder: &Path, extras: &[ExtraName]) -> Result<Option<Vec<Ask>>, InputError> {
    let path = folder.join("setup.cfg");
    if !path.is_file() || !only_calls_setup(&folder.join("setup.py")) {
        return Ok(None);
    }
    let source = Source::open(&path)?;
    let mut ini = Ini::new_cs();
    ini.set_multiline(true);
    ini.set_inline_comment_symbols(Some(&[]));
    if let Err(problem) = ini.read(source.text.clone()) {
        return Err(InputError::of_file(&source.shown, problem));
    }
    let mut values = Vec::new();
    values.extend(ini.get("options", "install_requires"));
    for (name, value) in ini.get_map_ref().get("options.extras_require").into_iter().flatten() {
        if extras.iter().any(|extra| name.parse::<ExtraName>().as_ref() == Ok(extra)) {
            values.extend(value.clone());
        }
    }
    let mut asks = Vec::new();
    let folders = Folders::one(folder);
    for line in values.iter().flat_map(|value| value.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // A file to read, as newer versions of setuptools have it.
        if line.starts_with("file:") {
            return Ok(None);
        }
        let offset = source.text.find(line).unwrap_or_default();
        let place = |at: usize| source.location(offset + at);
        asks.push(requirement::read(line, &folders, place)?);
    }
    Ok(Some(asks))
}

/// Whether a setup.py, where there is one, does no more than call `setup()`.
fn only_calls_setup(path: &Path) -> bool {
    if !path.is_file() {
        return true;
    }
    let Ok(source) = Source::open(path) else { return false };
    source
        .text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .all(|line| {
            matches!(
                line,
                "from setuptools import setup"
                    | "import setuptools"
                    | "setup()"
                    | "setuptools.setup()"
                    | "if __name__ == \"__main__\":"
                    | "if __name__ == '__main__':"
            )
        })
}
