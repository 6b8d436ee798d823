//! How git is called: without a shell, without what the surroundings or a configuration could have it
//! run, and with bounds to what it says.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::GitError;

/// The most that is read of what git lists.
const MAX_BYTES: u64 = 128 * 1024 * 1024;
/// The most that is read of what git complains of.
const MAX_COMPLAINT: u64 = 4 * 1024;

/// Variables that lead git elsewhere than where it is asked. Hooks, such as those of pre-commit, run
/// with some of them set.
const ELSEWHERE: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_COMMON_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
];

/// Settings that stand in place of whatever a configuration says: what could run a program.
const SETTINGS: [&str; 5] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
];

/// What a call came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) success: bool,
    pub(super) output: Vec<u8>,
    complaint: String,
}

impl Outcome {
    /// The first line of what it said.
    pub(super) fn line(&self) -> String {
        let text = String::from_utf8_lossy(&self.output);
        text.lines().next().unwrap_or_default().to_owned()
    }

    /// What it complained of.
    pub(super) fn complaint(&self) -> &str {
        let first = self.complaint.lines().find(|line| !line.trim().is_empty());
        let text = first.unwrap_or("git does not say why");
        text.strip_prefix("fatal: ").unwrap_or(text)
    }
}

/// A call that goes on.
pub(super) struct Running {
    child: Child,
    complaint: File,
}

/// Calls git in a folder.
pub(super) fn run(folder: &Path, arguments: &[&str]) -> Result<Outcome, GitError> {
    let mut running = start(folder, arguments, None)?;
    let mut output = Vec::new();
    if let Some(stdout) = running.child.stdout.take() {
        stdout.take(MAX_BYTES + 1).read_to_end(&mut output).map_err(|problem| failed(&problem))?;
    }
    if output.len() as u64 > MAX_BYTES {
        running.end();
        return Err(GitError::new("git lists more than is read"));
    }
    let (success, complaint) = running.finish()?;
    Ok(Outcome { success, output, complaint })
}

/// Begins a call that is given lines.
pub(super) fn start(
    folder: &Path,
    arguments: &[&str],
    lines: Option<&[&str]>,
) -> Result<Running, GitError> {
    // Files, not pipes: whoever writes never waits for the other to read.
    let complaint = tempfile::tempfile().map_err(|problem| failed(&problem))?;
    let stderr = complaint.try_clone().map_err(|problem| failed(&problem))?;
    let mut command = Command::new("git");
    command.arg("--no-pager").arg("--literal-pathspecs");
    for setting in SETTINGS {
        command.arg("-c").arg(setting);
    }
    for variable in ELSEWHERE {
        command.env_remove(variable);
    }
    command
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .stdin(given(lines)?)
        .stdout(Stdio::piped())
        .stderr(stderr);
    let child = command.spawn().map_err(|problem| match problem.kind() {
        std::io::ErrorKind::NotFound => GitError::new("the command `git` cannot be found")
            .hint("two reports can be compared without it: `ftcheck diff old.json new.json`"),
        _ => failed(&problem),
    })?;
    Ok(Running { child, complaint })
}

fn given(lines: Option<&[&str]>) -> Result<Stdio, GitError> {
    let Some(lines) = lines else { return Ok(Stdio::null()) };
    let mut file = tempfile::tempfile().map_err(|problem| failed(&problem))?;
    file.write_all((lines.join("\n") + "\n").as_bytes())
        .and_then(|()| file.rewind())
        .map_err(|problem| failed(&problem))?;
    Ok(file.into())
}

impl Running {
    /// What it says, to be read once.
    pub(super) fn output(&mut self) -> Option<impl std::io::Read + use<>> {
        self.child.stdout.take()
    }

    /// Ends it early.
    pub(super) fn end(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end: whether it went well, and what it complained of.
    pub(super) fn finish(mut self) -> Result<(bool, String), GitError> {
        let status = self.child.wait().map_err(|problem| failed(&problem))?;
        let mut complaint = Vec::new();
        self.complaint
            .rewind()
            .and_then(|()| self.complaint.take(MAX_COMPLAINT).read_to_end(&mut complaint))
            .map_err(|problem| failed(&problem))?;
        Ok((status.success(), String::from_utf8_lossy(&complaint).into_owned()))
    }
}

fn failed(problem: &std::io::Error) -> GitError {
    GitError::new(format!("git cannot be asked: {problem}"))
}
