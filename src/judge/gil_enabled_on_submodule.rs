//! A module that enables the GIL is only loaded by importing a submodule, or by a function that is
//! called later, or by nothing that was found.

use super::{Check, Draft, Rule};
use crate::model::evidence::{Gil, ModuleReport};
use crate::model::finding::Level;
use crate::model::imports::{How, Reach};
use crate::model::report::PackageReport;

/// Modules named before the rest is counted.
pub(super) const NAMED: usize = 3;

pub(super) struct GilEnabledOnSubmodule;

static RULE: Rule = Rule {
    id: "gil-enabled-on-submodule",
    level: Some(Level::Warning),
    about_unknown: false,
    summary: "importing a submodule of the package enables the GIL",
    explanation: "The package holds an extension module that does not declare that it runs without \
        the GIL, but importing the package by its own name does not load it: only the import of a \
        submodule does, or a function that is called later, or nothing that could be found. A \
        program that never comes there keeps the GIL off, and one that does loses it at that \
        moment, for the whole process. Chains from other packages that lead there are part of the \
        finding.",
    action: "See whether the program imports what the finding names: `ftcheck scan --source DIR` \
        tells which lines do. `ftcheck advise` looks for a release that declares support.",
};

impl Check for GilEnabledOnSubmodule {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        let of = |wanted: How| {
            let found = offenders(package, |reach| reach.is_some_and(|reach| reach.how == wanted));
            let when = match wanted {
                How::Submodule => "the GIL is enabled once a submodule is imported",
                How::Later => "the GIL is enabled once a function is called that imports",
                _ => "no import of it was found, and it enables the GIL where there is one",
            };
            (!found.is_empty()).then(|| {
                let modules = found.iter().map(|(module, _)| module.module.as_str());
                let draft = Draft::new(format!("{when}: {}", enabling(&found))).about(modules);
                with_chains(draft, package, &found)
            })
        };
        [How::Submodule, How::Later, How::NotFound].into_iter().filter_map(of).collect()
    }
}

/// Modules that enable the GIL, each with what leads to it where that was looked for.
pub(super) type Offenders<'p> = Vec<(&'p ModuleReport, Option<&'p Reach>)>;

/// The modules that enable the GIL and are reached like this.
pub(super) fn offenders(
    package: &PackageReport,
    like_this: impl Fn(Option<&Reach>) -> bool,
) -> Offenders<'_> {
    package
        .modules
        .iter()
        .filter(|module| module.gil == Gil::Enables)
        .map(|module| (module, package.reached.iter().find(|reach| reach.module == module.module)))
        .filter(|(_, reach)| like_this(*reach))
        .collect()
}

/// The modules by their names, those beyond a few counted.
pub(super) fn enabling(found: &Offenders<'_>) -> String {
    let names: Vec<&str> =
        found.iter().take(NAMED).map(|(module, _)| module.module.as_str()).collect();
    let more = found.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (does, they) = if found.len() == 1 { ("does", "it runs") } else { ("do", "they run") };
    format!("{}{more} {does} not declare that {they} without the GIL", names.join(", "))
}

/// Tells the chains that lead to the modules, each once, and what to do.
pub(super) fn with_chains(
    mut draft: Draft,
    package: &PackageReport,
    found: &Offenders<'_>,
) -> Draft {
    let chains = found.iter().filter_map(|(_, reach)| *reach).flat_map(|reach| &reach.chains);
    let mut shown = std::collections::BTreeSet::new();
    for chain in chains {
        // One for each package that leads there is enough to know where to look.
        if shown.len() < NAMED && shown.insert(&chain.package) {
            let perhaps = if chain.certain { "" } else { "perhaps " };
            let of = if chain.package == package.name {
                String::new()
            } else {
                format!(" ({})", chain.package)
            };
            draft = draft.hint(format!("{perhaps}reached by {}{of}", chain.modules.join(" -> ")));
        }
    }
    if let Some(issue) = package.tracker.as_ref().and_then(|entry| entry.issue.clone()) {
        draft.links.push(issue);
    }
    draft
}
