//! A line of the user's own code whose import turns the GIL on.

use super::{Check, Draft, Rule};
use crate::model::finding::Level;
use crate::model::imports::{How, SourceImport};
use crate::model::report::ScanReport;

pub(super) struct GilEnabledBySource;

static RULE: Rule = Rule {
    id: "gil-enabled-by-source",
    level: Some(Level::Error),
    about_unknown: false,
    summary: "a line of the project's own code enables the GIL",
    explanation: "With `--source DIR` the project's own Python files are read too. The finding \
        names the line whose import leads to an extension module that enables the GIL: where it \
        stands in a module's body, importing that file is enough; where it stands in a function, \
        the first call is.",
    action: "Move the import to where it is needed alone, or replace what it imports. `ftcheck \
        advise` looks for a release of the package that declares support.",
};

impl Check for GilEnabledBySource {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn scan(&self, report: &ScanReport) -> Vec<Draft> {
        let draft = |found: &SourceImport| {
            let when = if found.how == How::Later { ", once the function is called" } else { "" };
            let does = if found.enables_gil.is_some() { "enables" } else { "may enable" };
            let by = found.by.as_deref();
            let by_module = by.map(|by| format!(": {by}")).unwrap_or_default();
            let message = format!("importing {} {does} the GIL{when}{by_module}", found.import);
            let certain = found.how == How::Import && found.enables_gil.is_some();
            let draft = Draft {
                level: (!certain).then_some(Level::Warning),
                location: Some(found.location.clone()),
                ..Draft::new(message).about(by)
            };
            if found.chain.len() > 1 {
                draft.hint(format!("reached by {}", found.chain.join(" -> ")))
            } else {
                draft
            }
        };
        let enabling = |found: &&SourceImport| found.enables_gil != Some(false);
        report.sources.iter().filter(enabling).map(draft).collect()
    }
}
