//! The words that all stages share: leaf types without I/O.
//!
//! Parsing of a type's own text form lives with the type; everything that reads files, asks the
//! network or decides anything lives in a stage.

pub mod access;
pub mod advice;
pub mod conda;
pub mod diff_report;
pub mod digest;
pub mod distribution;
pub mod environment;
pub mod finding;
pub mod imports;
pub mod index;
pub mod inspect_report;
pub mod limits;
pub mod location;
pub mod lock;
pub mod metadata;
pub mod nearest;
pub mod pep508;
pub mod project_files;
pub mod release;
pub mod report;
pub mod requirement;
pub mod tag;
pub mod tracker;
pub mod verify_report;
pub mod wheel_filename;

pub use ftcheck_engine::model::{evidence, platform, target};
