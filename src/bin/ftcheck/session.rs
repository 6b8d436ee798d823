//! What every command that asks an index needs: a runtime, a client, the indexes.

use std::sync::Arc;

use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::client::Client;
use ftcheck::fetch::indexes::Indexes;
use tokio::runtime::Runtime;

use crate::Failure;
use crate::options::NetworkOptions;

pub(crate) struct Session {
    pub(crate) runtime: Runtime,
    pub(crate) client: Arc<Client>,
    pub(crate) cache: Cache,
    pub(crate) index: Arc<Indexes>,
}

impl Session {
    pub(crate) fn new(options: NetworkOptions) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|problem| Failure::new(format!("no runtime can be started: {problem}")))?;
        let client = Client::new(options.offline)
            .map_err(|problem| Failure::new(format!("no HTTP client can be set up: {problem}")))?;
        let client = Arc::new(client);
        let cache = options.cache;
        let index = Indexes::new(Arc::clone(&client), cache.clone(), options.index_url);
        Ok(Self { runtime, client, cache, index: Arc::new(index) })
    }
}
