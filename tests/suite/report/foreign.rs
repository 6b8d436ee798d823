//! Foreign text for pages and comments, where other things act than in the formats for programs.

use ftcheck::model::location::Location;
use ftcheck::model::report::{PackageReport, ScanReport, Skipped, Step, Verdict};

/// What would act if it were not made harmless: as HTML, as Markdown, and as what GitHub and GitLab
/// make of text.
pub(super) const HOSTILE: &[&str] = &[
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "{{ 7 * 7 }}{% include \"x\" %}",
    "<!-- --><b>x</b><!--",
    "]]><svg onload=alert(1)>",
    "a|b|c",
    "a\\|<b>x</b>",
    "`code` ``more` ```",
    "``",
    "`|` <i>x</i> `|`",
    "[text](https://example.org/evil)",
    "![image](https://example.org/evil.png)",
    "<https://example.org/evil>",
    "https://example.org/evil www.example.org/evil",
    "ftp://example.org mail@example.org mailto:mail@example.org",
    "`|mail@example.org`",
    "@someone @org/team",
    "#123 !456 owner/repository#7 GH-8 owner/repository@0123456789abcdef",
    "0123456789abcdef0123456789abcdef01234567",
    ":boom: ~label %milestone &epic $snippet",
    "line\n# heading\n\n- list\n\n    code\n",
    "1. one 2) two - three + four",
    "- x\n---\n===",
    "</details><h1>x</h1>",
    "*bold* __bold__ ~~gone~~ ==marked==",
    "&lt;b&gt; &#60;i&#62; &amp;",
    "\u{202e}gnp.exe \u{200b}\u{feff}\u{0}\u{1b}[31m",
    "[^1]: footnote $x^2$ [[wiki]] {.class}",
    "( ) () [ ]",
];

/// A report that holds the text wherever a report holds foreign text.
pub(super) fn hostile(text: &str) -> ScanReport {
    let here = super::sample::place("linux");
    let mut report = ScanReport::new(here, &[here]);
    let location = Location { path: text.to_owned(), line: 1, column: 1 };
    let bad = |verdict: Verdict| {
        let mut package = PackageReport::unchecked(text.to_owned(), here, location.clone());
        package.version = Some(text.to_owned());
        package.verdict = verdict;
        package.reason = Some(text.to_owned());
        package.requires = vec![text.to_owned()];
        package.classifiers = vec![text.to_owned()];
        package.via = vec![Step {
            name: text.to_owned(),
            version: Some(text.to_owned()),
            location: Some(location.clone()),
        }];
        package
    };
    report.packages = vec![bad(Verdict::Unchecked), bad(Verdict::NoWheel)];
    let mut offender = bad(Verdict::EnablesGil);
    offender.reason = None;
    offender.modules = vec![super::sample::module(text, ftcheck::model::evidence::Gil::Enables)];
    report.packages.push(offender);
    report.gaps = vec![text.to_owned()];
    report.notes = vec![text.to_owned()];
    report.skipped = vec![Skipped {
        name: text.to_owned(),
        version: Some(text.to_owned()),
        reason: text.to_owned(),
        required_by: None,
    }];
    report.finish();
    report.findings = ftcheck::judge::findings(&report, &ftcheck::judge::Levels::default());
    for finding in &mut report.findings {
        finding.hints = vec![text.to_owned()];
        finding.links = vec![text.to_owned(), format!("javascript:{text}")];
    }
    report
}
