//! ftcheck's own configuration, found and joined with what the command line says.

use std::path::Path;

use ftcheck::input::Source;
use ftcheck::judge::{FailOn, Policy};
use ftcheck::model::finding::Level;
use ftcheck::model::nearest::nearest;
use ftcheck::settings::{self, ProjectSettings};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::Failure;
use crate::args::{ConfigurationArguments, OutcomeArguments, RuleArguments};
use crate::project::input_failure;

/// The configuration that counts for what is looked at: the one that is named, or the nearest to the
/// first path; to the working directory where there is none.
pub(crate) fn configuration(
    arguments: &ConfigurationArguments,
    first: Option<&Path>,
) -> Result<ProjectSettings, Failure> {
    if arguments.no_config {
        return Ok(ProjectSettings::default());
    }
    if let Some(file) = &arguments.config {
        let read = Source::open(file).and_then(settings::read).map_err(input_failure)?;
        return read.ok_or_else(|| {
            let problem =
                format!("{}: expected a table `[tool.ftcheck]`, found none", file.display());
            Failure::new(problem)
        });
    }
    let folder = first.filter(|path| *path != Path::new("-")).map_or(Path::new(""), |path| {
        if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) }
    });
    Ok(settings::find(folder).map_err(input_failure)?.unwrap_or_default())
}

/// The day, by which ignores expire.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// What counts, and what does not.
pub(crate) fn policy(
    arguments: &RuleArguments,
    settings: &ProjectSettings,
) -> Result<Policy, Failure> {
    let mut levels = settings.levels.clone();
    if arguments.subinterpreters {
        // A level that the project set is not lowered.
        levels.0.entry("subinterpreters-unsupported").or_insert(Some(Level::Note));
    }
    Ok(Policy {
        levels,
        ignores: settings.ignores.clone(),
        fail_on: fail_on(&arguments.outcome, settings)?,
    })
}

/// What the run fails on.
pub(crate) fn fail_on(
    arguments: &OutcomeArguments,
    settings: &ProjectSettings,
) -> Result<FailOn, Failure> {
    if arguments.fail_on.is_empty() {
        return Ok(settings.fail_on.clone().unwrap_or_default());
    }
    FailOn::of(arguments.fail_on.iter().map(|word| word.trim())).map_err(|word| {
        let problem = format!(
            "expected a level (error, warning, note) or the name of a rule for `--fail-on`, found `{word}`"
        );
        let near = nearest(word, FailOn::words()).map(|near| format!("did you mean `{near}`?"));
        let hint = near.unwrap_or_else(|| "`ftcheck rules` lists the rules".to_owned());
        Failure::with_hint(problem, Some(hint))
    })
}
