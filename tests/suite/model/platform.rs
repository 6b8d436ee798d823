//! Platforms by name. Their tags are compared in `tag.rs`.

use ftcheck::model::platform::{Architecture, OperatingSystem, Platform};
use proptest::prelude::*;

fn shown(text: &str) -> String {
    text.parse::<Platform>().unwrap_or_else(|problem| panic!("{problem}")).to_string()
}

#[test]
fn short_names_and_target_triples_mean_a_whole_platform() {
    for (text, expected) in [
        ("linux", "x86_64-manylinux_2_28"),
        ("windows", "x86_64-windows"),
        ("macos", "aarch64-macos_13_0"),
        ("x86_64-unknown-linux-gnu", "x86_64-manylinux_2_28"),
        ("aarch64-unknown-linux-musl", "aarch64-musllinux_1_2"),
        ("aarch64-apple-darwin", "aarch64-macos_13_0"),
        ("x86_64-pc-windows-msvc", "x86_64-windows"),
        ("x86_64-manylinux2014", "x86_64-manylinux_2_17"),
        ("x86_64-manylinux_2_36", "x86_64-manylinux_2_36"),
        ("x86_64-musllinux_1_2", "x86_64-musllinux_1_2"),
        // The operating systems' own spellings of the processor.
        ("amd64-windows", "x86_64-windows"),
        ("arm64-windows", "aarch64-windows"),
        ("x86-windows", "i686-windows"),
        ("arm64-macos_14_0", "aarch64-macos_14_0"),
        ("aarch64-macos_14", "aarch64-macos_14_0"),
        ("x86_64-macos_10_15", "x86_64-macos_10_15"),
        ("riscv64-manylinux_2_39", "riscv64-manylinux_2_39"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn other_texts_are_rejected_with_what_was_expected() {
    for text in [
        "",
        "-",
        "Linux",
        "freebsd",
        "linux-x86_64",
        "x86_64",
        "x86_64-",
        "x86_64-freebsd",
        "sparc-manylinux_2_28",
        "x86_64-manylinux_2",
        "x86_64-manylinux_2_",
        "x86_64-manylinux__28",
        "x86_64-manylinux_2_28_1",
        "x86_64-manylinux_two_28",
        "x86_64-manylinux_2_-28",
        // Listing the tags of such a version would take all memory.
        "x86_64-manylinux_2_65535",
        "x86_64-musllinux_1",
        "x86_64-windows_10",
        "aarch64-macos_",
        "x86_64-macos_9_0",
        " linux",
    ] {
        let problem = text.parse::<Platform>().unwrap_err().to_string();
        assert!(problem.contains("expected linux, macos, windows"), "{problem}");
        assert!(problem.ends_with(&format!("found `{text}`")), "{problem}");
    }
}

/// Windows and macOS run on few processors: a name that joins them to others is a slip, and a scan
/// for it would find no wheel for anything.
#[test]
fn an_operating_system_that_does_not_run_on_the_processor_is_rejected() {
    for text in [
        "s390x-windows",
        "ppc64le-windows",
        "s390x-macos",
        "armv7l-macos_14_0",
        "i686-macos_11_0",
        "riscv64-apple-darwin",
        "s390x-macos_10_15",
    ] {
        assert!(text.parse::<Platform>().is_err(), "{text}");
    }
}

/// `str::parse` takes a plus sign that no tag has.
#[test]
fn a_sign_before_a_number_is_rejected() {
    for text in ["x86_64-manylinux_+2_28", "x86_64-manylinux_2_+28", "aarch64-macos_+14"] {
        assert!(text.parse::<Platform>().is_err(), "{text}");
    }
}

#[test]
fn extension_suffixes_are_those_of_the_interpreter() {
    // What `sysconfig.get_config_var("EXT_SUFFIX")` holds on each, without dots and ending.
    for (platform, expected) in [
        ("x86_64-manylinux_2_28", "cpython-314t-x86_64-linux-gnu"),
        ("aarch64-musllinux_1_2", "cpython-314t-aarch64-linux-musl"),
        ("i686-manylinux_2_28", "cpython-314t-i386-linux-gnu"),
        ("armv7l-manylinux_2_31", "cpython-314t-arm-linux-gnueabihf"),
        ("ppc64le-manylinux_2_28", "cpython-314t-powerpc64le-linux-gnu"),
        ("macos", "cpython-314t-darwin"),
        ("x86_64-macos", "cpython-314t-darwin"),
        ("windows", "cp314t-win_amd64"),
        ("aarch64-windows", "cp314t-win_arm64"),
        ("i686-windows", "cp314t-win32"),
    ] {
        let parsed: Platform = platform.parse().unwrap();
        assert_eq!(parsed.extension_tag("314t"), expected, "{platform}");
    }
}

fn platforms() -> impl Strategy<Value = Platform> {
    use Architecture::{Aarch64, Armv7l, I686, Loongarch64, Ppc64le, Riscv64, S390x, X86_64};
    let linux = prop::sample::select(vec![
        X86_64,
        Aarch64,
        I686,
        Armv7l,
        Ppc64le,
        S390x,
        Riscv64,
        Loongarch64,
    ]);
    let macos = prop::sample::select(vec![X86_64, Aarch64]);
    let windows = prop::sample::select(vec![X86_64, Aarch64, I686]);
    prop_oneof![
        (linux.clone(), 17..60u16).prop_map(|(architecture, minor)| Platform {
            architecture,
            system: OperatingSystem::Manylinux { major: 2, minor },
        }),
        (linux, 0..9u16).prop_map(|(architecture, minor)| Platform {
            architecture,
            system: OperatingSystem::Musllinux { major: 1, minor },
        }),
        (macos, 11..30u16, 0..9u16).prop_map(|(architecture, major, minor)| Platform {
            architecture,
            system: OperatingSystem::Macos { major, minor },
        }),
        windows
            .prop_map(|architecture| Platform { architecture, system: OperatingSystem::Windows }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_platform_is_read_from_what_it_is_shown_as(platform in platforms()) {
        prop_assert_eq!(platform.to_string().parse(), Ok(platform));
        prop_assert_eq!(serde_json::to_value(platform).unwrap(), platform.to_string());
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*|(x86_64|arm64|é)-(manylinux|macos|musllinux)_[0-9_+é]{0,12}") {
        if let Ok(platform) = text.parse::<Platform>() {
            prop_assert!(!platform.tags().is_empty());
        }
    }
}

#[test]
fn tags_of_wheels_name_platforms() {
    for (tag, platform) in [
        ("manylinux_2_28_x86_64", "x86_64-manylinux_2_28"),
        ("manylinux2014_aarch64", "aarch64-manylinux_2_17"),
        ("manylinux2010_i686", "i686-manylinux_2_12"),
        ("manylinux1_x86_64", "x86_64-manylinux_2_5"),
        ("musllinux_1_2_armv7l", "armv7l-musllinux_1_2"),
        ("linux_riscv64", "riscv64-linux"),
        ("macosx_11_0_arm64", "aarch64-macos_11_0"),
        ("macosx_10_13_x86_64", "x86_64-macos_10_13"),
        ("win_amd64", "x86_64-windows"),
        ("win_arm64", "aarch64-windows"),
        ("win32", "i686-windows"),
    ] {
        assert_eq!(Platform::from_tag(tag), platform.parse().ok(), "{tag}");
        assert!(Platform::from_tag(tag).is_some(), "{tag}");
    }
    for tag in ["any", "", "x86_64", "_x86_64", "macosx_11_0_universal2", "win_ia64", "linux_vax"] {
        assert_eq!(Platform::from_tag(tag), None, "{tag}");
    }
}
