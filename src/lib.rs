//! Tells which dependencies of a project would turn the GIL back on in free-threaded Python,
//! without running them.
//!
//! Data flows one way:
//!
//! ```text
//! input  ->  resolve  ->  fetch  ->  inspect  ->  judge  ->  report
//! what is    which        its        what its     what the   for people
//! asked for  wheel        bytes      modules do   whole does and programs
//! ```
//!
//! [`config`] is what the user's settings for uv and pip say of the network.
//! [`settings`] is ftcheck's own configuration. [`model`] holds the words that all stages share, [`wheel_check`] joins fetching and inspecting
//! for one wheel, [`local`] does the same for files on this machine, and [`pipeline`] calls the
//! stages in turn. The command line is a thin layer above in `src/bin/ftcheck`.

pub mod config;
pub mod diff;
pub mod fetch;
pub mod git;
pub mod input;
pub mod inspect;
pub mod judge;
pub mod local;
pub mod model;
pub mod module_check;
pub mod pipeline;
pub mod report;
pub mod resolve;
pub mod settings;
pub mod wheel_check;
