//! Which files hold the names of modules, told by the words in them.
//!
//! Where a module imports another, the last part of that one's name stands in its file, in a statement or
//! in a text, and the name of its package too, unless both lie in the same. Looking for such words takes a
//! small part of what parsing the files takes. What is found beside, such as prose, only means that more is
//! looked at.

use foldhash::HashMap;

use super::cores::on_all_cores;
use super::environment::{Environment, ModuleId};
use super::search::IMPORTERS;

/// A part of a module's name, by its place among all of them.
type Part = u32;

/// Parts of names that programs and tests of a package have.
pub(super) const ASIDE: [&str; 7] =
    ["__main__", "tests", "test", "testing", "conftest", "setup", "benchmarks"];

/// The words of files, as far as they are parts of names of modules.
pub(super) struct Words<'e> {
    environment: &'e Environment,
    parts: Parts,
    files: HashMap<ModuleId, File>,
    /// The files that each part stands in.
    holding: Vec<Vec<ModuleId>>,
    /// The files that have a text which ends with this part and a dot.
    with_end: HashMap<Part, Vec<ModuleId>>,
    /// The files with a function that imports by a name, by the package that they lie in.
    by_name: HashMap<Option<ModuleId>, Vec<ModuleId>>,
}

/// What stands in one file.
#[derive(Default)]
struct File {
    /// In order, each once.
    parts: Vec<Part>,
    ends: Vec<Part>,
    imports_by_name: bool,
    /// Whether one of [`ASIDE`] stands where a name may that is imported.
    names_aside: bool,
}

impl<'e> Words<'e> {
    /// Nothing yet.
    pub(super) fn new(environment: &'e Environment) -> Self {
        let names = environment.modules().map(|id| environment.last_part(id));
        let parts = Parts::of(names);
        Self {
            environment,
            holding: vec![Vec::new(); parts.numbers.len()],
            parts,
            files: HashMap::default(),
            with_end: HashMap::default(),
            by_name: HashMap::default(),
        }
    }

    /// Reads the Python files of these modules that were not read before.
    pub(super) fn read(&mut self, modules: &[ModuleId]) {
        let is_new = |module: &&ModuleId| !self.files.contains_key(*module);
        let modules: Vec<ModuleId> = modules.iter().filter(is_new).copied().collect();
        let read = on_all_cores(modules.len(), |at| {
            let text = self.environment.text(*modules.get(at)?)?;
            Some(File::of(&text, &self.parts))
        });
        for (module, file) in modules.iter().zip(read) {
            let Some(file) = file else { continue };
            for part in &file.parts {
                self.holding.get_mut(*part as usize).into_iter().for_each(|all| all.push(*module));
            }
            for end in &file.ends {
                self.with_end.entry(*end).or_default().push(*module);
            }
            if file.imports_by_name {
                let package = self.environment.package(*module);
                self.by_name.entry(package).or_default().push(*module);
            }
            self.files.insert(*module, file);
        }
    }

    /// The modules that were read and may name this one.
    pub(super) fn may_name(&self, module: ModuleId) -> Vec<ModuleId> {
        if last_word(self.environment.last_part(module)).is_empty() {
            return self.files.keys().copied().collect();
        }
        let part = self.part_of(module);
        let holding = part.and_then(|part| self.holding.get(part as usize));
        let parent = self.environment.parent(module);
        let with_end = parent.and_then(|parent| self.with_end.get(&self.part_of(parent)?));
        let by_name = self.by_name.get(&parent);
        let outermost = self.environment.outermost(module);
        let top = self.part_of(outermost);
        let reaches = |id: &ModuleId| {
            self.environment.outermost(*id) == outermost
                || top.is_some_and(|top| self.holds(*id, top))
        };
        let by_word = holding.into_iter().chain(with_end).flatten();
        by_word.copied().filter(reaches).chain(by_name.into_iter().flatten().copied()).collect()
    }

    /// Whether a file may import a program or tests of a package; so may one that could not be read.
    pub(super) fn may_name_aside(&self, module: ModuleId) -> bool {
        self.files.get(&module).is_none_or(|file| file.names_aside)
    }

    fn holds(&self, file: ModuleId, part: Part) -> bool {
        self.files.get(&file).is_some_and(|file| file.parts.binary_search(&part).is_ok())
    }

    fn part_of(&self, module: ModuleId) -> Option<Part> {
        self.parts.number(last_word(self.environment.last_part(module)))
    }
}

/// What may follow in a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Opens {
    /// No name that is imported.
    Nothing,
    /// One without a dot, since a line begins: in brackets, behind `import`.
    Alone,
    /// One with dots or without.
    Name,
}

/// All words that are looked for: functions that import, and then parts of names.
struct Parts {
    numbers: HashMap<Vec<u8>, Part>,
    /// The lengths of words that begin with each byte, a bit for each: most words in files are none of
    /// these.
    lengths: [u64; 256],
}

impl Parts {
    fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut parts = Self { numbers: HashMap::default(), lengths: [0; 256] };
        for word in IMPORTERS.into_iter().chain(names).map(last_word) {
            let next = Part::try_from(parts.numbers.len()).unwrap_or(Part::MAX);
            parts.numbers.entry(word.to_vec()).or_insert(next);
            if let Some(lengths) = parts.lengths_of(word) {
                *lengths |= length_bit(word);
            }
        }
        parts
    }

    fn lengths_of(&mut self, word: &[u8]) -> Option<&mut u64> {
        self.lengths.get_mut(usize::from(*word.first()?))
    }

    fn number(&self, word: &[u8]) -> Option<Part> {
        let lengths = self.lengths.get(usize::from(*word.first()?))?;
        (lengths & length_bit(word) != 0).then(|| self.numbers.get(word).copied())?
    }
}

/// All long ones share a bit.
fn length_bit(word: &[u8]) -> u64 {
    1 << word.len().min(63)
}

impl File {
    fn of(text: &[u8], known: &Parts) -> Self {
        let mut file = Self::default();
        let mut seen = vec![false; known.numbers.len()];
        let (mut opens, mut last_opened) = (Opens::Alone, Opens::Nothing);
        let mut rest = text;
        while let Some((first, behind)) = rest.split_first() {
            if !is_of_word(first) {
                opens = match first {
                    b',' | b'\'' | b'"' => Opens::Name,
                    b'.' => opens.max(last_opened),
                    b' ' | b'\t' | b'\\' | b'\r' | b'\x0c' | b'(' => opens,
                    b'\n' => opens.max(Opens::Alone),
                    _ => Opens::Nothing,
                };
                last_opened = Opens::Nothing;
                rest = behind;
                continue;
            }
            let length = rest.iter().position(|byte| !is_of_word(byte)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(length);
            if let Some(part) = known.number(word) {
                file.imports_by_name |= (part as usize) < IMPORTERS.len();
                if let Some(seen @ false) = seen.get_mut(part as usize) {
                    *seen = true;
                    file.parts.push(part);
                }
                if matches!(behind, [b'.', b'\'' | b'"' | b'{', ..]) {
                    file.ends.push(part);
                }
                file.names_aside |= opens != Opens::Nothing && is_aside(word);
            }
            last_opened = if opens == Opens::Name { opens } else { Opens::Nothing };
            let is_keyword = matches!(word, b"import" | b"from");
            opens = if is_keyword { Opens::Name } else { Opens::Nothing };
            rest = behind;
        }
        for parts in [&mut file.parts, &mut file.ends] {
            parts.sort_unstable();
            parts.dedup();
            parts.shrink_to_fit();
        }
        file
    }
}

fn is_aside(word: &[u8]) -> bool {
    ASIDE.iter().any(|aside| aside.as_bytes() == word)
}

fn is_of_word(byte: &u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0_u8;
        loop {
            table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
            if byte == u8::MAX {
                break table;
            }
            byte += 1;
        }
    };
    TABLE.get(usize::from(*byte)).copied().unwrap_or(true)
}

/// What of a name is one word: a file may be called as no module is, and be imported by a text.
fn last_word(name: &str) -> &[u8] {
    let mut words = name.as_bytes().split(|byte| !is_of_word(byte));
    words.rfind(|word| !word.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Behind the functions that import.
    const ALPHA: Part = 5;

    fn file(text: &str) -> File {
        File::of(text.as_bytes(), &Parts::of(["alpha", "beta", "testing"].into_iter()))
    }

    #[test]
    fn every_form_of_an_import_is_seen() {
        for text in [
            "import alpha",
            "import\talpha.part as other",
            "from alpha.part import thing",
            "from . import alpha",
            "from .alpha import thing",
            "from . import (\n    a,\n    alpha,\n)",
            "import os, alpha",
            "import os,alpha",
            "import \\\n    alpha",
            "if x: import alpha",
            "x = 1;import alpha",
            "load('alpha')",
            "load(\"alpha.part\")",
            "names = ['alpha']",
            "call(f'alpha.{part}', rb\"x\")",
            "lazy from alpha import thing",
        ] {
            assert_eq!(file(text).parts, [ALPHA], "{text}");
        }
        for text in ["import alphabet", "alpha_ = 1", "_alpha", "alph\u{e4}"] {
            assert_eq!(file(text).parts, Vec::<Part>::new(), "{text}");
        }
    }

    #[test]
    fn texts_that_end_in_a_dot_are_told_apart() {
        assert_eq!(file("'pkg.alpha.' + name").ends, [ALPHA]);
        assert_eq!(file("f\"alpha.{beta}\"").ends, [ALPHA]);
        assert_eq!(file("alpha.beta").ends, Vec::<Part>::new());
    }

    #[test]
    fn files_that_import_by_name_are_told_apart() {
        assert!(file("from importlib import import_module as load").imports_by_name);
        assert!(!file("import alpha").imports_by_name);
    }

    #[test]
    fn tests_count_where_they_may_be_imported_only() {
        for text in [
            "from alpha.testing import x",
            "from .testing import x",
            "import os, testing",
            "from . import testing",
            "from . import (  # why\n    testing,\n)",
            "load('alpha.testing')",
        ] {
            assert!(file(text).names_aside, "{text}");
        }
        for text in ["x = testing", "# for testing, of course", "def testing():", "np.testing"] {
            assert!(!file(text).names_aside, "{text}");
        }
    }

    #[test]
    fn names_are_looked_for_by_their_last_word() {
        assert_eq!(last_word("alpha"), b"alpha");
        assert_eq!(last_word("my-alpha"), b"alpha");
        assert_eq!(last_word("-"), b"");
    }
}
