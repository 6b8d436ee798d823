//! Pages that are not what they were: what makes no sense is named, and a page that cannot be the
//! tracker's is an error.

use ftcheck::tracker::import as importer;

use super::{CHECK, TITLES, import, line, long_page, names, page, read, remarks};

fn problem(page: &str) -> String {
    match read(page) {
        Ok(import) => panic!("{page:?} was read: {import:?}"),
        Err(error) => error.to_string(),
    }
}

const COLUMNS: &str =
    "`Project`, `Upstream issue`, `Tested in CI`, `PyPI release`, `First version with support`";

#[test]
fn a_page_without_a_table_is_an_error() {
    let expected = format!("expected a table with the columns {COLUMNS}, found ");
    assert_eq!(problem(""), format!("page.md:1:1: {expected}no table"));
    assert_eq!(problem("# Moved\n\nElsewhere.\n"), format!("page.md:1:1: {expected}no table"));
    assert_eq!(
        problem("a\n\n| Name | State |\n|-|-|\n| spam | fine |\n"),
        format!("page.md:1:1: {expected}one with the columns `Name`, `State`")
    );
    // The line below the header is what makes a table of it.
    let text = format!("a\n\n{}{}", line(&TITLES), line(&["spam", "", "", "", "", "", ""]));
    assert_eq!(problem(&text), format!("page.md:3:1: {expected}lines with `|` that make no table"));
}

#[test]
fn html_in_place_of_markdown_is_an_error() {
    for text in ["<!DOCTYPE html>\n<html>", "\n  <html lang=en>", "\u{feff}<!doctype HTML>"] {
        let error = read(text).unwrap_err();
        assert_eq!(error.to_string(), "page.md:1:1: expected a page in Markdown, found HTML");
        assert!(error.hint.unwrap().contains("Raw"));
    }
}

#[test]
fn a_table_without_rows_is_an_error() {
    assert_eq!(problem(&page("")), "page.md:3:1: expected rows below the header, found none");
}

#[test]
fn a_column_that_is_missing_or_called_otherwise_is_an_error() {
    let row = line(&["spam", "", "", "", "", "", ""]);
    for (title, renamed) in
        [("PyPI release", "On PyPI"), ("Project", "Package"), ("Tested in CI", "PyPI release")]
    {
        let text = page(&row).replace(title, renamed);
        let found = TITLES.map(|one| format!("`{}`", if one == title { renamed } else { one }));
        let error = read(&text).unwrap_err();
        let wanted = if renamed == "PyPI release" { "Tested in CI" } else { title };
        assert_eq!(
            error.to_string(),
            format!(
                "page.md:3:1: expected one column `{wanted}`, found the columns {}",
                found.join(", ")
            )
        );
        assert!(error.hint.is_some());
    }
    let text = "|Project|Upstream issue|Tested in CI|\n|-|-|-|\n|spam|||\n";
    assert_eq!(
        problem(text),
        "page.md:1:1: expected one column `PyPI release`, found the columns `Project`, \
         `Upstream issue`, `Tested in CI`"
    );
}

#[test]
fn the_nightly_columns_may_be_missing() {
    let text = "|Project|Upstream issue|Tested in CI|PyPI release|First version with support|\n\
                |-|-|-|-|-|\n|spam||✅||1.0|\n";
    assert!(import(text).entries[0].tested);
}

#[test]
fn a_row_with_too_few_or_too_many_cells_is_named_and_not_read() {
    let rows = line(&["spam", "", CHECK, "", "", "", ""])
        + &line(&["Eggs", "", CHECK])
        + &line(&["Ham_X", "", "", "", "", "", "", "more"])
        + "A tool\n";
    let import = import(&page(&rows));
    assert_eq!((import.rows, import.entries.len()), (4, 1));
    assert_eq!(
        remarks(&import),
        [
            "page.md:6:1: Eggs: row not read: expected 7 cells, found 3",
            "page.md:7:1: Ham_X: row not read: expected 7 cells, found 8",
            "page.md:8:1: A tool: row not read: expected 7 cells, found 1",
        ]
    );
}

#[test]
fn a_bar_that_is_escaped_parts_nothing() {
    let (entry, told) = super::row(&[r"a \| b", "", CHECK, "", "", "", ""]);
    assert_eq!((entry.project.as_str(), entry.tested), ("a | b", true));
    assert_eq!(told.len(), 1, "only the name: {told:?}");
}

#[test]
fn rows_without_outer_bars_are_rows() {
    let import = import(&page("spam | | ✅ | | 1.0 | | linux\n"));
    assert!(import.entries[0].tested);
}

#[test]
fn a_row_without_a_project_or_with_that_of_another_is_not_read() {
    let rows = line(&["spam", "", CHECK, "", "", "", ""])
        + &line(&["", "", CHECK, "", "", "", ""])
        + &line(&["SPAM", "", "", "", "", "", ""]);
    let import = import(&page(&rows));
    assert_eq!(import.entries.len(), 1);
    assert_eq!(
        remarks(&import),
        [
            "page.md:6:1: row not read: expected the name of a project, found an empty cell",
            "page.md:7:1: SPAM: row not read: expected one row for the project, found one on line 5 \
             too",
        ]
    );
}

#[test]
fn rows_behind_an_empty_line_are_named() {
    let row = |project| line(&[project, "", CHECK, "", "", "", ""]);
    let rows = row("spam") + "\n" + &row("Eggs") + &row("Ham_X");
    let import = import(&page(&rows));
    assert_eq!((import.rows, import.entries.len()), (3, 1));
    assert_eq!(
        remarks(&import),
        [
            "page.md:7:1: row not read: it stands outside the table",
            "page.md:8:1: row not read: it stands outside the table",
        ]
    );
}

#[test]
fn a_table_in_two_parts_is_read_whole_and_other_tables_are_not() {
    let row = |project| line(&[project, "", CHECK, "", "", "", ""]);
    let text = page(&row("spam"))
        + "\n```\n| not | this |\n```\n\n| Key | Meaning |\n|-|-|\n| ✅ | yes |\n\n"
        + &page(&row("Eggs"));
    let import = import(&text);
    assert_eq!((import.rows, import.entries.len()), (2, 2));
    assert!(import.remarks.is_empty(), "{:?}", import.remarks);
}

#[test]
fn fewer_than_half_of_the_rows_there_were_are_not_believed() {
    let text = long_page(&["spam", "", "", "", "", "", ""]);
    let read = |former| importer::read("page.md", &text, &names(), former);
    assert_eq!(read(202).unwrap().entries.len(), 101);
    assert_eq!(
        read(203).unwrap_err().to_string(),
        "page.md:3:1: expected at least half of the 203 rows that there were, read 101 of 101"
    );
    let cut = text.replace("project-09", "project-1 | 09");
    assert_eq!(
        importer::read("page.md", &cut, &names(), 202).unwrap_err().to_string(),
        "page.md:3:1: expected at least half of the 202 rows that there were, read 91 of 101; \
         page.md:96:1: project-1: row not read: expected 7 cells, found 8"
    );
}

#[test]
fn a_table_of_which_no_row_is_read_is_an_error_even_where_there_were_none() {
    assert!(problem(&page("| spam |\n")).contains("read 0 of 1"));
}

#[test]
fn a_page_that_is_far_too_long_is_an_error() {
    let text = " ".repeat(importer::LARGEST_PAGE + 1);
    assert_eq!(problem(&text), "page.md:1:1: expected at most 1048576 bytes, found more");
}

#[test]
fn a_page_made_to_be_slow_is_read_in_time() {
    let begun = std::time::Instant::now();
    let head = page("");
    for part in
        ["|", "|\n", "| a |\n", "[^1]", "[", "*_`", "| `", "<!--", "> |", "\\|", "||||||||\n"]
    {
        let times = (importer::LARGEST_PAGE - head.len()) / part.len() / 4;
        let _ = read(&(head.clone() + &part.repeat(times)));
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}
