//! Why a comment cannot be written.

use std::time::Duration;

/// Why a comment cannot be written. None of them holds a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// A variable or an option that cannot be used.
    #[error("{name}: {problem}")]
    Setting {
        /// What it is called.
        name: String,
        /// What was expected and what was found.
        problem: String,
    },
    /// There is nothing to comment on.
    #[error("{problem}")]
    NoPullRequest {
        /// What was looked at, and what was missing there.
        problem: String,
    },
    /// Nobody to comment as.
    #[error("no token: {names} is not set")]
    NoToken {
        /// The variables that may hold it.
        names: String,
    },
    /// The user forbade the network.
    #[error("the network is not used, as the settings have it")]
    Offline,
    /// The token does not allow it, or there is no such thing.
    #[error("{url}: refused with HTTP status {status}{}", said(message))]
    Refused {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// What the forge says about it, if anything.
        message: String,
    },
    /// Too much was asked in too short a time, and it lasts too long to wait.
    #[error("{url}: the limit of requests is reached, for {} seconds more{}", .wait.as_secs(), said(message))]
    Limited {
        /// What was asked for.
        url: String,
        /// How long the forge wants to be left alone.
        wait: Duration,
        /// What the forge says about it, if anything.
        message: String,
    },
    /// No answer, or none that helps, and not at once either.
    #[error("{url}: {problem}")]
    Unavailable {
        /// What was asked for.
        url: String,
        /// What went wrong.
        problem: String,
    },
    /// An answer that is not what it should be.
    #[error("{url}: {problem}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What was expected and what was found.
        problem: String,
    },
}

impl ForgeError {
    /// Whether the caller has to change something before anything can be done: settings are wrong.
    /// All others can meet a run that is set up well.
    #[must_use]
    pub fn is_setting(&self) -> bool {
        matches!(self, Self::Setting { .. })
    }

    /// Whether the token does not allow what was asked.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NoToken { .. } | Self::Refused { status: 401 | 403 | 404, .. })
    }
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}
