//! The hermetic tests: no network beyond this machine, no Python, no compiler.
//!
//! Folders and files mirror `src/`; [`support`] holds the fake index and the wheels it serves, and
//! [`house`] the rules that the code itself has to keep.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how tests fail"
)]
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::option_option,
    reason = "plain code matters more than speed here"
)]

mod advise;
mod cache_command;
mod command_line;
mod comment;
mod config;
mod diff;
mod diff_command;
mod fetch;
mod forge;
mod git;
mod house;
mod imports;
mod input;
mod inspect;
mod inspect_command;
mod interrupt;
mod judge;
mod model;
mod pre_commit;
mod report;
mod resolve;
mod scan;
mod settings;
mod source;
mod supply_chain;
mod support;
mod support_selftest;
mod terminal;
mod tracker;
mod verify_command;
mod wheel_check;
mod why;
