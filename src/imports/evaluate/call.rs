//! Calls.

use std::rc::Rc;
use std::sync::Arc;

use super::value::{Binding, Closure, Value};
use super::{
    Frame, MAX_CALL_STEPS, MAX_CALLS, MAX_IDLE_STEPS, Outcome, Run, STACK, STACK_NEEDED, Stop,
    constant,
};
use crate::imports::facts::{Call, Expression, Name};

impl Run<'_> {
    pub(super) fn call_expression(&mut self, frame: &Frame, call: &Call) -> Outcome<Value> {
        // A method may change what it is called on.
        if let Expression::Attribute(parts) = &call.function {
            let (of, method) = &**parts;
            let value = self.evaluate(frame, of)?;
            let (arguments, keywords) = self.arguments(frame, call)?;
            return self.call_method(frame, of, &value, method, arguments, keywords, call);
        }
        let function = self.evaluate(frame, &call.function)?;
        let (arguments, keywords) = self.arguments(frame, call)?;
        if let Value::Standard(name) = &function {
            return self.call_standard(frame, name, arguments, &keywords, Some(call.at));
        }
        self.call_value(frame, &function, arguments, keywords)
    }

    #[expect(clippy::type_complexity, reason = "arguments by position and by name")]
    fn arguments(
        &mut self,
        frame: &Frame,
        call: &Call,
    ) -> Outcome<(Vec<Value>, Vec<(Option<Name>, Value)>)> {
        let mut arguments = Vec::new();
        for argument in &call.arguments {
            if let Expression::Starred(inner) = argument {
                match self.evaluate(frame, inner)?.elements() {
                    Some((items, false)) => arguments.extend(items),
                    // Whatever follows is at a place that is not known.
                    _ => arguments.push(Value::Unknown),
                }
            } else {
                arguments.push(self.evaluate(frame, argument)?);
            }
        }
        let mut keywords = Vec::new();
        for (name, value) in &call.keywords {
            let value = self.evaluate(frame, value)?;
            match (name, value) {
                (None, Value::Dict(dict)) if !dict.open => {
                    for (key, value) in &dict.items {
                        if let Value::Text(key) = key {
                            keywords.push((Some(key.clone()), value.clone()));
                        }
                    }
                }
                (name, value) => keywords.push((name.clone(), value)),
            }
        }
        Ok((arguments, keywords))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a call")]
    fn call_method(
        &mut self,
        frame: &Frame,
        of: &Expression,
        value: &Value,
        method: &Name,
        arguments: Vec<Value>,
        keywords: Vec<(Option<Name>, Value)>,
        call: &Call,
    ) -> Outcome<Value> {
        match value {
            Value::Text(text) => Ok(constant::text_method(text, method, &arguments)),
            Value::List(list) => {
                let (new, given) = constant::list_method(list, method, &arguments);
                if let Some(new) = new {
                    self.update(frame, of, Value::of_list(new))?;
                }
                Ok(given)
            }
            Value::Dict(dict) => {
                let (mut new, given) = constant::dict_method(dict, method, &arguments);
                if method == "update" && !keywords.is_empty() {
                    let mut with = new.unwrap_or_else(|| (**dict).clone());
                    with.open &= !arguments.is_empty();
                    for (name, value) in keywords {
                        match name {
                            Some(name) => with = with.with(Value::Text(name), value),
                            None => with.open = true,
                        }
                    }
                    new = Some(with);
                }
                if let Some(new) = new {
                    self.update(frame, of, Value::of_dict(new))?;
                }
                Ok(given)
            }
            Value::Standard(name) => {
                let whole = format!("{name}.{method}");
                self.call_standard(frame, &whole, arguments, &keywords, Some(call.at))
            }
            Value::OneOf(values) => {
                let mut given = Vec::new();
                self.fork(values.len(), |run, way| {
                    let Some(value) = values.get(way) else { return Ok(()) };
                    let (arguments, keywords) = (arguments.clone(), keywords.clone());
                    // Changes of one of several are not followed.
                    let of = Expression::OPAQUE;
                    given.push(
                        run.call_method(frame, &of, value, method, arguments, keywords, call)?,
                    );
                    Ok(())
                })?;
                Ok(Value::one_of(given))
            }
            Value::Super(_) if method == "__init__" => {
                let function = self.attribute(value, method)?;
                if matches!(function, Value::Unknown) {
                    self.initialize_module(frame, &arguments);
                    return Ok(Value::None);
                }
                self.call_value(frame, &function, arguments, keywords)
            }
            value => {
                let function = self.attribute(value, method)?;
                if let Value::Standard(name) = &function {
                    return self.call_standard(frame, name, arguments, &keywords, Some(call.at));
                }
                self.call_value(frame, &function, arguments, keywords)
            }
        }
    }

    pub(super) fn call_value(
        &mut self,
        frame: &Frame,
        function: &Value,
        mut arguments: Vec<Value>,
        keywords: Vec<(Option<Name>, Value)>,
    ) -> Outcome<Value> {
        match function {
            Value::Function(closure) => self.call_closure(closure, None, arguments, keywords),
            Value::Wrapped(closure) => {
                self.fork(2, |run, way| {
                    if way == 0 {
                        run.call_closure(closure, None, arguments.clone(), keywords.clone())?;
                    }
                    Ok(())
                })?;
                self.doubts.called = true;
                Ok(Value::Unknown)
            }
            Value::Bound(bound) => match &bound.1 {
                Value::Function(closure) => {
                    self.call_closure(closure, Some(bound.0.clone()), arguments, keywords)
                }
                _ => Ok(Value::Unknown),
            },
            Value::Class(class) => self.instantiate(class, arguments, keywords),
            Value::Instance(instance) => match self.class_attribute(&instance.class, "__call__") {
                Some(Value::Function(closure)) => {
                    self.call_closure(&closure, Some(function.clone()), arguments, keywords)
                }
                _ => Ok(Value::Unknown),
            },
            Value::Standard(name) => self.call_standard(frame, name, arguments, &keywords, None),
            Value::Table(table) => {
                let name = if arguments.is_empty() { Value::Unknown } else { arguments.remove(0) };
                self.ask_table(table, &name)
            }
            Value::OneOf(values) => {
                let mut given = Vec::new();
                self.fork(values.len(), |run, way| {
                    let Some(value) = values.get(way) else { return Ok(()) };
                    given.push(run.call_value(
                        frame,
                        value,
                        arguments.clone(),
                        keywords.clone(),
                    )?);
                    Ok(())
                })?;
                Ok(Value::one_of(given))
            }
            _ => {
                self.doubts.called = true;
                Ok(Value::Unknown)
            }
        }
    }

    /// Executes a function's body.
    pub(super) fn call_closure(
        &mut self,
        closure: &Rc<Closure>,
        receiver: Option<Value>,
        arguments: Vec<Value>,
        keywords: Vec<(Option<Name>, Value)>,
    ) -> Outcome<Value> {
        let code = Arc::clone(&closure.code);
        let again = self.calls.iter().filter(|other| Arc::ptr_eq(other, &code)).count();
        if self.calls.len() >= MAX_CALLS {
            return Err(Stop::TooLong);
        }
        if again >= 3 {
            self.doubts.called = true;
            return Ok(Value::Unknown);
        }
        if code.name == "attach_stub"
            && let Some(table) = self.stub_table(&arguments)
        {
            return Ok(table);
        }
        let scope = self.new_scope();
        let given = if closure.kind == Binding::Static { None } else { receiver.clone() };
        self.bind_arguments(closure, scope, given, arguments, keywords);
        let frame =
            Frame { outer: closure.outer.clone(), receiver, ..Frame::of(closure.module, scope) };
        let outermost = self.call_ends.is_none();
        let place = Arc::as_ptr(&code).addr();
        if outermost {
            if self.idle.get(&place).is_some_and(|steps| *steps > MAX_IDLE_STEPS) {
                self.doubts.called = true;
                return Ok(Value::Unknown);
            }
            self.call_ends = Some(self.steps + MAX_CALL_STEPS);
            self.called.clear();
        }
        self.called.insert(closure.module);
        let (steps, imports, captures) = (self.steps, self.imports, self.captures);
        self.calls.push(Arc::clone(&code));
        let outcome = stacker::maybe_grow(STACK_NEEDED, STACK, || {
            if code.deferred {
                // Executed once something goes through it, which most of the time happens.
                self.fork(2, |run, way| match way {
                    0 => run.returned(&frame, &code.body).map(|_| ()),
                    _ => Ok(()),
                })
                .map(|()| Value::Something)
            } else {
                self.returned(&frame, &code.body)
            }
        });
        self.calls.pop();
        if self.captures == captures {
            self.drop_scope(scope);
        }
        if !outermost {
            return outcome;
        }
        self.call_ends = None;
        if self.imports == imports {
            let idle = self.idle.entry(place).or_default();
            *idle += self.steps - steps;
            if *idle > MAX_IDLE_STEPS {
                self.search_called()?;
            }
        }
        if matches!(outcome, Err(Stop::TooLong)) {
            self.doubts.called = true;
            self.search_called()?;
            return Ok(Value::Unknown);
        }
        outcome
    }

    /// After a call that was given up: the imports in all functions of the modules that it went
    /// through may have been made.
    fn search_called(&mut self) -> Outcome {
        let called = std::mem::take(&mut self.called);
        if self.explores {
            // What functions import is told of them anyway.
            return Ok(());
        }
        for module in called {
            if !self.searched.insert(module) {
                continue;
            }
            let Some(facts) = self.environment.facts(module) else { continue };
            let imports = crate::imports::search::imports_of_functions(&facts.body);
            let scope = self.new_scope();
            let frame = Frame::of(module, scope);
            for importing in imports {
                self.fork(2, |run, way| match way {
                    0 => run.block(&frame, &importing.statements()),
                    _ => Ok(()),
                })?;
            }
        }
        Ok(())
    }

    /// What a body returns.
    fn returned(
        &mut self,
        frame: &Frame,
        body: &[crate::imports::facts::Statement],
    ) -> Outcome<Value> {
        let outside = self.aside();
        let end = self.block(frame, body);
        let inside = self.back(outside);
        let mut values = Vec::new();
        for stop in inside {
            match stop {
                Stop::Return(value) => values.push(value),
                stop => self.leave(stop),
            }
        }
        match end {
            Ok(()) => values.push(Value::None),
            Err(Stop::Return(value)) => values.push(value),
            Err(stop) if stop.is_final() => return Err(stop),
            Err(stop) if values.is_empty() => return Err(stop),
            // On another way it returned.
            Err(stop) => self.leave(stop),
        }
        Ok(Value::one_of(values))
    }

    fn bind_arguments(
        &mut self,
        closure: &Closure,
        scope: super::value::ScopeId,
        receiver: Option<Value>,
        arguments: Vec<Value>,
        keywords: Vec<(Option<Name>, Value)>,
    ) {
        let code = &closure.code;
        for name in code.positional.iter().chain(&code.keyword) {
            self.bind(scope, name, Value::Unknown);
        }
        let defaults = closure.defaults.map(|scope| self.names_of(scope)).unwrap_or_default();
        for (name, bound) in &defaults {
            self.bind(scope, name, bound.value.clone());
        }
        let mut names = code.positional.iter();
        let mut rest = Vec::new();
        for value in receiver.into_iter().chain(arguments) {
            match names.next() {
                Some(name) => self.bind(scope, name, value),
                None => rest.push(value),
            }
        }
        if let Some(name) = &code.variadic {
            self.bind(scope, name, Value::list(rest));
        }
        let mut others = super::value::Dict::default();
        for (name, value) in keywords {
            match name {
                Some(name) if code.positional.contains(&name) || code.keyword.contains(&name) => {
                    self.bind(scope, &name, value);
                }
                Some(name) => others.items.push((Value::Text(name), value)),
                None => {
                    others.open = true;
                    // Any of them may have been given.
                    for name in defaults.keys() {
                        self.bind(scope, name, Value::Unknown);
                    }
                }
            }
        }
        if let Some(name) = &code.variadic_keyword {
            self.bind(scope, name, Value::of_dict(others));
        }
    }
}
