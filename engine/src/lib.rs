//! The engine of ftcheck: bytes of an extension module in, evidence out.
//!
//! Touches no network and no file, and knows no package by name. A crate of its own, so that it is
//! compiled once, and optimized where the rest need not be; `ftcheck` has it as `ftcheck::inspect`.
//!
//! ```text
//! filename   which files are modules, what they are called
//! image      the library as the dynamic loader leaves it
//! libraries  what else of the wheel an answer may hang on
//! closure    the libraries that a module may run in
//! emulate    what the init function would do in a process
//! definition the module definition it returns
//! slots      slot arrays, and what they declare
//! generator  which tool generated a module
//! module     all of these in turn
//! model      the words that it shares with all stages
//! ```

mod closure;
mod definition;
mod emulate;
pub mod filename;
mod generator;
pub mod image;
pub mod libraries;
pub mod model;
mod module;
mod slots;

pub use module::{Inspection, Interpreter, inspect};

/// Counts up with every change that can alter an answer, so that no answer of an older engine is
/// taken from a cache.
pub const ENGINE_VERSION: u32 = 10;
