//! What this machine is, found out without running anything.

use std::path::{Path, PathBuf};

use goblin::elf::Elf;

use crate::model::platform::{Architecture, OperatingSystem, Platform};

/// Why the platform of this machine could not be told.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Python wheels are not built for this processor.
    #[error("no wheels are known for this machine's processor, `{0}`")]
    Architecture(String),
    /// The operating system, or the version its tags count by.
    #[error("the platform of this machine could not be told: {0}")]
    System(String),
}

/// The platform that wheels for this machine are tagged with.
///
/// # Errors
/// Where the processor or the operating system is none that wheels are built for, or the version
/// that its tags count by cannot be found.
pub fn platform() -> Result<Platform, HostError> {
    let name = std::env::consts::ARCH;
    let architecture =
        Architecture::from_name(name).ok_or_else(|| HostError::Architecture(name.to_owned()))?;
    let system = match std::env::consts::OS {
        "linux" => linux()?,
        "macos" => macos()?,
        "windows" => OperatingSystem::Windows,
        other => return Err(HostError::System(format!("`{other}` has no wheels of its own"))),
    };
    Ok(Platform { architecture, system })
}

/// glibc or musl: told by the program interpreter of a program that every system has, and the
/// version by the C library beside it.
fn linux() -> Result<OperatingSystem, HostError> {
    let failed = |problem: String| HostError::System(problem);
    let programs = ["/proc/self/exe", "/bin/sh", "/usr/bin/env"];
    let loader = programs
        .iter()
        .find_map(|program| interpreter(Path::new(program)))
        .ok_or_else(|| failed(format!("none of {} names a dynamic loader", programs.join(", "))))?;
    let real = fs_err::canonicalize(&loader).map_err(|problem| failed(problem.to_string()))?;
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    if name(&loader).is_some_and(|name| name.starts_with("ld-musl-")) {
        let bytes = fs_err::read(&real).map_err(|problem| failed(problem.to_string()))?;
        let (major, minor) = musl_version(&bytes)
            .ok_or_else(|| failed(format!("{} tells no version", real.display())))?;
        return Ok(OperatingSystem::Musllinux { major, minor });
    }
    let folder = real.parent().unwrap_or(Path::new("/"));
    let library = folder.join("libc.so.6");
    let bytes = fs_err::read(&library).map_err(|problem| failed(problem.to_string()))?;
    let (major, minor) = glibc_version(&bytes)
        .ok_or_else(|| failed(format!("{} tells no version", library.display())))?;
    Ok(OperatingSystem::Manylinux { major, minor })
}

/// The dynamic loader that a program asks for.
fn interpreter(program: &Path) -> Option<PathBuf> {
    let bytes = fs_err::read(program).ok()?;
    let elf = Elf::parse(&bytes).ok()?;
    elf.interpreter.map(PathBuf::from)
}

/// The newest version that glibc says its symbols have, such as `GLIBC_2.36`.
fn glibc_version(bytes: &[u8]) -> Option<(u16, u16)> {
    let elf = Elf::parse(bytes).ok()?;
    let definitions = elf.verdef.as_ref()?;
    definitions
        .iter()
        .flat_map(|definition| definition.iter().collect::<Vec<_>>())
        .filter_map(|name| elf.dynstrtab.get_at(name.vda_name))
        .filter_map(|name| {
            let (major, minor) = name.strip_prefix("GLIBC_")?.split_once('.')?;
            // Early releases have a third number, `GLIBC_2.2.5`.
            let minor = minor.split('.').next()?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        })
        .max()
}

/// musl's loader holds its version as a text of its own, such as `1.2.5`.
fn musl_version(bytes: &[u8]) -> Option<(u16, u16)> {
    bytes.split(|byte| *byte == 0).find_map(|text| {
        if text.len() > 12 {
            return None;
        }
        let mut numbers = std::str::from_utf8(text).ok()?.split('.');
        let (major, minor, patch) = (numbers.next()?, numbers.next()?, numbers.next()?);
        patch.parse::<u16>().ok()?;
        let version = (major.parse().ok()?, minor.parse().ok()?);
        (numbers.next().is_none() && version >= (1, 0)).then_some(version)
    })
}

/// The product version in the system's own property list.
fn macos() -> Result<OperatingSystem, HostError> {
    const FILE: &str = "/System/Library/CoreServices/SystemVersion.plist";
    let text =
        fs_err::read_to_string(FILE).map_err(|problem| HostError::System(problem.to_string()))?;
    product_version(&text)
        .map(|(major, minor)| OperatingSystem::Macos { major, minor })
        .ok_or_else(|| HostError::System(format!("{FILE} tells no ProductVersion")))
}

/// The list is XML that Apple's own tools write in this one form: key, then string.
fn product_version(text: &str) -> Option<(u16, u16)> {
    let (_, rest) = text.split_once("<key>ProductVersion</key>")?;
    let (version, _) = rest.trim_start().strip_prefix("<string>")?.split_once("</string>")?;
    let mut numbers = version.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next().unwrap_or("0").parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macos_version_is_read_from_the_property_list() {
        let text = "<plist><dict>\n\t<key>ProductName</key>\n\t<string>macOS</string>\n\
                    \t<key>ProductVersion</key>\n\t<string>14.6.1</string>\n</dict></plist>";
        assert_eq!(product_version(text), Some((14, 6)));
        assert_eq!(product_version("<plist></plist>"), None);
    }

    #[test]
    fn musl_version_is_the_text_of_three_numbers() {
        assert_eq!(musl_version(b"\x7fELF\0junk\x001.2.5\0musl libc\0"), Some((1, 2)));
        assert_eq!(musl_version(b"\x7fELF\x00127.0.0.1\0 0.0.0\0"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_tags() {
        assert!(!platform().unwrap().tags().is_empty());
    }
}
