//! Questions about the modules: what each is made from, where it lies, what is known of it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use super::{Environment, Extension, Found, Kind, MAX_VENDORED, ModuleId};
use crate::imports::facts::Facts;
use crate::imports::mentions::leading;
use crate::imports::parse::parse;
use crate::model::evidence::Gil;

impl Environment {
    /// The modules right below a package.
    pub(in crate::imports) fn children(&self, id: ModuleId) -> impl Iterator<Item = ModuleId> + '_ {
        self.node(id).into_iter().flat_map(|node| node.children.values().copied())
    }

    /// A module's dotted name.
    pub(in crate::imports) fn name(&self, id: ModuleId) -> String {
        let mut parts = Vec::new();
        let mut next = Some(id);
        while let Some(node) = next.and_then(|id| self.node(id)) {
            parts.push(node.name.as_str());
            next = node.parent;
        }
        parts.reverse();
        parts.join(".")
    }

    /// The last part of its name.
    pub(in crate::imports) fn last_part(&self, id: ModuleId) -> &str {
        self.node(id).map_or("", |node| node.name.as_str())
    }

    /// The outermost package that a module lies in; itself, where it lies in none.
    pub(in crate::imports) fn outermost(&self, id: ModuleId) -> ModuleId {
        std::iter::successors(Some(id), |id| self.parent(*id)).last().unwrap_or(id)
    }

    /// The package that a module lies in.
    pub(in crate::imports) fn parent(&self, id: ModuleId) -> Option<ModuleId> {
        self.node(id)?.parent
    }

    /// Whether modules may lie in it.
    pub(in crate::imports) fn is_package(&self, id: ModuleId) -> bool {
        self.node(id).is_some_and(|node| {
            node.package.is_found() || (!node.file.is_found() && !node.children.is_empty())
        })
    }

    /// What it is made from, and by which package.
    pub(in crate::imports) fn kind(&self, id: ModuleId) -> (Kind, Option<usize>) {
        let Some(node) = self.node(id) else { return (Kind::Folder, None) };
        let found = if node.package.is_found() { &node.package } else { &node.file };
        let first = node.distributions.iter().next().copied();
        match found {
            Found { extension: Some((_, member, by)), source, .. } => {
                let source = source.as_ref().map(|(member, _)| member.clone());
                (Kind::Extension { member: member.clone(), source }, Some(*by))
            }
            Found { source: Some((member, by)), .. } => {
                (Kind::Source { member: member.clone() }, Some(*by))
            }
            Found { bytecode: Some(by), .. } => (Kind::Bytecode, Some(*by)),
            _ => (Kind::Folder, first),
        }
    }

    /// Whether importing it executes anything: not where it is a folder alone.
    pub(in crate::imports) fn is_folder(&self, id: ModuleId) -> bool {
        matches!(self.kind(id).0, Kind::Folder)
    }

    /// What is known of an extension module; `None` where its package was not inspected or it is
    /// none.
    pub(in crate::imports) fn extension(
        &self,
        distribution: usize,
        member: &str,
    ) -> Option<&Extension> {
        let at = self.extensions.get(&(distribution, member.to_owned()))?;
        self.distributions.get(distribution)?.extensions.as_ref()?.get(*at)
    }

    /// The modules that the bytes of a compiled module name, by their dotted names.
    pub(in crate::imports) fn mentioned(
        &self,
        module: ModuleId,
        extension: &Extension,
    ) -> Arc<Vec<String>> {
        let kept = self.mentioned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(&module) {
            return Arc::clone(found);
        }
        drop(kept);
        let (name, package) = (self.name(module), self.package_of(module));
        let is_module = |other: &str| self.find(other).is_some_and(|id| !self.is_folder(id));
        let found = Arc::new(leading(&name, &package, &extension.mentions, is_module));
        let mut all = self.mentioned.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(module).or_insert(found))
    }

    /// Whether a package's extension modules were looked at.
    pub(in crate::imports) fn is_inspected(&self, distribution: usize) -> bool {
        self.distributions.get(distribution).is_some_and(|one| one.extensions.is_some())
    }

    /// The normalized name of a package.
    pub(in crate::imports) fn distribution_name(&self, distribution: usize) -> &str {
        self.distributions.get(distribution).map_or("", |one| one.name.as_str())
    }

    /// Whether a package of this normalized name is there; `None` where not all are known.
    pub(in crate::imports) fn has_distribution(&self, name: &str) -> Option<bool> {
        let here = self.distributions.iter().any(|one| one.name == name);
        if !here && self.not_seen.iter().any(|(not_seen, _)| not_seen == name) {
            return None;
        }
        Some(here)
    }

    /// A package that was not looked at and may have a module of that top-level name.
    pub(in crate::imports) fn not_seen(&self, top: &str) -> Option<&str> {
        let may_have = |names: &Option<Vec<String>>| {
            names.as_ref().is_none_or(|names| names.iter().any(|name| name == top))
        };
        self.not_seen.iter().find(|(_, names)| may_have(names)).map(|(name, _)| name.as_str())
    }

    /// Modules of a package's own that would be found under a top-level name if a folder in it were
    /// searched too.
    pub(in crate::imports) fn vendored(&self, importer: ModuleId, top: &str) -> Vec<ModuleId> {
        let (_, by) = self.kind(importer);
        let nested = |id: &ModuleId| {
            self.node(*id).is_some_and(|node| {
                node.name == top
                    && node.parent.is_some()
                    && by.is_some_and(|by| node.distributions.contains(&by))
            })
        };
        self.modules().filter(nested).take(MAX_VENDORED).collect()
    }

    /// The facts of a module's Python file.
    pub(in crate::imports) fn facts(&self, id: ModuleId) -> Option<Arc<Facts>> {
        let kept = self.facts.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if kept.is_some() {
            return kept;
        }
        let (by, member) = self.text_of(id)?;
        let facts = self.distributions.get(by)?.files.facts(&member)?;
        let mut all = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(all.entry(id).or_insert(facts)))
    }

    /// The package and the path of a module's Python file.
    fn text_of(&self, id: ModuleId) -> Option<(usize, String)> {
        let (kind, by) = self.kind(id);
        match kind {
            Kind::Source { member } | Kind::Extension { source: Some(member), .. } => {
                Some((by?, member))
            }
            Kind::Extension { .. } | Kind::Folder | Kind::Bytecode => None,
        }
    }

    /// Whether a module has a Python file.
    pub(in crate::imports) fn has_text(&self, id: ModuleId) -> bool {
        self.text_of(id).is_some()
    }

    /// The bytes of a module's Python file.
    pub(in crate::imports) fn text(&self, id: ModuleId) -> Option<Cow<'_, [u8]>> {
        let (by, member) = self.text_of(id)?;
        self.distributions.get(by)?.files.source(&member)
    }

    /// The modules that were executed to their end for a question to which the answer is that nothing
    /// enables the GIL on any way.
    pub(in crate::imports) fn fine(&self) -> HashSet<ModuleId> {
        self.fine.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says that they were.
    pub(in crate::imports) fn add_fine(&self, modules: impl Iterator<Item = ModuleId>) {
        self.fine.lock().unwrap_or_else(PoisonError::into_inner).extend(modules);
    }

    /// The facts of a file beside a module's own, such as its stub.
    pub(in crate::imports) fn facts_beside(
        &self,
        id: ModuleId,
        suffix: &str,
    ) -> Option<Arc<Facts>> {
        let (kind, by) = self.kind(id);
        let Kind::Source { member } = kind else { return None };
        let member = format!("{}{suffix}", member.strip_suffix(".py")?);
        let source = self.distributions.get(by?)?.files.source(&member)?;
        Some(Arc::new(parse(&source)))
    }

    /// The modules that mypyc compiled a package's others into.
    pub(in crate::imports) fn groups(&self, distribution: usize) -> Vec<ModuleId> {
        self.groups_of.get(&distribution).cloned().unwrap_or_default()
    }

    /// Whether a compiled module has its Python file beside it.
    pub(in crate::imports) fn has_source_beside(&self, id: ModuleId) -> bool {
        matches!(self.kind(id).0, Kind::Extension { source: Some(_), .. })
    }

    /// A module whose dotted name begins so that enables the GIL, or of which it is not known.
    pub(in crate::imports) fn first_enabling_below(&self, beginning: &str) -> Option<ModuleId> {
        let package = beginning.rsplit_once('.').map_or(beginning, |(package, _)| package);
        let mut waiting = vec![self.find(package)?];
        while let Some(id) = waiting.pop() {
            if let (Kind::Extension { member, .. }, Some(by)) = self.kind(id) {
                let gil = self.extension(by, &member).map(|extension| extension.gil);
                let matters = matches!(gil, Some(Gil::Enables | Gil::Undetermined));
                if matters && self.name(id).starts_with(beginning) {
                    return Some(id);
                }
            }
            waiting.extend(self.children(id));
        }
        None
    }

    /// What stands for a file that belongs to no package.
    pub(in crate::imports) fn no_module(&self) -> ModuleId {
        ModuleId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX))
    }

    /// The package that relative imports in a module begin at; itself, where it is one.
    pub(in crate::imports) fn package(&self, module: ModuleId) -> Option<ModuleId> {
        if self.is_package(module) { Some(module) } else { self.parent(module) }
    }

    /// The name of the package that relative imports in a module begin at.
    pub(in crate::imports) fn package_of(&self, module: ModuleId) -> String {
        if self.is_package(module) {
            return self.name(module);
        }
        self.parent(module).map_or_else(String::new, |id| self.name(id))
    }

    /// The dotted name of what `from ..module` means in a module; `None` outside any package.
    pub(in crate::imports) fn absolute(
        &self,
        module: ModuleId,
        level: u32,
        name: &str,
    ) -> Option<String> {
        if level == 0 {
            return Some(name.to_owned());
        }
        relative(&self.package_of(module), level, name)
    }
}

/// `..name` seen from a package.
pub(in crate::imports) fn relative(package: &str, level: u32, name: &str) -> Option<String> {
    let mut base = package;
    for _ in 1..level {
        base = base.rsplit_once('.')?.0;
    }
    if base.is_empty() {
        return None;
    }
    Some(if name.is_empty() { base.to_owned() } else { format!("{base}.{name}") })
}
