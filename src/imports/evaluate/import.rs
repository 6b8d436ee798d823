//! Imports: `importlib._bootstrap`, and `_handle_fromlist` there.

use std::rc::Rc;

use super::scope::Bound;
use super::value::{Lazy, LazyImport, ScopeId, Value};
use super::{Frame, Met, Outcome, Run, Status, Stop};
use crate::imports::environment::ModuleId;
use crate::imports::facts::{At, From, Import, Name};
use crate::imports::standard_library::{Presence, presence};

/// What an import gives: the first part of the dotted name and the last.
struct Imported {
    first: Value,
    last: Value,
}

impl Run<'_> {
    /// Where a module's names are bound.
    pub(super) fn module_scope(&mut self, module: ModuleId) -> ScopeId {
        if let Some(scope) = self.module_scopes.get(&module) {
            return *scope;
        }
        let scope = self.new_scope();
        self.module_scopes.insert(module, scope);
        scope
    }

    /// The names that every module has.
    pub(super) fn module_name(&self, module: ModuleId, name: &str) -> Option<Value> {
        let dotted = || self.environment.name(module);
        let nowhere = module == self.environment.no_module();
        Some(match name {
            // Executed as a program or imported.
            "__name__" if nowhere => Value::Unknown,
            "__name__" => Value::text(dotted()),
            "__package__" => Value::text(self.environment.package_of(module)),
            "__file__" => Value::Prefix(Name::new("/")),
            "__path__" if self.environment.is_package(module) => Value::standard("__path__"),
            "__spec__" | "__loader__" | "__builtins__" => Value::Something,
            "__doc__" => Value::Unknown,
            _ => return None,
        })
    }

    pub(super) fn import_statement(&mut self, frame: &Frame, import: &Import) -> Outcome {
        for (at, alias) in import.names.iter().enumerate() {
            let scope_name =
                alias.1.clone().unwrap_or_else(|| super::expression::first_part(&alias.0));
            let scope = frame.scope_of(&scope_name);
            if import.lazy {
                let what = LazyImport::Import(import.clone(), at);
                let lazy = Lazy { module: frame.module, what };
                self.bind(scope, &scope_name, Value::Lazy(Rc::new(lazy)));
                continue;
            }
            if self.is_for_compiler(frame, &alias.0) {
                self.bind(scope, &scope_name, Value::Unknown);
                continue;
            }
            let imported = self.dotted(&alias.0, Some(frame.module), Some(import.at))?;
            let value = if alias.1.is_some() { imported.last } else { imported.first };
            self.bind(scope, &scope_name, value);
        }
        Ok(())
    }

    pub(super) fn import_from(&mut self, frame: &Frame, from: &From) -> Outcome {
        if from.lazy {
            for (at, alias) in from.names.iter().enumerate() {
                let name = alias.1.as_ref().unwrap_or(&alias.0);
                let scope = frame.scope_of(name);
                let lazy = Lazy { module: frame.module, what: LazyImport::From(from.clone(), at) };
                self.bind(scope, name, Value::Lazy(Rc::new(lazy)));
            }
            return Ok(());
        }
        let Some(base) = self.absolute(frame.module, from.level, &from.module) else {
            return self.raise(Value::standard("builtins.ImportError"));
        };
        if self.is_for_compiler(frame, &base) {
            return self.compiled_import(frame, from, &base);
        }
        let imported = self.dotted(&base, Some(frame.module), Some(from.at))?;
        for alias in &from.names {
            if alias.0 == "*" {
                self.import_star(frame, &imported.last, from.at)?;
                continue;
            }
            let value = self.name_from(frame, &imported.last, &alias.0, from.at)?;
            let name = alias.1.as_ref().unwrap_or(&alias.0);
            let scope = frame.scope_of(name);
            self.bind(scope, name, value);
        }
        Ok(())
    }

    /// Whether an import of a compiled module speaks to Cython alone, in its pure Python mode.
    fn is_for_compiler(&self, frame: &Frame, dotted: &str) -> bool {
        let first = dotted.split('.').next();
        first == Some("cython") && self.environment.has_source_beside(frame.module)
    }

    /// `from cython.cimports.module import name`: the compiled code imports the module where it
    /// needs its types or functions.
    fn compiled_import(&mut self, frame: &Frame, from: &From, base: &str) -> Outcome {
        for alias in &from.names {
            let name = alias.1.as_ref().unwrap_or(&alias.0);
            self.bind(frame.scope, name, Value::Unknown);
        }
        let Some(dotted) = base.strip_prefix("cython.cimports.") else { return Ok(()) };
        if self.environment.find(dotted).is_none() {
            return Ok(());
        }
        self.fork(2, |run, way| match way {
            0 => run.import_dotted(dotted, Some(frame.module), Some(from.at)).map(|_| ()),
            _ => Ok(()),
        })
    }

    pub(super) fn absolute(&self, module: ModuleId, level: u32, name: &str) -> Option<String> {
        self.environment.absolute(module, level, name)
    }

    /// One name of `from base import name`.
    fn name_from(&mut self, frame: &Frame, base: &Value, name: &Name, at: At) -> Outcome<Value> {
        match base {
            Value::Module(module) => self.name_from_module(frame, *module, name, at),
            Value::Standard(of) => {
                // Names come and go between releases.
                self.doubts.imported = true;
                Ok(self.standard_attribute(of, name))
            }
            Value::Unknown | Value::Something => {
                self.doubts.imported = true;
                Ok(Value::Unknown)
            }
            other => self.attribute(other, name),
        }
    }

    fn name_from_module(
        &mut self,
        frame: &Frame,
        module: ModuleId,
        name: &Name,
        at: At,
    ) -> Outcome<Value> {
        let found = self.module_attribute(module, name)?;
        let submodule = self.submodule(module, name);
        match (found, submodule) {
            (Some(Bound { value, certain: true }), _) => {
                if let Value::Module(found) = value
                    && Some(found) == submodule
                {
                    self.edge(Some(frame.module), found, Some(at));
                }
                Ok(value)
            }
            (Some(Bound { value, .. }), Some(submodule)) => {
                self.fork(2, |run, way| match way {
                    0 => run.import_module(submodule, Some(frame.module), Some(at)).map(|_| ()),
                    _ => Ok(()),
                })?;
                Ok(Value::one_of([value, Value::Module(submodule)]))
            }
            (Some(Bound { value, .. }), None) => {
                self.doubts.imported = true;
                Ok(value)
            }
            (None, Some(submodule)) => self.import_module(submodule, Some(frame.module), Some(at)),
            (None, None) => {
                let dotted = format!("{}.{name}", self.environment.name(module));
                if let Some(value) = self.replaced.get(&dotted) {
                    return Ok(value.clone());
                }
                let class = Value::standard("builtins.ImportError");
                // A name that is not seen may be bound all the same, in ways that are not followed.
                if self.is_caught(&class) {
                    return Err(Stop::Raise(class));
                }
                Ok(Value::Unknown)
            }
        }
    }

    fn submodule(&self, module: ModuleId, name: &str) -> Option<ModuleId> {
        if !self.environment.is_package(module) {
            return None;
        }
        self.environment.child(Some(module), name)
    }

    /// What a module has under a name; `None` where it certainly has nothing.
    pub(super) fn module_attribute(
        &mut self,
        module: ModuleId,
        name: &Name,
    ) -> Outcome<Option<Bound>> {
        let scope = self.module_scope(module);
        if let Some(bound) = self.bound(scope, name).cloned() {
            if let Value::Lazy(_) = &bound.value {
                let frame = Frame::of(module, scope);
                let value = self.look_up(&frame, name)?;
                return Ok(Some(Bound { value, certain: bound.certain }));
            }
            return Ok(Some(bound));
        }
        if let Some(value) = self.module_name(module, name) {
            return Ok(Some(Bound { value, certain: true }));
        }
        if let Some(bound) = self.bound(scope, "__getattr__").cloned() {
            let given = self.ask_getattr(module, &bound.value, name)?;
            if given.is_some() {
                return Ok(given);
            }
        }
        let open = self.scope(scope).is_some_and(|scope| scope.open);
        let unfinished = matches!(self.status.get(&module), Some(Status::Executing));
        if open || (unfinished && self.submodule(module, name).is_none()) {
            return Ok(Some(Bound { value: Value::Unknown, certain: false }));
        }
        Ok(None)
    }

    /// `from base import *`
    fn import_star(&mut self, frame: &Frame, base: &Value, at: At) -> Outcome {
        let Value::Module(module) = base else {
            self.open_scope(frame.scope);
            return Ok(());
        };
        let scope = self.module_scope(*module);
        if self.scope(scope).is_some_and(|scope| scope.open) {
            self.open_scope(frame.scope);
        }
        let listed = match self.bound(scope, "__all__").map(|bound| bound.value.clone()) {
            Some(Value::List(list)) => {
                let known = list.items.iter().all(|item| item.as_text().is_some()) && !list.open;
                if !known {
                    self.open_scope(frame.scope);
                }
                Some((list, known))
            }
            Some(_) => {
                self.open_scope(frame.scope);
                None
            }
            None => None,
        };
        if let Some((list, known)) = &listed {
            for item in &list.items {
                let Value::Text(name) = item else { continue };
                let value = self.name_from_module(frame, *module, name, at)?;
                self.bind(frame.scope, name, value);
            }
            if *known {
                return Ok(());
            }
        }
        for (name, bound) in self.names_of(scope) {
            if !name.starts_with('_') {
                self.set(frame.scope, name, Some(bound));
            }
        }
        Ok(())
    }

    /// `import dotted`: its last part.
    pub(super) fn import_dotted(
        &mut self,
        dotted: &str,
        from: Option<ModuleId>,
        at: Option<At>,
    ) -> Outcome<Value> {
        self.dotted(dotted, from, at).map(|imported| imported.last)
    }

    /// `import dotted`: its first part.
    pub(super) fn import_first(
        &mut self,
        dotted: &str,
        from: Option<ModuleId>,
        at: Option<At>,
    ) -> Outcome<Value> {
        self.dotted(dotted, from, at).map(|imported| imported.first)
    }

    fn dotted(
        &mut self,
        dotted: &str,
        from: Option<ModuleId>,
        at: Option<At>,
    ) -> Outcome<Imported> {
        self.step()?;
        self.imports += 1;
        match presence(dotted, self.environment.target, self.environment.platform) {
            Presence::Foreign => {}
            Presence::Absent => {
                self.not_found(dotted)?;
                return Ok(Imported { first: Value::Unknown, last: Value::Unknown });
            }
            here => {
                self.doubts.imported |= here == Presence::Perhaps;
                let first = Value::Standard(super::expression::first_part(dotted));
                return Ok(Imported { first, last: self.standard_value(dotted) });
            }
        }
        let mut first = None;
        let mut parent: Option<ModuleId> = None;
        let mut whole = String::new();
        for part in dotted.split('.') {
            if !whole.is_empty() {
                whole.push('.');
            }
            whole.push_str(part);
            let child = match parent {
                Some(parent) if !self.environment.is_package(parent) => None,
                parent => self.environment.child(parent, part),
            };
            let value = match child {
                Some(child) => self.import_module(child, from, at)?,
                None => self.without_file(parent, part, &whole)?,
            };
            first.get_or_insert_with(|| value.clone());
            match value {
                Value::Module(module) => parent = Some(module),
                // What hides behind something that is no module is not known.
                value if whole.len() == dotted.len() => {
                    return Ok(Imported { first: first.unwrap_or(Value::Unknown), last: value });
                }
                _ if child.is_some() => parent = child,
                _ => {
                    let last = self.replaced.get(dotted).cloned().unwrap_or(Value::Unknown);
                    return Ok(Imported { first: first.unwrap_or(Value::Unknown), last });
                }
            }
        }
        let last = parent.map_or(Value::Unknown, Value::Module);
        Ok(Imported { first: first.unwrap_or(Value::Unknown), last })
    }

    /// A module that no file makes.
    fn without_file(
        &mut self,
        parent: Option<ModuleId>,
        part: &str,
        whole: &str,
    ) -> Outcome<Value> {
        if let Some(value) = self.replaced.get(whole) {
            return Ok(value.clone());
        }
        if let Some(parent) = parent {
            let scope = self.module_scope(parent);
            if let Some(bound) = self.bound(scope, part) {
                // Put into `sys.modules` beside the attribute, in some way.
                return Ok(bound.value.clone());
            }
            if self.scope(scope).is_some_and(|scope| scope.open) {
                self.doubts.imported = true;
                return Ok(Value::Unknown);
            }
        } else if let Some(package) = self.environment.not_seen(part) {
            self.unknown.get_or_insert_with(|| {
                format!("{whole} is imported, and {package} was not looked at")
            });
            self.doubts.imported = true;
            return Ok(Value::Unknown);
        }
        if parent.is_none_or(|parent| self.changed_paths.contains(&parent))
            && self.finders_changed
            && let Some(importer) = self.executing.last().copied()
        {
            let found = self.environment.vendored(importer, part);
            self.fork(found.len() + 1, |run, way| match found.get(way) {
                Some(module) => run.import_module(*module, Some(importer), None).map(|_| ()),
                None => Ok(()),
            })?;
        }
        self.not_found(whole)?;
        Ok(Value::Unknown)
    }

    fn not_found(&mut self, dotted: &str) -> Outcome {
        let class = Value::standard("builtins.ModuleNotFoundError");
        if self.finders_changed {
            self.doubts.imported = true;
            return Ok(());
        }
        if !self.explores && self.is_certain() && !self.is_caught(&class) {
            let place = self.executing.last().map(|module| self.environment.name(*module));
            let place = place.map_or_else(String::new, |place| format!(", imported in {place}"));
            self.failure.get_or_insert_with(|| format!("there is no module {dotted}{place}"));
        }
        self.raise(class)
    }
}

impl Met {
    /// The names of the chain.
    pub(in crate::imports) fn names(
        &self,
        environment: &crate::imports::environment::Environment,
    ) -> Vec<String> {
        self.chain.iter().map(|module| environment.name(*module)).collect()
    }
}
