//! The words that the engine shares with all stages: what is asked, and what is answered.
//!
//! `ftcheck::model` has them beside those that the engine does not need.

pub mod evidence;
pub mod platform;
pub mod target;
