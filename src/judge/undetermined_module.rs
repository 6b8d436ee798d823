//! A module of which it could not be told what it does.

use super::{Check, Draft, Rule};
use crate::model::evidence::{Gil, ModuleReport};
use crate::model::finding::Level;
use crate::model::report::PackageReport;

/// Modules named before the rest is counted.
const NAMED: usize = 3;

pub(super) struct UndeterminedModule;

static RULE: Rule = Rule {
    id: "undetermined-module",
    level: Some(Level::Warning),
    about_unknown: true,
    summary: "it could not be told what an extension module does",
    explanation: "The module was read, and its declaration could not be found: it is computed in a \
        way that was not followed, or hangs on what only a running interpreter knows. Nothing is \
        claimed of it. A scan with such a module does not end in success.",
    action: "`ftcheck inspect -v` shows how far it was followed. A free-threaded interpreter tells \
        the truth: import the module in a fresh process with PYTHON_GIL unset and ask \
        sys._is_gil_enabled(). Please report the module.",
};

impl Check for UndeterminedModule {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        let modules: Vec<&ModuleReport> =
            package.modules.iter().filter(|module| module.gil == Gil::Undetermined).collect();
        let Some(first) = modules.first() else { return Vec::new() };
        let names: Vec<&str> = modules.iter().map(|module| module.module.as_str()).collect();
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let reason = first.reason.as_deref().unwrap_or("the reason is not known");
        let message = format!("what {shown}{more} does to the GIL could not be told: {reason}");
        vec![Draft::new(message).about(names)]
    }
}
