//! Which modules may lead to some others, told by what stands in them, without executing anything.
//!
//! To execute a module takes much longer than to look through it, and of all that is installed little
//! leads to the modules that matter. What is found here is more than what leads there: every import on
//! any way counts, and every text that could be the name of a module.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::environment::{Environment, Kind, ModuleId};
use super::mentions;
use super::search::{imports, texts};

impl Environment {
    /// The modules that may lead to one of `goals` when they are executed or their functions called,
    /// those themselves included. `begins` says which are looked through whether or not others name
    /// them.
    pub(super) fn may_lead(
        &self,
        goals: &[ModuleId],
        begins: impl Fn(ModuleId) -> bool,
    ) -> HashSet<ModuleId> {
        let mut named_by: HashMap<ModuleId, Vec<ModuleId>> = HashMap::new();
        let mut leading: Vec<ModuleId> = goals.to_vec();
        let mut waiting: Vec<ModuleId> = self.modules().filter(|module| begins(*module)).collect();
        let mut seen: HashSet<ModuleId> = waiting.iter().copied().collect();
        while let Some(module) = waiting.pop() {
            if self.is_folder(module) {
                continue;
            }
            // One of which nothing is known may name any.
            let Some(named) = self.named_by(module) else {
                leading.push(module);
                continue;
            };
            for other in named {
                named_by.entry(other).or_default().push(module);
                if seen.insert(other) {
                    waiting.push(other);
                }
            }
        }
        let mut found = HashSet::new();
        while let Some(module) = leading.pop() {
            if found.insert(module) {
                leading.extend(named_by.remove(&module).unwrap_or_default());
            }
        }
        found
    }

    /// The modules that executing one may execute; `None` where that is not known.
    fn named_by(&self, module: ModuleId) -> Option<BTreeSet<ModuleId>> {
        let mut named = BTreeSet::new();
        // Packages are executed before what lies in them.
        named.extend(self.parent(module));
        let (kind, by) = self.kind(module);
        if let Kind::Extension { member, .. } = &kind {
            let mentioned = by.and_then(|by| self.extension(by, member));
            // One that was not inspected is undetermined, and a goal itself.
            for name in mentioned.map(|one| self.mentioned(module, one)).iter().flat_map(|it| &**it)
            {
                if mentions::is_anything(name) {
                    return None;
                }
                named.extend(self.below(name));
            }
            named.extend(by.into_iter().flat_map(|by| self.groups(by)));
        }
        match (self.facts(module), kind) {
            (Some(facts), _) => {
                for importing in imports(&facts.body) {
                    named.extend(self.targets(module, &importing.what));
                }
                let package = self.find(&self.package_of(module));
                for text in texts(&facts.body) {
                    named.extend(self.meant(package, text));
                }
            }
            (None, Kind::Extension { source: None, .. }) => {}
            (None, _) => return None,
        }
        Some(named)
    }

    /// The modules that a text may mean: by their whole name or from a package, and where it ends in
    /// a dot all that lie in that package.
    fn meant(&self, package: Option<ModuleId>, text: &str) -> Vec<ModuleId> {
        let name = text.trim_matches('.');
        if name.is_empty() || !name.split('.').all(is_name) {
            return Vec::new();
        }
        let whole = self.below(name);
        let mut found: Vec<ModuleId> = package
            .and_then(|package| {
                name.split('.').try_fold(package, |id, part| self.child(Some(id), part))
            })
            .into_iter()
            .collect();
        if text.ends_with('.') {
            let last = whole.last().copied().filter(|_| self.find(name).is_some());
            found.extend(last.into_iter().flat_map(|id| self.children(id).collect::<Vec<_>>()));
        }
        found.extend(whole);
        found
    }

    /// The packages and modules along a dotted name, as far as there are any.
    fn below(&self, name: &str) -> Vec<ModuleId> {
        let mut found = Vec::new();
        let mut id = None;
        for part in name.split('.') {
            let Some(child) = self.child(id, part) else { break };
            found.push(child);
            id = Some(child);
        }
        found
    }
}

/// Whether a module may be called so: most texts are none.
fn is_name(part: &str) -> bool {
    !part.is_empty() && !part.contains(|letter: char| letter.is_whitespace() || letter == '/')
}
