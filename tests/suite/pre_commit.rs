//! For which files the hooks of pre-commit look: a commit of another one passes without a look.

use ftcheck::input::{FORMATS, may_be_of_project};
use regex::Regex;

const HOOKS: &str = include_str!("../../.pre-commit-hooks.yaml");
const DOCUMENTED: &str = include_str!("../../docs/pre-commit.md");

/// At least one for each format, and all that has no format of its own and still decides.
const DECIDING: &[&str] = &[
    "requirements.txt",
    "requirements-dev.txt",
    "dev_requirements.in",
    "constraints.txt",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "Pipfile.lock",
    "uv.lock",
    "uv.toml",
    "tool.py.lock",
    "poetry.lock",
    "pdm.lock",
    "pdm.docs.lock",
    "pylock.toml",
    "pylock.dev.toml",
    "pixi.lock",
    "pixi.toml",
    "conda-lock.yml",
    "linux.conda-lock.yaml",
    "environment.yml",
    "environment.yaml",
    "spam-1.0-py3-none-any.whl",
    "spam-1.0.tar.gz",
    "deps.pip",
];
/// What ftcheck reads besides what the project names.
const OF_FTCHECK: &[&str] = &["ftcheck.toml", "ftcheck-baseline.json"];
const OTHERS: &[&str] = &[
    "README.md",
    "notes.txt",
    "tool.py",
    "uv.lock.bak",
    "Cargo.lock",
    "pyproject.toml.orig",
    "my.yml",
    "package.json",
    "requirements.md",
];

/// The pattern of the hooks, and the one that the documentation shows.
fn patterns() -> [Regex; 2] {
    let (_, rest) = HOOKS.split_once("files: &manifests |\n").unwrap();
    let (of_hooks, _) = rest.split_once("\n\n").unwrap();
    let documented = DOCUMENTED.lines().find_map(|line| line.trim().strip_prefix("files: "));
    [of_hooks.trim(), documented.unwrap()].map(|pattern| Regex::new(pattern).unwrap())
}

#[test]
fn the_hooks_look_at_all_that_a_scan_does() {
    for format in FORMATS.iter().filter(|format| !format.name().starts_with("script")) {
        let is_listed = DECIDING.iter().any(|name| format.recognises(name));
        assert!(is_listed && DECIDING.contains(&format.name()), "{}", format.name());
    }
    for pattern in patterns() {
        for name in DECIDING {
            assert!(may_be_of_project(name), "{name}");
        }
        for name in DECIDING.iter().chain(OF_FTCHECK) {
            assert!(pattern.is_match(name), "{name}: {pattern}");
            assert!(pattern.is_match(&format!("sub/{name}")), "{name}: {pattern}");
        }
        assert!(pattern.is_match("requirements/base.txt"), "{pattern}");
        for name in OTHERS {
            assert!(!pattern.is_match(name), "{name}: {pattern}");
        }
    }
}
