//! The HTTP client: retries, limits, and the count of what was asked and received.
//!
//! Knows nothing of indexes or wheels.

use std::io::Read as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::{Action, Attempt, Policy};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

pub use crate::fetch::error::FetchError;
pub use crate::model::limits::Patience;

use crate::fetch::access::{self, AccessError, Credential, Credentials};
use crate::model::access::AccessSettings;
use crate::model::limits::{Limit, Limits};
use crate::model::location::redacted;

/// Redirects that are followed, one behind the other.
const MOST_REDIRECTS: usize = 10;

/// The most that is reserved for a body before it comes, in bytes.
const RESERVED: u64 = 16 << 20;
/// Requests at a time in all, as many as downloaders of packages make: what works on many packages need
/// not count its requests.
const MOST_AT_A_TIME: usize = 48;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Response {
    /// Where it came from, after redirects.
    pub url: Url,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, decoded.
    pub body: Vec<u8>,
}

impl Response {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What went over the wire.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    bytes: AtomicU64,
    of_parts: AtomicU64,
    used: AtomicU64,
}

impl Traffic {
    /// Requests sent, repetitions included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of bodies received, before decoding.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many of them are of files that are read in parts.
    #[must_use]
    pub fn of_parts(&self) -> u64 {
        self.of_parts.load(Ordering::Relaxed)
    }

    /// How many of these were made use of.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Counts a part of a file, in bytes.
    pub(super) fn receive_part(&self, bytes: usize) {
        self.of_parts.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes of parts that are made use of.
    pub(super) fn make_use_of(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What to ask for.
#[derive(Debug, Default)]
pub struct Request {
    /// Headers beside the client's own.
    pub headers: HeaderMap,
    /// Statuses beside 2xx that are an answer rather than an error.
    pub accepted: &'static [u16],
    /// The longest body, in bytes, before and after decoding.
    pub limit: u64,
    /// The setting that the limit is of.
    pub limited_by: Option<Limit>,
}

impl Request {
    /// A request without special headers for a body of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Names the setting that the limit is of.
    #[must_use]
    pub fn limited_by(mut self, key: &'static str) -> Self {
        self.limited_by = Some(Limit(key));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds a header whose text may not be fit for one, in which case it is left out.
    #[must_use]
    pub fn header_text(self, name: HeaderName, text: &str) -> Self {
        match HeaderValue::from_str(text) {
            Ok(value) => self.header(name, value),
            Err(_) => self,
        }
    }

    /// Takes further statuses as answers.
    #[must_use]
    pub fn accepting(mut self, statuses: &'static [u16]) -> Self {
        self.accepted = statuses;
        self
    }
}

/// Sends requests.
#[derive(Debug)]
pub struct Client {
    access: AccessSettings,
    /// Set up when something is asked for: reading the system's certificates takes longer than a scan
    /// does of which everything is in the cache.
    http: OnceLock<Result<reqwest::Client, AccessError>>,
    offline: bool,
    traffic: Traffic,
    credentials: Credentials,
    limits: Limits,
    /// One permit for each request that may be made now.
    room: Semaphore,
}

impl Client {
    /// A client that honours the proxy settings of the environment and the certificates of the
    /// system.
    ///
    /// # Errors
    /// Never: what the system offers is looked at when something is asked for.
    pub fn new(offline: bool) -> Result<Self, AccessError> {
        Self::with(offline, &AccessSettings::default(), Limits::default())
    }

    /// A client that reaches servers as the user's settings have it.
    ///
    /// # Errors
    /// Where the certificates that they name cannot be read, or their proxy cannot be used.
    pub fn with(
        offline: bool,
        access: &AccessSettings,
        limits: Limits,
    ) -> Result<Self, AccessError> {
        // What the user set up is told to be wrong before anything is done.
        access::check(access)?;
        Ok(Self {
            access: access.clone(),
            http: OnceLock::new(),
            offline,
            traffic: Traffic::default(),
            credentials: Credentials::of_netrc(access.netrc.as_deref()),
            limits,
            room: Semaphore::new(MOST_AT_A_TIME),
        })
    }

    /// How much is taken of what comes, and how long it is waited for.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn http(&self, url: &Url) -> Result<&reqwest::Client, FetchError> {
        let http = self.http.get_or_init(|| set_up(&self.access, self.limits.patience));
        http.as_ref().map_err(|problem| FetchError::Transport {
            url: redacted(url),
            problem: format!("no HTTP client can be set up: {problem}"),
            transient: false,
        })
    }

    /// What is known of user names and passwords.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whether requests are refused.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// What went over the wire so far.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn check(&self, url: &Url) -> Result<(), FetchError> {
        if self.offline {
            return Err(FetchError::Offline);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::invalid(
                url,
                format!("expected an http or https URL, found `{}`", url.scheme()),
            ));
        }
        Ok(())
    }

    /// Fetches `url`, repeating what may be a passing fault.
    ///
    /// # Errors
    /// Where no answer came, or one with a status that is neither 2xx nor accepted by the request.
    pub async fn get(&self, url: &Url, request: &Request) -> Result<Response, FetchError> {
        self.repeated(|| self.get_once(url, request)).await
    }

    /// Does what may fail for a passing fault, and repeats it then.
    ///
    /// # Errors
    /// Those of the last attempt.
    pub async fn repeated<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, FetchError>
    where
        F: Future<Output = Result<T, FetchError>>,
    {
        let patience = self.limits.patience;
        let backoff = ExponentialBuilder::default()
            .with_min_delay(patience.delay)
            .with_max_times(usize::try_from(patience.attempts).unwrap_or(usize::MAX))
            .with_jitter();
        let begun = Instant::now();
        attempt
            .retry(backoff)
            .when(|problem| problem.is_transient() && begun.elapsed() < patience.retries)
            .adjust(|error, delay| match (error, delay) {
                (FetchError::Status { retry_after: Some(asked), .. }, Some(own)) => {
                    Some(own.max(*asked))
                }
                (_, delay) => delay,
            })
            .await
    }

    /// Fetches `url`, asking once.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(super) async fn get_once(
        &self,
        url: &Url,
        request: &Request,
    ) -> Result<Response, FetchError> {
        let mut stream = self.stream(url, request).await?;
        let (final_url, status) = (stream.response.url().clone(), stream.response.status());
        let headers = stream.response.headers().clone();
        // What is stated is not believed as far as to reserve any amount for it.
        let length = stream.response.content_length().unwrap_or(0).min(request.limit).min(RESERVED);
        let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        while let Some(chunk) = stream.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip") {
            body = gunzip(&body, request.limit).map_err(|problem| match problem {
                None => stream.too_large(),
                Some(problem) => FetchError::garbled(url, format!("damaged gzip: {problem}")),
            })?;
        }
        Ok(Response { url: final_url, status, headers, body })
    }

    /// Asks once, and leaves the body to be read in parts, as it is sent.
    ///
    /// # Errors
    /// As [`Self::get`], without its repetitions.
    pub async fn stream(&self, url: &Url, request: &Request) -> Result<Stream<'_>, FetchError> {
        self.check(url)?;
        let http = self.http(url)?;
        // Never closed.
        let room = self.room.acquire().await.ok();
        self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        let mut bare = url.clone();
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        let mut sending = http.get(bare).headers(request.headers.clone());
        // Sent as a header, which is dropped where a redirect leads to another host.
        if let Some(Credential { user, password }) = self.credentials.of(url) {
            sending = sending.basic_auth(user, password);
        }
        let response = sending.send().await.map_err(|error| FetchError::transport(url, error))?;
        let status = response.status();
        if !status.is_success() && !request.accepted.contains(&status.as_u16()) {
            return Err(FetchError::Status {
                url: redacted(url),
                status,
                retry_after: retry_after(response.headers()),
            });
        }
        let stream = Stream {
            traffic: &self.traffic,
            url: url.clone(),
            response,
            limit: request.limit,
            limited_by: request.limited_by,
            received: 0,
            begun: Instant::now(),
            patience: self.limits.patience,
            _room: room,
        };
        if stream.response.content_length().is_some_and(|length| length > request.limit) {
            return Err(stream.too_large());
        }
        Ok(stream)
    }
}

fn set_up(access: &AccessSettings, patience: Patience) -> Result<reqwest::Client, AccessError> {
    // Fails only where another part of the process chose a provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("ftcheck/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(patience.connect)
        .read_timeout(patience.silence)
        .redirect(Policy::custom(redirect));
    Ok(access::set_up(builder, access)?.build()?)
}

/// An answer whose body is still on its way.
#[derive(Debug)]
pub struct Stream<'a> {
    traffic: &'a Traffic,
    url: Url,
    response: reqwest::Response,
    limit: u64,
    limited_by: Option<Limit>,
    received: u64,
    begun: Instant,
    patience: Patience,
    /// Given back with the last part.
    _room: Option<SemaphorePermit<'a>>,
}

impl Stream<'_> {
    /// The next part, `None` at the end.
    ///
    /// # Errors
    /// Where the connection breaks off, or more comes than was to be taken.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let chunk = self.response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| FetchError::transport(&self.url, error))? else {
            return Ok(None);
        };
        self.traffic.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        self.received += chunk.len() as u64;
        if self.received > self.limit {
            return Err(self.too_large());
        }
        let elapsed = self.begun.elapsed();
        if elapsed > self.patience.slow
            && self.received < elapsed.as_secs().saturating_mul(self.patience.slowest)
        {
            return Err(FetchError::Transport {
                url: redacted(&self.url),
                problem: format!(
                    "too slow: {} bytes in {} seconds",
                    self.received,
                    elapsed.as_secs()
                ),
                transient: false,
            });
        }
        Ok(Some(chunk))
    }

    fn too_large(&self) -> FetchError {
        FetchError::TooLarge {
            url: redacted(&self.url),
            limit: self.limit,
            limited_by: self.limited_by,
        }
    }
}

/// Follows redirects, but not in circles, and not from a connection that nobody can read to one
/// that anybody can. Credentials are dropped by the client where another host is named.
fn redirect(attempt: Attempt<'_>) -> Action {
    let was_secure = attempt.previous().iter().any(|url| url.scheme() == "https");
    if was_secure && attempt.url().scheme() != "https" {
        return attempt.error("a redirect from https to http, which is not followed");
    }
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error("too many redirects");
    }
    attempt.follow()
}

/// Decodes here rather than in the client, so that received bytes are counted and decoded ones
/// limited. `Err(None)` where the limit is passed.
fn gunzip(body: &[u8], limit: u64) -> Result<Vec<u8>, Option<std::io::Error>> {
    let mut decoded = Vec::new();
    flate2::read::MultiGzDecoder::new(body)
        .take(limit + 1)
        .read_to_end(&mut decoded)
        .map_err(Some)?;
    if decoded.len() as u64 > limit { Err(None) } else { Ok(decoded) }
}

/// Seconds or a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
