//! Imports: `importlib._bootstrap`, and `_handle_fromlist` there.

use std::rc::Rc;

use super::scope::Bound;
use super::value::{Lazy, LazyImport, ScopeId, Table, Value};
use super::{
    Edge, Frame, MAX_COMPUTED, MAX_IMPORTS, Met, Outcome, Run, STACK, STACK_NEEDED, Status, Stop,
};
use crate::imports::environment::{Kind, ModuleId};
use crate::imports::facts::{At, From, Import, Name, Statement};
use crate::imports::standard_library::{Presence, presence};
use crate::model::evidence::Gil;

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
            let scope = self.scope_of_binding(frame, &scope_name);
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

    pub(super) fn from_statement(&mut self, frame: &Frame, from: &From) -> Outcome {
        if from.lazy {
            for (at, alias) in from.names.iter().enumerate() {
                let name = alias.1.as_ref().unwrap_or(&alias.0);
                let scope = self.scope_of_binding(frame, name);
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
            let value = self.from_name(frame, &imported.last, &alias.0, from.at)?;
            let name = alias.1.as_ref().unwrap_or(&alias.0);
            let scope = self.scope_of_binding(frame, name);
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
    fn from_name(&mut self, frame: &Frame, base: &Value, name: &Name, at: At) -> Outcome<Value> {
        match base {
            Value::Module(module) => self.from_module(frame, *module, name, at),
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

    fn from_module(
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

    /// What a module's `__getattr__` gives for a name (PEP 562).
    fn ask_getattr(
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
                let value = self.from_module(frame, *module, name, at)?;
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
        } else if let Some(package) = self.environment.not_seen() {
            self.unknown.get_or_insert_with(|| {
                format!("{whole} is imported, and {package} was not looked at")
            });
            self.doubts.imported = true;
            return Ok(Value::Unknown);
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

    fn edge(&mut self, from: Option<ModuleId>, to: ModuleId, at: Option<At>) {
        let Some(from) = from.filter(|from| *from != to) else { return };
        if let (Some((watched, places)), Some(at)) = (&mut self.watched, at)
            && *watched == from
        {
            places.insert(at);
        }
        let certain = self.is_certain_here();
        let edge = self.edges.entry((from, to)).or_insert(Edge { from, to, at, certain });
        edge.certain |= certain;
    }

    /// Executes a module unless it was, and binds it in its package.
    pub(super) fn import_module(
        &mut self,
        module: ModuleId,
        from: Option<ModuleId>,
        at: Option<At>,
    ) -> Outcome<Value> {
        self.edge(from, module, at);
        self.execute(module)?;
        let value = match self.replaced.get(&self.environment.name(module)) {
            Some(value) => value.clone(),
            None => Value::Module(module),
        };
        if let Some(parent) = self.environment.parent(module) {
            let scope = self.module_scope(parent);
            let name = self.environment.name(module);
            let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
            self.bind(scope, &last, value.clone());
        }
        Ok(value)
    }

    fn execute(&mut self, module: ModuleId) -> Outcome {
        match self.status.get(&module) {
            Some(Status::Executing | Status::Done) => return Ok(()),
            Some(Status::Failed(class)) => {
                let class = class.clone();
                return self.raise(class);
            }
            Some(Status::Enabled(met)) => return Err(Stop::Enabled(met.clone())),
            None => {}
        }
        if self.executing.len() >= MAX_IMPORTS {
            self.unknown.get_or_insert_with(|| {
                format!("more than {MAX_IMPORTS} imports lie in one another")
            });
            return Ok(());
        }
        self.status.insert(module, Status::Executing);
        self.order.push(module);
        self.executing.push(module);
        let doubts = std::mem::take(&mut self.doubts);
        let handling = std::mem::take(&mut self.handling);
        let calls = std::mem::take(&mut self.calls);
        let called = std::mem::take(&mut self.called);
        let (begun, call_ends) = (self.steps, self.call_ends.take());
        let aside = self.aside();
        let outer_doubt = std::mem::replace(&mut self.outer_doubt, self.doubt);
        let outcome = stacker::maybe_grow(STACK_NEEDED, STACK, || self.body(module));
        self.outer_doubt = outer_doubt;
        for stop in self.back(aside) {
            self.leave(stop);
        }
        // A module that is imported within a call has time of its own.
        self.call_ends = call_ends.map(|end| end + (self.steps - begun));
        self.called = called;
        self.calls = calls;
        self.handling = handling;
        self.doubts = doubts;
        self.executing.pop();
        let status = match &outcome {
            Err(Stop::Enabled(met)) => Status::Enabled(met.clone()),
            Err(Stop::Raise(class)) => Status::Failed(class.clone()),
            _ => Status::Done,
        };
        self.status.insert(module, status);
        outcome
    }

    fn body(&mut self, module: ModuleId) -> Outcome {
        let scope = self.module_scope(module);
        let (kind, by) = self.environment.kind(module);
        match kind {
            Kind::Folder => return Ok(()),
            Kind::Bytecode => {
                self.open_scope(scope);
                self.undetermined_module(module, "it is kept as bytecode alone".to_owned());
                return Ok(());
            }
            Kind::Source { .. } => {}
            Kind::Extension { member, source } => {
                self.load(module, by, &member)?;
                if source.is_none() {
                    self.open_scope(scope);
                    return Ok(());
                }
            }
        }
        let Some(facts) = self.environment.facts(module) else {
            self.open_scope(scope);
            self.undetermined_module(module, "its file is not at hand".to_owned());
            return Ok(());
        };
        if let Some(problem) = &facts.problem {
            self.open_scope(scope);
            self.undetermined_module(module, problem.clone());
        }
        let frame = Frame::of(module, scope);
        self.block(&frame, &facts.body)
    }

    fn undetermined_module(&mut self, module: ModuleId, reason: String) {
        let met = self.met(module);
        self.undetermined.get_or_insert((met, reason));
    }

    /// Loads an extension module.
    fn load(&mut self, module: ModuleId, by: Option<usize>, member: &str) -> Outcome {
        self.seen_extensions.insert(module);
        let Some(by) = by else { return Ok(()) };
        self.load_group(module, by)?;
        let Some(extension) = self.environment.extension(by, member) else {
            if self.environment.is_inspected(by) {
                // A library without a hook.
                return self.raise(Value::standard("builtins.ImportError"));
            }
            self.undetermined_module(module, "it was not inspected".to_owned());
            return Ok(());
        };
        match extension.gil {
            Gil::KeepsOff => {}
            Gil::Undetermined => {
                self.undetermined_module(module, "what loading it does is not known".to_owned());
            }
            Gil::Enables => {
                let met = self.met(module);
                if !self.explores {
                    return Err(Stop::Enabled(Box::new(met)));
                }
                self.enabling.get_or_insert(met);
            }
        }
        let mentions = extension.mentions.clone();
        for mention in mentions {
            if let Some(found) = self.environment.find(&mention)
                && found != module
            {
                self.fork(2, |run, way| match way {
                    0 => run.import_dotted(&mention, Some(module), None).map(|_| ()),
                    _ => Ok(()),
                })?;
            }
        }
        Ok(())
    }

    /// What mypyc compiles together lies in one module, which the others load first; it is named
    /// by a digest or after a package, with `__mypyc` behind (`mypyc/namegen.py`).
    fn load_group(&mut self, module: ModuleId, by: usize) -> Outcome {
        let name = self.environment.name(module);
        if name.ends_with("__mypyc") {
            return Ok(());
        }
        let groups = self.environment.groups(by);
        match groups.as_slice() {
            [] => Ok(()),
            [group] if self.environment.has_source_beside(module) => {
                self.import_module(*group, Some(module), None).map(|_| ())
            }
            several => {
                let several = several.to_vec();
                self.fork(several.len() + 1, |run, way| match several.get(way) {
                    Some(group) => run.import_module(*group, Some(module), None).map(|_| ()),
                    None => Ok(()),
                })
            }
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
        let package = beginning.and_then(|text| text.rsplit_once('.')).map(|(package, _)| package);
        let Some(package) = package.filter(|package| !package.is_empty()) else {
            self.computed_anywhere(frame);
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
        Ok(Value::Unknown)
    }

    /// Nothing is known of the name: what it may lead to is what its own package holds.
    fn computed_anywhere(&mut self, frame: &Frame) {
        if self.explores {
            return;
        }
        let own = self.environment.name(frame.module);
        let top = own.split('.').next().unwrap_or(&own);
        if let Some(enabling) = self.environment.first_enabling_below(top) {
            let name = self.environment.name(enabling);
            self.unknown.get_or_insert_with(|| {
                format!("{own} imports a module by a computed name, which may be {name}")
            });
        }
    }

    /// `sys.modules[name] = value`
    pub(super) fn replace_module(&mut self, name: &Value, value: Value) {
        if let Value::Text(name) = name {
            self.replaced.insert(name.to_string(), value);
        }
    }

    /// What `__getattr__` made from a table gives.
    pub(super) fn from_table(&mut self, table: &Rc<Table>, name: &Value) -> Outcome<Value> {
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

impl Met {
    /// The names of the chain.
    pub(in crate::imports) fn names(
        &self,
        environment: &crate::imports::environment::Environment,
    ) -> Vec<String> {
        self.chain.iter().map(|module| environment.name(*module)).collect()
    }
}
