//! Runs of one hook: until one comes to a good end, and then with each assumption turned by itself.
//!
//! What a single run does is told in [`super::process`]. Most runs with an assumption turned go wrong at
//! once, or come to be like the run that was made: what they come to is told without following them on.

use std::collections::HashMap;

use super::objects::{Object, PLAIN};
use super::pages::Words;
use super::process::{Asking, Difference, Met, OF_ANY_TYPE, Process, Start, Stop, Turned};
use super::{Budget, Created, Declaration, Emulator, Hook, Outcome, Run};
use crate::definition::RawDefinition;
use crate::slots::{Layout, SlotArray};

/// Runs with other choices, to come to a good end or, where the GIL is not said to be kept off, to see
/// whether the answer hangs on them.
const MAX_RUNS: usize = 64;
/// After so many calls behind a choice that was turned, it is looked whether the run is like the one in
/// which it was not.
const LOOKED_AFTER: [u64; 3] = [4, 16, 64];
/// So much of a process is copied as fast as one instruction is executed: pages, objects and the like.
const COPIED_A_STEP: usize = 8;

/// Makes runs of one hook.
pub(super) struct Runner<'r, 'p, 'd> {
    emulator: &'r Emulator<'p, 'd>,
    hook: Hook,
    entry: u64,
    budget: Budget,
    /// The process as the hook finds it.
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
    /// What it read of the libraries, as the loader left them.
    read: Words,
    /// Choices met, all of them.
    met: Vec<Met>,
    /// How many were met before it ended, or before it went wrong.
    choices_met: usize,
    /// Of these, those met before something was declared for a module.
    choices_at_declaring: usize,
    /// How many calls left the libraries before the hook returned.
    calls: u64,
    /// What was asked for in which calls.
    asking: Asking,
}

/// Of runs that are like the one that was made but for an exception that is set: which that is, and the
/// call in which it is asked for next. All that are alike in this end alike.
type Likeness = (Option<u64>, Option<u64>);

/// What came of runs with a choice turned.
#[derive(Default)]
struct Ends(HashMap<Likeness, Result<Outcome, String>>);

/// What came of one: as it was followed, or of one that is like it. `None` where that is the run without.
struct End {
    outcome: Option<Result<Outcome, String>>,
    ran_out: bool,
}

impl<'r, 'p, 'd> Runner<'r, 'p, 'd> {
    pub(super) fn new(
        emulator: &'r Emulator<'p, 'd>,
        hook: Hook,
        entry: u64,
        budget: Budget,
    ) -> Self {
        let mut before = emulator.process(hook);
        before.memory.allow(budget.pages);
        Self { emulator, hook, entry, budget, before, steps: 0 }
    }

    /// Has the constructors of all libraries run before the hook. Returns whether each ran as far as
    /// it can be followed.
    pub(super) fn construct(&mut self) -> bool {
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

    pub(super) fn run(mut self) -> Run {
        let mut first_failure = None;
        let mut steps = 0;
        // First as if nothing were given, then as if what is given were of the type that it should be of.
        for other in [1, OF_ANY_TYPE] {
            if let Some(run) = self.search(other, &mut first_failure, &mut steps) {
                return run;
            }
        }
        let reason = first_failure.unwrap_or_else(|| "the hook comes to no end".to_owned());
        let outcome = Outcome::Stopped(reason);
        Run { outcome, steps, went_wrong: true, ran_out: false, read: Words::default() }
    }

    /// Looks for a run that comes to a good end: where one goes wrong, the choice that was met last before
    /// is turned, to that result where it is one of its, and otherwise to the one behind the likely.
    fn search(
        &mut self,
        other: usize,
        first_failure: &mut Option<String>,
        steps: &mut u32,
    ) -> Option<Run> {
        let mut choices: Vec<Turned> = Vec::new();
        for _ in 0..MAX_RUNS {
            let mut attempt = self.attempt(&choices);
            let read = std::mem::take(&mut attempt.read);
            *steps = attempt.steps;
            let failure = match &attempt.outcome {
                Ok(outcome) => {
                    let (outcome, is_whole) = self.confirmed(outcome.clone(), &choices, &attempt);
                    let ran_out = attempt.ran_out || !is_whole;
                    return Some(Run { outcome, steps: *steps, went_wrong: false, ran_out, read });
                }
                Err(failure) => failure.clone(),
            };
            first_failure.get_or_insert(failure);
            // The latest choice before things went wrong that was not turned yet.
            let turned = |number: &usize| choices.iter().all(|(turned, _)| turned != number);
            let Some(next) = (0..attempt.choices_met).rev().find(turned) else { break };
            // Later choices belong to another course of events.
            choices.retain(|(number, _)| *number < next);
            let is_there = attempt.met.get(next).is_some_and(|met| other < met.alternatives);
            choices.push((next, if is_there { other } else { 1 }));
            if self.steps >= self.budget.in_all {
                break;
            }
        }
        None
    }

    fn start(&self) -> Start<'static> {
        Start::Function { entry: self.entry, arguments: [0; 3] }
    }

    fn attempt(&mut self, choices: &[Turned]) -> Attempt {
        let mut process = self.before.clone();
        process.begin(choices);
        process.memory.trace(true);
        process.asking = Some(Box::default());
        self.follow(process, 0)
    }

    /// Follows the hook to its end, from where it is after so many steps.
    fn follow(&mut self, mut process: Process<'r, 'p, 'd>, before: u32) -> Attempt {
        let mut steps = before;
        let budget = self.budget_behind(before, 1);
        let ending = self.go(&mut process, budget, &mut steps);
        self.ended(process, (ending, budget), before, steps)
    }

    /// So many steps a run may have taken in the end that took so many before: at least some.
    fn budget_behind(&self, before: u32, least: u32) -> u32 {
        let left = self.budget.in_all.saturating_sub(self.steps).max(least);
        self.budget.steps.min(before.saturating_add(left))
    }

    /// Has the process go on, from its beginning or from where it was stopped.
    fn go(
        &self,
        process: &mut Process<'r, 'p, 'd>,
        budget: u32,
        steps: &mut u32,
    ) -> Result<u64, Stop> {
        let paused = process.paused.take();
        let start = paused.as_ref().map_or_else(|| self.start(), Start::Paused);
        (self.emulator.call)(process, start, budget, steps)
    }

    /// What came of a run that ended so, with the budget that it had.
    fn ended(
        &mut self,
        mut process: Process<'r, 'p, 'd>,
        (ending, budget): (Result<u64, Stop>, u32),
        before: u32,
        mut steps: u32,
    ) -> Attempt {
        process.go_on();
        let calls = process.calls;
        // What is read to tell the answer was not read by the hook.
        let read = process.memory.take_read();
        let outcome = match ending {
            Ok(value) => match gone_wrong(&process, value) {
                Some(failure) => Err(failure),
                None => self.settle(&mut process, value, budget, &mut steps),
            },
            Err(Stop::Settled) => Ok(Outcome::Undeclared),
            Err(Stop::Needs(name)) => Ok(Outcome::Needs(name)),
            Err(Stop::Reason(reason)) => Ok(Outcome::Stopped(reason)),
            Err(Stop::Failure(failure)) => Err(failure),
            Err(Stop::Paused) => Ok(Outcome::Stopped("the hook comes to no end".to_owned())),
        };
        self.steps = self.steps.saturating_add(steps.saturating_sub(before));
        let met = process.choices_met();
        let at_error = process.choices_at_error.filter(|_| outcome.is_err());
        let choices_at_declaring = process.choices_at_declaring.unwrap_or(0);
        let ran_out = steps >= budget && outcome.as_ref().is_ok_and(|it| it.kind().is_none());
        Attempt {
            outcome,
            steps,
            ran_out,
            read,
            met: process.met,
            choices_met: at_error.unwrap_or(met),
            choices_at_declaring,
            calls,
            asking: process.asking.take().map(|asking| *asking).unwrap_or_default(),
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
        let start = Start::Function { entry: function, arguments: [spec, definition, 0] };
        let made = (self.emulator.call)(process, start, budget, steps);
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
            Err(Stop::Paused) => Ok(Created::Unknown("comes to no end".to_owned())),
        }
    }

    /// Whether the answer hangs on what was assumed: takes each other result of each choice by
    /// itself. Runs that go wrong say nothing, since no module comes of them; any other has to end
    /// alike. Returns the outcome, and whether the budget was enough for that.
    ///
    /// Up to the choice such a run is the same as the one that was made: it is made once more, and
    /// goes on from there in a copy.
    fn confirmed(
        &mut self,
        outcome: Outcome,
        choices: &[Turned],
        attempt: &Attempt,
    ) -> (Outcome, bool) {
        let Some(expected) = outcome.kind() else { return (outcome, true) };
        let keeps_off = outcome.may_keep_off(self.emulator.target);
        let numbers = numbers(attempt, keeps_off);
        let mut leader = self.before.clone();
        leader.begin(choices);
        let mut leader_steps = 0;
        let mut ends = Ends::default();
        for number in numbers {
            let Some(met) = attempt.met.get(number) else { continue };
            let taken = choices.iter().find(|(turned, _)| *turned == number);
            let taken = taken.map_or(0, |(_, alternative)| *alternative);
            if met.call < attempt.calls && !self.lead(&mut leader, met.call, &mut leader_steps) {
                return (unconfirmed(outcome, keeps_off), false);
            }
            for other in (0..met.alternatives).filter(|other| *other != taken) {
                if self.steps >= self.budget.in_all {
                    return (unconfirmed(outcome, keeps_off), false);
                }
                let mut turned: Vec<Turned> =
                    choices.iter().filter(|(known, _)| *known != number).copied().collect();
                turned.push((number, other));
                let end = if leader.paused.is_some() && met.call < attempt.calls {
                    self.charge(&leader);
                    let fork = leader.fork(&turned);
                    self.turned(fork, (&leader, choices), leader_steps, attempt, &mut ends)
                } else {
                    // It is met in a function that is called behind the hook.
                    End::of(self.attempt(&turned))
                };
                if end.ran_out && self.steps >= self.budget.in_all {
                    return (unconfirmed(outcome, keeps_off), false);
                }
                let Some(Ok(other)) = end.outcome else { continue };
                let reason = match (other.kind(), other) {
                    (Some(kind), _) if kind == expected => continue,
                    (None, Outcome::Stopped(reason)) => format!("{HANGS}, and otherwise {reason}"),
                    (None, Outcome::Needs(name)) => format!(
                        "{HANGS}, and otherwise calls `{name}`, whose outcome is not followed yet"
                    ),
                    _ => HANGS.to_owned(),
                };
                return (Outcome::Stopped(reason), true);
            }
        }
        (outcome, true)
    }

    /// What comes of a run with a choice turned, which is at that choice after so many steps: followed
    /// to its end, or until it is like the run in which the choice is not turned.
    ///
    /// From there on both do the same, but for where it is asked for what they differ in. So runs end
    /// alike that differ from that one in the exception that is set alone, until it is asked for one.
    fn turned(
        &mut self,
        mut fork: Process<'r, 'p, 'd>,
        (leader, choices): (&Process<'r, 'p, 'd>, &[Turned]),
        before: u32,
        attempt: &Attempt,
        ends: &mut Ends,
    ) -> End {
        let (mut steps, mut other_steps) = (before, before);
        let mut other: Option<Process<'_, '_, '_>> = None;
        let at = leader.calls;
        let mut likeness = None;
        for call in LOOKED_AFTER.map(|calls| at + calls) {
            if call >= attempt.calls {
                break;
            }
            if let Err(ending) = self.run_to(&mut fork, call, &mut steps) {
                return End::of(self.ended(fork, ending, steps, steps));
            }
            // Each comparison goes through as much as a copy.
            self.charge(&fork);
            let other = other.get_or_insert_with(|| leader.fork(choices));
            if self.run_to(other, call, &mut other_steps).is_err() {
                break;
            }
            // It takes as many steps more as it took until here.
            let more = steps.saturating_sub(other_steps);
            let fits = attempt.steps.saturating_add(more) < self.budget.steps;
            let difference = fork.difference(other).filter(|_| fits);
            likeness = difference.and_then(|difference| attempt.asking.likeness(&difference, call));
            if likeness.is_some() {
                break;
            }
        }
        let known = match likeness {
            Some((None, _)) => return End { outcome: None, ran_out: false },
            Some(likeness) => ends.0.get(&likeness),
            None => None,
        };
        if let Some(known) = known {
            return End { outcome: Some(known.clone()), ran_out: false };
        }
        fork.go_on();
        let ending = self.follow(fork, steps);
        if let (Some(likeness), false) = (likeness, ending.ran_out) {
            ends.0.insert(likeness, ending.outcome.clone());
        }
        End::of(ending)
    }

    /// Counts that a whole process is copied or compared.
    fn charge(&mut self, process: &Process<'r, 'p, 'd>) {
        let copied = u32::try_from(process.extent() / COPIED_A_STEP).unwrap_or(u32::MAX);
        self.steps = self.steps.saturating_add(copied);
    }

    /// Has a run come to a call.
    ///
    /// # Errors
    /// Where it ends before: how, and the budget that it had.
    fn run_to(
        &mut self,
        process: &mut Process<'r, 'p, 'd>,
        call: u64,
        steps: &mut u32,
    ) -> Result<(), (Result<u64, Stop>, u32)> {
        process.pause_before(call);
        let before = *steps;
        let budget = self.budget_behind(before, 0);
        let ending = self.go(process, budget, steps);
        self.steps = self.steps.saturating_add(steps.saturating_sub(before));
        if ending == Err(Stop::Paused) { Ok(()) } else { Err((ending, budget)) }
    }

    /// Has the run that was made come to a call. Returns whether it did.
    fn lead(&mut self, leader: &mut Process<'r, 'p, 'd>, call: u64, steps: &mut u32) -> bool {
        let is_there = leader.paused.is_some() && leader.calls == call;
        is_there || self.run_to(leader, call, steps).is_ok()
    }
}

impl End {
    fn of(attempt: Attempt) -> Self {
        Self { outcome: Some(attempt.outcome), ran_out: attempt.ran_out }
    }
}

impl Asking {
    /// In what a run that differs so from the one that was made, before that call, is like others;
    /// `None` where what it comes to may hang on more than an exception.
    fn likeness(&self, difference: &Difference, call: u64) -> Option<Likeness> {
        if self.is_cut {
            return None;
        }
        let later = self.held.partition_point(|(at, _)| *at < call);
        let mut held = self.held.iter().skip(later);
        if held.any(|(_, holder)| difference.held.contains(holder)) {
            return None;
        }
        match difference.errors {
            [own, other] if own == other => Some((None, None)),
            // Without an exception where there was one: that is not gone into.
            [None, _] => None,
            [own, _] => {
                let later = self.error.partition_point(|at| *at < call);
                let asked = self.error.get(later).copied();
                // Behind that it goes another way than the run that was made, and may ask for anything.
                (asked.is_none() || difference.held.is_empty()).then_some((own, asked))
            }
        }
    }
}

const HANGS: &str = "the answer hangs on what the interpreter gives the hook";

/// Which choices are turned, in the order in which they were met: all of them where the GIL is
/// kept off, and otherwise those met last before something was declared.
fn numbers(attempt: &Attempt, all: bool) -> Vec<usize> {
    let declaring = attempt.choices_at_declaring;
    if all {
        return (0..attempt.choices_met).collect();
    }
    let numbers = (0..declaring).rev().chain(declaring..attempt.choices_met);
    let mut numbers: Vec<usize> = numbers.take(MAX_RUNS).collect();
    numbers.sort_unstable();
    numbers
}

/// What is said where not every assumption was tried.
fn unconfirmed(outcome: Outcome, keeps_off: bool) -> Outcome {
    if keeps_off {
        Outcome::Stopped("not every assumption about the interpreter could be tried".to_owned())
    } else {
        outcome
    }
}

/// Why what a function returned is no success; `None` where it is one.
fn gone_wrong(process: &Process<'_, '_, '_>, value: u64) -> Option<String> {
    if value == 0 {
        return Some("the hook returns no module".to_owned());
    }
    // The import fails with SystemError (CPython, `Python/importdl.c`).
    process.error().map(|_| "the hook returns with an exception set".to_owned())
}
