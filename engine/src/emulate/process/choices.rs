//! Results that are not known, and the exception that is set: the likely one is taken, unless another is
//! asked for.

use super::Process;
use crate::emulate::objects::{ANY_TYPE, Object, PLAIN};

/// The result that is an object of every built-in type, among those of what somebody else gives.
pub(in crate::emulate) const OF_ANY_TYPE: usize = 4;

/// A choice that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulate) struct Met {
    /// In which of the calls that left the libraries, counted from 0.
    pub(in crate::emulate) call: u64,
    /// How many results there are to choose from.
    pub(in crate::emulate) alternatives: usize,
}

/// So often in a run memory may run out where something is made or kept. Hooks that fill large tables go on
/// alike each time, and no interpreter runs out of memory at just one of thousands of places.
const MOST_SHORTAGES: usize = 1 << 8;

/// Which result is taken: the number of the choice, and the place among its alternatives.
pub(in crate::emulate) type Turned = (usize, usize);

impl Process<'_, '_, '_> {
    /// How many choices were met so far.
    pub(in crate::emulate) fn choices_met(&self) -> usize {
        self.met.len()
    }

    /// Which of several results is taken: the likely one, the first, unless another is asked for.
    pub(in crate::emulate) fn alternative(&mut self, alternatives: usize) -> usize {
        let number = self.met.len();
        self.met.push(Met { call: self.calls, alternatives });
        let turned = self.choices.iter().find(|(turned, _)| *turned == number);
        turned.map_or(0, |(_, alternative)| (*alternative).min(alternatives.saturating_sub(1)))
    }

    /// Takes the likely result, or the other one where that is asked for.
    pub(in crate::emulate) fn choose(&mut self, likely: u64, other: u64) -> u64 {
        if self.alternative(2) == 0 { likely } else { other }
    }

    /// An object, or null with an exception set where that is asked for.
    pub(in crate::emulate) fn choose_or_raise(&mut self, object: u64, exception: &str) -> u64 {
        // Known on both ways, so that they are alike but for what is chosen.
        let of = self.memory.exception(exception);
        let chosen = self.choose(object, 0);
        if chosen == 0 {
            self.set_error(of);
        }
        chosen
    }

    /// An object that is made, or null where memory runs out.
    pub(in crate::emulate) fn choose_or_run_short(&mut self, object: u64) -> u64 {
        if self.shortages >= MOST_SHORTAGES {
            return object;
        }
        self.shortages += 1;
        self.choose_or_raise(object, "PyExc_MemoryError")
    }

    /// An object that somebody else gives: likely one that is like no other. Or null with an exception
    /// set; or one of those that code tells by where they lie; or one that is of every built-in type,
    /// to code that looks at its type.
    pub(in crate::emulate) fn given(&mut self, object: u64, exception: &str) -> u64 {
        let of = self.memory.exception(exception);
        let given = self.given_or_null(object);
        if given == 0 {
            self.set_error(of);
        }
        given
    }

    /// The same where null comes without an exception.
    pub(in crate::emulate) fn given_or_null(&mut self, object: u64) -> u64 {
        match self.alternative(5) {
            0 => object,
            1 => 0,
            other => self.other_object(other - 2),
        }
    }

    /// The same where there is likely none, and no exception is set for that.
    pub(in crate::emulate) fn given_or_none(&mut self) -> u64 {
        match self.alternative(5) {
            0 => 0,
            1 => self.memory.object(PLAIN),
            other => self.other_object(other - 2),
        }
    }

    fn other_object(&mut self, which: usize) -> u64 {
        match which {
            0 => self.memory.symbol("_Py_NoneStruct"),
            1 => self.memory.symbol("_Py_TrueStruct"),
            _ => self.memory.object(Object::Of(ANY_TYPE)),
        }
    }

    /// A number of those given, or where none of them is taken -1 with an exception set.
    pub(in crate::emulate) fn choose_or_fail(&mut self, numbers: &[u64]) -> u64 {
        let of = self.memory.exception("PyExc_Exception");
        match numbers.get(self.alternative(numbers.len() + 1)) {
            Some(number) => *number,
            None => {
                self.set_error(of);
                u64::MAX
            }
        }
    }

    /// The code raises an exception, called by the name of its variable.
    pub(in crate::emulate) fn raise(&mut self, exception: &str) {
        let of = self.memory.exception(exception);
        self.raise_type(of);
    }

    /// The code raises an exception of the type at that address.
    pub(in crate::emulate) fn raise_type(&mut self, of: u64) {
        self.set_error(of);
        self.choices_at_error.get_or_insert(self.met.len());
    }

    /// The type of the exception that is set.
    pub(in crate::emulate) fn error(&self) -> Option<u64> {
        self.error_asked.update(|asked| asked + 1);
        self.error
    }

    /// An exception of that type is set, by nobody's choice but the interpreter's.
    pub(in crate::emulate) fn set_error(&mut self, of: u64) {
        self.error_asked.update(|asked| asked + 1);
        self.error = Some(of);
    }

    /// The exception was dealt with.
    pub(in crate::emulate) fn clear_error(&mut self) {
        self.error_asked.update(|asked| asked + 1);
        self.error = None;
        self.choices_at_error = None;
    }
}
