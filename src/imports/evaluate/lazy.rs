//! Imports that hang on more than their statement: names that a package gives when it is asked,
//! computed names, modules that replace themselves.

use std::rc::Rc;

use super::scope::Bound;
use super::value::{Table, Value};
use super::{Frame, MAX_COMPUTED, Outcome, Run, Stop};
use crate::imports::environment::ModuleId;
use crate::imports::facts::{At, Name, Statement};

impl Run<'_> {
    /// What a module's `__getattr__` gives for a name (PEP 562).
    pub(super) fn ask_getattr(
        &mut self,
        module: ModuleId,
        function: &Value,
        name: &Name,
    ) -> Outcome<Option<Bound>> {
        let scope = self.module_scope(module);
        let frame = Frame::of(module, scope);
        let missing = Value::standard("builtins.AttributeError");
        self.handlers.push(vec![Some(missing.clone())]);
        let outside = self.aside();
        let given = self.call_value(&frame, function, vec![Value::Text(name.clone())], Vec::new());
        self.handlers.pop();
        let inside = self.back(outside);
        let mut may_miss = false;
        for stop in inside {
            match stop {
                Stop::Raise(class) if self.catches(Some(&missing), &class) == Some(true) => {
                    may_miss = true;
                }
                stop => self.leave(stop),
            }
        }
        match given {
            Ok(value) => {
                let certain = !may_miss && !matches!(function, Value::Wrapped(_) | Value::Unknown);
                Ok(Some(Bound { value, certain }))
            }
            Err(Stop::Raise(class)) if self.catches(Some(&missing), &class) == Some(true) => {
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    /// An import with a name that is computed: tried with all that it may be.
    pub(super) fn import_computed(
        &mut self,
        frame: &Frame,
        beginning: Option<&str>,
        at: Option<At>,
    ) -> Outcome<Value> {
        self.doubts.called = true;
        self.doubts.imported = true;
        if let (Some(watched), Some(at)) = (&mut self.watched, at)
            && watched.module == Some(frame.module)
        {
            watched.computed.insert(at);
        }
        let package = beginning.and_then(|text| text.rsplit_once('.')).map(|(package, _)| package);
        let Some(package) = package.filter(|package| !package.is_empty()) else {
            self.computed_anywhere(frame.module);
            return Ok(Value::Unknown);
        };
        let whole = beginning.unwrap_or_default().to_owned();
        let Some(parent) = self.environment.find(package) else { return Ok(Value::Unknown) };
        let children: Vec<ModuleId> = self
            .environment
            .children(parent)
            .filter(|child| self.environment.name(*child).starts_with(&whole))
            .take(MAX_COMPUTED)
            .collect();
        self.fork(children.len() + 1, |run, way| match children.get(way) {
            Some(child) => {
                let name = run.environment.name(*child);
                run.import_dotted(&name, Some(frame.module), at).map(|_| ())
            }
            None => Ok(()),
        })?;
        // The rest of the name may hold dots.
        let below = self.environment.first_enabling_below(&whole);
        if !self.explores
            && let Some(enabling) = below
        {
            let (own, name) =
                (self.environment.name(frame.module), self.environment.name(enabling));
            self.unknown.get_or_insert_with(|| {
                format!("{own} imports a module by a computed name, which may be {name}")
            });
        }
        Ok(Value::Unknown)
    }

    /// Nothing is known of the name: what it may lead to is what its own package holds.
    pub(super) fn computed_anywhere(&mut self, importer: ModuleId) {
        if self.explores {
            return;
        }
        let own = self.environment.name(importer);
        let top = own.split('.').next().unwrap_or(&own);
        if let Some(enabling) = self.environment.first_enabling_below(&format!("{top}.")) {
            let name = self.environment.name(enabling);
            self.unknown.get_or_insert_with(|| {
                format!("{own} imports a module by a computed name, which may be {name}")
            });
        }
    }

    /// A package says where else its modules lie.
    pub(super) fn change_path(&mut self, frame: &Frame) {
        self.finders_changed = true;
        self.changed_paths.insert(frame.module);
    }

    /// `sys.modules[name] = value`
    pub(super) fn replace_module(&mut self, name: &Value, value: Value) {
        if let Value::Text(name) = name {
            self.replaced.insert(name.to_string(), value);
        }
    }

    /// What `__getattr__` made from a table gives.
    pub(super) fn ask_table(&mut self, table: &Rc<Table>, name: &Value) -> Outcome<Value> {
        let Value::Text(name) = name else { return Ok(Value::Unknown) };
        if table.submodules.contains(name) {
            return self.import_dotted(&format!("{}.{name}", table.package), None, None);
        }
        let Some((_, module)) = table.names.iter().find(|(one, _)| one == name) else {
            return Err(Stop::Raise(Value::standard("builtins.AttributeError")));
        };
        let dotted = format!("{}.{module}", table.package);
        let value = self.import_dotted(&dotted, self.executing.last().copied(), None)?;
        self.attribute(&value, name)
    }

    /// `attach_stub(__name__, __file__)` of a lazy loader: the names stand in the stub beside.
    pub(super) fn stub_table(&mut self, arguments: &[Value]) -> Option<Value> {
        let package = arguments.first()?.as_text()?.to_owned();
        let module = self.environment.find(&package)?;
        let facts = self.environment.facts_beside(module, ".pyi")?;
        let mut table = Table { package, ..Table::default() };
        for statement in &facts.body {
            let Statement::From(from) = statement else { continue };
            if from.level != 1 {
                continue;
            }
            for alias in &from.names {
                if from.module.is_empty() {
                    table.submodules.push(alias.0.clone());
                } else {
                    table.names.push((alias.0.clone(), from.module.clone()));
                }
            }
        }
        let names = table.submodules.iter().chain(table.names.iter().map(|(name, _)| name));
        let all = Value::list(names.cloned().map(Value::Text).collect());
        let table = Value::Table(Rc::new(table));
        Some(Value::list(vec![table, Value::Something, all]))
    }
}
