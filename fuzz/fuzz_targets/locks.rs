//! Any text as a lockfile of each format or as an environment file, alone or beside a project: its
//! first byte tells which.
#![no_main]

use std::path::Path;

use ftcheck::input::{Content, FORMATS, Source};
use ftcheck::model::environment::marker_environment;
use ftcheck::resolve::lock::select;
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
    // One folder does not exist, the other has a project: no other file of this machine is looked at.
    let beside = usize::from(input.0) / NAMES.len() % 2 == 1;
    let folder =
        if beside { concat!(env!("CARGO_MANIFEST_DIR"), "/project") } else { "/nonexistent" };
    let path = Path::new(folder).join(name);
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
            let (target, platform) = ("3.14t".parse(), "linux".parse());
            let (target, platform) = (target.expect("a target"), platform.expect("a platform"));
            let environment = marker_environment(target, platform).expect("both are known");
            let selection = select(&graph, &environment, |_| true);
            assert!(selection.installed.iter().all(|index| *index < count));
        }
        Err(problem) => assert!(!problem.problem.trim().is_empty()),
    }
});
