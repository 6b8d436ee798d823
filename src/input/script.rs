//! Scripts that name their dependencies in a block of their own (PEP 723).

use super::collect::Collector;
use super::project::Project;
use super::{Format, InputError, Manifest, Source, pyproject};
use crate::model::location::Location;

pub(super) struct Script;

impl Format for Script {
    fn name(&self) -> &'static str {
        "script (PEP 723)"
    }

    fn recognises(&self, filename: &str) -> bool {
        filename.ends_with(".py") && !matches!(filename, "setup.py" | "conftest.py")
    }

    /// A script is always named.
    fn in_directory(&self, _: &std::path::Path) -> Option<std::path::PathBuf> {
        None
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let mut collector = Collector::of(source);
        pyproject::read_script(&project(source)?, &mut collector)?;
        if collector.is_empty() {
            return Err(InputError::of_file(
                &source.shown,
                "expected `dependencies` in the `# /// script` block, found none",
            ));
        }
        Ok(collector.finish())
    }
}

/// What the block of a script says.
///
/// # Errors
/// Where there is none, or it is no TOML.
pub(super) fn project(source: &Source) -> Result<Project, InputError> {
    let text = block(source)?;
    pyproject::embedded(Source::of_text(&source.path, &source.shown, text))
}

/// The TOML of the block, where it stands in the file: all else is blank, so that every place in it
/// is one in the script too.
fn block(source: &Source) -> Result<String, InputError> {
    let missing = || {
        InputError::of_file(&source.shown, "expected a `# /// script` block, found none")
            .hint("a script names its dependencies as PEP 723 has it")
    };
    let lines: Vec<&str> = source.text.split_inclusive('\n').collect();
    let is = |line: &str, marker: &str| line.trim_end_matches(['\n', '\r']) == marker;
    let starts = |from: usize| {
        let rest = lines.get(from..).unwrap_or_default();
        rest.iter().position(|line| is(line, "# /// script")).map(|at| from + at)
    };
    let start = starts(0).ok_or_else(missing)?;
    let is_part = |line: &&&str| line.starts_with("# ") || is(line, "#");
    let body = lines.get(start + 1..).unwrap_or_default();
    let length = body.iter().take_while(is_part).count();
    // The last closing line before the comments end closes it.
    let closing = body
        .get(..length)
        .and_then(|body| body.iter().rposition(|line| is(line, "# ///")))
        .ok_or_else(|| {
            let location = Location { path: source.shown.clone(), line: start + 1, column: 1 };
            InputError::at(location, "expected `# ///` at the end of the block, found none")
        })?;
    let end = start + 1 + closing;
    if let Some(second) = starts(end + 1) {
        let location = Location { path: source.shown.clone(), line: second + 1, column: 1 };
        return Err(InputError::at(location, "expected one `# /// script` block, found another"));
    }
    let mut text = String::with_capacity(source.text.len());
    for (at, line) in lines.iter().enumerate() {
        if at > start && at < end {
            text.push(' ');
            text.push_str(line.strip_prefix('#').unwrap_or(line));
        } else {
            text.push('\n');
        }
    }
    Ok(text)
}
