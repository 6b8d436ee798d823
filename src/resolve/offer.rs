//! What a release offers to one interpreter on one platform, whichever of its files is taken.

use std::collections::BTreeSet;

use crate::model::distribution::{DistributionFile, DistributionKind};
use crate::model::release::ReleaseFiles;
use crate::model::tag::TagOrder;
use crate::model::target::Target;

/// What `files`, which are those of one release, come to for `target` on the platform of `tags`.
#[must_use]
pub fn of_files<'a>(
    files: impl IntoIterator<Item = &'a DistributionFile>,
    target: Target,
    tags: &TagOrder,
) -> ReleaseFiles {
    let python = target.python_full_version();
    let mut offer = ReleaseFiles::default();
    let mut excluding = BTreeSet::new();
    let mut is_excluded = true;
    for file in files {
        match &file.requires_python {
            Some(range) if !range.contains(&python) => {
                excluding.insert(range.to_string());
            }
            _ => is_excluded = false,
        }
        match &file.kind {
            DistributionKind::Source(_) => offer.source = true,
            DistributionKind::Wheel(wheel) => {
                offer.wheels += 1;
                offer.any_platform |= wheel.is_any_platform();
                offer.compiled |= !wheel.is_any_platform();
                offer.stable_abi |= wheel.tags().any(|(_, abi, _)| abi == "abi3");
                if tags.accepts_elsewhere(wheel) && tags.rank(wheel).is_none() {
                    offer.elsewhere.push(wheel.as_str().to_owned());
                }
            }
        }
    }
    offer.elsewhere.sort();
    if is_excluded && !excluding.is_empty() {
        let all: Vec<String> = excluding.into_iter().collect();
        offer.excluded_by = Some(all.join(" or "));
    }
    offer
}

/// What a release has instead of a wheel for the target.
#[must_use]
pub fn describe_missing(offer: &ReleaseFiles, target: Target) -> String {
    let source =
        if offer.source { "would be built from source" } else { "nothing to build either" };
    if offer.wheels == 0 {
        format!("no wheels at all; {source}")
    } else if !offer.elsewhere.is_empty() {
        format!("its wheels for {target} are for other platforms; {source}")
    } else if offer.stable_abi {
        format!("only abi3 and other wheels that {target} cannot load; {source}")
    } else {
        format!("none of its wheels is for {target}; {source}")
    }
}

/// The source distribution that an installer would build: of several the `.tar.gz`, which is the
/// form that PEP 625 leaves.
#[must_use]
pub fn source_of<'a>(
    files: impl IntoIterator<Item = &'a DistributionFile>,
) -> Option<&'a DistributionFile> {
    let sources = files.into_iter().filter(|file| matches!(file.kind, DistributionKind::Source(_)));
    sources.min_by_key(|file| !file.kind.filename().ends_with(".tar.gz"))
}
