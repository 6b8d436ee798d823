//! The arguments that say where packages come from.
#![expect(clippy::doc_markdown, reason = "these comments are shown as help, where backticks stay")]

use clap::{Args, ValueEnum};
use ftcheck::config::CommandLine;
use ftcheck::model::index::IndexStrategy;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Indexes")]
pub(crate) struct IndexArguments {
    /// An index beside the default one, asked before it: URL or NAME=URL
    #[arg(long, value_name = "INDEX")]
    index: Vec<String>,

    /// The index in place of the public one
    ///
    /// What the options do not say is taken from UV_DEFAULT_INDEX, UV_INDEX and their like, from
    /// uv's configuration, then from PIP_INDEX_URL and its like and pip's configuration.
    #[arg(long, value_name = "URL", visible_alias = "index-url")]
    default_index: Option<String>,

    /// The same as --index, without names
    #[arg(long, value_name = "URL")]
    extra_index_url: Vec<String>,

    /// A folder, file or page of wheels and source distributions
    #[arg(long, short, value_name = "LOCATION")]
    find_links: Vec<String>,

    /// Ask no index, only --find-links
    #[arg(long)]
    no_index: bool,

    /// What is done where several indexes have a package
    #[arg(long, value_name = "WHAT")]
    index_strategy: Option<Strategy>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Strategy {
    /// Only the first one that has it counts, as in uv
    FirstIndex,
    /// The files of all compete, as in pip
    UnsafeBestMatch,
}

impl IndexArguments {
    /// The same in the words of the library.
    pub(crate) fn command_line(self, offline: bool) -> CommandLine {
        CommandLine {
            index: self.index,
            default_index: self.default_index,
            extra_index_url: self.extra_index_url,
            find_links: self.find_links,
            no_index: self.no_index,
            index_strategy: self.index_strategy.map(|strategy| match strategy {
                Strategy::FirstIndex => IndexStrategy::FirstIndex,
                Strategy::UnsafeBestMatch => IndexStrategy::BestMatch,
            }),
            offline,
        }
    }
}
