//! What a scan says of each kind of package, and how it ends.

use insta::assert_snapshot;

use super::{
    PLATFORM, SUFFIX, TAG, package, reason, report, report_of, scan, stderr, stdout, wheel_of,
};
use crate::support::index::{FakeIndex, IndexFile, Pages, Ranges};
use crate::support::wheel::{Sdist, WheelBuilder};
use crate::support::{Sandbox, fixture_module};

/// One package of each verdict.
fn everything() -> FakeIndex {
    FakeIndex::builder()
        .file(
            wheel_of("offender", "1.0", &["declares_used", "declares", "declares_nothing"]).build(),
        )
        .file(wheel_of("fine", "2.0", &["declares"]).build())
        .file(WheelBuilder::new("pure", "3.0").file("pure.py", "").build())
        .file(WheelBuilder::new("program", "4.0").tag("py3-none-manylinux_2_17_x86_64").build())
        .file(Sdist::new("old", "5.0"))
        .file(WheelBuilder::new("old", "5.0").tag("cp314-cp314-manylinux_2_17_x86_64").build())
        .file(WheelBuilder::new("old", "5.0").tag("cp39-abi3-manylinux_2_17_x86_64").build())
        .file(wheel_of("riddle", "6.0", &["delegated", "declares"]).build())
        .start()
}

const EVERYTHING: &str = "offender\nfine\npure\nprogram\nold\nriddle\nnowhere==7.0\n\
                          windows-only; sys_platform == 'win32'\n";

#[test]
fn every_verdict_in_the_table_worst_first() {
    let (index, sandbox) = (everything(), Sandbox::new());
    sandbox.write("requirements.txt", EVERYTHING);
    let table = stdout(&scan(&sandbox, &index, &[]).code(1));
    insta::with_settings!({filters => vec![(r"127\.0\.0\.1:\d+", "INDEX")]}, {
        assert_snapshot!(table);
    });
}

#[test]
fn every_verdict_in_the_verbose_table() {
    let (index, sandbox) = (everything(), Sandbox::new());
    sandbox.write("requirements.txt", EVERYTHING);
    let table = stdout(&scan(&sandbox, &index, &["--verbose"]).code(1));
    insta::with_settings!({filters => vec![(r"127\.0\.0\.1:\d+", "INDEX")]}, {
        assert_snapshot!(table);
    });
}

#[test]
fn quiet_tells_only_what_is_not_in_order() {
    let (index, sandbox) = (everything(), Sandbox::new());
    sandbox.write("requirements.txt", EVERYTHING);
    let outcome = scan(&sandbox, &index, &["--quiet"]).code(1);
    let table = stdout(&outcome);
    for shown in ["offender", "old", "riddle", "nowhere"] {
        assert!(table.contains(shown), "{table}");
    }
    for hidden in ["fine 2.0", "pure 3.0", "program 4.0"] {
        assert!(!table.contains(hidden), "{table}");
    }
}

#[test]
fn every_verdict_in_json() {
    let (index, sandbox) = (everything(), Sandbox::new());
    sandbox.write("requirements.txt", EVERYTHING);
    let outcome = scan(&sandbox, &index, &["--format", "json"]).code(1);
    insta::with_settings!({filters => vec![
        (r"127\.0\.0\.1:\d+", "INDEX"),
        (r"[0-9a-f]{64}", "SHA256"),
        (r#""size": \d+"#, r#""size": SIZE"#),
        (r#""version": "\d+\.\d+\.\d+""#, r#""version": "VERSION""#),
    ]}, {
        assert_snapshot!(stdout(&outcome));
    });
}

#[test]
fn colours_only_where_asked_for_or_on_a_terminal() {
    let (index, sandbox) = (everything(), Sandbox::new());
    sandbox.write("requirements.txt", EVERYTHING);
    assert!(!stdout(&scan(&sandbox, &index, &[]).code(1)).contains('\u{1b}'));
    assert!(stdout(&scan(&sandbox, &index, &["--color", "always"]).code(1)).contains('\u{1b}'));
    let file = sandbox.path().join("report.txt");
    let file_name = file.to_string_lossy().into_owned();
    scan(&sandbox, &index, &["--output", &file_name]).code(1);
    assert!(!std::fs::read_to_string(file).unwrap().contains('\u{1b}'));
}

#[test]
fn a_scan_that_finds_nothing_ends_with_0() {
    let report = report_of("fine\npure\n", 0, |index| {
        index
            .file(wheel_of("fine", "2.0", &["declares"]).build())
            .file(WheelBuilder::new("pure", "3.0").file("pure.py", "").build())
    });
    assert_eq!(report["summary"]["checked"], 2);
    assert_eq!(package(&report, "fine")["verdict"], "keeps-gil-off");
    assert_eq!(package(&report, "pure")["verdict"], "pure-python");
    assert_eq!(package(&report, "pure")["reason"], serde_json::Value::Null);
}

#[test]
fn one_module_that_enables_the_gil_outweighs_all_that_keep_it_off() {
    let report = report_of("mixed", 1, |index| {
        index.file(wheel_of("mixed", "1.0", &["declares", "declares_used", "spins"]).build())
    });
    assert_eq!(package(&report, "mixed")["verdict"], "enables-gil");
}

#[test]
fn one_undetermined_module_is_enough_not_to_say_that_the_gil_stays_off() {
    let report = report_of("riddle", 3, |index| {
        index.file(wheel_of("riddle", "1.0", &["declares", "spins"]).build())
    });
    assert_eq!(package(&report, "riddle")["verdict"], "undetermined");
}

#[test]
fn a_release_without_a_wheel_for_the_target_is_a_finding() {
    let report = report_of("old", 1, |index| {
        index
            .file(WheelBuilder::new("old", "1.0").tag("cp314-cp314-manylinux_2_17_x86_64").build())
            .file(Sdist::new("old", "1.0"))
    });
    assert_eq!(package(&report, "old")["verdict"], "no-wheel");
    assert_eq!(
        reason(&report, "old"),
        "none of its wheels is for 3.14t; would be built from source"
    );
}

#[test]
fn an_abi3_wheel_is_never_taken_for_a_free_threaded_interpreter() {
    let report = report_of("stable", 1, |index| {
        index.file(
            WheelBuilder::new("stable", "1.0")
                .tag("cp39-abi3-manylinux_2_17_x86_64")
                .file("stable.abi3.so", fixture_module("x86_64-linux-gnu", "abi3_layout"))
                .build(),
        )
    });
    assert_eq!(package(&report, "stable")["verdict"], "no-wheel");
}

#[test]
fn an_abi3_module_inside_a_wheel_that_is_taken_does_not_count_as_keeping_the_gil_off() {
    let report = report_of("stable", 3, |index| {
        index.file(
            WheelBuilder::new("stable", "1.0")
                .tag(TAG)
                .file("declares.abi3.so", fixture_module("x86_64-linux-gnu", "abi3_layout"))
                .build(),
        )
    });
    assert_eq!(package(&report, "stable")["verdict"], "undetermined");
}

#[test]
fn a_library_beside_the_modules_is_not_called_a_module() {
    let report = report_of("bundle", 0, |index| {
        index.file(
            wheel_of("bundle", "1.0", &["declares"])
                .file("bundle.libs/libfoo.so", fixture_module("x86_64-linux-gnu", "library"))
                .file("bundle/library.so", fixture_module("x86_64-linux-gnu", "library"))
                .build(),
        )
    });
    let modules = package(&report, "bundle")["modules"].as_array().unwrap();
    assert_eq!(modules.len(), 1);
    assert_eq!(modules[0]["module"], "declares");
}

#[test]
fn a_withdrawn_release_is_only_taken_where_pinned() {
    let files = |index: crate::support::index::FakeIndexBuilder| {
        index.file(wheel_of("fickle", "1.0", &["declares"]).build()).file(
            IndexFile::from(wheel_of("fickle", "2.0", &["declares_used"]).build())
                .yanked(Some("broken")),
        )
    };
    let report = report_of("fickle>=1.0", 0, files);
    assert_eq!(package(&report, "fickle")["version"], "1.0");
    let report = report_of("fickle==2.0", 1, files);
    assert_eq!(package(&report, "fickle")["version"], "2.0");
}

#[test]
fn a_release_for_other_pythons_is_passed_over() {
    let report = report_of("picky", 0, |index| {
        index.file(wheel_of("picky", "1.0", &["declares"]).build()).file(
            IndexFile::from(wheel_of("picky", "2.0", &["declares_used"]).build())
                .requires_python("<3.14"),
        )
    });
    assert_eq!(package(&report, "picky")["version"], "1.0");
}

#[test]
fn a_range_without_a_release_that_fits_is_not_checked() {
    let report =
        report_of("fine>=9", 3, |index| index.file(wheel_of("fine", "2.0", &["declares"]).build()));
    assert_eq!(package(&report, "fine")["verdict"], "unchecked");
    assert_eq!(reason(&report, "fine"), "no release fits `>=9`");
}

#[test]
fn two_lines_for_one_package_both_count() {
    let report = report_of("fine>=1\nfine<3\n", 0, |index| {
        index
            .file(wheel_of("fine", "2.0", &["declares"]).build())
            .file(wheel_of("fine", "3.0", &["declares_used"]).build())
    });
    assert_eq!(report["summary"]["packages"], 1);
    assert_eq!(package(&report, "fine")["version"], "2.0");
}

#[test]
fn requirements_that_do_not_apply_are_listed_and_leave_nothing_checked() {
    let report = report_of("pywin32; sys_platform == 'win32'\n", 3, |index| index);
    assert_eq!(report["packages"].as_array().unwrap().len(), 0);
    assert_eq!(report["skipped"][0]["name"], "pywin32");
}

#[test]
fn html_and_json_indexes_with_and_without_ranges_lead_to_the_same_report() {
    let mut reports = Vec::new();
    for pages in [Pages::Html, Pages::Json] {
        for ranges in [Ranges::Supported, Ranges::Ignored, Ranges::NoSuffix] {
            for relative in [false, true] {
                let index = FakeIndex::builder()
                    .pages(pages)
                    .ranges(ranges)
                    .relative_urls(relative)
                    .file(super::large_wheel("offender", "1.0", &["declares_used", "declares"]))
                    .start();
                let sandbox = Sandbox::new();
                sandbox.write("requirements.txt", "offender\n");
                let mut report = report(&sandbox, &index, 1);
                // The digest is only known to be right where the whole file was fetched.
                let verified = report["packages"][0]["wheel"]["sha256_verified"].take();
                assert_eq!(verified, matches!(ranges, Ranges::Ignored), "{pages:?} {ranges:?}");
                reports.push(report);
            }
        }
    }
    assert!(reports.windows(2).all(|pair| pair[0] == pair[1]), "{reports:#?}");
}

#[test]
fn the_platform_decides_which_wheel_is_taken() {
    let index = FakeIndex::builder()
        .file(wheel_of("fine", "1.0", &["declares"]).build())
        .file(
            WheelBuilder::new("fine", "1.0")
                .tag("cp314-cp314t-musllinux_1_2_x86_64")
                .file(
                    "declares_used.cpython-314t-x86_64-linux-musl.so",
                    fixture_module("x86_64-linux-gnu", "declares_used"),
                )
                .build(),
        )
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "fine\n");
    let run = |platform: &str, code: i32| {
        sandbox
            .command()
            .args(["scan", "--index-url", &index.simple_url(), "--platform", platform])
            .assert()
            .code(code);
    };
    run(PLATFORM, 0);
    run("x86_64-musllinux_1_2", 1);
    run("x86_64-manylinux_2_5", 1);
    run("windows", 1);
}

#[test]
fn a_module_for_another_interpreter_in_the_wheel_is_not_looked_at() {
    let report = report_of("twin", 0, |index| {
        index.file(
            WheelBuilder::new("twin", "1.0")
                .tag(TAG)
                .file(
                    &format!("twin/declares.{SUFFIX}"),
                    fixture_module("x86_64-linux-gnu", "declares"),
                )
                .file(
                    "twin/declares.cpython-314-x86_64-linux-gnu.so",
                    fixture_module("x86_64-linux-gnu", "declares_used"),
                )
                .build(),
        )
    });
    let modules = package(&report, "twin")["modules"].as_array().unwrap();
    assert_eq!(modules.len(), 1);
    assert_eq!(modules[0]["module"], "twin.declares");
}

/// A library that needs `library.so`, whatever it is called.
fn needs_a_library() -> Vec<u8> {
    fixture_module("x86_64-linux-gnu", "patched_in_init")
}

#[test]
fn a_library_that_needs_another_one_is_not_called_a_module() {
    let report = report_of("bundle", 0, |index| {
        index.file(
            wheel_of("bundle", "1.0", &["declares"])
                .file("bundle/libfoo.so", needs_a_library())
                .file("bundle.libs/library.so", fixture_module("x86_64-linux-gnu", "library"))
                .build(),
        )
    });
    assert_eq!(package(&report, "bundle")["modules"].as_array().unwrap().len(), 1);
}

#[test]
fn a_module_whose_hook_lies_in_a_library_it_needs_is_not_passed_over() {
    // The interpreter looks for PyInit_declares with dlsym, which finds it in `library.so`.
    let wheel = WheelBuilder::new("stub", "1.0")
        .tag(TAG)
        .file("stub/declares.so", needs_a_library())
        .file("stub.libs/library.so", fixture_module("x86_64-linux-gnu", "declares_used"))
        .build();
    let report = report_of("stub", 0, |index| index.file(wheel));
    assert_eq!(package(&report, "stub")["verdict"], "no-extension-modules");

    let wheel = WheelBuilder::new("stub", "1.0")
        .tag(TAG)
        .file("stub/declares.so", needs_a_library())
        .file("stub.libs/library.so", fixture_module("x86_64-linux-gnu", "declares"))
        .build();
    let report = report_of("stub", 0, |index| index.file(wheel));
    let module = &package(&report, "stub")["modules"][0];
    assert_eq!((&module["module"], &module["gil"]), (&"stub.declares".into(), &"keeps-off".into()));
    assert_eq!(module["evidence"]["library"], "stub.libs/library.so");
}

#[test]
fn only_files_with_a_required_hash_are_taken() {
    let wheel = wheel_of("fine", "1.0", &["declares"]).build();
    let source = Sdist::new("fine", "1.0");
    let files = |index: crate::support::index::FakeIndexBuilder| {
        index.file(wheel.clone()).file(source.clone())
    };
    let line = |hash: &str| format!("fine==1.0 --hash=sha256:{hash}\n");
    report_of(&line(&wheel.sha256), 0, files);
    // As pip: the wheel is not what was asked for, so the source is built.
    let report = report_of(&line(&source.sha256), 1, files);
    assert_eq!(package(&report, "fine")["verdict"], "no-wheel");
    let report = report_of(&line(&"0".repeat(64)), 3, files);
    assert_eq!(reason(&report, "fine"), "no file of it has one of the required hashes");
}

#[test]
fn a_wheel_url_that_leads_nowhere_is_not_taken_for_pure_python() {
    let index = FakeIndex::builder().start();
    let url = index.file_url("ghost-1.0-py3-none-any.whl");
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", format!("ghost @ {url}\n"));
    let report = report(&sandbox, &index, 3);
    assert_eq!(package(&report, "ghost")["verdict"], "unchecked");
}

#[test]
fn lines_that_contradict_each_other_are_told_with_their_places() {
    let index = FakeIndex::builder()
        .file(wheel_of("fine", "1.0", &["declares"]).build())
        .file(wheel_of("fine", "2.0", &["declares"]).build())
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "fine==1.0\nfine==2.0\n");
    let outcome = scan(&sandbox, &index, &[]).code(2);
    let message = stderr(&outcome);
    assert!(message.contains("requirements.txt:1:1 asks for fine==1.0"), "{message}");
    assert!(message.contains("requirements.txt:2:1 asks for fine==2.0"), "{message}");
}

#[test]
fn a_wheel_for_the_interpreter_but_another_platform_is_told_as_that() {
    let report = report_of("tool", 1, |index| {
        index.file(WheelBuilder::new("tool", "1.0").tag("py3-none-macosx_11_0_arm64").build())
    });
    assert_eq!(
        reason(&report, "tool"),
        "its wheels for 3.14t are for other platforms; nothing to build either"
    );
}

#[test]
fn a_library_of_the_wheel_that_decides_is_fetched_and_followed() {
    // The hook declares what `library.so` says, which is that it may run without the GIL.
    let wheel = wheel_of("patched", "1.0", &["patched_in_init"])
        .file("patched.libs/library.so", fixture_module("x86_64-linux-gnu", "library"));
    let report = report_of("patched", 0, |index| index.file(wheel.build()));
    assert_eq!(package(&report, "patched")["modules"][0]["gil"], "keeps-off");
    let wheel = wheel_of("patched", "1.0", &["patched_in_init"]);
    let report = report_of("patched", 3, |index| index.file(wheel.build()));
    assert_eq!(package(&report, "patched")["modules"][0]["gil"], "undetermined");
}

#[test]
fn a_reason_that_several_modules_share_is_told_once() {
    let wheel = wheel_of("exotic", "1.0", &[])
        .file(&format!("declares.{SUFFIX}"), fixture_module("aarch64-linux-gnu", "declares"))
        .file(
            &format!("declares_used.{SUFFIX}"),
            fixture_module("aarch64-linux-gnu", "declares_used"),
        );
    let index = FakeIndex::builder().file(wheel.build()).start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "exotic\n");
    let table = stdout(&scan(&sandbox, &index, &[]).code(3));
    let line = "undetermined  exotic 1.0  declares, declares_used: it is an elf library for \
                aarch64, which an interpreter on x86_64-manylinux_2_28 cannot load";
    assert!(table.contains(line), "{table}");
}
