//! What the project's files ask for, whether they are locks or what those are made from.

use std::collections::BTreeMap;

use pep508_rs::PackageName;

use crate::input::{Content, Manifest, Requirements};
use crate::model::advice::Manager;
use crate::model::lock::LockedSource;
use crate::model::requirement::Requirement;
use crate::pipeline::Settings;

/// One of the project's files.
#[derive(Debug)]
pub struct Input<'a> {
    /// What it says.
    pub manifest: &'a Manifest,
    /// The tool it is for; none for files of constraints alone.
    pub manager: Option<Manager>,
    /// What stands in the file that it was made from, where it is a lock and that is here.
    pub source: Option<&'a Manifest>,
}

impl<'a> Input<'a> {
    /// What says best what was asked for.
    pub(super) fn basis(&self) -> &'a Manifest {
        self.source.unwrap_or(self.manifest)
    }

    /// Whether it is a lock of which it is not known what was asked for.
    pub(super) fn is_lock_alone(&self) -> bool {
        matches!(&self.basis().content, Content::Lock(graph) if !graph.packages.is_empty())
    }
}

/// The requirements of a file; none for a lock.
pub(super) fn requirements_of(manifest: &Manifest) -> Option<&Requirements> {
    match &manifest.content {
        Content::Requirements(requirements) => Some(requirements),
        Content::Lock(_) => None,
    }
}

/// What the user's own files ask for, of the parts that are asked for.
pub(super) fn of_user(inputs: &[Input<'_>], settings: &Settings) -> Requirements {
    let mut all = Requirements::default();
    for input in inputs {
        let basis = input.basis();
        let Some(requirements) = requirements_of(basis) else { continue };
        let chosen = |one: &&Requirement| settings.choice.includes(&one.section, &basis.sections);
        all.required.extend(requirements.required.iter().filter(chosen).cloned());
        all.constraints.extend(requirements.constraints.iter().cloned());
        all.overrides.extend(requirements.overrides.iter().cloned());
    }
    all
}

/// The one index that a package comes from, where the files name it.
pub(super) fn indexes_of(inputs: &[Input<'_>]) -> BTreeMap<PackageName, String> {
    let mut indexes = BTreeMap::new();
    for manifest in inputs.iter().flat_map(|input| [input.manifest, input.basis()]) {
        match &manifest.content {
            Content::Requirements(all) => {
                let required = all.required.iter().chain(&all.overrides);
                indexes.extend(
                    required.filter_map(|one| Some((one.name.clone(), one.index.clone()?))),
                );
            }
            Content::Lock(graph) => {
                indexes.extend(graph.packages.iter().filter_map(|package| match &package.source {
                    LockedSource::Index { index: Some(index), .. } => {
                        Some((package.name.clone(), index.clone()))
                    }
                    _ => None,
                }));
            }
        }
    }
    indexes
}
