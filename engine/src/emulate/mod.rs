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
//! runner     runs of one hook, and whether they agree
//! declaring  whether anything could be declared at all
//! ```
//!
//! What the interpreter would answer is not always known. The likely answer is assumed first; a run
//! that ends badly is made again with another. A run that cannot be brought to a good end says
//! nothing.

mod aarch64;
mod c_api;
mod declaring;
mod decoded;
mod linked;
mod memory;
mod objects;
mod pages;
mod process;
mod runner;
mod runtime;
mod x86_64;

use std::collections::BTreeSet;

use crate::definition::RawDefinition;
use crate::image::{BASE, Image, Machine, shown};
use crate::model::evidence::{Definition, Gil};
use crate::model::target::Target;
use crate::slots::{Layout, SlotArray, gil_of};
use declaring::Declaring;
use linked::Linked;
use pages::Words;
use process::{Process, Start, Stop, System, Variadic};
use runner::Runner;

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
/// million steps, or five with what `SQLCipher` asks of it.
const LONG: Budget = Budget { steps: 6_000_000, in_all: 20_000_000, ..USUAL };
/// For libraries whose constructors fill registries of thousands of functions, which the hook goes
/// through.
const LARGE: Budget = Budget {
    steps: 24_000_000,
    in_all: 48_000_000,
    constructor: 2_000_000,
    constructors: 20_000_000,
    pages: 128 << 10,
};

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

    pub(super) fn layout(&self) -> Layout {
        match self {
            Self::Definition(_) => Layout::Legacy,
            Self::Slots(_) => Layout::Flagged,
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
    /// What it read of the libraries, as the loader left them.
    read: Words,
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
    fn(&mut Process<'_, '_, '_>, Start<'_>, budget: u32, steps: &mut u32) -> Result<u64, Stop>;

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
        if libraries.all(|library| library.image.constructors().is_empty()) {
            return run;
        }
        if !run.went_wrong {
            if !run.outcome.may_keep_off(self.target) || self.finds_unchanged(hook, &run) {
                return run;
            }
            // What the constructors leave behind may be what the hook declares by.
            run = self.constructed(hook, entry).unwrap_or_else(|| Run {
                outcome: Outcome::Stopped(
                    "a constructor of the library may change what the hook reads".to_owned(),
                ),
                went_wrong: true,
                ..run
            });
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

    /// Runs the hook behind all constructors; `None` where these cannot be followed as a whole.
    fn constructed(&self, hook: Hook, entry: u64) -> Option<Run> {
        [USUAL, LARGE].into_iter().find_map(|budget| {
            let mut runner = Runner::new(self, hook, entry, budget);
            runner.construct().then(|| runner.run())
        })
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
        let mut words = Words::default();
        for (start, size) in stretches {
            words.insert(start, usize::try_from(size).unwrap_or(0));
        }
        process.memory.watch(words);
        for index in holders {
            let mut left = USUAL.constructors;
            self.construct(&mut process, index, USUAL.constructor, &mut left);
        }
        process.memory.is_touched()
    }

    /// Whether the hook finds what it reads of the libraries as the loader leaves it: no constructor
    /// of a library that it reads from writes there. One that is cut short might; where the hook
    /// returned a definition, which is watched by itself, that is not held against it.
    fn finds_unchanged(&self, hook: Hook, run: &Run) -> bool {
        let read = &run.read;
        let mut process = self.process(hook);
        let holders: BTreeSet<usize> = read
            .pages()
            .filter_map(|address| process.memory.in_image(address))
            .map(|(index, _)| index)
            .collect();
        process.memory.watch(read.clone());
        let mut is_whole = true;
        for index in holders {
            let mut left = USUAL.constructors;
            is_whole &= self.construct(&mut process, index, USUAL.constructor, &mut left);
        }
        if process.memory.is_touched() {
            return false;
        }
        let is_definition = matches!(run.outcome, Outcome::Declares { .. });
        is_whole || is_definition || read.iter().all(|word| process.memory.is_relocated(word, 8))
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
            let start = Start::Function { entry: constructor, arguments };
            let _ = (self.call)(process, start, limit, &mut steps);
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

impl Outcome {
    /// Whether the answer that follows from it may be that the GIL is kept off.
    fn may_keep_off(&self, target: Target) -> bool {
        match self {
            Self::Declares { declaration, .. } => declaration.slots().is_some_and(|slots| {
                let layout = declaration.layout();
                slots.declared(layout).is_ok_and(|declared| declared.gil == Gil::KeepsOff)
            }),
            Self::Module(gil) => gil_of(*gil, target) == Gil::KeepsOff,
            Self::Delegated => true,
            Self::Undeclared | Self::Needs(_) | Self::Stopped(_) => false,
        }
    }

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
