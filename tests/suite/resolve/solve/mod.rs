//! The resolver, against an index in memory.
//!
//! ```text
//! world     an index written as text, requirements written as text, and the answer as text
//! named     one case each for everything that users can ask for
//! conflict  what is said where there is no answer
//! random    small random indexes, against all assignments tried one by one
//! ```

mod conflict;
mod named;
mod random;
mod world;
