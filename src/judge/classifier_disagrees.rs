//! A package that says of itself what its modules do not declare.

use super::{Check, Draft, Rule};
use crate::model::finding::Level;
use crate::model::report::{PackageReport, Verdict};

/// What the classifiers on free threading begin with.
const PREFIX: &str = "Programming Language :: Python :: Free Threading :: ";

pub(super) struct ClassifierDisagrees;

static RULE: Rule = Rule {
    id: "classifier-disagrees",
    level: Some(Level::Note),
    about_unknown: false,
    summary: "the package's classifier and its modules disagree",
    explanation: "The metadata carries a classifier by which the project supports free threading, \
        and a module in the wheel enables the GIL all the same, usually because the declaration was \
        forgotten for it. The interpreter reads modules, not classifiers. A classifier that is \
        missing says nothing.",
    action: "Tell upstream: the declaration is one slot in each module.",
};

impl Check for ClassifierDisagrees {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        let claims = |text: &&String| {
            // `1 - Unstable` claims no support.
            text.strip_prefix(PREFIX).is_some_and(|stage| !stage.starts_with('1'))
        };
        let Some(claimed) = package.classifiers.iter().find(claims) else { return Vec::new() };
        if package.verdict != Verdict::EnablesGil {
            return Vec::new();
        }
        vec![Draft::new(format!("its metadata claims `{claimed}`, and a module enables the GIL"))]
    }
}
