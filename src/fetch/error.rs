//! Why something could not be fetched, and whether it is worth another try.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

use crate::model::limits::Limit;
use crate::model::location::redacted;

/// A server that asks for more patience than this is told as unavailable.
const LONGEST_DELAY: Duration = Duration::from_secs(20);

/// Why something could not be fetched.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    /// The user forbade the network.
    #[error("not in the cache, and the network is not used (--offline)")]
    Offline,
    /// The server answered, but not with what was asked for.
    #[error("{url}: expected it to be served, found HTTP status {status}{}", asked(*retry_after))]
    Status {
        /// Without credentials.
        url: String,
        /// The status.
        status: StatusCode,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// There was no answer, or it broke off.
    #[error("{url}: {problem}")]
    Transport {
        /// Without credentials.
        url: String,
        /// What went wrong.
        problem: String,
        /// Whether a repetition may help.
        transient: bool,
    },
    /// The answer is larger than anything of its kind.
    #[error("{url}: expected at most {limit} bytes, found more{}", named(*limited_by))]
    TooLarge {
        /// Without credentials.
        url: String,
        /// The limit in bytes.
        limit: u64,
        /// The setting that it is of.
        limited_by: Option<Limit>,
    },
    /// The answer contradicts the request, the index or itself.
    #[error("{url}: {problem}")]
    Invalid {
        /// Without credentials.
        url: String,
        /// What was expected and what was found.
        problem: String,
    },
}

impl FetchError {
    /// An answer that cannot be right.
    pub fn invalid(url: &Url, problem: impl Into<String>) -> Self {
        Self::Invalid { url: redacted(url), problem: problem.into() }
    }

    /// An answer that cannot be right, where another one may be: what stands between the server and
    /// here may have mangled it.
    pub(super) fn garbled(url: &Url, problem: impl Into<String>) -> Self {
        Self::Transport { url: redacted(url), problem: problem.into(), transient: true }
    }

    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Transport { transient, .. } => *transient,
            Self::Status { status, retry_after, .. } => {
                let temporary = matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504);
                temporary && retry_after.is_none_or(|delay| delay <= LONGEST_DELAY)
            }
            _ => false,
        }
    }

    /// The whole chain of causes, without the URL that reqwest would add, which may hold credentials.
    pub(super) fn transport(url: &Url, error: reqwest::Error) -> Self {
        // A redirect that is refused, or a request that cannot be built, fails again.
        let transient = !(error.is_builder() || error.is_redirect());
        let limit = match (error.is_timeout(), error.is_connect()) {
            (true, true) => Some(Limit("connect-timeout")),
            (true, false) => Some(Limit("read-timeout")),
            _ => None,
        };
        let error = error.without_url();
        let mut problem = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !problem.contains(&text) {
                let _ = write!(problem, ": {text}");
            }
            source = cause.source();
        }
        problem.push_str(&named(limit));
        Self::Transport { url: redacted(url), problem, transient }
    }
}

/// The setting behind a limit.
fn named(limit: Option<Limit>) -> String {
    limit.map(|limit| format!(" ({limit})")).unwrap_or_default()
}

/// What a server asks for that is not waited for.
fn asked(retry_after: Option<Duration>) -> String {
    match retry_after.filter(|delay| *delay > LONGEST_DELAY) {
        Some(delay) => format!(" (it asks to wait {} seconds)", delay.as_secs()),
        None => String::new(),
    }
}
