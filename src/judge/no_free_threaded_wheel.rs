//! A release whose wheels are all for other interpreters.

use super::{Check, Draft, Rule, missing};
use crate::model::finding::Level;
use crate::model::report::PackageReport;

pub(super) struct NoFreeThreadedWheel;

static RULE: Rule = Rule {
    id: "no-free-threaded-wheel",
    level: Some(Level::Error),
    about_unknown: false,
    summary: "the release has no wheel for the free-threaded interpreter",
    explanation: "The release has wheels, and none that a free-threaded interpreter of the target's version accepts: an installer would build it from source, if it has one, or refuse. What such a build does is not known before it is made; where there is a source distribution, what its files let expect stands in the finding as a prediction.",
    action: "`ftcheck advise` looks for a release with such a wheel. Where there is none, ask upstream for one, or build it yourself and look at the result with `ftcheck inspect`.",
};

impl Check for NoFreeThreadedWheel {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        missing::draft(package, missing::Why::OtherInterpreter)
    }
}
