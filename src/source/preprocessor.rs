//! What a C preprocessor would leave of a file in a free-threaded build, as far as that is plain.
//!
//! Macros are not expanded and headers are not read. A condition is decided where it asks what is
//! known of such a build; what stands under any other is kept, with the words it hangs on.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::{Kind, Language, Token, tokens};

/// Conditions within conditions that are followed; what lies deeper hangs on nothing more.
const MAX_DEPTH: usize = 32;
/// Words of one condition that are kept.
const MAX_WORDS: usize = 16;
/// Different conditions of one file; what comes after so many hangs on [`TOO_MANY`].
const MAX_CONDITIONS: usize = 4096;
/// Stands for conditions that are not followed.
const TOO_MANY: &str = "too many conditions";
/// Macros that a free-threaded build of `CPython` 3.13 and newer defines.
const DEFINED: [&str; 3] = ["Py_GIL_DISABLED", "Py_mod_gil", "Py_PYTHON_H"];
/// Macros of other interpreters.
const NOT_DEFINED: [&str; 2] = ["PYPY_VERSION", "GRAALVM_PYTHON"];

/// A file after its conditions.
#[derive(Debug, Default)]
pub struct Code<'t> {
    /// Its words. The bodies of macros stand where they are defined, each ended by [`Kind::Line`];
    /// no other such words are left.
    pub tokens: Vec<Token<'t>>,
    /// For each word the place of its conditions in [`Self::conditions`].
    hangs: Vec<usize>,
    conditions: Vec<BTreeSet<&'t str>>,
    /// The macros that it defines, with the line.
    pub defines: BTreeMap<&'t str, u32>,
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
        };
        let tokens = tokens(text, Language::C);
        for line in tokens.split_inclusive(|token| token.kind == Kind::Line) {
            reader.line(line);
        }
        reader.code
    }

    /// The words that the word at `at` hangs on, but those that the interpreter's headers define.
    pub fn hangs_on(&self, at: usize) -> impl Iterator<Item = &'t str> + '_ {
        let conditions = self.hangs.get(at).and_then(|state| self.conditions.get(*state));
        conditions.into_iter().flatten().copied()
    }
}

/// What is known of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known<'t> {
    Holds,
    Fails,
    Open(BTreeSet<&'t str>),
}

/// An `#if` that is open.
struct Frame<'t> {
    /// The branch that is being read.
    now: Known<'t>,
    /// Whether an earlier branch is taken whatever else holds.
    taken: bool,
    /// What earlier branches hang on.
    before: BTreeSet<&'t str>,
}

struct Reader<'t> {
    code: Code<'t>,
    frames: Vec<Frame<'t>>,
    too_deep: usize,
    /// The conditions that hold now.
    state: usize,
}

impl<'t> Reader<'t> {
    fn line(&mut self, line: &[Token<'t>]) {
        let [hash, rest @ ..] = line else { return };
        if !hash.is_mark('#') {
            let words = line.iter().filter(|token| token.kind != Kind::Line);
            self.keep(words.copied());
            return;
        }
        let [name, rest @ ..] = rest else { return };
        let end = rest.iter().position(|token| token.kind == Kind::Line).unwrap_or(rest.len());
        let rest = rest.get(..end).unwrap_or_default();
        match name.text {
            "if" => self.open(condition(rest, &self.code.defines)),
            "ifdef" => self.open(defined(rest.first(), &self.code.defines)),
            "ifndef" => self.open(not(defined(rest.first(), &self.code.defines))),
            "elif" => self.other(|defines| condition(rest, defines)),
            "elifdef" => self.other(|defines| defined(rest.first(), defines)),
            "elifndef" => self.other(|defines| not(defined(rest.first(), defines))),
            "else" => self.other(|_| Known::Holds),
            "endif" if self.too_deep > 0 => self.too_deep -= 1,
            "endif" => {
                self.frames.pop();
                self.enter();
            }
            "define" if self.is_live() => {
                let [defined, body @ ..] = rest else { return };
                self.code.defines.entry(defined.text).or_insert(defined.line);
                self.keep(body.iter().copied());
                self.keep([Token { kind: Kind::Line, text: "\n", line: defined.line }].into_iter());
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
            return;
        }
        self.frames.push(Frame { now, taken: false, before: BTreeSet::new() });
        self.enter();
    }

    /// The next branch of the latest `#if`.
    fn other(&mut self, condition: impl FnOnce(&BTreeMap<&'t str, u32>) -> Known<'t>) {
        if self.too_deep > 0 {
            return;
        }
        let next = condition(&self.code.defines);
        let Some(frame) = self.frames.last_mut() else { return };
        match &frame.now {
            Known::Holds => frame.taken = true,
            Known::Open(words) if frame.before.len() < MAX_WORDS => frame.before.extend(words),
            Known::Open(_) => {}
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
                *last = BTreeSet::from([TOO_MANY]);
            }
            self.state = MAX_CONDITIONS;
            return;
        }
        let words: BTreeSet<&str> = self
            .frames
            .iter()
            .filter_map(|frame| match &frame.now {
                Known::Open(words) => Some(words),
                _ => None,
            })
            .flatten()
            .copied()
            .filter(|word| !is_the_interpreters(word))
            .collect();
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

/// Whether a word is the interpreter's or the compiler's to define, rather than the build's.
fn is_the_interpreters(word: &str) -> bool {
    word == "defined"
        || word.starts_with("Py")
        || word.starts_with("PY")
        || word.starts_with('_')
        || word.starts_with(|letter: char| letter.is_ascii_digit())
}

fn not(known: Known<'_>) -> Known<'_> {
    match known {
        Known::Holds => Known::Fails,
        Known::Fails => Known::Holds,
        open @ Known::Open(_) => open,
    }
}

fn defined<'t>(name: Option<&Token<'t>>, defines: &BTreeMap<&'t str, u32>) -> Known<'t> {
    let Some(name) = name else { return Known::Open(BTreeSet::new()) };
    if DEFINED.contains(&name.text) || defines.contains_key(name.text) {
        Known::Holds
    } else if NOT_DEFINED.contains(&name.text) {
        Known::Fails
    } else {
        Known::Open(BTreeSet::from([name.text]))
    }
}

/// A condition: parts joined by `||`, each of parts joined by `&&`. What has either within further
/// parentheses is open.
fn condition<'t>(tokens: &[Token<'t>], defines: &BTreeMap<&'t str, u32>) -> Known<'t> {
    let all = |tokens: &[Token<'t>]| {
        let parts: Vec<_> =
            parts(bare(tokens), '&').into_iter().map(|part| single(part, defines)).collect();
        joined(&parts, Known::Fails, Known::Holds, tokens)
    };
    let parts: Vec<_> = parts(bare(tokens), '|').into_iter().map(all).collect();
    joined(&parts, Known::Holds, Known::Fails, tokens)
}

/// One part is enough to decide, or all have to agree on the opposite.
fn joined<'t>(
    parts: &[Known<'t>],
    enough: Known<'t>,
    else_all: Known<'t>,
    tokens: &[Token<'t>],
) -> Known<'t> {
    if parts.contains(&enough) {
        enough
    } else if !parts.is_empty() && parts.iter().all(|part| *part == else_all) {
        else_all
    } else {
        open(tokens)
    }
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

fn single<'t>(tokens: &[Token<'t>], defines: &BTreeMap<&'t str, u32>) -> Known<'t> {
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
        (Some(word), Some(name), None) if word.text == "defined" => defined(Some(name), defines),
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

fn open<'t>(tokens: &[Token<'t>]) -> Known<'t> {
    let words = tokens.iter().filter(|token| token.kind == Kind::Word);
    Known::Open(words.map(|token| token.text).take(MAX_WORDS).collect())
}
