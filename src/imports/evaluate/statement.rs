//! Statements.

use super::value::{List, ScopeId, Value};
use super::{Frame, Outcome, Run, Stop, comparison, constant};
use crate::imports::facts::{Case, Expression, For, Statement, While};

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
            Statement::From(from) => self.import_from(frame, from),
            Statement::Assign(targets, value) => {
                let value = self.evaluate(frame, value)?;
                for target in targets {
                    self.assign(frame, target, value.clone())?;
                }
                Ok(())
            }
            Statement::Add(parts) => {
                let (target, value) = &**parts;
                let value = self.evaluate(frame, value)?;
                let before = self.evaluate(frame, target)?;
                self.assign(frame, target, constant::add(&before, &value))
            }
            Statement::Expression(value) => self.evaluate(frame, value).map(|_| ()),
            Statement::If(arms) => self.arms(frame, arms),
            Statement::Try(inner) => self.try_statement(frame, inner),
            Statement::With(with) => self.with(frame, &with.items, &with.body),
            Statement::For(inner) => {
                let For { target, through, body, orelse } = &**inner;
                let through = self.evaluate(frame, through)?;
                self.for_each(frame, target, &through, body)?;
                self.block(frame, orelse)
            }
            Statement::While(inner) => {
                let While { test, body, orelse } = &**inner;
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
            Statement::Match(inner) => self.match_statement(frame, &inner.0, &inner.1),
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
                        let scope = frame.scope_of(name);
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

    pub(super) fn assign(&mut self, frame: &Frame, target: &Expression, value: Value) -> Outcome {
        match target {
            Expression::Name(name) => {
                if name == "__path__" {
                    self.change_path(frame);
                }
                let scope = frame.scope_of(name);
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
            Expression::Attribute(parts) => {
                let (of, name) = &**parts;
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
            Expression::Subscript(parts) => {
                let (of, index) = &**parts;
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
            if decided {
                self.exclude(frame.module, body);
                continue;
            }
            let truth = self.evaluate(frame, test)?.truth();
            if truth == Some(false) {
                self.exclude(frame.module, body);
            } else {
                possible.push(Some(body));
            }
            decided = truth == Some(true);
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
                    comparison::equal(&subject, &value)
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
}
