//! Modules that Cython, SWIG, f2py or Pythran make of a file at the build.

use super::unit::{Says, Tool, Unit, sign};

/// How much of a file's head is looked at for a directive: comments come before anything else.
const HEAD_LINES: usize = 400;

/// What the comment at the head of a file says of free-threading: the line, and whether it is
/// compatible. `# cython: NAME = VALUE, …` counts before the first statement (Cython's documentation
/// on compiler directives).
pub(super) fn directive(text: &str) -> Option<(u32, bool)> {
    let mut found = None;
    for (line, number) in text.lines().take(HEAD_LINES).zip(1..) {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        let Some(comment) = line.strip_prefix('#') else { break };
        let Some(directives) = comment.trim_start().strip_prefix("cython") else { continue };
        let Some(directives) = directives.trim_start().strip_prefix(':') else { continue };
        for directive in directives.split(',') {
            let Some((name, value)) = directive.split_once('=') else { continue };
            if name.trim() == "freethreading_compatible" {
                let value = value.trim();
                found = Some((number, ["True", "true", "1"].contains(&value)));
            }
        }
    }
    found
}

/// Whether a Python file has a head that Cython would read.
pub(super) fn is_marked(text: &str) -> bool {
    text.lines()
        .take(HEAD_LINES)
        .take_while(|line| line.trim().is_empty() || line.starts_with('#'))
        .any(|line| line.trim_start_matches('#').trim_start().starts_with("cython:"))
}

/// The module of a `.pyx` file, or of a Python file that Cython compiles.
pub(super) fn unit(path: &str, text: &str) -> Unit {
    let says = match directive(text) {
        Some((line, true)) => Says::NotUsed(sign(path, line, "freethreading_compatible")),
        Some((line, false)) => Says::Used(sign(path, line, "freethreading_compatible = False")),
        None => Says::Nothing,
    };
    let what = if path.ends_with(".py") { "compiled by Cython" } else { ".pyx" };
    let sign = sign(path, 1, what);
    Unit { tool: Tool::Cython, sign, names: Vec::new(), says }
}

/// The files that a `.pyx` file includes, by the paths that may be meant: from its own folder, or
/// from the root of the source. They are no modules.
pub(super) fn included(path: &str, text: &str) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let named = text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("include")?;
        if !rest.starts_with([' ', '\t', '\'', '"']) {
            return None;
        }
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
        rest.get(1..)?.split(quote).next()
    });
    let mut paths = Vec::new();
    for name in named {
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in name.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        paths.push(parts.join("/"));
        if name.contains('/') {
            paths.push(name.to_owned());
        }
    }
    paths
}

/// The module of an interface file of SWIG: one with a `%module` that Python could be meant by.
pub(super) fn swig(path: &str, text: &str) -> Option<Unit> {
    let (line, number) = text.lines().zip(1..).find(|(line, _)| {
        line.trim_start()
            .strip_prefix("%module")
            .is_some_and(|rest| rest.starts_with([' ', '\t', '(']))
    })?;
    let name = line
        .split(|letter: char| letter != '_' && !letter.is_alphanumeric())
        .rfind(|word| !word.is_empty());
    let opted = text.lines().zip(1..).find(|(line, _)| {
        let line = line.trim_start().trim_start_matches(['#', '%']).trim_start();
        line.strip_prefix("define")
            .is_some_and(|rest| rest.split_whitespace().next() == Some("SWIGPYTHON_NOGIL"))
    });
    Some(Unit {
        tool: Tool::Swig,
        sign: sign(path, number, "%module"),
        names: name.map(str::to_owned).into_iter().collect(),
        says: match opted {
            Some((_, line)) => Says::NotUsed(sign(path, line, "SWIGPYTHON_NOGIL")),
            None => Says::Nothing,
        },
    })
}

/// The module of a signature file of f2py.
pub(super) fn f2py(path: &str, text: &str) -> Option<Unit> {
    let is_module = |line: &str| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|word| word.eq_ignore_ascii_case("python"))
            && words.next().is_some_and(|word| word.eq_ignore_ascii_case("module"))
            && words.next().is_some_and(|name| !name.contains("__user__"))
    };
    let (_, line) = text.lines().zip(1..).find(|(line, _)| is_module(line))?;
    let sign = sign(path, line, "python module");
    Some(Unit { tool: Tool::F2py, sign, names: Vec::new(), says: Says::Nothing })
}

/// The module that Pythran makes of a Python file: one with a `#pythran export`.
pub(super) fn pythran(path: &str, text: &str) -> Option<Unit> {
    let exports = |line: &str| {
        let rest = line.strip_prefix('#').map(str::trim_start)?.strip_prefix("pythran")?;
        rest.trim_start().starts_with("export").then_some(())
    };
    let (_, line) = text.lines().zip(1..).find(|(line, _)| exports(line).is_some())?;
    let sign = sign(path, line, "pythran export");
    Some(Unit { tool: Tool::Pythran, sign, names: Vec::new(), says: Says::Nothing })
}
