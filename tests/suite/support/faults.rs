//! The ways a fake index can misbehave on request.

use std::time::Duration;

use std::collections::HashMap;
use std::io::Write as _;

use super::http::{Delivery, Request, Response};
use super::wheel::sha256_hex;

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
    /// Promises the whole body and resets the connection after this many bytes.
    ResetBody(usize),
    /// Answers 206 with no more than this many bytes of what was asked for, and says so.
    ShortRange(usize),
    /// Answers 206 with other bytes than those of the file.
    OtherBytes,
    /// `ChangedFile(known)`: states another `ETag` after so many answers.
    ChangedFile(usize),
    /// Another size in the `Content-Range` after so many answers.
    GrownFile(usize),
    /// `IgnoresRange(known)`: sends whole files after so many answers.
    IgnoresRange(usize),
    /// Answers 302 with the address that was asked for.
    RedirectToSelf,
    /// Answers 302 with this address, whatever was asked for.
    RedirectTo(String),
    /// Sends a body that expands to this many bytes.
    GzipBomb(usize),
    /// Sends this text instead, as HTML.
    Page(&'static str),
    /// Sends this text instead, as JSON.
    Body(&'static str),
    /// Of all requests this share in percent fails in one of many ways. Which do hangs on the seed
    /// and on what is asked for, for which time; not on the order of requests.
    Random { seed: u64, percent: u64 },
}

/// A fault, the requests it is for and how often it is still to happen.
#[derive(Clone, Debug)]
pub(super) struct FaultRule {
    path_contains: String,
    fault: Fault,
    times_left: usize,
    answered: usize,
    /// How often each thing was asked for.
    asked: HashMap<String, u64>,
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
        Self {
            path_contains: path_contains.to_owned(),
            fault,
            times_left,
            answered: 0,
            asked: HashMap::new(),
        }
    }
}

/// Spoils a good response with every rule that fits the path. A rule that
/// replaces the response ends the search, so two of them for the same path
/// follow one another.
pub(super) fn spoil(
    rules: &mut [FaultRule],
    request: &Request,
    mut response: Response,
) -> Response {
    let path = request.path.as_str();
    for rule in rules {
        // The file beside a wheel is another one, which is hit where it is named.
        let is_beside = path.ends_with(".metadata") && rule.path_contains.ends_with(".whl");
        if rule.times_left == 0 || !path.contains(&rule.path_contains) || is_beside {
            continue;
        }
        rule.times_left -= 1;
        rule.answered += 1;
        let is_known = |known: &usize| rule.answered <= *known;
        let replacement = match &rule.fault {
            Fault::Status(status, _) => Response::new(*status, "text/plain", "made to fail"),
            Fault::RetryAfter { seconds, .. } => Response::new(429, "text/plain", "made to wait")
                .with_header("Retry-After", seconds.to_string()),
            Fault::RetryAfterDate(date) => {
                Response::new(503, "text/plain", "made to wait").with_header("Retry-After", date)
            }
            Fault::RedirectToSelf => {
                Response::new(302, "text/plain", "again").with_header("Location", path)
            }
            Fault::RedirectTo(address) => {
                Response::new(302, "text/plain", "elsewhere").with_header("Location", address)
            }
            Fault::GzipBomb(size) => {
                Response::new(200, "application/vnd.pypi.simple.v1+json", gzip_bomb(*size))
                    .with_header("Content-Encoding", "gzip")
            }
            Fault::Page(text) => Response::new(200, "text/html", *text),
            Fault::Body(text) => Response::new(200, "application/vnd.pypi.simple.v1+json", *text),
            Fault::Random { seed, percent } => {
                let range = request.header("Range").unwrap_or_default();
                let what = format!("{path} {range}");
                let time = rule.asked.entry(what.clone()).or_default();
                *time += 1;
                let drawn = sha256_hex(format!("{seed} {what} {time}").as_bytes());
                let draw = |at: usize| u64::from_str_radix(&drawn[at..at + 8], 16).unwrap();
                if draw(0) % 100 >= *percent {
                    continue;
                }
                match random_fault(draw(8), &mut response) {
                    Some(replacement) => replacement,
                    None => return response,
                }
            }
            Fault::ResetBody(limit) => {
                response.delivery = Delivery::ResetAfter(*limit);
                continue;
            }
            Fault::ShortRange(length) => {
                shorten(&mut response, *length);
                continue;
            }
            Fault::OtherBytes => {
                for byte in &mut response.body {
                    *byte = !*byte;
                }
                continue;
            }
            Fault::ChangedFile(known) => {
                let version = if is_known(known) { "\"first\"" } else { "\"second\"" };
                response = response.with_header("ETag", version);
                continue;
            }
            Fault::GrownFile(known) => {
                if !is_known(known) {
                    place(&mut response, |first, last, total| (first, last, total + 1));
                }
                continue;
            }
            Fault::IgnoresRange(_) => continue,
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
                place(&mut response, |first, last, total| (first + 1, last + 1, total));
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

/// Whether a rule has the answer to this request be the whole file.
pub(super) fn ignores_range(rules: &mut [FaultRule], request: &Request) -> bool {
    rules.iter().any(|rule| {
        request.path.contains(&rule.path_contains)
            && matches!(rule.fault, Fault::IgnoresRange(known) if rule.answered >= known)
    })
}

/// One of the faults that pass, either in place of the answer or made of it.
fn random_fault(number: u64, response: &mut Response) -> Option<Response> {
    let half = response.body.len() / 2;
    match number % 8 {
        0 => return Some(Response::new(500, "text/plain", "made to fail")),
        1 => return Some(Response::new(503, "text/plain", "made to fail")),
        2 => {
            let busy = Response::new(429, "text/plain", "made to wait");
            return Some(busy.with_header("Retry-After", "0"));
        }
        3 => response.delivery = Delivery::Nothing,
        4 => response.delivery = Delivery::BodyCutAfter(half),
        5 => response.delivery = Delivery::ResetAfter(half),
        6 if response.status == 206 => shorten(response, half),
        7 if response.status == 206 => {
            place(response, |first, last, total| (first + 1, last + 1, total));
        }
        _ => response.delivery = Delivery::BodyCutAfter(0),
    }
    None
}

/// Keeps the first bytes of a part, and says so.
fn shorten(response: &mut Response, length: usize) {
    if response.status == 206 {
        response.body.truncate(length);
        let length = length as u64;
        place(response, |first, last, total| (first, last.min(first + length - 1), total));
    }
}

fn gzip_bomb(size: usize) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b' '; size]).expect("memory takes it");
    gzip.finish().expect("memory takes it")
}

/// States another place: first byte, last byte and size.
fn place(response: &mut Response, change: impl Fn(u64, u64, u64) -> (u64, u64, u64)) {
    if response.status != 206 {
        return;
    }
    for (name, value) in &mut response.headers {
        if name != "Content-Range" {
            continue;
        }
        let changed = value.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).and_then(
            |(range, total)| {
                let (first, last) = range.split_once('-')?;
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                let (first, last, total) = change(first, last, total.parse().ok()?);
                Some(format!("bytes {first}-{last}/{total}"))
            },
        );
        *value = changed.expect("the index writes ranges as `bytes FIRST-LAST/TOTAL`");
    }
}
