//! Every limit on what is read and waited for: reached, it is told by its name and costs no other
//! package its answer; raised, it lets the scan go on.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::{PLATFORM, large_wheel, member_of, package, wheel_of};
use crate::support::index::{FakeIndex, FakeIndexBuilder, Fault};
use crate::support::sdist::{SdistBuilder, noise};
use crate::support::wheel::WheelBuilder;
use crate::support::{Sandbox, fixture_module};

/// A limit, a value that is too small and one that is enough, and what is scanned.
struct Case {
    key: &'static str,
    low: &'static str,
    high: &'static str,
    index: FakeIndexBuilder,
}

fn sound() -> FakeIndexBuilder {
    // Small in every respect.
    FakeIndex::builder().file(WheelBuilder::new("sound", "1.0").file("sound.py", "").build())
}

fn with(fault: Fault) -> FakeIndexBuilder {
    sound().core_metadata(true).fault("/files/hit", fault).file(large_wheel(
        "hit",
        "1.0",
        &["declares"],
    ))
}

fn case(key: &'static str, low: &'static str, high: &'static str, index: FakeIndexBuilder) -> Case {
    Case { key, low, high, index }
}

fn cases() -> Vec<Case> {
    let small = || sound().file(wheel_of("hit", "1.0", &["declares"]).build());
    let large = || sound().file(large_wheel("hit", "1.0", &["declares"]));
    let releases = || {
        (1..9).fold(small(), |index, minor| {
            index.file(wheel_of("hit", &format!("0.{minor}"), &["declares"]).build())
        })
    };
    let many = |count: usize| {
        (0..count).fold(wheel_of("hit", "1.0", &["declares"]), |wheel, number| {
            wheel.file(&format!("hit/{number:0>100}.txt"), "")
        })
    };
    // What compresses as nothing that a compiler makes.
    let mut padded = fixture_module("x86_64-linux-gnu", "declares");
    padded.resize(17 << 20, 0);
    let bomb = wheel_of("hit", "1.0", &[]).file(&member_of("declares"), padded);
    let described = wheel_of("hit", "1.0", &["declares"])
        .metadata_line(&format!("Description: {}", "x".repeat(5000)));
    let two = || sound().file(large_wheel("hit", "1.0", &["declares", "declares_used"]));
    let chain = FakeIndex::builder()
        .file(WheelBuilder::new("sound", "1.0").requires("hit").file("sound.py", "").build())
        .file(wheel_of("hit", "1.0", &["declares"]).build());
    vec![
        case("page-size", "1500", "1 MiB", releases()),
        case("page-files", "3", "9", releases()),
        case("projects", "1", "2", chain),
        case("metadata-size", "4 KiB", "6 KiB", sound().file(described.clone().build())),
        case(
            "metadata-size",
            "4 KiB",
            "6 KiB",
            sound().core_metadata(true).file(described.build()),
        ),
        case("wheel-size", "100 KiB", "1 MiB", large()),
        case("directory-size", "4 KiB", "1 MiB", sound().file(many(1000).build())),
        case("members", "10", "5000", sound().file(many(100).build())),
        case("member-size", "1 KiB", "1 MiB", large()),
        case("ratio", "100", "10000", sound().file(bomb.build())),
        case("expanded-size", "4000", "1 MiB", two()),
        case("retries", "1", "2", with(Fault::Status(503, 0))),
        case("read-timeout", "100 ms", "30 s", with(Fault::Delay(Duration::from_millis(600)))),
        case("package-time", "300 ms", "30 s", with(Fault::Delay(Duration::from_millis(900)))),
    ]
}

/// How a scan with more arguments ends, with its report.
fn scan(index: &FakeIndex, sandbox: &Sandbox, arguments: &[String]) -> (i32, Value) {
    let mut command = sandbox.command();
    command.args(["scan", "--platform", PLATFORM, "--format", "json", "--no-cache", "--index-url"]);
    let output = command
        .arg(index.simple_url())
        .args(["--limit", "retry-delay=1ms"])
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).replace(index.base_url(), "http://index");
    let report = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("a code"), report)
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "sound\nhit\n");
    sandbox
}

/// What a report does not know, in one line.
fn told(report: &Value) -> String {
    let hit = package(report, "hit");
    let gaps = report["gaps"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let reasons = hit["reason"].as_str().into_iter().chain(gaps);
    let reasons: Vec<&str> = reasons.collect();
    format!("{}: {}", hit["verdict"].as_str().unwrap(), reasons.join("; "))
}

#[test]
fn every_limit_is_told_where_it_is_reached_and_can_be_raised() {
    let mut table = String::new();
    for Case { key, low, high, index } in cases() {
        let index = index.start();
        let flag = |value: &str| ["--limit".to_owned(), format!("{key}={value}")];
        // Two failures for each scan: more than one repetition bears.
        let fail_twice = || {
            if key == "retries" {
                index.add_fault(
                    "/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl",
                    Fault::Status(503, 2),
                );
            }
        };
        let sandbox = sandbox();
        if key == "projects" {
            // So that it is known which is asked for first.
            sandbox.write("requirements.txt", "sound\n");
        }
        fail_twice();
        let (code, report) = scan(&index, &sandbox, &flag(low));
        assert_eq!(code, 3, "{key}: {report:#}");
        assert_eq!(package(&report, "sound")["verdict"], "pure-python", "{key}: {report:#}");
        let _ = writeln!(table, "{key}: {}", told(&report));
        if key != "retries" {
            assert!(told(&report).contains(&format!("`{key}`")), "{key}: {}", told(&report));
        }
        // The flag wins over the configuration.
        sandbox.write("ftcheck.toml", format!("[limits]\n{key} = \"{low}\"\n"));
        fail_twice();
        let (code, report) = scan(&index, &sandbox, &flag(high));
        assert!(code < 2, "{key}: {report:#}");
        assert_ne!(package(&report, "hit")["verdict"], "unchecked", "{key}: {report:#}");
        // And the configuration over what there is without it.
        fail_twice();
        let (code, _) = scan(&index, &sandbox, &[]);
        assert_eq!(code, 3, "{key}");
    }
    insta::assert_snapshot!(table, @r"
    page-size: unchecked: http://index/simple/hit/: expected at most 1500 bytes, found more (limit `page-size`, which --limit or [limits] raises)
    page-files: unchecked: http://index/simple/hit/: expected at most 3 files on the page, found more (limit `page-files`, which --limit or [limits] raises)
    projects: unchecked: expected to ask for at most 1 projects, found more (limit `projects`, which --limit or [limits] raises)
    metadata-size: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected at most 4096 bytes, found more (limit `metadata-size`, which --limit or [limits] raises); what hit requires is not known: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected at most 4096 bytes, found more (limit `metadata-size`, which --limit or [limits] raises)
    metadata-size: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected at most 4096 bytes, found more (limit `metadata-size`, which --limit or [limits] raises); what hit requires is not known: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl.metadata: expected at most 4096 bytes, found more (limit `metadata-size`, which --limit or [limits] raises)
    wheel-size: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected at most 102400 bytes, found more (limit `wheel-size`, which --limit or [limits] raises); what hit requires is not known: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected at most 102400 bytes, found more (limit `wheel-size`, which --limit or [limits] raises)
    directory-size: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected a directory of at most 4096 bytes, found more (limit `directory-size`, which --limit or [limits] raises); what hit requires is not known: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected a directory of at most 4096 bytes, found more (limit `directory-size`, which --limit or [limits] raises)
    members: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected at most 10 members, found more (limit `members`, which --limit or [limits] raises); what hit requires is not known: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected at most 10 members, found more (limit `members`, which --limit or [limits] raises)
    member-size: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: `declares.cpython-314t-x86_64-linux-gnu.so`: expected at most 1024 bytes, found a claim of 2504 (limit `member-size`, which --limit or [limits] raises)
    ratio: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: `declares.cpython-314t-x86_64-linux-gnu.so`: expected at most 100 times its 18128 bytes, found a claim of 17825792 (limit `ratio`, which --limit or [limits] raises)
    expanded-size: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: `declares_used.cpython-314t-x86_64-linux-gnu.so`: expected at most 4000 bytes with it and those before it, found more (limit `expanded-size`, which --limit or [limits] raises)
    retries: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: expected it to be served, found HTTP status 503 Service Unavailable
    read-timeout: unchecked: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl: error sending request: operation timed out (limit `read-timeout`, which --limit or [limits] raises); what hit requires is not known: http://index/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl.metadata: error sending request: operation timed out (limit `read-timeout`, which --limit or [limits] raises)
    package-time: unchecked: it took more than 300ms (limit `package-time`, which --limit or [limits] raises)
    ");
}

#[test]
fn the_time_for_all_of_a_scan_ends_it_with_what_is_known() {
    // The page of the second comes too late.
    let index = sound()
        .fault("/simple/hit", Fault::Delay(Duration::from_mins(1)))
        .file(wheel_of("hit", "1.0", &["declares"]).build())
        .start();
    let limit = ["--limit".to_owned(), "total-time=500ms".to_owned()];
    let (code, report) = scan(&index, &sandbox(), &limit);
    assert_eq!(code, 3);
    let gap = report["gaps"][0].as_str().unwrap();
    assert!(
        gap.contains("what would be installed: the scan took more than 500ms (limit `total-time`"),
        "{gap}"
    );
    // Its wheel does: the other one has its answer.
    let index = sound()
        .core_metadata(true)
        .fault(
            "/files/hit-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl",
            Fault::Delay(Duration::from_mins(1)),
        )
        .file(wheel_of("hit", "1.0", &["declares"]).build())
        .start();
    let limit = ["--limit".to_owned(), "total-time=2s".to_owned()];
    let (code, report) = scan(&index, &sandbox(), &limit);
    assert_eq!(code, 3);
    assert_eq!(package(&report, "sound")["verdict"], "pure-python");
    assert_eq!(package(&report, "hit")["version"], "1.0");
    insta::assert_snapshot!(told(&report), @"unchecked: the scan took more than 2s (limit `total-time`, which --limit or [limits] raises)");
}

#[test]
fn limits_on_source_distributions_are_told() {
    let sdist = SdistBuilder::new("hit", "1.0").file("hit.c", vec![b' '; 100_000]).file("b.c", "");
    let index = sound().file(sdist.build()).start();
    let mut table = String::new();
    for (key, low) in [("source-size", "100"), ("sdist-expanded", "10 KiB"), ("members", "1")] {
        let limit = ["--limit".to_owned(), format!("{key}={low}")];
        let (_, report) = scan(&index, &sandbox(), &limit);
        let source = &package(&report, "hit")["source"];
        let reason = source["reason"].as_str().unwrap_or("-");
        let _ = writeln!(table, "{key}: {} {reason}", source["prediction"]);
    }
    insta::assert_snapshot!(table, @r#"
    source-size: "not-known" it is of 1123 bytes, and at most 100 are fetched (limit `source-size`, which --limit or [limits] raises)
    sdist-expanded: "not-known" http://index/files/hit-1.0.tar.gz: damaged source distribution: it expands to more than 10240 bytes (limit `sdist-expanded`, which --limit or [limits] raises)
    members: "not-known" http://index/files/hit-1.0.tar.gz: damaged source distribution: it holds more than 1 members (limit `members`, which --limit or [limits] raises)
    "#);
}

#[test]
fn what_a_limit_keeps_from_being_known_of_a_source_distribution_is_a_gap() {
    let sdist = SdistBuilder::new("hit", "1.0").file("hit.c", noise(20_000)).pkg_info("2.2", "");
    let index = sound().file(sdist.build()).start();
    for (value, is_told) in [("10 KiB", true), ("1 MiB", false)] {
        let (_, report) =
            scan(&index, &sandbox(), &["--limit".to_owned(), format!("sdist-size={value}")]);
        assert_eq!(told(&report).contains("`sdist-size`"), is_told, "{}", told(&report));
    }
}

#[test]
fn python_files_that_are_too_many_leave_imports_untold() {
    let wheel =
        wheel_of("hit", "1.0", &["declares_nothing"]).file("spam.py", "import declares_nothing");
    let index = sound().file(wheel.build()).start();
    for (value, expected) in [("10", Value::Null), ("1 MiB", Value::Bool(true))] {
        let limit = ["--limit".to_owned(), format!("python-size={value}")];
        let (code, report) = scan(&index, &sandbox(), &limit);
        assert_eq!(code, 1);
        let imports = package(&report, "hit")["imports"].as_array().unwrap();
        let spam = imports.iter().find(|one| one["import"] == "spam").unwrap();
        assert_eq!(spam["enables_gil"], expected, "{spam:#}");
        let reason = spam["reason"].as_str().unwrap_or_default();
        assert_eq!(reason.contains("`python-size`"), expected == Value::Null, "{reason}");
    }
}

#[test]
fn limits_that_are_none_are_told() {
    let sandbox = sandbox();
    let mut table = String::new();
    for flag in ["page-sise=1", "page-size=much", "page-size", "retries=-1", "package-time=30"] {
        let outcome = sandbox.command().args(["scan", "--limit", flag]).assert().code(2);
        let problem = super::stderr(&outcome);
        let _ = writeln!(table, "{}", problem.lines().next().unwrap_or_default());
    }
    for text in ["page-sise = 1", "page-size = \"much\"", "page-size = true", "retries = -1"] {
        sandbox.write("ftcheck.toml", format!("[limits]\n{text}\n"));
        let outcome = sandbox.command().args(["scan"]).assert().code(2);
        table.push_str(&super::stderr(&outcome));
    }
    insta::assert_snapshot!(table, @r"
    error: invalid value 'page-sise=1' for '--limit <NAME=VALUE>': expected the name of a limit, found `page-sise`; did you mean `page-size`?
    error: invalid value 'page-size=much' for '--limit <NAME=VALUE>': expected a size in bytes, or one such as `64 MiB` for `page-size`, found `much`
    error: invalid value 'page-size' for '--limit <NAME=VALUE>': expected NAME=VALUE, found `page-size`
    error: invalid value 'retries=-1' for '--limit <NAME=VALUE>': expected a whole number for `retries`, found `-1`
    error: invalid value 'package-time=30' for '--limit <NAME=VALUE>': expected a time such as `30 s` or `15 min` for `package-time`, found `30`
    error: ftcheck.toml:2:1: unknown key `page-sise`
    hint: did you mean `page-size`?
    error: ftcheck.toml:2:13: expected a size in bytes, or one such as `64 MiB` for `page-size`, found `much`
    hint: --no-config leaves the configuration out
    error: ftcheck.toml:2:13: expected a whole number or a string for `page-size`, found true or false
    hint: --no-config leaves the configuration out
    error: ftcheck.toml:2:11: expected a whole number for `retries`, found `-1`
    hint: --no-config leaves the configuration out
    ");
}

/// docs/configuration.md names all of them with their defaults.
#[test]
fn every_limit_is_documented() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let text = std::fs::read_to_string(docs).unwrap();
    for key in ftcheck::model::limits::Limits::KEYS {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for {key}"));
        let default = row.split('|').nth(2).unwrap().trim().trim_matches('`');
        let mut limits = ftcheck::model::limits::Limits::default();
        limits.set(key, default).unwrap();
        assert_eq!(limits, ftcheck::model::limits::Limits::default(), "{key}");
    }
}

/// Wheels that wait for others to be done with are worked on all the same, also those that are larger
/// than what is held at a time.
#[test]
fn what_is_held_at_a_time_changes_no_answer() {
    let names: Vec<String> = (0..12).map(|number| format!("wheel{number}")).collect();
    let modules = ["declares", "declares_nothing", "declares_used"];
    let wheel = |name: &String| large_wheel(name, "1.0", &modules);
    let index = names.iter().fold(FakeIndex::builder(), |index, name| index.file(wheel(name)));
    let index = index.start();
    let reports: Vec<Value> = ["1", "10 KiB", "64 MiB"]
        .iter()
        .map(|held| {
            let sandbox = Sandbox::new();
            sandbox.write("requirements.txt", names.join("\n"));
            let limit = ["--limit".to_owned(), format!("held-size={held}")];
            let (code, report) = scan(&index, &sandbox, &limit);
            assert_eq!(code, 1);
            report
        })
        .collect();
    assert_eq!(reports[0]["packages"].as_array().unwrap().len(), 12);
    assert!(reports.windows(2).all(|pair| pair[0] == pair[1]));
}

/// How far the user's own files lead to others: refused before anything is asked for.
#[test]
fn files_and_projects_that_lead_too_far_are_refused() {
    let index = sound().start();
    let sandbox = Sandbox::new();
    for number in 0..4 {
        let next = if number < 3 { format!("-r {}.txt\n", number + 1) } else { String::new() };
        sandbox.write(format!("{number}.txt"), format!("{next}sound\n"));
        let (name, next) = (format!("project{number}"), format!("project{}", number + 1));
        let (needs, sources) = match number {
            3 => ("sound", String::new()),
            _ => (&*next, format!("[tool.uv.sources]\n{next} = {{ path = \"../{next}\" }}\n")),
        };
        let project = format!(
            "[project]\nname = \"{name}\"\nversion = \"1\"\ndependencies = [\"{needs}\"]\n{sources}"
        );
        sandbox.write(format!("project{number}/pyproject.toml"), project);
    }
    let mut table = String::new();
    for (key, low, high, path) in [
        ("included-depth", "2", "3", "0.txt"),
        ("included-files", "2", "3", "0.txt"),
        ("project-depth", "2", "3", "project0/pyproject.toml"),
    ] {
        let scan = |value: &str| {
            let limit = format!("{key}={value}");
            let mut command = sandbox.command();
            command.args(["scan", path, "--platform", PLATFORM, "--limit", &limit]);
            command.args(["--index-url", &index.simple_url()]).assert()
        };
        table.push_str(&super::stderr(&scan(low).code(2)));
        scan(high).code(0);
    }
    insta::assert_snapshot!(table, @r"
    error: 2.txt:1:1: expected included files at most 2 deep (limit `included-depth`, which --limit or [limits] raises)
    hint: do the files include each other?
    error: 2.txt:1:1: expected at most 2 included files (limit `included-files`, which --limit or [limits] raises)
    hint: do the files include each other?
    error: project0/../project1/../project2/pyproject.toml:4:17: expected projects at most 2 deep, found more (limit `project-depth`, which --limit or [limits] raises)
    ");
}
