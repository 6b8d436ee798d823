//! What is predicted of a source, from its files alone.

mod archives;
mod conditions;
mod idioms;
mod modules;
mod options;
mod traps;
mod words;

use ftcheck::model::release::{Prediction, SourceReport};
use ftcheck::source::Survey;

/// A `pyproject.toml` of setuptools that says nothing of its own.
const SETUPTOOLS: (&str, &str) = (
    "pyproject.toml",
    "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n",
);
/// A `setup.py` that compiles `spam.c`.
const SETUP: (&str, &str) = (
    "setup.py",
    "from setuptools import Extension, setup\nsetup(ext_modules=[Extension(\"spam\", [\"spam.c\"])])\n",
);

fn survey(files: &[(&str, &str)]) -> SourceReport {
    let mut survey = Survey::default();
    for (path, text) in files {
        let path = format!("spam-1.0/{path}");
        if let Some(limit) = Survey::wants(&path) {
            let bytes = text.as_bytes();
            let length = bytes.len().min(usize::try_from(limit).unwrap());
            survey.add(&path, &bytes[..length], length == bytes.len());
        }
    }
    survey.finish("spam-1.0.tar.gz")
}

/// What is predicted of a source with these files.
fn predicted(files: &[(&str, &str)]) -> Prediction {
    survey(files).prediction
}

/// The same of one that setuptools compiles `spam.c` of.
fn of_c(code: &str) -> Prediction {
    predicted(&[SETUPTOOLS, SETUP, ("spam.c", code)])
}

/// The signs, as a reader sees them.
fn signs(report: &SourceReport) -> Vec<String> {
    let told = |sign: &ftcheck::model::release::Sign| {
        format!("{}:{} {}", sign.path, sign.line.unwrap_or(0), sign.what)
    };
    report.signs.iter().map(told).collect()
}
