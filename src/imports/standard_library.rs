//! Which modules of the standard library there are, told by a list of their names.
//!
//! None of them enables the GIL: the interpreter's own extension modules all declare that they run
//! without it.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::model::platform::Platform;
use crate::model::target::Target;

const LIST: &str = include_str!("../../data/standard-library.txt");

/// Whether a module can be imported from the standard library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It can.
    Here,
    /// It is not known: a build may leave it out, or the list does not tell.
    Perhaps,
    /// The name belongs to the standard library, and it is not there for this interpreter.
    Absent,
    /// The name does not belong to the standard library.
    Foreign,
}

/// What the list says of one module.
#[derive(Debug, Default, Clone, Copy)]
struct Entry {
    since: u8,
    until: Option<u8>,
    windows: bool,
    unix: bool,
    macos: bool,
    optional: bool,
}

fn entries() -> &'static HashMap<&'static str, Entry> {
    static ENTRIES: OnceLock<HashMap<&'static str, Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        LIST.lines().filter(|line| !line.starts_with('#')).filter_map(entry).collect()
    })
}

fn entry(line: &'static str) -> Option<(&'static str, Entry)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let mut entry = Entry::default();
    while let Some(word) = words.next() {
        match word {
            "since" => entry.since = minor(words.next()?)?,
            "until" => entry.until = Some(minor(words.next()?)?),
            "windows" => entry.windows = true,
            "unix" => entry.unix = true,
            "macos" => entry.macos = true,
            "optional" => entry.optional = true,
            _ => {}
        }
    }
    Some((name, entry))
}

fn minor(version: &str) -> Option<u8> {
    version.strip_prefix("3.")?.parse().ok()
}

/// Whether the standard library has a module of this dotted name.
pub(super) fn presence(module: &str, target: Target, platform: Platform) -> Presence {
    let entries = entries();
    let top = module.split('.').next().unwrap_or(module);
    let Some(entry) = entries.get(module) else {
        return match entries.get(top) {
            None => Presence::Foreign,
            Some(_) => Presence::Perhaps,
        };
    };
    let here = target.minor() >= entry.since
        && entry.until.is_none_or(|until| target.minor() < until)
        && (!entry.windows || platform.is_windows())
        && (!entry.unix || !platform.is_windows())
        && (!entry.macos || platform.is_macos());
    match (here, entry.optional) {
        // A name that no release of the interpreter has any more is free for others.
        (false, _) if module == top && !(entry.windows || entry.unix || entry.macos) => {
            Presence::Foreign
        }
        (false, _) => Presence::Absent,
        (true, true) => Presence::Perhaps,
        (true, false) => Presence::Here,
    }
}
