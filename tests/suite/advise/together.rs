//! Whether all that is advised can be installed at once.

use super::{releases, report, report_on};
use crate::support::Sandbox;

fn changes(together: &serde_json::Value) -> Vec<String> {
    let all = together["changes"].as_array().unwrap();
    all.iter()
        .map(|one| {
            format!("{} {} -> {} {}", one["name"], one["from"], one["to"], one["verdict"])
                .replace('"', "")
        })
        .collect()
}

#[test]
fn what_goes_together_is_told_with_what_changes() {
    let index = releases(
        "tool 1.0 bad
         tool 1.2 fine
         other 1.0 bad
         other 2.0 fine
         calm 1.0 pure
         calm 2.0 pure",
    )
    .start();
    let report = report_on("tool==1.0\nother<2\ncalm<2\n", &index, 1);
    let together = &report["together"][0];
    assert_eq!(together["holds"], "yes");
    assert_eq!(
        changes(together),
        ["other 1.0 -> 2.0 keeps-gil-off", "tool 1.0 -> 1.2 keeps-gil-off"]
    );
    assert_eq!(together["explanation"], serde_json::Value::Null);
}

#[test]
fn what_excludes_each_other_is_told_with_the_reason() {
    let index = releases(
        "tool 1.0 bad | helper<2
         tool 1.2 fine | helper>=2
         other 1.0 bad | helper<2
         other 2.0 fine | helper<2
         helper 1.0 pure
         helper 2.0 pure",
    )
    .start();
    let report = report_on("tool==1.0\nother==1.0\n", &index, 1);
    let together = &report["together"][0];
    assert_eq!(together["holds"], "no");
    let why = together["explanation"].as_str().unwrap();
    assert!(why.contains("helper") && !why.contains(":1:1 allows only"), "{why}");
    insta::assert_snapshot!(why);
}

#[test]
fn what_has_to_change_beside_it_is_told() {
    let index = releases(
        "tool 1.0 bad
         tool 1.2 fine
         app 1.0 pure | tool<1.1
         app 2.0 pure | tool
         calm 1.0 pure
         calm 2.0 pure",
    )
    .start();
    // Of its own accord, an installer would take the newest: only what is pinned stays old.
    let report = report_on("app<=1.0\ntool\n", &index, 1);
    let together = &report["together"][0];
    assert_eq!(together["holds"], "no");
    let report = report_on("app==1.0\ncalm==1.0\n", &index, 1);
    let together = &report["together"][0];
    assert_eq!(together["holds"], "yes");
    assert_eq!(
        together["explanation"],
        "releases that the project pins have to give way to newer ones too"
    );
    let moved = changes(together);
    assert!(moved.contains(&"app 1.0 -> 2.0 pure-python".to_owned()), "{moved:?}");
    assert!(
        moved.contains(&"tool 1.0 -> 2.0 keeps-gil-off".to_owned())
            || moved.contains(&"tool 1.0 -> 1.2 keeps-gil-off".to_owned()),
        "{moved:?}"
    );
}

#[test]
fn a_release_that_is_dragged_along_is_looked_into() {
    let index = releases(
        "tool 1.0 bad
         tool 1.2 fine | dragged>=2
         dragged 1.0 fine
         dragged 2.0 bad",
    )
    .start();
    let report = report_on("tool==1.0\ndragged\n", &index, 1);
    assert_eq!(report["together"][0]["holds"], "yes");
    let index = releases(
        "tool 1.0 bad
         tool 1.2 fine | new
         new 1.0 bad",
    )
    .start();
    let report = report_on("tool==1.0\n", &index, 1);
    assert_eq!(
        changes(&report["together"][0]),
        ["new null -> 1.0 enables-gil", "tool 1.0 -> 1.2 keeps-gil-off"]
    );
}

#[test]
fn where_what_a_release_requires_is_not_known_neither_is_the_answer() {
    let index = releases("tool 1.0 bad\ntool 1.2 fine\nbuilt 1.0 source").start();
    let report = report_on("tool==1.0\nbuilt\n", &index, 1);
    let together = &report["together"][0];
    assert_eq!(together["holds"], "not-known");
    assert!(together["explanation"].as_str().unwrap().contains("built"), "{together:#}");
}

#[test]
fn what_a_scan_could_not_cover_is_not_known_of_the_resolution_either() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \"<3.14\"\n\
         dependencies = [\"tool==1.0\"]\n",
    );
    let report = report(&sandbox, &releases("tool 1.0 bad\ntool 1.2 fine").start(), 1);
    let together = report["together"].as_array().unwrap();
    assert!(!together.is_empty());
    for together in together {
        assert_eq!(together["holds"], "not-known", "{together:#}");
        assert!(together["explanation"].as_str().unwrap().contains("excludes 3.14"));
    }
}
