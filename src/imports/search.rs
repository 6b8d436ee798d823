//! Going through statements for the imports in them, without executing anything.

use std::collections::BTreeSet;

use super::facts::{Alias, At, Call, Expression, Function, Import, Name, Statement};

/// Functions that import what they are given the name of, by their last name.
pub(super) const IMPORTERS: [&str; 5] =
    ["import_module", "__import__", "run_module", "run_path", "resolve_name"];

/// Something that imports.
#[derive(Debug, Clone, Copy)]
pub(super) enum Importing<'b> {
    /// `import` and `from`.
    Statement(&'b Statement),
    /// A call of a function that imports, or one that is given such a function.
    Call(&'b Call),
}

/// Something that imports, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundImport<'b> {
    pub(super) what: Importing<'b>,
    /// Whether it stands in a function.
    pub(super) is_inside: bool,
}

impl Importing<'_> {
    /// Where it stands.
    pub(super) fn at(&self) -> Option<At> {
        match self {
            Self::Statement(Statement::Import(import)) => Some(import.at),
            Self::Statement(Statement::From(from)) => Some(from.at),
            Self::Statement(_) => None,
            Self::Call(call) => Some(call.at),
        }
    }

    /// The name that a call is given, where it is a constant.
    pub(super) fn constant_name(&self) -> Option<&Name> {
        let Self::Call(call) = self else { return None };
        let given = call.arguments.iter().chain(call.keywords.iter().map(|(_, value)| value));
        given.into_iter().find_map(|argument| match argument {
            Expression::Text(name) => Some(name),
            _ => None,
        })
    }

    /// Statements that import the same wherever they stand: whatever a call's function is bound to
    /// there, it is the one that imports.
    pub(super) fn statements(&self) -> Vec<Statement> {
        let call = match self {
            Self::Statement(statement) => return vec![(*statement).clone()],
            Self::Call(call) => *call,
        };
        let importlib = Name::const_new("importlib");
        let function = if last_name(&call.function) == Some("__import__") {
            Expression::Name(Name::const_new("__import__"))
        } else {
            let module = Expression::Name(importlib.clone());
            Expression::Attribute(Box::new((module, Name::const_new("import_module"))))
        };
        let mut same = call.clone();
        same.function = function;
        same.arguments.retain(|argument| !is_importer(argument));
        if same.arguments.is_empty() && same.keywords.is_empty() {
            same.arguments.push(Expression::OPAQUE);
        }
        let import = Import { names: vec![Alias(importlib, None)], at: call.at, lazy: false };
        vec![
            Statement::Import(Box::new(import)),
            Statement::Expression(Expression::Call(Box::new(same))),
        ]
    }
}

/// All imports, wherever they stand.
pub(super) fn imports(body: &[Statement]) -> Vec<FoundImport<'_>> {
    let aliases = aliases(body);
    let is_one = |expression: &Expression| {
        is_importer(expression)
            || matches!(expression, Expression::Name(name) if aliases.contains(name.as_str()))
    };
    let mut found = Vec::new();
    walk(body, |node, is_inside| match node {
        Node::Statement(statement @ (Statement::Import(_) | Statement::From(_))) => {
            found.push(FoundImport { what: Importing::Statement(statement), is_inside });
        }
        Node::Expression(Expression::Call(call)) => {
            let keywords = call.keywords.iter().map(|(_, value)| value);
            let given = call.arguments.iter().chain(keywords);
            if std::iter::once(&call.function).chain(given).any(is_one) {
                found.push(FoundImport { what: Importing::Call(call), is_inside });
            }
        }
        _ => {}
    });
    found
}

/// The imports in the bodies of functions, wherever they stand.
pub(super) fn imports_of_functions(body: &[Statement]) -> Vec<Importing<'_>> {
    imports(body).into_iter().filter(|one| one.is_inside).map(|one| one.what).collect()
}

/// All texts that stand in expressions, wherever they stand: whatever imports computes its name from
/// some of them.
pub(super) fn texts(body: &[Statement]) -> Vec<&str> {
    let mut found = Vec::new();
    walk(body, |node, _| {
        if let Node::Expression(Expression::Text(text)) = node {
            found.push(text.as_str());
        }
    });
    found
}

/// Names that functions which import are bound to.
fn aliases(body: &[Statement]) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    walk_statements(body, |statement| match statement {
        Statement::From(from) => {
            for Alias(name, bound) in &from.names {
                if IMPORTERS.contains(&name.as_str()) {
                    found.extend(bound.as_ref().map(Name::as_str));
                }
            }
        }
        Statement::Assign(targets, value) if is_importer(value) => {
            found.extend(targets.iter().filter_map(last_name));
        }
        _ => {}
    });
    found
}

fn is_importer(expression: &Expression) -> bool {
    last_name(expression).is_some_and(|name| IMPORTERS.contains(&name))
}

fn last_name(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Name(name) => Some(name),
        Expression::Attribute(parts) => Some(&parts.1),
        _ => None,
    }
}

/// What is come by.
enum Node<'b> {
    Statement(&'b Statement),
    Expression(&'b Expression),
}

/// Goes through all statements and expressions, and says of each whether it lies in a function.
fn walk<'b>(body: &'b [Statement], mut visit: impl FnMut(&Node<'b>, bool)) {
    let mut waiting: Vec<(Node<'b>, bool)> = Vec::new();
    waiting.extend(body.iter().map(|statement| (Node::Statement(statement), false)));
    while let Some((node, inside)) = waiting.pop() {
        visit(&node, inside);
        let mut wait_for = |one: &'b Expression| waiting.push((Node::Expression(one), inside));
        let within = match &node {
            Node::Statement(Statement::Function(function, decorators)) => {
                decorators.iter().for_each(wait_for);
                Some(function)
            }
            Node::Expression(Expression::Lambda(function)) => Some(function),
            Node::Statement(statement) => {
                each_expression(statement, &mut wait_for);
                each_block(statement, |block| {
                    waiting.extend(block.iter().map(|one| (Node::Statement(one), inside)));
                });
                None
            }
            Node::Expression(expression) => {
                each_part(expression, &mut wait_for);
                None
            }
        };
        if let Some(function) = within {
            let Function { defaults, body, .. } = &**function;
            waiting.extend(defaults.iter().map(|(_, value)| (Node::Expression(value), inside)));
            waiting.extend(body.iter().map(|statement| (Node::Statement(statement), true)));
        }
    }
}

/// Goes through all statements alone: what binds names or imports by itself stands in no expression.
fn walk_statements<'b>(body: &'b [Statement], mut visit: impl FnMut(&'b Statement)) {
    let mut waiting: Vec<&Statement> = body.iter().collect();
    while let Some(statement) = waiting.pop() {
        visit(statement);
        match statement {
            Statement::Function(function, _) => waiting.extend(&function.body),
            _ => each_block(statement, |block| waiting.extend(block)),
        }
    }
}

/// Calls `with` for the blocks in a statement, but for a function's.
pub(super) fn each_block<'b>(statement: &'b Statement, mut with: impl FnMut(&'b [Statement])) {
    match statement {
        Statement::If(arms) => arms.iter().for_each(|(_, body)| with(body)),
        Statement::Try(inner) => {
            let own = [&inner.body, &inner.orelse, &inner.finally];
            let handlers = inner.handlers.iter().map(|handler| &handler.body);
            own.into_iter().chain(handlers).for_each(|block| with(block));
        }
        Statement::With(one) => with(&one.body),
        Statement::For(inner) => {
            with(&inner.body);
            with(&inner.orelse);
        }
        Statement::While(inner) => {
            with(&inner.body);
            with(&inner.orelse);
        }
        Statement::Match(inner) => inner.1.iter().for_each(|case| with(&case.body)),
        Statement::Class(class, _) => with(&class.body),
        _ => {}
    }
}

/// Calls `with` for the expressions that stand in a statement itself.
fn each_expression<'b>(statement: &'b Statement, with: &mut impl FnMut(&'b Expression)) {
    match statement {
        Statement::Assign(targets, value) => targets.iter().chain([value]).for_each(with),
        Statement::Add(parts) => [&parts.0, &parts.1].into_iter().for_each(with),
        Statement::Expression(value) => with(value),
        Statement::If(arms) => arms.iter().map(|(test, _)| test).for_each(with),
        Statement::Try(inner) => {
            inner.handlers.iter().filter_map(|handler| handler.catches.as_ref()).for_each(with);
        }
        Statement::With(one) => {
            let items = one.items.iter();
            items.flat_map(|(value, target)| [value].into_iter().chain(target)).for_each(with);
        }
        Statement::For(inner) => [&inner.target, &inner.through].into_iter().for_each(with),
        Statement::While(inner) => with(&inner.test),
        Statement::Match(inner) => {
            let cases = inner.1.iter().flat_map(|case| case.value.iter().chain(&case.guard));
            [&inner.0].into_iter().chain(cases).for_each(with);
        }
        Statement::Class(class, decorators) => class.bases.iter().chain(decorators).for_each(with),
        Statement::Return(value) | Statement::Raise(value) => value.iter().for_each(with),
        Statement::Delete(targets) => targets.iter().for_each(with),
        Statement::Import(_)
        | Statement::From(_)
        | Statement::Function(..)
        | Statement::Global(_)
        | Statement::Nonlocal(_)
        | Statement::Break
        | Statement::Continue => {}
    }
}

/// Calls `with` for the expressions in an expression, but for a lambda's.
fn each_part<'b>(expression: &'b Expression, with: &mut impl FnMut(&'b Expression)) {
    match expression {
        Expression::Unknown(inner)
        | Expression::And(inner)
        | Expression::Or(inner)
        | Expression::List(inner)
        | Expression::Format(inner) => inner.iter().for_each(with),
        Expression::Attribute(parts) => with(&parts.0),
        Expression::Subscript(parts) | Expression::Binary(_, parts) => {
            [&parts.0, &parts.1].into_iter().for_each(with);
        }
        Expression::Slice(parts) => with(&parts.0),
        Expression::Call(call) => {
            let keywords = call.keywords.iter().map(|(_, value)| value);
            [&call.function].into_iter().chain(&call.arguments).chain(keywords).for_each(with);
        }
        Expression::Not(inner) | Expression::Starred(inner) => with(inner),
        Expression::Compare(parts) => {
            let rest = parts.1.iter().map(|(_, right)| right);
            [&parts.0].into_iter().chain(rest).for_each(with);
        }
        Expression::Dict(items) => {
            items.iter().flat_map(|(key, value)| key.iter().chain([value])).for_each(with);
        }
        Expression::Choice(parts) => [&parts.0, &parts.1, &parts.2].into_iter().for_each(with),
        Expression::Comprehension(inner) => {
            let generators = inner.generators.iter();
            let generators = generators
                .flat_map(|(target, through, tests)| [target, through].into_iter().chain(tests));
            inner.key.iter().chain([&inner.element]).chain(generators).for_each(with);
        }
        Expression::Named(parts) => with(&parts.1),
        Expression::None
        | Expression::Bool(_)
        | Expression::Integer(_)
        | Expression::Text(_)
        | Expression::Name(_)
        | Expression::Lambda(_) => {}
    }
}
