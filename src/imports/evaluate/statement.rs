//! Statements.

use std::rc::Rc;

use super::value::{List, ScopeId, Value};
use super::{Doubts, Frame, Outcome, Run, Stop, constant};
use crate::imports::facts::{Case, Expression, Handler, Statement, Try};

/// Elements that a loop is gone through with.
const MAX_ROUNDS: usize = 400;

impl Run<'_> {
    pub(super) fn block(&mut self, frame: &Frame, body: &[Statement]) -> Outcome {
        for statement in body {
            self.statement(frame, statement)?;
        }
        Ok(())
    }

    fn statement(&mut self, frame: &Frame, statement: &Statement) -> Outcome {
        self.step()?;
        match statement {
            Statement::Import(import) => self.import_statement(frame, import),
            Statement::From(from) => self.from_statement(frame, from),
            Statement::Assign(targets, value) => {
                let value = self.evaluate(frame, value)?;
                for target in targets {
                    self.assign(frame, target, value.clone())?;
                }
                Ok(())
            }
            Statement::Add(target, value) => {
                let value = self.evaluate(frame, value)?;
                let before = self.evaluate(frame, target)?;
                self.assign(frame, target, constant::add(&before, &value))
            }
            Statement::Expression(value) => self.evaluate(frame, value).map(|_| ()),
            Statement::If(arms) => self.arms(frame, arms),
            Statement::Try(inner) => self.try_statement(frame, inner),
            Statement::With(items, body) => self.with(frame, items, body),
            Statement::For(target, through, body, orelse) => {
                let through = self.evaluate(frame, through)?;
                self.for_each(frame, target, &through, body)?;
                self.block(frame, orelse)
            }
            Statement::While(test, body, orelse) => {
                let truth = self.evaluate(frame, test)?.truth();
                match truth {
                    Some(false) => {}
                    Some(true) => self.round(frame, body).map(|_| ())?,
                    None => self.fork(2, |run, way| match way {
                        0 => run.round(frame, body).map(|_| ()),
                        _ => Ok(()),
                    })?,
                }
                self.block(frame, orelse)
            }
            Statement::Match(subject, cases) => self.match_statement(frame, subject, cases),
            Statement::Function(code, decorators) => self.define(frame, code, decorators),
            Statement::Class(code, decorators) => self.define_class(frame, code, decorators),
            Statement::Return(value) => {
                let value = match value {
                    Some(value) => self.evaluate(frame, value)?,
                    None => Value::None,
                };
                Err(Stop::Return(value))
            }
            Statement::Raise(value) => {
                let class = match value {
                    Some(value) => self.raised(frame, value)?,
                    None => self.handling.last().cloned().unwrap_or(Value::Unknown),
                };
                self.raise(class)
            }
            Statement::Delete(targets) => {
                for target in targets {
                    if let Expression::Name(name) = target {
                        let scope = self.scope_of_binding(frame, name);
                        self.set(scope, name.clone(), None);
                    }
                }
                Ok(())
            }
            Statement::Global(names) => {
                let scope = self.module_scope(frame.module);
                frame.declared.borrow_mut().extend(names.iter().map(|name| (name.clone(), scope)));
                Ok(())
            }
            Statement::Nonlocal(names) => {
                for name in names {
                    let holds = |scope: &&ScopeId| self.bound(**scope, name).is_some();
                    if let Some(scope) = frame.outer.iter().rev().find(holds) {
                        frame.declared.borrow_mut().push((name.clone(), *scope));
                    }
                }
                Ok(())
            }
            Statement::Break => Err(Stop::Break),
            Statement::Continue => Err(Stop::Continue),
        }
    }

    /// The class of what is raised: `raise Error` and `raise Error(...)` alike.
    fn raised(&mut self, frame: &Frame, value: &Expression) -> Outcome<Value> {
        let value = match value {
            Expression::Call(call) => {
                for argument in &call.arguments {
                    self.evaluate(frame, argument)?;
                }
                self.evaluate(frame, &call.function)?
            }
            other => self.evaluate(frame, other)?,
        };
        Ok(match value {
            Value::Instance(instance) => Value::Class(Rc::clone(&instance.class)),
            Value::Class(_) | Value::Standard(_) => value,
            _ => Value::Unknown,
        })
    }

    /// Raises an exception. Where nothing would catch it and the import would fail, what follows is
    /// executed all the same: published packages can be imported, so that it is more likely that
    /// something was not followed rightly.
    pub(super) fn raise(&mut self, class: Value) -> Outcome {
        if self.is_caught(&class) || !self.is_certain() {
            return Err(Stop::Raise(class));
        }
        Ok(())
    }

    /// Whether some `try` around may catch an exception of that class.
    pub(super) fn is_caught(&self, class: &Value) -> bool {
        self.handlers.iter().flatten().any(|kind| self.catches(kind.as_ref(), class) != Some(false))
    }

    pub(super) fn assign(&mut self, frame: &Frame, target: &Expression, value: Value) -> Outcome {
        match target {
            Expression::Name(name) => {
                let scope = self.scope_of_binding(frame, name);
                self.bind(scope, name, value);
                Ok(())
            }
            Expression::List(targets) => {
                let starred = targets.iter().any(|target| matches!(target, Expression::Starred(_)));
                let elements = value
                    .elements()
                    .filter(|(items, open)| !open && !starred && items.len() == targets.len());
                let mut elements = elements.map(|(items, _)| items.into_iter());
                for target in targets {
                    let item = elements.as_mut().and_then(Iterator::next);
                    let target = match target {
                        Expression::Starred(target) => target,
                        target => target,
                    };
                    // What `attach` of a lazy loader gives begins with the function.
                    self.assign(frame, target, item.unwrap_or(Value::Unknown))?;
                }
                Ok(())
            }
            Expression::Attribute(of, name) => {
                let of = self.evaluate(frame, of)?;
                match of {
                    Value::Module(module) => {
                        let scope = self.module_scope(module);
                        self.bind(scope, name, value);
                    }
                    Value::Instance(instance) => self.bind(instance.scope, name, value),
                    Value::Class(class) => self.bind(class.scope, name, value),
                    _ => {}
                }
                Ok(())
            }
            Expression::Subscript(of, index) => {
                let index = self.evaluate(frame, index)?;
                let before = self.evaluate(frame, of)?;
                match before {
                    Value::Standard(name) if name == "sys.modules" => {
                        self.replace_module(&index, value);
                        Ok(())
                    }
                    Value::Standard(name) if name == "globals()" => {
                        let scope = self.module_scope(frame.module);
                        match index.as_text() {
                            Some(name) => self.bind(scope, name, value),
                            None => self.open_scope(scope),
                        }
                        Ok(())
                    }
                    Value::Dict(dict) => {
                        let dict = dict.with(index, value);
                        self.assign(frame, of, Value::of_dict(dict))
                    }
                    Value::List(list) => {
                        let list = List::new(list.items.clone(), true);
                        self.assign(frame, of, Value::of_list(list))
                    }
                    _ => Ok(()),
                }
            }
            Expression::Unknown(inner) => {
                for inner in inner {
                    self.evaluate(frame, inner)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Changes what an expression names, where it names something.
    pub(super) fn update(&mut self, frame: &Frame, target: &Expression, value: Value) -> Outcome {
        match target {
            Expression::Name(name) => {
                // A list is changed where it is bound, not bound anew.
                let scope = self.scope_of_name(frame, name);
                if let Some(scope) = scope {
                    self.bind(scope, name, value);
                }
                Ok(())
            }
            Expression::Attribute(..) => self.assign(frame, target, value),
            _ => Ok(()),
        }
    }

    fn arms(&mut self, frame: &Frame, arms: &[(Expression, Vec<Statement>)]) -> Outcome {
        let mut possible: Vec<Option<&[Statement]>> = Vec::new();
        let mut decided = false;
        for (test, body) in arms {
            let truth = self.evaluate(frame, test)?.truth();
            if truth != Some(false) {
                possible.push(Some(body));
            }
            if truth == Some(true) {
                decided = true;
                break;
            }
        }
        if !decided {
            possible.push(None);
        }
        self.ways(frame, &possible)
    }

    /// Goes one of these ways.
    fn ways(&mut self, frame: &Frame, ways: &[Option<&[Statement]>]) -> Outcome {
        match ways {
            [] => Ok(()),
            [one] => self.block(frame, one.unwrap_or_default()),
            several if several.iter().all(|way| way.is_none_or(<[_]>::is_empty)) => Ok(()),
            several => self.fork(several.len(), |run, way| {
                run.block(frame, several.get(way).copied().flatten().unwrap_or_default())
            }),
        }
    }

    pub(super) fn for_each(
        &mut self,
        frame: &Frame,
        target: &Expression,
        through: &Value,
        body: &[Statement],
    ) -> Outcome {
        let known = through.elements().filter(|(items, _)| items.len() <= MAX_ROUNDS);
        let (items, open) = known.unwrap_or((Vec::new(), true));
        for item in items {
            self.assign(frame, target, item)?;
            if !self.round(frame, body)? {
                return Ok(());
            }
        }
        if open {
            self.fork(2, |run, way| {
                if way == 1 {
                    return Ok(());
                }
                run.assign(frame, target, Value::Unknown)?;
                run.round(frame, body).map(|_| ())
            })?;
        }
        Ok(())
    }

    /// One round of a loop; whether another follows.
    fn round(&mut self, frame: &Frame, body: &[Statement]) -> Outcome<bool> {
        let outside = self.aside();
        let end = self.block(frame, body);
        let inside = self.back(outside);
        let mut leaves = false;
        for stop in inside {
            match stop {
                Stop::Break | Stop::Continue => leaves = true,
                stop => self.leave(stop),
            }
        }
        match end {
            Ok(()) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(stop) if stop.is_final() => Err(stop),
            // On another way the loop goes on.
            Err(stop) if leaves => {
                self.leave(stop);
                Ok(true)
            }
            Err(stop) => Err(stop),
        }
    }

    fn match_statement(&mut self, frame: &Frame, subject: &Expression, cases: &[Case]) -> Outcome {
        let subject = self.evaluate(frame, subject)?;
        let mut possible: Vec<Option<&[Statement]>> = Vec::new();
        let mut decided = false;
        for case in cases {
            let matches = match &case.value {
                Some(value) => {
                    let value = self.evaluate(frame, value)?;
                    constant::equal(&subject, &value)
                }
                None => case.matches_all.then_some(true),
            };
            for name in &case.names {
                self.bind(frame.scope, name, Value::Unknown);
            }
            let guard = match &case.guard {
                Some(guard) => self.evaluate(frame, guard)?.truth(),
                None => Some(true),
            };
            match (matches, guard) {
                (Some(false), _) | (_, Some(false)) => {}
                (Some(true), Some(true)) => {
                    possible.push(Some(&case.body));
                    decided = true;
                    break;
                }
                _ => possible.push(Some(&case.body)),
            }
        }
        if !decided {
            possible.push(None);
        }
        self.ways(frame, &possible)
    }

    fn with(
        &mut self,
        frame: &Frame,
        items: &[(Expression, Option<Expression>)],
        body: &[Statement],
    ) -> Outcome {
        let mut suppressed = Vec::new();
        for (entered, target) in items {
            let value = self.evaluate(frame, entered)?;
            let given = match &value {
                Value::Suppress(kinds) => {
                    suppressed.extend(kinds.iter().cloned());
                    Value::None
                }
                Value::Instance(_) => self.enter(&value)?,
                _ => Value::Unknown,
            };
            if let Some(target) = target {
                self.assign(frame, target, given)?;
            }
        }
        if suppressed.is_empty() {
            return self.block(frame, body);
        }
        let caught = Value::list(suppressed);
        self.guarded(frame, &[Some(caught)], |run| run.block(frame, body), |_, _| Ok(()), &[])
    }

    fn try_statement(&mut self, frame: &Frame, inner: &Try) -> Outcome {
        let end = if inner.handlers.is_empty() {
            let end = self.block(frame, &inner.body);
            end.and_then(|()| self.block(frame, &inner.orelse))
        } else {
            let mut kinds = Vec::new();
            for Handler { catches, .. } in &inner.handlers {
                kinds.push(match catches {
                    Some(kind) => Some(self.evaluate(frame, kind)?),
                    None => None,
                });
            }
            self.guarded(
                frame,
                &kinds,
                |run| run.block(frame, &inner.body),
                |run, at| {
                    let Some(handler) = inner.handlers.get(at) else { return Ok(()) };
                    if let Some(name) = &handler.name {
                        run.bind(frame.scope, name, Value::Unknown);
                    }
                    run.block(frame, &handler.body)
                },
                &inner.orelse,
            )
        };
        if end.as_ref().is_err_and(Stop::is_final) || inner.finally.is_empty() {
            return end;
        }
        self.block(frame, &inner.finally)?;
        end
    }

    /// A body whose exceptions of these kinds are caught, each by its handler.
    fn guarded(
        &mut self,
        frame: &Frame,
        kinds: &[Option<Value>],
        body: impl FnOnce(&mut Self) -> Outcome,
        mut handler: impl FnMut(&mut Self, usize) -> Outcome,
        orelse: &[Statement],
    ) -> Outcome {
        self.handlers.push(kinds.to_vec());
        let outside = self.aside();
        let outer_doubts = std::mem::take(&mut self.doubts);
        let end = body(self);
        self.handlers.pop();
        let doubts = self.doubts;
        self.doubts = Doubts {
            called: doubts.called || outer_doubts.called,
            imported: doubts.imported || outer_doubts.imported,
        };
        let inside = self.back(outside);
        if end.as_ref().is_err_and(Stop::is_final) {
            return end;
        }
        // Each way: a handler with the exception, or the end of the body.
        let mut ways: Vec<(Option<usize>, Value)> = Vec::new();
        let mut normal = None;
        match end {
            Err(Stop::Raise(class)) => {
                if !self.choose(kinds, &class, &mut ways) {
                    normal = Some(Err(Stop::Raise(class)));
                }
            }
            end => normal = Some(end),
        }
        for stop in inside {
            match stop {
                Stop::Raise(class) => {
                    if !self.choose(kinds, &class, &mut ways) {
                        self.leave(Stop::Raise(class));
                    }
                }
                stop => self.leave(stop),
            }
        }
        if normal.is_some() {
            self.choose_in_doubt(kinds, doubts, &mut ways);
        }
        if normal.is_some() {
            ways.insert(0, (None, Value::None));
        }
        let mut normal = normal;
        let mut go = |run: &mut Self, way: usize| {
            let Some((at, class)) = ways.get(way) else { return Ok(()) };
            match at {
                None => match normal.take() {
                    Some(Ok(())) | None => run.block(frame, orelse),
                    Some(end) => end,
                },
                Some(at) => {
                    run.handling.push(class.clone());
                    let end = handler(run, *at);
                    run.handling.pop();
                    end
                }
            }
        };
        match ways.len() {
            0 => Ok(()),
            1 => go(self, 0),
            several => self.fork(several, go),
        }
    }

    /// Adds the handlers that may catch an exception of that class; whether one certainly does.
    fn choose(
        &self,
        kinds: &[Option<Value>],
        class: &Value,
        ways: &mut Vec<(Option<usize>, Value)>,
    ) -> bool {
        for (at, kind) in kinds.iter().enumerate() {
            let catches = self.catches(kind.as_ref(), class);
            if catches != Some(false) && !ways.iter().any(|(other, _)| *other == Some(at)) {
                ways.push((Some(at), class.clone()));
            }
            if catches == Some(true) {
                return true;
            }
        }
        false
    }

    /// Adds the handlers for what may have been raised by what is not followed.
    fn choose_in_doubt(
        &self,
        kinds: &[Option<Value>],
        doubts: Doubts,
        ways: &mut Vec<(Option<usize>, Value)>,
    ) {
        let import_error = Value::standard("builtins.ImportError");
        for (at, kind) in kinds.iter().enumerate() {
            let for_imports = self.catches(kind.as_ref(), &import_error) != Some(false);
            let only_imports = kind.as_ref().is_some_and(|kind| self.is_import_error(kind));
            let may_run = (doubts.imported && for_imports) || (doubts.called && !only_imports);
            if may_run && !ways.iter().any(|(other, _)| *other == Some(at)) {
                ways.push((Some(at), Value::Unknown));
            }
        }
    }
}
