//! Comments on pull requests: one comment, which later runs keep up to date.
//!
//! What is to be done with it is decided in [`comment`], what a forge's API looks like is told by one
//! file each, and [`publish`] does it. What the comment says is none of this part's business.

pub mod comment;
mod error;
mod github;
mod gitlab;
mod http;
mod publish;
mod token;

use futures_util::future::BoxFuture;
use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

pub use self::error::ForgeError;
pub use self::http::Api;
pub use self::publish::{Action, Outcome, publish};
pub use self::token::Token;

use self::comment::Comment;
use crate::config::Environment;
use crate::model::access::AccessSettings;

/// Every forge.
pub const FORGES: &[&dyn Forge] = &[&github::GitHub, &gitlab::GitLab];

/// One that hosts repositories, with an API.
pub trait Forge: Sync {
    /// What `--forge` calls it.
    fn name(&self) -> &'static str;

    /// What people call it.
    fn title(&self) -> &'static str;

    /// The variable that its CI sets to `true`.
    fn variable(&self) -> &'static str;

    /// Whether this runs in its CI.
    fn is_here(&self, environment: &Environment) -> bool {
        environment.get(self.variable()) == Some("true")
    }

    /// The variables that may hold a token, of which the first that is set counts.
    fn tokens(&self) -> &'static [&'static str];

    /// Bytes that a comment may have.
    fn limit(&self) -> usize;

    /// Which pull request is meant: the one with a number, or else that for which the CI runs.
    ///
    /// # Errors
    /// Where the environment does not tell, or what it tells cannot be used.
    fn subject(
        &self,
        environment: &Environment,
        number: Option<u64>,
    ) -> Result<Subject, ForgeError>;

    /// How it is asked with a token.
    fn headers(&self, token: &Token) -> HeaderMap;

    /// Where the comments of a pull request are.
    fn thread(&self, subject: &Subject, number: u64) -> Thread;

    /// The number of the open pull request for a commit, where there is one.
    fn find<'a>(
        &'a self,
        api: &'a Api,
        subject: &'a Subject,
        head: &'a Head,
    ) -> BoxFuture<'a, Result<Option<u64>, ForgeError>>;

    /// Whom the token belongs to.
    fn author<'a>(
        &'a self,
        api: &'a Api,
        subject: &'a Subject,
    ) -> BoxFuture<'a, Result<String, ForgeError>>;

    /// One page of comments.
    fn page<'a>(&'a self, api: &'a Api, url: &'a Url) -> BoxFuture<'a, Result<Page, ForgeError>>;

    /// How a comment is changed.
    fn changing(&self) -> Method;

    /// What may help against an error, with what this forge calls it.
    fn hint(&self, error: &ForgeError) -> Option<&'static str>;
}

/// Comments, as a forge gives them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Those on this page.
    pub comments: Vec<Comment>,
    /// Where the next page is.
    pub next: Option<Url>,
}

/// A pull request, as the environment tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Where the API is.
    pub api: Url,
    /// The repository's name, or its number.
    pub project: String,
    /// Which of its pull requests.
    pub change: Change,
    /// Whether this runs in the forge's own CI.
    pub in_ci: bool,
}

/// Which pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The one with this number.
    Number(u64),
    /// The one that would merge this.
    Head(Head),
}

/// What a pull request would merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Who owns the repository that the branch is in.
    pub owner: String,
    /// The branch.
    pub branch: String,
    /// The commit that was looked at.
    pub commit: String,
}

/// Where the comments of a pull request are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The pull request as people write it, such as `owner/repository#7`.
    pub shown: String,
    /// All of them.
    pub(crate) all: Url,
    /// One, once its number was added.
    pub(crate) one: Url,
}

impl Thread {
    /// Where a new one is sent.
    fn new_comment(&self) -> Url {
        let mut url = self.all.clone();
        url.set_query(None);
        url
    }
}

/// The forge in whose CI this runs.
#[must_use]
pub fn of_environment(environment: &Environment) -> Option<&'static dyn Forge> {
    FORGES.iter().find(|forge| forge.is_here(environment)).copied()
}

/// The forge that `--forge` names.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Forge> {
    FORGES.iter().find(|forge| forge.name() == name).copied()
}

/// The API of a forge, asked with a token.
///
/// # Errors
/// Where the settings for access cannot be used.
pub fn api(
    forge: &dyn Forge,
    subject: &Subject,
    access: &AccessSettings,
    token: Token,
) -> Result<Api, ForgeError> {
    Api::new(access, subject.api.clone(), forge.headers(&token), token)
}

/// Where the comments of the pull request are, which is looked up where only its commit is known.
///
/// # Errors
/// Where there is none, or the forge does not say.
pub async fn thread(forge: &dyn Forge, api: &Api, subject: &Subject) -> Result<Thread, ForgeError> {
    let number = match &subject.change {
        Change::Number(number) => *number,
        Change::Head(head) => {
            forge.find(api, subject, head).await?.ok_or_else(|| ForgeError::NoPullRequest {
                problem: format!(
                    "no open pull request of {}:{} is at commit {}: it was closed, or has moved on",
                    head.owner, head.branch, head.commit
                ),
            })?
        }
    };
    Ok(forge.thread(subject, number))
}
