//! The extension modules of a wheel or a folder, inspected with the libraries they hang on.
//!
//! Inspecting fetches nothing: it says which files it lacks. Here it is asked again once they are
//! at hand, wherever they come from, which a [`Members`] knows.

use std::collections::{BTreeMap, BTreeSet};

use crate::inspect::filename::ExtensionFile;
use crate::inspect::libraries::Libraries;
use crate::inspect::{Inspection, Interpreter, inspect};
use crate::model::evidence::{Evidence, Gil, ModuleReport};

/// Rounds of getting what answers hang on. Each follows one link of a chain of libraries that need
/// libraries, which are a few links long.
pub const MAX_ROUNDS: usize = 32;

/// The files of a wheel or a folder.
pub trait Members {
    /// Why one could not be read.
    type Error;

    /// Their paths, by index, with `/` between the parts.
    fn names(&self) -> &[String];

    /// How large one is, in bytes; 0 where that is not known.
    fn size(&self, member: usize) -> u64;

    /// The bytes of one, which is at hand.
    ///
    /// # Errors
    /// Where it is damaged, or gone.
    fn read(&mut self, member: usize) -> Result<Vec<u8>, Self::Error>;
}

/// Modules on the way to their answers, carried from round to round.
pub struct ModuleCheck {
    libraries: Libraries,
    /// Indexes of the members by their paths.
    places: BTreeMap<String, usize>,
    pending: Vec<Pending>,
    reports: Vec<ModuleReport>,
}

/// A module without an answer.
struct Pending {
    file: ExtensionFile,
    interpreter: Interpreter,
    /// The paths of the libraries that it lacks.
    needs: Vec<String>,
}

impl ModuleCheck {
    /// A check of `modules`, each for its interpreter, among these members.
    #[must_use]
    pub fn new(
        members: &impl Members,
        modules: impl IntoIterator<Item = (ExtensionFile, Interpreter)>,
    ) -> Self {
        let names = members.names();
        let sizes = (0..names.len()).map(|at| members.size(at));
        let places = names.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        let pending = modules
            .into_iter()
            .map(|(file, interpreter)| Pending { file, interpreter, needs: Vec::new() })
            .collect();
        Self {
            libraries: Libraries::named(names.iter().cloned().zip(sizes)),
            places,
            pending,
            reports: Vec::new(),
        }
    }

    /// The members that the next round reads: all modules for the first one, then libraries. None
    /// where every module has its answer.
    #[must_use]
    pub fn wanted(&self) -> Vec<usize> {
        let lacks_nothing = |module: &&Pending| module.needs.is_empty();
        let modules = self.pending.iter().filter(lacks_nothing).map(|module| &module.file.member);
        let libraries = self.pending.iter().flat_map(|module| &module.needs);
        let members: BTreeSet<usize> =
            modules.chain(libraries).filter_map(|name| self.places.get(name)).copied().collect();
        members.into_iter().collect()
    }

    /// Looks at every module that has no answer yet, with the libraries that it lacked.
    ///
    /// # Errors
    /// Those of `members`.
    pub fn round<M: Members>(&mut self, members: &mut M) -> Result<(), M::Error> {
        let pending = std::mem::take(&mut self.pending);
        let lacking: BTreeSet<&String> = pending.iter().flat_map(|module| &module.needs).collect();
        for name in lacking {
            if let Some(member) = self.places.get(name) {
                self.libraries.insert(name.clone(), members.read(*member)?);
            }
        }
        for Pending { file, interpreter, .. } in pending {
            let Some(member) = self.places.get(&file.member) else {
                let reason = "there is no such member".to_owned();
                self.reports.push(undetermined(file, reason));
                continue;
            };
            let bytes = members.read(*member)?;
            match inspect(&file, &bytes, &self.libraries, interpreter) {
                Inspection::Module(report) => self.reports.push(*report),
                Inspection::NotAModule => {}
                Inspection::Needs(needs) => {
                    self.pending.push(Pending { file, interpreter, needs });
                }
            }
        }
        Ok(())
    }

    /// The answers, sorted by name. Modules that still lack something are undetermined.
    #[must_use]
    pub fn finish(self) -> Vec<ModuleReport> {
        let mut reports = self.reports;
        // Libraries that need libraries without an end.
        reports.extend(self.pending.into_iter().map(|module| {
            let reason =
                format!("it needs too many libraries, such as {}", module.needs.join(", "));
            undetermined(module.file, reason)
        }));
        reports.sort_by(|a, b| (&a.module, &a.member).cmp(&(&b.module, &b.member)));
        reports
    }
}

/// A module of which nothing was found out.
fn undetermined(file: ExtensionFile, reason: String) -> ModuleReport {
    ModuleReport {
        module: file.module,
        member: file.member,
        gil: Gil::Undetermined,
        init: None,
        subinterpreters: None,
        reason: Some(reason),
        evidence: Evidence::default(),
    }
}

/// All rounds, where every member is at hand.
///
/// # Errors
/// Those of `members`.
pub fn check_all<M: Members>(
    members: &mut M,
    modules: impl IntoIterator<Item = (ExtensionFile, Interpreter)>,
) -> Result<Vec<ModuleReport>, M::Error> {
    let mut check = ModuleCheck::new(members, modules);
    for _ in 0..MAX_ROUNDS {
        if check.wanted().is_empty() {
            break;
        }
        check.round(members)?;
    }
    Ok(check.finish())
}
