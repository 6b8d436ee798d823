//! The arguments that say what would be installed: which project, which parts of it, for which
//! interpreter, from where.
#![expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ftcheck::model::limits::Limits;
use ftcheck::model::nearest::nearest;
use ftcheck::model::platform::Platform;
use ftcheck::model::requirement::{GroupName, Prereleases};
use ftcheck::model::target::Target;
use pep508_rs::ExtraName;

use super::configuration::ConfigurationArguments;
use super::indexes::IndexArguments;

/// What heads the options on how packages are fetched.
const NETWORK: &str = "Network and cache";

/// Which project, and which parts of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Project")]
pub(crate) struct ProjectArguments {
    /// Files that name dependencies, or directories that hold one; - reads requirements from the
    /// standard input
    ///
    /// In a directory the first of these is taken: a lockfile (uv.lock, poetry.lock, pdm.lock,
    /// pylock.toml, Pipfile.lock, pixi.lock, conda-lock.yml), pyproject.toml, requirements.txt,
    /// requirements.in, environment.yml. Without a PATH it is the working directory.
    #[arg(value_name = "PATH", help_heading = None)]
    pub(crate) paths: Vec<PathBuf>,

    /// Look at what is installed for this interpreter: its program, which is not run
    ///
    /// What was built for the target is judged by its files; for anything else the same release is
    /// looked for on the index.
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Vec<PathBuf>,

    /// Look at what is installed in the environment in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) environment: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) sections: SectionArguments,
}

/// Which parts of a project.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SectionArguments {
    /// Also look at what this extra of the project adds
    #[arg(long, value_name = "NAME")]
    pub(crate) extra: Vec<ExtraName>,

    /// Also look at what every extra of the project adds
    #[arg(long)]
    pub(crate) all_extras: bool,

    /// Also look at this dependency group
    #[arg(long, value_name = "NAME", value_parser = group_name)]
    pub(crate) group: Vec<GroupName>,

    /// Also look at every dependency group
    #[arg(long)]
    pub(crate) all_groups: bool,

    /// Do not look at the groups that are installed without being asked for
    #[arg(long)]
    pub(crate) no_default_groups: bool,

    /// Look at this dependency group alone
    #[arg(long, value_name = "NAME", value_parser = group_name,
          conflicts_with_all = ["extra", "all_extras", "all_groups"])]
    pub(crate) only_group: Vec<GroupName>,
}

impl SectionArguments {
    /// Whether anything is asked for.
    pub(crate) fn asks(&self) -> bool {
        self.all_extras
            || self.all_groups
            || self.no_default_groups
            || !self.extra.is_empty()
            || !self.group.is_empty()
            || !self.only_group.is_empty()
    }
}

/// For which interpreter, from where, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What would be installed")]
pub(crate) struct ResolutionArguments {
    /// The free-threaded Python to look with: 3.13t, 3.14t or 3.15t; several for a comparison
    /// [default: 3.14t]
    #[arg(long, value_name = "VERSION")]
    pub(crate) target: Vec<Target>,

    /// Where it would run: linux, macos, windows, or a longer form; several for a comparison
    /// [default: this machine]
    ///
    /// Longer forms are an architecture and a system with its version, such as
    /// x86_64-manylinux_2_28, aarch64-musllinux_1_2, aarch64-macos_14_0 or x86_64-windows. The short
    /// ones stand for x86_64-manylinux_2_28, aarch64-macos_13_0 and x86_64-windows.
    #[arg(long)]
    pub(crate) platform: Vec<Platform>,

    /// Look only at what is named, not at what it requires
    #[arg(long)]
    pub(crate) no_deps: bool,

    /// Whether pre-releases are chosen [default: as the project says, else if-necessary-or-explicit]
    #[arg(long, value_name = "WHEN")]
    pub(crate) prerelease: Option<PrereleaseChoice>,

    /// Packages to work on at a time
    #[arg(long, short, value_name = "N", default_value_t = 16, help_heading = NETWORK,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,

    /// Use only what is in the cache
    #[arg(long, help_heading = NETWORK)]
    pub(crate) offline: bool,

    /// Neither read nor write the cache
    #[arg(long, conflicts_with = "offline", help_heading = NETWORK)]
    pub(crate) no_cache: bool,

    /// The folder of the cache [default: the user's own]
    #[arg(long, value_name = "DIR", env = "FTCHECK_CACHE_DIR", hide_env_values = true,
          help_heading = NETWORK)]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Another limit on what is read, or on how long is waited: NAME=VALUE, such as page-size=512MiB
    /// or package-time=30min
    ///
    /// What was not read for a limit is told as not checked, with the name of the limit. All of them
    /// are listed in docs/configuration.md, table [limits].
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit, help_heading = NETWORK)]
    pub(crate) limit: Vec<(String, String)>,

    /// Draw no progress bar; none is drawn where CI is set, or off terminals
    #[arg(long, help_heading = NETWORK)]
    pub(crate) no_progress: bool,

    #[command(flatten)]
    pub(crate) indexes: IndexArguments,

    #[command(flatten)]
    pub(crate) configuration: ConfigurationArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PrereleaseChoice {
    /// Always
    Allow,
    /// Never
    Disallow,
    /// Where a package has nothing else
    IfNecessary,
    /// Where a requirement of the project names one
    Explicit,
    /// Either of the last two
    IfNecessaryOrExplicit,
}

impl From<PrereleaseChoice> for Prereleases {
    fn from(choice: PrereleaseChoice) -> Self {
        match choice {
            PrereleaseChoice::Allow => Self::Allow,
            PrereleaseChoice::Disallow => Self::Disallow,
            PrereleaseChoice::IfNecessary => Self::IfNecessary,
            PrereleaseChoice::Explicit => Self::Explicit,
            PrereleaseChoice::IfNecessaryOrExplicit => Self::IfNecessaryOrExplicit,
        }
    }
}

/// A limit that there is, with a value of its kind.
pub(super) fn limit(text: &str) -> Result<(String, String), String> {
    let (key, value) =
        text.split_once('=').ok_or_else(|| format!("expected NAME=VALUE, found `{text}`"))?;
    Limits::default().set(key, value).map_err(|problem| match nearest(key, Limits::KEYS) {
        Some(near) if near != key => format!("{problem}; did you mean `{near}`?"),
        _ => problem.to_string(),
    })?;
    Ok((key.to_owned(), value.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn group_name(text: &str) -> Result<GroupName, std::convert::Infallible> {
    Ok(GroupName::new(text))
}
