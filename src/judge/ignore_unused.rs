//! An ignore of the configuration that matches nothing.

use super::policy::Ignore;
use super::{Check, Rule, about_settings};
use crate::model::finding::{Finding, Level};

pub(super) struct IgnoreUnused;

static RULE: Rule = Rule {
    id: "ignore-unused",
    level: Some(Level::Note),
    about_unknown: false,
    summary: "an ignore in the configuration matches nothing",
    explanation: "An entry of `ignore` takes out no finding: the package no longer enables the GIL, \
        is no longer installed, or the entry names something else than was meant. Left where it \
        stands it would hide the same finding the day it comes back.",
    action: "Remove the entry. Where only a part of the project was looked at, such as one target \
        of several, it may be for another part.",
};

/// Findings of it come from [`super::apply_ignores`], which knows what was matched.
impl Check for IgnoreUnused {
    fn rule(&self) -> &'static Rule {
        &RULE
    }
}

pub(super) fn found(ignore: &Ignore) -> Finding {
    let message = format!("the ignore of {ignore} matches nothing");
    about_settings(&RULE, message, "remove it".to_owned(), ignore.location.clone())
}
