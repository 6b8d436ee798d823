//! What the tests of lockfiles share: locks as their tools wrote them, and what the tools themselves
//! install of them (`expected.txt` beside each, in blocks by platform and choice).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ftcheck::input::{Content, FORMATS, Format, InputError, Manifest, Source};
use ftcheck::model::lock::{LockGraph, LockedPackage, LockedSource};
use ftcheck::model::requirement::{Choice, GroupName};
use ftcheck::resolve::lock::select;

use super::fixture;
use crate::resolve::environment;

/// The format that reads a file of that name.
pub(super) fn format(filename: &str) -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.recognises(filename)).unwrap()
}

/// Reads a text as a lock with no other file beside it.
pub(super) fn read_text(filename: &str, text: &str) -> Result<Manifest, InputError> {
    let path = fixture("no-such-folder").join(filename);
    let source = Source::of_text(&path, filename, text.to_owned());
    format(filename).read(&source)
}

/// What is wrong with a text that is no lock.
pub(super) fn rejected(filename: &str, text: &str) -> InputError {
    match read_text(filename, text) {
        Ok(manifest) => panic!("it was read as {manifest:?}"),
        Err(problem) => problem,
    }
}

pub(super) fn graph(manifest: &Manifest) -> &LockGraph {
    match &manifest.content {
        Content::Lock(graph) => graph,
        Content::Requirements(_) => panic!("requirements were read"),
    }
}

pub(super) fn package<'a>(graph: &'a LockGraph, name: &str) -> &'a LockedPackage {
    let found = graph.packages.iter().find(|package| package.name.to_string() == name);
    found.unwrap_or_else(|| panic!("{name} is not locked"))
}

/// What would be installed, apart from the project's own code: `name==version`.
pub(super) fn installed(
    manifest: &Manifest,
    target: &str,
    platform: &str,
    choice: &Choice,
) -> BTreeSet<String> {
    let graph = graph(manifest);
    select(graph, &environment(target, platform), |section| {
        choice.includes(section, &manifest.sections)
    })
    .installed
    .into_iter()
    .map(|index| &graph.packages[index])
    .filter(|package| package.source != LockedSource::Project)
    .map(|package| {
        let version = package.version.as_ref().map(|version| format!("=={version}"));
        format!("{}{}", package.name, version.unwrap_or_default())
    })
    .collect()
}

/// A choice of parts: `extra=redis group=docs`.
pub(super) fn choice(words: &str) -> Choice {
    let mut choice = Choice::default();
    for word in words.split_whitespace() {
        match word.split_once('=') {
            Some(("extra", name)) => choice.extras.push(name.parse().unwrap()),
            Some(("group", name)) => choice.groups.push(GroupName::new(name)),
            Some(("only-group", name)) => choice.only_groups.push(GroupName::new(name)),
            None if word == "all-extras" => choice.all_extras = true,
            None if word == "all-groups" => choice.all_groups = true,
            None if word == "no-default-groups" => choice.no_default_groups = true,
            _ => panic!("{word} is no choice"),
        }
    }
    choice
}

/// What the tool installs: by `[PLATFORM CHOICE…]`, lines `name==version`.
fn expected(text: &str) -> BTreeMap<&str, BTreeSet<String>> {
    let mut blocks: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut block = "";
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            block = header;
            assert!(blocks.insert(block, BTreeSet::new()).is_none(), "{block} stands twice");
        } else {
            // Local paths stand for the project itself.
            blocks.get_mut(block).unwrap().insert(line.to_owned());
        }
    }
    assert!(!blocks.is_empty(), "nothing to compare with");
    blocks
}

/// Compares `fixtures/FOLDER/FILENAME` with what its tool installs of it for CPython 3.14.
pub(super) fn agrees(folder: &str, filename: &str) {
    let folder = fixture(folder);
    let path = folder.join(filename);
    let manifest = super::read(&path).unwrap_or_else(|problem| panic!("{problem}"));
    let text = fs::read_to_string(folder.join("expected.txt")).unwrap();
    for (block, expected) in expected(&text) {
        let (platform, words) = block.split_once(' ').unwrap_or((block, ""));
        assert!(!expected.is_empty(), "{block}: nothing to compare with");
        let found = installed(&manifest, "3.14t", platform, &choice(words));
        assert_eq!(found, expected, "{} for {block}", path.display());
    }
}

/// Every prefix of a real lock is rejected, or reads as a whole lock whose end was cut off between
/// packages; none panics.
pub(super) fn survives_truncation(folder: &str, filename: &str) {
    let text = fs::read_to_string(fixture(folder).join(filename)).unwrap();
    let ends = (0..40).map(|part| text.len() * part / 40).filter(|at| text.is_char_boundary(*at));
    for end in ends {
        if let Err(problem) = read_text(filename, &text[..end]) {
            assert!(!problem.problem.trim().is_empty());
        }
    }
}

/// A file is copied beside nothing else, changed, and read.
pub(super) fn beside(
    folder: &str,
    filename: &str,
    other: &str,
    content: &str,
) -> Result<Manifest, InputError> {
    let from = fixture(folder);
    let to = tempfile::tempdir().unwrap();
    let lock = to.path().join(filename);
    fs::copy(from.join(filename), &lock).unwrap();
    fs::write(to.path().join(other), content).unwrap();
    super::read(&lock)
}

/// The text of `fixtures/PATH`.
pub(super) fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(fixture(path.as_ref().to_str().unwrap())).unwrap()
}
