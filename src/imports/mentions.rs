//! Names of modules among the bytes of a compiled file.
//!
//! A compiled module imports in code that is not followed. Whatever it imports by name it names in
//! its constants: that one of them is the name of a module is a hint that it may be imported. Which
//! names are those of modules is known only once all packages are side by side, so that here every
//! name is kept that could be one.

use std::collections::BTreeSet;

/// Shorter names stand in any file.
const SHORTEST: usize = 5;
/// Longer ones are no names of modules.
const LONGEST: usize = 200;
/// What is kept of one file at most, in bytes: the largest hold half of it.
const MAX_KEPT: usize = 8 << 20;
/// What stands for all names of a file that holds more. No name of a module.
pub(super) const ANYTHING: &str = "*";

/// The names in the bytes of a module that may be those of modules, sorted: dotted ones wherever
/// they stand as words of their own, others where they are constants of C by themselves. More than
/// are kept are told as `*`, which may be any.
#[must_use]
pub fn names_in(bytes: &[u8]) -> Vec<String> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut kept = 0_usize;
    let mut at = 0_usize;
    while let Some(word) = next_word(bytes, &mut at) {
        if kept > MAX_KEPT {
            return vec![ANYTHING.to_owned()];
        }
        if let Some(name) = name_of(bytes, word)
            && found.insert(name)
        {
            kept += name.len();
        }
    }
    found.into_iter().map(str::to_owned).collect()
}

/// The next bytes from `at` that may stand in a dotted name, as their first place and the one
/// behind them.
fn next_word(bytes: &[u8], at: &mut usize) -> Option<(usize, usize)> {
    let start = *at + bytes.get(*at..)?.iter().position(is_of_name)?;
    let length = bytes.get(start..)?.iter().position(|byte| !is_of_name(byte));
    let end = length.map_or(bytes.len(), |length| start + length);
    *at = end;
    Some((start, end))
}

fn name_of(bytes: &[u8], (start, end): (usize, usize)) -> Option<&str> {
    let word = std::str::from_utf8(bytes.get(start..end)?).ok()?;
    let name = word.trim_matches('.');
    if !(SHORTEST..=LONGEST).contains(&name.len()) || is_symbol(name) {
        return None;
    }
    let is_identifier = |part: &str| part.starts_with(|first: char| !first.is_ascii_digit());
    if !name.split('.').all(is_identifier) {
        return None;
    }
    // A constant of C ends in a zero; one of Rust lies among others.
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    let alone = name.contains('.') || (before == Some(&0) && bytes.get(end) == Some(&0));
    alone.then_some(name)
}

/// Names that compilers make (Itanium C++ ABI, Rust's `v0` and older): most of what there is.
fn is_symbol(name: &str) -> bool {
    let rest = name.strip_prefix("_Z").or_else(|| name.strip_prefix("_R"));
    rest.and_then(|rest| rest.chars().next())
        .is_some_and(|kind| kind.is_ascii_digit() || kind.is_ascii_uppercase())
}

/// Of names in the bytes of a module, those that lead to another module: by themselves, or as names
/// in the module's own package, as relative imports have them. `*` leads to `*`.
#[must_use]
pub fn leading(
    module: &str,
    package: &str,
    names: &[String],
    is_module: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut found = BTreeSet::new();
    for name in names {
        let beside = (!package.is_empty()).then(|| format!("{package}.{name}"));
        for name in [Some(name.clone()), beside].into_iter().flatten() {
            if name == ANYTHING || (name != module && is_module(&name)) {
                found.insert(name);
            }
        }
    }
    found.into_iter().collect()
}

/// Whether it stands for any name.
pub(super) fn is_anything(name: &str) -> bool {
    name == ANYTHING
}

fn is_of_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}
