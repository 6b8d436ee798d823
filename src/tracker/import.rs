//! The tracker's page as entries: the table is found by its header, and each row is read or named.
//!
//! The page is edited by hand. Of a row that makes no sense nothing is taken; of a cell that makes
//! none only what it would say; both are told with their place, and so are footnotes that are not
//! known, since a footnote may change what a row means. Where the page as a whole is not what it was,
//! it is an error, so that whoever asked keeps the data there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pep508_rs::PackageName;

use super::cells::{self, Said};
use super::markdown::{Cell, Page, Row, Table};
use super::names::{Known, Names};
use crate::model::digest::Sha256;
use crate::model::location::Location;
use crate::model::tracker::TrackerEntry;

/// The longest page that is read, in bytes; the real one has 54 kB.
pub const LARGEST_PAGE: usize = 1 << 20;

/// A page that was read.
#[derive(Debug, Default)]
pub struct Import {
    /// The rows that were read.
    pub entries: Vec<TrackerEntry>,
    /// The rows that there are.
    pub rows: usize,
    /// What was not read or not understood, in the order of the page.
    pub remarks: Vec<Remark>,
}

/// Something about a row that a reader of the data has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where it stands.
    pub location: Location,
    /// The project of the row, where that is known.
    pub project: Option<String>,
    /// How much is lost.
    pub kind: RemarkKind,
    /// What was expected and what was found.
    pub text: String,
}

/// How much of a row is lost, heaviest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemarkKind {
    /// All of it.
    RowNotRead,
    /// A part of it.
    NotUnderstood,
    /// Nothing, but nobody has looked whether the distribution of that name is the project.
    NameNotChecked,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.location)?;
        if let Some(project) = &self.project {
            write!(f, "{project}: ")?;
        }
        f.write_str(match self.kind {
            RemarkKind::RowNotRead => "row not read: ",
            RemarkKind::NotUnderstood => "not understood: ",
            RemarkKind::NameNotChecked => "name not checked: ",
        })?;
        f.write_str(&self.text)
    }
}

/// A page that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportError {
    /// Where.
    pub location: Location,
    /// What was expected and what was found.
    pub problem: String,
    /// What may help.
    pub hint: Option<String>,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.problem)
    }
}

impl std::error::Error for ImportError {}

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Project,
    Issue,
    Tested,
    Released,
    FirstVersion,
    Nightly,
    NightlyPage,
}

/// Each with its title, and whether there is no table without it.
const COLUMNS: [(Column, &str, bool); 7] = [
    (Column::Project, "Project", true),
    (Column::Issue, "Upstream issue", true),
    (Column::Tested, "Tested in CI", true),
    (Column::Released, "PyPI release", true),
    (Column::FirstVersion, "First version with support", true),
    (Column::Nightly, "Nightly wheels", false),
    (Column::NightlyPage, "Nightly link", false),
];

/// A table of which so many titles are known is taken for the tracker's.
const TELLING_TITLES: usize = 2;

/// Reads the page, whose name is shown as `shown`. `former` is how many rows the data in use has: a
/// page with fewer than half of them is not believed.
///
/// # Errors
/// Where the text is no Markdown with the tracker's table, or the table is not what it was.
pub fn read(shown: &str, text: &str, names: &Names, former: usize) -> Result<Import, ImportError> {
    let places = Places::new(shown, text);
    let fail = |offset: usize, problem: String| ImportError {
        location: places.of(offset),
        problem,
        hint: None,
    };
    if text.len() > LARGEST_PAGE {
        return Err(fail(0, format!("expected at most {LARGEST_PAGE} bytes, found more")));
    }
    if is_html(text) {
        let hint = "name the Markdown file itself: on GitHub, the address behind `Raw`".to_owned();
        let error = fail(0, "expected a page in Markdown, found HTML".to_owned());
        return Err(ImportError { hint: Some(hint), ..error });
    }
    let page = Page::read(text);
    let mut reading = Reading {
        places: &places,
        names,
        footnotes: &page.footnotes,
        import: Import::default(),
        projects: BTreeMap::new(),
        packages: BTreeSet::new(),
    };
    let mut tables = page.tables.iter().filter(|table| is_tracker(table)).peekable();
    let Some(first) = tables.peek() else {
        return Err(fail(page.strays.first().copied().unwrap_or(0), no_table(&page)));
    };
    let header = first.header.offset;
    for table in tables {
        let columns = columns(&table.header).map_err(|problem| {
            let hint = "the page may have changed: a newer ftcheck may know it".to_owned();
            ImportError { hint: Some(hint), ..fail(table.header.offset, problem) }
        })?;
        reading.table(table, &columns);
    }
    for stray in &page.strays {
        reading.import.rows += 1;
        reading.remark(*stray, None, RemarkKind::RowNotRead, "it stands outside the table".into());
    }
    let mut import = reading.import;
    import.remarks.sort_by_key(|remark| (remark.location.line, remark.location.column));
    if import.rows == 0 {
        return Err(fail(header, "expected rows below the header, found none".to_owned()));
    }
    if import.entries.is_empty() || import.entries.len() * 2 < former {
        let read = import.entries.len();
        let first = import.remarks.iter().find(|remark| remark.kind == RemarkKind::RowNotRead);
        let example = first.map_or(String::new(), |remark| format!("; {remark}"));
        let problem = format!(
            "expected at least half of the {former} rows that there were, read {read} of {}{example}",
            import.rows
        );
        return Err(fail(header, problem));
    }
    Ok(import)
}

fn is_html(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let head: String = text.chars().take(9).collect::<String>().to_lowercase();
    head.starts_with("<!doctype") || head.starts_with("<html")
}

fn known_column(title: &str) -> Option<Column> {
    let found = COLUMNS.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(title));
    found.map(|(column, ..)| *column)
}

fn titles(row: &Row) -> String {
    row.cells.iter().map(|cell| format!("`{}`", cell.text)).collect::<Vec<_>>().join(", ")
}

fn is_tracker(table: &Table) -> bool {
    let known = table.header.cells.iter().filter(|cell| known_column(&cell.text).is_some());
    known.count() >= TELLING_TITLES
}

fn no_table(page: &Page) -> String {
    let required = COLUMNS.iter().filter(|(.., required)| *required);
    let wanted = required.map(|(_, title, _)| format!("`{title}`")).collect::<Vec<_>>().join(", ");
    let found = match (page.tables.first(), page.strays.as_slice()) {
        (Some(table), _) => format!("one with the columns {}", titles(&table.header)),
        (None, []) => "no table".to_owned(),
        (None, _) => "lines with `|` that make no table".to_owned(),
    };
    format!("expected a table with the columns {wanted}, found {found}")
}

/// What each column of a table is.
fn columns(header: &Row) -> Result<Vec<Option<Column>>, String> {
    let columns: Vec<_> = header.cells.iter().map(|cell| known_column(&cell.text)).collect();
    for (column, title, required) in COLUMNS {
        let count = columns.iter().filter(|found| **found == Some(column)).count();
        if count > 1 || (count == 0 && required) {
            let found = titles(header);
            return Err(format!("expected one column `{title}`, found the columns {found}"));
        }
    }
    Ok(columns)
}

/// Lines and columns of a text that is asked often.
struct Places<'a> {
    shown: &'a str,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(shown: &'a str, text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { shown, text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    fn of(&self, offset: usize) -> Location {
        let line = self.starts.partition_point(|start| *start <= offset).max(1) - 1;
        let start = self.starts.get(line).copied().unwrap_or(0);
        let rest = self.text.get(start..).unwrap_or_default();
        let rest = rest.split('\n').next().unwrap_or_default();
        let in_line = Location::of_offset(self.shown, rest, offset.saturating_sub(start));
        Location { line: line + 1, ..in_line }
    }
}

/// Where the reading of the rows has come to.
struct Reading<'a> {
    places: &'a Places<'a>,
    names: &'a Names,
    footnotes: &'a BTreeMap<String, String>,
    import: Import,
    /// The line of each project, in lower case.
    projects: BTreeMap<String, usize>,
    /// The distributions that have a row.
    packages: BTreeSet<String>,
}

impl Reading<'_> {
    fn remark(&mut self, offset: usize, project: Option<&str>, kind: RemarkKind, text: String) {
        let project = project.map(str::to_owned);
        let location = self.places.of(offset);
        self.import.remarks.push(Remark { location, project, kind, text });
    }

    fn table(&mut self, table: &Table, columns: &[Option<Column>]) {
        for (cell, column) in table.header.cells.iter().zip(columns) {
            if column.is_none() {
                let text = format!("expected a column that is known, found `{}`", cell.text);
                self.remark(cell.offset, None, RemarkKind::NotUnderstood, text);
            }
        }
        for row in &table.rows {
            self.import.rows += 1;
            match self.row(row, columns) {
                Ok(entry) => self.import.entries.push(entry),
                Err(problem) => {
                    let project = cell_of(row, columns, Column::Project)
                        .map(|cell| cell.text.as_str())
                        .filter(|text| !text.is_empty());
                    self.remark(row.offset, project, RemarkKind::RowNotRead, problem);
                }
            }
        }
    }

    fn row(&mut self, row: &Row, columns: &[Option<Column>]) -> Result<TrackerEntry, String> {
        if row.written != columns.len() {
            return Err(format!("expected {} cells, found {}", columns.len(), row.written));
        }
        let project = cell_of(row, columns, Column::Project)
            .map(|cell| cell.text.clone())
            .filter(|project| !project.is_empty())
            .ok_or("expected the name of a project, found an empty cell")?;
        let line = self.places.of(row.offset).line;
        if let Some(former) = self.projects.insert(project.to_lowercase(), line) {
            return Err(format!(
                "expected one row for the project, found one on line {former} too"
            ));
        }
        let tool = self.names.is_tool(&project);
        let mut entry = TrackerEntry { project, tool, ..TrackerEntry::default() };
        let cell = |column| cell_of(row, columns, column);
        entry.issue = self.said(&mut entry, cell(Column::Issue), cells::link);
        entry.tested = self.said(&mut entry, cell(Column::Tested), cells::mark);
        entry.released = self.said(&mut entry, cell(Column::Released), cells::mark);
        entry.first_version = self.said(&mut entry, cell(Column::FirstVersion), cells::version);
        entry.nightly = self.said(&mut entry, cell(Column::Nightly), cells::systems);
        entry.nightly_page = self.said(&mut entry, cell(Column::NightlyPage), cells::link);
        self.name(&mut entry, row.offset);
        self.footnotes(&mut entry, row);
        Ok(entry)
    }

    /// What a cell says; where that is not understood, it says nothing, and the entry tells so.
    fn said<T: Default>(
        &mut self,
        entry: &mut TrackerEntry,
        cell: Option<&Cell>,
        read: impl FnOnce(&Cell) -> Said<T>,
    ) -> T {
        let Some(cell) = cell else { return T::default() };
        match read(cell) {
            Ok(value) => value,
            Err(problem) => {
                entry.notes.push(format!("a cell was not understood: {problem}"));
                let project = Some(entry.project.as_str());
                self.remark(cell.offset, project, RemarkKind::NotUnderstood, problem);
                T::default()
            }
        }
    }

    /// Which distributions the row stands for.
    fn name(&mut self, entry: &mut TrackerEntry, offset: usize) {
        let project = entry.project.clone();
        let normalized = || PackageName::new(project.clone()).map(|name| name.to_string()).ok();
        let packages: Vec<String> = match self.names.of(&project) {
            Known::Packages(packages) => packages.to_vec(),
            Known::Same => normalized().into_iter().collect(),
            Known::NotChecked => {
                let name = normalized().filter(|_| is_plain(&project));
                entry.name_unchecked = name.is_some();
                let text = match &name {
                    Some(name) => format!("taken for the distribution {name}"),
                    None => "expected the name of a distribution, found one that is shown in \
                             another way; the row stands for none"
                        .to_owned(),
                };
                self.remark(offset, Some(&project), RemarkKind::NameNotChecked, text);
                name.into_iter().collect()
            }
        };
        for package in packages {
            if self.packages.insert(package.clone()) {
                entry.packages.push(package);
            } else {
                let text = format!("expected one row for {package}, found one before");
                self.remark(offset, Some(&project), RemarkKind::NotUnderstood, text);
            }
        }
        entry.packages.sort();
        entry.name_unchecked &= !entry.packages.is_empty();
    }

    /// What the footnotes of the row add and take back.
    fn footnotes(&mut self, entry: &mut TrackerEntry, row: &Row) {
        let mut seen = BTreeSet::new();
        let cells = row.cells.iter();
        for (cell, label) in
            cells.flat_map(|cell| cell.footnotes.iter().map(move |one| (cell, one)))
        {
            if !seen.insert(label) {
                continue;
            }
            let text = self.footnotes.get(label).map_or("", String::as_str);
            let Some(known) = self.names.footnote(text) else {
                let note = "a footnote on the page may restrict this, and its wording is not known";
                entry.notes.push(note.to_owned());
                // The digest is what data/tracker-footnotes.toml has it by.
                let problem = format!(
                    "expected a footnote that is known, found [^{label}] with the digest {}",
                    Sha256::of(text.as_bytes())
                );
                let project = Some(entry.project.as_str());
                self.remark(cell.offset, project, RemarkKind::NotUnderstood, problem);
                continue;
            };
            entry.notes.push(known.note.clone());
            entry.fully_from = known.fully_from.or(entry.fully_from);
            if known.released_elsewhere.is_some() {
                entry.released = false;
                entry.released_elsewhere.clone_from(&known.released_elsewhere);
            }
            entry.blocked_by.extend_from_slice(&known.blocked_by);
            entry.alternatives.extend_from_slice(&known.alternatives);
        }
    }
}

fn cell_of<'a>(row: &'a Row, columns: &[Option<Column>], column: Column) -> Option<&'a Cell> {
    let at = columns.iter().position(|found| *found == Some(column))?;
    row.cells.get(at)
}

/// Whether a name is plainly that of a distribution, and not one that people write: `NumPy` may be
/// numpy, as `PyTorch` is not pytorch.
fn is_plain(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.chars().all(|letter| plain(letter) || matches!(letter, '-' | '_' | '.'))
}
