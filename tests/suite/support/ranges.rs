//! Answers requests for parts of files, the way different servers do.

use super::http::Response;

/// How the index answers requests for a part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    Supported,
    /// Always the whole file with status 200.
    Ignored,
    /// Like `Supported`, but `bytes=-N` is refused with 501.
    NoSuffix,
}

/// Answers with the whole file or the part asked for.
pub(super) fn file_answer(ranges: Ranges, bytes: &[u8], range: Option<&str>) -> Response {
    const FILE_TYPE: &str = "application/octet-stream";
    let total = bytes.len();
    if ranges == Ranges::Ignored {
        return Response::new(200, FILE_TYPE, bytes);
    }
    let response = match range.and_then(RequestedRange::parse) {
        None => Response::new(200, FILE_TYPE, bytes),
        Some(RequestedRange::Suffix(_)) if ranges == Ranges::NoSuffix => {
            Response::new(501, "text/plain", "suffix ranges are not supported")
        }
        Some(requested) => match requested.resolve(total) {
            None => Response::new(416, "text/plain", "range not satisfiable")
                .with_header("Content-Range", format!("bytes */{total}")),
            Some((first, last)) => Response::new(206, FILE_TYPE, &bytes[first..=last])
                .with_header("Content-Range", format!("bytes {first}-{last}/{total}")),
        },
    };
    response.with_header("Accept-Ranges", "bytes")
}

/// A `Range` header holding exactly one range. Other forms are ignored, as the
/// standard lets a server do.
enum RequestedRange {
    Between(usize, usize),
    From(usize),
    Suffix(usize),
}

impl RequestedRange {
    fn parse(header: &str) -> Option<Self> {
        let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
        match (first, last) {
            ("", length) => Some(Self::Suffix(length.parse().ok()?)),
            (first, "") => Some(Self::From(first.parse().ok()?)),
            (first, last) => {
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    /// The first and last byte, or nothing when the range lies outside.
    fn resolve(&self, total: usize) -> Option<(usize, usize)> {
        let end = total.checked_sub(1)?;
        let (first, last) = match *self {
            Self::Between(first, last) => (first, last.min(end)),
            Self::From(first) => (first, end),
            Self::Suffix(0) => return None,
            Self::Suffix(length) => (total.saturating_sub(length), end),
        };
        (first <= end).then_some((first, last))
    }
}
