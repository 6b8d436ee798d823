//! A module that isolated subinterpreters refuse.

use super::{Check, Draft, Rule};
use crate::model::evidence::{ModuleReport, Subinterpreters};
use crate::model::report::PackageReport;

/// Modules named before the rest is counted.
const NAMED: usize = 3;

pub(super) struct SubinterpretersUnsupported;

static RULE: Rule = Rule {
    id: "subinterpreters-unsupported",
    // Asked for by those alone who run on subinterpreters.
    level: None,
    about_unknown: false,
    summary: "an extension module cannot be imported in an isolated subinterpreter",
    explanation: "InterpreterPoolExecutor runs code in subinterpreters with a GIL of their own. They \
        refuse modules that do not declare Py_MOD_PER_INTERPRETER_GIL_SUPPORTED, even those that \
        keep the GIL off in the main interpreter: the import fails with ImportError. Modules that \
        are made in a single phase are refused too.",
    action: "Keep imports of the package out of what runs in subinterpreters, or use threads. The \
        rule is off unless asked for.",
};

impl Check for SubinterpretersUnsupported {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        let refused: Vec<&str> = package
            .modules
            .iter()
            .filter(|module| !is_supported(module))
            .map(|module| module.module.as_str())
            .collect();
        if refused.is_empty() {
            return Vec::new();
        }
        let more = refused.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = refused.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let message =
            format!("{shown}{more}: not known to support subinterpreters with a GIL of their own");
        vec![Draft::new(message).about(refused)]
    }
}

fn is_supported(module: &ModuleReport) -> bool {
    module.subinterpreters == Some(Subinterpreters::PerInterpreterGil)
}
