//! What a C preprocessor would leave of a file in a free-threaded build, as far as that is plain.
//!
//! Macros are not expanded and headers are not read. A condition is decided where it asks what is
//! known of such a build; what stands under any other is kept, with the words it hangs on.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::{Kind, Language, Token, tokens};

/// Conditions within conditions that are followed; what lies deeper hangs on [`TOO_MANY`].
const MAX_DEPTH: usize = 32;
/// Words of one condition that are kept.
const MAX_WORDS: usize = 16;
/// Parentheses within parentheses of one condition that are followed.
const MAX_NESTED: usize = 16;
/// Different conditions of one file; what comes after so many hangs on [`TOO_MANY`].
const MAX_CONDITIONS: usize = 4096;
/// Stands for conditions that are not followed.
const TOO_MANY: &str = "too many conditions";
/// Macros that a free-threaded build of `CPython` 3.13 and newer defines.
const DEFINED: [&str; 11] = [
    "Py_GIL_DISABLED",
    "Py_mod_gil",
    "Py_MOD_GIL_USED",
    "Py_MOD_GIL_NOT_USED",
    "Py_mod_create",
    "Py_mod_exec",
    "Py_mod_multiple_interpreters",
    "PyMODINIT_FUNC",
    "PyModuleDef_HEAD_INIT",
    "Py_PYTHON_H",
    "PY_VERSION_HEX",
];
/// Macros of other interpreters, and of the stable ABI, for which a source is told apart elsewhere.
const NOT_DEFINED: [&str; 4] =
    ["PYPY_VERSION", "PYPY_VERSION_NUM", "GRAALVM_PYTHON", "Py_LIMITED_API"];
/// Words on which nothing hangs: parts of a condition, and what a compiler defines without effect on
/// what a module declares.
const NEUTRAL: [&str; 2] = ["defined", "__cplusplus"];

/// A word that a condition hangs on, and whether the condition holds where the build defines it.
pub type Word<'t> = (&'t str, bool);

/// A file after its conditions.
#[derive(Debug, Default)]
pub struct Code<'t> {
    /// Its words. The bodies of macros stand where they are defined, each ended by [`Kind::Line`];
    /// no other such words are left.
    pub tokens: Vec<Token<'t>>,
    /// For each word the place of its conditions in [`Self::conditions`].
    hangs: Vec<usize>,
    conditions: Vec<BTreeSet<Word<'t>>>,
    /// The macros that it defines, with the line.
    pub defines: BTreeMap<&'t str, u32>,
    /// Those of them that it defines under an open condition only, or undefines.
    unsure: BTreeSet<&'t str>,
}

impl<'t> Code<'t> {
    /// Reads a file.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let mut reader = Reader {
            code: Code { conditions: vec![BTreeSet::new()], ..Code::default() },
            frames: Vec::new(),
            too_deep: 0,
            state: 0,
            guard: None,
        };
        let tokens = tokens(text, Language::C);
        for line in tokens.split_inclusive(|token| token.kind == Kind::Line) {
            reader.line(line);
        }
        reader.code
    }

    /// The words that the word at `at` hangs on, but those of which it is known what they are.
    pub fn hangs_on(&self, at: usize) -> impl Iterator<Item = Word<'t>> + '_ {
        let conditions = self.hangs.get(at).and_then(|state| self.conditions.get(*state));
        conditions.into_iter().flatten().copied()
    }
}

/// What is known of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known<'t> {
    Holds,
    Fails,
    Open(BTreeSet<Word<'t>>),
}

/// An `#if` that is open.
struct Frame<'t> {
    /// The branch that is being read.
    now: Known<'t>,
    /// Whether an earlier branch is taken whatever else holds.
    taken: bool,
    /// What earlier branches hang on: none of them is taken.
    before: BTreeSet<Word<'t>>,
}

struct Reader<'t> {
    code: Code<'t>,
    frames: Vec<Frame<'t>>,
    too_deep: usize,
    /// The conditions that hold now.
    state: usize,
    /// The macro of an `#ifndef` on the line before: the guard of a header where that defines it.
    guard: Option<&'t str>,
}

impl<'t> Reader<'t> {
    fn line(&mut self, line: &[Token<'t>]) {
        let [hash, rest @ ..] = line else { return };
        let guard = if hash.kind == Kind::Line { self.guard } else { self.guard.take() };
        if !hash.is_mark('#') {
            let words = line.iter().filter(|token| token.kind != Kind::Line);
            self.keep(words.copied());
            return;
        }
        let [name, rest @ ..] = rest else { return };
        let end = rest.iter().position(|token| token.kind == Kind::Line).unwrap_or(rest.len());
        let rest = rest.get(..end).unwrap_or_default();
        let is_known = rest.first().is_some_and(|name| self.code.defines.contains_key(name.text));
        match name.text {
            "if" => self.open(condition(rest, &self.code, 0)),
            "ifdef" => self.open(defined(rest.first(), &self.code)),
            "ifndef" => {
                self.open(not(defined(rest.first(), &self.code)));
                self.guard = rest.first().map(|name| name.text);
            }
            "elif" => self.other(|code| condition(rest, code, 0)),
            "elifdef" => self.other(|code| defined(rest.first(), code)),
            "elifndef" => self.other(|code| not(defined(rest.first(), code))),
            "else" => self.other(|_| Known::Holds),
            "endif" if self.too_deep > 0 => {
                self.too_deep -= 1;
                self.enter();
            }
            "endif" => {
                self.frames.pop();
                self.enter();
            }
            "define" if self.is_live() => {
                let [defined, body @ ..] = rest else { return };
                if guard == Some(defined.text)
                    && self.too_deep == 0
                    && let Some(frame) = self.frames.last_mut()
                {
                    frame.now = Known::Holds;
                    self.enter();
                }
                self.code.defines.entry(defined.text).or_insert(defined.line);
                if self.state == 0 {
                    self.code.unsure.remove(defined.text);
                } else if !is_known {
                    self.code.unsure.insert(defined.text);
                }
                self.keep(body.iter().copied());
                self.keep([Token { kind: Kind::Line, text: "\n", line: defined.line }].into_iter());
            }
            "undef" if self.is_live() && is_known => {
                self.code.unsure.extend(rest.first().map(|name| name.text));
            }
            _ => {}
        }
    }

    fn is_live(&self) -> bool {
        self.frames.iter().all(|frame| frame.now != Known::Fails)
    }

    fn keep(&mut self, words: impl Iterator<Item = Token<'t>>) {
        if self.is_live() {
            for word in words {
                self.code.tokens.push(word);
                self.code.hangs.push(self.state);
            }
        }
    }

    fn open(&mut self, now: Known<'t>) {
        if self.frames.len() >= MAX_DEPTH {
            self.too_deep += 1;
            self.enter();
            return;
        }
        self.frames.push(Frame { now, taken: false, before: BTreeSet::new() });
        self.enter();
    }

    /// The next branch of the latest `#if`.
    fn other(&mut self, condition: impl FnOnce(&Code<'t>) -> Known<'t>) {
        if self.too_deep > 0 {
            return;
        }
        let next = condition(&self.code);
        let Some(frame) = self.frames.last_mut() else { return };
        match &frame.now {
            Known::Holds => frame.taken = true,
            Known::Open(words) if frame.before.len() < MAX_WORDS => {
                frame.before.extend(words.iter().map(|(word, _)| (*word, false)));
            }
            Known::Open(_) => {
                frame.before.insert((TOO_MANY, false));
            }
            Known::Fails => {}
        }
        frame.now = match next {
            _ if frame.taken => Known::Fails,
            Known::Fails => Known::Fails,
            Known::Holds if frame.before.is_empty() => Known::Holds,
            Known::Holds => Known::Open(frame.before.clone()),
            Known::Open(words) => Known::Open(words.union(&frame.before).copied().collect()),
        };
        self.enter();
    }

    /// Makes the conditions of what follows.
    fn enter(&mut self) {
        if self.code.conditions.len() > MAX_CONDITIONS {
            if let Some(last) = self.code.conditions.last_mut() {
                *last = BTreeSet::from([(TOO_MANY, false)]);
            }
            self.state = MAX_CONDITIONS;
            return;
        }
        let mut words: BTreeSet<Word<'t>> = self
            .frames
            .iter()
            .filter_map(|frame| match &frame.now {
                Known::Open(words) => Some(words),
                _ => None,
            })
            .flatten()
            .copied()
            .filter(|(word, _)| !is_neutral(word))
            .collect();
        if self.too_deep > 0 {
            words.insert((TOO_MANY, false));
        }
        if words.is_empty() {
            self.state = 0;
            return;
        }
        if self.code.conditions.last() != Some(&words) {
            self.code.conditions.push(words);
        }
        self.state = self.code.conditions.len().saturating_sub(1);
    }
}

/// Whether nothing hangs on a word of a condition.
fn is_neutral(word: &str) -> bool {
    NEUTRAL.contains(&word) || word.starts_with(|letter: char| letter.is_ascii_digit())
}

fn not(known: Known<'_>) -> Known<'_> {
    match known {
        Known::Holds => Known::Fails,
        Known::Fails => Known::Holds,
        // Where a word decides one way, its being defined does not decide the other.
        Known::Open(words) => Known::Open(words.iter().map(|(word, _)| (*word, false)).collect()),
    }
}

fn defined<'t>(name: Option<&Token<'t>>, code: &Code<'t>) -> Known<'t> {
    let Some(name) = name else { return Known::Open(BTreeSet::from([("defined()", false)])) };
    let is_defined = code.defines.contains_key(name.text);
    if DEFINED.contains(&name.text) || is_defined && !code.unsure.contains(name.text) {
        Known::Holds
    } else if NOT_DEFINED.contains(&name.text) && !is_defined {
        Known::Fails
    } else {
        // What the file itself defines somewhere is not the build's to define.
        Known::Open(BTreeSet::from([(name.text, !is_defined)]))
    }
}

/// A condition: parts joined by `||`, each of parts joined by `&&`, each of which may be one within
/// parentheses.
fn condition<'t>(tokens: &[Token<'t>], code: &Code<'t>, nested: usize) -> Known<'t> {
    if parts(tokens, '|').is_empty() {
        return open(tokens);
    }
    let any = parts(bare(tokens), '|').into_iter().map(|any| {
        let all = parts(bare(any), '&').into_iter();
        // Neither mark is left without parentheses around it.
        let known = all.map(|part| match bare(part) {
            inner if inner.len() < part.len() && nested < MAX_NESTED => {
                condition(inner, code, nested + 1)
            }
            _ => single(part, code),
        });
        joined(known, &Known::Fails, Known::Holds)
    });
    joined(any, &Known::Holds, Known::Fails)
}

/// One part is enough to decide, or all have to agree on the opposite; else what is open hangs on
/// the words of every part that is.
fn joined<'t>(
    parts: impl Iterator<Item = Known<'t>>,
    enough: &Known<'t>,
    else_all: Known<'t>,
) -> Known<'t> {
    let mut open = BTreeSet::new();
    let mut is_open = false;
    for part in parts {
        match part {
            part if part == *enough => return part,
            Known::Open(words) => {
                is_open = true;
                open.extend(words);
            }
            _ => {}
        }
    }
    if is_open { Known::Open(open) } else { else_all }
}

/// What stands between two `mark`s outside of parentheses.
fn parts<'c, 't>(tokens: &'c [Token<'t>], mark: char) -> Vec<&'c [Token<'t>]> {
    let mut depth = 0usize;
    let split = tokens.split(|token| {
        if token.is_mark('(') {
            depth += 1;
        } else if token.is_mark(')') {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is_mark(mark)
    });
    split.filter(|part| !part.is_empty()).collect()
}

/// Without the parentheses around all of it.
fn bare<'c, 't>(tokens: &'c [Token<'t>]) -> &'c [Token<'t>] {
    let [open, inner @ .., close] = tokens else { return tokens };
    let mut depth = 1usize;
    let is_around = open.is_mark('(')
        && close.is_mark(')')
        && inner.iter().all(|token| {
            if token.is_mark('(') {
                depth += 1;
            } else if token.is_mark(')') {
                depth -= 1;
            }
            depth > 0
        });
    if is_around { inner } else { tokens }
}

/// What versions are compared with: of the oldest free-threaded interpreter that matters, and of a
/// pybind11 that knows of free-threading, which any build would take.
const VERSIONS: [(&str, u64); 6] = [
    ("PY_VERSION_HEX", 0x030d_00f0),
    ("PY_MAJOR_VERSION", 3),
    ("PY_MINOR_VERSION", 13),
    ("PYBIND11_VERSION_HEX", 0x0300_0000),
    ("PYBIND11_VERSION_MAJOR", 3),
    ("PYBIND11_VERSION_MINOR", 0),
];

/// `NAME >= NUMBER`, of a version that is known.
fn comparison(tokens: &[Token<'_>]) -> Option<bool> {
    let (name, rest) = tokens.split_first()?;
    let (_, version) = VERSIONS.iter().find(|(known, _)| name.is_word(known))?;
    let (number, marks) = rest.split_last()?;
    let digits = number.text.trim_end_matches(['u', 'U', 'l', 'L']);
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    let operator: String = marks.iter().map(|mark| mark.text).collect();
    // A newer interpreter than the one that is compared with may have what is asked for.
    match operator.as_str() {
        ">=" if *version >= number => Some(true),
        ">" if *version > number => Some(true),
        "<" if *version >= number => Some(false),
        "<=" if *version > number => Some(false),
        _ => None,
    }
}

fn single<'t>(tokens: &[Token<'t>], code: &Code<'t>) -> Known<'t> {
    let inner: Vec<Token<'t>> = tokens
        .iter()
        .filter(|token| !token.is_mark('(') && !token.is_mark(')'))
        .take(MAX_WORDS)
        .copied()
        .collect();
    if let Some(holds) = comparison(&inner) {
        return if holds { Known::Holds } else { Known::Fails };
    }
    let words = || tokens.iter().filter(|token| token.kind == Kind::Word);
    let negated = tokens.iter().filter(|token| token.is_mark('!')).count() % 2 == 1;
    let plain = tokens
        .iter()
        .all(|token| token.kind == Kind::Word || ["(", ")", "!"].contains(&token.text));
    let mut names = words();
    let known = match (names.next(), names.next(), names.next()) {
        (Some(number), None, None) if number.text.bytes().all(|byte| byte.is_ascii_digit()) => {
            if number.text.bytes().all(|byte| byte == b'0') {
                Known::Fails
            } else {
                Known::Holds
            }
        }
        (Some(word), Some(name), None) if word.text == "defined" => defined(Some(name), code),
        // A macro without a value is no number; those that are known have one.
        (Some(name), None, None) if DEFINED.contains(&name.text) => Known::Holds,
        _ => return open(tokens),
    };
    match plain {
        true if negated => not(known),
        true => known,
        false => open(tokens),
    }
}

/// Hangs on every word of it. Only one that is a word by itself is sure to hold where that is
/// defined.
fn open<'t>(tokens: &[Token<'t>]) -> Known<'t> {
    let mut words = tokens.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text);
    let settles = tokens.iter().all(|token| token.kind == Kind::Word || "()".contains(token.text));
    let mut open: BTreeSet<Word<'t>> =
        words.by_ref().take(MAX_WORDS).map(|word| (word, settles)).collect();
    let is_number = |(word, _): &Word<'t>| word.starts_with(|first: char| first.is_ascii_digit());
    if words.next().is_some() || open.iter().all(is_number) {
        open.insert((TOO_MANY, false));
    }
    Known::Open(open)
}
