//! What an init function would do in a process: its instructions executed over stubbed imports.
//!
//! ```text
//! x86_64   instructions
//! memory   what the process sees
//! process  what happened so far, and calls that leave the wheel's libraries
//! c_api    what functions of the interpreter give back
//! libc     what functions of the C and C++ runtime give back
//! ```
//!
//! What the interpreter would answer is not always known. The likely answer is assumed first; a run
//! that ends badly is made again with another. A run that cannot be brought to a good end says
//! nothing.

mod c_api;
mod libc;
mod memory;
mod process;
mod x86_64;

use std::cell::RefCell;

use crate::inspect::definition::{SLOT_SIZE, SLOTS_OFFSET};
use crate::inspect::image::{Image, Machine, ReadError};
use crate::inspect::view::View;
use memory::Memory;
use process::{Process, Stop};

/// Instructions in one run; the longest that was met took 40,000.
const MAX_STEPS: u32 = 200_000;
/// Instructions in all runs for one module.
const MAX_STEPS_IN_ALL: u32 = 600_000;
/// Runs with other choices, to come to a good end or to see whether the answer hangs on them.
const MAX_RUNS: usize = 64;

/// What came of running an init function.
pub(super) enum Outcome<'p, 'd> {
    /// It returned a definition, to be read from the memory it left behind.
    Definition(u64, Box<Snapshot<'p, 'd>>),
    /// It returned a module that it made itself, with the last argument of
    /// `PyUnstable_Module_SetGIL` for it.
    Module(Option<u64>),
    /// It returned what cffi made for it.
    Delegated,
    /// It leaves the library for this symbol, which nobody is known to have.
    Needs(String),
    /// It made a module, and no library that is here could declare anything for it.
    Undeclared,
    /// It could not be brought to a good end; the text says why.
    Stopped(String),
}

/// A run and what came of it.
pub(super) struct Run<'p, 'd> {
    pub(super) outcome: Outcome<'p, 'd>,
    /// Instructions executed in the last run.
    pub(super) steps: u32,
}

/// Runs the hook of the first of `images`, the others being libraries it needs.
pub(super) fn run<'p, 'd>(
    images: &[&'p Image<'d>],
    entry: u64,
    minor: u8,
    can_declare: bool,
) -> Run<'p, 'd> {
    let machine = images.first().map(|image| image.machine());
    if machine != Some(Machine::X86_64) {
        let name = machine.map(Machine::name).unwrap_or_default();
        let outcome = Outcome::Stopped(format!("{name} code is not followed yet"));
        return Run { outcome, steps: 0 };
    }
    let mut runner = Runner { images, entry, minor, can_declare, steps: 0 };
    let mut choices: Vec<usize> = Vec::new();
    let mut first_failure = None;
    let mut steps = 0;
    for _ in 0..MAX_RUNS {
        let attempt = runner.attempt(&choices);
        steps = attempt.steps;
        let failure = match attempt.outcome {
            Ok(outcome) => {
                let outcome = runner.confirmed(outcome, &choices, attempt.choices_met);
                return Run { outcome, steps };
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
        if runner.steps >= MAX_STEPS_IN_ALL {
            break;
        }
    }
    let reason = first_failure.unwrap_or_else(|| "the hook comes to no end".to_owned());
    Run { outcome: Outcome::Stopped(reason), steps }
}

/// Makes runs of one hook.
struct Runner<'r, 'p, 'd> {
    images: &'r [&'p Image<'d>],
    entry: u64,
    minor: u8,
    can_declare: bool,
    /// Instructions of all runs so far.
    steps: u32,
}

/// One run: what came of it, or how it went wrong.
struct Attempt<'p, 'd> {
    outcome: Result<Outcome<'p, 'd>, String>,
    steps: u32,
    /// Choices met before it ended, or before it went wrong.
    choices_met: usize,
}

impl<'p, 'd> Runner<'_, 'p, 'd> {
    fn attempt(&mut self, choices: &[usize]) -> Attempt<'p, 'd> {
        let memory = Memory::new(self.images.to_vec(), process::is_outside);
        let mut process = Process::new(memory, self.minor, self.can_declare, choices);
        let mut steps = 0;
        let budget = MAX_STEPS.min(MAX_STEPS_IN_ALL.saturating_sub(self.steps).max(1));
        let ending = x86_64::call(&mut process, self.entry, budget, &mut steps);
        self.steps += steps;
        let met = process.choices_met();
        let choices_met = process.choices_at_error.unwrap_or(met);
        let outcome = match ending {
            Ok(0) => Err("the hook returns no module".to_owned()),
            // The import fails with SystemError (CPython, `Python/importdl.c`).
            Ok(_) if process.error => Err("the hook returns with an exception set".to_owned()),
            Ok(value) => {
                let outcome = settle(process, value);
                return Attempt { outcome: Ok(outcome), steps, choices_met: met };
            }
            Err(Stop::Settled) => Ok(Outcome::Undeclared),
            Err(Stop::Needs(name)) => Ok(Outcome::Needs(name)),
            Err(Stop::Reason(reason)) => Ok(Outcome::Stopped(reason)),
            Err(Stop::Failure(failure)) => Err(failure),
        };
        Attempt { outcome, steps, choices_met }
    }

    /// Whether the answer hangs on what was assumed: turns each choice by itself, as far as the
    /// budget reaches. Runs that go wrong or cannot be followed say nothing; any other has to end
    /// alike.
    fn confirmed(
        &mut self,
        outcome: Outcome<'p, 'd>,
        choices: &[usize],
        met: usize,
    ) -> Outcome<'p, 'd> {
        let Some(expected) = outcome.kind() else { return outcome };
        for number in (0..met).filter(|number| !choices.contains(number)).take(MAX_RUNS) {
            if self.steps >= MAX_STEPS_IN_ALL {
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

impl Outcome<'_, '_> {
    /// What has to be equal in runs that differ in what was assumed: which definition with which
    /// slots, or what was declared. Nothing for ends that are no answer.
    fn kind(&self) -> Option<Vec<u64>> {
        match self {
            Self::Definition(address, memory) => {
                let array = memory.word(address.wrapping_add(SLOTS_OFFSET)).unwrap_or(0);
                let mut kind = vec![1];
                for index in 0..MAX_COMPARED_SLOTS {
                    let at = array.wrapping_add(index * SLOT_SIZE);
                    let Ok(id @ 1..) = memory.half(at) else { break };
                    let value = memory.word(at.wrapping_add(8)).unwrap_or(0);
                    let is_address = memory.holds_address(at.wrapping_add(8));
                    kind.extend([u64::from(id), if is_address { 0 } else { value }]);
                }
                Some(kind)
            }
            Self::Module(gil) => Some(vec![2, u64::from(gil.is_some()), gil.unwrap_or(0)]),
            Self::Undeclared => Some(vec![2, 0, 0]),
            Self::Delegated => Some(vec![3]),
            Self::Needs(_) | Self::Stopped(_) => None,
        }
    }
}

/// More than any definition has.
const MAX_COMPARED_SLOTS: u64 = 64;

/// What the value that the hook returned stands for.
fn settle<'p, 'd>(process: Process<'p, 'd>, value: u64) -> Outcome<'p, 'd> {
    if process.definitions.contains(&value) {
        return Outcome::Definition(value, Box::new(Snapshot(RefCell::new(process.memory))));
    }
    if let Some(created) = process.modules.iter().find(|created| created.object == value) {
        return Outcome::Module(created.gil);
    }
    if process.delegated == Some(value) {
        return Outcome::Delegated;
    }
    Outcome::Stopped("the hook returns something that it did not make itself".to_owned())
}

/// Memory after a run.
pub(super) struct Snapshot<'p, 'd>(RefCell<Memory<'p, 'd>>);

impl View for Snapshot<'_, '_> {
    fn word(&self, address: u64) -> Result<u64, ReadError> {
        self.0.borrow_mut().word(address).map_err(|_| ReadError::Outside(address))
    }

    fn half(&self, address: u64) -> Result<u32, ReadError> {
        let bytes = self.0.borrow_mut().read::<4>(address);
        bytes.map(u32::from_le_bytes).map_err(|_| ReadError::Outside(address))
    }

    fn text(&self, address: u64) -> Result<String, ReadError> {
        let text = self.0.borrow_mut().text(address).map_err(|_| ReadError::Outside(address))?;
        String::from_utf8(text).map_err(|_| ReadError::Unterminated(address))
    }

    fn holds_address(&self, address: u64) -> bool {
        self.word(address).is_ok_and(|value| self.0.borrow().is_mapped(value))
    }

    fn symbol(&self, value: u64) -> Option<String> {
        self.0.borrow().symbol_at(value).map(str::to_owned)
    }
}
