//! ftcheck's own configuration: where it is found, what it says, and what comes of it.

mod command;
mod find;
mod read;
