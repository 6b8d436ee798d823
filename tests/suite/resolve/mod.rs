//! Mirrors `src/resolve`.

mod graph;
mod lock;
mod offer;
mod pin;
mod ranges;
mod solve;

use pep508_rs::MarkerEnvironment;

/// What markers are evaluated against, for `3.14t` on `linux` and the like.
pub(crate) fn environment(target: &str, platform: &str) -> MarkerEnvironment {
    ftcheck::model::environment::marker_environment(
        target.parse().unwrap(),
        platform.parse().unwrap(),
    )
    .unwrap()
}
