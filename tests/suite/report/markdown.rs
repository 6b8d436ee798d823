//! The report as Markdown: what it looks like, what it leaves out, and what cannot act in it.

use std::collections::BTreeSet;

use ftcheck::model::finding::Finding;
use ftcheck::model::report::ScanReport;
use ftcheck::report::markdown::{COMMENT_LIMIT, Options, render};
use insta::assert_snapshot;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options as Extensions, Parser, Tag};

use super::foreign::{HOSTILE, hostile};
use super::sample::{everything, large};

fn whole(report: &ScanReport) -> String {
    render(report, &Options::default())
}

/// What a renderer makes of it that is more than text: elements, HTML, and where links lead.
fn made_of(markdown: &str) -> BTreeSet<String> {
    let extensions = Extensions::ENABLE_TABLES
        | Extensions::ENABLE_STRIKETHROUGH
        | Extensions::ENABLE_TASKLISTS
        | Extensions::ENABLE_FOOTNOTES
        | Extensions::ENABLE_GFM;
    let mut found = BTreeSet::new();
    for event in Parser::new_ext(markdown, extensions) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                found.insert(format!("link {dest_url}"));
            }
            Event::Start(Tag::Image { .. }) => {
                found.insert("image".to_owned());
            }
            Event::Start(Tag::Heading { level, .. }) => {
                found.insert(format!("{level}"));
            }
            Event::Start(Tag::CodeBlock(_)) => {
                found.insert("code block".to_owned());
            }
            Event::Start(Tag::List(Some(_))) => {
                found.insert("numbered list".to_owned());
            }
            Event::Start(Tag::Emphasis) => {
                found.insert("emphasis".to_owned());
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                found.extend(html.lines().map(|line| format!("html {}", line.trim())));
            }
            Event::Rule | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {
                found.insert(format!("{event:?}"));
            }
            _ => {}
        }
    }
    found
}

/// The text that is left when the Markdown is rendered, without what stands in code: it is what
/// GitHub and GitLab look through for mentions, references and addresses.
fn running_text(markdown: &str) -> String {
    let mut text = String::new();
    let mut in_code = 0;
    for event in Parser::new_ext(markdown, Extensions::ENABLE_TABLES) {
        match event {
            Event::InlineHtml(html) if html.as_ref() == "<code>" => in_code += 1,
            Event::InlineHtml(html) if html.as_ref() == "</code>" => in_code -= 1,
            Event::Text(part) if in_code == 0 => text.push_str(&part),
            Event::Text(_) => {}
            // Parts on both sides do not join.
            _ => text.push(' '),
        }
    }
    text
}

#[test]
fn every_verdict_and_every_rule() {
    insta::assert_snapshot!("markdown", whole(&super::everything::everything()));
}

#[test]
fn several_places_stand_side_by_side() {
    let report = everything(&["linux", "macos"]);
    let text = whole(&report);
    let totals: Vec<&str> = text.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_snapshot!(totals.join("\n"), @r"
    | | `3.14t on x86_64-manylinux_2_28` | `3.14t on aarch64-macos_13_0` |
    | --- | ---: | ---: |
    | enables the GIL | 1 | 1 |
    | no wheel | 5 | 4 |
    | not checked | 1 | 1 |
    | undetermined | 1 | 1 |
    | keeps the GIL off | 1 | 1 |
    | no extension modules | 1 | 1 |
    | pure Python | 2 | 2 |
    | **checked** | 10 of 12 | 9 of 11 |
    ");
    let of_one = text.lines().find(|line| line.contains("wheel-missing-for-platform"));
    assert_snapshot!(of_one.unwrap(), @"| **error** `wheel-missing-for-platform` | `mac-only` `1.2.0` | nothing can be installed without a build: its wheels for `3.14t` are for macOS (`x86_64-manylinux_2_28`) | `pyproject.toml:12` |");
}

#[test]
fn a_scan_without_findings_says_what_was_checked() {
    let mut report = everything(&["linux"]);
    report.gaps.clear();
    report.sources.clear();
    report.packages.retain(|package| package.name == "markupsafe" || package.name == "ruff");
    report.finish();
    report.findings.clear();
    assert_snapshot!(whole(&report).lines().next().unwrap(), @"## ✅ ftcheck: all 2 packages were checked, none was found to enable the GIL");
    report.packages.truncate(1);
    report.finish();
    assert_snapshot!(whole(&report).lines().next().unwrap(), @"## ✅ ftcheck: the one package was checked, and was not found to enable the GIL");
    report.packages.clear();
    report.finish();
    assert_snapshot!(whole(&report).lines().next().unwrap(), @"## ⚠️ ftcheck: no package was checked");
}

#[test]
fn what_was_not_told_is_never_a_success() {
    let mut report = everything(&["linux"]);
    report.sources.clear();
    report.packages.retain(|package| package.name == "markupsafe" || package.name == "lost");
    report.finish();
    report.findings = ftcheck::judge::findings(&report, &ftcheck::judge::Levels::default());
    assert_snapshot!(whole(&report).lines().next().unwrap(), @"## ⚠️ ftcheck: 1 package was not checked, 1 gap in what the scan covers");
    // Accepted findings do not make the sentence a lie.
    let mut accepted = everything(&["linux"]);
    accepted.gaps.clear();
    accepted.packages.retain(|package| package.name == "lxml");
    accepted.finish();
    for finding in &mut accepted.findings {
        finding.level = ftcheck::model::finding::Level::Note;
    }
    accepted.findings.retain(|finding| finding.package.as_deref() == Some("lxml"));
    assert_snapshot!(whole(&accepted).lines().next().unwrap(), @"## ✅ ftcheck: 1 package enables the GIL; nothing that fails the scan");
}

#[test]
fn nothing_foreign_acts() {
    let harmless = made_of(&whole(&hostile("spam")));
    for text in HOSTILE {
        let markdown = whole(&hostile(text));
        let added: Vec<String> = made_of(&markdown)
            .difference(&harmless)
            .filter(|found| {
                // What stands for code where a code span cannot, and what keeps addresses apart.
                !matches!(found.as_str(), "html <code>" | "html </code>" | "html <!-- -->")
            })
            // Links of findings lead where the report says.
            .filter(|found| !found.starts_with("link https://example.org/evil"))
            .cloned()
            .collect();
        assert_eq!(added, Vec::<String>::new(), "{text:?}\n{markdown}");
        let running = running_text(&markdown);
        for sign in ["@", "#1", "!4", "GH-", "://", "www.", "0123456", ":boom", "~label", "$"] {
            assert!(!running.contains(sign), "{text:?} leaves {sign} in\n{running}");
        }
    }
}

#[test]
fn only_links_of_findings_are_links() {
    for text in HOSTILE {
        let mut report = hostile(text);
        for finding in &mut report.findings {
            finding.links.clear();
        }
        let links: Vec<String> =
            made_of(&whole(&report)).into_iter().filter(|one| one.starts_with("link")).collect();
        assert_eq!(links, Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn a_link_leaves_no_mention_upstream_and_shows_no_credentials() {
    let links = |link: &str| {
        let mut report = hostile("spam");
        report.findings[0].links = vec![link.to_owned()];
        made_of(&whole(&report))
            .into_iter()
            .filter(|one| one.starts_with("link"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        links("https://github.com/lxml/lxml/issues/1"),
        ["link https://redirect.github.com/lxml/lxml/issues/1"]
    );
    assert_eq!(links("https://me:secret@example.org/a?token=b"), ["link https://example.org/a"]);
    assert_eq!(
        links("https://example.org/a)b|c<d>`e\\f"),
        ["link https://example.org/a%29b%7Cc%3Cd%3E%60e/f"]
    );
    assert_eq!(links("javascript:alert(1)"), Vec::<String>::new());
    assert_eq!(links("not an address"), Vec::<String>::new());
}

#[test]
fn a_table_keeps_its_columns_whatever_is_in_it() {
    for text in HOSTILE {
        let markdown = whole(&hostile(text));
        let mut cells = 0;
        let mut table = 0;
        for event in Parser::new_ext(&markdown, Extensions::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Table(columns)) => table = columns.len(),
                Event::Start(Tag::TableRow | Tag::TableHead) => cells = 0,
                Event::Start(Tag::TableCell) => cells += 1,
                Event::End(pulldown_cmark::TagEnd::TableRow) => {
                    assert_eq!(cells, table, "{text:?}\n{markdown}");
                }
                _ => {}
            }
        }
        // Every finding has its row; a text that ended the table would leave some outside.
        let rows = markdown.lines().filter(|line| {
            line.starts_with("| **error**")
                || line.starts_with("| warning")
                || line.starts_with("| note")
        });
        assert_eq!(rows.count(), distinct(&hostile(text).findings), "{text:?}\n{markdown}");
    }
}

fn distinct(findings: &[Finding]) -> usize {
    let keys: BTreeSet<String> = findings
        .iter()
        .map(|finding| format!("{}{:?}{}", finding.rule, finding.location, finding.message))
        .collect();
    keys.len()
}

#[test]
fn what_does_not_fit_is_counted() {
    let report = large(3_000);
    let uncut = whole(&report);
    assert!(uncut.len() > COMMENT_LIMIT, "{}", uncut.len());
    let cut = render(&report, &Options { limit: Some(COMMENT_LIMIT), ..Options::default() });
    assert!(cut.len() <= COMMENT_LIMIT && cut.len() > COMMENT_LIMIT - 2_000, "{}", cut.len());
    // The outcome is that of the whole report.
    assert_eq!(cut.lines().next(), uncut.lines().next());
    let last = cut.lines().last().unwrap();
    assert!(last.starts_with("**Cut to fit the limit of 65536 bytes.** Left out: "), "{last}");
    assert_eq!(cut.matches("<details>").count(), cut.matches("</details>").count());
    let less = render(&report, &Options { details: false, ..Options::default() });
    assert!(!less.contains("<details>"));
}

proptest! {
    #[test]
    fn no_limit_is_exceeded_and_a_cut_is_always_said(limit in 0_usize..12_000) {
        let report = everything(&["linux"]);
        let uncut = whole(&report);
        let text = render(&report, &Options { limit: Some(limit), ..Options::default() });
        prop_assert!(text.len() <= limit);
        prop_assert!(text == uncut || limit < 40 || text.contains("**Cut"), "{}", text);
        prop_assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }

    #[test]
    fn any_text_is_harmless(text in "[ -~\n\u{e9}\u{202e}|`\\\\<>@#\\[\\]()!*_]{0,60}") {
        let harmless = made_of(&whole(&hostile("spam")));
        let mut report = hostile(&text);
        for finding in &mut report.findings {
            finding.links.clear();
        }
        let added: Vec<String> = made_of(&whole(&report))
            .difference(&harmless)
            .filter(|found| {
                !matches!(found.as_str(), "html <code>" | "html </code>" | "html <!-- -->")
            })
            .cloned()
            .collect();
        prop_assert_eq!(added, Vec::<String>::new());
    }
}
