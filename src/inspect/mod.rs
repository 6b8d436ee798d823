//! Bytes of an extension module in, evidence out.
//!
//! Touches no network and no file, and knows no package by name.
//!
//! ```text
//! filename  which files are modules, what they are called
//! image     the library as the dynamic loader leaves it
//! libraries what else of the wheel an answer may hang on
//! emulate   what the init function does
//! module    the definition it returns, and what the interpreter makes of it
//! ```

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
