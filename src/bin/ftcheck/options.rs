//! The arguments, checked and completed from the environment.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use ftcheck::config::CommandLine;
use ftcheck::fetch::cache::Cache;
use ftcheck::judge::{FailOn, Levels};
use ftcheck::local;
use ftcheck::model::environment::marker_environment;
use ftcheck::model::inspect_report::InspectReport;
use ftcheck::model::limits::Limits;
use ftcheck::model::report::Place;
use ftcheck::model::requirement::Choice;
use ftcheck::model::target::Target;
use ftcheck::pipeline::{Scene, Settings};
use ftcheck::report::{Detail, Origin, Style};
use ftcheck::resolve::host;
use ftcheck::settings::ProjectSettings;

use crate::args::{
    ColorWhen, InspectArguments, ReportArguments, Reported, ResolutionArguments, SectionArguments,
};
use crate::destinations::Destinations;
use crate::{Failure, terminal};

/// Everything needed to tell what would be installed, and to look at it.
pub(crate) struct ScanOptions {
    pub(crate) settings: Settings,
    pub(crate) network: NetworkOptions,
    pub(crate) progress: bool,
}

/// Where packages come from, and what is kept of them.
pub(crate) struct NetworkOptions {
    pub(crate) command_line: CommandLine,
    pub(crate) cache: Cache,
    pub(crate) limits: Limits,
}

impl ScanOptions {
    pub(crate) fn new(
        arguments: ResolutionArguments,
        choice: Choice,
        configured: &ProjectSettings,
    ) -> Result<Self, Failure> {
        let mut targets = arguments.target;
        if targets.is_empty() {
            targets.clone_from(&configured.targets);
        }
        if targets.is_empty() {
            targets.push(Target::default());
        }
        let mut platforms = arguments.platform;
        if platforms.is_empty() {
            platforms.clone_from(&configured.platforms);
        }
        if platforms.is_empty() {
            platforms.push(host::platform().map_err(|problem| {
                let hint = "name one: `--platform x86_64-manylinux_2_28`".to_owned();
                Failure::with_hint(problem.to_string(), Some(hint))
            })?);
        }
        let mut scenes: Vec<Scene> = Vec::new();
        for target in targets {
            for platform in platforms.iter().copied() {
                let place = Place { target, platform };
                let environment = marker_environment(target, platform)
                    .map_err(|problem| Failure::new(problem.to_string()))?;
                if scenes.iter().all(|scene| scene.place != place) {
                    scenes.push(Scene { place, environment });
                }
            }
        }
        let settings = Settings {
            scenes,
            choice,
            no_dependencies: arguments.no_deps,
            prereleases: arguments.prerelease.map(Into::into),
            jobs: usize::from(arguments.jobs),
            levels: Levels::default(),
            tracker: Arc::default(),
            sources: Arc::default(),
        };
        let limits = limits(configured.limits, &arguments.limit)?;
        let network = NetworkOptions {
            command_line: arguments.indexes.command_line(arguments.offline),
            cache: cache(arguments.no_cache, arguments.cache_dir)?,
            limits,
        };
        Ok(Self { settings, network, progress: !arguments.no_progress })
    }
}

/// The limits with what the command line says of them.
fn limits(mut limits: Limits, arguments: &[(String, String)]) -> Result<Limits, Failure> {
    for (key, value) in arguments {
        limits.set(key, value).map_err(|problem| Failure::new(problem.to_string()))?;
    }
    Ok(limits)
}

/// Which parts of a project are asked for. What the command line says of extras stands in place of
/// what the configuration does, and so with groups.
pub(crate) fn choice(arguments: &SectionArguments, configured: &ProjectSettings) -> Choice {
    let says_groups = !arguments.group.is_empty()
        || !arguments.only_group.is_empty()
        || arguments.all_groups
        || arguments.no_default_groups;
    let says_extras =
        !arguments.extra.is_empty() || !arguments.only_group.is_empty() || arguments.all_extras;
    let extras = if says_extras { &arguments.extra } else { &configured.extras };
    let groups = if says_groups { &arguments.group } else { &configured.groups };
    Choice {
        extras: extras.clone(),
        all_extras: arguments.all_extras,
        groups: groups.clone(),
        all_groups: arguments.all_groups,
        no_default_groups: arguments.no_default_groups,
        only_groups: arguments.only_group.clone(),
    }
}

/// Everything an inspection needs to know.
pub(crate) struct InspectOptions {
    pub(crate) places: Vec<local::Place>,
    pub(crate) settings: local::Settings,
    pub(crate) report: ReportOptions<InspectReport>,
}

impl InspectOptions {
    pub(crate) fn new(arguments: InspectArguments) -> Result<Self, Failure> {
        let paths = arguments.paths.into_iter().map(local::Place::Path);
        let limits = limits(Limits::default(), &arguments.limit)?;
        Ok(Self {
            places: paths.chain(arguments.python.into_iter().map(local::Place::Python)).collect(),
            settings: local::Settings {
                target: arguments.target,
                platform: arguments.platform,
                limits,
            },
            report: ReportOptions::new(&arguments.report)?,
        })
    }
}

/// How the outcome is written, and where to.
pub(crate) struct ReportOptions<R: 'static> {
    pub(crate) destinations: Destinations<R>,
    /// How it is drawn on the standard output.
    pub(crate) style: Style<'static>,
    /// Whether colours were asked for in files too.
    pub(crate) color_in_files: bool,
    /// What the run fails on.
    pub(crate) fail_on: FailOn,
}

impl<R: Reported> ReportOptions<R> {
    pub(crate) fn new(arguments: &ReportArguments<R>) -> Result<Self, Failure> {
        let detail = detail(arguments.quiet, arguments.verbose);
        let format = arguments.format.as_deref();
        Ok(Self {
            destinations: Destinations::new(format, &arguments.output, detail)?,
            style: style(arguments.color, detail),
            color_in_files: matches!(arguments.color, ColorWhen::Always),
            fail_on: FailOn::default(),
        })
    }
}

fn detail(quiet: bool, verbose: bool) -> Detail {
    match (quiet, verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    }
}

pub(crate) fn style(color: ColorWhen, detail: Detail) -> Style<'static> {
    Style {
        color: use_color(color),
        width: terminal_width(),
        links: !matches!(color, ColorWhen::Never) && terminal::shows_links(),
        detail,
        subinterpreters: false,
        origin: Origin::default(),
        fail_on: FailOn::DEFAULT,
    }
}

pub(crate) fn cache(disabled: bool, folder: Option<PathBuf>) -> Result<Cache, Failure> {
    if disabled {
        return Ok(Cache::disabled());
    }
    folder.or_else(Cache::default_root).map(Cache::at).ok_or_else(|| {
        let hint = "name a folder with --cache-dir, or do without: --no-cache".to_owned();
        Failure::with_hint("this user has no folder for caches", Some(hint))
    })
}

fn use_color(when: ColorWhen) -> bool {
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
        }
    }
}

pub(crate) fn terminal_width() -> Option<u16> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    // The console crate under indicatif knows how to ask on every system.
    console::Term::stdout().size_checked().map(|(_, columns)| columns)
}
