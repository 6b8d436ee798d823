//! Looks which comments there are, and does what has to be done.

use std::cell::Cell;

use backon::Retryable as _;
use reqwest::Method;
use serde_json::json;

use super::comment::{Comment, Key, Plan, Step, Wanted, plan};
use super::http::{Fault, adjusted, backoff, below};
use super::{Api, Forge, ForgeError, Page, Subject, Thread};
use crate::model::location::redacted;

/// Pages of a hundred comments that are looked through.
const PAGES: usize = 200;

/// What was done, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A comment was written.
    Created,
    /// The comment says something else now.
    Updated(u64),
    /// The comment says that there is nothing any more.
    MarkedClean(u64),
    /// The comment says the same as before.
    Unchanged(u64),
    /// There is nothing to say, and no comment that would have to say it.
    Nothing,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was done, or would be.
    pub action: Action,
    /// Further comments of the same author under the same key, which were left alone.
    pub further: Vec<u64>,
    /// Others who wrote comments with the marker, which were left alone.
    pub others: Vec<String>,
}

/// Makes the comment say what is wanted. Where `is_rehearsal`, it only looks, and changes nothing.
///
/// # Errors
/// Where the forge refuses, has reached a limit for longer than is waited, or does not answer.
pub async fn publish(
    forge: &dyn Forge,
    api: &Api,
    subject: &Subject,
    thread: &Thread,
    key: &Key,
    wanted: Wanted<'_>,
    is_rehearsal: bool,
) -> Result<Outcome, ForgeError> {
    let post = Post { forge, api, subject, thread, key, wanted, is_rehearsal };
    // Of a comment that was sent without an answer it is not known whether it is there. So it is looked
    // for before it is sent again.
    let is_sent = Cell::new(false);
    let mut outcome = (|| post.attempt(&is_sent))
        .retry(backoff())
        .when(|fault| matches!(fault, Fault::Passing { wait, .. } if api.may_wait(*wait)))
        .adjust(adjusted)
        .await
        .map_err(Fault::into_error)?;
    if is_sent.get() && matches!(outcome.action, Action::Unchanged(_)) {
        outcome.action = Action::Created;
    }
    Ok(outcome)
}

/// All that is needed to do it.
struct Post<'a> {
    forge: &'a dyn Forge,
    api: &'a Api,
    subject: &'a Subject,
    thread: &'a Thread,
    key: &'a Key,
    wanted: Wanted<'a>,
    is_rehearsal: bool,
}

impl Post<'_> {
    /// Fails in passing only where a comment was sent, and it is not known whether it arrived.
    async fn attempt(&self, is_sent: &Cell<bool>) -> Result<Outcome, Fault> {
        let Plan { step, further, others } = self.plan().await.map_err(Fault::Lasting)?;
        let body = json!({ "body": self.wanted.body });
        let action = match step {
            Step::Create => {
                if !self.is_rehearsal {
                    is_sent.set(true);
                    self.api.once(Method::POST, &self.thread.new_comment(), &body).await?;
                }
                Action::Created
            }
            Step::Update(id) | Step::MarkClean(id) => {
                if !self.is_rehearsal {
                    let url = below(&self.thread.one, &[&id.to_string()]);
                    let changed = self.api.repeated(self.forge.changing(), &url, Some(&body));
                    changed.await.map_err(Fault::Lasting)?;
                }
                if let Step::Update(_) = step {
                    Action::Updated(id)
                } else {
                    Action::MarkedClean(id)
                }
            }
            Step::Unchanged(id) => Action::Unchanged(id),
            Step::Nothing => Action::Nothing,
        };
        Ok(Outcome { action, further, others })
    }

    async fn plan(&self) -> Result<Plan, ForgeError> {
        let marked = self.marked().await?;
        // Who asks makes no difference where there is none.
        let author = match marked.first() {
            Some(_) => self.forge.author(self.api, self.subject).await?,
            None => String::new(),
        };
        Ok(plan(&marked, self.key, &author, self.wanted))
    }

    /// The comments with the marker; those of others may be long and many.
    async fn marked(&self) -> Result<Vec<Comment>, ForgeError> {
        let mut marked = Vec::new();
        let mut url = self.thread.all.clone();
        for _ in 0..PAGES {
            let Page { comments, next } = self.forge.page(self.api, &url).await?;
            marked.extend(comments.into_iter().filter(|one| self.key.marks(&one.body)));
            match next {
                Some(next) => url = next,
                None => return Ok(marked),
            }
        }
        let problem = format!("expected at most {PAGES} pages of comments, found more");
        Err(ForgeError::Answer { url: redacted(&self.thread.all), problem })
    }
}
