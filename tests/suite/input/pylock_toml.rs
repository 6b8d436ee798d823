//! `pylock.toml`: locks that uv, pip and pdm wrote, against what uv and pdm install of them
//! (`fixtures/pylock/README.md`), and locks that are broken.

use ftcheck::input::Gap;
use ftcheck::model::lock::LockedSource;
use proptest::prelude::*;

use super::line_and_column;
use super::locks::{
    agrees, choice, format, graph, installed, package, read_text, rejected, survives_truncation,
};

const LOCK: &str = "pylock.toml";

#[test]
fn what_uv_exported_installs_what_uv_installs() {
    agrees("pylock/uv", LOCK);
}

#[test]
fn what_pip_locked_installs_what_uv_installs() {
    agrees("pylock/pip", "pylock.web.toml");
}

#[test]
fn what_pdm_locked_with_extras_and_groups_installs_what_pdm_installs() {
    agrees("pylock/pdm", LOCK);
}

#[test]
fn names_are_those_of_pep_751() {
    for name in ["pylock.toml", "pylock.dev.toml", "pylock.a-b.toml"] {
        assert_eq!(format(name).name(), LOCK);
    }
    let others = ["pylock.a.b.toml", "pylock..toml", "xpylock.toml", "pylock.toml.bak"];
    for name in others {
        let format = ftcheck::input::FORMATS.iter().find(|format| format.recognises(name));
        assert!(format.is_none_or(|format| format.name() != LOCK), "{name}");
    }
}

/// A lock with one package that has these keys.
fn lock(keys: &str) -> String {
    format!(
        "lock-version = \"1.0\"\ncreated-by = \"a test\"\nextras = [\"Fast.er\"]\n\
         dependency-groups = [\"Dev\", \"docs\"]\ndefault-groups = [\"dev\"]\n\
         [[packages]]\nname = \"spam\"\nversion = \"1.0\"\n{keys}\n"
    )
}

const WHEEL: &str =
    "wheels = [{ url = \"https://h.example/spam-1.0-py3-none-any.whl\", hashes = {} }]";

#[test]
fn markers_of_extras_and_groups_choose() {
    let installs = |marker: &str, words: &str| {
        let text = lock(&format!("marker = \"{marker}\"\n{WHEEL}"));
        let manifest = read_text(LOCK, &text).unwrap_or_else(|problem| panic!("{problem}"));
        !installed(&manifest, "3.14t", "linux", &choice(words)).is_empty()
    };
    assert!(!installs("'fast-er' in extras", ""));
    assert!(installs("'fast-er' in extras", "extra=fast-er"));
    assert!(installs("'fast_er' in extras", "all-extras"));
    assert!(installs("'fast-er' not in extras", ""));
    assert!(!installs("'fast-er'  not  in  extras", "extra=fast-er"));
    assert!(installs("'dev' in dependency_groups", ""));
    assert!(!installs("'dev' in dependency_groups", "no-default-groups"));
    assert!(!installs("'docs' in dependency_groups", ""));
    assert!(installs("'docs' in dependency_groups", "group=docs"));
    assert!(installs("'docs' in dependency_groups", "only-group=docs"));
    assert!(!installs("'dev' in dependency_groups", "only-group=docs"));
    assert!(installs("'fast-er' in extras or 'dev' in dependency_groups", ""));
    assert!(!installs("'fast-er' in extras and 'dev' in dependency_groups", ""));
    assert!(installs("('docs' in dependency_groups) or sys_platform == 'linux'", ""));
    assert!(!installs("'unknown' in extras", "all-extras"));
    // A package without such a marker belongs to every part.
    assert!(installs("sys_platform == 'linux'", "only-group=docs"));
    // The text of another comparison is left as it is.
    assert!(!installs("sys_platform == 'x in extras'", ""));
}

#[test]
fn a_marker_that_compares_with_extra_is_rejected() {
    let text = lock(&format!("marker = \"extra == 'faster'\"\n{WHEEL}"));
    assert_eq!(line_and_column(&rejected(LOCK, &text)), (9, 10));
}

#[test]
fn every_kind_of_source_is_told() {
    let source = |keys: &str| {
        let manifest = read_text(LOCK, &lock(keys)).unwrap_or_else(|problem| panic!("{problem}"));
        package(graph(&manifest), "spam").source.clone()
    };
    let built = |keys| matches!(source(keys), LockedSource::Built(_));
    assert!(built("vcs = { type = \"git\", url = \"https://h.example/r\", commit-id = \"0\" }"));
    assert!(built("directory = { path = \"../spam\", editable = true }"));
    assert!(built("archive = { url = \"https://h.example/main.zip\", hashes = {} }"));
    let here = "directory = { path = \".\", editable = true }";
    assert_eq!(source(here), LockedSource::Project);
    let archive = "archive = { url = \"https://h.example/spam-1.0.tar.gz\", hashes = {} }";
    assert_eq!(source(archive), LockedSource::Files);
    assert_eq!(source(WHEEL), LockedSource::Files);
    assert_eq!(source("sdist = { path = \"spam-1.0.tar.gz\", hashes = {} }"), LockedSource::Files);
}

#[test]
fn files_are_read_with_digest_and_size() {
    let digest = "0123456789abcdef".repeat(4);
    let text = lock(&format!(
        "requires-python = \">=3.9\"\n[[packages.wheels]]\nname = \"spam-1.0-py3-none-any.whl\"\n\
         url = \"https://h.example/x\"\nsize = 12\nhashes = {{ sha256 = \"{digest}\", md5 = \"0\" }}"
    ));
    let manifest = read_text(LOCK, &text).unwrap();
    let file = &package(graph(&manifest), "spam").files[0];
    assert_eq!(file.kind.filename(), "spam-1.0-py3-none-any.whl");
    assert_eq!(file.sha256.unwrap().to_string(), digest);
    assert_eq!(file.size, Some(12));
    assert_eq!(file.requires_python.as_ref().unwrap().to_string(), ">=3.9");
}

#[test]
fn what_the_file_is_not_for_is_a_gap() {
    let text = lock(WHEEL).replace(
        "extras =",
        "requires-python = \">=3.12\"\nenvironments = [\"sys_platform == 'linux'\"]\nextras =",
    );
    let gaps = read_text(LOCK, &text).unwrap().gaps;
    assert!(matches!(gaps.as_slice(), [Gap::RequiresPython(_), Gap::Environments(_)]), "{gaps:?}");
}

#[test]
fn a_dependency_that_is_not_locked_is_a_gap() {
    let text =
        lock(&format!("dependencies = [{{ name = \"eggs\" }}, {{ name = \"spam\" }}]\n{WHEEL}"));
    let manifest = read_text(LOCK, &text).unwrap();
    assert!(
        matches!(manifest.gaps.as_slice(), [Gap::Always(text)] if text.contains("`eggs`")),
        "{:?}",
        manifest.gaps
    );
    assert_eq!(package(graph(&manifest), "spam").dependencies.len(), 1);
}

#[test]
fn bad_locks_are_rejected_with_their_place() {
    let good = lock(WHEEL);
    for (text, place) in [
        (good.replace("\"1.0\"\ncreated", "\"2.0\"\ncreated"), (1, 16)),
        (good.replace("\"1.0\"\ncreated", "1\ncreated"), (1, 16)),
        (good.replace("created-by", "<<<<<<< HEAD\ncreated-by"), (2, 1)),
        (good.replace(WHEEL, ""), (6, 1)),
        (good.replace(WHEEL, &format!("marker = \"sys_platform ==\"\n{WHEEL}")), (9, 10)),
        (good.replace("spam-1.0", "eggs-1.0"), (9, 11)),
        (good.replace("{} }", "{ sha256 = \"0\" } }"), (9, 11)),
        (good.replace("url", "link"), (9, 11)),
        (good.replace("[\"Dev\"", "[\"\\n?\""), (4, 22)),
    ] {
        assert_ne!(text, good);
        let problem = rejected(LOCK, &text);
        assert_eq!(line_and_column(&problem), place, "{problem} in\n{text}");
    }
    rejected(LOCK, "lock-version = \"1.0\"\ncreated-by = \"a test\"\npackages = []\n");
}

#[test]
fn a_lock_that_is_cut_off_does_not_panic() {
    survives_truncation("pylock/uv", LOCK);
}

#[test]
fn a_newer_minor_version_is_noted() {
    let text = lock(WHEEL).replace("\"1.0\"\ncreated", "\"1.1\"\ncreated");
    let notes = read_text(LOCK, &text).unwrap().notes;
    assert!(notes[0].contains("1.1"), "{notes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// A lock written from a model installs what the model says.
    #[test]
    fn a_lock_made_of_a_model_is_read_back(
        packages in prop::collection::vec((0..6usize, 0..100u32), 1..8),
        chosen in prop::bool::ANY,
    ) {
        let markers = [
            ("", true, true),
            ("sys_platform == 'win32'", false, false),
            ("'x' in extras", false, true),
            ("'d' in dependency_groups and python_version >= '3.14'", true, true),
            ("'x' not in extras", true, false),
            ("'d' not in dependency_groups", false, false),
        ];
        let mut lock = "lock-version = \"1.0\"\ncreated-by = \"t\"\nextras = [\"x\"]\n\
                        default-groups = [\"d\"]\n".to_owned();
        let mut expected = std::collections::BTreeSet::new();
        for (at, (marker, version)) in packages.iter().enumerate() {
            let (marker, by_default, with_extra) = markers[*marker];
            lock += &format!(
                "[[packages]]\nname = \"p{at}\"\nversion = \"{version}\"\n\
                 wheels = [{{ url = \"https://h.example/p{at}-{version}-py3-none-any.whl\" }}]\n"
            );
            if !marker.is_empty() {
                lock += &format!("marker = \"{marker}\"\n");
            }
            if if chosen { with_extra } else { by_default } {
                expected.insert(format!("p{at}=={version}"));
            }
        }
        let manifest = read_text(LOCK, &lock).unwrap();
        let words = if chosen { "extra=x" } else { "" };
        prop_assert_eq!(installed(&manifest, "3.14t", "linux", &choice(words)), expected);
    }

    #[test]
    fn no_marker_makes_it_panic(marker in "[ '()a-z=ü\u{1f40d}]{0,24}|\\PC{0,8}") {
        let text = lock(&format!("marker = {}\n{WHEEL}", toml::Value::String(marker)));
        let _ = read_text(LOCK, &text);
    }
}
