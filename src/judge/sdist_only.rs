//! A release without any wheel.

use super::{Check, Draft, Rule, missing};
use crate::model::finding::Level;
use crate::model::report::PackageReport;

pub(super) struct SdistOnly;

static RULE: Rule = Rule {
    id: "sdist-only",
    level: Some(Level::Warning),
    about_unknown: false,
    summary: "the release has nothing but a source distribution",
    explanation: "The release has no wheel for any interpreter, so that an installer builds it. Where it compiles nothing that changes nothing about the GIL, and where it does, the answer hangs on the build. What its files let expect stands in the finding as a prediction; nothing of it was run.",
    action: "Build it for the free-threaded interpreter and look at the result with `ftcheck inspect`, or replace it by a release that has wheels.",
};

impl Check for SdistOnly {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        missing::draft(package, missing::Why::SourceOnly)
    }
}
