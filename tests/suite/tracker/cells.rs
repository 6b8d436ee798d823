//! Every form of a cell, names, and footnotes.

use ftcheck::model::target::Target;
use ftcheck::model::tracker::TrackerEntry;

use super::{CHECK, import, line, page, remarks, row};

const ISSUE: &str = "[:simple-github:](https://example.org/spam/issues/1)";

#[test]
fn a_row_says_all_that_its_cells_say() {
    let systems = ":simple-linux: :simple-apple: :material-microsoft-windows:";
    let nightly = "[:simple-anaconda:](https://nightly.example.org/spam/)";
    let (entry, remarks) = row(&["spam", ISSUE, CHECK, CHECK, "1.2.0", systems, nightly]);
    assert_eq!(
        entry,
        TrackerEntry {
            project: "spam".to_owned(),
            packages: vec!["spam".to_owned()],
            first_version: Some("1.2.0".to_owned()),
            issue: Some("https://example.org/spam/issues/1".to_owned()),
            tested: true,
            released: true,
            nightly: ["linux", "macos", "windows"].map(str::to_owned).to_vec(),
            nightly_page: Some("https://nightly.example.org/spam/".to_owned()),
            ..TrackerEntry::default()
        }
    );
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn empty_cells_say_nothing() {
    let (entry, remarks) = row(&["spam", "", "", "", "", "", ""]);
    let project = "spam".to_owned();
    let packages = vec!["spam".to_owned()];
    assert_eq!(entry, TrackerEntry { project, packages, ..TrackerEntry::default() });
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn every_form_of_a_mark_is_one() {
    for mark in [
        ":material-check-bold:",
        // As it is misspelt on the page.
        ":meterial-check-bold:",
        ":material-check:",
        "✅",
        "✔️",
        "[:material-check-bold:](https://example.org/run)",
    ] {
        let (entry, remarks) = row(&["spam", "", mark, mark, "", "", ""]);
        assert!(entry.tested && entry.released && remarks.is_empty(), "{mark}: {remarks:?}");
    }
}

#[test]
fn a_cell_that_is_not_known_is_told_and_says_nothing() {
    for (cells, problem) in [
        (
            ["spam", "", ":material-help:", "", "", "", ""],
            "expected a check mark or nothing, found `:material-help:`",
        ),
        (
            ["spam", "", "", ":material-check-bold: soon", "", "", ""],
            "expected a check mark or nothing, found `soon`",
        ),
        (["spam", "", "", "", "next", "", ""], "expected a version or nothing, found `next`"),
        (["spam", "", "", "", ">=1.0", "", ""], "expected a version or nothing, found `>=1.0`"),
        (
            ["spam", "", "", "", "", ":simple-freebsd:", ""],
            "expected icons of systems or nothing, found `:simple-freebsd:`",
        ),
        (["spam", "none", "", "", "", "", ""], "expected a link or nothing, found `none`"),
        (
            ["spam", "[a](https://a.test) [b](https://b.test)", "", "", "", "", ""],
            "expected one link, found 2",
        ),
        (
            ["spam", "[a](javascript:alert)", "", "", "", "", ""],
            "expected an http or https address, found `javascript:alert`",
        ),
        (
            ["spam", "[a](issues/1)", "", "", "", "", ""],
            "expected an address, found `issues/1`: relative URL without a base",
        ),
        (
            ["spam", "[a](https://user:secret@a.test)", "", "", "", "", ""],
            "expected an address without user name and password",
        ),
        (
            ["spam", "", "", "", "", "", "https://a.test"],
            "expected a link or nothing, found `https://a.test`",
        ),
    ] {
        let (entry, remarks) = row(&cells);
        let [remark] = remarks.as_slice() else { panic!("{cells:?}: {remarks:?}") };
        assert!(remark.starts_with("page.md:5:"), "{remark}");
        assert!(remark.ends_with(&format!(": spam: not understood: {problem}")), "{remark}");
        assert_eq!(entry.notes, [format!("a cell was not understood: {problem}")]);
        let notes = Vec::new();
        let project = "spam".to_owned();
        let packages = vec!["spam".to_owned()];
        let silent = TrackerEntry { project, packages, ..TrackerEntry::default() };
        assert_eq!(TrackerEntry { notes, ..entry }, silent);
    }
}

#[test]
fn the_place_of_a_cell_is_told() {
    let rows = line(&["spam", "", "", "", "", "", ""]) + &line(&["é", "", "?", "", "", "", ""]);
    let told = remarks(&import(&page(&rows)));
    assert!(told[1].starts_with("page.md:6:9: é: not understood"), "{told:?}");
}

#[test]
fn columns_may_stand_in_any_order_and_further_ones_are_told() {
    let text = "|PyPI release|First version with support|Wheels|Upstream issue|tested in ci|project|\n\
                |-|-|-|-|-|-|\n|✅|1.0|many||✅|spam|\n";
    let import = import(text);
    assert_eq!(
        remarks(&import),
        ["page.md:1:42: not understood: expected a column that is known, found `Wheels`",]
    );
    let [entry] = import.entries.as_slice() else { panic!() };
    assert!(entry.tested && entry.released);
    assert_eq!(entry.first_version.as_deref(), Some("1.0"));
}

#[test]
fn the_names_of_distributions_are_those_that_people_looked_up() {
    let packages = |project: &str| {
        let (entry, remarks) = row(&[project, "", "", "", "", "", ""]);
        (entry.packages.join(" "), entry.name_unchecked, entry.tool, remarks.join("\n"))
    };
    let checked = |names: &str, tool| (names.to_owned(), false, tool, String::new());
    assert_eq!(packages("spam"), checked("spam", false));
    assert_eq!(packages("Ham_X"), checked("ham-x", false));
    assert_eq!(packages("Eggs"), checked("eggs-a py-eggs", false));
    assert_eq!(packages("A tool"), checked("", true));
    assert_eq!(packages("[spam](https://a.test)"), checked("spam", false));
}

#[test]
fn a_name_that_nobody_looked_up_is_told() {
    let (entry, remarks) = row(&["new_one.x2", "", "", "", "", "", ""]);
    assert_eq!(entry.packages, ["new-one-x2"]);
    assert!(entry.name_unchecked);
    assert_eq!(
        remarks,
        ["page.md:5:1: new_one.x2: name not checked: taken for the distribution new-one-x2"]
    );
}

#[test]
fn a_name_that_people_write_is_not_taken_for_a_distribution() {
    for project in ["PyNew", "New one", "new (c++)", "-new", "neu-é", "`<b>`"] {
        let (entry, remarks) = row(&[project, "", "", "", "", "", ""]);
        assert!(entry.packages.is_empty() && !entry.name_unchecked, "{entry:?}");
        let [remark] = remarks.as_slice() else { panic!("{remarks:?}") };
        assert!(remark.contains("name not checked: expected the name of a distribution"));
    }
}

#[test]
fn one_distribution_has_one_row() {
    let rows =
        line(&["spam", "", CHECK, "", "", "", ""]) + &line(&["More", "", "", "", "", "", ""]);
    let import = import(&page(&rows));
    assert_eq!(import.entries[1].packages, [""; 0]);
    assert_eq!(
        remarks(&import),
        ["page.md:6:1: More: not understood: expected one row for spam, found one before"]
    );
}

#[test]
fn footnotes_add_to_a_row_and_take_from_it() {
    for cells in [
        ["spam[^1]", "", CHECK, CHECK, "1.0", "", ""],
        ["spam", "", CHECK, ":material-check-bold: [^1]", "1.0", "", ""],
        ["spam[^1]", "", CHECK, ":material-check-bold: [^1]", "1.0", "", ""],
    ] {
        let text = page(&line(&cells)) + "\n[^1]: from the *next*\n    [one](https://x.test) on\n";
        let import = import(&text);
        let [entry] = import.entries.as_slice() else { panic!() };
        assert_eq!(entry.project, "spam");
        assert_eq!(entry.fully_from, Some(Target::PY315T));
        assert_eq!(entry.notes, ["restricted"]);
        assert!(entry.tested && !entry.released, "the release is elsewhere");
        assert_eq!(entry.released_elsewhere.as_deref(), Some("a hill"));
        assert_eq!(
            (&entry.blocked_by[0], &entry.alternatives[0]),
            (&"ham-x".into(), &"tomato".into())
        );
        assert!(import.remarks.is_empty(), "{:?}", import.remarks);
    }
}

#[test]
fn a_footnote_in_place_of_a_mark_is_no_mark() {
    let text =
        page(&line(&["spam", "", "[^a]", "", "", "", ""])) + "\n[^a]: from the next one on\n";
    let import = import(&text);
    assert!(!import.entries[0].tested);
    assert_eq!(import.entries[0].notes, ["restricted"]);
    assert!(import.remarks.is_empty(), "{:?}", import.remarks);
}

#[test]
fn a_footnote_that_is_worded_otherwise_is_told() {
    let text = page(&line(&["spam[^1]", "", CHECK, CHECK, "1.0", "", ""]))
        + "\n[^1]: from the next but one on\n";
    let import = import(&text);
    let [remark] = import.remarks.as_slice() else { panic!("{:?}", import.remarks) };
    assert!(
        remark.to_string().starts_with(
            "page.md:5:2: spam: not understood: expected a footnote that is known, found [^1] with \
             the digest "
        ),
        "{remark}"
    );
    let [note] = import.entries[0].notes.as_slice() else { panic!() };
    assert!(note.contains("may restrict"), "{note}");
    assert_eq!(import.entries[0].fully_from, None);
}

#[test]
fn a_footnote_that_is_nowhere_is_told() {
    let (entry, remarks) = row(&["spam", "", "[^9]", "", "", "", ""]);
    assert!(!entry.tested);
    assert_eq!(
        remarks,
        ["page.md:5:12: spam: not understood: expected a check mark or nothing, found `[^9]`"]
    );
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_no_hindrance() {
    let text = page(&line(&["spam", "", CHECK, "", "", "", ""])).replace('\n', "\r\n");
    let import = import(&format!("\u{feff}{text}"));
    assert!(import.entries[0].tested);
    assert!(import.remarks.is_empty());
}
