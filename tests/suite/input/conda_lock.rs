use std::fmt::Write as _;

use ftcheck::input::Place;
use ftcheck::model::conda::CondaAbi;
use ftcheck::model::lock::LockedSource;
use proptest::prelude::*;

use super::conda::{chosen, named, part, tag};
use super::line_and_column;
use super::locks::{
    agrees, choice, graph, installed, package, read_text, rejected, survives_truncation,
};

const LOCK: &str = "conda-lock.yml";

#[test]
fn it_installs_what_conda_lock_installs() {
    agrees("conda-lock/science", LOCK);
    let manifest = super::read(&super::fixture("conda-lock/science").join(LOCK)).unwrap();
    super::conda::agrees("conda-lock/science", &manifest, |one| {
        format!("{} {} {}", one.name, part(one.version.as_ref()), part(one.build.as_ref()))
    });
    let abi = |name| named(&manifest, name).abi.clone();
    assert_eq!(abi("python"), tag("cp314t"));
    assert_eq!(abi("numpy"), tag("cp314t"));
    assert_eq!(abi("pandas"), tag("cp314"));
    assert_eq!(abi("libzlib"), CondaAbi::NoPython);
    assert!(named(&manifest, "six").is_noarch());
    let contourpy = package(graph(&manifest), "contourpy");
    assert!(contourpy.files.iter().all(|file| file.sha256.is_some()));
}

#[test]
fn names_of_the_file_are_known() {
    for name in ["conda-lock.yml", "conda-lock.yaml", "dev.conda-lock.yml", "dev-conda-lock.yml"] {
        assert_eq!(super::locks::format(name).name(), LOCK, "{name}");
    }
    assert_ne!(super::locks::format("conda.yml").name(), LOCK);
}

fn lock(packages: &str) -> String {
    format!("version: 1\nmetadata:\n  platforms: [linux-64, win-64]\npackage:\n{packages}")
}

fn entry(name: &str, manager: &str, platform: &str, url: &str, more: &str) -> String {
    format!(
        "- name: {name}\n  version: '1.0'\n  manager: {manager}\n  platform: {platform}\n  \
         dependencies: {{}}\n  url: {url}\n  hash: {{}}\n{more}"
    )
}

#[test]
fn every_kind_of_source_is_told() {
    let source = |url: &str, more: &str| {
        let manifest = read_text(LOCK, &lock(&entry("spam", "pip", "linux-64", url, more)));
        let manifest = manifest.unwrap_or_else(|error| panic!("{error}"));
        package(graph(&manifest), "spam").source.clone()
    };
    let built = |url| matches!(source(url, ""), LockedSource::Built(_));
    assert!(built("git+https://h.example/r@0"));
    assert!(built("https://h.example/main.zip"));
    assert_eq!(source("https://h.example/spam-1.0-py3-none-any.whl", ""), LockedSource::Files);
}

#[test]
fn properties_of_the_machine_are_no_packages() {
    let text = lock(
        &(entry("__glibc", "conda", "linux-64", "x", "")
            + &entry("zlib", "conda", "linux-64", "https://c/linux-64/zlib-1.0-h_0.conda", "")),
    );
    let manifest = read_text(LOCK, &text).unwrap();
    let names: Vec<_> =
        chosen(&manifest, "linux", &choice("")).iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["zlib"]);
}

#[test]
fn bad_locks_are_rejected_with_their_place() {
    let wheel = "https://h.example/spam-1.0-py3-none-any.whl";
    let good = lock(&entry("spam", "pip", "linux-64", wheel, "  category: main\n"));
    assert!(read_text(LOCK, &good).is_ok());
    for (text, place) in [
        (good.replace("version: 1\n", "version: 2\n"), (1, 10)),
        (good.replace("metadata:", "meta:"), (1, 1)),
        (good.replace("platform: linux-64", "platform: osx-64"), (8, 13)),
        (good.replace("manager: pip", "manager: npm"), (7, 12)),
        (good.replace("name: spam", "name: sp am"), (5, 9)),
        (good.replace("  url:", "  uri:"), (5, 3)),
        (good.replace("hash: {}", "hash: {sha256: 00}"), (11, 18)),
        (good.replace("hash: {}", "hash: ["), (12, 3)),
        (good.replace("package:\n", "=======\npackage:\n"), (4, 1)),
    ] {
        assert_ne!(text, good);
        let problem = rejected(LOCK, &text);
        assert_eq!(line_and_column(&problem), place, "{problem} in\n{text}");
        assert!(problem.hint.is_some(), "{problem}");
    }
    let empty = rejected(LOCK, &lock("  []\n"));
    assert!(matches!(empty.place, Place::File(_)), "{empty}");
}

#[test]
fn a_lock_that_is_cut_off_does_not_panic() {
    survives_truncation("conda-lock/science", LOCK);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// A lock written from a model installs what the model says.
    #[test]
    fn a_lock_made_of_a_model_is_read_back(
        packages in prop::collection::vec((0..2usize, 0..3usize, prop::bool::ANY), 1..12),
    ) {
        let (platforms, categories) = (["linux-64", "win-64"], ["main", "dev", "docs"]);
        let mut text = String::new();
        for (at, (platform, category, is_conda)) in packages.iter().enumerate() {
            let platform = platforms[*platform];
            let (manager, url) = if *is_conda {
                ("conda", format!("https://c/f/{platform}/p{at}-1.0-h_{at}.conda"))
            } else {
                ("pip", format!("https://h/p{at}-1.0-py3-none-any.whl"))
            };
            text += &entry(&format!("p{at}"), manager, platform, &url, "");
            writeln!(text, "  category: {}", categories[*category]).unwrap();
        }
        let manifest = read_text(LOCK, &lock(&text)).unwrap();
        let has_docs = packages.iter().any(|one| one.1 == 2);
        let choices = [("", 2), ("no-default-groups", 1), ("group=docs", 3)];
        for (words, most) in choices.into_iter().filter(|one| one.1 < 3 || has_docs) {
            for (platform, shown) in ["linux", "windows"].iter().enumerate() {
                let of = |conda: bool| {
                    let all = packages.iter().enumerate();
                    all.filter(move |(_, one)| one.0 == platform && one.1 < most && one.2 == conda)
                        .map(|(at, _)| format!("p{at}==1.0"))
                        .collect::<std::collections::BTreeSet<_>>()
                };
                let conda = chosen(&manifest, shown, &choice(words))
                    .into_iter()
                    .map(|one| format!("{}=={}", one.name, part(one.version.as_ref())))
                    .collect();
                prop_assert_eq!(of(true), conda);
                prop_assert_eq!(of(false), installed(&manifest, "3.14t", shown, &choice(words)));
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        prop_assert!(read_text(LOCK, &text).is_err());
    }
}
