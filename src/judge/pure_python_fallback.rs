//! A wheel for any platform that is taken in place of a compiled one.

use super::{Check, Draft, Rule};
use crate::model::finding::Level;
use crate::model::report::{PackageReport, Verdict};

pub(super) struct PurePythonFallback;

static RULE: Rule = Rule {
    id: "pure-python-fallback",
    level: Some(Level::Note),
    about_unknown: false,
    summary: "a pure-Python wheel stands in for the compiled one",
    explanation: "The release has compiled wheels for other interpreters, and for this one an \
        installer silently takes the wheel for any platform. The GIL stays off, but what is compiled \
        elsewhere runs as Python here, which can be slower by orders of magnitude.",
    action: "Measure whether it matters. `ftcheck advise` looks for a release with a compiled wheel \
        for the free-threaded interpreter.",
};

impl Check for PurePythonFallback {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        let compiled = package.release.as_ref().is_some_and(|files| files.compiled);
        if package.verdict != Verdict::PurePython || !compiled {
            return Vec::new();
        }
        vec![Draft::new(
            "its compiled wheels are for other interpreters or platforms: the pure-Python one is \
             installed instead, which may be slower",
        )]
    }
}
