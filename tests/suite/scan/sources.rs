//! Releases without a wheel: what is told of their source, and that it changes no verdict.

use serde_json::{Value, json};

use super::{PLATFORM, package, report, report_of, scan, wheel_of};
use crate::support::Sandbox;
use crate::support::index::{FakeIndex, FakeIndexBuilder, IndexFile};
use crate::support::sdist::{SdistBuilder, noise};
use crate::support::wheel::{Sdist, WheelBuilder};

const SETUP: &str = "setup(ext_modules=[Extension(\"spam\", [\"spam.c\"])])\n";
const DECLARING: &str =
    "PyMODINIT_FUNC PyInit_spam(void) {\n PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED);\n}\n";
const SILENT: &str = "PyMODINIT_FUNC PyInit_spam(void) { return 0; }\n";

fn source(code: &str) -> SdistBuilder {
    let metadata = "Requires-Python: >=3.9";
    SdistBuilder::new("spam", "1.0")
        .pkg_info("2.2", metadata)
        .file("setup.py", SETUP)
        .file("spam.c", code)
}

fn of(build: impl FnOnce(FakeIndexBuilder) -> FakeIndexBuilder) -> Value {
    package(&report_of("spam", 1, build), "spam").clone()
}

#[test]
fn a_release_with_only_a_source_is_predicted_and_stays_without_a_wheel() {
    let spam = of(|index| index.file(source(DECLARING).build()));
    assert_eq!(spam["verdict"], "no-wheel");
    assert_eq!(
        spam["source"],
        json!({
            "filename": "spam-1.0.tar.gz",
            "prediction": "keeps-gil-off",
            "signs": [{"path": "spam.c", "line": 2, "what": "PyUnstable_Module_SetGIL"}],
        })
    );
    let spam = of(|index| index.file(source(SILENT).build()));
    assert_eq!(spam["source"]["prediction"], "enables-gil");
    assert_eq!(spam["verdict"], "no-wheel");
}

#[test]
fn a_zip_is_read_too() {
    let spam = of(|index| index.file(source(DECLARING).file("data", noise(400_000)).build_zip()));
    assert_eq!(spam["source"]["prediction"], "keeps-gil-off");
    assert_eq!(spam["source"]["filename"], "spam-1.0.zip");
}

#[test]
fn wheels_for_others_do_not_hide_the_source() {
    let spam = of(|index| {
        index
            .file(source(DECLARING).build())
            .file(WheelBuilder::new("spam", "1.0").tag("cp314-cp314t-win_amd64").build())
            .file(WheelBuilder::new("spam", "1.0").tag("cp39-abi3-manylinux_2_17_x86_64").build())
    });
    assert_eq!(spam["source"]["prediction"], "keeps-gil-off");
    assert_eq!(
        spam["release"],
        json!({
            "source": true,
            "wheels": 2,
            "any_platform": false,
            "compiled": true,
            "stable_abi": true,
            "elsewhere": ["spam-1.0-cp314-cp314t-win_amd64.whl"],
            "excluded_by": null,
        })
    );
}

#[test]
fn where_there_is_a_wheel_the_source_is_not_asked_for() {
    let index = FakeIndex::builder()
        .file(wheel_of("spam", "1.0", &["declares"]).build())
        .file(source(SILENT).build())
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "spam");
    let report = report(&sandbox, &index, 0);
    let spam = package(&report, "spam");
    assert_eq!(spam["verdict"], "keeps-gil-off");
    assert!(spam.get("source").is_none(), "{spam:#}");
    assert_eq!(spam["release"]["source"], true);
    assert!(index.requests_for(".tar.gz").is_empty());
}

#[test]
fn what_cannot_be_read_is_not_known() {
    for (file, expected) in [
        (IndexFile::from(Sdist::new("spam", "1.0")), "damaged source distribution"),
        (IndexFile::raw("spam", "1.0", "spam-1.0.tar.bz2", "x"), "archives of the kind .bz2"),
        (source(DECLARING).build().claimed_sha256(&"0".repeat(64)), "expected sha256"),
    ] {
        let (index, sandbox) = (FakeIndex::builder().file(file).start(), Sandbox::new());
        sandbox.write("requirements.txt", "spam==1.0");
        let outcome = scan(&sandbox, &index, &["--format", "json", "--no-deps"]).code(1);
        let report: Value = serde_json::from_slice(&outcome.get_output().stdout).unwrap();
        let spam = package(&report, "spam");
        assert_eq!(spam["source"]["prediction"], "not-known", "{spam:#}");
        let reason = spam["source"]["reason"].as_str().unwrap();
        assert!(reason.contains(expected), "{reason}");
        assert_eq!(spam["verdict"], "no-wheel");
    }
}

#[test]
fn a_prediction_is_kept_between_runs() {
    let index = FakeIndex::builder().file(source(DECLARING).build()).start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "spam");
    let cold = report(&sandbox, &index, 1);
    let asked = index.requests_for(".tar.gz").len();
    assert_eq!(report(&sandbox, &index, 1), cold);
    assert_eq!(index.requests_for(".tar.gz").len(), asked, "on {PLATFORM}");
}
