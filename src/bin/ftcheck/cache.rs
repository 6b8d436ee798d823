//! `ftcheck cache`.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ftcheck::fetch::cache::care::{self, Removed};
use ftcheck::report::{bytes, printable};

use crate::args::{CacheArguments, CacheCommand};
use crate::options;
use crate::output::{print, say};
use crate::{FOUND, Failure};

const DAY: Duration = Duration::from_hours(24);
/// So many files are named, more are counted.
const NAMED: usize = 10;

pub(crate) fn run(arguments: CacheArguments) -> Result<ExitCode, Failure> {
    let cache = options::cache(false, arguments.cache_dir)?;
    let Some(root) = cache.root() else { return Err(Failure::new("nothing is cached")) };
    let unreadable = |problem: io::Error| {
        Failure::new(format!("{}: the cache cannot be read: {problem}", root.display()))
    };
    match arguments.command {
        CacheCommand::Dir => print(format!("{}\n", root.display()).as_bytes())?,
        CacheCommand::Size => print(size(root).map_err(unreadable)?.as_bytes())?,
        CacheCommand::Prune(arguments) => {
            let age = DAY.saturating_mul(arguments.older_than);
            return told(&care::prune(root, age, SystemTime::now()).map_err(unreadable)?);
        }
        CacheCommand::Clean => return told(&care::clean(root).map_err(unreadable)?),
        CacheCommand::Verify => return verify(root, unreadable),
    }
    Ok(ExitCode::SUCCESS)
}

fn size(root: &Path) -> io::Result<String> {
    let contents = care::contents(root)?;
    let mut text = String::new();
    let (mut entries, mut all) = (0, 0);
    let width = contents.keys().map(String::len).max().unwrap_or(0).max("total".len());
    for (name, amount) in &contents {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:width$}  {}", amount_of(amount.entries, amount.bytes));
        entries += amount.entries;
        all += amount.bytes;
    }
    let _ = writeln!(text, "{:width$}  {}", "total", amount_of(entries, all));
    Ok(text)
}

fn amount_of(entries: u64, all: u64) -> String {
    let word = if entries == 1 { "entry" } else { "entries" };
    format!("{} in {entries} {word}", bytes(all))
}

fn told(removed: &Removed) -> Result<ExitCode, Failure> {
    print(
        format!("removed {}\n", amount_of(removed.amount.entries, removed.amount.bytes)).as_bytes(),
    )?;
    tell_all(&removed.kept, "cannot be removed");
    Ok(if removed.kept.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

fn verify(root: &Path, unreadable: impl Fn(io::Error) -> Failure) -> Result<ExitCode, Failure> {
    let verified = care::verify(root).map_err(unreadable)?;
    let (damaged, unread) = (verified.damaged.len(), verified.unread.len());
    let mut text = format!("{} sound, {damaged} damaged", verified.sound);
    if unread > 0 {
        let _ = write!(text, ", {unread} could not be read");
    }
    print(format!("{text}\n").as_bytes())?;
    for path in verified.damaged.iter().take(NAMED) {
        say(&format!("damaged: {}", printable(&path.display().to_string())));
    }
    if damaged > NAMED {
        say(&format!("damaged: {} more", damaged - NAMED));
    }
    tell_all(&verified.unread, "cannot be read");
    Ok(if damaged + unread == 0 { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

fn tell_all(files: &[(PathBuf, io::Error)], what: &str) {
    for (path, problem) in files.iter().take(NAMED) {
        say(&format!("{}: {what}: {problem}", printable(&path.display().to_string())));
    }
    if files.len() > NAMED {
        say(&format!("{} more {what}", files.len() - NAMED));
    }
}
