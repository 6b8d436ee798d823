//! What differs between two reports, and between a report and a baseline. Pure: the texts of reports
//! and baselines are read elsewhere, and parsed here.
//!
//! Findings are compared by what stays the same while versions and lines change: see
//! [`baseline::Entry`].

pub mod baseline;
mod compare;
mod packages;
mod places;
mod read;

pub use compare::{Comparison, Sides, compare};
pub use read::read_report;
