//! The imagined process that an init function runs in: its memory, and what happened so far.
//!
//! A processor executes instructions and hands every call that leaves the libraries of the wheel to
//! [`Process::call`]. What a function of the interpreter would return is not always known; such a
//! result is a choice, taken as the likely one first, and a run that ends badly is made again with
//! another choice.

use super::memory::{DESCRIPTOR, Fault, Linked, Memory, Object};
use super::{c_api, libc};
use crate::inspect::image::Format;

/// Why a run ended before its function returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// It did something that cannot be followed; the text says what.
    Reason(String),
    /// It would have gone wrong: a null pointer used, an error raised. Another choice may do better.
    Failure(String),
    /// It calls or reads a symbol that a library of the wheel may define.
    Needs(String),
    /// Nothing that comes later can change the answer: a module was made, and nothing that the
    /// process could call declares anything.
    Settled,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unmapped(_) => Self::Failure(format!("the hook {fault}")),
            Fault::Symbol(name) => Self::Needs(name),
            Fault::Unknown(_) | Fault::Budget => Self::Reason(format!("the hook {fault}")),
        }
    }
}

/// The address that the outermost call returns to; nothing is mapped there.
pub(super) const CALLER: u64 = 0x0000_7fff_dead_0000;
/// The address that a function returns to which a stub had called, see [`Reaction::Enter`].
pub(super) const STUB: u64 = 0x0000_7fff_dead_1000;
/// What the word that the stack protector compares holds: written and compared, never used.
pub(super) const CANARY: u64 = 0x00c0_ffee_0000;

/// The system whose calling convention and runtime the code is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Linux,
    MacOs,
    Windows,
}

impl System {
    pub(super) fn of(format: Format) -> Self {
        match format {
            Format::Elf => Self::Linux,
            Format::MachO => Self::MacOs,
            Format::Pe => Self::Windows,
        }
    }
}

/// The arguments of a call that leaves the libraries of the wheel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments {
    /// Those that are passed in registers.
    pub(super) registers: [u64; 8],
    /// How many of [`Arguments::registers`] there are.
    pub(super) count: usize,
    /// Where those behind them begin on the stack, eight bytes each.
    pub(super) stack: u64,
}

impl Arguments {
    /// The argument at `index`, a number or an address.
    pub(super) fn get(&self, memory: &mut Memory<'_, '_, '_>, index: usize) -> Result<u64, Fault> {
        match self.registers.get(index).filter(|_| index < self.count) {
            Some(value) => Ok(*value),
            None => memory.word(self.stack.wrapping_add((index - self.count) as u64 * 8)),
        }
    }
}

/// What a function outside of the wheel's libraries does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// It returns that.
    Return(u64),
    /// It calls a function of the library first, then returns `result`, or what that one returned.
    Enter { function: u64, arguments: [u64; 3], result: Option<u64> },
}

/// What a stub gives back.
pub(super) type Outcome = Result<u64, Stop>;

/// A call that a stub made and that did not return yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entered {
    /// Where the stub itself returns to.
    pub(super) back_to: u64,
    /// What it returns, unless what the function returned.
    pub(super) result: Option<u64>,
}

/// How a module object came to be, and what was declared for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Created {
    /// The object.
    pub(super) object: u64,
    /// Its state, null where it has none.
    pub(super) state: u64,
    /// The last argument of `PyUnstable_Module_SetGIL` for it.
    pub(super) gil: Option<u64>,
}

pub(super) struct Process<'l, 'p, 'd> {
    pub(super) memory: Memory<'l, 'p, 'd>,
    pub(super) system: System,
    /// The feature release of the interpreter: 14 for 3.14.
    pub(super) minor: u8,
    /// Whether any library of the wheel could call `PyUnstable_Module_SetGIL`.
    pub(super) can_declare: bool,
    /// Definitions handed to `PyModuleDef_Init`.
    pub(super) definitions: Vec<u64>,
    pub(super) modules: Vec<Created>,
    /// The object that a call of cffi's initialiser returned.
    pub(super) delegated: Option<u64>,
    /// An exception is set.
    pub(super) error: bool,
    /// Results to take other than likely, by the number of the choice.
    choices: Vec<usize>,
    choices_met: usize,
    /// The choices that had been met when an error was first raised.
    pub(super) choices_at_error: Option<usize>,
    /// Calls that stubs made, the innermost last.
    pub(super) entered: Vec<Entered>,
    /// One object for each thing of which there is only one.
    singletons: Vec<(&'static str, u64)>,
}

impl<'l, 'p, 'd> Process<'l, 'p, 'd> {
    pub(super) fn new(
        linked: &'l Linked<'p, 'd>,
        system: System,
        minor: u8,
        can_declare: bool,
        choices: &[usize],
    ) -> Self {
        Self {
            memory: Memory::new(linked),
            system,
            minor,
            can_declare,
            definitions: Vec::new(),
            modules: Vec::new(),
            delegated: None,
            error: false,
            choices: choices.to_vec(),
            choices_met: 0,
            choices_at_error: None,
            entered: Vec::new(),
            singletons: Vec::new(),
        }
    }

    /// How many choices were met so far.
    pub(super) fn choices_met(&self) -> usize {
        self.choices_met
    }

    /// Takes the likely result, or the other one where that is asked for.
    pub(super) fn choose(&mut self, likely: u64, other: u64) -> u64 {
        let number = self.choices_met;
        self.choices_met += 1;
        if self.choices.contains(&number) { other } else { likely }
    }

    /// An exception is raised.
    pub(super) fn raise(&mut self) {
        self.error = true;
        self.choices_at_error.get_or_insert(self.choices_met);
    }

    /// The one object called `name`.
    pub(super) fn singleton(&mut self, name: &'static str, kind: Object) -> u64 {
        if let Some((_, object)) = self.singletons.iter().find(|(known, _)| *known == name) {
            return *object;
        }
        let object = self.memory.object(kind);
        self.singletons.push((name, object));
        object
    }

    /// A call that leaves the libraries of the wheel.
    pub(super) fn call(&mut self, target: u64, arguments: &Arguments) -> Result<Reaction, Stop> {
        if let Some(name) = self.memory.symbol_at(target).map(str::to_owned) {
            if let Some(reaction) = libc::enter(self, &name, arguments) {
                return reaction;
            }
            if let Some(outcome) = c_api::call(self, &name, arguments) {
                return outcome.map(Reaction::Return);
            }
            if let Some(outcome) = libc::call(self, &name, arguments) {
                return outcome.map(Reaction::Return);
            }
            return Err(Stop::Needs(name));
        }
        if self.memory.object_at(target).is_some() {
            return Err(Stop::Reason(
                "the hook calls a function that it was given at run time".to_owned(),
            ));
        }
        Err(Stop::Failure(format!("the hook calls {target:#x}, where no function is")))
    }

    /// Whether `target` is the function behind TLS descriptors, which has a calling convention of
    /// its own: the processors do what it does.
    pub(super) fn is_thread_descriptor(&self, target: u64) -> bool {
        self.memory.symbol_at(target) == Some(DESCRIPTOR)
    }

    /// Whether `target` lies outside of every library.
    pub(super) fn is_outside(&self, target: u64) -> bool {
        self.memory.in_image(target).is_none()
    }
}

/// Whether a name is never taken from a library of the wheel: functions of the interpreter, and of
/// the C library, which have to be known to be followed at all.
pub(super) fn is_outside(name: &str) -> bool {
    name.starts_with("Py") || name.starts_with("_Py") || libc::knows(name)
}
