//! What differs, as people and programs read it.

use ftcheck::diff::{Sides, compare};
use ftcheck::judge::{Levels, tell};
use ftcheck::model::diff_report::DiffReport;
use ftcheck::model::report::{ScanReport, Verdict};
use ftcheck::report::{DIFF_FORMATS, Detail, Style};
use insta::assert_snapshot;

use super::{at, linux, package, place, report, report_for};

fn written(report: &DiffReport, format: &str, detail: Detail) -> String {
    let style = Style {
        color: false,
        links: false,
        width: None,
        detail,
        subinterpreters: false,
        origin: ftcheck::report::Origin::default(),
        fail_on: ftcheck::judge::FailOn::DEFAULT,
    };
    let format = DIFF_FORMATS.iter().find(|one| one.name() == format).unwrap();
    let mut text = Vec::new();
    format.write(report, style, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn diff(old: &ScanReport, new: &ScanReport) -> DiffReport {
    let (old_name, new_name) = ("uv.lock at main (0123456789ab)".to_owned(), "uv.lock".to_owned());
    compare(Sides { old: Some(old), new: Some(new), old_name, new_name }).report
}

/// Every kind of change, on two platforms that differ in one of them.
fn everything() -> DiffReport {
    let places = [linux(), place("3.14t", "windows")];
    let both = |package: &ftcheck::model::report::PackageReport| {
        places.map(|place| at(place, package.clone()))
    };
    let mut old = Vec::new();
    let mut new = Vec::new();
    old.extend(both(&package("lxml", "5.0", Verdict::KeepsGilOff)));
    new.extend(both(&package("lxml", "6.1", Verdict::EnablesGil)));
    old.extend(both(&package("fixed", "1", Verdict::NoWheel)));
    new.extend(both(&package("fixed", "2", Verdict::KeepsGilOff)));
    old.extend(both(&package("httpx", "0.27", Verdict::PurePython)));
    new.extend(both(&package("httpx", "0.28", Verdict::PurePython)));
    old.extend(both(&package("gone", "1", Verdict::PurePython)));
    old.extend(both(&package("same", "1", Verdict::EnablesGil)));
    new.extend(both(&package("same", "1", Verdict::EnablesGil)));
    new.push(at(places[1], package("colorama", "0.4", Verdict::PurePython)));
    new.push(at(places[1], package("winonly", "1", Verdict::Undetermined)));
    let mut diff = diff(&report_for(&places, old), &report_for(&places, new));
    diff.notes.push("req.txt was renamed from requirements.txt".to_owned());
    diff
}

#[test]
fn the_table() {
    assert_snapshot!(written(&everything(), "table", Detail::Normal), @r"
    worsened  lxml 5.0 -> 6.1     keeps-gil-off -> enables-gil
    added     colorama 0.4        pure-python (x86_64-windows)
    added     winonly 1           undetermined (x86_64-windows)
    changed   httpx 0.27 -> 0.28  pure-python
    fixed     fixed 1 -> 2        no-wheel -> keeps-gil-off
    removed   gone 1              pure-python

    error[gil-enabled-on-import] lxml 6.1: importing it enables the GIL: lxml._a does not declare that it runs without the GIL
      --> requirements.txt:3:1
    warning[undetermined-module] winonly 1: what winonly._a does to the GIL could not be told: the reason is not known (x86_64-windows)
      --> requirements.txt:3:1

    gone[no-free-threaded-wheel] fixed 1

    1 worsened, 2 added, 1 changed, 1 fixed, 1 removed; 2 new findings, 1 gone
    uv.lock at main (0123456789ab) -> uv.lock
    note: req.txt was renamed from requirements.txt
    ");
}

#[test]
fn the_quiet_table_tells_what_is_worse() {
    assert_snapshot!(written(&everything(), "table", Detail::Quiet), @r"
    worsened  lxml 5.0 -> 6.1  keeps-gil-off -> enables-gil

    error[gil-enabled-on-import] lxml 6.1: importing it enables the GIL: lxml._a does not declare that it runs without the GIL
      --> requirements.txt:3:1
    warning[undetermined-module] winonly 1: what winonly._a does to the GIL could not be told: the reason is not known (x86_64-windows)
      --> requirements.txt:3:1

    1 worsened, 2 added, 1 changed, 1 fixed, 1 removed; 2 new findings, 1 gone
    uv.lock at main (0123456789ab) -> uv.lock
    note: req.txt was renamed from requirements.txt
    ");
}

#[test]
fn markdown() {
    assert_snapshot!(written(&everything(), "markdown", Detail::Normal), @r"
    **1 worsened, 2 added, 1 changed, 1 fixed, 1 removed; 2 new findings, 1 gone**

    | | package | version | verdict |
    | --- | --- | --- | --- |
    | worsened | `lxml` | `5.0` → `6.1` | 🟢 keeps-gil-off → 🔴 enables-gil |
    | added | `colorama` | `0.4` | 🟢 pure-python (`x86_64-windows`) |
    | added | `winonly` | 1 | 🟡 undetermined (`x86_64-windows`) |
    | changed | `httpx` | `0.27` → `0.28` | 🟢 pure-python |
    | fixed | `fixed` | 1 → 2 | 🔴 no-wheel → 🟢 keeps-gil-off |
    | removed | `gone` | 1 | 🟢 pure-python |

    ### New findings

    - **error** `gil-enabled-on-import`: `lxml` `6.1`: importing it enables the GIL: `lxml._a` does not declare that it runs without the GIL — `requirements.txt:3:1`
    - **warning** `undetermined-module`: `winonly` `1`: what `winonly._a` does to the GIL could not be told: the reason is not known (`x86_64-windows`) — `requirements.txt:3:1`

    <details><summary>No longer found: 1</summary>

    - `no-free-threaded-wheel`: `fixed` `1`

    </details>

    - `req.txt` was renamed from `requirements.txt`

    `uv.lock at main (0123456789ab)` → `uv.lock`
    ");
}

#[test]
fn json() {
    let old = report(vec![package("lxml", "5.0", Verdict::KeepsGilOff)]);
    let new = report(vec![package("lxml", "6.1", Verdict::EnablesGil)]);
    let text = written(&diff(&old, &new), "json", Detail::Normal);
    assert_snapshot!(text, @r#"
    {
      "version": 1,
      "old": "uv.lock at main (0123456789ab)",
      "new": "uv.lock",
      "places": [
        {
          "target": "3.14t",
          "platform": "x86_64-manylinux_2_28"
        }
      ],
      "summary": {
        "worsened": 1,
        "added": 0,
        "changed": 0,
        "fixed": 0,
        "removed": 0,
        "unchanged": 0,
        "found": 1,
        "gone": 0
      },
      "notes": [],
      "gaps": [],
      "packages": [
        {
          "kind": "worsened",
          "name": "lxml",
          "target": "3.14t",
          "platform": "x86_64-manylinux_2_28",
          "old": {
            "version": "5.0",
            "verdict": "keeps-gil-off"
          },
          "new": {
            "version": "6.1",
            "verdict": "enables-gil"
          },
          "location": {
            "path": "requirements.txt",
            "line": 3,
            "column": 1
          }
        }
      ],
      "found": [
        {
          "rule": "gil-enabled-on-import",
          "level": "error",
          "package": "lxml",
          "version": "6.1",
          "target": "3.14t",
          "platform": "x86_64-manylinux_2_28",
          "modules": [
            "lxml._a"
          ],
          "message": "importing it enables the GIL: lxml._a does not declare that it runs without the GIL",
          "location": {
            "path": "requirements.txt",
            "line": 3,
            "column": 1
          }
        }
      ],
      "gone": []
    }
    "#);
    let again: DiffReport = serde_json::from_str(&text).unwrap();
    assert_eq!(again, diff(&old, &new));
}

#[test]
fn nothing_differs() {
    let same = report(vec![package("same", "1", Verdict::EnablesGil)]);
    assert_snapshot!(written(&diff(&same, &same), "table", Detail::Normal), @r"
    no package differs; 0 new findings, 0 gone
    uv.lock at main (0123456789ab) -> uv.lock
    ");
    assert_snapshot!(written(&diff(&same, &same), "markdown", Detail::Normal), @r"
    **no package differs; 0 new findings, 0 gone**

    `uv.lock at main (0123456789ab)` → `uv.lock`
    ");
}

/// Names and reasons come from files and servers that others may have written.
#[test]
fn foreign_text_marks_nothing_up() {
    let mut evil = package("evil|x", "1`<b>", Verdict::Unchecked);
    evil.reason = Some(
        "[click](https://example.org) @team #1 <script>\n# heading | cell \u{1b}[31m".to_owned(),
    );
    let diff = diff(&report(vec![package("same", "1", Verdict::PurePython)]), &report(vec![evil]));
    // What keeps names from being mentioned cannot be seen.
    let shown = written(&diff, "markdown", Detail::Normal).replace('\u{200b}', "·");
    assert_snapshot!(shown, @r"
    **1 added, 1 removed; 1 new finding, 0 gone**

    | | package | version | verdict |
    | --- | --- | --- | --- |
    | added | <code>evil&#124;x</code> | <code>1&#96;&#60;b&#62;</code> | 🟡 unchecked |
    | removed | `same` | 1 | 🟢 pure-python |

    ### New findings

    - **warning** `not-checked`: <code>evil&#124;x</code> <code>1&#96;&#60;b&#62;</code>: `[click](https://example.org`) `@team` `#1` `<script>` `#` heading <code>&#124;</code> cell `�[31m` — `requirements.txt:3:1`

    `uv.lock at main (0123456789ab)` → `uv.lock`
    ");
    assert!(!written(&diff, "table", Detail::Normal).contains('\u{1b}'));
}

/// One file brings it in on Linux, another on Windows: neither place is lost.
#[test]
fn what_is_brought_in_by_different_lines_is_told_at_each() {
    let places = [linux(), place("3.14t", "windows")];
    let brought_by = |place, path: &str| {
        let mut package = at(place, package("lxml", "6.1", Verdict::EnablesGil));
        package.required_by.as_mut().unwrap().path = path.to_owned();
        package
    };
    let new = vec![brought_by(places[0], "top.txt"), brought_by(places[1], "bottom.txt")];
    let diff = diff(&report_for(&places, vec![]), &report_for(&places, new));
    for format in ["table", "markdown"] {
        let text = written(&diff, format, Detail::Normal);
        assert!(text.contains("top.txt:3:1") && text.contains("bottom.txt:3:1"), "{text}");
        assert!(text.contains("2 new findings"), "{text}");
    }
}

#[test]
fn texts_of_several_lines_stay_such() {
    let text = "it cannot be resolved:\nspam wants eggs<2".to_owned();
    let same = report(vec![package("same", "1", Verdict::PurePython)]);
    let mut before = same.clone();
    before.gaps.push(text.clone());
    tell(&mut before, &Levels::default());
    let mut diff = diff(&before, &same);
    diff.gaps.push(text.clone());
    diff.notes.push(text);
    assert_snapshot!(written(&diff, "table", Detail::Normal), @r"
    gone[not-checked] not covered: it cannot be resolved:
      spam wants eggs<2

    no package differs; 0 new findings, 1 gone
    uv.lock at main (0123456789ab) -> uv.lock
    not covered: it cannot be resolved:
      spam wants eggs<2
    note: it cannot be resolved:
      spam wants eggs<2
    ");
}
