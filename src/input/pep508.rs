//! Requirements and markers as PEP 508 writes them, read by `pep508_rs`.
//!
//! That crate, in its last release, panics on some malformed texts: names and extras that end in a
//! separator, and letters beyond ASCII in some places, which it counts as one byte. Here such a
//! panic becomes what it should have been, an error.

use std::cell::Cell;
use std::panic::{self, UnwindSafe};
use std::str::FromStr;
use std::sync::Once;

use pep508_rs::{MarkerTree, Pep508Error, Requirement, VerbatimUrl};

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    /// What was expected and what was found.
    pub(super) problem: String,
    /// Where, in bytes of the text.
    pub(super) at: usize,
}

/// Reads a requirement.
pub(super) fn requirement(text: &str) -> Result<Requirement<VerbatimUrl>, Malformed> {
    guarded(|| Requirement::from_str(text).map_err(|problem| malformed(&problem)))
}

/// Reads a marker.
pub(super) fn marker(text: &str) -> Result<MarkerTree, Malformed> {
    guarded(|| MarkerTree::from_str(text).map_err(|problem| malformed(&problem)))
}

fn malformed(problem: &Pep508Error<VerbatimUrl>) -> Malformed {
    // Its own display draws the line again, and may itself slice inside a letter.
    Malformed { problem: in_house_style(&problem.message.to_string()), at: problem.start }
}

/// A library's message as ours read: one line, no capital at the start, no full stop at the end.
fn in_house_style(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = line.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

thread_local! {
    /// Whether a panic of this thread is expected, and not to be told of.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

fn guarded<T>(parse: impl FnOnce() -> Result<T, Malformed> + UnwindSafe) -> Result<T, Malformed> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                tell(info);
            }
        }));
    });
    GUARDED.set(true);
    let outcome = panic::catch_unwind(parse);
    GUARDED.set(false);
    outcome.unwrap_or_else(|_| {
        Err(Malformed { problem: "it is not as PEP 508 has it".to_owned(), at: 0 })
    })
}
