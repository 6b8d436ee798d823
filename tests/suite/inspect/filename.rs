//! Which members of a wheel are extension modules, under which names, and the names of their hooks.
//!
//! The suffixes are `importlib.machinery.EXTENSION_SUFFIXES` of each release and platform
//! (`Python/dynload_shlib.c`, `Python/dynload_win.c`), hooks are those of `Python/importdl.c`.

use std::collections::BTreeSet;

use ftcheck::inspect::filename::{ExtensionFile, Suffix, extension_files, hook_suffix, suffixes};
use ftcheck::model::platform::Platform;
use ftcheck::model::target::Target;
use proptest::prelude::*;

use Suffix::{Bare, StableFreeThreaded, StableWithGil, Tagged};

const GNU: &str = "x86_64-linux";
const MUSL: &str = "x86_64-linux-musl";
const ARM: &str = "aarch64-linux";
const MACOS: &str = "aarch64-macos";
const WINDOWS: &str = "x86_64-windows";
const WINDOWS_ARM: &str = "aarch64-windows";

fn found(members: &[&str], target: Target, platform: &str) -> Vec<ExtensionFile> {
    let platform: Platform = platform.parse().unwrap();
    extension_files(members.iter().copied(), target, platform)
}

/// Found alone: each member is a wheel of its own.
fn taken(member: &str, target: Target, platform: &str) -> Option<(String, Suffix)> {
    let files = found(&[member], target, platform);
    assert!(files.len() <= 1, "{files:?}");
    files.into_iter().next().map(|file| {
        assert_eq!(file.member, member);
        (file.module, file.suffix)
    })
}

#[track_caller]
fn assert_taken(member: &str, target: Target, platform: &str, module: &str, suffix: Suffix) {
    let expected = Some((module.to_owned(), suffix));
    assert_eq!(taken(member, target, platform), expected, "{member} on {target}, {platform}");
}

#[track_caller]
fn assert_ignored(member: &str, target: Target, platform: &str) {
    assert_eq!(taken(member, target, platform), None, "{member} on {target}, {platform}");
}

/// The one suffix of each release and platform that names both.
#[rustfmt::skip]
const TAGGED: [(Target, &str, &str); 18] = [
    (Target::PY313T, GNU,         ".cpython-313t-x86_64-linux-gnu.so"),
    (Target::PY314T, GNU,         ".cpython-314t-x86_64-linux-gnu.so"),
    (Target::PY315T, GNU,         ".cpython-315t-x86_64-linux-gnu.so"),
    (Target::PY313T, MUSL,        ".cpython-313t-x86_64-linux-musl.so"),
    (Target::PY314T, MUSL,        ".cpython-314t-x86_64-linux-musl.so"),
    (Target::PY315T, MUSL,        ".cpython-315t-x86_64-linux-musl.so"),
    (Target::PY313T, ARM,         ".cpython-313t-aarch64-linux-gnu.so"),
    (Target::PY314T, ARM,         ".cpython-314t-aarch64-linux-gnu.so"),
    (Target::PY315T, ARM,         ".cpython-315t-aarch64-linux-gnu.so"),
    (Target::PY313T, MACOS,       ".cpython-313t-darwin.so"),
    (Target::PY314T, MACOS,       ".cpython-314t-darwin.so"),
    (Target::PY315T, MACOS,       ".cpython-315t-darwin.so"),
    (Target::PY313T, WINDOWS,     ".cp313t-win_amd64.pyd"),
    (Target::PY314T, WINDOWS,     ".cp314t-win_amd64.pyd"),
    (Target::PY315T, WINDOWS,     ".cp315t-win_amd64.pyd"),
    (Target::PY313T, WINDOWS_ARM, ".cp313t-win_arm64.pyd"),
    (Target::PY314T, WINDOWS_ARM, ".cp314t-win_arm64.pyd"),
    (Target::PY315T, WINDOWS_ARM, ".cp315t-win_arm64.pyd"),
];

#[test]
fn the_own_tag_is_taken_and_every_other_one_ignored() {
    for (target, platform, own) in TAGGED {
        for (_, _, suffix) in TAGGED {
            let member = format!("pkg/spam{suffix}");
            if suffix == own {
                assert_taken(&member, target, platform, "pkg.spam", Tagged);
            } else {
                assert_ignored(&member, target, platform);
            }
        }
    }
}

#[test]
fn tags_of_builds_with_a_gil_are_ignored() {
    for (target, platform, own) in TAGGED {
        // The same suffix without its `t`.
        let with_gil = own.replacen("t-", "-", 1);
        assert_ne!(with_gil, own);
        assert_ignored(&format!("spam{with_gil}"), target, platform);
    }
}

#[test]
fn a_bare_suffix_is_taken_where_it_is_that_of_the_platform() {
    for target in Target::ALL {
        for platform in [GNU, MUSL, ARM, MACOS] {
            assert_taken("spam.so", target, platform, "spam", Bare);
            assert_ignored("spam.pyd", target, platform);
            assert_ignored("spam.dylib", target, platform);
        }
        for platform in [WINDOWS, WINDOWS_ARM] {
            assert_taken("spam.pyd", target, platform, "spam", Bare);
            assert_ignored("spam.so", target, platform);
            assert_ignored("spam.dll", target, platform);
        }
    }
}

#[test]
fn abi3_is_tried_up_to_3_14t_except_on_windows() {
    for target in [Target::PY313T, Target::PY314T] {
        for platform in [GNU, MUSL, ARM, MACOS] {
            assert_taken("pkg/_rust.abi3.so", target, platform, "pkg._rust", StableWithGil);
        }
        // Its modules are plain .pyd files there.
        assert_ignored("pkg/_rust.abi3.pyd", target, WINDOWS);
    }
    for platform in [GNU, MUSL, ARM, MACOS, WINDOWS] {
        assert_ignored("pkg/_rust.abi3.so", Target::PY315T, platform);
    }
}

#[test]
fn abi3t_is_tried_from_3_15t_on_with_and_without_a_platform() {
    for (platform, tagged) in [
        (GNU, ".abi3t-x86_64-linux-gnu.so"),
        (MUSL, ".abi3t-x86_64-linux-musl.so"),
        (ARM, ".abi3t-aarch64-linux-gnu.so"),
        (MACOS, ".abi3t-darwin.so"),
    ] {
        for suffix in [".abi3t.so", tagged] {
            let member = format!("pkg/_rust{suffix}");
            assert_taken(&member, Target::PY315T, platform, "pkg._rust", StableFreeThreaded);
            assert_ignored(&member, Target::PY313T, platform);
            assert_ignored(&member, Target::PY314T, platform);
        }
    }
    assert_ignored("pkg/_rust.abi3t-aarch64-linux-gnu.so", Target::PY315T, GNU);
    assert_ignored("pkg/_rust.abi3t.so", Target::PY315T, WINDOWS);
    assert_ignored("pkg/_rust.abi3t.pyd", Target::PY315T, WINDOWS);
}

/// Of all that are there the first is taken, whichever way they are listed.
#[track_caller]
fn assert_precedence(members: &[&str], target: Target, platform: &str) {
    for first in 0..members.len() {
        let mut remaining = members[first..].to_vec();
        for _ in 0..2 {
            let files = found(&remaining, target, platform);
            assert_eq!(files.len(), 1, "{files:?}");
            assert_eq!(files[0].member, members[first]);
            remaining.reverse();
        }
    }
}

#[test]
fn of_several_files_for_a_name_the_first_suffix_wins() {
    assert_precedence(
        &["a/b.cpython-314t-x86_64-linux-gnu.so", "a/b.abi3.so", "a/b.so"],
        Target::PY314T,
        GNU,
    );
    assert_precedence(
        &[
            "a/b.cpython-315t-x86_64-linux-gnu.so",
            "a/b.abi3t-x86_64-linux-gnu.so",
            "a/b.abi3t.so",
            "a/b.so",
        ],
        Target::PY315T,
        GNU,
    );
    assert_precedence(&["a/b.cp314t-win_amd64.pyd", "a/b.pyd"], Target::PY314T, WINDOWS);
}

#[test]
fn precedence_is_only_between_files_of_one_name() {
    let members = ["a/b.so", "a/c.cpython-314t-x86_64-linux-gnu.so", "b.abi3.so", "a/b.py"];
    let files = found(&members, Target::PY314T, GNU);
    let modules: Vec<_> = files.iter().map(|file| (file.module.as_str(), file.suffix)).collect();
    assert_eq!(modules, [("a.b", Bare), ("a.c", Tagged), ("b", StableWithGil)]);
}

#[test]
fn folders_of_the_wheel_format_are_not_part_of_the_name() {
    let target = Target::PY314T;
    let file = "pkg/spam.cpython-314t-x86_64-linux-gnu.so";
    for scheme in ["platlib", "purelib"] {
        let member = format!("NAME-1.0.data/{scheme}/{file}");
        assert_taken(&member, target, GNU, "pkg.spam", Tagged);
    }
    // Installed somewhere that is not searched for modules.
    for scheme in ["data", "scripts", "headers", "data/platlib"] {
        assert_ignored(&format!("NAME-1.0.data/{scheme}/{file}"), target, GNU);
    }
    assert_ignored(&format!("NAME-1.0.dist-info/platlib/{file}"), target, GNU);
    assert_ignored("NAME-1.0.data/platlib/.so", target, GNU);
    // Such a folder counts only at the top.
    assert_ignored(&format!("pkg/NAME-1.0.data/platlib/{file}"), target, GNU);
}

#[test]
fn a_file_under_platlib_is_the_same_module_as_one_at_the_top() {
    let members = [
        "NAME-1.0.data/platlib/spam.so",
        "NAME-1.0.data/purelib/spam.abi3.so",
        "spam.cpython-314t-x86_64-linux-gnu.so",
    ];
    let files = found(&members, Target::PY314T, GNU);
    assert_eq!(files.len(), 1);
    assert_eq!((files[0].member.as_str(), files[0].suffix), (members[2], Tagged));
}

#[test]
fn bundled_libraries_are_never_modules() {
    for member in [
        "numpy.libs/libx.so",
        "numpy.libs/libscipy_openblas64_-ff651d7f.so",
        "pkg/.libs/libx.so",
        "pkg/lib/libfoo.so.1",
        "pkg/lib/libfoo.1.so",
        "pkg/.dylibs/libx.so",
    ] {
        for target in Target::ALL {
            assert_ignored(member, target, GNU);
            assert_ignored(member, target, MACOS);
        }
    }
    assert_ignored("numpy.libs/libx.pyd", Target::PY314T, WINDOWS);
    // Nothing but its content tells this one from a module.
    assert_taken("pkg/lib/libfoo.so", Target::PY314T, GNU, "pkg.lib.libfoo", Bare);
}

#[test]
fn a_packages_own_module_keeps_its_file_name() {
    let member = "pkg/__init__.cpython-314t-x86_64-linux-gnu.so";
    assert_taken(member, Target::PY314T, GNU, "pkg.__init__", Tagged);
    assert_eq!(hook_suffix("pkg.__init__"), "_pkg");
    assert_eq!(hook_suffix("outer.pkg.__init__"), "_pkg");
    // `import __init__` is a module like others.
    assert_taken("__init__.so", Target::PY314T, GNU, "__init__", Bare);
    assert_eq!(hook_suffix("__init__"), "___init__");
}

#[test]
fn paths_that_no_dotted_name_reaches_are_ignored() {
    for member in [
        "",
        ".so",
        "/.so",
        "pkg/.so",
        "pkg/.cpython-314t-x86_64-linux-gnu.so",
        "/spam.so",
        "pkg//spam.so",
        "../spam.so",
        "./spam.so",
        "pkg.old/spam.so",
        "spam.v2.so",
        "spam.so/",
        "spam.so.bak",
        "spamso",
    ] {
        assert_ignored(member, Target::PY314T, GNU);
    }
}

#[test]
fn hooks_are_named_by_the_last_component() {
    assert_eq!(hook_suffix("spam"), "_spam");
    assert_eq!(hook_suffix("a.b._spam"), "__spam");
}

#[test]
fn hooks_of_other_scripts_are_in_punycode() {
    // `NAME.encode('punycode').replace(b'-', b'_')`; the first two are the examples of PEP 489.
    for (name, expected) in [
        ("lančmít", "U_lanmt_2sa6t"),
        ("スパム", "U_zck5b2b"),
        ("módulo", "U_mdulo_0ta"),
        ("日本語", "U_wgv71a119e"),
        ("é", "U_9ca"),
        ("a-é", "U_a__cja"),
        ("ελ", "U_qxam"),
        ("x_é", "U_x__cja"),
        // Nothing is folded: a hook is found by its exact name.
        ("ÀÉ", "U_3bas"),
    ] {
        assert_eq!(hook_suffix(name), expected);
        // Only the last component counts.
        assert_eq!(hook_suffix(&format!("paquet.módulo.{name}")), expected);
        assert_eq!(hook_suffix(&format!("pkg.{name}.__init__")), expected);
    }
    assert_eq!(hook_suffix("módulo.spam"), "_spam");
}

#[test]
fn hyphens_become_underscores_in_ascii_names_too() {
    // `importlib.import_module("spam-ham")` finds spam-ham.so and calls PyInit_spam_ham:
    // `get_encoded_name` replaces them whichever way the name was encoded.
    assert_eq!(hook_suffix("pkg.spam-ham"), "_spam_ham");
}

fn any_target() -> impl Strategy<Value = Target> {
    prop::sample::select(Target::ALL.to_vec())
}

fn any_platform() -> impl Strategy<Value = Platform> {
    prop::sample::select(vec![GNU, MUSL, ARM, MACOS, WINDOWS, WINDOWS_ARM])
        .prop_map(|text| text.parse().unwrap())
}

/// Paths of few parts, so that several of them are of one module.
fn likely_path() -> impl Strategy<Value = String> {
    let folder = prop::sample::select(vec![
        "",
        "a/",
        "a/b/",
        "a.libs/",
        "x-1.data/platlib/",
        "x-1.data/",
        "é/",
        "//",
        "../",
    ]);
    let stem = prop::sample::select(vec!["a", "b", "__init__", "", ".", "módulo", "a.b"]);
    let suffix = prop::sample::select(
        TAGGED
            .iter()
            .map(|(_, _, suffix)| *suffix)
            .chain([".so", ".pyd", ".abi3.so", ".abi3t.so", ".abi3t-darwin.so", ".py", ""])
            .collect::<Vec<_>>(),
    );
    (folder, stem, suffix).prop_map(|(folder, stem, suffix)| format!("{folder}{stem}{suffix}"))
}

fn any_paths() -> impl Strategy<Value = Vec<String>> {
    let path = prop_oneof![3 => likely_path(), 1 => any::<String>(), 1 => ".*(\\.so|\\.pyd)"];
    prop::collection::vec(path, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_any_paths_some_are_modules_each_under_a_name_of_its_own(
        paths in any_paths(),
        target in any_target(),
        platform in any_platform(),
    ) {
        let files = extension_files(paths.iter().map(String::as_str), target, platform);
        let modules: BTreeSet<_> = files.iter().map(|file| &file.module).collect();
        prop_assert_eq!(modules.len(), files.len(), "{:?}", files);
        let known = suffixes(target, platform);
        for file in &files {
            prop_assert!(paths.contains(&file.member));
            // A name that `import` could take apart, and a suffix of this interpreter's.
            prop_assert!(file.module.split('.').all(|part| !part.is_empty()), "{:?}", file);
            prop_assert!(!file.module.contains('/'), "{:?}", file);
            prop_assert!(
                known.iter().any(|(text, kind)| {
                    *kind == file.suffix && file.member.ends_with(text.as_str())
                }),
                "{:?}", file
            );
        }

        // What is found does not depend on the order in which the archive lists it.
        let reversed = extension_files(paths.iter().rev().map(String::as_str), target, platform);
        prop_assert_eq!(files, reversed);
    }

    #[test]
    fn hooks_of_any_module_are_in_ascii(module in any::<String>()) {
        let suffix = hook_suffix(&module);
        prop_assert!(suffix.is_ascii(), "{}", suffix);
        prop_assert!(suffix.starts_with('_') || suffix.starts_with("U_"), "{}", suffix);
    }
}
