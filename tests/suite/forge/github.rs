//! What only GitHub has: events, tokens of apps.

use ftcheck::forge::{self, Action, Change, ForgeError, Head, Subject};
use ftcheck::model::access::AccessSettings;
use serde_json::{Value, json};

use super::{Job, Kind, environment, forge_of, job, marked};
use crate::support::forge::FakeForge;

fn subject(event: &Value) -> Result<Subject, ForgeError> {
    subject_of(&event.to_string())
}

fn subject_of(text: &str) -> Result<Subject, ForgeError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    std::fs::write(&path, text).unwrap();
    let variables = [
        ("GITHUB_REPOSITORY", "owner/name"),
        ("GITHUB_EVENT_PATH", path.to_str().unwrap()),
        ("GITHUB_EVENT_NAME", "push"),
    ];
    forge_of(Kind::GitHub).subject(&environment(&variables), None)
}

fn change(event: &Value) -> Change {
    subject(event).unwrap().change
}

/// The event of a workflow that runs after another, which ran for a pull request.
fn after_another(pull_requests: &Value) -> Value {
    json!({
        "repository": { "id": 1 },
        "workflow_run": {
            "event": "pull_request",
            "head_branch": "patch-1",
            "head_sha": "c0ffee",
            "head_repository": { "owner": { "login": "stranger" } },
            "pull_requests": pull_requests,
        },
    })
}

fn patch() -> Change {
    let (owner, branch, commit) =
        ("stranger".to_owned(), "patch-1".to_owned(), "c0ffee".to_owned());
    Change::Head(Head { owner, branch, commit })
}

#[test]
fn the_pull_request_is_that_of_the_event() {
    assert_eq!(change(&json!({ "number": 8, "pull_request": { "number": 7 } })), Change::Number(7));
    let remark = json!({ "issue": { "number": 7, "pull_request": { "url": "…" } } });
    assert_eq!(change(&remark), Change::Number(7));
    let of = |repository: u64| json!([{ "number": 7, "base": { "repo": { "id": repository } } }]);
    assert_eq!(change(&after_another(&of(1))), Change::Number(7));
    // One that would be merged into another repository, and one of a fork, of which nothing is said.
    assert_eq!(change(&after_another(&of(2))), patch());
    assert_eq!(change(&after_another(&json!([]))), patch());
}

#[test]
fn events_about_none_are_told() {
    let mut of_push = after_another(&json!([]));
    of_push["workflow_run"]["event"] = json!("push");
    for event in [
        json!({ "ref": "refs/heads/main" }),
        json!({ "issue": { "number": 7 } }),
        json!({ "pull_request": { "number": -1 } }),
        json!([]),
        of_push,
    ] {
        let problem = subject(&event).unwrap_err();
        assert_eq!(problem.to_string(), "no pull request: the event push is about none");
        assert!(!problem.is_setting());
    }
    for damaged in ["", "{", "nonsense"] {
        assert!(subject_of(damaged).unwrap_err().is_setting());
    }
    let nowhere = environment(&[("GITHUB_REPOSITORY", "owner/name")]);
    let problem = forge_of(Kind::GitHub).subject(&nowhere, None).unwrap_err();
    assert_eq!(problem.to_string(), "no pull request: GITHUB_EVENT_PATH is not set");
}

#[test]
fn repositories_are_an_owner_and_a_name() {
    for bad in ["", "name", "a/b/c", "a/..", "./b", "a/b?c", "a/b#c", "/b", "a/ b"] {
        let environment = environment(&[("GITHUB_REPOSITORY", bad)]);
        let problem = forge_of(Kind::GitHub).subject(&environment, Some(7)).unwrap_err();
        assert!(problem.is_setting(), "{bad}: {problem}");
    }
    let environment = environment(&[("GITHUB_REPOSITORY", "owner/na.me_-")]);
    let subject = forge_of(Kind::GitHub).subject(&environment, Some(7)).unwrap();
    assert_eq!(subject.api.as_str(), "https://api.github.com/");
    assert!(!subject.in_ci);
}

#[test]
fn the_pull_request_of_a_fork_is_looked_up_by_its_commit() {
    let fake = FakeForge::start(Kind::GitHub);
    let forge = forge_of(Kind::GitHub);
    let environment = job(Kind::GitHub, &fake.api());
    let mut subject = forge.subject(&environment, Some(1)).unwrap();
    subject.change = patch();
    let token = forge::Token::of(&environment, forge.tokens()).unwrap();
    let api = forge::api(forge, &subject, &AccessSettings::default(), token).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let thread = || runtime.block_on(forge::thread(forge, &api, &subject));
    // One that has moved on, and the one that is meant.
    fake.pulls(json!([
        { "number": 6, "head": { "sha": "decaf" } },
        { "number": 7, "head": { "sha": "c0ffee" } },
    ]));
    assert_eq!(thread().unwrap().shown, "owner/name#7");
    let target = &fake.asked()[0].target;
    assert!(target.ends_with("/pulls?state=open&head=stranger%3Apatch-1&per_page=100"), "{target}");
    fake.pulls(json!([{ "number": 6, "head": { "sha": "decaf" } }]));
    let problem = thread().unwrap_err();
    assert!(matches!(problem, ForgeError::NoPullRequest { .. }), "{problem}");
}

#[test]
fn the_token_of_actions_is_that_of_their_bot() {
    for is_mute in [false, true] {
        let fake = FakeForge::start(Kind::GitHub).app(is_mute);
        fake.write("mallory", &marked("all is well"));
        fake.write("github-actions[bot]", &marked("one finding"));
        let outcome = Job::on(&fake, Kind::GitHub).says("two findings").unwrap();
        assert_eq!(outcome.action, Action::Updated(1001));
    }
}

#[test]
fn the_token_of_another_app_is_that_of_its_own_bot() {
    let fake = FakeForge::start(Kind::GitHub).app(false).user("gil-watch[bot]");
    fake.write("github-actions[bot]", &marked("one finding"));
    fake.write("gil-watch[bot]", &marked("one finding"));
    let outcome = Job::on(&fake, Kind::GitHub).says("two findings").unwrap();
    assert_eq!(outcome.action, Action::Updated(1001));
}

#[test]
fn an_author_who_is_not_known_writes_nothing() {
    let fake = FakeForge::start(Kind::GitHub).app(true);
    fake.write("github-actions[bot]", &marked("one finding"));
    let mut job = Job::on(&fake, Kind::GitHub);
    // Outside of Actions, the token may be that of any app.
    job.environment.variables.remove("GITHUB_ACTIONS");
    let error = job.says("two findings").unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert_eq!(fake.bodies(), [marked("one finding")]);
}
