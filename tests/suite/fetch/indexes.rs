//! Several indexes as one: whose files count, and what is asked how often.

use std::path::Path;

use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::indexes::Indexes;
use ftcheck::model::index::{
    IndexSettings, IndexSource, IndexStrategy, LinksSource, ProjectStatus,
};
use ftcheck::resolve::{Index as _, IndexError};
use url::Url;

use super::{all, block_on, client, name, offline};
use crate::support::index::{FakeIndex, Fault, Pages};
use crate::support::wheel::{BuiltWheel, Sdist, WheelBuilder};

fn spam(version: &str) -> BuiltWheel {
    WheelBuilder::new("spam", version).requires("ham").build()
}

fn source(url: &str) -> IndexSource {
    IndexSource::new(Url::parse(url).unwrap())
}

fn default(index: &FakeIndex) -> IndexSource {
    IndexSource { is_default: true, ..source(&index.simple_url()) }
}

fn named(name: &str, index: &FakeIndex) -> IndexSource {
    IndexSource { name: Some(name.to_owned()), ..source(&index.simple_url()) }
}

fn indexes(settings: IndexSettings) -> Indexes {
    Indexes::new(client(), Cache::disabled(), settings)
}

/// Indexes asked in this order.
fn of(sources: impl IntoIterator<Item = IndexSource>) -> IndexSettings {
    IndexSettings { indexes: sources.into_iter().collect(), ..IndexSettings::default() }
}

fn files(indexes: &Indexes, from: Option<&str>) -> Result<Vec<String>, IndexError> {
    let files = block_on(indexes.files(&name("spam"), from))?;
    Ok(all(&files).iter().map(|file| file.kind.version().to_string()).collect())
}

fn problem(indexes: &Indexes, from: Option<&str>) -> String {
    files(indexes, from).expect_err("an error").to_string()
}

#[test]
fn the_first_index_that_has_a_project_is_the_only_one_that_counts() {
    let without = FakeIndex::builder().start();
    let first = FakeIndex::builder().file(spam("1.0")).start();
    let last = FakeIndex::builder().file(spam("2.0")).start();
    // The default one is asked last wherever it stands.
    let settings = of([default(&last), named("a", &without), named("b", &first)]);
    assert_eq!(files(&indexes(settings), None).unwrap(), ["1.0"]);
    assert_eq!(without.requests().len(), 1);
    assert!(last.requests().is_empty());
}

#[test]
fn or_the_files_of_all_compete() {
    let first = FakeIndex::builder().file(spam("1.0")).start();
    let last = FakeIndex::builder().file(spam("2.0")).start();
    let mut settings = of([named("a", &first), default(&last)]);
    settings.strategy = Some(IndexStrategy::BestMatch);
    assert_eq!(files(&indexes(settings), None).unwrap(), ["1.0", "2.0"]);
}

#[test]
fn a_project_without_files_is_a_project() {
    let first = FakeIndex::builder().empty_project("spam").start();
    let last = FakeIndex::builder().file(spam("2.0")).start();
    let settings = of([named("a", &first), default(&last)]);
    assert_eq!(files(&indexes(settings), None).unwrap(), Vec::<String>::new());
}

#[test]
fn an_explicit_index_is_asked_only_by_name() {
    let explicit = FakeIndex::builder().file(spam("1.0")).start();
    let public = FakeIndex::builder().file(spam("2.0")).start();
    let asked_by_name = IndexSource { explicit: true, ..named("own", &explicit) };
    let indexes = indexes(of([asked_by_name, default(&public)]));
    assert_eq!(files(&indexes, None).unwrap(), ["2.0"]);
    assert!(explicit.requests().is_empty());
    assert_eq!(files(&indexes, Some("own")).unwrap(), ["1.0"]);
    assert!(problem(&indexes, Some("other")).contains("no index is called `other`"));
}

#[test]
fn what_comes_from_a_named_index_comes_from_nowhere_else() {
    let empty = FakeIndex::builder().start();
    let public = FakeIndex::builder().file(spam("2.0")).start();
    let indexes = indexes(of([named("own", &empty), default(&public)]));
    assert!(problem(&indexes, Some("own")).contains("no such package"));
    assert!(public.requests().is_empty());
}

#[test]
fn an_index_that_refuses_or_fails_ends_the_question() {
    for status in [401, 403, 500] {
        for strategy in [IndexStrategy::FirstIndex, IndexStrategy::BestMatch] {
            let closed = FakeIndex::builder().fault("/simple/", Fault::Status(status, 99)).start();
            let public = FakeIndex::builder().file(spam("2.0")).start();
            let mut settings = of([named("own", &closed), default(&public)]);
            settings.strategy = Some(strategy);
            let problem = problem(&indexes(settings), None);
            assert!(problem.contains(&status.to_string()), "{problem}");
            assert_eq!(problem.contains("no credentials"), status < 500, "{problem}");
            assert!(public.requests().is_empty());
        }
    }
}

/// uv's `ignore-error-codes`: the index says by it that the project is not there.
#[test]
fn statuses_that_are_to_be_ignored_lead_on_to_the_next_index() {
    let store = FakeIndex::builder().fault("/simple/", Fault::Status(403, 99)).start();
    let public = FakeIndex::builder().file(spam("2.0")).start();
    let own = IndexSource { ignored_statuses: vec![401, 403], ..named("own", &store) };
    let indexes_of = |own: IndexSource| indexes(of([own, default(&public)]));
    assert_eq!(files(&indexes_of(own.clone()), None).unwrap(), ["2.0"]);
    assert!(matches!(files(&indexes_of(own), Some("own")), Err(IndexError::NotFound { .. })));
    // Another status still ends the question, and what could be said is told.
    let other = IndexSource { ignored_statuses: vec![401], ..named("own", &store) };
    let problem = problem(&indexes_of(other), None);
    assert!(problem.contains("`ignore-error-codes = [403]`"), "{problem}");
}

#[test]
fn where_no_index_has_it_all_are_named() {
    let (first, last) = (FakeIndex::builder().start(), FakeIndex::builder().start());
    let folder = tempfile::tempdir().unwrap();
    let mut settings = of([source(&first.url_with("user:hunter2")), default(&last)]);
    settings.find_links = vec![LinksSource::Path(folder.path().to_owned())];
    let problem = problem(&indexes(settings), None);
    assert!(problem.contains(&first.simple_url()), "{problem}");
    assert!(problem.contains(&last.simple_url()), "{problem}");
    assert!(problem.contains(&folder.path().display().to_string()), "{problem}");
    assert!(!problem.contains("hunter2"));
}

#[test]
fn nothing_is_asked_for_twice_by_however_many() {
    let index = FakeIndex::builder().core_metadata(true).file(spam("1.0")).start();
    let indexes = indexes(of([default(&index)]));
    let (spam, ham) = (name("spam"), name("ham"));
    block_on(async {
        let asked = (0..32).map(|_| async {
            let files = indexes.files(&spam, None).await.expect("files");
            indexes.metadata(&all(&files)[0]).await.expect("metadata");
            indexes.files(&ham, None).await.expect_err("not there");
        });
        futures_util::future::join_all(asked).await;
    });
    assert_eq!(index.requests().len(), 3, "{:#?}", index.requests());
}

/// A folder with a wheel of spam 3.0, one of ham, and things that are neither.
fn folder_of_files(folder: &Path) {
    for wheel in [spam("3.0"), WheelBuilder::new("ham", "1.0").build()] {
        std::fs::write(folder.join(&wheel.filename), &wheel.bytes).unwrap();
    }
    std::fs::write(folder.join("notes.txt"), "spam").unwrap();
    std::fs::create_dir(folder.join("spam-4.0.tar.gz")).unwrap();
}

#[test]
fn folders_and_files_stand_beside_the_indexes() {
    let index = FakeIndex::builder().file(spam("2.0")).start();
    let folder = tempfile::tempdir().unwrap();
    folder_of_files(folder.path());
    let file = folder.path().join(spam("3.0").filename);
    let url = Url::from_directory_path(folder.path()).unwrap();
    for place in [
        LinksSource::Path(folder.path().to_owned()),
        LinksSource::Path(file),
        LinksSource::Page(url),
    ] {
        let mut settings = of([default(&index)]);
        settings.find_links = vec![place];
        assert_eq!(files(&indexes(settings.clone()), None).unwrap(), ["2.0", "3.0"]);
        settings.no_index = true;
        let alone = Indexes::new(offline(), Cache::disabled(), settings);
        let found = all(&block_on(alone.files(&name("spam"), None)).expect("files"));
        assert_eq!(found.len(), 1);
        let metadata = block_on(alone.metadata(&found[0])).expect("metadata");
        assert_eq!(metadata.requires_dist[0].to_string(), "ham");
        assert!(block_on(alone.files(&name("eggs"), None)).is_err());
        assert!(problem(&alone, Some("own")).contains("no index"));
    }
}

#[test]
fn a_page_of_files_is_read_once_for_all_names() {
    let server = FakeIndex::builder()
        .pages(Pages::Html)
        .file(spam("1.0"))
        .file(Sdist::new("spam", "2.0"))
        .start();
    let settings = IndexSettings {
        find_links: vec![LinksSource::Page(
            format!("{}spam/", server.simple_url()).parse().unwrap(),
        )],
        no_index: true,
        ..IndexSettings::default()
    };
    let indexes = indexes(settings);
    assert_eq!(files(&indexes, None).unwrap(), ["1.0", "2.0"]);
    assert!(block_on(indexes.files(&name("ham"), None)).is_err());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_place_of_files_that_is_not_there_is_told() {
    let settings = IndexSettings {
        find_links: vec![LinksSource::Path("/nonexistent/wheels".into())],
        no_index: true,
        ..IndexSettings::default()
    };
    assert!(problem(&indexes(settings), None).contains("/nonexistent/wheels"));
}

#[test]
fn an_index_in_a_folder_is_read_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = spam("1.0");
    std::fs::create_dir(folder.path().join("spam")).unwrap();
    std::fs::write(folder.path().join("spam").join(&wheel.filename), &wheel.bytes).unwrap();
    let page = format!("<a href=\"{0}#sha256={1}\">{0}</a>", wheel.filename, wheel.sha256);
    std::fs::write(folder.path().join("spam/index.html"), page).unwrap();
    let root = Url::from_directory_path(folder.path()).unwrap();
    let indexes = Indexes::new(offline(), Cache::disabled(), IndexSettings::only(root));
    let files = all(&block_on(indexes.files(&name("spam"), None)).expect("files"));
    assert_eq!(files.len(), 1);
    assert!(block_on(indexes.metadata(&files[0])).is_ok());
    let missing = block_on(indexes.files(&name("ham"), None));
    assert!(matches!(missing, Err(IndexError::NotFound { .. })), "{missing:?}");
}

#[test]
fn the_status_of_a_project_is_read() {
    for pages in [Pages::Json, Pages::Html] {
        let because = Some("gone & \"done\"".to_owned());
        for (status, expected) in [
            ("archived", ProjectStatus::Archived(because.clone())),
            ("deprecated", ProjectStatus::Deprecated(because.clone())),
            ("active", ProjectStatus::Active),
            ("something-new", ProjectStatus::Active),
        ] {
            let index = FakeIndex::builder()
                .pages(pages)
                .status("spam", status, "gone & \"done\"")
                .file(spam("1.0"))
                .start();
            let indexes = indexes(of([default(&index)]));
            assert_eq!(files(&indexes, None).unwrap(), ["1.0"]);
            let found = block_on(indexes.status(&name("spam"), None)).expect("a status");
            assert_eq!(found, expected);
            assert_eq!(index.requests().len(), 1);
        }
    }
}

#[test]
fn a_project_in_quarantine_is_said_to_be_there() {
    for pages in [Pages::Json, Pages::Html] {
        let index = FakeIndex::builder()
            .pages(pages)
            .empty_project("spam")
            .status("spam", "quarantined", "malware")
            .start();
        let public = FakeIndex::builder().file(spam("2.0")).start();
        let problem = problem(&indexes(of([named("own", &index), default(&public)])), None);
        assert!(problem.contains("quarantine"), "{problem}");
        assert!(problem.contains("malware"), "{problem}");
    }
}
