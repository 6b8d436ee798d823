//! A module that enables the GIL is loaded by importing a package by its own name.

use super::{Check, Draft, Rule};
use crate::judge::gil_enabled_on_submodule::{NAMED, enabling, offenders};
use crate::model::finding::Level;
use crate::model::imports::How;
use crate::model::report::PackageReport;

pub(super) struct GilEnabledOnImport;

static RULE: Rule = Rule {
    id: "gil-enabled-on-import",
    level: Some(Level::Error),
    about_unknown: false,
    summary: "importing the package enables the GIL",
    explanation: "The first import of the package loads an extension module that does not declare \
        that it runs without the GIL (Py_MOD_GIL_NOT_USED), so the interpreter turns the GIL on for \
        the whole process and leaves it on. The only sign is one RuntimeWarning, which the \
        interpreter gives for the first such module alone. The chain of imports that leads to the \
        module is part of the finding; where it could not be told when the module is loaded, the \
        import is taken to load it.",
    action: "`ftcheck advise` looks for a release that declares support. Until there is one, keep \
        the import out of what has to run in parallel, or leave the package out. PYTHON_GIL=0 keeps \
        the GIL off against the module's declaration; it makes nothing about the module safe.",
};

impl Check for GilEnabledOnImport {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        let found = offenders(package, |reach| reach.is_none_or(|reach| reach.how == How::Import));
        if found.is_empty() {
            return Vec::new();
        }
        let own = package.imports.iter().filter(|import| import.enables_gil == Some(true));
        let mut names: Vec<&str> = own.map(|import| import.import.as_str()).collect();
        if names.is_empty() {
            // Another package's import leads there.
            let chains = found.iter().filter_map(|(_, reach)| *reach).flat_map(|one| &one.chains);
            let certain = chains.filter(|chain| chain.how == How::Import && chain.certain);
            names = certain.filter_map(|chain| chain.modules.first().map(String::as_str)).collect();
            names.sort_unstable();
            names.dedup();
            names.truncate(NAMED);
        }
        let message = if names.is_empty() {
            // Not looked for, or not sure to lead there.
            format!("importing it enables the GIL: {}", enabling(&found))
        } else {
            format!("`import {}` enables the GIL: {}", names.join("`, `import "), enabling(&found))
        };
        let draft =
            Draft::new(message).about(found.iter().map(|(module, _)| module.module.as_str()));
        vec![super::gil_enabled_on_submodule::with_chains(draft, package, &found)]
    }
}
