//! Finding a file and its kind, and reading its bytes as text.

use std::fs;

use ftcheck::input::{InputError, Source, find};
use tempfile::tempdir;

use super::{line_and_column, read, requirements};

fn found(names: &[&str], asked: &str) -> Result<(String, &'static str), InputError> {
    let folder = tempdir().unwrap();
    for name in names {
        fs::write(folder.path().join(name), "spam\n").unwrap();
    }
    let path = if asked == "." { folder.path().to_owned() } else { folder.path().join(asked) };
    let (path, format) = find(&path)?;
    Ok((path.file_name().unwrap().to_str().unwrap().to_owned(), format.name()))
}

#[test]
fn a_file_is_of_the_kind_its_name_says() {
    for (file, kind) in [
        ("requirements.txt", "requirements.txt"),
        ("requirements-dev.txt", "requirements.txt"),
        ("dev.txt", "requirements.txt"),
        ("uv.lock", "uv.lock"),
        ("demo.py.lock", "uv.lock"),
    ] {
        assert_eq!(found(&[file], file).unwrap(), (file.to_owned(), kind));
    }
}

/// A lock says what is installed; requirements leave releases open.
#[test]
fn in_a_directory_the_lock_is_taken_before_requirements() {
    let both = ["requirements.txt", "uv.lock"];
    assert_eq!(found(&both, ".").unwrap().0, "uv.lock");
    assert_eq!(found(&["requirements.txt", "other.txt"], ".").unwrap().0, "requirements.txt");
}

#[test]
fn a_directory_without_a_known_file_is_rejected_with_what_was_expected() {
    let problem = found(&["requirements-dev.txt", "setup.py"], ".").unwrap_err();
    assert!(problem.problem.contains("uv.lock"), "{problem}");
    assert!(problem.problem.contains("requirements.txt"), "{problem}");
    assert!(problem.hint.is_some());
}

#[test]
fn a_file_of_another_name_or_none_is_rejected() {
    let problem = found(&["setup.py"], "setup.py").unwrap_err();
    assert!(problem.to_string().contains("uv.lock"), "{problem}");
    let problem = found(&[], "requirements.txt").unwrap_err();
    assert!(problem.problem.contains("no such file"), "{problem}");
    assert!(problem.to_string().contains("requirements.txt"), "{problem}");
}

fn open(bytes: &[u8]) -> Result<Source, InputError> {
    let folder = tempdir().unwrap();
    let path = folder.path().join("requirements.txt");
    fs::write(&path, bytes).unwrap();
    Source::open(&path)
}

#[test]
fn bytes_that_are_no_utf_8_are_told_with_their_place() {
    // Latin-1, as an editor on an old machine writes it.
    let problem = open(b"flask\n# caf\xe9\n").unwrap_err();
    assert_eq!(line_and_column(&problem), (2, 6));
    assert!(problem.problem.contains("UTF-8"), "{problem}");
    // The column counts characters, and lines end as Windows ends them.
    let problem =
        open("é\r\n# é€".bytes().chain([0xff]).collect::<Vec<_>>().as_slice()).unwrap_err();
    assert_eq!(line_and_column(&problem), (2, 5));
    // A character that is cut off by the end of the file.
    let problem = open(b"fl\xe2\x82").unwrap_err();
    assert_eq!(line_and_column(&problem), (1, 3));
}

/// The mark is no character of the line: no editor counts it.
#[test]
fn a_byte_order_mark_does_not_move_columns() {
    let source = open(b"\xef\xbb\xbfflask\n").unwrap();
    assert_eq!(source.text, "flask\n");
    let problem = open(b"\xef\xbb\xbffl\xff").unwrap_err();
    assert_eq!(line_and_column(&problem), (1, 3));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_requirement() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("requirements.txt");
    fs::write(&path, b"\xef\xbb\xbfflask\r\nnumpy\r\n").unwrap();
    let read = requirements(read(&path).unwrap());
    let names: Vec<_> = read.iter().map(|requirement| requirement.name.to_string()).collect();
    assert_eq!(names, ["flask", "numpy"]);
    assert_eq!((read[0].location.line, read[0].location.column), (1, 1));
    assert_eq!((read[1].location.line, read[1].location.column), (2, 1));
}
