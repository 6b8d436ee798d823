//! The extension modules of a wheel or a folder, inspected with the libraries they hang on.
//!
//! Inspecting fetches nothing: it says which files it lacks. Here it is asked again once they are
//! at hand, wherever they come from, which a [`Members`] knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use crate::inspect::filename::ExtensionFile;
use crate::inspect::libraries::Libraries;
use crate::inspect::{Inspection, Interpreter, inspect};
use crate::model::evidence::{Evidence, Gil, ModuleReport};

/// Rounds of getting what answers hang on. Each follows one link of a chain of libraries that need
/// libraries, which are a few links long.
pub const MAX_ROUNDS: usize = 32;

/// The files of a wheel or a folder.
pub trait Members: Sized {
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

    /// The same files for another thread; `None` where they are read one at a time.
    fn another(&self) -> Option<Self> {
        None
    }
}

/// What happens beside the inspection of modules.
pub trait Beside: Sync {
    /// Lets one more thread work as long as it is held.
    type Permit: Send;

    /// A permit, where there is one just now.
    fn permit(&self) -> Option<Self::Permit>;

    /// Takes the bytes of a module that was read.
    fn look(&self, member: usize, bytes: &[u8]);

    /// Told once this thread only waits for the others.
    fn wait(&self);
}

/// Nothing.
impl Beside for () {
    type Permit = ();

    fn permit(&self) -> Option<()> {
        None
    }

    fn look(&self, _: usize, _: &[u8]) {}

    fn wait(&self) {}
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

    /// Looks at every module that has no answer yet, with the libraries that it lacked: on this thread,
    /// and on as many others as `beside` permits.
    ///
    /// # Errors
    /// Those of `members`.
    pub fn round<M>(&mut self, members: &mut M, beside: &impl Beside) -> Result<(), M::Error>
    where
        M: Members<Error: Send> + Send,
    {
        let pending = std::mem::take(&mut self.pending);
        let lacking: BTreeSet<&String> = pending.iter().flat_map(|module| &module.needs).collect();
        for name in lacking {
            if let Some(member) = self.places.get(name) {
                self.libraries.insert(name.clone(), members.read(*member)?);
            }
        }
        let round = Round {
            check: self,
            members: Mutex::new(members),
            beside,
            pending: &pending,
            next: AtomicUsize::new(0),
            done: Mutex::default(),
        };
        std::thread::scope(|scope| {
            while round.is_left(1) {
                while round.is_left(2)
                    && let Some(permit) = beside.permit()
                {
                    let round = &round;
                    let mut own = round.members().another();
                    let help = move || {
                        let _permit = permit;
                        while round.step(own.as_mut()) {}
                    };
                    if Builder::new().spawn_scoped(scope, help).is_err() {
                        // Where no thread is to be had, this one does it.
                        break;
                    }
                }
                round.step(None);
            }
            beside.wait();
        });
        let done = round.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        // In the order of the modules, so that of several errors always the same is told.
        let found = done.into_iter().map(|(at, outcome)| Ok((at, outcome?)));
        let mut found = found.collect::<Result<BTreeMap<usize, Inspection>, M::Error>>()?;
        for (at, Pending { file, interpreter, .. }) in pending.into_iter().enumerate() {
            match found.remove(&at) {
                Some(Inspection::Module(report)) => self.reports.push(*report),
                Some(Inspection::NotAModule) => {}
                Some(Inspection::Needs(needs)) => {
                    self.pending.push(Pending { file, interpreter, needs });
                }
                None => {
                    self.reports.push(undetermined(file, "there is no such member".to_owned()));
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

/// What one was found to be, or why it could not be read.
type Looked<M> = Result<Inspection, <M as Members>::Error>;

/// The modules of one round, which threads take one after the other.
struct Round<'r, M: Members, B> {
    check: &'r ModuleCheck,
    /// For the threads that have none of their own.
    members: Mutex<&'r mut M>,
    beside: &'r B,
    pending: &'r [Pending],
    next: AtomicUsize,
    done: Mutex<BTreeMap<usize, Looked<M>>>,
}

impl<'r, M: Members, B: Beside> Round<'r, M, B> {
    /// Whether so many modules were not begun yet.
    fn is_left(&self, count: usize) -> bool {
        self.next.load(Ordering::Relaxed).saturating_add(count) <= self.pending.len()
    }

    fn members(&self) -> MutexGuard<'_, &'r mut M> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the next module, read from `own` members where there are such. Returns whether there was
    /// one.
    fn step(&self, own: Option<&mut M>) -> bool {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(Pending { file, interpreter, .. }) = self.pending.get(at) else { return false };
        let Some(member) = self.check.places.get(&file.member) else { return true };
        let bytes = match own {
            Some(own) => own.read(*member),
            None => self.members().read(*member),
        };
        let outcome = bytes.map(|bytes| {
            self.beside.look(*member, &bytes);
            inspect(file, &bytes, &self.check.libraries, *interpreter)
        });
        if outcome.is_err() {
            // No answer is given for the others then.
            self.next.store(self.pending.len(), Ordering::Relaxed);
        }
        self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, outcome);
        true
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
pub fn check_all<M>(
    members: &mut M,
    modules: impl IntoIterator<Item = (ExtensionFile, Interpreter)>,
) -> Result<Vec<ModuleReport>, M::Error>
where
    M: Members<Error: Send> + Send,
{
    let mut check = ModuleCheck::new(members, modules);
    for _ in 0..MAX_ROUNDS {
        if check.wanted().is_empty() {
            break;
        }
        check.round(members, &())?;
    }
    Ok(check.finish())
}
