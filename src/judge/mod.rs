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
