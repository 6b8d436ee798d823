//! What names are bound to, as far as it is followed.

use std::rc::Rc;
use std::sync::Arc;

use crate::imports::environment::ModuleId;
use crate::imports::facts::{Class, From, Function, Import, Name};

/// A scope: names of a module, a function that was called, a class or an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ScopeId(pub(super) usize);

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Anything.
    Unknown,
    /// Something that is true, and so not `None`.
    Something,
    None,
    Bool(bool),
    Integer(i64),
    Text(Name),
    /// A text of which the beginning is known.
    Prefix(Name),
    /// A tuple, list or set.
    List(Rc<List>),
    Dict(Rc<Dict>),
    /// A module of the environment.
    Module(ModuleId),
    /// Something of the standard library, by its dotted name; its modules too.
    Standard(Name),
    Function(Rc<Closure>),
    /// What a decorator that is not followed made of a function.
    Wrapped(Rc<Closure>),
    Class(Rc<ClassValue>),
    Instance(Rc<Instance>),
    /// A function with what it is called on.
    Bound(Rc<(Value, Value)>),
    /// `super()`: what it is called on, and the classes behind the present one.
    Super(Rc<(Value, Vec<Value>)>),
    /// An import that is made when the name is used (PEP 810).
    Lazy(Rc<Lazy>),
    /// `contextlib.suppress`, with what it catches.
    Suppress(Rc<Vec<Value>>),
    /// `__getattr__` made from a table of names: the package, its submodules, and names by the
    /// submodule they come from.
    Table(Rc<Table>),
    /// One of several.
    OneOf(Rc<Vec<Value>>),
}

#[derive(Debug, Default, Clone)]
pub(super) struct List {
    pub(super) items: Vec<Value>,
    /// Whether there may be more.
    pub(super) open: bool,
    /// How many containers lie in one another.
    depth: u32,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Dict {
    pub(super) items: Vec<(Value, Value)>,
    /// Whether there may be more.
    pub(super) open: bool,
    /// How many containers lie in one another.
    depth: u32,
}

/// What a key of a dictionary leads to.
pub(super) enum Entry {
    Found(Value),
    Absent,
    Unknown,
}

/// Containers in one another: more is not followed, since comparing and dropping them goes as deep.
const MAX_DEPTH: u32 = 40;
/// What a container holds at most. Those that hold more are open.
pub(super) const MAX_ITEMS: usize = 5_000;

impl List {
    pub(super) fn new(items: Vec<Value>, open: bool) -> Self {
        Self { items, open, depth: 0 }
    }
}

impl Dict {
    pub(super) fn new(items: Vec<(Value, Value)>, open: bool) -> Self {
        Self { items, open, depth: 0 }
    }
}

/// A function where it was defined.
#[derive(Debug)]
pub(super) struct Closure {
    pub(super) code: Arc<Function>,
    pub(super) module: ModuleId,
    /// The scopes of the functions around it, innermost last.
    pub(super) outer: Vec<ScopeId>,
    /// Where what its parameters are by default is bound, by their names.
    pub(super) defaults: Option<ScopeId>,
    pub(super) kind: Binding,
}

/// How a function of a class is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    Plain,
    Static,
    Class,
    Property,
}

#[derive(Debug)]
pub(super) struct ClassValue {
    pub(super) code: Arc<Class>,
    pub(super) scope: ScopeId,
}

#[derive(Debug)]
pub(super) struct Instance {
    pub(super) class: Rc<ClassValue>,
    pub(super) scope: ScopeId,
}

#[derive(Debug)]
pub(super) struct Lazy {
    pub(super) module: ModuleId,
    pub(super) what: LazyImport,
}

/// The statement of a lazy import, and which of its names it is.
#[derive(Debug)]
pub(super) enum LazyImport {
    Import(Import, usize),
    From(From, usize),
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) package: String,
    pub(super) submodules: Vec<Name>,
    /// Names, and the module each comes from.
    pub(super) names: Vec<(Name, Name)>,
}

impl Value {
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Name::new(text.as_ref()))
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::of_list(List::new(items, false))
    }

    pub(super) fn of_list(mut list: List) -> Self {
        list.open |= list.items.len() > MAX_ITEMS;
        list.items.truncate(MAX_ITEMS);
        list.depth = list.items.iter().map(Self::depth).max().unwrap_or(0) + 1;
        if list.depth > MAX_DEPTH { Self::Unknown } else { Self::List(Rc::new(list)) }
    }

    pub(super) fn of_dict(mut dict: Dict) -> Self {
        dict.open |= dict.items.len() > MAX_ITEMS;
        dict.items.truncate(MAX_ITEMS);
        let values = dict.items.iter().flat_map(|(key, value)| [key, value]);
        dict.depth = values.map(Self::depth).max().unwrap_or(0) + 1;
        if dict.depth > MAX_DEPTH { Self::Unknown } else { Self::Dict(Rc::new(dict)) }
    }

    /// How many containers lie in one another.
    fn depth(&self) -> u32 {
        match self {
            Self::List(list) => list.depth,
            Self::Dict(dict) => dict.depth,
            Self::Bound(bound) => bound.0.depth() + 1,
            Self::Super(of) => of.0.depth() + 1,
            Self::Suppress(kinds) => kinds.iter().map(Self::depth).max().unwrap_or(0) + 1,
            Self::OneOf(values) => values.iter().map(Self::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    pub(super) fn standard(name: &str) -> Self {
        Self::Standard(Name::new(name))
    }

    /// Whether it counts as true; `None` where that is not known.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::None => Some(false),
            Self::Bool(value) => Some(*value),
            Self::Integer(value) => Some(*value != 0),
            Self::Text(text) => Some(!text.is_empty()),
            Self::Prefix(text) if !text.is_empty() => Some(true),
            Self::List(list) if list.items.is_empty() && list.open => None,
            Self::List(list) => Some(!list.items.is_empty()),
            Self::Dict(dict) if dict.items.is_empty() && dict.open => None,
            Self::Dict(dict) => Some(!dict.items.is_empty()),
            Self::Something
            | Self::Module(_)
            | Self::Function(_)
            | Self::Wrapped(_)
            | Self::Class(_)
            | Self::Bound(_)
            | Self::Super(_)
            | Self::Suppress(_)
            | Self::Table(_) => Some(true),
            // What `find_spec` found.
            Self::Standard(name) if name.starts_with('<') => Some(true),
            Self::OneOf(values) => {
                let mut truths = values.iter().map(Self::truth);
                let first = truths.next()??;
                truths.all(|truth| truth == Some(first)).then_some(first)
            }
            Self::Unknown
            | Self::Prefix(_)
            | Self::Standard(_)
            | Self::Instance(_)
            | Self::Lazy(_) => None,
        }
    }

    /// Whether it is `None`; `None` where that is not known.
    pub(super) fn is_none(&self) -> Option<bool> {
        match self {
            Self::None => Some(true),
            Self::Unknown | Self::Lazy(_) => None,
            Self::OneOf(values) => {
                let mut nones = values.iter().map(Self::is_none);
                let first = nones.next()??;
                nones.all(|none| none == Some(first)).then_some(first)
            }
            _ => Some(false),
        }
    }

    /// Whether both are the same as far as can be told without running anything.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.same_within(other, 3)
    }

    /// Containers that hold each other more than once would take exponential time.
    fn same_within(&self, other: &Self, depth: u32) -> bool {
        match (self, other) {
            (Self::Unknown, Self::Unknown)
            | (Self::Something, Self::Something)
            | (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Text(a), Self::Text(b))
            | (Self::Prefix(a), Self::Prefix(b))
            | (Self::Standard(a), Self::Standard(b)) => a == b,
            (Self::Module(a), Self::Module(b)) => a == b,
            (Self::Function(a), Self::Function(b)) | (Self::Wrapped(a), Self::Wrapped(b)) => {
                Rc::ptr_eq(a, b)
            }
            (Self::Class(a), Self::Class(b)) => Rc::ptr_eq(a, b),
            (Self::Instance(a), Self::Instance(b)) => Rc::ptr_eq(a, b),
            (Self::Bound(a), Self::Bound(b)) => Rc::ptr_eq(a, b),
            (Self::Lazy(a), Self::Lazy(b)) => Rc::ptr_eq(a, b),
            (Self::Table(a), Self::Table(b)) => Rc::ptr_eq(a, b),
            (Self::List(a), Self::List(b)) => {
                Rc::ptr_eq(a, b)
                    || (a.open == b.open
                        && a.items.len() == b.items.len()
                        && a.items.len() <= 16
                        && depth > 0
                        && a.items.iter().zip(&b.items).all(|(a, b)| a.same_within(b, depth - 1)))
            }
            (Self::Dict(a), Self::Dict(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// One of these.
    pub(super) fn one_of(values: impl IntoIterator<Item = Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for value in values {
            let each = match value {
                Self::OneOf(values) => values.to_vec(),
                value => vec![value],
            };
            for value in each {
                if !kept.iter().any(|one| one.same(&value)) {
                    kept.push(value);
                }
            }
        }
        match kept.len() {
            // More are of no use: every one would be followed.
            1 => kept.pop().unwrap_or(Self::Unknown),
            2..=4 => Self::OneOf(Rc::new(kept)),
            _ => Self::Unknown,
        }
    }

    /// What is certainly a text.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How a text begins, as far as known.
    pub(super) fn as_prefix(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Prefix(text) => Some(text),
            _ => None,
        }
    }

    /// What going through it gives, and whether there may be more.
    pub(super) fn elements(&self) -> Option<(Vec<Self>, bool)> {
        match self {
            Self::List(list) => Some((list.items.clone(), list.open)),
            Self::Dict(dict) => {
                Some((dict.items.iter().map(|(key, _)| key.clone()).collect(), dict.open))
            }
            Self::Text(text) => {
                Some((text.chars().map(|letter| Self::text(letter.to_string())).collect(), false))
            }
            _ => None,
        }
    }
}

impl Dict {
    /// What a key leads to.
    pub(super) fn get(&self, key: &Value) -> Entry {
        let mut certain = true;
        for (one, value) in self.items.iter().rev() {
            match super::comparison::equal(one, key) {
                Some(true) if certain => return Entry::Found(value.clone()),
                Some(true) => return Entry::Unknown,
                Some(false) => {}
                None => certain = false,
            }
        }
        if certain && !self.open { Entry::Absent } else { Entry::Unknown }
    }

    /// With another item, the last one for its key.
    pub(super) fn with(&self, key: Value, value: Value) -> Self {
        let mut dict = self.clone();
        dict.items.retain(|(one, _)| !one.same(&key));
        dict.items.push((key, value));
        dict
    }
}
