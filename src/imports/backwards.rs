//! Following imports backwards from the modules that matter.
//!
//! To execute a module takes much longer than to look through its file, that longer than to look for words
//! in it, and of all that is installed little leads to the modules that matter. So of the files that hold a
//! module's name it is looked whether they name it; those that do are executed; and from those that came to
//! it that way, it goes on the same.
//!
//! What was executed for a report and did not come there is not executed again: only its functions may.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::cores::on_all_cores;
use super::environment::{Environment, ModuleId};
use super::evaluate::Run;
use super::words::Words;

/// What is known on the way.
pub(super) struct Backwards<'e> {
    environment: &'e Environment,
    words: Words<'e>,
    /// The modules that were executed to their end without leading to any that matters.
    fine: HashSet<ModuleId>,
    /// What every module that was looked at names, backwards.
    named_by: HashMap<ModuleId, Vec<ModuleId>>,
    looked_at: HashSet<ModuleId>,
    /// What those may import that did not lead there, where names are asked of them.
    for_names: HashMap<ModuleId, BTreeSet<ModuleId>>,
    /// All that was executed beside.
    pub(super) run: Run<'e>,
}

/// The modules of one question.
struct Part {
    /// All that may lead to what is asked for.
    all: HashSet<ModuleId>,
    /// Those that are among them only where others name them, and have not been so far.
    aside: HashSet<ModuleId>,
}

impl<'e> Backwards<'e> {
    pub(super) fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            words: Words::new(environment),
            fine: environment.fine(),
            named_by: HashMap::new(),
            looked_at: HashSet::new(),
            for_names: HashMap::new(),
            run: Run::exploring(environment),
        }
    }

    /// Executes the modules that lead to one of `goals`, and gives those that name one that does. `begins`
    /// says which modules count whether or not others name them.
    pub(super) fn follow(
        &mut self,
        goals: &[ModuleId],
        begins: impl Fn(ModuleId) -> bool,
    ) -> BTreeSet<ModuleId> {
        let part = self.read(begins);
        let mut naming = BTreeSet::new();
        // What leads there when it is executed, and beside it what may where names are asked of it.
        let (mut leading, mut for_names) = (HashSet::new(), HashSet::new());
        let mut waiting = self.run.edges.leading_to(goals.iter().copied(), &mut leading);
        while !waiting.is_empty() {
            let may_name: BTreeSet<ModuleId> = waiting
                .iter()
                .flat_map(|module| self.words.may_name(*module))
                .filter(|module| part.all.contains(module))
                .collect();
            self.look_at(&may_name.into_iter().collect::<Vec<_>>());
            let named_by = waiting.iter().filter_map(|module| self.named_by.get(module));
            let named_by: BTreeSet<ModuleId> =
                named_by.flatten().copied().filter(|module| part.all.contains(module)).collect();
            for module in named_by.iter().filter(|module| !self.fine.contains(*module)) {
                self.run.explore(*module);
            }
            let new = self.run.edges.take_new().into_iter();
            let new: Vec<_> =
                new.filter_map(|(from, to)| leading.contains(&to).then_some(from)).collect();
            waiting = self.run.edges.leading_to(new, &mut leading);
            for module in named_by.iter().filter(|module| !leading.contains(*module)) {
                let imported = self.for_names.entry(*module);
                let imported =
                    imported.or_insert_with(|| self.environment.imported_for_names(*module));
                let leads = |id: &ModuleId| leading.contains(id) || for_names.contains(id);
                if imported.iter().any(leads) && for_names.insert(*module) {
                    waiting.push(*module);
                }
            }
            naming.extend(named_by);
        }
        naming
    }

    /// Reads the words of all modules that count: those that begin, and the programs and tests that these
    /// name.
    fn read(&mut self, begins: impl Fn(ModuleId) -> bool) -> Part {
        let environment = self.environment;
        let modules = environment.modules().filter(|module| !environment.is_folder(*module));
        let (mut next, aside): (Vec<_>, Vec<_>) = modules.partition(|module| begins(*module));
        let mut part = Part { all: HashSet::new(), aside: aside.into_iter().collect() };
        while !next.is_empty() {
            part.all.extend(&next);
            let (with_text, mut now): (Vec<_>, Vec<_>) =
                next.iter().partition(|module| environment.has_text(**module));
            self.words.read(&with_text);
            now.extend(with_text.into_iter().filter(|module| self.words.may_name_aside(*module)));
            self.look_at(&now);
            let named = |module: &ModuleId| self.named_by.contains_key(module);
            next = part.aside.extract_if(named).collect();
        }
        part
    }

    /// Finds out what these modules name.
    fn look_at(&mut self, modules: &[ModuleId]) {
        let new: Vec<ModuleId> =
            modules.iter().copied().filter(|module| self.looked_at.insert(*module)).collect();
        let look = |at: usize| new.get(at).map(|module| self.environment.named_by(*module));
        let named = on_all_cores(new.len(), look);
        for (module, named) in new.into_iter().zip(named) {
            for named in named.into_iter().flatten() {
                self.named_by.entry(named).or_default().push(module);
            }
        }
    }
}
