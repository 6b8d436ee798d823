//! The hermetic tests: no network beyond this machine, no Python, no compiler.
//!
//! Folders and files mirror `src/`; [`support`] holds the fake index and the wheels it serves.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "that is how tests fail"
)]

mod input;
mod inspect;
mod model;
mod resolve;
mod support;
mod support_selftest;
