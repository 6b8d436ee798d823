//! Modules that are written in Rust: `#[pymodule]` of `PyO3`, or the hook by hand.
//!
//! `PyO3` builds for free-threaded Python since 0.23, where a module has to say `gil_used = false`;
//! since 0.28 that is the default (its migration guide).

use std::collections::BTreeSet;

use super::scan::{Kind, Language, Token, bracketed, tokens};
use super::unit::{MOST, Says, Tool, Unit, sign};

/// How far behind a word what belongs to it is looked for.
const REACH: usize = 64;
/// How many words of a module's own function are looked at.
const BODY: usize = 20_000;

/// One of these stands in every file that defines a module.
pub(super) const INTEREST: [&str; 3] = ["pymodule", "PyInit_", "py_module_initializer"];

/// The modules that a Rust file defines.
pub(super) fn units(path: &str, text: &str) -> Vec<Unit> {
    let tokens = tokens(text, Language::Rust);
    let mut units = attributes(path, &tokens);
    units.extend(by_hand(path, &tokens));
    units
}

/// What the function or module behind an attribute says itself: `m.gil_used(false)`, which outweighs
/// the attribute's default.
fn called(path: &str, rest: &[Token<'_>]) -> Says {
    let item =
        rest.iter().take(REACH).position(|token| token.is_word("fn") || token.is_word("mod"));
    let after = rest.get(item.unwrap_or(0)..).unwrap_or_default();
    // A module has a function of its own for it.
    let deepest = usize::from(after.first().is_some_and(|item| item.is_word("mod")));
    let begin = after.iter().take(REACH).position(|token| token.is_mark('{'));
    let body = begin.and_then(|begin| bracketed(after, begin.checked_sub(1)?, '{', '}', BODY));
    // What is not closed in reach is looked at as far as that.
    let body = body.unwrap_or_else(|| after.get(..after.len().min(BODY)).unwrap_or_default());
    let mut says = Says::Nothing;
    let (mut depth, mut statement) = (0usize, 0);
    for (at, token) in body.iter().enumerate() {
        if token.is_mark('{') {
            depth += 1;
        } else if token.is_mark('}') {
            depth = depth.saturating_sub(1);
        }
        if token.is_mark(';') || token.is_mark('{') || token.is_mark('}') {
            statement = at + 1;
        }
        let is_call = at > 0
            && token.is_word("gil_used")
            && body.get(at - 1).is_some_and(|dot| dot.is_mark('.'));
        if !is_call {
            continue;
        }
        let before = body.get(statement..at).unwrap_or_default();
        let is_plain = depth <= deepest
            && !before.iter().any(|word| ["cfg", "cfg_attr", "if", "match"].contains(&word.text));
        let value = bracketed(body, at, '(', ')', REACH).unwrap_or_default();
        let unclear = || {
            Says::Unclear(format!("{path}:{}: gil_used is called under a condition", token.line))
        };
        let next = match value {
            [value] if is_plain && value.is_word("false") => {
                Says::NotUsed(sign(path, token.line, "gil_used(false)"))
            }
            [value] if is_plain && value.is_word("true") => {
                Says::Used(sign(path, token.line, "gil_used(true)"))
            }
            _ => unclear(),
        };
        says = match (says, next) {
            (Says::Nothing, next) => next,
            (Says::NotUsed(sign), Says::NotUsed(_)) => Says::NotUsed(sign),
            (Says::Used(sign), Says::Used(_)) => Says::Used(sign),
            _ => unclear(),
        };
    }
    says
}

/// `#[pymodule]`, `#[pyo3::pymodule(gil_used = false)]`, also within `cfg_attr`.
fn attributes(path: &str, tokens: &[Token<'_>]) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut at = 0;
    while let Some(hash) = tokens.get(at) {
        at += 1;
        if !hash.is_mark('#') {
            continue;
        }
        let Some(attribute) = bracketed(tokens, at - 1, '[', ']', REACH * 4) else { continue };
        at += attribute.len() + 2;
        let Some(word) = attribute.iter().position(|token| token.is_word("pymodule")) else {
            continue;
        };
        let options = attribute.get(word + 1..).unwrap_or_default();
        if units.len() > MOST {
            // More than are kept, which is told where they are counted.
            break;
        }
        let rest = tokens.get(at..).unwrap_or_default();
        let line = hash.line;
        units.push(Unit {
            tool: Tool::Pyo3,
            sign: sign(path, line, "#[pymodule]"),
            names: module_name(options, rest).into_iter().collect(),
            says: match option(options, "gil_used") {
                Some(value) if value.is_word("false") => {
                    Says::NotUsed(sign(path, line, "gil_used = false"))
                }
                Some(value) if value.is_word("true") => {
                    Says::Used(sign(path, line, "gil_used = true"))
                }
                Some(_) => {
                    Says::Unclear(format!("{path}:{line}: the value of gil_used is not plain"))
                }
                None => called(path, rest),
            },
        });
    }
    units
}

/// The value of `name = value`.
fn option<'c, 't>(tokens: &'c [Token<'t>], name: &str) -> Option<&'c Token<'t>> {
    let [_, _, value] = tokens.windows(3).find(
        |three| matches!(three, [word, equals, _] if word.is_word(name) && equals.is_mark('=')),
    )?
    else {
        return None;
    };
    Some(value)
}

/// The name of the module behind an attribute: stated in it or in `#[pyo3(name = "…")]`, or that of
/// the function or module.
fn module_name(options: &[Token<'_>], rest: &[Token<'_>]) -> Option<String> {
    let stated = |tokens: &[Token<'_>]| {
        option(tokens, "name")
            .filter(|value| value.kind == Kind::Text)
            .map(|value| value.text.to_owned())
    };
    let near = rest.get(..rest.len().min(REACH)).unwrap_or_default();
    let item = near.iter().position(|token| token.is_word("fn") || token.is_word("mod"));
    let before = near.get(..item.unwrap_or(0)).unwrap_or_default();
    let named = item.and_then(|item| near.get(item + 1)).filter(|name| name.kind == Kind::Word);
    stated(options).or_else(|| stated(before)).or_else(|| named.map(|name| name.text.to_owned()))
}

/// A hook that is written by hand on `pyo3-ffi` or the like.
fn by_hand(path: &str, tokens: &[Token<'_>]) -> Option<Unit> {
    let hook = tokens.iter().enumerate().find_map(|(at, word)| {
        let name = tokens.get(at + 1).filter(|_| word.is_word("fn"))?;
        let module = name.text.strip_prefix("PyInit_")?;
        // One that is defined elsewhere is only declared.
        let rest = tokens.get(at..)?.iter().take(REACH);
        let end = rest.into_iter().find(|token| token.is_mark('{') || token.is_mark(';'))?;
        end.is_mark('{').then_some((module, name.line))
    });
    let other = || {
        // The macro of the crate `cpython`, which knows nothing of free-threading.
        let name = tokens.iter().find(|token| token.is_word("py_module_initializer"))?;
        Some(("", name.line))
    };
    let (name, line) = hook.or_else(other)?;
    let mut says = Says::Nothing;
    for (at, token) in tokens.iter().enumerate() {
        if !(token.is_word("Py_mod_gil") || token.is_word("PyUnstable_Module_SetGIL")) {
            continue;
        }
        let rest = tokens.get(at + 1..).unwrap_or_default().iter().take(REACH);
        let value =
            rest.take_while(|next| next.text != token.text).find_map(|next| match next.text {
                "Py_MOD_GIL_NOT_USED" => Some(true),
                "Py_MOD_GIL_USED" => Some(false),
                _ => None,
            });
        let sign = sign(path, token.line, token.text);
        says = match (says, value) {
            (Says::Nothing, Some(true)) => Says::NotUsed(sign),
            (Says::Nothing, Some(false)) => Says::Used(sign),
            // An import of the name.
            (says, None) => says,
            (says @ Says::NotUsed(_), Some(true)) | (says @ Says::Used(_), Some(false)) => says,
            _ => Says::Unclear(format!(
                "{path}:{}: it declares now one thing and now another",
                token.line
            )),
        };
    }
    Some(Unit {
        tool: Tool::Hand,
        sign: sign(path, line, "PyInit_"),
        names: vec![name.to_owned()],
        says,
    })
}

/// What the manifests of a source's crates say of `PyO3`.
#[derive(Debug, Default)]
pub(super) struct Crates {
    /// The releases of it that lockfiles name, as numbers: the second part of `0.28.3`.
    locked: BTreeSet<u64>,
    /// The least releases that manifests ask for.
    asked: BTreeSet<u64>,
    /// The names of the libraries, as modules.
    pub(super) libraries: BTreeSet<String>,
    /// Whether some manifest could not be read.
    unread: bool,
}

/// What a release of `PyO3` does with a module that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pyo3 {
    /// Refuses to be built for free-threaded Python.
    Refuses,
    /// Takes it to need the GIL.
    Used,
    /// Takes it to run without.
    NotUsed,
    /// It is not known which release it would be.
    NotKnown,
}

impl Crates {
    /// Reads a `Cargo.lock`.
    pub(super) fn lock(&mut self, text: &str) {
        let Ok(document) = text.parse::<toml::Table>() else {
            self.unread = true;
            return;
        };
        let packages = document.get("package").and_then(toml::Value::as_array);
        for package in packages.into_iter().flatten() {
            let field = |name| package.get(name).and_then(toml::Value::as_str);
            if matches!(field("name"), Some("pyo3" | "pyo3-ffi")) {
                self.locked.extend(field("version").and_then(minor));
            }
        }
    }

    /// Reads a `Cargo.toml`.
    pub(super) fn manifest(&mut self, text: &str) {
        let Ok(document) = text.parse::<toml::Table>() else {
            self.unread = true;
            return;
        };
        let name = |table: &str| document.get(table)?.get("name")?.as_str();
        let library = name("lib").or_else(|| name("package"));
        self.libraries.extend(library.map(|name| name.replace('-', "_")));
        let workspace = document.get("workspace").and_then(|table| table.get("dependencies"));
        for dependencies in [document.get("dependencies"), workspace].into_iter().flatten() {
            for name in ["pyo3", "pyo3-ffi"] {
                let Some(entry) = dependencies.get(name) else { continue };
                let version = entry.as_str().or_else(|| entry.get("version")?.as_str());
                self.asked.extend(version.and_then(minor));
            }
        }
    }

    /// What the build would do with a module that says nothing. The lockfile decides, since maturin
    /// and setuptools-rust leave it in place; a range without one would take the newest that fits.
    pub(super) fn pyo3(&self) -> Pyo3 {
        let all = if self.locked.is_empty() { &self.asked } else { &self.locked };
        let kinds: BTreeSet<u8> =
            all.iter().map(|minor| u8::from(*minor >= 23) + u8::from(*minor >= 28)).collect();
        match kinds.iter().collect::<Vec<_>>().as_slice() {
            _ if self.unread => Pyo3::NotKnown,
            [0] => Pyo3::Refuses,
            [1] => Pyo3::Used,
            [2] => Pyo3::NotUsed,
            _ => Pyo3::NotKnown,
        }
    }
}

/// The second number of a release or of a plain range, whose first is 0.
fn minor(version: &str) -> Option<u64> {
    let version = version.trim();
    let plain = version.strip_prefix(['^', '~', '=']).unwrap_or(version).trim();
    let (major, rest) = plain.split_once('.')?;
    if major != "0" {
        return None;
    }
    let rest = rest.split('.').next()?;
    rest.parse().ok()
}
