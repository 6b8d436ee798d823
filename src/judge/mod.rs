//! From what was found in a package's modules to its verdict. Pure: no network, no files.

use crate::model::evidence::{Gil, ModuleReport};
use crate::model::report::Verdict;

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
