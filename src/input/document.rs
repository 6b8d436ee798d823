//! TOML, walked with the place of each of its parts, so that a value of the wrong kind is told
//! where it stands.
//!
//! Values are read as [`toml`] parses them; what they mean is for the formats to say.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{InputError, Source};
use crate::model::location::Location;

/// A TOML file.
#[derive(Debug)]
pub(crate) struct Document {
    source: Source,
    root: Entries,
}

/// The entries of a table, in the order of the file.
type Entries = Vec<(Spanned<String>, Spanned<Value>)>;

#[derive(Debug)]
enum Value {
    Text(String),
    Flag(bool),
    Integer(i64),
    List(Vec<Spanned<Value>>),
    Table(Entries),
    /// A date, a time, or both, as it is written.
    Datetime(String),
    /// A fraction or a number out of range, by what it is called.
    Other(&'static str),
}

/// A table of a [`Document`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    source: &'a Source,
    entries: &'a [(Spanned<String>, Spanned<Value>)],
    start: usize,
}

/// A value of a [`Document`], and the key it stands under.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    source: &'a Source,
    key: &'a Spanned<String>,
    value: &'a Spanned<Value>,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// Where it is no TOML.
    pub(crate) fn parse(source: Source) -> Result<Self, InputError> {
        let root = match DeTable::parse(&source.text) {
            Ok(root) => entries(root.into_inner()),
            Err(problem) => return Err(toml_error(&source, &problem)),
        };
        Ok(Self { source, root })
    }

    /// The file.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The whole of it.
    pub(crate) fn root(&self) -> Table<'_> {
        Table { source: &self.source, entries: &self.root, start: 0 }
    }
}

fn entries(table: DeTable<'_>) -> Entries {
    let mut entries: Entries = table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            (Spanned::new(span, key.into_inner().into_owned()), spanned(value))
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn spanned(value: Spanned<DeValue<'_>>) -> Spanned<Value> {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Array(list) => Value::List(list.into_iter().map(spanned).collect()),
        DeValue::Table(table) => Value::Table(entries(table)),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("a number out of range"),
        },
        DeValue::Datetime(value) => Value::Datetime(value.to_string()),
        DeValue::Float(_) => Value::Other("float"),
    };
    Spanned::new(span, value)
}

/// What a parser of TOML says, where it says it.
pub(crate) fn toml_error(source: &Source, problem: &toml::de::Error) -> InputError {
    let offset = problem.span().map_or(0, |span| span.start);
    let message = problem.message().lines().next().unwrap_or("malformed TOML").to_owned();
    let error = InputError::at(source.location(offset), message);
    match source.conflict_marker() {
        Some(marker) => {
            InputError::at(source.location(marker), "expected TOML, found a merge-conflict marker")
                .hint("resolve the conflict first")
        }
        None => error,
    }
}

impl<'a> Table<'a> {
    /// What stands under a key.
    pub(crate) fn get(self, key: &str) -> Option<Item<'a>> {
        let (key, value) = self.entries.iter().find(|(found, _)| found.get_ref() == key)?;
        Some(Item { source: self.source, key, value })
    }

    /// All of it, in the order of the file.
    pub(crate) fn items(self) -> impl Iterator<Item = Item<'a>> {
        let source = self.source;
        self.entries.iter().map(move |(key, value)| Item { source, key, value })
    }

    /// The table under a key.
    ///
    /// # Errors
    /// Where something else stands there.
    pub(crate) fn table(self, key: &str) -> Result<Option<Table<'a>>, InputError> {
        self.get(key).map(Item::table).transpose()
    }

    /// The table under one key of another, and so on; `None` where any of them is missing.
    ///
    /// # Errors
    /// Where something else stands there.
    pub(crate) fn nested(self, keys: &[&str]) -> Result<Option<Table<'a>>, InputError> {
        let mut table = self;
        for key in keys {
            match table.table(key)? {
                Some(inner) => table = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(table))
    }

    /// The list under a key; an empty one where it is missing.
    ///
    /// # Errors
    /// Where something else stands there.
    pub(crate) fn list(self, key: &str) -> Result<Vec<Item<'a>>, InputError> {
        self.get(key).map_or_else(|| Ok(Vec::new()), Item::list)
    }

    /// The string under a key.
    ///
    /// # Errors
    /// Where something else stands there.
    pub(crate) fn text(self, key: &str) -> Result<Option<&'a str>, InputError> {
        self.get(key).map(Item::text).transpose()
    }

    /// The truth value under a key.
    ///
    /// # Errors
    /// Where something else stands there.
    pub(crate) fn flag(self, key: &str) -> Result<Option<bool>, InputError> {
        self.get(key).map(Item::flag).transpose()
    }

    /// Where it begins.
    pub(crate) fn location(self) -> Location {
        self.source.location(self.start)
    }
}

impl<'a> Item<'a> {
    /// The key it stands under; of a list's element, that of the list.
    pub(crate) fn key(self) -> &'a str {
        self.key.get_ref()
    }

    /// Where its key stands.
    pub(crate) fn key_location(self) -> Location {
        self.source.location(self.key.span().start)
    }

    /// Where it stands itself.
    pub(crate) fn location(self) -> Location {
        self.source.location(self.value.span().start)
    }

    /// The place of a byte of its string: within it, where it is written without escapes.
    pub(crate) fn location_in_text(self, at: usize) -> Location {
        let span = self.value.span();
        let written = self.source.text.get(span.clone()).unwrap_or_default();
        let inner = written.get(1..written.len().saturating_sub(1));
        let start = match &self.value.get_ref() {
            Value::Text(text) if inner == Some(text) => span.start + 1 + at,
            _ => span.start,
        };
        self.source.location(start)
    }

    /// Its string.
    ///
    /// # Errors
    /// Where it is something else.
    pub(crate) fn text(self) -> Result<&'a str, InputError> {
        match self.value.get_ref() {
            Value::Text(text) => Ok(text),
            _ => Err(self.unexpected("a string")),
        }
    }

    /// Its truth value.
    ///
    /// # Errors
    /// Where it is something else.
    pub(crate) fn flag(self) -> Result<bool, InputError> {
        match self.value.get_ref() {
            Value::Flag(flag) => Ok(*flag),
            _ => Err(self.unexpected("true or false")),
        }
    }

    /// Its whole number.
    ///
    /// # Errors
    /// Where it is something else.
    pub(crate) fn integer(self) -> Result<i64, InputError> {
        match self.value.get_ref() {
            Value::Integer(number) => Ok(*number),
            _ => Err(self.unexpected("a whole number")),
        }
    }

    /// Its elements.
    ///
    /// # Errors
    /// Where it is something else.
    pub(crate) fn list(self) -> Result<Vec<Item<'a>>, InputError> {
        match self.value.get_ref() {
            Value::List(list) => Ok(list.iter().map(|value| Item { value, ..self }).collect()),
            _ => Err(self.unexpected("a list")),
        }
    }

    /// Its entries.
    ///
    /// # Errors
    /// Where it is something else.
    pub(crate) fn table(self) -> Result<Table<'a>, InputError> {
        match self.value.get_ref() {
            Value::Table(entries) => {
                Ok(Table { source: self.source, entries, start: self.value.span().start })
            }
            _ => Err(self.unexpected("a table")),
        }
    }

    /// Its string, where it is one.
    pub(crate) fn as_text(self) -> Option<&'a str> {
        self.text().ok()
    }

    /// Its date and time as they are written, where it is one of them.
    pub(crate) fn as_datetime(self) -> Option<&'a str> {
        match self.value.get_ref() {
            Value::Datetime(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is a list.
    pub(crate) fn is_list(self) -> bool {
        matches!(self.value.get_ref(), Value::List(_))
    }

    /// Whether it is a table.
    pub(crate) fn is_table(self) -> bool {
        matches!(self.value.get_ref(), Value::Table(_))
    }

    /// An error that tells what was expected here.
    pub(crate) fn unexpected(self, expected: &str) -> InputError {
        let found = match self.value.get_ref() {
            Value::Text(_) => "a string",
            Value::Flag(_) => "true or false",
            Value::Integer(_) => "integer",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Datetime(_) => "datetime",
            Value::Other(kind) => kind,
        };
        let problem = format!("expected {expected} for `{}`, found {found}", self.key());
        InputError::at(self.location(), problem)
    }

    /// An error at its place.
    pub(crate) fn error(self, problem: impl Into<String>) -> InputError {
        InputError::at(self.location(), problem)
    }
}
