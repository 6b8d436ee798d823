//! The arguments of `ftcheck tracker`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ftcheck::model::tracker::TrackerReport;
use ftcheck::report::{self, Reporter};
use jiff::civil::Date;

use super::{ColorWhen, Reported, format_names};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  ftcheck tracker                     # all projects
  ftcheck tracker show lxml greenlet  # all facts of two
  ftcheck tracker update              # read the live page

What the tracker says is evidence beside the binary, which decides.

Exit codes:
  0  told
  1  `show`: a name is not in the tracker
  2  it could not be told, or not refreshed
  3  `update`: refreshed, but something on the page was not understood"
)]
pub(crate) struct TrackerArguments {
    #[command(subcommand)]
    pub(crate) command: Option<TrackerCommand>,

    #[command(flatten)]
    pub(crate) list: TrackerListArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrackerCommand {
    /// List all projects; so does `ftcheck tracker` alone
    List(TrackerListArguments),
    /// Show all that the tracker says of a project
    Show(TrackerShowArguments),
    /// Read the tracker's page, and use what it says from now on
    Update(TrackerUpdateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct TrackerListArguments {
    #[command(flatten)]
    pub(crate) form: TrackerForm,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ftcheck tracker show lxml
  ftcheck tracker show PyTorch opencv-python --format json

Exit codes:
  0  the tracker has all of them
  1  it does not have one
  2  it could not be told")]
pub(crate) struct TrackerShowArguments {
    /// Distributions, or projects as the tracker calls them
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,

    #[command(flatten)]
    pub(crate) form: TrackerForm,
}

/// How facts are shown, and from where they are taken.
#[derive(Debug, Args)]
pub(crate) struct TrackerForm {
    /// The form
    #[arg(long, default_value = TrackerReport::FORMATS[0].name(),
          value_parser = format_names::<TrackerReport>())]
    pub(crate) format: String,

    /// Whether to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,

    /// The folder of the cache, with what was read last [default: the user's own]
    #[arg(long, value_name = "DIR", env = "FTCHECK_CACHE_DIR", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ftcheck tracker update
  ftcheck tracker update --from tracking.md --check

Exit codes:
  0  refreshed, or with --check: it could be
  2  not refreshed; the data there was is kept
  3  refreshed, but something on the page was not understood, and is named")]
pub(crate) struct TrackerUpdateArguments {
    /// The page: a file or an address [default: the page of the project on GitHub]
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) from: Option<String>,

    /// The commit that a file is from
    #[arg(long, value_name = "HASH", requires = "from")]
    pub(crate) commit: Option<String>,

    /// The day of the page [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<Date>,

    /// Write the data to a file, and go on using the former
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Only say what is read, and change nothing
    #[arg(long, conflicts_with = "output")]
    pub(crate) check: bool,

    /// Do not use the network
    #[arg(long)]
    pub(crate) offline: bool,

    /// The folder of the cache [default: the user's own]
    #[arg(long, value_name = "DIR", env = "FTCHECK_CACHE_DIR", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

impl Reported for TrackerReport {
    const FORMATS: &'static [&'static dyn Reporter<Self>] = report::TRACKER_FORMATS;
    const IN_FULL: &'static str = "Say more: all facts of each project";
}
