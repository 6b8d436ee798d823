//! The file name of a wheel.
//!
//! ```text
//! {distribution}-{version}(-{build tag})?-{python tag}-{abi tag}-{platform tag}(-{label})?.whl
//! ```
//!
//! The grammar is that of the binary distribution format (PEP 427), each tag being a compressed
//! set joined by dots (PEP 425); the trailing label is that of PEP 825, a draft.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

/// A parsed wheel file name. [`fmt::Display`] gives back the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WheelFilename {
    text: String,
    /// The distribution, normalized.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// The build tag: a number, then anything.
    pub build: Option<BuildTag>,
    python: Vec<String>,
    abi: Vec<String>,
    platform: Vec<String>,
    /// The variant label of PEP 825. No installer chooses such a wheel by its tags alone.
    pub label: Option<String>,
}

/// Breaks ties between wheels of equal tags: numbers first, then the text behind them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuildTag(u64, String);

/// Why a text is no wheel file name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected a wheel file name, found `{filename}`: {problem}")]
pub struct WheelFilenameError {
    filename: String,
    problem: String,
}

impl WheelFilename {
    /// Every tag of the compressed set: interpreter, ABI, platform.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.python.iter().flat_map(move |python| {
            self.abi.iter().flat_map(move |abi| {
                self.platform
                    .iter()
                    .map(move |platform| (python.as_str(), abi.as_str(), platform.as_str()))
            })
        })
    }

    /// Whether the wheel's platform tag is `any`, which says that it holds nothing compiled.
    #[must_use]
    pub fn is_any_platform(&self) -> bool {
        self.platform.iter().all(|platform| platform == "any")
    }

    /// Orders wheels by build tag as pip does: one without comes first.
    #[must_use]
    pub fn compare_build(&self, other: &Self) -> Ordering {
        self.build.cmp(&other.build)
    }

    /// The whole file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for WheelFilename {
    type Err = WheelFilenameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem: String| WheelFilenameError { filename: text.to_owned(), problem };
        let stem =
            text.strip_suffix(".whl").ok_or_else(|| error("it does not end in .whl".to_owned()))?;
        let parts: Vec<&str> = stem.split('-').collect();
        let starts_with_digit = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
        let (build, tags, label) = match parts.as_slice() {
            [_, _, tags @ ..] if tags.len() == 3 => (None, tags, None),
            [_, _, build, tags @ ..] if tags.len() == 3 && starts_with_digit(build) => {
                (Some(*build), tags, None)
            }
            [_, _, tags @ .., label] if tags.len() == 3 => (None, tags, Some(*label)),
            [_, _, build, tags @ .., label] if tags.len() == 3 && starts_with_digit(build) => {
                (Some(*build), tags, Some(*label))
            }
            _ => return Err(error(format!("it has {} parts", parts.len()))),
        };
        if label.is_some_and(str::is_empty) {
            return Err(error("its label is empty".to_owned()));
        }
        let name = Some(parts[0])
            .filter(|name| !name.is_empty())
            .and_then(|name| PackageName::from_str(name).ok())
            .ok_or_else(|| error(format!("`{}` is no distribution name", parts[0])))?;
        // A version may itself hold `_` for `-` (`1.0_rc1`); beyond that, some build tools write the
        // local version's `+` as `_`.
        let version = Version::from_str(parts[1])
            .or_else(|_| Version::from_str(&parts[1].replace('_', "+")))
            .map_err(|problem| error(format!("`{}` is no version: {problem}", parts[1])))?;
        let build = build.map(BuildTag::parse).transpose().map_err(error)?;
        let set = |part: &str| -> Result<Vec<String>, WheelFilenameError> {
            // Tags are compared without case (packaging.tags).
            let tags: Vec<_> = part.split('.').map(str::to_ascii_lowercase).collect();
            if tags.iter().any(String::is_empty) {
                return Err(error(format!("`{part}` has an empty tag")));
            }
            Ok(tags)
        };
        Ok(Self {
            name,
            version,
            build,
            python: set(tags[0])?,
            abi: set(tags[1])?,
            platform: set(tags[2])?,
            label: label.map(str::to_owned),
            text: text.to_owned(),
        })
    }
}

impl BuildTag {
    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at(digits);
        let number =
            number.parse().map_err(|_| format!("build tag `{text}` starts with no number"))?;
        Ok(Self(number, rest.to_owned()))
    }
}

impl fmt::Display for WheelFilename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
