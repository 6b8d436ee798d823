//! The marker environment of PEP 508 for a target on a platform.
//!
//! Nothing is asked of a running interpreter: what markers can see follows from target and
//! platform, except for the kernel's release and version, which stay empty as in uv.

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use crate::model::platform::{Architecture, OperatingSystem, Platform};
use crate::model::target::Target;

/// What a marker is evaluated against.
///
/// # Errors
/// Never for a [`Target`]: the only fallible part is the reading of its version number, which is
/// handed on rather than unwrapped.
pub fn marker_environment(
    target: Target,
    platform: Platform,
) -> Result<MarkerEnvironment, pep440_rs::VersionParseError> {
    let full_version = target.python_full_version().to_string();
    let python_version = target.python_version();
    let (os_name, sys_platform, platform_system) = match platform.system {
        OperatingSystem::Manylinux { .. } | OperatingSystem::Musllinux { .. } => {
            ("posix", "linux", "Linux")
        }
        OperatingSystem::Macos { .. } => ("posix", "darwin", "Darwin"),
        OperatingSystem::Windows => ("nt", "win32", "Windows"),
    };
    let platform_machine = match (platform.system, platform.architecture) {
        (OperatingSystem::Windows, Architecture::X86_64) => "AMD64",
        (OperatingSystem::Windows, Architecture::Aarch64) => "ARM64",
        (OperatingSystem::Windows, _) => "x86",
        (OperatingSystem::Macos { .. }, Architecture::Aarch64) => "arm64",
        (_, architecture) => architecture.as_str(),
    };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full_version,
        os_name,
        platform_machine,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system,
        platform_version: "",
        python_full_version: &full_version,
        python_version: &python_version,
        sys_platform,
    })
}
