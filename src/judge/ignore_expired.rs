//! An ignore of the configuration whose last day is over.

use super::policy::Ignore;
use super::{Check, Rule, about_settings};
use crate::model::finding::{Finding, Level};

pub(super) struct IgnoreExpired;

static RULE: Rule = Rule {
    id: "ignore-expired",
    level: Some(Level::Warning),
    about_unknown: false,
    summary: "an ignore in the configuration has expired",
    explanation: "An entry of `ignore` has a date in `expires`, and that day is over. It no longer \
        takes anything out: what it was for counts again, where it is still found.",
    action: "See whether its reason still holds. Where it does, give it a later date, else remove \
        the entry.",
};

/// Findings of it come from [`super::apply_ignores`], which knows the day.
impl Check for IgnoreExpired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }
}

pub(super) fn found(ignore: &Ignore, is_used: bool) -> Finding {
    let date = ignore.expires.map(|date| format!(" on {date}")).unwrap_or_default();
    let matches = if is_used { "" } else { ", and it matches nothing" };
    let message = format!("the ignore of {ignore} expired{date}{matches}");
    let hint =
        if is_used { format!("its reason was: {}", ignore.reason) } else { "remove it".to_owned() };
    about_settings(&RULE, message, hint, ignore.location.clone())
}
