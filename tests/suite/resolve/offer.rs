//! What a release offers beside the wheel that is taken.

use ftcheck::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use ftcheck::model::tag::TagOrder;
use ftcheck::model::target::Target;
use ftcheck::resolve::offer::{describe_missing, of_files, source_of};
use url::Url;

fn target() -> Target {
    "3.14t".parse().unwrap()
}

fn tags() -> TagOrder {
    TagOrder::new(target(), "x86_64-manylinux_2_36".parse().unwrap())
}

fn file(filename: &str, requires_python: Option<&str>) -> DistributionFile {
    DistributionFile {
        kind: DistributionKind::parse(filename, &"spam".parse().unwrap()).unwrap(),
        url: Url::parse("https://files.example/").unwrap().join(filename).unwrap(),
        sha256: None,
        size: None,
        requires_python: requires_python.map(|range| range.parse().unwrap()),
        yanked: false,
        metadata: MetadataFile::Absent,
    }
}

#[test]
fn everything_is_counted() {
    let files = [
        file("spam-1.0.tar.gz", None),
        file("spam-1.0-py3-none-any.whl", None),
        file("spam-1.0-cp39-abi3-manylinux_2_17_x86_64.whl", None),
        file("spam-1.0-cp314-cp314t-win_amd64.whl", None),
        file("spam-1.0-cp314-cp314t-manylinux_2_17_x86_64.whl", None),
    ];
    let offer = of_files(&files, target(), &tags());
    assert!(offer.source && offer.any_platform && offer.compiled && offer.stable_abi);
    assert_eq!(offer.wheels, 4);
    assert_eq!(offer.elsewhere, ["spam-1.0-cp314-cp314t-win_amd64.whl"]);
    assert_eq!(offer.excluded_by, None);
}

#[test]
fn what_excludes_the_interpreter_is_named_where_nothing_is_left() {
    let old = || file("spam-1.0.tar.gz", Some("<3.13"));
    let files = [old(), file("spam-1.0-cp39-abi3-win_amd64.whl", Some("<3.13"))];
    assert_eq!(of_files(&files, target(), &tags()).excluded_by.as_deref(), Some("<3.13"));
    let files = [old(), file("spam-1.0-py3-none-any.whl", None)];
    assert_eq!(of_files(&files, target(), &tags()).excluded_by, None);
}

#[test]
fn what_is_missing_is_described() {
    for (names, expected) in [
        (vec!["spam-1.0.tar.gz"], "no wheels at all; would be built from source"),
        (
            vec!["spam-1.0.tar.gz", "spam-1.0-cp314-cp314t-win_amd64.whl"],
            "its wheels for 3.14t are for other platforms; would be built from source",
        ),
        (
            vec!["spam-1.0-cp39-abi3-win_amd64.whl"],
            "only abi3 and other wheels that 3.14t cannot load; nothing to build either",
        ),
        (
            vec!["spam-1.0-cp314-cp314-win_amd64.whl"],
            "none of its wheels is for 3.14t; nothing to build either",
        ),
    ] {
        let files: Vec<DistributionFile> = names.into_iter().map(|name| file(name, None)).collect();
        assert_eq!(describe_missing(&of_files(&files, target(), &tags()), target()), expected);
    }
}

#[test]
fn of_several_sources_the_tar_is_taken() {
    let files = [file("spam-1.0.zip", None), file("spam-1.0.tar.gz", None)];
    assert_eq!(source_of(&files).unwrap().kind.filename(), "spam-1.0.tar.gz");
    assert!(source_of(&files[..0]).is_none());
}
