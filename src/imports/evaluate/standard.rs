//! The interpreter's own names: what is known of the target and the platform, and its functions.

use std::rc::Rc;

use super::value::Value;
use super::{Frame, Outcome, Run, Stop};
use crate::imports::facts::{At, Name};
use crate::imports::parse::parse;
use crate::imports::standard_library::{Presence, presence};
use crate::model::platform::{Architecture, OperatingSystem};

/// Variables that an environment has although nobody sets them for Python.
const AMBIENT: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "SHELL",
    "LANG",
    "TERM",
    "PWD",
    "TMPDIR",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "SYSTEMROOT",
];

pub(super) type Keywords = Vec<(Option<Name>, Value)>;

impl Run<'_> {
    pub(super) fn standard_attribute(&self, of: &str, name: &str) -> Value {
        if of == "builtins" {
            return super::builtin::builtin(name).unwrap_or(Value::Unknown);
        }
        self.standard_value(&format!("{of}.{name}"))
    }

    /// What a dotted name of the standard library stands for.
    pub(super) fn standard_value(&self, dotted: &str) -> Value {
        let platform = self.environment.platform;
        let windows = platform.is_windows();
        match dotted {
            "typing.TYPE_CHECKING" => Value::Bool(false),
            "sys.platform" => Value::text(match platform.system {
                OperatingSystem::Windows => "win32",
                OperatingSystem::Macos { .. } => "darwin",
                _ => "linux",
            }),
            "os.name" => Value::text(if windows { "nt" } else { "posix" }),
            "os.sep" | "os.path.sep" => Value::text(if windows { "\\" } else { "/" }),
            "os.altsep" if !windows => Value::None,
            "sys.byteorder" => Value::text(match platform.architecture {
                Architecture::S390x => "big",
                _ => "little",
            }),
            "sys.implementation.name" => Value::text("cpython"),
            "sys.maxsize" => Value::Integer(match platform.architecture {
                Architecture::I686 | Architecture::Armv7l => i64::from(i32::MAX),
                _ => i64::MAX,
            }),
            "sys.version_info.major" => Value::Integer(3),
            "sys.version_info.minor" => Value::Integer(i64::from(self.environment.target.minor())),
            "sys.hexversion" => Value::Integer(
                (3 << 24) + (i64::from(self.environment.target.minor()) << 16) + 0xf0,
            ),
            // As for `python -c`.
            "sys.argv" => Value::list(vec![Value::text("-c")]),
            "sys.orig_argv" => Value::Unknown,
            _ => Value::Standard(Name::new(dotted)),
        }
    }

    /// A value with which one can compute.
    pub(super) fn as_constant(&self, value: Value) -> Value {
        match &value {
            Value::Standard(name) if name == "sys.version_info" => {
                let minor = i64::from(self.environment.target.minor());
                Value::list(vec![
                    Value::Integer(3),
                    Value::Integer(minor),
                    Value::Unknown,
                    Value::Unknown,
                    Value::Unknown,
                ])
            }
            _ => value,
        }
    }

    /// `item in NAME`
    pub(super) fn standard_contains(&self, name: &str, item: &Value) -> Option<bool> {
        match name {
            "os.environ" => variable(item.as_text()?),
            "sys.modules" => {
                let name = item.as_text()?;
                if self.replaced.contains_key(name) {
                    return Some(true);
                }
                match presence(name, self.environment.target, self.environment.platform) {
                    Presence::Foreign => {
                        let module = self.environment.find(name);
                        Some(module.is_some_and(|module| self.status.contains_key(&module)))
                    }
                    _ => None,
                }
            }
            "sys.builtin_module_names" => None,
            _ => None,
        }
    }

    /// `NAME[index]`; `None` where it is not known.
    pub(super) fn standard_item(
        &mut self,
        frame: &Frame,
        name: &str,
        index: &Value,
    ) -> Outcome<Option<Value>> {
        match (name, index.as_text()) {
            ("os.environ", Some(name)) if variable(name) == Some(false) => {
                let class = Value::standard("builtins.KeyError");
                if self.is_caught(&class) {
                    return Err(Stop::Raise(class));
                }
                Ok(Some(Value::Unknown))
            }
            ("sys.modules", Some(module)) => Ok(Some(self.imported_already(module))),
            ("globals()", Some(name)) => {
                let scope = self.module_scope(frame.module);
                let found = self.bound(scope, name).map(|bound| bound.value.clone());
                Ok(found.or_else(|| self.module_name(frame.module, name)))
            }
            // Generic types.
            _ => Ok(Some(Value::Unknown).filter(|_| name != "sys.version_info")),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each function that is known")]
    pub(super) fn call_standard(
        &mut self,
        frame: &Frame,
        name: &str,
        arguments: Vec<Value>,
        keywords: &Keywords,
        at: Option<At>,
    ) -> Outcome<Value> {
        let argument = |place: usize, keyword: &str| -> Option<Value> {
            let by_name = || keywords.iter().find(|(name, _)| name.as_deref() == Some(keyword));
            arguments.get(place).cloned().or_else(|| by_name().map(|(_, value)| value.clone()))
        };
        let first = arguments.first().cloned().unwrap_or(Value::Unknown);
        Ok(match name {
            "importlib.import_module" => {
                let name = argument(0, "name").unwrap_or(Value::Unknown);
                let package = argument(1, "package").unwrap_or(Value::None);
                return self.import_by_name(frame, &name, &package, at);
            }
            "builtins.__import__" | "importlib.__import__" => {
                return self.dunder_import(
                    frame,
                    &argument(0, "name").unwrap_or(Value::Unknown),
                    &argument(3, "fromlist").unwrap_or(Value::None),
                    &argument(4, "level").unwrap_or(Value::Integer(0)),
                    at,
                );
            }
            "importlib.util.find_spec"
            | "importlib.find_loader"
            | "pkgutil.find_loader"
            | "pkgutil.get_loader" => {
                let package = argument(1, "package").unwrap_or(Value::None);
                return self.find_spec(frame, &first, &package, at);
            }
            "importlib.reload"
            | "builtins.staticmethod"
            | "builtins.classmethod"
            | "builtins.property"
            | "functools.wraps"
            | "functools.lru_cache"
            | "functools.cache"
            | "typing.cast"
            | "contextlib.contextmanager" => {
                if name == "typing.cast" {
                    return Ok(arguments.get(1).cloned().unwrap_or(Value::Unknown));
                }
                match first {
                    first @ (Value::Function(_) | Value::Wrapped(_) | Value::Module(_))
                        if name != "functools.wraps" =>
                    {
                        first
                    }
                    _ => Value::Standard(Name::new(format!("{name}()"))),
                }
            }
            "functools.partial" => match first {
                Value::Function(closure) => Value::Wrapped(closure),
                _ => Value::Something,
            },
            "importlib.metadata.version"
            | "importlib.metadata.distribution"
            | "importlib.metadata.metadata"
            | "importlib.metadata.requires" => {
                return self.metadata(&first);
            }
            "os.environ.get" | "os.getenv" | "os.environ.pop" | "os.environ.setdefault" => {
                match first.as_text().and_then(variable) {
                    Some(false) => arguments.get(1).cloned().unwrap_or(Value::None),
                    _ => Value::Unknown,
                }
            }
            "sys.exit" | "os._exit" | "builtins.exit" | "builtins.quit" => {
                self.raise(Value::standard("builtins.SystemExit"))?;
                Value::Unknown
            }
            "sys.modules.get" => match first.as_text() {
                Some(module) => match self.standard_contains("sys.modules", &first) {
                    Some(true) => self.imported_already(module),
                    Some(false) => arguments.get(1).cloned().unwrap_or(Value::None),
                    None => Value::Unknown,
                },
                None => Value::Unknown,
            },
            "sys.modules.setdefault" | "sys.modules.__setitem__" => {
                if let Some(value) = arguments.get(1) {
                    self.replace_module(&first, value.clone());
                }
                Value::Unknown
            }
            "os.path.basename" => match first.as_text() {
                Some(path) => Value::text(path.rsplit('/').next().unwrap_or(path)),
                None => Value::Unknown,
            },
            "os.path.splitext" => match first.as_text().and_then(|path| path.rsplit_once('.')) {
                Some((stem, end)) if !end.contains('/') => {
                    Value::list(vec![Value::text(stem), Value::text(format!(".{end}"))])
                }
                _ => Value::list(vec![first, Value::Unknown]),
            },
            "sys.meta_path.append"
            | "sys.meta_path.insert"
            | "sys.path_hooks.append"
            | "sys.path_hooks.insert"
            | "sys.path.insert"
            | "sys.path.append" => {
                self.finders_changed = true;
                Value::None
            }
            "__path__.append" | "__path__.insert" | "__path__.extend" => {
                self.change_path(frame);
                Value::None
            }
            "threading.Thread" => {
                // It is started, most of the time at once.
                if let Some(target) = argument(1, "target") {
                    self.fork(2, |run, way| match way {
                        0 => run.call_value(frame, &target, Vec::new(), Vec::new()).map(|_| ()),
                        _ => Ok(()),
                    })?;
                }
                Value::Unknown
            }
            "importlib.util.spec_from_file_location"
            | "importlib.machinery.SourceFileLoader"
            | "importlib.machinery.ExtensionFileLoader"
            | "importlib.util.spec_from_loader" => {
                self.doubts.called = true;
                Value::standard("<file>")
            }
            "<file>.load_module"
            | "<file>.exec_module"
            | "<file>.loader.exec_module"
            | "<file>.loader.load_module"
            | "runpy.run_path"
            | "runpy.run_module" => {
                self.computed_anywhere(frame.module);
                self.doubts.called = true;
                Value::Unknown
            }
            "importlib.util.module_from_spec" => Value::Something,
            "importlib.util.LazyLoader" => Value::Unknown,
            name if name.starts_with("<spec>") => {
                // `spec.loader.exec_module(module)` executes it.
                let dotted = name.trim_start_matches("<spec>").split('/').next().unwrap_or("");
                if name.ends_with("exec_module") || name.ends_with("load_module") {
                    let dotted = dotted.to_owned();
                    return self.import_dotted(&dotted, Some(frame.module), at);
                }
                Value::Unknown
            }
            "sys._is_gil_enabled" => Value::Bool(false),
            "sysconfig.get_config_var" => match first.as_text() {
                Some("Py_GIL_DISABLED") => Value::Integer(1),
                Some("Py_DEBUG") => Value::Integer(0),
                _ => Value::Unknown,
            },
            "platform.python_implementation" => Value::text("CPython"),
            "platform.system" => Value::text(match self.environment.platform.system {
                OperatingSystem::Windows => "Windows",
                OperatingSystem::Macos { .. } => "Darwin",
                _ => "Linux",
            }),
            "platform.machine" => self.machine(),
            "platform.python_version_tuple" => Value::list(vec![
                Value::text("3"),
                Value::text(self.environment.target.minor().to_string()),
                Value::Unknown,
            ]),
            "platform.python_version" => {
                Value::Prefix(Name::new(format!("{}.", self.environment.target.python_version())))
            }
            "builtins.hasattr" => match arguments.get(1) {
                Some(Value::Text(attribute)) => {
                    let attribute = attribute.clone();
                    let found = self.has_attribute(&first, &attribute)?;
                    found.map_or(Value::Unknown, Value::Bool)
                }
                _ => Value::Unknown,
            },
            "builtins.getattr" => return self.get_attribute(&first, &arguments),
            "builtins.setattr" => {
                self.set_attribute(&first, &arguments);
                Value::None
            }
            "builtins.globals" => Value::standard("globals()"),
            "builtins.vars" | "builtins.locals" if arguments.is_empty() => {
                if frame.scope == self.module_scope(frame.module) {
                    Value::standard("globals()")
                } else {
                    Value::Unknown
                }
            }
            "globals().update" | "globals().setdefault" => {
                self.update_globals(frame, &arguments, keywords);
                Value::Unknown
            }
            "globals().get" | "globals().pop" => match first.as_text() {
                Some(name) => self
                    .standard_item(frame, "globals()", &Value::text(name))?
                    .unwrap_or_else(|| arguments.get(1).cloned().unwrap_or(Value::None)),
                None => Value::Unknown,
            },
            "builtins.exec" => match &first {
                Value::Text(text) => {
                    let facts = parse(text.as_bytes());
                    self.block(frame, &facts.body)?;
                    Value::None
                }
                _ => {
                    self.open_scope(frame.scope);
                    self.computed_anywhere(frame.module);
                    self.doubts.called = true;
                    Value::None
                }
            },
            "contextlib.suppress" => match Value::list(arguments.clone()) {
                Value::List(_) => Value::Suppress(Rc::new(arguments)),
                deep => deep,
            },
            "types.ModuleType" => Value::Something,
            "pkgutil.iter_modules" | "pkgutil.walk_packages" => self.own_modules(frame, &arguments),
            "warnings.warn"
            | "warnings.filterwarnings"
            | "warnings.simplefilter"
            | "logging.getLogger"
            | "typing.TypeVar"
            | "builtins.print"
            | "re.compile" => Value::Something,
            _ => match name.strip_prefix("builtins.") {
                Some(function) => return self.call_builtin(frame, function, &arguments, keywords),
                None => {
                    self.doubts.called = true;
                    Value::Unknown
                }
            },
        })
    }

    fn machine(&self) -> Value {
        let (architecture, platform) =
            (self.environment.platform.architecture, self.environment.platform);
        Value::text(match architecture {
            Architecture::X86_64 if platform.is_windows() => "AMD64",
            Architecture::Aarch64 if platform.is_windows() => "ARM64",
            Architecture::Aarch64 if platform.is_macos() => "arm64",
            other => other.as_str(),
        })
    }
}

/// Whether a variable of the environment is set: none is, but for those that always are.
fn variable(name: &str) -> Option<bool> {
    (!AMBIENT.contains(&name)).then_some(false)
}
