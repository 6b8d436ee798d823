//! What importing executes.
pub mod facts;
pub mod parse;
