//! All places where packages come from, asked as the user's settings have it, and what their files
//! say of themselves.
//!
//! Nothing is asked for twice in a run, by however many at the same time. One index and its pages
//! are in [`crate::fetch::simple`], folders and lists of files in `links`.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use pep508_rs::PackageName;
use tokio::sync::OnceCell;
use url::Url;

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::core_metadata;
use crate::fetch::links::{self, Links};
use crate::fetch::opened::Opened;
use crate::fetch::simple::SimpleIndex;
use crate::fetch::simple::kept::ProjectPage;
use crate::model::distribution::DistributionFile;
use crate::model::index::{IndexSettings, IndexSource, IndexStrategy, ProjectStatus};
use crate::model::limits::Limit;
use crate::model::metadata::CoreMetadata;
use crate::model::project_files::ProjectFiles;
use crate::resolve::{Index, IndexError, MetadataError};

/// The index that is asked where the settings name no other as the default one.
pub const PUBLIC_INDEX: &str = "https://pypi.org/simple";

/// Every index of a scan.
#[derive(Debug)]
pub struct Indexes {
    client: Arc<Client>,
    cache: Cache,
    /// In the order in which they are asked: the default one last.
    sources: Vec<IndexSource>,
    strategy: IndexStrategy,
    no_index: bool,
    links: Vec<links::Place>,
    pages: Once<(Url, Vec<u16>, PackageName), Arc<ProjectPage>, IndexError>,
    listings: Once<usize, Arc<Links>, IndexError>,
    metadata: Once<Url, Arc<CoreMetadata>, MetadataError>,
    /// Wheels that were opened for their metadata.
    opened: Arc<Opened>,
}

/// What the indexes have of a project.
#[derive(Default)]
struct Found {
    /// Its pages, of those whose files count.
    pages: Vec<Arc<ProjectPage>>,
    /// Where it is not, without credentials.
    missing: Vec<String>,
}

impl Indexes {
    /// The indexes of the settings; beside them the public one, unless they name a default one or
    /// none is to be asked.
    #[must_use]
    pub fn new(client: Arc<Client>, cache: Cache, settings: IndexSettings) -> Self {
        let (mut defaults, mut sources): (Vec<_>, Vec<_>) =
            settings.indexes.into_iter().partition(|source| source.is_default);
        if defaults.is_empty()
            && !settings.no_index
            && let Ok(url) = Url::parse(PUBLIC_INDEX)
        {
            defaults.push(IndexSource { is_default: true, ..IndexSource::new(url) });
        }
        // Of several the first, which comes from the more important place.
        sources.extend(defaults.into_iter().take(1));
        for source in &sources {
            client.credentials().add_index(&source.url);
        }
        Self {
            client,
            cache,
            sources,
            strategy: settings.strategy.unwrap_or(IndexStrategy::FirstIndex),
            no_index: settings.no_index,
            links: settings.find_links.into_iter().map(links::Place::new).collect(),
            pages: Once::default(),
            listings: Once::default(),
            metadata: Once::default(),
            opened: Arc::default(),
        }
    }

    /// Wheels that were opened for their metadata, for whoever looks into them next.
    #[must_use]
    pub fn opened(&self) -> Arc<Opened> {
        Arc::clone(&self.opened)
    }

    /// What the indexes say of a project as a whole: the first that says something.
    ///
    /// # Errors
    /// Where they cannot be asked.
    pub async fn status(
        &self,
        name: &PackageName,
        from: Option<&str>,
    ) -> Result<ProjectStatus, IndexError> {
        let pages = self.found(name, from).await?.pages;
        let mut stated = pages.iter().map(|page| &page.status);
        let stated = stated.find(|status| **status != ProjectStatus::Active);
        Ok(stated.cloned().unwrap_or_default())
    }

    /// The sources that are asked for a requirement.
    fn asked(&self, from: Option<&str>) -> Result<Vec<&IndexSource>, IndexError> {
        let Some(wanted) = from else {
            let asked = self.sources.iter().filter(|source| !source.explicit && !self.no_index);
            return Ok(asked.collect());
        };
        let source = self.sources.iter().find(|source| source.name.as_deref() == Some(wanted));
        let source = source.ok_or_else(|| {
            IndexError::Unavailable(format!(
                "no index is called `{wanted}`: the settings name none"
            ))
        })?;
        if self.no_index {
            return Err(IndexError::Unavailable(format!(
                "it is to come from the index `{wanted}`, and no index is to be asked"
            )));
        }
        Ok(vec![source])
    }

    /// The pages of a project that count, of indexes that have it.
    async fn found(&self, name: &PackageName, from: Option<&str>) -> Result<Found, IndexError> {
        let mut found = Found::default();
        for source in self.asked(from)? {
            match self.page(source, name).await {
                Ok(page) => found.pages.push(page),
                Err(IndexError::NotFound { url }) => {
                    found.missing.push(url);
                    continue;
                }
                // Were another index asked instead, it could slip in a package of the same name.
                Err(problem) => return Err(problem),
            }
            if self.strategy == IndexStrategy::FirstIndex {
                break;
            }
        }
        Ok(found)
    }

    async fn page(
        &self,
        source: &IndexSource,
        name: &PackageName,
    ) -> Result<Arc<ProjectPage>, IndexError> {
        let mut root = source.url.clone();
        let _ = root.set_username("");
        let _ = root.set_password(None);
        let index = SimpleIndex::new(&self.client, &self.cache, source.url.clone())
            .ignoring(source.ignored_statuses.clone());
        let asking = |before: usize| async move {
            let most = self.client.limits().projects;
            if before as u64 >= most {
                let limit = Limit("projects");
                return Err(IndexError::Unavailable(format!(
                    "expected to ask for at most {most} projects, found more ({limit})"
                )));
            }
            index.project(name).await.map(Arc::new)
        };
        self.pages.get((root, source.ignored_statuses.clone(), name.clone()), asking).await
    }

    /// The files of a project in folders and lists of files.
    async fn linked(&self, name: &PackageName) -> Result<Vec<DistributionFile>, IndexError> {
        let mut files = Vec::new();
        for (number, place) in self.links.iter().enumerate() {
            let reading = |_| async move {
                let links = place.read(&self.client, &self.cache).await;
                links.map(Arc::new).map_err(IndexError::Unavailable)
            };
            files.extend(self.listings.get(number, reading).await?.files_of(name));
        }
        Ok(files)
    }
}

impl Index for Indexes {
    async fn files(
        &self,
        name: &PackageName,
        from: Option<&str>,
    ) -> Result<ProjectFiles, IndexError> {
        let Found { pages, mut missing } = self.found(name, from).await?;
        // A requirement that names its index is not to come from elsewhere.
        let mut files = ProjectFiles::default();
        if from.is_none() {
            files.extend(self.linked(name).await?);
        }
        for page in &pages {
            files.append(page.files());
        }
        if !files.is_empty() {
            return Ok(files);
        }
        for page in &pages {
            if let ProjectStatus::Quarantined(reason) = &page.status {
                return Err(IndexError::Quarantined { reason: reason.clone() });
            }
        }
        if pages.is_empty() {
            if from.is_none() {
                missing.extend(self.links.iter().map(ToString::to_string));
            }
            return Err(IndexError::NotFound { url: missing.join(", ") });
        }
        Ok(files)
    }

    async fn metadata(&self, file: &DistributionFile) -> Result<CoreMetadata, MetadataError> {
        let reading = |_| async move {
            core_metadata::read(&self.client, &self.cache, &self.opened, file).await.map(Arc::new)
        };
        let metadata = self.metadata.get(file.url.clone(), reading).await?;
        Ok(CoreMetadata::clone(&metadata))
    }
}

/// What was asked for in this run, by what it was asked with: failures too, so that a server that
/// does not answer is not asked for each requirement again.
///
/// It holds no more than the names and files that the run has to do with.
#[derive(Debug)]
struct Once<K, V, E> {
    entries: Mutex<HashMap<K, Numbered<V, E>>>,
}

type Entry<V, E> = Arc<OnceCell<Result<V, E>>>;
/// An entry, and how many were asked for before it.
type Numbered<V, E> = (usize, Entry<V, E>);

impl<K, V, E> Default for Once<K, V, E> {
    fn default() -> Self {
        Self { entries: Mutex::default() }
    }
}

impl<K: Eq + Hash, V: Clone, E: Clone> Once<K, V, E> {
    /// What `asking` finds, or found before. It is told how much was asked for before.
    async fn get<F>(&self, key: K, asking: impl FnOnce(usize) -> F) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        let (before, entry) = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            let before = entries.len();
            let (before, entry) = entries.entry(key).or_insert_with(|| (before, Entry::default()));
            (*before, Arc::clone(entry))
        };
        entry.get_or_init(|| asking(before)).await.clone()
    }
}
