//! Any text as a requirements file.
#![no_main]

use std::path::Path;

use ftcheck::input::{Content, FORMATS, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // A file named by an absolute path would be read, and /dev/zero has no end. Relative ones do
    // not exist, since the folder of the file does not.
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    if joined.lines().any(|line| line.trim_start().starts_with('-') && line.contains('/')) {
        return;
    }
    let path = Path::new("/nonexistent/requirements.txt");
    let source = Source::of_text(path, "requirements.txt", text.to_owned());
    let format = FORMATS
        .iter()
        .find(|format| format.recognises("requirements.txt"))
        .expect("the format is listed");
    match format.read(&source) {
        Ok(manifest) => {
            let Content::Requirements(requirements) = manifest.content else {
                panic!("a requirements file locks nothing")
            };
            assert!(!requirements.required.is_empty() || !manifest.projects.is_empty());
            let lines = text.split('\n').count();
            let named = requirements.required.iter().chain(&requirements.constraints);
            // Others are of projects that lie where the target is run.
            for requirement in named.filter(|one| one.location.path == "requirements.txt") {
                assert!((1..=lines).contains(&requirement.location.line), "{requirement:?}");
                assert!(requirement.location.column >= 1, "{requirement:?}");
            }
        }
        Err(problem) => assert!(!problem.problem.trim().is_empty()),
    }
});
