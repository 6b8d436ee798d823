//! Names of modules among the bytes of a compiled file.
//!
//! A compiled module imports in code that is not followed. Whatever it imports by name it names in
//! its constants: that one of them is the name of a module is a hint that it may be imported. Which
//! names are those of modules is known only once all packages are side by side, so that here every
//! name is kept that could be one.

use std::collections::{BTreeSet, HashSet};

/// Shorter names stand in any file.
const SHORTEST: usize = 5;
/// Longer ones are no names of modules.
const LONGEST: usize = 200;
/// What is kept of one file at most, in bytes: the largest hold half of it.
const MAX_KEPT: usize = 8 << 20;
/// What stands for all names of a file that holds more. No name of a module.
pub(super) const ANYTHING: &str = "*";

/// What is told of a file whose names are not known: it may name any module.
#[must_use]
pub fn anything() -> Vec<String> {
    vec![ANYTHING.to_owned()]
}

/// The names in the bytes of a module that may be those of modules, sorted: dotted ones wherever
/// they stand as words of their own, others where they are constants of C by themselves. More than
/// are kept are told as `*`, which may be any.
#[must_use]
pub fn names_in(bytes: &[u8]) -> Vec<String> {
    let mut found: HashSet<&str> = HashSet::new();
    let mut kept = 0_usize;
    let mut at = 0_usize;
    while let Some(word) = next_word(bytes, &mut at) {
        if kept > MAX_KEPT {
            return anything();
        }
        if let Some(name) = name_of(bytes, word)
            && found.insert(name)
        {
            kept += name.len();
        }
    }
    let mut found: Vec<String> = found.into_iter().map(str::to_owned).collect();
    found.sort_unstable();
    found
}

/// The next bytes from `at` that may stand in a dotted name and are enough for one, as their first place
/// and the one behind them.
///
/// Of so many bytes one is looked at: most of them are code, and where that one belongs to no word, none
/// that is long enough lies around it.
fn next_word(bytes: &[u8], at: &mut usize) -> Option<(usize, usize)> {
    let mut probe = *at + SHORTEST - 1;
    loop {
        if !is_of_name(bytes.get(probe)?) {
            probe += SHORTEST;
            continue;
        }
        let before = bytes.get(*at..probe)?.iter().rposition(|byte| !is_of_name(byte));
        let start = before.map_or(*at, |place| *at + place + 1);
        let length = bytes.get(probe..)?.iter().position(|byte| !is_of_name(byte));
        let end = length.map_or(bytes.len(), |length| probe + length);
        *at = end;
        if end - start >= SHORTEST {
            return Some((start, end));
        }
        probe = end + SHORTEST;
    }
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
    OF_NAMES[usize::from(*byte)]
}

/// Which bytes stand in dotted names.
static OF_NAMES: [bool; 256] = {
    let mut of_names = [false; 256];
    let mut byte = 0_u8;
    loop {
        of_names[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        if byte == u8::MAX {
            break of_names;
        }
        byte += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Looking at one byte of many finds the words that looking at each finds.
        #[test]
        fn no_word_is_passed_over(text in "[a.\\x00 ]{0,60}") {
            let bytes = text.as_bytes();
            let mut at = 0;
            let found: Vec<&[u8]> = std::iter::from_fn(|| next_word(bytes, &mut at))
                .map(|(start, end)| &bytes[start..end])
                .collect();
            let words = bytes.split(|byte| !is_of_name(byte));
            let expected: Vec<&[u8]> = words.filter(|word| word.len() >= SHORTEST).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
