//! GitHub: REST, as documented for version 2022-11-28.
//!
//! Comments on a pull request are those of the issue with its number. A body may have 65,536
//! characters; the answer to a longer one is 422, "Body is too long (maximum is 65536 characters)".

use std::io::Read as _;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LINK};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::comment::Comment;
use super::http::{address, below};
use super::{Api, Change, Forge, ForgeError, Head, Page, Subject, Thread, Token};
use crate::config::Environment;

const API: &str = "GITHUB_API_URL";
const PUBLIC_API: &str = "https://api.github.com";
const REPOSITORY: &str = "GITHUB_REPOSITORY";
const EVENT: &str = "GITHUB_EVENT_PATH";
const VERSION: HeaderName = HeaderName::from_static("x-github-api-version");
/// Who comments with the token that Actions hand to a job.
const ACTIONS: &str = "github-actions[bot]";
/// Payloads of events are at most 25 MB.
const LARGEST_EVENT: u64 = 32 << 20;

pub(super) struct GitHub;

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Written {
    id: u64,
    body: Option<String>,
    user: Option<User>,
}

impl Forge for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn title(&self) -> &'static str {
        "GitHub"
    }

    fn variable(&self) -> &'static str {
        "GITHUB_ACTIONS"
    }

    /// The one that a step is given for this, before the one that GitHub's command line may be given for
    /// a whole job.
    fn tokens(&self) -> &'static [&'static str] {
        &["GITHUB_TOKEN", "GH_TOKEN"]
    }

    /// Bytes are never fewer than characters, however those are counted.
    fn limit(&self) -> usize {
        65_536
    }

    fn subject(
        &self,
        environment: &Environment,
        number: Option<u64>,
    ) -> Result<Subject, ForgeError> {
        let api = address(API, environment.get(API).unwrap_or(PUBLIC_API))?;
        let setting = |problem: &str| ForgeError::Setting {
            name: REPOSITORY.to_owned(),
            problem: format!("expected `owner/name`, found {problem}"),
        };
        let project = environment.get(REPOSITORY).ok_or_else(|| setting("nothing"))?;
        let parts: Vec<&str> = project.split('/').collect();
        let plain = |part: &&str| {
            let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !matches!(*part, "" | "." | "..") && part.bytes().all(letters)
        };
        if parts.len() != 2 || !parts.iter().all(plain) {
            return Err(setting("another text"));
        }
        let change = match number {
            Some(number) => Change::Number(number),
            None => change(environment)?,
        };
        let in_ci = self.is_here(environment);
        Ok(Subject { api, project: project.to_owned(), change, in_ci })
    }

    fn headers(&self, token: &Token) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert(VERSION, HeaderValue::from_static("2022-11-28"));
        headers.extend(token.header("Bearer ").map(|value| (AUTHORIZATION, value)));
        headers
    }

    fn thread(&self, subject: &Subject, number: u64) -> Thread {
        let issues = below(&repository(subject), &["issues"]);
        let mut all = below(&issues, &[&number.to_string(), "comments"]);
        all.set_query(Some("per_page=100"));
        Thread {
            shown: format!("{}#{number}", subject.project),
            all,
            one: below(&issues, &["comments"]),
        }
    }

    fn find<'a>(
        &'a self,
        api: &'a Api,
        subject: &'a Subject,
        head: &'a Head,
    ) -> BoxFuture<'a, Result<Option<u64>, ForgeError>> {
        #[derive(Deserialize)]
        struct Tip {
            sha: String,
        }
        #[derive(Deserialize)]
        struct PullRequest {
            number: u64,
            head: Tip,
        }
        async move {
            let mut url = below(&repository(subject), &["pulls"]);
            url.query_pairs_mut()
                .append_pair("state", "open")
                .append_pair("head", &format!("{}:{}", head.owner, head.branch))
                .append_pair("per_page", "100");
            let found: Vec<PullRequest> = api.get(&url).await?.json()?;
            // One that has moved on has a run of its own, with a report of its own.
            let at_commit = found.iter().find(|one| one.head.sha == head.commit);
            Ok(at_commit.map(|one| one.number))
        }
        .boxed()
    }

    /// A token of an app, as that of Actions is one, may not ask for its user, but GraphQL names it.
    fn author<'a>(
        &'a self,
        api: &'a Api,
        subject: &'a Subject,
    ) -> BoxFuture<'a, Result<String, ForgeError>> {
        #[derive(Deserialize)]
        struct Viewer {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            viewer: User,
        }
        async move {
            let refused = match api.get(&below(api.base(), &["user"])).await {
                Ok(answer) => return Ok(answer.json::<User>()?.login),
                Err(error @ ForgeError::Refused { status: 403, .. }) => error,
                Err(error) => return Err(error),
            };
            let question = json!({ "query": "query { viewer { login } }" });
            let asked = api.repeated(Method::POST, &graphql(api.base()), Some(&question)).await;
            match asked.and_then(|answer| answer.json::<Viewer>()) {
                Ok(answer) => Ok(answer.data.viewer.login),
                Err(_) if subject.in_ci => Ok(ACTIONS.to_owned()),
                Err(_) => Err(refused),
            }
        }
        .boxed()
    }

    fn page<'a>(&'a self, api: &'a Api, url: &'a Url) -> BoxFuture<'a, Result<Page, ForgeError>> {
        async move {
            let answer = api.get(url).await?;
            let comments: Vec<Written> = answer.json()?;
            let comments = comments.into_iter().map(|one| Comment {
                id: one.id,
                author: one.user.map(|user| user.login),
                body: one.body.unwrap_or_default(),
            });
            Ok(Page { comments: comments.collect(), next: next(&answer.url, &answer.headers) })
        }
        .boxed()
    }

    fn changing(&self) -> Method {
        Method::PATCH
    }

    fn hint(&self, error: &ForgeError) -> Option<&'static str> {
        match error {
            ForgeError::NoToken { .. } => {
                Some("in GitHub Actions, give the step `env: GITHUB_TOKEN: ${{ github.token }}`")
            }
            ForgeError::Refused { status: 403 | 404, .. } => Some(
                "the job needs `permissions: pull-requests: write`; what comes from a fork has it only in \
                 a workflow that runs afterwards, on `workflow_run`",
            ),
            ForgeError::NoPullRequest { .. } => Some("name one: `--pull-request NUMBER`"),
            _ => None,
        }
    }
}

fn repository(subject: &Subject) -> Url {
    let parts: Vec<&str> = std::iter::once("repos").chain(subject.project.split('/')).collect();
    below(&subject.api, &parts)
}

/// Beside the REST API: `api.github.com/graphql`, and of a server of one's own `/api/graphql`, where
/// REST is `/api/v3`.
fn graphql(base: &Url) -> Url {
    let mut parent = base.clone();
    if base.path().trim_end_matches('/').ends_with("/v3")
        && let Ok(mut segments) = parent.path_segments_mut()
    {
        segments.pop_if_empty().pop();
    }
    below(&parent, &["graphql"])
}

/// Where the `Link` header says that the next page is (RFC 8288).
fn next(current: &Url, headers: &HeaderMap) -> Option<Url> {
    let values = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let mut links = values.flat_map(|value| value.split(',')).filter_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').split_whitespace().any(|rel| rel == "next")
        });
        is_next.then_some(target)
    });
    links.find_map(|target| current.join(target).ok())
}

/// The pull request of the event for which the workflow runs.
fn change(environment: &Environment) -> Result<Change, ForgeError> {
    let none = |problem: String| ForgeError::NoPullRequest { problem };
    let Some(path) = environment.path(EVENT) else {
        return Err(none(format!("no pull request: {EVENT} is not set")));
    };
    let failed = |problem: String| ForgeError::Setting {
        name: EVENT.to_owned(),
        problem: format!("{}: {problem}", path.display()),
    };
    let mut bytes = Vec::new();
    std::fs::File::open(&path)
        .and_then(|file| file.take(LARGEST_EVENT).read_to_end(&mut bytes))
        .map_err(|problem| failed(format!("the event cannot be read: {problem}")))?;
    let event: Value = serde_json::from_slice(&bytes)
        .map_err(|problem| failed(format!("expected an event as JSON, found none: {problem}")))?;
    of_event(&event).ok_or_else(|| {
        let name = environment.get("GITHUB_EVENT_NAME").unwrap_or("of this run");
        none(format!("no pull request: the event {name} is about none"))
    })
}

/// The pull request that an event is about. Of one in a fork, the run of another workflow names only
/// what it would merge.
fn of_event(event: &Value) -> Option<Change> {
    let number = |value: &Value| value.get("number")?.as_u64().map(Change::Number);
    if let Some(found) = event.get("pull_request").and_then(number) {
        return Some(found);
    }
    let issue = event.get("issue").filter(|issue| issue.get("pull_request").is_some());
    if let Some(found) = issue.and_then(number) {
        return Some(found);
    }
    let run = event.get("workflow_run")?;
    // In a fork, those that would be merged elsewhere are among them.
    let here = event.pointer("/repository/id");
    let of_here = |one: &&Value| one.pointer("/base/repo/id") == here;
    let stated = run.get("pull_requests").and_then(Value::as_array);
    if let Some(found) = stated.and_then(|all| all.iter().find(of_here)).and_then(number) {
        return Some(found);
    }
    let text = |pointer: &str| run.pointer(pointer)?.as_str().map(str::to_owned);
    text("/event").filter(|cause| cause.starts_with("pull_request"))?;
    Some(Change::Head(Head {
        owner: text("/head_repository/owner/login")?,
        branch: text("/head_branch")?,
        commit: text("/head_sha")?,
    }))
}
