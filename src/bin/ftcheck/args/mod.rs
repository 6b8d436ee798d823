//! The arguments as they are typed; what they mean together is told in [`crate::options`].
#![expect(clippy::doc_markdown, reason = "these comments are shown as help, where backticks stay")]

mod cache;
mod comment;
mod configuration;
mod diff;
mod examples;
mod indexes;
mod resolution;
mod tracker;
mod verify;

use std::marker::PhantomData;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use ftcheck::model::advice::AdviceReport;
use ftcheck::model::diff_report::DiffReport;
use ftcheck::model::inspect_report::InspectReport;
use ftcheck::model::platform::Platform;
use ftcheck::model::report::ScanReport;
use ftcheck::model::target::Target;
use ftcheck::model::verify_report::VerifyReport;
use ftcheck::report::{self, Reporter};

pub(crate) use self::cache::{CacheArguments, CacheCommand};
pub(crate) use self::comment::CommentArguments;
pub(crate) use self::configuration::{BaselineArguments, ConfigurationArguments, OutcomeArguments};
pub(crate) use self::diff::DiffArguments;
pub(crate) use self::resolution::{ProjectArguments, ResolutionArguments, SectionArguments};
pub(crate) use self::tracker::{
    TrackerArguments, TrackerCommand, TrackerForm, TrackerUpdateArguments,
};
pub(crate) use self::verify::VerifyArguments;

/// Tells which dependencies would turn the GIL back on in free-threaded Python, without running
/// them.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = examples::PROGRAM)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at everything that a project depends on
    Scan(ScanArguments),
    /// Look at packages named here, and what they depend on
    Check(CheckArguments),
    /// Show why a package is there: what leads to it from the project
    Why(WhyArguments),
    /// Tell what to do about the packages of a project that are in the way
    Advise(AdviseArguments),
    /// Tell what a change does: what it adds, removes, fixes and worsens
    Diff(DiffArguments),
    /// Keep one comment on a pull request or merge request up to date
    Comment(CommentArguments),
    /// List the rules
    #[command(after_long_help = examples::RULES)]
    Rules,
    /// Explain a rule, and what to do about its findings
    Explain(ExplainArguments),
    /// Look at wheels and compiled modules on this machine
    Inspect(InspectArguments),
    /// Compare the answers with an interpreter, which is run
    Verify(VerifyArguments),
    /// Show what the py-free-threading tracker says of projects, or refresh it
    Tracker(TrackerArguments),
    /// Look after what is kept between runs
    Cache(CacheArguments),
    /// Print a script that lets a shell complete commands and options
    Completions(CompletionsArguments),
    /// Print the manual page
    Man(ManArguments),
}

impl Command {
    /// What `--color` says, where the command has it.
    pub(crate) fn color(&self) -> Option<ColorWhen> {
        match self {
            Self::Scan(arguments) => Some(arguments.report.color),
            Self::Check(arguments) => Some(arguments.report.color),
            Self::Inspect(arguments) => Some(arguments.report.color),
            Self::Verify(arguments) => Some(arguments.report.color),
            Self::Advise(arguments) => Some(arguments.report.color),
            Self::Diff(arguments) => Some(arguments.report.color),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = examples::SCAN_EXIT_CODES, after_long_help = examples::SCAN)]
pub(crate) struct ScanArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,

    #[command(flatten)]
    pub(crate) resolution: ResolutionArguments,

    #[command(flatten)]
    pub(crate) rules: RuleArguments,

    #[command(flatten)]
    pub(crate) baseline: BaselineArguments,

    #[command(flatten)]
    pub(crate) report: ReportArguments<ScanReport>,
}

#[derive(Debug, Args)]
#[command(after_help = examples::SCAN_EXIT_CODES, after_long_help = examples::CHECK)]
pub(crate) struct CheckArguments {
    /// Packages as in a requirements file, such as numpy or 'pandas[parquet]<3'
    #[arg(required = true, value_name = "REQUIREMENT")]
    pub(crate) requirements: Vec<String>,

    #[command(flatten)]
    pub(crate) resolution: ResolutionArguments,

    #[command(flatten)]
    pub(crate) rules: RuleArguments,

    #[command(flatten)]
    pub(crate) report: ReportArguments<ScanReport>,
}

#[derive(Debug, Args)]
#[command(after_help = examples::WHY_EXIT_CODES, after_long_help = examples::WHY)]
pub(crate) struct WhyArguments {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: String,

    #[command(flatten)]
    pub(crate) project: ProjectArguments,

    #[command(flatten)]
    pub(crate) resolution: ResolutionArguments,
}

#[derive(Debug, Args)]
#[command(after_help = examples::ADVISE_EXIT_CODES, after_long_help = examples::ADVISE)]
pub(crate) struct AdviseArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,

    #[command(flatten)]
    pub(crate) resolution: ResolutionArguments,

    #[command(flatten)]
    pub(crate) report: ReportArguments<AdviceReport>,
}

#[derive(Debug, Args)]
#[command(after_help = examples::INSPECT_EXIT_CODES, after_long_help = examples::INSPECT)]
pub(crate) struct InspectArguments {
    /// Wheels, compiled modules (.so, .pyd), and folders that hold some
    ///
    /// In a folder everything below it is looked at: modules by the distribution they belong to, and
    /// wheels.
    #[arg(required_unless_present = "python", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// An interpreter or the folder of an environment: look at what is installed there
    ///
    /// Where that is gets told by the files around it. Nothing is run.
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Vec<PathBuf>,

    /// The free-threaded Python to look with: 3.13t, 3.14t or 3.15t [default: the one that each file
    /// is built for, else 3.14t]
    #[arg(long, value_name = "VERSION")]
    pub(crate) target: Option<Target>,

    /// Where it would run: linux, macos, windows, or a longer form [default: whatever each file is
    /// built for]
    ///
    /// The longer forms are those of `ftcheck scan`, such as x86_64-manylinux_2_28.
    #[arg(long)]
    pub(crate) platform: Option<Platform>,

    /// Another limit on what is read of a wheel: NAME=VALUE, such as member-size=4GiB
    #[arg(long, value_name = "NAME=VALUE", value_parser = resolution::limit)]
    pub(crate) limit: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) report: ReportArguments<InspectReport>,
}

/// Which rules are asked for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RuleArguments {
    /// Also say which packages can be imported in subinterpreters with a GIL of their own
    #[arg(long)]
    pub(crate) subinterpreters: bool,

    /// Also read the Python files below this folder, and name the lines whose imports enable the GIL
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) outcome: OutcomeArguments,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::EXPLAIN)]
pub(crate) struct ExplainArguments {
    /// The rule, as findings name it, such as gil-enabled-on-import
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::COMPLETIONS)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::MAN)]
pub(crate) struct ManArguments {
    /// Write the pages of every command into this folder
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// How a command reports.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub(crate) struct ReportArguments<R: Reported> {
    /// The form of the report on the standard output [default: table]
    #[arg(long, value_parser = format_names::<R>())]
    pub(crate) format: Option<String>,

    /// Also write the report to a file, in the form that its suffix names; or FORMAT=FILE; several for
    /// several forms
    ///
    /// What --format names goes to the standard output unless a file takes it: one of its suffix, or
    /// whose suffix names no form. With --quiet the table is not shown beside files. A file named - is
    /// the standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,

    /// Say less: only what is not in order
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    #[arg(long, short, help = R::IN_FULL)]
    pub(crate) verbose: bool,

    /// Whether to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,

    #[arg(skip)]
    of: PhantomData<R>,
}

/// What a command can report.
pub(crate) trait Reported: Sized + 'static {
    /// Every form of it; the first is the default.
    const FORMATS: &'static [&'static dyn Reporter<Self>];
    /// What `--verbose` does.
    const IN_FULL: &'static str;
}

impl Reported for ScanReport {
    const FORMATS: &'static [&'static dyn Reporter<Self>] = report::FORMATS;
    const IN_FULL: &'static str =
        "Say more: every module, what was passed over, and what was fetched";
}

impl Reported for AdviceReport {
    const FORMATS: &'static [&'static dyn Reporter<Self>] = report::ADVICE_FORMATS;
    const IN_FULL: &'static str = "Say more: every release that was looked at, and every change";
}

impl Reported for DiffReport {
    const FORMATS: &'static [&'static dyn Reporter<Self>] = report::DIFF_FORMATS;
    const IN_FULL: &'static str = "Say more: what was fetched";
}

impl Reported for InspectReport {
    const FORMATS: &'static [&'static dyn Reporter<Self>] = report::INSPECT_FORMATS;
    const IN_FULL: &'static str = "Say more: every module, with the evidence for its answer";
}

impl Reported for VerifyReport {
    const FORMATS: &'static [&'static dyn Reporter<Self>] = report::VERIFY_FORMATS;
    const IN_FULL: &'static str = "Say more: every module, also where both agree";
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On terminals, unless NO_COLOR is set; elsewhere where FORCE_COLOR is
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorWhen {
    /// Makes all that is written heed it, errors as well.
    pub(crate) fn heed(self) {
        match self {
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
            Self::Auto => {}
        }
    }
}

fn format_names<R: Reported>() -> PossibleValuesParser {
    PossibleValuesParser::new(R::FORMATS.iter().map(|format| format.name()))
}
