//! Attributes of values.

use std::rc::Rc;

use super::value::{Binding, Instance, Value};
use super::{Outcome, Run, Stop};
use crate::imports::facts::Name;

impl Run<'_> {
    /// `value.name`
    pub(super) fn attribute(&mut self, value: &Value, name: &Name) -> Outcome<Value> {
        match value {
            Value::Module(module) => match self.module_attribute(*module, name)? {
                Some(found) => Ok(found.value),
                None => {
                    let class = Value::standard("builtins.AttributeError");
                    if self.is_caught(&class) {
                        return Err(Stop::Raise(class));
                    }
                    Ok(Value::Unknown)
                }
            },
            Value::Standard(of) => Ok(self.standard_attribute(of, name)),
            Value::Class(class) => Ok(match self.class_attribute(class, name) {
                Some(Value::Function(closure)) if closure.kind == Binding::Class => {
                    Value::Bound(Rc::new((value.clone(), Value::Function(closure))))
                }
                Some(found) => found,
                None if name == "__name__" => Value::Text(class.code.name.clone()),
                None => Value::Unknown,
            }),
            Value::Instance(instance) => self.instance_attribute(instance, value, name),
            Value::Function(closure) | Value::Wrapped(closure) => Ok(match name.as_str() {
                "__name__" | "__qualname__" => Value::Text(closure.code.name.clone()),
                "__module__" => Value::text(self.environment.name(closure.module)),
                _ => Value::Unknown,
            }),
            Value::Super(of) => {
                let found = of.1.iter().find_map(|class| match class {
                    Value::Class(class) => self.bound(class.scope, name),
                    _ => None,
                });
                Ok(match found.map(|bound| bound.value.clone()) {
                    Some(Value::Function(closure)) if closure.kind != Binding::Static => {
                        Value::Bound(Rc::new((of.0.clone(), Value::Function(closure))))
                    }
                    Some(found) => found,
                    None => Value::Unknown,
                })
            }
            Value::OneOf(values) => {
                let mut found = Vec::new();
                for value in values.iter() {
                    found.push(self.attribute(value, name)?);
                }
                Ok(Value::one_of(found))
            }
            _ => Ok(Value::Unknown),
        }
    }

    pub(super) fn instance_attribute(
        &mut self,
        instance: &Rc<Instance>,
        value: &Value,
        name: &Name,
    ) -> Outcome<Value> {
        if let Some(bound) = self.bound(instance.scope, name) {
            return Ok(bound.value.clone());
        }
        match self.class_attribute(&instance.class, name) {
            Some(Value::Function(closure)) => match closure.kind {
                Binding::Static => Ok(Value::Function(closure)),
                Binding::Class => {
                    let class = Value::Class(Rc::clone(&instance.class));
                    Ok(Value::Bound(Rc::new((class, Value::Function(closure)))))
                }
                Binding::Property => {
                    self.call_closure(&closure, Some(value.clone()), Vec::new(), Vec::new())
                }
                Binding::Plain => {
                    Ok(Value::Bound(Rc::new((value.clone(), Value::Function(closure)))))
                }
            },
            Some(found) => Ok(found),
            None => match self.class_attribute(&instance.class, "__getattr__") {
                Some(Value::Function(closure)) => {
                    let missing = Value::standard("builtins.AttributeError");
                    self.handlers.push(vec![Some(missing)]);
                    let arguments = vec![Value::Text(name.clone())];
                    let given =
                        self.call_closure(&closure, Some(value.clone()), arguments, Vec::new());
                    self.handlers.pop();
                    match given {
                        // What was bound in ways that are not followed has it all the same.
                        Err(Stop::Raise(_)) => Ok(Value::Unknown),
                        given => given,
                    }
                }
                _ => Ok(Value::Unknown),
            },
        }
    }

    /// What `with` binds: what `__enter__` gives.
    pub(super) fn enter(&mut self, value: &Value) -> Outcome<Value> {
        let Value::Instance(instance) = value else { return Ok(Value::Unknown) };
        match self.class_attribute(&instance.class, "__enter__") {
            Some(Value::Function(closure)) => {
                self.call_closure(&closure, Some(value.clone()), Vec::new(), Vec::new())
            }
            _ => Ok(Value::Unknown),
        }
    }
}
