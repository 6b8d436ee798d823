//! `builtins`: its names, and the functions that ask and change what names are bound to.

use super::standard::Keywords;
use super::value::{Dict, List, Value};
use super::{Frame, Outcome, Run, Stop};
use crate::imports::facts::Name;

/// The names of `builtins` that a module may read.
const BUILTINS: &str = " ArithmeticError AssertionError AttributeError BaseException \
    BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError \
    ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError \
    DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError Exception ExceptionGroup \
    FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError \
    ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError \
    KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError \
    NotADirectoryError NotImplemented NotImplementedError OSError OverflowError \
    PendingDeprecationWarning PermissionError ProcessLookupError PythonFinalizationError \
    RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration \
    StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError \
    UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError \
    UnicodeWarning UserWarning ValueError Warning ZeroDivisionError __import__ abs aiter all anext \
    any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex delattr \
    dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr \
    hash help hex id input int isinstance issubclass iter len list locals map max memoryview min \
    next object oct open ord pow print property quit range repr reversed round set setattr slice \
    sorted staticmethod str sum super tuple type vars zip ";

/// A name of `builtins`.
pub(super) fn builtin(name: &str) -> Option<Value> {
    match name {
        "__debug__" => return Some(Value::Bool(true)),
        "EnvironmentError" | "IOError" => return Some(Value::standard("builtins.OSError")),
        _ => {}
    }
    BUILTINS
        .contains(&format!(" {name} "))
        .then(|| Value::Standard(Name::new(format!("builtins.{name}"))))
}

impl Run<'_> {
    pub(super) fn has_attribute(&mut self, value: &Value, name: &Name) -> Outcome<Option<bool>> {
        let windows = self.environment.platform.is_windows();
        Ok(match value {
            Value::Module(module) => match self.module_attribute(*module, name)? {
                Some(bound) => bound.certain.then_some(true),
                None => Some(false),
            },
            Value::Class(class) => {
                let found = self.class_attribute(class, name).is_some();
                (found || self.has_no_bases(class)).then_some(found)
            }
            Value::Standard(of) => match (of.as_str(), name.as_str()) {
                ("sys", "_is_gil_enabled") => Some(true),
                (
                    "sys",
                    "frozen" | "pypy_version_info" | "_MEIPASS" | "real_prefix" | "ps1"
                    | "gettotalrefcount" | "maxint" | "getandroidapilevel",
                ) => Some(false),
                ("sys", "getwindowsversion" | "winver") | ("os", "add_dll_directory") => {
                    Some(windows)
                }
                ("os", "fork" | "getuid" | "geteuid" | "setsid") => Some(!windows),
                _ => None,
            },
            Value::None | Value::Bool(_) | Value::Integer(_) => {
                Some(false).filter(|_| !name.starts_with("__"))
            }
            _ => None,
        })
    }

    pub(super) fn get_attribute(&mut self, value: &Value, arguments: &[Value]) -> Outcome<Value> {
        let Some(Value::Text(name)) = arguments.get(1) else {
            self.doubts.called = true;
            return Ok(Value::Unknown);
        };
        let default = arguments.get(2);
        match self.has_attribute(value, name)? {
            Some(false) => match default {
                Some(default) => Ok(default.clone()),
                None => {
                    let class = Value::standard("builtins.AttributeError");
                    if self.is_caught(&class) {
                        return Err(Stop::Raise(class));
                    }
                    Ok(Value::Unknown)
                }
            },
            Some(true) => self.attribute(value, name),
            None => match default {
                Some(default) => {
                    let found = self.attribute(value, name)?;
                    Ok(match found {
                        Value::Standard(_) | Value::Unknown => Value::Unknown,
                        found => Value::one_of([found, default.clone()]),
                    })
                }
                None => self.attribute(value, name),
            },
        }
    }

    pub(super) fn set_attribute(&mut self, value: &Value, arguments: &[Value]) {
        let scope = match value {
            Value::Module(module) => self.module_scope(*module),
            Value::Instance(instance) => instance.scope,
            Value::Class(class) => class.scope,
            _ => return,
        };
        match (arguments.get(1), arguments.get(2)) {
            (Some(Value::Text(name)), Some(value)) => self.bind(scope, name, value.clone()),
            _ => self.open_scope(scope),
        }
    }

    pub(super) fn update_globals(
        &mut self,
        frame: &Frame,
        arguments: &[Value],
        keywords: &Keywords,
    ) {
        let scope = self.module_scope(frame.module);
        match arguments {
            [Value::Dict(dict)] => {
                for (key, value) in &dict.items {
                    match key {
                        Value::Text(name) => self.bind(scope, name, value.clone()),
                        _ => self.open_scope(scope),
                    }
                }
                if dict.open {
                    self.open_scope(scope);
                }
            }
            [Value::Text(name), value] => self.bind(scope, name, value.clone()),
            [] => {}
            _ => self.open_scope(scope),
        }
        for (name, value) in keywords {
            match name {
                Some(name) => self.bind(scope, name, value.clone()),
                None => self.open_scope(scope),
            }
        }
    }

    pub(super) fn call_builtin(
        &mut self,
        frame: &Frame,
        function: &str,
        arguments: &[Value],
        keywords: &Keywords,
    ) -> Outcome<Value> {
        let first = arguments.first().cloned();
        Ok(match function {
            "dict" => {
                let mut dict = match first {
                    None => Dict::default(),
                    Some(Value::Dict(dict)) => (*dict).clone(),
                    Some(_) => Dict::new(Vec::new(), true),
                };
                for (name, value) in keywords {
                    match name {
                        Some(name) => dict = dict.with(Value::Text(name.clone()), value.clone()),
                        None => dict.open = true,
                    }
                }
                Value::of_dict(dict)
            }
            "bool" | "str" | "int" | "len" | "tuple" | "list" | "set" | "frozenset" | "sorted"
            | "reversed" | "iter" => self.converted(function, first),
            "enumerate" | "zip" | "range" | "any" | "all" => through(function, arguments),
            "map" | "filter" => {
                let given = match (&first, arguments.get(1).and_then(Value::elements)) {
                    (Some(called), Some((items, open))) if items.len() <= 400 => {
                        let mut given = Vec::new();
                        for item in items {
                            given.push(self.call_value(frame, called, vec![item], Vec::new())?);
                        }
                        Value::of_list(List::new(given, open))
                    }
                    (Some(called), _) => {
                        self.fork(2, |run, way| {
                            if way == 0 {
                                run.call_value(frame, called, vec![Value::Unknown], Vec::new())?;
                            }
                            Ok(())
                        })?;
                        Value::Unknown
                    }
                    _ => Value::Unknown,
                };
                if function == "map" { given } else { Value::Unknown }
            }
            "super" => self.super_of(frame),
            "isinstance" => match arguments {
                [value, class] => {
                    self.is_instance(value, class).map_or(Value::Unknown, Value::Bool)
                }
                _ => Value::Unknown,
            },
            "issubclass" | "callable" | "id" | "type" | "object" | "dir" | "repr" | "range()" => {
                Value::Unknown
            }
            "next" => {
                self.doubts.called = true;
                Value::Unknown
            }
            name if name.ends_with("Error") || name.ends_with("Warning") || name == "Exception" => {
                Value::Standard(Name::new(format!("builtins.{name}")))
            }
            _ => {
                self.doubts.called = true;
                Value::Unknown
            }
        })
    }

    /// A value made from another.
    fn converted(&self, function: &str, first: Option<Value>) -> Value {
        let items = |value: &Option<Value>| value.as_ref().and_then(Value::elements);
        match function {
            "bool" => {
                first.map_or(Value::Bool(false), |v| v.truth().map_or(Value::Unknown, Value::Bool))
            }
            "str" => match first {
                Some(text @ (Value::Text(_) | Value::Prefix(_))) => text,
                Some(Value::Integer(number)) => Value::text(number.to_string()),
                None => Value::text(""),
                _ => Value::Unknown,
            },
            "int" => match first {
                Some(Value::Integer(number)) => Value::Integer(number),
                Some(Value::Bool(value)) => Value::Integer(i64::from(value)),
                Some(Value::Text(text)) => {
                    text.trim().parse().map_or(Value::Unknown, Value::Integer)
                }
                _ => Value::Unknown,
            },
            "len" => match &first {
                Some(Value::List(list)) if !list.open => {
                    i64::try_from(list.items.len()).map_or(Value::Unknown, Value::Integer)
                }
                _ => Value::Unknown,
            },
            "tuple" | "list" | "set" | "frozenset" | "sorted" | "reversed" | "iter" => {
                match (&first, items(&first)) {
                    (None, _) => Value::list(Vec::new()),
                    (_, Some((items, open))) => Value::of_list(List::new(items, open)),
                    (Some(Value::Standard(name)), None) if name == "sys.version_info" => {
                        self.as_constant(Value::standard("sys.version_info"))
                    }
                    _ => Value::Unknown,
                }
            }
            _ => Value::Unknown,
        }
    }
}

/// What goes through elements.
fn through(function: &str, arguments: &[Value]) -> Value {
    let first = arguments.first();
    match function {
        "enumerate" => match first.and_then(Value::elements) {
            Some((items, open)) => {
                let items = (0_i64..).zip(items);
                let items = items.map(|(at, item)| Value::list(vec![Value::Integer(at), item]));
                Value::of_list(List::new(items.collect(), open))
            }
            None => Value::Unknown,
        },
        "zip" => {
            let all: Option<Vec<_>> = arguments.iter().map(Value::elements).collect();
            match all {
                Some(all) if !all.is_empty() && all.iter().all(|(_, open)| !open) => {
                    let shortest = all.iter().map(|(items, _)| items.len()).min().unwrap_or(0);
                    let row = |at: usize| {
                        let row = all.iter().filter_map(|(items, _)| items.get(at).cloned());
                        Value::list(row.collect())
                    };
                    Value::list((0..shortest).map(row).collect())
                }
                _ => Value::Unknown,
            }
        }
        "range" => match arguments {
            [Value::Integer(end)] if (0..=100).contains(end) => {
                Value::list((0..*end).map(Value::Integer).collect())
            }
            _ => Value::Unknown,
        },
        "any" | "all" => match first.and_then(Value::elements) {
            Some((items, false)) => {
                let wanted = function == "any";
                let truths: Vec<_> = items.iter().map(Value::truth).collect();
                if truths.contains(&Some(wanted)) {
                    Value::Bool(wanted)
                } else if truths.iter().all(Option::is_some) {
                    Value::Bool(!wanted)
                } else {
                    Value::Unknown
                }
            }
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}
