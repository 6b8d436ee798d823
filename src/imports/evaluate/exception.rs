//! Exceptions: which class is a kind of which, and what a handler catches.

use std::rc::Rc;

use super::Run;
use super::value::Value;

impl Run<'_> {
    /// Whether `except KIND` catches an exception of that class; `None` where it is not known.
    pub(super) fn catches(&self, kind: Option<&Value>, class: &Value) -> Option<bool> {
        self.catches_within(kind, class, 4)
    }

    pub(super) fn catches_within(
        &self,
        kind: Option<&Value>,
        class: &Value,
        depth: u32,
    ) -> Option<bool> {
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
}

/// Whether `except KIND` catches failed imports alone.
pub(super) fn is_import_error(kind: &Value) -> bool {
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
