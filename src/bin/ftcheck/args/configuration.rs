//! The arguments about ftcheck's own configuration, and about what a run fails on.

use std::path::PathBuf;

use clap::Args;

/// Which configuration counts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigurationArguments {
    /// The configuration, in place of the one that is found: ftcheck.toml or pyproject.toml
    ///
    /// Found is the nearest ftcheck.toml, or pyproject.toml with a table [tool.ftcheck], in the folder
    /// of the project or above it up to the root of the repository. What the command line says wins
    /// over it.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,

    /// Read no configuration of ftcheck's own
    #[arg(long)]
    pub(crate) no_config: bool,
}

/// What was found before, and is accepted.
#[derive(Debug, Default, Args)]
pub(crate) struct BaselineArguments {
    /// Fail only on what this file does not know: it was written by --write-baseline
    ///
    /// What is known is shown as such. A finding is known by its rule, package, modules, target and
    /// platform; versions and lines do not count.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Write what is found to this file, for --baseline: from then on only what is new fails
    ///
    /// The run ends with 0, unless nothing at all could be checked; with --baseline as that has it.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_baseline: Option<PathBuf>,
}

/// What a run fails on.
#[derive(Debug, Args)]
pub(crate) struct OutcomeArguments {
    /// End with 1 on findings of this level (error, warning, note) or above, or of this rule
    /// [default: warning]
    ///
    /// Several are given one by one or joined by commas. What is not known ends with 3 whatever is
    /// said here, unless the rule that tells of it is named.
    #[arg(long, value_name = "LEVEL|RULE", value_delimiter = ',')]
    pub(crate) fail_on: Vec<String>,

    /// End with 0 whatever was found, and whatever could not be checked
    #[arg(long)]
    pub(crate) exit_zero: bool,
}
