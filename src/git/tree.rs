//! The files of a revision, written to a folder.
//!
//! A repository may hold anything: paths are taken apart and checked, links are followed within the
//! tree only and never made, and there are bounds to how much is written.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use super::GitError;
use super::command::{run, start};

/// Files in all.
const MAX_FILES: usize = 20_000;
/// Bytes in all.
const MAX_BYTES: u64 = 512 * 1024 * 1024;
/// The longest target of a link that is read.
const MAX_LINK: u64 = 4096;

/// What was written, and what was not.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// How many files were written.
    pub files: usize,
    /// What a reader of the result has to know: parts of the tree that are not there.
    pub notes: Vec<String>,
}

/// A file, a link or a submodule.
struct Entry {
    mode: String,
    id: String,
    size: u64,
}

/// Writes the files whose path `wants`, by the rules of [`super::Repository::extract`].
pub(super) fn extract(
    root: &Path,
    commit: &str,
    into: &Path,
    wants: impl Fn(&str) -> bool,
) -> Result<Extracted, GitError> {
    let mut extracted = Extracted::default();
    let entries = entries(root, commit, &mut extracted)?;
    let wanted = entries.iter().filter(|(path, _)| wants(path));
    let (links, files): (Vec<_>, Vec<_>) = wanted.partition(|(_, entry)| entry.mode == "120000");
    let mut written: Vec<(String, &Entry)> =
        files.into_iter().map(|(path, entry)| (path.clone(), entry)).collect();
    for ((path, _), target) in links.iter().zip(targets(root, &links)?) {
        let found = target.as_deref().and_then(|target| within(path, target));
        match found.and_then(|found| entries.get(&found)) {
            Some(entry) if entry.mode.starts_with("100") => written.push(((*path).clone(), entry)),
            _ => {
                let note = format!("{path} is a link that leads to no file of the tree");
                extracted.notes.push(note);
            }
        }
    }
    let bytes: u64 = written.iter().map(|(_, entry)| entry.size).fold(0, u64::saturating_add);
    if written.len() > MAX_FILES || bytes > MAX_BYTES {
        let problem = format!(
            "expected at most {MAX_FILES} files of {} MiB that may name dependencies, found {} of {} MiB",
            MAX_BYTES / 1024 / 1024,
            written.len(),
            bytes / 1024 / 1024
        );
        return Err(GitError::new(problem)
            .hint("two reports can be compared instead: `ftcheck diff old.json new.json`"));
    }
    write_all(root, into, &written)?;
    extracted.files = written.len();
    Ok(extracted)
}

/// Everything in the tree, by path.
fn entries(
    root: &Path,
    commit: &str,
    extracted: &mut Extracted,
) -> Result<BTreeMap<String, Entry>, GitError> {
    let arguments = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--"];
    let outcome = run(root, &arguments)?;
    if !outcome.success {
        let problem = format!("the tree of {commit} cannot be read: {}", outcome.complaint());
        return Err(GitError::new(problem).hint("a partial clone may have to fetch it first"));
    }
    let mut entries = BTreeMap::new();
    for record in outcome.output.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        let Ok(record) = std::str::from_utf8(record) else {
            extracted.notes.push("a path that is not UTF-8 is passed over".to_owned());
            continue;
        };
        let Some((facts, path)) = record.split_once('\t') else { continue };
        let facts: Vec<&str> = facts.split_ascii_whitespace().collect();
        let [mode, kind, id, size] = facts.as_slice() else { continue };
        if *kind == "commit" {
            extracted.notes.push(format!("{path} is a submodule, which is not looked into"));
            continue;
        }
        if !is_plain(path) {
            extracted.notes.push(format!("`{path}` is no path for a file, and passed over"));
            continue;
        }
        let size = size.parse().unwrap_or(0);
        let entry = Entry { mode: (*mode).to_owned(), id: (*id).to_owned(), size };
        entries.insert(path.to_owned(), entry);
    }
    Ok(entries)
}

/// Whether every part of a path is a plain name on every system.
fn is_plain(path: &str) -> bool {
    let is_name = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0'])
    };
    path.split('/').all(is_name)
}

/// Where links lead, in their order; `None` where that is no text.
fn targets(root: &Path, links: &[(&String, &Entry)]) -> Result<Vec<Option<String>>, GitError> {
    let mut targets = Vec::new();
    let ids: Vec<&str> = links.iter().map(|(_, entry)| entry.id.as_str()).collect();
    read_all(root, &ids, |_, size, content| {
        let mut bytes = Vec::new();
        content.take(MAX_LINK).read_to_end(&mut bytes)?;
        targets.push(String::from_utf8(bytes).ok().filter(|_| size < MAX_LINK));
        Ok(())
    })?;
    Ok(targets)
}

/// The path that a link leads to, where that lies in the tree.
fn within(link: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in Path::new(target).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

fn write_all(root: &Path, into: &Path, files: &[(String, &Entry)]) -> Result<(), GitError> {
    let ids: Vec<&str> = files.iter().map(|(_, entry)| entry.id.as_str()).collect();
    read_all(root, &ids, |at, _, content| {
        let Some((path, _)) = files.get(at) else { return Ok(()) };
        let path: PathBuf = into.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::File::create_new(&path)?;
        std::io::copy(content, &mut file).map(|_| ())
    })
}

/// Gives the content of each object to `take`, with its number and size.
fn read_all(
    root: &Path,
    ids: &[&str],
    mut take: impl FnMut(usize, u64, &mut dyn Read) -> std::io::Result<()>,
) -> Result<(), GitError> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut running = start(root, &["cat-file", "--batch"], Some(ids))?;
    let Some(output) = running.output() else { return Ok(()) };
    let mut output = BufReader::new(output);
    for (at, id) in ids.iter().enumerate() {
        let read = read_one(&mut output, id, |size, content| take(at, size, content));
        if let Err(problem) = read {
            running.end();
            return Err(problem);
        }
    }
    running.finish().map(|_| ())
}

/// One answer of `git cat-file --batch`: a line of facts, the content, an end of line.
fn read_one(
    output: &mut BufReader<impl Read>,
    id: &str,
    take: impl FnOnce(u64, &mut dyn Read) -> std::io::Result<()>,
) -> Result<(), GitError> {
    let failed = |problem: &std::io::Error| {
        GitError::new(format!("a file of the revision cannot be taken out: {problem}"))
    };
    let mut line = String::new();
    output.by_ref().take(256).read_line(&mut line).map_err(|problem| failed(&problem))?;
    let facts: Vec<&str> = line.split_ascii_whitespace().collect();
    let size = match facts.as_slice() {
        [found, "blob", size] if *found == id => size.parse::<u64>().ok(),
        _ => None,
    };
    let size = size.ok_or_else(|| {
        let problem = format!("expected the content of {id}, found `{}`", line.trim_end());
        GitError::new(problem).hint("a partial clone has to fetch it first: `git fetch --refetch`")
    })?;
    let mut content = output.by_ref().take(size);
    take(size, &mut content).map_err(|problem| failed(&problem))?;
    // What was not asked for, and the end of line behind it.
    let rest = std::io::copy(&mut content, &mut std::io::sink());
    rest.and_then(|_| output.read_exact(&mut [0])).map_err(|problem| failed(&problem))
}
