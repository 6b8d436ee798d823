//! The tables and footnotes of a Markdown page, with the place of each row, and the rows that got
//! lost beside a table.
//!
//! Markdown is read by pulldown-cmark; what cells mean is for [`super::cells`].

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// What matters of a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Its tables.
    pub(super) tables: Vec<Table>,
    /// The text of each footnote by its label, with white space folded.
    pub(super) footnotes: BTreeMap<String, String>,
    /// Where lines begin that look like rows of a table and stand in none.
    pub(super) strays: Vec<usize>,
}

/// A table.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The row above.
    pub(super) header: Row,
    /// The rows below.
    pub(super) rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Where it begins, in bytes.
    pub(super) offset: usize,
    /// Its cells; as many as the table has columns, whatever is written.
    pub(super) cells: Vec<Cell>,
    /// As how many cells it is written.
    pub(super) written: usize,
}

/// A cell.
#[derive(Debug, Default)]
pub(super) struct Cell {
    /// Where it begins, in bytes.
    pub(super) offset: usize,
    /// Its text, that of links included, with white space folded.
    pub(super) text: String,
    /// The same without that of links.
    pub(super) outside_links: String,
    /// Where its links lead.
    pub(super) links: Vec<String>,
    /// The labels of the footnotes it refers to.
    pub(super) footnotes: Vec<String>,
}

impl Page {
    /// Reads Markdown. Every text is some Markdown.
    pub(super) fn read(text: &str) -> Self {
        let mut reader = Reader::default();
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            reader.take(event, &range, text);
        }
        let mut page = reader.page;
        page.strays = strays(text, &reader.apart);
        page
    }
}

/// Where the reading of a page has come to.
#[derive(Default)]
struct Reader {
    page: Page,
    table: Option<Table>,
    row: Option<Row>,
    cell: Option<Cell>,
    footnote: Option<(String, String)>,
    in_link: bool,
    /// The tables, and code, whose lines are no rows.
    apart: Vec<Range<usize>>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, range: &Range<usize>, text: &str) {
        match event {
            Event::Start(tag) => self.start(tag, range, text),
            Event::End(tag) => self.end(tag),
            Event::Text(part)
            | Event::Code(part)
            | Event::InlineHtml(part)
            | Event::Html(part)
            | Event::InlineMath(part)
            | Event::DisplayMath(part) => self.add(&part),
            Event::SoftBreak | Event::HardBreak => self.add(" "),
            Event::FootnoteReference(label) => {
                if let Some(cell) = &mut self.cell {
                    cell.footnotes.push(label.into_string());
                }
            }
            Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>, text: &str) {
        match tag {
            Tag::Table(_) => {
                self.apart.push(range.clone());
                self.table = Some(Table::default());
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(_)) => self.apart.push(range.clone()),
            Tag::TableHead | Tag::TableRow => {
                let written = text.get(range.clone()).map_or(0, written_cells);
                self.row = Some(Row { offset: range.start, cells: Vec::new(), written });
            }
            Tag::TableCell => {
                self.cell = Some(Cell { offset: range.start, ..Cell::default() });
            }
            Tag::FootnoteDefinition(label) => {
                self.footnote = Some((label.into_string(), String::new()));
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.in_link = true;
                if let Some(cell) = &mut self.cell {
                    cell.links.push(dest_url.into_string());
                }
            }
            // Paragraphs of a footnote, and the like.
            _ => self.add(" "),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::TableCell => {
                if let (Some(mut cell), Some(row)) = (self.cell.take(), &mut self.row) {
                    cell.text = folded(&cell.text);
                    cell.outside_links = folded(&cell.outside_links);
                    row.cells.push(cell);
                }
            }
            TagEnd::TableHead => {
                if let (Some(row), Some(table)) = (self.row.take(), &mut self.table) {
                    table.header = row;
                }
            }
            TagEnd::TableRow => {
                if let (Some(row), Some(table)) = (self.row.take(), &mut self.table) {
                    table.rows.push(row);
                }
            }
            TagEnd::Table => self.page.tables.extend(self.table.take()),
            TagEnd::FootnoteDefinition => {
                if let Some((label, text)) = self.footnote.take() {
                    self.page.footnotes.entry(label).or_insert_with(|| folded(&text));
                }
            }
            TagEnd::Link | TagEnd::Image => self.in_link = false,
            _ => {}
        }
    }

    fn add(&mut self, part: &str) {
        if let Some(cell) = &mut self.cell {
            cell.text.push_str(part);
            if !self.in_link {
                cell.outside_links.push_str(part);
            }
        } else if let Some((_, text)) = &mut self.footnote {
            text.push_str(part);
        }
    }
}

/// As how many cells a row is written. The parser fills up what is missing, and leaves out what is
/// too much, as GitHub does.
fn written_cells(row: &str) -> usize {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let mut cells = 1;
    let mut escaped = false;
    let mut ends_in_pipe = false;
    for letter in row.chars() {
        ends_in_pipe = letter == '|' && !escaped;
        cells += usize::from(ends_in_pipe);
        escaped = letter == '\\' && !escaped;
    }
    cells - usize::from(ends_in_pipe)
}

/// Where lines begin that look like rows, outside what `apart` covers: a table ends at an empty
/// line, and what follows is text.
fn strays(text: &str, apart: &[Range<usize>]) -> Vec<usize> {
    let mut strays = Vec::new();
    let mut apart = apart.iter().peekable();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let here = start;
        start += line.len();
        while apart.next_if(|range| range.end <= here).is_some() {}
        // Of an indented table the range begins within a line.
        let covered = apart.peek().is_some_and(|range| range.start < start);
        if !covered && line.trim_start().starts_with('|') {
            strays.push(here);
        }
    }
    strays
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
