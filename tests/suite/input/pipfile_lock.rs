//! pipenv's lockfile: locks that pipenv wrote, against what pipenv itself exports of them
//! (`fixtures/pipfile-lock/README.md`), and locks that are broken.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use ftcheck::input::Gap;
use ftcheck::model::lock::LockedSource;
use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};
use proptest::prelude::*;

use super::line_and_column;
use super::locks::{
    beside, choice, graph, installed, package, read_text, rejected, survives_truncation, text,
};
use crate::resolve::environment;

const LOCK: &str = "Pipfile.lock";

/// Compares with `pipenv requirements`: the lines whose markers apply.
fn agrees(folder: &str, export: &str, words: &str) {
    let manifest = super::read(&super::fixture(folder).join(LOCK)).unwrap();
    let export = text(format!("{folder}/{export}"));
    for (target, platform) in [
        ("3.14t", "x86_64-manylinux_2_28"),
        ("3.13t", "x86_64-windows"),
        ("3.15t", "aarch64-macos_14_0"),
    ] {
        let environment = environment(target, platform);
        let mut expected = BTreeSet::new();
        for line in export.lines().filter(|line| !line.starts_with('-')) {
            // A file at a URL stands without its name.
            if line.starts_with("https://") {
                let file = line.rsplit('/').next().unwrap();
                expected.insert(file.split('-').next().unwrap().to_owned());
                continue;
            }
            let requirement = Requirement::<VerbatimUrl>::from_str(line).unwrap();
            if requirement.marker.evaluate(&environment, &[]) {
                expected.insert(match requirement.version_or_url {
                    Some(VersionOrUrl::VersionSpecifier(version)) => {
                        format!("{}{version}", requirement.name)
                    }
                    _ => requirement.name.to_string(),
                });
            }
        }
        assert!(expected.len() > 3, "nothing to compare with");
        assert_eq!(installed(&manifest, target, platform, &choice(words)), expected, "{export}");
    }
}

#[test]
fn what_is_installed_is_what_pipenv_exports() {
    agrees("pipfile-lock/web", "requirements.txt", "");
    agrees("pipfile-lock/web", "requirements-dev.txt", "group=develop");
    agrees("pipfile-lock/web", "requirements-docs.txt", "group=docs");
    agrees("pipfile-lock/science", "requirements.txt", "");
    agrees("pipfile-lock/science", "requirements-dev.txt", "group=develop");
}

#[test]
fn a_lock_that_fits_its_pipfile_has_no_gap_but_its_python() {
    let gaps = |folder| super::read(&super::fixture(folder).join(LOCK)).unwrap().gaps;
    assert_eq!(gaps("pipfile-lock/web"), []);
    let gaps = gaps("pipfile-lock/science");
    let [Gap::RequiresPython(range)] = gaps.as_slice() else { panic!("{gaps:?}") };
    assert_eq!(range.to_string(), "==3.11.*");
}

#[test]
fn a_pipfile_that_has_changed_since_is_told() {
    let pipfile = text("pipfile-lock/web/Pipfile");
    let read = |pipfile: &str| beside("pipfile-lock/web", LOCK, "Pipfile", pipfile).unwrap().gaps;
    // Comments and the order of keys say nothing.
    assert_eq!(read(&format!("# a comment\n{pipfile}\n")), []);
    let gaps = read(&pipfile.replace("~=2.0", "~=2.1"));
    assert!(matches!(gaps.as_slice(), [Gap::Always(text)] if text.contains("has changed")));
    assert_eq!(read(&pipfile.replace("[docs]", "[others]")).len(), 1);
}

#[test]
fn direct_dependencies_are_named_where_the_pipfile_names_them() {
    let manifest = super::read(&super::fixture("pipfile-lock/web").join(LOCK)).unwrap();
    let place = &graph(&manifest).named[&"mkdocs".parse().unwrap()];
    assert!(place.path.ends_with("Pipfile"));
    assert_eq!((place.line, place.column), (18, 1));
}

#[test]
fn packages_stand_where_their_names_do() {
    let manifest = super::read(&super::fixture("pipfile-lock/science").join(LOCK)).unwrap();
    let lock = text("pipfile-lock/science/Pipfile.lock");
    for package in &graph(&manifest).packages {
        let line = lock.lines().nth(package.location.line - 1).unwrap();
        assert_eq!(line.trim_end(), format!("        \"{}\": {{", package.name));
        assert_eq!(package.location.column, 9);
    }
}

/// A lock with these packages.
fn lock(packages: &str) -> String {
    format!(
        "{{\n  \"_meta\": {{\"pipfile-spec\": 6, \"hash\": {{}}, \"requires\": {{}}, \"sources\": [\n\
         {{\"name\": \"pypi\", \"url\": \"https://pypi.org/simple\", \"verify_ssl\": true}}]}},\n\
         \"default\": {{\n{packages}\n}}, \"develop\": {{}}\n}}\n"
    )
}

#[test]
fn every_kind_of_source_is_told() {
    let source = |keys: &str| {
        let manifest = read_text(LOCK, &lock(&format!("\"spam\": {{{keys}}}")))
            .unwrap_or_else(|problem| panic!("{problem}"));
        package(graph(&manifest), "spam").source.clone()
    };
    let built = |keys| matches!(source(keys), LockedSource::Built(_));
    assert!(built(r#""git": "https://h.example/r", "ref": "0123""#));
    assert!(built(r#""path": "./lib""#));
    assert!(built(r#""file": "https://h.example/main.zip""#));
    assert!(built(r#""version": "==1.0", "no_binary": true"#));
    assert_eq!(source(r#""path": ".", "editable": true"#), LockedSource::Project);
    let wheel = r#""file": "https://h.example/spam-1.0-py3-none-any.whl""#;
    assert_eq!(source(wheel), LockedSource::Files);
    let index = Some("pypi".to_owned());
    assert_eq!(
        source(r#""version": "==1.0", "index": "pypi""#),
        LockedSource::Index { index, hashes: Vec::new() }
    );
}

#[test]
fn parts_of_a_marker_that_stand_by_themselves_count() {
    let text = lock(
        r#""a": {"version": "==1.0", "sys_platform": "== 'win32'"},
           "b": {"version": "==1.0", "markers": "python_version >= '3.9'"}"#,
    );
    let manifest = read_text(LOCK, &text).unwrap();
    assert_eq!(installed(&manifest, "3.14t", "linux", &choice("")), ["b==1.0".to_owned()].into());
}

#[test]
fn a_package_of_two_categories_is_one() {
    let text = lock(r#""a": {"version": "==1.0", "markers": "sys_platform == 'win32'"}"#)
        .replace("\"develop\": {}", r#""develop": {"a": {"version": "==1.0"}}"#);
    let manifest = read_text(LOCK, &text).unwrap();
    assert_eq!(graph(&manifest).packages.len(), 1);
    assert_eq!(installed(&manifest, "3.14t", "linux", &choice("")).len(), 0);
    assert_eq!(installed(&manifest, "3.14t", "linux", &choice("group=develop")).len(), 1);
}

#[test]
fn digests_of_other_algorithms_are_a_gap() {
    let text = lock(r#""a": {"version": "==1.0", "hashes": ["md5:00"]}"#);
    assert_eq!(read_text(LOCK, &text).unwrap().gaps.len(), 1);
}

#[test]
fn bad_locks_are_rejected_with_their_place() {
    let good = lock(r#""spam": {"version": "==1.0"}"#);
    for (text, place) in [
        (good.replace(": 6", ": 5"), (2, 12)),
        (good.replace(": 6", ": \"6\""), (2, 31)),
        (good.replace("\"==1.0\"", "1.0"), (5, 23)),
        (good.replace("==1.0", "1.0"), (5, 1)),
        (good.replace("\"spam\"", "\"sp am\""), (5, 1)),
        (good.replace("\"==1.0\"", "\"==1.0\", \"index\": \"other\""), (5, 1)),
        (good.replace("\"==1.0\"", "\"==1.0\", \"markers\": \"x ==\""), (5, 1)),
        (good.replace("\"==1.0\"", "\"==1.0\", \"hashes\": [\"sha256:0\"]"), (5, 1)),
        (good.replace("\"spam\"", "<<<<<<< HEAD\n\"spam\""), (5, 1)),
        (good.replace("https://pypi.org/simple", "nonsense"), (2, 12)),
    ] {
        assert_ne!(text, good);
        let problem = rejected(LOCK, &text);
        assert_eq!(line_and_column(&problem), place, "{problem} in\n{text}");
    }
    rejected(LOCK, "{}");
    rejected(LOCK, &lock(""));
    rejected(LOCK, "[1, 2]");
}

#[test]
fn a_lock_that_is_cut_off_is_an_error() {
    survives_truncation("pipfile-lock/science", LOCK);
    let whole = text("pipfile-lock/science/Pipfile.lock");
    let problem = rejected(LOCK, &whole[..whole.len() / 2]);
    assert!(problem.hint.unwrap().contains("pipenv lock"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// A lock written from a model installs what the model says.
    #[test]
    fn a_lock_made_of_a_model_is_read_back(
        packages in prop::collection::vec((prop::bool::ANY, prop::option::of(prop::bool::ANY)), 1..8),
    ) {
        let mut categories = [Vec::new(), Vec::new()];
        let mut expected = [BTreeSet::new(), BTreeSet::new()];
        for (at, (develop, marker)) in packages.iter().enumerate() {
            let marker = marker.map(|here| {
                format!(r#", "markers": "sys_platform == '{}'""#, if here { "linux" } else { "win32" })
            });
            let entry = format!(
                r#""p{at}": {{"version": "=={at}.1"{}}}"#, marker.clone().unwrap_or_default()
            );
            categories[usize::from(*develop)].push(entry);
            if !marker.is_some_and(|marker| marker.contains("win32")) {
                expected[usize::from(*develop)].insert(format!("p{at}=={at}.1"));
            }
        }
        let text = lock(&categories[0].join(","))
            .replace("\"develop\": {}", &format!("\"develop\": {{{}}}", categories[1].join(",")));
        let manifest = read_text(LOCK, &text).unwrap();
        prop_assert_eq!(&installed(&manifest, "3.14t", "linux", &choice("")), &expected[0]);
        let only = installed(&manifest, "3.14t", "linux", &choice("only-group=develop"));
        prop_assert_eq!(&only, &expected[1]);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        prop_assert!(read_text(LOCK, &text).is_err());
    }
}
