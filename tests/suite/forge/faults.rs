//! Forges that refuse, are tired or break down.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ftcheck::forge::{Action, ForgeError};

use super::{BOTH, Job, Kind, marked};
use crate::support::forge::{FakeForge, TOKEN, refusal, silence};
use crate::support::http::Response;

fn changing(kind: Kind) -> &'static str {
    if kind == Kind::GitHub { "PATCH" } else { "PUT" }
}

/// Most of the time is spent waiting.
fn each_at_once(check: impl Fn(Kind) + Send + Sync) {
    std::thread::scope(|scope| {
        for kind in BOTH {
            let check = &check;
            scope.spawn(move || check(kind));
        }
    });
}

#[test]
fn what_a_fork_may_not_do_is_a_refusal_and_asked_once() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        fake.spoil("POST", "", 9, refusal(403, "Resource not accessible by integration"));
        let error = Job::on(&fake, kind).says("one finding").unwrap_err();
        assert!(error.is_refusal() && !error.is_setting());
        let told = error.to_string();
        assert!(told.ends_with("status 403: Resource not accessible by integration"), "{told}");
        assert_eq!(fake.methods(), ["GET", "POST"]);
    }
}

#[test]
fn a_token_that_is_none_and_a_pull_request_that_is_none_are_refusals() {
    for kind in BOTH {
        for status in [401, 404] {
            let fake = FakeForge::start(kind);
            fake.spoil("GET", "", 9, refusal(status, "no"));
            let error = Job::on(&fake, kind).says("one finding").unwrap_err();
            assert!(error.is_refusal(), "{error}");
            assert_eq!(fake.asked().len(), 1);
        }
    }
}

#[test]
fn short_limits_are_waited_for() {
    let used_up = |prefix: &str, status| {
        let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 1;
        Response::new(status, "text/plain", "")
            .with_header(&format!("{prefix}RateLimit-Remaining"), "0")
            .with_header(&format!("{prefix}RateLimit-Reset"), soon.to_string())
    };
    let wait = |kind, method, tired| {
        let fake = FakeForge::start(kind);
        fake.spoil(method, "", 1, tired);
        let outcome = Job::on(&fake, kind).says("one finding").unwrap();
        assert_eq!(outcome.action, Action::Created);
        assert_eq!(fake.bodies(), [marked("one finding")]);
    };
    let secondary = "You have exceeded a secondary rate limit";
    // Most of the time is spent waiting.
    std::thread::scope(|scope| {
        for kind in BOTH {
            for method in ["GET", "POST"] {
                scope.spawn(move || {
                    wait(kind, method, refusal(429, "slow down").with_header("Retry-After", "1"));
                });
                scope.spawn(move || {
                    wait(kind, method, refusal(403, secondary).with_header("Retry-After", "1"));
                });
            }
        }
        scope.spawn(move || wait(Kind::GitHub, "POST", used_up("X-", 403)));
        scope.spawn(move || wait(Kind::GitLab, "GET", used_up("", 429)));
    });
}

#[test]
fn the_time_that_is_asked_for_is_waited() {
    let fake = FakeForge::start(Kind::GitHub);
    fake.write("scanner", &marked("one finding"));
    fake.spoil("PATCH", "", 1, refusal(429, "slow down").with_header("Retry-After", "2"));
    let begun = Instant::now();
    Job::on(&fake, Kind::GitHub).says("two findings").unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(fake.bodies(), [marked("two findings")]);
}

#[test]
fn long_limits_are_told() {
    let later = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3600;
    for tired in [
        refusal(429, "slow down").with_header("Retry-After", "3600"),
        refusal(403, "API rate limit exceeded")
            .with_header("X-RateLimit-Remaining", "0")
            .with_header("X-RateLimit-Reset", later.to_string()),
        refusal(403, "API rate limit exceeded")
            .with_header("X-RateLimit-Remaining", "0")
            .with_header("X-RateLimit-Reset", u64::MAX.to_string())
            .with_header("Retry-After", "61"),
    ] {
        let fake = FakeForge::start(Kind::GitHub);
        fake.spoil("GET", "", 9, tired);
        let begun = Instant::now();
        let error = Job::on(&fake, Kind::GitHub).says("one finding").unwrap_err();
        assert!(matches!(error, ForgeError::Limited { .. }), "{error}");
        assert!(!error.is_refusal() && !error.is_setting());
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert_eq!(fake.asked().len(), 1);
    }
}

#[test]
fn a_list_that_fails_in_passing_is_asked_for_again() {
    each_at_once(|kind| {
        for status in [500, 502, 503, 504] {
            let fake = FakeForge::start(kind);
            fake.spoil("GET", "", 2, Response::new(status, "text/html", "<html>sorry</html>"));
            assert_eq!(Job::on(&fake, kind).says("one finding").unwrap().action, Action::Created);
            assert_eq!(fake.methods(), ["GET", "GET", "GET", "POST"]);
        }
    });
}

#[test]
fn a_change_that_fails_in_passing_is_made_again() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        fake.write("scanner", &marked("one finding"));
        fake.spoil(changing(kind), "", 1, Response::new(502, "text/html", ""));
        fake.spoil(changing(kind), "", 1, silence());
        let outcome = Job::on(&fake, kind).says("two findings").unwrap();
        assert_eq!(outcome.action, Action::Updated(1000));
        assert_eq!(fake.bodies(), [marked("two findings")]);
    }
}

#[test]
fn a_comment_that_arrived_without_an_answer_is_not_written_twice() {
    for kind in BOTH {
        for lost in [Response::new(502, "text/html", ""), silence()] {
            let fake = FakeForge::start(kind);
            fake.spoil_answer("POST", lost);
            assert_eq!(Job::on(&fake, kind).says("one finding").unwrap().action, Action::Created);
            assert_eq!(fake.bodies(), [marked("one finding")]);
            assert_eq!(fake.methods(), ["GET", "POST", "GET", "GET"]);
        }
    }
}

#[test]
fn a_comment_that_did_not_arrive_is_written_after_a_look() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        fake.spoil("POST", "", 2, Response::new(502, "text/html", ""));
        assert_eq!(Job::on(&fake, kind).says("one finding").unwrap().action, Action::Created);
        assert_eq!(fake.bodies(), [marked("one finding")]);
        assert_eq!(fake.methods(), ["GET", "POST", "GET", "POST", "GET", "POST"]);
    }
}

#[test]
fn a_forge_that_stays_broken_is_given_up() {
    each_at_once(|kind| {
        for method in ["GET", "POST"] {
            let fake = FakeForge::start(kind);
            fake.spoil(method, "", 99, Response::new(502, "text/html", ""));
            let error = Job::on(&fake, kind).says("one finding").unwrap_err();
            assert!(matches!(error, ForgeError::Unavailable { .. }), "{error}");
            assert!(fake.methods().iter().filter(|one| *one == method).count() == 4);
            assert!(fake.written().is_empty());
        }
    });
}

#[test]
fn answers_of_another_kind_are_told() {
    for body in ["<html>log in</html>", "{}", "[{\"id\": \"x\"}]", "[1]", ""] {
        let fake = FakeForge::start(Kind::GitHub);
        fake.spoil("GET", "", 1, Response::new(200, "application/json", body));
        let error = Job::on(&fake, Kind::GitHub).says("one finding").unwrap_err();
        assert!(matches!(error, ForgeError::Answer { .. }), "{error}");
        assert!(fake.written().is_empty());
    }
}

#[test]
fn pages_without_an_end_are_given_up() {
    let fake = FakeForge::start(Kind::GitHub);
    let more = Response::new(200, "application/json", "[]")
        .with_header("Link", format!("<{}/x>; rel=next", fake.api()));
    fake.spoil("GET", "", 9999, more);
    let error = Job::on(&fake, Kind::GitHub).says("one finding").unwrap_err();
    assert!(error.to_string().ends_with("expected at most 200 pages of comments, found more"));
    assert_eq!(fake.asked().len(), 200);
}

#[test]
fn a_forge_that_repeats_the_token_does_not_make_it_seen() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        let echo = format!("what is\n\u{1b}[31m{TOKEN}?");
        fake.spoil("GET", "", 1, refusal(401, &echo));
        let error = Job::on(&fake, kind).says("one finding").unwrap_err();
        assert!(!format!("{error} {error:?}").contains(TOKEN));
        assert!(error.to_string().ends_with("what is  [31m****?"), "{error}");
    }
}

#[test]
fn a_comment_in_doubt_waits_as_long_as_it_is_asked_to() {
    let fake = FakeForge::start(Kind::GitHub);
    let busy = Response::new(503, "text/html", "").with_header("Retry-After", "2");
    fake.spoil("POST", "", 1, busy);
    let begun = Instant::now();
    assert_eq!(Job::on(&fake, Kind::GitHub).says("one finding").unwrap().action, Action::Created);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());

    let fake = FakeForge::start(Kind::GitHub);
    let gone = Response::new(503, "text/html", "").with_header("Retry-After", "3600");
    fake.spoil("POST", "", 1, gone);
    assert!(Job::on(&fake, Kind::GitHub).says("one finding").is_err());
    assert_eq!(fake.methods(), ["GET", "POST"]);
}
