//! Bytes of an extension module in, evidence out.
//!
//! Touches no network and no file, and knows no package by name.
//!
//! ```text
//! filename   which files are modules, what they are called
//! image      the library as the dynamic loader leaves it
//! libraries  what else of the wheel an answer may hang on
//! follow     what the init function does, without assumptions
//! emulate    what it would do in a process
//! definition the module definition, its slots, and what they declare
//! module     all of these in turn
//! ```

mod definition;
mod emulate;
pub mod filename;
mod follow;
pub mod image;
pub mod libraries;
mod module;
mod view;

pub use module::{Inspection, inspect};

/// Counts up with every change that can alter an answer, so that no answer of an older engine is
/// taken from a cache.
pub const ENGINE_VERSION: u32 = 1;
