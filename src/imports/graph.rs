//! What leads to a module: the imports of all modules, followed backwards.
//!
//! Every module is executed once, with what it imports, and every import on any way is an edge; those
//! in functions that were not called are made later, if at all.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::environment::{Environment, ModuleId};
use super::evaluate::Run;
use super::facts::{Expression, Statement};
use super::search::imports_of_functions;
use crate::model::imports::{How, ImportChain, Reach};

/// The imports of all modules.
pub struct Graph {
    /// For each module those that import it when they are executed, and whether they certainly do.
    importers: HashMap<ModuleId, BTreeMap<ModuleId, bool>>,
    /// For each module those with functions that import it.
    later: HashMap<ModuleId, BTreeSet<ModuleId>>,
}

/// A step towards the module that is asked for.
#[derive(Clone, Copy)]
struct Hop {
    next: Option<ModuleId>,
    certain: bool,
}

impl Environment {
    /// Executes every module for its imports.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let mut run = Run::exploring(self);
        let mut graph = Graph { importers: HashMap::new(), later: HashMap::new() };
        for module in self.modules() {
            if !self.is_folder(module) && !is_program(&self.name(module)) {
                run.explore(module);
            }
        }
        for edge in run.edges.values() {
            graph.importers.entry(edge.to).or_default().insert(edge.from, edge.certain);
        }
        for module in self.modules() {
            let Some(facts) = self.facts(module) else { continue };
            for statement in imports_of_functions(&facts.body) {
                for target in self.targets(module, statement) {
                    let known =
                        graph.importers.get(&target).is_some_and(|by| by.contains_key(&module));
                    if target != module && !known {
                        graph.later.entry(target).or_default().insert(module);
                    }
                }
            }
        }
        graph
    }

    /// The modules that an import names, with the packages that they lie in.
    pub(super) fn targets(&self, module: ModuleId, statement: &Statement) -> Vec<ModuleId> {
        let mut names: Vec<String> = Vec::new();
        match statement {
            Statement::Import(import) => {
                names.extend(import.names.iter().map(|alias| alias.0.to_string()));
            }
            Statement::From(from) => {
                let Some(base) = self.absolute(module, from.level, &from.module) else {
                    return Vec::new();
                };
                names.extend(from.names.iter().map(|alias| format!("{base}.{}", alias.0)));
                names.push(base);
            }
            Statement::Expression(Expression::Call(call))
            | Statement::Assign(_, Expression::Call(call)) => {
                if let Some(Expression::Text(name)) = call.arguments.first() {
                    let level = name.len() - name.trim_start_matches('.').len();
                    let level = u32::try_from(level).unwrap_or(0);
                    names.extend(self.absolute(module, level, name.trim_start_matches('.')));
                }
            }
            _ => {}
        }
        let mut targets = Vec::new();
        for name in names {
            let mut id = None;
            for part in name.split('.') {
                let Some(child) = self.child(id, part) else { break };
                targets.push(child);
                id = Some(child);
            }
        }
        targets
    }

    /// What leads to a module; `None` where there is no module of that name.
    ///
    /// Of every package the shortest chain from one of its top-level names, or where none leads
    /// there, from a module that no other of its modules on the way imports, or from one with a
    /// function that does. Packages in `first` come first.
    #[must_use]
    pub fn reach(&self, graph: &Graph, module: &str, first: &[String]) -> Option<Reach> {
        let goal = self.find(module)?;
        let hops = graph.towards(goal);
        let mut by_package: BTreeMap<usize, Vec<ModuleId>> = BTreeMap::new();
        for id in hops.keys() {
            if let (_, Some(by)) = self.kind(*id) {
                by_package.entry(by).or_default().push(*id);
            }
        }
        let mut chains = Vec::new();
        for (by, mut modules) in by_package {
            modules.sort_by_key(|id| self.name(*id));
            chains.extend(self.chain_of_package(graph, by, &modules, &hops, goal));
        }
        let with_imports: BTreeSet<String> =
            chains.iter().map(|chain| chain.package.clone()).collect();
        for chain in self.later_chains(graph, &hops) {
            if !with_imports.contains(&chain.package) {
                chains.push(chain);
            }
        }
        chains.sort_by_key(|chain| {
            let place = first.iter().position(|name| *name == chain.package);
            (place.unwrap_or(usize::MAX), chain.how, chain.modules.len(), chain.package.clone())
        });
        let how = chains.iter().map(|chain| chain.how).min().unwrap_or(How::NotFound);
        Some(Reach { module: module.to_owned(), how, chains })
    }

    fn chain_of_package(
        &self,
        graph: &Graph,
        package: usize,
        modules: &[ModuleId],
        hops: &HashMap<ModuleId, Hop>,
        goal: ModuleId,
    ) -> Option<ImportChain> {
        let inside: HashSet<ModuleId> = modules.iter().copied().collect();
        let at_top = modules.iter().filter(|id| {
            let name = self.name(**id);
            // Another run than the one for the graph: what it says is what is reported.
            self.parent(**id).is_none() && self.import_report(&name).enables_gil != Some(false)
        });
        let tops: Vec<ModuleId> = at_top.copied().collect();
        let (how, starts) = if tops.is_empty() {
            let outermost = modules.iter().filter(|id| {
                let imported_here = graph
                    .importers
                    .get(id)
                    .is_some_and(|by| by.keys().any(|one| inside.contains(one)));
                **id != goal && !imported_here && self.parent(**id).is_some()
            });
            let mut outermost: Vec<ModuleId> = outermost.copied().collect();
            if outermost.is_empty() {
                // All of them import one another.
                outermost.extend(modules.iter().copied().filter(|id| *id != goal));
            }
            (How::Submodule, outermost)
        } else {
            (How::Import, tops)
        };
        let chains = starts.into_iter().map(|start| self.follow(start, hops));
        // Names with an underscore are not meant to be imported from outside.
        let shortest = chains.min_by_key(|(modules, certain)| {
            let start = modules.first().map_or("", String::as_str);
            let hidden = start.split('.').any(|part| part.starts_with('_') || part == "tests");
            (hidden, modules.len(), !certain, start.to_owned())
        });
        let (modules, certain) = shortest?;
        Some(ImportChain {
            package: self.distribution_name(package).to_owned(),
            how,
            certain,
            modules,
        })
    }

    /// The chain from a module to the goal, and whether every step is certain.
    fn follow(&self, start: ModuleId, hops: &HashMap<ModuleId, Hop>) -> (Vec<String>, bool) {
        let mut names = Vec::new();
        let mut certain = true;
        let mut next = Some(start);
        while let Some(id) = next {
            names.push(self.name(id));
            let hop = hops.get(&id).copied();
            next = hop.and_then(|hop| hop.next);
            certain &= hop.is_some_and(|hop| hop.certain);
        }
        (names, certain)
    }

    /// Of each package the shortest chain that begins in a function.
    fn later_chains(&self, graph: &Graph, hops: &HashMap<ModuleId, Hop>) -> Vec<ImportChain> {
        let mut shortest: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for target in hops.keys() {
            for from in graph.later.get(target).into_iter().flatten() {
                let (_, Some(by)) = self.kind(*from) else { continue };
                let mut modules = vec![self.name(*from)];
                modules.extend(self.follow(*target, hops).0);
                let package = self.distribution_name(by).to_owned();
                let known = shortest.get(&package);
                if known.is_none_or(|known| (modules.len(), &modules) < (known.len(), known)) {
                    shortest.insert(package, modules);
                }
            }
        }
        let chain =
            |(package, modules)| ImportChain { package, how: How::Later, certain: false, modules };
        shortest.into_iter().map(chain).collect()
    }
}

impl Graph {
    /// From every module that leads to the goal when it is executed, the next one on the shortest
    /// way.
    fn towards(&self, goal: ModuleId) -> HashMap<ModuleId, Hop> {
        let mut hops = HashMap::from([(goal, Hop { next: None, certain: true })]);
        let mut waiting = VecDeque::from([goal]);
        while let Some(id) = waiting.pop_front() {
            for (from, certain) in self.importers.get(&id).into_iter().flatten() {
                if !hops.contains_key(from) {
                    hops.insert(*from, Hop { next: Some(id), certain: *certain });
                    waiting.push_back(*from);
                }
            }
        }
        hops
    }
}

/// Whether it is executed as a program and not imported.
fn is_program(name: &str) -> bool {
    name == "__main__" || name.ends_with(".__main__")
}
