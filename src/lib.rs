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
//! [`imports`] tells from the Python files of all packages what importing a name executes. [`config`]
//! is what the user's settings for uv and pip say of the network, [`settings`] is ftcheck's own
//! configuration. [`model`] holds the words that all stages share, [`wheel_check`] joins fetching and
//! inspecting for one wheel, [`local`] does the same for files on this machine, and [`pipeline`]
//! calls the stages in turn. [`advise`] looks for releases that would do better than those of a
//! report, and [`diff`] tells what differs between two, of which [`git`] may give the older.
//! [`verify`] compares the engine with an [`interpreter`] that is run. The command line is a thin layer
//! above in `src/bin/ftcheck`.

pub mod advise;
pub mod config;
pub mod diff;
pub mod fetch;
pub mod forge;
pub mod git;
pub mod imports;
pub mod input;
pub mod interpreter;
pub mod judge;
pub mod local;
pub mod model;
pub mod module_check;
pub mod pipeline;
pub mod report;
pub mod resolve;
pub mod settings;
pub mod source;
pub mod source_check;
pub mod tracker;
pub mod verify;
pub mod wheel_check;

pub use ftcheck_engine as inspect;
