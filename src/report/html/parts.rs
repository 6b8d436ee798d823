//! A sentence of the report, with what stands between backticks as code.

use askama::Template;

use crate::report::foreign::{Segment, segments};
use crate::report::text::printable;

/// A sentence. It escapes itself, and is put into the page as it is.
#[derive(Template)]
#[template(path = "report/parts.html")]
pub(super) struct Parts {
    parts: Vec<Part>,
}

struct Part {
    is_code: bool,
    text: String,
}

impl Parts {
    pub(super) fn of(text: &str) -> Self {
        let part = |segment| match segment {
            Segment::Words(text) => Part { is_code: false, text: lines(text) },
            Segment::Code(text) => Part { is_code: true, text: printable(text) },
        };
        Self { parts: segments(text).into_iter().map(part).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// Visible text whose lines stay lines, with arrows for what is typed as one.
fn lines(text: &str) -> String {
    text.replace(" -> ", " → ").split('\n').map(printable).collect::<Vec<_>>().join("\n")
}
