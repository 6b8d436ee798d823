//! What the configuration says, key by key. Whatever is not known or not of its kind is an error: a
//! setting that is passed over in silence may be the one that hides something.

use std::fmt::Display;
use std::str::FromStr;

use jiff::civil::Date;
use pep508_rs::ExtraName;

use super::ProjectSettings;
use crate::input::document::{Document, Item, Table};
use crate::input::{InputError, Source};
use crate::judge::{self, CHECKS, FailOn, Ignore, NamePattern, NamePatternError};
use crate::model::finding::Level;
use crate::model::limits::{LimitError, Limits};
use crate::model::nearest::nearest;
use crate::model::requirement::GroupName;

const KEYS: [&str; 8] =
    ["targets", "platforms", "groups", "extras", "fail-on", "rules", "limits", "ignore"];
const KEYS_OF_IGNORE: [&str; 5] = ["package", "rule", "module", "reason", "expires"];
/// What stands for a rule that is not to tell anything.
const OFF: &str = "off";

/// Reads a file: `[tool.ftcheck]` of a `pyproject.toml`, of any other all of it. `None` where a
/// `pyproject.toml` has no such table.
///
/// # Errors
/// Where it is no TOML, holds an unknown key, or a value that is not of its kind.
pub fn read(source: Source) -> Result<Option<ProjectSettings>, InputError> {
    let path = source.path.clone();
    let is_shared = path.file_name().is_some_and(|name| name == "pyproject.toml");
    let document = Document::parse(source)?;
    let table = if is_shared {
        document.root().nested(&["tool", "ftcheck"])?
    } else {
        Some(document.root())
    };
    let Some(table) = table else { return Ok(None) };
    let mut settings = ProjectSettings { path: Some(path), ..ProjectSettings::default() };
    for item in table.items() {
        match item.key() {
            "targets" => settings.targets = parsed(item)?,
            "platforms" => settings.platforms = parsed(item)?,
            "groups" => settings.groups = groups(item)?,
            "extras" => settings.extras = extras(item)?,
            "fail-on" => settings.fail_on = Some(fail_on(item)?),
            "rules" => levels(item, &mut settings)?,
            "limits" => limits(item, &mut settings)?,
            "ignore" => {
                let entries = item.list()?.into_iter();
                settings.ignores = entries.map(ignore).collect::<Result<_, _>>()?;
            }
            _ => return Err(unknown_key(item, &KEYS)),
        }
    }
    Ok(Some(settings))
}

/// A list of texts, each of a kind.
fn parsed<T: FromStr<Err: Display>>(item: Item<'_>) -> Result<Vec<T>, InputError> {
    let read = |item: Item<'_>| {
        item.text()?.parse().map_err(|problem: T::Err| item.error(problem.to_string()))
    };
    item.list()?.into_iter().map(read).collect()
}

fn groups(item: Item<'_>) -> Result<Vec<GroupName>, InputError> {
    item.list()?.into_iter().map(|item| Ok(GroupName::new(item.text()?))).collect()
}

fn extras(item: Item<'_>) -> Result<Vec<ExtraName>, InputError> {
    let read = |item: Item<'_>| {
        let text = item.text()?;
        ExtraName::from_str(text)
            .map_err(|_| item.error(format!("expected the name of an extra, found `{text}`")))
    };
    item.list()?.into_iter().map(read).collect()
}

fn fail_on(item: Item<'_>) -> Result<FailOn, InputError> {
    let items = if item.is_list() { item.list()? } else { vec![item] };
    let mut words = Vec::new();
    for item in items {
        let word = item.text()?;
        FailOn::of([word]).map_err(|word| {
            let problem = format!(
                "expected a level (error, warning, note) or the name of a rule, found `{word}`"
            );
            suggesting(item.error(problem), word, FailOn::words())
        })?;
        words.push(word);
    }
    // Each was read alone already.
    FailOn::of(words)
        .map_err(|word| item.error(format!("expected a level or a rule, found `{word}`")))
}

fn levels(item: Item<'_>, settings: &mut ProjectSettings) -> Result<(), InputError> {
    for item in item.table()?.items() {
        let id = item.key();
        let Some(rule) = judge::rule(id) else {
            let problem = format!("expected the name of a rule, found `{id}`");
            let error = InputError::at(item.key_location(), problem);
            return Err(suggesting(error, id, rules()));
        };
        let text = item.text()?;
        let level = match Level::from_str(text) {
            Ok(level) => Some(level),
            Err(_) if text == OFF => None,
            Err(_) => {
                let problem =
                    format!("expected error, warning, note or off for `{id}`, found `{text}`");
                let words = Level::ALL.into_iter().map(Level::as_str).chain([OFF]);
                return Err(suggesting(item.error(problem), text, words));
            }
        };
        settings.levels.0.insert(rule.id, level);
    }
    Ok(())
}

fn limits(item: Item<'_>, settings: &mut ProjectSettings) -> Result<(), InputError> {
    for item in item.table()?.items() {
        let text = match item.as_text() {
            Some(text) => text.to_owned(),
            None => item
                .integer()
                .map_err(|_| item.unexpected("a whole number or a string"))?
                .to_string(),
        };
        settings.limits.set(item.key(), &text).map_err(|problem| match problem {
            LimitError::Unknown(_) => unknown_key(item, &Limits::KEYS),
            problem @ LimitError::Malformed { .. } => item.error(problem.to_string()),
        })?;
    }
    Ok(())
}

fn ignore(item: Item<'_>) -> Result<Ignore, InputError> {
    let table = item.table()?;
    if let Some(unknown) = table.items().find(|item| !KEYS_OF_IGNORE.contains(&item.key())) {
        return Err(unknown_key(unknown, &KEYS_OF_IGNORE));
    }
    let reason = table.get("reason").ok_or_else(|| {
        item.error("expected a `reason` for what is ignored, found none")
            .hint("say why: `reason = \"only used by the build\"`")
    })?;
    if reason.text()?.trim().is_empty() {
        return Err(reason.error("expected a `reason` for what is ignored, found an empty one"));
    }
    let rule = table.get("rule").map(rule_of).transpose()?;
    let package = pattern(table, "package", NamePattern::of_package)?;
    let module = pattern(table, "module", NamePattern::of_module)?;
    if rule.is_none() && package.is_none() {
        let problem = "expected a `package` or a `rule` to ignore, found neither";
        return Err(item.error(problem));
    }
    Ok(Ignore {
        package,
        rule,
        module,
        reason: reason.text()?.trim().to_owned(),
        expires: table.get("expires").map(date).transpose()?,
        location: item.location(),
    })
}

fn rule_of(item: Item<'_>) -> Result<&'static str, InputError> {
    let id = item.text()?;
    judge::rule(id).map(|rule| rule.id).ok_or_else(|| {
        let problem = format!("expected the name of a rule, found `{id}`");
        suggesting(item.error(problem), id, rules())
    })
}

fn pattern(
    table: Table<'_>,
    key: &str,
    read: impl Fn(&str) -> Result<NamePattern, NamePatternError>,
) -> Result<Option<NamePattern>, InputError> {
    let read =
        |item: Item<'_>| read(item.text()?).map_err(|problem| item.error(problem.to_string()));
    table.get(key).map(read).transpose()
}

/// A date, as TOML has it or in a string.
fn date(item: Item<'_>) -> Result<Date, InputError> {
    let text = item.as_datetime().or_else(|| item.as_text());
    // The parser takes more than the one form that TOML has.
    let date = text.filter(|text| text.len() == "2027-06-30".len() && !text.starts_with('-'));
    date.and_then(|text| text.parse().ok()).ok_or_else(|| match text {
        Some(text) => {
            item.error(format!("expected a date such as 2027-06-30 for `expires`, found `{text}`"))
        }
        None => item.unexpected("a date such as 2027-06-30"),
    })
}

fn rules() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.rule().id)
}

fn unknown_key(item: Item<'_>, known: &[&'static str]) -> InputError {
    let problem = format!("unknown key `{}`", item.key());
    let error = InputError::at(item.key_location(), problem);
    let listed = format!("there are: {}", known.join(", "));
    let error = suggesting(error, item.key(), known.iter().copied());
    if error.hint.is_some() { error } else { error.hint(listed) }
}

fn suggesting(
    error: InputError,
    found: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> InputError {
    match nearest(found, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}
