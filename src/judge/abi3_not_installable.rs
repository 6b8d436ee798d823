//! A release with wheels of the stable ABI, and none that could be loaded.

use super::{Check, Draft, Rule, missing};
use crate::model::finding::Level;
use crate::model::report::PackageReport;

pub(super) struct Abi3NotInstallable;

static RULE: Rule = Rule {
    id: "abi3-not-installable",
    level: Some(Level::Error),
    about_unknown: false,
    summary: "the release has abi3 wheels, which no free-threaded build loads",
    explanation: "Wheels tagged abi3 fit every later interpreter with the GIL, and no free-threaded one: its objects are laid out in another way. A stable ABI for both, abi3t, exists since 3.15 (PEP 803) and has to be built for.",
    action: "`ftcheck advise` looks for a release with wheels for the free-threaded interpreter beside those of the stable ABI.",
};

impl Check for Abi3NotInstallable {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        missing::draft(package, missing::Why::StableAbi)
    }
}
