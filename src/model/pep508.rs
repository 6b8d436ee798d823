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
pub struct Malformed {
    /// What was expected and what was found.
    pub problem: String,
    /// Where, in bytes of the text.
    pub at: usize,
}

/// Reads a requirement.
///
/// # Errors
/// Where the text is none.
pub fn requirement(text: &str) -> Result<Requirement<VerbatimUrl>, Malformed> {
    guarded(|| Requirement::from_str(text).map_err(|problem| malformed(&problem)))
}

/// Reads a requirement of a release on an index, mending what uploads of former years got wrong and
/// installers take all the same: `>=1.0,` with a comma behind, `>=3.6.*` with a star that says
/// nothing.
///
/// # Errors
/// Where it is no requirement even then.
pub fn lenient_requirement(text: &str) -> Result<Requirement<VerbatimUrl>, Malformed> {
    requirement(text).or_else(|malformed| {
        let mended = mended(text);
        if mended == text { Err(malformed) } else { requirement(&mended) }
    })
}

/// The parts of a requirement before its marker, without a star behind an ordered comparison and
/// without commas that part nothing.
fn mended(text: &str) -> String {
    let (requirement, marker) = match text.split_once(';') {
        Some((requirement, marker)) => (requirement, Some(marker)),
        None => (text, None),
    };
    let parts: Vec<String> = requirement
        .split(',')
        .map(|part| {
            let ordered = part.contains(['<', '>']) && !part.contains("==");
            let part = part.trim_end();
            match part.strip_suffix(".*)") {
                Some(rest) if ordered => format!("{rest})"),
                _ if ordered => part.strip_suffix(".*").unwrap_or(part).to_owned(),
                _ => part.to_owned(),
            }
        })
        .filter(|part| !part.trim().is_empty())
        .collect();
    let mut mended = parts.join(",").replace(",)", ")");
    if let Some(marker) = marker {
        mended.push_str(" ;");
        mended.push_str(marker);
    }
    mended
}

/// Reads a marker.
///
/// # Errors
/// Where the text is none.
pub fn marker(text: &str) -> Result<MarkerTree, Malformed> {
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
