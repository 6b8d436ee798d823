//! What follows from a search: which release to ask for, and how far the search went, in words.

use pep440_rs::Version;

use super::command::Wish;
use super::look::Found;
use crate::model::report::Verdict;

/// The release to ask for.
pub(super) fn wish(found: &Found) -> Option<(Version, Wish)> {
    let version: Version = found.first.as_ref()?.candidate.version.parse().ok()?;
    let wish =
        if found.newest { Wish::AtLeast(version.clone()) } else { Wish::Exactly(version.clone()) };
    Some((version, wish))
}

/// How far a search went, where it did not go all the way or there was nothing to search.
pub(super) fn of_bounds(found: &Found, newer: usize) -> Option<String> {
    let outcome = &found.outcome;
    let mut parts = Vec::new();
    if newer == 0 {
        return Some("there is no newer release".to_owned());
    }
    if found.without_wheel == newer {
        return Some(format!(
            "none of the {newer} newer releases has a wheel for it, by their tags"
        ));
    }
    if outcome.first.is_none() && outcome.certain {
        return Some(format!("none of the {newer} newer releases keeps the GIL off"));
    }
    if let Some(failure) = &found.failure {
        parts.push(failure.clone());
    }
    let releases = |count: usize| if count == 1 { "release" } else { "releases" };
    let told = outcome.not_told - failed(found).min(outcome.not_told);
    if told > 0 {
        let before = if outcome.first.is_some() { " before that" } else { "" };
        parts.push(format!("{told} {}{before} could not be told", releases(told)));
    }
    if outcome.not_looked_at > 0 {
        let count = outcome.not_looked_at;
        let assumed = match (outcome.first, outcome.went_back, outcome.not_told) {
            (Some(_), false, 0) => {
                "it was assumed that support came to stay, and nothing that was seen speaks against it"
            }
            (Some(_), true, _) => "support came and went, so that one of them may keep the GIL off",
            _ => "one of them may keep the GIL off",
        };
        let before = if outcome.first.is_some() { " before that" } else { "" };
        let were = if count == 1 { "was" } else { "were" };
        parts.push(format!(
            "{count} {} with a wheel{before} {were} not looked at: {assumed}",
            releases(count)
        ));
    }
    if outcome.went_back {
        parts.push("a newer release than the first enables the GIL again".to_owned());
    } else if outcome.first.is_some() && !found.newest {
        parts.push("the newest release was not seen to keep the GIL off".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Releases that could not be looked at, which the failure names already.
fn failed(found: &Found) -> usize {
    found.looked_at.iter().filter(|(_, one)| one.verdict == Verdict::Unchecked).count()
}
