//! Folders, files and pages of files beside the indexes: pip's and uv's `--find-links`.

use std::fmt;
use std::path::Path;

use pep508_rs::PackageName;
use url::Url;

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::simple::{self, Link};
use crate::model::distribution::DistributionFile;
use crate::model::index::LinksSource;
use crate::model::location::redacted;

/// One of them.
#[derive(Debug)]
pub(super) struct Place(LinksSource);

/// The files that one of them lists, of whatever projects.
#[derive(Debug)]
pub(super) struct Links(Vec<Link>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            LinksSource::Path(path) => write!(f, "{}", path.display()),
            LinksSource::Page(url) => f.write_str(&redacted(url)),
        }
    }
}

impl Links {
    /// Those of a project that an installer would take.
    pub(super) fn files_of(&self, name: &PackageName) -> impl Iterator<Item = DistributionFile> {
        self.0.iter().filter_map(|link| link.file_of(name))
    }
}

impl Place {
    pub(super) fn new(source: LinksSource) -> Self {
        let path = match &source {
            LinksSource::Page(url) if url.scheme() == "file" => url.to_file_path().ok(),
            _ => None,
        };
        Self(path.map_or(source, LinksSource::Path))
    }

    /// What it lists.
    ///
    /// # Errors
    /// Where it is not there or cannot be read; the text says so.
    pub(super) async fn read(&self, client: &Client, cache: &Cache) -> Result<Links, String> {
        let links = match &self.0 {
            LinksSource::Page(url) => {
                client.credentials().add_index(url);
                simple::links(client, cache, url).await.map_err(|problem| problem.to_string())?
            }
            LinksSource::Path(path) => {
                let failed = |problem: String| format!("{}: {problem}", path.display());
                let path =
                    std::path::absolute(path).map_err(|problem| failed(problem.to_string()))?;
                if path.is_dir() {
                    folder(&path).map_err(|problem| failed(problem.to_string()))?
                } else {
                    let url = Url::from_file_path(&path).ok().filter(|_| path.is_file());
                    let url = url.ok_or_else(|| {
                        failed("there is no such folder or file of packages".to_owned())
                    })?;
                    let is_page = path.extension().is_some_and(|extension| {
                        extension.eq_ignore_ascii_case("html")
                            || extension.eq_ignore_ascii_case("htm")
                    });
                    if is_page {
                        let links = simple::links(client, cache, &url).await;
                        links.map_err(|problem| problem.to_string())?
                    } else {
                        vec![Link::bare(url)]
                    }
                }
            }
        };
        Ok(Links(links))
    }
}

/// The files in a folder, not those in folders of it, by name.
fn folder(path: &Path) -> std::io::Result<Vec<Link>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.iter().filter_map(|path| Some(Link::bare(Url::from_file_path(path).ok()?))).collect())
}
