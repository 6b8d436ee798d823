//! Which module imports which, gathered while modules are executed.

use std::collections::{BTreeMap, HashSet};

use foldhash::HashMap;

use super::environment::ModuleId;

/// All imports that were seen.
#[derive(Default)]
pub(super) struct Edges {
    /// Whether the first certainly imports the second when it is executed.
    certain: BTreeMap<(ModuleId, ModuleId), bool>,
    importers: HashMap<ModuleId, Vec<ModuleId>>,
    /// Those that were not asked for yet.
    new: Vec<(ModuleId, ModuleId)>,
}

impl Edges {
    /// Adds one: certain where it once was.
    pub(super) fn add(&mut self, from: ModuleId, to: ModuleId, certain: bool) {
        if let Some(before) = self.certain.get_mut(&(from, to)) {
            *before |= certain;
            return;
        }
        self.certain.insert((from, to), certain);
        self.importers.entry(to).or_default().push(from);
        self.new.push((from, to));
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ModuleId, ModuleId, bool)> {
        self.certain.iter().map(|((from, to), certain)| (*from, *to, *certain))
    }

    /// Those that were added since this was asked last.
    pub(super) fn take_new(&mut self) -> Vec<(ModuleId, ModuleId)> {
        std::mem::take(&mut self.new)
    }

    /// Adds to `found` these modules and those that lead to one of them, and gives what was added.
    pub(super) fn leading_to(
        &self,
        modules: impl IntoIterator<Item = ModuleId>,
        found: &mut HashSet<ModuleId>,
    ) -> Vec<ModuleId> {
        let mut added: Vec<ModuleId> =
            modules.into_iter().filter(|module| found.insert(*module)).collect();
        let mut at = 0;
        while let Some(module) = added.get(at) {
            let importers = self.importers.get(module).into_iter().flatten();
            let new: Vec<ModuleId> = importers.copied().filter(|id| found.insert(*id)).collect();
            added.extend(new);
            at += 1;
        }
        added
    }
}
