//! A release whose wheels for the interpreter are for other platforms.

use super::{Check, Draft, Rule, missing};
use crate::model::finding::Level;
use crate::model::report::PackageReport;

pub(super) struct WheelMissingForPlatform;

static RULE: Rule = Rule {
    id: "wheel-missing-for-platform",
    level: Some(Level::Error),
    about_unknown: false,
    summary: "the release has free-threaded wheels, but none for the platform",
    explanation: "The release has wheels for the free-threaded interpreter, and all of them are for other platforms than the one that was asked for: another system, another processor, or a newer C library.",
    action: "See whether the platform that was asked for is the one that counts (`--platform`), such as a newer manylinux. Else build it there, or ask upstream for such a wheel.",
};

impl Check for WheelMissingForPlatform {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        missing::draft(package, missing::Why::OtherPlatform)
    }
}
