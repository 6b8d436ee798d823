//! By which way a file's metadata comes, and what that costs.

use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::core_metadata::read;
use ftcheck::fetch::opened::Opened;
use ftcheck::model::distribution::DistributionFile;
use ftcheck::model::metadata::CoreMetadata;
use ftcheck::resolve::MetadataError;

use super::{block_on, cache, client, file_of, local_file, offline};
use crate::support::index::{FakeIndex, FakeIndexBuilder, Fault, IndexFile, Pages};
use crate::support::sdist::{SdistBuilder, noise};
use crate::support::wheel::{BuiltWheel, WheelBuilder, sha256_hex};

fn wheel() -> BuiltWheel {
    let builder = WheelBuilder::new("spam", "1.0").requires("ham>1").requires("eggs");
    builder.file("data", noise(400_000)).build()
}

fn sdist() -> SdistBuilder {
    SdistBuilder::new("spam", "1.0").pkg_info("2.2", "Requires-Dist: ham>1\nRequires-Dist: eggs")
}

fn index() -> FakeIndexBuilder {
    FakeIndex::builder()
}

fn metadata_of(file: &DistributionFile) -> Result<CoreMetadata, MetadataError> {
    block_on(read(&client(), &Cache::disabled(), &Opened::default(), file))
}

fn assert_is_spam(metadata: &CoreMetadata) {
    let requirements: Vec<String> =
        metadata.requires_dist.iter().map(ToString::to_string).collect();
    assert_eq!(requirements, ["ham>1", "eggs"]);
    assert_eq!(metadata.version.to_string(), "1.0");
}

#[test]
fn metadata_beside_a_wheel_is_all_that_is_asked_for() {
    for pages in [Pages::Json, Pages::Html] {
        let index = index().pages(pages).core_metadata(true).file(wheel()).start();
        assert_is_spam(&metadata_of(&file_of(&index)).expect("metadata"));
        let requests = index.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        assert!(requests[0].path.ends_with(".whl.metadata"), "{requests:#?}");
    }
}

#[test]
fn where_it_is_promised_but_missing_the_wheel_is_read() {
    for status in [404, 403] {
        let index = index()
            .core_metadata(true)
            .fault(".metadata", Fault::Status(status, 99))
            .file(wheel())
            .start();
        assert_is_spam(&metadata_of(&file_of(&index)).expect("metadata"));
        assert_eq!(index.requests_for(".metadata").len(), 1);
        assert!(index.requests().len() > 1);
    }
}

#[test]
fn metadata_with_another_digest_is_not_believed() {
    let index = index().core_metadata(true).file(wheel()).start();
    let file = file_of(&index);
    index.add_fault(".metadata", Fault::HtmlInsteadOfFile);
    let Err(MetadataError::Unavailable(problem)) = metadata_of(&file) else { panic!("believed") };
    assert!(problem.contains("expected sha256"), "{problem}");
}

#[test]
fn out_of_a_wheel_only_the_member_is_fetched() {
    let wheel = wheel();
    let size = wheel.bytes.len();
    let index = index().file(wheel).start();
    assert_is_spam(&metadata_of(&file_of(&index)).expect("metadata"));
    let received: usize = index.requests().iter().map(|request| request.body_bytes).sum();
    assert!(received < size / 4, "{received} of {size}");
}

#[test]
fn metadata_of_another_release_is_refused() {
    let wrong = WheelBuilder::new("spam", "2.0").build();
    let file = IndexFile {
        filename: "spam-1.0-py3-none-any.whl".to_owned(),
        version: "1.0".to_owned(),
        ..IndexFile::from(wrong)
    };
    for beside in [true, false] {
        let index = index().core_metadata(beside).file(file.clone()).start();
        let outcome = metadata_of(&file_of(&index));
        assert!(matches!(outcome, Err(MetadataError::Invalid(_))), "{outcome:?}");
    }
}

#[test]
fn a_source_distribution_is_read_no_further_than_its_metadata() {
    let sdist = sdist().file("data", noise(8_000_000)).build();
    let index = index().file(sdist.clone()).start();
    let file = file_of(&index);
    let client = client();
    assert_is_spam(
        &block_on(read(&client, &Cache::disabled(), &Opened::default(), &file)).expect("metadata"),
    );
    assert_eq!(index.requests().len(), 1);
    let (received, size) = (client.traffic().bytes(), sdist.bytes.len() as u64);
    assert!(received < size / 2, "{received} of {size}");
}

#[test]
fn a_zipped_source_distribution_is_read_too() {
    let index = index().file(sdist().file("data", noise(400_000)).build_zip()).start();
    assert_is_spam(&metadata_of(&file_of(&index)).expect("metadata"));
    assert!(index.requests().iter().all(|request| request.status == 206));
}

#[test]
fn what_only_a_build_could_tell_is_said_to_be_so() {
    let old = SdistBuilder::new("spam", "1.0").pkg_info("2.1", "");
    for file in [old.build(), old.build_zip()] {
        let index = index().file(file).start();
        let Err(MetadataError::NeedsBuild(reason)) = metadata_of(&file_of(&index)) else {
            panic!("no build needed")
        };
        assert!(reason.contains("version 2.1"), "{reason}");
        assert!(reason.contains("only building spam-1.0."), "{reason}");
    }
    let index = index().file(IndexFile::raw("spam", "1.0", "spam-1.0.tar.xz", "x")).start();
    let outcome = metadata_of(&file_of(&index));
    assert!(matches!(outcome, Err(MetadataError::NeedsBuild(_))), "{outcome:?}");
}

#[test]
fn a_source_distribution_with_another_digest_is_not_believed() {
    let file = SdistBuilder::new("spam", "1.0").pkg_info("2.1", "").build();
    let index = index().file(file.claimed_sha256(&sha256_hex(b"other"))).start();
    let outcome = metadata_of(&file_of(&index));
    assert!(matches!(outcome, Err(MetadataError::Unavailable(_))), "{outcome:?}");
}

#[test]
fn a_source_distribution_that_breaks_off_is_asked_for_again() {
    let index = index().file(sdist().build()).start();
    let file = file_of(&index);
    index.add_fault(".tar.gz", Fault::CloseConnection(1));
    assert_is_spam(&metadata_of(&file).expect("metadata"));
    assert_eq!(index.requests().len(), 2);
}

#[test]
fn what_was_read_once_is_known_without_a_network() {
    let old = SdistBuilder::new("spam", "1.0").pkg_info("2.1", "").build();
    for (file, is_static) in [(wheel().into(), true), (sdist().build(), true), (old, false)] {
        let index = index().file(file).start();
        let file = file_of(&index);
        let folder = tempfile::tempdir().unwrap();
        let first = block_on(read(&client(), &cache(&folder), &Opened::default(), &file));
        index.clear_requests();
        let second = block_on(read(&offline(), &cache(&folder), &Opened::default(), &file));
        assert!(index.requests().is_empty());
        assert_eq!(first.is_ok(), is_static);
        assert_eq!(format!("{first:?}"), format!("{second:?}"));

        // Without a digest a file may change, so that nothing is kept.
        let unknown = DistributionFile { sha256: None, ..file };
        let folder = tempfile::tempdir().unwrap();
        let _ = block_on(read(&client(), &cache(&folder), &Opened::default(), &unknown));
        let offline = block_on(read(&offline(), &cache(&folder), &Opened::default(), &unknown));
        assert!(matches!(offline, Err(MetadataError::Unavailable(_))), "{offline:?}");
    }
}

#[test]
fn files_on_this_machine_need_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = wheel();
    for (filename, bytes) in [
        (wheel.filename.clone(), wheel.bytes.clone()),
        ("spam-1.0.tar.gz".to_owned(), sdist().tar_gz()),
        ("spam-1.0.zip".to_owned(), sdist().zip()),
    ] {
        let path = folder.path().join(filename);
        std::fs::write(&path, &bytes).unwrap();
        let file = local_file(&path, "spam");
        let metadata = block_on(read(&offline(), &Cache::disabled(), &Opened::default(), &file));
        assert_is_spam(&metadata.expect("metadata"));

        let file = DistributionFile { sha256: sha256_hex(&bytes).parse().ok(), ..file };
        assert!(block_on(read(&offline(), &cache(&folder), &Opened::default(), &file)).is_ok());
        // Read anew, whatever was found before: files here may change.
        std::fs::write(&path, b"changed").unwrap();
        let outcome = block_on(read(&offline(), &cache(&folder), &Opened::default(), &file));
        let Err(MetadataError::Unavailable(problem)) = outcome else { panic!("{outcome:?}") };
        assert!(problem.contains("expected sha256"), "{problem}");
        std::fs::remove_file(&path).unwrap();
        let outcome = block_on(read(&offline(), &cache(&folder), &Opened::default(), &file));
        let Err(MetadataError::Unavailable(problem)) = outcome else { panic!("{outcome:?}") };
        assert!(problem.contains("there is no such file"), "{problem}");
    }
}
