//! Any text as a pyproject.toml.
#![no_main]

use std::path::Path;

use ftcheck::input::{Content, FORMATS, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // A path in a source, or a pattern of a workspace, would lead to whatever lies on this machine.
    if text.contains("..") || text.contains("/*") || text.contains("**") {
        return;
    }
    let path = Path::new("/nonexistent/pyproject.toml");
    let source = Source::of_text(path, "pyproject.toml", text.to_owned());
    let format = FORMATS
        .iter()
        .find(|format| format.recognises("pyproject.toml"))
        .expect("the format is listed");
    match format.read(&source) {
        Ok(manifest) => {
            let Content::Requirements(requirements) = manifest.content else {
                panic!("a project's own file locks nothing")
            };
            assert!(manifest.sections.default_groups.is_subset(&manifest.sections.groups));
            let lines = text.split('\n').count();
            let all = requirements.required.iter().chain(&requirements.constraints);
            for requirement in all.filter(|one| one.location.path == "pyproject.toml") {
                assert!((1..=lines).contains(&requirement.location.line), "{requirement:?}");
            }
        }
        Err(problem) => assert!(!problem.problem.trim().is_empty()),
    }
});
