//! The tracker: its page read, its data looked up, and the commands for both. All pages here are
//! written for the tests; the real one is only read by hand.

mod cells;
mod command;
mod data;
mod malformed;
mod properties;

use std::fmt::Write as _;

use ftcheck::model::tracker::TrackerEntry;
use ftcheck::tracker::Names;
use ftcheck::tracker::import::{self as importer, Import, ImportError, RemarkKind};

const TITLES: [&str; 7] = [
    "Project",
    "Upstream issue",
    "Tested in CI",
    "PyPI release",
    "First version with support",
    "Nightly wheels",
    "Nightly link",
];

const CHECK: &str = ":material-check-bold:";

/// Which projects are known to the tests.
fn names() -> Names {
    Names::parse(
        "same = ['spam', 'Ham_X']\nnone = ['A tool']\ntools = ['A tool']\n\
         [others]\nEggs = ['eggs-a', 'py-eggs']\nMore = ['spam']\n",
        // The digest is that of the words `from the next one on`.
        "[[footnote]]\n\
         digest = 'f72bdb18d21a5db48038bb34157d0d1da9bb4b3823ce5ced10f41dff9a20bdc5'\n\
         note = 'restricted'\nfully-from = '3.15t'\nreleased-elsewhere = 'a hill'\n\
         blocked-by = ['ham-x']\nalternatives = ['tomato']\n",
    )
    .unwrap()
}

fn line(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The table with these rows below a header, after a few lines of text.
fn page(rows: &str) -> String {
    format!("# A page\n\n{}|{}\n{rows}", line(&TITLES), " :-: |".repeat(TITLES.len()))
}

fn read(page: &str) -> Result<Import, ImportError> {
    importer::read("page.md", page, &names(), 0)
}

/// The page as it was read; all rows are there or named.
fn import(page: &str) -> Import {
    let import = read(page).unwrap_or_else(|problem| panic!("{problem}\n{page}"));
    let lost = import.remarks.iter().filter(|one| one.kind == RemarkKind::RowNotRead).count();
    assert_eq!(import.rows, import.entries.len() + lost);
    import
}

/// The only row of a page, and what is said of it.
fn row(cells: &[&str]) -> (TrackerEntry, Vec<String>) {
    let mut import = import(&page(&line(cells)));
    assert_eq!(import.entries.len(), 1, "{import:?}");
    (import.entries.remove(0), remarks(&import))
}

fn remarks(import: &Import) -> Vec<String> {
    import.remarks.iter().map(ToString::to_string).collect()
}

/// A page of many projects, as many as make the program believe it.
fn long_page(first: &[&str]) -> String {
    let mut rows = line(first);
    for number in 0..100 {
        let project = format!("project-{number:03}");
        let _ = write!(rows, "{}", line(&[&project, "", CHECK, CHECK, "1.0", "", ""]));
    }
    page(&rows)
}
