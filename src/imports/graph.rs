//! What leads to a module: the imports of all modules, followed backwards.
//!
//! Which modules are executed for that is told in `imports/backwards.rs`. Every import on any way is an edge;
//! those in functions that were not called are made later, if at all.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::backwards::Backwards;
use super::cores::on_all_cores;
use super::environment::{Environment, ModuleId};
use super::evaluate::Run;
use super::facts::Statement;
use super::search::{Importing, imports_of_functions};
use super::words::ASIDE;
use crate::model::imports::{How, ImportChain, Reach};

/// Chains that are told of one package.
const MAX_CHAINS: usize = 3;

/// The imports of all modules that may lead to some.
#[derive(Default)]
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
        let mut graph = Graph::default();
        let mut run = Run::exploring(self);
        let modules = self.modules().filter(|module| !self.is_folder(*module));
        let modules: BTreeSet<ModuleId> = modules.collect();
        for module in &modules {
            run.explore(*module);
        }
        graph.add(&run, modules, |_| true);
        graph
    }

    /// What is needed of the graph to tell what leads to these modules: the modules that may lead
    /// there. Programs and tests of packages only where nothing else leads there, and only those of
    /// the package itself.
    #[must_use]
    pub fn graph_towards(&self, modules: &[String]) -> Graph {
        let goals: Vec<ModuleId> = modules.iter().filter_map(|name| self.find(name)).collect();
        let mut backwards = Backwards::new(self);
        let mut graph = Graph::default();
        let counts = |module: ModuleId| !is_aside(&self.name(module));
        let naming = backwards.follow(&goals, counts);
        graph.add(&backwards.run, naming, counts);
        let alone = |goal: &ModuleId| {
            !graph.importers.contains_key(goal) && !graph.later.contains_key(goal)
        };
        let alone: Vec<ModuleId> = goals.into_iter().filter(alone).collect();
        let packages: BTreeSet<_> = alone.iter().map(|goal| self.kind(*goal).1).collect();
        if !alone.is_empty() {
            let is_of_them = |module: ModuleId| packages.contains(&self.kind(module).1);
            let naming = backwards.follow(&alone, is_of_them);
            graph.add(&backwards.run, naming, is_of_them);
        }
        graph
    }

    /// The modules that an import names, with the packages that they lie in.
    pub(super) fn targets(&self, module: ModuleId, importing: &Importing<'_>) -> Vec<ModuleId> {
        let mut names: Vec<String> = Vec::new();
        match importing {
            Importing::Statement(Statement::Import(import)) => {
                names.extend(import.names.iter().map(|alias| alias.0.to_string()));
            }
            Importing::Statement(Statement::From(from)) => {
                let Some(base) = self.absolute(module, from.level, &from.module) else {
                    return Vec::new();
                };
                names.extend(from.names.iter().map(|alias| format!("{base}.{}", alias.0)));
                names.push(base);
            }
            Importing::Statement(_) => {}
            Importing::Call(_) => match importing.constant_name() {
                Some(name) => {
                    let level = name.len() - name.trim_start_matches('.').len();
                    let level = u32::try_from(level).unwrap_or(0);
                    names.extend(self.absolute(module, level, name.trim_start_matches('.')));
                }
                // A computed name: some module of the package, most of the time.
                None => {
                    let package = self.find(&self.package_of(module));
                    let children = package.into_iter().flat_map(|id| self.children(id));
                    return children.filter(|child| !self.is_folder(*child)).collect();
                }
            },
        }
        names.iter().flat_map(|name| self.below(name)).collect()
    }

    /// What leads to a module; `None` where there is no module of that name.
    ///
    /// Of every package the shortest chain from one of its top-level names, or where none leads
    /// there, from a few of its modules that can be named and lead there without another of that
    /// kind. What functions import
    /// later is told where nothing else leads there, and of packages in `first`, which come first.
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
            chains.extend(self.chains_of_package(by, &modules, &hops, goal));
        }
        chains.extend(self.reported(goal, &hops));
        let with_imports: BTreeSet<String> =
            chains.iter().map(|chain| chain.package.clone()).collect();
        for chain in self.later_chains(graph, &hops) {
            let matters = with_imports.is_empty() || first.contains(&chain.package);
            if matters && !with_imports.contains(&chain.package) {
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

    /// Top-level names of which the report alone says that they lead there, or may.
    fn reported(&self, goal: ModuleId, hops: &HashMap<ModuleId, Hop>) -> Vec<ImportChain> {
        let name = self.name(goal);
        let mut chains = Vec::new();
        for top in self.top_level().filter(|top| !hops.contains_key(top)) {
            let report = self.import_report(&self.name(top));
            let (Some(true) | None, Some(by)) = (report.enables_gil, report.by) else { continue };
            let (_, Some(package)) = self.kind(top) else { continue };
            if by == name {
                chains.push(ImportChain {
                    package: self.distribution_name(package).to_owned(),
                    how: How::Import,
                    certain: report.enables_gil == Some(true),
                    modules: report.chain,
                });
            }
        }
        chains
    }

    fn chains_of_package(
        &self,
        package: usize,
        modules: &[ModuleId],
        hops: &HashMap<ModuleId, Hop>,
        goal: ModuleId,
    ) -> Vec<ImportChain> {
        let chain = |how, certain, modules| ImportChain {
            package: self.distribution_name(package).to_owned(),
            how,
            certain,
            modules,
        };
        let mut tops: Vec<(bool, Vec<String>)> = Vec::new();
        for top in modules.iter().filter(|id| self.parent(**id).is_none()) {
            // Another run than the one for the graph: what it says is what is reported.
            let report = self.import_report(&self.name(*top));
            if report.enables_gil == Some(true) && report.by.as_ref() == Some(&self.name(goal)) {
                tops.push((true, report.chain));
            } else if report.enables_gil != Some(false) {
                let (modules, certain) = self.follow(*top, hops);
                tops.push((certain, modules));
            }
        }
        let better = |one: &(bool, Vec<String>)| (!one.0, one.1.len(), one.1.clone());
        if let Some((certain, modules)) = tops.into_iter().min_by_key(better) {
            return vec![chain(How::Import, certain, modules)];
        }
        let inside: HashSet<ModuleId> = modules.iter().copied().collect();
        // The modules that a user would name from which the rest of the way goes through others.
        let is_entry = |id: &&ModuleId| {
            let next = hops.get(id).and_then(|hop| hop.next);
            let next_is_public = next.is_some_and(|next| {
                next != goal && inside.contains(&next) && is_public(&self.name(next))
            });
            **id != goal && is_public(&self.name(**id)) && !next_is_public
        };
        let mut entries: Vec<ModuleId> = modules.iter().filter(is_entry).copied().collect();
        if entries.is_empty() {
            entries.extend(modules.iter().copied().filter(|id| *id != goal));
        }
        let chains = entries.into_iter().map(|start| self.follow(start, hops));
        let mut chains: Vec<_> = chains.map(|(modules, certain)| (certain, modules)).collect();
        chains.sort_by_key(better);
        chains.truncate(MAX_CHAINS);
        chains
            .into_iter()
            .map(|(certain, modules)| chain(How::Submodule, certain, modules))
            .collect()
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
    /// Keeps what imports what in what was executed, as far as it comes from modules that count, and what
    /// of those in `naming` functions import.
    fn add(
        &mut self,
        run: &Run<'_>,
        naming: BTreeSet<ModuleId>,
        counts: impl Fn(ModuleId) -> bool,
    ) {
        let environment = run.environment;
        let mut imported: BTreeMap<ModuleId, Vec<(ModuleId, bool)>> = BTreeMap::new();
        for (from, to, certain) in run.edges.iter() {
            imported.entry(from).or_default().push((to, certain));
        }
        let mut waiting: Vec<ModuleId> =
            imported.keys().copied().filter(|id| counts(*id)).collect();
        while let Some(from) = waiting.pop() {
            for (to, certain) in imported.remove(&from).into_iter().flatten() {
                self.importers.entry(to).or_default().insert(from, certain);
                waiting.push(to);
            }
        }
        let modules: Vec<ModuleId> = naming.into_iter().filter(|module| counts(*module)).collect();
        let later = on_all_cores(modules.len(), |at| {
            let module = *modules.get(at)?;
            let facts = environment.facts(module)?;
            let importing = imports_of_functions(&facts.body);
            let targets = importing.iter().flat_map(|one| environment.targets(module, one));
            Some((module, targets.collect::<BTreeSet<_>>()))
        });
        for (module, targets) in later.into_iter().flatten() {
            for target in targets {
                let known = self.importers.get(&target).is_some_and(|by| by.contains_key(&module));
                if target != module && !known {
                    self.later.entry(target).or_default().insert(module);
                }
            }
        }
    }

    /// From every module that leads to the goal when it is executed, the next one on the shortest
    /// way.
    fn towards(&self, goal: ModuleId) -> HashMap<ModuleId, Hop> {
        let mut hops: HashMap<ModuleId, Hop> = HashMap::new();
        // By how many steps are not certain, then by how many there are.
        let mut waiting = BTreeSet::from([(0_usize, 0_usize, goal, None, true)]);
        while let Some((doubts, steps, id, next, certain)) = waiting.pop_first() {
            if hops.contains_key(&id) {
                continue;
            }
            hops.insert(id, Hop { next, certain });
            for (from, certain) in self.importers.get(&id).into_iter().flatten() {
                if !hops.contains_key(from) {
                    let doubts = doubts + usize::from(!certain);
                    waiting.insert((doubts, steps + 1, *from, Some(id), *certain));
                }
            }
        }
        hops
    }
}

/// Whether a name is meant to be imported from outside.
fn is_public(name: &str) -> bool {
    !is_aside(name) && !name.split('.').any(|part| part.starts_with('_'))
}

/// Whether it is a program, or a test of a package: what a user's program does not name, as long as
/// it is not all there is to import.
fn is_aside(name: &str) -> bool {
    name.split('.').skip(1).any(|part| ASIDE.contains(&part))
}
