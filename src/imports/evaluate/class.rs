//! Functions and classes where they are defined, attributes, and exceptions.

use std::rc::Rc;
use std::sync::Arc;

use pep440_rs::Version;

use super::value::{Binding, ClassValue, Closure, Instance, Value};
use super::{Frame, Outcome, Run, Stop};
use crate::imports::facts::{Class, Expression, Function, Name};

/// Classes that stand for a version given as text (`packaging.version`, `distutils.version`).
const VERSIONS: [&str; 3] = ["Version", "LooseVersion", "StrictVersion"];
/// What that text is bound to; no name of a program.
const VERSION_TEXT: &str = "<version>";
/// What the bases of a class are bound to in its scope; no name of a program.
const BASES: &str = "<bases>";
/// Bases of bases.
const MAX_BASES: usize = 20;

impl Run<'_> {
    /// A function as it is defined here.
    pub(super) fn closure(&mut self, frame: &Frame, code: &Arc<Function>) -> Outcome<Value> {
        let defaults = (!code.defaults.is_empty()).then(|| self.new_scope());
        for (name, value) in &code.defaults {
            let value = self.evaluate(frame, value)?;
            if let Some(scope) = defaults {
                self.bind(scope, name, value);
            }
        }
        self.captures += 1;
        let mut outer = frame.outer.clone();
        if self.module_scope(frame.module) != frame.scope && !self.is_class_scope(frame) {
            outer.push(frame.scope);
        }
        Ok(Value::Function(Rc::new(Closure {
            code: Arc::clone(code),
            module: frame.module,
            outer,
            defaults,
            kind: Binding::Plain,
        })))
    }

    fn is_class_scope(&self, frame: &Frame) -> bool {
        self.bound(frame.scope, "__qualname__").is_some()
    }

    pub(super) fn define(
        &mut self,
        frame: &Frame,
        code: &Arc<Function>,
        decorators: &[Expression],
    ) -> Outcome {
        // Evaluated from the first, applied from the last.
        let mut evaluated = Vec::new();
        for decorator in decorators {
            evaluated.push(self.evaluate(frame, decorator)?);
        }
        let mut value = self.closure(frame, code)?;
        for decorator in evaluated.into_iter().rev() {
            value = self.decorated(frame, &decorator, value)?;
        }
        let scope = self.scope_of_binding(frame, &code.name);
        self.bind(scope, &code.name, value);
        Ok(())
    }

    fn decorated(&mut self, frame: &Frame, decorator: &Value, value: Value) -> Outcome<Value> {
        let (Value::Function(closure) | Value::Wrapped(closure)) = &value else {
            return Ok(value);
        };
        let bound_as = |kind: Binding| {
            Value::Function(Rc::new(Closure {
                code: Arc::clone(&closure.code),
                module: closure.module,
                outer: closure.outer.clone(),
                defaults: closure.defaults,
                kind,
            }))
        };
        Ok(match decorator {
            Value::Standard(name) => match name.as_str() {
                "builtins.staticmethod" => bound_as(Binding::Static),
                "builtins.classmethod" => bound_as(Binding::Class),
                "builtins.property" | "functools.cached_property" => bound_as(Binding::Property),
                // Caches, abstract methods, context managers: calling it executes the function.
                _ => value,
            },
            Value::Function(_) | Value::Bound(_) | Value::Class(_) => {
                let made = self.call_value(frame, decorator, vec![value.clone()], Vec::new())?;
                match made {
                    Value::Unknown | Value::Instance(_) => Value::Wrapped(Rc::clone(closure)),
                    made => made,
                }
            }
            _ => Value::Wrapped(Rc::clone(closure)),
        })
    }

    pub(super) fn define_class(
        &mut self,
        frame: &Frame,
        code: &Arc<Class>,
        decorators: &[Expression],
    ) -> Outcome {
        let mut evaluated = Vec::new();
        for decorator in decorators {
            evaluated.push(self.evaluate(frame, decorator)?);
        }
        let mut bases = Vec::new();
        for base in &code.bases {
            bases.push(self.evaluate(frame, base)?);
        }
        let scope = self.new_scope();
        let mut outer = frame.outer.clone();
        if self.module_scope(frame.module) != frame.scope && !self.is_class_scope(frame) {
            outer.push(frame.scope);
        }
        let inside = Frame { outer, ..Frame::of(frame.module, scope) };
        self.bind(scope, "__qualname__", Value::Text(code.name.clone()));
        self.block(&inside, &code.body)?;
        self.bind(scope, BASES, Value::list(bases));
        self.captures += 1;
        let class = Rc::new(ClassValue { code: Arc::clone(code), scope });
        let mut value = Value::Class(class);
        for decorator in evaluated.into_iter().rev() {
            if matches!(decorator, Value::Function(_)) {
                let arguments = vec![value.clone()];
                match self.call_value(frame, &decorator, arguments, Vec::new())? {
                    // Most give the class that they were given.
                    Value::Unknown => {}
                    made => value = made,
                }
            }
        }
        let binding = self.scope_of_binding(frame, &code.name);
        self.bind(binding, &code.name, value);
        Ok(())
    }

    /// A new instance, with what `__init__` does.
    pub(super) fn instantiate(
        &mut self,
        class: &Rc<ClassValue>,
        arguments: Vec<Value>,
        keywords: Vec<(Option<Name>, Value)>,
    ) -> Outcome<Value> {
        let scope = self.new_scope();
        let instance = Value::Instance(Rc::new(Instance { class: Rc::clone(class), scope }));
        if self.derives_from(class, "types.ModuleType") {
            let name = arguments.first().cloned().unwrap_or(Value::Unknown);
            self.bind(scope, "__name__", name);
        }
        if VERSIONS.contains(&class.code.name.as_str())
            && let Some(text @ Value::Text(_)) = arguments.first()
        {
            // Told by its text: computing with it goes through regular expressions.
            self.bind(scope, VERSION_TEXT, text.clone());
            return Ok(instance);
        }
        if let Some(Value::Function(closure)) = self.class_attribute(class, "__init__") {
            self.call_closure(&closure, Some(instance.clone()), arguments, keywords)?;
        }
        Ok(instance)
    }

    /// The version that an instance stands for.
    pub(super) fn version(&self, value: &Value) -> Option<Version> {
        let Value::Instance(instance) = value else { return None };
        let bound = self.bound(instance.scope, VERSION_TEXT)?;
        bound.value.as_text()?.parse().ok()
    }

    pub(super) fn derives_from(&self, class: &Rc<ClassValue>, name: &str) -> bool {
        self.bases(class).iter().any(|base| matches!(base, Value::Standard(one) if one == name))
    }

    /// `super()` in a method.
    pub(super) fn super_of(&self, frame: &Frame) -> Value {
        let (Some(receiver), Some(code)) = (&frame.receiver, self.calls.last()) else {
            return Value::Unknown;
        };
        let class = match receiver {
            Value::Instance(instance) => Rc::clone(&instance.class),
            Value::Class(class) => Rc::clone(class),
            _ => return Value::Unknown,
        };
        let mut order = vec![Value::Class(Rc::clone(&class))];
        order.extend(self.bases(&class));
        let defines = |value: &Value| {
            match value {
            Value::Class(class) => self.bound(class.scope, &code.name).is_some_and(|bound| {
                matches!(&bound.value, Value::Function(closure) if Arc::ptr_eq(&closure.code, code))
            }),
            _ => false,
        }
        };
        match order.iter().position(defines) {
            Some(at) => {
                let rest = order.split_off(at + 1);
                Value::Super(Rc::new((receiver.clone(), rest)))
            }
            None => Value::Unknown,
        }
    }

    /// `ModuleType.__init__`, called from a class that derives from it.
    pub(super) fn initialize_module(&mut self, frame: &Frame, arguments: &[Value]) {
        if let Some(Value::Instance(instance)) = &frame.receiver
            && self.derives_from(&instance.class, "types.ModuleType")
            && let Some(name) = arguments.first()
        {
            self.bind(instance.scope, "__name__", name.clone());
        }
    }

    /// `isinstance(value, class)`; `None` where it is not known.
    pub(super) fn is_instance(&self, value: &Value, class: &Value) -> Option<bool> {
        if let Value::List(list) = class {
            let one = |class: &Value| match class {
                Value::List(_) => None,
                class => self.is_instance(value, class),
            };
            let answers: Vec<_> = list.items.iter().map(one).collect();
            if answers.contains(&Some(true)) {
                return Some(true);
            }
            return (!list.open && answers.iter().all(Option::is_some)).then_some(false);
        }
        let kind = match value {
            Value::Text(_) | Value::Prefix(_) => "builtins.str",
            Value::Integer(_) => "builtins.int",
            Value::Bool(_) => "builtins.bool",
            Value::Dict(_) => "builtins.dict",
            Value::None => "NoneType",
            Value::Instance(instance) => {
                let own = Value::Class(Rc::clone(&instance.class));
                if own.same(class) {
                    return Some(true);
                }
                let bases = self.bases(&instance.class);
                if bases.iter().any(|base| base.same(class)) {
                    return Some(true);
                }
                let known = |base: &Value| matches!(base, Value::Class(_));
                let decided = matches!(class, Value::Class(_)) && bases.iter().all(known);
                return decided.then_some(false);
            }
            _ => return None,
        };
        match class {
            Value::Standard(class) if class == kind => Some(true),
            Value::Standard(class) if class == "builtins.int" && kind == "builtins.bool" => {
                Some(true)
            }
            Value::Standard(class)
                if matches!(
                    class.as_str(),
                    "builtins.str"
                        | "builtins.int"
                        | "builtins.bool"
                        | "builtins.dict"
                        | "builtins.list"
                        | "builtins.tuple"
                        | "builtins.set"
                        | "builtins.bytes"
                        | "builtins.float"
                ) =>
            {
                Some(false)
            }
            _ => None,
        }
    }

    fn own_bases(&self, class: &ClassValue) -> Vec<Value> {
        let bases = self.bound(class.scope, BASES).and_then(|bound| bound.value.elements());
        bases.map_or_else(|| vec![Value::Unknown], |(bases, _)| bases)
    }

    /// Whether a class derives from nothing.
    pub(super) fn has_no_bases(&self, class: &ClassValue) -> bool {
        self.own_bases(class).is_empty()
    }

    /// All bases, those of bases too.
    fn bases(&self, class: &Rc<ClassValue>) -> Vec<Value> {
        let mut bases: Vec<Value> = Vec::new();
        let mut waiting = self.own_bases(class);
        waiting.reverse();
        while let Some(base) = waiting.pop() {
            if bases.len() > MAX_BASES {
                bases.push(Value::Unknown);
                break;
            }
            if let Value::Class(inner) = &base {
                waiting.extend(self.own_bases(inner).into_iter().rev());
            }
            bases.push(base);
        }
        bases
    }

    /// An attribute of a class or its bases.
    pub(super) fn class_attribute(&self, class: &Rc<ClassValue>, name: &str) -> Option<Value> {
        if let Some(bound) = self.bound(class.scope, name) {
            return Some(bound.value.clone());
        }
        self.bases(class).iter().find_map(|base| match base {
            Value::Class(base) => self.bound(base.scope, name).map(|bound| bound.value.clone()),
            _ => None,
        })
    }

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

    fn instance_attribute(
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

    /// Whether `except KIND` catches an exception of that class; `None` where it is not known.
    pub(super) fn catches(&self, kind: Option<&Value>, class: &Value) -> Option<bool> {
        self.catches_within(kind, class, 4)
    }

    fn catches_within(&self, kind: Option<&Value>, class: &Value, depth: u32) -> Option<bool> {
        let Some(kind) = kind else { return Some(true) };
        let depth = depth.checked_sub(1)?;
        match kind {
            Value::List(list) => {
                let mut known = !list.open;
                for kind in &list.items {
                    match self.catches_within(Some(kind), class, depth) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => known = false,
                    }
                }
                known.then_some(false)
            }
            Value::Standard(kind) => match class {
                Value::Standard(class) => Some(is_subclass(class, kind)),
                Value::Class(class) => {
                    let bases = self.bases(class);
                    let mut known = true;
                    for base in &bases {
                        match base {
                            Value::Standard(base) if is_subclass(base, kind) => return Some(true),
                            Value::Standard(_) | Value::Class(_) => {}
                            _ => known = false,
                        }
                    }
                    known.then_some(false)
                }
                _ if matches!(kind.as_str(), "builtins.Exception" | "builtins.BaseException") => {
                    Some(true)
                }
                _ => None,
            },
            Value::Class(kind) => match class {
                Value::Class(class) => {
                    let same =
                        |base: &Value| matches!(base, Value::Class(base) if Rc::ptr_eq(base, kind));
                    let found = Rc::ptr_eq(class, kind) || self.bases(class).iter().any(same);
                    Some(found)
                }
                Value::Standard(_) => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether `except KIND` catches failed imports alone.
    pub(super) fn is_import_error(&self, kind: &Value) -> bool {
        match kind {
            Value::Standard(name) => is_subclass(name, "builtins.ImportError"),
            Value::List(list) => {
                let is_one = |kind: &Value| match kind {
                    Value::Standard(name) => is_subclass(name, "builtins.ImportError"),
                    _ => false,
                };
                !list.open && list.items.iter().all(is_one)
            }
            _ => false,
        }
    }
}

/// Whether one exception of the interpreter is a kind of another.
fn is_subclass(class: &str, of: &str) -> bool {
    let mut class = class;
    for _ in 0..6 {
        if class == of || of == "builtins.BaseException" {
            return true;
        }
        let Some(base) = base_of(class) else { return false };
        class = base;
    }
    false
}

/// The class that an exception of the interpreter derives from (`Objects/exceptions.c`).
fn base_of(class: &str) -> Option<&'static str> {
    Some(match class.strip_prefix("builtins.").unwrap_or(class) {
        "BaseException" => return None,
        "Exception" | "SystemExit" | "KeyboardInterrupt" | "GeneratorExit" => {
            "builtins.BaseException"
        }
        "ModuleNotFoundError" => "builtins.ImportError",
        "KeyError" | "IndexError" => "builtins.LookupError",
        "NotImplementedError" | "RecursionError" => "builtins.RuntimeError",
        "UnboundLocalError" => "builtins.NameError",
        "FileNotFoundError" | "FileExistsError" | "PermissionError" | "NotADirectoryError"
        | "IsADirectoryError" | "ConnectionError" | "TimeoutError" | "BlockingIOError" => {
            "builtins.OSError"
        }
        "IndentationError" => "builtins.SyntaxError",
        "UnicodeError" | "UnicodeDecodeError" | "UnicodeEncodeError" => "builtins.ValueError",
        "ZeroDivisionError" | "OverflowError" | "FloatingPointError" => "builtins.ArithmeticError",
        "importlib.metadata.PackageNotFoundError" => "builtins.ModuleNotFoundError",
        _ => "builtins.Exception",
    })
}
