//! Expressions, and the names in them.

use std::rc::Rc;

use super::value::{Dict, LazyImport, List, MAX_ITEMS, ScopeId, Value};
use super::{Frame, Outcome, Run, comparison, constant};
use crate::imports::facts::{Comparison, Expression, Name, Operator};

/// Operands of `and` and `or` that are evaluated each within the one before.
const MAX_OPERANDS: usize = 40;

impl Run<'_> {
    pub(super) fn evaluate(&mut self, frame: &Frame, expression: &Expression) -> Outcome<Value> {
        self.step()?;
        Ok(match expression {
            Expression::None => Value::None,
            Expression::Bool(value) => Value::Bool(*value),
            Expression::Integer(value) => Value::Integer(*value),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Unknown(inner) => {
                for inner in inner {
                    self.evaluate(frame, inner)?;
                }
                Value::Unknown
            }
            Expression::Name(name) => self.look_up(frame, name)?,
            Expression::Attribute(parts) => {
                let (of, name) = &**parts;
                let of = self.evaluate(frame, of)?;
                self.attribute(&of, name)?
            }
            Expression::Subscript(parts) => {
                let (of, index) = &**parts;
                let of = self.evaluate(frame, of)?;
                let index = self.evaluate(frame, index)?;
                self.subscript(frame, &of, &index)?
            }
            Expression::Slice(parts) => {
                let (of, lower, upper) = &**parts;
                let of = self.evaluate(frame, of)?;
                constant::slice(&self.as_constant(of), *lower, *upper)
            }
            Expression::Call(call) => self.call_expression(frame, call)?,
            Expression::And(values) => self.any_of(frame, values, false)?,
            Expression::Or(values) => self.any_of(frame, values, true)?,
            Expression::Not(inner) => {
                let truth = self.evaluate(frame, inner)?.truth();
                truth.map_or(Value::Unknown, |truth| Value::Bool(!truth))
            }
            Expression::Compare(parts) => self.comparison(frame, &parts.0, &parts.1)?,
            Expression::List(items) => {
                let mut list = List::default();
                for item in items {
                    if let Expression::Starred(inner) = item {
                        match self.evaluate(frame, inner)?.elements() {
                            Some((items, open)) if list.items.len() <= MAX_ITEMS => {
                                list.items.extend(items);
                                list.open |= open;
                            }
                            _ => list.open = true,
                        }
                    } else {
                        list.items.push(self.evaluate(frame, item)?);
                    }
                }
                Value::of_list(list)
            }
            Expression::Dict(items) => self.dict(frame, items)?,
            Expression::Choice(parts) => self.choice(frame, parts)?,
            Expression::Binary(operator, parts) => {
                let left = self.evaluate(frame, &parts.0)?;
                let right = self.evaluate(frame, &parts.1)?;
                let (left, right) = (self.as_constant(left), self.as_constant(right));
                match operator {
                    Operator::Add => constant::add(&left, &right),
                    Operator::Modulo => constant::modulo(&left, &right),
                    Operator::Or => match (&left, &right) {
                        (Value::Dict(_) | Value::List(_), _) => constant::add(&left, &right),
                        _ => Value::Unknown,
                    },
                    Operator::ShiftRight => integers(&left, &right, i64::checked_shr),
                    Operator::Power => integers(&left, &right, i64::checked_pow),
                }
            }
            Expression::Format(parts) => {
                let mut values = Vec::new();
                for part in parts {
                    values.push(self.evaluate(frame, part)?);
                }
                constant::concatenate(&values)
            }
            Expression::Lambda(code) => self.closure(frame, code)?,
            Expression::Comprehension(inner) => self.comprehension(frame, inner)?,
            Expression::Named(parts) => {
                let (name, value) = &**parts;
                let value = self.evaluate(frame, value)?;
                let scope = frame.scope_of(name);
                self.bind(scope, name, value.clone());
                value
            }
            Expression::Starred(inner) => {
                self.evaluate(frame, inner)?;
                Value::Unknown
            }
        })
    }

    /// `body if test else orelse`
    fn choice(
        &mut self,
        frame: &Frame,
        (test, body, orelse): &(Expression, Expression, Expression),
    ) -> Outcome<Value> {
        match self.evaluate(frame, test)?.truth() {
            Some(true) => self.evaluate(frame, body),
            Some(false) => self.evaluate(frame, orelse),
            None => {
                let mut values = Vec::new();
                self.fork(2, |run, way| {
                    let value = run.evaluate(frame, if way == 0 { body } else { orelse })?;
                    values.push(value);
                    Ok(())
                })?;
                Ok(Value::one_of(values))
            }
        }
    }

    fn dict(
        &mut self,
        frame: &Frame,
        items: &[(Option<Expression>, Expression)],
    ) -> Outcome<Value> {
        let mut dict = Dict::default();
        for (key, value) in items {
            let key = match key {
                Some(key) => Some(self.evaluate(frame, key)?),
                None => None,
            };
            let value = self.evaluate(frame, value)?;
            match (key, value) {
                // Later ones win: they are looked for from the end.
                (Some(key), value) => dict.items.push((key, value)),
                (None, Value::Dict(other)) if dict.items.len() <= MAX_ITEMS => {
                    dict.items.extend(other.items.iter().cloned());
                    dict.open |= other.open;
                }
                (None, _) => dict.open = true,
            }
        }
        Ok(Value::of_dict(dict))
    }

    /// `and`, and where `stops_at` is true `or`.
    fn any_of(&mut self, frame: &Frame, values: &[Expression], stops_at: bool) -> Outcome<Value> {
        let Some((first, rest)) = values.split_first() else { return Ok(Value::Unknown) };
        let value = self.evaluate(frame, first)?;
        if rest.is_empty() {
            return Ok(value);
        }
        if rest.len() > MAX_OPERANDS {
            self.fork(2, |run, way| {
                for operand in rest.iter().filter(|_| way == 0) {
                    run.evaluate(frame, operand)?;
                }
                Ok(())
            })?;
            return Ok(Value::Unknown);
        }
        match value.truth() {
            Some(truth) if truth == stops_at => Ok(value),
            Some(_) => self.any_of(frame, rest, stops_at),
            None => {
                let mut others = Vec::new();
                self.fork(2, |run, way| {
                    if way == 0 {
                        others.push(run.any_of(frame, rest, stops_at)?);
                    }
                    Ok(())
                })?;
                // Where the rest decides alone, it does not matter what this one is.
                let decided = others.first().and_then(Value::truth) == Some(stops_at);
                if decided {
                    return Ok(Value::Bool(stops_at));
                }
                others.push(value);
                Ok(Value::one_of(others))
            }
        }
    }

    fn comparison(
        &mut self,
        frame: &Frame,
        left: &Expression,
        rest: &[(Comparison, Expression)],
    ) -> Outcome<Value> {
        let mut left = self.evaluate(frame, left)?;
        let mut known = true;
        for (operator, right) in rest {
            let right = self.evaluate(frame, right)?;
            match self.compare(*operator, &left, &right) {
                Some(false) => return Ok(Value::Bool(false)),
                Some(true) => {}
                None => known = false,
            }
            left = right;
        }
        Ok(if known { Value::Bool(true) } else { Value::Unknown })
    }

    fn compare(&self, operator: Comparison, left: &Value, right: &Value) -> Option<bool> {
        if let Value::Standard(name) = right
            && matches!(operator, Comparison::In | Comparison::NotIn)
        {
            let found = self.standard_contains(name, left)?;
            return Some(found == (operator == Comparison::In));
        }
        if let (Some(left), Some(right)) = (self.version(left), self.version(right)) {
            return Some(match operator {
                Comparison::Equal => left == right,
                Comparison::NotEqual => left != right,
                Comparison::Less => left < right,
                Comparison::LessOrEqual => left <= right,
                Comparison::Greater => left > right,
                Comparison::GreaterOrEqual => left >= right,
                _ => return None,
            });
        }
        let (left, right) = (self.as_constant(left.clone()), self.as_constant(right.clone()));
        comparison::compare(operator, &left, &right)
    }

    fn subscript(&mut self, frame: &Frame, of: &Value, index: &Value) -> Outcome<Value> {
        if let Value::Standard(name) = of
            && let Some(found) = self.standard_item(frame, name, index)?
        {
            return Ok(found);
        }
        let of = self.as_constant(of.clone());
        match constant::item(&of, index) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                if !matches!(of, Value::Class(_) | Value::Standard(_)) {
                    self.doubts.called = true;
                }
                Ok(Value::Unknown)
            }
            Err(class) => {
                let class = Value::standard(&format!("builtins.{class}"));
                // What is followed of containers is not all there is.
                if self.is_caught(&class) {
                    return Err(super::Stop::Raise(class));
                }
                Ok(Value::Unknown)
            }
        }
    }

    /// Where a name that is read from here is bound.
    pub(super) fn scope_of_name(&mut self, frame: &Frame, name: &str) -> Option<ScopeId> {
        let module = self.module_scope(frame.module);
        let own = frame.scope_of(name);
        let scopes = std::iter::once(own).chain(frame.outer.iter().rev().copied()).chain([module]);
        scopes.into_iter().find(|scope| self.bound(*scope, name).is_some())
    }

    /// What a name is bound to.
    pub(super) fn look_up(&mut self, frame: &Frame, name: &Name) -> Outcome<Value> {
        if let Some(scope) = self.scope_of_name(frame, name) {
            let value = self.bound(scope, name).map(|bound| bound.value.clone());
            let value = value.unwrap_or(Value::Unknown);
            if let Value::Lazy(lazy) = &value {
                let lazy = Rc::clone(lazy);
                // It may ask for this very name.
                self.set(scope, name.clone(), None);
                let value = self.now(&lazy)?;
                self.bind(scope, name, value.clone());
                return Ok(value);
            }
            return Ok(value);
        }
        if let Some(value) = self.module_name(frame.module, name) {
            return Ok(value);
        }
        let module = self.module_scope(frame.module);
        let open = self.scope(module).is_some_and(|scope| scope.open);
        Ok(match super::builtin::builtin(name) {
            Some(value) => value,
            None if open => Value::Unknown,
            None => {
                let class = Value::standard("builtins.NameError");
                if self.is_name_error_expected(&class) {
                    self.doubts.called = true;
                }
                Value::Unknown
            }
        })
    }

    fn is_name_error_expected(&self, class: &Value) -> bool {
        self.handlers
            .iter()
            .flatten()
            .flatten()
            .any(|kind| self.catches(Some(kind), class) == Some(true))
    }

    /// Makes a lazy import that was put off.
    fn now(&mut self, lazy: &super::value::Lazy) -> Outcome<Value> {
        let scope = self.new_scope();
        let frame = Frame::of(lazy.module, scope);
        let (name, certain) = match &lazy.what {
            LazyImport::Import(import, at) => {
                let alias = import.names.get(*at).cloned();
                let Some(alias) = alias else { return Ok(Value::Unknown) };
                let name = alias.1.clone().unwrap_or_else(|| first_part(&alias.0));
                let one = crate::imports::facts::Import {
                    names: vec![alias],
                    at: import.at,
                    lazy: false,
                };
                (name, self.import_statement(&frame, &one))
            }
            LazyImport::From(from, at) => {
                let alias = from.names.get(*at).cloned();
                let Some(alias) = alias else { return Ok(Value::Unknown) };
                let name = alias.1.clone().unwrap_or_else(|| alias.0.clone());
                let mut one = from.clone();
                one.names = vec![alias];
                one.lazy = false;
                (name, self.import_from(&frame, &one))
            }
        };
        certain?;
        Ok(self.bound(scope, &name).map_or(Value::Unknown, |bound| bound.value.clone()))
    }
}

/// The first part of a dotted name.
pub(super) fn first_part(dotted: &str) -> Name {
    Name::new(dotted.split('.').next().unwrap_or(dotted))
}

fn integers(left: &Value, right: &Value, operate: impl Fn(i64, u32) -> Option<i64>) -> Value {
    match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => {
            let outcome = u32::try_from(*b).ok().and_then(|b| operate(*a, b));
            outcome.map_or(Value::Unknown, Value::Integer)
        }
        _ => Value::Unknown,
    }
}
