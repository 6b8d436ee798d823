//! Project pages of a package index: PEP 503 as HTML, PEP 691 as JSON; and what they say of a project
//! as a whole (PEP 792).
//!
//! Which file to take is decided in [`crate::resolve`]; here a page becomes a list of files, and in
//! [`kept`] one that is opened rather than read again.

mod html;
mod json;
pub mod kept;

use std::io::Read as _;
use std::path::Path;

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};
use serde::{Deserialize, Serialize};
use url::Url;

use self::kept::ProjectPage;
use crate::fetch::cache::{Bucket, Cache};
use crate::fetch::client::{Client, FetchError, Request, Response};
use crate::fetch::disk;
use crate::model::digest::{Digesting, Sha256};
use crate::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use crate::model::index::ProjectStatus;
use crate::model::limits::{Limit, Limits};
use crate::model::location::{last_segment, redacted};
use crate::resolve::IndexError;

/// JSON first; HTML from those that have nothing else (PEP 691).
const ACCEPTED: &str = "application/vnd.pypi.simple.v1+json, \
     application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// One package index.
#[derive(Debug)]
pub struct SimpleIndex<'a> {
    client: &'a Client,
    cache: &'a Cache,
    root: Url,
    ignored_statuses: Vec<u16>,
}

/// A file as a page names it, of whatever project.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) filename: String,
    pub(super) url: Url,
    pub(super) sha256: Option<Sha256>,
    pub(super) size: Option<u64>,
    /// As it stands there.
    pub(super) requires_python: Option<String>,
    pub(super) yanked: bool,
    pub(super) metadata: MetadataFile,
}

impl Link {
    /// A file of which no more is known than where it is.
    pub(super) fn bare(url: Url) -> Self {
        Self {
            filename: last_segment(&url),
            url,
            sha256: None,
            size: None,
            requires_python: None,
            yanked: false,
            metadata: MetadataFile::Absent,
        }
    }

    /// The file, if it is one of the project `name` that an installer would take.
    pub(super) fn file_of(&self, name: &PackageName) -> Option<DistributionFile> {
        Some(DistributionFile {
            kind: DistributionKind::parse(&self.filename, name)?,
            url: self.url.clone(),
            sha256: self.sha256,
            size: self.size,
            requires_python: requires_python(self.requires_python.as_deref()),
            yanked: self.yanked,
            metadata: self.metadata,
        })
    }
}

/// What tells whether a page is still the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
    /// The digest of it and its address, where its server says neither: it is sent again each time then.
    sha256: Option<Sha256>,
}

/// A page as a server sent it, or as it lies on this machine.
#[derive(Serialize, Deserialize)]
struct Page {
    url: Url,
    content_type: Option<String>,
    validators: Validators,
    body: String,
}

/// A page that is there in one of two forms.
enum Current<T> {
    /// It is as it was kept.
    Kept(T),
    /// It is new.
    New(Box<Page>),
}

/// The page at `url` as it was kept, where that still holds or nothing may be asked; else as it is now.
async fn current<T>(
    client: &Client,
    url: &Url,
    kept: Option<T>,
    validators: impl Fn(&T) -> &Validators,
) -> Result<Current<T>, FetchError> {
    if client.is_offline() {
        return kept.map(Current::Kept).ok_or(FetchError::Offline);
    }
    let mut request = Request::new(client.limits().page_size)
        .limited_by("page-size")
        .header(ACCEPT, HeaderValue::from_static(ACCEPTED))
        .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
        .accepting(&[304]);
    if let Some(Validators { etag, last_modified, .. }) = kept.as_ref().map(&validators) {
        if let Some(etag) = etag {
            request = request.header_text(IF_NONE_MATCH, etag);
        }
        if let Some(date) = last_modified {
            request = request.header_text(IF_MODIFIED_SINCE, date);
        }
    }
    let response = client.get(url, &request).await?;
    if response.status == 304 {
        return kept.map(Current::Kept).ok_or_else(|| {
            FetchError::invalid(url, "expected a page, found `304 Not Modified` unasked")
        });
    }
    let page = Page::of(url, response)?;
    Ok(match kept {
        Some(kept) if page.validators.sha256.is_some() && page.validators == *validators(&kept) => {
            Current::Kept(kept)
        }
        _ => Current::New(Box::new(page)),
    })
}

/// What a page is kept under.
fn key_of(url: &Url) -> String {
    let mut bare = url.clone();
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.into()
}

/// The links on a page that lists files of any project (pip's `--find-links`).
pub(super) async fn links(
    client: &Client,
    cache: &Cache,
    url: &Url,
) -> Result<Vec<Link>, FetchError> {
    let page = if let Some(path) = disk::path(url)? {
        Page::of_file(url, &path, client.limits())?
    } else {
        let key = key_of(url);
        let kept: Option<Page> = cache.get(Bucket::Lists, &key);
        match current(client, url, kept, |page| &page.validators).await? {
            Current::Kept(page) => page,
            Current::New(page) => {
                // Without validators it would be fetched again in any case; it still serves --offline.
                let _ = cache.put(Bucket::Lists, &key, &*page);
                *page
            }
        }
    };
    let read = page.read(client.limits());
    read.map(|(links, _)| links).map_err(|problem| FetchError::invalid(url, problem))
}

impl Page {
    fn of(url: &Url, response: Response) -> Result<Self, FetchError> {
        let header = |name| response.header(&name).map(str::to_owned);
        let mut address = response.url.clone();
        // The page is kept on disk; its links are absolute or on the same server.
        let _ = address.set_username("");
        let _ = address.set_password(None);
        let content_type = header(CONTENT_TYPE);
        let (etag, last_modified) = (header(ETAG), header(LAST_MODIFIED));
        let is_stated = etag.is_some() || last_modified.is_some();
        let sha256 = (!is_stated).then(|| {
            let mut digest = Digesting::default();
            // What else its links hang on.
            for part in [address.as_str(), content_type.as_deref().unwrap_or_default()] {
                digest.update(part.as_bytes());
                digest.update(b"\n");
            }
            digest.update(&response.body);
            digest.finish()
        });
        Ok(Self {
            url: address,
            content_type,
            validators: Validators { etag, last_modified, sha256 },
            body: String::from_utf8(response.body)
                .map_err(|_| FetchError::invalid(url, "expected a page in UTF-8"))?,
        })
    }

    /// The page of a project in a folder, as pip reads an index that is one.
    fn of_file(url: &Url, path: &Path, limits: &Limits) -> Result<Self, FetchError> {
        let path = if path.is_dir() { path.join("index.html") } else { path.to_owned() };
        let opened = disk::open(url, &path)?;
        let mut bytes = Vec::new();
        opened
            .take(limits.page_size.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|problem| FetchError::invalid(url, problem.kind().to_string()))?;
        if bytes.len() as u64 > limits.page_size {
            return Err(FetchError::TooLarge {
                url: redacted(url),
                limit: limits.page_size,
                limited_by: Some(Limit("page-size")),
            });
        }
        Ok(Self {
            url: url.clone(),
            content_type: None,
            validators: Validators::default(),
            body: String::from_utf8(bytes)
                .map_err(|_| FetchError::invalid(url, "expected a page in UTF-8"))?,
        })
    }

    fn read(&self, limits: &Limits) -> Result<(Vec<Link>, ProjectStatus), String> {
        let content_type = self.content_type.as_deref().unwrap_or("text/html");
        let (links, status) = read(&self.body, content_type, &self.url)?;
        check_count(links.len() as u64, limits)?;
        Ok((links, status))
    }
}

fn check_count(links: u64, limits: &Limits) -> Result<(), String> {
    if links <= limits.page_files {
        return Ok(());
    }
    let (most, limit) = (limits.page_files, Limit("page-files"));
    Err(format!("expected at most {most} files on the page, found more ({limit})"))
}

fn read(body: &str, content_type: &str, url: &Url) -> Result<(Vec<Link>, ProjectStatus), String> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let (mut links, status) = match media_type.to_ascii_lowercase().as_str() {
        "application/vnd.pypi.simple.v1+json" | "application/json" => json::read(body, url)?,
        "application/vnd.pypi.simple.v1+html" | "text/html" => html::read(body, url),
        other => {
            return Err(format!(
                "expected a project page as HTML or JSON, found content of type `{other}`"
            ));
        }
    };
    // What is served from elsewhere has no say in which files of this machine are read.
    if url.scheme() != "file" {
        links.retain(|link| matches!(link.url.scheme(), "http" | "https"));
    }
    Ok((links, status))
}

impl<'a> SimpleIndex<'a> {
    /// The index whose project pages lie below `root`.
    #[must_use]
    pub fn new(client: &'a Client, cache: &'a Cache, mut root: Url) -> Self {
        if !root.path().ends_with('/') {
            let path = format!("{}/", root.path());
            root.set_path(&path);
        }
        client.credentials().add_index(&root);
        Self { client, cache, root, ignored_statuses: Vec::new() }
    }

    /// The same, where these status codes say that a project is not there.
    #[must_use]
    pub fn ignoring(mut self, statuses: Vec<u16>) -> Self {
        self.ignored_statuses = statuses;
        self
    }

    /// What it says of a project.
    ///
    /// # Errors
    /// Where the project is not known, or the index cannot be asked.
    pub async fn project(&self, name: &PackageName) -> Result<ProjectPage, IndexError> {
        let url = self
            .root
            .join(&format!("{name}/"))
            .map_err(|problem| IndexError::Unavailable(problem.to_string()))?;
        let unavailable = |problem: FetchError| IndexError::Unavailable(problem.to_string());
        if disk::path(&url).map_err(unavailable)?.is_some_and(|path| !path.exists()) {
            return Err(IndexError::NotFound { url: redacted(&url) });
        }
        match self.page(&url, name).await {
            Ok(page) => Ok(page),
            Err(FetchError::Status { status, url, .. }) if self.says_absent(status) => {
                Err(IndexError::NotFound { url })
            }
            Err(problem @ FetchError::Status { status, .. })
                if matches!(status.as_u16(), 401 | 403) =>
            {
                let credentials = match self.client.credentials().of(&url) {
                    Some(_) => "the credentials given for it are refused",
                    None => "no credentials are given for it",
                };
                Err(IndexError::Unavailable(format!(
                    "{problem}: {credentials}; where it says so of what it does not have, \
                     `ignore-error-codes = [{}]` in `[[tool.uv.index]]` has it passed over",
                    status.as_u16()
                )))
            }
            Err(problem) => Err(unavailable(problem)),
        }
    }

    /// The page of `name`, which lies at `url`.
    async fn page(&self, url: &Url, name: &PackageName) -> Result<ProjectPage, FetchError> {
        let limits = self.client.limits();
        let read = |page: Page| {
            let invalid = |problem: String| FetchError::invalid(url, problem);
            let (links, status) = page.read(limits).map_err(invalid)?;
            ProjectPage::new(&links, status, page.validators, name)
                .ok_or_else(|| invalid("an internal error of ftcheck".to_owned()))
        };
        if let Some(path) = disk::path(url)? {
            return read(Page::of_file(url, &path, limits)?);
        }
        let key = key_of(url);
        let kept = self.cache.get_bytes(Bucket::Pages, &key);
        let kept = kept.and_then(|bytes| ProjectPage::open(bytes, name));
        match current(self.client, url, kept, ProjectPage::validators).await? {
            Current::Kept(page) => {
                // The limit may be another one than when it was read.
                check_count(page.links(), limits)
                    .map_err(|problem| FetchError::invalid(url, problem))?;
                Ok(page)
            }
            Current::New(page) => {
                let page = read(*page)?;
                // As for a list of files.
                let _ = self.cache.put_bytes(Bucket::Pages, &key, page.bytes());
                Ok(page)
            }
        }
    }

    fn says_absent(&self, status: StatusCode) -> bool {
        matches!(status.as_u16(), 404 | 410) || self.ignored_statuses.contains(&status.as_u16())
    }
}

/// `requires-python` as indexes carry it. One that is no valid specifier says nothing, as in pip:
/// older uploads were not validated.
fn requires_python(text: Option<&str>) -> Option<VersionSpecifiers> {
    text.filter(|text| !text.trim().is_empty())?.parse().ok()
}
