//! Files that steer a build: Python, Meson's and `CMake`'s.
//!
//! They are programs, and are not run: what is asked is which words stand in them. Where a word
//! could mean several things, the answer is left open.

use std::collections::BTreeSet;

use super::scan::{Kind, Language, Token, bracketed, tokens};
use super::unit::{MOST, sign};
use crate::model::release::Sign;

/// Functions and arguments of build scripts that make extension modules, beside those whose names
/// end with `Extension`.
const COMPILING: [&str; 8] = [
    "ext_modules",
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
        let read: Vec<(&str, Language, Vec<Token<'_>>)> = files
            .iter()
            .map(|(path, language, text)| (path.as_str(), *language, tokens(text, *language)))
            .collect();
        // A variable may be made of one that is set in a file read later.
        for _ in 0..3 {
            for (_, language, tokens) in &read {
                self.carry(*language, tokens);
            }
        }
        for (path, language, tokens) in &read {
            self.words(path, *language, tokens);
            match language {
                Language::Python => {
                    let text = files
                        .iter()
                        .find(|(other, ..)| other == path)
                        .map(|(.., text)| text.as_str());
                    self.python(path, tokens, &Indents::of(text.unwrap_or_default()));
                }
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
        self.files_named.contains(name)
            || self.files_named.iter().any(|named| {
                module
                    .strip_suffix(named.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
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
                if text.contains("freethreading-compatible") {
                    self.f2py.get_or_insert_with(|| {
                        sign(path, token.line, "--freethreading-compatible")
                    });
                }
            }
            let lower = text.to_ascii_lowercase();
            self.asks |= [
                "py_gil_disabled",
                "free_thread",
                "freethread",
                "free-thread",
                "_is_gil_enabled",
                "nogil",
            ]
            .iter()
            .any(|word| lower.contains(word) && !lower.contains("freethreading_compatible"));
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

    fn python(&mut self, path: &str, tokens: &[Token<'_>], indents: &Indents<'_>) {
        // Where the arguments of the latest call of Cython end.
        let mut within = 0usize;
        let mut cythonized = 0usize;
        let mut carrying = 0usize;
        let mut directive = None;
        for (at, token) in tokens.iter().enumerate() {
            let next = |ahead: usize| tokens.get(at + ahead);
            let is_next = |mark: char| next(1).is_some_and(|next| next.is_mark(mark));
            let text = token.text;
            if token.kind == Kind::Word {
                self.finds |= FINDING.contains(&text) && is_next('(');
                let makes = text.ends_with("Extension") && is_next('(');
                if makes || text == "cythonize" && is_next('(') {
                    let sources = call(tokens, at).iter().filter(|word| {
                        word.kind == Kind::Text && word.text.ends_with(".py") && word.text != ".py"
                    });
                    let room = MOST.saturating_sub(self.compiled_python.len());
                    let signs = sources.map(|word| sign(path, word.line, word.text));
                    self.compiled_python.extend(signs.take(room));
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
                    "cythonize" if is_next('(') => {
                        cythonized += 1;
                        let carries = |token: &Token<'_>| {
                            token.text == "compiler_directives" || stated(token.text).is_some()
                        };
                        let arguments = call(tokens, at);
                        within = at + 2 + arguments.len();
                        carrying += usize::from(arguments.iter().any(carries));
                    }
                    _ => {}
                }
            } else if ["ext_modules", "cffi_modules"].contains(&text) {
                self.compile(sign(path, token.line, text));
            }
            if text == "py_limited_api" || text == "Py_LIMITED_API" {
                let is_set = match next(1) {
                    Some(mark) if mark.is_mark('=') => {
                        next(2).is_some_and(|value| value.is_word("True"))
                    }
                    Some(mark) if mark.is_mark(':') || mark.is_mark(',') => next(2)
                        .is_some_and(|value| value.kind == Kind::Text || value.is_word("True")),
                    _ => false,
                };
                if is_set && (token.kind == Kind::Text || text == "py_limited_api") {
                    let hangs = indents.condition(token.line).is_some();
                    let place = if hangs { &mut self.maybe_limited } else { &mut self.limited };
                    place.get_or_insert_with(|| sign(path, token.line, text));
                }
            }
            let value = stated(text).or_else(|| {
                (text == "freethreading_compatible").then(|| assigned(tokens, at)).flatten()
            });
            match value {
                Some(true) => {
                    let sign = sign(path, token.line, "freethreading_compatible");
                    // One that asks for Cython or for the interpreter holds where it matters.
                    // So does one within the call: no other makes the modules.
                    let is_open = at >= within
                        && indents.condition(token.line).is_some_and(|condition| {
                            let condition = condition.to_ascii_lowercase();
                            !["cython", "free", "gil"].iter().any(|word| condition.contains(word))
                        });
                    if is_open {
                        self.cython.open.get_or_insert(sign);
                    } else {
                        directive.get_or_insert(sign);
                    }
                }
                Some(false) => {
                    let off = sign(path, token.line, "freethreading_compatible = False");
                    self.cython.off.get_or_insert(off);
                }
                None => {}
            }
        }
        let Some(sign) = directive else { return };
        if cythonized > 1 && carrying < cythonized {
            self.cython.without.get_or_insert(sign.clone());
        }
        self.cython.with.get_or_insert(sign);
    }

    fn compile(&mut self, sign: Sign) {
        // An import alone says nothing, and is never the only mention.
        if self.compiles.len() < MOST {
            self.compiles.push(sign);
        }
    }

    fn meson(&mut self, path: &str, tokens: &[Token<'_>]) {
        for (at, token) in tokens.iter().enumerate() {
            if token.kind != Kind::Word {
                continue;
            }
            let call = call(tokens, at);
            if call.is_empty() {
                continue;
            }
            // What calls it and makes C: other scripts have files of that name too.
            let about_cython = call.iter().any(|word| match word.kind {
                Kind::Word => word.text.to_ascii_lowercase().contains("cython"),
                _ => word.text == "cython",
            });
            let makes_c = call.iter().any(|word| {
                [".c", ".cpp", ".cc", ".cxx"].iter().any(|ending| word.text.ends_with(ending))
            });
            let carries = self.carries(call);
            match token.text {
                "extension_module" => {
                    self.compile(sign(path, token.line, "extension_module"));
                    let is_cythons = call.iter().any(|word| {
                        word.is_word("cython_args")
                            || word.kind == Kind::Text && word.text.ends_with(".pyx")
                    });
                    if is_cythons {
                        self.cython_call(path, token.line, carries);
                    }
                }
                "generator" | "custom_target" if about_cython && makes_c => {
                    self.cython_call(path, token.line, carries);
                }
                "add_project_arguments" | "add_global_arguments" if about_cython && carries => {
                    let sign = sign(path, token.line, "freethreading_compatible");
                    self.cython.with.get_or_insert(sign);
                }
                _ => {}
            }
        }
    }

    fn cython_call(&mut self, path: &str, line: u32, carries: bool) {
        if carries {
            self.cython.with.get_or_insert(sign(path, line, "freethreading_compatible"));
        } else {
            self.cython.without.get_or_insert(sign(path, line, "Cython"));
        }
    }

    fn cmake(&mut self, path: &str, tokens: &[Token<'_>]) {
        for (at, token) in tokens.iter().enumerate() {
            if token.kind != Kind::Word {
                continue;
            }
            let call = call(tokens, at);
            if call.is_empty() {
                continue;
            }
            let name = token.text.to_ascii_lowercase();
            let mentions =
                |what: &str| call.iter().any(|word| word.text.to_ascii_lowercase().contains(what));
            match name.as_str() {
                "nanobind_add_module" => {
                    let target = call.first().map_or("", |word| word.text).to_owned();
                    let option = call.iter().find(|word| word.text == "FREE_THREADED");
                    let sign = option.map(|word| sign(path, word.line, "FREE_THREADED"));
                    let may_be_hidden = call.iter().skip(1).any(|word| word.text.contains("${"));
                    self.compile(super::unit::sign(path, token.line, "nanobind_add_module"));
                    if self.nanobind.len() < MOST {
                        self.nanobind.push((target, sign, may_be_hidden));
                    }
                }
                "pybind11_add_module"
                | "python_add_library"
                | "python3_add_library"
                | "swig_add_library" => {
                    self.compile(sign(path, token.line, token.text));
                }
                "find_package" | "include" | "find_program" | "message" | "set" | "list"
                | "function" | "macro" | "if" | "elseif" | "execute_process" => {}
                _ if name.contains("cython")
                    || name == "add_custom_command" && mentions("cython") =>
                {
                    let carries = self.carries(call);
                    self.cython_call(path, token.line, carries);
                }
                _ => {}
            }
        }
    }

    /// Notes variables that hold Cython's option.
    fn carry(&mut self, language: Language, tokens: &[Token<'_>]) {
        match language {
            Language::Meson => {
                for statement in statements(tokens) {
                    let [name, rest @ ..] = statement else { continue };
                    let is_set = rest.first().is_some_and(|mark| mark.is_mark('='))
                        || rest.first().is_some_and(|mark| mark.is_mark('+'))
                            && rest.get(1).is_some_and(|mark| mark.is_mark('='));
                    if name.kind == Kind::Word && is_set && self.carries(rest) {
                        self.variable(name.text);
                    }
                }
            }
            Language::CMake => {
                for (at, token) in tokens.iter().enumerate() {
                    let name = match token.text.to_ascii_lowercase().as_str() {
                        "set" => 0,
                        "list" | "string" => 1,
                        _ => continue,
                    };
                    let call = call(tokens, at);
                    if let Some(variable) = call.get(name)
                        && self.carries(call.get(name + 1..).unwrap_or_default())
                    {
                        self.variable(variable.text);
                    }
                }
            }
            _ => {}
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

/// The lines of a Python script, to tell what stands under a condition.
struct Indents<'t>(Vec<&'t str>);

impl<'t> Indents<'t> {
    fn of(text: &'t str) -> Self {
        Self(text.lines().collect())
    }

    /// The condition that a line stands under, innermost first: an `if` with less before it, or one
    /// on the line itself.
    fn condition(&self, line: u32) -> Option<&'t str> {
        const FURTHEST: usize = 400;
        let at = usize::try_from(line).ok()?.checked_sub(1)?;
        let own = self.0.get(at)?;
        if own.contains(" if ") {
            return Some(own);
        }
        let mut depth = indent(own);
        for line in self.0.get(..at)?.iter().rev().take(FURTHEST) {
            let begun = line.trim_start();
            if begun.is_empty() || begun.starts_with('#') || indent(line) >= depth {
                continue;
            }
            depth = indent(line);
            let first = begun.split(|letter: char| !letter.is_alphanumeric()).next();
            if matches!(first, Some("if" | "elif" | "else" | "except" | "while")) {
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

/// Statements: what begins on a line of its own outside of brackets.
fn statements<'c, 't>(tokens: &'c [Token<'t>]) -> Vec<&'c [Token<'t>]> {
    let mut statements = Vec::new();
    let (mut start, mut depth, mut line) = (0, 0usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        if depth == 0 && token.line > line && at > start {
            statements.push(tokens.get(start..at).unwrap_or_default());
            start = at;
        }
        line = token.line;
        if ["(", "[", "{"].contains(&token.text) && token.kind == Kind::Mark {
            depth += 1;
        } else if [")", "]", "}"].contains(&token.text) && token.kind == Kind::Mark {
            depth = depth.saturating_sub(1);
        }
    }
    statements.push(tokens.get(start..).unwrap_or_default());
    statements
}
