//! The code quality report of GitLab, which it shows in merge requests.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use std::io::{self, Write};

use serde::Serialize;

use super::json::to_text;
use super::text::printable;
use super::told::{Told, told};
use super::{Reporter, Style};
use crate::model::finding::Level;
use crate::model::report::ScanReport;

pub(super) struct GitLab;

impl Reporter<ScanReport> for GitLab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["json"]
    }

    fn write(&self, report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        let found = told(report, &style.origin);
        let issues: Vec<Issue> = found.iter().map(Issue::new).collect();
        output.write_all(to_text(&issues)?.as_bytes())
    }
}

#[derive(Serialize)]
struct Issue<'t> {
    description: String,
    check_name: &'t str,
    /// Of equal ones GitLab keeps one.
    fingerprint: &'t str,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

impl<'t> Issue<'t> {
    fn new(told: &'t Told) -> Self {
        Self {
            description: match told.required_by() {
                Some(required_by) => format!("{}; {required_by}", told.sentence()),
                None => told.sentence(),
            },
            check_name: &told.finding.rule,
            fingerprint: &told.fingerprint,
            // `critical` and `blocker` are left to what is worse than losing parallelism.
            severity: match told.finding.level {
                Level::Error => "major",
                Level::Warning => "minor",
                Level::Note => "info",
            },
            location: Location {
                path: printable(&told.anchor.path),
                lines: Lines { begin: told.anchor.line },
            },
        }
    }
}
