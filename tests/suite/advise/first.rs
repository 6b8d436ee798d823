//! The first newer release that keeps the GIL off, and how far was looked for it.

use super::{advice, advise, looked_at, releases, report, report_on, stdout, steps};
use crate::support::Sandbox;
use crate::support::index::{FakeIndex, Fault, IndexFile};
use crate::support::wheel::WheelBuilder;

#[test]
fn the_first_of_several_is_found_and_the_one_before_it_was_looked_at() {
    let index = releases(
        "tool 1.0 bad
         tool 1.1 bad
         tool 1.2 older
         tool 1.3 bad
         tool 2.0 fine
         tool 2.1 fine
         tool 2.2 fine",
    )
    .start();
    let report = report_on("tool<=1.0\n", &index, 1);
    let advice = advice(&report, "tool");
    assert_eq!((&advice["version"], &advice["verdict"]), (&"1.0".into(), &"enables-gil".into()));
    assert_eq!(advice["first"]["version"], "2.0");
    assert_eq!(advice["certain"], true);
    assert!(looked_at(advice).contains(&"1.3 enables-gil".to_owned()), "{advice:#}");
    assert_eq!(advice["search"]["newer"], 6);
    assert_eq!(advice["search"]["without_wheel"], 1);
    assert_eq!(advice["bounds"], serde_json::Value::Null);
}

#[test]
fn a_release_before_the_first_without_a_wheel_is_told_by_its_tags() {
    let index = releases("tool 1.0 bad\ntool 1.5 source\ntool 2.0 fine").start();
    let report = report_on("tool==1.0\n", &index, 1);
    assert_eq!(looked_at(advice(&report, "tool")), ["1.5 no-wheel", "2.0 keeps-gil-off"]);
}

#[test]
fn a_release_that_lost_support_again_is_not_asked_for() {
    let index = releases("tool 1.0 bad\ntool 1.1 fine\ntool 1.2 bad").start();
    let report = report_on("tool==1.0\n", &index, 1);
    let advice = advice(&report, "tool");
    assert_eq!(advice["first"]["version"], "1.1");
    assert_eq!(
        steps(advice)[0],
        "requirements.txt:1:1 asks for tool==1.0: requirements.txt:1 becomes `tool==1.1` \
         $ python -m pip install --upgrade -r requirements.txt"
    );
    assert_eq!(advice["bounds"], "a newer release than the first enables the GIL again");
}

#[test]
fn a_newest_release_that_would_be_built_is_not_asked_for() {
    let index = releases("tool 1.0 bad\ntool 1.1 fine\ntool 1.2 source").start();
    let report = report_on("tool==1.0\n", &index, 1);
    assert!(steps(advice(&report, "tool"))[0].contains("`tool==1.1`"), "{report:#}");
}

#[test]
fn a_pure_release_is_taken_by_its_tags_alone() {
    let index = releases("tool 1.0 source\ntool 1.1 pure").start();
    let report = report_on("tool==1.0\n", &index, 1);
    let advice = advice(&report, "tool");
    assert_eq!(advice["verdict"], "no-wheel");
    assert_eq!(advice["first"]["verdict"], "pure-python");
    assert_eq!(advice["search"]["opened"], 0);
    let wheel = |path: &str| path.starts_with("/files/tool-1.1") && path.ends_with(".whl");
    assert!(!index.requests().iter().any(|request| wheel(&request.path)));
}

#[test]
fn where_no_newer_release_does_that_is_told_and_what_is_left() {
    let index = releases("tool 1.0 bad\ntool 1.1 bad\ntool 1.2 older").start();
    let report = report_on("tool==1.0\n", &index, 1);
    let one = advice(&report, "tool");
    assert_eq!(one["first"], serde_json::Value::Null);
    assert_eq!(one["certain"], true);
    let steps = steps(one);
    assert!(steps.last().unwrap().contains("makes the module no safer"), "{steps:?}");
    assert!(report["together"].as_array().unwrap().is_empty());
    let report = report_on("tool==1.2\n", &index, 1);
    assert_eq!(advice(&report, "tool")["bounds"], "there is no newer release");
    let report = report_on("tool==1.1\n", &index, 1);
    let bounds = &advice(&report, "tool")["bounds"];
    assert_eq!(bounds, "none of the 1 newer releases has a wheel for it, by their tags");
}

#[test]
fn prereleases_withdrawn_ones_and_those_for_other_pythons_are_left_out() {
    let withdrawn = IndexFile::from(super::wheel("tool", "1.1", "declares").build());
    let excluded = IndexFile::from(super::wheel("tool", "1.2", "declares").build());
    let index = releases("tool 1.0 bad\ntool 2.0rc1 fine\ntool 3.0 fine")
        .file(withdrawn.yanked(Some("broken")))
        .file(excluded.requires_python(">=3.15"))
        .start();
    let report = report_on("tool==1.0\n", &index, 1);
    assert_eq!(advice(&report, "tool")["first"]["version"], "3.0");
    assert_eq!(advice(&report, "tool")["search"]["newer"], 1);
    let report = report_on("tool>=1.0a1,<2\n", &index, 1);
    assert_eq!(advice(&report, "tool")["first"]["version"], "2.0rc1");
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool==1.0\n");
    let outcome = advise(&sandbox, &index, &["--prerelease", "allow", "--format", "json"]).code(1);
    assert!(stdout(&outcome).contains("2.0rc1"));
}

#[test]
fn a_wheel_without_compiled_code_of_the_same_release_is_pointed_out() {
    let index = releases("tool 1.0 bad")
        .file(WheelBuilder::new("tool", "1.0").tag("py3-none-any").build())
        .start();
    let report = report_on("tool==1.0\n", &index, 1);
    let url = index.file_url("tool-1.0-py3-none-any.whl");
    let step = &steps(advice(&report, "tool"))[0];
    assert!(step.starts_with("tool-1.0-py3-none-any.whl is a wheel of tool 1.0"), "{step}");
    assert!(step.ends_with(&format!("$ python -m pip install 'tool @ {url}'")), "{step}");
}

#[test]
fn a_network_that_fails_midway_is_told_and_no_success() {
    let index = releases(
        "tool 1.0 bad\ntool 1.1 bad\ntool 1.2 bad\ntool 1.3 fine\ntool 1.4 fine\ntool 1.5 fine",
    )
    .fault("/files/tool-1.2", Fault::Status(403, usize::MAX))
    .fault("/files/tool-1.3", Fault::Status(403, usize::MAX))
    .start();
    let report = report_on("tool==1.0\n", &index, 3);
    let advice = advice(&report, "tool");
    assert_eq!(advice["first"]["version"], "1.4");
    assert_eq!(advice["certain"], false);
    let failure = advice["search"]["failure"].as_str().unwrap();
    assert!(failure.starts_with("1.2, 1.3 could not be looked at: "), "{failure}");
    assert!(advice["bounds"].as_str().unwrap().contains("1.2, 1.3 could not be looked at"));
}

#[test]
fn a_search_is_broken_off_where_the_index_answers_no_more() {
    let text: String = (0..20).map(|minor| format!("tool 1.{minor} bad\n")).collect();
    let index = releases(&text).start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool==1.0\n");
    for minor in 1..20 {
        index.add_fault(&format!("/files/tool-1.{minor}-"), Fault::Status(403, usize::MAX));
    }
    let report = report(&sandbox, &index, 3);
    let failure = advice(&report, "tool")["search"]["failure"].as_str().unwrap();
    assert!(failure.contains("and the search was broken off"), "{failure}");
    assert_eq!(advice(&report, "tool")["search"]["opened"], 3);
}

#[test]
fn offline_only_what_is_in_the_cache_is_looked_at() {
    let index = releases("tool 1.0 bad\ntool 2.0 fine").start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool==1.0\n");
    // What a scan needs, and no more.
    sandbox
        .command()
        .args(["scan", "--platform", super::PLATFORM, "--index-url", &index.simple_url()])
        .assert()
        .code(1);
    let outcome = advise(&sandbox, &index, &["--offline", "--format", "json"]).code(3);
    let report: serde_json::Value = serde_json::from_str(&stdout(&outcome)).unwrap();
    assert_eq!(advice(&report, "tool")["first"], serde_json::Value::Null);
    assert!(advice(&report, "tool")["search"]["failure"].is_string());
    advise(&sandbox, &index, &[]).code(1);
    advise(&sandbox, &index, &["--offline"]).code(1);
}

#[test]
fn several_places_have_answers_of_their_own() {
    let windows = |version: &str, module: &str| {
        WheelBuilder::new("tool", version).tag("cp314-cp314t-win_amd64").file(
            &format!("{module}.cp314t-win_amd64.pyd"),
            crate::support::fixture_module("x86_64-windows-gnu", module),
        )
    };
    let index = releases("tool 1.0 bad\ntool 1.1 fine\ntool 1.2 fine")
        .file(windows("1.0", "declares_used").build())
        .file(windows("1.1", "declares_used").build())
        .file(windows("1.2", "declares").build())
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool==1.0\n");
    let places = ["--platform", "x86_64-manylinux_2_28", "--platform", "x86_64-windows"];
    let outcome = advise(&sandbox, &index, &[&places[..], &["--format", "json"]].concat()).code(1);
    let report: serde_json::Value = serde_json::from_str(&stdout(&outcome)).unwrap();
    let firsts: Vec<_> = report["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["platform"].as_str().unwrap(), one["first"]["version"].as_str().unwrap()))
        .collect();
    assert_eq!(firsts, [("x86_64-manylinux_2_28", "1.1"), ("x86_64-windows", "1.2")]);
    assert_eq!(report["together"].as_array().unwrap().len(), 2);
    insta::assert_snapshot!(stdout(&advise(&sandbox, &index, &places).code(1)));
}

#[test]
fn nothing_in_the_way_is_a_success() {
    let index = releases("tool 1.0 fine").start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool==1.0\n");
    assert_eq!(stdout(&advise(&sandbox, &index, &[]).code(0)), "nothing to advise on\n");
    // What was not checked is none.
    let index = FakeIndex::builder().start();
    let outcome = advise(&sandbox, &index, &[]).code(3);
    assert!(stdout(&outcome).contains("not checked: tool"), "{}", stdout(&outcome));
}

#[test]
fn the_table_tells_all_of_it() {
    let index = releases(
        "tool 1.0 bad
         tool 1.1 fine
         other 1.0 source
         lib 1.0 bad
         lib 1.5 fine",
    )
    .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool==1.0\nother\nlib<1.5\n");
    let text = stdout(&advise(&sandbox, &index, &["-v"]).code(1));
    insta::assert_snapshot!(text.replace(index.base_url(), "https://index.example"));
}
