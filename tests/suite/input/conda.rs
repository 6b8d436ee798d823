//! What the tests of conda's formats share.

use std::collections::BTreeSet;

use ftcheck::input::Manifest;
use ftcheck::model::conda::{CondaAbi, CondaPackage, subdir_of};
use ftcheck::model::requirement::Choice;

use super::locks::{choice, text};

/// The conda packages that are installed on a platform.
pub(super) fn chosen<'a>(
    manifest: &'a Manifest,
    platform: &str,
    choice: &Choice,
) -> Vec<&'a CondaPackage> {
    let here = subdir_of(platform.parse().unwrap());
    let environments = manifest.conda.iter().filter(|one| {
        (one.subdir.is_none() || one.subdir == here)
            && choice.includes(&one.section, &manifest.sections)
    });
    let packages = environments.flat_map(|one| &one.packages);
    packages.filter(|one| choice.includes(&one.section, &manifest.sections)).collect()
}

/// The package of that name among all.
pub(super) fn named<'a>(manifest: &'a Manifest, name: &str) -> &'a CondaPackage {
    let mut all = manifest.conda.iter().flat_map(|environment| &environment.packages);
    all.find(|package| package.name == name).unwrap_or_else(|| panic!("{name} is not there"))
}

pub(super) fn tag(abi: &str) -> CondaAbi {
    CondaAbi::Tag(abi.to_owned())
}

/// Compares the conda packages with those of `expected-conda.txt`, in blocks by platform and choice.
pub(super) fn agrees(folder: &str, manifest: &Manifest, shown: impl Fn(&CondaPackage) -> String) {
    let expected = text(format!("{folder}/expected-conda.txt"));
    let mut blocks = 0;
    for block in expected.split('[').filter(|block| !block.trim().is_empty()) {
        let (header, lines) = block.split_once("]\n").unwrap();
        let (platform, words) = header.split_once(' ').unwrap_or((header, ""));
        let found: BTreeSet<String> =
            chosen(manifest, platform, &choice(words)).into_iter().map(&shown).collect();
        let lines: BTreeSet<String> = lines.lines().map(str::to_owned).collect();
        assert_eq!(found, lines, "{folder} for {header}");
        blocks += 1;
    }
    assert!(blocks > 1);
}

pub(super) fn part(text: Option<&String>) -> &str {
    text.map_or("-", String::as_str)
}
