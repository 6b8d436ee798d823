//! What is kept of one Python file: the statements and expressions that decide what is imported.
//!
//! A tree of its own rather than the parser's, since it is kept between runs and holds less: no
//! annotations, no documentation, no arithmetic. What an expression that is not followed would
//! evaluate on the way is kept inside [`Expression::Unknown`].

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A name, or a short text.
pub type Name = CompactString;

/// The version of the form below and of what [`super::parse`] puts into it; part of the key under
/// which facts are kept.
pub const FACTS_VERSION: u32 = 1;

/// One Python file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The body of the module.
    #[serde(rename = "b")]
    pub body: Vec<Statement>,
    /// Why the file is not known, or not wholly.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A place in the file: line and column count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct At(
    /// The line.
    pub u32,
    /// The column.
    pub u32,
);

/// A name that an import binds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alias(
    /// What is imported: a dotted module, or a name of one.
    pub Name,
    /// The name behind `as`.
    pub Option<Name>,
);

/// `import a.b, c as d`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// The modules.
    #[serde(rename = "n")]
    pub names: Vec<Alias>,
    /// Where the statement stands.
    #[serde(rename = "@")]
    pub at: At,
    /// `lazy import` (PEP 810): executed where the name is first used.
    #[serde(rename = "z", default, skip_serializing_if = "is_false")]
    pub lazy: bool,
}

/// `from .a import b, c as d`; a star is a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct From {
    /// The dots before the module.
    #[serde(rename = "l", default, skip_serializing_if = "is_zero")]
    pub level: u32,
    /// The module; empty for `from . import`.
    #[serde(rename = "m")]
    pub module: Name,
    /// The names, `*` for all.
    #[serde(rename = "n")]
    pub names: Vec<Alias>,
    /// Where the statement stands.
    #[serde(rename = "@")]
    pub at: At,
    /// `lazy from` (PEP 810).
    #[serde(rename = "z", default, skip_serializing_if = "is_false")]
    pub lazy: bool,
}

/// A function, or a lambda.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name; empty for a lambda.
    #[serde(rename = "n")]
    pub name: Name,
    /// Parameters that may be given by position, in order.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub positional: Vec<Name>,
    /// Parameters that are given by name.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub keyword: Vec<Name>,
    /// What parameters are where nothing is given.
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    pub defaults: Vec<(Name, Expression)>,
    /// `*args`.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub variadic: Option<Name>,
    /// `**kwargs`.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub variadic_keyword: Option<Name>,
    /// Whether calling it executes nothing yet: a coroutine or a generator.
    #[serde(rename = "y", default, skip_serializing_if = "is_false")]
    pub deferred: bool,
    /// The body; of a lambda one `return`.
    #[serde(rename = "b")]
    pub body: Vec<Statement>,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// Its name.
    #[serde(rename = "n")]
    pub name: Name,
    /// What it derives from, and then the arguments given by name.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<Expression>,
    /// The body, executed where the class is defined.
    #[serde(rename = "b")]
    pub body: Vec<Statement>,
}

/// One `except`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handler {
    /// What it catches; all where nothing is named.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub catches: Option<Expression>,
    /// The name of the exception.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The body.
    #[serde(rename = "b")]
    pub body: Vec<Statement>,
}

/// A `try` with all its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// The body.
    #[serde(rename = "b")]
    pub body: Vec<Statement>,
    /// The handlers.
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    pub handlers: Vec<Handler>,
    /// Executed where nothing was raised.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    pub orelse: Vec<Statement>,
    /// Executed in the end.
    #[serde(rename = "f", default, skip_serializing_if = "Vec::is_empty")]
    pub finally: Vec<Statement>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Statement {
    /// `import`.
    #[serde(rename = "i")]
    Import(Box<Import>),
    /// `from`.
    #[serde(rename = "f")]
    From(Box<From>),
    /// Targets and what is bound to them.
    #[serde(rename = "=")]
    Assign(Vec<Expression>, Expression),
    /// `target += value`; for any other operator the value is [`Expression::Unknown`].
    #[serde(rename = "+")]
    Add(Expression, Expression),
    /// An expression evaluated for what it does.
    #[serde(rename = "x")]
    Expression(Expression),
    /// Tests with their bodies, in order; an `else` is a test that is true.
    #[serde(rename = "?")]
    If(Vec<(Expression, Vec<Statement>)>),
    /// `try`.
    #[serde(rename = "t")]
    Try(Box<Try>),
    /// `with`: what is entered, what it is bound to, and the body.
    #[serde(rename = "w")]
    With(Vec<(Expression, Option<Expression>)>, Vec<Statement>),
    /// `for`: the target, what is gone through, the body, the `else`.
    #[serde(rename = "o")]
    For(Expression, Expression, Vec<Statement>, Vec<Statement>),
    /// `while`: the test, the body, the `else`.
    #[serde(rename = "l")]
    While(Expression, Vec<Statement>, Vec<Statement>),
    /// `match`: the subject, and for each case the names it binds, its guard, whether it matches
    /// everything, and its body.
    #[serde(rename = "m")]
    Match(Expression, Vec<Case>),
    /// `def`, with its decorators.
    #[serde(rename = "d")]
    Function(Arc<Function>, Vec<Expression>),
    /// `class`, with its decorators.
    #[serde(rename = "c")]
    Class(Arc<Class>, Vec<Expression>),
    /// `return`.
    #[serde(rename = "r")]
    Return(Option<Expression>),
    /// `raise`.
    #[serde(rename = "!")]
    Raise(Option<Expression>),
    /// `del`.
    #[serde(rename = "-")]
    Delete(Vec<Expression>),
    /// `global`.
    #[serde(rename = "g")]
    Global(Vec<Name>),
    /// `nonlocal`.
    #[serde(rename = "n")]
    Nonlocal(Vec<Name>),
    /// `break`.
    #[serde(rename = "b")]
    Break,
    /// `continue`.
    #[serde(rename = "k")]
    Continue,
}

/// One `case`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What it compares the subject with, where it is one value; else what the pattern evaluates.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Expression>,
    /// Whether it matches everything.
    #[serde(rename = "a", default, skip_serializing_if = "is_false")]
    pub matches_all: bool,
    /// The names it binds.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Name>,
    /// The guard.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Expression>,
    /// The body.
    #[serde(rename = "b")]
    pub body: Vec<Statement>,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    LessOrEqual,
    /// `>`
    #[serde(rename = ">")]
    Greater,
    /// `>=`
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// `is`
    #[serde(rename = "is")]
    Is,
    /// `is not`
    #[serde(rename = "is not")]
    IsNot,
    /// `in`
    #[serde(rename = "in")]
    In,
    /// `not in`
    #[serde(rename = "not in")]
    NotIn,
}

/// Operators that are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// `+`
    #[serde(rename = "+")]
    Add,
    /// `%`, of texts
    #[serde(rename = "%")]
    Modulo,
    /// `|`, of sets and dictionaries
    #[serde(rename = "|")]
    Or,
    /// `>>`
    #[serde(rename = ">>")]
    ShiftRight,
    /// `**`
    #[serde(rename = "**")]
    Power,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// What is called.
    #[serde(rename = "f")]
    pub function: Expression,
    /// Arguments by position.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Expression>,
    /// Arguments by name; without one for `**`.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<(Option<Name>, Expression)>,
    /// Where it stands.
    #[serde(rename = "@")]
    pub at: At,
}

/// What a comprehension makes, and from what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comprehension {
    /// The key, of a dictionary.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Expression>,
    /// The element, or the value.
    #[serde(rename = "e")]
    pub element: Expression,
    /// Target, what is gone through, and conditions.
    #[serde(rename = "g")]
    pub generators: Vec<(Expression, Expression, Vec<Expression>)>,
}

/// An expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expression {
    /// Not followed; what it evaluates on the way.
    #[serde(rename = "_")]
    Unknown(Vec<Expression>),
    /// `None`
    #[serde(rename = "0")]
    None,
    /// `True`, `False`
    #[serde(rename = "b")]
    Bool(bool),
    /// An integer that is not large.
    #[serde(rename = "i")]
    Integer(i64),
    /// A text that is not long.
    #[serde(rename = "s")]
    Text(Name),
    /// A name that is read, or as a target bound.
    #[serde(rename = "n")]
    Name(Name),
    /// `value.name`
    #[serde(rename = ".")]
    Attribute(Box<Expression>, Name),
    /// `value[index]`
    #[serde(rename = "[")]
    Subscript(Box<Expression>, Box<Expression>),
    /// `value[a:b]`, both constant or absent.
    #[serde(rename = ":")]
    Slice(Box<Expression>, Option<i64>, Option<i64>),
    /// A call.
    #[serde(rename = "(")]
    Call(Box<Call>),
    /// `a and b`
    #[serde(rename = "&")]
    And(Vec<Expression>),
    /// `a or b`
    #[serde(rename = "o")]
    Or(Vec<Expression>),
    /// `not a`
    #[serde(rename = "!")]
    Not(Box<Expression>),
    /// `a < b <= c`
    #[serde(rename = "<")]
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    /// A tuple, list or set.
    #[serde(rename = "l")]
    List(Vec<Expression>),
    /// A dictionary; without a key for `**`.
    #[serde(rename = "d")]
    Dict(Vec<(Option<Expression>, Expression)>),
    /// `a if test else b`, as test, a, b.
    #[serde(rename = "?")]
    Choice(Box<(Expression, Expression, Expression)>),
    /// `a + b`
    #[serde(rename = "+")]
    Binary(Operator, Box<(Expression, Expression)>),
    /// The parts of an f-string.
    #[serde(rename = "f")]
    Format(Vec<Expression>),
    /// A lambda.
    #[serde(rename = "y")]
    Lambda(Arc<Function>),
    /// A comprehension of any kind.
    #[serde(rename = "c")]
    Comprehension(Box<Comprehension>),
    /// `name := value`
    #[serde(rename = "=")]
    Named(Name, Box<Expression>),
    /// `*value`
    #[serde(rename = "*")]
    Starred(Box<Expression>),
}

impl Expression {
    /// One that is not followed and evaluates nothing.
    pub const OPAQUE: Self = Self::Unknown(Vec::new());

    /// Whether evaluating it imports nothing and calls nothing, whatever the names in it are bound
    /// to. Reading an attribute may import: packages define `__getattr__` (PEP 562).
    #[must_use]
    pub fn is_inert(&self) -> bool {
        match self {
            Self::Unknown(inner) | Self::List(inner) | Self::Format(inner) => {
                inner.iter().all(Self::is_inert)
            }
            // A name may be bound by a lazy import.
            Self::None | Self::Bool(_) | Self::Integer(_) | Self::Text(_) | Self::Lambda(_) => true,
            _ => false,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
