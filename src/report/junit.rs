//! `JUnit` XML, which CI systems show as tests: one for each package at each place. What is not known
//! is an error, so that it never looks like a test that passed.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::text::{one_line, printable};
use super::told::{ByPackage, chain};
use super::{Reporter, Style};
use crate::judge;
use crate::model::finding::{Finding, Ignored};
use crate::model::report::{PackageReport, ScanReport, Severity, Verdict};

/// The suite of what is about no package.
const WHOLE: &str = "the scan as a whole";

pub(super) struct JUnit;

impl Reporter<ScanReport> for JUnit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn suffixes(&self) -> &'static [&'static str] {
        &["xml"]
    }

    fn write(&self, report: &ScanReport, style: Style, output: &mut dyn Write) -> io::Result<()> {
        let suites = suites(report, style);
        let all = || suites.iter().flat_map(|suite| &suite.cases);
        let mut writer = Writer::new_with_indent(&mut *output, b' ', 2);
        writer.write_event(quick_xml::events::Event::Decl(quick_xml::events::BytesDecl::new(
            "1.0",
            Some("UTF-8"),
            None,
        )))?;
        writer
            .create_element("testsuites")
            .with_attribute(("name", "ftcheck"))
            .with_attributes(counts(all()).iter().map(|(name, count)| (*name, count.as_str())))
            .write_inner_content(|writer| {
                suites.iter().try_for_each(|suite| write_suite(suite, writer))
            })?;
        writeln!(output)
    }
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    class: String,
    file: String,
    severity: Severity,
    /// The rule that spoke first, or the verdict where none did.
    kind: String,
    /// What was found, each a line; empty where there is nothing to tell.
    lines: Vec<String>,
    /// What was found and does not count, each a line.
    ignored: Vec<String>,
}

impl Case {
    /// Whether all there would be to tell does not count.
    fn is_skipped(&self) -> bool {
        self.severity == Severity::Fine && !self.ignored.is_empty()
    }
}

fn suites(report: &ScanReport, style: Style) -> Vec<Suite> {
    let found = ByPackage::new(report);
    let mut suites: Vec<Suite> = Vec::new();
    for place in report.places() {
        let here = report.packages.iter().filter(|package| package.place() == place);
        let case = |package| of_package(package, &found, &place.to_string(), style);
        let cases: Vec<Case> = here.map(case).collect();
        if !cases.is_empty() {
            suites.push(Suite { name: place.to_string(), cases });
        }
    }
    let whole = report.findings.iter().filter(|finding| finding.package.is_none());
    let mut cases: Vec<Case> = whole.map(|finding| of_finding(report, finding, style)).collect();
    let ignored = report.ignored.iter().filter(|ignored| ignored.finding.package.is_none());
    cases.extend(ignored.map(|ignored| Case {
        severity: Severity::Fine,
        lines: Vec::new(),
        ignored: vec![of_ignored(ignored)],
        ..of_finding(report, &ignored.finding, style)
    }));
    let overall = judge::outcome(report, style.fail_on);
    let worst = suites.iter().flat_map(|suite| &suite.cases).chain(&cases);
    // A report without tests passes everywhere, and so does one in which all tests are skipped.
    let worst = worst.map(|case| case.severity).min();
    if report.packages.is_empty() || worst.is_none_or(|worst| overall < worst) {
        let mut looked = report.packages.iter().map(|package| package.verdict);
        let nothing = looked.all(|verdict| verdict == Verdict::Unchecked);
        let told = if nothing {
            "no package was looked at"
        } else {
            "what was found is told nowhere else"
        };
        cases.push(Case {
            name: "packages".to_owned(),
            class: WHOLE.to_owned(),
            file: String::new(),
            severity: if nothing { Severity::NotKnown } else { overall },
            kind: "not-checked".to_owned(),
            lines: vec![told.to_owned()],
            ignored: Vec::new(),
        });
    }
    if !cases.is_empty() {
        suites.push(Suite { name: WHOLE.to_owned(), cases });
    }
    suites
}

fn of_package(package: &PackageReport, found: &ByPackage, place: &str, style: Style) -> Case {
    let findings = found.of(package);
    let severity = found.severity(package, style.fail_on);
    let mut lines: Vec<String> = findings.iter().flat_map(|finding| lines(finding)).collect();
    if lines.is_empty() && severity != Severity::Fine {
        let reason = package.reason.as_deref().unwrap_or("the reason is not known");
        lines.push(format!("{}: {}", package.verdict.as_str(), one_line(reason)));
    }
    if !lines.is_empty() && package.via.len() > 1 {
        lines.push(format!("required by {}", chain(package)));
    }
    let location = findings.iter().find_map(|finding| finding.location.as_ref());
    let file = location
        .or(package.required_by.as_ref())
        .map(|location| style.origin.place(&location.path, location.line, location.column).path);
    let version = package.version.as_deref().map(|version| format!(" {}", printable(version)));
    Case {
        name: printable(&package.name) + &version.unwrap_or_default(),
        class: place.to_owned(),
        file: file.unwrap_or_default(),
        severity,
        kind: findings.first().map_or(package.verdict.as_str(), |first| &*first.rule).to_owned(),
        lines,
        ignored: found.ignored(package).iter().map(|ignored| of_ignored(ignored)).collect(),
    }
}

fn of_ignored(ignored: &Ignored) -> String {
    let (finding, reason) = (&ignored.finding, one_line(&ignored.reason));
    format!("ignored[{}] {}; {reason}", printable(&finding.rule), one_line(&finding.message))
}

fn of_finding(report: &ScanReport, finding: &Finding, style: Style) -> Case {
    let anchor = style.origin.anchor(report, finding);
    let message = one_line(&finding.message);
    Case {
        // The places in a file that say the same are different tests.
        name: match &finding.location {
            Some(_) => format!("{}:{}: {message}", printable(&anchor.path), anchor.line),
            None => message,
        },
        class: WHOLE.to_owned(),
        file: anchor.path,
        severity: judge::outcome_of(finding, style.fail_on),
        kind: finding.rule.to_string(),
        lines: lines(finding),
        ignored: Vec::new(),
    }
}

fn lines(finding: &Finding) -> Vec<String> {
    let first =
        format!("{}[{}] {}", finding.level.as_str(), finding.rule, one_line(&finding.message));
    let hints = finding.hints.iter().map(|hint| format!("  {}", one_line(hint)));
    let links = finding.links.iter().map(|link| format!("  see {}", one_line(link)));
    std::iter::once(first).chain(hints).chain(links).collect()
}

fn counts<'c>(cases: impl Iterator<Item = &'c Case>) -> [(&'static str, String); 4] {
    let (mut tests, mut failures, mut errors, mut skipped) = (0_usize, 0_usize, 0_usize, 0_usize);
    for case in cases {
        tests += 1;
        failures += usize::from(case.severity == Severity::Finding);
        errors += usize::from(case.severity == Severity::NotKnown);
        skipped += usize::from(case.is_skipped());
    }
    [("tests", tests), ("failures", failures), ("errors", errors), ("skipped", skipped)]
        .map(|(name, count)| (name, count.to_string()))
}

fn write_suite(suite: &Suite, writer: &mut Writer<impl Write>) -> io::Result<()> {
    writer
        .create_element("testsuite")
        .with_attribute(("name", suite.name.as_str()))
        .with_attributes(
            counts(suite.cases.iter()).iter().map(|(name, count)| (*name, count.as_str())),
        )
        .write_inner_content(|writer| {
            suite.cases.iter().try_for_each(|case| write_case(case, writer))
        })?;
    Ok(())
}

fn write_case(case: &Case, writer: &mut Writer<impl Write>) -> io::Result<()> {
    let (file, message) = (printable(&case.file), case.lines.first().cloned().unwrap_or_default());
    let mut element = writer
        .create_element("testcase")
        .with_attribute(("name", case.name.as_str()))
        .with_attribute(("classname", case.class.as_str()));
    if !file.is_empty() {
        element = element.with_attribute(("file", file.as_str()));
    }
    // The first of what is ignored is the reason of one that is skipped.
    let rest = case.ignored.iter().skip(usize::from(case.is_skipped()));
    let text = case.lines.iter().chain(rest).map(String::as_str).collect::<Vec<_>>();
    let text = text.join("\n");
    let outcome = match case.severity {
        Severity::Finding => "failure",
        Severity::NotKnown => "error",
        Severity::Fine if text.is_empty() && !case.is_skipped() => {
            element.write_empty()?;
            return Ok(());
        }
        Severity::Fine => "system-out",
    };
    element.write_inner_content(|writer| {
        if let Some(first) = case.ignored.first().filter(|_| case.is_skipped()) {
            writer
                .create_element("skipped")
                .with_attribute(("message", first.as_str()))
                .write_empty()?;
        }
        if text.is_empty() {
            return Ok(());
        }
        let mut told = writer.create_element(outcome);
        if case.severity != Severity::Fine {
            told = told
                .with_attribute(("message", message.as_str()))
                .with_attribute(("type", case.kind.as_str()));
        }
        told.write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}
