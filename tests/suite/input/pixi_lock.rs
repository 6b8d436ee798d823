use std::fmt::Write as _;

use ftcheck::input::Place;
use ftcheck::model::conda::CondaAbi;
use ftcheck::model::lock::LockedSource;
use proptest::prelude::*;

use super::conda::{chosen, named, part, tag};
use super::line_and_column;
use super::locks::{
    agrees, choice, graph, installed, package, read_text, rejected, survives_truncation, text,
};

const LOCK: &str = "pixi.lock";

#[test]
fn both_versions_hold_what_pixis_own_library_reads() {
    for folder in ["pixi-lock/v6", "pixi-lock/v7"] {
        agrees(folder, LOCK);
        let manifest = super::read(&super::fixture(folder).join(LOCK)).unwrap();
        super::conda::agrees(folder, &manifest, |one| {
            let (version, build) = (part(one.version.as_ref()), part(one.build.as_ref()));
            format!("{} {version} {build} {}", one.name, part(one.subdir.as_ref()))
        });
    }
}

#[test]
fn dependencies_tell_for_which_python_a_build_is() {
    let manifest = super::read(&super::fixture("pixi-lock/v7").join(LOCK)).unwrap();
    let abi = |name| named(&manifest, name).abi.clone();
    assert_eq!(abi("python"), tag("cp314t"));
    assert_eq!(abi("numpy"), tag("cp314t"));
    assert_eq!(abi("pandas"), tag("cp314"));
    assert_eq!(abi("libzlib"), CondaAbi::NoPython);
    assert_eq!(abi("tzdata"), CondaAbi::NoPython);
    assert_eq!(abi("pip"), CondaAbi::Open);
    assert!(named(&manifest, "pip").is_noarch());
    // It says `noarch: python`, and holds a module for the stable ABI.
    assert_eq!(abi("py-rattler"), CondaAbi::Gil("_python_abi3_support"));
    assert!(!named(&manifest, "py-rattler").is_noarch());
    let (line, column) = (named(&manifest, "numpy").location.line, 3);
    let of_line = text("pixi-lock/v7/pixi.lock").lines().nth(line - 1).unwrap().to_owned();
    assert!(of_line.starts_with("- conda: ") && of_line.contains("/numpy-"), "{of_line}");
    assert_eq!(named(&manifest, "numpy").location.column, column);
}

#[test]
fn an_environment_that_is_asked_for_takes_the_place_of_the_default_one() {
    let manifest = super::read(&super::fixture("pixi-lock/v7").join(LOCK)).unwrap();
    let names = |words: &str| -> Vec<&str> {
        let chosen = chosen(&manifest, "x86_64-manylinux_2_28", &choice(words));
        chosen.into_iter().map(|one| one.name.as_str()).filter(|name| *name != "tzdata").collect()
    };
    assert!(names("").contains(&"numpy") && !names("").contains(&"pandas"));
    assert!(!names("group=gil").contains(&"numpy") && names("group=gil").contains(&"pandas"));
    for both in ["all-groups", "group=gil group=default"] {
        assert!(names(both).contains(&"numpy") && names(both).contains(&"pandas"), "{both}");
    }
    assert!(names("no-default-groups").is_empty());
}

/// A lock of one environment with these selected packages and entries, both indented.
fn lock(selected: &str, packages: &str) -> String {
    format!(
        "version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n\
         {selected}packages:\n{packages}"
    )
}

fn one(place: &str, keys: &str) -> String {
    let selected = format!("      - pypi: {place}\n");
    lock(&selected, &format!("- pypi: {place}\n  name: spam\n{keys}"))
}

#[test]
fn every_kind_of_source_is_told() {
    let source = |place: &str| {
        let manifest = read_text(LOCK, &one(place, "")).unwrap_or_else(|error| panic!("{error}"));
        package(graph(&manifest), "spam").source.clone()
    };
    let built = |place| matches!(source(place), LockedSource::Built(_));
    assert!(built("git+https://h.example/r?rev=0#0"));
    assert!(built("../lib"));
    assert!(built("https://h.example/main.zip"));
    assert_eq!(source("./"), LockedSource::Project);
    assert_eq!(source("https://h.example/spam-1.0-py3-none-any.whl"), LockedSource::Files);
    assert_eq!(source("direct+https://h.example/spam-1.0-py3-none-any.whl"), LockedSource::Files);
    assert_eq!(source("./wheels/spam-1.0-py3-none-any.whl"), LockedSource::Files);
}

#[test]
fn conda_packages_of_a_source_are_not_known() {
    let of_six = lock(
        "      - conda: .\n        name: eggs\n        build: b1\n",
        "- conda: .\n  name: eggs\n  build: b0\n- conda: .\n  name: eggs\n  build: b1\n  depends:\n  - python\n",
    );
    let manifest = read_text(LOCK, &of_six).unwrap();
    assert_eq!(named(&manifest, "eggs").build.as_deref(), Some("b1"));
    assert!(matches!(named(&manifest, "eggs").abi, CondaAbi::Unknown(_)));
    let place = "\"eggs[ac2e8eb3] @ ../eggs\"";
    let selected = format!("      - conda_source: {place}\n");
    let of_seven = lock(&selected, &format!("- conda_source: {place}\n  version: \"1\"\n"));
    let manifest = read_text(LOCK, &of_seven.replace("version: 6", "version: 7")).unwrap();
    assert_eq!(named(&manifest, "eggs").version.as_deref(), Some("1"));
    assert!(matches!(named(&manifest, "eggs").abi, CondaAbi::Unknown(_)));
}

#[test]
fn platforms_of_other_names_are_those_they_stand_for() {
    let text = one("./x-1-py3-none-any.whl", "")
        .replace("version: 6", "version: 7\nplatforms:\n- name: gpu\n  subdir: linux-64")
        .replace("      linux-64:", "      gpu:")
        .replace("/x-1", "/spam-1");
    let manifest = read_text(LOCK, &text).unwrap();
    assert_eq!(installed(&manifest, "3.14t", "linux", &choice("")).len(), 1);
    assert_eq!(installed(&manifest, "3.14t", "windows", &choice("")).len(), 0);
}

#[test]
fn bad_locks_are_rejected_with_their_place() {
    let digest = "0".repeat(64);
    let good = one(
        "https://h.example/spam-1.0-py3-none-any.whl",
        &format!("  version: \"1.0\"\n  sha256: {digest}\n"),
    );
    assert!(read_text(LOCK, &good).is_ok());
    for (text, place) in [
        (good.replace("version: 6", "version: 5"), (1, 10)),
        (good.replace("version: 6", "version: 8"), (1, 10)),
        (good.replace("version: 6", "format: 6"), (1, 1)),
        (good.replace("- pypi", "- pip"), (9, 3)),
        (good.replacen("- pypi", "- pip", 1), (7, 9)),
        (good.replace("      - pypi: https://h", "      - pypi: https://other"), (7, 9)),
        (good.replace("  name: spam", "  name: sp am"), (10, 9)),
        (good.replace("\"1.0\"", "[]"), (11, 12)),
        (good.replace(&digest, "00"), (12, 11)),
        (good.replace("packages:\n-", "<<<<<<< HEAD\npackages:\n-"), (8, 1)),
        (good.replace("channels: []", "channels: ["), (5, 5)),
        (format!("{good}version: 6\n"), (13, 1)),
        (format!("{good}---\nversion: 6\n"), (13, 1)),
    ] {
        assert_ne!(text, good);
        let problem = rejected(LOCK, &text);
        assert_eq!(line_and_column(&problem), place, "{problem} in\n{text}");
        assert!(problem.hint.is_some(), "{problem}");
    }
    let empty = rejected(LOCK, &lock("        []\n", "  []\n"));
    assert!(matches!(empty.place, Place::File(_)), "{empty}");
}

#[test]
fn aliases_and_depth_are_bounded() {
    let mut bomb = "version: 6\na: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (at, name) in ('b'..='i').enumerate() {
        let before = char::from(b'a' + u8::try_from(at).unwrap());
        let aliases = vec![format!("*{before}"); 10].join(", ");
        writeln!(bomb, "{name}: &{name} [{aliases}]").unwrap();
    }
    assert!(rejected(LOCK, &bomb).problem.contains("aliases"), "{}", rejected(LOCK, &bomb));
    for deep in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000)] {
        rejected(LOCK, &deep);
    }
    rejected(LOCK, "a: &a [*a]");
    rejected(LOCK, "? [a]\n: b\n");
    rejected(LOCK, "*a");
}

#[test]
fn a_lock_that_is_cut_off_does_not_panic() {
    survives_truncation("pixi-lock/v6", LOCK);
    survives_truncation("pixi-lock/v7", LOCK);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// A lock written from a model installs what the model says.
    #[test]
    fn a_lock_made_of_a_model_is_read_back(
        packages in prop::collection::vec((0..2usize, 0..2usize, prop::bool::ANY, 0..4usize), 1..12),
        version in 6..8,
    ) {
        const DEPENDS: [(&str, CondaAbi); 4] = [
            ("[]", CondaAbi::NoPython),
            ("[python >=3.14]", CondaAbi::Open),
            ("[python, \"python_abi 3.14.* *_cp314t\"]", CondaAbi::Unknown(String::new())),
            ("[\"python_abi * *_cp314\"]", CondaAbi::Unknown(String::new())),
        ];
        let (names, subdirs) = (["default", "test"], ["linux-64", "win-64"]);
        let mut text = format!("version: {version}\nenvironments:\n");
        let mut entries = String::new();
        let mut expected = vec![Vec::new(); 4];
        let mut wheels = vec![std::collections::BTreeSet::new(); 4];
        for (at, (environment, platform, is_conda, depends)) in packages.iter().enumerate() {
            let place = environment * 2 + platform;
            let subdir = subdirs[*platform];
            if *is_conda {
                writeln!(entries, "- conda: https://c/f/{subdir}/p-{at}-{at}.0-h_0.conda").unwrap();
                writeln!(entries, "  depends: {}", DEPENDS[*depends].0).unwrap();
                let abi = match depends {
                    2 => tag("cp314t"),
                    3 => tag("cp314"),
                    other => DEPENDS[*other].1.clone(),
                };
                expected[place].push((format!("p-{at}"), Some(format!("{at}.0")), abi));
            } else {
                let wheel = format!("https://h/p{at}-{at}.0-py3-none-any.whl");
                writeln!(entries, "- pypi: {wheel}\n  name: p{at}\n  version: '{at}.0'").unwrap();
                wheels[place].insert(format!("p{at}=={at}.0"));
            }
        }
        for (environment, name) in names.iter().enumerate() {
            writeln!(text, "  {name}:\n    channels: []\n    packages:").unwrap();
            for (platform, subdir) in subdirs.iter().enumerate() {
                writeln!(text, "      {subdir}:").unwrap();
                for (at, (_, _, is_conda, _)) in packages.iter().enumerate()
                    .filter(|(_, one)| (one.0, one.1) == (environment, platform))
                {
                    if *is_conda {
                        writeln!(text, "      - conda: https://c/f/{subdir}/p-{at}-{at}.0-h_0.conda").unwrap();
                    } else {
                        writeln!(text, "      - pypi: https://h/p{at}-{at}.0-py3-none-any.whl").unwrap();
                    }
                }
            }
        }
        let manifest = read_text(LOCK, &format!("{text}packages:\n{entries}")).unwrap();
        for (environment, words) in ["", "group=test"].iter().enumerate() {
            for (platform, shown) in ["linux", "windows"].iter().enumerate() {
                let place = environment * 2 + platform;
                let found: Vec<_> = chosen(&manifest, shown, &choice(words))
                    .into_iter()
                    .map(|one| (one.name.clone(), one.version.clone(), one.abi.clone()))
                    .collect();
                prop_assert_eq!(&found, &expected[place]);
                prop_assert_eq!(&installed(&manifest, "3.14t", shown, &choice(words)), &wheels[place]);
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        prop_assert!(read_text(LOCK, &text).is_err());
    }

    #[test]
    fn no_yaml_makes_it_panic(text in "([ \n:\\-\\[\\]{}&*a!|>'\"#?,]|version: 6|packages:|- pypi: a){0,60}") {
        prop_assert!(read_text(LOCK, &text).is_err());
    }
}
