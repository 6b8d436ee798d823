//! Questions to a forge's API: limits of requests, repetitions, and where the token may go.
//!
//! Redirects are not followed: reqwest drops `Authorization` on the way to another host, but not
//! GitLab's header, and turns a POST into a GET. All addresses have to be on the host of the API.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

use super::{ForgeError, Token};
use crate::fetch::access;
use crate::model::access::AccessSettings;
use crate::model::location::redacted;

const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);
/// Repetitions after the first attempt, and how long they may take.
const RETRIES: usize = 3;
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_mins(2);
/// How long limits of requests are waited for, over all requests of a run.
const PATIENCE: Duration = Duration::from_mins(1);
/// What GitHub asks for where it says nothing of the time.
const UNSTATED_WAIT: Duration = Duration::from_mins(1);
/// A hundred comments of the greatest length in characters of four bytes, and more.
const LARGEST_ANSWER: usize = 64 << 20;
/// Of what a forge says about an error, in characters.
const LONGEST_MESSAGE: usize = 300;

/// How the delays between attempts grow.
pub(super) fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default().with_min_delay(FIRST_DELAY).with_max_times(RETRIES).with_jitter()
}

/// The delay before the next attempt: no shorter than what the answer asks for.
pub(super) fn adjusted(fault: &Fault, delay: Option<Duration>) -> Option<Duration> {
    match fault {
        Fault::Lasting(_) => delay,
        Fault::Limited { wait, .. } | Fault::Passing { wait, .. } => {
            delay.map(|own| own.max(*wait))
        }
    }
}

/// Reads the address of an API.
pub(super) fn address(name: &str, text: &str) -> Result<Url, ForgeError> {
    // The text itself is not repeated, since it may hold a password.
    let failed = |problem: &str| ForgeError::Setting {
        name: name.to_owned(),
        problem: format!("expected an https address, found {problem}"),
    };
    let mut url = Url::parse(text.trim()).map_err(|_| failed("no address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(failed("one with a user name or password"));
    }
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(failed("one without a host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        other => return Err(failed(&format!("`{other}`, by which the token could be read"))),
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// An address below another; every part is one segment, whatever it holds.
pub(super) fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    // Fails only for addresses without a host, which `address` refuses.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(parts);
    }
    url
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ForgeError> {
        serde_json::from_slice(&self.body).map_err(|problem| ForgeError::Answer {
            url: redacted(&self.url),
            problem: format!("expected an answer as documented, found another: {problem}"),
        })
    }
}

/// Why one attempt failed.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// It would again.
    Lasting(ForgeError),
    /// Nothing was done, and nothing will be for that long.
    Limited { wait: Duration, error: ForgeError },
    /// It may go well the next time, after a while. Whether what was asked for was done is not known.
    Passing { wait: Duration, error: ForgeError },
}

impl Fault {
    pub(super) fn into_error(self) -> ForgeError {
        match self {
            Self::Lasting(error) => error,
            Self::Limited { error, .. } | Self::Passing { error, .. } => error,
        }
    }
}

/// The API of one forge, with a token.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    base: Url,
    headers: HeaderMap,
    token: Token,
    /// How long limits may still be waited for.
    patience: Mutex<Duration>,
}

impl Api {
    /// The API at an address, by which the token is sent in one of these headers.
    pub(super) fn new(
        access: &AccessSettings,
        base: Url,
        headers: HeaderMap,
        token: Token,
    ) -> Result<Self, ForgeError> {
        let failed = |problem: String| ForgeError::Setting {
            name: "no HTTP client can be set up".to_owned(),
            problem,
        };
        // Fails only where another part of the process chose a provider before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("ftcheck/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE);
        let builder = access::set_up(builder, access).map_err(|error| failed(error.to_string()))?;
        let http = builder.build().map_err(|error| failed(error.to_string()))?;
        Ok(Self { http, base, headers, token, patience: Mutex::new(PATIENCE) })
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Asks for what changes nothing, and asks again where that may help.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, ForgeError> {
        self.repeated(Method::GET, url, None).await
    }

    /// Asks for what may be done twice without harm.
    pub(super) async fn repeated(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<Answer, ForgeError> {
        self.attempts(method, url, body, true).await.map_err(Fault::into_error)
    }

    /// Asks for what may be done only once: again only where it is certain that it was not done.
    pub(super) async fn once(
        &self,
        method: Method,
        url: &Url,
        body: &Value,
    ) -> Result<Answer, Fault> {
        self.attempts(method, url, Some(body), false).await
    }

    async fn attempts(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
        may_be_done_twice: bool,
    ) -> Result<Answer, Fault> {
        let begun = Instant::now();
        (|| self.attempt(method.clone(), url, body))
            .retry(backoff())
            .when(|fault| match fault {
                Fault::Lasting(_) => false,
                Fault::Limited { wait, .. } => self.may_wait(*wait),
                Fault::Passing { wait, .. } => {
                    may_be_done_twice && begun.elapsed() < LONGEST && self.may_wait(*wait)
                }
            })
            .adjust(adjusted)
            .await
    }

    /// Takes a time to wait from what is left of the patience.
    pub(super) fn may_wait(&self, wait: Duration) -> bool {
        let mut patience = self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        match patience.checked_sub(wait) {
            Some(left) => {
                *patience = left;
                true
            }
            None => false,
        }
    }

    async fn attempt(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
    ) -> Result<Answer, Fault> {
        // The token goes to the host it is for and nowhere else.
        if url.origin() != self.base.origin() {
            return Err(Fault::Lasting(ForgeError::Answer {
                url: redacted(&self.base),
                problem: format!("it leads to another server: {}", redacted(url)),
            }));
        }
        let mut request = self.http.request(method, url.clone()).headers(self.headers.clone());
        if let Some(body) = body {
            let json = HeaderValue::from_static("application/json");
            request = request.header(CONTENT_TYPE, json).body(body.to_string());
        }
        let mut response = request.send().await.map_err(|error| self.broken(url, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut received = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(url, error))? {
            if received.len() + chunk.len() > LARGEST_ANSWER {
                return Err(Fault::Lasting(ForgeError::Answer {
                    url: redacted(url),
                    problem: format!("expected at most {LARGEST_ANSWER} bytes, found more"),
                }));
            }
            received.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(Answer { url: url.clone(), headers, body: received });
        }
        Err(self.fault(url, status, &headers, &received))
    }

    fn broken(&self, url: &Url, error: reqwest::Error) -> Fault {
        let lasting = error.is_builder();
        let problem = self.token.hidden_in(&causes(&error.without_url()));
        let error = ForgeError::Unavailable { url: redacted(url), problem };
        if lasting {
            return Fault::Lasting(error);
        }
        Fault::Passing { wait: Duration::ZERO, error }
    }

    fn fault(&self, url: &Url, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Fault {
        let message = self.token.hidden_in(&message(body));
        let url = redacted(url);
        let stated = stated_wait(headers, SystemTime::now());
        if let Some(wait) = limited(status, headers, &message, stated) {
            return Fault::Limited { wait, error: ForgeError::Limited { url, wait, message } };
        }
        if status.is_redirection() {
            let problem = format!(
                "HTTP status {status} leads elsewhere, which is not followed: was the repository renamed?"
            );
            return Fault::Lasting(ForgeError::Answer { url, problem });
        }
        if matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504) {
            let problem = format!("expected an answer, found HTTP status {status}");
            let error = ForgeError::Unavailable { url, problem };
            return Fault::Passing { wait: stated.unwrap_or_default(), error };
        }
        Fault::Lasting(ForgeError::Refused { url, status: status.as_u16(), message })
    }
}

/// An error with what caused it.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let told = next.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        cause = next.source();
    }
    text
}

/// What a forge says about an error, on one line. GitHub writes `message`, GitLab that or `error`,
/// which may be structures.
fn message(body: &[u8]) -> String {
    let said: Option<String> = serde_json::from_slice(body).ok().and_then(|value: Value| {
        let member = value.get("message").or_else(|| value.get("error"))?;
        Some(member.as_str().map_or_else(|| member.to_string(), str::to_owned))
    });
    let said = said.unwrap_or_default();
    let plain = said.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(LONGEST_MESSAGE).collect()
}

/// How long the answer asks to wait: `retry-after`, in seconds or as a date, or until there are requests
/// again, where none are left. GitLab's headers lack the `x-`.
fn stated_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if let Some(text) = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()) {
        if let Ok(seconds) = text.trim().parse() {
            return Some(Duration::from_secs(seconds));
        }
        if let Ok(date) = httpdate::parse_http_date(text.trim()) {
            return Some(date.duration_since(now).unwrap_or_default());
        }
    }
    let reset = Duration::from_secs(number(headers, "ratelimit-reset")?);
    let at = UNIX_EPOCH.checked_add(reset)?;
    // The second itself has to be over, too.
    let wait = at.duration_since(now).unwrap_or_default() + Duration::from_secs(1);
    (number(headers, "ratelimit-remaining") == Some(0)).then_some(wait)
}

/// How long to wait, where the answer says that too much was asked and nothing was done: 429, and of
/// GitHub 403 with a time to wait or a text about it.
fn limited(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    stated: Option<Duration>,
) -> Option<Duration> {
    match status.as_u16() {
        429 => Some(stated.unwrap_or(UNSTATED_WAIT)),
        403 => {
            let told = message.to_ascii_lowercase().contains("rate limit")
                || number(headers, "ratelimit-remaining") == Some(0);
            stated.or(told.then_some(UNSTATED_WAIT))
        }
        _ => None,
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    let value = headers.get(format!("x-{name}")).or_else(|| headers.get(name))?;
    value.to_str().ok()?.trim().parse().ok()
}
