//! What markers see. The values are those of PEP 508's table on the systems themselves.

use std::str::FromStr as _;

use ftcheck::model::environment::marker_environment;
use pep508_rs::MarkerTree;

fn applies(marker: &str, target: &str, platform: &str) -> bool {
    let environment =
        marker_environment(target.parse().unwrap(), platform.parse().unwrap()).unwrap();
    MarkerTree::from_str(marker).unwrap().evaluate(&environment, &[])
}

#[test]
fn markers_see_the_operating_system() {
    let systems = [
        ("linux", "sys_platform == 'linux' and platform_system == 'Linux' and os_name == 'posix'"),
        (
            "macos",
            "sys_platform == 'darwin' and platform_system == 'Darwin' and os_name == 'posix'",
        ),
        ("windows", "sys_platform == 'win32' and platform_system == 'Windows' and os_name == 'nt'"),
    ];
    for (platform, _) in systems {
        for (of, marker) in systems {
            assert_eq!(applies(marker, "3.14t", platform), platform == of, "{platform}: {marker}");
        }
    }
    assert!(applies(systems[0].1, "3.14t", "x86_64-musllinux_1_2"));
}

/// `platform.machine()` is spelled in another way by each system.
#[test]
fn markers_see_the_processor_as_the_system_spells_it() {
    for (platform, machine) in [
        ("linux", "x86_64"),
        ("aarch64-manylinux_2_28", "aarch64"),
        ("macos", "arm64"),
        ("x86_64-macos", "x86_64"),
        ("windows", "AMD64"),
        ("aarch64-windows", "ARM64"),
        ("i686-windows", "x86"),
    ] {
        let marker = format!("platform_machine == '{machine}'");
        assert!(applies(&marker, "3.14t", platform), "{platform}: {marker}");
    }
}

#[test]
fn markers_see_the_version_and_the_implementation() {
    for (target, minor) in [("3.13t", 13), ("3.14t", 14), ("3.15t", 15)] {
        let version = format!("python_version == '3.{minor}'");
        assert!(applies(&version, target, "linux"));
        assert!(applies(&format!("python_full_version < '3.{}'", minor + 1), target, "linux"));
        assert!(applies(&format!("python_full_version >= '3.{minor}'"), target, "linux"));
        assert!(!applies(&format!("python_version < '3.{minor}'"), target, "linux"));
    }
    assert!(applies(
        "platform_python_implementation == 'CPython' and implementation_name == 'cpython'",
        "3.14t",
        "linux"
    ));
    assert!(!applies("platform_python_implementation == 'PyPy'", "3.14t", "linux"));
    assert!(!applies("extra == 'fast'", "3.14t", "linux"));
}
