//! One extension module as its source defines it, and what it says of the GIL.

use crate::model::release::Sign;

/// The most units, and other findings of one kind, that are kept of one source.
pub(super) const MOST: usize = 4096;

/// Something in a source that becomes an extension module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// What writes the module's initialisation.
    pub(super) tool: Tool,
    /// Where the module is defined.
    pub(super) sign: Sign,
    /// The names it may have, where the source tells.
    pub(super) names: Vec<String>,
    /// What it says.
    pub(super) says: Says,
}

/// What writes a module's initialisation, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// The source itself, in C or C++, or a generator whose output is in the source.
    Hand,
    /// Cython, whose output is in the source.
    CythonOutput,
    /// pybind11 or Boost.Python.
    Code,
    /// Cython, at the build.
    Cython,
    /// nanobind: its build functions say it.
    Nanobind,
    /// `PyO3`: its version has a part in it.
    Pyo3,
    /// SWIG, at the build.
    Swig,
    /// `f2py`, at the build.
    F2py,
    /// Pythran, at the build.
    Pythran,
}

/// What a unit says of the GIL by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    /// That it runs without.
    NotUsed(Sign),
    /// That it needs it.
    Used(Sign),
    /// That it runs without where the build defines these words; those that are not so marked decide
    /// in another way, which is not followed.
    Hangs(Sign, Vec<(String, bool)>),
    /// Something that was not understood.
    Unclear(String),
    /// Nothing.
    Nothing,
}

impl Unit {
    /// The file that it is defined in, without folders and endings.
    pub(super) fn stem(&self) -> &str {
        stem(&self.sign.path)
    }
}

/// A sign.
pub(super) fn sign(path: &str, line: u32, what: impl Into<String>) -> Sign {
    Sign { path: path.to_owned(), line: Some(line), what: what.into() }
}

/// The name of a file without its folders and endings.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}
