//! Everything that comes from outside: HTTP, the cache, project pages, and parts of wheels.
//!
//! Nothing is judged here. What could not be fetched is an error with its reason, never an empty
//! answer.

pub mod access;
pub mod archive;
pub mod cache;
pub mod client;
pub mod core_metadata;
mod disk;
pub mod error;
pub mod indexes;
mod layout;
mod links;
pub mod metadata;
pub mod opened;
mod parts;
pub mod python_files;
pub mod sdist;
pub mod simple;
pub mod source_files;
mod sparse;
mod streamed;
pub mod tarball;
pub mod wheel;
