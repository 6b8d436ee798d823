//! The ways a fake index can misbehave on request.

use std::time::Duration;

use super::http::{Delivery, Response};

/// One misbehaviour. Those with `times` wear off after that many requests, so a
/// test can tell a client that tries again from one that gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `Status(status, times)`: answers with this status and a short text.
    Status(u16, usize),
    /// Answers 429 with a `Retry-After` header.
    RetryAfter { seconds: u64, times: usize },
    /// Answers 503 with this `Retry-After` header, once.
    RetryAfterDate(String),
    /// Answers 302 with the same path at this address.
    Redirect(String),
    /// Sends the body byte by byte, with this pause between them.
    Drip(Duration),
    /// `CloseConnection(times)`: closes the connection without an answer.
    CloseConnection(usize),
    /// Promises the whole body and closes the connection after this many bytes.
    TruncateBody(usize),
    /// Answers 206 with the right bytes, but states a place one further on.
    WrongContentRange,
    /// Answers 200 with a log-in page, as captive portals do.
    HtmlInsteadOfFile,
    /// Waits before answering.
    Delay(Duration),
}

/// A fault, the requests it is for and how often it is still to happen.
#[derive(Clone, Debug)]
pub(super) struct FaultRule {
    path_contains: String,
    fault: Fault,
    times_left: usize,
}

impl FaultRule {
    pub(super) fn new(path_contains: &str, fault: Fault) -> Self {
        let times_left = match fault {
            Fault::Status(_, times)
            | Fault::RetryAfter { times, .. }
            | Fault::CloseConnection(times) => times,
            Fault::RetryAfterDate(_) => 1,
            _ => usize::MAX,
        };
        Self { path_contains: path_contains.to_owned(), fault, times_left }
    }
}

/// Spoils a good response with every rule that fits the path. A rule that
/// replaces the response ends the search, so two of them for the same path
/// follow one another.
pub(super) fn spoil(rules: &mut [FaultRule], path: &str, mut response: Response) -> Response {
    for rule in rules {
        if rule.times_left == 0 || !path.contains(&rule.path_contains) {
            continue;
        }
        rule.times_left -= 1;
        let replacement = match &rule.fault {
            Fault::Status(status, _) => Response::new(*status, "text/plain", "made to fail"),
            Fault::RetryAfter { seconds, .. } => Response::new(429, "text/plain", "made to wait")
                .with_header("Retry-After", seconds.to_string()),
            Fault::RetryAfterDate(date) => {
                Response::new(503, "text/plain", "made to wait").with_header("Retry-After", date)
            }
            Fault::Redirect(base) => Response::new(302, "text/plain", "elsewhere")
                .with_header("Location", format!("{base}{path}")),
            Fault::HtmlInsteadOfFile => Response::new(
                200,
                "text/html; charset=UTF-8",
                "<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>",
            ),
            Fault::CloseConnection(_) => {
                response.delivery = Delivery::Nothing;
                return response;
            }
            Fault::Drip(pause) => {
                response.delivery = Delivery::Drip(*pause);
                continue;
            }
            Fault::TruncateBody(limit) => {
                response.delivery = Delivery::BodyCutAfter(*limit);
                continue;
            }
            Fault::WrongContentRange => {
                shift_content_range(&mut response);
                continue;
            }
            Fault::Delay(delay) => {
                response.delay += *delay;
                continue;
            }
        };
        return Response { delay: response.delay, delivery: response.delivery, ..replacement };
    }
    response
}

fn shift_content_range(response: &mut Response) {
    if response.status != 206 {
        return;
    }
    for (name, value) in &mut response.headers {
        if name != "Content-Range" {
            continue;
        }
        let shifted = value.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).and_then(
            |(range, total)| {
                let (first, last) = range.split_once('-')?;
                let first: u64 = first.parse().ok()?;
                let last: u64 = last.parse().ok()?;
                Some(format!("bytes {}-{}/{total}", first + 1, last + 1))
            },
        );
        *value = shifted.expect("the index writes ranges as `bytes FIRST-LAST/TOTAL`");
    }
}
