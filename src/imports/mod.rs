//! What importing a name executes, and so which extension modules are loaded.
pub mod environment;
mod evaluate;
pub mod facts;
pub mod parse;
mod report;
mod standard_library;
