//! Which modules the file of a module names, without executing anything.
//!
//! What is found is more than what is imported: every import on any way counts, and every text that could
//! be the name of a module.

use std::collections::BTreeSet;

use super::environment::{Environment, Kind, ModuleId};
use super::facts::{Expression, Statement};
use super::search::{each_block, imports, texts};

impl Environment {
    /// The modules that one names, with the packages they lie in.
    pub(super) fn named_by(&self, module: ModuleId) -> BTreeSet<ModuleId> {
        let mut named = BTreeSet::new();
        if let (Kind::Extension { member, .. }, by) = self.kind(module) {
            let mentioned = by.and_then(|by| self.extension(by, &member));
            let mentioned = mentioned.map(|one| self.mentioned(module, one));
            for name in mentioned.iter().flat_map(|names| &**names) {
                named.extend(self.below(name));
            }
            named.extend(by.into_iter().flat_map(|by| self.groups(by)));
        }
        let Some(facts) = self.facts(module) else { return named };
        for importing in imports(&facts.body) {
            named.extend(self.targets(module, &importing.what));
        }
        let package = self.package(module);
        for text in texts(&facts.body) {
            named.extend(self.meant(package, text));
        }
        named
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
    pub(super) fn below(&self, name: &str) -> Vec<ModuleId> {
        let mut found = Vec::new();
        let mut id = None;
        for part in name.split('.') {
            let Some(child) = self.child(id, part) else { break };
            found.push(child);
            id = Some(child);
        }
        found
    }

    /// The modules that a module may import where a name is asked of it that it does not have (PEP 562).
    pub(super) fn imported_for_names(&self, module: ModuleId) -> BTreeSet<ModuleId> {
        const NAME: &str = "__getattr__";
        let mut named = BTreeSet::new();
        let Some(facts) = self.facts(module) else { return named };
        let mut waiting: Vec<&Statement> = facts.body.iter().collect();
        while let Some(statement) = waiting.pop() {
            let is_made = match statement {
                Statement::Function(function, _) if function.name == NAME => {
                    let importing = imports(&function.body);
                    named.extend(importing.iter().flat_map(|one| self.targets(module, &one.what)));
                    false
                }
                Statement::Assign(targets, _) => targets.iter().any(|target| binds(target, NAME)),
                Statement::From(from) => {
                    from.names.iter().any(|alias| alias.1.as_ref().unwrap_or(&alias.0) == NAME)
                }
                Statement::Function(..) | Statement::Class(..) => false,
                _ => {
                    each_block(statement, |block| waiting.extend(block));
                    false
                }
            };
            // Made by a lazy loader from what stands in the file.
            if is_made {
                named.extend(self.named_by(module));
            }
        }
        named
    }
}

/// Whether a target binds that name.
fn binds(target: &Expression, name: &str) -> bool {
    match target {
        Expression::Name(bound) => bound == name,
        Expression::List(inner) => inner.iter().any(|one| binds(one, name)),
        _ => false,
    }
}

/// Whether a module may be called so: most texts are none.
fn is_name(part: &str) -> bool {
    !part.is_empty() && !part.contains(|letter: char| letter.is_whitespace() || letter == '/')
}
