//! Any text as a file of settings: ftcheck's own, that of a project, uv's and pip's. Its first byte
//! tells which.
#![no_main]

use std::collections::BTreeMap;
use std::path::Path;

use ftcheck::config::{CommandLine, Environment, NetworkSettings, System};
use ftcheck::input::Source;
use ftcheck::model::index::IndexSettings;
use ftcheck::settings::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| {
    let text = input.1;
    let own = |name: &str| {
        let path = Path::new("/nonexistent").join(name);
        let _ = read(Source::of_text(&path, name, text.to_owned()));
    };
    let variable = match input.0 % 4 {
        0 => return own("ftcheck.toml"),
        1 => return own("pyproject.toml"),
        2 => "UV_CONFIG_FILE",
        _ => "PIP_CONFIG_FILE",
    };
    // These are found by variables, and read from files.
    let folder = std::env::temp_dir().join(format!("ftcheck-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder of temporary files takes one");
    let file = folder.join("settings");
    std::fs::write(&file, text).expect("the folder takes a file");
    let variables = BTreeMap::from([(variable.to_owned(), file.display().to_string())]);
    let environment = Environment::on(System::Unix, variables, None, folder.clone());
    let gathered = NetworkSettings::gather(
        &CommandLine::default(),
        &environment,
        &folder,
        IndexSettings::default(),
    );
    if let Err(problem) = gathered {
        assert!(!problem.to_string().trim().is_empty());
    }
});
