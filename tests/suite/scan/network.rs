//! What a scan asks of the network, and what it says when the network does not answer.

use std::time::Duration;

use super::{
    PLATFORM, large_wheel, member_of, package, reason, report, report_of, scan, stderr, stdout,
    wheel_of,
};
use crate::support::Sandbox;
use crate::support::index::{FakeIndex, Fault, Ranges, Recorded};

/// What was asked of wheels themselves, beside their metadata.
fn wheel_requests(index: &FakeIndex) -> Vec<Recorded> {
    let mut requests = index.requests_for("/files/");
    requests.retain(|request| request.path.ends_with(".whl"));
    requests
}

#[test]
fn of_a_large_wheel_only_the_parts_that_are_needed_are_fetched() {
    let wheel = large_wheel("big", "1.0", &["declares", "declares_used"]);
    let size = wheel.bytes.len();
    let index = FakeIndex::builder().core_metadata(true).file(wheel).start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "big\n");
    report(&sandbox, &index, 1);
    let requests = wheel_requests(&index);
    let received: usize = requests.iter().map(|request| request.body_bytes).sum();
    assert_eq!(requests.len(), 2, "the end of the file, then both modules at once: {requests:#?}");
    assert!(received < size / 4, "{received} of {size} bytes");
    assert!(requests.iter().all(|request| request.status == 206));
}

/// The directory of a wheel of very many files takes several megabytes by itself.
#[test]
fn a_directory_of_several_megabytes_is_read() {
    let mut wheel = wheel_of("many", "1.0", &["declares"]);
    for number in 0..20_000 {
        wheel = wheel.file(&format!("many/{number:0>150}.txt"), Vec::new());
    }
    let index = FakeIndex::builder().core_metadata(true).file(wheel.build()).start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "many\n");
    let report = report(&sandbox, &index, 0);
    assert_eq!(package(&report, "many")["verdict"], "keeps-gil-off");
    assert!(wheel_requests(&index).iter().all(|request| request.status == 206));
}

#[test]
fn a_small_wheel_takes_one_request() {
    let index = FakeIndex::builder()
        .core_metadata(true)
        .file(wheel_of("small", "1.0", &["declares"]).build())
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "small\n");
    let report = report(&sandbox, &index, 0);
    assert_eq!(wheel_requests(&index).len(), 1);
    assert_eq!(package(&report, "small")["wheel"]["sha256_verified"], true);
}

#[test]
fn a_small_wheel_of_unknown_size_takes_one_request_too() {
    // The HTML page states no size, so that its end is asked for, which is all of it.
    let index = FakeIndex::builder()
        .pages(crate::support::index::Pages::Html)
        .core_metadata(true)
        .file(wheel_of("small", "1.0", &["declares"]).build())
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "small\n");
    let report = report(&sandbox, &index, 0);
    assert_eq!(wheel_requests(&index).len(), 1);
    assert_eq!(package(&report, "small")["wheel"]["sha256_verified"], true);
}

#[test]
fn verbose_tells_bytes_and_requests() {
    let wheel = large_wheel("big", "1.0", &["declares"]);
    let size = wheel.bytes.len();
    let index = FakeIndex::builder().file(wheel).start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "big\n");
    let outcome = scan(&sandbox, &index, &["--verbose"]).code(0);
    let received: usize = index.requests().iter().map(|request| request.body_bytes).sum();
    let message = stderr(&outcome);
    let expected = format!("({received} bytes) in {} requests", index.requests().len());
    assert!(message.contains(&expected), "{message}");
    assert!(message.contains(&format!("({size} bytes) as a whole")), "{message}");
    let [all, of_wheels, read] = [1, 2, 3].map(|place| {
        let bytes =
            message.split(" bytes)").nth(place - 1).and_then(|text| text.rsplit('(').next());
        bytes.unwrap().parse::<usize>().unwrap()
    });
    assert_eq!(all, received);
    assert!(of_wheels < all, "the page of the project is none: {message}");
    assert!((1..=of_wheels).contains(&read), "{message}");
}

#[test]
fn a_server_without_ranges_from_the_end_is_asked_for_the_size_first() {
    // The HTML page states no size, so that the end has to be asked for blindly.
    let index = FakeIndex::builder()
        .pages(crate::support::index::Pages::Html)
        .ranges(Ranges::NoSuffix)
        .file(large_wheel("big", "1.0", &["declares"]))
        .start();
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "big\n");
    report(&sandbox, &index, 0);
    assert!(index.requests_for("/files/").iter().all(|request| request.body_bytes < 100_000));
}

#[test]
fn a_package_that_the_index_does_not_know_is_not_checked() {
    let report = report_of("nowhere==1.0", 3, |index| index);
    assert_eq!(package(&report, "nowhere")["verdict"], "unchecked");
    assert_eq!(package(&report, "nowhere")["version"], "1.0");
    assert!(reason(&report, "nowhere").contains("no such package"));
}

#[test]
fn a_project_without_files_is_not_checked() {
    let report = report_of("empty", 3, |index| index.empty_project("empty"));
    assert_eq!(reason(&report, "empty"), "the index lists no files for it");
}

#[test]
fn without_a_network_nothing_is_checked() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "numpy\n");
    // Port 1 is reserved and closed.
    let outcome = sandbox
        .command()
        .args(["scan", "--platform", PLATFORM, "--index-url", "http://127.0.0.1:1/simple/"])
        .assert()
        .code(3);
    assert!(stdout(&outcome).contains("0 of 1 package checked"), "{}", stdout(&outcome));
    assert!(stdout(&outcome).contains("Connection refused"), "{}", stdout(&outcome));
}

#[test]
fn behind_a_closed_proxy_nothing_is_checked() {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "numpy\n");
    let outcome = sandbox
        .command()
        .env("HTTP_PROXY", "http://user:secret@127.0.0.1:1")
        .env("http_proxy", "http://user:secret@127.0.0.1:1")
        .args(["scan", "--platform", PLATFORM, "--index-url", "http://index.invalid/simple/"])
        .assert()
        .code(3);
    assert!(stdout(&outcome).contains("unchecked"), "{}", stdout(&outcome));
    assert!(!stdout(&outcome).contains("secret"));
    assert!(!stderr(&outcome).contains("secret"));
}

#[test]
fn credentials_of_the_index_are_never_shown() {
    let index = FakeIndex::builder().fault("/simple/", Fault::Status(403, 99)).start();
    let url = index.simple_url().replace("http://", "http://user:secret@");
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "numpy\n");
    for format in ["table", "json"] {
        let outcome = sandbox
            .command()
            .args(["scan", "-v", "--platform", PLATFORM, "--format", format, "--index-url", &url])
            .assert()
            .code(3);
        assert!(stdout(&outcome).contains("403"));
        assert!(!stdout(&outcome).contains("secret"), "{}", stdout(&outcome));
        assert!(!stderr(&outcome).contains("secret"));
    }
}

#[test]
fn passing_faults_are_borne() {
    for fault in [
        Fault::Status(503, 2),
        Fault::CloseConnection(1),
        Fault::RetryAfter { seconds: 1, times: 1 },
    ] {
        for path in ["/simple/", "/files/"] {
            let report = report_of("fine", 0, |index| {
                index.fault(path, fault.clone()).file(large_wheel("fine", "1.0", &["declares"]))
            });
            assert_eq!(package(&report, "fine")["verdict"], "keeps-gil-off", "{fault:?} {path}");
        }
    }
}

#[test]
fn lasting_faults_are_told() {
    for (fault, expected) in [
        (Fault::Status(503, 99), "503"),
        (Fault::Status(404, 99), "404"),
        (Fault::RetryAfter { seconds: 3600, times: 99 }, "429"),
        (Fault::TruncateBody(100), ""),
        (Fault::WrongContentRange, "expected"),
        (Fault::HtmlInsteadOfFile, ""),
    ] {
        let report = report_of("lost\nfine\n", 3, |index| {
            index
                .fault("/files/lost", fault.clone())
                .file(large_wheel("lost", "1.0", &["declares"]))
                .file(wheel_of("fine", "1.0", &["declares"]).build())
        });
        assert_eq!(package(&report, "lost")["verdict"], "unchecked", "{fault:?}");
        assert!(reason(&report, "lost").contains(expected), "{fault:?}: {report:#}");
        assert_eq!(package(&report, "fine")["verdict"], "keeps-gil-off");
    }
}

#[test]
fn a_slow_answer_is_waited_for() {
    let report = report_of("fine", 0, |index| {
        index
            .fault("/files/", Fault::Delay(Duration::from_millis(300)))
            .file(wheel_of("fine", "1.0", &["declares"]).build())
    });
    assert_eq!(package(&report, "fine")["verdict"], "keeps-gil-off");
}

#[test]
fn a_wheel_at_a_url_is_looked_at_without_an_index_page() {
    let index = FakeIndex::builder().file(wheel_of("direct", "1.0", &["declares"]).build()).start();
    let url = index.file_url(&format!("direct-1.0-{}.whl", super::TAG));
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", format!("direct @ {url}\n"));
    let report = report(&sandbox, &index, 0);
    assert_eq!(package(&report, "direct")["modules"][0]["member"], member_of("declares"));
    assert!(index.requests_for("/simple/").is_empty());
}
