//! Wheel file names: the binary distribution format, PEP 425's tag sets, PEP 825's labels.

use std::cmp::Ordering;
use std::str::FromStr as _;

use ftcheck::model::wheel_filename::WheelFilename;
use pep440_rs::Version;
use pep508_rs::PackageName;
use proptest::prelude::*;

fn parse(text: &str) -> WheelFilename {
    text.parse().unwrap_or_else(|problem| panic!("{problem}"))
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn tags(wheel: &WheelFilename) -> Vec<String> {
    wheel.tags().map(|(python, abi, platform)| format!("{python}-{abi}-{platform}")).collect()
}

/// The example of the specification.
#[test]
fn the_parts_are_told_apart() {
    let wheel = parse("distribution-1.0-1-py27-none-any.whl");
    assert_eq!(wheel.name.to_string(), "distribution");
    assert_eq!(wheel.version, version("1.0"));
    assert!(wheel.build.is_some());
    assert_eq!(tags(&wheel), ["py27-none-any"]);
    assert_eq!(wheel.label, None);
    assert_eq!(wheel.to_string(), "distribution-1.0-1-py27-none-any.whl");
    assert_eq!(wheel.as_str(), "distribution-1.0-1-py27-none-any.whl");
}

#[test]
fn names_are_normalized() {
    for (filename, name) in [
        ("zope.interface-7.2-py3-none-any.whl", "zope-interface"),
        ("PyYAML-6.0-py3-none-any.whl", "pyyaml"),
        ("ruamel_yaml_clib-0.2-py3-none-any.whl", "ruamel-yaml-clib"),
    ] {
        assert_eq!(parse(filename).name.to_string(), name);
    }
}

#[test]
fn a_compressed_set_stands_for_every_combination() {
    let wheel = parse("spam-1.0-py2.py3-none-win32.win_amd64.whl");
    assert_eq!(
        tags(&wheel),
        ["py2-none-win32", "py2-none-win_amd64", "py3-none-win32", "py3-none-win_amd64"]
    );
    let wheel = parse("spam-1.0-cp315-abi3.abi3t-win_arm64.whl");
    assert_eq!(tags(&wheel), ["cp315-abi3-win_arm64", "cp315-abi3t-win_arm64"]);
}

#[test]
fn a_wheel_for_any_platform_is_told_from_one_for_some() {
    assert!(parse("spam-1.0-py3-none-any.whl").is_any_platform());
    assert!(!parse("spam-1.0-py3-none-manylinux_2_17_x86_64.whl").is_any_platform());
    // For one platform of two it may well hold something compiled.
    assert!(!parse("spam-1.0-py3-none-any.win32.whl").is_any_platform());
}

#[test]
fn versions_with_an_epoch_or_a_local_part_are_read() {
    let wheel = parse("torch-2.9.0+cpu-cp314-cp314t-manylinux_2_28_x86_64.whl");
    assert_eq!(wheel.version, version("2.9.0+cpu"));
    assert_eq!(
        parse("spam-1!2.0.post1.dev3-py3-none-any.whl").version,
        version("1!2.0.post1.dev3")
    );
}

/// PEP 440 allows `_` before a pre-release and a post-release, and old build tools wrote it so.
/// That is no local version: read as one, a pre-release would pass for a final release.
#[test]
fn an_underscore_within_a_version_is_a_separator() {
    for (filename, expected) in [
        ("spam-1.0_rc1-py3-none-any.whl", "1.0rc1"),
        ("spam-1.0_post1-py3-none-any.whl", "1.0.post1"),
        ("spam-1.0_dev1-py3-none-any.whl", "1.0.dev1"),
    ] {
        assert_eq!(parse(filename).version, version(expected), "{filename}");
    }
}

/// The specification: "a two-item tuple with the first item being the initial digits as an int,
/// and the second item being the remainder of the tag as a str", and none sorts before any.
#[test]
fn build_tags_are_ordered_by_number_then_text() {
    let ascending = ["", "0-", "1-", "1_a-", "1a-", "1b-", "2-", "10-"]
        .map(|build| parse(&format!("spam-1.0-{build}py3-none-any.whl")));
    for (at, lower) in ascending.iter().enumerate() {
        assert_eq!(lower.compare_build(lower), Ordering::Equal);
        for higher in &ascending[at + 1..] {
            assert_eq!(lower.compare_build(higher), Ordering::Less, "{lower} {higher}");
            assert_eq!(higher.compare_build(lower), Ordering::Greater, "{higher} {lower}");
        }
    }
}

/// The form of PEP 825's own examples.
#[test]
fn a_variant_label_is_kept_apart_from_the_tags() {
    let wheel = parse("numpy-2.3.2-cp313-cp313t-musllinux_1_2_x86_64-x86_64_v3.whl");
    assert_eq!(wheel.label.as_deref(), Some("x86_64_v3"));
    assert_eq!(wheel.build, None);
    assert_eq!(tags(&wheel), ["cp313-cp313t-musllinux_1_2_x86_64"]);

    let wheel = parse("numpy-2.3.2-1-cp313-cp313t-musllinux_1_2_x86_64-null.whl");
    assert_eq!(wheel.label.as_deref(), Some("null"));
    assert!(wheel.build.is_some());
    assert_eq!(tags(&wheel), ["cp313-cp313t-musllinux_1_2_x86_64"]);
}

#[test]
fn malformed_names_are_rejected_with_what_is_wrong() {
    for (text, problem) in [
        ("", ".whl"),
        ("spam-1.0-py3-none-any.zip", ".whl"),
        ("spam-1.0-py3-none-any", ".whl"),
        ("spam-1.0-py3-none-any.WHL", ".whl"),
        (".whl", "1 parts"),
        ("spam.whl", "1 parts"),
        ("spam-1.0.whl", "2 parts"),
        ("spam-1.0-py3-none.whl", "4 parts"),
        ("spam-1.0-1-py3-none-any-v3-more.whl", "8 parts"),
        // A build tag begins with a digit.
        ("spam-1.0-b1-py3-none-any-v3.whl", "7 parts"),
        ("sp am-1.0-py3-none-any.whl", "name"),
        ("späm-1.0-py3-none-any.whl", "name"),
        ("spam-one-py3-none-any.whl", "version"),
        ("spam--py3-none-any.whl", "version"),
        ("spam-1.0--none-any.whl", "empty"),
        ("spam-1.0-py3.-none-any.whl", "empty"),
        ("spam-1.0-py3-none-linux..any.whl", "empty"),
        ("spam-1.0--py3-none-any.whl", "empty"),
    ] {
        let message = match text.parse::<WheelFilename>() {
            Ok(wheel) => panic!("`{text}` was read as {wheel:?}"),
            Err(problem) => problem.to_string(),
        };
        assert!(message.contains(&format!("`{text}`")), "{message}");
        assert!(message.contains(problem), "{message}");
    }
}

/// `packaging` says "Invalid project name". The crate for PEP 508 lets an empty name pass.
#[test]
fn an_empty_name_is_rejected() {
    assert!("-1.0-py3-none-any.whl".parse::<WheelFilename>().is_err());
}

/// A label has at least one character (PEP 825), and `packaging` rejects the name. Read as a wheel
/// without a label it could be chosen.
#[test]
fn an_empty_label_is_rejected() {
    for text in ["spam-1.0-py3-none-any-.whl", "spam-1.0-1-py3-none-any-.whl"] {
        assert!(text.parse::<WheelFilename>().is_err(), "{text}");
    }
}

/// Parts of a valid name, and how many tags it stands for.
#[derive(Debug)]
struct Generated {
    text: String,
    name: String,
    version: String,
    build: bool,
    label: Option<String>,
    tags: usize,
}

fn tag_set(tag: &'static str) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(tag, 1..4)
}

prop_compose! {
    fn valid_name()(
        name in "[A-Za-z0-9]([A-Za-z0-9_.]{0,8}[A-Za-z0-9])?",
        version in r"([0-9]!)?[0-9]{1,4}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?(\.dev[0-9])?(\+[a-z][a-z0-9]{0,3}(\.[0-9])?)?",
        build in prop::option::of("[0-9]{1,12}([a-z_.][a-z0-9_.]{0,5})?"),
        python in tag_set("(py|cp|pp)[0-9]{1,3}"),
        abi in tag_set("none|abi3t?|cp3[0-9]{1,2}t?"),
        platform in tag_set("any|win32|linux_[a-z0-9_]{1,8}|macosx_1[0-9]_[0-9]_arm64"),
        label in prop::option::of("[a-z0-9_.]{1,16}"),
    ) -> Generated {
        let mut parts = vec![name.clone(), version.clone()];
        parts.extend(build.clone());
        parts.extend([python.join("."), abi.join("."), platform.join(".")]);
        parts.extend(label.clone());
        Generated {
            text: format!("{}.whl", parts.join("-")),
            name,
            version,
            build: build.is_some(),
            label,
            tags: python.len() * abi.len() * platform.len(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_names_are_read_and_shown_as_they_were(generated in valid_name()) {
        let wheel = WheelFilename::from_str(&generated.text)
            .map_err(|problem| TestCaseError::fail(problem.to_string()))?;
        prop_assert_eq!(wheel.to_string(), generated.text);
        prop_assert_eq!(&wheel.name, &PackageName::from_str(&generated.name).unwrap());
        prop_assert_eq!(&wheel.version, &version(&generated.version));
        prop_assert_eq!(wheel.build.is_some(), generated.build);
        prop_assert_eq!(wheel.tags().count(), generated.tags);
        prop_assert_eq!(wheel.label, generated.label);
    }

    #[test]
    fn no_text_makes_it_panic(
        text in prop_oneof![
            "\\PC*",
            "[-._+!a-z0-9é \u{0}]{0,40}(\\.whl)?",
            "([0-9a-z._]{0,25}-){3,7}[a-z]{0,3}\\.whl",
        ],
    ) {
        if let Ok(wheel) = text.parse::<WheelFilename>() {
            prop_assert_eq!(wheel.to_string(), text);
            prop_assert!(wheel.tags().count() > 0);
        }
    }
}
