//! Where the token comes from, and where it may go.

use ftcheck::forge::{Action, ForgeError, Token};

use super::{BOTH, Job, Kind, environment, forge_of, job};
use crate::support::forge::{FakeForge, TOKEN};
use crate::support::http::Response;

#[test]
fn the_token_is_of_the_environment_and_not_shown() {
    let of = |variables: &[(&str, &str)]| {
        Token::of(&environment(variables), forge_of(Kind::GitHub).tokens())
    };
    let token = of(&[("GITHUB_TOKEN", " abc\n")]).unwrap();
    assert_eq!(format!("{token:?}"), "Token(****)");
    assert_eq!(token, of(&[("GH_TOKEN", "def"), ("GITHUB_TOKEN", "abc")]).unwrap());
    // As of a secret that is not there.
    assert_eq!(token, of(&[("GH_TOKEN", "abc"), ("GITHUB_TOKEN", "")]).unwrap());
    let missing = of(&[("CI_JOB_TOKEN", "abc")]).unwrap_err();
    assert_eq!(missing.to_string(), "no token: GITHUB_TOKEN or GH_TOKEN is not set");
    assert!(missing.is_refusal());
    for bad in ["two words", "a\nb", "é", "a\u{7f}"] {
        let problem = of(&[("GITHUB_TOKEN", bad)]).unwrap_err();
        assert!(problem.is_setting());
        let told = format!("{problem} {problem:?}");
        assert!(!told.contains(bad), "{told}");
    }
    let of_job = [("CI_JOB_TOKEN", "abc")];
    let missing = Token::of(&environment(&of_job), forge_of(Kind::GitLab).tokens()).unwrap_err();
    assert_eq!(missing.to_string(), "no token: GITLAB_TOKEN is not set");
}

#[test]
fn the_token_is_sent_in_a_header_and_nowhere_else() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        let job = Job::on(&fake, kind);
        job.says("one finding").unwrap();
        job.says("two findings").unwrap();
        for asked in fake.asked() {
            let scheme = if kind == Kind::GitHub { "Bearer " } else { "" };
            assert_eq!(asked.token.as_deref(), Some(format!("{scheme}{TOKEN}").as_str()));
            assert!(!asked.target.contains(TOKEN) && !asked.body.contains(TOKEN));
        }
    }
}

#[test]
fn redirects_are_not_followed() {
    for kind in BOTH {
        let (fake, other) = (FakeForge::start(kind), FakeForge::start(kind));
        for status in [301, 302, 307, 308] {
            for method in ["GET", "POST"] {
                let elsewhere =
                    Response::new(status, "text/plain", "").with_header("Location", other.api());
                fake.spoil(method, "", 1, elsewhere);
                let error = Job::on(&fake, kind).says("one finding").unwrap_err();
                assert!(error.to_string().contains("leads elsewhere"), "{error}");
            }
        }
        assert!(other.asked().is_empty());
        assert!(fake.written().is_empty());
    }
}

#[test]
fn the_next_page_is_not_fetched_from_another_server() {
    let (fake, other) = (FakeForge::start(Kind::GitHub), FakeForge::start(Kind::GitHub));
    let page = Response::new(200, "application/json", "[]")
        .with_header("Link", format!("<{}/repos>; rel=\"next\"", other.api()));
    fake.spoil("GET", "", 1, page);
    let error = Job::on(&fake, Kind::GitHub).says("one finding").unwrap_err();
    assert!(matches!(error, ForgeError::Answer { .. }), "{error}");
    assert!(other.asked().is_empty());
}

#[test]
fn addresses_by_which_the_token_could_be_read_are_refused() {
    for kind in BOTH {
        let subject = |api: &str| forge_of(kind).subject(&job(kind, api), Some(7));
        for good in ["https://forge.example/api", "http://localhost:1", "http://[::1]:2/api"] {
            subject(good).unwrap();
        }
        for bad in [
            "http://forge.example/api",
            "ftp://127.0.0.1",
            "https://user:hunter2@forge.example",
            "http://127.0.0.1.example.com",
            "file:///hunter2",
            "hunter2",
        ] {
            let problem = subject(bad).unwrap_err();
            assert!(problem.is_setting(), "{problem}");
            assert!(!format!("{problem} {problem:?}").contains("hunter2"), "{problem}");
        }
    }
}

#[test]
fn forges_that_are_not_there_are_told() {
    for kind in BOTH {
        let api = FakeForge::start(kind).api();
        let job = Job { kind, environment: job(kind, &api), is_rehearsal: false };
        let error = job.says("one finding").unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
    }
}

#[test]
fn what_is_asked_has_the_headers_that_the_forge_documents() {
    let fake = FakeForge::start(Kind::GitHub);
    assert_eq!(Job::on(&fake, Kind::GitHub).says("x").unwrap().action, Action::Created);
    let accept = fake.asked().into_iter().map(|one| one.accept);
    assert!(accept.into_iter().all(|one| one.as_deref() == Some("application/vnd.github+json")));
}
