//! Any text as a uv.lock.
#![no_main]

use std::path::Path;

use ftcheck::input::{Content, FORMATS, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The folder does not exist: no pyproject.toml of this machine is looked at.
    let path = Path::new("/nonexistent/uv.lock");
    let source = Source::of_text(path, "uv.lock", text.to_owned());
    let format =
        FORMATS.iter().find(|format| format.recognises("uv.lock")).expect("the format is listed");
    match format.read(&source) {
        Ok(manifest) => {
            let Content::Lock(graph) = manifest.content else { panic!("a lock names releases") };
            assert!(!graph.roots.is_empty());
            // Edges are indices: one past the end would be a panic later on.
            let count = graph.packages.len();
            assert!(graph.roots.iter().all(|root| root.edge.target < count));
            for package in &graph.packages {
                let edges = package.dependencies.iter().chain(package.extras.values().flatten());
                assert!(edges.into_iter().all(|edge| edge.target < count));
            }
        }
        Err(problem) => assert!(!problem.problem.trim().is_empty()),
    }
});
