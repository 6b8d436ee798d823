//! YAML, walked with the place of each of its parts.
//!
//! [`saphyr_parser`] tells one event after the other; here they become a tree of bounded depth and
//! size. Scalars stay the text that stands in the file, since what YAML takes for a number is a
//! version as often as not. What values mean is for the formats to say.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::{InputError, Source};
use crate::model::location::Location;

/// Values in values; the files that are read here go 7 deep.
const MAX_DEPTH: usize = 64;

/// Values in all: several times what the largest lockfiles hold.
const MAX_VALUES: usize = 6_000_000;

/// Values that aliases stand for. No tool writes any; people write a few by hand.
const MAX_ALIASED: usize = 100_000;

/// A value, and where it stands.
#[derive(Debug, Clone)]
struct Node<'a> {
    value: Value<'a>,
    spot: Spot,
}

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy)]
struct Spot {
    line: u32,
    column: u32,
}

#[derive(Debug, Clone)]
enum Value<'a> {
    /// A scalar, and whether it stands without quotation marks.
    Scalar(Cow<'a, str>, bool),
    List(Vec<Node<'a>>),
    Table(Vec<Entry<'a>>),
}

#[derive(Debug, Clone)]
struct Entry<'a> {
    key: Cow<'a, str>,
    spot: Spot,
    value: Node<'a>,
}

/// A YAML file.
#[derive(Debug)]
pub(super) struct Document<'a> {
    source: &'a Source,
    root: Node<'a>,
}

/// A value of a [`Document`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'d> {
    source: &'d Source,
    node: &'d Node<'d>,
}

/// A mapping of a [`Document`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'d> {
    source: &'d Source,
    entries: &'d [Entry<'d>],
    spot: Spot,
}

impl Spot {
    fn of(marker: Marker) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self { line: number(marker.line()), column: number(marker.col()).saturating_add(1) }
    }

    fn location(self, source: &Source) -> Location {
        let (line, column) = (self.line as usize, self.column as usize);
        Location { path: source.shown.clone(), line, column }
    }
}

impl<'a> Document<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it is no YAML, holds several documents, names a key twice, or is too deep or too large.
    pub(super) fn parse(source: &'a Source) -> Result<Self, InputError> {
        let read = Builder::new(source).read();
        let root = read.map_err(|error| match source.conflict_marker() {
            Some(marker) => {
                let problem = "expected YAML, found a merge-conflict marker";
                InputError::at(source.location(marker), problem).hint("resolve the conflict first")
            }
            None => error,
        })?;
        Ok(Self { source, root })
    }

    /// The whole of it.
    pub(super) fn root(&self) -> Item<'_> {
        Item { source: self.source, node: &self.root }
    }
}

impl<'d> Item<'d> {
    /// Where it stands.
    pub(super) fn location(self) -> Location {
        self.node.spot.location(self.source)
    }

    /// Something wrong with it.
    pub(super) fn error(self, problem: impl Into<String>) -> InputError {
        InputError::at(self.location(), problem)
    }

    fn kind(self) -> &'static str {
        match &self.node.value {
            Value::Scalar(..) if self.is_null() => "nothing",
            Value::Scalar(..) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a mapping",
        }
    }

    fn is_not(self, expected: &str) -> InputError {
        self.error(format!("expected {expected}, found {}", self.kind()))
    }

    /// Whether nothing stands here.
    pub(super) fn is_null(self) -> bool {
        let null = |text: &str| matches!(text, "" | "~" | "null" | "Null" | "NULL");
        matches!(&self.node.value, Value::Scalar(text, true) if null(text))
    }

    /// The text, where it is one.
    pub(super) fn as_text(self) -> Option<&'d str> {
        match &self.node.value {
            Value::Scalar(text, _) if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The mapping, where it is one.
    pub(super) fn as_table(self) -> Option<Table<'d>> {
        match &self.node.value {
            Value::Table(entries) => {
                Some(Table { source: self.source, entries, spot: self.node.spot })
            }
            _ => None,
        }
    }

    /// The text.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn text(self) -> Result<&'d str, InputError> {
        self.as_text().ok_or_else(|| self.is_not("a text"))
    }

    /// The mapping.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn table(self) -> Result<Table<'d>, InputError> {
        self.as_table().ok_or_else(|| self.is_not("a mapping"))
    }

    /// The values of a list; nothing at all is an empty one.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn list(self) -> Result<impl Iterator<Item = Item<'d>>, InputError> {
        let nodes = match &self.node.value {
            Value::List(nodes) => nodes.as_slice(),
            _ if self.is_null() => &[],
            _ => return Err(self.is_not("a list")),
        };
        Ok(nodes.iter().map(move |node| Item { source: self.source, node }))
    }
}

impl<'d> Table<'d> {
    /// Where it stands.
    pub(super) fn location(self) -> Location {
        self.spot.location(self.source)
    }

    /// Something wrong with it.
    pub(super) fn error(self, problem: impl Into<String>) -> InputError {
        InputError::at(self.location(), problem)
    }

    /// What stands under a key, unless that is nothing.
    pub(super) fn get(self, key: &str) -> Option<Item<'d>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let item = Item { source: self.source, node: &entry.value };
        (!item.is_null()).then_some(item)
    }

    /// What stands under a key.
    ///
    /// # Errors
    /// Where nothing does.
    pub(super) fn required(self, key: &str) -> Result<Item<'d>, InputError> {
        self.get(key).ok_or_else(|| self.error(format!("expected `{key}`, found no such key")))
    }

    /// The text under a key, where there is something.
    ///
    /// # Errors
    /// Where it is no text.
    pub(super) fn text(self, key: &str) -> Result<Option<&'d str>, InputError> {
        self.get(key).map(Item::text).transpose()
    }

    /// All of it, in the order of the file: the key, where it stands, and the value.
    pub(super) fn entries(self) -> impl Iterator<Item = (&'d str, Location, Item<'d>)> {
        self.entries.iter().map(move |entry| {
            let item = Item { source: self.source, node: &entry.value };
            (entry.key.as_ref(), entry.spot.location(self.source), item)
        })
    }
}

/// A list or mapping that is not closed yet.
struct Open<'a> {
    spot: Spot,
    anchor: usize,
    what: Collection<'a>,
}

enum Collection<'a> {
    List(Vec<Node<'a>>),
    /// The entries, and a key whose value is still to come.
    Table(Vec<Entry<'a>>, Option<(Cow<'a, str>, Spot)>),
}

/// Makes a tree of events.
struct Builder<'a> {
    source: &'a Source,
    open: Vec<Open<'a>>,
    root: Option<Node<'a>>,
    /// What aliases may stand for, and how many values it holds.
    anchors: HashMap<usize, (Node<'a>, usize)>,
    values: usize,
    aliased: usize,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Source) -> Self {
        let (open, anchors) = (Vec::new(), HashMap::new());
        Self { source, open, root: None, anchors, values: 0, aliased: 0 }
    }

    fn error(&self, spot: Spot, problem: impl Into<String>) -> InputError {
        InputError::at(spot.location(self.source), problem)
    }

    fn read(mut self) -> Result<Node<'a>, InputError> {
        let source = self.source;
        let mut documents = 0_usize;
        let mut parser = Parser::new_from_str(&source.text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|problem| self.malformed(&problem))?;
            let spot = Spot::of(span.start);
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(self.error(spot, "expected one YAML document, found another"));
                    }
                }
                Event::Scalar(text, style, anchor, _) => {
                    let plain = style == ScalarStyle::Plain;
                    self.close(Node { value: Value::Scalar(text, plain), spot }, anchor)?;
                }
                Event::SequenceStart(anchor, _) => {
                    self.open(spot, anchor, Collection::List(Vec::new()))?;
                }
                Event::MappingStart(anchor, _) => {
                    self.open(spot, anchor, Collection::Table(Vec::new(), None))?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::Alias(anchor) => self.alias(spot, anchor)?,
                _ => {}
            }
        }
        self.root.take().ok_or_else(|| {
            InputError::of_file(&source.shown, "expected a YAML document, found none")
        })
    }

    fn malformed(&self, problem: &ScanError) -> InputError {
        self.error(Spot::of(*problem.marker()), format!("malformed YAML: {}", problem.info()))
    }

    fn open(&mut self, spot: Spot, anchor: usize, what: Collection<'a>) -> Result<(), InputError> {
        if self.open.len() >= MAX_DEPTH {
            let problem = format!("expected values at most {MAX_DEPTH} deep");
            return Err(self.error(spot, problem));
        }
        if let Some(Open { what: Collection::Table(_, None), .. }) = self.open.last() {
            return Err(self.error(spot, "expected a text as key"));
        }
        self.open.push(Open { spot, anchor, what });
        Ok(())
    }

    fn end(&mut self) -> Result<(), InputError> {
        let Some(Open { spot, anchor, what }) = self.open.pop() else { return Ok(()) };
        let value = match what {
            Collection::List(mut nodes) => {
                nodes.shrink_to_fit();
                Value::List(nodes)
            }
            Collection::Table(mut entries, _) => {
                entries.shrink_to_fit();
                let mut keys = HashSet::with_capacity(entries.len());
                if let Some(twice) = entries.iter().find(|entry| !keys.insert(&entry.key)) {
                    let problem = format!("the key `{}` stands here twice", twice.key);
                    return Err(self.error(twice.spot, problem));
                }
                Value::Table(entries)
            }
        };
        self.close(Node { value, spot }, anchor)
    }

    fn alias(&mut self, spot: Spot, anchor: usize) -> Result<(), InputError> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(self.error(spot, "an alias stands inside of what it stands for"));
        };
        self.aliased = self.aliased.saturating_add(*size);
        if self.aliased > MAX_ALIASED {
            let problem = format!("expected aliases that stand for at most {MAX_ALIASED} values");
            return Err(self.error(spot, problem));
        }
        let node = Node { spot, ..node.clone() };
        self.close(node, 0)
    }

    /// Puts a whole value where it belongs.
    fn close(&mut self, node: Node<'a>, anchor: usize) -> Result<(), InputError> {
        let spot = node.spot;
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(self.error(spot, format!("expected at most {MAX_VALUES} values")));
        }
        if anchor > 0 {
            let size = size(&node);
            // A copy is kept of each, so that these count as well.
            self.aliased = self.aliased.saturating_add(size);
            if self.aliased > MAX_ALIASED {
                let problem = format!("expected anchors of at most {MAX_ALIASED} values");
                return Err(self.error(spot, problem));
            }
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.what) {
            None => self.root = Some(node),
            Some(Collection::List(nodes)) => nodes.push(node),
            Some(Collection::Table(entries, pending)) => match pending.take() {
                Some((key, spot)) => entries.push(Entry { key, spot, value: node }),
                None => match node.value {
                    Value::Scalar(text, _) => *pending = Some((text, spot)),
                    _ => return Err(self.error(spot, "expected a text as key")),
                },
            },
        }
        Ok(())
    }
}

/// Values in a value, itself included.
fn size(node: &Node<'_>) -> usize {
    let mut count = 0_usize;
    let mut rest = vec![node];
    while let Some(node) = rest.pop() {
        count = count.saturating_add(1);
        match &node.value {
            Value::Scalar(..) => {}
            Value::List(nodes) => rest.extend(nodes),
            Value::Table(entries) => rest.extend(entries.iter().map(|entry| &entry.value)),
        }
    }
    count
}
