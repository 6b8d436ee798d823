//! The data that the program comes with, and look-ups in it.

use std::collections::BTreeSet;
use std::path::Path;

use ftcheck::tracker::{Names, Tracker};
use pep440_rs::Version;
use pep508_rs::PackageName;
use url::Url;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_data_is_what_the_program_reads_and_writes() {
    let text = file("tracker.json");
    let tracker = Tracker::parse(&text).unwrap();
    assert_eq!(tracker.serialize().unwrap(), text);
    assert_eq!(tracker.entries(), Tracker::built_in().entries());
    assert!(tracker.entries().len() >= 149, "{}", tracker.entries().len());
    let origin = tracker.origin();
    assert_eq!(origin.repository.as_deref(), Some("Quansight-Labs/free-threaded-compatibility"));
    assert_eq!(origin.page, "docs/tracking.md");
    assert_eq!(origin.commit.as_ref().unwrap().len(), 40);
    assert!(tracker.date() >= "2026-06-28".parse().unwrap());
}

#[test]
fn every_row_is_in_order() {
    let entries = Tracker::built_in().entries();
    let mut packages = BTreeSet::new();
    for entry in entries {
        assert!(!entry.name_unchecked, "{entry:?}");
        for name in entry.packages.iter().chain(&entry.blocked_by).chain(&entry.alternatives) {
            assert_eq!(name.parse::<PackageName>().unwrap().to_string(), *name);
        }
        for package in &entry.packages {
            assert!(packages.insert(package), "{package} has two rows");
        }
        if let Some(version) = &entry.first_version {
            assert_eq!(version.parse::<Version>().unwrap().to_string(), *version);
        }
        for address in entry.issue.iter().chain(&entry.nightly_page) {
            assert!(Url::parse(address).is_ok_and(|url| url.scheme() == "https"), "{address}");
        }
        for note in &entry.notes {
            assert!(!note.ends_with('.') && !note.contains("not understood"), "{note}");
        }
        assert!(
            !(entry.released && entry.released_elsewhere.is_some()),
            "{} is released in two ways",
            entry.project
        );
    }
    let projects: Vec<String> = entries.iter().map(|entry| entry.project.to_lowercase()).collect();
    assert!(projects.is_sorted());
    assert_eq!(projects.iter().collect::<BTreeSet<_>>().len(), projects.len());
}

#[test]
fn every_project_was_looked_up_once() {
    let names = Names::built_in().unwrap();
    let looked_up = names.projects();
    let rows: BTreeSet<&str> =
        Tracker::built_in().entries().iter().map(|entry| entry.project.as_str()).collect();
    assert_eq!(looked_up.keys().copied().collect::<BTreeSet<_>>(), rows);
    assert!(looked_up.values().all(|count| *count == 1), "{looked_up:?}");
}

#[test]
fn what_footnotes_say_is_there() {
    let entry = |name: &str| Tracker::built_in().entry(&name.parse().unwrap()).unwrap();
    assert_eq!(entry("greenlet").fully_from.unwrap().to_string(), "3.15t");
    assert!(entry("nvidia-cutlass-dsl-libs-cu13").project == "CuTe DSL");
    assert!(!entry("jupyterlab").tested);
    assert_eq!(entry("jupyterlab").blocked_by, ["jupyter-client", "msgpack"]);
    assert_eq!(entry("zstandard").alternatives, ["backports-zstd"]);
    // Its mark is misspelt on the page.
    assert!(entry("msgpack").released);
    let swig = Tracker::built_in().find("swig").unwrap();
    assert!(swig.packages.is_empty() && swig.tool && !swig.released);
}

#[test]
fn rows_are_found_by_any_spelling_and_by_the_project() {
    let tracker = Tracker::built_in();
    let project = |name: &str| tracker.find(name).map(|entry| entry.project.as_str());
    assert_eq!(project("torch"), Some("PyTorch"));
    assert_eq!(project("pytorch"), Some("PyTorch"));
    assert_eq!(project("Ruamel_Yaml.CLIB"), Some("ruamel.yaml.clib"));
    assert_eq!(project("opencv-python-headless"), Some("OpenCV"));
    assert_eq!(project("bazel (rules-python)"), Some("Bazel (rules-python)"));
    assert_eq!(project("nosuch"), None);
    assert_eq!(project(""), None);
    // The distribution of that name is another one.
    assert!(tracker.entry(&"pytorch".parse().unwrap()).is_none());
}

#[test]
fn near_names_are_told_best_first() {
    let tracker = Tracker::built_in();
    assert_eq!(tracker.near("numpi")[0], "numpy");
    assert_eq!(tracker.near("Scikit_lern")[0], "scikit-learn");
    assert!(tracker.near("zzzzzzzz").is_empty());
    assert!(tracker.near("").is_empty());
}

#[test]
fn data_that_cannot_be_right_is_an_error() {
    let data = |entries: &str| {
        let text = format!(
            r#"{{"schema":1,"date":"2026-01-02","origin":{{"page":"x"}},"entries":[{entries}]}}"#
        );
        Tracker::parse(&text).map(|_| ()).map_err(|problem| problem.to_string())
    };
    assert_eq!(data(""), Ok(()));
    for (entries, problem) in [
        (r#"{"project":"a","packages":["A_b"]}"#, "expected the normalized name"),
        (r#"{"project":"a","packages":["c","b"]}"#, "expected sorted names, found c, b"),
        (r#"{"project":"a","packages":["b"]},{"project":"c","packages":["b"]}"#, "that of a too"),
        (r#"{"project":"a","packages":[],"first_version":"x"}"#, "expected a version, found `x`"),
        (
            r#"{"project":"a","packages":[],"issue":"file:///x"}"#,
            "expected an http or https address",
        ),
        (r#"{"project":" ","packages":[]}"#, "expected the name of a project, found none"),
        (r#"{"packages":[]}"#, "missing field `project` at line 1"),
        (r#"{"project":"a","packages":[],"fully_from":"3.12t"}"#, "found `3.12t`"),
    ] {
        let told = data(entries).unwrap_err();
        assert!(told.contains(problem), "{told}");
    }
    let newer = Tracker::parse(r#"{"schema":2,"rows":7}"#).unwrap_err().to_string();
    assert_eq!(newer, "expected the tracker's data in form 1, found form 2");
}
