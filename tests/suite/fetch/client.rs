//! Patience, credentials, certificates and proxies.

use std::time::{Duration, Instant, SystemTime};

use ftcheck::fetch::client::{Client, FetchError, Patience, Request};
use ftcheck::model::access::{AccessSettings, Authorities};
use ftcheck::model::limits::Limits;
use url::Url;

use super::{block_on, client};
use crate::support::index::{FakeIndex, Fault, basic};
use crate::support::tls::TlsFront;
use crate::support::wheel::WheelBuilder;

fn impatient() -> Limits {
    let patience = Patience {
        connect: Duration::from_secs(2),
        silence: Duration::from_millis(300),
        retries: Duration::from_millis(500),
        slow: Duration::from_secs(1),
        slowest: 1000,
        ..Patience::default()
    };
    Limits { patience, ..Limits::default() }
}

fn with(access: &AccessSettings) -> Client {
    Client::with(false, access, Limits::default()).expect("a client")
}

fn get(client: &Client, url: &str) -> Result<u16, FetchError> {
    let url = Url::parse(url).unwrap();
    block_on(client.get(&url, &Request::new(1 << 20))).map(|response| response.status.as_u16())
}

fn index() -> FakeIndex {
    FakeIndex::builder().empty_project("spam").start()
}

fn page_of(index: &FakeIndex) -> String {
    format!("{}spam/", index.simple_url())
}

#[test]
fn a_server_that_says_when_is_asked_again_then() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    for (fault, least) in [
        // First, since the date is not far away.
        (Fault::RetryAfterDate(date), Duration::from_millis(1500)),
        (Fault::RetryAfter { seconds: 1, times: 1 }, Duration::from_millis(900)),
        // A moment that has passed.
        (Fault::RetryAfterDate("Wed, 21 Oct 2015 07:28:00 GMT".to_owned()), Duration::ZERO),
        (Fault::RetryAfterDate("soon".to_owned()), Duration::ZERO),
    ] {
        let index = index();
        index.add_fault("/simple/", fault);
        let begun = Instant::now();
        assert_eq!(get(&client(), &page_of(&index)).unwrap(), 200);
        assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
        assert_eq!(index.requests().len(), 2);
    }
}

#[test]
fn more_patience_than_there_is_is_told() {
    let index = index();
    index.add_fault("/simple/", Fault::RetryAfter { seconds: 3600, times: 99 });
    let begun = Instant::now();
    let problem = get(&client(), &page_of(&index)).unwrap_err().to_string();
    assert!(problem.contains("429"), "{problem}");
    assert!(problem.contains("wait 3600 seconds"), "{problem}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(index.requests().len(), 1);
}

#[test]
fn connections_that_break_are_made_again() {
    let index = index();
    index.add_fault("/simple/", Fault::CloseConnection(2));
    assert_eq!(get(&client(), &page_of(&index)).unwrap(), 200);
    assert_eq!(index.requests().len(), 3);
}

#[test]
fn what_is_wrong_for_good_is_asked_once() {
    for status in [400, 401, 403, 404, 501] {
        let index = index();
        index.add_fault("/simple/", Fault::Status(status, 99));
        assert!(get(&client(), &page_of(&index)).is_err());
        assert_eq!(index.requests().len(), 1, "{status}");
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let index = index();
    index.add_fault("/simple/", Fault::Delay(Duration::from_mins(1)));
    let client = Client::with(false, &AccessSettings::default(), impatient()).unwrap();
    let begun = Instant::now();
    let problem = get(&client, &page_of(&index)).unwrap_err().to_string();
    assert!(problem.contains("timed out"), "{problem}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(index.requests().len() < 4);
}

#[test]
fn a_server_that_answers_drop_by_drop_is_given_up() {
    let index = index();
    index.add_fault("/simple/", Fault::Drip(Duration::from_millis(50)));
    let client = Client::with(false, &AccessSettings::default(), impatient()).unwrap();
    let begun = Instant::now();
    let problem = get(&client, &page_of(&index)).unwrap_err().to_string();
    assert!(problem.contains("too slow"), "{problem}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

fn authorizations(index: &FakeIndex) -> Vec<Option<String>> {
    index.requests().into_iter().map(|request| request.authorization).collect()
}

#[test]
fn credentials_in_a_url_are_sent_decoded() {
    let index = index();
    let url = index.url_with("us%40er:p%3Ass");
    assert_eq!(get(&client(), &format!("{url}spam/")).unwrap(), 200);
    assert_eq!(authorizations(&index), [Some(basic("us@er", "p:ss"))]);
}

#[test]
fn credentials_of_an_index_are_for_its_host_and_no_other() {
    let (index, other) = (index(), index_with_wheel());
    let client = client();
    client.credentials().add_index(&index.url_with("user:hunter2").parse().unwrap());
    get(&client, &page_of(&index)).unwrap();
    let _ = get(&client, &index.file_url("a.whl"));
    // The same machine by another port is another server.
    get(&client, &page_of(&other)).unwrap();
    let known = Some(basic("user", "hunter2"));
    assert_eq!(authorizations(&index), [known.clone(), known]);
    assert_eq!(authorizations(&other), [None]);
    assert!(!format!("{client:?}").contains("hunter2"));
}

fn index_with_wheel() -> FakeIndex {
    FakeIndex::builder().file(WheelBuilder::new("spam", "1.0").build()).start()
}

#[test]
fn of_two_indexes_on_a_host_the_nearer_one_counts() {
    let index = index();
    let client = client();
    let at = |credentials: &str, path: &str| {
        let root = index.base_url().replace("http://", &format!("http://{credentials}@"));
        client.credentials().add_index(&format!("{root}{path}").parse().unwrap());
    };
    at("far:1", "/other/");
    at("near:2", "/simple/");
    // Not a folder above it, whatever the letters.
    at("wrong:3", "/simple/sp");
    get(&client, &page_of(&index)).unwrap();
    assert_eq!(authorizations(&index), [Some(basic("near", "2"))]);
}

#[test]
fn credentials_do_not_follow_to_another_host() {
    let (index, other) = (index(), index());
    index.add_fault("/simple/", Fault::Redirect(other.base_url().to_owned()));
    let url = index.url_with("user:hunter2");
    assert_eq!(get(&client(), &format!("{url}spam/")).unwrap(), 200);
    assert_eq!(authorizations(&index), [Some(basic("user", "hunter2"))]);
    assert_eq!(authorizations(&other), [None]);
}

#[test]
fn netrc_is_asked_by_host() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("netrc");
    let client_of = |text: &str| {
        std::fs::write(&path, text).unwrap();
        with(&AccessSettings { netrc: Some(path.clone()), ..AccessSettings::default() })
    };
    let entry = "machine 127.0.0.1 login user password hunter2\n";
    for (text, url, expected) in [
        (entry, "", Some(basic("user", "hunter2"))),
        ("machine example.org login a password b\n", "", None),
        ("default login any password one\n", "", Some(basic("any", "one"))),
        // What the URL says counts; a name alone is completed.
        (entry, "own:3", Some(basic("own", "3"))),
        (entry, "user", Some(basic("user", "hunter2"))),
        (entry, "token", Some(basic("token", ""))),
        ("this is no netrc", "", None),
    ] {
        let index = index();
        let root = if url.is_empty() { index.simple_url() } else { index.url_with(url) };
        get(&client_of(text), &format!("{root}spam/")).unwrap();
        assert_eq!(authorizations(&index), [expected], "{text} {url}");
    }
}

#[test]
fn servers_are_believed_that_the_named_authority_vouches_for() {
    let index = index();
    let front = TlsFront::before(&index);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.pem");
    std::fs::write(&path, front.authority()).unwrap();
    let url = format!("{}/simple/spam/", front.base_url());
    for place in [path.clone(), folder.path().to_owned()] {
        let authorities = Authorities { paths: vec![place], origin: "SSL_CERT_FILE".to_owned() };
        let access = AccessSettings { authorities: Some(authorities), ..AccessSettings::default() };
        assert_eq!(get(&with(&access), &url).unwrap(), 200);
    }
    // Not by default.
    let problem = get(&client(), &url).unwrap_err().to_string();
    assert!(problem.contains("certificate"), "{problem}");
}

#[test]
fn certificates_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.pem");
    for (text, expected) in [(None, "no such file"), (Some("x"), "expected PEM certificates")] {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let authorities = Authorities { paths: vec![path.clone()], origin: "PIP_CERT".to_owned() };
        let access = AccessSettings { authorities: Some(authorities), ..AccessSettings::default() };
        let problem = Client::with(false, &access, Limits::default()).unwrap_err().to_string();
        assert!(problem.starts_with("PIP_CERT: ") && problem.contains(expected), "{problem}");
    }
}

#[test]
fn a_proxy_of_the_settings_is_asked() {
    let proxy = index();
    let access = AccessSettings {
        proxy: Some(proxy.base_url().parse().unwrap()),
        ..AccessSettings::default()
    };
    assert_eq!(get(&with(&access), "http://index.invalid/simple/spam/").unwrap(), 200);
    assert_eq!(proxy.requests()[0].as_proxy_for.as_deref(), Some("index.invalid"));
}
