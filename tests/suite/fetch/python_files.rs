//! The Python files of a wheel: what is fetched of it, and what is kept.

use std::sync::Arc;

use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::client::{Client, FetchError};
use ftcheck::fetch::python_files::PythonFiles;
use ftcheck::model::distribution::DistributionFile;

use super::{block_on, client, file_of, offline};
use crate::support::index::FakeIndex;
use crate::support::sdist::noise;
use crate::support::wheel::WheelBuilder;

fn index() -> FakeIndex {
    let wheel = WheelBuilder::new("spam", "1.0")
        .file("spam/__init__.py", "import spam.data\n")
        .file("spam/large.bin", noise(600_000))
        .file("spam/more.bin", noise(300_000))
        .file("spam/last.py", "last = 1\n")
        .build();
    FakeIndex::builder().file(wheel).start()
}

fn fetch(
    client: &Arc<Client>,
    cache: &Cache,
    file: &DistributionFile,
) -> Result<PythonFiles, FetchError> {
    block_on(PythonFiles::fetch(client, cache, None, file))
}

#[test]
fn python_files_are_fetched_without_what_lies_between_them() {
    let index = index();
    let file = file_of(&index);
    let files = fetch(&client(), &Cache::disabled(), &file).expect("files");
    assert_eq!(files.source("spam/__init__.py").unwrap(), b"import spam.data\n");
    assert_eq!(files.source("spam/last.py").unwrap(), b"last = 1\n");
    assert_eq!(files.source("spam/large.bin"), None, "no Python");
    assert_eq!(files.source("spam/none.py"), None);
    assert!(files.names().iter().any(|name| name == "spam/large.bin"), "{:?}", files.names());
    let sent: usize = index.requests().iter().map(|request| request.body_bytes).sum();
    assert!(sent < 200_000, "{sent} bytes were sent");
}

#[test]
fn python_files_are_kept_and_what_is_damaged_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path().to_owned());
    let index = index();
    let file = file_of(&index);
    assert!(fetch(&offline(), &cache, &file).is_err(), "nothing is kept yet");
    fetch(&client(), &cache, &file).expect("files");
    let kept = fetch(&offline(), &cache, &file).expect("what was kept");
    assert_eq!(kept.source("spam/last.py").unwrap(), b"last = 1\n");
    assert_eq!(kept.names().len(), index_names());
    for entry in walkdir::WalkDir::new(folder.path()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let mut bytes = std::fs::read(entry.path()).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(entry.path(), bytes).unwrap();
        }
    }
    assert!(fetch(&offline(), &cache, &file).is_err(), "damaged, and dropped");
    fetch(&client(), &cache, &file).expect("fetched again");
}

/// Members of the wheel: its own four, and the three of every `.dist-info`.
fn index_names() -> usize {
    7
}
