//! Any text as a lockfile of each format, or as an environment file: its first byte tells which.
#![no_main]

use std::path::Path;

use ftcheck::input::{Content, FORMATS, Source};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] = [
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
    "pixi.lock",
    "conda-lock.yml",
    "environment.yml",
];

fuzz_target!(|input: (u8, &str)| {
    let name = NAMES[usize::from(input.0) % NAMES.len()];
    // The folder does not exist: no other file of this machine is looked at.
    let path = Path::new("/nonexistent").join(name);
    let source = Source::of_text(&path, name, input.1.to_owned());
    let format = FORMATS.iter().find(|format| format.recognises(name)).expect("it is listed");
    match format.read(&source) {
        Ok(manifest) => {
            let Content::Lock(graph) = manifest.content else {
                assert_eq!(name, "environment.yml", "a lock names releases");
                return;
            };
            let conda = manifest.conda.iter().any(|environment| !environment.packages.is_empty());
            assert!(conda || !graph.roots.is_empty());
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
