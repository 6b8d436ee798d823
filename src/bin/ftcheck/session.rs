//! What every command that asks an index needs: a runtime, a client, the indexes.

use std::path::Path;
use std::sync::Arc;

use ftcheck::config::{Environment, NetworkSettings};
use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::client::Client;
use ftcheck::fetch::indexes::Indexes;
use ftcheck::model::index::IndexSettings;
use ftcheck::model::requirement::Prereleases;
use tokio::runtime::Runtime;

use crate::options::NetworkOptions;
use crate::project::Project;
use crate::{Failure, interrupt};

pub(crate) struct Session {
    pub(crate) runtime: Runtime,
    pub(crate) client: Arc<Client>,
    pub(crate) cache: Cache,
    pub(crate) index: Arc<Indexes>,
    /// How pre-releases are chosen, where the environment or a configuration says so.
    pub(crate) prereleases: Option<Prereleases>,
}

impl Session {
    pub(crate) fn new(options: NetworkOptions, project: &mut Project) -> Result<Self, Failure> {
        Self::within(options, project, &Environment::of_process())
    }

    /// The same for files that stand elsewhere for a while: what is not of the project counts from the
    /// folder of `environment`.
    pub(crate) fn within(
        options: NetworkOptions,
        project: &mut Project,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|problem| Failure::new(format!("no runtime can be started: {problem}")))?;
        let mut of_project = IndexSettings::default();
        for manifest in &mut project.manifests {
            of_project.extend(std::mem::take(&mut manifest.indexes));
        }
        let folder = project.paths.first().and_then(|path| path.parent());
        let folder = std::path::absolute(Path::new(".").join(folder.unwrap_or(Path::new(""))))
            .unwrap_or_default();
        let network =
            NetworkSettings::gather(&options.command_line, environment, &folder, of_project)
                .map_err(|problem| Failure::new(problem.to_string()))?;
        project.bound_by(&network.constraints, &network.overrides)?;
        let client = Client::with(network.offline, &network.access, options.limits)
            .map_err(|problem| Failure::new(format!("no HTTP client can be set up: {problem}")))?;
        let client = Arc::new(client);
        let cache = options.cache;
        let written = cache.clone();
        interrupt::before_end(move || written.close());
        let index = Indexes::new(Arc::clone(&client), cache.clone(), network.indexes);
        Ok(Self {
            runtime,
            client,
            cache,
            index: Arc::new(index),
            prereleases: network.prereleases,
        })
    }
}
