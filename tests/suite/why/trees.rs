//! What leads to a package.

use insta::assert_snapshot;

use super::{index, packages, report, run, stderr, stdout};
use crate::support::Sandbox;

const WORLD: &str = "
    app 1.0 | web>=1 & log
    web 2.0 | core[fast] & log
    core 1.0 | log; extra == 'slow' & speed; extra == 'fast'
    speed 3.0 | log
    log 1.0
    tool 1.0 | speed";

#[test]
fn the_ways_to_a_package_are_drawn() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "app\n# more\ntool>=1\n");
    let index = index(WORLD);
    assert_snapshot!(stdout(&run(&sandbox, &index, &["why", "speed"]).code(0)), @r#"
    app 1.0 (requirements.txt:1:1)
    └── web 2.0
        └── core 1.0
            └── speed 3.0
    tool 1.0 (requirements.txt:3:1)
    └── speed 3.0
    "#);
    assert_snapshot!(stdout(&run(&sandbox, &index, &["why", "log"]).code(0)), @r#"
    app 1.0 (requirements.txt:1:1)
    ├── log 1.0
    └── web 2.0
        ├── core 1.0
        │   └── speed 3.0
        │       └── log 1.0
        └── log 1.0
    tool 1.0 (requirements.txt:3:1)
    └── speed 3.0 (*)
    "#);
    assert_snapshot!(stdout(&run(&sandbox, &index, &["why", "App"]).code(0)), @"app 1.0 (requirements.txt:1:1)");
}

#[test]
fn a_package_that_is_not_there_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool; sys_platform == 'win32'\nlog");
    let index = index(WORLD);
    let outcome = run(&sandbox, &index, &["why", "tool"]).code(1);
    assert_eq!(stdout(&outcome), "tool is not installed for 3.14t on x86_64-manylinux_2_28\n");
    let outcome = run(&sandbox, &index, &["why", "not a name"]).code(2);
    assert_eq!(stdout(&outcome), "");
    assert_snapshot!(stderr(&outcome), @"error: expected the name of a package, found `not a name`");
    let both = ["why", "tool", "--platform", "linux", "--platform", "windows"];
    assert_snapshot!(stdout(&run(&sandbox, &index, &both).code(0)), @r#"
    3.14t on x86_64-manylinux_2_28
    tool is not installed for 3.14t on x86_64-manylinux_2_28
    3.14t on x86_64-windows
    tool 1.0 (requirements.txt:1:1)
    "#);
}

#[test]
fn packages_that_require_each_other_come_to_an_end() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "a");
    let index = index("a 1 | b\nb 1 | a & c\nc 1 | b");
    assert_snapshot!(stdout(&run(&sandbox, &index, &["why", "c"]).code(0)), @r#"
    a 1 (requirements.txt:1:1)
    └── b 1
        ├── a 1 (requirements.txt:1:1) (*)
        └── c 1
            └── b 1 (*)
    "#);
}

#[test]
fn what_leads_to_a_package_is_in_the_report() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "app\ntool");
    let report = report(&sandbox, &index(WORLD), &["scan"]);
    let speed = report["packages"].as_array().unwrap().iter().find(|one| one["name"] == "speed");
    assert_snapshot!(serde_json::to_string(&speed.unwrap()["via"]).unwrap(), @r#"[{"location":{"column":1,"line":2,"path":"requirements.txt"},"name":"tool","version":"1.0"},{"location":null,"name":"speed","version":"3.0"}]"#);
    assert_snapshot!(serde_json::to_string(&speed.unwrap()["requires"]).unwrap(), @r#"["log"]"#);
    assert_snapshot!(serde_json::to_string(&speed.unwrap()["required_by"]).unwrap(), @r#"{"column":1,"line":2,"path":"requirements.txt"}"#);
}

#[test]
fn packages_are_checked_by_name() {
    let sandbox = Sandbox::new();
    let index = index(WORLD);
    let report = report(&sandbox, &index, &["check", "web<3", "core[slow]"]);
    assert_eq!(packages(&report), ["core 1.0", "log 1.0", "speed 3.0", "web 2.0"]);
    let outcome = run(&sandbox, &index, &["check", "web>7"]).code(3);
    assert!(
        stdout(&outcome).contains("the command line:1:1 asks for web>7"),
        "{}",
        stdout(&outcome)
    );
    run(&sandbox, &index, &["check", "web>>7"]).code(2);
    run(&sandbox, &index, &["check"]).code(2);
}

#[test]
fn a_conflict_is_told_with_the_places() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "web\n-c bounds.txt\n-r more.txt\n");
    sandbox.write("bounds.txt", "log<1.5\n");
    sandbox.write("more.txt", "# see there\n  core>=1.0\n  speed!=3.0\n");
    let world = format!("{WORLD}\nspeed 2.0 | log>=2\nlog 2.0");
    let outcome = run(&sandbox, &index(&world), &["scan"]).code(3);
    assert_snapshot!(stderr(&outcome), @"looking at requirements.txt");
    assert_snapshot!(stdout(&outcome), @r"
    pure-python  core 1.0
    pure-python  log 1.0
    pure-python  speed 2.0
    pure-python  web 2.0

    warning[not-checked] not covered: no installer can install this as it is: because no release of log>=2 can be chosen (2.0 is kept out: bounds.txt:1:1 allows only log<1.5) and speed==2.0 requires log>=2, speed==2.0 is out of question; and because more.txt:3:3 asks for speed!=3.0, there is no answer
    warning[not-checked] not covered: speed requires log>=2, which no release that the constraints allow fits

    4 of 4 packages checked for 3.14t on x86_64-manylinux_2_28: 4 pure Python
    ");
}

#[test]
fn a_package_that_is_mistyped_is_told_with_the_nearest() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "tool\n");
    let index = index("tool 1.0 | fonttools\nfonttools 4.0");
    let outcome = run(&sandbox, &index, &["why", "fontools"]).code(1);
    assert_snapshot!(stderr(&outcome), @"hint: did you mean `fonttools`?");
    let outcome = run(&sandbox, &index, &["why", "numpy"]).code(1);
    assert!(!stderr(&outcome).contains("hint"), "{}", stderr(&outcome));
}
