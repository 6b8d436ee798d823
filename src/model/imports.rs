//! What an import does to the GIL, and what leads to the modules that enable it.

use serde::{Deserialize, Serialize};

use crate::model::location::Location;

/// What importing one top-level name of a package does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// The name, as in `import NAME`.
    pub import: String,
    /// Whether the GIL is on afterwards; `None` where that could not be told.
    pub enables_gil: Option<bool>,
    /// The first module that enables it. Where it could not be told, the module that it hangs on.
    pub by: Option<String>,
    /// The modules that are executed on the way, each imported by the one before, from the name to
    /// the module; empty where the GIL stays off.
    pub chain: Vec<String>,
    /// Why it stays off, or could not be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// How a program comes to an extension module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Importing a top-level name of some package leads to it.
    Import,
    /// Only importing some submodule does.
    Submodule,
    /// A function that is called later does.
    Later,
    /// No import of it was found.
    NotFound,
}

/// What leads to one module that enables the GIL, or of which it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The module's dotted name.
    pub module: String,
    /// The most immediate way to it.
    pub how: How,
    /// Chains of modules that lead to it, each from the outermost import, this module last; the
    /// shortest of each package, those of packages that the user named first.
    pub chains: Vec<ImportChain>,
}

/// One chain of imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportChain {
    /// The normalized name of the package whose module begins it.
    pub package: String,
    /// How its first module comes to be imported.
    pub how: How,
    /// Whether every step is taken whatever the circumstances, as far as that could be told.
    pub certain: bool,
    /// The modules, by their dotted names.
    pub modules: Vec<String>,
}

/// A line of the user's own code whose import turns the GIL on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceImport {
    /// Where the import stands.
    pub location: Location,
    /// What is imported, by its dotted name.
    pub import: String,
    /// `Import` where it is executed when the file is imported or run, `Later` inside a function.
    pub how: How,
    /// Whether it enables the GIL; `None` where that could not be told.
    pub enables_gil: Option<bool>,
    /// The module that does, or that it hangs on; `None` where it hangs on none that is known.
    pub by: Option<String>,
    /// The modules from the imported one to that one.
    pub chain: Vec<String>,
}

/// One of the user's own files.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path, as it is shown.
    pub path: String,
    /// Its text.
    pub text: Vec<u8>,
}
