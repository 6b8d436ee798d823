//! The page: what is in it, and that nothing foreign becomes part of it. What it does in a browser is
//! tested there, in `tests/browser/`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ftcheck::judge::FailOn;
use ftcheck::model::report::{ScanReport, Verdict};
use ftcheck::report::html::render;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, State};
use html5ever::tokenizer::{
    Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;

use super::foreign::{HOSTILE, hostile};
use super::sample::{everything, large};

fn page(report: &ScanReport) -> String {
    render(report, FailOn::DEFAULT).unwrap()
}

/// What a browser finds in a page.
#[derive(Default)]
struct Found {
    tags: RefCell<Vec<Tag>>,
    text: RefCell<String>,
}

impl TokenSink for Found {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => {
                let raw = match &*tag.name {
                    _ if tag.kind == TagKind::EndTag => None,
                    "script" => Some(RawKind::ScriptData),
                    "style" => Some(RawKind::Rawtext),
                    "title" => Some(RawKind::Rcdata),
                    _ => None,
                };
                // The one in a drawing is no element of HTML and holds what others do.
                let in_drawing = self.tags.borrow().iter().any(|tag| &*tag.name == "svg");
                self.tags.borrow_mut().push(tag);
                match raw {
                    Some(RawKind::Rcdata) if in_drawing => TokenSinkResult::Continue,
                    Some(kind) => TokenSinkResult::RawData(kind),
                    None => TokenSinkResult::Continue,
                }
            }
            Token::CharacterTokens(text) => {
                self.text.borrow_mut().push_str(&text);
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

fn parsed(page: &str) -> Found {
    let options = TokenizerOpts { initial_state: Some(State::Data), ..TokenizerOpts::default() };
    let tokenizer = Tokenizer::new(Found::default(), options);
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(page));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink
}

/// Each element with the names of its attributes, and each address.
fn made_of(page: &str) -> BTreeSet<String> {
    let found = parsed(page);
    let tags = found.tags.borrow();
    let mut all = BTreeSet::new();
    for tag in tags.iter() {
        for attribute in &tag.attrs {
            let name = &*attribute.name.local;
            all.insert(format!("{} {name}", tag.name));
            if name == "href" || name == "src" {
                let value: String =
                    attribute.value.chars().filter(|one| !one.is_numeric()).collect();
                all.insert(format!("{} {name} {value}", tag.name));
            }
        }
        all.insert(tag.name.to_string());
    }
    all
}

#[test]
fn every_verdict_and_every_rule() {
    let page = page(&super::everything::everything());
    let start = page.find("<body>").unwrap();
    let end = page.find("<script>").unwrap();
    insta::with_settings!({filters => vec![(r"ftcheck \d+\.\d+\.\d+", "ftcheck VERSION")]}, {
        insta::assert_snapshot!("page", &page[start..end]);
    });
}

#[test]
fn the_policy_allows_the_one_style_and_script_and_nothing_else() {
    let page = page(&everything(&["linux"]));
    let found = parsed(&page);
    let tags = found.tags.borrow();
    let content_of = |wanted: &str| {
        tags.iter()
            .find(|tag| {
                tag.attrs.iter().any(|one| one.value.contains(wanted)) && &*tag.name == "meta"
            })
            .and_then(|tag| tag.attrs.iter().find(|one| &*one.name.local == "content"))
            .map(|one| one.value.to_string())
            .unwrap()
    };
    let policy = content_of("Content-Security-Policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
        let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
        let (text, after) = rest.split_once(&format!("</{element}>")).unwrap();
        assert!(!after.contains(&format!("<{element}")), "more than one {element}");
        let digest = STANDARD.encode(Sha256::digest(text.as_bytes()));
        assert!(policy.contains(&format!("{directive} 'sha256-{digest}'")), "{element}");
    }
    assert!(!policy.contains("unsafe"));
    // Nothing in the page would need more.
    for tag in tags.iter() {
        for attribute in &tag.attrs {
            let name = &*attribute.name.local;
            assert!(name != "style" && name != "src" && !name.starts_with("on"), "{tag:?}");
            let leads_away = name == "href" && !attribute.value.starts_with('#');
            let is_link = &*tag.name == "a" || attribute.value.starts_with("data:image/svg+xml");
            assert!(!leads_away || is_link, "{tag:?}");
        }
    }
}

#[test]
fn nothing_foreign_becomes_part_of_the_page() {
    let harmless = made_of(&page(&hostile("spam")));
    for text in HOSTILE {
        let page = page(&hostile(text));
        let added: Vec<String> = made_of(&page)
            .difference(&harmless)
            // The link of a finding, as far as it is one of the web.
            .filter(|one| {
                !one.starts_with("a href https://")
                    && !one.starts_with("a href http://")
                    && *one != "a rel"
                    && *one != "code"
            })
            .cloned()
            .collect();
        assert_eq!(added, Vec::<String>::new(), "{text:?}");
        assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'), "{text:?}");
    }
}

#[test]
fn it_is_whole_without_the_script() {
    let report = everything(&["linux"]);
    let page = page(&report);
    let found = parsed(&page);
    let text = found.text.borrow();
    for package in &report.packages {
        assert!(text.contains(&package.name), "{}", package.name);
    }
    for finding in &report.findings {
        let words = finding.message.replace('`', "");
        assert!(text.contains(&words), "{words}");
    }
    for gap in &report.gaps {
        assert!(text.contains(&gap.replace('`', "")), "{gap}");
    }
    let tags = found.tags.borrow();
    let rows = tags
        .iter()
        .filter(|tag| &*tag.name == "tr" && tag.attrs.iter().any(|one| &*one.name.local == "id"));
    let hidden = |tag: &Tag| tag.attrs.iter().any(|one| &*one.name.local == "hidden");
    assert_eq!(rows.clone().count(), report.packages.len());
    assert_eq!(rows.filter(|tag| hidden(tag)).count(), 0);
}

#[test]
fn ids_are_unique_and_links_inside_lead_somewhere() {
    for report in [everything(&["linux", "macos", "windows"]), large(300)] {
        let page = page(&report);
        let found = parsed(&page);
        let tags = found.tags.borrow();
        let mut ids = BTreeSet::new();
        let attributes = |name: &'static str| {
            tags.iter().flat_map(|tag| &tag.attrs).filter(move |one| &*one.name.local == name)
        };
        for id in attributes("id") {
            assert!(ids.insert(id.value.to_string()), "{} twice", id.value);
        }
        for link in attributes("href").filter(|one| one.value.starts_with('#')) {
            assert!(ids.contains(&link.value[1..]), "{}", link.value);
        }
        for name in ["data-chain", "data-from", "data-to", "aria-labelledby"] {
            for one in attributes(name).flat_map(|one| one.value.split(' ')) {
                assert!(ids.contains(one), "{name} {one}");
            }
        }
    }
}

#[test]
fn a_large_graph_shows_what_leads_to_findings_first() {
    let report = large(300);
    let page = page(&report);
    let (first, rest) = page.split_once("<details class=\"unfold\">").unwrap();
    let drawn = |part: &str| part.matches("class=\"node ").count();
    assert!(drawn(first) > 10 && drawn(first) < 150, "{}", drawn(first));
    assert_eq!(drawn(rest), 300);
    for package in &report.packages {
        let label = format!("aria-label=\"{} 1.2.0: ", package.name);
        if matches!(package.verdict, Verdict::EnablesGil | Verdict::Undetermined) {
            assert!(first.contains(&label), "{}", package.name);
        }
    }
}

#[test]
fn places_with_the_same_graph_share_it() {
    let same = everything(&["linux", "x86_64-manylinux_2_36"]);
    assert_eq!(page(&same).matches("<div class=\"graph\"").count(), 2);
    let mut same = everything(&["linux", "x86_64-manylinux_2_36"]);
    same.packages.retain(|package| package.name != "mac-only");
    same.finish();
    assert_eq!(page(&same).matches("<div class=\"graph\"").count(), 1);
}

#[test]
fn an_empty_report_is_no_success() {
    let mut report = everything(&["linux"]);
    report.packages.clear();
    report.findings.clear();
    report.gaps.clear();
    report.finish();
    let page = page(&report);
    assert!(page.contains("class=\"outcome unknown\""));
    assert!(page.contains("no package was checked"));
}

/// The row of a package in the table.
fn row<'p>(page: &'p str, name: &str) -> &'p str {
    page.split("<tr").find(|row| row.contains(&format!("data-name=\"{name}\""))).unwrap()
}

/// A baseline knew it at the first of its places.
#[test]
fn a_row_has_what_was_found_at_any_of_its_places() {
    let mut report = everything(&["linux", "windows"]);
    let first = report.places().next();
    let is_known = |one: &ftcheck::model::finding::Finding| {
        one.package.as_deref() == Some("riddle") && one.place == first
    };
    let before = page(&report);
    report.findings.retain(|one| !is_known(one));
    let after = page(&report);
    assert!(row(&before, "riddle").contains("1 warning"), "{}", row(&before, "riddle"));
    assert_eq!(row(&before, "riddle"), row(&after, "riddle"));
}

/// Rows that come to the same at several places may rest on something else there.
#[test]
fn a_row_tells_at_which_of_its_places_something_is_known() {
    let mut report = everything(&["linux", "windows"]);
    let windows = report.places().nth(1).unwrap();
    for package in report.packages.iter_mut().filter(|one| one.place() == windows) {
        package.requires.retain(|one| one != "lxml");
        for module in &mut package.modules {
            module.init = Some(ftcheck::model::evidence::Init::SinglePhase);
        }
    }
    let page = page(&report);
    let linux = report.label(report.places().next().unwrap());
    let windows = report.label(windows);
    assert!(page.contains(&format!("lxml, markupsafe, riddle ({linux})")));
    assert!(page.contains(&format!(">markupsafe, riddle ({windows})")));
    let grounds = format!("declared, multi-phase ({linux}); declared, single-phase ({windows})");
    assert!(page.contains(&grounds));
}
