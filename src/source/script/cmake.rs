//! `CMake`'s files: which modules they make, and with which of Cython's and nanobind's options.

use super::super::scan::Token;
use super::super::unit::{MOST, sign};
use super::{Scripts, call, calls};

impl Scripts {
    pub(super) fn cmake(&mut self, path: &str, tokens: &[Token<'_>]) {
        for (token, call) in calls(tokens) {
            let name = token.text.to_ascii_lowercase();
            let mentions =
                |what: &str| call.iter().any(|word| word.text.to_ascii_lowercase().contains(what));
            match name.as_str() {
                "nanobind_add_module" => {
                    let target = call.first().map_or("", |word| word.text).to_owned();
                    let option = call.iter().find(|word| word.text == "FREE_THREADED");
                    let sign = option.map(|word| sign(path, word.line, "FREE_THREADED"));
                    let may_be_hidden = call.iter().skip(1).any(|word| word.text.contains("${"));
                    self.compile(super::super::unit::sign(path, token.line, "nanobind_add_module"));
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
    pub(super) fn carry_cmake(&mut self, tokens: &[Token<'_>]) {
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
}
