//! Whether two processes that were stopped go on alike, and until what they are asked for.

use super::Process;

/// How much of either is kept. Hooks that ask more often are followed to their end each time.
const MOST_ASKED: usize = 1 << 18;

/// In which calls, by their numbers and in order, something was asked for that lies beside memory.
#[derive(Debug, Clone, Default)]
pub(in crate::emulate) struct Asking {
    /// Whether an exception is set; or one was set or cleared.
    pub(in crate::emulate) error: Vec<u64>,
    /// What a dictionary or an object holds, with which.
    pub(in crate::emulate) held: Vec<(u64, u64)>,
    /// Whether more was asked for than is kept.
    pub(in crate::emulate) is_cut: bool,
}

impl Asking {
    /// Adds what was asked for in one call.
    pub(super) fn add(&mut self, call: u64, error: bool, of: Vec<u64>) {
        self.error.extend(error.then_some(call));
        self.held.extend(of.into_iter().map(|holder| (call, holder)));
        for length in [self.error.len(), self.held.len()] {
            self.is_cut |= length > MOST_ASKED;
        }
        if self.is_cut {
            self.error.clear();
            self.held.clear();
        }
    }
}

/// In what two processes differ that go on alike until they are asked for it.
#[derive(Debug, Clone)]
pub(in crate::emulate) struct Difference {
    /// The type of the exception that is set in each.
    pub(in crate::emulate) errors: [Option<u64>; 2],
    /// The dictionaries and objects that hold something else.
    pub(in crate::emulate) held: Vec<u64>,
}

impl Process<'_, '_, '_> {
    /// Whether it goes on as another does that was stopped at the same call, and if so, in what they
    /// differ all the same; `None` where anything else is not alike.
    pub(in crate::emulate) fn difference(&self, other: &Self) -> Option<Difference> {
        let are_alike = self.calls == other.calls
            && self.paused == other.paused
            && self.met == other.met
            && self.shortages == other.shortages
            && self.definitions == other.definitions
            && self.modules == other.modules
            && self.submodules == other.submodules
            && self.module_dicts == other.module_dicts
            && self.functions == other.functions
            && self.delegated == other.delegated
            && self.thread_values == other.thread_values
            && self.thread_keys == other.thread_keys
            && self.uses_arrays == other.uses_arrays
            && self.entered == other.entered
            && self.turns == other.turns
            && self.sortings == other.sortings
            && self.singletons == other.singletons
            && self.ticks == other.ticks
            && self.steps_of_calls == other.steps_of_calls
            && self.attributes.is_as_loose(&other.attributes)
            && self.memory.is_like(&other.memory);
        are_alike.then(|| Difference {
            errors: [self.error, other.error],
            held: self.attributes.differing(&other.attributes),
        })
    }
}
