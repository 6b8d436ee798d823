//! What is fetched from indexes, called as the library's own users call it.

mod client;
mod core_metadata;
mod indexes;
mod pages;
mod python_files;
mod sdist;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::client::Client;
use ftcheck::fetch::simple::SimpleIndex;
use ftcheck::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use ftcheck::model::project_files::ProjectFiles;
use pep508_rs::PackageName;
use url::Url;

use crate::support::index::FakeIndex;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

fn client() -> Arc<Client> {
    Arc::new(Client::new(false).expect("a client"))
}

fn offline() -> Arc<Client> {
    Arc::new(Client::new(true).expect("a client"))
}

fn cache(folder: &tempfile::TempDir) -> Cache {
    Cache::at(folder.path().to_owned())
}

fn name(text: &str) -> PackageName {
    text.parse().expect("a name")
}

/// The files of all releases, oldest first.
fn all(files: &ProjectFiles) -> Vec<DistributionFile> {
    files.versions().flat_map(|version| files.of_release(version)).collect()
}

/// The first file of the project `spam`.
fn file_of(index: &FakeIndex) -> DistributionFile {
    let url = index.simple_url().parse().unwrap();
    let (client, cache) = (client(), Cache::disabled());
    let simple = SimpleIndex::new(&client, &cache, url);
    let page = block_on(simple.project(&name("spam"))).expect("a page");
    index.clear_requests();
    all(&page.files()).into_iter().next().expect("a file")
}

/// A file on this machine, as a resolver would ask for it.
fn local_file(path: &Path, project: &str) -> DistributionFile {
    let filename = path.file_name().unwrap().to_str().unwrap();
    DistributionFile {
        kind: DistributionKind::parse(filename, &name(project)).expect("a distribution"),
        url: Url::from_file_path(path).unwrap(),
        sha256: None,
        size: None,
        requires_python: None,
        yanked: false,
        metadata: MetadataFile::Absent,
    }
}
