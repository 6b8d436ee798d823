//! The arguments of `ftcheck verify`.

use std::path::PathBuf;

use clap::Args;
use ftcheck::model::verify_report::VerifyReport;

use super::{ReportArguments, examples};

#[derive(Debug, Args)]
#[command(after_help = examples::VERIFY_EXIT_CODES, after_long_help = examples::VERIFY)]
pub(crate) struct VerifyArguments {
    /// The free-threaded interpreter, or the folder of its environment
    ///
    /// It is run: once to ask what it is, and once for each extension module that is installed there.
    /// Neither variables of the environment such as PYTHON_GIL nor the current folder have a say.
    #[arg(long, value_name = "PATH")]
    pub(crate) python: PathBuf,

    /// Import the top-level names of what is installed, rather than load each extension module
    ///
    /// What importing a name does is told by following the Python files; the interpreter imports it
    /// in a fresh process.
    #[arg(long)]
    pub(crate) imports: bool,

    /// Seconds that a module may take to load
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,

    /// Processes to run at a time [default: one for each core]
    #[arg(long, value_name = "COUNT")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,

    /// Also write what the interpreter did to this file, a line of JSON for each module
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) report: ReportArguments<VerifyReport>,
}
