//! Mirrors `src/model`.

mod digest;
mod distribution;
mod environment;
mod location;
mod platform;
mod tag;
mod target;
mod wheel_filename;
