//! The arguments, checked and completed from the environment.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use ftcheck::fetch::cache::Cache;
use ftcheck::local::{self, Place};
use ftcheck::model::environment::marker_environment;
use ftcheck::model::inspect_report::InspectReport;
use ftcheck::model::report::ScanReport;
use ftcheck::pipeline::Settings;
use ftcheck::report::{Detail, Reporter, Style};
use ftcheck::resolve::host;
use url::Url;

use crate::Failure;
use crate::args::{ColorWhen, InspectArguments, ReportArguments, Reported, ScanArguments};

/// The index that pip and uv ask without being told otherwise.
const DEFAULT_INDEX: &str = "https://pypi.org/simple/";
/// Where the index's address may stand, in order.
const INDEX_VARIABLES: [&str; 3] = ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"];

/// Everything a scan needs to know.
pub(crate) struct ScanOptions {
    pub(crate) path: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) report: ReportOptions<ScanReport>,
    pub(crate) offline: bool,
    pub(crate) cache: Cache,
    pub(crate) progress: bool,
}

impl ScanOptions {
    pub(crate) fn new(arguments: ScanArguments) -> Result<Self, Failure> {
        let platform = match arguments.platform {
            Some(platform) => platform,
            None => host::platform().map_err(|problem| {
                let hint = "name one: `--platform x86_64-manylinux_2_28`".to_owned();
                Failure::with_hint(problem.to_string(), Some(hint))
            })?,
        };
        let target = arguments.target;
        let environment = marker_environment(target, platform)
            .map_err(|problem| Failure::new(problem.to_string()))?;
        let settings = Settings {
            target,
            platform,
            environment,
            index_url: index_url(arguments.index_url.as_deref())?,
            jobs: usize::from(arguments.jobs),
        };
        let report = ReportOptions::new(arguments.report)?;
        Ok(Self {
            path: arguments.path,
            settings,
            offline: arguments.offline,
            cache: cache(arguments.no_cache, arguments.cache_dir)?,
            progress: !arguments.no_progress && report.style.detail != Detail::Quiet,
            report,
        })
    }
}

/// Everything an inspection needs to know.
pub(crate) struct InspectOptions {
    pub(crate) places: Vec<Place>,
    pub(crate) settings: local::Settings,
    pub(crate) report: ReportOptions<InspectReport>,
}

impl InspectOptions {
    pub(crate) fn new(arguments: InspectArguments) -> Result<Self, Failure> {
        let paths = arguments.paths.into_iter().map(Place::Path);
        Ok(Self {
            places: paths.chain(arguments.python.into_iter().map(Place::Python)).collect(),
            settings: local::Settings { target: arguments.target, platform: arguments.platform },
            report: ReportOptions::new(arguments.report)?,
        })
    }
}

/// How the outcome is written, and where to.
pub(crate) struct ReportOptions<R: 'static> {
    pub(crate) reporter: &'static dyn Reporter<R>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) style: Style,
}

impl<R: Reported> ReportOptions<R> {
    fn new(arguments: ReportArguments<R>) -> Result<Self, Failure> {
        let reporter = R::FORMATS
            .iter()
            .find(|reporter| reporter.name() == arguments.format)
            .ok_or_else(|| Failure::new(format!("no format is called `{}`", arguments.format)))?;
        let detail = detail(arguments.quiet, arguments.verbose);
        Ok(Self {
            reporter: *reporter,
            style: style(arguments.color, arguments.output.is_some(), detail),
            output: arguments.output,
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

fn style(color: ColorWhen, to_file: bool, detail: Detail) -> Style {
    Style {
        color: use_color(color, to_file),
        width: if to_file { None } else { terminal_width() },
        detail,
    }
}

fn cache(disabled: bool, folder: Option<PathBuf>) -> Result<Cache, Failure> {
    if disabled {
        return Ok(Cache::disabled());
    }
    folder.or_else(Cache::default_root).map(Cache::at).ok_or_else(|| {
        let hint = "name a folder with --cache-dir, or do without: --no-cache".to_owned();
        Failure::with_hint("this user has no folder for caches", Some(hint))
    })
}

fn index_url(given: Option<&str>) -> Result<Url, Failure> {
    let from_environment = || {
        INDEX_VARIABLES.iter().find_map(|variable| {
            let value = std::env::var(variable).ok().filter(|value| !value.trim().is_empty())?;
            Some((*variable, value))
        })
    };
    let (origin, text) = match given {
        Some(text) => ("--index-url", text.to_owned()),
        None => from_environment().unwrap_or(("", DEFAULT_INDEX.to_owned())),
    };
    // The text itself is not shown: it may hold a password.
    let url = Url::parse(text.trim())
        .map_err(|problem| Failure::new(format!("{origin}: expected a URL: {problem}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Failure::new(format!(
            "{origin}: expected an http or https URL, found `{}`",
            url.scheme()
        )));
    }
    Ok(url)
}

fn use_color(when: ColorWhen, to_file: bool) -> bool {
    match when {
        ColorWhen::Always => anstream::ColorChoice::Always.write_global(),
        ColorWhen::Never => anstream::ColorChoice::Never.write_global(),
        ColorWhen::Auto => {}
    }
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            !to_file
                && anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
        }
    }
}

fn terminal_width() -> Option<u16> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    // The console crate under indicatif knows how to ask on every system.
    console::Term::stdout().size_checked().map(|(_, columns)| columns)
}
