//! Project pages as they are kept: by release, and made into files when they are asked for.

use std::collections::BTreeMap;

use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::indexes::Indexes;
use ftcheck::fetch::simple::kept::ProjectPage;
use ftcheck::model::distribution::MetadataFile;
use ftcheck::model::index::{IndexSettings, IndexSource, LinksSource};
use ftcheck::resolve::Index as _;
use pep440_rs::Version;
use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

use super::{all, block_on, cache, client, name, offline};
use crate::support::index::{FakeIndex, Pages};
use crate::support::wheel::WheelBuilder;

const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A file as a page has it, and what has to come of it.
#[derive(Debug, Clone)]
struct Listed {
    version: &'static str,
    filename: String,
    address: String,
    sha256: Option<String>,
    size: Option<u64>,
    requires_python: Option<&'static str>,
    yanked: bool,
    metadata: Option<bool>,
}

impl Listed {
    fn json(&self) -> Value {
        let mut file = json!({
            "filename": self.filename,
            "url": self.address,
            "hashes": {},
            "yanked": self.yanked,
        });
        if let Some(sha256) = &self.sha256 {
            file["hashes"]["sha256"] = json!(sha256);
        }
        if let Some(size) = self.size {
            file["size"] = json!(size);
        }
        if let Some(range) = self.requires_python {
            file["requires-python"] = json!(range);
        }
        match self.metadata {
            Some(true) => file["core-metadata"] = json!({ "sha256": "ab".repeat(32) }),
            Some(false) => file["core-metadata"] = json!(true),
            None => {}
        }
        file
    }

    /// The words of a file that an installer would take.
    fn expected(&self, page: &Url) -> String {
        // A range that is none says nothing.
        let requires_python = self.requires_python.filter(|range| *range != "what?");
        let metadata = match self.metadata {
            None => MetadataFile::Absent,
            Some(false) => MetadataFile::Present(None),
            Some(true) => MetadataFile::Present("ab".repeat(32).parse().ok()),
        };
        words(
            &self.filename,
            page.join(&self.address).unwrap().as_str(),
            self.sha256.as_deref(),
            self.size,
            requires_python,
            self.yanked,
            metadata,
        )
    }
}

fn words(
    filename: &str,
    url: &str,
    sha256: Option<&str>,
    size: Option<u64>,
    requires_python: Option<&str>,
    yanked: bool,
    metadata: MetadataFile,
) -> String {
    format!("{filename} {url} {sha256:?} {size:?} {requires_python:?} {yanked} {metadata:?}")
}

prop_compose! {
    fn listed()(
        version in prop::sample::select(&["1.0", "1.0.0", "1.1", "2.0rc1", "2.0+cpu", "10.0"][..]),
        kind in 0..4,
        folder in prop::sample::select(&["", "../a/", "https://files.example/p/ab/", "https://files.example/p/ac/",
            "http://other.example/%C3%BC/", "../ü/"][..]),
        file in "[a-z0-9 %+ü]{0,6}",
        is_plain in any::<bool>(),
        sha256 in prop::option::of("[0-9a-f]{64}"),
        size in prop::option::of(any::<u64>()),
        requires_python in prop::option::of(prop::sample::select(&[">=3.9", ">=3.9, <4", "what?"][..])),
        yanked in any::<bool>(),
        metadata in prop::option::of(any::<bool>()),
    ) -> Listed {
        let filename = match kind {
            0 => format!("spam-{version}-py3-none-any.whl"),
            1 => format!("spam-{version}-cp314-cp314t-manylinux_2_28_x86_64.whl"),
            2 => format!("spam-{version}.tar.gz"),
            // Of no installer's concern.
            _ => format!("spam-{version}.exe"),
        };
        // Mostly a file lies under its own name, and need not.
        let address = if is_plain { format!("{folder}{filename}") } else { format!("{folder}x{file}") };
        Listed { version, filename, address, sha256, size, requires_python, yanked, metadata }
    }
}

proptest! {
    /// Every file that an installer would take comes back as it stands on the page, those of a release in
    /// the order of the page, and no other.
    #[test]
    fn what_is_kept_of_a_page_is_what_stands_there(files in prop::collection::vec(listed(), 0..12)) {
        let url = Url::parse("https://index.example/simple/spam/").unwrap();
        let body = json!({
            "meta": { "api-version": "1.1" },
            "name": "spam",
            "files": files.iter().map(Listed::json).collect::<Vec<_>>(),
        });
        let page = ProjectPage::parse(&body.to_string(), JSON, &url, &name("spam")).unwrap();
        let found = page.files();

        let mut expected: BTreeMap<Version, Vec<String>> = BTreeMap::new();
        for file in files.iter().filter(|file| !file.filename.ends_with(".exe")) {
            let release = expected.entry(file.version.parse().unwrap()).or_default();
            release.push(file.expected(&url));
        }
        let found: BTreeMap<Version, Vec<String>> = found
            .versions()
            .map(|version| {
                let files = found.of_release(version).into_iter().map(|file| {
                    words(
                        file.kind.filename(),
                        file.url.as_str(),
                        file.sha256.map(|digest| digest.to_string()).as_deref(),
                        file.size,
                        file.requires_python.map(|range| range.to_string()).as_deref(),
                        file.yanked,
                        file.metadata,
                    )
                });
                (version.clone(), files.collect())
            })
            .collect();
        prop_assert_eq!(found, expected);
    }
}

fn wheel(version: &str) -> crate::support::wheel::BuiltWheel {
    WheelBuilder::new("spam", version).build()
}

fn asked(index: &FakeIndex, cache: &Cache, is_offline: bool) -> Vec<String> {
    let client = if is_offline { offline() } else { client() };
    let settings = IndexSettings::only(index.simple_url().parse().unwrap());
    let indexes = Indexes::new(client, cache.clone(), settings);
    let files = all(&block_on(indexes.files(&name("spam"), None)).expect("files"));
    files.iter().map(|file| file.kind.filename().to_owned()).collect()
}

#[test]
fn a_page_without_validators_is_sent_again_and_told_to_be_the_same() {
    for pages in [Pages::Json, Pages::Html] {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let index = FakeIndex::builder().etags(false).pages(pages).file(wheel("1.0")).start();
        let first = asked(&index, &cache, false);
        assert_eq!(first, ["spam-1.0-py3-none-any.whl"]);
        let entry = || {
            walkdir::WalkDir::new(folder.path())
                .into_iter()
                .flatten()
                .find(|entry| entry.path().is_file())
        };
        let written = || entry().expect("an entry").metadata().unwrap().modified().unwrap();
        let before = written();
        assert_eq!(asked(&index, &cache, false), first);
        assert_eq!(written(), before, "it was kept once more, and so read once more");
        // Another file, and it is another page.
        index.add_file(wheel("2.0"));
        let both = ["spam-1.0-py3-none-any.whl", "spam-2.0-py3-none-any.whl"];
        assert_eq!(asked(&index, &cache, false), both);
        assert_eq!(asked(&index, &cache, true), both);
    }
}

#[test]
fn a_kept_page_that_is_damaged_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(&folder);
    let index = FakeIndex::builder().file(wheel("1.0")).file(wheel("2.0")).start();
    let expected = asked(&index, &cache, false);
    let entries = walkdir::WalkDir::new(folder.path()).into_iter().flatten();
    let entry = entries.into_iter().find(|entry| entry.path().is_file()).expect("an entry");
    let whole = std::fs::read(entry.path()).unwrap();
    for end in (0..whole.len()).step_by(7) {
        std::fs::write(entry.path(), &whole[..end]).unwrap();
        index.clear_requests();
        assert_eq!(asked(&index, &cache, false), expected, "cut off at {end}");
        let [request] = &index.requests()[..] else { panic!("one request") };
        assert_eq!((request.status, request.if_none_match.as_deref()), (200, None));
    }
}

/// Of two files that are as good the first one is taken: those of a folder stand before those of an index.
#[test]
fn the_files_of_a_release_stay_in_the_order_of_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let own = wheel("1.0");
    std::fs::write(folder.path().join(&own.filename), &own.bytes).unwrap();
    let index = FakeIndex::builder().file(wheel("1.0")).file(wheel("2.0")).start();
    let source = IndexSource::new(index.simple_url().parse().unwrap());
    let settings = IndexSettings {
        indexes: vec![IndexSource { is_default: true, ..source }],
        find_links: vec![LinksSource::Path(folder.path().to_owned())],
        ..IndexSettings::default()
    };
    let indexes = Indexes::new(client(), Cache::disabled(), settings);
    let files = block_on(indexes.files(&name("spam"), None)).expect("files");
    let schemes = all(&files).iter().map(|file| file.url.scheme().to_owned()).collect::<Vec<_>>();
    assert_eq!(schemes, ["file", "http", "http"]);
}
