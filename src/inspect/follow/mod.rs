//! What a function does, told by following its instructions without assuming anything.
//!
//! One file per processor. A follower never guesses: it returns what the function returned, or
//! why it stopped. Where it stops, [`super::emulate`] goes on, with assumptions about what the
//! interpreter would answer.

mod x86_64;

use crate::inspect::image::{Image, Machine};

/// How following an init function ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// It returned this value, or one that is not known.
    Returned(Option<u64>),
    /// It could not be followed to its end; the text says why.
    Stopped(String),
}

/// An init function, followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// How it ended.
    pub(super) ending: Ending,
    /// The definition last handed to `PyModuleDef_Init`.
    pub(super) definition: Option<u64>,
    /// Where a constructor wrote to the library's memory, and how many bytes.
    pub(super) writes: Vec<(u64, u64)>,
    /// Instructions followed.
    pub(super) steps: u32,
}

/// What a function is followed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To learn what it returns. A write to the library's memory ends the following, since what it
    /// changes may decide the answer.
    Result,
    /// To learn what it writes, as far as it can be followed.
    Constructor,
}

/// Follows the function at `entry`.
pub(super) fn follow(image: &Image<'_>, entry: u64, purpose: Purpose) -> Trace {
    match image.machine() {
        Machine::X86_64 => x86_64::follow(image, entry, purpose),
        other => Trace {
            ending: Ending::Stopped(format!("{} code is not followed yet", other.name())),
            definition: None,
            writes: Vec::new(),
            steps: 0,
        },
    }
}
