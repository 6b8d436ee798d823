//! What a release offers beside the wheel that was chosen, and what its source says where there is
//! none.

use serde::{Deserialize, Serialize};

/// The files of one release, as far as they matter to one interpreter on one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct ReleaseFiles {
    /// Whether there is a source distribution.
    pub source: bool,
    /// Wheels in all.
    pub wheels: usize,
    /// Whether some wheel is for any platform (`none-any`).
    pub any_platform: bool,
    /// Whether some wheel is for one platform, and so presumably compiled.
    pub compiled: bool,
    /// Whether some wheel is of the stable ABI, which no free-threaded build loads.
    pub stable_abi: bool,
    /// The file names of wheels that this interpreter would take on another platform, sorted.
    pub elsewhere: Vec<String>,
    /// The `requires-python` that excludes the interpreter, where every file has one that does.
    pub excluded_by: Option<String>,
}

/// What the source of a release without a wheel says of the GIL. A prediction: nothing was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The file name of the source distribution.
    pub filename: String,
    /// What a build of it would presumably do.
    pub prediction: Prediction,
    /// What the prediction rests on.
    pub signs: Vec<Sign>,
    /// Why nothing could be predicted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// What a build from source would presumably do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prediction {
    /// It compiles nothing.
    PurePython,
    /// It compiles, and declares that it runs without the GIL.
    KeepsGilOff,
    /// It compiles, and declares nothing.
    EnablesGil,
    /// It compiles for the stable ABI alone, which no free-threaded build loads.
    StableAbiOnly,
    /// It could not be told.
    NotKnown,
}

/// One thing in a source that a prediction rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// The path inside the source distribution, below its top folder.
    pub path: String,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// What stands there, by a name of its own such as `Py_mod_gil`.
    pub what: String,
}
