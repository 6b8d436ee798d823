//! The free-threaded CPython releases a scan can be made for.
//!
//! Only facts that follow from the release itself live here; what the machine adds is in
//! [`crate::model::platform`].

use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A free-threaded CPython feature release, such as `3.14t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    minor: u8,
}

impl Target {
    /// The first release with a free-threaded build (PEP 703).
    pub const PY313T: Self = Self { minor: 13 };
    /// The release in which the free-threaded build became supported (PEP 779).
    pub const PY314T: Self = Self { minor: 14 };
    /// The first release with a stable ABI for free-threaded builds (PEP 803).
    pub const PY315T: Self = Self { minor: 15 };

    /// Every target there is, oldest first.
    pub const ALL: [Self; 3] = [Self::PY313T, Self::PY314T, Self::PY315T];

    /// The minor version: 14 for `3.14t`.
    #[must_use]
    pub fn minor(self) -> u8 {
        self.minor
    }

    /// The interpreter tag of wheels, `cp314`.
    #[must_use]
    pub fn interpreter_tag(self) -> String {
        format!("cp3{}", self.minor)
    }

    /// The ABI tag of wheels, `cp314t`.
    #[must_use]
    pub fn abi_tag(self) -> String {
        format!("cp3{}t", self.minor)
    }

    /// The version that `requires-python` and markers are compared with.
    ///
    /// As uv does for `--python-version 3.14`, a feature release without a patch number stands for
    /// its first patch release.
    #[must_use]
    pub fn python_full_version(self) -> Version {
        Version::new([3, u64::from(self.minor), 0])
    }

    /// `3.14`, as the marker variable `python_version` has it.
    #[must_use]
    pub fn python_version(self) -> String {
        format!("3.{}", self.minor)
    }
}

impl Default for Target {
    fn default() -> Self {
        Self::PY314T
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}t", self.minor)
    }
}

/// The text named no target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected one of 3.13t, 3.14t, 3.15t, found `{0}`")]
pub struct TargetError(String);

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|target| target.to_string() == text)
            .ok_or_else(|| TargetError(text.to_owned()))
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
