//! Mirrors `src/input`.

mod conda;
mod conda_lock;
mod environment_yml;
mod files;
mod locks;
mod pdm_lock;
mod pipfile_lock;
mod pixi_lock;
mod poetry_lock;
mod pylock_toml;
mod pyproject;
mod requirements_txt;
mod script;
mod uv_lock;

use std::path::{Path, PathBuf};

use ftcheck::input::{Content, InputError, Manifest, Place, Source, find};
use ftcheck::model::location::Location;
use ftcheck::model::requirement::Requirement;

/// Finds and reads a file, as a scan does.
fn read(path: &Path) -> Result<Manifest, InputError> {
    let (path, format) = find(path)?;
    format.read(&Source::open(&path)?)
}

/// `fixtures/PATH`.
fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

fn requirements(manifest: Manifest) -> Vec<Requirement> {
    match manifest.content {
        Content::Requirements(requirements) => requirements.required,
        Content::Lock(_) => panic!("a lock was read"),
    }
}

/// The place of an error that has one.
fn spot(problem: &InputError) -> &Location {
    match &problem.place {
        Place::Spot(location) => location,
        Place::File(_) => panic!("no line is named: {problem}"),
    }
}

/// Line and column of an error.
fn line_and_column(problem: &InputError) -> (usize, usize) {
    (spot(problem).line, spot(problem).column)
}
