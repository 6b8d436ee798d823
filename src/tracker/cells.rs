//! What the cells of the tracker's table mean. What is not known is said to be, and never guessed.

use pep440_rs::Version;

use super::markdown::Cell;
use super::web_address;

/// A mark that something is so. The second one is a typing error that stands on the page.
const YES: [&str; 6] = [
    ":material-check-bold:",
    ":meterial-check-bold:",
    ":material-check:",
    "\u{2705}",
    "\u{2714}",
    "\u{2713}",
];

/// What a system is shown as, and what it is.
const SYSTEMS: [(&str, &str); 3] = [
    (":simple-linux:", "linux"),
    (":simple-apple:", "macos"),
    (":material-microsoft-windows:", "windows"),
];

/// What a cell says, or what was expected of it and what was found.
pub(super) type Said<T> = Result<T, String>;

/// Whether something is so: a mark, or nothing at all.
pub(super) fn mark(cell: &Cell) -> Said<bool> {
    // U+FE0F asks for the colourful form of the letter before it.
    let text = cell.text.replace('\u{fe0f}', "");
    match text.split(' ').find(|word| !word.is_empty() && !YES.contains(word)) {
        Some(word) => Err(format!("expected a check mark or nothing, found `{word}`")),
        None => Ok(!text.is_empty()),
    }
}

/// A version (PEP 440).
pub(super) fn version(cell: &Cell) -> Said<Option<String>> {
    if cell.text.is_empty() {
        return Ok(None);
    }
    match cell.text.parse::<Version>() {
        Ok(version) => Ok(Some(version.to_string())),
        Err(_) => Err(format!("expected a version or nothing, found `{}`", cell.text)),
    }
}

/// Where the one link of a cell leads, whatever icon it is shown as.
pub(super) fn link(cell: &Cell) -> Said<Option<String>> {
    if !cell.outside_links.is_empty() {
        return Err(format!("expected a link or nothing, found `{}`", cell.outside_links));
    }
    match cell.links.as_slice() {
        [] => Ok(None),
        [link] => web_address(link).map(|()| Some(link.clone())),
        links => Err(format!("expected one link, found {}", links.len())),
    }
}

/// The systems that a cell names by their icons.
pub(super) fn systems(cell: &Cell) -> Said<Vec<String>> {
    let mut systems = Vec::new();
    for word in cell.text.split(' ').filter(|word| !word.is_empty()) {
        match SYSTEMS.iter().find(|(icon, _)| *icon == word) {
            Some((_, system)) => systems.push((*system).to_owned()),
            None => return Err(format!("expected icons of systems or nothing, found `{word}`")),
        }
    }
    systems.sort();
    systems.dedup();
    Ok(systems)
}
