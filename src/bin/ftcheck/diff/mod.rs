//! `ftcheck diff`.
//!
//! Each side is a report that was read back, or a manifest that is scanned for it; [`revision`] takes
//! one out of git.

mod revision;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ftcheck::config::Environment;
use ftcheck::diff::{Comparison, Sides, compare, read_report};
use ftcheck::input::{FORMATS, Source};
use ftcheck::judge::Policy;
use ftcheck::model::report::ScanReport;
use ftcheck::report::{self, Detail};
use ftcheck::settings::ProjectSettings;

use self::revision::Revision;
use crate::Failure;
use crate::args::{DiffArguments, ProjectArguments, ResolutionArguments, SectionArguments};
use crate::configuration::{configuration, fail_on};
use crate::options::{ReportOptions, ScanOptions, choice};
use crate::output::{ends_with, write_report};
use crate::project::{Project, input_failure};
use crate::scan::look;

pub(crate) fn run(arguments: DiffArguments) -> Result<ExitCode, Failure> {
    let how = ReportOptions::new(&arguments.report)?;
    how.destinations.check(arguments.paths.iter().map(PathBuf::as_path))?;
    let configured = configuration(
        &arguments.resolution.configuration,
        arguments.paths.last().map(PathBuf::as_path).filter(|path| !is_report(path)),
    )?;
    let fail_on = fail_on(&arguments.outcome, &configured)?;
    let scanner = Scanner {
        resolution: rooted(arguments.resolution)?,
        sections: arguments.sections,
        policy: Policy {
            levels: configured.levels.clone(),
            ignores: configured.ignores.clone(),
            fail_on: fail_on.clone(),
        },
        configured,
        detail: how.style.detail,
        environment: Environment::of_process(),
    };
    let comparison = match (&arguments.git, arguments.paths.as_slice()) {
        (Some(base), [] | [_]) => {
            let path = arguments.paths.first().map_or(Path::new("."), PathBuf::as_path);
            Revision::new(base, arguments.exact, path)?.compare(&scanner)?
        }
        (None, [old, new]) => of_paths(old, new, scanner)?,
        (Some(_), _) => return Err(Failure::new("expected one path with `--git`, found two")),
        (None, paths) => {
            let problem = format!("expected an old and a new path, found {}", paths.len());
            let hint = "`ftcheck diff OLD NEW`, or `ftcheck diff --git BASE [PATH]`".to_owned();
            return Err(Failure::with_hint(problem, Some(hint)));
        }
    };
    write_report(&comparison.report, &how, None, report::diff_summary)?;
    Ok(ends_with(comparison.outcome(&fail_on), &arguments.outcome))
}

/// What both sides are scanned with.
struct Scanner {
    resolution: ResolutionArguments,
    sections: SectionArguments,
    configured: ProjectSettings,
    policy: Policy,
    detail: Detail,
    environment: Environment,
}

impl Scanner {
    /// Scans one manifest.
    fn scan(&self, path: &Path) -> Result<ScanReport, Failure> {
        let choice = choice(&self.sections, &self.configured);
        let options = ScanOptions::new(self.resolution.clone(), choice, &self.configured)?;
        let arguments = ProjectArguments {
            paths: vec![path.to_owned()],
            python: Vec::new(),
            environment: Vec::new(),
            sections: self.sections.clone(),
        };
        let project = Project::read(&arguments, &options.settings, options.network.limits.nesting)?;
        let looked = look(project, options, &self.policy, true, self.detail, &self.environment)?;
        Ok(looked.report)
    }
}

/// Paths of options, made to count from here wherever the files to be looked at are.
fn rooted(mut resolution: ResolutionArguments) -> Result<ResolutionArguments, Failure> {
    if let Some(folder) = &resolution.cache_dir {
        let folder = std::path::absolute(folder)
            .map_err(|problem| Failure::new(format!("{}: {problem}", folder.display())))?;
        resolution.cache_dir = Some(folder);
    }
    Ok(resolution)
}

/// Compares what two paths name.
fn of_paths(old: &Path, new: &Path, mut scanner: Scanner) -> Result<Comparison, Failure> {
    let read = |path: &Path| -> Result<Option<ScanReport>, Failure> {
        if !is_report(path) {
            return Ok(None);
        }
        let source = Source::open(path).map_err(input_failure)?;
        read_report(&source).map(Some).map_err(input_failure)
    };
    let (old_report, new_report) = (read(old)?, read(new)?);
    if let (Some(one), Some(other)) = (&old_report, &new_report) {
        // Nothing is scanned, so that what is asked for has to be there.
        if scanner.sections.asks() {
            let problem = "expected no extras or groups with two reports: nothing is scanned";
            return Err(Failure::new(problem));
        }
        for (report, path) in [(one, old), (other, new)] {
            let target = scanner.resolution.target.iter().find(|it| !report.targets.contains(it));
            let platform =
                scanner.resolution.platform.iter().find(|it| !report.platforms.contains(it));
            let missing = target.map(ToString::to_string).or(platform.map(ToString::to_string));
            if let Some(missing) = missing {
                let shown = path.display();
                return Err(Failure::new(format!("{shown}: the report is not for {missing}")));
            }
        }
    }
    // What is compared with a report is looked at for the same places.
    if let Some(report) = old_report.as_ref().or(new_report.as_ref()) {
        if scanner.resolution.target.is_empty() {
            scanner.resolution.target.clone_from(&report.targets);
        }
        if scanner.resolution.platform.is_empty() {
            scanner.resolution.platform.clone_from(&report.platforms);
        }
    }
    let taken = |report: Option<ScanReport>, path| report.map_or_else(|| scanner.scan(path), Ok);
    let (old_report, new_report) = (taken(old_report, old)?, taken(new_report, new)?);
    Ok(compare(Sides {
        old: Some(&old_report),
        new: Some(&new_report),
        old_name: old.display().to_string(),
        new_name: new.display().to_string(),
    }))
}

/// Whether a path names a report, by its name: no format of manifests ends like that.
fn is_report(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    is_json && !FORMATS.iter().any(|format| format.recognises(&name))
}
