//! `ftcheck tracker`: what the tracker says, and how that is refreshed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use ftcheck::config::{CommandLine, Environment, NetworkSettings};
use ftcheck::fetch::cache::{Bucket, Cache};
use ftcheck::fetch::client::{Client, Request};
use ftcheck::judge::FailOn;
use ftcheck::model::index::IndexSettings;
use ftcheck::model::limits::Limits;
use ftcheck::model::location::redacted;
use ftcheck::model::tracker::{TrackerEntry, TrackerOrigin, TrackerReport, UnknownName};
use ftcheck::report::{Detail, TRACKER_FORMATS, printable};
use ftcheck::tracker::import::{self, Import, RemarkKind};
use ftcheck::tracker::{Names, SCHEMA, Tracker};
use url::Url;

use crate::args::{TrackerArguments, TrackerCommand, TrackerForm, TrackerUpdateArguments};
use crate::destinations::{Destinations, write_file};
use crate::options::{ReportOptions, cache, style};
use crate::output::{print, say, write_report};
use crate::{FOUND, Failure, NOT_KNOWN};

/// Where the data is made: the repository, the page in it, and the address of its newest version.
const REPOSITORY: &str = "Quansight-Labs/free-threaded-compatibility";
const PAGE: &str = "docs/tracking.md";
const LIVE_PAGE: &str = "https://raw.githubusercontent.com/Quansight-Labs/free-threaded-compatibility/main/docs/tracking.md";
/// The host whose addresses name repository, version and path.
const RAW_HOST: &str = "raw.githubusercontent.com";

/// The entry of the cache.
const KEPT: &str = "tracker";

/// So many new or former rows are named, more are counted.
const NAMED_ROWS: usize = 20;

pub(crate) fn run(arguments: TrackerArguments) -> Result<ExitCode, Failure> {
    match arguments.command {
        None => list(&arguments.list.form),
        Some(TrackerCommand::List(arguments)) => list(&arguments.form),
        Some(TrackerCommand::Show(arguments)) => show(&arguments.names, &arguments.form),
        Some(TrackerCommand::Update(arguments)) => update(&arguments),
    }
}

/// The data to use: what the user has refreshed, unless this program came with newer.
pub(crate) fn current(cache: &Cache) -> Tracker {
    let built_in = Tracker::built_in();
    let Some(text) = cache.get::<String>(Bucket::Tracker, KEPT) else { return built_in.clone() };
    match Tracker::parse(&text) {
        Ok(kept) if kept.date() > built_in.date() => kept,
        Ok(_) => built_in.clone(),
        Err(problem) => {
            say(&format!("the refreshed tracker is left out: {problem}"));
            built_in.clone()
        }
    }
}

fn list(form: &TrackerForm) -> Result<ExitCode, Failure> {
    let tracker = current(&cache(false, form.cache_dir.clone())?);
    let entries = tracker.entries().to_vec();
    write(&tracker, entries, Vec::new(), form, Detail::Normal)?;
    Ok(ExitCode::SUCCESS)
}

fn show(names: &[String], form: &TrackerForm) -> Result<ExitCode, Failure> {
    let tracker = current(&cache(false, form.cache_dir.clone())?);
    let mut entries: Vec<TrackerEntry> = Vec::new();
    let mut unknown = Vec::new();
    for name in names {
        match tracker.find(name) {
            Some(entry) if entries.contains(entry) => {}
            Some(entry) => entries.push(entry.clone()),
            None => unknown.push(UnknownName { name: name.clone(), near: tracker.near(name) }),
        }
    }
    let code = if unknown.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) };
    write(&tracker, entries, unknown, form, Detail::Verbose)?;
    Ok(code)
}

fn write(
    tracker: &Tracker,
    entries: Vec<TrackerEntry>,
    unknown: Vec<UnknownName>,
    form: &TrackerForm,
    detail: Detail,
) -> Result<(), Failure> {
    let reporter = TRACKER_FORMATS
        .iter()
        .find(|reporter| reporter.name() == form.format)
        .ok_or_else(|| Failure::new(format!("no format is called `{}`", form.format)))?;
    let options = ReportOptions {
        destinations: Destinations { standard: Some(*reporter), files: Vec::new() },
        style: style(form.color, detail),
        color_in_files: false,
        fail_on: FailOn::default(),
    };
    let origin = tracker.origin().clone();
    let report = TrackerReport { schema: SCHEMA, date: tracker.date(), origin, entries, unknown };
    write_report(&report, &options, None, |_| String::new())
}

/// A page, and where it is from.
struct Fetched {
    shown: String,
    text: String,
    origin: TrackerOrigin,
}

fn update(arguments: &TrackerUpdateArguments) -> Result<ExitCode, Failure> {
    let cache = cache(false, arguments.cache_dir.clone())?;
    if let Some(file) = &arguments.output {
        let to_file: Destinations<TrackerReport> =
            Destinations { standard: None, files: vec![(TRACKER_FORMATS[0], file.clone())] };
        to_file.check(arguments.from.as_ref().map(|from| Path::new(from.as_str())))?;
    }
    let former = current(&cache);
    let kept = || {
        let (date, rows) = (former.date(), former.entries().len());
        Some(format!("the data of {date} with {rows} rows stays in use"))
    };
    let kept_after = |failure: Failure| Failure {
        hint: Some(
            [failure.hint, kept()].into_iter().flatten().collect::<Vec<_>>().join("\nhint: "),
        ),
        ..failure
    };
    let page = page(arguments).map_err(kept_after)?;
    let names = Names::built_in().map_err(|problem| Failure::new(problem.to_string()))?;
    let import = import::read(&page.shown, &page.text, &names, former.entries().len())
        .map_err(|error| kept_after(Failure::with_hint(error.to_string(), error.hint)))?;
    let date = arguments.date.unwrap_or_else(today);
    let tracker = Tracker::new(date, page.origin, import.entries.clone())
        .map_err(|problem| kept_after(Failure::new(problem.to_string())))?;
    let text = tracker.serialize().map_err(|problem| Failure::new(problem.to_string()))?;
    for remark in &import.remarks {
        say(&printable(&remark.to_string()));
    }
    let done = if let Some(file) = &arguments.output {
        write_file(file, text.as_bytes())?;
        format!("written to {}", file.display())
    } else if arguments.check {
        "nothing was changed".to_owned()
    } else {
        cache.put(Bucket::Tracker, KEPT, &text).map_err(|problem| {
            kept_after(Failure::new(format!("the data cannot be written: {problem}")))
        })?;
        in_use(&tracker)
    };
    print(summary(&import, &tracker, &former, &done).as_bytes())?;
    let understood = import.remarks.iter().all(|one| one.kind == RemarkKind::NameNotChecked);
    Ok(if understood { ExitCode::SUCCESS } else { ExitCode::from(NOT_KNOWN) })
}

fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn in_use(tracker: &Tracker) -> String {
    let built_in = Tracker::built_in().date();
    if tracker.date() > built_in {
        return "in use from now on".to_owned();
    }
    format!("kept, but not in use: what this program came with is of {built_in}")
}

/// What was read, and how it differs from what there was.
fn summary(import: &Import, tracker: &Tracker, former: &Tracker, done: &str) -> String {
    let count = |kind| import.remarks.iter().filter(|remark| remark.kind == kind).count();
    let mut text = format!(
        "{} of {} rows read: {}, as of {}\n",
        import.entries.len(),
        import.rows,
        printable(&tracker.origin().to_string()),
        tracker.date()
    );
    for (count, one, several) in [
        (count(RemarkKind::RowNotRead), "row was not read", "rows were not read"),
        (count(RemarkKind::NotUnderstood), "part was not understood", "parts were not understood"),
        (count(RemarkKind::NameNotChecked), "name is not checked", "names are not checked"),
    ] {
        if count > 0 {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{count} {}", if count == 1 { one } else { several });
        }
    }
    for (label, these, those) in [("new", tracker, former), ("gone", former, tracker)] {
        let is_missing = |entry: &&TrackerEntry| {
            those.entries().iter().all(|other| other.project != entry.project)
        };
        let missing: Vec<&str> =
            these.entries().iter().filter(is_missing).map(|entry| entry.project.as_str()).collect();
        if missing.len() > NAMED_ROWS {
            let _ = writeln!(text, "{label}: {} projects", missing.len());
        } else if !missing.is_empty() {
            let _ = writeln!(text, "{label}: {}", printable(&missing.join(", ")));
        }
    }
    text.push_str(done);
    text.push('\n');
    text
}

/// The page that is meant.
fn page(arguments: &TrackerUpdateArguments) -> Result<Fetched, Failure> {
    let from = arguments.from.as_deref().unwrap_or(LIVE_PAGE);
    let mut fetched = match Url::parse(from) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => fetch(&url, arguments.offline)?,
        _ => open(Path::new(from))?,
    };
    if let Some(commit) = &arguments.commit {
        let (repository, page) = (Some(REPOSITORY.to_owned()), PAGE.to_owned());
        fetched.origin = TrackerOrigin { repository, page, commit: Some(commit.clone()) };
    }
    Ok(fetched)
}

fn open(path: &Path) -> Result<Fetched, Failure> {
    use std::io::Read as _;
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        // A device may have no end; one more than the most is an error of the importer's.
        .and_then(|file| file.take(import::LARGEST_PAGE as u64 + 1).read_to_end(&mut bytes))
        .map_err(|problem| Failure::new(format!("{shown}: the file cannot be read: {problem}")))?;
    let text = utf_8(&shown, bytes)?;
    Ok(Fetched {
        origin: TrackerOrigin { page: shown.clone(), ..TrackerOrigin::default() },
        shown,
        text,
    })
}

fn fetch(url: &Url, offline: bool) -> Result<Fetched, Failure> {
    let shown = redacted(url);
    let command_line = CommandLine { offline, ..CommandLine::default() };
    let environment = Environment::of_process();
    let project = IndexSettings::default();
    let network = NetworkSettings::gather(&command_line, &environment, Path::new(""), project)
        .map_err(|problem| Failure::new(problem.to_string()))?;
    if network.offline {
        let hint = "name a file: `ftcheck tracker update --from tracking.md`".to_owned();
        let problem = format!("{shown}: the network is not used (--offline)");
        return Err(Failure::with_hint(problem, Some(hint)));
    }
    let client = Client::with(false, &network.access, Limits::default())
        .map_err(|problem| Failure::new(format!("no HTTP client can be set up: {problem}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|problem| Failure::new(format!("no runtime can be started: {problem}")))?;
    let request = Request::new(import::LARGEST_PAGE as u64);
    let response = runtime
        .block_on(client.get(url, &request))
        .map_err(|problem| Failure::new(problem.to_string()))?;
    let text = utf_8(&shown, response.body)?;
    Ok(Fetched { origin: origin_of(url), shown, text })
}

/// Where an address leads: on the host for files of repositories it is
/// `/OWNER/NAME/VERSION/PATH`.
fn origin_of(url: &Url) -> TrackerOrigin {
    let segments: Vec<&str> = url.path().trim_start_matches('/').split('/').collect();
    if url.host_str() == Some(RAW_HOST)
        && let [owner, name, version, path @ ..] = segments.as_slice()
        && !path.is_empty()
    {
        let is_commit = version.len() == 40 && version.bytes().all(|one| one.is_ascii_hexdigit());
        return TrackerOrigin {
            repository: Some(format!("{owner}/{name}")),
            page: path.join("/"),
            commit: is_commit.then(|| (*version).to_owned()),
        };
    }
    TrackerOrigin { page: redacted(url), ..TrackerOrigin::default() }
}

fn utf_8(shown: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("{shown}: expected a page in UTF-8, found another file")))
}
