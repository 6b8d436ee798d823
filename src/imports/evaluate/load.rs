//! Modules that are executed: their files loaded, their bodies run, each once.

use super::value::Value;
use super::{Frame, MAX_IMPORTS, Outcome, Run, STACK, STACK_NEEDED, Status, Stop};
use crate::imports::environment::{Kind, ModuleId};
use crate::imports::facts::At;
use crate::imports::mentions;
use crate::model::evidence::Gil;

impl Run<'_> {
    /// Notes that a module is imported, by the code of `from`.
    ///
    /// Whoever is executed imports it, even where a function of another module does that for it.
    pub(super) fn edge(&mut self, from: Option<ModuleId>, to: ModuleId, at: Option<At>) {
        if let (Some(watched), Some(at)) = (&mut self.watched, at)
            && watched.module == from
        {
            watched.made.entry(at).or_default().insert(to);
        }
        let executed = self.executing.last().copied().or(from);
        let Some(from) = executed.filter(|from| *from != to) else { return };
        let certain = self.is_certain_here();
        self.edges.add(from, to, certain);
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

    pub(super) fn execute(&mut self, module: ModuleId) -> Outcome {
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
            self.cut_short = true;
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

    pub(super) fn body(&mut self, module: ModuleId) -> Outcome {
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

    pub(super) fn undetermined_module(&mut self, module: ModuleId, reason: String) {
        let met = self.met(module);
        self.untold.insert(module);
        self.undetermined.get_or_insert((met, reason));
    }

    /// Loads an extension module.
    pub(super) fn load(&mut self, module: ModuleId, by: Option<usize>, member: &str) -> Outcome {
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
                self.untold.insert(module);
                if !self.explores {
                    return Err(Stop::Enabled(Box::new(met)));
                }
                self.enabling.get_or_insert(met);
            }
        }
        let mentions = self.environment.mentioned(module, extension);
        for mention in mentions.iter() {
            if mentions::is_anything(mention) {
                self.computed_anywhere(module);
                continue;
            }
            self.fork(2, |run, way| match way {
                0 => run.import_dotted(mention, Some(module), None).map(|_| ()),
                _ => Ok(()),
            })?;
        }
        Ok(())
    }

    /// What mypyc compiles together lies in one module, which the others load first; it is named
    /// by a digest or after a package, with `__mypyc` behind (`mypyc/namegen.py`).
    pub(super) fn load_group(&mut self, module: ModuleId, by: usize) -> Outcome {
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
}
