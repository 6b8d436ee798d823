//! The imagined process that an init function runs in: its memory, and what happened so far.
//!
//! A processor executes instructions and hands every call that leaves the libraries of the wheel to
//! [`Process::call`]. What a function of the interpreter would return is not always known; such a
//! result is a choice, taken as the likely one first, and a run that ends badly is made again with
//! another choice.

mod alike;
mod choices;

use std::cell::Cell;
use std::collections::HashMap;

pub(super) use self::alike::{Asking, Difference};
pub(super) use self::choices::{Met, OF_ANY_TYPE, Turned};
use super::c_api::Entries;
use super::linked::Linked;
use super::memory::{DESCRIPTOR, Fault, Memory};
use super::objects::Object;
use super::runtime::Sorting;
use super::{c_api, runtime};
use crate::image::Format;

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
    /// It comes to the call that it was to stop before: see [`Process::pauses`].
    Paused,
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
/// So many accesses to memory by a function outside of the libraries count as one step.
const WORK_A_STEP: u64 = 32;

/// The processor's clock before anybody looked at it, some days after the machine was started, and
/// how far it is further at each look.
const FIRST_TICK: u64 = 1 << 50;
const TICKS_A_LOOK: u64 = 1 << 8;

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

/// How a `va_list` is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variadic {
    /// A pointer to one argument after the other.
    Pointer,
    X86_64,
    Aarch64,
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
    /// Whether arguments that a function has no names for are all passed on the stack (Apple's
    /// convention for 64-bit Arm).
    pub(super) variadic_on_stack: bool,
}

impl Arguments {
    /// The argument at `index`, a number or an address.
    pub(super) fn get(&self, memory: &mut Memory<'_, '_, '_>, index: usize) -> Result<u64, Fault> {
        match self.registers.get(index).filter(|_| index < self.count) {
            Some(value) => Ok(*value),
            None => memory.word(self.stack.wrapping_add((index - self.count) as u64 * 8)),
        }
    }

    /// The argument at `index` of those behind the first `named`, in a function that takes any
    /// number of them.
    pub(super) fn variadic(
        &self,
        memory: &mut Memory<'_, '_, '_>,
        named: usize,
        index: usize,
    ) -> Result<u64, Fault> {
        if self.variadic_on_stack {
            return memory.word(self.stack.wrapping_add(index as u64 * 8));
        }
        self.get(memory, named + index)
    }
}

/// What a function outside of the wheel's libraries does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// It returns that.
    Return(u64),
    /// It returns without a change to any register.
    Keep,
    /// It returns a structure of two words.
    ReturnPair(u64, u64),
    /// It calls a function of the library first, then returns `result`, or what that one returned.
    Enter { function: u64, arguments: [u64; 3], result: Option<u64> },
}

/// What a stub gives back.
pub(super) type Outcome = Result<u64, Stop>;

/// A call that a stub made and that did not return yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entered {
    /// Where the stub itself returns to.
    back_to: u64,
    /// What it returns, unless what the function returned.
    result: Option<u64>,
}

/// How code of the libraries goes on after a call that left them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onward {
    /// In a function that a stub calls, and that returns to [`STUB`].
    Enter { function: u64, arguments: [u64; 3] },
    /// Behind the call.
    Return {
        to: u64,
        /// What the two registers for results hold then, where that changes.
        results: [Option<u64>; 2],
    },
}

/// Functions of a table that a stub calls one after the other, see [`Process::in_turn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    /// How many calls of stubs were on their way when it began, itself included.
    depth: usize,
    /// The part of the table that is left.
    next: u64,
    end: u64,
    /// Whether a function that returns other than 0 is the last.
    may_fail: bool,
}

/// Where a processor begins.
#[derive(Clone, Copy)]
pub(super) enum Start<'s> {
    /// In a function.
    Function { entry: u64, arguments: [u64; 3] },
    /// Where it was stopped.
    Paused(&'s Paused),
}

/// The registers of a processor that was stopped.
#[derive(Clone, PartialEq)]
pub(super) enum Paused {
    X86_64(Box<super::x86_64::State>),
    Aarch64(Box<super::aarch64::State>),
}

/// How a module object came to be, and what was declared for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Created {
    /// The object.
    pub(super) object: u64,
    /// What it was made from, null where that was nothing.
    pub(super) definition: u64,
    /// Its state, null where it has none.
    pub(super) state: u64,
    /// The last argument of `PyUnstable_Module_SetGIL` for it.
    pub(super) gil: Option<u64>,
}

#[derive(Clone)]
pub(super) struct Process<'l, 'p, 'd> {
    pub(super) memory: Memory<'l, 'p, 'd>,
    pub(super) system: System,
    variadic: Variadic,
    /// The feature release of the interpreter: 14 for 3.14.
    pub(super) minor: u8,
    /// Whether any library of the wheel could call `PyUnstable_Module_SetGIL`.
    pub(super) can_declare: bool,
    /// Definitions handed to `PyModuleDef_Init`.
    pub(super) definitions: Vec<u64>,
    pub(super) modules: Vec<Created>,
    /// Modules that were added below one of them, and their names.
    pub(super) submodules: Vec<(u64, Vec<u8>)>,
    /// What the hook put into objects, and into dictionaries that it made.
    pub(super) attributes: Entries,
    /// The dictionaries of modules that the hook made, by module.
    pub(super) module_dicts: HashMap<u64, u64>,
    /// Tables of functions that were put into modules, each with its module.
    pub(super) functions: Vec<(u64, u64)>,
    /// The object that a call of cffi's initialiser returned.
    pub(super) delegated: Option<u64>,
    /// The type of the exception that is set, and how often it was asked for or another was.
    error: Option<u64>,
    error_asked: Cell<u64>,
    /// What was kept for the thread under a key, by the key's address or number.
    pub(super) thread_values: HashMap<u64, u64>,
    /// Whether numpy's C interface was asked for.
    pub(super) uses_arrays: bool,
    /// How many keys for such values were given out.
    pub(super) thread_keys: u64,
    /// Results to take other than likely.
    choices: Vec<Turned>,
    pub(super) met: Vec<Met>,
    /// How many of them are of memory that may run out.
    shortages: usize,
    /// Whether other code came by more than is followed.
    pub(super) hands_over_too_much: bool,
    /// How many calls left the libraries so far, and before which of them to stop.
    pub(super) calls: u64,
    /// In which of them it was asked for what lies beside memory, where that is kept.
    pub(super) asking: Option<Box<Asking>>,
    pause_before: Option<u64>,
    /// Where the processor stopped.
    pub(super) paused: Option<Paused>,
    /// The choices that had been met when an error was first raised.
    pub(super) choices_at_error: Option<usize>,
    /// The choices that had been met when something was last declared for a module.
    pub(super) choices_at_declaring: Option<usize>,
    /// Calls that stubs made, the innermost last.
    entered: Vec<Entered>,
    turns: Vec<Turn>,
    /// Elements that are being put in order, the innermost last.
    pub(super) sortings: Vec<Sorting>,
    /// One object for each thing of which there is only one.
    singletons: Vec<(&'static str, u64)>,
    /// What the processor's clock showed last.
    ticks: u64,
    /// A call may copy megabytes, which bounds on instructions do not bound.
    steps_of_calls: u32,
}

impl<'l, 'p, 'd> Process<'l, 'p, 'd> {
    pub(super) fn new(
        linked: &'l Linked<'p, 'd>,
        (system, variadic): (System, Variadic),
        minor: u8,
        can_declare: bool,
    ) -> Self {
        Self {
            memory: Memory::new(linked, minor),
            system,
            variadic,
            minor,
            can_declare,
            definitions: Vec::new(),
            modules: Vec::new(),
            submodules: Vec::new(),
            attributes: Entries::default(),
            module_dicts: HashMap::new(),
            functions: Vec::new(),
            delegated: None,
            error: None,
            error_asked: Cell::new(0),
            thread_values: HashMap::new(),
            thread_keys: 0,
            uses_arrays: false,
            choices: Vec::new(),
            met: Vec::new(),
            shortages: 0,
            hands_over_too_much: false,
            calls: 0,
            asking: None,
            pause_before: None,
            paused: None,
            choices_at_error: None,
            choices_at_declaring: None,
            entered: Vec::new(),
            turns: Vec::new(),
            sortings: Vec::new(),
            singletons: Vec::new(),
            ticks: FIRST_TICK,
            steps_of_calls: 0,
        }
    }

    /// What happened so far was before the hook: only what it left in memory counts.
    pub(super) fn begin(&mut self, choices: &[Turned]) {
        self.choices = choices.to_vec();
        self.met.clear();
        self.shortages = 0;
        self.hands_over_too_much = false;
        self.calls = 0;
        self.pause_before = None;
        self.paused = None;
        self.clear_error();
        self.definitions.clear();
        self.modules.clear();
        self.choices_at_declaring = None;
        self.submodules.clear();
        self.attributes.clear();
        self.module_dicts.clear();
        self.functions.clear();
        self.delegated = None;
        self.entered.clear();
        self.turns.clear();
        self.sortings.clear();
    }

    /// A copy of a process that was stopped, in which choices that come later are turned.
    pub(super) fn fork(&self, choices: &[Turned]) -> Self {
        let mut fork = self.clone();
        fork.choices = choices.to_vec();
        fork.pause_before = None;
        fork
    }

    /// How much there is to copy.
    pub(super) fn extent(&self) -> usize {
        self.memory.extent() + self.attributes.len() + self.met.len()
    }

    /// Has the process stop before that call, see [`Process::pauses`].
    pub(super) fn pause_before(&mut self, call: u64) {
        self.pause_before = Some(call);
    }

    /// Has the process stop before no call any more.
    pub(super) fn go_on(&mut self) {
        self.pause_before = None;
    }

    /// Whether the processor is to stop before the call that it is about to make, leave its registers
    /// in [`Process::paused`] and end with [`Stop::Paused`].
    pub(super) fn pauses(&self) -> bool {
        self.pause_before == Some(self.calls)
    }

    /// Whether an object is a dictionary that the interpreter or the thread keeps.
    pub(super) fn is_interpreter_dict(&self, object: u64) -> bool {
        let own = ["interpreter dict", "thread dict", "modules"];
        self.singletons.iter().any(|(name, known)| *known == object && own.contains(name))
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

    /// Calls each function of a table, leaving out null, and returns 0 or what the last returned.
    pub(super) fn in_turn(
        &mut self,
        start: u64,
        end: u64,
        may_fail: bool,
    ) -> Result<Reaction, Stop> {
        let depth = self.depth() + 1;
        let mut turn = Turn { depth, next: start, end, may_fail };
        let Some(function) = self.advance(&mut turn)? else { return Ok(Reaction::Return(0)) };
        self.turns.push(turn);
        Ok(Reaction::Enter { function, arguments: [0; 3], result: None })
    }

    /// The function that is to be called now that one returned `result`, with its arguments; `None`
    /// where that was the last, or none of a table or an order.
    fn next_in_turn(&mut self, result: u64) -> Result<Option<(u64, [u64; 3])>, Stop> {
        let depth = self.depth();
        if let Some(mut sorting) = self.sortings.pop_if(|sorting| sorting.depth == depth) {
            let next = sorting.advance(&mut self.memory, result)?;
            if next.is_some() {
                self.sortings.push(sorting);
            }
            return Ok(next);
        }
        let Some(mut turn) = self.turns.pop_if(|turn| turn.depth == depth) else {
            return Ok(None);
        };
        if turn.may_fail && result & u64::from(u32::MAX) != 0 {
            return Ok(None);
        }
        let function = self.advance(&mut turn)?;
        if function.is_some() {
            self.turns.push(turn);
        }
        Ok(function.map(|function| (function, [0; 3])))
    }

    fn advance(&mut self, turn: &mut Turn) -> Result<Option<u64>, Stop> {
        // Far more than any library has.
        let most = 1 << 16;
        for _ in 0..most {
            if turn.next >= turn.end {
                return Ok(None);
            }
            let function = self.memory.word(turn.next)?;
            turn.next += 8;
            if function != 0 {
                return Ok(Some(function));
            }
        }
        Err(Stop::Reason("the hook calls a table of functions without an end".to_owned()))
    }

    /// A call that leaves the libraries of the wheel.
    pub(super) fn call(&mut self, target: u64, arguments: &Arguments) -> Result<Reaction, Stop> {
        let before = self.memory.work();
        let asked = self.error_asked.get();
        let reaction = self.react(target, arguments);
        let of = self.attributes.take_asked();
        if let Some(asking) = &mut self.asking {
            asking.add(self.calls, self.error_asked.get() != asked, of);
        }
        self.calls += 1;
        let steps = self.memory.work().saturating_sub(before) / WORK_A_STEP;
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.steps_of_calls = self.steps_of_calls.saturating_add(steps);
        reaction
    }

    /// Where the code that made a call goes on, by what the function did; `back_to` is behind the
    /// call.
    pub(super) fn after(&mut self, reaction: Reaction, back_to: u64) -> Onward {
        let results = match reaction {
            Reaction::Return(result) => [Some(result), None],
            Reaction::Keep => [None; 2],
            Reaction::ReturnPair(first, second) => [Some(first), Some(second)],
            Reaction::Enter { function, arguments, result } => {
                self.entered.push(Entered { back_to, result });
                return Onward::Enter { function, arguments };
            }
        };
        Onward::Return { to: back_to, results }
    }

    /// Where the code goes on once a function that a stub had called returned `result`: in the next
    /// one that the stub calls, or behind the call of the stub.
    pub(super) fn come_back(&mut self, result: u64) -> Result<Onward, Stop> {
        if let Some((function, arguments)) = self.next_in_turn(result)? {
            return Ok(Onward::Enter { function, arguments });
        }
        let entered = self
            .entered
            .pop()
            .ok_or_else(|| Stop::Reason("the hook jumps to where nobody came from".to_owned()))?;
        Ok(Onward::Return { to: entered.back_to, results: [entered.result, None] })
    }

    /// What the processor's clock shows: it goes on by as much each time that it is looked at.
    pub(super) fn ticks(&mut self) -> u64 {
        self.ticks = self.ticks.wrapping_add(TICKS_A_LOOK);
        self.ticks
    }

    /// How many calls of stubs did not return yet.
    pub(super) fn depth(&self) -> usize {
        self.entered.len()
    }

    /// As many steps as calls since the last time were worth.
    pub(super) fn take_steps_of_calls(&mut self) -> u32 {
        std::mem::take(&mut self.steps_of_calls)
    }

    fn react(&mut self, target: u64, arguments: &Arguments) -> Result<Reaction, Stop> {
        if let Some(name) = self.memory.symbol_at(target) {
            if let Some(outcome) = c_api::call(self, &name, arguments) {
                return outcome.map(Reaction::Return);
            }
            if let Some(reaction) = runtime::call(self, &name, arguments) {
                return reaction;
            }
            return Err(Stop::Needs(name.into_owned()));
        }
        if self.memory.object_at(target).is_some() {
            return Err(Stop::Reason(
                "the hook calls a function that it was given at run time".to_owned(),
            ));
        }
        Err(Stop::Failure(format!("the hook calls {target:#x}, where no function is")))
    }

    /// Whether this is Apple's variant of 64-bit Arm, where some layouts differ.
    pub(super) fn is_apple_aarch64(&self) -> bool {
        self.system == System::MacOs && self.variadic == Variadic::Pointer
    }

    /// Whether a key for thread-local values takes a word rather than half of one.
    pub(super) fn keys_are_words(&self) -> bool {
        self.system == System::MacOs
    }

    /// The argument at `index` of a `va_list`.
    pub(super) fn listed(&mut self, list: u64, index: usize) -> Result<u64, Stop> {
        let at = index as u64 * 8;
        let memory = &mut self.memory;
        let place = match self.variadic {
            Variadic::Pointer => list.wrapping_add(at),
            // gp_offset, fp_offset, overflow_arg_area, reg_save_area (System V ABI, x86-64).
            Variadic::X86_64 => {
                let [a, b, c, d] = memory.read::<4>(list)?;
                let used = u64::from(u32::from_le_bytes([a, b, c, d])) + at;
                if used < 48 {
                    memory.word(list.wrapping_add(16))?.wrapping_add(used)
                } else {
                    memory.word(list.wrapping_add(8))?.wrapping_add(used - 48)
                }
            }
            // stack, gr_top, vr_top, gr_offs, vr_offs (Procedure Call Standard for AArch64).
            Variadic::Aarch64 => {
                let [a, b, c, d] = memory.read::<4>(list.wrapping_add(24))?;
                let offset = i64::from(i32::from_le_bytes([a, b, c, d])) + at.cast_signed();
                if offset < 0 {
                    memory.word(list.wrapping_add(8))?.wrapping_add_signed(offset)
                } else {
                    memory.word(list)?.wrapping_add_signed(offset)
                }
            }
        };
        Ok(self.memory.word(place)?)
    }

    /// Whether `target` is the function behind TLS descriptors, which has a calling convention of
    /// its own: the processors do what it does.
    pub(super) fn is_thread_descriptor(&self, target: u64) -> bool {
        self.memory.symbol_at(target).is_some_and(|name| name == DESCRIPTOR)
    }

    /// Whether `target` lies outside of every library.
    pub(super) fn is_outside(&self, target: u64) -> bool {
        self.memory.in_image(target).is_none()
    }
}

/// Whether a name is never taken from a library of the wheel: functions of the interpreter, and of
/// the C library, which have to be known to be followed at all.
pub(super) fn is_outside(system: System, name: &str) -> bool {
    name.starts_with("Py") || name.starts_with("_Py") || runtime::knows(system, name)
}
