//! Files that steer a build: Python, Meson's and `CMake`'s.
//!
//! They are programs, and are not run: what is asked is which words stand in them. Where a word
//! could mean several things, the answer is left open.

mod cmake;
mod meson;
mod python;

use std::collections::BTreeSet;

use self::python::Indents;
use super::project::admits;
use super::scan::{Kind, Language, Token, bracketed, tokens};
use super::unit::{MOST, sign};
use crate::model::pep508;
use crate::model::release::Sign;

/// Functions and arguments of build scripts that make extension modules, beside those whose names
/// end with `Extension`.
const COMPILING: [&str; 9] = [
    "ext_modules",
    "add_extension",
    "cythonize",
    "cffi_modules",
    "rust_extensions",
    "mypycify",
    "has_ext_modules",
    "build_ext",
    "skbuild",
];
/// A macro that Cython's output asks for.
pub(super) const CYTHON_MACRO: &str = "CYTHON_FREETHREADING_COMPATIBLE";
/// What all scripts of a build may come to, in bytes.
const MAX_TEXT: usize = 16 << 20;
/// Functions of Python's that find files by themselves.
const FINDING: [&str; 7] = ["glob", "iglob", "rglob", "listdir", "walk", "iterdir", "scandir"];

/// Which calls of Cython ask for modules that say they run without the GIL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Directive {
    /// None of them, or none is there.
    #[default]
    None,
    /// All of them.
    All(Sign),
    /// Some of them, or it could not be told which; the sign is of one that does not.
    Some(Sign),
}

/// What stands in the build's scripts, taken together.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// That something is compiled.
    pub(super) compiles: Vec<Sign>,
    /// That a file asks which kind of interpreter it builds for.
    pub(super) asks: bool,
    /// That it builds for the stable ABI.
    pub(super) limited: Option<Sign>,
    /// The same, under a condition.
    pub(super) maybe_limited: Option<Sign>,
    /// mypyc.
    pub(super) mypyc: Option<Sign>,
    /// cffi, out of line.
    pub(super) cffi: Option<Sign>,
    /// The `FREE_THREADED` of nanobind's targets, by name; `None` where it may be in a variable.
    pub(super) nanobind: Vec<(String, Option<Sign>, bool)>,
    /// Names of files and modules that they name.
    pub(super) named: BTreeSet<String>,
    /// The same with their endings or, of modules, with the package: what tells more.
    files_named: BTreeSet<String>,
    /// Whether they find files by themselves.
    pub(super) finds: bool,
    /// Macros and options that they name.
    words: BTreeSet<String>,
    /// Python files that are compiled.
    pub(super) compiled_python: Vec<Sign>,
    /// Files that a call names to be compiled, in C or for Cython.
    pub(super) sources: Vec<Sign>,
    /// Requirements that a Python script names of what makes modules.
    generators: Vec<String>,
    cython: Calls,
    f2py: Option<Sign>,
    /// The macro that makes Cython's output declare, whatever it was made with.
    pub(super) cython_macro: Option<Sign>,
    variables: BTreeSet<String>,
    files: Vec<(String, Language, String)>,
    /// How many bytes of scripts may still be taken.
    room: Option<usize>,
}

#[derive(Debug, Default)]
struct Calls {
    with: Option<Sign>,
    without: Option<Sign>,
    off: Option<Sign>,
    /// One that hangs on a condition.
    open: Option<Sign>,
}

impl Scripts {
    /// Takes a file, to be read once all are here: a variable may be set in another.
    /// Whether there was room for it.
    pub(super) fn add(&mut self, path: &str, language: Language, text: &str) -> bool {
        let Some(room) = self.room.unwrap_or(MAX_TEXT).checked_sub(text.len()) else {
            return false;
        };
        self.room = Some(room);
        self.files.push((path.to_owned(), language, text.to_owned()));
        true
    }

    /// Reads what was taken.
    pub(super) fn read(&mut self, is_counted: impl Fn(&str, Language) -> bool) {
        let mut files = std::mem::take(&mut self.files);
        files.retain(|(path, language, _)| is_counted(path, *language));
        let read: Vec<(&str, Language, &str, Vec<Token<'_>>)> = files
            .iter()
            .map(|(path, language, text)| {
                (path.as_str(), *language, text.as_str(), tokens(text, *language))
            })
            .collect();
        // A variable may be made of one that is set in a file read later.
        for _ in 0..3 {
            for (_, language, _, tokens) in &read {
                match language {
                    Language::Meson => self.carry_meson(tokens),
                    Language::CMake => self.carry_cmake(tokens),
                    _ => {}
                }
            }
        }
        for (path, language, text, tokens) in &read {
            self.words(path, *language, tokens);
            match language {
                Language::Python => self.python(path, tokens, &Indents::of(text)),
                Language::Meson => self.meson(path, tokens),
                _ => self.cmake(path, tokens),
            }
        }
    }

    /// Whether a macro or option of this name stands in some script.
    pub(super) fn names_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Whether a file is named with its ending, or as a module of its folder.
    pub(super) fn names_file(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let dotted = path.replace('/', ".");
        let module = dotted.rsplit_once('.').map_or("", |(module, _)| module);
        let parts = module.match_indices('.').filter_map(|(at, _)| module.get(at + 1..));
        self.files_named.contains(name)
            || std::iter::once(module).chain(parts).any(|part| self.files_named.contains(part))
    }

    /// Whether what scripts require of a generator admits a release as new as `newest`; `None` where
    /// they require nothing of it.
    pub(super) fn admits(&self, name: &str, newest: &str) -> Option<bool> {
        let newest: pep440_rs::Version = newest.parse().ok()?;
        let named = self.generators.iter().filter_map(|text| pep508::requirement(text).ok());
        let of_name = named.filter(|requirement| requirement.name.as_ref() == name);
        of_name.map(|requirement| admits(&requirement, &newest)).reduce(|all, one| all && one)
    }

    /// Takes words that stand elsewhere, such as in arguments within pyproject.toml.
    pub(super) fn add_words(&mut self, text: &str) {
        for word in
            text.split(|letter: char| letter != '_' && letter != '-' && !letter.is_alphanumeric())
        {
            let word = word.strip_prefix("-D").unwrap_or(word);
            if word.len() > 4 && self.words.len() < 16 * MOST {
                self.words.insert(word.to_owned());
            }
        }
    }

    /// What holds for modules that Cython makes at the build and that say nothing themselves.
    pub(super) fn directive(&self) -> Directive {
        let calls = &self.cython;
        let against = calls.off.as_ref().or(calls.open.as_ref()).or(calls.without.as_ref());
        match (&calls.with, against) {
            (Some(sign), None) => Directive::All(sign.clone()),
            (Some(_), Some(against)) => Directive::Some(against.clone()),
            (None, _) => calls.open.clone().map_or(Directive::None, Directive::Some),
        }
    }

    /// That f2py is told of free-threading.
    pub(super) fn f2py(&self) -> Option<&Sign> {
        self.f2py.as_ref()
    }

    /// What is the same in every language.
    fn words(&mut self, path: &str, language: Language, tokens: &[Token<'_>]) {
        for (at, token) in tokens.iter().enumerate() {
            let text = token.text;
            if token.kind == Kind::Mark || text.len() > 1000 {
                continue;
            }
            if token.kind == Kind::Text || language == Language::CMake {
                self.add_words(text);
                self.add_name(text);
                if text.contains(CYTHON_MACRO) {
                    let (_, value) = text.split_once(CYTHON_MACRO).unwrap_or_default();
                    let next = tokens.get(at + 2).map(|next| next.text);
                    if value == "=1" || value.is_empty() && next == Some("1") {
                        self.cython_macro
                            .get_or_insert_with(|| sign(path, token.line, CYTHON_MACRO));
                    }
                }
                if language == Language::Python
                    && ["cffi", "Cffi", "CFFI"].iter().any(|name| text.starts_with(name))
                    && text.contains(['<', '=', '~', '>'])
                    && self.generators.len() < MOST
                {
                    self.generators.push(text.to_owned());
                }
                if text.contains("freethreading-compatible") {
                    self.f2py.get_or_insert_with(|| {
                        sign(path, token.line, "--freethreading-compatible")
                    });
                }
            }
            let lower = text.to_ascii_lowercase();
            // Prose may speak of it; a small script within a text asks by these names.
            let is_prose = token.kind == Kind::Text && text.contains(char::is_whitespace);
            self.asks |=
                ["py_gil_disabled", "_is_gil_enabled"].iter().any(|word| lower.contains(word));
            self.asks |= !is_prose
                && ["free_thread", "freethread", "free-thread", "nogil"].iter().any(|word| {
                    lower.contains(word) && !lower.contains("freethreading_compatible")
                });
        }
    }

    /// A text that may name a source or a module: by its last part.
    fn add_name(&mut self, text: &str) {
        if text.contains('*') {
            self.finds = true;
            return;
        }
        let last = text.rsplit('/').next().unwrap_or(text);
        let stem = ["pyx", "c", "cc", "cpp", "cxx", "py", "i", "pyf", "in"]
            .iter()
            .find_map(|ending| last.strip_suffix(ending)?.strip_suffix('.'));
        let name = stem.unwrap_or(last);
        let whole = if stem.is_some() { last } else { name };
        let name = name.rsplit('.').next().unwrap_or(name);
        if whole != name && self.files_named.len() < 16 * MOST {
            self.files_named.insert(whole.to_owned());
        }
        let is_name = name.chars().all(|letter| letter == '_' || letter.is_alphanumeric());
        if is_name && !name.is_empty() && self.named.len() < 16 * MOST {
            self.named.insert(name.to_owned());
        }
    }

    fn compile(&mut self, sign: Sign) {
        // An import alone says nothing, and is never the only mention.
        if self.compiles.len() < MOST {
            self.compiles.push(sign);
        }
    }

    fn cython_call(&mut self, path: &str, line: u32, carries: bool) {
        if carries {
            self.cython.with.get_or_insert(sign(path, line, "freethreading_compatible"));
        } else {
            self.cython.without.get_or_insert(sign(path, line, "Cython"));
        }
    }

    fn variable(&mut self, name: &str) {
        if self.variables.len() < MOST {
            self.variables.insert(name.to_owned());
        }
    }

    /// Whether Cython's option, or a variable that holds it, stands among the words.
    fn carries(&self, words: &[Token<'_>]) -> bool {
        words.iter().enumerate().any(|(at, word)| {
            if stated(word.text) == Some(true) {
                return true;
            }
            let is_keyword = words.get(at + 1).is_some_and(|next| next.is_mark(':'));
            if word.kind != Kind::Word && !word.text.contains("${") || is_keyword {
                return false;
            }
            let name = word.text.trim_start_matches("${").trim_end_matches('}');
            self.variables.contains(name)
        })
    }
}

/// The value that a text states for Cython's option: `-Xfreethreading_compatible=True`.
fn stated(text: &str) -> Option<bool> {
    // Prose is longer, and has several lines.
    if text.len() > 300 || text.contains('\n') {
        return None;
    }
    let (_, rest) = text.split_once("freethreading_compatible")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let value = value.split(|letter: char| !letter.is_alphanumeric()).next()?;
    match value {
        "True" | "true" | "1" => Some(true),
        "False" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// The calls of a script: the word that is called, and what stands between
/// the parentheses, where anything does.
fn calls<'c, 't>(
    tokens: &'c [Token<'t>],
) -> impl Iterator<Item = (&'c Token<'t>, &'c [Token<'t>])> {
    let words = tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word);
    words.map(|(at, token)| (token, call(tokens, at))).filter(|(_, call)| !call.is_empty())
}

/// What stands between the parentheses behind the word at `at`; nothing where it is not called.
fn call<'c, 't>(tokens: &'c [Token<'t>], at: usize) -> &'c [Token<'t>] {
    const LONGEST: usize = 2000;
    let Some(rest) = tokens.get(at + 1..) else { return &[] };
    if !rest.first().is_some_and(|first| first.is_mark('(')) {
        return &[];
    }
    if let Some(arguments) = bracketed(tokens, at, '(', ')', LONGEST) {
        return arguments;
    }
    rest.get(1..rest.len().min(LONGEST)).unwrap_or_default()
}
