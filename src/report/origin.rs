//! Where a scan was made, so that files are named as a forge or another machine knows them: from the
//! root of the source tree, with forward slashes.

use crate::model::finding::Finding;
use crate::model::report::ScanReport;

/// Stands for the user's files where nothing tells which they were: what the description of a Python
/// project is called (PEP 518).
const ANY_MANIFEST: &str = "pyproject.toml";

/// Where a scan was made. What is not known is left out: then paths are told as the user named them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'o> {
    /// The root of the source tree, as an absolute path.
    pub root: Option<&'o str>,
    /// The working directory, from that root; empty where it is the root itself.
    pub folder: &'o str,
    /// The first of the files that were read, for what has no place of its own.
    pub manifest: Option<&'o str>,
}

/// A place in a file as another machine would find it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Anchor {
    /// The file, with forward slashes.
    pub(super) path: String,
    /// Whether the path counts from the root of the source tree.
    pub(super) in_tree: bool,
    /// Line, from 1.
    pub(super) line: usize,
    /// Column in characters, from 1.
    pub(super) column: usize,
}

impl Origin<'_> {
    /// Where a finding is shown: at its own place, or else at the top of the first file that was read.
    pub(super) fn anchor(&self, report: &ScanReport, finding: &Finding) -> Anchor {
        match &finding.location {
            Some(location) if !location.path.is_empty() => {
                self.place(&location.path, location.line, location.column)
            }
            _ => self.place(self.manifest(report), 1, 1),
        }
    }

    /// A place in a file that the user named.
    pub(super) fn place(&self, path: &str, line: usize, column: usize) -> Anchor {
        let (path, in_tree) = self.from_root(path);
        Anchor { path, in_tree, line: line.max(1), column: column.max(1) }
    }

    fn manifest<'r>(&'r self, report: &'r ScanReport) -> &'r str {
        let named = report.packages.iter().filter_map(|package| package.required_by.as_ref());
        let first = || named.map(|location| location.path.as_str()).find(|path| !path.is_empty());
        self.manifest.or_else(first).unwrap_or(ANY_MANIFEST)
    }

    /// The path from the root of the source tree, and whether it lies in it.
    fn from_root(&self, path: &str) -> (String, bool) {
        let slashes = |path: &str| path.replace(std::path::MAIN_SEPARATOR, "/");
        let path = slashes(path);
        let below_root = self.root.map(slashes).and_then(|root| {
            let rest = path.strip_prefix(root.trim_end_matches('/'))?;
            Some(rest.strip_prefix('/')?.to_owned())
        });
        let whole = match below_root {
            Some(below) => below,
            None if is_absolute(&path) => return (path, false),
            None => format!("{}/{path}", slashes(self.folder)),
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in whole.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.last().is_some_and(|last| *last != "..") => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        let in_tree = parts.first().is_none_or(|first| *first != "..");
        (parts.join("/"), in_tree)
    }
}

fn is_absolute(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
    path.starts_with('/') || (cfg!(windows) && drive)
}
