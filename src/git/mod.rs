//! Files as of a git revision, without touching the working tree.
//!
//! The `git` command is asked, not a library: it is there wherever a repository was cloned, knows
//! every form of one, and a library that does would be half as large as all else together. Only
//! commands that read objects are called, by their ids, and nothing that a configuration could have
//! them run is run: no hook, no filter, no external comparison, no transport.
//!
//! ```text
//! command  how git is called
//! tree     the files of a revision, written to a folder
//! ```

mod command;
mod tree;

use std::path::{Path, PathBuf};

use self::command::{Outcome, run};
pub use self::tree::Extracted;

/// Why a revision cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct GitError {
    /// What was expected and what was found.
    pub problem: String,
    /// What may help.
    pub hint: Option<String>,
}

impl GitError {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A repository with a working tree.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id, in hexadecimal.
    id: String,
}

impl Commit {
    /// As much of its id as people read.
    #[must_use]
    pub fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

impl Repository {
    /// The one that a folder lies in.
    ///
    /// # Errors
    /// Where there is none, or no `git`.
    pub fn of(folder: &Path) -> Result<Self, GitError> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let outcome = run(folder, &["rev-parse", "--show-toplevel"])?;
        let shown = folder.display();
        if !outcome.success {
            let problem = format!("expected a git repository at {shown}: {}", outcome.complaint());
            return Err(GitError::new(problem));
        }
        let root = PathBuf::from(outcome.line());
        let root = std::fs::canonicalize(&root).map_err(|problem| {
            GitError::new(format!("{}: the folder cannot be read: {problem}", root.display()))
        })?;
        Ok(Self { root })
    }

    /// The root of its working tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit that a name stands for: a branch, a tag, an id.
    ///
    /// # Errors
    /// Where it stands for none.
    pub fn commit(&self, name: &str) -> Result<Commit, GitError> {
        let wanted = format!("{name}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted];
        let outcome = self.run(&arguments)?;
        match id(&outcome.line()) {
            Some(id) if outcome.success => Ok(Commit { id }),
            _ => Err(self.no_commit(name)),
        }
    }

    fn no_commit(&self, name: &str) -> GitError {
        let error = |also: &str| {
            GitError::new(format!("expected a commit, found `{name}`, which stands for none{also}"))
        };
        if name == "HEAD" {
            return error("").hint("the repository has no commit yet");
        }
        // A name of a remote's branch tells what to fetch.
        let (remote, branch) = name.split_once('/').unwrap_or(("origin", name));
        if self.is_shallow() {
            let error = error(" in this shallow clone");
            if name.is_empty() || name.contains(['~', '^', '@', ':']) {
                return error.hint("fetch the whole history first: `git fetch --unshallow`");
            }
            // Where the clone fetches one branch alone, others get no name unless they are given one.
            return error.hint(format!(
                "fetch it first: `git fetch {remote} {branch}:refs/remotes/{remote}/{branch}`, then \
                 `--git {remote}/{branch}`; with actions/checkout: `fetch-depth: 0`"
            ));
        }
        if name.is_empty() || name.contains(['~', '^', '@', ':']) {
            return error(" here");
        }
        error(" here").hint(format!(
            "is it fetched? `git fetch {remote} {branch}:refs/remotes/{remote}/{branch}`"
        ))
    }

    /// Where the history of a commit and that of the working tree's part.
    ///
    /// # Errors
    /// Where they have nothing in common, as far as the clone reaches.
    pub fn merge_base(&self, commit: &Commit, name: &str) -> Result<Commit, GitError> {
        let head = self.commit("HEAD")?;
        let outcome = self.run(&["merge-base", &commit.id, &head.id])?;
        if let Some(id) = id(&outcome.line()).filter(|_| outcome.success) {
            return Ok(Commit { id });
        }
        let error = |also: &str| {
            let problem =
                format!("expected a common ancestor of HEAD and `{name}`, found none{also}");
            GitError::new(problem)
        };
        Err(if self.is_shallow() {
            error(" in this shallow clone").hint(
                "fetch more of the history: `git fetch --deepen=100`, or all of it: \
                 `git fetch --unshallow`; or compare with the commit itself: `--exact`",
            )
        } else {
            error("").hint("`--exact` compares with the commit itself")
        })
    }

    /// The files that were renamed since a commit, as far as the index knows: from, to.
    ///
    /// # Errors
    /// Where git cannot tell.
    pub fn renames(&self, since: &Commit) -> Result<Vec<(String, String)>, GitError> {
        // The index against the commit: no file of the working tree is read, so that no filter runs.
        let outcome = self.run(&[
            "diff-index",
            "--cached",
            "--find-renames",
            "--diff-filter=R",
            "--name-status",
            "-z",
            "--no-ext-diff",
            "--no-textconv",
            &since.id,
            "--",
        ])?;
        if !outcome.success {
            let complaint = outcome.complaint();
            return Err(GitError::new(format!("renames could not be told: {complaint}")));
        }
        let text = String::from_utf8_lossy(&outcome.output);
        let mut fields = text.split('\0');
        let mut renames = Vec::new();
        while let (Some(_), Some(from), Some(to)) = (fields.next(), fields.next(), fields.next()) {
            renames.push((from.to_owned(), to.to_owned()));
        }
        Ok(renames)
    }

    /// Writes files of a commit below a folder that is empty: those whose path `wants`.
    ///
    /// # Errors
    /// Where they are too many or too large, or cannot be read or written.
    pub fn extract(
        &self,
        commit: &Commit,
        into: &Path,
        wants: impl Fn(&str) -> bool,
    ) -> Result<Extracted, GitError> {
        tree::extract(&self.root, &commit.id, into, wants)
    }

    fn is_shallow(&self) -> bool {
        self.run(&["rev-parse", "--is-shallow-repository"])
            .is_ok_and(|outcome| outcome.line() == "true")
    }

    fn run(&self, arguments: &[&str]) -> Result<Outcome, GitError> {
        run(&self.root, arguments)
    }
}

/// An object's id: 40 hexadecimal digits, or 64.
fn id(text: &str) -> Option<String> {
    let is_id =
        (text.len() == 40 || text.len() == 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_owned())
}
