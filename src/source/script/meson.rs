//! Meson's files: which modules they make, and with which of Cython's options.

use super::super::scan::{Kind, Token};
use super::super::unit::sign;
use super::{Scripts, calls};

impl Scripts {
    pub(super) fn meson(&mut self, path: &str, tokens: &[Token<'_>]) {
        for (token, call) in calls(tokens) {
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
                    self.name_sources(path, call);
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

    /// Notes variables that hold Cython's option.
    pub(super) fn carry_meson(&mut self, tokens: &[Token<'_>]) {
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
