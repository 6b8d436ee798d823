//! Rules of the house that a reader of one file cannot check: which way data flows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each part of the library, and the parts it may name: [`model`] is for all, and beyond it only
/// an earlier stage. `fetch` implements the question that `resolve` asks, which is why it comes
/// later here.
///
/// [`model`]: ftcheck::model
const ALLOWED: [(&str, &[&str]); 22] = [
    ("model", &["model"]),
    ("input", &["model", "input"]),
    ("config", &["model", "config"]),
    ("resolve", &["model", "resolve"]),
    ("fetch", &["model", "resolve", "fetch"]),
    // Who may be asked, and by which way, is said by the same settings.
    ("forge", &["model", "config", "fetch", "forge"]),
    ("git", &["git"]),
    ("imports", &["model", "inspect", "imports"]),
    ("tracker", &["model", "tracker"]),
    ("source", &["model", "source"]),
    ("judge", &["model", "judge"]),
    ("interpreter", &["model", "interpreter"]),
    ("verify", &["model", "fetch", "imports", "local", "interpreter", "verify"]),
    ("settings", &["model", "input", "judge", "settings"]),
    ("diff", &["model", "input", "judge", "diff"]),
    // The rules explain themselves.
    ("report", &["model", "judge", "report"]),
    ("module_check", &["model", "inspect"]),
    ("wheel_check", &["model", "fetch", "imports", "inspect", "module_check"]),
    ("source_check", &["model", "fetch", "source"]),
    ("local", &["model", "input", "fetch", "imports", "inspect", "judge", "module_check", "local"]),
    (
        "pipeline",
        &[
            "model",
            "input",
            "resolve",
            "fetch",
            "imports",
            "inspect",
            "judge",
            "source_check",
            "tracker",
            "wheel_check",
        ],
    ),
    (
        "advise",
        &["model", "input", "resolve", "fetch", "judge", "wheel_check", "pipeline", "advise"],
    ),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// A crate of its own, which the compiler keeps from naming anything of the others.
fn engine() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("engine/src")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The part of the library that a file belongs to, or `None` for the root and the program.
fn part_of(file: &Path) -> Option<String> {
    let relative = file.strip_prefix(source()).unwrap();
    let first = relative.components().next()?.as_os_str().to_str()?;
    let part = first.strip_suffix(".rs").unwrap_or(first);
    (part != "lib" && part != "bin").then(|| part.to_owned())
}

/// The parts that a file names in code; comments may name any.
fn named_parts(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    code.match_indices("crate::")
        .map(|(at, found)| {
            let rest = &code[at + found.len()..];
            let end = rest.find(|letter: char| letter != '_' && !letter.is_alphanumeric());
            rest[..end.unwrap_or(rest.len())].to_owned()
        })
        .collect()
}

#[test]
fn data_flows_one_way() {
    let mut arrows = 0;
    for file in rust_files(&source()) {
        let Some(part) = part_of(&file) else { continue };
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(name, _)| *name == part)
            .unwrap_or_else(|| panic!("{} belongs to no known part", file.display()));
        for named in named_parts(&std::fs::read_to_string(&file).unwrap()) {
            arrows += 1;
            assert!(
                allowed.contains(&named.as_str()),
                "{} is part of `{part}`, which may not name `{named}`",
                file.display()
            );
        }
    }
    assert!(arrows > 30, "the test found {arrows} uses: does it still read them?");
}

#[test]
fn every_module_says_what_lives_there() {
    for file in [rust_files(&source()), rust_files(&engine())].concat() {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} has no head", file.display());
    }
}

#[test]
fn the_engine_knows_no_package_by_name() {
    // Names that stand in the ground truth; the C interface of cffi is the one exception, once it
    // is followed.
    let rows = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ground-truth");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(rows).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let row: serde_json::Value = serde_json::from_str(line).unwrap();
                let wheel = row["wheel"].as_str().unwrap();
                names.insert(wheel.split('-').next().unwrap().to_owned());
            }
        }
    }
    assert!(names.len() >= 15, "{names:?}");
    // Also the name of a library of the operating system.
    names.remove("librt");
    // The two whose C interfaces the modules of other packages call.
    names.remove("numpy");
    names.remove("cffi");
    for file in rust_files(&engine()) {
        let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
        let words: BTreeSet<&str> =
            text.split(|letter: char| letter != '_' && !letter.is_alphanumeric()).collect();
        for name in names.iter().filter(|name| name.len() > 3) {
            let is_example = text
                .lines()
                .filter(|line| line.contains(name.as_str()))
                .all(|line| line.trim_start().starts_with("//"));
            assert!(
                !words.contains(name.as_str()) || is_example,
                "{} names {name}",
                file.display()
            );
        }
    }
}

/// SECURITY.md tells what was tried by the names of tests.
#[test]
fn the_tests_that_the_threat_model_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let (_, table) = text.split_once("| input | leads to | test |").unwrap();
    let mut sources = String::new();
    for item in walkdir::WalkDir::new(root.join("tests")) {
        let path = item.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    let mut count = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let tests = row.trim_end_matches(" |").rsplit_once("| ").unwrap().1;
        for test in tests.split(", ") {
            let name = test.trim_matches('`');
            assert!(sources.contains(&format!("fn {name}(")), "{name} is gone");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}
