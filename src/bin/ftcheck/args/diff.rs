//! The arguments of `ftcheck diff`.

use std::path::PathBuf;

use clap::Args;
use ftcheck::model::diff_report::DiffReport;

use super::{OutcomeArguments, ReportArguments, ResolutionArguments, SectionArguments, examples};

#[derive(Debug, Args)]
#[command(
    override_usage = "ftcheck diff [OPTIONS] <OLD> <NEW>\n       ftcheck diff [OPTIONS] --git <BASE> [PATH]",
    after_help = examples::DIFF_EXIT_CODES,
    after_long_help = examples::DIFF
)]
pub(crate) struct DiffArguments {
    /// What is compared, the old before the new: reports (.json, as `ftcheck scan --format json` writes
    /// them), files that name dependencies, or directories that hold one
    ///
    /// With --git it is one file or directory, as it was and as it is; the working directory where
    /// none is named.
    #[arg(value_name = "PATH", num_args = 0..=2)]
    pub(crate) paths: Vec<PathBuf>,

    /// Compare with the files as of a git revision: where the history of BASE and of the working tree
    /// part, as a pull request has it
    ///
    /// The working tree is not touched: the files are taken out into a temporary folder.
    #[arg(long, value_name = "BASE")]
    pub(crate) git: Option<String>,

    /// Compare with BASE itself
    #[arg(long, requires = "git")]
    pub(crate) exact: bool,

    #[command(flatten)]
    pub(crate) sections: SectionArguments,

    #[command(flatten)]
    pub(crate) resolution: ResolutionArguments,

    #[command(flatten)]
    pub(crate) outcome: OutcomeArguments,

    #[command(flatten)]
    pub(crate) report: ReportArguments<DiffReport>,
}
