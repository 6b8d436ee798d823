//! Git repositories of their own: nothing of the machine's or the user's configuration is seen.

use std::path::Path;
use std::process::{Command, Output};

/// What keeps git from seeing more than the repository.
pub(crate) const ALONE: [(&str, &str); 3] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", if cfg!(windows) { "nul" } else { "/dev/null" }),
    ("GIT_CEILING_DIRECTORIES", ""),
];

/// Runs git in a folder, whatever comes of it.
pub(crate) fn try_git(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.env_clear().current_dir(folder).args(arguments).envs(ALONE);
    for name in ["PATH", "SystemRoot", "TEMP", "TMP"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "Someone")
            .env(format!("GIT_{who}_EMAIL"), "someone@example.org")
            .env(format!("GIT_{who}_DATE"), "2027-01-02T03:04:05Z");
    }
    command.output().expect("git is there")
}

/// The same, and it has to go well; what it says.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = try_git(folder, arguments);
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Makes a repository of a folder, with all that lies there in a first commit.
pub(crate) fn repository(folder: &Path) {
    git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    commit(folder, "first");
}

/// Commits all that lies there.
pub(crate) fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "--message", message]);
}
