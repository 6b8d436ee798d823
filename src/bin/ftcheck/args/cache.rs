//! The arguments of `ftcheck cache`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples;

#[derive(Debug, Args)]
#[command(after_help = examples::CACHE_EXIT_CODES, after_long_help = examples::CACHE)]
pub(crate) struct CacheArguments {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,

    /// The folder of the cache [default: the user's own]
    #[arg(
        long,
        value_name = "DIR",
        env = "FTCHECK_CACHE_DIR",
        hide_env_values = true,
        global = true
    )]
    pub(crate) cache_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print the folder
    Dir,
    /// Tell how much there is, by what is kept
    Size,
    /// Remove what is old, and what former versions of ftcheck kept in other forms
    Prune(PruneArguments),
    /// Remove everything
    Clean,
    /// Read every entry, and tell which are damaged: those are never used
    Verify,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    /// Remove entries that were written longer ago
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub(crate) older_than: u32,
}
