//! A package, or a part of the scan, that was not looked at.

use super::{Check, Draft, Rule};
use crate::model::finding::Level;
use crate::model::report::{PackageReport, ScanReport, Verdict};

pub(super) struct NotChecked;

static RULE: Rule = Rule {
    id: "not-checked",
    level: Some(Level::Warning),
    about_unknown: true,
    summary: "something was not looked at",
    explanation: "A package could not be fetched or read, or the files that were scanned do not \
        tell all that would be installed. What was not looked at may enable the GIL, so a scan with \
        such a gap does not end in success, whatever else it found.",
    action: "The finding says why. What the network kept away can be tried again; a lockfile that \
        is out of date or for other environments has to be made anew.",
};

impl Check for NotChecked {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        // Undetermined packages without a module to name are no less unknown.
        let nameless = package.verdict == Verdict::Undetermined && package.modules.is_empty();
        if package.verdict != Verdict::Unchecked && !nameless {
            return Vec::new();
        }
        let reason = package.reason.as_deref().unwrap_or("the reason is not known");
        vec![Draft::new(reason)]
    }

    fn scan(&self, report: &ScanReport) -> Vec<Draft> {
        report.gaps.iter().map(|gap| Draft::new(format!("not covered: {gap}"))).collect()
    }
}
