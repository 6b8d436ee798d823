//! `try` and `with`: what is executed where something may be raised.

use std::rc::Rc;

use super::exception::is_import_error;
use super::value::Value;
use super::{Doubts, Frame, Outcome, Run, Stop};
use crate::imports::facts::{Expression, Handler, Statement, Try};

impl Run<'_> {
    pub(super) fn with(
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

    pub(super) fn try_statement(&mut self, frame: &Frame, inner: &Try) -> Outcome {
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
            let mut ran = std::collections::BTreeSet::new();
            let end = self.guarded(
                frame,
                &kinds,
                |run| run.block(frame, &inner.body),
                |run, at| {
                    ran.insert(at);
                    let Some(handler) = inner.handlers.get(at) else { return Ok(()) };
                    if let Some(name) = &handler.name {
                        run.bind(frame.scope, name, Value::Unknown);
                    }
                    run.block(frame, &handler.body)
                },
                &inner.orelse,
            );
            for (at, handler) in inner.handlers.iter().enumerate() {
                if !ran.contains(&at) && !end.as_ref().is_err_and(Stop::is_final) {
                    self.exclude(frame.module, &handler.body);
                }
            }
            end
        };
        if end.as_ref().is_err_and(Stop::is_final) || inner.finally.is_empty() {
            return end;
        }
        self.block(frame, &inner.finally)?;
        end
    }

    /// A body whose exceptions of these kinds are caught, each by its handler.
    pub(super) fn guarded(
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
    pub(super) fn choose(
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
    pub(super) fn choose_in_doubt(
        &self,
        kinds: &[Option<Value>],
        doubts: Doubts,
        ways: &mut Vec<(Option<usize>, Value)>,
    ) {
        let import_error = Value::standard("builtins.ImportError");
        for (at, kind) in kinds.iter().enumerate() {
            let for_imports = self.catches(kind.as_ref(), &import_error) != Some(false);
            let only_imports = kind.as_ref().is_some_and(is_import_error);
            let may_run = (doubts.imported && for_imports) || (doubts.called && !only_imports);
            if may_run && !ways.iter().any(|(other, _)| *other == Some(at)) {
                ways.push((Some(at), Value::Unknown));
            }
        }
    }

    /// The class of what is raised: `raise Error` and `raise Error(...)` alike.
    pub(super) fn raised(&mut self, frame: &Frame, value: &Expression) -> Outcome<Value> {
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
}
