//! Specifiers as sets, against what `packaging` says of them.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use ftcheck::resolve::ranges::{Shown, is_exact, of_specifier, of_specifiers};
use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use proptest::prelude::*;
use pubgrub::Ranges;

fn range(specifiers: &str) -> Ranges<Version> {
    of_specifiers(&specifiers.parse().unwrap())
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn shown(specifiers: &str) -> String {
    Shown(&range(specifiers)).to_string()
}

/// `fixtures/specifiers`: what the real `packaging` says.
#[test]
fn what_fits_is_what_packaging_says() {
    let table = include_str!("../../../fixtures/specifiers/fitting.txt");
    let mut lines = table.lines();
    let versions: Vec<&str> = lines.next().unwrap().split(' ').skip(1).collect();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in lines {
        let (specifier, fitting) = line.split_once(' ').unwrap_or((line, ""));
        let fitting: BTreeSet<&str> = fitting.split(' ').collect();
        let set = of_specifier(&specifier.parse().unwrap());
        for text in &versions {
            cases += 1;
            if set.contains(&version(text)) != fitting.contains(text) {
                wrong.push(format!(
                    "{specifier} and {text}: packaging says {}",
                    fitting.contains(text)
                ));
            }
        }
    }
    assert!(cases > 5000, "{cases}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What only a comparison of texts could tell: `===1.0` is not 1.0.0. As in uv, versions are
/// compared.
#[test]
fn identity_is_that_of_versions() {
    assert!(range("===1.0").contains(&version("1.0")));
    assert!(!range("===1.0").contains(&version("1.0+abc")));
    assert!(range("===1.0").contains(&version("1.0.0")));
}

/// The same as <https://peps.python.org/pep-0440/#exclusive-ordered-comparison> has them, and
/// what both of the parties to this had wrong at some time.
#[test]
fn exclusive_bounds_at_post_releases() {
    assert!(range("<1.0.post1").contains(&version("1.0")));
    assert!(range("<1.0.post1").contains(&version("1.0.post0")));
    assert!(!range("<1.0.post1").contains(&version("1.0.post1.dev0")));
    assert!(!range(">1.0a1").contains(&version("1.0a1.post1")));
    assert!(range(">1.0a1").contains(&version("1.0.post1")));
}

#[test]
fn the_largest_numbers_there_are() {
    let largest = u64::MAX;
    assert!(range(&format!("=={largest}.*")).contains(&version(&format!("{largest}.1"))));
    assert!(range(&format!("~=1.{largest}.0")).contains(&version(&format!("1.{largest}.7"))));
    assert!(!range(&format!("~=1.{largest}.0")).contains(&version("1.3")));
}

#[test]
fn sets_are_shown_as_users_write_them() {
    for same in [
        "==1.0",
        "==1.0+abc",
        ">=1.0",
        ">1.0",
        ">1.0a1",
        ">1.0.post1",
        "<1.0",
        "<=1.0",
        "<2.0b1",
        "<1.0.post1",
        ">=1.0, <2.0",
        ">1.0, <=2.0",
        "!=1.5",
        ">=1.0, <2.0, !=1.5",
        "!=1.5, !=1.6",
        "==1.1.*",
        "!=1.1.*",
        "==1.1.*, !=1.1.5",
        ">=1.0, !=1.1.*, !=1.3",
        "==1.1.*, <1.1.5",
        "==1!2.*",
        "!=1.0+abc",
        ">=3.13.dev0",
    ] {
        assert_eq!(shown(same), same);
    }
    for (written, text) in [
        ("", "any version"),
        ("===1.0", "==1.0"),
        ("~=2.2", ">=2.2, <3"),
        ("~=2.2.1", ">=2.2.1, <2.3"),
        ("==1.1.*, >=1.1.5", ">=1.1.5, <1.2"),
        ("<1.0.dev0", "<1.0"),
        ("<2, >=3", "no version"),
    ] {
        assert_eq!(shown(written), text, "{written}");
    }
    let either = range("==1.0").union(&range(">=3"));
    assert_eq!(Shown(&either).to_string(), "==1.0 or >=3");
}

#[test]
fn one_release_is_exact() {
    for exact in
        ["==1.0", "===1.0", "==1.0+abc", ">=1.0, <=1.0", "==1.*, ==1.2", "==1.0, !=1.0+abc"]
    {
        assert!(is_exact(&range(exact)), "{exact}");
    }
    for open in ["", ">=1.0", "<=1.0", "==1.0.*", "~=1.0", ">=1.0, <=1.1", "==1.0, ==2.0", "!=1.0"]
    {
        assert!(!is_exact(&range(open)), "{open}");
    }
}

/// A version out of small numbers, so that they meet.
fn versions() -> impl Strategy<Value = String> {
    let release = prop::collection::vec(0u8..3, 1..4);
    let pre = prop_oneof![4 => Just(String::new()), 2 => ("(a|b|rc)", 0u8..2).prop_map(|(kind, number)| format!("{kind}{number}"))];
    let post = prop_oneof![3 => Just(String::new()), 1 => (0u8..2).prop_map(|number| format!(".post{number}"))];
    let dev = prop_oneof![3 => Just(String::new()), 1 => (0u8..2).prop_map(|number| format!(".dev{number}"))];
    let epoch = prop_oneof![5 => Just(""), 1 => Just("1!")];
    (epoch, release, pre, post, dev).prop_map(|(epoch, release, pre, post, dev)| {
        let release: Vec<String> = release.iter().map(ToString::to_string).collect();
        format!("{epoch}{}{pre}{post}{dev}", release.join("."))
    })
}

fn local_versions() -> impl Strategy<Value = String> {
    (versions(), prop_oneof![3 => Just(""), 1 => Just("+abc"), 1 => Just("+1.2")])
        .prop_map(|(version, local)| format!("{version}{local}"))
}

fn specifiers() -> impl Strategy<Value = String> {
    let prefixes = ("(==|!=)", prop::collection::vec(0u8..3, 1..4)).prop_map(|(sign, release)| {
        let release: Vec<String> = release.iter().map(ToString::to_string).collect();
        format!("{sign}{}.*", release.join("."))
    });
    prop_oneof![
        6 => ("(<=|>=|<|>)", versions()).prop_map(|(sign, version)| sign + &version),
        3 => ("(==|!=)", local_versions()).prop_map(|(sign, version)| sign + &version),
        2 => prefixes,
        1 => versions()
            .prop_filter("has two numbers", |text| version(text).release().len() > 1)
            .prop_map(|version| format!("~={version}")),
    ]
}

/// Where `pep440_rs` and `packaging` differ, the table says which of them is right.
fn reference_is_wrong(specifier: &VersionSpecifier, version: &Version) -> bool {
    let named = specifier.version();
    let same_release = Version::new(named.release().iter().copied())
        == Version::new(version.release().iter().copied());
    let other_epoch = named.epoch() != version.epoch();
    match specifier.operator() {
        // It leaves pre-releases out although the specifier names one, or a post-release, or is of
        // another epoch.
        Operator::LessThan => {
            let named_too = named.any_prerelease() || named.is_post() || other_epoch;
            version.any_prerelease() && same_release && named_too
        }
        // It leaves post-releases out although the specifier names a pre-release of the same.
        Operator::GreaterThan => {
            let behind = version.is_post() || version.is_local();
            same_release && behind && (named.any_prerelease() || other_epoch)
        }
        // It compares prefixes without filling up with zeros.
        Operator::EqualStar | Operator::NotEqualStar => {
            version.release().len() < named.release().len()
        }
        Operator::TildeEqual => version.release().len() + 1 < named.release().len(),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn what_fits_is_what_pep440_rs_says(specifier in specifiers(), version in local_versions()) {
        let specifier = VersionSpecifier::from_str(&specifier).unwrap();
        let version = Version::from_str(&version).unwrap();
        if !reference_is_wrong(&specifier, &version) {
            prop_assert_eq!(
                of_specifier(&specifier).contains(&version),
                specifier.contains(&version),
                "{} {}", specifier, version
            );
        }
    }

    #[test]
    fn what_is_shown_is_the_set(all in prop::collection::vec(specifiers(), 0..4)) {
        let set = range(&all.join(","));
        let text = Shown(&set).to_string();
        prop_assert_eq!(set.is_empty(), text == "no version");
        if set.is_empty() {
            return Ok(());
        }
        let mut read = Ranges::empty();
        for piece in text.split(" or ") {
            let piece = if piece == "any version" { "" } else { piece };
            let piece = VersionSpecifiers::from_str(piece)
                .map_err(|problem| TestCaseError::fail(format!("{all:?} shown as {text}: {problem}")))?;
            read = read.union(&of_specifiers(&piece));
        }
        prop_assert_eq!(read, set, "{:?} shown as {}", all, text);
    }
}
