//! The arguments of `ftcheck comment`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use ftcheck::forge::FORGES;
use ftcheck::forge::comment::Key;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ftcheck scan --output report.json; ftcheck comment --report report.json
  ftcheck comment --report report.json --base base.json  # what the change does
  ftcheck comment --report report.json --dry-run         # see it, write nothing

The comment is written once and changed in place from then on. The token is
that of the environment: GITHUB_TOKEN or GH_TOKEN, GITLAB_TOKEN. Where it may
not comment, the step summary or the standard output has the text.

Exit codes:
  0  commented, or told in the summary with a warning why not
  2  it could not be told")]
pub(crate) struct CommentArguments {
    /// What `ftcheck scan --output FILE.json` wrote
    #[arg(long, value_name = "FILE", default_value = "report.json")]
    pub(crate) report: PathBuf,

    /// The report of what the change would be merged into: tell only what the change does
    #[arg(long, value_name = "FILE")]
    pub(crate) base: Option<PathBuf>,

    /// Tell everything, with a base too
    #[arg(long, requires = "base")]
    pub(crate) all: bool,

    /// The pull request or merge request [default: that of the CI]
    #[arg(long, visible_alias = "merge-request", value_name = "NUMBER")]
    pub(crate) pull_request: Option<u64>,

    /// The forge [default: that of the CI]
    #[arg(long, value_parser = PossibleValuesParser::new(FORGES.iter().map(|forge| forge.name())))]
    pub(crate) forge: Option<String>,

    /// Tells the comments of several scans of one repository apart
    #[arg(long, default_value = "report")]
    pub(crate) key: Key,

    /// Say what would be done and print the comment, without writing it
    #[arg(long)]
    pub(crate) dry_run: bool,
}
