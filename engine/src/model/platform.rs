//! Operating system and processor a scan is made for, and the platform tags that follow.
//!
//! What this machine is gets found out in `ftcheck::resolve::host`; here is only what can be said
//! about a platform once it is named.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The processor architectures that wheels are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// 64-bit x86: `x86_64`, on Windows `amd64`.
    X86_64,
    /// 64-bit Arm: `aarch64`, on macOS and Windows `arm64`.
    Aarch64,
    /// 32-bit x86: `i686`, on Windows `win32`.
    I686,
    /// 32-bit Arm with hardware floating point.
    Armv7l,
    /// Little-endian POWER.
    Ppc64le,
    /// IBM Z.
    S390x,
    /// 64-bit RISC-V.
    Riscv64,
    /// 64-bit LoongArch.
    Loongarch64,
}

impl Architecture {
    const ALL: [Self; 8] = [
        Self::X86_64,
        Self::Aarch64,
        Self::I686,
        Self::Armv7l,
        Self::Ppc64le,
        Self::S390x,
        Self::Riscv64,
        Self::Loongarch64,
    ];

    /// The name the Linux kernel gives it, which Linux platform tags end in.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::I686 => "i686",
            Self::Armv7l => "armv7l",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
            Self::Loongarch64 => "loongarch64",
        }
    }

    /// The architecture of that name, the operating systems' own spellings included.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "amd64" => Some(Self::X86_64),
            "arm64" => Some(Self::Aarch64),
            "x86" => Some(Self::I686),
            "arm" => Some(Self::Armv7l),
            "powerpc64" => Some(Self::Ppc64le),
            _ => Self::ALL.into_iter().find(|known| known.as_str() == name),
        }
    }
}

/// The operating system, with the version its platform tags count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperatingSystem {
    /// Linux with glibc of this version (PEP 600).
    Manylinux {
        /// glibc's major version, 2 so far.
        major: u16,
        /// glibc's minor version.
        minor: u16,
    },
    /// Linux with musl of this version (PEP 656).
    Musllinux {
        /// musl's major version, 1 so far.
        major: u16,
        /// musl's minor version.
        minor: u16,
    },
    /// macOS of this version.
    Macos {
        /// 10 up to Catalina, 11 and more since.
        major: u16,
        /// Only counted while the major version was 10.
        minor: u16,
    },
    /// Windows; its tags carry no version.
    Windows,
}

/// Where the packages would be installed: operating system and processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Platform {
    /// The processor.
    pub architecture: Architecture,
    /// The operating system.
    pub system: OperatingSystem,
}

/// glibc of the manylinux image that most published wheels are built in today; what plain `linux` means.
const DEFAULT_GLIBC: (u16, u16) = (2, 28);
const DEFAULT_MUSL: (u16, u16) = (1, 2);
/// The macOS that plain `macos` means, as in uv.
const DEFAULT_MACOS: (u16, u16) = (13, 0);

impl Platform {
    /// The platform tags that an interpreter there accepts, best first.
    ///
    /// The order is that of `packaging.tags.platform_tags`, which pip and the interpreter's own
    /// build tools use.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        let architecture = self.architecture;
        match self.system {
            OperatingSystem::Manylinux { major, minor } => {
                let mut tags = vec![format!("linux_{}", architecture.as_str())];
                tags.extend(manylinux_tags(architecture, major, minor));
                tags
            }
            OperatingSystem::Musllinux { major, minor } => {
                let name = architecture.as_str();
                let mut tags = vec![format!("linux_{name}")];
                tags.extend(
                    (0..=minor).rev().map(|minor| format!("musllinux_{major}_{minor}_{name}")),
                );
                tags
            }
            OperatingSystem::Macos { major, minor } => macos_tags(architecture, major, minor),
            OperatingSystem::Windows => vec![
                match architecture {
                    Architecture::X86_64 => "win_amd64",
                    Architecture::Aarch64 => "win_arm64",
                    Architecture::I686 => "win32",
                    // No wheel is tagged for Windows on anything else.
                    _ => return Vec::new(),
                }
                .to_owned(),
            ],
        }
    }

    /// What a platform tag of a wheel is built for (PEP 425, PEP 600, PEP 656). `None` for `any`,
    /// for macOS tags that name several processors, and for what is not known.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        if tag == "win32" {
            return "x86-windows".parse().ok();
        }
        if let Some(architecture) = tag.strip_prefix("win_") {
            return format!("{architecture}-windows").parse().ok();
        }
        let names = Architecture::ALL.map(Architecture::as_str).into_iter().chain(["arm64"]);
        let (system, architecture) = names.into_iter().find_map(|name| {
            Some((tag.strip_suffix(name)?.strip_suffix('_')?, Architecture::from_name(name)?))
        })?;
        let system = match system {
            "manylinux1" => "manylinux_2_5".to_owned(),
            "manylinux2010" => "manylinux_2_12".to_owned(),
            other => other.replacen("macosx_", "macos_", 1),
        };
        format!("{}-{system}", architecture.as_str()).parse().ok()
    }

    /// The part between the dots of an extension module's own suffix, such as
    /// `cpython-314t-x86_64-linux-gnu` (`EXT_SUFFIX` in CPython's `configure.ac`,
    /// `PYD_TAGGED_SUFFIX` in its `PC/pyconfig.h`).
    #[must_use]
    pub fn extension_tag(&self, abi_digits: &str) -> String {
        let architecture = self.architecture;
        match self.system {
            OperatingSystem::Manylinux { .. } | OperatingSystem::Musllinux { .. } => {
                format!("cpython-{abi_digits}-{}", self.linux_triplet())
            }
            OperatingSystem::Macos { .. } => format!("cpython-{abi_digits}-darwin"),
            OperatingSystem::Windows => {
                let windows = match architecture {
                    Architecture::X86_64 => "win_amd64",
                    Architecture::Aarch64 => "win_arm64",
                    _ => "win32",
                };
                format!("cp{abi_digits}-{windows}")
            }
        }
    }

    /// Debian's multiarch triplet, which CPython puts into suffixes on Linux
    /// (`PLATFORM_TRIPLET` in `Misc/platform_triplet.c`).
    fn linux_triplet(&self) -> String {
        let musl = matches!(self.system, OperatingSystem::Musllinux { .. });
        let (architecture, environment) = match (self.architecture, musl) {
            (Architecture::I686, false) => ("i386", "gnu"),
            (Architecture::I686, true) => ("i386", "musl"),
            (Architecture::Armv7l, false) => ("arm", "gnueabihf"),
            (Architecture::Armv7l, true) => ("arm", "musleabihf"),
            (Architecture::Ppc64le, false) => ("powerpc64le", "gnu"),
            (Architecture::Ppc64le, true) => ("powerpc64le", "musl"),
            (other, false) => (other.as_str(), "gnu"),
            (other, true) => (other.as_str(), "musl"),
        };
        format!("{architecture}-linux-{environment}")
    }

    /// The same without the system's version, such as `x86_64-manylinux`: what stays the same from
    /// one machine to the next.
    #[must_use]
    pub fn family(&self) -> String {
        let system = match self.system {
            OperatingSystem::Manylinux { .. } => "manylinux",
            OperatingSystem::Musllinux { .. } => "musllinux",
            OperatingSystem::Macos { .. } => "macos",
            OperatingSystem::Windows => "windows",
        };
        format!("{}-{system}", self.architecture.as_str())
    }

    /// Whether it is macOS.
    #[must_use]
    pub fn is_macos(&self) -> bool {
        matches!(self.system, OperatingSystem::Macos { .. })
    }

    /// Whether it is Windows, where modules end in `.pyd`.
    #[must_use]
    pub fn is_windows(&self) -> bool {
        matches!(self.system, OperatingSystem::Windows)
    }
}

/// PEP 600 and the names it replaced, newest first, down to the oldest glibc that an architecture was ever built against.
fn manylinux_tags(architecture: Architecture, major: u16, minor: u16) -> Vec<String> {
    if major != 2 {
        // glibc 3 does not exist; its tags would be a guess.
        return Vec::new();
    }
    let oldest = match architecture {
        Architecture::X86_64 | Architecture::I686 => 5,
        _ => 17,
    };
    let name = architecture.as_str();
    let mut tags = Vec::new();
    for version in (oldest..=minor).rev() {
        tags.push(format!("manylinux_2_{version}_{name}"));
        let legacy = match version {
            17 => "manylinux2014",
            12 => "manylinux2010",
            5 => "manylinux1",
            _ => continue,
        };
        tags.push(format!("{legacy}_{name}"));
    }
    tags
}

fn macos_tags(architecture: Architecture, major: u16, minor: u16) -> Vec<String> {
    let mut tags = Vec::new();
    if macos_formats(architecture, major, minor).is_empty() {
        return tags;
    }
    if major >= 11 {
        for version in (11..=major).rev() {
            for format in macos_formats(architecture, version, 0) {
                tags.push(format!("macosx_{version}_0_{format}"));
            }
        }
        for version in (4..=16).rev() {
            if architecture == Architecture::X86_64 {
                for format in macos_formats(architecture, 10, version) {
                    tags.push(format!("macosx_10_{version}_{format}"));
                }
            } else {
                // No Arm binary is older than macOS 11, but a universal2 one may carry the older
                // version of its x86-64 half.
                tags.push(format!("macosx_10_{version}_universal2"));
            }
        }
    } else if major == 10 {
        for version in (0..=minor).rev() {
            for format in macos_formats(architecture, 10, version) {
                tags.push(format!("macosx_10_{version}_{format}"));
            }
        }
    }
    tags
}

fn macos_formats(architecture: Architecture, major: u16, minor: u16) -> &'static [&'static str] {
    match architecture {
        Architecture::X86_64 if (major, minor) < (10, 4) => &[],
        Architecture::X86_64 => &["x86_64", "intel", "fat64", "fat3", "universal2", "universal"],
        Architecture::Aarch64 => &["arm64", "universal2"],
        _ => &[],
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let architecture = self.architecture.as_str();
        match self.system {
            OperatingSystem::Manylinux { major, minor } => {
                write!(f, "{architecture}-manylinux_{major}_{minor}")
            }
            OperatingSystem::Musllinux { major, minor } => {
                write!(f, "{architecture}-musllinux_{major}_{minor}")
            }
            OperatingSystem::Macos { major, minor } => {
                write!(f, "{architecture}-macos_{major}_{minor}")
            }
            OperatingSystem::Windows => write!(f, "{architecture}-windows"),
        }
    }
}

/// The text named no platform.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "expected linux, macos, windows or a longer form such as x86_64-manylinux_2_28, \
     x86_64-musllinux_1_2, aarch64-macos_14_0, x86_64-windows, found `{0}`"
)]
pub struct PlatformError(String);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PlatformError(text.to_owned());
        let (architecture, system) = match text {
            "linux" => (Architecture::X86_64, "linux"),
            "windows" => (Architecture::X86_64, "windows"),
            "macos" => (Architecture::Aarch64, "macos"),
            _ => {
                let (architecture, system) = text.split_once('-').ok_or_else(error)?;
                (Architecture::from_name(architecture).ok_or_else(error)?, system)
            }
        };
        let system = parse_system(system).ok_or_else(error)?;
        let platform = Self { architecture, system };
        if platform.tags().is_empty() {
            // Such as s390x-windows: well formed, and no wheel could ever be chosen for it.
            return Err(error());
        }
        Ok(platform)
    }
}

/// The part behind the architecture: uv's target triples are accepted beside our own spelling.
fn parse_system(text: &str) -> Option<OperatingSystem> {
    match text {
        "linux" | "linux-gnu" | "unknown-linux-gnu" | "manylinux" => {
            return Some(OperatingSystem::Manylinux {
                major: DEFAULT_GLIBC.0,
                minor: DEFAULT_GLIBC.1,
            });
        }
        "linux-musl" | "unknown-linux-musl" | "musllinux" => {
            return Some(OperatingSystem::Musllinux {
                major: DEFAULT_MUSL.0,
                minor: DEFAULT_MUSL.1,
            });
        }
        "macos" | "apple-darwin" => {
            return Some(OperatingSystem::Macos { major: DEFAULT_MACOS.0, minor: DEFAULT_MACOS.1 });
        }
        "windows" | "pc-windows-msvc" => return Some(OperatingSystem::Windows),
        "manylinux2014" => return Some(OperatingSystem::Manylinux { major: 2, minor: 17 }),
        _ => {}
    }
    let (name, version) = text.split_once('_')?;
    let (major, minor) = version.split_once('_').unwrap_or((version, "0"));
    let number = |text: &str| -> Option<u16> {
        // The standard parser takes a sign too.
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
    };
    let (major, minor) = (number(major)?, number(minor)?);
    // Far beyond any real version, and small enough that listing every tag stays cheap.
    if major > 200 || minor > 200 {
        return None;
    }
    match name {
        // glibc 3 does not exist.
        "manylinux" if version.contains('_') && major == 2 => {
            Some(OperatingSystem::Manylinux { major, minor })
        }
        "musllinux" if version.contains('_') => Some(OperatingSystem::Musllinux { major, minor }),
        "macos" => Some(OperatingSystem::Macos { major, minor }),
        _ => None,
    }
}

impl Serialize for Platform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
