//! Which tool generated a module, told by texts that the tool leaves in what it generates.
//!
//! Evidence for readers: no answer hangs on it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::image::Image;
use crate::model::evidence::Generator;

/// A text, the tool that leaves it, and whether the tool's version stands behind it.
struct Mark {
    text: &'static str,
    tool: &'static str,
    version: Version,
}

enum Version {
    Unstated,
    /// Digits with this between them, and what may follow.
    Behind(char),
    /// The version of an interface, which the tool counts apart from its releases.
    Interface,
}

/// The more telling first: modules of one tool may mention another.
const MARKS: [Mark; 13] = [
    Mark {
        text: "auto-generated with f2py (version:",
        tool: "f2py",
        version: Version::Behind('.'),
    },
    Mark { text: "__pythran__", tool: "Pythran", version: Version::Unstated },
    Mark { text: "swig_runtime_data", tool: "SWIG", version: Version::Unstated },
    // Where a crate's sources lie, as panics tell it.
    Mark { text: "/pyo3-", tool: "PyO3", version: Version::Behind('.') },
    Mark { text: "\\pyo3-", tool: "PyO3", version: Version::Behind('.') },
    Mark { text: "pyo3_runtime.PanicException", tool: "PyO3", version: Version::Unstated },
    Mark { text: "_init_cffi_1_0_external_module", tool: "cffi", version: Version::Unstated },
    Mark { text: "__pybind11_internals_v", tool: "pybind11", version: Version::Interface },
    Mark { text: "__nb_internals_v", tool: "nanobind", version: Version::Interface },
    Mark { text: "nanobind::", tool: "nanobind", version: Version::Unstated },
    // The module that Cython's shared types are kept in.
    Mark { text: "_cython_", tool: "Cython", version: Version::Behind('_') },
    Mark { text: "__pyx_capi__", tool: "Cython", version: Version::Unstated },
    Mark { text: "__mypyc.", tool: "mypyc", version: Version::Unstated },
];

/// No text is part of another, so that every kind of match finds the same; only for this one does
/// the crate look at many bytes at a time, which takes a fifth of the time.
static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    builder.match_kind(MatchKind::LeftmostFirst).build(MARKS.map(|mark| mark.text)).ok()
});

/// The tool that a library's own bytes name.
pub(super) fn generator(image: &Image<'_>) -> Option<Generator> {
    let search = SEARCH.as_ref()?;
    let mut best: Option<(usize, Option<String>)> = None;
    for bytes in image.contents() {
        for found in search.find_iter(bytes) {
            let number = found.pattern().as_usize();
            let mark = MARKS.get(number)?;
            let version = mark.version.read(&bytes[found.end()..]);
            if matches!(mark.version, Version::Behind('_')) && version.is_none() {
                // Some other name that begins alike.
                continue;
            }
            let rank = (number, version.is_none());
            if best.as_ref().is_none_or(|(known, text)| rank < (*known, text.is_none())) {
                best = Some((number, version));
            }
        }
    }
    let (number, version) = best?;
    let mark = MARKS.get(number)?;
    Some(Generator { name: mark.tool.to_owned(), version })
}

/// The longest version that is read.
const MAX_VERSION: usize = 24;

impl Version {
    fn read(&self, bytes: &[u8]) -> Option<String> {
        let bytes = &bytes[..bytes.len().min(MAX_VERSION)];
        let text = |accepts: &dyn Fn(u8) -> bool| -> String {
            bytes.iter().take_while(|byte| accepts(**byte)).map(|byte| char::from(*byte)).collect()
        };
        match self {
            Self::Unstated => None,
            Self::Interface => {
                let digits = text(&|byte| byte.is_ascii_digit());
                (!digits.is_empty()).then(|| format!("internals {digits}"))
            }
            Self::Behind(between) => {
                let between = u8::try_from(*between).ok()?;
                let digits = text(&|byte| byte.is_ascii_alphanumeric() || byte == between);
                let parts: Vec<&str> = digits.split(char::from(between)).collect();
                let is_version = parts.len() >= 2
                    && parts
                        .iter()
                        .all(|part| part.starts_with(|letter: char| letter.is_ascii_digit()));
                is_version.then(|| parts.join("."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MARKS;

    /// What [`super::SEARCH`] counts on.
    #[test]
    fn no_mark_is_part_of_another() {
        for (number, mark) in MARKS.iter().enumerate() {
            for (other_number, other) in MARKS.iter().enumerate() {
                assert!(
                    number == other_number || !other.text.contains(mark.text),
                    "`{}` is part of `{}`",
                    mark.text,
                    other.text
                );
            }
        }
    }
}
