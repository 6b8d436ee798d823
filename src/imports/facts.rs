//! What is kept of one Python file: the statements and expressions that decide what is imported.
//!
//! A tree of its own rather than the parser's, so that this knows the parser in one place alone, and
//! smaller: no annotations, no documentation, no arithmetic. What an expression that is not followed
//! would evaluate on the way is kept inside [`Expression::Unknown`].

use std::sync::Arc;

use compact_str::CompactString;
/// A name, or a short text.
pub type Name = CompactString;

/// One Python file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The body of the module.
    pub body: Vec<Statement>,
    /// Why the file is not known, or not wholly.
    pub problem: Option<String>,
}

/// A place in the file: line and column count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At(
    /// The line.
    pub u32,
    /// The column.
    pub u32,
);

/// A name that an import binds.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias(
    /// What is imported: a dotted module, or a name of one.
    pub Name,
    /// The name behind `as`.
    pub Option<Name>,
);

/// `import a.b, c as d`.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The modules.
    pub names: Vec<Alias>,
    /// Where the statement stands.
    pub at: At,
    /// `lazy import` (PEP 810): executed where the name is first used.
    pub lazy: bool,
}

/// `from .a import b, c as d`; a star is a name.
#[derive(Debug, Clone, PartialEq)]
pub struct From {
    /// The dots before the module.
    pub level: u32,
    /// The module; empty for `from . import`.
    pub module: Name,
    /// The names, `*` for all.
    pub names: Vec<Alias>,
    /// Where the statement stands.
    pub at: At,
    /// `lazy from` (PEP 810).
    pub lazy: bool,
}

/// A function, or a lambda.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name; empty for a lambda.
    pub name: Name,
    /// Parameters that may be given by position, in order.
    pub positional: Vec<Name>,
    /// Parameters that are given by name.
    pub keyword: Vec<Name>,
    /// What parameters are where nothing is given.
    pub defaults: Vec<(Name, Expression)>,
    /// `*args`.
    pub variadic: Option<Name>,
    /// `**kwargs`.
    pub variadic_keyword: Option<Name>,
    /// Whether calling it executes nothing yet: a coroutine or a generator.
    pub deferred: bool,
    /// The body; of a lambda one `return`.
    pub body: Vec<Statement>,
}

/// A class.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// Its name.
    pub name: Name,
    /// What it derives from, and then the arguments given by name.
    pub bases: Vec<Expression>,
    /// The body, executed where the class is defined.
    pub body: Vec<Statement>,
}

/// One `except`.
#[derive(Debug, Clone, PartialEq)]
pub struct Handler {
    /// What it catches; all where nothing is named.
    pub catches: Option<Expression>,
    /// The name of the exception.
    pub name: Option<Name>,
    /// The body.
    pub body: Vec<Statement>,
}

/// A `try` with all its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    /// The body.
    pub body: Vec<Statement>,
    /// The handlers.
    pub handlers: Vec<Handler>,
    /// Executed where nothing was raised.
    pub orelse: Vec<Statement>,
    /// Executed in the end.
    pub finally: Vec<Statement>,
}

/// A `with`.
#[derive(Debug, Clone, PartialEq)]
pub struct With {
    /// What is entered, and what that is bound to.
    pub items: Vec<(Expression, Option<Expression>)>,
    /// The body.
    pub body: Vec<Statement>,
}

/// A `for`.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// What each element is bound to.
    pub target: Expression,
    /// What is gone through.
    pub through: Expression,
    /// The body.
    pub body: Vec<Statement>,
    /// Executed where it was not left by `break`.
    pub orelse: Vec<Statement>,
}

/// A `while`.
#[derive(Debug, Clone, PartialEq)]
pub struct While {
    /// The test.
    pub test: Expression,
    /// The body.
    pub body: Vec<Statement>,
    /// Executed where it was not left by `break`.
    pub orelse: Vec<Statement>,
}

/// A statement. What is large or rare lies behind a pointer: files have many.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `import`.
    Import(Box<Import>),
    /// `from`.
    From(Box<From>),
    /// Targets and what is bound to them.
    Assign(Vec<Expression>, Expression),
    /// `target += value`; for any other operator the value is [`Expression::Unknown`].
    Add(Box<(Expression, Expression)>),
    /// An expression evaluated for what it does.
    Expression(Expression),
    /// Tests with their bodies, in order; an `else` is a test that is true.
    If(Vec<(Expression, Vec<Statement>)>),
    /// `try`.
    Try(Box<Try>),
    /// `with`.
    With(Box<With>),
    /// `for`.
    For(Box<For>),
    /// `while`.
    While(Box<While>),
    /// `match`: the subject, and for each case the names it binds, its guard, whether it matches
    /// everything, and its body.
    Match(Box<(Expression, Vec<Case>)>),
    /// `def`, with its decorators.
    Function(Arc<Function>, Vec<Expression>),
    /// `class`, with its decorators.
    Class(Arc<Class>, Vec<Expression>),
    /// `return`.
    Return(Option<Expression>),
    /// `raise`.
    Raise(Option<Expression>),
    /// `del`.
    Delete(Vec<Expression>),
    /// `global`.
    Global(Vec<Name>),
    /// `nonlocal`.
    Nonlocal(Vec<Name>),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

/// One `case`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it compares the subject with, where it is one value; else what the pattern evaluates.
    pub value: Option<Expression>,
    /// Whether it matches everything.
    pub matches_all: bool,
    /// The names it binds.
    pub names: Vec<Name>,
    /// The guard.
    pub guard: Option<Expression>,
    /// The body.
    pub body: Vec<Statement>,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

/// Operators that are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `%`, of texts
    Modulo,
    /// `|`, of sets and dictionaries
    Or,
    /// `>>`
    ShiftRight,
    /// `**`
    Power,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What is called.
    pub function: Expression,
    /// Arguments by position.
    pub arguments: Vec<Expression>,
    /// Arguments by name; without one for `**`.
    pub keywords: Vec<(Option<Name>, Expression)>,
    /// Where it stands.
    pub at: At,
}

/// What a comprehension makes, and from what.
#[derive(Debug, Clone, PartialEq)]
pub struct Comprehension {
    /// The key, of a dictionary.
    pub key: Option<Expression>,
    /// The element, or the value.
    pub element: Expression,
    /// Target, what is gone through, and conditions.
    pub generators: Vec<(Expression, Expression, Vec<Expression>)>,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Not followed; what it evaluates on the way.
    Unknown(Vec<Expression>),
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// An integer that is not large.
    Integer(i64),
    /// A text that is not long.
    Text(Name),
    /// A name that is read, or as a target bound.
    Name(Name),
    /// `value.name`
    Attribute(Box<(Expression, Name)>),
    /// `value[index]`
    Subscript(Box<(Expression, Expression)>),
    /// `value[a:b]`, both constant or absent.
    Slice(Box<(Expression, Option<i64>, Option<i64>)>),
    /// A call.
    Call(Box<Call>),
    /// `a and b`
    And(Vec<Expression>),
    /// `a or b`
    Or(Vec<Expression>),
    /// `not a`
    Not(Box<Expression>),
    /// `a < b <= c`
    Compare(Box<(Expression, Vec<(Comparison, Expression)>)>),
    /// A tuple, list or set.
    List(Vec<Expression>),
    /// A dictionary; without a key for `**`.
    Dict(Vec<(Option<Expression>, Expression)>),
    /// `a if test else b`, as test, a, b.
    Choice(Box<(Expression, Expression, Expression)>),
    /// `a + b`
    Binary(Operator, Box<(Expression, Expression)>),
    /// The parts of an f-string.
    Format(Vec<Expression>),
    /// A lambda.
    Lambda(Arc<Function>),
    /// A comprehension of any kind.
    Comprehension(Box<Comprehension>),
    /// `name := value`
    Named(Box<(Name, Expression)>),
    /// `*value`
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
