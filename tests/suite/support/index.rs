//! A package index for tests: project pages and files over real HTTP.
//!
//! Pages are at `/simple/PROJECT/` (normalised name, slash at the end; anything
//! else is 404), files at `/files/FILENAME`. The index is strict on purpose and
//! can be told to do what awkward real ones do: no ranges, no digests, faults.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};

use super::faults::{FaultRule, ignores_range, spoil};
use super::http::{Request, Response, Server};
use super::pages::{PageFormat, PageOptions, file_path, project_page, root_page};
use super::ranges::file_answer;
use super::wheel::{BuiltWheel, Sdist, base64_url, normalize_name, sha256_hex};

pub(crate) use super::faults::Fault;
pub(crate) use super::pages::Pages;
pub(crate) use super::ranges::Ranges;

/// A file with what the project page says about it.
#[derive(Clone, Debug)]
pub(crate) struct IndexFile {
    pub project: String,
    pub version: String,
    pub filename: String,
    pub bytes: Vec<u8>,
    /// The digest the page states.
    pub sha256: String,
    pub metadata: Option<Vec<u8>>,
    pub requires_python: Option<String>,
    /// Outer nothing: not yanked. Inner nothing: yanked without a reason.
    pub yanked: Option<Option<String>>,
    pub upload_time: String,
}

impl IndexFile {
    /// Any file under any name, for names no builder would produce.
    pub(crate) fn raw(
        project: &str,
        version: &str,
        filename: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Self {
        let bytes = bytes.into();
        Self {
            project: project.to_owned(),
            version: version.to_owned(),
            filename: filename.to_owned(),
            sha256: sha256_hex(&bytes),
            bytes,
            metadata: None,
            requires_python: None,
            yanked: None,
            upload_time: "2025-10-07T12:00:00.000000Z".to_owned(),
        }
    }

    pub(crate) fn requires_python(mut self, specifier: &str) -> Self {
        self.requires_python = Some(specifier.to_owned());
        self
    }

    pub(crate) fn yanked(mut self, reason: Option<&str>) -> Self {
        self.yanked = Some(reason.map(str::to_owned));
        self
    }

    pub(crate) fn upload_time(mut self, upload_time: &str) -> Self {
        upload_time.clone_into(&mut self.upload_time);
        self
    }

    /// Makes the page state a digest that need not fit the bytes.
    pub(crate) fn claimed_sha256(mut self, sha256: &str) -> Self {
        sha256.clone_into(&mut self.sha256);
        self
    }
}

impl From<BuiltWheel> for IndexFile {
    fn from(wheel: BuiltWheel) -> Self {
        Self {
            metadata: Some(wheel.metadata),
            ..Self::raw(&wheel.name, &wheel.version, &wheel.filename, wheel.bytes)
        }
    }
}

impl From<Sdist> for IndexFile {
    fn from(sdist: Sdist) -> Self {
        Self::raw(&sdist.name, &sdist.version, &sdist.filename, sdist.bytes)
    }
}

/// One request as the index saw it, and what it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub method: String,
    /// Percent-decoded, without the query.
    pub path: String,
    pub range: Option<String>,
    pub accept: Option<String>,
    pub if_none_match: Option<String>,
    pub authorization: Option<String>,
    /// The host whose address was asked for, where the index was taken for a proxy.
    pub as_proxy_for: Option<String>,
    /// The status meant for the client, also when the connection was closed
    /// before it was sent.
    pub status: u16,
    /// Bytes of the body handed to the socket. A client that hangs up early may
    /// have taken fewer.
    pub body_bytes: usize,
}

struct Settings {
    pages: Pages,
    page_options: PageOptions,
    ranges: Ranges,
    etags: bool,
    /// The `Authorization` header without which nothing is served.
    login: Option<String>,
}

#[derive(Default)]
struct Content {
    /// By normalised name. A project may be there without any files.
    projects: BTreeMap<String, Vec<IndexFile>>,
    /// By project: its status and the reason.
    statuses: BTreeMap<String, (String, String)>,
    faults: Vec<FaultRule>,
    recorded: Vec<Recorded>,
}

impl Content {
    fn add_file(&mut self, file: IndexFile) {
        self.projects.entry(normalize_name(&file.project)).or_default().push(file);
    }

    fn find_file(&self, filename: &str) -> Option<&IndexFile> {
        self.projects.values().flatten().find(|file| file.filename == filename)
    }
}

/// Collects what a `FakeIndex` holds and how it behaves. Unless told otherwise
/// it is a good modern index: JSON, absolute addresses, digests, ranges, `ETags`.
pub(crate) struct FakeIndexBuilder {
    settings: Settings,
    content: Content,
}

impl FakeIndexBuilder {
    pub(crate) fn pages(mut self, pages: Pages) -> Self {
        self.settings.pages = pages;
        self
    }

    pub(crate) fn ranges(mut self, ranges: Ranges) -> Self {
        self.settings.ranges = ranges;
        self
    }

    /// Whether pages carry an `ETag` and answer `If-None-Match` with 304.
    pub(crate) fn etags(mut self, etags: bool) -> Self {
        self.settings.etags = etags;
        self
    }

    pub(crate) fn relative_urls(mut self, relative_urls: bool) -> Self {
        self.settings.page_options.relative_urls = relative_urls;
        self
    }

    pub(crate) fn without_digests(mut self) -> Self {
        self.settings.page_options.digests = false;
        self
    }

    /// Whether `METADATA` is offered beside each wheel, at its address with
    /// `.metadata` added.
    pub(crate) fn core_metadata(mut self, core_metadata: bool) -> Self {
        self.settings.page_options.core_metadata = core_metadata;
        self
    }

    /// Serves nothing but to those who say that they are this user.
    pub(crate) fn login(mut self, user: &str, password: &str) -> Self {
        self.settings.login = Some(basic(user, password));
        self
    }

    /// Gives a project a status (PEP 792).
    pub(crate) fn status(mut self, project: &str, status: &str, reason: &str) -> Self {
        let stated = (status.to_owned(), reason.to_owned());
        self.content.statuses.insert(normalize_name(project), stated);
        self
    }

    pub(crate) fn file(mut self, file: impl Into<IndexFile>) -> Self {
        self.content.add_file(file.into());
        self
    }

    /// A project that is known but has no files.
    pub(crate) fn empty_project(mut self, name: &str) -> Self {
        self.content.projects.entry(normalize_name(name)).or_default();
        self
    }

    /// Makes requests misbehave whose path contains the given text.
    pub(crate) fn fault(mut self, path_contains: &str, fault: Fault) -> Self {
        self.content.faults.push(FaultRule::new(path_contains, fault));
        self
    }

    pub(crate) fn start(self) -> FakeIndex {
        let listener = TcpListener::bind("127.0.0.1:0").expect("cannot bind a local port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            base_url: format!("http://{address}"),
            settings: self.settings,
            content: Mutex::new(self.content),
        });
        let for_server = Arc::clone(&shared);
        FakeIndex {
            shared,
            _server: Server::start(listener, move |request| for_server.handle(request)),
        }
    }
}

/// A running index. It stops when dropped.
pub(crate) struct FakeIndex {
    shared: Arc<Shared>,
    _server: Server,
}

impl FakeIndex {
    pub(crate) fn builder() -> FakeIndexBuilder {
        FakeIndexBuilder {
            settings: Settings {
                pages: Pages::Json,
                page_options: PageOptions {
                    relative_urls: false,
                    digests: true,
                    core_metadata: false,
                },
                ranges: Ranges::Supported,
                etags: true,
                login: None,
            },
            content: Content::default(),
        }
    }

    /// `http://127.0.0.1:PORT/simple/`
    pub(crate) fn simple_url(&self) -> String {
        format!("{}/simple/", self.shared.base_url)
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// The address of the pages with credentials in it.
    pub(crate) fn url_with(&self, credentials: &str) -> String {
        self.simple_url().replace("http://", &format!("http://{credentials}@"))
    }

    pub(crate) fn file_url(&self, filename: &str) -> String {
        format!("{}{}", self.shared.base_url, file_path(filename))
    }

    /// Publishes another file while the index is running.
    pub(crate) fn add_file(&self, file: impl Into<IndexFile>) {
        self.shared.content().add_file(file.into());
    }

    /// Adds a fault while the index is running.
    pub(crate) fn add_fault(&self, path_contains: &str, fault: Fault) {
        let rule = FaultRule::new(path_contains, fault);
        self.shared.content().faults.push(rule);
    }

    /// Every request so far, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.content().recorded.clone()
    }

    /// The requests so far whose path contains the given text.
    pub(crate) fn requests_for(&self, path_contains: &str) -> Vec<Recorded> {
        let mut requests = self.requests();
        requests.retain(|request| request.path.contains(path_contains));
        requests
    }

    pub(crate) fn clear_requests(&self) {
        self.shared.content().recorded.clear();
    }
}

struct Shared {
    base_url: String,
    settings: Settings,
    content: Mutex<Content>,
}

impl Shared {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("a request handler panicked")
    }

    /// Answers and records. The record is complete before the first byte of the
    /// answer is sent, so a test that has the answer also finds the record.
    fn handle(&self, request: &Request) -> Response {
        let mut content = self.content();
        let is_ranged = !ignores_range(&mut content.faults, request);
        let good = self.answer(&content, request, is_ranged);
        let response = spoil(&mut content.faults, request, good);
        content.recorded.push(Recorded {
            method: request.method.clone(),
            path: request.path.clone(),
            range: request.header("Range"),
            accept: request.header("Accept"),
            if_none_match: request.header("If-None-Match"),
            authorization: request.header("Authorization"),
            as_proxy_for: request.as_proxy_for.clone(),
            status: response.status,
            body_bytes: response.body_bytes_for(request),
        });
        response
    }

    fn answer(&self, content: &Content, request: &Request, is_ranged: bool) -> Response {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Response::new(405, "text/plain", "only GET and HEAD")
                .with_header("Allow", "GET, HEAD");
        }
        if self.settings.login.is_some() && request.header("Authorization") != self.settings.login {
            return Response::new(401, "text/plain", "who are you?")
                .with_header("WWW-Authenticate", "Basic realm=\"test\"");
        }
        if let Some(rest) = request.path.strip_prefix("/simple/") {
            self.answer_page(content, request, rest)
        } else if let Some(filename) = request.path.strip_prefix("/files/") {
            self.answer_file(content, request, filename, is_ranged)
        } else {
            not_found()
        }
    }

    fn answer_page(&self, content: &Content, request: &Request, rest: &str) -> Response {
        let accept = request.header("Accept");
        let Some(format) = PageFormat::choose(self.settings.pages, accept.as_deref()) else {
            return Response::new(406, "text/plain", "no acceptable format");
        };
        let page = if rest.is_empty() {
            root_page(format, content.projects.keys().map(String::as_str))
        } else {
            let Some(project) = rest.strip_suffix('/') else {
                return not_found();
            };
            let Some(files) = content.projects.get(project) else {
                return not_found();
            };
            let options = self.settings.page_options;
            let status = content.statuses.get(project);
            project_page(format, options, &self.base_url, project, files, status)
        };
        let etag = format!("\"{}\"", &sha256_hex(page.as_bytes())[..16]);
        let mut response =
            Response::new(200, format.content_type(), page).with_header("Vary", "Accept");
        if self.settings.etags {
            let known = request.header("If-None-Match");
            if known.is_some_and(|known| etag_matches(&known, &etag)) {
                response.status = 304;
                response.body.clear();
            }
            response = response.with_header("ETag", etag);
        }
        response
    }

    fn answer_file(
        &self,
        content: &Content,
        request: &Request,
        filename: &str,
        is_ranged: bool,
    ) -> Response {
        let file_bytes = content.find_file(filename).map(|file| &file.bytes);
        let bytes = file_bytes.or_else(|| {
            let wheel = filename.strip_suffix(".metadata")?;
            let offered = self.settings.page_options.core_metadata;
            content.find_file(wheel)?.metadata.as_ref().filter(|_| offered)
        });
        let Some(bytes) = bytes else {
            return not_found();
        };
        let ranges = self.settings.ranges;
        let range = request.header("Range").filter(|_| is_ranged);
        file_answer(ranges, bytes, range.as_deref())
    }
}

/// The `Authorization` header of a user.
pub(crate) fn basic(user: &str, password: &str) -> String {
    let text = format!("{user}:{password}");
    let mut encoded = base64_url(text.as_bytes()).replace('-', "+").replace('_', "/");
    while !encoded.len().is_multiple_of(4) {
        encoded.push('=');
    }
    format!("Basic {encoded}")
}

fn not_found() -> Response {
    Response::new(404, "text/plain", "not found")
}

fn etag_matches(if_none_match: &str, etag: &str) -> bool {
    if_none_match
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}
