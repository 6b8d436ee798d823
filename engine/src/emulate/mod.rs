//! What an init function would do in a process: its instructions executed over stubbed imports.
//!
//! ```text
//! x86_64     instructions
//! aarch64    instructions
//! memory     what the process sees
//! linked     libraries in it, and what they import
//! pages      how it is kept
//! objects    what code finds in objects of the interpreter
//! process    what happened so far, and calls that leave the wheel's libraries
//! c_api      what functions of the interpreter give back
//! runtime    what functions of the C and C++ runtime give back
//! declaring  whether anything could be declared at all
//! ```
//!
//! What the interpreter would answer is not always known. The likely answer is assumed first; a run
//! that ends badly is made again with another. A run that cannot be brought to a good end says
//! nothing.

mod aarch64;
mod c_api;
mod declaring;
mod linked;
mod memory;
mod objects;
mod pages;
mod process;
mod runtime;
mod x86_64;

use std::collections::BTreeSet;

use crate::definition::RawDefinition;
use crate::image::{BASE, Image, Machine, shown};
use crate::model::evidence::Definition;
use crate::model::target::Target;
use crate::slots::{Layout, SlotArray};
use declaring::Declaring;
use linked::Linked;
use objects::{Object, PLAIN};
use process::{Process, Stop, System, Variadic};

pub(super) use linked::Loaded;
pub(super) use memory::{Fault, Memory};

/// How far code is followed.
#[derive(Debug, Clone, Copy)]
struct Budget {
    /// Instructions in one run.
    steps: u32,
    /// Instructions in all runs for one module, and in the constructors before them.
    in_all: u32,
    /// Instructions in one constructor.
    constructor: u32,
    /// Instructions in all constructors.
    constructors: u32,
    /// Pages of memory.
    pages: usize,
}

/// Enough for nearly all modules: the longest run that was met took 40,000.
const USUAL: Budget = Budget {
    steps: 500_000,
    in_all: 2_000_000,
    constructor: 20_000,
    constructors: 100_000,
    pages: 16 << 10,
};
/// For hooks that initialise a whole library first, as those do that have OpenSSL linked in: a
/// million steps.
const LONG: Budget = Budget { steps: 2_000_000, in_all: 16_000_000, ..USUAL };
/// For libraries whose constructors fill registries of thousands of functions, which the hook goes
/// through.
const LARGE: Budget = Budget {
    steps: 24_000_000,
    in_all: 48_000_000,
    constructor: 2_000_000,
    constructors: 20_000_000,
    pages: 128 << 10,
};
/// Runs with other choices, to come to a good end or to see whether the answer hangs on them.
const MAX_RUNS: usize = 64;

/// What came of running an init function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It returned a definition or slots, read from memory once it was done.
    Declares {
        declaration: Declaration,
        /// What the function of the `Py_mod_create` slot made; `None` without one.
        created: Option<Created>,
    },
    /// It returned a module that it made itself, with the last argument of
    /// `PyUnstable_Module_SetGIL` for it.
    Module(Option<u64>),
    /// It returned what cffi made for it.
    Delegated,
    /// It leaves the libraries that are here for this symbol, which nobody is known to have.
    Needs(String),
    /// It made a module, and no library that is here could declare anything for it.
    Undeclared,
    /// It could not be brought to a good end; the text says why.
    Stopped(String),
}

/// What a hook returned for the interpreter to make the module from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Declaration {
    /// `PyInit_*` returned a definition.
    Definition(RawDefinition),
    /// `PyModExport_*` returned slots.
    Slots(SlotArray),
}

impl Declaration {
    pub(super) fn slots(&self) -> Option<&SlotArray> {
        match self {
            Self::Definition(definition) => definition.slots.as_ref(),
            Self::Slots(slots) => Some(slots),
        }
    }

    pub(super) fn evidence(&self) -> Definition {
        match self {
            Self::Definition(definition) => definition.evidence(),
            Self::Slots(slots) => Definition {
                address: shown(slots.address),
                name: None,
                slots: Some(slots.evidence()),
            },
        }
    }

    /// The memory that the answer is read from: where each stretch begins, and how many bytes.
    fn stretches(&self) -> Vec<(u64, u64)> {
        match self {
            Self::Definition(definition) => definition.stretches(),
            Self::Slots(slots) => slots.stretches().to_vec(),
        }
    }
}

/// Which of the functions that the interpreter looks for is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    /// `PyInit_*`: returns a definition, or a module.
    Init,
    /// `PyModExport_*`: returns slots (PEP 793).
    Export,
}

/// What a `Py_mod_create` function made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Created {
    /// A module object.
    Module,
    /// Something that is not known to be a module.
    Other,
    /// It could not be followed; the text says why.
    Unknown(String),
}

/// A run and what came of it.
pub(super) struct Run {
    pub(super) outcome: Outcome,
    /// Instructions executed in the run that the outcome is of.
    pub(super) steps: u32,
    /// Every run failed, rather than stopped at something that is not followed.
    went_wrong: bool,
    /// It was given up for its steps alone.
    ran_out: bool,
}

/// The libraries that a hook may run in, and for which interpreter.
pub(super) struct Emulator<'p, 'd> {
    linked: Linked<'p, 'd>,
    system: (System, Variadic),
    call: Call,
    target: Target,
    declaring: Declaring,
}

/// A processor: calls a function and gives back what it returns.
type Call =
    fn(&mut Process<'_, '_, '_>, u64, [u64; 3], budget: u32, steps: &mut u32) -> Result<u64, Stop>;

impl<'p, 'd> Emulator<'p, 'd> {
    /// The first of `libraries` is the module itself, the others are those it needs, all of the
    /// wheel's where `all_here`.
    ///
    /// # Errors
    /// Where its processor is not one that is followed.
    pub(super) fn new(
        libraries: Vec<Loaded<'p, 'd>>,
        all_here: bool,
        target: Target,
    ) -> Result<Self, String> {
        let module = libraries.first().map(|library| library.image).ok_or("there is no library")?;
        let call: Call = match module.machine() {
            Machine::X86_64 => x86_64::call,
            Machine::Aarch64 => aarch64::call,
            other @ Machine::Other(_) => {
                return Err(format!("{} code is not followed yet", other.name()));
            }
        };
        let system = System::of(module.format());
        let variadic = match (system, module.machine()) {
            (System::Linux | System::MacOs, Machine::X86_64) => Variadic::X86_64,
            (System::Linux, Machine::Aarch64) => Variadic::Aarch64,
            _ => Variadic::Pointer,
        };
        let images: Vec<&Image<'_>> = libraries.iter().map(|library| library.image).collect();
        let declaring = Declaring::by(&images, all_here);
        let linked = Linked::new(libraries, |name| process::is_outside(system, name));
        Ok(Self { linked, system: (system, variadic), call, target, declaring })
    }

    /// Whether a run that was stopped might be settled once all libraries are here.
    pub(super) fn is_open(&self) -> bool {
        self.declaring == Declaring::Open
    }

    /// Runs the hook at `entry` of the library at `index`, as often as its choices ask for.
    ///
    /// The loader calls constructors before anybody calls a hook. Nearly no hook needs what they
    /// leave behind, and following them all is a long way: they come first only where a run without
    /// them came to no good end, and as far as they go only where that was of no help either.
    pub(super) fn run(&self, hook: Hook, index: usize, entry: u64) -> Run {
        let entry = linked::address_in(index, entry);
        let mut run = Runner::new(self, hook, entry, USUAL).run();
        // More steps are of no use before all libraries are here.
        if run.ran_out && !self.is_open() {
            run = Runner::new(self, hook, entry, LONG).run();
        }
        let mut libraries = self.linked.libraries.iter();
        if !run.went_wrong || libraries.all(|library| library.image.constructors().is_empty()) {
            return run;
        }
        for budget in [USUAL, LARGE] {
            let mut runner = Runner::new(self, hook, entry, budget);
            let is_whole = runner.construct();
            let after = runner.run();
            if !after.went_wrong && !after.ran_out {
                return after;
            }
            if is_whole && !after.ran_out {
                break;
            }
        }
        run
    }

    /// Whether a constructor of a library that `declaration` lies in changes what it was read from.
    /// The loader runs them before anybody calls the hook; here each is followed by itself, as far
    /// as that goes.
    pub(super) fn constructors_change(&self, hook: Hook, declaration: &Declaration) -> bool {
        let mut process = self.process(hook);
        let stretches = declaration.stretches();
        let holders: BTreeSet<usize> = stretches
            .iter()
            .filter_map(|(start, _)| process.memory.in_image(*start))
            .map(|(index, _)| index)
            .collect();
        process.memory.watch(stretches);
        for index in holders {
            let mut left = USUAL.constructors;
            self.construct(&mut process, index, USUAL.constructor, &mut left);
        }
        process.memory.is_touched()
    }

    /// Runs the constructors of the library at `index`, each for `limit` steps at most, and takes
    /// their steps from `left`. Returns whether none was cut short by that.
    fn construct(
        &self,
        process: &mut Process<'_, '_, '_>,
        index: usize,
        limit: u32,
        left: &mut u32,
    ) -> bool {
        let Some(library) = self.linked.libraries.get(index) else { return true };
        let base = linked::address_in(index, BASE);
        // DllMain does nothing unless it is told that a process takes the library in: the library's
        // address, DLL_PROCESS_ATTACH, null.
        let arguments = match self.system.0 {
            System::Windows => [base, 1, 0],
            System::Linux | System::MacOs => [0; 3],
        };
        let mut is_whole = true;
        for constructor in library.image.constructors() {
            if *left == 0 || process.memory.is_touched() {
                return false;
            }
            let mut steps = 0;
            let limit = limit.min(*left);
            let constructor = linked::address_in(index, *constructor);
            // How it ends is of no matter.
            let _ = (self.call)(process, constructor, arguments, limit, &mut steps);
            is_whole &= steps < limit;
            *left = left.saturating_sub(steps.max(1));
        }
        is_whole
    }

    fn process(&self, hook: Hook) -> Process<'_, 'p, 'd> {
        // Slots that are exported need no function to declare.
        let can_declare = self.declaring != Declaring::Impossible || hook == Hook::Export;
        Process::new(&self.linked, self.system, self.target.minor(), can_declare)
    }
}

/// Makes runs of one hook.
struct Runner<'r, 'p, 'd> {
    emulator: &'r Emulator<'p, 'd>,
    hook: Hook,
    entry: u64,
    budget: Budget,
    /// The process that each run begins in.
    before: Process<'r, 'p, 'd>,
    /// Instructions of all runs so far.
    steps: u32,
}

/// One run: what came of it, or how it went wrong.
struct Attempt {
    outcome: Result<Outcome, String>,
    steps: u32,
    /// It was given up for its steps alone.
    ran_out: bool,
    /// Choices met before it ended, or before it went wrong.
    choices_met: usize,
    /// Of these, those met before something was declared for a module.
    choices_at_declaring: usize,
}

impl<'r, 'p, 'd> Runner<'r, 'p, 'd> {
    fn new(emulator: &'r Emulator<'p, 'd>, hook: Hook, entry: u64, budget: Budget) -> Self {
        let mut before = emulator.process(hook);
        before.memory.allow(budget.pages);
        Self { emulator, hook, entry, budget, before, steps: 0 }
    }
}

impl Runner<'_, '_, '_> {
    /// Has the constructors of all libraries run before the hook. Returns whether each ran as far as
    /// it can be followed.
    fn construct(&mut self) -> bool {
        let mut left = self.budget.constructors;
        let mut is_whole = true;
        // Those of what a library needs come before its own.
        for index in (0..self.emulator.linked.libraries.len()).rev() {
            let limit = self.budget.constructor;
            is_whole &= self.emulator.construct(&mut self.before, index, limit, &mut left);
        }
        self.steps = self.steps.saturating_add(self.budget.constructors - left);
        is_whole
    }

    fn run(mut self) -> Run {
        let mut choices: Vec<usize> = Vec::new();
        let mut first_failure = None;
        let mut steps = 0;
        for _ in 0..MAX_RUNS {
            let attempt = self.attempt(&choices);
            steps = attempt.steps;
            let failure = match attempt.outcome {
                Ok(outcome) => {
                    let declaring = attempt.choices_at_declaring;
                    let numbers = (0..declaring).rev().chain(declaring..attempt.choices_met);
                    let outcome = self.confirmed(outcome, &choices, numbers);
                    let ran_out = attempt.ran_out;
                    return Run { outcome, steps, went_wrong: false, ran_out };
                }
                Err(failure) => failure,
            };
            first_failure.get_or_insert(failure);
            // The latest choice before things went wrong that was not turned yet.
            let turned = |number: &usize| !choices.contains(number);
            let Some(next) = (0..attempt.choices_met).rev().find(turned) else { break };
            // Later choices belong to another course of events.
            choices.retain(|number| *number < next);
            choices.push(next);
            if self.steps >= self.budget.in_all {
                break;
            }
        }
        let reason = first_failure.unwrap_or_else(|| "the hook comes to no end".to_owned());
        Run { outcome: Outcome::Stopped(reason), steps, went_wrong: true, ran_out: false }
    }

    fn attempt(&mut self, choices: &[usize]) -> Attempt {
        let mut process = self.before.clone();
        process.begin(choices);
        let mut steps = 0;
        let left = self.budget.in_all.saturating_sub(self.steps).max(1);
        let budget = self.budget.steps.min(left);
        let ending = (self.emulator.call)(&mut process, self.entry, [0; 3], budget, &mut steps);
        let outcome = match ending {
            Ok(value) => match gone_wrong(&process, value) {
                Some(failure) => Err(failure),
                None => self.settle(&mut process, value, budget, &mut steps),
            },
            Err(Stop::Settled) => Ok(Outcome::Undeclared),
            Err(Stop::Needs(name)) => Ok(Outcome::Needs(name)),
            Err(Stop::Reason(reason)) => Ok(Outcome::Stopped(reason)),
            Err(Stop::Failure(failure)) => Err(failure),
        };
        self.steps = self.steps.saturating_add(steps);
        let met = process.choices_met();
        let at_error = process.choices_at_error.filter(|_| outcome.is_err());
        let choices_at_declaring = process.choices_at_declaring.unwrap_or(0);
        let ran_out = steps >= budget && outcome.as_ref().is_ok_and(|it| it.kind().is_none());
        Attempt {
            outcome,
            steps,
            ran_out,
            choices_met: at_error.unwrap_or(met),
            choices_at_declaring,
        }
    }

    /// What the value that the hook returned stands for.
    fn settle(
        &self,
        process: &mut Process<'_, '_, '_>,
        value: u64,
        budget: u32,
        steps: &mut u32,
    ) -> Result<Outcome, String> {
        let target = self.emulator.target;
        let read = match self.hook {
            Hook::Export => {
                let slots = SlotArray::read(&mut process.memory, value, Layout::Flagged, target);
                Some(slots.map(Declaration::Slots))
            }
            Hook::Init if process.definitions.contains(&value) => {
                let definition = RawDefinition::read(&mut process.memory, value, target);
                Some(definition.map(Declaration::Definition))
            }
            Hook::Init => None,
        };
        if let Some(read) = read {
            let declaration = match read {
                Ok(declaration) => declaration,
                Err(reason) => return Ok(Outcome::Stopped(reason)),
            };
            let created = match declaration.slots().and_then(SlotArray::create) {
                None => None,
                Some(function) => Some(self.create(process, function, value, budget, steps)?),
            };
            return Ok(Outcome::Declares { declaration, created });
        }
        if let Some(made) = process.modules.iter().find(|made| made.object == value) {
            return Ok(Outcome::Module(made.gil));
        }
        if process.delegated == Some(value) {
            return Ok(Outcome::Delegated);
        }
        Ok(Outcome::Stopped("the hook returns something that it did not make itself".to_owned()))
    }

    /// Calls the function of a `Py_mod_create` slot, as the interpreter does with what the hook
    /// returned (`PyModule_FromDefAndSpec2`).
    fn create(
        &self,
        process: &mut Process<'_, '_, '_>,
        function: u64,
        definition: u64,
        budget: u32,
        steps: &mut u32,
    ) -> Result<Created, String> {
        let spec = process.memory.object(PLAIN);
        let made = (self.emulator.call)(process, function, [spec, definition, 0], budget, steps);
        match made {
            Ok(value) => match gone_wrong(process, value) {
                Some(failure) => Err(failure),
                None if process.memory.object_at(value) == Some(&Object::Module) => {
                    Ok(Created::Module)
                }
                None => Ok(Created::Other),
            },
            Err(Stop::Failure(failure)) => Err(failure),
            Err(Stop::Settled) => Ok(Created::Module),
            Err(Stop::Needs(name)) => {
                Ok(Created::Unknown(format!("calls `{name}`, whose outcome is not followed yet")))
            }
            Err(Stop::Reason(reason)) => Ok(Created::Unknown(reason)),
        }
    }

    /// Whether the answer hangs on what was assumed: turns each choice by itself, as far as the
    /// budget reaches, and those first that were met last before something was declared. Runs that
    /// go wrong or cannot be followed say nothing; any other has to end alike.
    fn confirmed(
        &mut self,
        outcome: Outcome,
        choices: &[usize],
        numbers: impl Iterator<Item = usize>,
    ) -> Outcome {
        let Some(expected) = outcome.kind() else { return outcome };
        for number in numbers.filter(|number| !choices.contains(number)).take(MAX_RUNS) {
            if self.steps >= self.budget.in_all {
                break;
            }
            let mut turned = choices.to_vec();
            turned.push(number);
            let other = self.attempt(&turned).outcome.ok().and_then(|other| other.kind());
            if other.is_some_and(|other| other != expected) {
                return Outcome::Stopped(
                    "the answer hangs on what the interpreter gives the hook".to_owned(),
                );
            }
        }
        outcome
    }
}

/// Why what a function returned is no success; `None` where it is one.
fn gone_wrong(process: &Process<'_, '_, '_>, value: u64) -> Option<String> {
    if value == 0 {
        return Some("the hook returns no module".to_owned());
    }
    // The import fails with SystemError (CPython, `Python/importdl.c`).
    process.error.map(|_| "the hook returns with an exception set".to_owned())
}

impl Outcome {
    /// What has to be equal in runs that differ in what was assumed: which slots, or what was
    /// declared. Nothing for ends that are no answer.
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Declares { created: Some(Created::Unknown(_)), .. } => None,
            Self::Declares { declaration, created } => {
                Some(Kind::Slots(declaration.slots().map(SlotArray::kinds), created.clone()))
            }
            Self::Module(gil) => Some(Kind::Module(*gil)),
            Self::Undeclared => Some(Kind::Module(None)),
            Self::Delegated => Some(Kind::Delegated),
            Self::Needs(_) | Self::Stopped(_) => None,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    /// Ids, and values that are numbers.
    Slots(Option<Vec<(i32, Option<u64>)>>, Option<Created>),
    Module(Option<u64>),
    Delegated,
}
