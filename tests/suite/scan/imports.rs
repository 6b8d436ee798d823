//! What a scan says that imports do, and where it cannot.

use serde_json::json;

use super::{package, scan, wheel_of};
use crate::support::Sandbox;
use crate::support::index::FakeIndex;
use crate::support::wheel::WheelBuilder;

/// Of what is not looked at nobody knows whether importing it enables the GIL.
#[test]
fn without_dependencies_an_import_of_one_is_not_told() {
    let index = FakeIndex::builder()
        .core_metadata(true)
        .file(
            WheelBuilder::new("asks", "1.0")
                .requires("declares-nothing")
                .file("asks/__init__.py", "import declares_nothing\n")
                .build(),
        )
        .file(WheelBuilder::new("alone", "1.0").file("alone/__init__.py", "import sys\n").build())
        .file(wheel_of("declares-nothing", "1.0", &["declares_nothing"]).build())
        .start();
    let sandbox = Sandbox::new();
    let told = |arguments: &[&str], code: i32, name: &str| {
        sandbox.write("requirements.txt", format!("{name}\n"));
        let arguments = [&["--format", "json"], arguments].concat();
        let outcome = scan(&sandbox, &index, &arguments).code(code);
        let report: serde_json::Value =
            serde_json::from_slice(&outcome.get_output().stdout).unwrap();
        package(&report, name)["imports"][0].clone()
    };
    assert_eq!(told(&[], 1, "asks")["enables_gil"], true);
    let import = told(&["--no-deps"], 0, "asks");
    assert_eq!(import["enables_gil"], json!(null));
    assert_eq!(
        import["reason"],
        "declares_nothing is imported, and what the requirements depend on was not looked at"
    );
    assert_eq!(told(&["--no-deps"], 0, "alone")["enables_gil"], false);
}
