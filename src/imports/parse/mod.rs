//! One Python file into the facts that are kept of it.
//!
//! The parser recovers from errors, so that a file with one is known but for that. What would cost
//! too much is refused before it is parsed: files that are larger than anyone writes, and nesting
//! that no interpreter takes.

mod expression;
mod nesting;
mod statement;

use std::borrow::Cow;

use ruff_python_ast::{Mod, PySourceType};
use ruff_python_parser::{ParseOptions, parse_unchecked};
use ruff_text_size::TextSize;

use super::facts::{At, Facts};

/// The largest file that is parsed, in bytes. The largest that packages hold are tables of a few
/// million bytes.
pub const MAX_SOURCE: usize = 8 << 20;
/// How deep expressions and statements may lie in one another. CPython gives up at 100 indents and
/// 200 brackets (`MAXINDENT` and `MAXLEVEL` in its `Parser/lexer/state.h`).
const MAX_DEPTH: u32 = 400;
/// The stack on which a file is parsed. Chains such as `a + b + …` lie in one another as deep as
/// they are long, and are dropped by recursion.
const STACK: usize = 64 << 20;
const STACK_NEEDED: usize = 48 << 20;

/// The facts of a Python file.
#[must_use]
pub fn parse(source: &[u8]) -> Facts {
    if source.len() > MAX_SOURCE {
        return unknown(format!("larger than {MAX_SOURCE} bytes"));
    }
    let (text, decoded) = decode(source);
    stacker::maybe_grow(STACK_NEEDED, STACK, || {
        if let Err(problem) = nesting::check(&text) {
            return unknown(problem);
        }
        let parsed = parse_unchecked(&text, ParseOptions::from(PySourceType::Python));
        let syntax_error = parsed.errors().first().map(|error| {
            let At(line, column) = Lines::of(&text).at(error.location.start());
            format!("line {line}, column {column}: {}", error.error)
        });
        let Mod::Module(module) = parsed.into_syntax() else {
            return unknown("not a module".to_owned());
        };
        let mut lowering = Lowering {
            lines: Lines::of(&text),
            depth: 0,
            too_deep: false,
            yields: false,
            keeps_names: text.contains("lazy "),
        };
        let body = lowering.block(&module.body);
        let too_deep = lowering.too_deep.then(|| TOO_DEEP.to_owned());
        Facts { body, problem: syntax_error.or(too_deep).or(decoded) }
    })
}

const TOO_DEEP: &str = "nested deeper than the interpreter allows";

fn unknown(problem: String) -> Facts {
    Facts { body: Vec::new(), problem: Some(problem) }
}

/// The text of a file. One that names an encoding other than UTF-8 (PEP 263) is read as far as it
/// is ASCII, which names of modules are.
fn decode(source: &[u8]) -> (Cow<'_, str>, Option<String>) {
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    let text = String::from_utf8_lossy(source);
    let head: Vec<&str> = text.lines().take(2).collect();
    let names_encoding = head.iter().any(|line| line.starts_with('#') && line.contains("coding"));
    let replaced = matches!(text, Cow::Owned(_));
    let problem = (replaced && !names_encoding).then(|| "not UTF-8".to_owned());
    (text, problem)
}

/// Where lines begin.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        let ends = memchr::memchr2_iter(b'\n', b'\r', bytes)
            // Both together end one line.
            .filter(|at| bytes.get(*at..at + 2) != Some(b"\r\n"));
        starts.extend(ends.map(|end| end + 1));
        Self { text, starts }
    }

    fn at(&self, offset: TextSize) -> At {
        let offset = offset.to_usize().min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied();
        let before = self.text.get(start.unwrap_or(0)..offset).unwrap_or("");
        At(clamped(line), clamped(before.chars().count() + 1))
    }
}

fn clamped(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Turns the parser's tree into facts.
struct Lowering<'t> {
    lines: Lines<'t>,
    depth: u32,
    too_deep: bool,
    /// Whether a `yield` was seen in the present function.
    yields: bool,
    /// Whether reading a name may import: only where the file may hold lazy imports (PEP 810).
    keeps_names: bool,
}

impl Lowering<'_> {
    /// Runs `inner` one level deeper, or tells that it is too deep.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            self.too_deep = true;
            return None;
        }
        self.depth += 1;
        let outcome = inner(self);
        self.depth -= 1;
        Some(outcome)
    }
}
