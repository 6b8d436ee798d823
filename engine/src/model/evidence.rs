//! What was found out about one extension module, and how.
//!
//! Field names and values of [`ModuleReport`] are part of the JSON report; they mean what they
//! mean in the interpreter's own answers that the project is measured against.

use serde::{Deserialize, Serialize};

/// What loading the module does to the GIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gil {
    /// The interpreter turns the GIL on.
    Enables,
    /// The GIL stays off.
    KeepsOff,
    /// It could not be told; [`ModuleReport::reason`] says why.
    Undetermined,
}

/// How the module initialises (PEP 489).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// The hook returns a definition, from which the interpreter makes the module.
    MultiPhase,
    /// The hook returns the finished module.
    SinglePhase,
}

/// The value of the `Py_mod_multiple_interpreters` slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subinterpreters {
    /// There are slots, and none of them says.
    Unspecified,
    /// `Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED`, 0.
    NotSupported,
    /// `Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED`, 1.
    SharedGil,
    /// `Py_MOD_PER_INTERPRETER_GIL_SUPPORTED`, 2.
    PerInterpreterGil,
}

/// The answer for one extension module of a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleReport {
    /// The dotted name, as the file's place in the wheel gives it.
    pub module: String,
    /// The path inside the wheel.
    pub member: String,
    /// The answer.
    pub gil: Gil,
    /// How it initialises, where that is known.
    pub init: Option<Init>,
    /// What it says of subinterpreters; `None` without a slot array.
    pub subinterpreters: Option<Subinterpreters>,
    /// Why the answer is `undetermined`.
    pub reason: Option<String>,
    /// The path to the answer.
    pub evidence: Evidence,
}

/// What was read on the way to an answer, as far as it went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The container format: `elf`, `mach-o`, `pe`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub format: Option<String>,
    /// The processor the file is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub machine: Option<String>,
    /// The tool that generated the module, where its bytes name it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generator: Option<Generator>,
    /// The exported function that the interpreter calls.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hook: Option<String>,
    /// The library of the wheel that the function lies in, where it is not the module's own file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub library: Option<String>,
    /// The `PyModuleDef` or slot array that the hook returned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub definition: Option<Definition>,
    /// The argument of the last `PyUnstable_Module_SetGIL` for the module that the hook returned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub set_gil: Option<String>,
    /// The module that makes this one, so that its answer is the answer for this one too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delegates_to: Option<String>,
    /// The distribution whose module that is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settled_by: Option<String>,
    /// Steps of the hook that were followed: instructions, and what large calls of other functions
    /// weigh.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub steps: Option<u32>,
}

/// A tool that generates extension modules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    /// Its name.
    pub name: String,
    /// Its version, where that is written in the module.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
}

/// A `PyModuleDef`, or since 3.15 a slot array (PEP 793).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its address in the image, in hexadecimal.
    pub address: String,
    /// `m_name`; slots that are exported have none of their own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The slot array; `None` where `m_slots` is null.
    pub slots: Option<Vec<Slot>>,
}

/// One entry of a slot array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The slot's number.
    pub id: i32,
    /// The name CPython's headers give it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The value in hexadecimal, or the imported symbol it is bound to.
    pub value: String,
}
