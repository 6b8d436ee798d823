//! The hermetic tests: no network beyond this machine, no Python, no compiler.
//!
//! Folders and files mirror `src/`; [`support`] holds the fake index and the wheels it serves.

mod support;
mod support_selftest;
