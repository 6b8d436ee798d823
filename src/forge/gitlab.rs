//! GitLab: the notes of merge requests, in version 4 of the REST API.
//!
//! A job's own token (`CI_JOB_TOKEN`) is not allowed to write notes, whatever it is granted; one of a
//! user, a project or a group is, with the scope `api`. A note may have 1,000,000 characters.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use serde::Deserialize;
use url::Url;

use super::comment::Comment;
use super::http::{address, below};
use super::{Api, Change, Forge, ForgeError, Head, Page, Subject, Thread, Token};
use crate::config::Environment;

const API: &str = "CI_API_V4_URL";
const PUBLIC_API: &str = "https://gitlab.com/api/v4";
const NUMBER: &str = "CI_MERGE_REQUEST_IID";
/// Where the merge request is, and where the job runs: of one from a fork those are two projects.
const PROJECTS: [&str; 2] = ["CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID"];
const PATHS: [&str; 2] = ["CI_MERGE_REQUEST_PROJECT_PATH", "CI_PROJECT_PATH"];
const TOKEN: HeaderName = HeaderName::from_static("private-token");
const NEXT_PAGE: &str = "x-next-page";

pub(super) struct GitLab;

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Note {
    id: u64,
    body: Option<String>,
    author: Option<User>,
    /// Written by GitLab itself, about what was done.
    #[serde(default)]
    system: bool,
}

impl Forge for GitLab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn title(&self) -> &'static str {
        "GitLab"
    }

    fn variable(&self) -> &'static str {
        "GITLAB_CI"
    }

    fn tokens(&self) -> &'static [&'static str] {
        &["GITLAB_TOKEN"]
    }

    fn limit(&self) -> usize {
        1_000_000
    }

    fn subject(
        &self,
        environment: &Environment,
        number: Option<u64>,
    ) -> Result<Subject, ForgeError> {
        let api = address(API, environment.get(API).unwrap_or(PUBLIC_API))?;
        let first = |names: [&str; 2]| names.into_iter().find_map(|name| environment.get(name));
        let project = first(PROJECTS).or_else(|| first(PATHS)).ok_or_else(|| {
            let problem = "expected a project, found nothing".to_owned();
            ForgeError::Setting { name: PROJECTS[1].to_owned(), problem }
        })?;
        let stated = environment.get(NUMBER);
        let number = match (number, stated) {
            (Some(number), _) => number,
            (None, Some(text)) => text.trim().parse().map_err(|_| ForgeError::Setting {
                name: NUMBER.to_owned(),
                problem: "expected a number, found another text".to_owned(),
            })?,
            (None, None) => {
                let problem = format!(
                    "no merge request: {NUMBER} is not set, as it is in pipelines for merge requests"
                );
                return Err(ForgeError::NoPullRequest { problem });
            }
        };
        let in_ci = self.is_here(environment);
        Ok(Subject { api, project: project.to_owned(), change: Change::Number(number), in_ci })
    }

    fn headers(&self, token: &Token) -> HeaderMap {
        token.header("").map(|value| (TOKEN, value)).into_iter().collect()
    }

    fn thread(&self, subject: &Subject, number: u64) -> Thread {
        let shown = format!("{}!{number}", subject.project);
        let number = number.to_string();
        let parts = ["projects", &subject.project, "merge_requests", &number, "notes"];
        let one = below(&subject.api, &parts);
        let mut all = one.clone();
        // The oldest first, so that the same one is kept up to date always.
        all.set_query(Some("per_page=100&sort=asc&order_by=created_at"));
        Thread { shown, all, one }
    }

    /// Pipelines for merge requests know their number.
    fn find<'a>(
        &'a self,
        _: &'a Api,
        _: &'a Subject,
        _: &'a Head,
    ) -> BoxFuture<'a, Result<Option<u64>, ForgeError>> {
        async { Ok(None) }.boxed()
    }

    fn author<'a>(
        &'a self,
        api: &'a Api,
        _: &'a Subject,
    ) -> BoxFuture<'a, Result<String, ForgeError>> {
        async move { Ok(api.get(&below(api.base(), &["user"])).await?.json::<User>()?.username) }
            .boxed()
    }

    fn page<'a>(&'a self, api: &'a Api, url: &'a Url) -> BoxFuture<'a, Result<Page, ForgeError>> {
        async move {
            let answer = api.get(url).await?;
            let notes: Vec<Note> = answer.json()?;
            let notes = notes.into_iter().filter(|note| !note.system).map(|note| Comment {
                id: note.id,
                author: note.author.map(|user| user.username),
                body: note.body.unwrap_or_default(),
            });
            Ok(Page { comments: notes.collect(), next: next(&answer.url, &answer.headers) })
        }
        .boxed()
    }

    fn changing(&self) -> Method {
        Method::PUT
    }

    fn hint(&self, error: &ForgeError) -> Option<&'static str> {
        match error {
            ForgeError::NoToken { .. } => Some(
                "a project access token in a masked variable is one; the job's own may not write \
                 notes, and merge requests from forks see none",
            ),
            ForgeError::Refused { status: 401 | 403 | 404, .. } => {
                Some("the token needs the scope `api` and the role Reporter or a higher one")
            }
            ForgeError::NoPullRequest { .. } => Some(
                "run the job in pipelines for merge requests, or name one: `--pull-request NUMBER`",
            ),
            _ => None,
        }
    }
}

/// The number of the next page stands in a header of its own. The address in `Link` may be one by which
/// the server is not reached from here.
fn next(current: &Url, headers: &HeaderMap) -> Option<Url> {
    let number: u64 = headers.get(NEXT_PAGE)?.to_str().ok()?.trim().parse().ok()?;
    let kept: Vec<(String, String)> =
        current.query_pairs().filter(|(name, _)| name != "page").map(into_owned).collect();
    let mut next = current.clone();
    next.query_pairs_mut().clear().extend_pairs(kept).append_pair("page", &number.to_string());
    Some(next)
}

fn into_owned((name, value): (std::borrow::Cow<str>, std::borrow::Cow<str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}
