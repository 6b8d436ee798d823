//! From what was found in a package's modules to its verdict.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::evidence::{Gil, ModuleReport};
use crate::model::report::Verdict;

/// Settles modules that another one makes: where that one is among what was looked at, its answer
/// is theirs. Each group is what one distribution holds, under the name it is called by.
///
/// cffi's backend declares the same for itself and for what it makes (cffi, `cffi1_module.c`).
pub fn settle(groups: &mut [(String, &mut Vec<ModuleReport>)]) {
    let mut answers: BTreeMap<String, Vec<(Gil, String)>> = BTreeMap::new();
    let wanted: BTreeSet<String> = groups
        .iter()
        .flat_map(|(_, modules)| modules.iter())
        .filter_map(|module| module.evidence.delegates_to.clone())
        .collect();
    for (distribution, modules) in groups.iter() {
        for module in modules.iter().filter(|module| wanted.contains(&module.module)) {
            let answer = (module.gil, distribution.clone());
            answers.entry(module.module.clone()).or_default().push(answer);
        }
    }
    for module in groups.iter_mut().flat_map(|(_, modules)| modules.iter_mut()) {
        let Some(maker) = &module.evidence.delegates_to else { continue };
        // Of two that differ it is not known which one is imported.
        let Some([first, rest @ ..]) = answers.get(maker).map(Vec::as_slice) else { continue };
        if first.0 != Gil::Undetermined && rest.iter().all(|other| other.0 == first.0) {
            module.gil = first.0;
            module.reason = None;
            module.evidence.settled_by = Some(first.1.clone());
        }
    }
}

/// The verdict on a wheel whose modules were all looked at.
///
/// One module that enables the GIL is enough, whatever else is not known; and nothing keeps it off
/// unless every module is known to.
#[must_use]
pub fn verdict(modules: &[ModuleReport]) -> Verdict {
    let any = |gil| modules.iter().any(|module| module.gil == gil);
    if modules.is_empty() {
        Verdict::NoExtensionModules
    } else if any(Gil::Enables) {
        Verdict::EnablesGil
    } else if any(Gil::Undetermined) {
        Verdict::Undetermined
    } else {
        Verdict::KeepsGilOff
    }
}

/// Why a package's answer is not known, where that is so: how many modules it is for.
#[must_use]
pub fn reason(modules: &[ModuleReport]) -> Option<String> {
    if verdict(modules) != Verdict::Undetermined {
        return None;
    }
    let unknown = modules.iter().filter(|module| module.gil == Gil::Undetermined).count();
    Some(format!("{unknown} of {} extension modules could not be told", modules.len()))
}
