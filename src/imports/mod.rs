//! What importing a name executes, and so which extension modules are loaded.
//!
//! Pure: the files of all packages that would be installed side by side are given to an
//! [`Environment`], which then answers for any name, for any module, and for files of the user's own.
//!
//! ```text
//! parse        a Python file -> what is kept of it (facts)
//! environment  members of wheels -> modules by their names
//! evaluate     facts -> what is executed, and what it imports
//! report       import NAME -> does it enable the GIL, by which module, through which
//! graph        a module -> what leads to it
//! words        a module -> the files that hold its name
//! named        a module -> the modules that its file names
//! backwards    modules -> those that lead to them
//! source       a file of the user's own -> its lines that do
//! mentions     a compiled file -> the modules that it names
//! ```

mod backwards;
pub mod cores;
mod edges;
pub mod environment;
mod evaluate;
pub mod facts;
pub mod graph;
pub mod mentions;
mod named;
pub mod parse;
mod report;
mod search;
pub mod source;
mod standard_library;
mod words;

pub use environment::{Distribution, Environment, Extension, Files, top_level_names};

/// Counts up with every change to what is answered, so that no older answer is taken from a cache.
pub const IMPORTS_VERSION: u32 = 4;
