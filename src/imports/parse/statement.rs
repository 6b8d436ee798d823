//! Statements.

use std::sync::Arc;

use ruff_python_ast::{ExceptHandler, ParameterWithDefault, Parameters, Pattern, Stmt};

use super::Lowering;
use crate::imports::facts::{
    Alias, Case, Class, Expression, For, From, Function, Handler, Import, Name, Statement, Try,
    While, With,
};

impl Lowering<'_> {
    pub(super) fn block(&mut self, body: &[Stmt]) -> Vec<Statement> {
        let mut statements = Vec::new();
        for statement in body {
            let lowered = self.deeper(|this| this.statement(statement));
            statements.extend(lowered.flatten());
        }
        statements.shrink_to_fit();
        statements
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of statement")]
    fn statement(&mut self, statement: &Stmt) -> Option<Statement> {
        Some(match statement {
            Stmt::Import(import) => Statement::Import(Box::new(Import {
                names: aliases(&import.names),
                at: self.lines.at(import.range.start()),
                lazy: import.is_lazy,
            })),
            Stmt::ImportFrom(import) => Statement::From(Box::new(From {
                level: import.level,
                module: import.module.as_ref().map(|name| name.as_str().into()).unwrap_or_default(),
                names: aliases(&import.names),
                at: self.lines.at(import.range.start()),
                lazy: import.is_lazy,
            })),
            Stmt::Assign(assign) => {
                let value = self.expression(&assign.value);
                let targets = assign.targets.iter().map(|target| self.target(target)).collect();
                Statement::Assign(targets, value)
            }
            Stmt::AnnAssign(assign) => {
                let value = self.expression(assign.value.as_ref()?);
                Statement::Assign(vec![self.target(&assign.target)], value)
            }
            Stmt::AugAssign(assign) => {
                let value = self.expression(&assign.value);
                let target = self.target(&assign.target);
                match assign.op {
                    ruff_python_ast::Operator::Add | ruff_python_ast::Operator::BitOr => {
                        Statement::Add(Box::new((target, value)))
                    }
                    _ => Statement::Assign(vec![target], self.opaque([value])),
                }
            }
            Stmt::TypeAlias(alias) => {
                Statement::Assign(vec![self.target(&alias.name)], Expression::OPAQUE)
            }
            Stmt::Expr(inner) => {
                let value = self.expression(&inner.value);
                if self.is_inert(&value) {
                    return None;
                }
                Statement::Expression(value)
            }
            Stmt::Assert(assert) => {
                let value = self.expression(&assert.test);
                if self.is_inert(&value) {
                    return None;
                }
                Statement::Expression(value)
            }
            Stmt::If(inner) => {
                let mut arms = vec![(self.expression(&inner.test), self.block(&inner.body))];
                for clause in &inner.elif_else_clauses {
                    let test = clause.test.as_ref().map(|test| self.expression(test));
                    let body = self.block(&clause.body);
                    arms.push((test.unwrap_or(Expression::Bool(true)), body));
                }
                Statement::If(arms)
            }
            Stmt::Try(inner) => Statement::Try(Box::new(self.lower_try(inner))),
            Stmt::With(with) => {
                let items = with.items.iter().map(|item| {
                    let entered = self.expression(&item.context_expr);
                    let bound = item.optional_vars.as_ref().map(|target| self.target(target));
                    (entered, bound)
                });
                let items = items.collect();
                Statement::With(Box::new(With { items, body: self.block(&with.body) }))
            }
            Stmt::For(inner) => {
                let through = self.expression(&inner.iter);
                let target = self.target(&inner.target);
                let body = self.block(&inner.body);
                let orelse = self.block(&inner.orelse);
                Statement::For(Box::new(For { target, through, body, orelse }))
            }
            Stmt::While(inner) => {
                let test = self.expression(&inner.test);
                let body = self.block(&inner.body);
                let orelse = self.block(&inner.orelse);
                Statement::While(Box::new(While { test, body, orelse }))
            }
            Stmt::Match(inner) => {
                let subject = self.expression(&inner.subject);
                let cases = inner.cases.iter().map(|case| {
                    let mut names = Vec::new();
                    bound_by(&case.pattern, &mut names, 0);
                    Case {
                        value: match &case.pattern {
                            Pattern::MatchValue(value) => Some(self.expression(&value.value)),
                            _ => None,
                        },
                        matches_all: case.guard.is_none() && case.pattern.is_irrefutable(),
                        names,
                        guard: case.guard.as_ref().map(|guard| self.expression(guard)),
                        body: self.block(&case.body),
                    }
                });
                let cases = cases.collect();
                Statement::Match(Box::new((subject, cases)))
            }
            Stmt::FunctionDef(inner) => {
                let decorators = inner.decorator_list.iter();
                let decorators = decorators.map(|one| self.expression(&one.expression)).collect();
                let (mut function, yields) =
                    self.parameters(Some(&inner.parameters), |this| this.block(&inner.body));
                function.name = inner.name.as_str().into();
                function.deferred = yields || inner.is_async;
                Statement::Function(Arc::new(function), decorators)
            }
            Stmt::ClassDef(inner) => {
                let decorators = inner.decorator_list.iter();
                let decorators = decorators.map(|one| self.expression(&one.expression)).collect();
                let mut bases = Vec::new();
                if let Some(arguments) = &inner.arguments {
                    bases.extend(arguments.args.iter().map(|base| self.expression(base)));
                    for keyword in &arguments.keywords {
                        let value = self.expression(&keyword.value);
                        bases.push(self.opaque([value]));
                    }
                }
                let body = self.block(&inner.body);
                let class = Class { name: inner.name.as_str().into(), bases, body };
                Statement::Class(Arc::new(class), decorators)
            }
            Stmt::Return(inner) => {
                Statement::Return(inner.value.as_ref().map(|value| self.expression(value)))
            }
            Stmt::Raise(inner) => {
                Statement::Raise(inner.exc.as_ref().map(|value| self.expression(value)))
            }
            Stmt::Delete(inner) => {
                Statement::Delete(inner.targets.iter().map(|target| self.target(target)).collect())
            }
            Stmt::Global(inner) => {
                Statement::Global(inner.names.iter().map(|name| name.as_str().into()).collect())
            }
            Stmt::Nonlocal(inner) => {
                Statement::Nonlocal(inner.names.iter().map(|name| name.as_str().into()).collect())
            }
            Stmt::Break(_) => Statement::Break,
            Stmt::Continue(_) => Statement::Continue,
            Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => return None,
        })
    }

    fn lower_try(&mut self, inner: &ruff_python_ast::StmtTry) -> Try {
        let handlers = inner.handlers.iter().map(|handler| {
            let ExceptHandler::ExceptHandler(handler) = handler;
            Handler {
                catches: handler.type_.as_ref().map(|kind| self.expression(kind)),
                name: handler.name.as_ref().map(|name| name.as_str().into()),
                body: self.block(&handler.body),
            }
        });
        let handlers = handlers.collect();
        Try {
            body: self.block(&inner.body),
            handlers,
            orelse: self.block(&inner.orelse),
            finally: self.block(&inner.finalbody),
        }
    }

    /// A function with these parameters, and whether its body yields.
    pub(super) fn parameters(
        &mut self,
        parameters: Option<&Parameters>,
        body: impl FnOnce(&mut Self) -> Vec<Statement>,
    ) -> (Function, bool) {
        let mut function = Function {
            name: Name::default(),
            positional: Vec::new(),
            keyword: Vec::new(),
            defaults: Vec::new(),
            variadic: None,
            variadic_keyword: None,
            deferred: false,
            body: Vec::new(),
        };
        if let Some(parameters) = parameters {
            let name = |one: &ParameterWithDefault| -> Name { one.parameter.name.as_str().into() };
            let positional = || parameters.posonlyargs.iter().chain(&parameters.args);
            function.positional = positional().map(name).collect();
            function.keyword = parameters.kwonlyargs.iter().map(name).collect();
            for one in positional().chain(&parameters.kwonlyargs) {
                if let Some(default) = &one.default {
                    function.defaults.push((name(one), self.expression(default)));
                }
            }
            function.variadic = parameters.vararg.as_ref().map(|one| one.name.as_str().into());
            let variadic_keyword = parameters.kwarg.as_ref();
            function.variadic_keyword = variadic_keyword.map(|one| one.name.as_str().into());
        }
        let outside = std::mem::take(&mut self.yields);
        function.body = body(self);
        let yields = std::mem::replace(&mut self.yields, outside);
        (function, yields)
    }
}

fn aliases(names: &[ruff_python_ast::Alias]) -> Vec<Alias> {
    let name = |name: &ruff_python_ast::Identifier| -> Name { name.as_str().into() };
    names.iter().map(|alias| Alias(name(&alias.name), alias.asname.as_ref().map(name))).collect()
}

/// The names that a pattern binds, as far as it is not nested absurdly.
fn bound_by(pattern: &Pattern, names: &mut Vec<Name>, depth: u32) {
    if depth > super::MAX_DEPTH {
        return;
    }
    let mut all = |patterns: &[Pattern]| {
        for pattern in patterns {
            bound_by(pattern, names, depth + 1);
        }
    };
    match pattern {
        Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        Pattern::MatchSequence(inner) => all(&inner.patterns),
        Pattern::MatchOr(inner) => all(&inner.patterns),
        Pattern::MatchMapping(inner) => {
            all(&inner.patterns);
            names.extend(inner.rest.as_ref().map(|name| name.as_str().into()));
        }
        Pattern::MatchClass(inner) => {
            all(&inner.arguments.patterns);
            for keyword in &inner.arguments.keywords {
                bound_by(&keyword.pattern, names, depth + 1);
            }
        }
        Pattern::MatchStar(inner) => {
            names.extend(inner.name.as_ref().map(|name| name.as_str().into()));
        }
        Pattern::MatchAs(inner) => {
            if let Some(pattern) = &inner.pattern {
                bound_by(pattern, names, depth + 1);
            }
            names.extend(inner.name.as_ref().map(|name| name.as_str().into()));
        }
    }
}
