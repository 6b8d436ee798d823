//! What importing a name executes, and so which extension modules are loaded.
pub mod environment;
mod evaluate;
pub mod facts;
pub mod parse;
mod report;
mod standard_library;

/// Counts up with every change to what is answered, so that no older answer is taken from a cache.
pub const IMPORTS_VERSION: u32 = 1;
