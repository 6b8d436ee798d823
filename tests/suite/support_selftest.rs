//! Tests of the test support itself: a wheel or an index that is wrong in its
//! own way would make the other tests prove something else than they say.

use std::io::{Cursor, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::damage::{
    SizeLie, flip_bytes, with_bad_crc, with_flipped_data, with_lying_sizes,
};
use crate::support::index::{FakeIndex, Fault, IndexFile, Pages, Ranges};
use crate::support::wheel::{BuiltWheel, Sdist, WheelBuilder, sha256_hex};
use zip::ZipArchive;

const JSON: &str = "Accept: application/vnd.pypi.simple.v1+json";
const MEMBER: &str = "spam/__init__.py";

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("the body is text")
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (candidate, value) = line.split_once(": ")?;
            candidate.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Sends one request and reads until the server closes. Written out so that a
/// client library cannot hide what is on the wire.
fn send(method: &str, url: &str, headers: &[&str]) -> Option<Answer> {
    let rest = url.strip_prefix("http://").expect("an http address");
    let (host, path) = rest.split_once('/').expect("an address with a path");
    let mut stream = TcpStream::connect(host).expect("the server listens");
    let mut message = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\n");
    for header in headers.iter().chain(&["Connection: close"]) {
        message.push_str(&format!("{header}\r\n"));
    }
    message.push_str("\r\n");
    stream.write_all(message.as_bytes()).expect("the server reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the server answers");
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let body = bytes.split_off(head_end + 4);
    let head = String::from_utf8(bytes).expect("the head is text");
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some(Answer { status, head, body })
}

fn get(url: &str, headers: &[&str]) -> Answer {
    send("GET", url, headers).expect("the server answers")
}

fn spam() -> BuiltWheel {
    WheelBuilder::new("Spam.Eggs", "1.0")
        .tag("cp314-cp314t-manylinux_2_17_x86_64.manylinux2014_x86_64")
        .metadata_line("Requires-Python: >=3.9")
        .requires("foo>=1")
        .file(MEMBER, "spam = 1\n".repeat(100))
        .build()
}

fn read_member(wheel: &BuiltWheel, member: &str) -> std::io::Result<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(&wheel.bytes))?;
    let mut bytes = Vec::new();
    archive.by_name(member)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn member_text(wheel: &BuiltWheel, member: &str) -> String {
    String::from_utf8(read_member(wheel, member).expect("a sound member")).expect("text")
}

#[test]
fn wheel_has_the_files_of_the_format() {
    let wheel = spam();
    assert_eq!(
        wheel.filename,
        "spam_eggs-1.0-cp314-cp314t-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    );
    assert_eq!(wheel.sha256, sha256_hex(&wheel.bytes));
    assert_eq!(member_text(&wheel, MEMBER), "spam = 1\n".repeat(100));

    let metadata = member_text(&wheel, "spam_eggs-1.0.dist-info/METADATA");
    assert_eq!(metadata.as_bytes(), wheel.metadata);
    assert!(metadata.contains("\nName: Spam.Eggs\n"));
    assert!(metadata.contains("\nRequires-Dist: foo>=1\n"));
    let tags = member_text(&wheel, "spam_eggs-1.0.dist-info/WHEEL");
    assert!(tags.contains("\nRoot-Is-Purelib: false\n"));
    assert!(tags.contains("\nTag: cp314-cp314t-manylinux2014_x86_64\n"));
    assert!(tags.contains("\nTag: cp314-cp314t-manylinux_2_17_x86_64\n"));
}

#[test]
fn record_states_true_digests() {
    // The digest of "hello world" as other tools write it into RECORD.
    let wheel = WheelBuilder::new("spam", "1.0").file("a,b.txt", "hello world").build();
    let record = member_text(&wheel, "spam-1.0.dist-info/RECORD");
    let digest = "uU0nuZNNPgilLlLX2n2r-sSE7-N6U4DukIj3rOLvzek";
    assert!(record.starts_with(&format!("\"a,b.txt\",sha256={digest},11\n")));
    assert!(record.ends_with("spam-1.0.dist-info/RECORD,,\n"));
}

#[test]
fn wheel_bytes_repeat_and_follow_the_options() {
    let builder = WheelBuilder::new("spam", "1.0").file(MEMBER, "spam = 1\n".repeat(100));
    let deflated = builder.clone().build();
    assert_eq!(deflated.bytes, builder.clone().build().bytes);
    assert_eq!(deflated.filename, "spam-1.0-py3-none-any.whl");
    let stored = builder.build_number("2").stored().build();
    assert_eq!(stored.filename, "spam-1.0-2-py3-none-any.whl");
    assert!(stored.bytes.len() > deflated.bytes.len());
    assert!(member_text(&stored, "spam-1.0.dist-info/WHEEL").contains("Purelib: true\n"));
}

#[test]
fn damage_is_where_it_should_be() {
    let wheel = spam();
    let other = "spam_eggs-1.0.dist-info/METADATA";
    for broken in [with_bad_crc(&wheel, MEMBER), with_flipped_data(&wheel, MEMBER)] {
        assert_eq!(broken.sha256, sha256_hex(&broken.bytes));
        assert_ne!(broken.sha256, wheel.sha256);
        assert!(read_member(&broken, MEMBER).is_err());
        assert!(read_member(&broken, other).is_ok());
    }
    for lie in [SizeLie::TooSmall, SizeLie::TooLarge] {
        let lying = with_lying_sizes(&wheel, MEMBER, lie);
        let mut archive = ZipArchive::new(Cursor::new(&lying.bytes)).expect("a readable directory");
        let claimed = archive.by_name(MEMBER).expect("the member is there").size();
        assert_eq!(claimed, u64::from(lie.claimed()));
    }
    assert_eq!(crate::support::damage::truncated(&wheel, 10).bytes.len(), 10);
    let restored = flip_bytes(&flip_bytes(&wheel, 5..9), 5..9);
    assert_eq!(restored.sha256, wheel.sha256);
}

#[test]
fn json_page_states_the_files() {
    let wheel = WheelBuilder::new("Spam_Eggs", "1.0+local").build();
    let file = IndexFile::from(wheel.clone()).requires_python(">=3.9");
    let index = FakeIndex::builder()
        .core_metadata(true)
        .file(file.yanked(Some("broken")))
        .file(Sdist::new("spam-eggs", "1.0"))
        .start();
    let page = get(&format!("{}spam-eggs/", index.simple_url()), &[JSON]);
    let content_type = "application/vnd.pypi.simple.v1+json";
    assert_eq!(page.header("Content-Type"), Some(content_type));
    let page: serde_json::Value = serde_json::from_slice(&page.body).expect("JSON");
    assert_eq!(page["versions"], serde_json::json!(["1.0", "1.0+local"]));
    let entry = &page["files"][0];
    assert_eq!(entry["requires-python"], ">=3.9");
    assert_eq!(entry["yanked"], "broken");
    assert_eq!(entry["size"], wheel.bytes.len());
    assert_eq!(entry["hashes"]["sha256"], wheel.sha256);
    assert_eq!(page["files"][1]["yanked"], false);

    let url = entry["url"].as_str().expect("an address");
    assert_eq!(url, index.file_url(&wheel.filename));
    assert!(url.contains("%2B"));
    assert_eq!(get(url, &[]).body, wheel.bytes);
    let metadata = get(&format!("{url}.metadata"), &[]);
    assert_eq!(metadata.body, wheel.metadata);
}

#[test]
fn html_page_escapes_attributes() {
    let wheel = spam();
    let file = IndexFile::from(wheel.clone()).requires_python(">=3.9");
    let index =
        FakeIndex::builder().pages(Pages::Html).relative_urls(true).file(file.yanked(None)).start();
    let page_url = format!("{}spam-eggs/", index.simple_url());
    let page = get(&page_url, &[JSON]);
    let content_type = "text/html; charset=UTF-8";
    assert_eq!(page.header("Content-Type"), Some(content_type));
    let expected = format!(
        "<a href=\"../../files/{0}#sha256={1}\" data-requires-python=\"&gt;=3.9\" \
         data-yanked=\"\">{0}</a>",
        wheel.filename, wheel.sha256
    );
    assert!(page.text().contains(&expected), "{}", page.text());
    let answer = get(&format!("{}nothing/", index.simple_url()), &[]);
    assert_eq!(answer.status, 404);
    let answer = get(page_url.trim_end_matches('/'), &[]);
    assert_eq!(answer.status, 404);
}

#[test]
fn format_follows_the_accept_header() {
    let index = FakeIndex::builder().empty_project("spam").start();
    let url = format!("{}spam/", index.simple_url());
    let json_then_html = "Accept: application/vnd.pypi.simple.v1+json, text/html;q=0.01";
    let html_then_json = "Accept: application/vnd.pypi.simple.v1+json;q=0.5, text/html";
    for (accept, status, json) in [
        (JSON, 200, true),
        (json_then_html, 200, true),
        (html_then_json, 200, false),
        ("Accept: */*", 200, false),
        ("Accept: image/png", 406, false),
    ] {
        let answer = get(&url, &[accept]);
        assert_eq!(answer.status, status, "{accept}");
        assert_eq!(answer.body.starts_with(b"{"), json, "{accept}");
    }
}

#[test]
fn ranges_are_answered_as_set() {
    let file = IndexFile::raw("spam", "1", "spam-1.zip", "0123456789");
    let start = |ranges| {
        let builder = FakeIndex::builder().ranges(ranges).file(file.clone());
        builder.start()
    };
    let index = start(Ranges::Supported);
    let url = index.file_url("spam-1.zip");
    for (range, status, body, content_range) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=8-99", 206, "89", Some("bytes 8-9/10")),
        ("bytes=7-", 206, "789", Some("bytes 7-9/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
        ("bytes=-99", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=10-", 416, "range not satisfiable", Some("bytes */10")),
        ("bytes=1-2,4-5", 200, "0123456789", None),
    ] {
        let answer = get(&url, &[&format!("Range: {range}")]);
        assert_eq!((answer.status, answer.text()), (status, body), "{range}");
        assert_eq!(answer.header("Content-Range"), content_range, "{range}");
        assert_eq!(answer.header("Accept-Ranges"), Some("bytes"));
    }
    let recorded = &index.requests()[0];
    assert_eq!(recorded.range.as_deref(), Some("bytes=2-4"));
    assert_eq!((recorded.status, recorded.body_bytes), (206, 3));

    let index = start(Ranges::Ignored);
    let answer = get(&index.file_url("spam-1.zip"), &["Range: bytes=2-4"]);
    assert_eq!((answer.status, answer.text()), (200, "0123456789"));
    assert_eq!(answer.header("Accept-Ranges"), None);

    let url_of = |index: &FakeIndex| index.file_url("spam-1.zip");
    let index = start(Ranges::NoSuffix);
    assert_eq!(get(&url_of(&index), &["Range: bytes=-3"]).status, 501);
    assert_eq!(get(&url_of(&index), &["Range: bytes=7-"]).status, 206);
}

#[test]
fn known_pages_are_not_sent_again() {
    let index = FakeIndex::builder().file(spam()).start();
    let url = format!("{}spam-eggs/", index.simple_url());
    let first = get(&url, &[JSON]);
    let etag = first.header("ETag").expect("an ETag").to_owned();
    let known = format!("If-None-Match: \"other\", W/{etag}");
    let second = get(&url, &[JSON, &known]);
    assert_eq!((second.status, second.body.len()), (304, 0));
    assert_eq!(second.header("Content-Length"), None);
    index.add_file(Sdist::new("spam-eggs", "2.0"));
    assert_eq!(get(&url, &[JSON, &known]).status, 200);

    let statuses: Vec<u16> =
        index.requests_for("spam-eggs").iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 304, 200]);
    index.clear_requests();
    assert!(index.requests().is_empty());
}

#[test]
fn head_has_no_body() {
    let wheel = spam();
    let index = FakeIndex::builder().file(wheel.clone()).start();
    let answer = send("HEAD", &index.file_url(&wheel.filename), &[]).expect("an answer");
    let length = wheel.bytes.len().to_string();
    assert_eq!(answer.header("Content-Length"), Some(length.as_str()));
    assert!(answer.body.is_empty());
    assert_eq!(index.requests()[0].body_bytes, 0);
}

#[test]
fn faults_happen_and_wear_off() {
    let file = |name: &str| IndexFile::raw("spam", "1", name, "0123456789");
    let index = FakeIndex::builder()
        .file(file("flaky.zip"))
        .file(file("cut.zip"))
        .file(file("shifted.zip"))
        .file(file("portal.zip"))
        .fault("flaky", Fault::Status(503, 1))
        .fault("flaky", Fault::RetryAfter { seconds: 7, times: 1 })
        .fault("flaky", Fault::CloseConnection(1))
        .fault("cut", Fault::TruncateBody(4))
        .fault("shifted", Fault::WrongContentRange)
        .fault("portal", Fault::HtmlInsteadOfFile)
        .start();
    let flaky = index.file_url("flaky.zip");
    assert_eq!(get(&flaky, &[]).status, 503);
    let answer = get(&flaky, &[]);
    assert_eq!((answer.status, answer.header("Retry-After")), (429, Some("7")));
    assert!(send("GET", &flaky, &[]).is_none());
    assert_eq!(get(&flaky, &[]).text(), "0123456789");

    let answer = get(&index.file_url("cut.zip"), &[]);
    assert_eq!(answer.header("Content-Length"), Some("10"));
    assert_eq!(answer.text(), "0123");
    let answer = get(&index.file_url("shifted.zip"), &["Range: bytes=2-4"]);
    assert_eq!(answer.header("Content-Range"), Some("bytes 3-5/10"));
    assert_eq!(answer.text(), "234");
    let answer = get(&index.file_url("portal.zip"), &[]);
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("<!DOCTYPE html>"));
}

#[test]
fn delay_holds_the_answer_but_not_the_end() {
    let index = FakeIndex::builder()
        .file(Sdist::new("spam", "1"))
        .fault(".tar.gz", Fault::Delay(Duration::from_millis(60)))
        .start();
    let started = Instant::now();
    assert_eq!(get(&index.file_url("spam-1.tar.gz"), &[]).status, 200);
    assert!(started.elapsed() >= Duration::from_millis(60));

    index.add_fault("spam-1", Fault::Delay(Duration::from_hours(1)));
    let url = index.file_url("spam-1.tar.gz");
    let waiting = std::thread::spawn(move || send("GET", &url, &[]).is_none());
    while index.requests().len() < 2 {
        std::thread::yield_now();
    }
    drop(index);
    assert!(waiting.join().expect("the client ends without an answer"));
}

#[test]
fn one_connection_takes_many_requests() {
    let index = FakeIndex::builder().empty_project("spam").start();
    let url = index.simple_url();
    let host = &url["http://".len()..url.len() - "/simple/".len()];
    let mut stream = TcpStream::connect(host).expect("the server listens");
    for round in 1..=3 {
        let message = "HEAD /simple/spam/ HTTP/1.1\r\nHost: test\r\n\r\n";
        stream.write_all(message.as_bytes()).expect("still open");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("still open");
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 200"));
        assert_eq!(index.requests().len(), round);
    }
}

#[test]
fn sandbox_keeps_files_apart() {
    let sandbox = crate::support::ftcheck();
    let path = sandbox.write("folder/requirements.txt", "spam==1\n");
    assert!(path.starts_with(sandbox.path()));
    assert!(path.is_file());
    assert!(!sandbox.cache_dir().starts_with(sandbox.path()));
    let command = sandbox.command();
    let variables: Vec<_> = command.get_envs().map(|(name, _)| name).collect();
    assert!(variables.contains(&"FTCHECK_CACHE_DIR".as_ref()));
    assert!(!variables.contains(&"CARGO_MANIFEST_DIR".as_ref()));
}
