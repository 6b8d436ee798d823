//! A release whose requires-python excludes the interpreter.

use super::{Check, Draft, Rule, missing};
use crate::model::finding::Level;
use crate::model::report::PackageReport;

pub(super) struct RequiresPythonExcludesTarget;

static RULE: Rule = Rule {
    id: "requires-python-excludes-target",
    level: Some(Level::Error),
    about_unknown: false,
    summary: "the release excludes the interpreter by its requires-python",
    explanation: "Every file of the release states a range of Python versions that the target is not in, so that an installer refuses it, whatever wheels there are.",
    action: "Allow a newer release: `ftcheck advise` names one. Where upstream bounds the range from above without need, an override of the installer may help.",
};

impl Check for RequiresPythonExcludesTarget {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        missing::draft(package, missing::Why::RequiresPython)
    }
}
