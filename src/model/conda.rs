//! Conda packages: what an environment's file tells of each, and for which Python it was built.
//!
//! Only the interpreter carries the ABI in its own build strings (`python`, `libpython`, `python_abi`:
//! `…_cp314t`). For whatever else was built against Python it stands in the dependencies:
//! `python_abi 3.14.* *_cp314t` (conda-forge's `python_abi`, which every recipe with compiled modules
//! gets by `run_exports`).

use crate::model::location::Location;
use crate::model::platform::{Architecture, OperatingSystem, Platform};
use crate::model::requirement::Section;

/// Packages that conda installs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CondaEnvironment {
    /// What the file calls it, where it knows several.
    pub name: Option<String>,
    /// The part of the project that it is.
    pub section: Section,
    /// The platform it is for, by conda's name; `None` where the file leaves that open.
    pub subdir: Option<String>,
    /// Where it stands.
    pub location: Location,
    /// Its packages, in the order of the file.
    pub packages: Vec<CondaPackage>,
}

/// One conda package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CondaPackage {
    /// Its name, as conda has it.
    pub name: String,
    /// Its version, where the file names one.
    pub version: Option<String>,
    /// The build string, where the file names one.
    pub build: Option<String>,
    /// The folder of the channel that it lies in, where that is told: the platform it was built
    /// for, or `noarch`.
    pub subdir: Option<String>,
    /// The part of the project that asks for it.
    pub section: Section,
    /// Which Python it was built for.
    pub abi: CondaAbi,
    /// Where it stands.
    pub location: Location,
}

/// Which Python a conda package was built for, as far as its file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CondaAbi {
    /// It does not depend on Python.
    NoPython,
    /// It depends on Python, and does not say on which ABI.
    Open,
    /// One ABI, such as `cp314t`.
    Tag(String),
    /// An interpreter with the GIL, whatever its version; the text names the dependency.
    Gil(&'static str),
    /// Nothing is told; the text says why.
    Unknown(String),
}

impl CondaPackage {
    /// Whether the same file is installed on every platform.
    ///
    /// The folder decides, not `noarch: python`: since CEP 20 packages with modules for the stable
    /// ABI carry that too, and lie in the folder of their platform.
    #[must_use]
    pub fn is_noarch(&self) -> bool {
        self.subdir.as_deref() == Some("noarch")
    }

    /// Whether it is part of the interpreter itself.
    #[must_use]
    pub fn is_interpreter(&self) -> bool {
        INTERPRETER.contains(&self.name.as_str())
    }
}

/// One dependency of a conda package: name, and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CondaDependency<'a> {
    /// The name.
    pub name: &'a str,
    /// Version and build, in any form that conda reads; empty where there is neither.
    pub rest: &'a str,
}

impl<'a> CondaDependency<'a> {
    /// Reads a match specification as far as it is needed here: `channel::name version build`,
    /// `name=version=build`, `name >=1[build=…]`.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let text = text.rsplit_once("::").map_or(text, |(_, text)| text).trim();
        let is_name = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
        let end = text.find(|letter: char| !is_name(letter)).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        Self { name, rest: rest.trim() }
    }

    /// Version and build, without what conda puts around them.
    #[must_use]
    pub fn version_and_build(&self) -> (Option<&'a str>, Option<&'a str>) {
        let (plain, brackets) = self.rest.split_once('[').unwrap_or((self.rest, ""));
        let plain = plain.trim();
        let named = |key: &str| {
            let parts = brackets.trim_end_matches(']').split(',');
            let mut pairs = parts.filter_map(|part| part.split_once('='));
            let (_, value) = pairs.find(|(name, _)| name.trim() == key)?;
            Some(value.trim().trim_matches(['"', '\'']))
        };
        let behind = |text: &'a str| Some(text.trim()).filter(|text| !text.is_empty());
        let (version, build) = if let Some((version, build)) = plain.split_once(char::is_whitespace)
        {
            // `>=3.14, <3.15` is one version.
            let goes_on = version.ends_with([',', '=', '<', '>', '|', '~', '!'])
                || build.trim_start().starts_with([',', '|', '<', '>', '!', '~']);
            if goes_on { (behind(plain), None) } else { (behind(version), behind(build)) }
        } else {
            let single = plain.strip_prefix('=').filter(|rest| !rest.starts_with('='));
            match single.and_then(|rest| rest.split_once('=')) {
                Some((version, build)) => (behind(version), behind(build)),
                None => (behind(single.unwrap_or(plain)), None),
            }
        };
        (version.or_else(|| named("version")), build.or_else(|| named("build")))
    }

    /// The ABI that its build has to have; `None` where it does not tell one.
    fn abi(&self) -> Option<&'a str> {
        abi_of_build(self.version_and_build().1?)
    }
}

/// The ABI at the end of a build string or of a pattern for one: `8_cp314t`, `*_cp314`.
#[must_use]
pub fn abi_of_build(build: &str) -> Option<&str> {
    let (_, last) = build.trim_end_matches('$').rsplit_once('_')?;
    let digits = last.strip_prefix("cp")?;
    let digits = digits.strip_suffix('t').unwrap_or(digits);
    let is_tag = digits.len() >= 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_tag.then_some(last)
}

/// The packages that are the interpreter, and have its ABI in their own build strings.
const INTERPRETER: [&str; 3] = ["python", "libpython", "python_abi"];

/// What depends on one of these is for Python.
const PYTHON: [&str; 6] =
    ["python", "libpython", "python_abi", "cpython", "python-freethreading", "pypy"];

/// What conda-forge's packages depend on that do not work without the GIL: the first is the stable
/// ABI, the others the interpreter itself.
const GIL: [&str; 3] = ["_python_abi3_support", "python-gil", "cpython-gil"];

impl CondaAbi {
    /// What the name, the build and the dependencies of a package tell.
    #[must_use]
    pub fn of<'a>(
        name: &str,
        build: Option<&str>,
        dependencies: impl IntoIterator<Item = CondaDependency<'a>>,
    ) -> Self {
        // These are Python's own: the build is what counts, and stands in it.
        if INTERPRETER.contains(&name) {
            return match build.map(|build| (build, abi_of_build(build))) {
                Some((_, Some(abi))) => Self::Tag(abi.to_owned()),
                Some((build, None)) if build.contains(['*', '^', '|']) => {
                    Self::Unknown(format!("its build is left open: `{build}`"))
                }
                // `…_cpython` before 3.13, `…_pypy`: none of them is free-threaded.
                Some((build, None)) => Self::Tag(build.to_owned()),
                None => Self::Unknown("no build of it is named".to_owned()),
            };
        }
        if name == "pypy" || name.starts_with("pypy3") {
            return Self::Tag("pypy".to_owned());
        }
        let mut found: Option<&str> = build.and_then(abi_of_build);
        let mut is_python = found.is_some();
        let mut gil = GIL.into_iter().find(|needs| *needs == name);
        for dependency in dependencies {
            gil = gil.or_else(|| GIL.into_iter().find(|needs| *needs == dependency.name));
            if !PYTHON.contains(&dependency.name) && !dependency.name.starts_with("pypy3") {
                continue;
            }
            is_python = true;
            match (found, dependency.abi()) {
                (Some(one), Some(other)) if one != other => {
                    let problem = format!("it is said to be both for {one} and for {other}");
                    return Self::Unknown(problem);
                }
                (_, abi) => found = found.or(abi),
            }
        }
        match (gil, found) {
            (Some(needs), _) => Self::Gil(needs),
            (None, Some(abi)) => Self::Tag(abi.to_owned()),
            (None, None) if is_python => Self::Open,
            (None, None) => Self::NoPython,
        }
    }
}

/// Conda's name of each platform, and what markers see there: `sys_platform`, `platform_machine`.
const SUBDIRS: [(&str, &str, &str); 14] = [
    ("linux-64", "linux", "x86_64"),
    ("linux-aarch64", "linux", "aarch64"),
    ("linux-ppc64le", "linux", "ppc64le"),
    ("linux-s390x", "linux", "s390x"),
    ("linux-riscv64", "linux", "riscv64"),
    ("linux-armv7l", "linux", "armv7l"),
    ("linux-32", "linux", "i686"),
    ("linux-ppc64", "linux", "ppc64"),
    ("linux-loongarch64", "linux", "loongarch64"),
    ("osx-64", "darwin", "x86_64"),
    ("osx-arm64", "darwin", "arm64"),
    ("win-64", "win32", "AMD64"),
    ("win-arm64", "win32", "ARM64"),
    ("win-32", "win32", "x86"),
];

/// The marker that applies on a platform of conda's; `None` where the name is not known.
#[must_use]
pub fn marker_of_subdir(subdir: &str) -> Option<String> {
    let (_, system, machine) = SUBDIRS.into_iter().find(|(name, ..)| *name == subdir)?;
    Some(format!("sys_platform == '{system}' and platform_machine == '{machine}'"))
}

/// Conda's name of a platform; `None` where conda has no packages for it, such as for musl.
#[must_use]
pub fn subdir_of(platform: Platform) -> Option<String> {
    let (system, machine) = match platform.system {
        OperatingSystem::Musllinux { .. } => return None,
        OperatingSystem::Manylinux { .. } => ("linux", platform.architecture.as_str()),
        OperatingSystem::Macos { .. } => match platform.architecture {
            Architecture::Aarch64 => ("darwin", "arm64"),
            architecture => ("darwin", architecture.as_str()),
        },
        OperatingSystem::Windows => match platform.architecture {
            Architecture::X86_64 => ("win32", "AMD64"),
            Architecture::Aarch64 => ("win32", "ARM64"),
            _ => ("win32", "x86"),
        },
    };
    let mut known = SUBDIRS.into_iter();
    known.find(|known| (known.1, known.2) == (system, machine)).map(|(name, ..)| name.to_owned())
}

/// Name, version and build in the name of a conda archive: `NAME-VERSION-BUILD.conda`.
#[must_use]
pub fn archive_name(filename: &str) -> Option<(&str, &str, &str)> {
    let stem = [".conda", ".tar.bz2"].into_iter().find_map(|end| filename.strip_suffix(end))?;
    let mut parts = stem.rsplitn(3, '-');
    let (build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = [build, version, name].iter().all(|part| !part.is_empty());
    is_whole.then_some((name, version, build))
}
