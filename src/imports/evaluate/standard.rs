//! The interpreter's own names: what is known of the target and the platform, and its functions.

use std::rc::Rc;

use super::value::{Dict, List, Value};
use super::{Frame, Outcome, Run, Stop};
use crate::imports::environment::relative;
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

type Keywords = Vec<(Option<Name>, Value)>;

impl Run<'_> {
    pub(super) fn standard_attribute(&self, of: &str, name: &str) -> Value {
        if of == "builtins" {
            return builtin(name).unwrap_or(Value::Unknown);
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
            "os.environ" => self.variable(item.as_text()?),
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

    /// Whether a variable of the environment is set: none is, but for those that always are.
    fn variable(&self, name: &str) -> Option<bool> {
        (!AMBIENT.contains(&name)).then_some(false)
    }

    /// `NAME[index]`; `None` where it is not known.
    pub(super) fn standard_item(
        &mut self,
        frame: &Frame,
        name: &str,
        index: &Value,
    ) -> Outcome<Option<Value>> {
        match (name, index.as_text()) {
            ("os.environ", Some(variable)) if self.variable(variable) == Some(false) => {
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

    fn imported_already(&self, name: &str) -> Value {
        if let Some(value) = self.replaced.get(name) {
            return value.clone();
        }
        if presence(name, self.environment.target, self.environment.platform) != Presence::Foreign {
            return Value::Standard(Name::new(name));
        }
        match self.environment.find(name) {
            Some(module) => Value::Module(module),
            None => Value::Unknown,
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each function that is known")]
    pub(super) fn call_standard(
        &mut self,
        frame: &Frame,
        name: &str,
        arguments: Vec<Value>,
        keywords: Keywords,
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
                match first.as_text().and_then(|name| self.variable(name)) {
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
                self.update_globals(frame, &arguments, &keywords);
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
                Some(function) => return self.call_builtin(frame, function, arguments, &keywords),
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

    fn import_by_name(
        &mut self,
        frame: &Frame,
        name: &Value,
        package: &Value,
        at: Option<At>,
    ) -> Outcome<Value> {
        let whole = |text: &str| -> Option<String> {
            let level = text.len() - text.trim_start_matches('.').len();
            if level == 0 {
                return Some(text.to_owned());
            }
            let level = u32::try_from(level).ok()?;
            relative(package.as_text()?, level, text.trim_start_matches('.'))
        };
        match name {
            Value::Text(text) => match whole(text) {
                Some(dotted) => self.import_dotted(&dotted, Some(frame.module), at),
                None => self.import_computed(frame, None, at),
            },
            Value::Prefix(text) => {
                // What follows the dots is not known: any module of the package.
                let beginning = match whole(text) {
                    Some(base) if text.ends_with('.') && !base.ends_with('.') => {
                        Some(format!("{base}."))
                    }
                    other => other,
                };
                self.import_computed(frame, beginning.as_deref(), at)
            }
            Value::OneOf(values) => {
                let mut given = Vec::new();
                self.fork(values.len(), |run, way| {
                    let Some(value) = values.get(way) else { return Ok(()) };
                    given.push(run.import_by_name(frame, value, package, at)?);
                    Ok(())
                })?;
                Ok(Value::one_of(given))
            }
            _ => self.import_computed(frame, None, at),
        }
    }

    fn dunder_import(
        &mut self,
        frame: &Frame,
        name: &Value,
        names: &Value,
        level: &Value,
        at: Option<At>,
    ) -> Outcome<Value> {
        let Value::Text(name) = name else {
            return self.import_computed(frame, name.as_prefix(), at);
        };
        let level = match level {
            Value::Integer(level) => u32::try_from(*level).unwrap_or(0),
            _ => 0,
        };
        let Some(dotted) = self.absolute(frame.module, level, name) else {
            return Ok(Value::Unknown);
        };
        if names.truth() == Some(false) {
            return self.import_first(&dotted, Some(frame.module), at);
        }
        let value = self.import_dotted(&dotted, Some(frame.module), at)?;
        if let (Value::Module(_), Some((items, _))) = (&value, names.elements()) {
            for item in items {
                if let Value::Text(item) = item
                    && self.environment.find(&format!("{dotted}.{item}")).is_some()
                    && self.has_attribute(&value, &item)? != Some(true)
                {
                    self.import_dotted(&format!("{dotted}.{item}"), Some(frame.module), at)?;
                }
            }
        }
        Ok(value)
    }

    /// `find_spec`, which imports the packages that the module lies in.
    fn find_spec(
        &mut self,
        frame: &Frame,
        name: &Value,
        package: &Value,
        at: Option<At>,
    ) -> Outcome<Value> {
        let Value::Text(text) = name else { return Ok(Value::Unknown) };
        let dotted = if text.starts_with('.') {
            let level = text.len() - text.trim_start_matches('.').len();
            let level = u32::try_from(level).unwrap_or(1);
            let base = package.as_text().unwrap_or_default();
            relative(base, level, text.trim_start_matches('.'))
        } else {
            Some(text.to_string())
        };
        let Some(dotted) = dotted else { return Ok(Value::Unknown) };
        match presence(&dotted, self.environment.target, self.environment.platform) {
            Presence::Here => return Ok(Value::Something),
            Presence::Absent => return Ok(Value::None),
            Presence::Perhaps => return Ok(Value::Unknown),
            Presence::Foreign => {}
        }
        if let Some((parent, _)) = dotted.rsplit_once('.') {
            self.import_dotted(parent, Some(frame.module), at)?;
        }
        Ok(match self.environment.find(&dotted) {
            Some(_) => Value::Something,
            None if self.replaced.contains_key(&dotted) => Value::Unknown,
            None if self.environment.not_seen().is_some() => Value::Unknown,
            None => Value::None,
        })
    }

    fn metadata(&mut self, name: &Value) -> Outcome<Value> {
        let known = name.as_text().map(|name| {
            let normalized = name.to_lowercase().replace(['_', '.'], "-");
            self.environment.has_distribution(&normalized)
        });
        match known {
            Some(Some(false)) => {
                let class = Value::standard("importlib.metadata.PackageNotFoundError");
                if self.is_caught(&class) {
                    return Err(Stop::Raise(class));
                }
                Ok(Value::Unknown)
            }
            Some(Some(true)) => Ok(Value::Something),
            _ => {
                self.doubts.called = true;
                Ok(Value::Unknown)
            }
        }
    }

    fn has_attribute(&mut self, value: &Value, name: &Name) -> Outcome<Option<bool>> {
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

    fn get_attribute(&mut self, value: &Value, arguments: &[Value]) -> Outcome<Value> {
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

    fn set_attribute(&mut self, value: &Value, arguments: &[Value]) {
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

    fn update_globals(&mut self, frame: &Frame, arguments: &[Value], keywords: &Keywords) {
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

    /// `pkgutil.iter_modules(__path__)`: the modules of the package, each with its name.
    fn own_modules(&mut self, frame: &Frame, arguments: &[Value]) -> Value {
        let own = matches!(arguments.first(), Some(Value::Standard(name)) if name == "__path__");
        let prefix = arguments.get(1).map_or(Some(""), Value::as_text);
        let (true, Some(prefix)) = (own, prefix) else { return Value::Unknown };
        let children: Vec<_> = self.environment.children(frame.module).collect();
        let items = children.into_iter().filter(|child| !self.environment.is_folder(*child));
        let items = items.map(|child| {
            let name = self.environment.name(child);
            let last = name.rsplit('.').next().unwrap_or(&name);
            Value::list(vec![
                Value::Unknown,
                Value::text(format!("{prefix}{last}")),
                Value::Bool(self.environment.is_package(child)),
            ])
        });
        Value::list(items.collect())
    }

    fn call_builtin(
        &mut self,
        frame: &Frame,
        function: &str,
        arguments: Vec<Value>,
        keywords: &Keywords,
    ) -> Outcome<Value> {
        let first = arguments.first().cloned();
        let items = |value: &Option<Value>| value.as_ref().and_then(Value::elements);
        Ok(match function {
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
            "enumerate" => match items(&first) {
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
            "range" => match arguments.as_slice() {
                [Value::Integer(end)] if (0..=100).contains(end) => {
                    Value::list((0..*end).map(Value::Integer).collect())
                }
                _ => Value::Unknown,
            },
            "any" | "all" => match items(&first) {
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
            "isinstance" => match arguments.as_slice() {
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
}
