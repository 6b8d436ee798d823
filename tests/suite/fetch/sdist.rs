//! Source distributions as bytes: what is found in them, and that no bytes do harm.

use std::io::{Cursor, Read};

use ftcheck::fetch::sdist::{Said, Texts, Wanted};
use proptest::prelude::*;

use super::name;
use crate::support::sdist::{SdistBuilder, noise};

fn said(builder: &SdistBuilder) -> Result<Said, String> {
    let texts = Texts::of_tar_gz(Cursor::new(builder.tar_gz())).expect("a sound archive");
    texts.said(&name("spam"), &"1.0".parse().unwrap())
}

fn metadata(builder: &SdistBuilder) -> String {
    match said(builder) {
        Ok(Said::Metadata(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn build(builder: &SdistBuilder) -> String {
    match said(builder) {
        Ok(Said::Build(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn spam() -> SdistBuilder {
    SdistBuilder::new("spam", "1.0")
}

#[test]
fn static_pkg_info_is_taken_without_its_description() {
    let text = metadata(&spam().pkg_info("2.2", "Requires-Dist: ham>1"));
    assert!(text.contains("Requires-Dist: ham>1\n"), "{text}");
    assert!(!text.contains("A text."), "{text}");
}

#[test]
fn what_is_dynamic_or_older_is_left_to_a_build() {
    for (version, lines, expected) in [
        ("2.1", "Requires-Dist: ham>1", "version 2.1"),
        ("2.2", "Dynamic: Requires-Dist", "requires-dist"),
        ("2.4", "Dynamic: provides-extra", "provides-extra"),
        ("2.2", "Dynamic: Requires-Python", "requires-python"),
    ] {
        let reason = build(&spam().pkg_info(version, lines));
        assert!(reason.contains(expected), "{reason}");
        // What a build may state is in no table either.
        assert_eq!(reason.contains("no pyproject.toml"), version == "2.1", "{reason}");
    }
    assert!(build(&spam().file("setup.py", "")).contains("no PKG-INFO"));
    // What a build would not read does not damage it.
    assert!(build(&spam().file("PKG-INFO", "Requires-Dist: !!\n")).contains("no `Name`"));
    // Metadata that is dynamic in other ways is static where it matters.
    metadata(&spam().pkg_info("2.2", "Dynamic: Description\nDynamic: License"));
}

#[test]
fn a_static_project_table_stands_in_for_old_metadata() {
    let table = r#"
        [project]
        name = "Spam"
        dynamic = ["version", "readme"]
        requires-python = ">=3.9"
        dependencies = ["ham>1", "eggs; os_name == 'nt' or os_name == 'posix'"]
        [project.optional-dependencies]
        Toast = ["jam[sweet]; python_version > '3.8'"]
    "#;
    let text = metadata(&spam().file("pyproject.toml", table).pkg_info("2.1", ""));
    let read = ftcheck::model::metadata::CoreMetadata::parse(text.as_bytes()).expect("metadata");
    let requirements: Vec<String> = read.requires_dist.iter().map(ToString::to_string).collect();
    assert_eq!(
        requirements,
        [
            "ham>1",
            "eggs ; os_name == 'nt' or os_name == 'posix'",
            "jam[sweet] ; python_full_version >= '3.9' and extra == 'toast'",
        ]
    );
    assert_eq!(read.provides_extra.len(), 1);
    assert_eq!(read.requires_python.unwrap().to_string(), ">=3.9");
    assert_eq!(read.version.to_string(), "1.0");
}

#[test]
fn a_project_table_that_leaves_something_open_does_not() {
    for (table, expected) in [
        ("[tool.x]\na = 1", "no [project] table"),
        ("[project]\nname = 'spam'\ndynamic = ['dependencies']", "leaves dependencies"),
        (
            "[project]\nname = 'spam'\ndynamic = ['optional-dependencies']",
            "leaves optional-dependencies",
        ),
        ("[project]\nname = 'spam'\ndynamic = ['requires-python']", "leaves requires-python"),
        ("[project]\nname = 'ham'", "does not name spam"),
        ("[project]\nname = 'spam'\n[tool.poetry]", "poetry"),
        ("[project]\nname = 'spam'\ndependencies = ['!!']", "requires `!!`"),
        ("[project]\nname = 'spam'\ndependencies = 'ham'", "no list"),
        ("[project]\nname = 'spam'\noptional-dependencies = ['ham']", "no table"),
        ("[project", "is not TOML"),
    ] {
        let reason = build(&spam().file("pyproject.toml", table).pkg_info("2.1", ""));
        assert!(reason.contains(expected), "{table}: {reason}");
    }
    let reason = build(&spam().file("pyproject.toml", "[project]\nname = 'spam'"));
    assert!(reason.contains("does not state the version"), "{reason}");
    let table = "[project]\nname = 'spam'\nversion = '1.0'\ndependencies = ['ham']";
    assert!(metadata(&spam().file("pyproject.toml", table)).contains("Requires-Dist: ham\n"));
}

#[test]
fn metadata_of_another_release_is_refused() {
    let other = spam().file("PKG-INFO", "Metadata-Version: 2.2\nName: spam\nVersion: 2.0\n");
    assert!(said(&other).unwrap_err().contains("found that of spam 2.0"));
}

#[test]
fn only_files_at_the_top_count() {
    for (path, expected) in [
        ("spam-1.0/PKG-INFO", Some(Wanted::PkgInfo)),
        ("./spam-1.0/PKG-INFO", Some(Wanted::PkgInfo)),
        ("spam-1.0//pyproject.toml", Some(Wanted::Pyproject)),
        ("PKG-INFO", None),
        ("../PKG-INFO", None),
        ("spam-1.0/src/PKG-INFO", None),
        ("spam-1.0/spam.egg-info/PKG-INFO", None),
        ("spam-1.0/pkg-info", None),
        ("", None),
    ] {
        assert_eq!(Wanted::of(path), expected, "{path}");
    }
}

#[test]
fn long_names_before_it_are_stepped_over_and_read() {
    let long = format!("{}/PKG-INFO", "x".repeat(300));
    let text = metadata(&spam().file(&long, "Name: wrong\n").pkg_info("2.2", "Requires-Dist: ham"));
    assert!(text.contains("Requires-Dist: ham\n"));
}

/// Tells how much was read of it.
struct Counting<'a>(Cursor<Vec<u8>>, &'a mut usize);

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(buffer)?;
        *self.1 += count;
        Ok(count)
    }
}

#[test]
fn no_more_is_read_than_needed() {
    let table = "[project]\nname = 'spam'";
    for builder in [
        spam().pkg_info("2.2", ""),
        spam().pkg_info("2.2", "Dynamic: requires-dist"),
        spam().pkg_info("2.1", "").file("pyproject.toml", table),
    ] {
        let bytes = builder.file("data", noise(3_000_000)).tar_gz();
        let (size, mut count) = (bytes.len(), 0);
        Texts::of_tar_gz(Counting(Cursor::new(bytes), &mut count)).expect("a sound archive");
        assert!(count < size / 10, "{count} of {size}");
    }
}

#[test]
fn a_damaged_archive_is_told() {
    for bytes in [&b"not gzip"[..], b"", &[0x1f, 0x8b, 8, 0]] {
        assert!(Texts::of_tar_gz(bytes).is_err());
    }
    let whole = spam().file("data", noise(100_000)).tar_gz();
    let problem = Texts::of_tar_gz(&whole[..whole.len() / 2]).unwrap_err().to_string();
    assert!(problem.starts_with("damaged source distribution"), "{problem}");
}

#[test]
fn a_metadata_file_beyond_all_measure_is_refused() {
    let bytes = spam().file("PKG-INFO", vec![b'a'; (16 << 20) + 1]).tar_gz();
    assert!(Texts::of_tar_gz(bytes.as_slice()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in the archive before and behind it, and in whatever order: what was put in
    /// is what is found.
    #[test]
    fn what_was_put_in_is_found(
        before in prop::collection::vec(("[a-z]{1,8}(/[a-z]{1,120}){0,2}", 0usize..2000), 0..6),
        pyproject_first in any::<bool>(),
        text in "[ -~\n]{0,200}",
    ) {
        let mut builder = spam();
        for (path, size) in before {
            builder = builder.file(&path, noise(size));
        }
        let info = format!("Metadata-Version: 2.1\n{text}");
        builder = if pyproject_first {
            builder.file("pyproject.toml", text.clone()).file("PKG-INFO", info.clone())
        } else {
            builder.file("PKG-INFO", info.clone()).file("pyproject.toml", text.clone())
        };
        let texts = Texts::of_tar_gz(Cursor::new(builder.tar_gz())).unwrap();
        prop_assert_eq!(texts.pkg_info, Some(info.into_bytes()));
        prop_assert_eq!(texts.pyproject, Some(text.into_bytes()));
    }

    #[test]
    fn no_bytes_do_harm(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let builder = spam().file("a", "b").pkg_info("2.1", "").file("pyproject.toml", "[project]");
        let mut tar = builder.tar();
        for (at, byte) in flips {
            let at = at.index(tar.len());
            tar[at] = byte;
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, &tar).unwrap();
        if let Ok(texts) = Texts::of_tar_gz(gzip.finish().unwrap().as_slice()) {
            let _ = texts.said(&name("spam"), &"1.0".parse().unwrap());
        }
    }
}

/// Found by fuzzing: a space of another encoding was trimmed where the text was looked at, and stood
/// in what was given on.
#[test]
fn what_is_given_on_of_pkg_info_is_what_was_looked_at() {
    let text = b"Metadata-Version: 2.4\nName: spam\nVersion:\xa01.0\n\n";
    match said(&spam().file("PKG-INFO", text)) {
        Ok(Said::Metadata(text)) => panic!("{text:?} is no metadata of a version"),
        Ok(Said::Build(reason)) => assert!(reason.contains("version"), "{reason}"),
        Err(problem) => panic!("{problem}"),
    }
}
