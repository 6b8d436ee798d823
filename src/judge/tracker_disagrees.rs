//! A package of which the py-free-threading tracker says something else than its modules.

use std::str::FromStr as _;

use pep440_rs::Version;

use super::{Check, Draft, Rule};
use crate::model::finding::Level;
use crate::model::report::{PackageReport, Verdict};

pub(super) struct TrackerDisagrees;

static RULE: Rule = Rule {
    id: "tracker-disagrees",
    level: Some(Level::Note),
    about_unknown: false,
    summary: "the py-free-threading tracker and the package's modules disagree",
    explanation: "The tracker is a table that the py-free-threading project keeps by hand. It names \
        the first version of a project that supports free threading; here the binary says something \
        else. The binary decides, and the disagreement is told, since one of the two should be \
        mended.",
    action: "See the linked issue. Where the table is out of date, tell its project.",
};

impl Check for TrackerDisagrees {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn package(&self, package: &PackageReport) -> Vec<Draft> {
        let Some(entry) = &package.tracker else { return Vec::new() };
        // Rows on tools are about what these make, and some hold from a later interpreter on.
        if entry.tool || entry.fully_from.is_some_and(|from| package.target < from) {
            return Vec::new();
        }
        let version = package.version.as_deref().and_then(|text| Version::from_str(text).ok());
        let first = entry.first_version.as_deref();
        let supported = match (&version, first.and_then(|text| Version::from_str(text).ok())) {
            (Some(version), Some(first)) => Some(*version >= first),
            (Some(_), None) if first.is_none() => Some(false),
            _ => None,
        };
        let message = match (package.verdict, supported, first) {
            (Verdict::EnablesGil, Some(true), Some(first)) => {
                format!("the tracker has support since {first}, and a module enables the GIL")
            }
            (Verdict::KeepsGilOff, Some(false), Some(first)) => {
                format!(
                    "the tracker has support since {first} only, and every module keeps the GIL off"
                )
            }
            (Verdict::KeepsGilOff, Some(false), None) => {
                "the tracker names no version with support, and every module keeps the GIL off"
                    .to_owned()
            }
            _ => return Vec::new(),
        };
        let draft = Draft { links: entry.issue.iter().cloned().collect(), ..Draft::new(message) };
        vec![draft]
    }
}
