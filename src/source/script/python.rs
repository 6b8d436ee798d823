//! Scripts in Python: setup.py and what it is helped by.

use super::super::scan::{Kind, Token};
use super::super::unit::{MOST, sign};
use super::{COMPILING, FINDING, Scripts, call, stated};
use crate::model::release::Sign;

/// What a script says of Cython's option, call by call.
#[derive(Default)]
struct Options {
    /// Where the arguments of the latest call of Cython end.
    within: usize,
    /// Where those of the latest extension end.
    extension: usize,
    /// Calls of Cython, and those that hand options on.
    calls: usize,
    carrying: usize,
    /// A call that hands none on.
    bare: Option<Sign>,
    /// Calls that make an extension, and those that are given the option for themselves.
    extensions: usize,
    given: usize,
    /// The option, as it is stated for all and for one.
    all: Option<Sign>,
    one: Option<Sign>,
}

impl Scripts {
    pub(super) fn python(&mut self, path: &str, tokens: &[Token<'_>], indents: &Indents<'_>) {
        let mut options = Options::default();
        for (at, token) in tokens.iter().enumerate() {
            let text = token.text;
            if token.kind == Kind::Word {
                self.python_word(path, tokens, at, indents, &mut options);
            } else if ["ext_modules", "cffi_modules"].contains(&text) {
                self.compile(sign(path, token.line, text));
            }
            if text == "py_limited_api" || text == "Py_LIMITED_API" {
                self.limited_api(path, tokens, at, indents);
            }
            let value = stated(text).or_else(|| {
                (text == "freethreading_compatible").then(|| assigned(tokens, at)).flatten()
            });
            match value {
                Some(true) => self.option(path, tokens, at, indents, &mut options),
                Some(false) => {
                    let off = sign(path, token.line, "freethreading_compatible = False");
                    self.cython.off.get_or_insert(off);
                }
                None => {}
            }
        }
        // Of calls in one script the option may reach all by a variable; of another script's it
        // does not, unless they are handed something.
        let is_stated = options.all.is_some() || options.one.is_some();
        if options.carrying < options.calls
            && (!is_stated || options.calls > 1)
            && let Some(bare) = options.bare
        {
            self.cython.without.get_or_insert(bare);
        }
        if options.given < options.extensions
            && options.all.is_none()
            && let Some(one) = &options.one
        {
            self.cython.open.get_or_insert(one.clone());
        }
        if let Some(with) = options.all.or(options.one) {
            self.cython.with.get_or_insert(with);
        }
    }

    /// A word that may call for something to be compiled.
    fn python_word(
        &mut self,
        path: &str,
        tokens: &[Token<'_>],
        at: usize,
        indents: &Indents<'_>,
        options: &mut Options,
    ) {
        let Some(token) = tokens.get(at) else { return };
        let text = token.text;
        let is_called = tokens.get(at + 1).is_some_and(|next| next.is_mark('('));
        self.finds |= FINDING.contains(&text) && is_called;
        let makes = text.ends_with("Extension") && is_called;
        let cythonizes = text == "cythonize" && is_called;
        let arguments = call(tokens, at);
        if makes || cythonizes {
            let sources = arguments.iter().filter(|word| {
                word.kind == Kind::Text && word.text.ends_with(".py") && word.text != ".py"
            });
            let room = MOST.saturating_sub(self.compiled_python.len());
            let signs = sources.map(|word| sign(path, word.line, word.text));
            self.compiled_python.extend(signs.take(room));
        }
        if makes {
            options.extensions += 1;
            options.extension = at + 2 + arguments.len();
            // What is compiled under a condition may be what tests alone ask for.
            if indents.condition(token.line).is_none() {
                self.name_sources(path, arguments);
            }
        }
        if COMPILING.contains(&text) || makes {
            self.compile(sign(path, token.line, text));
        }
        match text {
            "mypycify" => {
                self.mypyc.get_or_insert_with(|| sign(path, token.line, text));
            }
            "cffi_modules" => {
                self.cffi.get_or_insert_with(|| sign(path, token.line, text));
            }
            "cythonize" if is_called => {
                let carries = |token: &Token<'_>| {
                    token.text == "compiler_directives" || stated(token.text).is_some()
                };
                options.calls += 1;
                options.within = at + 2 + arguments.len();
                if arguments.iter().any(carries) {
                    options.carrying += 1;
                } else {
                    options.bare.get_or_insert_with(|| sign(path, token.line, text));
                }
            }
            _ => {}
        }
    }

    /// Notes the files that the call of an extension names whole.
    pub(super) fn name_sources(&mut self, path: &str, arguments: &[Token<'_>]) {
        const ENDINGS: [&str; 6] = [".c", ".cc", ".cpp", ".cxx", ".pyx", ".pyf"];
        let is_file = |word: &&Token<'_>| {
            let stem = ENDINGS.iter().find_map(|ending| word.text.strip_suffix(ending));
            word.kind == Kind::Text
                && stem.is_some_and(|stem| {
                    let plain = |letter: char| letter.is_alphanumeric() || "_-./".contains(letter);
                    stem.ends_with(char::is_alphanumeric) && stem.chars().all(plain)
                })
        };
        let room = MOST.saturating_sub(self.sources.len());
        let signs = arguments.iter().filter(is_file).map(|word| sign(path, word.line, word.text));
        self.sources.extend(signs.take(room));
    }

    fn limited_api(&mut self, path: &str, tokens: &[Token<'_>], at: usize, indents: &Indents<'_>) {
        let next = |ahead: usize| tokens.get(at + ahead);
        let Some(token) = next(0) else { return };
        let is_set = match next(1) {
            Some(mark) if mark.is_mark('=') => next(2).is_some_and(|value| value.is_word("True")),
            Some(mark) if mark.is_mark(':') || mark.is_mark(',') => {
                next(2).is_some_and(|value| value.kind == Kind::Text || value.is_word("True"))
            }
            _ => false,
        };
        if is_set && (token.kind == Kind::Text || token.text == "py_limited_api") {
            let hangs = indents.condition(token.line).is_some();
            let place = if hangs { &mut self.maybe_limited } else { &mut self.limited };
            place.get_or_insert_with(|| sign(path, token.line, token.text));
        }
    }

    /// Cython's option, where it is turned on.
    fn option(
        &mut self,
        path: &str,
        tokens: &[Token<'_>],
        at: usize,
        indents: &Indents<'_>,
        options: &mut Options,
    ) {
        let Some(token) = tokens.get(at) else { return };
        let sign = sign(path, token.line, "freethreading_compatible");
        // One that asks for Cython or for the interpreter holds where it matters.
        // So does one within the call: no other makes the modules.
        let is_open = at >= options.within
            && indents.condition(token.line).is_some_and(|condition| {
                let condition = condition.to_ascii_lowercase();
                !["cython", "free", "gil"].iter().any(|word| condition.contains(word))
            });
        let is_of_extension = at < options.extension;
        if is_open {
            self.cython.open.get_or_insert(sign);
        } else if is_of_extension || is_attribute(tokens, at) && !indents.is_repeated(token.line) {
            options.given += 1;
            options.one.get_or_insert(sign);
        } else {
            options.all.get_or_insert(sign);
        }
    }
}

/// Whether the option at `at` is set in `….cython_directives`, which are those of one extension.
fn is_attribute(tokens: &[Token<'_>], at: usize) -> bool {
    const NEAR: usize = 24;
    let before = tokens.get(at.saturating_sub(NEAR)..at).unwrap_or_default();
    let line = tokens.get(at).map_or(0, |token| token.line);
    before.windows(2).any(|two| {
        matches!(two, [dot, name]
            if dot.is_mark('.') && name.is_word("cython_directives") && name.line + 8 > line)
    })
}

/// The lines of a Python script, to tell what stands under a condition.
pub(super) struct Indents<'t>(Vec<&'t str>);

impl<'t> Indents<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self(text.lines().collect())
    }

    /// The condition that a line stands under, innermost first: an `if` with less before it, or one
    /// on the line itself.
    fn condition(&self, line: u32) -> Option<&'t str> {
        let own = self.line(line)?;
        if own.contains(" if ") {
            return Some(own);
        }
        self.around(line, &["if", "elif", "else", "except", "while"])
    }

    /// Whether a line stands in a loop over several things.
    fn is_repeated(&self, line: u32) -> bool {
        self.around(line, &["for"]).is_some()
    }

    fn line(&self, line: u32) -> Option<&'t str> {
        self.0.get(usize::try_from(line).ok()?.checked_sub(1)?).copied()
    }

    /// The innermost statement around a line that begins with one of these words.
    fn around(&self, line: u32, words: &[&str]) -> Option<&'t str> {
        const FURTHEST: usize = 400;
        let mut depth = indent(self.line(line)?);
        let at = usize::try_from(line).ok()?.checked_sub(1)?;
        for line in self.0.get(..at)?.iter().rev().take(FURTHEST) {
            let begun = line.trim_start();
            if begun.is_empty() || begun.starts_with('#') || indent(line) >= depth {
                continue;
            }
            depth = indent(line);
            let first = begun.split(|letter: char| !letter.is_alphanumeric()).next();
            if first.is_some_and(|first| words.contains(&first)) {
                return Some(line);
            }
            if depth == 0 {
                break;
            }
        }
        None
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The value that a Python script gives to the option at `at`: `"…": True`, `["…"] = True` or
/// `… = True`. A name for a value is taken as one where it speaks of the interpreter.
fn assigned(tokens: &[Token<'_>], at: usize) -> Option<bool> {
    let mut rest = tokens.get(at + 1..)?.iter().skip_while(|token| token.is_mark(']'));
    let mark = rest.next()?;
    if !(mark.is_mark('=') || mark.is_mark(':')) {
        return None;
    }
    let value = rest.next()?;
    match value.text {
        "True" => Some(true),
        "False" => Some(false),
        _ if value.kind == Kind::Word => {
            let name = value.text.to_ascii_lowercase();
            (name.contains("free") || name.contains("gil")).then_some(true)
        }
        _ => None,
    }
}
