//! Project pages of a package index: PEP 503 as HTML, PEP 691 as JSON.
//!
//! Which file to take is decided in [`crate::resolve`]; here a page becomes a list of files.

mod html;
mod json;

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::fetch::cache::{Bucket, Cache};
use crate::fetch::client::{Client, FetchError, Request, Response};
use crate::model::distribution::DistributionFile;
use crate::resolve::IndexError;

/// The largest page that is read; the largest known ones are below 40 MB.
const MAX_PAGE: u64 = 256 << 20;

/// JSON first; HTML from those that have nothing else (PEP 691).
const ACCEPTED: &str = "application/vnd.pypi.simple.v1+json, \
     application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// One package index.
#[derive(Debug)]
pub struct SimpleIndex<'a> {
    client: &'a Client,
    cache: &'a Cache,
    root: Url,
}

/// A page as it is kept: its body, and what to ask the server whether it changed.
#[derive(Serialize, Deserialize)]
struct StoredPage {
    url: Url,
    content_type: Option<String>,
    etag: Option<String>,
    last_modified: Option<String>,
    body: String,
}

impl<'a> SimpleIndex<'a> {
    /// The index whose project pages lie below `root`.
    #[must_use]
    pub fn new(client: &'a Client, cache: &'a Cache, mut root: Url) -> Self {
        if !root.path().ends_with('/') {
            let path = format!("{}/", root.path());
            root.set_path(&path);
        }
        Self { client, cache, root }
    }

    async fn page(&self, url: &Url) -> Result<StoredPage, FetchError> {
        let key = url.as_str();
        let stored: Option<StoredPage> = self.cache.get(Bucket::Pages, key);
        if self.client.is_offline() {
            return stored.ok_or(FetchError::Offline);
        }
        let mut request = Request::new(MAX_PAGE)
            .header(ACCEPT, HeaderValue::from_static(ACCEPTED))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
            .accepting(&[304]);
        if let Some(stored) = &stored {
            if let Some(etag) = &stored.etag {
                request = request.header_text(IF_NONE_MATCH, etag);
            }
            if let Some(date) = &stored.last_modified {
                request = request.header_text(IF_MODIFIED_SINCE, date);
            }
        }
        let response = self.client.get(url, &request).await?;
        if response.status == 304 {
            return stored.ok_or_else(|| {
                FetchError::invalid(url, "expected a page, found `304 Not Modified` unasked")
            });
        }
        let page = StoredPage::of(url, response)?;
        // Without validators it would be fetched again in any case; it still serves --offline.
        let _ = self.cache.put(Bucket::Pages, key, &page);
        Ok(page)
    }
}

impl StoredPage {
    fn of(url: &Url, response: Response) -> Result<Self, FetchError> {
        let header = |name| response.header(&name).map(str::to_owned);
        let mut address = response.url.clone();
        // The page is kept on disk; its links are absolute or on the same server.
        let _ = address.set_username("");
        let _ = address.set_password(None);
        Ok(Self {
            url: address,
            content_type: header(CONTENT_TYPE),
            etag: header(ETAG),
            last_modified: header(LAST_MODIFIED),
            body: String::from_utf8(response.body)
                .map_err(|_| FetchError::invalid(url, "expected a page in UTF-8"))?,
        })
    }

    fn files(&self, name: &PackageName) -> Result<Vec<DistributionFile>, String> {
        let media_type = self.content_type.as_deref().unwrap_or("text/html");
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/vnd.pypi.simple.v1+json" | "application/json" => {
                json::files(&self.body, &self.url, name)
            }
            "application/vnd.pypi.simple.v1+html" | "text/html" => {
                Ok(html::files(&self.body, &self.url, name))
            }
            other => Err(format!(
                "expected a project page as HTML or JSON, found content of type `{other}`"
            )),
        }
    }
}

impl SimpleIndex<'_> {
    /// All files of a project, in the order in which the page lists them.
    ///
    /// # Errors
    /// Where the project is not known, or the index cannot be asked.
    pub async fn files(&self, name: &PackageName) -> Result<Vec<DistributionFile>, IndexError> {
        let url = self
            .root
            .join(&format!("{name}/"))
            .map_err(|problem| IndexError::Unavailable(problem.to_string()))?;
        let page = match self.page(&url).await {
            Ok(page) => page,
            Err(FetchError::Status { status, url, .. }) if matches!(status.as_u16(), 404 | 410) => {
                return Err(IndexError::NotFound { url });
            }
            Err(problem) => return Err(IndexError::Unavailable(problem.to_string())),
        };
        page.files(name).map_err(|problem| {
            IndexError::Unavailable(FetchError::invalid(&url, problem).to_string())
        })
    }
}

/// `requires-python` as indexes carry it. One that is no valid specifier says nothing, as in pip:
/// older uploads were not validated.
fn requires_python(text: Option<&str>) -> Option<VersionSpecifiers> {
    text.filter(|text| !text.trim().is_empty())?.parse().ok()
}
