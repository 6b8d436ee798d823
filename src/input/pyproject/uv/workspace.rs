//! Workspaces: projects that are locked together (`tool.uv.workspace`).

use std::path::{Path, PathBuf};

use pep508_rs::PackageName;

use super::super::super::project::Project;
use super::super::super::{InputError, Source};

/// Folders that the patterns of a workspace may match.
const MAX_MEMBERS: usize = 10_000;

/// A workspace (`tool.uv.workspace`).
pub(in crate::input) struct Workspace {
    /// The pyproject.toml at its root, where that is another than the one being read.
    pub(in crate::input) root: Option<Project>,
    /// The folders of its members.
    pub(in crate::input) members: Vec<PathBuf>,
}

impl Workspace {
    /// The one that a project is the root or a member of.
    pub(in crate::input) fn of(project: &Project) -> Result<Option<Self>, InputError> {
        if let Some(members) = members(project)? {
            return Ok(Some(Self { root: None, members }));
        }
        let Ok(own) = std::fs::canonicalize(project.folder().join("pyproject.toml")) else {
            return Ok(None);
        };
        let own = own.parent().unwrap_or(Path::new("")).to_owned();
        for folder in own.ancestors().skip(1) {
            let path = folder.join("pyproject.toml");
            if !path.is_file() {
                continue;
            }
            // What lies above the project may be anything.
            let Ok(root) = Source::open(&path).and_then(Project::read) else { continue };
            if let Some(members) = members(&root)? {
                let is_member =
                    |folder: &PathBuf| std::fs::canonicalize(folder).is_ok_and(|path| path == own);
                if !members.iter().any(is_member) {
                    return Ok(None);
                }
                return Ok(Some(Self { root: Some(root), members }));
            }
        }
        Ok(None)
    }

    /// The folder of the member of that name.
    pub(in crate::input) fn member(
        &self,
        name: &PackageName,
    ) -> Result<Option<PathBuf>, InputError> {
        if let Some(root) = self.root.as_ref().filter(|root| root.name.as_ref() == Some(name)) {
            return Ok(Some(root.folder().to_owned()));
        }
        for folder in &self.members {
            let project = Project::read(Source::open(&folder.join("pyproject.toml"))?)?;
            if project.name.as_ref() == Some(name) {
                return Ok(Some(folder.clone()));
            }
        }
        Ok(None)
    }
}

/// The folders of a workspace, where the file is the root of one.
fn members(project: &Project) -> Result<Option<Vec<PathBuf>>, InputError> {
    let Some(table) = project.document.root().nested(&["tool", "uv", "workspace"])? else {
        return Ok(None);
    };
    let matching = |key: &str| {
        let mut folders = Vec::new();
        for item in table.list(key)? {
            let text = item.text()?;
            let root = glob::Pattern::escape(&project.folder().to_string_lossy());
            let pattern = if root.is_empty() { text.to_owned() } else { format!("{root}/{text}") };
            let found = glob::glob(&pattern)
                .map_err(|_| item.error(format!("expected a pattern of paths, found `{text}`")))?;
            folders.extend(found.filter_map(Result::ok).take(MAX_MEMBERS));
        }
        Ok::<_, InputError>(folders)
    };
    let excluded = matching("exclude")?;
    let mut members = matching("members")?;
    members.retain(|folder| !excluded.contains(folder) && folder.join("pyproject.toml").is_file());
    Ok(Some(members))
}
