//! Where a scan is made: the root of the source tree that the working directory lies in.

use std::path::Path;

use ftcheck::report::Origin;

/// What [`Origin`] borrows.
#[derive(Debug, Default)]
pub(crate) struct Whereabouts {
    root: Option<String>,
    folder: String,
    manifest: Option<String>,
}

impl Whereabouts {
    /// The nearest directory above the working directory that git knows as a root, or itself where
    /// there is none. `first_read` is the first file that was read.
    pub(crate) fn of_process(first_read: Option<&Path>) -> Self {
        let manifest = first_read.map(|path| path.display().to_string());
        let Ok(here) = std::env::current_dir() else { return Self { manifest, ..Self::default() } };
        // A file in a worktree or submodule, else a directory.
        let root = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here);
        let folder = here.strip_prefix(root).map(|folder| folder.display().to_string());
        Self {
            root: Some(root.display().to_string()),
            folder: folder.unwrap_or_default(),
            manifest,
        }
    }

    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin {
            root: self.root.as_deref(),
            folder: &self.folder,
            manifest: self.manifest.as_deref(),
        }
    }
}
