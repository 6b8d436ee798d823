//! The page of a report in a real browser: what it does, and that it asks nothing of anyone.
//!
//! Run with `cargo test --test browser`, which needs Chromium and fails without it; a plain
//! `cargo test` leaves it out. `FTCHECK_CHROMIUM` names another program than `chromium`, and with
//! `FTCHECK_SCREENSHOTS` naming a folder what is seen is written there.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how tests fail"
)]

mod chromium;
#[path = "../suite/report/sample.rs"]
mod sample;
mod server;

use ftcheck::model::report::ScanReport;
use ftcheck::report::html::render;
use serde_json::json;

use crate::chromium::Browser;
use crate::sample::{everything, large};
use crate::server::{PAGE, Server};

struct Opened {
    browser: Browser,
    server: Server,
}

impl Opened {
    fn of(report: &ScanReport) -> Self {
        let server = Server::of(render(report, ftcheck::judge::FailOn::DEFAULT).unwrap());
        let browser = Browser::start(&server.address);
        browser.prefer("light");
        browser.open(PAGE);
        Self { browser, server }
    }

    /// Names of the packages that the table shows, in its order.
    fn rows(&self) -> Vec<String> {
        let names = self.browser.value(
            "[...document.querySelectorAll('tbody > tr.item')].filter((row) => row.offsetParent !== \
             null).map((row) => row.dataset.name)",
        );
        serde_json::from_value(names).unwrap()
    }

    fn shown_findings(&self) -> usize {
        let count = self.browser.value(
            "[...document.querySelectorAll('.finding')].filter((one) => !one.hidden).length",
        );
        usize::try_from(count.as_u64().unwrap()).unwrap()
    }

    fn set(&self, id: &str, value: &str) {
        self.browser.value(&format!(
            "(() => {{ const it = document.getElementById({id:?}); it.value = {value:?}; \
             it.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
        ));
    }

    fn focused(&self) -> String {
        self.browser.text(
            "(() => { const it = document.activeElement; return it.id || it.getAttribute('href') || \
             it.textContent.trim(); })()",
        )
    }

    /// Nothing was asked for but the page itself, and nothing was complained of.
    fn is_quiet(&self) {
        let (requests, complaints) = self.browser.requests_and_complaints();
        let elsewhere: Vec<&String> =
            requests.iter().filter(|one| *one != PAGE && !one.starts_with("data:")).collect();
        assert_eq!(elsewhere, Vec::<&String>::new());
        assert_eq!(complaints, Vec::<String>::new());
        assert_eq!(self.server.asked(), [format!("GET {PAGE} HTTP/1.1")]);
    }
}

#[test]
fn the_filter_shows_what_matches() {
    let page = Opened::of(&everything(&["linux", "macos"]));
    let all = page.rows();
    let findings = page.shown_findings();
    assert!(all.len() > 10 && findings > 10);
    page.browser.screenshot("light", true);

    // By text, typed with the keyboard.
    page.browser.press("/");
    assert_eq!(page.focused(), "f-text");
    page.browser.write("lxml");
    assert_eq!(page.rows(), ["lxml"]);
    let count = page.browser.text("document.getElementById('f-count').textContent");
    assert!(count.starts_with("1 of "), "{count}");
    page.browser.screenshot("filtered", false);
    page.browser.press("Escape");
    assert_eq!(page.rows(), all);

    page.set("f-text", "nothing is called this");
    assert_eq!(page.rows(), Vec::<String>::new());
    assert_eq!(page.browser.value("document.getElementById('nothing').hidden"), json!(false));
    page.set("f-text", "");

    page.set("f-verdict", "undetermined");
    assert_eq!(page.rows(), ["riddle"]);
    page.set("f-verdict", "");
    page.set("f-level", "note");
    assert!(page.rows().contains(&"slow".to_owned()), "{:?}", page.rows());
    assert!(page.shown_findings() < findings);
    page.set("f-level", "");
    page.set("f-place", "1");
    assert!(!page.rows().contains(&"mac-only".to_owned()), "{:?}", page.rows());
    let graphs = "[...document.querySelectorAll('.graph')].filter((one) => !one.hidden).length";
    assert_eq!(page.browser.value(graphs), json!(1));

    // The totals are a way to the same.
    page.browser.click("button[type=reset]");
    page.browser.value("new Promise((done) => setTimeout(done, 50))");
    assert_eq!(page.rows(), all);
    page.browser.click("[data-choose='enables-gil']");
    assert_eq!(page.rows(), ["lxml"]);
    page.browser.click("[data-choose='enables-gil']");
    assert_eq!(page.rows(), all);
    page.is_quiet();
}

#[test]
fn the_table_is_sorted_by_its_heads() {
    let page = Opened::of(&everything(&["linux"]));
    let by_verdict = page.rows();
    assert_eq!(by_verdict[0], "lxml");
    page.browser.click("th[data-sort=name] button");
    let mut sorted = by_verdict.clone();
    sorted.sort();
    assert_eq!(page.rows(), sorted);
    page.browser.click("th[data-sort=name] button");
    sorted.reverse();
    assert_eq!(page.rows(), sorted);
    let state = page.browser.text("document.querySelector('th[data-sort=name]').ariaSort");
    assert_eq!(state, "descending");
    page.browser.click("th[data-sort=rank] button");
    assert_eq!(page.rows()[0], "lxml");
    page.is_quiet();
}

/// The names on the way that is highlighted, in their order.
fn followed(page: &Opened) -> Vec<String> {
    let names = page.browser.value(
        "[...document.querySelectorAll('.chain b')].map((it) => it.textContent).join('').split(' → ')",
    );
    serde_json::from_value(names).unwrap()
}

#[test]
fn a_chain_is_followed_with_the_mouse() {
    let page = Opened::of(&everything(&["linux"]));
    page.browser.click(".node.bad");
    assert_eq!(followed(&page), ["web 1.2.0", "lxml 6.1.3"]);
    let edges = "[...document.querySelectorAll('.edges .on')].length";
    assert_eq!(page.browser.value(edges), json!(1));
    page.browser.screenshot("chain", false);
    // Once more lets go.
    page.browser.click(".node.bad");
    assert_eq!(page.browser.value(edges), json!(0));
    // From the table: what was unfolded there leads to the graph.
    page.browser.value("document.querySelector('tr[data-name=lxml] details').open = true");
    page.browser.click("tr[data-name=lxml] .to-graph");
    assert_eq!(followed(&page), ["web 1.2.0", "lxml 6.1.3"]);
    // And back.
    page.set("f-text", "ruff");
    page.browser.click(".chain a");
    assert!(page.rows().contains(&"lxml".to_owned()));
    page.is_quiet();
}

#[test]
fn everything_is_reached_with_the_keyboard() {
    let page = Opened::of(&everything(&["linux"]));
    page.browser.press("Tab");
    assert_eq!(page.focused(), "#packages");
    assert!(page.browser.value("document.activeElement.getBoundingClientRect().top >= 0") == true);
    page.browser.press("Enter");
    page.browser.value("new Promise((done) => setTimeout(done, 50))");
    assert_eq!(page.browser.text("location.hash"), "#packages");

    // Every stop in turn, until the page is left; each shows that it has the focus.
    page.browser.value("document.body.tabIndex = -1, document.body.focus(), scrollTo(0, 0)");
    let mut stops = Vec::new();
    for _ in 0..120 {
        page.browser.press("Tab");
        if page.browser.value("document.activeElement === document.body") == true {
            break;
        }
        let outlined = page.browser.value(
            "(() => { const it = document.activeElement; const shown = it.classList.contains('node') ? \
             getComputedStyle(it.querySelector('rect')).strokeWidth === '3px' : \
             getComputedStyle(it).outlineStyle !== 'none'; return shown; })()",
        );
        let stop = page.focused();
        assert_eq!(outlined, json!(true), "{stop}");
        stops.push(stop);
    }
    let at = |wanted: &str| {
        let found = stops.iter().position(|stop| stop.contains(wanted));
        found.unwrap_or_else(|| panic!("{wanted} is no stop: {stops:?}"))
    };
    let order = ["theme", "f-text", "f-verdict", "Verdict", "Package", "of lxml", "g0a-"];
    let places: Vec<usize> = order.iter().map(|wanted| at(wanted)).collect();
    assert!(places.is_sorted(), "{places:?} of {stops:?}");
    // A graph is one stop.
    assert_eq!(stops.iter().filter(|stop| stop.starts_with("g0a-")).count(), 1, "{stops:?}");

    // Inside, arrows move, Enter follows and Escape lets go.
    page.browser.value("document.querySelector('.node[aria-label^=\"web \"]').focus()");
    page.browser.press("ArrowRight");
    let near = page.browser.text("document.activeElement.getAttribute('aria-label')");
    assert!(near.starts_with("lxml") || near.starts_with("slow") || near.starts_with("riddle"));
    for _ in 0..6 {
        let here = page.browser.text("document.activeElement.getAttribute('aria-label')");
        if here.starts_with("lxml") {
            break;
        }
        page.browser.press("ArrowUp");
    }
    page.browser.press("Enter");
    assert_eq!(followed(&page), ["web 1.2.0", "lxml 6.1.3"]);
    page.browser.press("ArrowLeft");
    let back = page.browser.text("document.activeElement.getAttribute('aria-label')");
    assert!(back.starts_with("web 1.2.0: pure Python"), "{back}");
    page.browser.press(" ");
    assert_eq!(followed(&page), ["web 1.2.0"]);
    page.browser.press("Escape");
    assert_eq!(page.browser.value("document.querySelectorAll('.following').length"), json!(0));
    page.is_quiet();
}

#[test]
fn it_is_light_and_dark() {
    let page = Opened::of(&everything(&["linux"]));
    let back = "getComputedStyle(document.body).backgroundColor";
    let light = page.browser.text(back);
    page.browser.prefer("dark");
    let dark = page.browser.text(back);
    assert_ne!(light, dark);
    page.browser.screenshot("dark", true);
    page.browser.click("#theme");
    assert_eq!(page.browser.text(back), light);
    page.browser.click("#theme");
    page.browser.prefer("light");
    assert_eq!(page.browser.text(back), dark);
    page.browser.click("#theme");
    assert_eq!(page.browser.text(back), light);
    page.is_quiet();
}

/// Each text's contrast with what it stands on, where that is less than 4.5 (3 where it is large).
const TOO_FAINT: &str = "(() => {
    const parse = (color) => { const c = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
      c.fillStyle = color; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; };
    const light = ([r, g, b]) => { const f = (v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
      return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
    const behind = (it) => { for (let at = it; at; at = at.parentElement) {
      const back = parse(getComputedStyle(at).backgroundColor); if (back[3] > 200) return back; } return [255, 255, 255]; };
    const faint = new Set();
    for (const it of document.querySelectorAll('body *')) {
      const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
      if (!own || it.closest('script, style, title, svg') || !it.checkVisibility()) continue;
      const style = getComputedStyle(it);
      const [a, b] = [light(parse(style.color)), light(behind(it))].sort((x, y) => y - x);
      const ratio = (a + .05) / (b + .05);
      if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) faint.add(`${it.localName}.${it.className}: ${ratio.toFixed(2)}`);
    }
    return [...faint];
  })()";

#[test]
fn every_text_stands_out_from_what_is_behind_it() {
    let page = Opened::of(&everything(&["linux", "macos"]));
    page.browser.value("document.querySelectorAll('details').forEach((it) => { it.open = true; })");
    for theme in ["light", "dark"] {
        page.browser.prefer(theme);
        assert_eq!(page.browser.value(TOO_FAINT), json!([]), "{theme}");
    }
    page.is_quiet();
}

#[test]
fn it_fits_narrow_screens() {
    let page = Opened::of(&everything(&["linux", "macos"]));
    for width in [1280, 900, 600, 360] {
        page.browser.size(width, 800);
        let wide = page.browser.value("document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= u64::from(width), "{wide} at {width}");
    }
    page.browser.screenshot("narrow", true);
    page.is_quiet();
}

#[test]
fn a_page_of_300_packages_unfolds() {
    let page = Opened::of(&large(300));
    assert_eq!(page.rows().len(), 300);
    page.browser.screenshot("large", true);
    page.browser.value("document.getElementById('graph').scrollIntoView()");
    page.browser.screenshot("large-graph", false);
    page.browser.click(".node.bad");
    page.browser.screenshot("large-chain", false);
    let unfolded = "document.querySelector('.unfold').open";
    assert_eq!(page.browser.value(unfolded), json!(false));
    page.browser.click(".unfold > summary");
    assert_eq!(page.browser.value(unfolded), json!(true));
    page.browser.size(1600, 1400);
    page.browser.click(".unfold .node.bad");
    assert!(!followed(&page).is_empty());
    page.browser.screenshot("large-all", false);
    page.is_quiet();
}

#[test]
fn without_the_script_everything_is_there() {
    let page = Opened::of(&everything(&["linux"]));
    page.browser.call("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    page.browser.open(PAGE);
    // The protocol's own expressions are evaluated all the same.
    assert!(page.rows().len() > 10);
    assert!(page.shown_findings() > 10);
    assert_eq!(page.browser.value("document.getElementById('filter').hidden"), json!(true));
    assert_eq!(page.browser.value("document.getElementById('theme').hidden"), json!(true));
    page.browser.screenshot("static", true);
    page.browser.click(".node.bad");
    assert_eq!(page.browser.text("document.querySelector(':target').dataset.name"), "lxml");
}

#[test]
fn nothing_hostile_runs() {
    let mut report = everything(&["linux"]);
    let evil = "</script><img src=x onerror=\"document.title='evil'\"><script>document.title='evil'</script>";
    for package in &mut report.packages {
        package.name = format!("{evil}{}", package.name);
        package.reason = Some(evil.to_owned());
    }
    for finding in &mut report.findings {
        finding.message = evil.to_owned();
        finding.hints = vec![evil.to_owned()];
    }
    report.notes = vec![evil.to_owned()];
    let page = Opened::of(&report);
    assert!(!page.browser.text("document.title").contains("evil"));
    assert_eq!(page.browser.value("document.images.length"), json!(0));
    page.set("f-text", "onerror");
    page.browser.click(".node.bad");
    assert_eq!(page.browser.value("document.images.length"), json!(0));
    assert!(!page.browser.text("document.title").contains("evil"));
    page.is_quiet();
}

#[test]
fn it_prints() {
    let page = Opened::of(&everything(&["linux"]));
    let printed = page.browser.call("Page.printToPDF", &json!({"printBackground": true}));
    assert!(printed["data"].as_str().unwrap().len() > 20_000);
    page.browser.call("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    let shown = "document.getElementById('filter').checkVisibility()";
    assert_eq!(page.browser.value(shown), json!(false));
    assert!(page.rows().len() > 10);
    page.browser.screenshot("print", true);
    page.is_quiet();
}
